// print and friends: lengths around the buffer, one write for a line however long, formatters of the user's own, and
// one that throws.
// RUN: strace -f -e trace=write -o log %prog 2>err | cksum; grep -c "write(1," log; cat err >&2
// STDOUT: 2953136280 102679
// STDOUT: 10
// STDERR: to standard error 1
// STDERR: caught: no text
// STDERR: point (1, 2)
// STDERR:
#include <boot/boot.h>

#include <stdexcept>
#include <string>

struct Point {
  int x, y;
};
template <>
struct fmt::formatter<Point> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(Point p, Context& ctx) const -> decltype(ctx.out()) {
    if (p.x < 0) throw std::runtime_error("no text");
    return fmt::format_to(ctx.out(), "({}, {})", p.x, p.y);
  }
};

void main_main() {
  boot::print("{}", 1);
  boot::println();
  boot::println("{:>6.2f}|{:#x}|{}|{}", 3.14159, 255, true, "text");
  for (std::size_t n : {510, 511, 512, 513, 100'000}) boot::println("{}", std::string(n, 'x'));
  boot::print("{:-^600}", "mid");
  boot::println("{}", 1.5);
  boot::eprint("to {} ", "standard error");
  boot::eprintln("{}", 1);
  try {
    boot::println("{}", Point{-1, 0});
  } catch (const std::exception& e) {
    boot::eprintln("caught: {}", e.what());
  }
  boot::eprintln("point {}", Point{1, 2});
  boot::eprintln();
}

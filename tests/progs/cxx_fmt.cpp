// fmt is the formatter everywhere: user types with a formatter of their own, ranges, wide precision, errors of
// format strings that are made at run time, fmt's own print.
// HOSTED: also
// STDOUT: {1, 2} and   {3, 4}|
// STDOUT: [1, 2, 3] ["a", "b"] (1, "x")
// STDOUT: 1.5 1e+300 0.1 -0 inf nan 0x1.8p+0
// STDOUT: 3.14159265358979311600 1,234,567 0x2a 101010 *42**
// STDOUT: bad format: caught
// STDOUT: printed by fmt
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cxx_check.h"

struct Point {
  int x, y;
};
template <>
struct fmt::formatter<Point> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const Point& p, Context& ctx) const {
    return fmt::formatter<std::string_view>::format(fmt::format("{{{}, {}}}", p.x, p.y), ctx);
  }
};

#ifdef BOOT_HOSTED
// Without libc the separator is a comma; here a locale says it, and "C" has none.
#include <locale>
struct Commas : std::numpunct<char> {
  char do_thousands_sep() const override { return ','; }
  std::string do_grouping() const override { return "\3"; }
};
#endif

void main_main() {
#ifdef BOOT_HOSTED
  std::locale::global(std::locale(std::locale(), new Commas));
#endif
  boot::println("{} and {:>8}|", Point{1, 2}, Point{3, 4});
  boot::println("{} {} {}", std::vector<int>{1, 2, 3}, std::vector<std::string>{"a", "b"}, std::make_pair(1, "x"));
  boot::println("{} {} {} {} {} {} {:a}", 1.5, 1e300, 0.1, -0.0, HUGE_VAL, std::nan(""), 1.5);
  boot::println("{:.20f} {:L} {:#x} {:b} {:*^5}", 3.141592653589793, 1234567, 42, 42, 42);
  try {
    boot::println("{}", fmt::format(fmt::runtime("{:d}"), "text"));
  } catch (const fmt::format_error&) {
    boot::println("bad format: caught");
  }
  fmt::print("{} by {}\n", "printed", "fmt");
}

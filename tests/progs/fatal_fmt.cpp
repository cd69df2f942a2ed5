// A report from a signal's handler in a program that uses the same templates of fmt as the runtime: the linker takes the
// program's copies of them, which check the stack's guard, and that is the interrupted goroutine's. The report must come, and
// the program end.
// RUN: for end in abort wild trap; do %prog $end; test $? = 2 || exit 1; done
// PROCS: 1 2
// HOSTED: also
// TIMEOUT: 20
// STDOUT: 1 2.500 0x4d                              x 60
// STDOUT: 1 2.500 0x4d                              x 60
// STDOUT: 1 2.500 0x4d                              x 60
// STDERR-MATCH: ^SIGABRT: abort$
// STDERR-MATCH: ^unexpected fault address 0x123456789$
// STDERR-MATCH: ^SIGILL: illegal instruction$
#include <boot/boot.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <string_view>

void main_main() {
  char text[100];
  auto r =
      fmt::format_to_n(text, sizeof text, "{} {:.3f} {:#x} {:p} {:>30}", 1, 2.5, 77u, static_cast<void*>(text), "x");
  std::string s = fmt::format("{} {:.3f} {:#x} {:>30}", 1, 2.5, 77u, "x");
  boot::println("{} {}", s, r.size > 40 ? 60 : 0);
  std::string_view end = boot::os::Args()[1];
  if (end == "abort") std::abort();
  if (end == "wild") *reinterpret_cast<volatile int*>(0x123456789) = 1;
  __builtin_trap();
}

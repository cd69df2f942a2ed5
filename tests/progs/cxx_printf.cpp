// The printf family, character classes and string-to-number functions of pure mode against what C defines. The same
// source passes under libc, in hosted mode.
// HOSTED: also
// STDOUT: printf 7 text 2.50
// STDOUT: ok
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cxx_check.h"

[[gnu::format(printf, 2, 3)]] static void is(const char* want, const char* format, ...) {
  char buf[1000];
  va_list ap;
  va_start(ap, format);
  int n = std::vsnprintf(buf, sizeof buf, format, ap);
  va_end(ap);
  if (std::strcmp(buf, want) != 0 || n != static_cast<int>(std::strlen(want))) {
    boot::eprintln("format \"{}\": got \"{}\" ({}), want \"{}\"", format, buf, n, want);
    boot::os::Exit(1);
  }
}

static void integers() {
  is("42|   42|42   |00042|+42", "%d|%5d|%-5d|%05d|%+d", 42, 42, 42, 42, 42);
  is("-1| -1|-01|-1 | 7", "%d|%3d|%03d|%-3d|% d", -1, -1, -1, -1, 7);
  is("007|  007|  -07||0", "%.3d|%5.3d|%5.2d|%.0d|%d", 7, 7, -7, 0, 0);
  is("ff FF 0xff 0XFF 0 377 0377 0", "%x %X %#x %#X %#x %o %#o %#o", 255, 255, 255, 255, 0, 255, 255, 0);
  is("-128 255 -32768 65535", "%hhd %hhu %hd %hu", CHAR_MIN, UCHAR_MAX, SHRT_MIN, USHRT_MAX);
  is("-9223372036854775808 18446744073709551615", "%ld %lu", LONG_MIN, ULONG_MAX);
  is("-9223372036854775808 18446744073709551615 12 -3", "%lld %llu %zu %td", LLONG_MIN, ULLONG_MAX, std::size_t{12},
     std::ptrdiff_t{-3});
  is("   7|7   |0007", "%*d|%-*d|%.*d", 4, 7, 4, 7, 4, 7);
}

static void texts() {
  is("abc|  abc|abc  |ab|   ab", "%s|%5s|%-5s|%.2s|%5.2s", "abc", "abc", "abc", "abc", "abc");
  is("x|  x|100%", "%c|%3c|%d%%", 'x', 'x', 100);
  is("0x10 |              0x10", "%p |%18p", reinterpret_cast<void*>(16), reinterpret_cast<void*>(16));
  char small[5];
  const char* volatile text = "overflow";  // or the compiler knows the answer and warns
  CHECK(std::snprintf(small, sizeof small, "%s", text) == 8 && std::strcmp(small, "over") == 0);
  CHECK(std::snprintf(nullptr, 0, "%d", 12345) == 5);
}

static void floats() {
  is("1.500000 -0.5 2 1e+10 1.00", "%f %.1f %.0f %g %.2f", 1.5, -0.5, 2.5, 1e10, 0.999);
  is("1.500000e+00 1.5E-05 0.0001 1e-05 100000 1e+06", "%e %.1E %g %g %g %g", 1.5, 1.5e-5, 1e-4, 1e-5, 1e5, 1e6);
  is("  1.50|1.50  |001.50|+1.50| 1.50", "%6.2f|%-6.2f|%06.2f|%+.2f|% .2f", 1.5, 1.5, 1.5, 1.5, 1.5);
  is("inf -INF nan   inf", "%f %F %g %5f", HUGE_VAL, -HUGE_VAL, std::fabs(std::nan("")), HUGE_VAL);
  is("0x1.8p+0 0x0p+0 -0x1p-3 0X1.FP+4 0x2.0p+0", "%a %a %a %A %.1a", 1.5, 0.0, -0.125, 31.0, 1.99);
  is("0x0.0000000000001p-1022 0x1.fffffffffffffp+1023", "%a %a", 5e-324, 1.7976931348623157e308);
  is("0.1000000000000000055511151231257827021181583404541015625", "%.55f", 0.1);
  is("123456789012345683968.000", "%.3f", 1.2345678901234568e20);
  is("2. 1.00000 1.e+00", "%#.0f %#g %#.0e", 2.0, 1.0, 1.0);
  is("1.500000 0.100000000000000000001 1e-4940", "%Lf %.21Lf %Lg", 1.5L, 0.1L, 1e-4940L);
  is("-0.000000 0 3.14", "%f %g %.3g", -0.0, 0.0, 3.14159);
}

static void numbers() {
  char* end;
  CHECK(std::strtol("  -0x1Fz", &end, 0) == -31 && *end == 'z');
  CHECK(std::strtol("0755", nullptr, 0) == 493 && std::strtol("zz", nullptr, 36) == 1295);
  const char* none = " +";
  CHECK(std::strtol(none, &end, 10) == 0 && end == none);
  errno = 0;
  CHECK(std::strtol("9223372036854775808", nullptr, 10) == LONG_MAX && errno == ERANGE);
  CHECK(std::strtol("-9223372036854775808", nullptr, 10) == LONG_MIN);
  CHECK(std::strtoul("-1", nullptr, 10) == ULONG_MAX && std::atoi("17x") == 17);
  CHECK(std::strtod(" -1.5e2x", &end) == -150 && *end == 'x');
  CHECK(std::strtod("0x1.8p3", nullptr) == 12 && std::isinf(std::strtod("-inf", nullptr)));
  CHECK(std::isnan(std::strtod("nan", nullptr)) && std::strtod("4.9e-324", nullptr) == 5e-324);
  errno = 0;
  CHECK(std::strtod("1e-400", nullptr) == 0 && errno == ERANGE);
  CHECK(std::strtof("3.4028236e38", nullptr) == HUGE_VALF || std::strtof("3.4028235e38", nullptr) == 3.4028234664e38f);
  CHECK(std::strtold("0.1", nullptr) == 0.1L && std::strtold("1e4932", nullptr) == 1e4932L);
  CHECK(std::strtold("3.6e-4951", nullptr) == 3.6e-4951L && std::strtold("0x1p-16445", &end) == 3.6e-4951L);
  CHECK(std::isalpha('x') && !std::isalpha('1') && std::isspace('\t') && std::toupper('q') == 'Q');
  // errno is the goroutine's own, as it is the thread's under libc.
  errno = 5;
  onGoroutines(4, [](int i) {
    errno = i;
    runtime::Gosched();
#ifndef BOOT_HOSTED
    CHECK(errno == i);
#endif
  });
#ifndef BOOT_HOSTED
  CHECK(errno == 5);
#endif
}

void main_main() {
  std::printf("printf %d %s %.2f\n", 7, "text", 2.5);
  std::fflush(stdout);
  integers();
  texts();
  floats();
  numbers();
  boot::println("ok");
}

// The rest of the C library that the C++ library cannot do without: errno, abort, texts of errors, numbers from text.
//
// Owns: errno (each goroutine has its own), abort, strerror, gettext, getenv, strto*, the character classes of "C".
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <errno.h>
#include <locale.h>
#include <string.h>

#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/os/os_linux.h"

#undef errno

namespace {

bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

// strtol and its family. Overflow gives the nearest value and ERANGE; *end is where parsing stopped, s if there is no number.
template <class T>
T parseInt(const char* s, char** end, int base) {
  using U = std::make_unsigned_t<T>;
  const char* p = s;
  while (isSpace(*p)) p++;
  bool neg = *p == '-';
  if (*p == '-' || *p == '+') p++;
  if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 32) == 'x' && digitOf(p[2]) < 16) {
    p += 2;
    base = 16;
  } else if (base == 0) {
    base = *p == '0' ? 8 : 10;
  }
  U v = 0;
  bool over = false;
  const char* digits = p;
  for (; digitOf(*p) < base; p++) {
    over |= __builtin_mul_overflow(v, static_cast<U>(base), &v);
    over |= __builtin_add_overflow(v, static_cast<U>(digitOf(*p)), &v);
  }
  if (end != nullptr) *end = const_cast<char*>(p == digits ? s : p);
  if constexpr (std::is_signed_v<T>) {
    constexpr U top = static_cast<U>(std::numeric_limits<T>::max());
    if (over || v > top + neg) {
      *__errno_location() = ERANGE;
      return neg ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
    }
  } else if (over) {
    *__errno_location() = ERANGE;
    return std::numeric_limits<T>::max();
  }
  return static_cast<T>(neg ? U{0} - v : v);
}

template <class T>
T parseFloat(const char* s, char** end) {
  const char* p = s;
  while (isSpace(*p)) p++;
  bool neg = *p == '-';
  if (*p == '-' || *p == '+') p++;
  bool hex = p[0] == '0' && (p[1] | 32) == 'x' && (digitOf(p[2]) < 16 || (p[2] == '.' && digitOf(p[3]) < 16));
  const char* from = hex ? p + 2 : p;
  T v = 0;
  std::from_chars_result r{from, std::errc::invalid_argument};
  if (*from != '-')
    r = std::from_chars(from, from + strlen(from), v, hex ? std::chars_format::hex : std::chars_format::general);
  if (end != nullptr) *end = const_cast<char*>(r.ec == std::errc::invalid_argument ? s : r.ptr);
  if (r.ec == std::errc::result_out_of_range) {
    *__errno_location() = ERANGE;
    // from_chars leaves v alone. A negative exponent, or no digit but 0 before the point, means too small.
    bool tiny = false;
    for (const char* q = from; q < r.ptr; q++) {
      if ((*q | 32) == (hex ? 'p' : 'e')) tiny = q[1] == '-';
    }
    v = tiny ? T{0} : std::numeric_limits<T>::infinity();
  } else if (!hex && v != 0 && v < std::numeric_limits<T>::min()) {
    *__errno_location() = ERANGE;  // as glibc says: digits are lost. A hexadecimal number usually loses none
  }
  return neg ? -v : v;
}

struct errtext {
  int no;
  const char* text;
};
constexpr errtext errtexts[] = {
#define E(no, text) {no, text},
#include "runtime/cxx/errtexts.inc"
#undef E
};

}  // namespace

extern "C" {

// Never 1, whatever the number of Ms: libstdc++ then counts shared_ptr's references without atomics, and a goroutine
// may be preempted between the load and the store.
char __libc_single_threaded = 0;

int* __errno_location() noexcept { return &runtime::getg()->cxxerrno; }

[[noreturn]] void abort() noexcept {
  runtime::raise(6);  // SIGABRT: the handler prints the goroutine, as for any fatal signal
  runtime::exit(2);
}

[[noreturn]] void __assert_fail(const char* what, const char* file, unsigned line, const char* func) noexcept {
  runtime::printf("{}:{}: {}: Assertion `{}' failed.\n", file, line, func, what);
  abort();
}

// No catalogues of translations: every text is its own.
char* gettext(const char* s) noexcept { return const_cast<char*>(s); }
char* dgettext(const char*, const char* s) noexcept { return const_cast<char*>(s); }
char* dcgettext(const char*, const char* s, int) noexcept { return const_cast<char*>(s); }
char* bindtextdomain(const char*, const char*) noexcept { return nullptr; }
char* bind_textdomain_codeset(const char*, const char*) noexcept { return nullptr; }

char* strerror(int no) noexcept {
  if (no == 0) return const_cast<char*>("Success");
  for (const errtext& e : errtexts) {
    if (e.no == no) return const_cast<char*>(e.text);
  }
  return const_cast<char*>("Unknown error");
}

char* __xpg_strerror_r_text(int no) noexcept { return strerror(no); }
char* strerror_r(int no, char*, std::size_t) noexcept { return strerror(no); }

// nlohmann-json asks for the decimal point.
lconv* localeconv() noexcept {
  static lconv c;
  static char point[] = ".", none[] = "";
  c.decimal_point = point;
  c.thousands_sep = c.grouping = none;
  return &c;
}

char* getenv(const char* key) noexcept { return const_cast<char*>(runtime::environValue(key)); }
char* secure_getenv(const char* key) noexcept { return runtime::secureMode ? nullptr : getenv(key); }

long strtol(const char* s, char** end, int base) noexcept { return parseInt<long>(s, end, base); }
long long strtoll(const char* s, char** end, int base) noexcept { return parseInt<long long>(s, end, base); }
unsigned long strtoul(const char* s, char** end, int base) noexcept { return parseInt<unsigned long>(s, end, base); }
unsigned long long strtoull(const char* s, char** end, int base) noexcept {
  return parseInt<unsigned long long>(s, end, base);
}
int atoi(const char* s) noexcept { return static_cast<int>(strtol(s, nullptr, 10)); }
long atol(const char* s) noexcept { return strtol(s, nullptr, 10); }
long long atoll(const char* s) noexcept { return strtoll(s, nullptr, 10); }
float strtof(const char* s, char** end) noexcept { return parseFloat<float>(s, end); }
double strtod(const char* s, char** end) noexcept { return parseFloat<double>(s, end); }
double atof(const char* s) noexcept { return parseFloat<double>(s, nullptr); }

int isspace(int c) noexcept { return isSpace(static_cast<char>(c)); }
int isdigit(int c) noexcept { return c >= '0' && c <= '9'; }
int isupper(int c) noexcept { return c >= 'A' && c <= 'Z'; }
int islower(int c) noexcept { return c >= 'a' && c <= 'z'; }
int isalpha(int c) noexcept { return isupper(c) || islower(c); }
int isalnum(int c) noexcept { return isalpha(c) || isdigit(c); }
int isxdigit(int c) noexcept { return isdigit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }
int isprint(int c) noexcept { return c >= ' ' && c < 127; }
int isgraph(int c) noexcept { return c > ' ' && c < 127; }
int ispunct(int c) noexcept { return isgraph(c) && !isalnum(c); }
int iscntrl(int c) noexcept { return (c >= 0 && c < ' ') || c == 127; }
int isblank(int c) noexcept { return c == ' ' || c == '\t'; }
int toupper(int c) noexcept { return islower(c) ? c - 32 : c; }
int tolower(int c) noexcept { return isupper(c) ? c + 32 : c; }

}  // extern "C"

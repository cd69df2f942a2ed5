// The printf family and as much of stdio as prints: what std::to_string, fmt's print and C headers ask for.
//
// Owns: vsnprintf and its relatives; stdout and stderr, unbuffered: one call, one write. Reading, files and buffering
// are hosted mode's (hosted_only.S says so at link time).
//
// Invariants
//   - Floating point is formatted by fmt, exactly as printf would; %a is made here, because fmt asks snprintf for it.
//   - Nothing allocates but output beyond kStackBuf bytes.
#include "runtime/sched/proc.h"  // first: <unistd.h> makes macros of what it names
#include "runtime/diag/output.h"

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <errno.h>
#include <fmt/format.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace {

// Where formatted text goes: the first n bytes are kept, all are counted.
struct out {
  char* p;
  std::size_t cap;
  std::size_t len = 0;
  void put(const char* s, std::size_t n) {
    if (len < cap) memcpy(p + len, s, n < cap - len ? n : cap - len);
    len += n;
  }
  void fill(char c, std::size_t n) {
    if (len < cap) memset(p + len, c, n < cap - len ? n : cap - len);
    len += n;
  }
};

struct spec {
  bool left = false, plus = false, space = false, alt = false, zero = false;
  int width = 0;
  int prec = -1;
  char conv = 0;
};

// prefix (sign, 0x) and body in a field of s.width, `zeros` zeros between them.
void field(out& o, const spec& s, const char* prefix, std::size_t np, const char* body, std::size_t nb,
           std::size_t zeros, bool zeropad) {
  std::size_t n = np + zeros + nb, width = static_cast<std::size_t>(s.width), pad = width > n ? width - n : 0;
  if (zeropad && !s.left) {
    zeros += pad;
    pad = 0;
  }
  if (!s.left) o.fill(' ', pad);
  o.put(prefix, np);
  o.fill('0', zeros);
  o.put(body, nb);
  if (s.left) o.fill(' ', pad);
}

std::size_t signOf(const spec& s, bool neg, char* prefix) {
  if (neg)
    *prefix = '-';
  else if (s.plus)
    *prefix = '+';
  else if (s.space)
    *prefix = ' ';
  else
    return 0;
  return 1;
}

void integer(out& o, const spec& s, std::uintmax_t v, bool neg) {
  char buf[64], prefix[3];
  char* p = buf + sizeof buf;
  unsigned base = s.conv == 'o' ? 8 : (s.conv | 32) == 'x' || s.conv == 'p' ? 16 : s.conv == 'b' ? 2 : 10;
  const char* digits = s.conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  for (std::uintmax_t w = v; w != 0; w /= base) *--p = digits[w % base];
  std::size_t n = static_cast<std::size_t>(buf + sizeof buf - p), np = 0;
  bool isSigned = s.conv == 'd' || s.conv == 'i';
  if (isSigned) np = signOf(s, neg, prefix);
  std::size_t least = s.prec < 0 ? 1 : static_cast<std::size_t>(s.prec);
  if (s.conv == 'o' && s.alt && least <= n) least = n + 1;
  if (base == 16 && (s.conv == 'p' || (s.alt && v != 0))) {
    prefix[0] = '0';
    prefix[1] = s.conv == 'X' ? 'X' : 'x';
    np = 2;
  }
  field(o, s, prefix, np, p, n, n < least ? least - n : 0, s.zero && s.prec < 0);
}

// %a: the bits themselves, 1.hhh or, for the 64-bit mantissa of long double, h.hhh.
template <class T>
std::size_t hexFloat(const spec& s, T v, char* buf) {
  constexpr bool ld = std::numeric_limits<T>::digits == 64;
  std::uint64_t mant;
  int exp;
  if constexpr (ld) {
    std::uint16_t se;
    memcpy(&mant, &v, 8);
    memcpy(&se, reinterpret_cast<const char*>(&v) + 8, 2);
    exp = v == 0 ? 0 : (se & 0x7fff) - 16383 - 3;
  } else {
    std::uint64_t bits;
    double d = static_cast<double>(v);
    memcpy(&bits, &d, 8);
    int be = static_cast<int>(bits >> 52 & 0x7ff);
    mant = (bits & ((std::uint64_t{1} << 52) - 1)) << 8;
    if (be != 0) mant |= std::uint64_t{1} << 60;
    exp = v == 0 ? 0 : be == 0 ? -1022 : be - 1023;
  }
  // Now: one leading digit in the top four bits, 15 digits behind the point.
  int digits = ld ? 15 : 13;
  if (s.prec >= 0 && s.prec < digits) {
    int drop = (15 - s.prec) * 4;
    std::uint64_t half = std::uint64_t{1} << (drop - 1), rest = mant & ((half << 1) - 1);
    mant -= rest;
    bool up = rest > half || (rest == half && (mant >> drop & 1));
    if (up && __builtin_add_overflow(mant, half << 1, &mant)) {
      mant = std::uint64_t{1} << 60;
      exp += 4;
    }
    digits = s.prec;
  } else if (s.prec < 0) {
    while (digits > 0 && (mant >> (15 - digits) * 4 & 15) == 0) digits--;
  }
  const char* hex = s.conv == 'A' ? "0123456789ABCDEF" : "0123456789abcdef";
  char* p = buf;
  *p++ = hex[mant >> 60];
  if (digits > 0 || s.prec > 0 || s.alt) *p++ = '.';
  for (int i = 1; i <= digits; i++) *p++ = hex[mant >> (15 - i) * 4 & 15];
  for (int i = digits; i < s.prec && i < 64; i++) *p++ = '0';
  *p++ = s.conv == 'A' ? 'P' : 'p';
  *p++ = exp < 0 ? '-' : '+';
  return static_cast<std::size_t>(fmt::format_to(p, "{}", exp < 0 ? -exp : exp) - buf);
}

template <class T>
void floating(out& o, const spec& s, T v) {
  char prefix[3];
  bool neg = __builtin_signbit(v);
  std::size_t np = signOf(s, neg, prefix);
  if (neg) v = -v;
  bool upper = s.conv < 'a';
  if (!(v - v == 0)) {  // infinite or not a number: never padded with zeros
    const char* t = v != v ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
    return field(o, s, prefix, np, t, 3, 0, false);
  }
  if ((s.conv | 32) == 'a') {
    char buf[128];
    prefix[np++] = '0';
    prefix[np++] = upper ? 'X' : 'x';
    std::size_t n = hexFloat(s, v, buf);
    return field(o, s, prefix, np, buf, n, 0, s.zero);
  }
  int prec = s.prec < 0 ? 6 : s.prec;
  fmt::basic_memory_buffer<char, 400> buf;
  char f[] = "{:#.{}g}";
  f[sizeof f - 3] = s.conv;
  if (!s.alt) f[2] = '.', f[3] = '{', f[4] = '}', f[5] = s.conv, f[6] = '}', f[7] = 0;
  fmt::vformat_to(fmt::appender(buf), fmt::string_view(f, strlen(f)), fmt::make_format_args(v, prec));
  field(o, s, prefix, np, buf.data(), buf.size(), 0, s.zero);
}

std::intmax_t signedArg(va_list* ap, int len) {
  switch (len) {
    case -2:
      return static_cast<signed char>(va_arg(*ap, int));
    case -1:
      return static_cast<short>(va_arg(*ap, int));
    case 0:
      return va_arg(*ap, int);
    default:
      return va_arg(*ap, long);
  }
}

std::uintmax_t unsignedArg(va_list* ap, int len) {
  switch (len) {
    case -2:
      return static_cast<unsigned char>(va_arg(*ap, int));
    case -1:
      return static_cast<unsigned short>(va_arg(*ap, int));
    case 0:
      return va_arg(*ap, unsigned);
    default:
      return va_arg(*ap, unsigned long);
  }
}

int numberAt(const char*& f, va_list* ap) {
  if (*f == '*') {
    f++;
    return va_arg(*ap, int);
  }
  int n = 0;
  for (; *f >= '0' && *f <= '9'; f++) n = n * 10 + (*f - '0');
  return n;
}

// One conversion, f behind its %. Returns what follows it.
const char* convert(out& o, const char* f, va_list* ap) {
  const char* from = f - 1;
  spec s;
  for (;; f++) {
    if (*f == '-')
      s.left = true;
    else if (*f == '+')
      s.plus = true;
    else if (*f == ' ')
      s.space = true;
    else if (*f == '#')
      s.alt = true;
    else if (*f == '0')
      s.zero = true;
    else
      break;
  }
  s.width = numberAt(f, ap);
  if (s.width < 0) {
    s.left = true;
    s.width = -s.width;
  }
  if (*f == '.') s.prec = numberAt(++f, ap);
  int len = 0;
  bool longDouble = false;
  for (;; f++) {
    if (*f == 'h')
      len--;
    else if (*f == 'l' || *f == 'z' || *f == 'j' || *f == 't')
      len++;
    else if (*f == 'L')
      longDouble = true;
    else
      break;
  }
  s.conv = *f;
  switch (s.conv) {
    case 'd':
    case 'i': {
      std::intmax_t v = signedArg(ap, len);
      integer(o, s, v < 0 ? -static_cast<std::uintmax_t>(v) : static_cast<std::uintmax_t>(v), v < 0);
      break;
    }
    case 'u':
    case 'x':
    case 'X':
    case 'b':
    case 'o':
      integer(o, s, unsignedArg(ap, len), false);
      break;
    case 'p': {
      auto v = reinterpret_cast<std::uintptr_t>(va_arg(*ap, void*));
      if (v == 0)
        field(o, s, "", 0, "(nil)", 5, 0, false);
      else
        integer(o, s, v, false);
      break;
    }
    case 'c': {
      char c = static_cast<char>(va_arg(*ap, int));
      field(o, s, "", 0, &c, 1, 0, false);
      break;
    }
    case 's': {
      const char* t = va_arg(*ap, const char*);
      if (t == nullptr) t = "(null)";
      field(o, s, "", 0, t, s.prec < 0 ? strlen(t) : strnlen(t, static_cast<std::size_t>(s.prec)), 0, false);
      break;
    }
    case 'n':
      *va_arg(*ap, int*) = static_cast<int>(o.len);
      break;
    case '%':
      o.put("%", 1);
      break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (longDouble)
        floating(o, s, va_arg(*ap, long double));
      else
        floating(o, s, va_arg(*ap, double));
      break;
    default:  // not a conversion: shown as it stands
      o.put(from, static_cast<std::size_t>(f - from));
      return f;
  }
  return f + 1;
}

std::size_t format(out& o, const char* f, va_list ap) {
  va_list args;
  va_copy(args, ap);
  while (*f != 0) {
    const char* pct = strchrnul(f, '%');
    o.put(f, static_cast<std::size_t>(pct - f));
    if (*pct == 0) break;
    f = convert(o, pct + 1, &args);
  }
  va_end(args);
  return o.len;
}

// What a FILE is here. The pointers are never followed by anybody else.
struct file {
  int fd;
  int error;  // atomic: a write has failed (ferror)
};
file files[3] = {{0, 0}, {1, 0}, {2, 0}};
file* fileOf(FILE* f) { return reinterpret_cast<file*>(f); }

// How much of it was written; if that is not all, errno says why.
std::size_t writeAll(file* to, const char* p, std::size_t n) {
  std::size_t done = 0;
  while (done < n) {
    std::ptrdiff_t r =
        runtime::writeFull(to->fd, p + done, n - done);  // the error behind a part comes by the next call
    if (r < 0) {
      errno = static_cast<int>(-r);
      break;
    }
    done += static_cast<std::size_t>(r);
  }
  if (done < n) runtime::atomic::Store(&to->error, 1);
  return done;
}

constexpr std::size_t kStackBuf = 1024;

int printTo(file* to, const char* f, va_list ap) {
  char small[kStackBuf];
  out o{small, sizeof small};
  std::size_t n = format(o, f, ap);
  if (n <= sizeof small) return writeAll(to, small, n) == n ? static_cast<int>(n) : -1;
  auto big = static_cast<char*>(malloc(n));
  if (big == nullptr) return -1;
  out o2{big, n};
  format(o2, f, ap);
  bool ok = writeAll(to, big, n) == n;
  free(big);
  return ok ? static_cast<int>(n) : -1;
}

}  // namespace

extern "C" {

FILE* stdin = reinterpret_cast<FILE*>(&files[0]);
FILE* stdout = reinterpret_cast<FILE*>(&files[1]);
FILE* stderr = reinterpret_cast<FILE*>(&files[2]);

int vsnprintf(char* buf, std::size_t n, const char* f, va_list ap) noexcept {
  runtime::preemptpoint();  // a loop that formats is hardly ever caught outside of this
  out o{buf, n == 0 ? 0 : n - 1};
  std::size_t len = format(o, f, ap);
  if (n > 0) buf[len < n ? len : n - 1] = 0;
  return static_cast<int>(len);
}
int vsprintf(char* buf, const char* f, va_list ap) noexcept { return vsnprintf(buf, SIZE_MAX / 2, f, ap); }
int vfprintf(FILE* to, const char* f, va_list ap) { return printTo(fileOf(to), f, ap); }
int vprintf(const char* f, va_list ap) { return printTo(&files[1], f, ap); }

#define VARIADIC(call) \
  va_list ap;          \
  va_start(ap, f);     \
  int r = call;        \
  va_end(ap);          \
  return r
int snprintf(char* buf, std::size_t n, const char* f, ...) noexcept { VARIADIC(vsnprintf(buf, n, f, ap)); }
int sprintf(char* buf, const char* f, ...) noexcept { VARIADIC(vsprintf(buf, f, ap)); }
int fprintf(FILE* to, const char* f, ...) { VARIADIC(vfprintf(to, f, ap)); }
int printf(const char* f, ...) { VARIADIC(printTo(&files[1], f, ap)); }
int dprintf(int fd, const char* f, ...) {
  file to{fd, 0};
  VARIADIC(printTo(&to, f, ap));
}
#undef VARIADIC

int vasprintf(char** to, const char* f, va_list ap) noexcept {
  int n = vsnprintf(nullptr, 0, f, ap);
  *to = static_cast<char*>(malloc(static_cast<std::size_t>(n) + 1));
  return *to == nullptr ? -1 : vsnprintf(*to, static_cast<std::size_t>(n) + 1, f, ap);
}

std::size_t fwrite(const void* p, std::size_t size, std::size_t n, FILE* to) {
  return size == 0 ? 0 : writeAll(fileOf(to), static_cast<const char*>(p), size * n) / size;
}
int fputs(const char* s, FILE* to) {
  std::size_t n = strlen(s);
  return writeAll(fileOf(to), s, n) == n ? 0 : EOF;
}
int puts(const char* s) { return printf("%s\n", s) < 0 ? EOF : 0; }
int fputc(int c, FILE* to) {
  char b = static_cast<char>(c);
  return writeAll(fileOf(to), &b, 1) == 1 ? static_cast<unsigned char>(b) : EOF;
}
int putc(int c, FILE* to) { return fputc(c, to); }
int putchar(int c) { return fputc(c, stdout); }
int fflush(FILE*) { return 0; }
int fileno(FILE* f) noexcept { return fileOf(f)->fd; }
int ferror(FILE* f) noexcept { return runtime::atomic::Load(&fileOf(f)->error); }
void clearerr(FILE* f) noexcept { runtime::atomic::Store(&fileOf(f)->error, 0); }
void perror(const char* s) {
  int e = errno;
  fprintf(stderr, "%s: %s\n", s, strerror(e));
}

}  // extern "C"

// strtold, correctly rounded to the 64 bits of an x87 long double. std::stold asks for it.
//
// The digits become one big integer D, the value is D × 10^e. For e > 0 D is multiplied by the power; for e < 0 D is
// shifted up far enough that dividing by the power still leaves more than 64 bits. The top 64 bits then are the mantissa,
// and what lies below them, with the remainder, decides the rounding: exact arithmetic, no table of powers, no error to
// bound. It is slow for huge exponents (some 100 µs), which nobody writes.
//
// Way not taken: std::from_chars<long double>, which is strtold under another locale in libstdc++.
#include <cstddef>
#include <cstdint>
#include <limits>

#include <errno.h>

namespace {

constexpr int kLimbs = 600;      // of 32 bits: 10^5000 and 64 bits have room
constexpr int kMaxDigits = 800;  // more digits than any exactly representable half-way case needs to be told apart
constexpr int kMaxExp = 5100;

struct big {
  std::uint32_t limb[kLimbs];
  int n = 0;
  bool sticky = false;  // something below the integer is not 0

  void mulAdd(std::uint32_t m, std::uint32_t a) {
    std::uint64_t c = a;
    for (int i = 0; i < n; i++) {
      c += std::uint64_t{limb[i]} * m;
      limb[i] = static_cast<std::uint32_t>(c);
      c >>= 32;
    }
    if (c != 0) limb[n++] = static_cast<std::uint32_t>(c);
  }
  void div(std::uint32_t d) {
    std::uint64_t r = 0;
    for (int i = n - 1; i >= 0; i--) {
      r = r << 32 | limb[i];
      limb[i] = static_cast<std::uint32_t>(r / d);
      r %= d;
    }
    if (r != 0) sticky = true;
    while (n > 0 && limb[n - 1] == 0) n--;
  }
  void shiftUp(int limbs) {
    for (int i = n - 1; i >= 0; i--) limb[i + limbs] = limb[i];
    for (int i = 0; i < limbs; i++) limb[i] = 0;
    n += limbs;
  }
  bool bit(int i) const { return i >= 0 && (limb[i / 32] >> i % 32 & 1) != 0; }
  bool anyBelow(int i) const {  // a bit below bit i
    if (sticky) return true;
    for (int k = 0; k < i; k++) {
      if (bit(k)) return true;
    }
    return false;
  }
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
int hexDigit(char c) {
  if (isDigit(c)) return c - '0';
  c = static_cast<char>(c | 32);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The value of b × 2^exp2, rounded to nearest, ties to even.
long double rounded(const big& b, int exp2) {
  if (b.n == 0) return 0;
  int bits = b.n * 32 - __builtin_clz(b.limb[b.n - 1]);
  // Below the smallest normal number the mantissa loses bits: round at the place where it will end.
  int keep = 64, top = bits + exp2;  // value < 2^top
  if (top < -16381) keep = 64 - (-16381 - top);
  if (keep < 0) return 0;
  std::uint64_t m = 0;
  for (int i = 0; i < keep; i++) m = m << 1 | b.bit(bits - 1 - i);
  int half = bits - 1 - keep;
  if (b.bit(half) && ((m & 1) || b.anyBelow(half))) {
    if (++m == 0) {  // carried out of 64 bits
      m = std::uint64_t{1} << 63;
      top++;
    }
  }
  int field = top - 1 + 16383;  // the biased exponent
  if (field >= 0x7fff) return std::numeric_limits<long double>::infinity();
  if (keep < 64) field = m >> 63 ? 1 : 0;  // subnormal: the mantissa counts in 2^-16445, where it stands already
  long double v = 0;
  auto se = static_cast<std::uint16_t>(field);
  __builtin_memcpy(&v, &m, 8);
  __builtin_memcpy(reinterpret_cast<char*>(&v) + 8, &se, 2);
  return v;
}

// "inf", "infinity", "nan", "nan(...)"; null if p has none of them.
const char* special(const char* p, long double* v) {
  auto is = [](const char* s, const char* word) {
    for (; *word != 0; s++, word++) {
      if ((*s | 32) != *word) return false;
    }
    return true;
  };
  if (is(p, "infinity")) return *v = std::numeric_limits<long double>::infinity(), p + 8;
  if (is(p, "inf")) return *v = std::numeric_limits<long double>::infinity(), p + 3;
  if (is(p, "nan")) return *v = std::numeric_limits<long double>::quiet_NaN(), p + 3;
  return nullptr;
}

// An exponent behind 'e' or 'p'; leaves p alone if there is none.
int exponent(const char*& p) {
  const char* q = p + 1;
  bool neg = *q == '-';
  if (*q == '-' || *q == '+') q++;
  if (!isDigit(*q)) return 0;
  int e = 0;
  for (; isDigit(*q); q++) {
    if (e < 100'000) e = e * 10 + (*q - '0');
  }
  p = q;
  return neg ? -e : e;
}

const char* parse(const char* p, long double* out) {
  if (const char* end = special(p, out)) return end;
  bool hex = p[0] == '0' && (p[1] | 32) == 'x' && (hexDigit(p[2]) >= 0 || (p[2] == '.' && hexDigit(p[3]) >= 0));
  if (hex) p += 2;
  const std::uint32_t base = hex ? 16 : 10;
  big b;
  int scale = 0, digits = 0;
  bool any = false, point = false;
  for (;; p++) {
    if (*p == '.' && !point) {
      point = true;
      continue;
    }
    int d = hex ? hexDigit(*p) : isDigit(*p) ? *p - '0' : -1;
    if (d < 0) break;
    any = true;
    if (digits < kMaxDigits) {
      if (b.n > 0 || d != 0) {
        digits++;
        b.mulAdd(base, static_cast<std::uint32_t>(d));
      }
      if (point) scale--;
    } else {
      if (d != 0) b.sticky = true;
      if (!point) scale++;
    }
  }
  if (!any) return nullptr;
  if ((*p | 32) == (hex ? 'p' : 'e')) {
    int e = exponent(p);
    if (hex)
      scale = scale * 4 + e;
    else
      scale += e;
  } else if (hex) {
    scale *= 4;
  }
  if (b.n == 0) {
    *out = 0;
    return p;
  }
  if (hex) {
    *out = scale > 40'000 ? std::numeric_limits<long double>::infinity() : scale < -40'000 ? 0 : rounded(b, scale);
  } else if (scale + digits > kMaxExp) {
    *out = std::numeric_limits<long double>::infinity();
  } else if (scale + digits < -kMaxExp) {
    *out = 0;
  } else if (scale >= 0) {
    for (; scale >= 9; scale -= 9) b.mulAdd(1'000'000'000, 0);
    for (; scale > 0; scale--) b.mulAdd(10, 0);
    *out = rounded(b, 0);
  } else {
    // log2(10) < 10/3, and three limbs more keep 64 bits and one to round by.
    int up = (-scale * 10 / 3 + 31) / 32 + 3;
    if (up + b.n > kLimbs) up = kLimbs - b.n;
    b.shiftUp(up);
    for (; scale <= -9; scale += 9) b.div(1'000'000'000);
    for (; scale < 0; scale++) b.div(10);
    *out = rounded(b, -32 * up);
  }
  return p;
}

}  // namespace

extern "C" long double strtold(const char* s, char** end) noexcept {
  const char* p = s;
  while (*p == ' ' || (*p >= '\t' && *p <= '\r')) p++;
  bool neg = *p == '-';
  if (*p == '-' || *p == '+') p++;
  long double v = 0;
  const char* stop = parse(p, &v);
  if (end != nullptr) *end = const_cast<char*>(stop == nullptr ? s : stop);
  bool digits = *p == '.' || isDigit(*p);
  bool hex = p[0] == '0' && (p[1] | 32) == 'x', zero = true;
  for (const char* q = p; stop != nullptr && q < stop && (*q | 32) != (hex ? 'p' : 'e'); q++)
    zero = zero && (*q == '0' || *q == '.' || (*q | 32) == 'x');
  bool tiny = hex ? v == 0 : v < std::numeric_limits<long double>::min();
  if (stop != nullptr && digits && (v - v != 0 || (tiny && !zero))) errno = ERANGE;
  return neg ? -v : v;
}

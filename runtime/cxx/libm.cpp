// <cmath> without libc: rounding and exponents here, sines and powers from glibc's libm.a, which a program links if it
// uses them.
//
// Owns: what libm.a asks of the C library around it, and the functions that are too small, or too often used by fmt, to
// come from there.
//
// libm.a chooses variants of sin, exp and so on by the CPU's features, through IRELATIVE relocations that a program's
// start must apply (applyIrelative, from doInit). It reads glibc's own table of features; ours is all zero, so the
// variants for plain x86-64 are chosen. Results are the same to the last bits that glibc promises.
//
// Invariant: nothing the runtime itself calls may be such a variant, since it runs before doInit.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <elf.h>

#include "runtime/base/panic.h"
#include "runtime/cxx/cxx.h"

namespace {

// x with the sign of s: -0.3 rounds up to -0.
double withSign(double x, double s) { return __builtin_copysign(x, s); }

constexpr double kIntegral = 4503599627370496.0;  // 2^52: from here on every double is an integer

template <class F>
double rounded(double x, F adjust) {
  if (!(__builtin_fabs(x) < kIntegral)) return x;  // NaN and infinity too
  auto t = static_cast<double>(static_cast<std::int64_t>(x));
  return withSign(adjust(t), x);
}

// x × 2^n by the x87, whose range and mantissa are larger: it rounds once, when the result goes to T.
template <class T>
T scaled(T x, long n) {
  long double r;
  long double by = static_cast<long double>(n < -40'000 ? -40'000 : n > 40'000 ? 40'000 : n);
  __asm__("fscale" : "=t"(r) : "0"(static_cast<long double>(x)), "u"(by));
  return static_cast<T>(r);
}

}  // namespace

extern "C" {

double floor(double x) noexcept {
  return rounded(x, [x](double t) { return t > x ? t - 1 : t; });
}
double ceil(double x) noexcept {
  return rounded(x, [x](double t) { return t < x ? t + 1 : t; });
}
double trunc(double x) noexcept {
  return rounded(x, [](double t) { return t; });
}
double round(double x) noexcept {
  return rounded(x, [x](double t) { return __builtin_fabs(x - t) >= 0.5 ? t + (x > 0 ? 1 : -1) : t; });
}
// Adding and taking away 2^52 rounds in the mode that is set.
double rint(double x) noexcept {
  if (!(__builtin_fabs(x) < kIntegral)) return x;
  volatile double t = withSign(kIntegral, x) + x;
  return withSign(t - withSign(kIntegral, x), x);
}
double nearbyint(double x) noexcept { return rint(x); }
float floorf(float x) noexcept { return static_cast<float>(floor(static_cast<double>(x))); }
float ceilf(float x) noexcept { return static_cast<float>(ceil(static_cast<double>(x))); }
float truncf(float x) noexcept { return static_cast<float>(trunc(static_cast<double>(x))); }
float roundf(float x) noexcept { return static_cast<float>(round(static_cast<double>(x))); }
float rintf(float x) noexcept { return static_cast<float>(rint(static_cast<double>(x))); }
float nearbyintf(float x) noexcept { return rintf(x); }
long lround(double x) noexcept { return static_cast<long>(round(x)); }
long long llround(double x) noexcept { return static_cast<long long>(round(x)); }
long lrint(double x) noexcept { return static_cast<long>(rint(x)); }

double modf(double x, double* whole) noexcept {
  *whole = trunc(x);
  return withSign(x - x == 0 ? x - *whole : 0, x);
}
float modff(float x, float* whole) noexcept {
  double w, f = modf(static_cast<double>(x), &w);
  *whole = static_cast<float>(w);
  return static_cast<float>(f);
}

double ldexp(double x, int n) noexcept { return scaled(x, n); }
float ldexpf(float x, int n) noexcept { return scaled(x, n); }
long double ldexpl(long double x, int n) noexcept { return scaled(x, n); }
double scalbn(double x, int n) noexcept { return scaled(x, n); }
float scalbnf(float x, int n) noexcept { return scaled(x, n); }
long double scalbnl(long double x, int n) noexcept { return scaled(x, n); }
double scalbln(double x, long n) noexcept { return scaled(x, n); }

long double frexpl(long double x, int* exp) noexcept {
  *exp = 0;
  if (!(x - x == 0) || x == 0) return x;
  long double mant, e;
  __asm__("fxtract" : "=t"(mant), "=u"(e) : "0"(x));  // mant in [1, 2)
  *exp = static_cast<int>(e) + 1;
  return mant / 2;
}
double frexp(double x, int* exp) noexcept { return static_cast<double>(frexpl(x, exp)); }
float frexpf(float x, int* exp) noexcept { return static_cast<float>(frexpl(x, exp)); }

// libm.a's own names for these.
double __frexp(double x, int* exp) noexcept { return frexp(x, exp); }
float __frexpf(float x, int* exp) noexcept { return frexpf(x, exp); }
long double __frexpl(long double x, int* exp) noexcept { return frexpl(x, exp); }
double __ldexp(double x, int n) noexcept { return scaled(x, n); }
float __ldexpf(float x, int n) noexcept { return scaled(x, n); }
long double __ldexpl(long double x, int n) noexcept { return scaled(x, n); }
double __scalbn(double x, int n) noexcept { return scaled(x, n); }
float __scalbnf(float x, int n) noexcept { return scaled(x, n); }
long double __scalbnl(long double x, int n) noexcept { return scaled(x, n); }

[[noreturn]] void __stack_chk_fail() noexcept { runtime::throw_("stack smashing detected in libm"); }

// glibc's table of CPU features, under the names it has had; as large as the largest.
char _dl_x86_cpu_features[4096] __attribute__((aligned(64)));
char _rtld_global_ro[4096] __attribute__((aligned(64)));
const void* _dl_x86_get_cpu_features(unsigned) noexcept { return _dl_x86_cpu_features; }
const void* __x86_get_cpu_features(unsigned) noexcept { return _dl_x86_cpu_features; }

}  // extern "C"

namespace runtime::cxx {

extern "C" const Elf64_Rela __rela_iplt_start[] __attribute__((weak, visibility("hidden")));
extern "C" const Elf64_Rela __rela_iplt_end[] __attribute__((weak, visibility("hidden")));

// In a program that can be loaded anywhere the linker has put them among all others, and the entry (rt0_pie_linux_amd64.S)
// has left them for here.
struct relocations {
  const Elf64_Rela *start, *end, *pltStart, *pltEnd;
  uintptr bias;
};
extern const relocations pie GOSYM("runtime.pieRelocations") __attribute__((weak, visibility("hidden")));

static void apply(const Elf64_Rela* r, const Elf64_Rela* end, uintptr bias) {
  for (; r < end; r++) {
    if (ELF64_R_TYPE(r->r_info) != R_X86_64_IRELATIVE) continue;
    auto choose = reinterpret_cast<uintptr (*)()>(bias + static_cast<uintptr>(r->r_addend));
    *reinterpret_cast<uintptr*>(bias + r->r_offset) = choose();
  }
}

void applyIrelative() {
  const relocations* at = &pie;
  __asm__("" : "+r"(at));  // the compiler takes no declared object to be absent
  if (at == nullptr) return apply(__rela_iplt_start, __rela_iplt_end, 0);
  apply(at->start, at->end, at->bias);
  apply(at->pltStart, at->pltEnd, at->bias);
}

}  // namespace runtime::cxx

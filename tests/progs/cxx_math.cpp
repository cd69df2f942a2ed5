// <cmath> without libc: rounding at every kind of edge, exponents, and the functions that come from libm.a.
// PIE: also
// HOSTED: also
// STDOUT: ok
#include <cfloat>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <random>

#include "cxx_check.h"

// The compiler must not compute the results itself.
static double v(double x) {
  volatile double y = x;
  return y;
}
static bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

static void rounding() {
  struct {
    double x, floor, ceil, trunc, round, rint;
  } cases[] = {
      {0.5, 0, 1, 0, 1, 0},
      {-0.5, -1, -0.0, -0.0, -1, -0.0},
      {1.5, 1, 2, 1, 2, 2},
      {2.5, 2, 3, 2, 3, 2},
      {-2.5, -3, -2, -2, -3, -2},
      {0.49999999999999994, 0, 1, 0, 0, 0},
      {-0.0, -0.0, -0.0, -0.0, -0.0, -0.0},
      {4503599627370495.5, 4503599627370495, 4503599627370496, 4503599627370495, 4503599627370496, 4503599627370496},
      {1e300, 1e300, 1e300, 1e300, 1e300, 1e300},
      {-7, -7, -7, -7, -7, -7},
  };
  for (auto& c : cases) {
    double x = v(c.x);
    CHECK(same(std::floor(x), c.floor) && same(std::ceil(x), c.ceil) && same(std::trunc(x), c.trunc));
    CHECK(same(std::round(x), c.round) && same(std::rint(x), c.rint));
  }
  CHECK(std::isnan(std::floor(v(NAN))) && std::isinf(std::ceil(v(INFINITY))));
  double whole;
  CHECK(std::modf(v(-3.25), &whole) == -0.25 && whole == -3 && std::lround(v(-2.5)) == -3);
}

static void exponents() {
  int e;
  CHECK(std::frexp(v(8), &e) == 0.5 && e == 4);
  CHECK(std::frexp(v(5e-324), &e) == 0.5 && e == -1073);
  CHECK(std::frexp(v(0), &e) == 0 && e == 0);
  CHECK(std::ldexp(v(0.75), 3) == 6 && std::ldexp(v(1), -1074) == 5e-324 && std::ldexp(v(1), 5000) == INFINITY);
  CHECK(std::ldexp(v(3), -1075) == 1e-323 && std::ldexp(v(1), -1075) == 0);  // ties to even, once
  std::mt19937_64 rng(3);
  for (int i = 0; i < 10000; i++) {
    auto bits = rng() & 0x7fefffffffffffffu;
    double x;
    std::memcpy(&x, &bits, 8);
    double m = std::frexp(x, &e);
    CHECK(m >= 0.5 && m < 1 && same(std::ldexp(m, e), x));
  }
}

static bool near(double a, double b) { return std::fabs(a - b) <= 4 * DBL_EPSILON * std::fabs(b); }

static void transcendental() {
  CHECK(near(std::sin(v(1)), 0.8414709848078965) && near(std::cos(v(1)), 0.54030230586813977));
  CHECK(near(std::tan(v(1)), 1.5574077246549023) && near(std::atan2(v(-1), v(-1)), -2.3561944901923448));
  CHECK(near(std::exp(v(1)), 2.7182818284590451) && near(std::log(v(10)), 2.3025850929940459));
  CHECK(near(std::pow(v(2), v(0.5)), 1.4142135623730951) && near(std::log2(v(8)), 3) && near(std::log10(v(1000)), 3));
  CHECK(near(std::sinh(v(1)), 1.1752011936438014) && near(std::cbrt(v(27)), 3) && near(std::hypot(v(3), v(4)), 5));
  CHECK(near(std::tgamma(v(5)), 24) && near(std::erf(v(0.5)), 0.52049987781304652));
  CHECK(std::fmod(v(7.5), v(2)) == 1.5 && std::remainder(v(7.5), v(2)) == -0.5);
  CHECK(std::fma(v(0.1), v(10), v(-1)) == 5.5511151231257827e-17 && std::sqrt(v(2.25)) == 1.5);
  CHECK(std::nextafter(v(1), v(2)) == 1 + DBL_EPSILON && std::isnan(std::sqrt(v(-1))) && std::isnan(std::log(v(-1))));
  volatile float f = 2;
  volatile long double l = 2;
  CHECK(std::fabs(std::pow(f, 0.5f) - 1.41421356f) < 1e-6f &&
        std::fabs(std::exp(l) - 7.38905609893065022723L) < 1e-17L);
  CHECK(std::abs(std::complex<double>(v(3), v(4))) == 5);
  std::mt19937 rng(1);
  std::normal_distribution<double> normal(0, 1);
  double sum = 0;
  for (int i = 0; i < 10000; i++) sum += normal(rng);
  CHECK(std::fabs(sum / 10000) < 0.05);
}

void main_main() {
  onGoroutines(8, [](int) {
    rounding();
    exponents();
    transcendental();
  });
  boot::println("ok");
}

// CLAIMS: [C42]
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT: recursion ok
// STDOUT: frames ok
// STDOUT: arguments ok
// STDOUT: exceptions ok
// STDOUT: border ok
// STDOUT: goexit ok
// STDOUT: goroutines ok
// Stacks grow: deep recursion, frames of every size, arguments and results of every class, exceptions through borders.
#include <boot/boot.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#define NOINLINE [[gnu::noinline, gnu::noclone]]

static void check(bool ok, const char* what, long a = 0, long b = 0) {
  if (!ok) {
    boot::println("{} failed: {} {}", what, a, b);
    boot::os::Exit(1);
  }
}

static volatile long one = 1;

NOINLINE long sum(long n) {
  if (n == 0) return 0;
  return sum(n - one) + one;
}

// ---- frames of every size ----
template <std::size_t N>
NOINLINE long frame(long depth, long tag) {
  volatile unsigned char buf[N];
  buf[0] = static_cast<unsigned char>(tag);
  buf[N - 1] = static_cast<unsigned char>(tag + 1);
  long r = depth == 0 ? 0 : frame<N>(depth - one, tag + one) + 1;
  check(buf[0] == static_cast<unsigned char>(tag), "frame's start", static_cast<long>(N), depth);
  check(N == 1 || buf[N - 1] == static_cast<unsigned char>(tag + 1), "frame's end", static_cast<long>(N), depth);
  return r;
}
template <std::size_t N>
void frameSize() {
  // Through the slot and two segments, whatever the frame.
  long depth = static_cast<long>(300 * 1024 / (N + 64)) + 3;
  check(frame<N>(depth, 1) == depth, "frame", static_cast<long>(N), depth);
}
template <std::size_t... I>
void frameSizes(std::index_sequence<I...>) {
  (frameSize<16 + 16 * I>(), ...);          // 16 … 1024
  (frameSize<1024 + 24 * (I * I)>(), ...);  // … 96,280, with steps that fall on every alignment to 8
  frameSize<100 * 1024>();
  frameSize<300 * 1024>();
}

// ---- arguments and results of every class ----
struct Big {
  long a[9];
};
struct Two {
  long a, b;
};
struct TwoD {
  double a, b;
};
struct Mixed {
  long a;
  double b;
};
typedef float V8 __attribute__((vector_size(32)));
typedef float V16 __attribute__((vector_size(64)));

// f grows the stack by pad bytes, so that its callee's check fails at one depth or another.
NOINLINE long ints(int depth, long a, long b, long c, long d, long e, long f, long g, long h) {
  volatile char pad[200];
  pad[0] = 0;
  check(b == a + 1 && c == a + 2 && d == a + 3 && e == a + 4 && f == a + 5 && g == a + 6 && h == a + 7, "ints", depth);
  if (depth == 0) return a;
  return ints(depth - 1, a + one, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1) + pad[0];
}
NOINLINE double doubles(int depth, double a, double b, double c, double d, double e, double f, double g, double h,
                        double i, double j) {
  volatile char pad[120];
  pad[0] = 0;
  check(b == a + 1 && c == a + 2 && d == a + 3 && e == a + 4 && f == a + 5 && g == a + 6 && h == a + 7 && i == a + 8 &&
            j == a + 9,
        "doubles", depth);
  if (depth == 0) return a;
  return doubles(depth - 1, a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1, i + 1, j + 1) + pad[0];
}
NOINLINE long double longDouble(int depth, long double x, Big b) {
  volatile char pad[80];
  pad[0] = 0;
  for (long i = 0; i < 9; i++) check(b.a[i] == i, "struct by value", depth, i);
  if (depth == 0) return x;
  return longDouble(depth - 1, x + 0.5L, b) + pad[0];
}
NOINLINE Big inMemory(int depth, Big b) {
  if (depth == 0) return b;
  Big r = inMemory(depth - 1, b);
  r.a[depth % 9] += one;
  return r;
}
NOINLINE Two inTwoRegs(int depth) {
  if (depth == 0) return {1, 2};
  Two t = inTwoRegs(depth - 1);
  return {t.a + one, t.b + 2};
}
NOINLINE TwoD inTwoXmm(int depth) {
  if (depth == 0) return {1, 2};
  TwoD t = inTwoXmm(depth - 1);
  return {t.a + 1, t.b + 2};
}
NOINLINE Mixed inMixed(int depth, Mixed x) {
  if (depth == 0) return x;
  Mixed t = inMixed(depth - 1, x);
  return {t.a + one, t.b + 2};
}
NOINLINE long variadic(int depth, int n, ...) {
  va_list ap;
  va_start(ap, n);
  long s = 0;
  double d = 0;
  for (int i = 0; i < n; i++) {
    s += va_arg(ap, long);
    d += va_arg(ap, double);
  }
  va_end(ap);
  check(s == 45 && d == 4.5, "variadic", depth, s);
  if (depth == 0) return s;
  return variadic(depth - 1, 10, 0L, 0.0, 1L, 0.1, 2L, 0.2, 3L, 0.3, 4L, 0.4, 5L, 0.5, 6L, 0.6, 7L, 0.7, 8L, 0.8, 9L,
                  0.9) +
         0 * one;
}
// Widths are the processor's; the functions carry the target with them.
__attribute__((target("avx"))) NOINLINE float avx(int depth, V8 a, V8 b) {
  volatile char pad[72];
  pad[0] = 0;
  for (int i = 0; i < 8; i++) check(a[i] == static_cast<float>(i) && b[i] == static_cast<float>(-i), "avx", depth, i);
  if (depth == 0) return a[7];
  return avx(depth - 1, a, b) + static_cast<float>(pad[0]);
}
__attribute__((target("avx512f"))) NOINLINE float avx512(int depth, V16 a, V16 b) {
  volatile char pad[72];
  pad[0] = 0;
  for (int i = 0; i < 16; i++)
    check(a[i] == static_cast<float>(i) && b[i] == static_cast<float>(-i), "avx512", depth, i);
  if (depth == 0) return a[15];
  return avx512(depth - 1, a, b) + static_cast<float>(pad[0]);
}
__attribute__((target("avx"))) NOINLINE void avxMain() {
  V8 a, b;
  for (int i = 0; i < 8; i++) a[i] = static_cast<float>(i), b[i] = static_cast<float>(-i);
  check(avx(1500, a, b) == 7, "avx result");
}
__attribute__((target("avx512f"))) NOINLINE void avx512Main() {
  V16 a, b;
  for (int i = 0; i < 16; i++) a[i] = static_cast<float>(i), b[i] = static_cast<float>(-i);
  check(avx512(1500, a, b) == 15, "avx512 result");
}
NOINLINE long withAlloca(int depth) {
  std::size_t n = 100 + static_cast<std::size_t>(depth % 7) * 333;
  auto p = static_cast<volatile unsigned char*>(__builtin_alloca(n));
  p[0] = static_cast<unsigned char>(depth);
  p[n - 1] = static_cast<unsigned char>(depth);
  long r = depth == 0 ? 0 : withAlloca(depth - 1) + one;
  check(p[0] == static_cast<unsigned char>(depth) && p[n - 1] == static_cast<unsigned char>(depth), "alloca", depth);
  return r;
}

static void arguments() {
  check(ints(2000, 1, 2, 3, 4, 5, 6, 7, 8) == 2001, "ints result");
  check(doubles(2000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 2001, "doubles result");
  Big b{};
  for (long i = 0; i < 9; i++) b.a[i] = i;
  check(longDouble(2000, 1.0L, b) == 1001.0L, "long double result");
  Big r = inMemory(1800, b);
  for (long i = 0; i < 9; i++) check(r.a[i] == i + 200, "struct in memory", i, r.a[i]);
  Two t = inTwoRegs(3000);
  check(t.a == 3001 && t.b == 6002, "two registers");
  TwoD d = inTwoXmm(3000);
  check(d.a == 3001 && d.b == 6002, "two vector registers");
  Mixed m = inMixed(3000, {5, 7.5});
  check(m.a == 3005 && m.b == 6007.5, "mixed registers");
  check(variadic(1000, 10, 0L, 0.0, 1L, 0.1, 2L, 0.2, 3L, 0.3, 4L, 0.4, 5L, 0.5, 6L, 0.6, 7L, 0.7, 8L, 0.8, 9L, 0.9) ==
            45,
        "variadic result");
  check(withAlloca(1000) == 1000, "alloca result");
  if (__builtin_cpu_supports("avx")) avxMain();
  if (__builtin_cpu_supports("avx512f")) avx512Main();
}

// ---- exceptions ----
static long destroyed;
struct Count {
  long* n;
  ~Count() { ++*n; }
};
NOINLINE long thrower(long depth, long at, long* n) {
  Count c{n};
  volatile char pad[100];
  pad[0] = 0;
  if (depth == at) throw std::runtime_error("deep");
  return thrower(depth + one, at, n) + pad[0];
}
// Each thousandth frame catches and throws on.
NOINLINE long rethrower(long depth, long at, long* n) {
  if (depth == at) throw depth;
  if (depth % 1000 != 0) return rethrower(depth + one, at, n) + 1;
  try {
    return rethrower(depth + one, at, n) + 1;
  } catch (long x) {
    ++*n;
    throw x + 1;
  }
}
static void exceptions() {
  // Every depth around the borders of the slot and the first segments.
  for (long at = 0; at < 1500; at++) {
    long n = 0;
    bool caught = false;
    try {
      thrower(0, at, &n);
    } catch (std::runtime_error& e) {
      caught = std::string(e.what()) == "deep";
    }
    check(caught && n == at + 1, "throw at", at, n);
  }
  long n = 0;
  try {
    thrower(0, 50000, &n);
    check(false, "no throw");
  } catch (std::runtime_error&) {}
  check(n == 50001, "destructors", n);
  n = 0;
  try {
    rethrower(1, 20000, &n);
    check(false, "no rethrow");
  } catch (long x) {
    check(x == 20000 + 19 && n == 19, "rethrow", x, n);
  }
  check(sum(100000) == 100000, "sum after throws");
}

// A loop of calls at every place relative to a border.
NOINLINE long leaf(long x) {
  volatile char pad[300];
  pad[0] = static_cast<char>(x);
  return x + pad[0] - static_cast<char>(x);
}
NOINLINE long border(long depth) {
  long s = 0;
  for (long i = 0; i < 50; i++) s += leaf(i);
  check(s == 1225, "border", depth, s);
  return depth == 0 ? 0 : border(depth - one) + 1;
}

NOINLINE long deepGoexit(long depth, long* n) {
  Count c{n};
  volatile char pad[100];
  pad[0] = 0;
  if (depth == 0) runtime::Goexit();
  if (depth < 0) return 0;
  return deepGoexit(depth - one, n) + pad[0];
}

void main_main() {
  check(sum(1000) == 1000, "1e3");
  check(sum(1000000) == 1000000, "1e6");
  check(sum(10000000) == 10000000, "1e7");
  check(sum(1000000) == 1000000, "1e6 again");
  boot::println("recursion ok");

  frameSizes(std::make_index_sequence<64>());
  boot::println("frames ok");

  arguments();
  boot::println("arguments ok");

  exceptions();
  boot::println("exceptions ok");

  check(border(3000) == 3000, "border result");
  boot::println("border ok");

  // A goroutine that ends deep inside, and its successors on the same stack.
  auto done = boot::make_chan<long>();
  for (int i = 0; i < 100; i++) {
    boot::go([=] {
      static thread_local long unused;
      (void)unused;
      boot::defer d{[=] { done.send(1); }};
      deepGoexit(2000, &destroyed);
    });
    done.recv();
    boot::go([=] { done.send(sum(2000)); });
    check(done.recv() == 2000, "after Goexit");
  }
  boot::println("goexit ok");

  // Each to 1 MB and back.
  constexpr int kGs = 200;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < kGs; i++) boot::go([=] { done.send(frame<1000>(1000 + i % 7, i)); });
    long total = 0;
    for (int i = 0; i < kGs; i++) total += done.recv();
    long want = 0;
    for (int i = 0; i < kGs; i++) want += 1000 + i % 7;
    check(total == want, "goroutines", total, want);
  }
  boot::println("goroutines ok");
}

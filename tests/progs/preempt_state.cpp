// What a signal interrupts goes on as if nothing had been: integers, doubles, x87, vectors of 16 to 64 bytes, flags, the
// red zone, the rounding mode, containers, exceptions, deep recursion and the first run of a static's initializer
// survive 20,000 stops between two instructions of their own, and moves from thread to thread.
//
// The negative control (preempt_state_control.run) saves without the upper halves of the vector registers: if that
// computes the same sums, this test sees nothing.
// CLAIMS: [C48] [C53]
// PROCS: 1 2 8
// REPEAT: 1
// REPEAT-STRESS: 10
// TIMEOUT: 120
// SERIAL: it needs the processors to itself to be quick
// STDOUT: all as before
#include <boot/boot.h>

#include <bit>
#include <map>
#include <string>
#include <vector>
#include <xmmintrin.h>

// The runtime's own. preemptall asks every running goroutine to stop; asyncPreempts is how often a signal has stopped
// one; preemptSave is how asyncPreempt saves vectors.
bool preemptall() __asm__("runtime.preemptall");
void entersyscall() __asm__("runtime.entersyscall");
void exitsyscall() __asm__("runtime.exitsyscall");
void usleepM(std::uint32_t us) __asm__("runtime.usleep");
extern std::uint64_t asyncPreempts __asm__("runtime.asyncPreempts");
extern std::uint8_t preemptSave __asm__("runtime.preemptSave");

using namespace std::chrono_literals;

namespace {

using v4 = double __attribute__((vector_size(32)));
using v8 = double __attribute__((vector_size(64)));

std::uint64_t ints(int n) {
  std::uint64_t x = 1, s = 0;
  for (int i = 0; i < n; i++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    s += (x >> 33) % 1000 < 500 ? x : s ^ x;
  }
  return s;
}

// Calls nothing, so its array is in the red zone.
[[gnu::noinline]] std::uint64_t redzone(int n) {
  volatile std::uint64_t a[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (int i = 0; i < n; i++) a[i % 12] = a[(i + 5) % 12] * 31 + a[(i + 1) % 12];
  std::uint64_t s = 0;
  for (int i = 0; i < 12; i++) s = s * 33 + a[i];
  return s;
}

std::uint64_t doubles(int n) {
  double a = 1, b = 0.5;
  for (int i = 0; i < n; i++) {
    a = a * 1.0000001 + b;
    b = b * 0.999 + 1 / a;
  }
  return std::bit_cast<std::uint64_t>(a + b);
}

// Rounds downwards while it works, without a call in between.
[[gnu::noinline]] std::uint64_t rounded(int n) {
  unsigned old = _mm_getcsr();
  _mm_setcsr((old & ~0x6000u) | 0x2000u);
  volatile double third = 3;
  double a = 1;
  for (int i = 0; i < n; i++) a = a * 0.5 + 1 / (third + a);
  _mm_setcsr(old);
  return std::bit_cast<std::uint64_t>(a);
}

std::uint64_t x87(int n) {
  long double a = 1, b = 3;
  for (int i = 0; i < n; i++) {
    a = a * 1.0000001L + b / 7;
    b = b * 0.999L + 1 / a;
  }
  return std::bit_cast<std::uint64_t>(static_cast<double>(a + b));
}

template <class V>
[[gnu::always_inline]] inline std::uint64_t vectors(int n) {
  V a, b;
  constexpr int lanes = sizeof(V) / sizeof(double);
  for (int i = 0; i < lanes; i++) a[i] = 1 + i, b[i] = 9 - i;
  for (int i = 0; i < n; i++) {
    a = a * 0.9999 + b;
    b = b * 0.5 + a * 1e-3;
  }
  double s = 0;
  for (int i = 0; i < lanes; i++) s += a[i] * (i + 1) + b[i];
  return std::bit_cast<std::uint64_t>(s);
}
[[gnu::target("avx2")]] std::uint64_t avx(int n) { return vectors<v4>(n); }
[[gnu::target("avx512f")]] std::uint64_t avx512(int n) { return vectors<v8>(n); }

struct noted {
  std::uint64_t& s;
  std::uint64_t v;
  ~noted() { s = s * 31 + v; }
};

[[gnu::noinline]] std::uint64_t deep(int n, std::uint64_t x) {
  std::uint64_t frame[8];
  for (auto& f : frame) f = x = x * 2862933555777941757u + 3037000493u;
  return (n == 0 ? x : deep(n - 1, x)) ^ frame[static_cast<std::size_t>(n) % 8];
}

[[gnu::noinline]] int thrower(std::uint64_t& s, int n) {
  noted d{s, static_cast<std::uint64_t>(n)};
  if (n == 0) throw std::string("at the end");
  return thrower(s, n - 1) + 1;
}

std::uint64_t objects(int n) {
  std::map<std::string, int> m;
  std::vector<std::string> v;
  std::uint64_t s = 0;
  for (int i = 0; i < n / 300; i++) {
    m[std::to_string(i * 7919 % 101)] += i;
    v.push_back(std::string(static_cast<std::size_t>(i % 40), 'x'));
    if (i % 40 == 0) {
      try {
        thrower(s, 12);
      } catch (const std::string& e) {
        s += e.size();
      }
      s ^= deep(600, s);
    }
  }
  for (auto& [k, x] : m) s = s * 31 + k.size() + static_cast<std::uint64_t>(x);
  for (auto& x : v) s = s * 33 + x.size();
  return s;
}

std::uint64_t slow(int n) {
  static const std::uint64_t first = ints(n * 20);  // ten goroutines meet here
  return first + ints(n);
}

using work = std::uint64_t (*)(int);

std::uint64_t preempted() { return __atomic_load_n(&asyncPreempts, __ATOMIC_SEQ_CST); }

// The first preemption finds out how to save. Afterwards, with nobody stopped, it can be spoiled.
void spoil() {
  bool stop = false;
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {}
    wg.Done();
  });
  while (preempted() == 0) boot::time::Sleep(1ms);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  wg.Wait();
  preemptSave = 0;
}

}  // namespace

void main_main() {
  bool control = boot::os::Args().size() > 1;
  if (control) spoil();
  const work wide = __builtin_cpu_supports("avx2") ? avx : ints;
  const work wider = __builtin_cpu_supports("avx512f") ? avx512 : wide;
  const work works[] = {ints, redzone, doubles, rounded, x87, wide, wider, objects, slow};
  constexpr int kKinds = sizeof works / sizeof works[0], kEach = 2, kWork = 200000;
  std::uint64_t want[kKinds];
  for (int k = 0; k < kKinds - 1; k++) want[k] = works[k](kWork);
  want[kKinds - 1] = ints(kWork * 20) + ints(kWork);

  bool stop = false;
  std::int64_t wrong[kKinds] = {}, rounds = 0;
  boot::sync::WaitGroup wg;
  for (int i = 0; i < kKinds * kEach; i++) {
    wg.Add(1);
    boot::go([&, k = i % kKinds] {
      while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        if (works[k](kWork) != want[k]) __atomic_add_fetch(&wrong[k], 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
      }
      wg.Done();
    });
  }

  auto t = boot::time::Now();
  entersyscall();  // without a P, so that all Ps are the workers'
  while (boot::time::Since(t) < 60s && preempted() < 20000) {
    preemptall();
    usleepM(20);
  }
  exitsyscall();
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  wg.Wait();

  std::int64_t sum = 0;
  for (std::int64_t w : wrong) sum += w;
  bool enough = preempted() >= 20000 && rounds > 100;
  if (control)
    boot::println("{}", sum > 0 || wide == ints ? "wrong, as it must be" : "right, although registers were not saved");
  else if (sum == 0 && enough)
    boot::println("all as before");
  else
    for (int k = 0; k < kKinds; k++)
      boot::println("kind {}: {} of {} rounds wrong after {} preemptions", k, wrong[k], rounds, preempted());
}

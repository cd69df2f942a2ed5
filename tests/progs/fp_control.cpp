// Rounding and exception masks (MXCSR and the x87 control word) belong to the goroutine that has set them: they stay with it
// over every kind of switch, no other one sees them, new ones begin with the default, std::thread with its creator's.
// HOSTED: also
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>

#include <cstdlib>
#include <thread>

using namespace std::chrono_literals;

namespace {

struct control {
  std::uint32_t mxcsr;  // without its flags
  std::uint16_t cw;
  bool operator==(const control&) const = default;
};
constexpr control kDefault{0x1f80, 0x37f};

[[gnu::noinline]] control get() {
  control c;
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(c.mxcsr), "=m"(c.cw));
  c.mxcsr &= 0xffc0;
  return c;
}
[[gnu::noinline]] void set(control c) {
  __asm__ volatile("fnclex\n\tldmxcsr %0\n\tfldcw %1" ::"m"(c.mxcsr), "m"(c.cw));
}

// Rounding k, flush to zero in every second one, one exception of the two units unmasked in every third.
control ofGoroutine(unsigned k) {
  std::uint32_t rc = k & 3;
  control c{0x1f80 | rc << 13 | (k & 1) << 15, static_cast<std::uint16_t>(0x37f & ~0xc00)};
  c.cw = static_cast<std::uint16_t>(c.cw | (3 - rc) << 10);
  if (k % 3 == 0) c.mxcsr &= ~0x200u, c.cw = static_cast<std::uint16_t>(c.cw & ~4);  // division by zero
  return c;
}

void check(bool ok, const char* where, unsigned k = 0) {
  if (ok) return;
  control c = get();
  set(kDefault);
  boot::eprintln("wrong after {} in goroutine {}: mxcsr {:#x} cw {:#x}", where, k, c.mxcsr, c.cw);
  boot::os::Exit(1);
}

// Raises the flags that an unmasked exception of another goroutine must not take for its own.
void divideByZero() {
  volatile double zero = 0, r = 1 / zero;
  long double q = 1;
  __asm__ volatile("fdiv %%st, %%st(1)" : "+t"(q) : "u"(0.0L));
  (void)r;
}

[[gnu::noinline]] int deep(int n) {
  volatile char room[512];
  room[0] = static_cast<char>(n);
  return n == 0 ? room[0] : deep(n - 1) + room[0];
}

}  // namespace

void main_main() {
  const int rounds = std::getenv("BOOT_STRESS") != nullptr ? 5000 : 150;
  constexpr unsigned kGoroutines = 24;
  boot::sync::WaitGroup wg;
  boot::sync::Mutex mu;
  auto ch = boot::make_chan<int>();
  bool stop = false;
  for (unsigned k = 0; k < kGoroutines; k++) {
    wg.Add(1);
    boot::go([&, k] {
      check(get() == kDefault, "the start", k);
      control mine = ofGoroutine(k);
      set(mine);
      for (int i = 0; i < rounds; i++) {
        switch ((static_cast<unsigned>(i) + k) % 7) {
          case 0:
            runtime::Gosched();
            break;
          case 1:
            boot::select(boot::on_send(ch, i, [] {}), boot::on_recv(ch, [](int) {}));
            break;
          case 2:
            if (i % 16 == 0) boot::time::Sleep(10us);
            break;
          case 3:
            mu.Lock();
            runtime::Gosched();
            mu.Unlock();
            break;
          case 4:
            deep(64);
            break;
          case 5:
            boot::go([k] {
              check(get() == kDefault, "a go statement", k);
              set(ofGoroutine(k + 1));
            });
            break;
          case 6:
            boot::blocking([] {});
            break;
        }
        check(get() == mine, "a switch", k);
      }
      wg.Done();
    });
  }
  boot::go([&] {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
      divideByZero();
      check(get() == kDefault, "nothing");
      runtime::Gosched();
    }
  });
  // Whoever is left alone with its send and receive finds a partner here.
  boot::go([&] {
    for (;;) boot::select(boot::on_send(ch, 0, [] {}), boot::on_recv(ch, [](int) {}));
  });
  wg.Wait();

  // Stopped by a signal, between any two instructions.
  boot::sync::WaitGroup spinners;
  for (unsigned k = 0; k < 4; k++) {
    spinners.Add(1);
    boot::go([&, k] {
      control mine = ofGoroutine(k + 1);
      set(mine);
      while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        control c;
        __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(c.mxcsr), "=m"(c.cw));
        if ((c.mxcsr & 0xffc0) != mine.mxcsr || c.cw != mine.cw) check(false, "a preemption", k);
      }
      spinners.Done();
    });
  }
  for (int i = 0; i < 10; i++) runtime::GC();
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  spinners.Wait();
  check(get() == kDefault, "all that", 999);

  control up{0x1f80 | 2 << 13, 0x37f | 2 << 10}, seen{};
  set(up);
  std::thread([&] {
    seen = get();
    set(ofGoroutine(1));
  }).join();
  check(get() == up, "join", 1000);
  set(kDefault);
  check(seen == up, "std::thread's start", 1001);
  boot::println("ok");
}

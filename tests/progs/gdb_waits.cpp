// What the debugger's tests look at: a thousand goroutines in ten kinds of wait, then main stops in gdb_here.
// By itself it does nothing that can be seen and ends with 0. With the argument "crash" main dereferences nil at the end,
// with "say" it says that it has come to its end.
// HOSTED: also
#include <boot/boot.h>
#include <chrono>
#include <stdexcept>
#include <string_view>

#include "boot/sync.h"
#include "boot/time.h"
#include "runtime/base/runtime2.h"

using namespace std::chrono_literals;

namespace {

constexpr int kEach = 100;
boot::chan<int> nilchan;
boot::sync::Mutex mu, condmu;
boot::sync::Cond cond(condmu);
boot::sync::WaitGroup wg;
volatile int counter;

// Deep enough to leave the first stack and run on segments.
[[gnu::noinline]] int deep(int n, boot::chan<int> c) {
  volatile char room[512];
  room[0] = static_cast<char>(n);
  int r = n == 0 ? c.recv() : deep(n - 1, c);
  return r + room[0];
}

// Whether every goroutine but main has come to its wait. (The runtime's own, which are among them, wait too.)
bool allwait() {
  for (std::int64_t i = 0; i < runtime::allgs.len; i++) {
    runtime::g* gp = runtime::allgs.array[i];
    std::uint32_t s = __atomic_load_n(&gp->atomicstatus, __ATOMIC_ACQUIRE);
    if (gp->goid != 1 && s != runtime::_Gwaiting && s != runtime::_Gsyscall && s != runtime::_Gdead) return false;
  }
  return true;
}

}  // namespace

// For the debugger to call.
extern "C" {
[[gnu::used, gnu::retain, gnu::noinline]] long gdb_add(long a, long b, long c, long d, long e, long f, long g, long h) {
  counter = counter + 1;
  return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h;
}
[[gnu::used, gnu::retain, gnu::noinline]] double gdb_scale(double x, int n) { return x * n; }
[[gnu::used, gnu::retain, gnu::noinline]] int gdb_length(const char* s) {
  return static_cast<int>(std::string_view(s).size());
}
[[gnu::used, gnu::retain, gnu::noinline]] void gdb_throws() { throw std::runtime_error("thrown for the debugger"); }
[[gnu::used, gnu::retain, gnu::noinline]] int gdb_blocks() {
  boot::time::Sleep(20ms);
  return 7;
}
[[gnu::used, gnu::retain, gnu::noinline]] void gdb_exits() { runtime::Goexit(); }
[[gnu::used, gnu::retain, gnu::noinline]] int gdb_deep(int n) {
  volatile char room[256];
  room[0] = 1;
  return n == 0 ? 0 : gdb_deep(n - 1) + room[0];
}
[[gnu::noinline]] void gdb_here(boot::chan<int> unbuffered, boot::chan<int> full) {
  counter = counter + static_cast<int>(unbuffered.len() + full.len());
}
}

void main_main() {
  auto unbuffered = boot::make_chan<int>();
  auto full = boot::make_chan<int>(2);
  full.send(41);
  full.send(42);
  mu.Lock();
  wg.Add(1);
  for (int i = 0; i < kEach; i++) {
    boot::go([=] { unbuffered.recv(); });
    boot::go([=] { full.send(43); });
    boot::go([=] { boot::select(boot::on_recv(unbuffered), boot::on_recv(nilchan)); });
    boot::go([] { boot::select(); });
    boot::go([] { nilchan.recv(); });
    boot::go([] { nilchan.send(1); });
    boot::go([] {
      mu.Lock();
      counter = counter + 1;
      mu.Unlock();
    });
    boot::go([] {
      wg.Wait();
      counter = counter + 1;
    });
    boot::go([] {
      condmu.Lock();
      cond.Wait();
      condmu.Unlock();
    });
    if (i % 2 == 0)
      boot::go([] { boot::time::Sleep(1h); });
    else
      boot::go([=] { counter = deep(300, unbuffered); });
  }
  // These two are in the kernel, each with a thread of its own.
  auto [r, w] = boot::os::Pipe();
  for (int i = 0; i < 2; i++)
    boot::go([fd = r] {
      char c;
      boot::os::Read(fd, &c, 1);
    });
  while (runtime::NumGoroutine() < 3 + 10 * kEach || !allwait()) boot::time::Sleep(1ms);
  gdb_here(unbuffered, full);
  std::string_view arg = boot::os::Args().size() > 1 ? boot::os::Args()[1] : "";
  if (arg == "crash") *static_cast<volatile int*>(nullptr) = 1;
  if (arg == "say") boot::println("unharmed");
}

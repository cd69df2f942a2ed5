// Programs whose tracebacks tests/check_traceback.py reads frame by frame: a comment "@NAME" marks the line that the frame
// of function NAME must show.
// RUN: %prog stack_short
// STDOUT: 20 goroutine 1 [running
// PIE: also
#include "fatal_scenario.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace {

[[gnu::noinline]] int load(const int* p) { return *opaque(p); }  // @load
void nap(int ms) { time_::Sleep(std::chrono::milliseconds(ms)); }

// ---- deep ones ----
#pragma GCC diagnostic ignored "-Winfinite-recursion"
[[gnu::noinline]] long down(long n) {
  if (n == 0) panic("bottom");     // @down, the last
  return opaque(down(n - 1)) + 1;  // @down
}
SCENARIO(elided) {
  go([] { down(300); });  // @elided
  forever();
}
SCENARIO(just_fits) { down(96); }  // @just_fits
// Each frame is larger than a segment has left, so that every third or so is the first on a segment.
[[gnu::noinline]] long widen(long n) {
  volatile char room[20000];
  room[n] = 1;
  if (n == 0) load(nullptr);              // @widen, the last
  return opaque(widen(n - 1)) + room[n];  // @widen
}
SCENARIO(borders) { widen(60); }  // @borders

// Dies on the scheduling stack, which it got to by morestack.
SCENARIO(overflow) {
  runtime::debug::SetMaxStack(1 << 20);
  down(1 << 20);
}

// ---- inlined ones ----
[[gnu::always_inline]] inline void innermost() { panic("inside"); }  // @innermost
[[gnu::always_inline]] inline void middle() {
  innermost();  // @middle
  eprintln("never");
}
SCENARIO(inlined) {
  middle();  // @inlined
}

// ---- through the library and the runtime ----
SCENARIO(callback) {
  std::vector<int> v(40, 1);
  std::sort(v.begin(), v.end(), [](int a, int b) { return a + load(nullptr) < b; });  // @callback.func1
}
SCENARIO(deferred) {
  boot::defer d{[] { load(nullptr); }};  // @deferred.func1
  panic("first");
}
struct object {
  virtual ~object() = default;
  virtual void method() = 0;
};
struct derived : object {
  void method() override { panic("in method"); }  // @derived::method
};
SCENARIO(virtual_call) {
  derived d;
  opaque(static_cast<object*>(&d))->method();  // @virtual_call
}
SCENARIO(bound) {
  std::function<void(int)> f = [](int n) {
    if (n > 3) panic("bound");  // @bound.func1
  };
  f(opaque(5));  // @bound
}
// Thrown here, reported after all of these frames are gone.
SCENARIO(by_value) {
  throw std::runtime_error("thrown");  // @by_value
}

// ---- states ----
SCENARIO(states) {
  auto c = make_chan<int>(), full = make_chan<int>(1);
  auto [r, w] = os::Pipe();
  boot::sync::Mutex mu;
  boot::sync::Cond cond(mu);
  full.send(1);
  go([=] { (void)c.recv(); });                                    // @chan receive
  go([=] { full.send(1); });                                      // @chan send
  go([=] { boot::select(boot::on_recv(c), boot::on_recv(c)); });  // @select
  go([] { forever(); });                                          // @select (no cases)
  go([] { time_::Sleep(std::chrono::hours(1)); });                // @sleep
  go([&] {
    mu.Lock();
    cond.Wait();  // @sync.Cond.Wait
  });
  go([r = r] {
    char b;
    os::Read(r, &b, 1);  // @syscall
  });
  go([=] {
    runtime::LockOSThread();
    (void)c.recv();  // @chan receive, locked to thread
  });
  nap(20);
  mu.Lock();
  go([&] { mu.Lock(); });  // @semacquire
  nap(20);
  static char text[1 << 16];
  std::size_t n = runtime::Stack(text, sizeof text, true);  // @running
  os::Write(1, text, n);
}
SCENARIO(running_elsewhere) {
  auto ready = make_chan<int>();
  go([=] {  // @running_elsewhere.func1
    ready.close();
    for (long i = 0;; i++) opaque(i);
  });
  (void)ready.recv_ok();
  runtime::GOMAXPROCS(2);
  panic("main");  // @running_elsewhere
}

// ---- runtime::Stack and runtime::Caller ----
SCENARIO(stack_short) {
  char b[20];
  std::size_t n = runtime::Stack(b, false);
  boot::println("{} {}", n, std::string_view(b, n));
}
[[gnu::always_inline]] inline void tellCaller(int skip) {
  runtime::callerinfo c{};
  bool ok = runtime::Caller(skip, &c);  // @tellCaller
  boot::println("{} {} {} {}", skip, ok, ok ? c.func : "", ok ? c.line : 0);
}
[[gnu::noinline]] void callers() {
  for (int i = 0; i < 3; i++) tellCaller(i);  // @callers
  tellCaller(50);
}
SCENARIO(caller) {
  callers();  // @caller
}

// ---- signals ----
[[gnu::noinline]] void spin() {
  for (long i = 0;; i++) opaque(i);  // @spin
}
SCENARIO(quit) {
  runtime::LockOSThread();
  go([thread = tid()] {
    nap(5);
    call(234, pid(), thread, 3);
  });
  spin();  // @quit
}

}  // namespace

void main_main() { runScenario(); }

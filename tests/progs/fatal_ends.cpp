// Ends that come late, together or from deep down: the scenarios of tests/fatal_go/fatal_ends.go in C++, which
// tests/check_fatal.py runs and compares with what real Go did (tests/fatal_more.json).
// HOSTED: also
// RUN: %prog end_many_caught
// STDERR: ok
#include "fatal_scenario.h"

#include <algorithm>
#include <cstring>

namespace {

using os::Signal;
namespace signal_ = os::signal;
constexpr int HUP = 1, QUIT = 3, FPE = 8, USR1 = 10, SEGV = 11, USR2 = 12, PIPE = 13, ALRM = 14, TERM = 15;

volatile long sink;
struct coder {
  int code;
  std::string Error() const { return "code " + std::to_string(code); }
};
struct inner {
  int (*f)();
};
struct outer {
  inner* in;
};
[[gnu::noinline]] int load(const int* p) { return *opaque(p); }
void nap(int ms) { time_::Sleep(std::chrono::milliseconds(ms)); }
template <class F>
void attempt(F f) {
  try {
    f();
  } catch (const boot::Panic&) {}
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
[[gnu::noinline]] long deepPanic(long n) {
  if (n == 0) panic("from the bottom");
  return deepPanic(n - 1) + sink;
}
[[gnu::noinline]] long deepDefer(long n) {
  boot::defer d{[] { sink = sink + 1; }};
  if (n == 0) panic("with deferred functions");
  return deepDefer(n - 1) + 1;
}
[[gnu::noinline]] long deepNil(long n) {
  if (n == 0) return load(nullptr);
  return deepNil(n - 1) + sink;
}
[[gnu::noinline]] long deepBlock(long n) {
  if (n == 0) (void)make_chan<int>().recv();
  return deepBlock(n - 1) + sink;
}
[[gnu::noinline]] long deepGoexit(long n) {
  if (n == 0) runtime::Goexit();
  return deepGoexit(n - 1) + sink;
}
[[gnu::noinline]] long even(long n);
[[gnu::noinline]] long odd(long n) {
  volatile long a[200];
  a[n % 200] = n;
  return even(n + 1) + a[(n + 1) % 200];
}
[[gnu::noinline]] long even(long n) {
  if (n < 0) return 0;
  volatile long a[200];
  a[n % 200] = n;
  return odd(n + 1) + a[(n + 1) % 200];
}
template <class T>
T zero() {
  return opaque(T{0});
}

std::string states(std::string_view text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.starts_with("goroutine ") && line.ends_with("]:")) {
      std::size_t open = line.find('[');
      all.emplace_back(line.substr(open + 1, line.size() - open - 3));
    }
    at = end + 1;
  }
  std::sort(all.begin(), all.end());
  std::string r;
  for (const std::string& s : all) r += (r.empty() ? "" : "; ") + s;
  return r;
}

template <class F>
void startAll(F wait) {
  static boot::sync::Mutex mu;
  auto c = make_chan<int>(), full = make_chan<int>(1);
  full.send(1);
  go([=] { (void)c.recv(); });
  go([=] { full.send(1); });
  go([=] { boot::select(boot::on_recv(c), boot::on_send(full, 2)); });
  go([] { forever(); });
  go([] { time_::Sleep(1h); });
  go([] { (void)boot::chan<int>().recv(); });
  go([] { boot::chan<int>().send(1); });
  go([] {
    boot::sync::Mutex l;
    l.Lock();
    boot::sync::Cond(l).Wait();
  });
  go([=] {
    runtime::LockOSThread();
    (void)c.recv();
  });
  go([] {
    boot::sync::WaitGroup wg;
    wg.Add(1);
    wg.Wait();
  });
  nap(30);
  mu.Lock();
  go([] { mu.Lock(); });
  nap(30);
  wait();
}

// ---- functions that are nil ----
using function = void (*)();
SCENARIO(end_go_nil) {
  go(zero<function>());
  nap(1000);
}
SCENARIO(end_go_nil_g) {
  go([] { go(zero<function>()); });
  nap(1000);
}
SCENARIO(end_nil_func_g) {
  go([] { zero<function>()(); });
  nap(1000);
}
SCENARIO(end_nil_chain) {
  outer o{nullptr};
  eprintln("{}", opaque(&o)->in->f());
}
SCENARIO(end_nil_member) {
  inner i{nullptr};
  outer o{&i};
  eprintln("{}", opaque(&o)->in->f());
}
SCENARIO(end_nil_caught) {
  attempt([] { zero<function>()(); });
  eprintln("on");
}
SCENARIO(end_afterfunc_x) {
  time_::AfterFunc(1ms, [] { os::Exit(14); });
  forever();
}

// ---- from deep down ----
SCENARIO(end_deep_panic) { deepPanic(50000); }
SCENARIO(end_deep_caught) {
  attempt([] { deepPanic(50000); });
  eprintln("caught");
}
SCENARIO(end_deep_defers) { deepDefer(5000); }
SCENARIO(end_deep_defer_n) {
  attempt([] { deepDefer(5000); });
  eprintln("{}", static_cast<long>(sink));
}
SCENARIO(end_deep_nil) { deepNil(50000); }
SCENARIO(end_deep_nil_g) {
  go([] { deepNil(50000); });
  nap(3000);
}
SCENARIO(end_deep_block) { deepBlock(50000); }
SCENARIO(end_deep_goexit) {
  auto done = make_chan<int>();
  go([=] {
    (void)done.recv_ok();
    os::Exit(3);
  });
  boot::defer d{[=] {
    eprintln("deferred");
    done.close();
  }};
  deepGoexit(50000);
}
SCENARIO(end_deep_exit) {
  boot::defer d{[] { os::Exit(8); }};
  deepPanic(10000);
}
SCENARIO(end_overflow_locked) {
  runtime::LockOSThread();
  eprintln("{}", even(0));
}
SCENARIO(end_overflow_small) {
  runtime::debug::SetMaxStack(1 << 16);
  eprintln("{}", even(0));
}

// ---- many at once ----
SCENARIO(end_many_caught) {
  boot::sync::WaitGroup wg;
  for (int i = 0; i < 1000; i++) {
    wg.Add(1);
    go([&wg, i] {
      boot::defer d{[&] { wg.Done(); }};
      attempt([=] { panic(i); });
    });
  }
  wg.Wait();
  eprintln("ok");
}
SCENARIO(end_many_same) {
  for (int i = 0; i < 50; i++) go([] { panic("same"); });
  nap(3000);
}
SCENARIO(end_many_nil) {
  for (int i = 0; i < 50; i++) go([] { load(nullptr); });
  nap(3000);
}
SCENARIO(end_panic_beside_exit) {
  go([] {
    nap(100);
    panic("late");
  });
  nap(5);
  os::Exit(6);
}
SCENARIO(end_panic_of_locked) {
  auto done = make_chan<int>();
  go([=] {
    runtime::LockOSThread();
    boot::defer d{[=] { done.close(); }};
    attempt([] { panic("x"); });
  });
  (void)done.recv_ok();
  eprintln("went on");
}

// ---- errors ----
SCENARIO(end_error_value) { panic(coder{7}); }
template <class F>
void tell(F f) {
  try {
    f();
  } catch (const boot::Panic& p) {
    eprintln("got {}", p.what());
  }
}
SCENARIO(end_error_caught) {
  tell([] { panic(coder{3}); });
}
SCENARIO(end_div_text) {
  tell([] { eprintln("{}", 1 / zero<int>()); });
}
SCENARIO(end_nil_text) {
  tell([] { load(nullptr); });
}
SCENARIO(end_close_text) {
  tell([] { boot::chan<int>().close(); });
}
SCENARIO(end_send_text) {
  tell([] {
    auto c = make_chan<int>(1);
    c.close();
    c.send(1);
  });
}
SCENARIO(end_wg_text) {
  tell([] {
    boot::sync::WaitGroup wg;
    wg.Done();
  });
}
template <class T>
void modulo() {
  eprintln("{}", opaque(T{5}) % zero<T>());
}
SCENARIO(end_umod8) { modulo<std::uint8_t>(); }
SCENARIO(end_umod16) { modulo<std::uint16_t>(); }
SCENARIO(end_umod32) { modulo<std::uint32_t>(); }
SCENARIO(end_udiv64) { eprintln("{}", opaque(5ul) / zero<std::uint64_t>()); }
SCENARIO(end_mod64) { modulo<std::int64_t>(); }
SCENARIO(end_div_neg) {
  long a = sink - 7, b = sink + 2;
  eprintln("{} {} {} {}", a / b, a % b, -a / -b, -a % -b);
}
SCENARIO(end_div_loop) {
  long n = 0;
  for (int i = -3; i <= 3; i++) attempt([&] { n += 12 / (i + sink); });
  eprintln("{}", n);
}
SCENARIO(end_panic_in_handler) {
  try {
    panic(std::runtime_error("first"));
  } catch (const boot::Panic&) {
    load(nullptr);
  }
}
SCENARIO(end_catch_other) {
  try {
    try {
      panic("a");
    } catch (const boot::Panic&) {
      panic("b");
    }
  } catch (const boot::Panic& p) {
    eprintln("outer {}", p.what());
  }
}

// ---- Goexit ----
SCENARIO(end_goexit_main_exit) {
  go([] {
    nap(10);
    os::Exit(5);
  });
  runtime::Goexit();
}
SCENARIO(end_goexit_locked) {
  runtime::LockOSThread();
  runtime::Goexit();
}
SCENARIO(end_goexit_locked2) {
  go([] {
    nap(10);
    eprintln("still here");
    os::Exit(0);
  });
  runtime::LockOSThread();
  runtime::Goexit();
}
SCENARIO(end_goexit_defers) {
  go([] {
    boot::defer two{[] { eprintln("two"); }};
    boot::defer one{[] {
      eprintln("one");
      runtime::Goexit();
    }};
    runtime::Goexit();
  });
  nap(20);
  eprintln("main");
}
SCENARIO(end_goexit_wg) {
  boot::sync::WaitGroup wg;
  for (int i = 0; i < 100; i++) {
    wg.Add(1);
    go([&] {
      boot::defer d{[&] { wg.Done(); }};
      runtime::Goexit();
    });
  }
  wg.Wait();
  nap(20);
  eprintln("{}", runtime::NumGoroutine());
}

// ---- what all goroutines do ----
SCENARIO(end_stack_all) {
  startAll([] {
    static char b[1 << 16];
    eprintln("{}", states({b, runtime::Stack(b, sizeof b, true)}));
  });
}
SCENARIO(end_stack_cut) {
  char b[15];
  auto n = runtime::Stack(b, sizeof b, true);
  eprintln("{} {}", n, std::string_view(b, sizeof b));
}
SCENARIO(end_quit_all) {
  startAll([] {
    go([] {
      nap(20);
      kill(QUIT);
    });
    nap(3000);
  });
}
SCENARIO(end_panic_all) {
  startAll([] { panic("all"); });
}
SCENARIO(end_dl_timer_first) {
  time_::AfterFunc(20ms, [] { eprintln("fired"); });
  (void)make_chan<int>().recv();
}
SCENARIO(end_dl_stopped_ticker) {
  time_::Ticker t(1ms);
  (void)t.C.recv();
  t.Stop();
  forever();
}
SCENARIO(end_dl_200_mutex) {
  boot::sync::Mutex mu;
  mu.Lock();
  for (int i = 0; i < 200; i++) go([&] { mu.Lock(); });
  mu.Lock();
}
SCENARIO(end_dl_ring) {
  boot::sync::WaitGroup a, b;
  a.Add(1);
  b.Add(1);
  go([&] {
    a.Wait();
    b.Done();
  });
  b.Wait();
  a.Done();
}

// ---- signals ----
SCENARIO(end_sig_burst) {
  auto c = make_chan<Signal>(64);
  signal_::Notify(c, os::User1, os::User2, os::Terminate);
  for (int i = 0; i < 20; i++) {
    kill(USR1);
    kill(USR2);
  }
  kill(TERM);
  while (c.recv().number != TERM) {}
  eprintln("terminated");
}
SCENARIO(end_sig_exit) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Terminate);
  go([=] {
    (void)c.recv();
    os::Exit(143);
  });
  kill(TERM);
  forever();
}
SCENARIO(end_sig_panic) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Hangup);
  go([=] {
    (void)c.recv();
    panic("hung up");
  });
  kill(HUP);
  nap(3000);
}
void later(int sig) {
  go([=] {
    nap(5);
    kill(sig);
  });
}
[[gnu::noinline]] void busy() {
  for (;;) sink = sink + 1;
}
SCENARIO(end_sig_alarm) {
  kill(ALRM);
  nap(20);
  eprintln("lived");
}
SCENARIO(end_sig_segv_busy) {
  later(SEGV);
  busy();
}
SCENARIO(end_sig_fpe_busy) {
  later(FPE);
  busy();
}
SCENARIO(end_sig_hup_chan) {
  later(HUP);
  nap(3000);
}
SCENARIO(end_sig_pipe_chan) {
  later(PIPE);
  nap(30);
  eprintln("lived");
}

}  // namespace

void main_main() { runScenario(); }

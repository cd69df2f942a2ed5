// Panics, deadlocks, limits and exits: the scenarios of tests/fatal_go/fatal_panics.go in C++, which
// tests/check_fatal.py runs and compares with what real Go did (tests/fatal_more.json).
// HOSTED: also
// RUN: %prog pan_recovered_goes_on
// STDERR: survived
#include "fatal_scenario.h"

#include <complex>
#include <limits>
#include <mutex>

namespace {

using limits = std::numeric_limits<double>;
struct lateErr {
  std::string text;
  std::string Error() const { return text; }
};
struct ptrStringer {
  int n;
  std::string String() const { return fmt::format("stringer {}", opaque(n)); }
};
struct badErr {
  std::string Error() const { panic("inner"); }
};
struct badErrInt {
  std::string Error() const { panic(7); }
};
struct node {
  long pad[500];
  node* next;
  [[gnu::noinline]] node* get() { return next; }
};
template <class T>
T zero() {
  return opaque(T{0});
}
[[gnu::noinline]] int load(const int* p) { return *opaque(p); }
void nap(int ms) { time_::Sleep(std::chrono::milliseconds(ms)); }
template <class F>
void attempt(F f) {
  try {
    f();
  } catch (const boot::Panic&) {}
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
long odd(long n);
[[gnu::noinline]] long even(long n) {
  if (n < 0) return 0;
  volatile long a[200];
  a[n % 200] = n;
  return odd(n + 1) + a[(n + 1) % 200];
}
[[gnu::noinline]] long odd(long n) {
  volatile long a[200];
  a[n % 200] = n;
  return even(n + 1) + a[(n + 1) % 200];
}
[[gnu::noinline]] long wide(long n) {
  volatile long a[400];
  a[n % 400] = n;
  return wide(n + 1) + a[(n + 1) % 400];
}

// ---- values ----
SCENARIO(pan_int16) { panic(std::int16_t{-300}); }
SCENARIO(pan_int32) { panic(INT32_MIN); }
SCENARIO(pan_int64) { panic(INT64_MIN); }
SCENARIO(pan_uint8) { panic(std::uint8_t{200}); }
SCENARIO(pan_uint16) { panic(std::uint16_t{65535}); }
SCENARIO(pan_uint32) { panic(UINT32_MAX); }
SCENARIO(pan_uintptr) { panic(std::uintptr_t{4096}); }
SCENARIO(pan_char) { panic('a'); }
SCENARIO(pan_false) { panic(false); }
SCENARIO(pan_inf) { panic(limits::infinity()); }
SCENARIO(pan_max) { panic(limits::max()); }
SCENARIO(pan_denormal) { panic(limits::denorm_min()); }
SCENARIO(pan_float32max) { panic(std::numeric_limits<float>::max()); }
SCENARIO(pan_third) { panic(1.0 / 3); }
SCENARIO(pan_complex) { panic(std::complex(1.5, -2.0)); }
SCENARIO(pan_complex64) { panic(std::complex(0.1f, std::numeric_limits<float>::infinity())); }
SCENARIO(pan_zero_byte) { panic(std::string("a\0b", 3)); }
SCENARIO(pan_bad_utf8) { panic("\xff\xfe é 世界 \t|"); }
std::string repeat(std::string_view s, int n) {
  std::string r;
  while (n-- > 0) r += s;
  return r;
}
SCENARIO(pan_long) { panic(repeat("long ", 20000)); }
SCENARIO(pan_lines100) { panic(repeat("line\n", 100)); }
SCENARIO(pan_percent) { panic("100% {} %s %d {0}"); }
SCENARIO(pan_err_ptr) { panic(new lateErr{"by pointer"}); }
SCENARIO(pan_string_ptr) { panic(new ptrStringer{5}); }
SCENARIO(pan_err_late) {
  auto e = new lateErr{"early"};
  boot::defer d{[=] { e->text = "late"; }};
  panic(e);
}
// Not lateErr: std::string's members are noexcept, and a fault in one of them cannot be caught.
SCENARIO(pan_err_nil_ptr) { panic(opaque(static_cast<ptrStringer*>(nullptr))); }
SCENARIO(pan_err_panics) { panic(badErr{}); }
SCENARIO(pan_err_panics_int) { panic(badErrInt{}); }
SCENARIO(pan_err_panics_recovered) {
  try {
    panic(badErr{});
  } catch (const boot::Panic&) {
    eprintln("got it {}", true);
  }
}
SCENARIO(pan_err_joined) { panic(std::runtime_error("outer: inner")); }
SCENARIO(pan_err_empty) { panic(std::runtime_error("")); }
SCENARIO(pan_err_newline) { panic(std::runtime_error("a\nb\n")); }

// ---- chains ----
void nest(int i) {
  if (i == 50) panic("start");
  boot::defer d{[=] { panic(i); }};
  nest(i + 1);
}
SCENARIO(pan_chain50) { nest(0); }
template <class F>
void again(F f) {
  try {
    f();
  } catch (const boot::Panic& p) {
    panic(p.what());
  }
}
SCENARIO(pan_repanic3) {
  again([] { again([] { again([] { panic("again"); }); }); });
}
SCENARIO(pan_repanic_int) {
  again([] { panic(3); });
}
SCENARIO(pan_repanic_error) {
  again([] { panic(std::runtime_error("e")); });
}
SCENARIO(pan_repanic_wrapped) {
  try {
    throw std::runtime_error("e");
  } catch (const std::exception& e) {
    panic(std::string("wrapped: ") + e.what());
  }
}
SCENARIO(pan_repanic_nil) {
  again([] { load(nullptr); });
}
SCENARIO(pan_repanic_div) {
  again([] { eprintln("{}", 1 / zero<int>()); });
}
SCENARIO(pan_nil_then_other) {
  try {
    load(nullptr);
  } catch (const boot::Panic&) {
    panic("other");
  }
}
SCENARIO(pan_nested_recovered) {
  boot::defer d{[] {
    attempt([] { panic("inside"); });
    panic("second");
  }};
  panic("first");
}
SCENARIO(pan_deep_defers) {
  boot::defer d{[] {
    boot::defer d3{[] {
      boot::defer d4{[] { panic("4"); }};
      panic("3");
    }};
    panic("2");
  }};
  panic("1");
}
SCENARIO(pan_recover_chain) {
  attempt([] {
    boot::defer d{[] { panic("b"); }};
    panic("a");
  });
  boot::defer d{[] { panic("d"); }};
  panic("c");
}
SCENARIO(pan_recovered_goes_on) {
  for (int i = 0; i < 3; i++) attempt([=] { panic(i); });
  attempt([] { load(nullptr); });
  attempt([] { eprintln("{}", 1 / zero<int>()); });
  attempt([] { boot::chan<int>().close(); });
  eprintln("survived");
}
SCENARIO(pan_in_once) {
  boot::sync::Once o;
  o.Do([] { panic("in once"); });
}

// ---- on other goroutines ----
SCENARIO(pan_g_main_sleeps) {
  go([] { panic("g"); });
  nap(3000);
}
SCENARIO(pan_g_main_chan) {
  go([] { panic(std::runtime_error("g err")); });
  (void)make_chan<int>().recv();
}
SCENARIO(pan_g_main_mutex) {
  boot::sync::Mutex mu;
  mu.Lock();
  go([] {
    nap(5);
    panic("g");
  });
  mu.Lock();
}
SCENARIO(pan_g_main_wg) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  go([] { panic(1.25); });
  wg.Wait();
}
SCENARIO(pan_g_main_busy) {
  go([] { panic("beside"); });
  for (;;) runtime::Gosched();
}
SCENARIO(pan_g_main_locked) {
  runtime::LockOSThread();
  go([] { panic("g"); });
  nap(3000);
}
SCENARIO(pan_g_locked) {
  go([] {
    runtime::LockOSThread();
    panic("g");
  });
  nap(3000);
}
SCENARIO(pan_g_nil) {
  go([] { load(nullptr); });
  nap(3000);
}
SCENARIO(pan_g_div) {
  go([] { eprintln("{}", 1 / zero<int>()); });
  nap(3000);
}
SCENARIO(pan_g_close_closed) {
  go([] {
    auto c = make_chan<int>();
    c.close();
    c.close();
  });
  nap(3000);
}
SCENARIO(pan_g_defers) {
  go([] {
    boot::defer d{[] { eprintln("deferred in g"); }};
    panic("g");
  });
  nap(3000);
}
SCENARIO(pan_g_main_goexit) {
  go([] {
    nap(5);
    panic("left");
  });
  runtime::Goexit();
}
SCENARIO(pan_afterfunc) {
  time_::AfterFunc(1ms, [] { panic("timer"); });
  nap(3000);
}
SCENARIO(pan_main_many) {
  for (int i = 0; i < 100; i++) go([] { forever(); });
  nap(5);
  panic("main of many");
}
SCENARIO(pan_locked_goexit) {
  auto done = make_chan<int>();
  go([=] {
    boot::defer d{[&] { done.close(); }};
    runtime::LockOSThread();
    runtime::Goexit();
  });
  (void)done.recv_ok();
  eprintln("went on");
}
SCENARIO(pan_holding) {
  boot::sync::Mutex mu;
  go([&] {
    nap(2);
    mu.Lock();
    eprintln("never");
  });
  mu.Lock();
  nap(5);
  panic("with the lock");
}
SCENARIO(pan_unlock_in_defer) {
  boot::sync::Mutex mu;
  attempt([&] {
    std::lock_guard guard(mu);
    panic("x");
  });
  mu.Lock();
  eprintln("locked again");
}
SCENARIO(pan_pool_new) {
  boot::sync::Pool<int> p([]() -> int* { panic("in New"); });
  (void)p.Get();
}

// ---- faults ----
SCENARIO(pan_nil_write) { *opaque(static_cast<long*>(nullptr)) = 5; }
SCENARIO(pan_nil_method) { eprintln("{}", opaque(static_cast<node*>(nullptr))->get() == nullptr); }
SCENARIO(pan_nil_byte) { opaque(static_cast<char*>(nullptr))[5] = 1; }
SCENARIO(pan_nil_recovered) {
  attempt([] { load(nullptr); });
  load(nullptr);
}
SCENARIO(pan_nil_defers) {
  boot::defer d1{[] { eprintln("one"); }};
  boot::defer d2{[] { eprintln("two"); }};
  load(nullptr);
}
SCENARIO(pan_nil_iface) { eprintln("{}", opaque(static_cast<std::exception*>(nullptr))->what()); }
SCENARIO(pan_div8) { eprintln("{}", opaque(std::int8_t{7}) / zero<std::int8_t>()); }
SCENARIO(pan_div16) { eprintln("{}", opaque(std::int16_t{7}) / zero<std::int16_t>()); }
SCENARIO(pan_div32) { eprintln("{}", opaque(7) / zero<std::int32_t>()); }
SCENARIO(pan_div64) { eprintln("{}", opaque(7L) / zero<std::int64_t>()); }
SCENARIO(pan_udiv8) { eprintln("{}", opaque(std::uint8_t{7}) / zero<std::uint8_t>()); }
SCENARIO(pan_udiv16) { eprintln("{}", opaque(std::uint16_t{7}) / zero<std::uint16_t>()); }
SCENARIO(pan_udiv32) { eprintln("{}", opaque(7u) / zero<std::uint32_t>()); }
SCENARIO(pan_mod8) { eprintln("{}", opaque(std::int8_t{7}) % zero<std::int8_t>()); }
SCENARIO(pan_mod16) { eprintln("{}", opaque(std::int16_t{7}) % zero<std::int16_t>()); }
SCENARIO(pan_mod32) { eprintln("{}", opaque(7) % zero<std::int32_t>()); }
SCENARIO(pan_umod64) { eprintln("{}", opaque(7ul) % zero<std::uint64_t>()); }
SCENARIO(pan_div_assign) {
  int x = opaque(10);
  x /= zero<int>();
  eprintln("{}", x);
}
// The result is converted back: C++ divides in int where Go divides in the type itself.
template <class T>
void minDiv() {
  T a = opaque(std::numeric_limits<T>::min()), b = opaque(T{-1});
  eprintln("{} {}", static_cast<T>(a / b), static_cast<T>(a % b));
}
SCENARIO(pan_min_div_all) {
  minDiv<std::int8_t>();
  minDiv<std::int16_t>();
  minDiv<std::int32_t>();
  minDiv<std::int64_t>();
  volatile long arr[2] = {INT64_MIN, -1};
  long i = zero<long>();
  eprintln("{} {}", arr[i] / arr[i + 1], arr[i] % arr[i + 1]);
}

// ---- stacks ----
SCENARIO(pan_mutual) { eprintln("{}", even(0)); }
SCENARIO(pan_mutual_g) {
  go([] { eprintln("{}", even(0)); });
  forever();
}
SCENARIO(pan_wide) { eprintln("{}", wide(0)); }
SCENARIO(pan_overflow_in_defer) {
  boot::defer d{[] { eprintln("{}", even(0)); }};
  panic("first");
}
SCENARIO(pan_overflow_recover) {
  attempt([] { eprintln("{}", even(0)); });
  eprintln("never");
}
SCENARIO(pan_maxstack_g) {
  runtime::debug::SetMaxStack(200000);
  go([] { eprintln("{}", even(0)); });
  forever();
}
SCENARIO(pan_deep_ok) { eprintln("{}", depth(2000000)); }

// ---- limits and misuse ----
SCENARIO(pan_maxthreads1) {
  runtime::debug::SetMaxThreads(1);
  nap(1);
  eprintln("not reached?");
}
SCENARIO(pan_maxthreads_ret) {
  auto a = runtime::debug::SetMaxThreads(500), b = runtime::debug::SetMaxThreads(10000);
  eprintln("{} {}", a, b);
}
SCENARIO(pan_settraceback) {
  go([] { forever(); });
  nap(1);
  runtime::debug::SetTraceback(std::string(boot::os::Getenv("LEVEL")).c_str());
  panic("told");
}
SCENARIO(pan_maxstack_ret) {
  auto a = runtime::debug::SetMaxStack(1 << 20), b = runtime::debug::SetMaxStack(1000000000);
  eprintln("{} {}", a, b);
}
SCENARIO(pan_chan_cap) { (void)make_chan<long>(opaque(1L << 50)); }
SCENARIO(pan_cond_signal) {
  boot::sync::Mutex mu;
  boot::sync::Cond(mu).Wait();
}
SCENARIO(pan_wg_done_twice) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  wg.Done();
  attempt([&] { wg.Done(); });
  eprintln("caught");
  wg.Done();
}
SCENARIO(pan_rw_runlock_twice) {
  boot::sync::RWMutex mu;
  mu.RLock();
  mu.RUnlock();
  mu.RUnlock();
}
SCENARIO(pan_unlock_caught) {
  try {
    boot::sync::Mutex mu;
    mu.Unlock();
  } catch (...) {}
  eprintln("never");
}
SCENARIO(pan_send_closed_caught) {
  auto c = make_chan<int>();
  c.close();
  attempt([=] { c.send(1); });
  attempt([=] { c.close(); });
  auto [v, ok] = c.recv_ok();
  eprintln("{} {}", v, ok);
}
SCENARIO(pan_close_waiters) {
  auto c = make_chan<int>();
  auto done = make_chan<bool>();
  for (int i = 0; i < 3; i++) go([=] { done.send(c.recv_ok().ok); });
  nap(2);
  c.close();
  bool x = done.recv(), y = done.recv(), z = done.recv();
  eprintln("{} {} {}", x, y, z);
}

// ---- deadlocks ----
SCENARIO(dl_wait_kinds) {
  boot::sync::Mutex mu;
  boot::sync::RWMutex rw;
  boot::sync::WaitGroup wg;
  auto c = make_chan<int>(), full = make_chan<int>();
  boot::chan<int> n;
  mu.Lock();
  rw.Lock();
  wg.Add(1);
  go([&] { mu.Lock(); });
  go([&] { rw.RLock(); });
  go([&] { rw.Lock(); });
  go([&] { wg.Wait(); });
  go([=] { (void)c.recv(); });
  go([=] { full.send(1); });
  go([=] { (void)n.recv(); });
  go([=] { n.send(1); });
  go([] { forever(); });
  go([=] { boot::select(boot::on_recv(c), boot::on_recv(full), boot::on_recv(n)); });
  nap(10);
  boot::sync::Cond(mu).Wait();
}
SCENARIO(dl_many) {
  for (int i = 0; i < 200; i++) go([] { forever(); });
  forever();
}
SCENARIO(dl_g_ended) {
  auto c = make_chan<int>();
  go([] {});
  (void)c.recv();
}
SCENARIO(dl_goexit_all) {
  go([] { runtime::Goexit(); });
  runtime::Goexit();
}
SCENARIO(dl_recovered) {
  attempt([] { panic("x"); });
  forever();
}
SCENARIO(dl_locked_both) {
  runtime::LockOSThread();
  go([] {
    runtime::LockOSThread();
    forever();
  });
  nap(2);
  forever();
}
SCENARIO(dl_mutex_pair) {
  boot::sync::Mutex a, b;
  go([&] {
    b.Lock();
    nap(5);
    a.Lock();
  });
  a.Lock();
  nap(5);
  b.Lock();
  b.Lock();
}
SCENARIO(dl_ticker_stopped) {
  time_::Ticker t(1ms);
  (void)t.C.recv();
  t.Stop();
  nap(5);
  boot::select(boot::on_recv(t.C), boot::on_default());
  (void)t.C.recv();
}
SCENARIO(dl_sem_chan) {
  auto s = make_chan<int>(1);
  s.send(1);
  s.send(1);
}
SCENARIO(dl_once) {
  boot::sync::Once o;
  o.Do([] { forever(); });
}
SCENARIO(dl_maxprocs) {
  runtime::GOMAXPROCS(8);
  nap(1);
  forever();
}

// ---- exits ----
SCENARIO(exit_0) {
  boot::defer d{[] { eprintln("never"); }};
  os::Exit(0);
}
SCENARIO(exit_255) { os::Exit(255); }
SCENARIO(exit_257) { os::Exit(257); }
SCENARIO(exit_neg300) { os::Exit(-300); }
SCENARIO(exit_g_busy) {
  go([] {
    nap(2);
    os::Exit(12);
  });
  for (long i = 0;; i++) opaque(i);
}
SCENARIO(exit_in_catch) {
  try {
    panic("x");
  } catch (const boot::Panic&) {
    os::Exit(21);
  }
}
SCENARIO(exit_many) {
  for (int i = 0; i < 50; i++)
    go([] {
      for (;;) runtime::Gosched();
    });
  nap(2);
  eprintln("main returns");
}
SCENARIO(exit_locked) {
  runtime::LockOSThread();
  go([] {
    runtime::LockOSThread();
    forever();
  });
  nap(1);
  eprintln("end");
}
SCENARIO(exit_two) {
  go([] { os::Exit(33); });
  os::Exit(33);
}

}  // namespace

void main_main() { runScenario(); }

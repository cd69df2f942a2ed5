// More fatal programs: the scenarios of tests/fatal_more.go in C++, which tests/check_fatal.py runs and compares with
// what real Go did (tests/fatal_more.json). Without an argument it lists them.
// HOSTED: also
// RUN: %prog more_recover_1000
// STDERR: 1000
#include "fatal_scenario.h"

#include <limits>

namespace {

void tkill(int sig) { call(234, pid(), tid(), sig); }
[[gnu::noinline]] int load(int* p) { return *opaque(p); }
int zero() { return opaque(0); }
[[gnu::noinline]] int at(unsigned long address) { return *opaque(reinterpret_cast<int*>(address)); }
unsigned long mmap(int prot, int flags, long fd) {
  return static_cast<unsigned long>(call(9, 0, 4096, prot, flags, fd));
}
void nap(std::chrono::milliseconds d) { time_::Sleep(d); }

// ---- deadlocks ----
SCENARIO(more_dl_rwmutex_rlock) {
  boot::sync::RWMutex mu;
  mu.Lock();
  mu.RLock();
}
SCENARIO(more_dl_rwmutex_lock) {
  boot::sync::RWMutex mu;
  mu.RLock();
  mu.Lock();
}
SCENARIO(more_dl_once) {
  boot::sync::Once o;
  o.Do([&] { o.Do([] {}); });
}
SCENARIO(more_dl_range) {
  auto ch = make_chan<int>(1);
  ch.send(1);
  for (int v : ch) eprintln("{}", v);
}
SCENARIO(more_dl_nil_send) {
  boot::chan<int> ch;
  ch.send(1);
}
SCENARIO(more_dl_select_nil) {
  boot::chan<int> a, b;
  boot::select(boot::on_recv(a, [](int) {}), boot::on_send(b, 1));
}
SCENARIO(more_dl_select_one) {
  auto a = make_chan<int>();
  boot::select(boot::on_recv(a, [](int) {}));
}
SCENARIO(more_dl_locked) {
  runtime::LockOSThread();
  (void)make_chan<int>().recv();
}
SCENARIO(more_dl_locked_g) {
  auto ch = make_chan<int>(), ch2 = make_chan<int>();
  go([=] {
    runtime::LockOSThread();
    (void)ch.recv();
  });
  runtime::Gosched();
  (void)ch2.recv();
}
SCENARIO(more_dl_after_sleep) {
  nap(5ms);
  (void)make_chan<int>().recv();
}
SCENARIO(more_dl_timer_stopped) {
  auto t = time_::Timer(20ms);
  t.Stop();
  (void)t.C.recv();
}
SCENARIO(more_dl_in_defer) {
  boot::defer d{[] { (void)make_chan<int>().recv(); }};
  panic("x");
}
SCENARIO(more_dl_cond_two) {
  boot::sync::Mutex mu;
  boot::sync::Cond c(mu);
  go([&] {
    mu.Lock();
    c.Wait();
  });
  mu.Lock();
  c.Wait();
}
SCENARIO(more_dl_main_goexit_others) {
  go([] { forever(); });
  runtime::Goexit();
}
SCENARIO(more_dl_wg_never) {
  boot::sync::WaitGroup wg;
  wg.Add(2);
  go([&] { wg.Done(); });
  wg.Wait();
}
SCENARIO(more_dl_buffered_full) {
  auto ch = make_chan<int>(2);
  for (int i = 0; i < 3; i++) ch.send(i);
}
SCENARIO(more_dl_all_mutex) {
  boot::sync::Mutex mu;
  mu.Lock();
  for (int i = 0; i < 3; i++) go([&] { mu.Lock(); });
  mu.Lock();
}

// ---- panics ----
SCENARIO(more_nested3) {
  boot::defer d3{[] { panic("3"); }};
  boot::defer d2{[] { panic("2"); }};
  panic("1");
}
SCENARIO(more_nested_inner) {
  boot::defer d{[] {
    boot::defer d3{[] { panic("3"); }};
    panic("2");
  }};
  panic("1");
}
SCENARIO(more_repanic) {
  try {
    panic("first");
  } catch (const boot::Panic& p) {
    panic(p.what());
  }
}
SCENARIO(more_repanic_other) {
  try {
    panic("first");
  } catch (const boot::Panic&) {
    panic("second");
  }
}
SCENARIO(more_inner_recovered) {
  boot::defer d{[] {
    try {
      panic("second");
    } catch (const boot::Panic& p) {
      eprintln("inner: {}", p.what());
    }
  }};
  panic("first");
}
SCENARIO(more_replaced_recovered) {
  try {
    boot::defer d{[] { panic("second"); }};
    panic("first");
  } catch (const boot::Panic& p) {
    eprintln("got {}", p.what());
  }
}
SCENARIO(more_panic_in_goexit) {
  go([] {
    boot::defer outer{[] { eprintln("outer deferred"); }};
    boot::defer d{[] { panic("x"); }};
    runtime::Goexit();
  });
  forever();
}
SCENARIO(more_panic_in_goexit_main) {
  boot::defer d{[] { panic("x"); }};
  runtime::Goexit();
}
// Runs f on a goroutine and says that main goes on.
template <class F>
void beside(F f) {
  auto done = make_chan<int>();
  go([=] {
    boot::defer d{[&] { done.close(); }};
    f();
  });
  (void)done.recv_ok();
  eprintln("main goes on");
}
SCENARIO(more_goexit_in_defer) {
  beside([] {
    boot::defer outer{[] { eprintln("outer deferred"); }};
    boot::defer d{[] { runtime::Goexit(); }};
    panic("x");
  });
}
SCENARIO(more_goexit_in_goexit) {
  beside([] {
    boot::defer d{[] { runtime::Goexit(); }};
    runtime::Goexit();
  });
}
SCENARIO(more_recovered_in_goexit) {
  beside([] {
    boot::defer d{[] {
      try {
        panic("x");
      } catch (const boot::Panic& p) {
        eprintln("inner {}", p.what());
      }
    }};
    runtime::Goexit();
  });
}
SCENARIO(more_nil_then_panic) {
  boot::defer d{[] { panic("second"); }};
  load(nullptr);
}
SCENARIO(more_panic_then_nil) {
  boot::defer d{[] { load(nullptr); }};
  panic("first");
}
SCENARIO(more_nil_then_nil) {
  boot::defer d{[] { load(nullptr); }};
  load(nullptr);
}
SCENARIO(more_nil_then_div) {
  boot::defer d{[] { eprintln("{}", 1 / zero()); }};
  load(nullptr);
}
SCENARIO(more_nil_recovered_then_panic) {
  try {
    load(nullptr);
  } catch (const boot::Panic&) {}
  panic("later");
}
SCENARIO(more_error_then_panic) {
  boot::defer d{[] { panic("second"); }};
  throw std::runtime_error("an error");
}
SCENARIO(more_panic_then_error) {
  boot::defer d{[] { throw std::runtime_error("an error"); }};
  panic("first");
}
SCENARIO(more_exit_in_defer) {
  boot::defer d{[] { os::Exit(4); }};
  panic("x");
}
SCENARIO(more_print_in_defer) {
  boot::defer d2{[] { eprintln("deferred 2"); }};
  boot::defer d1{[] { eprintln("deferred 1"); }};
  panic("x");
}
struct Value {
  int v;
};
enum class Colour { red = 3 };
struct errT {
  std::string Error() const { return "errT's text"; }
};
struct both {
  std::string Error() const { return "as error"; }
  std::string String() const { return "as string"; }
};
using limits = std::numeric_limits<double>;
SCENARIO(more_empty) { panic(""); }
SCENARIO(more_neg) { panic(-7); }
SCENARIO(more_int8) { panic(std::int8_t{-5}); }
SCENARIO(more_uint64) { panic(~std::uint64_t{0}); }
SCENARIO(more_float32) { panic(0.1f); }
SCENARIO(more_float_big) { panic(1e300); }
SCENARIO(more_float_small) { panic(-1.25e-7); }
SCENARIO(more_float_inf) { panic(-limits::infinity()); }
SCENARIO(more_float_nan) { panic(limits::quiet_NaN()); }
SCENARIO(more_float_negzero) { panic(-0.0); }
SCENARIO(more_float_round) { panic(9.9999999); }
SCENARIO(more_enum) { panic(Colour::red); }
SCENARIO(more_struct) { panic(Value{1}); }
SCENARIO(more_pointer) {
  Value v{1};
  panic(&v);
}
SCENARIO(more_errtype) { panic(errT{}); }
SCENARIO(more_both) { panic(both{}); }
SCENARIO(more_three_lines) { panic("a\n\nb\n"); }
#pragma GCC diagnostic ignored "-Winfinite-recursion"  // it sees that neither returns
[[gnu::noinline]] long deep(long n) {
  if (n == 0) panic("deep");
  return opaque(deep(n - 1)) + 1;
}
SCENARIO(more_deep) { deep(1000); }
SCENARIO(more_deep_g) {
  go([] { deep(1000); });
  forever();
}
SCENARIO(more_locked_panic) {
  runtime::LockOSThread();
  panic("x");
}
SCENARIO(more_recover_1000) {
  int n = 0;
  for (int i = 0; i < 1000; i++) {
    try {
      panic(i);
    } catch (const boot::Panic&) {
      n++;
    }
  }
  eprintln("{}", n);
}
SCENARIO(more_g_of_g) {
  go([] {
    go([] { panic("inner"); });
    forever();
  });
  forever();
}
SCENARIO(more_nil_func) { opaque(static_cast<void (*)()>(nullptr))(); }
struct list {
  list* next;
};
SCENARIO(more_nil_field) { eprintln("{}", opaque(static_cast<list*>(nullptr))->next == nullptr); }
SCENARIO(more_min_div) {
  eprintln("{} {}", opaque(INT64_MIN) / opaque(-1L), opaque(INT64_MIN) % opaque(-1L));
  eprintln("{} {}", opaque(INT32_MIN) / opaque(-1), opaque(INT32_MIN) % opaque(-1));
}
SCENARIO(more_div_defers) {
  boot::defer d{[] { eprintln("deferred"); }};
  eprintln("{}", 1 / zero());
}
SCENARIO(more_mod) { eprintln("{}", 7 % zero()); }
SCENARIO(more_div_u) { eprintln("{}", 7ul / static_cast<unsigned long>(zero())); }

// ---- misuse ----
SCENARIO(more_rw_unlock) {
  boot::sync::RWMutex mu;
  mu.Unlock();
}
SCENARIO(more_rw_runlock_w) {
  boot::sync::RWMutex mu;
  mu.Lock();
  mu.RUnlock();
}
SCENARIO(more_rw_unlock_r) {
  boot::sync::RWMutex mu;
  mu.RLock();
  mu.Unlock();
}
SCENARIO(more_close_nil) {
  boot::chan<int> ch;
  ch.close();
}
struct block {
  long words[64];
};
SCENARIO(more_makechan_large) { (void)make_chan<block>(opaque(INT64_MAX)); }
SCENARIO(more_unlock_twice) {
  boot::sync::Mutex mu;
  mu.Lock();
  mu.Unlock();
  mu.Unlock();
}
SCENARIO(more_unlock_g) {
  boot::sync::Mutex mu;
  go([&] { mu.Unlock(); });
  forever();
}
SCENARIO(more_send_closed_blocked) {
  auto ch = make_chan<int>();
  go([=] { ch.send(1); });
  nap(5ms);
  ch.close();
  nap(1s);
}
SCENARIO(more_select_send_closed) {
  auto ch = make_chan<int>(), other = make_chan<int>();
  ch.close();
  boot::select(boot::on_send(ch, 1), boot::on_recv(other));
}
SCENARIO(more_close_blocked_select) {
  auto ch = make_chan<int>(), other = make_chan<int>();
  go([=] { boot::select(boot::on_send(ch, 1), boot::on_recv(other)); });
  nap(5ms);
  ch.close();
  nap(1s);
}
SCENARIO(more_ticker_zero) { time_::Ticker t{std::chrono::seconds(zero())}; }
SCENARIO(more_ticker_reset) { time_::Ticker(1ns).Reset(std::chrono::seconds(zero())); }
SCENARIO(more_timer_stop) { time_::Timer{}.Stop(); }
SCENARIO(more_timer_reset) { time_::Timer{}.Reset(1ns); }
SCENARIO(more_wg_add) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  wg.Add(-2);
}
SCENARIO(more_once_panics) {
  boot::sync::Once o;
  try {
    o.Do([] { panic("x"); });
  } catch (const boot::Panic&) {}
  o.Do([] { eprintln("never"); });
  eprintln("end");
}
SCENARIO(more_maxstack) {
  runtime::debug::SetMaxStack(100000);
  eprintln("{}", depth(1000000));
}
SCENARIO(more_gomaxprocs_many) {
  auto a = runtime::GOMAXPROCS(7), b = runtime::GOMAXPROCS(-1), c = runtime::GOMAXPROCS(0);
  eprintln("{} {} {}", a, b, c);
}

// ---- exits ----
SCENARIO(more_exit_neg) { os::Exit(-1); }
SCENARIO(more_exit_511) { os::Exit(511); }
SCENARIO(more_main_in_read) {
  auto ends = os::Pipe();
  go([r = ends.r] {
    char b;
    os::Read(r, &b, 1);
  });
  nap(5ms);
  eprintln("end");
}
SCENARIO(more_exit_in_goexit_defer) {
  boot::defer d{[] { os::Exit(9); }};
  runtime::Goexit();
}

// ---- signals and faults ----
SCENARIO(more_tkill_segv) {
  runtime::LockOSThread();
  tkill(11);
  nap(1s);
}
SCENARIO(more_tkill_fpe) {
  runtime::LockOSThread();
  tkill(8);
  nap(1s);
}
SCENARIO(more_tkill_abrt) {
  runtime::LockOSThread();
  tkill(6);
  nap(1s);
}
SCENARIO(more_tkill_term) {
  runtime::LockOSThread();
  tkill(15);
  nap(1s);
}
SCENARIO(more_tkill_usr1) {
  runtime::LockOSThread();
  tkill(10);
  nap(20ms);
  eprintln("lived");
}
SCENARIO(more_kill_usr1) {
  kill(10);
  nap(1s);
}
SCENARIO(more_kill_stkflt) {
  kill(16);
  nap(1s);
}
SCENARIO(more_kill_urg) {
  for (int sig : {23, 28, 17, 18}) kill(sig);
  nap(20ms);
  eprintln("lived");
}
SCENARIO(more_ud2) { __asm__ volatile("ud2"); }
SCENARIO(more_hlt) { __asm__ volatile("hlt"); }
SCENARIO(more_noncanonical) { eprintln("{}", at(1ul << 63)); }
SCENARIO(more_protnone) { eprintln("{}", at(mmap(0, 0x22, -1))); }
SCENARIO(more_sigbus) {
  long fd = call(319, reinterpret_cast<long>("x"));  // an empty memfd: there is nothing behind the mapping
  eprintln("{}", at(mmap(1, 1, fd)));
}
SCENARIO(more_fault_caught) {
  boot::defer d{[] { eprintln("never"); }};
  eprintln("{}", at(kWild));
}
SCENARIO(more_addr_4095) { eprintln("{}", at(4088)); }
SCENARIO(more_addr_4096) { eprintln("{}", at(4096)); }
SCENARIO(more_notify_quit) {
  auto c = make_chan<os::Signal>(1);
  os::signal::Notify(c, os::Quit);
  kill(3);
  eprintln("{}", c.recv().String());
}
SCENARIO(more_notify_abrt) {
  auto c = make_chan<os::Signal>(1);
  os::signal::Notify(c, os::Signal{6}, os::Signal{11});
  for (int sig : {6, 11}) {
    kill(sig);
    eprintln("{}", c.recv().String());
  }
}
SCENARIO(more_notify_then_nil) {
  auto c = make_chan<os::Signal>(1);
  os::signal::Notify(c, os::Signal{11});
  load(nullptr);
}
SCENARIO(more_ignore_reset) {
  os::signal::Ignore(os::Terminate);
  kill(15);
  nap(5ms);
  eprintln("ignored {}", os::signal::Ignored(os::Terminate));
  os::signal::Reset(os::Terminate);
  kill(15);
  nap(1s);
}
SCENARIO(more_notify_stop_dies) {
  auto c = make_chan<os::Signal>(1);
  os::signal::Notify(c, os::Hangup);
  kill(1);
  eprintln("{}", c.recv().String());
  os::signal::Stop(c);
  kill(1);
  nap(1s);
}
SCENARIO(more_notify_pipe) {
  auto c = make_chan<os::Signal>(1);
  os::signal::Notify(c, os::Pipe_);
  kill(13);
  eprintln("{}", c.recv().String());
}
SCENARIO(more_kill_pipe) {
  kill(13);
  nap(20ms);
  eprintln("lived");
}
SCENARIO(more_quit_syscall) {
  go([] {
    nap(10ms);
    kill(3);
  });
  auto ends = os::Pipe();
  char b;
  os::Read(ends.r, &b, 1);
}
SCENARIO(more_quit_self) {
  runtime::LockOSThread();
  tkill(3);
  for (;;) __asm__ volatile("");
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"  // it sees that neither returns
[[gnu::noinline]] long abortAt(long n) {
  if (n == 0) {
    tkill(6);
    for (;;) __asm__ volatile("");
  }
  return opaque(abortAt(n - 1)) + 1;
}
SCENARIO(more_abort_deep) {
  runtime::LockOSThread();
  abortAt(500);
}
SCENARIO(more_recover_nil_g) {
  auto done = make_chan<int>();
  for (int i = 0; i < 4; i++) {
    go([=] {
      try {
        load(nullptr);
      } catch (const boot::Panic&) {
        done.send(1);
      }
    });
  }
  for (int i = 0; i < 4; i++) (void)done.recv();
  eprintln("ok");
}

}  // namespace

void main_main() { runScenario(); }

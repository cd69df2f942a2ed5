// The programs of tests/fatal_oracle.json in C++: one scenario each, chosen by the first argument, as Go's testprog
// does it. tests/check_fatal.py runs them and compares with what real Go did. Without an argument it lists them.
// HOSTED: also
// RUN: %prog hello
// STDOUT: hello, world
#include "fatal_scenario.h"

namespace {

// ---- exits ----
SCENARIO(hello) { boot::println("hello, world"); }
SCENARIO(println) {
  eprintln("hello {} {}", 42, true);
  eprintln("x{}", boot::detail::gofloat(1.5));
}
SCENARIO(exit3) {
  boot::defer d{[] { boot::println("deferred"); }};
  boot::println("before");
  os::Exit(3);
}
SCENARIO(exit_goroutine) {
  go([] { os::Exit(7); });
  forever();
}
SCENARIO(exit_256) { os::Exit(256); }
SCENARIO(main_returns_with_goroutines) {
  for (int i = 0; i < 5; i++) go([] { forever(); });
  boot::println("main done");
}

// ---- deadlocks ----
SCENARIO(deadlock_chan_main) {
  auto ch = make_chan<int>();
  boot::println("before");
  (void)ch.recv();
}
SCENARIO(deadlock_send_main) {
  auto ch = make_chan<int>();
  ch.send(1);
}
SCENARIO(deadlock_two_g) {
  auto ch = make_chan<int>();
  for (int i = 0; i < 2; i++) go([=] { ch.send(i); });
  ch.send(9);
  ch.send(9);
}
SCENARIO(deadlock_article) {
  auto ch = make_chan<int>();
  for (int i = 0; i < 2; i++) go([=] { ch.send(i); });
  ch.send(9);
}
SCENARIO(deadlock_waitgroup) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  wg.Wait();
}
SCENARIO(deadlock_mutex) {
  boot::sync::Mutex mu;
  mu.Lock();
  mu.Lock();
}
SCENARIO(deadlock_cond) {
  boot::sync::Mutex mu;
  boot::sync::Cond c(mu);
  c.L.Lock();
  c.Wait();
}
SCENARIO(deadlock_select_two) {
  auto a = make_chan<int>(), b = make_chan<int>();
  boot::select(boot::on_recv(a, [](int) {}), boot::on_send(b, 1));
}
SCENARIO(select_empty) { forever(); }
SCENARIO(nilchan_recv) {
  boot::chan<int> ch;
  (void)ch.recv();
}

// ---- misuse ----
SCENARIO(send_closed) {
  auto ch = make_chan<int>(1);
  ch.close();
  ch.send(1);
}
SCENARIO(recv_closed) {
  auto ch = make_chan<int>(1);
  ch.send(5);
  ch.close();
  for (int i = 0; i < 2; i++) {
    auto [v, ok] = ch.recv_ok();
    eprintln("{} {}", v, ok);
  }
}
SCENARIO(close_closed) {
  auto ch = make_chan<int>();
  ch.close();
  ch.close();
}
SCENARIO(makechan_neg) { (void)make_chan<int>(opaque(-1)); }
SCENARIO(wg_negative) {
  boot::sync::WaitGroup wg;
  wg.Done();
}
SCENARIO(mutex_unlock) {
  boot::sync::Mutex mu;
  mu.Unlock();
}
SCENARIO(mutex_unlock_recover) {
  try {
    boot::sync::Mutex mu;
    mu.Unlock();
  } catch (...) {
    eprintln("recovered true");
  }
}
SCENARIO(rwmutex_runlock) {
  boot::sync::RWMutex mu;
  mu.RUnlock();
}

// ---- panics ----
SCENARIO(panic_string) { panic("x"); }
SCENARIO(panic_error) { panic(std::runtime_error("an error 7")); }
SCENARIO(panic_int) { panic(42); }
SCENARIO(panic_float) { panic(1.5); }
SCENARIO(panic_bool) { panic(true); }
SCENARIO(panic_nil) { panic(nullptr); }
struct S {
  std::string String() const { return "stringer"; }
};
SCENARIO(panic_stringer) { panic(S{}); }
SCENARIO(panic_multiline) { panic("line1\nline2"); }
SCENARIO(panic_string_g) {
  go([] { panic("x"); });
  forever();
}
SCENARIO(panic_int_g) {
  go([] { panic(42); });
  time_::Sleep(5s);
}
SCENARIO(panic_in_defer) {
  boot::defer d{[] { panic("second"); }};
  panic("first");
}
SCENARIO(recover) {
  try {
    panic("x");
  } catch (const boot::Panic& p) {
    eprintln("recovered: {}", p.what());
  }
  eprintln("after");
}
SCENARIO(recover_runtime_error) {
  try {
    *opaque(static_cast<int*>(nullptr)) = 1;
  } catch (const boot::RuntimeError& e) {
    eprintln("recovered: {}", e.what());
  }
  eprintln("after");
}
SCENARIO(panic_main_exit_race) {
  go([] {
    boot::defer d{[] { time_::Sleep(50ms); }};
    panic("bg");
  });
  time_::Sleep(10ms);
  eprintln("main returns");
}
SCENARIO(two_goroutines_panic) {
  go([] { forever(); });
  runtime::Gosched();
  panic("x");
}

struct Value {
  int v;
};
SCENARIO(throw_std) { throw std::logic_error("some logic"); }
SCENARIO(throw_int) { throw 42; }
SCENARIO(vector_at) { eprintln("{}", std::vector<int>().at(opaque(std::size_t{5}))); }
SCENARIO(rethrow) {
  try {
    panic("first");
  } catch (...) {
    throw;
  }
}
SCENARIO(throw_foreign) { throw Value{1}; }
SCENARIO(throw_foreign_defer) {
  boot::defer d{[] { panic("second"); }};
  throw Value{1};
}
SCENARIO(rethrow_ptr) {
  std::exception_ptr p;
  try {
    panic("kept");
  } catch (...) {
    p = std::current_exception();
  }
  try {
    std::rethrow_exception(p);
  } catch (...) {
    panic("other");
  }
}
// The newest boot::Panic is not always the exception on its way.
SCENARIO(caught_then_error) {
  std::exception_ptr p;
  try {
    panic("first");
  } catch (...) {
    p = std::current_exception();
  }
  boot::defer d{[] { panic("third"); }};
  throw std::runtime_error("an error");
}
SCENARIO(error_caught_below) {
  try {
    boot::defer d{[] { panic("second"); }};
    throw std::runtime_error("an error");
  } catch (const std::exception& e) {
    eprintln("caught {}", e.what());
  }
  panic("last");
}
void leaves() noexcept { panic("in noexcept"); }
SCENARIO(panic_noexcept) { leaves(); }
SCENARIO(fault_defers) {
  boot::defer d{[] { eprintln("deferred"); }};
  *opaque(static_cast<int*>(nullptr)) = 1;
}
SCENARIO(nil_func) {
  for (int i = 0; i < 2; i++) {
    auto f = opaque(static_cast<void (*)()>(nullptr));
    if (i == 1) f();
    try {
      f();
    } catch (const boot::RuntimeError& e) {
      eprintln("recovered: {}", e.what());
    }
  }
}
struct Base {
  virtual ~Base() = default;
  virtual int get() { return 1; }
};
SCENARIO(nil_virtual) { eprintln("{}", opaque(static_cast<Base*>(nullptr))->get()); }
SCENARIO(goexit_not_caught) {
  auto done = make_chan<int>();
  go([=] {
    boot::defer d{[&] { done.close(); }};
    try {
      runtime::Goexit();
    } catch (...) {
      eprintln("catch (...)");
    }
    eprintln("Goexit was stopped");
  });
  (void)done.recv_ok();
  eprintln("end");
}
SCENARIO(stack_caller) {
  char buf[2000];
  std::string_view text(buf, runtime::Stack(buf, true));
  runtime::callerinfo c{};
  bool ok = runtime::Caller(0, &c);
  eprintln("{} {} {} {}", text.starts_with("goroutine 1 [running]:\nstack_caller(...)\n\t"),
           text.find("fatal_prog.cpp:") != text.npos, ok, ok ? c.func : "");
}
SCENARIO(many_panic) {
  for (int i = 0; i < 8; i++) go([] { panic("many"); });
  time_::Sleep(5s);
}

// ---- Goexit ----
SCENARIO(goexit_deferred) {
  auto done = make_chan<int>();
  go([=] {
    boot::defer c{[&] { done.close(); }};
    boot::defer d{[] { eprintln("deferred runs, recover: {}", std::uncaught_exceptions() == 0); }};
    runtime::Goexit();
  });
  (void)done.recv_ok();
  eprintln("main continues");
}
SCENARIO(goexit_main_alone) { runtime::Goexit(); }
SCENARIO(goexit_main_other_exits0) {
  go([] {
    time_::Sleep(20ms);
    os::Exit(0);
  });
  runtime::Goexit();
}

// ---- faults ----
SCENARIO(nil_deref) { eprintln("{}", *opaque(static_cast<int*>(nullptr))); }
SCENARIO(wild_read) { eprintln("{}", *opaque(reinterpret_cast<int*>(kWild))); }
SCENARIO(wild_write_text) { *opaque(reinterpret_cast<int*>(&hello)) = 1; }
SCENARIO(div_zero) { eprintln("{}", 1 / opaque(0)); }
[[gnu::noinline]] long f(long n) { return n < 0 ? 0 : opaque(f(n + 1)) + 1; }
SCENARIO(stack_overflow) { eprintln("{}", f(1)); }
SCENARIO(stack_overflow_g) {
  go([] { eprintln("{}", f(1)); });
  forever();
}
SCENARIO(breakpoint) { __asm__ volatile("int3"); }
SCENARIO(oom_alloc) {
  auto s = boot::make_slice<char>(opaque(std::size_t{1} << 47));
  eprintln("{}", s.size());
}
SCENARIO(gc_recursion) { eprintln("{}", depth(1000000)); }

// ---- pipes and descriptors ----
SCENARIO(sigpipe_otherfd) {
  auto [r, w] = os::Pipe();
  os::Close(r);
  eprintln("err: write |1: {}", os::Strerror(static_cast<int>(-os::Write(w, "x", 1))));
}
SCENARIO(sigpipe_stdout) {
  for (int i = 0; i < 100000; i++) {
    auto n = os::Write(1, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n", 35);
    if (n < 0) {
      eprintln("err: {}", os::Strerror(static_cast<int>(-n)));
      os::Exit(9);
    }
  }
}
SCENARIO(stdout_closed) {
  auto n = os::Write(1, "hello\n", 6);
  if (n < 0) {
    eprintln("n: 0 err: write /dev/stdout: {}", os::Strerror(static_cast<int>(-n)));
    os::Exit(4);
  }
}

// ---- threads ----
SCENARIO(setmaxthreads) {
  runtime::debug::SetMaxThreads(8);
  for (int i = 0; i < 20; i++)
    go([] {
      runtime::LockOSThread();
      auto [r, w] = os::Pipe();
      char b;
      os::Read(r, &b, 1);
    });
  time_::Sleep(1s);
  eprintln("not reached?");
}
SCENARIO(lockosthread_exit) {
  runtime::LockOSThread();
  auto ch = make_chan<long>(1);
  go([=] {
    runtime::LockOSThread();
    ch.send(tid());
  });
  long t = ch.recv();
  time_::Sleep(50ms);
  os::FileInfo info;
  int r = os::Stat(fmt::format("/proc/self/task/{}", t), info);
  eprintln("thread differs from main: {} thread gone after exit: {}", t != pid(), r == -2);
}
SCENARIO(lockosthread_main_exit_g) {
  runtime::LockOSThread();
  eprintln("main tid==pid {}", tid() == pid());
  go([] {
    eprintln("g tid==pid {}", tid() == pid());
    os::Exit(5);
  });
  forever();
}
SCENARIO(unlockosthread_unbalanced) {
  runtime::UnlockOSThread();
  eprintln("ok");
}
SCENARIO(threads) {
  boot::sync::WaitGroup wg;
  for (int i = 0; i < 8; i++) {
    wg.Add(1);
    go([&] {
      runtime::LockOSThread();
      time_::Sleep(20ms);
      wg.Done();
    });
  }
  wg.Wait();
  eprintln("all done");
}

// ---- signals ----
SCENARIO(signal_ignore) {
  os::signal::Ignore(os::Terminate);
  kill(15);
  time_::Sleep(20ms);
  eprintln("survived");
}
SCENARIO(signal_notify_then_term) {
  auto c = make_chan<os::Signal>(4);
  os::signal::Notify(c, os::User1, os::Terminate);
  kill(10);
  eprintln("got {}", c.recv().String());
  kill(15);
  eprintln("got {}", c.recv().String());
  os::signal::Stop(c);
  os::signal::Reset();
  eprintln("ready");
  time_::Sleep(3s);
}
SCENARIO(sleeping) {
  eprintln("ready");
  time_::Sleep(3s);
  eprintln("end of sleep");
}
SCENARIO(sleeping2) {
  go([] { forever(); });
  eprintln("ready");
  time_::Sleep(3s);
  eprintln("end of sleep");
}
SCENARIO(busy) {
  eprintln("ready");
  auto t = time_::Now();
  while (time_::Since(t) < 3s) {}
  eprintln("end");
}

// ---- many goroutines ----
// Longer sleeps than in Go's program: on a busy machine the first touch of 10000 stacks takes more than its 50 ms.
SCENARIO(sleepers10000) {
  for (int i = 0; i < 10000; i++) go([] { time_::Sleep(1s); });
  eprintln("gs {}", runtime::NumGoroutine());
  time_::Sleep(10ms);
  eprintln("gs {}", runtime::NumGoroutine());
  time_::Sleep(2500ms);
  eprintln("gs {}", runtime::NumGoroutine());
}
SCENARIO(sleepers10000_exit) {
  for (int i = 0; i < 10000; i++) go([] { time_::Sleep(1h); });
  time_::Sleep(10ms);
  eprintln("exiting");
}
SCENARIO(busy4) {
  boot::sync::WaitGroup wg;
  for (int i = 0; i < 4; i++) {
    wg.Add(1);
    go([&] {
      auto t = time_::Now();
      while (time_::Since(t) < 450ms) {}
      wg.Done();
    });
  }
  wg.Wait();
}

// Everything at once, for signals that come at a bad moment, and for ends of its own: END, after DELAY microseconds.
#pragma GCC diagnostic ignored "-Winfinite-recursion"
[[gnu::noinline]] long bottomless(long n) { return opaque(bottomless(n + 1)) + n; }
void endLoad(std::string_view how) {
  eprintln("ending");
  boot::sync::Mutex mu;
  if (how == "panic") panic("end");
  if (how == "nil") opaque(*opaque(static_cast<int*>(nullptr)));
  if (how == "wild") opaque(*opaque(reinterpret_cast<int*>(kWild)));
  if (how == "fatal") mu.Unlock();
  if (how == "overflow") bottomless(0);
  if (how == "exit") os::Exit(7);
}
SCENARIO(load) {
  auto ch = make_chan<long>(4);
  for (int i = 0; i < 4; i++) {
    go([=] {
      for (;;) ch.send(depth(2000));
    });
    go([=] {
      for (;;) (void)ch.recv();
    });
    go([] {
      for (;;) time_::Sleep(100us);
    });
    go([] {
      for (;;) {
        try {
          panic("caught");
        } catch (const boot::Panic&) {}
      }
    });
    go([] {
      for (;;) {
        auto done = make_chan<int>();
        go([=] {
          runtime::LockOSThread();  // ends its thread
          done.close();
        });
        (void)done.recv_ok();
        std::vector<std::string> v(100, std::string(100, 'x'));
      }
    });
  }
  eprintln("ready");
  auto how = os::LookupEnv("END");
  if (!how) time_::Sleep(60s);
  time_::Sleep(std::chrono::microseconds(std::stol(std::string(*os::LookupEnv("DELAY")))));
  if (*how == "return") return endLoad(*how);
  if (how->starts_with("main ")) endLoad(how->substr(5));
  go([=] { endLoad(*how); });
  forever();
}

// ---- surroundings ----
SCENARIO(args) {
  std::size_t n = 0;
  for (const char* a : os::Args()) n += std::string_view(a).size();
  eprintln("argc {} bytes {} env {}", os::Args().size(), n, os::LookupEnv("SCENARIO").has_value());
}
SCENARIO(procs) { eprintln("{} {}", runtime::GOMAXPROCS(0), runtime::NumCPU()); }

// ---- static initialisation ----
struct initialiser {
  initialiser() {
    std::string_view s = scenarioName();
    if (s == "init_panic") panic("in init");
    if (s == "os_exit_in_init") os::Exit(6);
    if (s == "deadlock_in_init") {
      auto ch = make_chan<int>();
      (void)ch.recv();
    }
  }
};
int initf() {
  if (scenarioName() == "init_order") eprintln("f");
  return 1;
}
int b = initf(), a = b + 1;
struct initprint {
  initprint(const char* s) {
    if (scenarioName() == "init_order") eprintln("{}", s);
  }
} init1("init1"), init2("init2");
initialiser init3;
SCENARIO(init_order) { eprintln("main {} {}", a, b); }
SCENARIO(init_panic) {}
SCENARIO(os_exit_in_init) {}
SCENARIO(deadlock_in_init) {}

}  // namespace

void main_main() {
  if (scenarioName().empty() && !os::LookupEnv("PATH")) return args();  // started without any environment
  runScenario();
}

// Signals: the scenarios of tests/fatal_go/fatal_signals.go in C++, which tests/check_fatal.py runs and compares with
// what real Go did (tests/fatal_more.json).
// HOSTED: also
// RUN: %prog sig_notify_all
// STDERR: hangup
// STDERR: interrupt
// STDERR: quit
// STDERR: aborted
// STDERR: floating point exception
// STDERR: user defined signal 1
// STDERR: segmentation fault
// STDERR: user defined signal 2
// STDERR: broken pipe
// STDERR: alarm clock
// STDERR: terminated
// STDERR: child exited
// STDERR: continued
// STDERR: CPU time limit exceeded
// STDERR: I/O possible
// STDERR: signal 40
// STDERR: signal 64
#include "fatal_scenario.h"

#include <sys/syscall.h>

#include <cstring>

namespace {

using os::Signal;
namespace signal_ = os::signal;
constexpr int HUP = 1, INT = 2, QUIT = 3, ILL = 4, TRAP = 5, ABRT = 6, BUS = 7, FPE = 8, USR1 = 10, SEGV = 11,
              USR2 = 12, PIPE = 13, TERM = 15, XFSZ = 25, PROF = 27, SYS = 31, URG = 23;

void tkill(int sig) { call(__NR_tgkill, pid(), tid(), sig); }
void nap(int ms) { time_::Sleep(std::chrono::milliseconds(ms)); }
[[gnu::noinline]] int load(const int* p) { return *opaque(p); }
[[gnu::noinline]] void spin() {
  for (long i = 0;; i++) opaque(i);
}
void queue(int sig) {
  char info[128] = {};
  int code = -1;  // SI_QUEUE
  std::memcpy(info, &sig, 4);
  std::memcpy(info + 8, &code, 4);
  call(__NR_rt_sigqueueinfo, pid(), sig, reinterpret_cast<long>(info));
}
// Descriptor fd becomes a pipe that nobody reads.
void broken(int fd) {
  auto [r, w] = os::Pipe();
  os::Close(r);
  call(__NR_dup3, w, fd, 0);
}
void writes(int fd) {
  auto n = os::Write(fd, "x", 1);
  if (n < 0) os::Exit(40 - static_cast<int>(n));
}
void lived() {
  nap(30);
  eprintln("lived");
}
void killSelf(int sig) {
  kill(sig);
  nap(3000);
}

SCENARIO(sig_kill_bus) { killSelf(BUS); }
SCENARIO(sig_kill_ill) { killSelf(ILL); }
SCENARIO(sig_kill_trap) { killSelf(TRAP); }
SCENARIO(sig_kill_sys) { killSelf(SYS); }
SCENARIO(sig_kill_segv) { killSelf(SEGV); }
SCENARIO(sig_kill_fpe) { killSelf(FPE); }
SCENARIO(sig_kill_hup) { killSelf(HUP); }
SCENARIO(sig_kill_int) { killSelf(INT); }
void survives(int sig) {
  kill(sig);
  lived();
}
SCENARIO(sig_kill_usr2) { survives(USR2); }
SCENARIO(sig_kill_xfsz) { survives(XFSZ); }
SCENARIO(sig_kill_prof) { survives(PROF); }
SCENARIO(sig_kill_rt40) { survives(40); }
SCENARIO(sig_kill_32) { survives(32); }
SCENARIO(sig_kill_33) { survives(33); }
SCENARIO(sig_busy_term) {
  go([] {
    nap(5);
    kill(TERM);
  });
  spin();
}
SCENARIO(sig_busy_abrt) {
  go([] {
    nap(5);
    kill(ABRT);
  });
  spin();
}
SCENARIO(sig_g_quit) {
  go([] { kill(QUIT); });
  nap(3000);
}
SCENARIO(sig_chan_segv) {
  go([] {
    nap(5);
    kill(SEGV);
  });
  forever();
}
SCENARIO(sig_locked_quit) {
  runtime::LockOSThread();
  tkill(QUIT);
  spin();
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"  // it sees that spin does not return
[[gnu::noinline]] long quitAt(long n) {
  if (n == 0) {
    tkill(QUIT);
    spin();
  }
  return opaque(quitAt(n - 1)) + 1;
}
SCENARIO(sig_deep_quit) {
  runtime::LockOSThread();
  quitAt(50000);
}
SCENARIO(sig_queue_usr1) {
  queue(USR1);
  lived();
}
SCENARIO(sig_queue_term) {
  queue(TERM);
  nap(3000);
}
SCENARIO(sig_queue_quit) {
  queue(QUIT);
  nap(3000);
}

// ---- Notify, Stop, Reset, Ignore ----
SCENARIO(sig_notify_all) {
  auto c = make_chan<Signal>(10);
  signal_::Notify(c);
  for (int s : {1, 2, 3, 6, 8, 10, 11, 12, 13, 14, 15, 17, 18, 24, 29, 40, 64}) {
    kill(s);
    Signal got = c.recv();
    while (got.number == URG) got = c.recv();  // of the runtime's own making
    eprintln("{}", got.String());
  }
}
SCENARIO(sig_notify_two) {
  auto a = make_chan<Signal>(1), b = make_chan<Signal>(1);
  signal_::Notify(a, os::User1, os::User2);
  signal_::Notify(b, os::User1);
  kill(USR1);
  std::string x = a.recv().String(), y = b.recv().String();
  eprintln("{} {}", x, y);
  signal_::Stop(a);
  kill(USR1);
  eprintln("{} {}", b.recv().String(), a.len());
  kill(USR2);
  nap(20);
  eprintln("end {}", a.len());
}
SCENARIO(sig_notify_full) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::User1);
  for (int i = 0; i < 5; i++) {
    kill(USR1);
    nap(5);
  }
  eprintln("{}", c.len());
}
SCENARIO(sig_notify_unbuffered) {
  auto c = make_chan<Signal>();
  signal_::Notify(c, os::User1);
  kill(USR1);
  nap(20);
  boot::select(boot::on_recv(c, [] { eprintln("got"); }), boot::on_default([] { eprintln("missed"); }));
}
SCENARIO(sig_notify_more) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::User1);
  signal_::Notify(c, os::Terminate);
  for (int s : {USR1, TERM}) {
    kill(s);
    eprintln("{}", c.recv().String());
  }
  signal_::Reset(os::Terminate);
  kill(USR1);
  eprintln("{}", c.recv().String());
  kill(TERM);
  nap(3000);
}
SCENARIO(sig_notify_reset_all) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Interrupt, os::Quit);
  signal_::Reset();
  kill(INT);
  nap(3000);
}
SCENARIO(sig_notify_stop_quit) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Quit);
  signal_::Stop(c);
  kill(QUIT);
  nap(3000);
}
SCENARIO(sig_notify_nil) { signal_::Notify(boot::chan<Signal>(), os::Interrupt); }
SCENARIO(sig_notify_kill) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Kill, Signal{19});
  killSelf(9);
}
void noDeadlock() {
  go([] {
    nap(50);
    eprintln("no deadlock");
    os::Exit(0);
  });
}
SCENARIO(sig_notify_deadlock) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::User1);
  noDeadlock();
  (void)c.recv();
}
SCENARIO(sig_notify_stop_deadlock) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::User1);
  signal_::Stop(c);
  noDeadlock();
  (void)c.recv();
}
SCENARIO(sig_notify_segv_fault) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c);
  eprintln("{}", load(reinterpret_cast<int*>(kWild)));
}
SCENARIO(sig_ignore_all) {
  signal_::Ignore();
  for (int s : {1, 2, 3, 6, 10, 12, 13, 14, 15, 40}) kill(s);
  lived();
}
SCENARIO(sig_ignore_segv_kill) {
  signal_::Ignore(Signal{SEGV});
  survives(SEGV);
}
SCENARIO(sig_ignore_segv_fault) {
  signal_::Ignore(Signal{SEGV});
  load(nullptr);
}
SCENARIO(sig_ignore_notify) {
  signal_::Ignore(os::Terminate);
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Terminate);
  eprintln("{}", signal_::Ignored(os::Terminate));
  kill(TERM);
  eprintln("{}", c.recv().String());
  signal_::Stop(c);
  killSelf(TERM);
}
SCENARIO(sig_notify_ignore) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Terminate);
  signal_::Ignore(os::Terminate);
  kill(TERM);
  nap(20);
  eprintln("{} {}", c.len(), signal_::Ignored(os::Terminate));
}
SCENARIO(sig_ignore_stop) {
  signal_::Ignore(os::Hangup);
  signal_::Stop(make_chan<Signal>(1));
  survives(HUP);
}
SCENARIO(sig_ignored_none) {
  eprintln("{} {} {}", signal_::Ignored(os::Terminate), signal_::Ignored(os::Hangup), signal_::Ignored(os::Interrupt));
}
// ---- started with SIGHUP and SIGINT ignored ----
SCENARIO(sig_nohup_ignored) { sig_ignored_none(); }
SCENARIO(sig_nohup_hup) {
  kill(HUP);
  survives(INT);
}
SCENARIO(sig_nohup_notify) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Hangup);
  eprintln("{}", signal_::Ignored(os::Hangup));
  kill(HUP);
  eprintln("{}", c.recv().String());
  signal_::Stop(c);
  kill(HUP);
  nap(30);
  eprintln("lived {}", signal_::Ignored(os::Hangup));
}
SCENARIO(sig_nohup_notify_all) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c);
  kill(HUP);
  eprintln("{}", c.recv().String());
  signal_::Reset();
  kill(HUP);
  survives(INT);
}
SCENARIO(sig_nohup_usr1) { killSelf(USR1); }

// ---- pipes ----
SCENARIO(sig_pipe_stdout) {
  broken(1);
  writes(1);
  eprintln("lived");
}
SCENARIO(sig_pipe_stderr) {
  broken(2);
  writes(2);
  os::Exit(9);
}
SCENARIO(sig_pipe_notify) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Pipe_);
  broken(1);
  eprintln("{}", os::Write(1, "x", 1) < 0);
  eprintln("{}", c.recv().String());
}
SCENARIO(sig_pipe_ignore) {
  signal_::Ignore(os::Pipe_);
  broken(1);
  eprintln("{}", os::Write(1, "x", 1) < 0);
}
SCENARIO(sig_pipe_reset) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::Pipe_);
  signal_::Stop(c);
  broken(1);
  os::Write(1, "x", 1);
  eprintln("lived");
}
SCENARIO(sig_pipe_eprintln) {
  broken(2);
  eprintln("x");
  os::Exit(9);
}
SCENARIO(sig_pipe_panic) {
  broken(2);
  panic("nobody reads this");
}
SCENARIO(sig_pipe_raw) {
  broken(1);
  call(__NR_write, 1, reinterpret_cast<long>("x"), 1);
  eprintln("lived");
}
SCENARIO(sig_pipe_g) {
  broken(1);
  go([] { os::Write(1, "x", 1); });
  nap(3000);
}

// ---- started with SIGUSR1, SIGTERM and SIGSEGV blocked ----
SCENARIO(sig_blocked_usr1) { survives(USR1); }
SCENARIO(sig_blocked_usr1_notify) {
  auto c = make_chan<Signal>(1);
  signal_::Notify(c, os::User1);
  kill(USR1);
  eprintln("{}", c.recv().String());
}
SCENARIO(sig_blocked_term) { killSelf(TERM); }
SCENARIO(sig_blocked_segv) { load(nullptr); }

}  // namespace

void main_main() { runScenario(); }

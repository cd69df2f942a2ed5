// Signals that come while Notify, Stop, Reset and Ignore change who gets them: each is delivered or does what it does by
// default, and what is ignored or wanted at each moment never does the latter.
// RUN: %prog && env --block-signal=USR1 %prog blocked && for i in 1 2 3 4; do %prog die; e=$?; [ $e = 0 -o $e = 130 ] || exit 1; done
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>
#include <boot/signal.h>

#include <cstdlib>
#include <string_view>

#include "runtime/base/syscall.h"

using boot::os::Signal;
namespace signal_ = boot::os::signal;
using namespace std::chrono_literals;

namespace {

const int kRounds = std::getenv("BOOT_STRESS") != nullptr ? 10000 : 300;

void check(bool ok, const char* what, long n = 0) {
  if (ok) return;
  boot::eprintln("wrong: {} ({})", what, n);
  boot::os::Exit(1);
}

long pid() { return runtime::syscall6(runtime::SYS_getpid); }

// The handler has run when this returns: the signal is for this thread.
void raise(Signal s) {
  long tid = runtime::syscall6(runtime::SYS_gettid);
  runtime::syscall6(runtime::SYS_tgkill, pid(), tid, s.number);
}
// Some thread takes it, some time.
void kill(Signal s) { runtime::syscall6(runtime::SYS_kill, pid(), s.number); }

void spin(int n) {
  for (int i = 0; i < n; i++) __asm__ volatile("pause");
}

// What was raised before Stop or Reset is in the channel when it returns; full ones and others' get theirs.
void stopped() {
  for (int i = 0; i < kRounds; i++) {
    auto c = boot::make_chan<Signal>(1), full = boot::make_chan<Signal>(1), other = boot::make_chan<Signal>(1);
    full.send(Signal{99});
    signal_::Notify(full, boot::os::User1);
    signal_::Notify(c, boot::os::User1, boot::os::Terminate);
    signal_::Notify(other, boot::os::User1);
    spin(i * 7 % 500);
    raise(boot::os::User1);
    if (i % 2 == 0) {
      signal_::Stop(c);
      check(c.len() == 1, "raised, stopped, not delivered", i);
      check(c.recv() == boot::os::User1, "another signal");
      raise(boot::os::User1);
      signal_::Stop(other);
      signal_::Stop(full);
    } else {
      signal_::Reset(boot::os::User1);
      check(c.len() == 1, "raised, reset, not delivered", i);
      check(c.recv() == boot::os::User1, "another signal");
      raise(boot::os::Terminate);  // is still asked for
      signal_::Stop(c);
      check(c.len() == 1 && c.recv() == boot::os::Terminate, "Reset took another signal along", i);
    }
    check(other.len() == 1, "the second channel has nothing", i);
    check(full.recv() == Signal{99} && full.len() == 0, "a full channel");
    raise(boot::os::User1);
    check(c.len() == 0, "delivered after the end", i);
  }
}

// One at a time stops, all raise.
void manyStop() {
  boot::sync::WaitGroup wg;
  for (int k = 0; k < 4; k++) {
    wg.Add(1);
    boot::go([&wg] {
      for (int i = 0; i < kRounds / 4; i++) {
        auto c = boot::make_chan<Signal>(1);
        signal_::Notify(c, boot::os::User2);
        raise(boot::os::User2);
        signal_::Stop(c);
        check(c.len() == 1, "many stop: not delivered", i);
      }
      wg.Done();
    });
  }
  wg.Wait();
}

// Other goroutines raise SIGINT all the time, which would end the program.
void neverDefault() {
  bool end = false;
  boot::sync::WaitGroup wg;
  signal_::Ignore(boot::os::Interrupt);
  for (int k = 0; k < 2; k++) {
    wg.Add(1);
    boot::go([&] {
      while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST)) {
        kill(boot::os::Interrupt);
        raise(boot::os::Interrupt);
        runtime::Gosched();
      }
      wg.Done();
    });
  }
  for (int i = 0; i < kRounds; i++) {
    auto c = boot::make_chan<Signal>(1);
    signal_::Notify(c, boot::os::Interrupt);
    if (i % 50 == 0) c.recv();
    signal_::Ignore(boot::os::Interrupt);
    auto had = c.len();
    runtime::Gosched();
    check(c.len() == had, "delivered after Ignore", i);
    check(signal_::Ignored(boot::os::Interrupt), "Ignored");
  }
  __atomic_store_n(&end, true, __ATOMIC_SEQ_CST);
  wg.Wait();
}

// The runtime preempts by SIGURG: a loop without calls is stopped although the program stops and ignores that signal.
void preempting() {
  bool end = false;
  boot::go([&] {
    while (!__atomic_load_n(&end, __ATOMIC_RELAXED)) {}
    __atomic_store_n(&end, false, __ATOMIC_SEQ_CST);
  });
  for (int i = 0; i < kRounds / 15; i++) {
    auto c = boot::make_chan<Signal>(1);
    signal_::Notify(c, Signal{23});
    boot::go([] { runtime::GOMAXPROCS(runtime::GOMAXPROCS(0) == 3 ? 2 : 3); });
    runtime::Gosched();
    spin(i * 37 % 3000);
    if (i % 2 == 0)
      signal_::Stop(c);
    else
      signal_::Ignore(Signal{23});
  }
  runtime::GOMAXPROCS(4);
  __atomic_store_n(&end, true, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&end, __ATOMIC_SEQ_CST)) runtime::Gosched();
}

// Ends by SIGINT, or when it has got all.
void die() {
  for (int i = 0; i < 100; i++) {
    auto c = boot::make_chan<Signal>(1);
    auto done = boot::make_chan<int>();
    signal_::Notify(c, boot::os::Interrupt);
    boot::go([=] {
      kill(boot::os::Interrupt);
      done.send(0);
    });
    if (i % 20 != 19) runtime::Gosched();
    spin(static_cast<int>(std::abs(static_cast<long>(__builtin_ia32_rdtsc())) % 2000));
    signal_::Stop(c);
    done.recv();
    if (c.len() == 1) continue;
    boot::time::Sleep(10s);
    check(false, "neither delivered nor default", i);
  }
}

bool pending(Signal s) {
  constexpr long kRtSigpending = 127;
  std::uint64_t set = 0;
  runtime::syscall6(kRtSigpending, reinterpret_cast<long>(&set), sizeof set);
  return set >> (s.number - 1) & 1;
}

// SIGUSR1 is blocked from the start: while nobody asks for it, it stays pending.
void blocked() {
  for (int i = 0; i < kRounds; i++) {
    auto c = boot::make_chan<Signal>(1);
    signal_::Notify(c, boot::os::User1);
    if (i % 2 == 0) runtime::Gosched();
    kill(boot::os::User1);
    if (i % 3 == 0) spin(i * 7 % 2000);
    signal_::Stop(c);
    if (c.len() == 0) {
      for (int k = 0; k < 10000 && !pending(boot::os::User1); k++) boot::time::Sleep(1ms);
      check(pending(boot::os::User1), "blocked at the start: neither delivered nor pending", i);
      signal_::Notify(c, boot::os::User1);
      check(c.recv() == boot::os::User1, "another signal");
      signal_::Stop(c);
    }
  }
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  if (args.size() > 1) return std::string_view(args[1]) == "die" ? die() : blocked();
  stopped();
  manyStop();
  neverDefault();
  preempting();
  boot::println("ok");
}

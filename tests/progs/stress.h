// What the stress programs share: a scenario runs while GOMAXPROCS changes and goroutines tied to their threads come and
// go; afterwards no goroutine and no thread is left over.
#pragma once
#include <boot/boot.h>

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

inline void check(bool ok, const char* what) {
  if (ok) return;
  boot::eprintln("wrong: {}", what);
  boot::os::Exit(1);
}

inline int threads() {
  auto status = boot::os::ReadFile("/proc/self/status");
  std::string text(status.begin(), status.end());
  auto at = text.find("Threads:");
  return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + 8);
}

// Calls scenario() once undisturbed and once with all the disturbance.
template <class F>
void stress(F scenario) {
  constexpr int kTied = 8;
  const int procs = runtime::GOMAXPROCS(0);
  scenario();

  bool stop = false;
  int changes = 0, ended = 0;
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
      runtime::GOMAXPROCS(changes % 3 == 0 ? 1 : procs + changes % 3);
      changes++;
      boot::time::Sleep(1ms);
    }
    runtime::GOMAXPROCS(procs);
    wg.Done();
  });
  for (int i = 0; i < kTied; i++) {
    wg.Add(1);
    boot::go([&] {
      while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        auto done = boot::make_chan<bool>();
        boot::go([&, done] {
          runtime::LockOSThread();
          boot::time::Sleep(500us);
          runtime::Gosched();
          __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
          done.send(true);  // and ends tied: its thread must end with it
        });
        done.recv();
      }
      wg.Done();
    });
  }
  scenario();
  while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < 40 * kTied) boot::time::Sleep(1ms);
  __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
  wg.Wait();

  check(changes > 1, "GOMAXPROCS has changed");
  for (int i = 0; i < 5000 && runtime::NumGoroutine() > 1; i++) boot::time::Sleep(1ms);
  check(runtime::NumGoroutine() == 1, "goroutines left over");
  // One for each P there ever was, the tied, sysmon, and some that were in system calls or on their way to sleep.
  const int most = procs + 2 + kTied + 16;
  for (int i = 0; i < 5000 && threads() > most; i++) boot::time::Sleep(1ms);
  check(threads() <= most, "threads left over");
  boot::println("ok");
}

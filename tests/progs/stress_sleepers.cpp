// 100,000 goroutines sleep at a time; none wakes early, all wake. Timers are stopped and reset among them.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 120
// STDOUT: ok
#include "tests/progs/stress.h"

namespace {

void sleepers() {
  constexpr int kSleepers = 100000, kTimers = 2000;
  boot::sync::WaitGroup wg;
  std::int64_t early = 0, fired = 0, stopped = 0;
  for (int i = 0; i < kSleepers; i++) {
    wg.Add(1);
    boot::go([&, i] {
      auto d = std::chrono::microseconds(i * 37 % 50000);
      auto t = boot::time::Now();
      boot::time::Sleep(d);
      if (boot::time::Since(t) < d) __atomic_add_fetch(&early, 1, __ATOMIC_SEQ_CST);
      wg.Done();
    });
  }
  for (int i = 0; i < kTimers; i++) {
    auto t = boot::time::AfterFunc(std::chrono::microseconds(i * 13 % 5000),
                                   [&] { __atomic_add_fetch(&fired, 1, __ATOMIC_SEQ_CST); });
    if (i % 3 == 0 && t.Stop()) stopped++;
    if (i % 3 == 1 && t.Reset(1ms)) continue;                            // was pending: fires once
    if (i % 3 == 1) __atomic_add_fetch(&stopped, -1, __ATOMIC_SEQ_CST);  // had fired: fires twice
  }
  wg.Wait();
  for (int i = 0; i < 5000 && __atomic_load_n(&fired, __ATOMIC_SEQ_CST) + stopped < kTimers; i++)
    boot::time::Sleep(1ms);
  check(early == 0, "nobody woke early");
  check(__atomic_load_n(&fired, __ATOMIC_SEQ_CST) + stopped == kTimers, "timers fired as often as they should");
}

}  // namespace

void main_main() { stress(sleepers); }

// While all Ps are idle sysmon sleeps for up to a minute. Whoever takes an idle P wakes it, whichever way that is: else
// what runs there is not preempted, and no timer that it holds up fires in time.
// PROCS: 1 2 8
// TIMEOUT: 30
// STDOUT: asleep while all are idle
// STDOUT: awake once a P is taken
// STDOUT: a loop that follows is preempted
#include "claims.h"

#include <chrono>

using namespace std::chrono_literals;
using namespace runtime;

void main_main() {
  bool slept = false, woken = false;
  // Its function has no P: sysmon takes it, and then nobody has one.
  boot::blocking([&] {
    while (!slept) {
      lock(&sched.lock);
      if (atomic::Load(&sched.sysmonwait) != 0) {
        slept = true;
        p* pp = pidleget();
        woken = atomic::Load(&sched.sysmonwait) == 0;
        pidleput(pp);
      }
      unlock(&sched.lock);
    }
  });
  if (slept) boot::println("asleep while all are idle");
  if (woken) boot::println("awake once a P is taken");
  for (int i = 0; i < GOMAXPROCS(0); i++)
    boot::go([] {
      for (volatile int n = 0;;) n = n + 1;
    });
  boot::time::Sleep(20ms);
  boot::println("a loop that follows is preempted");
}

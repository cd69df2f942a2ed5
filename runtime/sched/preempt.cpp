// Asking goroutines to stop. (Go's proc.go preemptone, and preempt.go.)
//
// A request is a value in stackguard0 above every stack pointer: the next prologue check of user code fails and newstack
// finds out why. A loop without calls has no prologue; a signal stops that (hooks.preemptM, diag/preempt.cpp).
// Requests are hints: one may be lost to a race with a switch, or hit the goroutine that came after. Whoever needs the
// stop asks again (sysmon every 10 ms, stopTheWorld every 100 µs), and newstack shrugs off a request not meant for it.
#include "runtime/sched/proc.h"

#include "runtime/sched/proc_m.h"

namespace runtime {

// Asks the goroutine that runs on pp to enter the scheduler. False if there is none.
LANDMARK bool preemptone(p* pp) {
  m* mp = atomic::Load(&pp->m);
  if (mp == nullptr || mp == getg()->m) return false;
  g* gp = atomic::Load(&mp->curg);
  if (gp == nullptr || gp == mp->g0) return false;
  gp->preempt = true;
  atomic::Store(&gp->stackguard0, stackPreempt);
  setmguard(mp, stackPreempt);
  if (hooks.preemptM != nullptr && debug.asyncpreemptoff == 0) {
    pp->preempt = true;
    hooks.preemptM(mp);
  }
  return true;
}

LANDMARK bool preemptall() {
  bool res = false;
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* pp = allp.array[i];
    if (atomic::Load(&pp->status) == _Prunning && preemptone(pp)) res = true;
  }
  return res;
}

[[gnu::cold, gnu::noinline]] void preempthere() {
  g* gp = getg();
  m* mp = gp->m;
  if (gp != mp->curg) return;
  if (!gp->preempt) {  // meant for the goroutine that ran here before
    gp->stackguard0 = gp->stack.lo + StackGuard;
    setguard(gp->stackguard0);
    return;
  }
  if (mp->locks != 0 || mp->mallocing != 0 || mp->preemptoff != nullptr || mp->p == nullptr) return;
  mcall(gopreempt_m);
}

}  // namespace runtime

// The few lines of the scheduler that every switch runs, to be inlined into its files. The functions of the same names
// without `_inl` are these under Go's symbols.
#pragma once

#include "runtime/base/bootstep.h"
#include "runtime/sched/proc.h"

namespace runtime {

// C55: which status may follow which; bit n of row s allows s → n.
constexpr std::uint32_t statusBit(std::uint32_t s) { return 1u << s; }
constexpr std::uint32_t kNextStatus[16] = {
    /* _Gidle      */ statusBit(_Gdead),
    /* _Grunnable  */ statusBit(_Grunning) | statusBit(_Gwaiting),
    /* _Grunning   */ statusBit(_Grunnable) | statusBit(_Gsyscall) | statusBit(_Gwaiting) | statusBit(_Gdead) |
        statusBit(_Gpreempted),
    /* _Gsyscall   */ statusBit(_Grunning) | statusBit(_Grunnable),
    /* _Gwaiting   */ statusBit(_Grunnable) | statusBit(_Grunning),
    /* 5           */ 0,
    /* _Gdead      */ statusBit(_Grunnable),
    /* 7           */ 0,
    /* _Gcopystack */ 0,
    /* _Gpreempted */ statusBit(_Gwaiting),
};
[[noreturn]] void badcasgstatus(g* gp, std::uint32_t oldval, std::uint32_t newval);

// With constants the table look-up is done by the compiler, and what is left is a compare and a store.
ALWAYS_INLINE void casgstatus_inl(g* gp, std::uint32_t oldval, std::uint32_t newval) {
  if (UNLIKELY(atomic::LoadRelaxed(&gp->atomicstatus) != oldval || (kNextStatus[oldval & 15] & statusBit(newval)) == 0))
    badcasgstatus(gp, oldval, newval);
  atomic::StoreRel(&gp->atomicstatus, newval);
}

// Is there one P only? Then the local queues have no thieves; that changes only while the world is stopped.
ALWAYS_INLINE bool singleP() { return gomaxprocs == 1; }

// p.yieldq, see the head of proc_runq.cpp.
void yieldqput(p* pp, g* gp);
g* yieldqget(p* pp, std::int32_t max);
void yieldqflush(p* pp);

// A goroutine about to be run: the lines of its g that execute and gogo will touch, and the top of its stack, which
// mostly ends where the g begins: what a fresh one was called with, and the frames of one that is not deep.
ALWAYS_INLINE void prefetchg(const g* gp) {
  auto* line = reinterpret_cast<const char*>(gp);
  __builtin_prefetch(line - 128);
  __builtin_prefetch(line - 64);
  __builtin_prefetch(line);
  __builtin_prefetch(line + 64);
  __builtin_prefetch(line + 128);
}

// Whether sysmon has found that P's time slice is over. The goroutine it was meant for may have ended since.
ALWAYS_INLINE bool sliceOver(const p* pp) { return atomic::LoadRelaxed(&pp->sliceover) == pp->schedtick + 1; }

// Whether the next goroutine of P's own queue is simply the next to run: nothing else that schedule would look at (a stop
// of the world, timers, the collector, the 61st tick, the end of the slice, the trace reader, a goroutine tied to this
// thread) has anything to say.
ALWAYS_INLINE bool plainTurn(const m* mp, const p* pp) {
  return pp->schedtick % 61 != 0 && !sliceOver(pp) && atomic::LoadRelaxed(&pp->numTimers) == 0 &&
         atomic::LoadRelaxed(&sched.gcwaiting) == 0 && mp->lockedg == nullptr && gcBlackenEnabled == 0 &&
         tracePending == 0 && !sched.disable.user && bootrecording == 0;
}

// The goroutine that runqget would give, null if there is none or its turn must be prepared by schedule. With one P only.
ALWAYS_INLINE g* peekLocal(const p* pp) {
  g* next = pp->runnext;
  if (next == nullptr && pp->runqhead != pp->runqtail) next = pp->runq[pp->runqhead % kRunqLen];
  if (next == nullptr || next->lockedm != nullptr || next->onceSaved) return nullptr;
  return next;
}

// Makes next the running goroutine of mp; returns what to go on with. The old one's m stays until g has changed: a signal
// handler finds m through it.
ALWAYS_INLINE gobuf* becomeRunning(m* mp, p* pp, g* next) {
  pp->preempt = false;
  mp->curg = next;
  next->m = mp;
  casgstatus_inl(next, _Grunnable, _Grunning);
  next->waitsince = 0;
  next->preempt = false;
  next->stackguard0 = next->stack.lo + StackGuard;
  return &next->sched;
}

// Takes next, which peekLocal gave.
ALWAYS_INLINE gobuf* takeLocal(m* mp, p* pp, g* next) {
  if (pp->runnext != nullptr) {
    pp->runnext = nullptr;
  } else {
    std::uint32_t h = pp->runqhead;
    // Two ahead: one is run in less time than memory takes to answer.
    if (pp->runqtail - h > 2) prefetchg(pp->runq[(h + 2) % kRunqLen]);
    atomic::StoreRel(&pp->runqhead, h + 1);
    pp->schedtick++;
  }
  return becomeRunning(mp, pp, next);
}

// The P's dead Gs while there is room, or are some.
ALWAYS_INLINE void gfputfast(p* pp, g* gp) {
  gp->sched.sp = 0;  // tells the collector a free G from one that a go statement is filling
  pp->gFree->gs[pp->gFreeN++] = gp;
}
ALWAYS_INLINE g* gfgetfast(p* pp) {
  std::int32_t n = --pp->gFreeN;
  // One that has been dead for a while lies far away: by the go statement after the next it shall be near.
  if (n >= 2) prefetchg(pp->gFree->gs[n - 2]);
  return pp->gFree->gs[n];
}

}  // namespace runtime

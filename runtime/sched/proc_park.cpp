// Leaving a goroutine, and making one runnable again: gopark, goready, Gosched. What runs next is proc_run.cpp's choice.
// (Go's proc.go, gopark, goready, Gosched.)
//
// Owns: the switch away from a running goroutine, over g0 or past it, and the status changes that go with both.
//
// Invariants
//   - From the moment unlockf gives up its lock another thread may ready and run the goroutine: then nothing of it is
//     touched any more, its stack and its g included.
//   - A goroutine leaves _Grunning before it stands in a queue that others can see; with one P nobody else looks at the
//     queues, so there it may queue itself while it is still on its stack.
//   - ready and injectglist queue first and wake an M afterwards: they are the submit side of the protocol at the head of
//     proc_run.cpp.
//
// Ways not taken: going over g0 each time, as Go does (with one P most switches have no use for it); saving registers in
// gopark (its callers declare them clobbered, so that only what is alive is saved, and gogo comes back to them directly).
#include "runtime/sched/proc_inl.h"

namespace runtime {

// ---- leaving a goroutine ----

LANDMARK void dropg() {
  m* mp = getg()->m;
  mp->curg->m = nullptr;
  mp->curg = nullptr;
}

// ---- with one P: from goroutine to goroutine without g0 ----
//
// Nobody else can run what this P has queued, so a goroutine may queue itself while it is still on its stack, and the
// switch need not go over g0. The order of goroutines is the one schedule would find: the same queues in the same order.
// Whatever else schedule looks at (a stop, timers, the collector, the 61st tick, the trace reader) makes it decline.

static bool directOK(const m* mp, const p* pp) { return singleP() && plainTurn(mp, pp); }

// gp stops, waiting or not, and next goes on: events of the way without g0. What they need is read from
// gp here, so that nothing is kept in a register for it.
[[gnu::noinline, gnu::cold]] static void traceSwitch(g* gp, g* next) {
  bool waits = gp->atomicstatus == _Gwaiting;
  hooks.traceSwitch(waits ? traceEvGoPark : traceEvGoSched, gp, waits ? gp->waitreason : 0, next);
}

[[gnu::noinline, gnu::cold]] static void tracedSwitch(g* gp, g* next) {
  traceSwitch(gp, next);
  m* mp = gp->m;
  gosavegogo_asm(gp, takeLocal(mp, mp->p, next));
}

static void parked_m(g* gp) {
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoPark, gp, gp->waitreason);
  gp->m = nullptr;
  getg()->m->curg = nullptr;
  schedule();
}

// gopark is called by inline assembly, at any stack alignment.
[[noreturn, gnu::cold, gnu::noinline, gnu::force_align_arg_pointer]] static void badpark(m* mp) {
  if (mp->foreign != foreignNot) fatal("boot::blocking: its function waits in a way that it may not");
  throw_("gopark: bad g status");
}

LANDMARK void gopark_body(bool (*unlockf)(g*, void*), void* lock, waitReason reason) {
  g* gp = getg();
  m* mp = gp->m;
  if (UNLIKELY(gp->atomicstatus != _Grunning)) badpark(mp);
  if (p* pp = mp->p; directOK(mp, pp) && peekLocal(pp) != nullptr) {
    gp->waitreason = reason;
    casgstatus_inl(gp, _Grunning, _Gwaiting);
    if (unlockf != nullptr && !unlockf(gp, lock)) {
      casgstatus_inl(gp, _Gwaiting, _Grunning);
      return;
    }
    if (g* next = peekLocal(pp); LIKELY(next != nullptr)) {
      // A jump, too: what it needs is not kept for it in registers that must be saved.
      if (UNLIKELY(hooks.traceEvent != nullptr)) return tracedSwitch(gp, next);
      return gosavegogo_asm(gp, takeLocal(mp, pp, next));
    }
    return mcall_asm(parked_m);  // unlockf has put a goroutine in front that schedule must prepare
  }
  mp->waitlock = lock;
  mp->waitunlockf = unlockf;
  gp->waitreason = reason;
  // A jump, where the compiler optimises: mcall then saves our caller's state, and nobody returns through here.
  mcall_asm(park_m);
}

static bool parkunlock(g*, void* l) {
  unlock(static_cast<mutex*>(l));
  return true;
}

LANDMARK void goparkunlock(mutex* l, waitReason reason) { gopark(parkunlock, l, reason); }

// gopark continued on g0.
LANDMARK void park_m(g* gp) {
  m* mp = getg()->m;
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoPark, gp, gp->waitreason);
  casgstatus_inl(gp, _Grunning, _Gwaiting);
  gp->m = nullptr;
  mp->curg = nullptr;
  if (auto* fn = mp->waitunlockf; fn != nullptr) {
    void* l = mp->waitlock;
    mp->waitunlockf = nullptr;
    mp->waitlock = nullptr;
    // From the moment fn lets go of its lock another thread may ready and run gp.
    if (!fn(gp, l)) {
      casgstatus(gp, _Gwaiting, _Grunnable);
      return execute(gp, true);  // the same time slice: it never left
    }
  }
  schedule();
}

static void goschedImpl(g* gp) GOSYM("runtime.goschedImpl");
LANDMARK void goschedImpl(g* gp) {
  m* mp = getg()->m;
  casgstatus_inl(gp, _Grunning, _Grunnable);
  gp->m = nullptr;
  mp->curg = nullptr;
  if (LIKELY(singleP())) {
    yieldqput(mp->p, gp);
  } else {
    lock(&sched.lock);
    globrunqput(gp);
    unlock(&sched.lock);
  }
  schedule();
}

LANDMARK void Gosched() {
  NEEDS_P(Gosched());
  g* gp = getg();
  m* mp = gp->m;
  p* pp = mp->p;
  if (LIKELY(directOK(mp, pp))) {
    g* next = peekLocal(pp);
    if (next == nullptr && pp->runnext == nullptr && pp->runqhead == pp->runqtail && sched.runqsize == 0) {
      // As findRunnable does with an empty ring: a batch of those that yielded before.
      if (pp->yieldqsize == 1) {
        next = pp->yieldq.head;  // two that yield in turn: one goes, the other takes its place
        if (LIKELY(next->lockedm == nullptr && !next->onceSaved)) {
          if (UNLIKELY(hooks.traceEvent != nullptr)) traceSwitch(gp, next);
          gp->schedlink = nullptr;
          pp->yieldq = {gp, gp};
          pp->schedtick++;
          casgstatus_inl(gp, _Grunning, _Grunnable);
          return gosavegogo(gp, becomeRunning(mp, pp, next));
        }
        next = nullptr;
      } else if (pp->yieldqsize != 0) {
        g* first = yieldqget(pp, 0);
        // It goes in front of the rest of its batch, where runqget finds it.
        pp->runqhead--;
        pp->runq[pp->runqhead % kRunqLen] = first;
        next = peekLocal(pp);
      }
    }
    if (next != nullptr) {
      if (UNLIKELY(hooks.traceEvent != nullptr)) traceSwitch(gp, next);
      casgstatus_inl(gp, _Grunning, _Grunnable);
      yieldqput(pp, gp);
      return gosavegogo(gp, takeLocal(mp, pp, next));
    }
  }
  mcall(gosched_m);
}

LANDMARK void gosched_m(g* gp) {
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSched, gp, 0);
  goschedImpl(gp);
}

LANDMARK void gopreempt_m(g* gp) {
  atomic::Store(&gp->m->p->sliceover, 0u);  // the request has hit whom it was meant for: the next runs as in Go
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoPreempt, gp, 0);
  if (UNLIKELY(hooks.saveOnce != nullptr)) hooks.saveOnce(gp);
  goschedImpl(gp);
}

static void goyield_m(g* gp) GOSYM("runtime.goyield_m");
LANDMARK void goyield_m(g* gp) {
  p* pp = getg()->m->p;
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSched, gp, 0);
  casgstatus(gp, _Grunning, _Grunnable);
  dropg();
  runqput(pp, gp, false);
  schedule();
}

LANDMARK void goyield() { mcall(goyield_m); }

// ---- making runnable ----

LANDMARK void ready(g* gp, bool next) {
  m* mp = acquirem();
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoUnblock, gp, static_cast<uintptr>(getg()->goid));
  casgstatus_inl(gp, _Gwaiting, _Grunnable);
  runqput(mp->p, gp, next);
  if (!singleP() && LIKELY(mainStarted)) wakep();  // with one P nobody is idle while we run
  releasem(mp);
}

LANDMARK void goready(g* gp) { ready(gp, true); }

// Makes a list of goroutines runnable, e.g. those whose descriptors became ready. With or without a P.
LANDMARK void injectglist(gList* list) {
  if (list->head == nullptr) return;
  gQueue q{nullptr, nullptr};
  std::int32_t qsize = 0;
  for (g* gp = list->head; gp != nullptr;) {
    g* next = gp->schedlink;
    if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoUnblock, gp, 0);
    casgstatus(gp, _Gwaiting, _Grunnable);
    gqpushBack(&q, gp);
    qsize++;
    gp = next;
  }
  *list = {nullptr};
  auto startIdle = [](std::int32_t n) {
    for (; n != 0 && atomic::Load(&sched.npidle) != 0; n--) startm(nullptr, false);
  };
  p* pp = getg()->m->p;
  if (pp == nullptr) {
    lock(&sched.lock);
    globrunqputbatch(&q, qsize);
    unlock(&sched.lock);
    startIdle(qsize);
    return;
  }
  // What idle Ps could run goes to the global queue, the rest to our own.
  auto npidle = static_cast<std::int32_t>(atomic::Load(&sched.npidle));
  gQueue globq{nullptr, nullptr};
  std::int32_t n = 0;
  for (; n < npidle && q.head != nullptr; n++) gqpushBack(&globq, gqpop(&q));
  if (n > 0) {
    lock(&sched.lock);
    globrunqputbatch(&globq, n);
    unlock(&sched.lock);
    startIdle(n);
    qsize -= n;
  }
  if (q.head != nullptr) {
    runqputbatch(pp, &q, qsize);
    // A P may have become idle since we counted. (One that spins will wake somebody when it runs what it found.)
    if (!getg()->m->spinning) wakep();
  }
}

}  // namespace runtime

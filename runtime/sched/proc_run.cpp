// The scheduler proper: how an M finds a goroutine and takes it up. (Go's proc.go, schedule, findRunnable.)
//
// Owns: the order of the looks, stealing, and sched.nmspinning. How a goroutine is left again is in proc_park.cpp.
//
// An M without a P does not run goroutines. An M with a P and no work spins: it looks at other Ps' queues for a bounded
// time, then gives up its P and sleeps. The protocol by which no wake-up is lost:
//
//   submit side   1. put the work on a queue       2. full barrier   3. if no M spins and a P is idle, wake one (wakep)
//   search side   1. P to the idle list, nmspinning--   2. full barrier   3. look at all queues once more; if work, spin
//
// Whichever way the two interleave, the submitter sees a spinning M or the searcher sees the work. A spinning M that
// finds work wakes another before it runs it (resetspinning), so there is always one M looking while there may be
// more. At most half of the busy Ps' number of Ms spin, so that little processor time is burned.
//   tests/model/ has this protocol in Promela, and a mutant without the second look, which spin shows to lose work.
//
// Ways not taken: one global queue (contention); handing each new goroutine to an idle thread (wakes threads for work
// that ends at once, and moves data from core to core); letting an M sleep without the second look (loses wake-ups).
#include "runtime/sched/proc_inl.h"

#include "runtime/base/bootstep.h"
#include "runtime/mem/malloc.h"
#include "runtime/os/netpoll.h"
#include "runtime/sched/proc_m.h"
#include "runtime/sched/time.h"

namespace runtime {

// ---- spinning ----

// One more P's worth of work may exist: wake an M for it, unless one is looking already.
LANDMARK void wakep() {
  if (atomic::Load(&sched.npidle) == 0) return;
  // Be conservative about spinning threads: the one that spins will wake the next.
  if (atomic::Load(&sched.nmspinning) != 0 || !atomic::Cas(&sched.nmspinning, 0u, 1u)) return;
  startm(nullptr, true);
}

// The M stops spinning because it has found work; another must look in its place.
LANDMARK void resetspinning() {
  m* mp = getg()->m;
  if (!mp->spinning) throw_("resetspinning: not a spinning m");
  mp->spinning = false;
  auto n = static_cast<std::int32_t>(atomic::Xadd(&sched.nmspinning, ~0u));
  if (n < 0) throw_("resetspinning: negative nmspinning");
  wakep();
}

// ---- taking up a goroutine ----

LANDMARK void execute(g* gp, bool inheritTime) {
  m* mp = getg()->m;
  BOOTSTEP("runtime.execute", "goid,#g", gp->goid, gp);
  mp->curg = gp;
  gp->m = mp;
  casgstatus_inl(gp, _Grunnable, _Grunning);
  gp->waitsince = 0;
  gp->preempt = false;
  gp->stackguard0 = gp->stack.lo + StackGuard;
  if (UNLIKELY(gp->onceSaved)) hooks.restoreOnce(gp);
  if (!inheritTime) mp->p->schedtick++;
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoStart, gp, 0);
  if (bootrecording) BOOTSTEP("runtime.gogo", "goid,#sp,#pc", gp->goid, gp->sched.sp, gp->sched.pc);
  gogo(&gp->sched);
}

// The order in which stealWork visits the Ps: from a random start in steps of a number coprime to their count, so that
// each is visited once. Rebuilt by procresize, with the world stopped.
static std::uint32_t *stealCoprimes, stealCoprimesCap;
static std::uint32_t nstealCoprimes, stealCount;

void randomOrderReset(std::uint32_t count) {
  if (count > stealCoprimesCap) {
    stealCoprimesCap = count < 64 ? 64 : count * 2;
    stealCoprimes = static_cast<std::uint32_t*>(persistentalloc(stealCoprimesCap * sizeof(std::uint32_t), 64));
  }
  stealCount = count;
  nstealCoprimes = 0;
  for (std::uint32_t i = 1; i <= count; i++) {
    std::uint32_t a = i, b = count;
    while (b != 0) {
      std::uint32_t t = a % b;
      a = b;
      b = t;
    }
    if (a == 1) stealCoprimes[nstealCoprimes++] = i;
  }
}

namespace {

struct randomEnum {
  std::uint32_t i, pos, inc;
  randomEnum() : i(0) {
    std::uint32_t r = fastrand();
    pos = r % stealCount;
    inc = stealCoprimes[(r / stealCount) % nstealCoprimes];
  }
  bool done() const { return i == stealCount; }
  void next() {
    i++;
    pos = (pos + inc) % stealCount;
  }
};

struct stealResult {
  g* gp;
  bool inheritTime;
  std::int64_t now, pollUntil;
  bool newWork;
};

}  // namespace

// Looks at every P in random order, four times; takes timers and runnexts only in the last round.
static stealResult stealWork(std::int64_t now) GOSYM("runtime.stealWork");
LANDMARK stealResult stealWork(std::int64_t now) {
  p* pp = getg()->m->p;
  bool ranTimer = false;
  std::int64_t pollUntil = 0;
  constexpr int stealTries = 4;
  for (int i = 0; i < stealTries; i++) {
    bool last = i == stealTries - 1;
    for (randomEnum e; !e.done(); e.next()) {
      if (atomic::Load(&sched.gcwaiting) != 0) return {nullptr, false, now, pollUntil, true};
      p* p2 = allp.array[e.pos];
      if (pp == p2) continue;
      // The last round takes timers of Ps that may be busy, since they might not run them soon.
      if (last && atomic::Load(&p2->numTimers) != 0) {
        timersResult t = checkTimers(p2, now);
        now = t.now;
        if (t.pollUntil != 0 && (pollUntil == 0 || t.pollUntil < pollUntil)) pollUntil = t.pollUntil;
        if (t.ran) {
          // A timer may have readied goroutines onto our own queue.
          bool inherit;
          if (g* gp = runqget(pp, &inherit)) return {gp, inherit, now, pollUntil, true};
          ranTimer = true;
        }
      }
      // An idle P's queue is empty by the rule that it goes idle only so.
      if (atomic::Load(&p2->status) != _Pidle) {
        if (g* gp = runqsteal(pp, p2, last)) {
          if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvSteal, gp, static_cast<uintptr>(p2->id));
          return {gp, false, now, pollUntil, ranTimer};
        }
      }
    }
  }
  return {nullptr, false, now, pollUntil, ranTimer};
}

// Takes an idle P back if any P has work; the P is not yet acquired.
static p* checkRunqsNoP() {
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* p2 = allp.array[i];
    if (atomic::Load(&p2->status) != _Pidle && !runqempty(p2)) {
      lock(&sched.lock);
      p* pp = pidleget();
      unlock(&sched.lock);
      return pp;  // null: no P free, the work is somebody else's
    }
  }
  return nullptr;
}

static std::int64_t checkTimersNoP(std::int64_t pollUntil) {
  for (std::int64_t i = 0; i < allp.len; i++) {
    std::int64_t w = nobarrierWakeTime(allp.array[i]);
    if (w != 0 && (pollUntil == 0 || w < pollUntil)) pollUntil = w;
  }
  return pollUntil;
}

// Finds a goroutine to run; blocks until there is one. One function on purpose: the order of the looks, and what may be
// given up between them, is the whole point.
LANDMARK foundwork findRunnable() {
  m* mp = getg()->m;
top:
  p* pp = mp->p;
  bool stopped = atomic::Load(&sched.gcwaiting) != 0;
  if (UNLIKELY(stopped)) {
    // While the world is stopped for marking some Ps are woken to mark: they pass, find their worker, and nothing else.
    if (pp->gcMarkWorkerMode == 0) {
      gcstopm();
      goto top;
    }
  }
  std::int64_t now = 0, pollUntil = 0;
  if (!stopped && atomic::LoadRelaxed(&pp->numTimers) != 0) {
    timersResult t = checkTimers(pp, 0);
    now = t.now;
    pollUntil = t.pollUntil;
  }

  if (UNLIKELY(hooks.traceReader != nullptr) && !stopped) {
    if (g* gp = hooks.traceReader()) {
      casgstatus(gp, _Gwaiting, _Grunnable);
      return {gp, false, true};
    }
  }
  if (UNLIKELY(atomic::LoadRelaxed(&gcBlackenEnabled) != 0)) {
    if (g* gp = hooks.findRunnableGCWorker(pp, now)) return {gp, false, false};
  }
  // Every 61st time the global queue first, or two goroutines that ready each other for ever would starve it.
  if (UNLIKELY(pp->schedtick % 61 == 0)) {
    if (sched.runqsize > 0) {
      lock(&sched.lock);
      yieldqflush(pp);
      g* gp = globrunqget(pp, 1);
      unlock(&sched.lock);
      if (gp != nullptr) return {gp, false, false};
    } else if (g* gp = yieldqget(pp, 1)) {
      return {gp, false, false};
    }
  }
  {
    bool inherit;
    g* gp = runqget(pp, &inherit);
    // The slice that it inherits is over: it is treated as one that was stopped on its first instruction. Go lets it run;
    // there goroutines that each start the next and end are too short for a request to hit them, and the queue waits for
    // seconds.
    if (UNLIKELY(gp != nullptr && inherit && sliceOver(pp))) {
      lock(&sched.lock);
      yieldqflush(pp);
      globrunqput(gp);
      unlock(&sched.lock);
      gp = runqget(pp, &inherit);
    }
    if (gp != nullptr) return {gp, inherit, false};
  }
  if (sched.runqsize != 0) {
    lock(&sched.lock);
    yieldqflush(pp);
    g* gp = globrunqget(pp, 0);
    unlock(&sched.lock);
    if (gp != nullptr) return {gp, false, false};
  } else if (g* gp = yieldqget(pp, 0)) {
    return {gp, false, false};
  }
  // A look at the network without blocking: cheaper than stealing.
  if (atomic::Load(&netpollWaiters) > 0 && atomic::Load(&sched.lastpoll) != 0) {
    gList list = netpoll(0);
    if (g* gp = glpop(&list)) {
      injectglist(&list);
      casgstatus(gp, _Gwaiting, _Grunnable);
      return {gp, false, false};
    }
  }

  // Spin: look at the others, if less than half of the busy Ps have an M doing so already.
  std::uint32_t procs = static_cast<std::uint32_t>(gomaxprocs);
  if (mp->spinning || 2 * atomic::Load(&sched.nmspinning) < procs - atomic::Load(&sched.npidle)) {
    if (!mp->spinning) {
      mp->spinning = true;
      atomic::Xadd(&sched.nmspinning, 1u);
    }
    stealResult s = stealWork(now);
    now = s.now;
    if (s.gp != nullptr) return {s.gp, s.inheritTime, false};
    if (s.newWork) goto top;
    if (s.pollUntil != 0 && (pollUntil == 0 || s.pollUntil < pollUntil)) pollUntil = s.pollUntil;
  }

  // Nothing to do. Give the P back; under the lock look at what would have come in by the lock.
  lock(&sched.lock);
  if (atomic::Load(&sched.gcwaiting) != 0) {
    unlock(&sched.lock);
    goto top;
  }
  if (sched.runqsize != 0) {
    g* gp = globrunqget(pp, 0);
    unlock(&sched.lock);
    return {gp, false, false};
  }
  if (releasep() != pp) throw_("findrunnable: wrong p");
  pidleput(pp);
  unlock(&sched.lock);

  // The second look of the protocol above. First stop counting as spinning, then look: a submitter that still saw us
  // spinning has put its work where we look now.
  // An M that was not spinning looks too: a submitter may have seen no idle P, or a spinning M that has taken other work
  // since. (Go 1.19 leaves that to sysmon, which finds the goroutine on the other side 10 ms later.)
  bool wasSpinning = mp->spinning;
  if (wasSpinning) {
    mp->spinning = false;
    if (static_cast<std::int32_t>(atomic::Xadd(&sched.nmspinning, ~0u)) < 0)
      throw_("findrunnable: negative nmspinning");
  }
  if (p* p2 = checkRunqsNoP()) {
    acquirep(p2);
    mp->spinning = true;
    atomic::Xadd(&sched.nmspinning, 1u);
    goto top;
  }
  // Timers likewise, whether it was spinning or not: one of this P's may have been made earlier since the look at them
  // above, by another P that saw no idle P to wake. (Go looks only if it was spinning.)
  pollUntil = checkTimersNoP(pollUntil);

  // Sleep: one M does it with a deadline, in the poller, for all; the others without, in stopm.
  if (netpollinited() && (atomic::Load(&netpollWaiters) > 0 || pollUntil != 0) &&
      atomic::Xchg(&sched.lastpoll, std::int64_t{0}) != 0) {
    atomic::Store(&sched.pollUntil, pollUntil);
    if (mp->p != nullptr) throw_("findrunnable: netpoll with p");
    if (mp->spinning) throw_("findrunnable: netpoll with spinning");
    std::int64_t delay = -1;
    if (pollUntil != 0) {
      if (now == 0) now = nanotime();
      delay = pollUntil - now;
      if (delay < 0) delay = 0;
    }
    gList list = netpoll(delay);
    atomic::Store(&sched.pollUntil, std::int64_t{0});
    now = nanotime();
    atomic::Store(&sched.lastpoll, now);
    lock(&sched.lock);
    pp = pidleget();
    unlock(&sched.lock);
    if (pp == nullptr) {
      injectglist(&list);
    } else {
      acquirep(pp);
      if (g* gp = glpop(&list)) {
        injectglist(&list);
        casgstatus(gp, _Gwaiting, _Grunnable);
        return {gp, false, false};
      }
      if (wasSpinning) {
        mp->spinning = true;
        atomic::Xadd(&sched.nmspinning, 1u);
      }
      goto top;
    }
  } else if (pollUntil != 0 && netpollinited()) {
    std::int64_t pollerUntil = atomic::Load(&sched.pollUntil);
    if (pollerUntil == 0 || pollerUntil > pollUntil) netpollBreak();  // the poller would sleep too long for our timer
  }
  stopm();
  goto top;
}

static bool schedEnabled(const g* gp) { return !sched.disable.user || gp->isSystem; }

// One round of the scheduler: find a goroutine and run it. Never returns.
LANDMARK void schedule() {
  m* mp = getg()->m;
  if (UNLIKELY(mp->locks != 0)) {
    if (forkedChild) {
      printf("fatal error: a forked child has one thread and can't wait for goroutines\n");
      exit(2);
    }
    printf("runtime: schedule: m{} holds {} locks\n", mp->id, mp->locks);
    throw_("schedule: holding locks");
  }
  // Until main has started there is nothing a thread could have been tied for: this one runs what the runtime's start
  // waits for, and no other thread is made for it.
  if (UNLIKELY(mp->lockedg != nullptr) && LIKELY(mainStarted)) {
    stoplockedm();
    return execute(mp->lockedg, false);
  }
  // The common case: what findRunnable would find, without its other looks.
  if (p* pp = mp->p; LIKELY(!mp->spinning && plainTurn(mp, pp))) {
    bool inherit;
    if (g* gp = runqget(pp, &inherit); gp != nullptr) {
      pp->preempt = false;
      if (LIKELY(gp->lockedm == nullptr)) return execute(gp, inherit);
      startlockedm(gp);
    }
  }
  for (;;) {
    p* pp = mp->p;
    pp->preempt = false;
    // A spinning M would have stopped spinning to put work here.
    if (UNLIKELY(mp->spinning && (pp->runnext != nullptr || pp->runqhead != pp->runqtail)))
      throw_("schedule: spinning with local work");
    foundwork w = findRunnable();
    if (mp->spinning) resetspinning();
    if (UNLIKELY(!schedEnabled(w.gp))) {
      // User goroutines are held back (the collector's stop of user code): keep it for later.
      lock(&sched.lock);
      if (!schedEnabled(w.gp)) {
        gqpushBack(&sched.disable.runnable, w.gp);
        sched.disable.n++;
        unlock(&sched.lock);
        continue;
      }
      unlock(&sched.lock);
    }
    if (w.tryWakeP) wakep();
    if (UNLIKELY(w.gp->lockedm != nullptr) && LIKELY(w.gp->lockedm != mp)) {
      // It must run on its own thread: give that one our P and wait for a new one.
      startlockedm(w.gp);
      continue;
    }
    return execute(w.gp, w.inheritTime && w.gp->lockedm == nullptr);
  }
}

}  // namespace runtime

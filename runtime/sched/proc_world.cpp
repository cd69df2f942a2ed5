// Ps, and the world: procresize, binding Ps to Ms, stopping and starting everything. (Go's proc.go, procresize,
// acquirep, stopTheWorld.)
//
// Invariants
//   - allp[0, gomaxprocs) are the Ps in use; allp changes only with the world stopped and allpLock held.
//   - A P is _Prunning exactly while an M has it in m.p, and that M runs goroutines or looks for one.
//   - A P on sched.pidle is _Pidle, has an empty queue and no M; npidle counts them.
//   - A P that is no longer used keeps its struct for ever (others may still hold a pointer to it) but nothing else:
//     its goroutines go to the global queue, its dead Gs, its timers and its cache to the others.
#include "runtime/sched/proc_inl.h"

#include "runtime/base/bootstep.h"
#include "runtime/mem/malloc.h"
#include "runtime/os/netpoll.h"
#include "runtime/sched/proc_m.h"

namespace runtime {

static void p_init(p* pp, std::int32_t id) GOSYM("\"runtime.(*p).init\"");
static void p_destroy(p* pp) GOSYM("\"runtime.(*p).destroy\"");

// A P fresh or used before, in _Pgcstop, with a cache.
BOOTMARK void p_init(p* pp, std::int32_t id) {
  pp->id = id;
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pgcstop));
  if (pp->mcache == nullptr) pp->mcache = id == 0 && mcache0 != nullptr ? mcache0 : allocmcache();
  lockInit(&pp->timersLock, lockRankTimers);
  pp->sysmontick.schedwhen = nanotime();  // a first time slice begins now, not at the clock's zero
  BOOTSTEP("runtime.(*p).init", "pid,#p,#mcache", id, pp, pp->mcache);
}

// Takes everything off a P that is not used any more. World stopped.
BOOTMARK void p_destroy(p* pp) {
  // From the tail, each to the head of the global queue: the order stays.
  while (pp->runqhead != pp->runqtail) {
    pp->runqtail--;
    globrunqputhead(pp->runq[pp->runqtail % kRunqLen]);
  }
  if (pp->runnext != nullptr) {
    globrunqputhead(pp->runnext);
    pp->runnext = nullptr;
  }
  if (pp->timers.len > 0) moveTimers(getg()->m->p, pp);
  freemcache(pp->mcache);
  pp->mcache = nullptr;
  gfpurge(pp);
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pdead));
}

// Changes the number of Ps; returns those with local work, linked through p.link, for the caller to start.
// World stopped, sched.lock held. The calling M ends up with a P: its own, or allp[0].
BOOTMARK p* procresize(std::int32_t nprocs) {
  assertLockHeld(&sched.lock);
  std::int32_t old = gomaxprocs;
  if (old < 0 || nprocs <= 0) throw_("procresize: invalid arg");

  if (nprocs > allp.cap) {
    // retake and gdb read allp without stopping us: a longer array takes the old one's place, which stays readable.
    lock(&allpLock);
    std::int64_t cap = allp.cap * 2 > nprocs ? allp.cap * 2 : nprocs;
    auto** a = static_cast<p**>(persistentalloc(static_cast<uintptr>(cap) * sizeof(p*), 64));
    for (std::int64_t i = 0; i < allp.cap; i++) a[i] = allp.array[i];  // beyond len too: Ps to use again
    atomic::Store(&allp.array, a);
    allp.cap = cap;
    unlock(&allpLock);
  }
  // All new Ps in one block: a number that cannot be had ends here, at once, and not when memory has run out.
  std::int32_t known = old;
  while (known < nprocs && allp.array[known] != nullptr) known++;
  p* fresh = nullptr;
  if (known < nprocs)
    fresh = static_cast<p*>(persistentalloc(static_cast<uintptr>(nprocs - known) * sizeof(p), alignof(p)));
  for (std::int32_t i = old; i < nprocs; i++) {
    p* pp = i < known ? allp.array[i] : fresh + (i - known);
    p_init(pp, i);
    atomic::Store(&allp.array[i], pp);
  }
  lock(&allpLock);
  if (nprocs > allp.len) allp.len = nprocs;
  unlock(&allpLock);

  m* mp = getg()->m;
  if (mp->p != nullptr && mp->p->id < nprocs) {
    mp->p->status = _Prunning;  // goes on with the P it has
  } else {
    if (mp->p != nullptr) mp->p->m = nullptr;
    mp->p = nullptr;
    p* pp = allp.array[0];
    pp->m = nullptr;
    pp->status = _Pidle;
    acquirep(pp);
  }
  // With more than one P a yield goes to the global queue.
  for (std::int32_t i = 0; i < old; i++) yieldqflush(allp.array[i]);
  // Until now m0 used mcache0 as its own; from here on it is p0's.
  mcache0 = nullptr;

  for (std::int32_t i = nprocs; i < old; i++) p_destroy(allp.array[i]);
  if (allp.len != nprocs) {
    lock(&allpLock);
    allp.len = nprocs;
    unlock(&allpLock);
  }

  p* runnable = nullptr;
  for (std::int32_t i = nprocs - 1; i >= 0; i--) {
    p* pp = allp.array[i];
    if (mp->p == pp) continue;
    pp->status = _Pidle;
    if (runqempty(pp)) {
      pidleput(pp);
    } else {
      pp->m = mget();
      pp->link = runnable;
      runnable = pp;
    }
  }
  randomOrderReset(static_cast<std::uint32_t>(nprocs));
  atomic::Store(&gomaxprocs, nprocs);
  BOOTSTEP("runtime.procresize", "gomaxprocs,allp.len,npidle", nprocs, allp.len, sched.npidle);
  return runnable;
}

// ---- binding a P to this M ----

LANDMARK void acquirep(p* pp) {
  wirep(pp);  // from here on this M may allocate from P's cache
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvProcStart, nullptr, static_cast<uintptr>(pp->id));
}

LANDMARK void wirep(p* pp) {
  m* mp = getg()->m;
  if (mp->p != nullptr) throw_("wirep: already in go");
  if (pp->m != nullptr || pp->status != _Pidle) {
    printf("runtime: wirep: p{} has m={} status={}\n", pp->id, static_cast<void*>(pp->m), pp->status);
    throw_("wirep: invalid p state");
  }
  mp->p = pp;
  pp->m = mp;
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Prunning));
  BOOTSTEP("runtime.wirep", "mid,pid,#p", mp->id, pp->id, pp);
}

LANDMARK p* releasep() {
  m* mp = getg()->m;
  p* pp = mp->p;
  if (pp == nullptr) throw_("releasep: invalid arg");
  if (pp->m != mp || pp->status != _Prunning) {
    printf("runtime: releasep: m{} p{} p->m={} status={}\n", mp->id, pp->id, static_cast<void*>(pp->m), pp->status);
    throw_("releasep: invalid p state");
  }
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvProcStop, nullptr, static_cast<uintptr>(pp->id));
  mp->p = nullptr;
  pp->m = nullptr;
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pidle));
  return pp;
}

// sched.lock is held for both.
LANDMARK void pidleput(p* pp) {
  assertLockHeld(&sched.lock);
  if (!runqempty(pp)) throw_("pidleput: P has non-empty run queue");
  pp->link = sched.pidle;
  sched.pidle = pp;
  atomic::Xadd(&sched.npidle, 1u);
}

// Wakes sysmon with the P: it may have gone to sleep, for a minute, in the moment in which all were idle, and what runs on
// this P from now on must be watched. (Go wakes it in some of the places that take a P, and not in others: between an M's
// giving its P up and its second look at the queues sysmon may fall asleep there, and a loop is not preempted.)
LANDMARK p* pidleget() {
  assertLockHeld(&sched.lock);
  p* pp = sched.pidle;
  if (pp != nullptr) {
    sched.pidle = pp->link;
    atomic::Xadd(&sched.npidle, ~0u);
    wakeSysmon();
  }
  return pp;
}

void wakeSysmon() {
  if (LIKELY(atomic::Load(&sched.sysmonwait) == 0)) return;
  atomic::Store(&sched.sysmonwait, 0u);
  notewakeup(&sched.sysmonnote);
}

// ---- worldsema: the right to stop the world, handed over in order ----

static mutex worldlock{0, lockRankWorld};
static sudog *worldhead, *worldtail;

static bool worldunlock(g*, void*) {
  unlock(&worldlock);
  return true;
}

LANDMARK void semacquireWorld() {
  lock(&worldlock);
  if (worldsema > 0) {
    worldsema--;
    unlock(&worldlock);
    return;
  }
  sudog s{};
  s.g = getg();
  sudog* self = &s;
  __asm__("" : "+r"(self));  // semreleaseWorld unlinks it before this frame ends, which the compiler can't know
  if (worldtail != nullptr)
    worldtail->next = self;
  else
    worldhead = self;
  worldtail = self;
  gopark(worldunlock, nullptr, waitReasonSemacquire);  // woken with the right already ours
}

LANDMARK void semreleaseWorld() {
  lock(&worldlock);
  sudog* s = worldhead;
  if (s == nullptr) {
    worldsema++;
    unlock(&worldlock);
    return;
  }
  worldhead = s->next;
  if (worldhead == nullptr) worldtail = nullptr;
  g* gp = s->g;
  unlock(&worldlock);
  goready(gp);
}

// ---- stopping and starting ----

// Stops all Ps. On g0, with worldsema, m.locks at least 1 so that we are not stopped ourselves.
LANDMARK void stopTheWorldWithSema() {
  m* mp = getg()->m;
  // A lock held here by us could be one that a goroutine must get before it can stop.
  if (mp->locks > 1) throw_("stopTheWorld: holding locks");
  if (UNLIKELY(hooks.traceEvent != nullptr))
    hooks.traceEvent(traceEvGCSTWStart, nullptr, reinterpret_cast<uintptr>(mp->preemptoff));
  lock(&sched.lock);
  sched.stopwait = gomaxprocs;
  atomic::Store(&sched.gcwaiting, 1u);
  preemptall();
  mp->p->status = _Pgcstop;  // our own
  sched.stopwait--;
  // Ps whose M is in a system call: take them; exitsyscall will notice.
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* pp = allp.array[i];
    std::uint32_t s = atomic::Load(&pp->status);
    if (s == _Psyscall && atomic::Cas(&pp->status, s, static_cast<std::uint32_t>(_Pgcstop))) {
      pp->syscalltick++;
      sched.stopwait--;
    }
  }
  while (p* pp = pidleget()) {
    atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pgcstop));
    sched.stopwait--;
  }
  bool wait = sched.stopwait > 0;
  unlock(&sched.lock);
  // The rest stop at their next safe point. A request may have been lost to a race: repeat it.
  while (wait) {
    if (notetsleep(&sched.stopnote, 100 * 1000)) {
      noteclear(&sched.stopnote);
      break;
    }
    preemptall();
  }
  if (sched.stopwait != 0) throw_("stopTheWorld: not stopped (stopwait != 0)");
  for (std::int64_t i = 0; i < allp.len; i++)
    if (allp.array[i]->status != _Pgcstop) throw_("stopTheWorld: not stopped (status != _Pgcstop)");
}

LANDMARK std::int64_t startTheWorldWithSema() {
  m* mp = acquirem();
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGCSTWDone, nullptr, 0);
  if (atomic::Load(&netpollWaiters) > 0) {
    gList list = netpoll(0);
    injectglist(&list);
  }
  lock(&sched.lock);
  std::int32_t procs = gomaxprocs;
  if (newprocs != 0) {
    procs = newprocs;
    newprocs = 0;
  }
  p* p1 = procresize(procs);
  atomic::Store(&sched.gcwaiting, 0u);
  wakeSysmon();
  unlock(&sched.lock);
  while (p1 != nullptr) {
    p* pp = p1;
    p1 = pp->link;
    if (m* w = pp->m; w != nullptr) {
      pp->m = nullptr;
      if (w->nextp != nullptr) throw_("startTheWorld: inconsistent mp->nextp");
      w->nextp = pp;
      notewakeup(&w->park);
    } else if (iscgo) {
      startm(pp, false);
    } else {
      newm(nullptr, pp, -1);
    }
  }
  std::int64_t now = nanotime();
  // There may be work that nobody has heard of.
  wakep();
  releasem(mp);
  return now;
}

LANDMARK void stopTheWorld(const char* reason) {
  semacquireWorld();
  getg()->m->preemptoff = reason;
  systemstack([] {
    // This goroutine counts as waiting, so that whoever scans stacks does not wait for it.
    m* mp = getg()->m;
    mp->locks++;
    g* gp = mp->curg;
    gp->waitreason = waitReasonGarbageCollection;
    casgstatus(gp, _Grunning, _Gwaiting);
    stopTheWorldWithSema();
    casgstatus(gp, _Gwaiting, _Grunning);
  });
}

LANDMARK void startTheWorld() {
  systemstack([] { startTheWorldWithSema(); });
  m* mp = getg()->m;
  mp->preemptoff = nullptr;
  mp->locks--;
  semreleaseWorld();
}

std::int32_t newprocs;

// Sets the number of Ps that run at a time; n < 1 only asks. Returns the number before.
LANDMARK std::int32_t GOMAXPROCS(std::int32_t n) {
  NEEDS_P(GOMAXPROCS(n));
  lock(&sched.lock);
  std::int32_t ret = gomaxprocs;
  unlock(&sched.lock);
  if (n <= 0 || n == ret) return ret;
  stopTheWorld("GOMAXPROCS");
  newprocs = n;
  startTheWorld();
  return ret;
}

}  // namespace runtime

// Which Ms have a P: sleeping without one, waking with one, handing it over; and goroutines tied to Ms. (Go's proc.go,
// startm, stopm, handoffp, LockOSThread.)
//
// Owns: sched.midle, each M's park note, m.nextp, and the thread that makes threads for locked ones.
//
// Invariants
//   - An M sleeps only on its own m.park note, without a P and not spinning; whoever wakes it has put a P in m.nextp
//     first (or, for a locked M, hands one over with it).
//   - An M on sched.midle is asleep or about to sleep. One that waits for the goroutine it is tied to is on no list, and
//     counted in sched.nmidlelocked.
//   - handoffp puts no P on the idle list that has work, or that somebody must watch the network with.
//
// Way not taken: letting a locked thread make others and putting right in the child what the user may have changed.
// Nobody knows all that the kernel keeps for a thread; a thread that never ran user code has nothing to put right.
#include "runtime/sched/proc_inl.h"

#include "runtime/sched/proc_m.h"
#include "runtime/sched/time.h"

namespace runtime {

// ---- sleeping and waking ----

LANDMARK void mPark() {
  m* mp = getg()->m;
  notesleep(&mp->park);
  noteclear(&mp->park);
}

// sched.lock is held for mput and mget.
LANDMARK void mput(m* mp) {
  mp->schedlink = sched.midle;
  sched.midle = mp;
  sched.nmidle++;
  checkdead();
}

LANDMARK m* mget() {
  m* mp = sched.midle;
  if (mp != nullptr) {
    sched.midle = mp->schedlink;
    sched.nmidle--;
  }
  return mp;
}

// Sleeps until there is a P for this M.
LANDMARK void stopm() {
  m* mp = getg()->m;
  if (mp->locks != 0) throw_("stopm holding locks");
  if (mp->p != nullptr) throw_("stopm holding p");
  if (mp->spinning) throw_("stopm spinning");
  lock(&sched.lock);
  mput(mp);
  unlock(&sched.lock);
  mPark();
  acquirep(mp->nextp);
  mp->nextp = nullptr;
}

static void mspinning() { getg()->m->spinning = true; }

#ifdef BOOT_HOSTED
static bool haveTemplateThread();
static std::int32_t newmComing;  // sched.lock: threads that were asked for by startmLater and are not there yet

// Takes a goroutine that is locked to its thread off the global queue; null if there is none. sched.lock is held.
static g* globrunqgetlocked() {
  assertLockHeld(&sched.lock);
  g* before = nullptr;
  for (g* gp = sched.runq.head; gp != nullptr; before = gp, gp = gp->schedlink) {
    if (gp->lockedm == nullptr) continue;
    (before != nullptr ? before->schedlink : sched.runq.head) = gp->schedlink;
    if (sched.runq.tail == gp) sched.runq.tail = before;
    gp->schedlink = nullptr;
    sched.runqsize--;
    return gp;
  }
  return nullptr;
}

// First of all on a thread that was asked for by startmLater: a P, and a look for work.
static void joinLater() {
  m* mp = getg()->m;
  lock(&sched.lock);
  newmComing--;
  p* pp = pidleget();
  unlock(&sched.lock);
  if (pp == nullptr) return stopm();
  acquirep(pp);
  mp->spinning = true;
  atomic::Xadd(&sched.nmspinning, 1u);
}

// startm where libc makes the threads and none is idle. It needs locks for that, its own and those of allocators and
// sanitizers, and who holds such a lock may be a goroutine that waits for a P. So no P waits for a thread: it is put with
// the idle ones, and its work on the global queue; the new thread takes one if there is one when it comes. And no thread
// with a P makes threads: the template thread does. sched.lock is held, and released. startm has had nmspinning raised
// for `spinning`; that ends here, since nobody knows how long the thread takes.
static void startmLater(p* pp, bool spinning) {
  if (spinning && static_cast<std::int32_t>(atomic::Xadd(&sched.nmspinning, ~0u)) < 0)
    throw_("startmLater: negative nmspinning");
  yieldqflush(pp);
  bool inherit;
  while (g* gp = runqget(pp, &inherit)) globrunqput(gp);
  if (atomic::Load(&sched.gcwaiting) != 0) {  // the world stops, and this P is one that it waits for
    atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pgcstop));
    if (--sched.stopwait == 0) notewakeup(&sched.stopnote);
    unlock(&sched.lock);
    return;
  }
  // A goroutine that came out of a call of libc's, and waits on its own thread: perhaps the one with such a lock.
  if (g* gp = globrunqgetlocked(); gp != nullptr) {
    m* mp = gp->lockedm;
    if (mp->nextp != nullptr) throw_("startmLater: m has p");
    mp->nextp = pp;
    sched.nmidlelocked--;
    unlock(&sched.lock);
    notewakeup(&mp->park);
    return;
  }
  pidleput(pp);
  if (newmComing >= static_cast<std::int32_t>(atomic::Load(&sched.npidle))) {
    unlock(&sched.lock);
    return;
  }
  newmComing++;
  std::int64_t id = mReserveID();
  unlock(&sched.lock);
  systemstack([&] {
    m* mp = allocm(nullptr, joinLater, id);
    mp->sigmask = initSigmask;
    newmByTemplate(mp);
  });
}
#endif

// An M for pp, or for an idle P if pp is null (none: nothing to do). spinning: the caller has counted it in nmspinning,
// and the M starts out looking for work.
LANDMARK void startm(p* pp, bool spinning) {
  m* self = acquirem();
  lock(&sched.lock);
  if (pp == nullptr) {
    pp = pidleget();
    if (pp == nullptr) {
      // Under the lock: whoever finds a P idle again must not find this count any more, or it would wake nobody.
      if (spinning && static_cast<std::int32_t>(atomic::Xadd(&sched.nmspinning, ~0u)) < 0)
        throw_("startm: negative nmspinning");
      unlock(&sched.lock);
      releasem(self);
      return;
    }
  }
  m* mp = mget();
#ifdef BOOT_HOSTED
  if (mp == nullptr && haveTemplateThread()) {
    startmLater(pp, spinning);
    releasem(self);
    return;
  }
#endif
  if (mp == nullptr) {
    // The id is taken now, under the lock: else the new M might not be counted yet when checkdead adds up.
    std::int64_t id = mReserveID();
    unlock(&sched.lock);
    systemstack([&] { newm(spinning ? mspinning : nullptr, pp, id); });
    releasem(self);
    return;
  }
  unlock(&sched.lock);
  if (mp->spinning) throw_("startm: m is spinning");
  if (mp->nextp != nullptr) throw_("startm: m has p");
  if (spinning && !runqempty(pp)) throw_("startm: p has runnable gs");
  mp->spinning = spinning;
  mp->nextp = pp;
  notewakeup(&mp->park);
  releasem(self);
}

// Gives away a P whose M goes into a system call or is locked: to another M if there is work, else to the idle list.
LANDMARK void handoffp(p* pp) {
  if (!runqempty(pp) || sched.runqsize != 0) return startm(pp, false);
  if (hooks.findRunnableGCWorker != nullptr && atomic::Load(&gcBlackenEnabled) != 0) return startm(pp, false);
  if (hooks.traceReader != nullptr) return startm(pp, false);
  // Nobody spins and nobody is idle: then this P must look, or work made meanwhile would wait for nobody.
  if (atomic::Load(&sched.nmspinning) + atomic::Load(&sched.npidle) == 0 && atomic::Cas(&sched.nmspinning, 0u, 1u))
    return startm(pp, true);
  lock(&sched.lock);
  if (atomic::Load(&sched.gcwaiting) != 0) {
    atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pgcstop));
    if (--sched.stopwait == 0) notewakeup(&sched.stopnote);
    unlock(&sched.lock);
    return;
  }
  if (sched.runqsize != 0) {
    unlock(&sched.lock);
    return startm(pp, false);
  }
  // The last running P must keep an eye on the network.
  if (atomic::Load(&sched.npidle) == static_cast<std::uint32_t>(gomaxprocs - 1) && atomic::Load(&sched.lastpoll) != 0 &&
      netpollinited()) {
    unlock(&sched.lock);
    return startm(pp, false);
  }
  std::int64_t when = nobarrierWakeTime(pp);
  pidleput(pp);
  unlock(&sched.lock);
  if (when != 0) {
    std::int64_t until = atomic::Load(&sched.pollUntil);
    if (atomic::Load(&sched.lastpoll) == 0) {
      if (until == 0 || until > when) netpollBreak();  // a poller sleeps past our timer
    } else {
      wakep();  // nobody polls: somebody must, to wait for it
    }
  }
}

// Stops for a stop-the-world, giving up the P.
LANDMARK void gcstopm() {
  m* mp = getg()->m;
  if (atomic::Load(&sched.gcwaiting) == 0) throw_("gcstopm: not waiting for gc");
  if (mp->spinning) {
    mp->spinning = false;
    if (static_cast<std::int32_t>(atomic::Xadd(&sched.nmspinning, ~0u)) < 0) throw_("gcstopm: negative nmspinning");
  }
  p* pp = releasep();
  lock(&sched.lock);
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Pgcstop));
  if (--sched.stopwait == 0) notewakeup(&sched.stopnote);
  unlock(&sched.lock);
  stopm();
}

// ---- goroutines tied to threads ----

// The M of a locked goroutine that is not running waits here; startlockedm brings it a P with the goroutine.
LANDMARK void stoplockedm() {
  m* mp = getg()->m;
  if (mp->lockedg == nullptr || mp->lockedg->lockedm != mp) throw_("stoplockedm: inconsistent locking");
  if (mp->p != nullptr) handoffp(releasep());
  lock(&sched.lock);
  sched.nmidlelocked++;
  checkdead();
  unlock(&sched.lock);
  mPark();
  std::uint32_t status = readgstatus(mp->lockedg);
  if (status != _Grunnable) {
    printf("runtime: g{} is locked to m{} and has status {}\n", mp->lockedg->goid, mp->id, status);
    throw_("stoplockedm: not runnable");
  }
  acquirep(mp->nextp);
  mp->nextp = nullptr;
}

// Hands our P to the M that gp is locked to, and waits for another.
LANDMARK void startlockedm(g* gp) {
  m* mp = gp->lockedm;
  if (mp == getg()->m) throw_("startlockedm: locked to me");
  if (mp->nextp != nullptr) throw_("startlockedm: m has p");
  mp->nextp = releasep();
  // Idle before the other is awake: should that one give the P away at once, it finds us and need not make a thread.
  lock(&sched.lock);
  sched.nmidlelocked--;
  mput(getg()->m);
  unlock(&sched.lock);
  notewakeup(&mp->park);
  mPark();
  m* self = getg()->m;
  acquirep(self->nextp);
  self->nextp = nullptr;
}

// ---- the template thread ----

// A thread whose kernel state the user may have changed (LockOSThread) must not be the parent of others. Such requests
// are handed to a thread kept for that; in hosted mode all are (startmLater).
static struct {
  mutex lock{0, lockRankNewmHandoff};
  m* newm;       // lock: list through schedlink
  bool waiting;  // lock: the template thread sleeps on wake
  note wake;
  std::uint32_t haveTemplateThread;  // atomic
} newmHandoff = {};

static void templateThread() GOSYM("runtime.templateThread");
static void templateThread() {
  lock(&sched.lock);
  sched.nmsys++;
  checkdead();
  unlock(&sched.lock);
  for (;;) {
    lock(&newmHandoff.lock);
    while (newmHandoff.newm != nullptr) {
      m* newm = newmHandoff.newm;
      newmHandoff.newm = nullptr;
      unlock(&newmHandoff.lock);
      while (newm != nullptr) {
        m* next = newm->schedlink;
        newm->schedlink = nullptr;
        newm1(newm);
        newm = next;
      }
      lock(&newmHandoff.lock);
    }
    newmHandoff.waiting = true;
    noteclear(&newmHandoff.wake);
    unlock(&newmHandoff.lock);
    notesleep(&newmHandoff.wake);
  }
}

#ifdef BOOT_HOSTED
static bool haveTemplateThread() { return atomic::Load(&newmHandoff.haveTemplateThread) != 0; }
#endif

void startTemplateThread() {
  m* mp = acquirem();
  if (atomic::Cas(&newmHandoff.haveTemplateThread, 0u, 1u)) newm(templateThread, nullptr, -1);
  releasem(mp);
}

void newmByTemplate(m* mp) {
  lock(&newmHandoff.lock);
  if (newmHandoff.haveTemplateThread == 0) throw_("on a locked thread with no template thread");
  mp->schedlink = newmHandoff.newm;
  newmHandoff.newm = mp;
  if (newmHandoff.waiting) {
    newmHandoff.waiting = false;
    notewakeup(&newmHandoff.wake);
  }
  unlock(&newmHandoff.lock);
}

// ---- LockOSThread ----

static void dolockOSThread() {
  g* gp = getg();
  gp->m->lockedg = gp;
  gp->lockedm = gp->m;
}

static void dounlockOSThread() {
  g* gp = getg();
  m* mp = gp->m;
  if (mp->lockedInt != 0 || mp->lockedExt != 0) return;
  mp->lockedg = nullptr;
  gp->lockedm = nullptr;
}

BOOTMARK void lockOSThread() {
  getg()->m->lockedInt++;
  dolockOSThread();
}

BOOTMARK void unlockOSThread() {
  m* mp = getg()->m;
  if (mp->lockedInt == 0) throw_("runtime: internal error: misuse of lockOSThread/unlockOSThread");
  mp->lockedInt--;
  dounlockOSThread();
}

LANDMARK void LockOSThread() {
  if (atomic::Load(&newmHandoff.haveTemplateThread) == 0) startTemplateThread();
  m* mp = getg()->m;
  if (++mp->lockedExt == 0) {
    mp->lockedExt--;
    fatal("LockOSThread nesting overflow");
  }
  dolockOSThread();
}

LANDMARK void UnlockOSThread() {
  m* mp = getg()->m;
  if (mp->lockedExt == 0) return;
  mp->lockedExt--;
  dounlockOSThread();
}

}  // namespace runtime

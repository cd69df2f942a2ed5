// Locks and notes on futexes: how threads, not goroutines, wait for each other.
//
// A lock's key:   unlocked ─lock→ locked ─a waiter goes to sleep→ sleeping ─unlock→ unlocked, one sleeper is woken
// A note's key:   0 ─notewakeup→ 1;  noteclear makes it 0 again when nobody sleeps on it.
//
// Invariants
//   - While anybody sleeps on a lock its key is `sleeping`: who wakes up takes the lock by storing `sleeping`, not
//     `locked`, because there may be more like it. The price is now and then a wake-up for nobody.
//   - m.locks counts the locks that this M holds; a goroutine with m.locks > 0 is not preempted, so a holder never
//     waits in a run queue while others spin.
//   - notesleep and notetsleep run on g0: the M sleeps, and a goroutine's P must not sleep with it.
//
// A waiter spins first: a lock of the runtime is held for some hundred instructions, far less than a sleep costs. On one
// CPU the holder can't run meanwhile, so there is no spinning, only a yield.
// Locks that only goroutines take have a slow path of their own (lockuser): sync/onep.h says why.
// Way not taken: a queue of waiters, first come first served. It makes every hand-over a context switch.
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/os/os_linux.h"

namespace runtime {

namespace {

enum : std::uint32_t { mutex_unlocked = 0, mutex_locked = 1, mutex_sleeping = 2 };
constexpr int active_spin = 4;
constexpr std::uint32_t active_spin_cnt = 30;
constexpr int passive_spin = 1;

// Takes l when it is free, as `locked` or, if this M has slept on it, as `sleeping`.
ALWAYS_INLINE bool tryLock(mutex* l, std::uint32_t as) {
  while (atomic::LoadRelaxed(&l->key) == mutex_unlocked)
    if (atomic::Cas(&l->key, mutex_unlocked, as)) return true;
  return false;
}

[[gnu::noinline]] void lockSlow(mutex* l, std::uint32_t v) {
  std::uint32_t wait = v;
  const int spin = ncpu > 1 ? active_spin : 0;
  for (;;) {
    for (int i = 0; i < spin; i++) {
      if (tryLock(l, wait)) return;
      procyield(active_spin_cnt);
    }
    for (int i = 0; i < passive_spin; i++) {
      if (tryLock(l, wait)) return;
      osyield();
    }
    v = atomic::Xchg(&l->key, mutex_sleeping);
    if (v == mutex_unlocked) return;
    wait = mutex_sleeping;
    futexsleep(&l->key, mutex_sleeping, -1);
  }
}

// Preemption that was asked for while locks were held is asked for again.
ALWAYS_INLINE void afterUnlock(g* gp, m* mp) {
  mp->locks--;
  if (UNLIKELY(mp->locks < 0)) throw_("runtime·unlock: lock count");
  if (UNLIKELY(mp->locks == 0 && gp->preempt)) {
    gp->stackguard0 = stackPreempt;
    setguard(stackPreempt);
  }
}

// The sleep of a note until it is woken or ns have passed (ns < 0: no limit).
bool notetsleep_internal(note* n, std::int64_t ns) {
  m* mp = getg()->m;
  if (ns < 0) {
    while (atomic::Load(&n->key) == 0) {
      mp->blocked = true;
      futexsleep(&n->key, 0, -1);
      mp->blocked = false;
    }
    return true;
  }
  if (atomic::Load(&n->key) != 0) return true;
  std::int64_t now = nanotime();
  std::int64_t deadline = now > INT64_MAX - ns ? INT64_MAX : now + ns;
  for (;;) {
    mp->blocked = true;
    futexsleep(&n->key, 0, deadline - now);
    mp->blocked = false;
    if (atomic::Load(&n->key) != 0) return true;
    now = nanotime();
    if (now >= deadline) return false;
  }
}

}  // namespace

void lock2(mutex* l) {
  m* mp = getg()->m;
  if (UNLIKELY(mp->locks < 0)) throw_("runtime·lock: lock count");
  mp->locks++;
  std::uint32_t v = atomic::Xchg(&l->key, mutex_locked);
  if (LIKELY(v == mutex_unlocked)) return;
  lockSlow(l, v);
}

void unlock2(mutex* l) {
  std::uint32_t v = atomic::Xchg(&l->key, mutex_unlocked);
  if (UNLIKELY(v != mutex_locked)) {
    if (v == mutex_unlocked) throw_("unlock of unlocked lock");
    futexwakeup(&l->key, 1);
  }
  g* gp = getg();
  afterUnlock(gp, gp->m);
}

void lock(mutex* l) {
#ifdef BOOT_LOCKRANK
  lockRankAcquire(l);
#endif
  lock2(l);
}

void unlock(mutex* l) {
#ifdef BOOT_LOCKRANK
  lockRankRelease(l);
#endif
  unlock2(l);
}

void lockuser(mutex* l) {
  getg()->m->locks++;
  const int spin = ncpu > 1 ? active_spin : 0;
  for (std::uint32_t round = 0;; round++) {
    for (int i = 0; i < spin; i++) {
      if (tryLock(l, mutex_locked)) return;
      procyield(active_spin_cnt);
    }
    if (tryLock(l, mutex_locked)) return;
    // The holder is not running. On the same processor it gets there by a yield, on another by that one's kernel.
    if (round < 10)
      osyield();
    else
      usleep(round < 20 ? 50 : 500);
  }
}

void noteclear(note* n) { n->key = 0; }

LANDMARK void notewakeup(note* n) {
  std::uint32_t old = atomic::Xchg(&n->key, 1);
  if (UNLIKELY(old != 0)) {
    printf("notewakeup - double wakeup ({})\n", old);
    throw_("notewakeup - double wakeup");
  }
  futexwakeup(&n->key, 1);
}

LANDMARK void notesleep(note* n) {
  g* gp = getg();
  if (gp != gp->m->g0) throw_("notesleep not on g0");
  notetsleep_internal(n, -1);
}

LANDMARK bool notetsleep(note* n, std::int64_t ns) {
  g* gp = getg();
  if (gp != gp->m->g0 && gp->m->preemptoff != nullptr) throw_("notetsleep not on g0");
  return notetsleep_internal(n, ns);
}

}  // namespace runtime

// Mutex, RWMutex, Once and WaitGroup (Go's package sync), on semaphores.
//
// Owns: the meaning of the state words of syncMutex, syncRWMutex, syncOnce and syncWaitGroup.
//
// A Mutex is in one of two modes. Normal: waiters queue first in, first out, but a woken waiter competes with those
// that arrive, and these, being on a CPU already, mostly win: fast. If a waiter fails for more than 1 ms it switches to
// starvation mode: then Unlock hands the mutex to the first waiter, and nobody else takes it even if it looks free.
// The waiter goes back to normal mode when it is the last one or waited for less than 1 ms.
//
// The last access to an object is the one by which it is given back: another goroutine may take it then, and free its
// memory, as C++ programs do. What follows, waking somebody, needs only the address, or touches a semaphore for a waiter
// who can't have gone, because it is not woken yet. Go, whose memory is collected, gives back in two steps and looks again.
//
// These functions are out of line on purpose: here, in runtime text, the state word needs no "lock" prefix while
// GOMAXPROCS is 1 (onep.h); inlined into user code it would always.
#ifndef __clang__
// gcc puts unlikely parts into functions named X.cold, and forgets the quotes that symbols with parentheses need.
#pragma GCC optimize("no-reorder-blocks-and-partition")
#endif
#include "runtime/base/panic.h"
#include "runtime/os/os_linux.h"
#include "runtime/sync/onep.h"
#include "runtime/sync/sync.h"

namespace runtime {

namespace {

constexpr std::int32_t mutexLocked = 1;
constexpr std::int32_t mutexWoken = 2;  // a waiter is awake and trying: Unlock need not wake another
constexpr std::int32_t mutexStarving = 4;
constexpr int mutexWaiterShift = 3;
constexpr std::int32_t oneWaiter = 1 << mutexWaiterShift;
constexpr std::int64_t starvationThresholdNs = 1000000;

constexpr int kActiveSpin = 4, kActiveSpinCnt = 30;
constexpr std::int32_t rwmutexMaxReaders = 1 << 30;

// Spinning pays only if the owner can be running, and if nothing else waits for this P.
bool canSpin(int iter) {
  if (iter >= kActiveSpin || ncpu <= 1 ||
      gomaxprocs <= static_cast<std::int32_t>(atomic::Load(&sched.npidle) + atomic::Load(&sched.nmspinning)) + 1)
    return false;
  return runqempty(getg()->m->p);
}

[[gnu::noinline]] void lockSlow(syncMutex* mu) {
  std::int64_t waitStart = 0;
  bool starving = false;
  bool awoke = false;
  int iter = 0;
  std::int32_t old = atomic::Load(&mu->state);
  for (;;) {
    if ((old & (mutexLocked | mutexStarving)) == mutexLocked && canSpin(iter)) {
      // Tell Unlock that somebody is awake already.
      if (!awoke && (old & mutexWoken) == 0 && old >> mutexWaiterShift != 0 &&
          userCas(&mu->state, old, old | mutexWoken))
        awoke = true;
      procyield(kActiveSpinCnt);
      iter++;
      old = atomic::Load(&mu->state);
      continue;
    }
    std::int32_t nw = old;
    if ((old & mutexStarving) == 0) nw |= mutexLocked;  // a starving mutex is for those who wait
    if ((old & (mutexLocked | mutexStarving)) != 0) nw += oneWaiter;
    // Only a locked mutex may become starving: Unlock relies on there being a waiter.
    if (starving && (old & mutexLocked) != 0) nw |= mutexStarving;
    if (awoke) {
      if ((nw & mutexWoken) == 0) throw_("sync: inconsistent mutex state");
      nw &= ~mutexWoken;
    }
    if (!userCas(&mu->state, old, nw)) {
      old = atomic::Load(&mu->state);
      continue;
    }
    if ((old & (mutexLocked | mutexStarving)) == 0) return;
    bool again = waitStart != 0;  // who waited before waits at the head
    if (!again) waitStart = nanotime();
    semacquire1(&mu->sema, again);
    starving = starving || nanotime() - waitStart > starvationThresholdNs;
    old = atomic::Load(&mu->state);
    if ((old & mutexStarving) != 0) {
      // The mutex was handed to us: still counted as a waiter, not yet marked locked.
      if ((old & (mutexLocked | mutexWoken)) != 0 || old >> mutexWaiterShift == 0)
        throw_("sync: inconsistent state of a starving mutex");
      std::int32_t delta = mutexLocked - oneWaiter;
      if (!starving || old >> mutexWaiterShift == 1) delta -= mutexStarving;
      userXadd(&mu->state, delta);
      return;
    }
    awoke = true;
    iter = 0;
  }
}

// What Unlock makes of a state, in one step: after it the mutex is somebody else's, and may be gone. Only a waiter that is
// to be woken keeps it alive until then.
ALWAYS_INLINE std::int32_t unlocked(std::int32_t old) {
  std::int32_t nw = old - mutexLocked;
  // A starving mutex is handed over as it is. Else a waiter is woken, unless one is awake.
  if (nw >> mutexWaiterShift != 0 && (nw & (mutexWoken | mutexStarving)) == 0) nw = (nw - oneWaiter) | mutexWoken;
  return nw;
}

// The second half: wakes the waiter that `unlocked` has spoken of. The semaphore's address is all that it needs.
ALWAYS_INLINE void wakeUnlocked(syncMutex* mu, std::int32_t old, std::int32_t nw) {
  if ((nw & mutexStarving) != 0)
    semrelease1(&mu->sema, true);
  else if (nw != old - mutexLocked)
    semrelease1(&mu->sema, false);
}

[[gnu::noinline]] void unlockSlow(syncMutex* mu) {
  for (;;) {
    std::int32_t old = atomic::Load(&mu->state);
    if ((old & mutexLocked) == 0) fatal("sync: unlock of unlocked mutex");
    std::int32_t nw = unlocked(old);
    if (!userCas(&mu->state, old, nw)) continue;
    return wakeUnlocked(mu, old, nw);
  }
}

// Unlocks a mutex and sets the word before it from x to f(x), in one step.
struct unlockedWith {
  std::int32_t x, old, nw;  // the word as it was; the mutex's state before and after
};
template <class F>
ALWAYS_INLINE unlockedWith unlockWith(std::int32_t* word, F f) {
  using both [[gnu::may_alias]] = std::uint64_t;
  auto* p = reinterpret_cast<both*>(word);
  for (;;) {
    std::uint64_t v = atomic::Load(p);
    unlockedWith u;
    u.x = static_cast<std::int32_t>(v);
    u.old = static_cast<std::int32_t>(v >> 32);
    u.nw = unlocked(u.old);
    auto y = static_cast<std::uint32_t>(f(u.x));
    if (userCas(p, v, std::uint64_t{static_cast<std::uint32_t>(u.nw)} << 32 | y)) return u;
  }
}

}  // namespace

LANDMARK void mutexLock(syncMutex* mu) {
  NEEDS_P(mutexLock(mu));
  preemptpoint();
  if (LIKELY(userCas(&mu->state, 0, mutexLocked))) return;
  lockSlow(mu);
}

LANDMARK bool mutexTryLock(syncMutex* mu) {
  NEEDS_P(mutexTryLock(mu));
  std::int32_t old = atomic::Load(&mu->state);
  if ((old & (mutexLocked | mutexStarving)) != 0) return false;
  return userCas(&mu->state, old, old | mutexLocked);
}

LANDMARK void mutexUnlock(syncMutex* mu) {
  NEEDS_P(mutexUnlock(mu));
  if (LIKELY(userCas(&mu->state, mutexLocked, 0))) return;
  unlockSlow(mu);
}

// ---- RWMutex: a writer announces itself by making readerCount negative; later readers wait for it, and it waits for
// those before it. So neither side starves the other. ----

LANDMARK void rwmutexRLock(syncRWMutex* rw) {
  NEEDS_P(rwmutexRLock(rw));
  preemptpoint();
  if (userXadd(&rw->readerCount, 1) < 0) semacquire1(&rw->readerSem, false);
}

LANDMARK bool rwmutexTryRLock(syncRWMutex* rw) {
  NEEDS_P(rwmutexTryRLock(rw));
  for (;;) {
    std::int32_t c = atomic::Load(&rw->readerCount);
    if (c < 0) return false;
    if (userCas(&rw->readerCount, c, c + 1)) return true;
  }
}

LANDMARK void rwmutexRUnlock(syncRWMutex* rw) {
  NEEDS_P(rwmutexRUnlock(rw));
  std::int32_t r = userXadd(&rw->readerCount, -1);
  if (LIKELY(r >= 0)) return;
  if (r + 1 == 0 || r + 1 == -rwmutexMaxReaders) fatal("sync: RUnlock of unlocked RWMutex");
  if (userXadd(&rw->readerWait, -1) == 0) semrelease1(&rw->writerSem, false);  // the last one before the writer
}

LANDMARK void rwmutexLock(syncRWMutex* rw) {
  NEEDS_P(rwmutexLock(rw));
  mutexLock(&rw->w);
  std::int32_t readers = userXadd(&rw->readerCount, -rwmutexMaxReaders) + rwmutexMaxReaders;
  if (readers != 0 && userXadd(&rw->readerWait, readers) != 0) semacquire1(&rw->writerSem, false);
}

LANDMARK bool rwmutexTryLock(syncRWMutex* rw) {
  NEEDS_P(rwmutexTryLock(rw));
  if (!mutexTryLock(&rw->w)) return false;
  if (userCas(&rw->readerCount, 0, -rwmutexMaxReaders)) return true;
  mutexUnlock(&rw->w);
  return false;
}

LANDMARK void rwmutexUnlock(syncRWMutex* rw) {
  NEEDS_P(rwmutexUnlock(rw));
  // Readers are let in and the next writer, too, in one step: a reader that comes in may be the last to know this lock.
  unlockedWith u = unlockWith(&rw->readerCount, [](std::int32_t c) {
    if (c >= 0) fatal("sync: Unlock of unlocked RWMutex");
    return c + rwmutexMaxReaders;
  });
  // Each of those that waited keeps it alive until it is woken.
  for (std::int32_t i = u.x + rwmutexMaxReaders; i > 0; i--) semrelease1(&rw->readerSem, false);
  wakeUnlocked(&rw->w, u.old, u.nw);
}

// ---- Once: the function has been called, and those who wait for that may go on, in one step ----

LANDMARK void onceLock(syncOnce* o) { mutexLock(&o->m); }

LANDMARK void onceUnlock(syncOnce* o) {
  NEEDS_P(onceUnlock(o));
  unlockedWith u = unlockWith(&o->done, [](std::int32_t) { return 1; });
  wakeUnlocked(&o->m, u.old, u.nw);
}

// ---- WaitGroup ----

LANDMARK void waitgroupAdd(syncWaitGroup* wg, std::int64_t delta) {
  NEEDS_P(waitgroupAdd(wg, delta));
  std::uint64_t state = userXadd(&wg->state, static_cast<std::uint64_t>(delta) << 32);
  auto v = static_cast<std::int32_t>(state >> 32);
  auto w = static_cast<std::uint32_t>(state);
  if (UNLIKELY(v < 0)) panicplain("sync: negative WaitGroup counter");
  if (UNLIKELY(w != 0 && delta > 0 && v == static_cast<std::int32_t>(delta)))
    panicplain("sync: WaitGroup misuse: Add called concurrently with Wait");
  if (v > 0 || w == 0) return;
  // The counter is 0 and somebody waits: by the rules of use nobody changes the state now.
  if (atomic::Load(&wg->state) != state) panicplain("sync: WaitGroup misuse: Add called concurrently with Wait");
  atomic::Store(&wg->state, 0u);
  for (; w != 0; w--) semrelease1(&wg->sema, false);
}

LANDMARK void waitgroupWait(syncWaitGroup* wg) {
  NEEDS_P(waitgroupWait(wg));
  for (;;) {
    std::uint64_t state = atomic::Load(&wg->state);
    if (state >> 32 == 0) return;
    if (!userCas(&wg->state, state, state + 1)) continue;
    semacquire1(&wg->sema, false);
    if (atomic::Load(&wg->state) != 0) panicplain("sync: WaitGroup is reused before previous Wait has returned");
    return;
  }
}

}  // namespace runtime

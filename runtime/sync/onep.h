// Locks and atomic words that only goroutines use, and what they cost while GOMAXPROCS is 1: nothing.
//
// With one P only one thread at a time runs code that holds a P. So between goroutines a plain load and store is
// atomic, provided that none is interrupted between the two. It is not:
//   - runtime text is never preempted, neither by a prologue check nor by a signal, and all of this is called from
//     runtime text only; callbacks to user code under such a lock run with m.locks raised;
//   - GOMAXPROCS changes with the world stopped, that is with no goroutine inside a function of the runtime that has
//     not parked. So one critical section sees one value of gomaxprocs, in its lock and its unlock; a goroutine that
//     parks gives its lock back before another runs, and looks at gomaxprocs afresh when it wakes.
// A "lock" prefix costs some 5 ns, a lock and unlock pair 10: more than the rest of a send into a buffer.
// Locks that threads without a P take (sched.lock, allpLock) can't be elided so.
//
// With more Ps the lock is taken by a locked instruction and given back by a plain store: who waits for it (lockuser)
// spins, yields and naps, and never needs to be woken. That is half of the price, and a third off a buffered channel
// between two Ps. It suits locks that are held for some ten instructions: only when the kernel has taken the
// processor from the holder is the wait long, and then nobody can end it but the kernel.
// Way not taken: a futex and, for who is about to sleep, membarrier, so that unlock may look for sleepers without a fence.
// The wake-up comes sooner, but three states of a lock and a second protocol for their changes guard against a wait
// that hardly happens.
#pragma once

#include "runtime/sched/proc.h"

namespace runtime {

ALWAYS_INLINE bool oneP() { return LIKELY(gomaxprocs == 1); }

// The lock itself, where it is not elided. Under BOOT_LOCKRANK it is as any other, with the checks of lock and unlock.
ALWAYS_INLINE void lockfast(mutex* l) {
#ifdef BOOT_LOCKRANK
  lock(l);
#else
  if (LIKELY(atomic::Cas(&l->key, 0, 1)))
    getg()->m->locks++;
  else
    lockuser(l);
#endif
}
ALWAYS_INLINE void unlockfast(mutex* l) {
#ifdef BOOT_LOCKRANK
  unlock(l);
#else
  if (UNLIKELY(atomic::LoadRelaxed(&l->key) != 1)) return unlock(l);  // which says what is wrong
  atomic::StoreRel(&l->key, 0);
  releasem(getg()->m);
#endif
}

// A lock that only goroutines take.
ALWAYS_INLINE void userlock(mutex* l) {
  if (!oneP()) lockfast(l);
}
ALWAYS_INLINE void userunlock(mutex* l) {
  if (!oneP()) unlockfast(l);
}

inline bool unlockcommit(g*, void* l) {
  unlockfast(static_cast<mutex*>(l));
  return true;
}
// Parks and gives the lock back once the goroutine is off its stack: not before, or a waker on another thread could run
// it while this one is still on it.
ALWAYS_INLINE void parkuserunlock(mutex* l, waitReason reason) {
  if (oneP())
    gopark(nullptr, nullptr, reason);
  else
    gopark(unlockcommit, l, reason);
}

// Atomic operations on a word that only goroutines use.
template <class T>
ALWAYS_INLINE bool userCas(T* p, std::type_identity_t<T> old, std::type_identity_t<T> v) {
  if (!oneP()) return atomic::Cas(p, old, v);
  if (*p != old) return false;
  atomic::StoreRelaxed(p, v);
  return true;
}
template <class T>
ALWAYS_INLINE T userXchg(T* p, std::type_identity_t<T> v) {  // the old value
  if (!oneP()) return atomic::Xchg(p, v);
  T old = *p;
  atomic::StoreRelaxed(p, v);
  return old;
}
template <class T>
ALWAYS_INLINE T userXadd(T* p, std::type_identity_t<T> d) {  // the new value
  if (!oneP()) return atomic::Xadd(p, d);
  T v = static_cast<T>(*p + d);
  atomic::StoreRelaxed(p, v);
  return v;
}

}  // namespace runtime

// The order in which the runtime's locks may be taken, as data.
//
// Owns: the ranks, and the table of which locks may be held when one is taken. Built with BOOT_LOCKRANK (the debug
// preset) every lock checks itself against it and throws with the list of held locks; a test checks the table for
// cycles. A new lock gets a rank and a row here first: one without a rank throws when it is taken for the first time.
#pragma once

#include "runtime/base/runtime2.h"

namespace runtime {

enum lockRank : std::uint32_t {
  lockRankUnknown,  // no rank: the checks throw when such a lock is taken
  lockRankWorld,    // worldsema's queue
  lockRankExit,     // exit functions
  lockRankPark,     // the table of what the C++ library parks on
  lockRankNewmHandoff,
  lockRankSysmon,
  lockRankScavenge,
  lockRankForcegc,
  lockRankAssistQueue,
  lockRankSweep,
  lockRankNoP,  // the cache of those who have no P; the collector holds it as long as the world is stopped
  lockRankGcController,
  lockRankSched,
  lockRankAllg,
  lockRankAllp,
  lockRankTimers,
  lockRankItab,
  lockRankHchan,
  lockRankFin,
  lockRankNotifyList,
  lockRankRoot,  // semaphore table
  lockRankNetpollInit,
  lockRankPool,
  lockRankPoolLocal,
  lockRankWbufSpans,  // work buffers of the collector
  lockRankStackpool,
  lockRankStackSegments,
  lockRankMcentral,
  lockRankMheap,
  lockRankGlobalAlloc,
  lockRankGFree,
  lockRankCount,
};

extern const char* const lockNames[lockRankCount];
// Bit i of lockPartialOrder.row[r]: a lock of rank i may be held while one of rank r is taken.
struct lockTable {
  std::uint64_t row[lockRankCount];
};
extern const lockTable lockPartialOrder;

void lockInit(mutex* l, lockRank rank) __asm__("runtime.lockInit");
// For locks that nobody initialises, since they are zero in the user's objects or too many to be touched at the start: says
// the rank when the lock is about to be taken.
inline void lockRankSet(mutex* l, lockRank rank) {
#ifdef BOOT_LOCKRANK
  __atomic_store_n(&l->rank, static_cast<std::uint32_t>(rank), __ATOMIC_RELAXED);
#else
  static_cast<void>(l), static_cast<void>(rank);
#endif
}
// The checks; called by lock/unlock only under BOOT_LOCKRANK.
void lockRankAcquire(mutex* l);
void lockRankRelease(mutex* l);
// Throws unless l is held by this M (BOOT_LOCKRANK), or by somebody.
void assertLockHeld(mutex* l);

}  // namespace runtime

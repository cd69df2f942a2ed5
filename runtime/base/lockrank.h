// The order in which the runtime's locks may be taken, as data.
//
// Owns: the ranks, and the table of which locks may be held when one is taken. Built with BOOT_LOCKRANK (the debug
// preset) every lock checks itself against it and throws with the list of held locks; a test checks the table for
// cycles and prints the graph. A new lock gets a rank and a row here first.
#pragma once

#include "runtime/base/runtime2.h"

namespace runtime {

enum lockRank : std::uint32_t {
  lockRankUnknown,  // never checked: a lock nobody gave a rank (user level)
  lockRankSysmon,
  lockRankScavenge,
  lockRankForcegc,
  lockRankSweepWaiters,
  lockRankAssistQueue,
  lockRankSweep,
  lockRankPollDesc,
  lockRankSched,
  lockRankDeadlock,
  lockRankAllg,
  lockRankAllp,
  lockRankTimers,
  lockRankItab,
  lockRankHchan,
  lockRankFin,
  lockRankNotifyList,
  lockRankRoot,  // semaphore table
  lockRankNetpollInit,
  lockRankTrace,
  lockRankStackpool,
  lockRankStackLarge,
  lockRankMcentral,
  lockRankMheap,
  lockRankMheapSpecial,
  lockRankGlobalAlloc,
  lockRankPageAllocScav,
  lockRankGFree,
  lockRankPanic,
  lockRankSignal,
  lockRankBootTrace,
  lockRankCount,
};

extern const char* const lockNames[lockRankCount];
// Bit i of lockPartialOrder.row[r]: a lock of rank i may be held while one of rank r is taken.
struct lockTable {
  std::uint64_t row[lockRankCount];
};
extern const lockTable lockPartialOrder;

void lockInit(mutex* l, lockRank rank) __asm__("runtime.lockInit");
// The checks; called by lock/unlock only under BOOT_LOCKRANK.
void lockRankAcquire(mutex* l);
void lockRankRelease(mutex* l);
// Throws unless l is held by this M (BOOT_LOCKRANK), or by somebody.
void assertLockHeld(mutex* l);

}  // namespace runtime

// The order of the runtime's locks, as a table. The checks are in lockrank.cpp.
//
// Invariants
//   - A row lists every rank that may be held when a lock of the row's rank is taken, not just the one before it, so
//     each held lock is checked by itself.
//   - A row names lower ranks only, and its own where two locks of one kind are taken in an order of their own
//     (channels and timer heaps by address or id). So the relation has no cycle, whatever the table says.
// Way not taken: recording the order seen at run time and looking for cycles. It finds what the test happened to do;
// the table also finds the order that nobody meant.
#include "runtime/base/lockrank.h"

namespace runtime {

const char* const lockNames[lockRankCount] = {
    "UNKNOWN",   "world",      "exit",          "park",        "newmHandoff", "sysmon",
    "scavenge",  "forcegc",    "assistQueue",   "sweep",       "noP",         "gcController",
    "sched",     "allg",       "allp",          "timers",      "itab",        "hchan",
    "fin",       "notifyList", "root",          "netpollInit", "pool",        "poolLocal",
    "wbufSpans", "stackpool",  "stackSegments", "mcentral",    "mheap",       "globalAlloc.mutex",
    "gFree",
};

namespace {

constexpr std::uint64_t bit(lockRank r) { return std::uint64_t{1} << r; }
template <class... R>
constexpr std::uint64_t held(R... r) {
  return (std::uint64_t{0} | ... | bit(r));
}
constexpr std::uint64_t below(lockRank r) { return (bit(r) - 1) & ~bit(lockRankUnknown); }

// What may be held around sched.lock, and what code that readies goroutines may hold.
constexpr std::uint64_t aboveSched = held(lockRankSysmon, lockRankScavenge, lockRankForcegc, lockRankAssistQueue,
                                          lockRankSweep, lockRankNoP, lockRankPark);
constexpr std::uint64_t schedAndAbove = aboveSched | bit(lockRankSched);
// What code that allocates memory may hold. Everything that blocks a goroutine comes before the allocator.
constexpr std::uint64_t aboveMalloc = below(lockRankStackpool);

constexpr lockTable lockOrder = [] {
  lockTable t{};
  auto& o = t.row;
  o[lockRankWorld] = 0;
  o[lockRankExit] = 0;
  o[lockRankPark] = 0;
  o[lockRankNewmHandoff] = 0;
  o[lockRankSysmon] = 0;
  o[lockRankScavenge] = held(lockRankSysmon);
  o[lockRankForcegc] = held(lockRankSysmon);
  o[lockRankAssistQueue] = 0;
  o[lockRankSweep] = 0;
  // Whoever allocates without a P holds nothing that the collector takes while it holds this.
  o[lockRankNoP] = held(lockRankExit);
  o[lockRankGcController] = held(lockRankNoP);
  o[lockRankSched] = aboveSched;
  o[lockRankAllg] = schedAndAbove;
  o[lockRankAllp] = schedAndAbove;
  o[lockRankTimers] = schedAndAbove | held(lockRankAllp, lockRankTimers);
  o[lockRankItab] = 0;
  o[lockRankHchan] = held(lockRankScavenge, lockRankSweep, lockRankHchan);
  o[lockRankFin] = schedAndAbove | held(lockRankAllg, lockRankTimers, lockRankHchan);
  o[lockRankNotifyList] = 0;
  o[lockRankRoot] = 0;
  o[lockRankNetpollInit] = held(lockRankTimers) | schedAndAbove;
  o[lockRankPool] = held(lockRankNoP);  // emptied while the world is stopped
  o[lockRankPoolLocal] = held(lockRankNoP, lockRankPool);
  o[lockRankWbufSpans] = held(lockRankNoP, lockRankFin);
  o[lockRankStackpool] = aboveMalloc;
  o[lockRankStackSegments] = aboveMalloc | bit(lockRankStackpool);
  o[lockRankMcentral] = aboveMalloc;
  o[lockRankMheap] = aboveMalloc | held(lockRankStackpool, lockRankStackSegments, lockRankMcentral);
  o[lockRankGlobalAlloc] = o[lockRankMheap] | bit(lockRankMheap);
  o[lockRankGFree] = held(lockRankSched);
  return t;
}();

constexpr bool onlyLower() {
  for (std::uint32_t r = 0; r < lockRankCount; r++)
    if ((lockOrder.row[r] & ~((bit(static_cast<lockRank>(r)) << 1) - 1)) != 0) return false;
  return true;
}
static_assert(onlyLower(), "a row names a higher rank");
static_assert(lockRankCount <= 64);

}  // namespace

constinit const lockTable lockPartialOrder = lockOrder;

}  // namespace runtime

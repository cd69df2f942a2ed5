// The checks of the lock order (lockrank.h); the order itself is lockorder.cpp's table.
//
// Each M keeps the list of the locks it holds. Taking one looks at all of them. A select holds as many locks of channels
// as it has cases; they are one entry, with their number and the highest address: a select locks by rising address and
// nobody else holds two, so that is also checked.
#include "runtime/base/lockrank.h"

#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/base/stubs.h"

namespace runtime {

namespace {

const char* rankName(std::uint32_t r) { return r < lockRankCount ? lockNames[r] : "BAD RANK"; }

void printHeldLocks(m* mp) {
  if (mp->nlocksHeld == 0) printf("<none>\n");
  for (std::int32_t i = 0; i < mp->nlocksHeld; i++) {
    auto& h = mp->locksHeld[i];
    printf("{} : {} {} {:#x}", i, rankName(h.rank), h.rank, reinterpret_cast<uintptr>(h.addr));
    if (h.count > 1) printf(" and {} of lower address", h.count - 1);
    printf("\n");
  }
}

[[noreturn]] void wrongOrder(m* mp) {
  printHeldLocks(mp);
  mp->nlocksHeld = 0;
  throw_("lock ordering problem");
}

constexpr std::int32_t kMaxHeld = sizeof(m::locksHeld) / sizeof(m::locksHeld[0]);

}  // namespace

void lockInit(mutex* l, lockRank rank) { l->rank = rank; }

void lockRankAcquire(mutex* l) {
  m* mp = getg()->m;
  // A crash may find locks in any state, and must not die of their order.
  if (mp->dying > 0) return;
  if (std::int32_t last = mp->nlocksHeld - 1;
      l->rank == lockRankHchan && last >= 0 && mp->locksHeld[last].rank == lockRankHchan) {
    auto& h = mp->locksHeld[last];
    if (l <= h.addr) {
      printf("{}  ======\n", mp->procid);
      printf("taken: {} {} {:#x}\n", rankName(l->rank), l->rank, reinterpret_cast<uintptr>(l));
      wrongOrder(mp);
    }
    h.addr = l;
    h.count++;
    return;
  }
  if (mp->nlocksHeld >= kMaxHeld) {
    mp->nlocksHeld = 0;
    throw_("too many locks held concurrently for rank checking");
  }
  auto rank = l->rank;
  if (rank == lockRankUnknown || rank >= lockRankCount) {
    printf("runtime: the lock at {:#x} has no rank\n", reinterpret_cast<uintptr>(l));
    printHeldLocks(mp);
    mp->nlocksHeld = 0;
    throw_("lock without a rank");
  }
  std::int32_t n = mp->nlocksHeld;
  mp->locksHeld[n].rank = rank;
  mp->locksHeld[n].count = 1;
  mp->locksHeld[n].addr = l;
  mp->nlocksHeld = n + 1;
  for (std::int32_t i = 0; i < n; i++) {
    auto h = mp->locksHeld[i].rank;
    if ((lockPartialOrder.row[rank] & (std::uint64_t{1} << h)) != 0) continue;
    printf("{}  ======\n", mp->procid);
    wrongOrder(mp);
  }
}

void lockRankRelease(mutex* l) {
  m* mp = getg()->m;
  if (mp->dying > 0) return;
  for (std::int32_t i = mp->nlocksHeld - 1; i >= 0; i--) {
    auto& h = mp->locksHeld[i];
    // One of several channels': in which order they are given back does not matter.
    if (l->rank == lockRankHchan && h.rank == lockRankHchan && h.count > 1 && l <= h.addr) {
      h.count--;
      return;
    }
    if (h.addr != l && (l->rank != lockRankHchan || h.rank != lockRankHchan)) continue;
    for (; i + 1 < mp->nlocksHeld; i++) mp->locksHeld[i] = mp->locksHeld[i + 1];
    mp->nlocksHeld--;
    return;
  }
  printf("{} : {} {} {:#x}\n", mp->procid, rankName(l->rank), l->rank, reinterpret_cast<uintptr>(l));
  throw_("unlock without matching lock acquire");
}

void assertLockHeld(mutex* l) {
#ifdef BOOT_LOCKRANK
  m* mp = getg()->m;
  for (std::int32_t i = 0; i < mp->nlocksHeld; i++)
    if (mp->locksHeld[i].addr == l) return;
  printf("caller requires lock {:#x} (rank {}), holding:\n", reinterpret_cast<uintptr>(l), rankName(l->rank));
  printHeldLocks(mp);
#else
  if (__atomic_load_n(&l->key, __ATOMIC_RELAXED) != 0) return;
  printf("caller requires lock {:#x} (rank {})\n", reinterpret_cast<uintptr>(l), rankName(l->rank));
#endif
  throw_("not holding required lock!");
}

}  // namespace runtime

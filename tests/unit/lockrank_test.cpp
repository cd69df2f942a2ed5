// The table of lock orders: no cycles, no lock twice but where said, names for all. What a violation does is tested in
// progs/lockrank.cpp.
// SOURCES: runtime/base/lockorder.cpp
#include <set>
#include <string>
#include <vector>

#include "runtime/base/lockrank.h"
#include "tests/unit/catch.h"

using namespace runtime;

namespace {

bool mayHold(std::uint32_t held, std::uint32_t taken) { return (lockPartialOrder.row[taken] >> held & 1) != 0; }

// Depth first: true if r reaches a rank that is on the path already.
bool cyclic(std::uint32_t r, std::vector<int>& state) {
  if (state[r] == 1) return true;
  if (state[r] == 2) return false;
  state[r] = 1;
  for (std::uint32_t h = 0; h < lockRankCount; h++)
    if (h != r && mayHold(h, r) && cyclic(h, state)) return true;
  state[r] = 2;
  return false;
}

}  // namespace

TEST_CASE("the lock order has no cycle", "[lockrank]") {
  std::vector<int> state(lockRankCount, 0);
  for (std::uint32_t r = 0; r < lockRankCount; r++) {
    CAPTURE(lockNames[r]);
    CHECK_FALSE(cyclic(r, state));
  }
}

TEST_CASE("two locks of one rank only where they have an order of their own", "[lockrank]") {
  std::set<std::string> twice;
  for (std::uint32_t r = 0; r < lockRankCount; r++)
    if (mayHold(r, r)) twice.insert(lockNames[r]);
  CHECK(twice == std::set<std::string>{"timers", "hchan"});
}

TEST_CASE("every rank has a name of its own and no bits beyond the ranks", "[lockrank]") {
  std::set<std::string> names;
  for (std::uint32_t r = 0; r < lockRankCount; r++) {
    REQUIRE(lockNames[r] != nullptr);
    CHECK(names.insert(lockNames[r]).second);
    CHECK(lockPartialOrder.row[r] >> lockRankCount == 0);
    CHECK_FALSE(mayHold(lockRankUnknown, r));
  }
  CHECK(std::string(lockNames[lockRankSched]) == "sched");
  CHECK(std::string(lockNames[lockRankMheap]) == "mheap");
  CHECK(std::string(lockNames[lockRankGFree]) == "gFree");
}

TEST_CASE("orders that the runtime lives by", "[lockrank]") {
  CHECK(mayHold(lockRankSched, lockRankMheap));
  CHECK_FALSE(mayHold(lockRankMheap, lockRankSched));
  CHECK(mayHold(lockRankSysmon, lockRankSched));
  CHECK_FALSE(mayHold(lockRankSched, lockRankHchan));
  // The collector holds the cache of those without a P while it takes most others.
  CHECK(mayHold(lockRankNoP, lockRankSched));
  CHECK_FALSE(mayHold(lockRankSched, lockRankNoP));
}

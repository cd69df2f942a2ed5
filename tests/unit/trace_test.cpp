// The trace's records: what is put into buffers is read from them, through any number of them, with any distance in time.
#include "runtime/diag/trace_raw.h"

#include <memory>
#include <random>
#include <vector>

#include "tests/unit/catch.h"

using namespace runtime;

namespace {

bool same(const traceRec& a, const traceRec& b) {
  return a.tsc == b.tsc && a.mid == b.mid && a.goid == b.goid && a.arg == b.arg && a.ev == b.ev;
}

}  // namespace

TEST_CASE("records are read as they were made", "[trace]") {
  for (std::uint32_t seed = 1; seed <= 60; seed++) {
    std::mt19937_64 rnd(seed);
    std::vector<std::unique_ptr<traceBuf>> bufs;
    std::vector<traceRec> made;
    std::uint64_t now = rnd() >> 2;
    std::uint32_t mid = 0, goid = 1;
    for (int i = 0; i < 30000; i++) {
      // Mostly close to each other; at the border of what a record holds, and far beyond it.
      static constexpr std::uint64_t steps[] = {0, 1, kTraceMaxTicks - 1, kTraceMaxTicks, kTraceMaxTicks + 1};
      now += rnd() % 8 != 0 ? rnd() % 3000 : rnd() % 2 != 0 ? steps[rnd() % 5] : rnd() >> (24 + rnd() % 40);
      if (rnd() % 50 == 0) mid = static_cast<std::uint32_t>(rnd() & 0xffff);
      if (rnd() % 4 == 0) goid = static_cast<std::uint32_t>(rnd() % 3 != 0 ? rnd() % 200 : rnd());
      static constexpr std::uint32_t args[] = {0, kTraceArgWho - 1, kTraceArgWho, kTraceArgFar, 128, ~0u};
      std::uint32_t arg = rnd() % 3 == 0 ? args[rnd() % 6] : rnd() % 2 != 0 ? goid : static_cast<std::uint32_t>(rnd());
      int ev = 1 + static_cast<int>(rnd() % (traceEvCount - 1));
      if (bufs.empty() || bufs.back()->n + kTraceMaxWords > traceBuf::kWords) {
        bufs.push_back(std::make_unique<traceBuf>());
        traceBuf* b = bufs.back().get();
        b->base = b->last = now - rnd() % 2;
        b->mid = ~0u;
        if (bufs.size() > 1) bufs[bufs.size() - 2]->link = b;
      }
      traceAppend(bufs.back().get(), now, mid, ev, goid, arg);
      made.push_back({now, mid, goid, arg, ev});
    }
    CHECK(bufs.size() > 3);
    traceCursor c(bufs[0].get());
    for (std::size_t i = 0; i < made.size(); i++) {
      REQUIRE(c.next());
      if (!same(c.rec, made[i])) FAIL("seed " << seed << " record " << i);
    }
    CHECK_FALSE(c.next());
  }
}

TEST_CASE("a buffer that is cut short anywhere gives the records before", "[trace]") {
  auto b = std::make_unique<traceBuf>();
  b->base = b->last = 1000;
  b->mid = ~0u;
  std::vector<std::uint32_t> ends{0};
  std::uint64_t now = 1000;
  for (std::uint32_t i = 0; i < 50; i++) {
    now += i % 7 == 0 ? 5000000 : 3;
    traceAppend(b.get(), now, i / 5, 1 + static_cast<int>(i % (traceEvCount - 1)), i, i * 7);
    ends.push_back(b->n);
  }
  for (std::uint32_t n = b->n; n > 0; n--) {
    b->n = n;
    std::size_t whole = 0, got = 0;
    while (whole + 1 < ends.size() && ends[whole + 1] <= n) whole++;
    for (traceCursor c(b.get()); c.step();) got++;
    CHECK(got == whole);
  }
}

// The heap of timers against a multiset: what is pushed, taken out and moved in any order comes out by time, and each
// timer knows its place, but for those that stay.
#include "runtime/sched/timeheap.h"

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "tests/unit/catch.h"

using namespace runtime;

namespace {

struct heap {
  std::vector<timerWhen> mem = std::vector<timerWhen>(4096);
  slice<timerWhen> h{mem.data(), 0, static_cast<std::int64_t>(mem.size())};
  std::multiset<std::int64_t> model;

  // Does order hold everywhere, and does each timer know its place?
  bool sound() const {
    for (std::int64_t i = 0; i < h.len; i++) {
      if (i > 0 && h.array[i].when < h.array[(i - 1) / 4].when) return false;
      if (!stays(h.array[i]) && h.array[i].t->idx != i) return false;
    }
    return h.len == static_cast<std::int64_t>(model.size()) && (h.len == 0 || h.array[0].when == *model.begin());
  }
};

}  // namespace

TEST_CASE("a heap of timers is in order after each step", "[timeheap]") {
  for (std::uint32_t seed = 1; seed <= 20; seed++) {
    std::mt19937_64 rnd(seed);
    heap q;
    std::vector<std::unique_ptr<timer>> timers;
    // Few distinct times in some rounds, so that many are equal.
    std::uint64_t range = seed % 3 == 0 ? 4 : seed % 3 == 1 ? 1000 : std::uint64_t{1} << 62;
    std::size_t most = seed % 2 == 0 ? 40 : 1500;
    auto when = [&] { return static_cast<std::int64_t>(1 + rnd() % range); };
    for (int step = 0; step < 4000; step++) {
      std::size_t n = static_cast<std::size_t>(q.h.len);
      std::uint64_t what = n == 0 ? 0 : n == most ? 7 : rnd() % 10;
      if (what < 5) {
        timers.push_back(std::make_unique<timer>());
        timer* t = timers.back().get();
        t->idx = -1;
        std::int64_t w = when();
        bool stay = rnd() % 3 == 0;
        std::int64_t at =
            heapPush(q.h, {w, reinterpret_cast<timer*>(reinterpret_cast<uintptr>(t) | (stay ? kStays : 0))});
        q.model.insert(w);
        REQUIRE(timerOf(q.h.array[at]) == t);
        if (stay) REQUIRE(t->idx == -1);
      } else if (what < 8) {
        auto i = static_cast<std::int64_t>(what == 5 ? 0 : rnd() % n);
        q.model.erase(q.model.find(q.h.array[i].when));
        heapRemove(q.h, i);
        REQUIRE(q.h.array[q.h.len].t == nullptr);
      } else {
        auto i = static_cast<std::int64_t>(rnd() % n);
        q.model.erase(q.model.find(q.h.array[i].when));
        q.h.array[i].when = when();
        q.model.insert(q.h.array[i].when);
        heapMoved(q.h, i);
      }
      if (!q.sound()) FAIL("seed " << seed << " step " << step);
    }
    for (std::int64_t last = 0; q.h.len > 0;) {
      REQUIRE(q.h.array[0].when >= last);
      last = q.h.array[0].when;
      q.model.erase(q.model.begin());
      heapRemove(q.h, 0);
      REQUIRE(q.sound());
    }
  }
}

TEST_CASE("a ticker's next time is the first of its row that is to come", "[timeheap]") {
  CHECK(nextPeriod(100, 10, 100) == 110);
  CHECK(nextPeriod(100, 10, 109) == 110);
  CHECK(nextPeriod(100, 10, 110) == 120);
  CHECK(nextPeriod(1, INT64_MAX, INT64_MAX) == maxWhen);
  CHECK(nextPeriod(INT64_MAX - 5, 3, INT64_MAX - 1) == maxWhen);
  std::mt19937_64 rnd(1);
  for (int i = 0; i < 100000; i++) {
    auto a = static_cast<std::int64_t>(rnd() >> (1 + rnd() % 62)),
         b = static_cast<std::int64_t>(rnd() >> (1 + rnd() % 62));
    std::int64_t when = std::max<std::int64_t>(std::min(a, b), 1), now = std::max(when, std::max(a, b));
    auto period = static_cast<std::int64_t>(1 + (rnd() >> (2 + rnd() % 61)));
    __int128 next = when;
    next += static_cast<__int128>(period) * ((now - when) / period + 1);
    std::int64_t want = next > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(next),
                 got = nextPeriod(when, period, now);
    if (got != want || got < now || (got != maxWhen && got - period > now)) FAIL(when << " " << period << " " << now);
  }
}

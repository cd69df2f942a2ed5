// The pacer's arithmetic: goals by GOGC and by GOMEMLIMIT, and the limiter's bucket, against wide numbers and by rules.
#include "runtime/gc/mgcgoal.h"

#include <algorithm>
#include <random>

#include "tests/unit/catch.h"

using namespace runtime;

namespace {

constexpr std::uint64_t kMB = 1 << 20;
using wide = __int128;

std::mt19937_64 rnd(4);
std::uint64_t size() { return rnd() >> (4 + rnd() % 60); }

}  // namespace

TEST_CASE("the goal by GOGC", "[pacer]") {
  CHECK(percentGoal(100 * kMB, 0, 100) == 200 * kMB);
  CHECK(percentGoal(100 * kMB, 20 * kMB, 100) == 220 * kMB);
  CHECK(percentGoal(100 * kMB, 0, 50) == 150 * kMB);
  CHECK(percentGoal(0, 0, 100) == 4 * kMB);
  CHECK(percentGoal(0, 0, 200) == 8 * kMB);
  CHECK(percentGoal(100 * kMB, 0, 0) == 100 * kMB);
  // 16 GB at the largest percentage do not wrap around to a goal that is reached at once.
  CHECK(percentGoal(16384 * kMB, 0, INT32_MAX) > std::uint64_t{1} << 58);
  CHECK(percentGoal(~std::uint64_t{0}, ~std::uint64_t{0}, INT32_MAX) == kNever);
  for (int i = 0; i < 100000; i++) {
    std::uint64_t marked = size(), roots = size();
    auto percent = static_cast<std::uint32_t>(rnd() >> (33 + rnd() % 31));
    std::uint64_t goal = percentGoal(marked, roots, percent);
    if (goal < marked) FAIL(marked << " " << roots << " " << percent);
    if (percentGoal(marked, roots, percent + 1) < goal) FAIL("not monotonous in the percentage");
    if (percentGoal(marked + 1, roots, percent) < goal) FAIL("not monotonous in what is marked");
    wide want = std::max(wide{marked} + (wide{marked} + roots) * percent / 100, wide{4 * kMB} * percent / 100);
    if (want <= wide{INT64_MAX} && goal != static_cast<std::uint64_t>(want))
      FAIL(marked << " " << roots << " " << percent);
  }
}

TEST_CASE("the goal by a limit", "[pacer]") {
  // 64 MB asked for, 10 MB given back; 40 MB in spans, of which 4 MB are not of objects; 3 MB besides the heap.
  heapBooks b{57 * kMB, 40 * kMB, 4 * kMB, 64 * kMB, 10 * kMB};
  CHECK(limitGoal(b, 100 * kMB, 0) == (100 - 7 - 1) * kMB);
  CHECK(limitGoal(b, 100 * kMB, 95 * kMB) == 95 * kMB);        // what lives has to be
  CHECK(limitGoal(b, 50 * kMB, 0) == (50 - 7 - 7 - 1) * kMB);  // 7 MB over the limit
  CHECK(limitGoal(b, 5 * kMB, 30 * kMB) == 30 * kMB);          // nothing left
  CHECK(limitGoal(b, 0, 30 * kMB) == 30 * kMB);
  CHECK(limitGoal({}, kMB, 0) == kHeadroom);
  for (int i = 0; i < 100000; i++) {
    // Books that agree with each other.
    std::uint64_t released = size(), objects = size(), manual = size(), free = size(), other = size();
    heapBooks c{objects + manual + free + other, objects + manual, manual, released + objects + manual + free,
                released};
    std::uint64_t limit = size() * 4, marked = rnd() % 4 == 0 ? size() : 0;
    wide left = wide{limit} - manual - other - std::max(wide{c.mapped} - limit, wide{0});
    wide want = left <= 0 ? wide{marked} : left < wide{2 * kMB} ? wide{kMB} : left - wide{kMB};
    want = std::max(want, wide{marked});
    if (limitGoal(c, limit, marked) != static_cast<std::uint64_t>(want)) FAIL("other than what is left of the limit");
    if (limitGoal(c, limit + 1, marked) < limitGoal(c, limit, marked)) FAIL("not monotonous in the limit");
    // And books that were read while they changed: no number wraps around to a goal beyond the limit.
    heapBooks any{size(), size(), size(), size(), size()};
    if (limitGoal(any, limit, marked) > std::max({limit, marked, kHeadroom})) FAIL("above the limit");
  }
}

TEST_CASE("the limiter's bucket", "[pacer]") {
  CHECK(fillAfter(0, 1000, 300, 10000) == 0);  // 300 collecting, 700 not
  CHECK(fillAfter(0, 1000, 700, 10000) == 400);
  CHECK(fillAfter(9900, 1000, 700, 10000) == 10000);
  CHECK(fillAfter(100, 100, 200, 10000) == 300);  // collecting on several Ps takes more than the time that passed
  CHECK(fillAfter(500, 1000, 0, 10000) == 0);
  std::int64_t fill = 0;
  for (int i = 0; i < 100000; i++) {
    auto since = static_cast<std::int64_t>(rnd() % 1000000), cpu = static_cast<std::int64_t>(rnd() % 1000000);
    std::int64_t next = fillAfter(fill, since, cpu, 5000000);
    if (next < 0 || next > 5000000) FAIL("out of bounds");
    // At half the time it stays as it is.
    if (since == 2 * cpu && next != fill) FAIL("half the time");
    if (2 * cpu < since && next > fill) FAIL("fuller after little work");
    if (2 * cpu > since && next < fill) FAIL("emptier after much work");
    fill = next;
  }
}

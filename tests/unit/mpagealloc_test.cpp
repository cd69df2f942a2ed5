// CLAIMS: [C54]
// The page allocator's arithmetic against a slow and simple model.
#include "catch.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "runtime/mem/mpagealloc.h"

using namespace runtime;

namespace {

struct model {
  std::vector<bool> used = std::vector<bool>(pagesPerArena);

  std::uint32_t find(std::uint32_t want) const {
    std::uint32_t run = 0;
    for (std::uint32_t i = 0; i < pagesPerArena; i++) {
      run = used[i] ? 0 : run + 1;
      if (run == want) return i + 1 - want;
    }
    return pagesPerArena;
  }
  pallocSum sum() const {
    std::uint32_t start = 0, end = 0, max = 0, run = 0;
    while (start < pagesPerArena && !used[start]) start++;
    while (end < pagesPerArena && !used[pagesPerArena - 1 - end]) end++;
    for (bool u : used) {
      run = u ? 0 : run + 1;
      max = std::max(max, run);
    }
    return {static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(max), static_cast<std::uint16_t>(end)};
  }
};

bool operator==(const pallocSum& a, const pallocSum& b) {
  return a.start == b.start && a.max == b.max && a.end == b.end;
}

}  // namespace

TEST_CASE("bit ranges", "[C54]") {
  std::mt19937 rnd(1);
  for (int round = 0; round < 2000; round++) {
    std::uint64_t bits[8] = {};
    std::vector<bool> want(512);
    for (int k = 0; k < 20; k++) {
      std::uint32_t i = rnd() % 512, n = 1 + rnd() % (512 - i);
      bool set = rnd() % 2 != 0;
      if (set)
        setBits(bits, i, n);
      else
        clearBits(bits, i, n);
      std::fill(want.begin() + i, want.begin() + i + n, set);
    }
    for (std::uint32_t i = 0; i < 512; i++) {
      auto s = static_cast<std::uint32_t>(std::find(want.begin() + i, want.end(), true) - want.begin());
      auto c = static_cast<std::uint32_t>(std::find(want.begin() + i, want.end(), false) - want.begin());
      if (nextSet(bits, i, 512) != s || nextClear(bits, i, 512) != c) FAIL("from " << i);
      std::uint32_t n = 1 + rnd() % (512 - i);
      if (countBits(bits, i, n) != static_cast<std::uint32_t>(std::count(want.begin() + i, want.begin() + i + n, true)))
        FAIL("count from " << i << " of " << n);
    }
  }
}

TEST_CASE("first fit in an arena, with summaries in step", "[C54]") {
  for (std::uint32_t seed = 1; seed <= 6; seed++) {
    std::mt19937 rnd(seed);
    auto a = std::make_unique<arenaPages>();
    model m;
    CHECK((arenaUpdate(a.get(), 0, pagesPerArena) == m.sum()));
    std::vector<std::pair<std::uint32_t, std::uint32_t>> live;
    for (int step = 0; step < 1500; step++) {
      std::uint32_t n = rnd() % 8 == 0 ? 1 + rnd() % 1500 : 1 + rnd() % 40;
      std::uint32_t i = arenaFind(a.get(), n);
      if (i != m.find(n)) FAIL("seed " << seed << " step " << step << " want " << n);
      pallocSum got{};
      if (i < pagesPerArena && rnd() % 5 < 3) {
        setBits(a->alloc, i, n);
        std::fill(m.used.begin() + i, m.used.begin() + i + n, true);
        got = arenaUpdate(a.get(), i, n);
        live.emplace_back(i, n);
      } else if (!live.empty()) {
        std::size_t k = rnd() % live.size();
        auto [fi, fn] = live[k];
        live[k] = live.back();
        live.pop_back();
        clearBits(a->alloc, fi, fn);
        std::fill(m.used.begin() + fi, m.used.begin() + fi + fn, false);
        got = arenaUpdate(a.get(), fi, fn);
      } else {
        continue;
      }
      if (!(got == m.sum())) FAIL("seed " << seed << " step " << step);
    }
  }
}

TEST_CASE("bitmaps of any length, with other bits behind them", "[C54]") {
  std::mt19937_64 rnd(3);
  for (int round = 0; round < 3000; round++) {
    std::uint32_t n = 1 + rnd() % 300, words = (n + 63) / 64;
    // Exactly as many words as n needs, so that a sanitizer sees a look behind them.
    auto b = std::make_unique<std::uint64_t[]>(words);
    std::uint64_t dense = rnd() % 3;
    for (std::uint32_t w = 0; w < words; w++)
      b[w] = dense == 0 ? rnd() : dense == 1 ? rnd() & rnd() & rnd() : ~(rnd() & rnd() & rnd());
    auto bit = [&](std::uint32_t i) { return (b[i / 64] >> (i % 64) & 1) != 0; };
    for (std::uint32_t i = 0; i <= n; i++) {
      std::uint32_t s = i, c = i;
      while (s < n && !bit(s)) s++;
      while (c < n && bit(c)) c++;
      if (nextSet(b.get(), i, n) != s || nextClear(b.get(), i, n) != c)
        FAIL("round " << round << " from " << i << " of " << n);
    }
    for (std::uint32_t want : {1u, 2u, 7u, 63u, 64u, 65u, n}) {
      std::uint32_t run = 0, at = n;
      for (std::uint32_t i = 0; i < n && at == n; i++) {
        run = bit(i) ? 0 : run + 1;
        if (run == want) at = i + 1 - want;
      }
      if (findRun(b.get(), n, want) != at) FAIL("round " << round << " a run of " << want);
    }
  }
}

TEST_CASE("an arena's borders: empty, full, and runs that end and begin with chunks", "[C54]") {
  auto a = std::make_unique<arenaPages>();
  auto all = [&] { return arenaUpdate(a.get(), 0, pagesPerArena); };
  pallocSum s = all();
  CHECK((s == pallocSum{pagesPerArena, pagesPerArena, pagesPerArena}));
  CHECK(arenaFind(a.get(), pagesPerArena) == 0);
  setBits(a->alloc, 0, pagesPerArena);
  s = all();
  CHECK((s == pallocSum{0, 0, 0}));
  CHECK(arenaFind(a.get(), 1) == pagesPerArena);
  // One free run at every place around every chunk's border.
  for (std::uint32_t border = 0; border <= pagesPerArena; border += pagesPerChunk) {
    for (std::uint32_t before : {0u, 1u, 63u, 64u, pagesPerChunk}) {
      for (std::uint32_t after :
           {0u, 1u, 64u, pagesPerChunk - 1, pagesPerChunk, pagesPerChunk + 1, 3 * pagesPerChunk}) {
        if (before > border || border + after > pagesPerArena || before + after == 0) continue;
        std::uint32_t at = border - before, n = before + after;
        clearBits(a->alloc, at, n);
        s = arenaUpdate(a.get(), at, n);
        CHECK(s.max == n);
        CHECK(s.start == (at == 0 ? n : 0));
        CHECK(s.end == (at + n == pagesPerArena ? n : 0));
        CHECK(arenaFind(a.get(), n) == at);
        CHECK(arenaFind(a.get(), 1) == at);
        CHECK(arenaFind(a.get(), n + 1) == pagesPerArena);
        setBits(a->alloc, at, n);
        s = arenaUpdate(a.get(), at, n);
        CHECK(s.max == 0);
      }
    }
  }
}

TEST_CASE("what the scavenger takes is the topmost free run that is still held", "[C54]") {
  std::mt19937 rnd(5);
  for (int round = 0; round < 400; round++) {
    auto a = std::make_unique<arenaPages>();
    auto scatter = [&](std::uint64_t* bits, std::uint32_t runs, std::uint32_t longest) {
      for (; runs > 0; runs--) {
        std::uint32_t i = rnd() % pagesPerArena;
        setBits(bits, i, std::min(1 + static_cast<std::uint32_t>(rnd() % longest), pagesPerArena - i));
      }
    };
    scatter(a->alloc, rnd() % 30, 800);
    scatter(a->scav, rnd() % 30, 800);
    if (round % 4 == 0) setBits(a->alloc, 100, pagesPerArena - 100 - rnd() % 3);
    auto held = [&](std::uint32_t i) { return ((a->alloc[i / 64] | a->scav[i / 64]) >> (i % 64) & 1) == 0; };
    // All of them, a bite at a time, as scavenge() does it.
    std::uint32_t most = round % 3 == 0   ? 1
                         : round % 3 == 1 ? 32
                                          : pagesPerArena,
                  at, n, left = 0, below = pagesPerArena;
    for (std::uint32_t i = 0; i < pagesPerArena; i++) left += held(i);
    while ((n = topHeld(a.get(), most, &at)) != 0) {
      std::uint32_t e = at + n;
      bool right = n <= most && e <= below && (n == most || at == 0 || !held(at - 1));
      for (std::uint32_t i = at; i < e; i++) right = right && held(i);
      for (std::uint32_t i = e; i < below; i++) right = right && !held(i);
      if (!right) FAIL("round " << round << " pages " << at << " to " << e);
      setBits(a->scav, at, n);
      left -= n;
      below = at;
    }
    CHECK(left == 0);
  }
}

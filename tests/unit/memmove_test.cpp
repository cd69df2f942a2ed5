// memmove, memcpy, memset, memclr against plain loops: every small size at every alignment and overlap, random large
// ones, for each way that the processor's flags choose.
// SOURCES: asm/memmove_amd64.S runtime/base/vars.cpp runtime/cxx/memchunk.cpp tests/unit/piece_stub.cpp
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

#include "tests/unit/catch.h"
#include "runtime/base/cpu.h"

namespace runtime {
void* memmove(void*, const void*, std::size_t) GOSYM("runtime.memmove");
void* memset(void*, int, std::size_t) GOSYM("runtime.memset");
void memclrNoHeapPointers(void*, std::size_t) GOSYM("runtime.memclrNoHeapPointers");
}  // namespace runtime

namespace {

using bytes = std::vector<std::uint8_t>;

// The compiler must not make these into calls of what they check.
[[gnu::noinline, gnu::optimize("no-tree-loop-distribute-patterns")]] void slowMove(std::uint8_t* d,
                                                                                   const std::uint8_t* s,
                                                                                   std::size_t n) {
  if (d < s)
    for (std::size_t i = 0; i < n; i++) d[i] = s[i];
  else
    for (std::size_t i = n; i-- > 0;) d[i] = s[i];
}
[[gnu::noinline, gnu::optimize("no-tree-loop-distribute-patterns")]] void slowSet(std::uint8_t* d, std::uint8_t c,
                                                                                  std::size_t n) {
  for (std::size_t i = 0; i < n; i++) d[i] = c;
}

// Runs f with each combination of flags that this processor has.
template <class F>
void eachWay(F f) {
  bool avx = runtime::useAVXmemmove, erms = runtime::useERMSmemmove;
  bool canAVX = __builtin_cpu_supports("avx");
  for (int way = 0; way < 4; way++) {
    if ((way & 1) != 0 && !canAVX) continue;
    runtime::useAVXmemmove = (way & 1) != 0;
    runtime::useERMSmemmove = (way & 2) != 0;  // rep movsb is right on every processor, if not fast
    CAPTURE(runtime::useAVXmemmove, runtime::useERMSmemmove);
    f();
  }
  runtime::useAVXmemmove = avx;
  runtime::useERMSmemmove = erms;
}

bytes pattern(std::size_t n, std::uint32_t seed) {
  bytes b(n);
  std::mt19937 rng(seed);
  for (auto& x : b) x = static_cast<std::uint8_t>(rng());
  return b;
}

// Moves within one buffer, so that bytes before and behind the destination are compared too.
bool sameMove(const bytes& init, std::size_t d, std::size_t s, std::size_t n) {
  bytes a = init, b = init;
  void* r = runtime::memmove(a.data() + d, a.data() + s, n);
  slowMove(b.data() + d, b.data() + s, n);
  return r == a.data() + d && a == b;
}

bool sameSet(const bytes& init, std::size_t d, std::uint8_t c, std::size_t n) {
  bytes a = init, b = init, z = init;
  void* r = runtime::memset(a.data() + d, c, n);
  slowSet(b.data() + d, c, n);
  if (r != a.data() + d || a != b) return false;
  runtime::memclrNoHeapPointers(z.data() + d, n);
  b = init;
  slowSet(b.data() + d, 0, n);
  return z == b;
}

}  // namespace

TEST_CASE("memmove: every size to 300 with every small distance", "[memmove]") {
  eachWay([] {
    bytes init = pattern(1024, 1);
    bool ok = true;
    for (std::size_t n = 0; n <= 300 && ok; n++)
      for (std::size_t s : {std::size_t{200}, std::size_t{217}})
        for (std::ptrdiff_t dist = -70; dist <= 70 && ok; dist++) {
          auto d = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(s) + dist);
          ok = sameMove(init, d, s, n);
          if (!ok) FAIL("n=" << n << " s=" << s << " d=" << d);
        }
    REQUIRE(ok);
  });
}

TEST_CASE("memmove: random sizes, places and overlaps", "[memmove]") {
  eachWay([] {
    std::mt19937 rng(7);
    bytes init = pattern(24000, 2);
    for (int i = 0; i < 1500; i++) {
      std::size_t n = rng() % 9000, d = rng() % 12000, s = rng() % 12000;
      if (i % 2 == 0) s = d + rng() % 200;  // close together: overlap upwards
      if (i % 4 == 1) d = s + rng() % 200;  // and downwards
      if (!sameMove(init, d, s, n)) FAIL("n=" << n << " s=" << s << " d=" << d);
    }
    SUCCEED();
  });
}

TEST_CASE("memmove: around the sizes where the way changes", "[memmove]") {
  eachWay([] {
    bytes init = pattern(20000, 3);
    for (std::size_t edge : {16, 32, 64, 128, 256, 384, 512, 2048, 4096, 8192})
      for (std::ptrdiff_t off = -3; off <= 3; off++)
        for (std::size_t align = 0; align < 64; align += 7) {
          std::size_t n = edge + static_cast<std::size_t>(off);
          for (std::size_t d : {align, 9000 + align, 100 + align})
            if (!sameMove(init, d, 100, n)) FAIL("n=" << n << " d=" << d);
        }
    SUCCEED();
  });
}

TEST_CASE("memset and memclr: every size to 700, then random ones", "[memmove]") {
  eachWay([] {
    bytes init = pattern(24000, 4);
    bytes small(init.begin(), init.begin() + 900);
    for (std::size_t n = 0; n <= 700; n++)
      for (std::size_t d : {64, 65, 71, 79, 95, 127})
        if (!sameSet(small, d, static_cast<std::uint8_t>(n * 37 + 1), n)) FAIL("n=" << n << " d=" << d);
    std::mt19937 rng(9);
    for (int i = 0; i < 500; i++) {
      std::size_t n = rng() % 12000, d = rng() % 12000;
      if (!sameSet(init, d, static_cast<std::uint8_t>(rng()), n)) FAIL("n=" << n << " d=" << d);
    }
    SUCCEED();
  });
}

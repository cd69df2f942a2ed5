// CLAIMS: [C54]
// The size classes: Go's table, and what the allocator relies on.
#include "catch.h"

#include "runtime/mem/sizeclasses.h"

using namespace runtime;

namespace {
// Go 1.19's class_to_size, the oracle.
constexpr std::uint32_t goSizes[] = {
    0,    8,    16,   24,    32,    48,    64,    80,    96,    112,   128,   144,   160,   176,   192,   208,   224,
    240,  256,  288,  320,   352,   384,   416,   448,   480,   512,   576,   640,   704,   768,   896,   1024,  1152,
    1280, 1408, 1536, 1792,  2048,  2304,  2688,  3072,  3200,  3456,  4096,  4864,  5376,  6144,  6528,  6784,  6912,
    8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768};
}  // namespace

TEST_CASE("size classes are Go's", "[C54]") {
  REQUIRE(std::size(goSizes) == numSizeClasses);
  for (int i = 0; i < numSizeClasses; i++) CHECK(sizeClasses.size[i] == goSizes[i]);
}

TEST_CASE("a class is the smallest that holds the size", "[C54]") {
  for (std::size_t n = 1; n <= maxSmallSize; n++) {
    std::uint32_t c = sizeToClass(n);
    if (sizeClasses.size[c] < n || (c > 1 && sizeClasses.size[c - 1] >= n)) FAIL("size " << n << " class " << c);
    // A 16-byte aligned type has a size that is a multiple of 16, and must get an address that is one too.
    if (n % 16 == 0 && sizeClasses.size[c] % 16 != 0) FAIL("alignment of size " << n);
  }
}

TEST_CASE("a span wastes at most an eighth at its end, and offsets divide exactly", "[C54]") {
  for (int c = 1; c < numSizeClasses; c++) {
    std::size_t span = sizeClasses.npages[c] * pageSize, size = sizeClasses.size[c];
    CHECK(span % size <= span / 8);
    for (std::size_t off = 0; off < span; off++) {
      std::size_t q = (off * std::uint64_t{sizeClasses.divMul[c]}) >> 32;
      if (q != off / size) FAIL("class " << c << " offset " << off);
    }
  }
}

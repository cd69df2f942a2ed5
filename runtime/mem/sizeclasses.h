// Size classes: the sizes small objects are rounded up to, and the spans they are cut from.
//
// Owns: the table, worked out by the compiler from Go's rule, so that there is no generated file to go stale. The rule:
// step through the sizes; for each take as many pages as leave at most an eighth of the span unused at its end; two
// neighbours that fit equally often into equal spans become one; and at last each size is stretched as far as its
// span allows. The result is Go 1.19's table, 67 sizes and class 0 for large objects, which a unit test checks.
//
// Invariant: a size that is a multiple of 16 falls into a class that is one too. So an object is aligned to 16 unless
// its size says that no 16-byte aligned type can be in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace runtime {

constexpr std::size_t pageShift = 13;
constexpr std::size_t pageSize = std::size_t{1} << pageShift;
constexpr std::size_t maxSmallSize = 32768;  // larger objects get a span of their own
constexpr std::size_t smallSizeMax = 1024;   // up to here the class is looked up in steps of 8, above in steps of 128
constexpr std::size_t smallSizeDiv = 8;
constexpr std::size_t largeSizeDiv = 128;
constexpr int numSizeClasses = 68;

struct sizeClassTable {
  std::array<std::uint32_t, numSizeClasses> size{};    // bytes of an object
  std::array<std::uint8_t, numSizeClasses> npages{};   // pages of a span
  std::array<std::uint32_t, numSizeClasses> divMul{};  // offset * divMul >> 32 is offset / size for offsets in a span
  std::array<std::uint8_t, smallSizeMax / smallSizeDiv + 1> class8{};
  std::array<std::uint8_t, (maxSmallSize - smallSizeMax) / largeSizeDiv + 1> class128{};
  int n = 0;
};

constexpr sizeClassTable makeSizeClasses() {
  sizeClassTable t{};
  int n = 1;  // class 0: large
  std::size_t align = 8;
  for (std::size_t size = align; size <= maxSmallSize; size += align) {
    if ((size & (size - 1)) == 0) {  // at powers of two the steps may get coarser
      if (size >= 2048)
        align = 256;
      else if (size >= 128)
        align = size / 8;
      else if (size >= 32)
        align = 16;
    }
    std::size_t span = pageSize;
    while (span % size > span / 8) span += pageSize;
    std::size_t pages = span / pageSize;
    if (n > 1 && pages == t.npages[n - 1] && span / size == span / t.size[n - 1]) {
      t.size[n - 1] = static_cast<std::uint32_t>(size);
      continue;
    }
    t.size[n] = static_cast<std::uint32_t>(size);
    t.npages[n] = static_cast<std::uint8_t>(pages);
    n++;
  }
  for (int i = 1; i < n; i++) {
    std::size_t span = t.npages[i] * pageSize;
    std::size_t stretched = (span / (span / t.size[i])) & ~(largeSizeDiv - 1);
    if (stretched > t.size[i]) t.size[i] = static_cast<std::uint32_t>(stretched);
    t.divMul[i] = ~std::uint32_t{0} / t.size[i] + 1;
  }
  t.n = n;
  int c = 1;
  for (std::size_t i = 0; i < t.class8.size(); i++) {
    while (i * smallSizeDiv > t.size[c]) c++;
    t.class8[i] = static_cast<std::uint8_t>(c);
  }
  for (std::size_t i = 0; i < t.class128.size(); i++) {
    while (smallSizeMax + i * largeSizeDiv > t.size[c]) c++;
    t.class128[i] = static_cast<std::uint8_t>(c);
  }
  return t;
}

inline constexpr sizeClassTable sizeClasses = makeSizeClasses();
static_assert(sizeClasses.n == numSizeClasses && sizeClasses.size[numSizeClasses - 1] == maxSmallSize);

// The class of a small size (n <= maxSmallSize); n = 0 gives the smallest.
[[gnu::always_inline]] inline std::uint32_t sizeToClass(std::size_t n) {
  if (__builtin_expect(n <= smallSizeMax, 1)) return sizeClasses.class8[(n + smallSizeDiv - 1) / smallSizeDiv];
  return sizeClasses.class128[(n - smallSizeMax + largeSizeDiv - 1) / largeSizeDiv];
}

}  // namespace runtime

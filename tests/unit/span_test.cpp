// From an address to its object: the multiplication by which objIndex divides, for each size class and each offset, and in
// the spans of large objects.
#include "runtime/mem/mheap.h"

#include <random>

#include "tests/unit/catch.h"

using namespace runtime;

TEST_CASE("objIndex is the division, for every class and offset", "[span][C54]") {
  for (int c = 1; c < numSizeClasses; c++) {
    mspan s{};
    s.elemsize = sizeClasses.size[c];
    s.divMul = sizeClasses.divMul[c];
    s.npages = sizeClasses.npages[c];
    for (uintptr base : {uintptr{0xc000000000}, uintptr{0xc003ffe000}, uintptr{0x7fffffffe000}}) {
      s.startAddr = base;
      for (uintptr off = 0; off < s.npages * pageSize; off++)
        if (objIndex(&s, base + off) != off / s.elemsize) FAIL("class " << c << " offset " << off);
    }
  }
}

TEST_CASE("a large object is its span's only one", "[span]") {
  mspan s{};  // class 0: divMul is 0
  s.divMul = sizeClasses.divMul[0];
  s.startAddr = 0xc000000000;
  for (uintptr off : {uintptr{0}, uintptr{1}, uintptr{1} << 20, uintptr{1} << 40})
    CHECK(objIndex(&s, s.startAddr + off) == 0);
}

TEST_CASE("the borders of size classes", "[span][C54]") {
  for (std::uint32_t c = 1; c < numSizeClasses; c++) {
    std::size_t size = sizeClasses.size[c];
    CHECK(sizeToClass(size) == c);
    CHECK(sizeToClass(size - 1) == (size - 1 == sizeClasses.size[c - 1] ? c - 1 : c));
    if (c + 1 < numSizeClasses) CHECK(sizeToClass(size + 1) == c + 1);
    CHECK(sizeClasses.npages[c] * pageSize / size > 0);
    CHECK(sizeClasses.npages[c] * pageSize / size <= pageSize / 8);  // what 16 words of bits hold
  }
  CHECK(sizeToClass(0) == 1);
  CHECK(sizeToClass(1) == 1);
}

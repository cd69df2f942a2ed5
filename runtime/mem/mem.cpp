// Memory from the kernel with the books kept, and memory that is never freed.
//
// Owns: sysAlloc, sysReserve, sysMap (Go's mem.go: each byte counted in one statistic), persistentalloc, and the text
// for the end of memory.
#include "runtime/mem/mheap.h"

namespace runtime {

LANDMARK void* sysAlloc(uintptr n, std::uint64_t* stat) {
  void* p = sysAllocOS(n);
  if (p != nullptr) atomic::Xadd(stat, n);
  return p;
}

LANDMARK void* sysReserve(void* v, uintptr n) { return sysReserveOS(v, n); }

LANDMARK void sysMap(void* v, uintptr n, std::uint64_t* stat) {
  atomic::Xadd(stat, n);
  sysMapOS(v, n);
}

[[noreturn, gnu::cold]] void outOfMemory(uintptr n) {
  printf("runtime: out of memory: cannot allocate {}-byte block ({} in use)\n", n,
         atomic::Load(&mheap_.stats.heapInuse) + atomic::Load(&mheap_.stats.stackSys));
  throw_("out of memory");
}

// Chunks are small at first: a program that only says hello should not pay for what it does not use.
namespace {
constexpr uintptr kPersistentChunk = 256 << 10;
struct {
  mutex lock;
  uintptr base, off, end;
} persistent GOSYM("runtime.globalAlloc");
}  // namespace

LANDMARK void* persistentalloc(uintptr size, uintptr align) {
  if (size == 0) throw_("persistentalloc: size == 0");
  if (align == 0) align = 8;
  if ((align & (align - 1)) != 0) throw_("persistentalloc: align is not a power of 2");
  if (align > pageSize) throw_("persistentalloc: align is too large");
  if (size >= kPersistentChunk / 4) {  // would waste the rest of a chunk
    void* p = sysAlloc((size + 4095) & ~uintptr{4095}, &mheap_.stats.otherSys);
    if (p == nullptr) outOfMemory(size);
    return p;
  }
  lock(&persistent.lock);
  uintptr at = (persistent.off + align - 1) & ~(align - 1);
  if (at + size > persistent.end || persistent.base == 0) {
    void* p = sysAlloc(kPersistentChunk, &mheap_.stats.otherSys);
    if (p == nullptr) {
      unlock(&persistent.lock);
      outOfMemory(kPersistentChunk);
    }
    persistent.base = at = reinterpret_cast<uintptr>(p);
    persistent.end = at + kPersistentChunk;
  }
  persistent.off = at + size;
  unlock(&persistent.lock);
  return reinterpret_cast<void*>(at);
}

}  // namespace runtime

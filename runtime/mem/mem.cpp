// Memory from the kernel with the books kept, and memory that is never freed.
//
// Owns: sysAlloc, sysReserve, sysMap (Go's mem.go: each byte counted in one statistic), persistentalloc, and the text
// for the end of memory.
#include "runtime/mem/mheap.h"

namespace runtime {

LANDMARK void* sysAlloc(uintptr n, std::uint64_t* stat, bool quiet) {
  void* p = sysAllocOS(n, quiet);
  if (p != nullptr) atomic::Xadd(stat, n);
  return p;
}

LANDMARK void* sysReserve(void* v, uintptr n) { return sysReserveOS(v, n); }

LANDMARK bool sysMap(void* v, uintptr n, std::uint64_t* stat, bool quiet) {
  if (!sysMapOS(v, n, quiet)) return false;
  atomic::Xadd(stat, n);
  return true;
}

[[noreturn, gnu::cold]] void outOfMemory(uintptr n) {
  printf("runtime: out of memory: cannot allocate {}-byte block ({} in use)\n", n,
         atomic::Load(&mheap_.stats.heapInuse) + atomic::Load(&mheap_.stats.stackSys));
  constexpr int kENOMEM = 12;
  if (mmapErrno != 0 && mmapErrno != kENOMEM) printf("runtime: mmap failed, errno={}\n", mmapErrno);
  throw_("out of memory");
}

// Chunks are small at first: a program that only says hello should not pay for what it does not use.
namespace {
constexpr uintptr kPersistentChunk = 256 << 10;
struct {
  mutex lock{0, lockRankGlobalAlloc};
  uintptr base, off, end;
} persistent GOSYM("runtime.globalAlloc") = {};
}  // namespace

void* persistentallocQuiet(uintptr size, uintptr align) {
  if (size == 0) throw_("persistentalloc: size == 0");
  if (align == 0) align = 8;
  if ((align & (align - 1)) != 0) throw_("persistentalloc: align is not a power of 2");
  if (align > pageSize) throw_("persistentalloc: align is too large");
  if (size > maxAlloc) return nullptr;
  if (size >= kPersistentChunk / 4)  // would waste the rest of a chunk
    return sysAlloc((size + 4095) & ~uintptr{4095}, &mheap_.stats.otherSys, true);
  lock(&persistent.lock);
  uintptr at = (persistent.off + align - 1) & ~(align - 1);
  if (at + size > persistent.end || persistent.base == 0) {
    void* p = sysAlloc(kPersistentChunk, &mheap_.stats.otherSys, true);
    if (p == nullptr) {
      unlock(&persistent.lock);
      return nullptr;
    }
    persistent.base = at = reinterpret_cast<uintptr>(p);
    persistent.end = at + kPersistentChunk;
  }
  persistent.off = at + size;
  unlock(&persistent.lock);
  return reinterpret_cast<void*>(at);
}

LANDMARK void* persistentalloc(uintptr size, uintptr align) {
  void* p = persistentallocQuiet(size, align);
  if (UNLIKELY(p == nullptr)) outOfMemory(size);
  return p;
}

}  // namespace runtime

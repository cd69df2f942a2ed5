// Memory from the kernel, in whole pages: the states of a range of addresses and the calls between them.
//
//   none ─sysReserveOS→ reserved ─sysMapOS→ usable ─sysUnusedOS→ usable, contents given back ─sysUsedOS→ usable
//   none ─sysAllocOS→ usable;   any ─sysFreeOS→ none;   any ─sysFaultOS→ reserved, for ever (debugging)
//
// Invariants
//   - Reserved memory is PROT_NONE and counts neither as resident nor as committed; only sysMapOS and sysAllocOS
//     can meet a limit on memory, only sysReserveOS one on address space.
//   - Memory is zero when it has just become usable. What has been given back is zero only if sysUnusedOS says so.
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/os/os_linux.h"

namespace runtime {

namespace {

enum : int { kProtNone = 0, kProtRW = 3 };
enum : int { kPrivateAnon = 0x22, kFixed = 0x10, kNoreserve = 0x4000 };
enum : int { kDontneed = 4, kFree = 8, kHugepage = 14 };
enum : int { kENOMEM = 12, kEACCES = 13, kEAGAIN = 11 };

constinit bool haveMadvFree = true;  // atomic; false once the kernel has said no (before 4.5)

uintptr up(uintptr v, uintptr a) { return (v + a - 1) & ~(a - 1); }
uintptr down(uintptr v, uintptr a) { return v & ~(a - 1); }

}  // namespace

void* sysAllocOS(uintptr n, bool quiet) {
  int err;
  void* p = mmap(nullptr, n, kProtRW, kPrivateAnon, -1, 0, &err);
  if (quiet) return err == 0 ? p : nullptr;
  if (err == kEACCES) {
    printf("runtime: mmap: access denied\n");
    exit(2);
  }
  if (err == kEAGAIN) {
    printf("runtime: mmap: too much locked memory (check 'ulimit -l').\n");
    exit(2);
  }
  return p;
}

// NORESERVE: with strict overcommit a large reservation would otherwise count as a promise of memory.
void* sysReserveOS(void* v, uintptr n) {
  int err;
  return mmap(v, n, kProtNone, kPrivateAnon | kNoreserve, -1, 0, &err);
}

bool sysMapOS(void* v, uintptr n, bool quiet) {
  int err;
  void* p = mmap(v, n, kProtRW, kPrivateAnon | kFixed, -1, 0, &err);
  if (err == 0 && p == v) return true;
  if (quiet) return false;
  if (err == kENOMEM) throw_("runtime: out of memory");
  printf("runtime: mmap({:#x}, {}) returned {:#x}, {}\n", reinterpret_cast<uintptr>(v), n, reinterpret_cast<uintptr>(p),
         err);
  throw_("runtime: cannot map pages in arena address space");
}

unusedPages sysUnusedOS(void* v, uintptr n) {
  uintptr lo = reinterpret_cast<uintptr>(v);
  if (((lo | n) & (physPageSize - 1)) != 0) throw_("unaligned sysUnused");
  if (debug.madvdontneed == 0 && atomic::LoadRelaxed(&haveMadvFree)) {
    if (madvise(v, n, kFree) == 0) return unusedLazily;
    atomic::StoreRelaxed(&haveMadvFree, false);
  }
  // Refused for locked memory (mlockall), and where a sandbox forbids it.
  return madvise(v, n, kDontneed) == 0 ? unusedZero : unusedRefused;
}

// Whole huge pages inside the range may be backed as such again: the kernel saves page faults and TLB entries.
void sysUsedOS(void* v, uintptr n) { sysHugePageOS(v, n); }

void sysHugePageOS(void* v, uintptr n) {
  if (physHugePageSize == 0) return;
  uintptr lo = reinterpret_cast<uintptr>(v);
  uintptr beg = up(lo, physHugePageSize), end = down(lo + n, physHugePageSize);
  if (beg < end) madvise(reinterpret_cast<void*>(beg), end - beg, kHugepage);
}

void sysFreeOS(void* v, uintptr n) { munmap(v, n); }

void sysFaultOS(void* v, uintptr n) {
  int err;
  mmap(v, n, kProtNone, kPrivateAnon | kFixed, -1, 0, &err);
}

}  // namespace runtime

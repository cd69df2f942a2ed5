// Which pages of the heap were written: what marking beside the program goes by instead of a write barrier.
//
// Owns: the userfaultfd, the arenas' registration with it, and the list of written pages.
//
// The kernel protects pages against writing and takes the protection off a page by itself when it is first written
// (UFFD_FEATURE_WP_ASYNC, Linux 6.7); PAGEMAP_SCAN says which have lost it, and puts it back in the same step. Nobody is
// told of a write and nobody waits, so the system calls' writes into the heap count as well.
//
// What is not protected counts as written: pages that were free when the others were protected, and arenas that came
// later. So all errors are on the safe side but one: an arena that the kernel has forgotten (somebody closed our
// descriptors) would look untouched. PM_SCAN_CHECK_WPASYNC makes that an error, and the cycle begins anew with the world
// stopped.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"

namespace runtime {

dirtyList dirty;

namespace {

constexpr long kSysUserfaultfd = 323;
constexpr long kUserModeOnly = 1, kNonblock = 04000, kCloexec = 02000000;
constexpr std::uint64_t kUffdApi = 0xAA, kWPUnpopulated = 1 << 13, kWPAsync = 1 << 15;
constexpr long kUffdioApi = 0xc018aa3f, kUffdioRegister = 0xc020aa00, kUffdioWriteprotect = 0xc018aa06;
constexpr std::uint64_t kRegisterWP = 2;
constexpr long kPagemapScan = 0xc0606610;
constexpr std::uint64_t kScanWPMatching = 1, kScanCheckWPAsync = 2, kPageIsWritten = 2;

struct uffdioApi {
  std::uint64_t api, features, ioctls;
};
struct uffdioRegister {
  std::uint64_t start, len, mode, ioctls;
};
struct uffdioWriteprotect {
  std::uint64_t start, len, mode;
};
struct pageRegion {
  std::uint64_t start, end, categories;
};
struct pmScanArg {
  std::uint64_t size, flags, start, end, walkEnd, vec, vecLen, maxPages, inverted, mask, anyof, returned;
};
static_assert(sizeof(pmScanArg) == 96);

constexpr std::uint32_t kRegions = 512;
constexpr uintptr kBite = 4 << 20;     // for one call
constexpr std::uint32_t kGap = 8;      // pages that are protected along with their neighbours, to save a call
constexpr uintptr kPiece = 256 << 10;  // longer stretches are cut, so that markers share them

struct {
  bool tried;
  bool release;          // take the protection off after this cycle
  bool kept;             // it was left on after the last one
  std::uint32_t cycles;  // for which that was not known
  int uffd, pagemap;
  long pid;             // whose they are: in a child by fork they would still speak of the parent
  pageRegion* regions;  // kRegions; not among the globals, where addresses of pages would pass for pointers
} uf;

long ctl(int fd, long request, void* arg) { return syscall6(SYS_ioctl, fd, request, reinterpret_cast<long>(arg)); }

void append(uintptr lo, uintptr hi) {
  dirtyList& d = dirty;
  for (; lo < hi; lo += kPiece) {
    if (d.n == d.cap) {
      std::uint32_t cap = d.cap == 0 ? 4096 : d.cap * 2;
      auto* nw = static_cast<gcRange*>(sysAlloc(cap * sizeof(gcRange), &mheap_.stats.otherSys));
      if (nw == nullptr) outOfMemory(cap * sizeof(gcRange));
      if (d.cap != 0) {
        __builtin_memcpy(nw, d.r, d.n * sizeof(gcRange));
        sysFreeOS(d.r, d.cap * sizeof(gcRange));
        atomic::Xadd(&mheap_.stats.otherSys, -(d.cap * sizeof(gcRange)));
      }
      d.r = nw;
      d.cap = cap;
    }
    d.r[d.n++] = {lo, hi - lo < kPiece ? hi : lo + kPiece};
  }
}

// Protects the written pages of [lo, hi), and lists them, if list is set.
bool scan(uintptr lo, uintptr hi, bool protect, bool list) {
  while (lo < hi) {
    pmScanArg a{};
    a.size = sizeof a;
    a.flags = kScanCheckWPAsync | (protect ? kScanWPMatching : 0);
    a.start = lo;
    a.end = hi;
    if (list) {
      a.vec = reinterpret_cast<std::uint64_t>(uf.regions);
      a.vecLen = kRegions;
    }
    a.mask = a.returned = kPageIsWritten;
    long n = ctl(uf.pagemap, kPagemapScan, &a);
    if (n < 0 || a.walkEnd <= lo) return false;
    for (long i = 0; list && i < n; i++) append(uf.regions[i].start, uf.regions[i].end);
    lo = a.walkEnd;
  }
  return true;
}

// Which pages are watched. Nothing is read from objects without pointers. And where new objects lie, most of them
// garbage, each page would cost a fault at its first write; those few that are alive are cheaper read again. They are found
// out by the marking: so the first time it is the pages of old objects, later those that have a marked one.
enum stage : std::uint8_t { stageOld, stageAll, stageHot };
bool watched(std::uint8_t flags, stage st) {
  switch (flags & pageKind) {
    case pageSmall:
      return st == stageAll || (flags & (st == stageOld ? pageOld : pageHot)) != 0;
    case pageOther:
      return true;
    default:
      return false;
  }
}

// Calls f(lo, hi) for each run of an arena's watched pages; gaps of up to most pages are taken along. Spans may come and go
// meanwhile: a page that is wrongly passed over is not protected, and counts as written.
template <class F>
bool eachRun(heapArena* a, stage st, std::uint32_t gap, F f) {
  std::uint32_t from = 0, to = 0;
  for (std::uint32_t i = 0; i < pagesPerArena; i++) {
    if (i % 8 == 0) {
      std::uint64_t eight;
      __builtin_memcpy(&eight, a->flags + i, 8);
      if (eight == 0) {
        i += 7;
        continue;
      }
    }
    if (!watched(atomic::LoadRelaxed(&a->flags[i]), st)) continue;
    if (from != to && i - to > gap) {
      if (!f(a->base + from * pageSize, a->base + to * pageSize)) return false;
      from = to;
    }
    if (from == to) from = i;
    to = i + 1;
  }
  return from == to || f(a->base + from * pageSize, a->base + to * pageSize);
}

// In bites, with between() behind each.
template <class F>
bool eachBite(heapArena* a, stage st, void (*between)(), F f) {
  return eachRun(a, st, kGap, [&](uintptr lo, uintptr hi) {
    for (; lo < hi; lo += kBite) {
      if (!f(lo, hi - lo < kBite ? hi : lo + kBite)) return false;
      between();
    }
    return true;
  });
}

bool registerArena(heapArena* a) {
  uffdioRegister r = {a->base, heapArenaBytes, kRegisterWP, 0};
  if (ctl(uf.uffd, kUffdioRegister, &r) != 0) return false;
  a->tracked = true;
  return true;
}

}  // namespace

// Whether the kernel can do it; asked once.
bool dirtyInit() {
  if (uf.tried) return uf.uffd > 0;
  uf.tried = true;
  long fd = syscall6(kSysUserfaultfd, kUserModeOnly | kNonblock | kCloexec);
  if (fd < 0) return false;
  uffdioApi api = {kUffdApi, kWPAsync | kWPUnpopulated, 0};
  long pm = -1;
  if (ctl(static_cast<int>(fd), kUffdioApi, &api) == 0) pm = open("/proc/self/pagemap", static_cast<int>(kCloexec), 0);
  if (pm < 0) {
    syscall6(SYS_close, fd);
    return false;
  }
  constexpr uintptr bytes = (kRegions * sizeof(pageRegion) + 4095) & ~uintptr{4095};
  uf.regions = static_cast<pageRegion*>(sysAlloc(bytes, &mheap_.stats.otherSys));
  if (uf.regions == nullptr) outOfMemory(bytes);
  uf.pid = syscall6(SYS_getpid);
  uf.uffd = static_cast<int>(fd);
  uf.pagemap = static_cast<int>(pm);
  return true;
}

// A cycle begins, nothing is marked. World stopped.
void dirtyBegin() {
  for (std::uint32_t i = 0; i < work.narenas; i++)
    for (std::uint8_t& f : work.arenas[i]->flags) f &= static_cast<std::uint8_t>(~pageHot);
}

// Protects the pages of old objects, or all, some MB at a time. False: the kernel has refused.
bool dirtyArm(bool young, void (*between)()) {
  if (syscall6(SYS_getpid) != uf.pid) return false;
  bool count = uf.kept && !young;
  std::uint64_t watching = 0, written = 0;
  for (std::uint32_t i = 0; i < work.narenas; i++) {
    heapArena* a = work.arenas[i];
    if (!a->tracked && !registerArena(a)) return false;
    bool ok = eachBite(a, young ? stageAll : stageOld, between, [&](uintptr lo, uintptr hi) {
      dirty.n = 0;
      watching += hi - lo;
      if (!scan(lo, hi, true, count)) return false;
      written += dirtyBytes();
      return true;
    });
    if (!ok) return false;
  }
  // Once in a while the protection stays, to see how much is written.
  uf.release = count ? written > watching / 4 : uf.cycles++ % 8 != 0;
  return true;
}

// Lists what was written since, or is not protected; protects it anew unless it is the last time (world stopped).
bool dirtyCollect(bool last) {
  dirty.n = 0;
  for (std::uint32_t i = 0; i < work.narenas; i++) {
    heapArena* a = work.arenas[i];
    if (!a->tracked) {
      if (last) {
        eachRun(a, stageHot, 0, [](uintptr lo, uintptr hi) { return append(lo, hi), true; });
        continue;
      }
      if (!registerArena(a)) return false;
    }
    if (!eachRun(a, stageHot, last ? 0 : kGap, [last](uintptr lo, uintptr hi) { return scan(lo, hi, !last, true); }))
      return false;
  }
  return true;
}

// Takes the protection off, if the program writes so much from cycle to cycle that this is cheaper than a page fault for
// each page written.
void dirtyRelease(void (*between)()) {
  uf.kept = !uf.release;
  if (uf.kept) return;
  for (std::uint32_t i = 0; i < work.narenas; i++) {
    if (!work.arenas[i]->tracked) continue;
    eachBite(work.arenas[i], stageAll, between, [](uintptr lo, uintptr hi) {
      uffdioWriteprotect w = {lo, hi - lo, 0};
      ctl(uf.uffd, kUffdioWriteprotect, &w);
      return true;
    });
  }
}

std::uint64_t dirtyBytes() {
  std::uint64_t n = 0;
  for (std::uint32_t i = 0; i < dirty.n; i++) n += dirty.r[i].hi - dirty.r[i].lo;
  return n;
}

}  // namespace runtime

// Marking: from the roots to all that can be reached. (Go's mgcmark.go.)
//
// Roots are the writable segment of the program, thread_locals, stacks with the gs on them, blocks of operator new and
// malloc, and what objects with finalizers refer to. They are cut into jobs that the markers take one by one.
//
// How it is made fast. An object whose address was just read is not in the cache; reading it at once would wait for
// memory each time. It is prefetched instead and read 16 objects later (prefetchRing). On a heap of shuffled small
// nodes that makes marking six times as fast.
#include "runtime/base/symtab.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/stack.h"

namespace runtime {

namespace {

constexpr uintptr kDataJob = 64 << 10;
constexpr std::uint32_t kStackJob = 16, kManualJob = 16;
constexpr std::uint32_t kStackAhead = 3;

ALWAYS_INLINE bool bitSet(const std::uint64_t* b, std::uint32_t i) { return (b[i / 64] >> (i % 64) & 1) != 0; }

// The object that p points into, as a span and an index. A free slot is no object.
struct found {
  mspan* s;
  std::uint32_t idx;
  heapArena* a;
};
ALWAYS_INLINE found find(uintptr p) {
  if (p - mheap_.heapLo >= mheap_.heapHi - mheap_.heapLo) return {nullptr, 0, nullptr};
  heapArena* a = arenaOf(p);
  if (UNLIKELY(a == nullptr)) return {nullptr, 0, nullptr};
  // While the program runs, a span of manual memory may just become one of objects, of which the state is set last; it is
  // another span then.
  mspan* s = atomic::LoadRelaxed(&a->spans[(p >> pageShift) % pagesPerArena]);
  if (s == nullptr || atomic::LoadAcq(&s->state) != mSpanInUse || p - s->startAddr >= s->limit - s->startAddr)
    return {nullptr, 0, nullptr};
  std::uint32_t idx = objIndex(s, p);
  if (UNLIKELY(idx >= s->freeindex) && !bitSet(s->allocBits, idx)) return {nullptr, 0, nullptr};
  return {s, idx, a};
}

// True if the object was white. A marker alone needs no locked instruction, which would cost as much as all the rest.
ALWAYS_INLINE bool setMarked(mspan* s, std::uint32_t idx, bool alone) {
  std::uint64_t* w = &s->gcmarkBits[idx / 64];
  std::uint64_t bit = std::uint64_t{1} << (idx % 64), old = atomic::LoadRelaxed(w);
  if ((old & bit) != 0) return false;
  if (alone) {
    *w = old | bit;
    return true;
  }
  return (__atomic_fetch_or(w, bit, __ATOMIC_RELAXED) & bit) == 0;
}

ALWAYS_INLINE void grey(uintptr p, gcWork* w, bool alone) {
  found f = find(p);
  if (f.s == nullptr || !setMarked(f.s, f.idx, alone)) return;
  w->bytesMarked += f.s->elemsize;
  if ((f.s->spanclass & 1) != 0) return;
  if (w->flagPages) {
    std::uint8_t* fl = &f.a->flags[(p >> pageShift) % pagesPerArena];
    if (*fl == pageSmall || *fl == (pageSmall | pageOld)) *fl |= pageHot;
  }
  gcWorkPut(w, (f.s->startAddr + f.idx * f.s->elemsize) | uintptr{f.s->spanclass} >> 1 << workClassShift);
}

ALWAYS_INLINE void scanWords(uintptr b, uintptr n, gcWork* w, bool alone) {
  w->scanWork += n;
  for (auto *p = reinterpret_cast<const uintptr*>(b), *e = p + n / 8; p < e; p++)
    grey(atomic::LoadRelaxed(p), w, alone);
}

// Bytes to be scanned at a large object's address; when it is the object's first, the rest is put aside.
[[gnu::noinline, gnu::optimize("Os")]] uintptr oblet(uintptr b, gcWork* w) {
  mspan* s = spanOf(b);
  uintptr n = s->limit - b;
  if (n <= maxObletBytes) return n;
  if (b == s->startAddr)
    for (uintptr o = b + maxObletBytes; o < s->limit; o += maxObletBytes) gcWorkPut(w, o);
  return maxObletBytes;
}

// For roots: scanblock, which may belong to a marker that is alone.
ALWAYS_INLINE void scanRoot(uintptr b, uintptr n, gcWork* w) {
  if (work.nproc == 1)
    scanWords(b, n, w, true);
  else
    scanWords(b, n, w, false);
}

ALWAYS_INLINE void scanItem(uintptr item, gcWork* w, bool alone) {
  uintptr b = item & workAddr, cls = item >> workClassShift;
  scanWords(b, LIKELY(cls != 0) ? sizeClasses.size[cls] : oblet(b, w), w, alone);
}

}  // namespace

LANDMARK void scanblock(uintptr b, uintptr n, gcWork* w) { scanWords(b, n, w, false); }

namespace {

// ---- roots ----

void scanManual(mspan* s, gcWork* w) {
  if ((s->spanclass & 1) != 0) return;
  if (s->spanclass == 0) return gcWorkPut(w, s->startAddr);
  std::uint32_t n = cutSlots(s);
  for (std::uint32_t i = 0; i < n; i++) {
    uintptr b = s->startAddr + i * s->elemsize;
    if (reinterpret_cast<uintptr*>(b)[1] != (mheap_.freeKey ^ b)) scanblock(b, s->elemsize, w);
  }
}

// A goroutine's page is seldom in the cache, nor is its address in the TLB: the lines that scanStack will read, which
// lie together, are asked for some goroutines ahead. A stack ends where its g begins.
ALWAYS_INLINE void prefetchStack(const g* gp) {
  auto* at = reinterpret_cast<const char*>(gp);
  for (int off = -256; off < static_cast<int>(sizeof(g)); off += 64) __builtin_prefetch(at + off);
}

void scanStack(g* gp, gcWork* w) {
  // What those hold who mark comes from the roots.
  if (gp->startpc == reinterpret_cast<uintptr>(&gcBgMarkWorker) ||
      gp->startpc == reinterpret_cast<uintptr>(&gcMarkHelper) ||
      gp->startpc == reinterpret_cast<uintptr>(&gcMarkConductor))
    return;
  uintptr sp;
  for (;;) {
    std::uint32_t status = readgstatus(gp);
    if (gp == work.self) {
      sp = work.selfsp;
    } else if (status == _Gdead) {
      sp = gp->sched.sp;  // a go statement is filling its block
    } else if (status == _Gsyscall) {
      sp = atomic::Load(&gp->syscallsp);
      if (sp == 0) continue;  // it is just coming back; soon it is runnable
    } else if (status == _Gwaiting || status == _Grunnable || status == _Gpreempted) {
      sp = gp->sched.sp;
    } else {
      return;  // fresh
    }
    // Since when it waits: tracebacks say so after a minute, and the debugger. Not kept by gopark, for its price.
    if ((status == _Gwaiting || status == _Gsyscall) && gp != work.self && gp->waitsince == 0)
      gp->waitsince = work.tSweepTerm;
    break;
  }
  if (sp == 0) return;
  sp &= ~uintptr{7};
  std::uint64_t n = 0;
  eachStackRange(gp, sp, [&](uintptr lo, uintptr hi) {
    lo &= ~uintptr{7};
    if (hi <= lo) return;
    n += hi - lo;
    scanRoot(lo, hi - lo, w);
  });
  scanRoot(reinterpret_cast<uintptr>(gp), sizeof(g), w);
  gp->gcAssistBytes = 0;
  w->stackScan += n;
}

// The objects that were asked of memory and are not read yet, in a ring: each is read when kPrefetch others have been
// asked for. Where there is nothing more to ask for, the ring is read empty.
struct prefetchRing {
  static constexpr std::uint32_t kPrefetch = 16;
  uintptr items[kPrefetch] = {};
  std::uint32_t at = 0, n = 0;  // where the next goes, and the oldest is if one is there; how many there are

  // Not when it is empty.
  ALWAYS_INLINE void toOldest() {
    while (items[at] == 0) at = (at + 1) % kPrefetch;
  }
  // Asks for item, or for nothing if it is 0; gives the one whose place it takes, 0 if none did.
  ALWAYS_INLINE uintptr swap(uintptr item) {
    __builtin_prefetch(reinterpret_cast<const char*>(item & workAddr));
    uintptr old = items[at];
    items[at] = item;
    at = (at + 1) % kPrefetch;
    n += static_cast<std::uint32_t>(item != 0) - static_cast<std::uint32_t>(old != 0);
    return old;
  }
};

// Waits for work of others. True: there will be none, all markers are here and the shared list is empty; for only a
// marker at work adds to it.
bool allIdle() {
  atomic::Xadd(&work.nwait, 1u);
  for (std::uint32_t spins = 0;; spins++) {
    if (atomic::Load(&work.full) != nullptr) {
      atomic::Xadd(&work.nwait, ~0u);
      return false;
    }
    if (atomic::Load(&work.nwait) == work.nproc) return true;
    if (spins < 64)
      procyield(30);
    else
      osyield();
  }
}

}  // namespace

[[gnu::optimize("Os")]] LANDMARK uintptr findObject(uintptr p, mspan** s) {
  found f = find(p);
  *s = f.s;
  return f.s == nullptr ? 0 : f.s->startAddr + f.idx * f.s->elemsize;
}

bool isMarked(uintptr obj) {
  mspan* s = spanOf(obj);
  return bitSet(s->gcmarkBits, objIndex(s, obj));
}

LANDMARK void greyobject(uintptr p, gcWork* w) { grey(p, w, false); }
[[gnu::optimize("Os")]] LANDMARK void scanobject(uintptr item, gcWork* w) {
  uintptr b = item & workAddr, cls = item >> workClassShift;
  scanblock(b, cls != 0 ? sizeClasses.size[cls] : oblet(b, w), w);
}

[[gnu::optimize("Os")]] void dataJob(gcWork* w, std::uint32_t job) {
  for (std::uint32_t i = 0; i < work.ndata; i++) {
    gcRange r = work.data[i];
    auto jobs = static_cast<std::uint32_t>((r.hi - r.lo + kDataJob - 1) / kDataJob);
    if (job >= jobs) {
      job -= jobs;
      continue;
    }
    uintptr lo = r.lo + job * kDataJob;
    return scanblock(lo, r.hi - lo < kDataJob ? r.hi - lo : kDataJob, w);
  }
}

[[gnu::optimize("Os")]] LANDMARK void markroot(gcWork* w, std::uint32_t job) {
  if (job < work.nData) return dataJob(w, job);
  job -= work.nData;
  if (job < work.nTLS) {
    for (m* mp = atomic::Load(&allm); mp != nullptr; mp = mp->alllink)
      if (mp->tlsbase != 0 && !iscgo) {
        // The block ends at tlsbase, and begins where the strictest alignment in it puts its first variable.
        uintptr align = firstmoduledata.tlsAlign > 64 ? firstmoduledata.tlsAlign : 64;
        uintptr size = (firstmoduledata.tlsSize + align - 1) & ~(align - 1);
        scanblock(mp->tlsbase - size, size, w);
        // What a signal has saved of user code that ran without a P.
        if (mp->foreignregs != 0)
          scanblock(mp->foreignregs, (mp->gsignal->stack.hi - mp->foreignregs) & ~uintptr{7}, w);
      }
    return;
  }
  job -= work.nTLS;
  if (job < work.nStack) {
    std::uint64_t n = atomic::Load(&allglen), i = std::uint64_t{job} * kStackJob, e = i + kStackJob;
    for (g** gs = atomic::Load(&allgptr); i < e && i < n; i++) {
      if (i + kStackAhead < n) prefetchStack(gs[i + kStackAhead]);
      scanStack(gs[i], w);
    }
    return;
  }
  job -= work.nStack;
  if (job < work.nManual) {
    if (work.last) return dirtyJob(w, job);
    std::int64_t i = std::int64_t{job} * kManualJob, e = i + kManualJob;
    for (; i < e && i < mheap_.manualspans.len; i++) scanManual(mheap_.manualspans.array[i], w);
    return;
  }
  finScan(w, job - work.nManual);
}

// Takes what can be had, own work first: it is in the cache. Returns when no marker has any left.
LANDMARK void gcDrain(gcWork* w) {
  bool alone = work.nproc == 1;
  prefetchRing ring;
  std::uint32_t n = 0;
  for (;;) {
    uintptr item = gcWorkTryGet(w);
    if (UNLIKELY(item == 0)) {
      if (ring.n == 0) {
        std::uint32_t job = work.markrootJobs;
        if (atomic::LoadRelaxed(&work.markrootNext) < job) job = atomic::Xadd(&work.markrootNext, 1u) - 1;
        if (job < work.markrootJobs) {
          markroot(w, job);
          continue;
        }
        if (gcWorkRefill(w)) continue;
        if (alone || allIdle()) return;
        continue;
      }
      ring.toOldest();
    }
    uintptr old = ring.swap(item);
    if (old == 0) continue;
    scanItem(old, w, alone);
    if (UNLIKELY((++n & 127) == 0) && atomic::LoadRelaxed(&work.nwait) != 0 &&
        atomic::LoadRelaxed(&work.full) == nullptr)
      gcWorkBalance(w);
  }
}

// Counts the jobs. Of the writable segment the heap's own large tables are left out: 32 MB that hold no roots.
[[gnu::optimize("Os")]] LANDMARK void gcMarkRootPrepare() {
  if (work.ndata == 0) {
    gcRange cut[] = {
        {reinterpret_cast<uintptr>(arenas), sizeof(arenas)},
        {reinterpret_cast<uintptr>(arenaList), sizeof(arenaList)},
        {reinterpret_cast<uintptr>(arenaSums), sizeof(arenaSums)},
        {reinterpret_cast<uintptr>(&mheap_), sizeof(mheap_)},
    };
    uintptr lo = (firstmoduledata.data + 7) & ~uintptr{7}, end = firstmoduledata.edata & ~uintptr{7};
    while (lo < end) {
      gcRange next{end, 0};
      for (gcRange c : cut)
        if (c.lo >= lo && c.lo < next.lo) next = c;
      if (next.lo > lo) work.data[work.ndata++] = {lo, next.lo};
      lo = next.lo + next.hi;
    }
  }
  work.nData = 0;
  gcController.globalsScan = 0;
  for (std::uint32_t i = 0; i < work.ndata; i++) {
    uintptr n = work.data[i].hi - work.data[i].lo;
    gcController.globalsScan += n;
    work.nData += static_cast<std::uint32_t>((n + kDataJob - 1) / kDataJob);
  }
  gcController.globalsScan += atomic::Load(&mheap_.stats.manualScan);
  work.nTLS = 1;
  work.nStack = static_cast<std::uint32_t>((atomic::Load(&allglen) + kStackJob - 1) / kStackJob);
  if (work.last)
    work.nManual = gcConcRootPrepare(rootsDirty);
  else
    work.nManual = static_cast<std::uint32_t>((mheap_.manualspans.len + kManualJob - 1) / kManualJob);
  work.nFin = finLinked() ? finRoots() : 0;
  work.markrootJobs = work.nData + work.nTLS + work.nStack + work.nManual + work.nFin;
  work.markrootNext = 0;
  work.stackScan = 0;
}

// ---- marking beside the program ----

// As gcDrain, until budget bytes are read; what is left is in w's buffer then.
LANDMARK bool gcDrainSome(gcWork* w, std::uint64_t budget, void (*root)(gcWork*, std::uint32_t)) {
  bool alone = gomaxprocs == 1;  // nobody else marks while we are here, and GOMAXPROCS stays, too
  prefetchRing ring;
  std::uint32_t n = 0;
  bool any = false;
  while (w->scanWork < budget) {
    uintptr item = gcWorkTryGet(w);
    if (UNLIKELY(item == 0)) {
      if (ring.n == 0) {
        std::uint32_t jobs = atomic::Load(&work.markrootJobs);
        if (atomic::Load(&work.markrootNext) < jobs) {
          std::uint32_t job = atomic::Xadd(&work.markrootNext, 1u) - 1;
          if (job < jobs) {
            root(w, job);
            w->scanWork += 512;  // a job that finds nothing has cost something, too
            any = true;
            continue;
          }
        }
        if (gcWorkRefill(w)) continue;
        return any;
      }
      ring.toOldest();
    }
    uintptr old = ring.swap(item);
    if (old == 0) continue;
    any = true;
    scanItem(old, w, alone);
    if (UNLIKELY((++n & 127) == 0) && atomic::LoadRelaxed(&work.active) > 1 &&
        atomic::LoadRelaxed(&work.full) == nullptr)
      gcWorkBalance(w);
  }
  // By index: with a pointer into the ring its place and count would be kept in memory all the way.
  for (std::uint32_t i = 0; i < prefetchRing::kPrefetch; i++)
    if (ring.items[i] != 0) gcWorkPut(w, ring.items[i]);
  return true;
}

void gcScanStacks(gcWork* w) {
  std::uint64_t n = atomic::Load(&allglen);
  g** gs = atomic::Load(&allgptr);
  for (std::uint64_t i = 0; i < n; i++) {
    if (i + kStackAhead < n) prefetchStack(gs[i + kStackAhead]);
    scanStack(gs[i], w);
  }
}

[[gnu::optimize("Os")]] void gcForget() {
  dropWork();
  mheap* h = &mheap_;
  for (std::int64_t i = 0; i < h->allspans.len; i++) {
    mspan* s = h->allspans.array[i];
    __builtin_memset(s->gcmarkBits, 0, s->bitWords * 8u);
  }
}

}  // namespace runtime

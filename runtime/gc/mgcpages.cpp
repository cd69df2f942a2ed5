// Reading the heap by pages: what a page holds of roots and of marked objects. (For cycles that mark beside the program.)
//
// A page that was written is read again, but only its own words: those of marked objects and of manual blocks in use. The
// program may run meanwhile. Spans of objects do not change during a cycle; manual ones may be freed and made anew while
// we look, but then what the new one holds is written later, and its pages are looked at again. So all that matters is
// never to read what is not mapped.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"

namespace runtime {

namespace {

// The words of [a, b), a part of one page, that belong to blocks in use. The span may be freed and made anew while we
// look; then what the new one holds is written later, and its pages are looked at again.
void scanManualPart(const mspan* s, uintptr a, uintptr b, gcWork* w) {
  uintptr start = atomic::LoadRelaxed(&s->startAddr), size = atomic::LoadRelaxed(&s->elemsize);
  uintptr limit = atomic::LoadRelaxed(&s->limit);
  std::uint32_t spc = atomic::LoadRelaxed(&s->spanclass), n = cutSlots(s);
  if ((spc & 1) != 0 || size == 0 || a - start >= limit - start) return;
  if (b > limit) b = limit;
  if (spc == 0) return scanblock(a, b - a, w);
  for (uintptr i = (a - start) / size; i < n; i++) {
    uintptr slot = start + i * size;
    if (slot >= b || arenaOf(slot) == nullptr) return;
    if (atomic::LoadRelaxed(reinterpret_cast<uintptr*>(slot) + 1) == (mheap_.freeKey ^ slot)) continue;
    uintptr lo = slot > a ? slot : a, hi = slot + size < b ? slot + size : b;
    scanblock(lo, hi - lo, w);
  }
}

void scanMarkedPart(const mspan* s, uintptr a, uintptr b, gcWork* w) {
  if ((s->spanclass & 1) != 0 || a - s->startAddr >= s->limit - s->startAddr) return;
  if (b > s->limit) b = s->limit;
  for (std::uint32_t i = objIndex(s, a); i < s->nelems; i++) {
    uintptr obj = s->startAddr + i * s->elemsize;
    if (obj >= b) return;
    if ((atomic::LoadRelaxed(&s->gcmarkBits[i / 64]) >> (i % 64) & 1) == 0) continue;
    uintptr lo = obj > a ? obj : a, hi = obj + s->elemsize < b ? obj + s->elemsize : b;
    scanblock(lo, hi - lo, w);
  }
}

// What [lo, hi), in one arena, holds of roots in manual memory, and with all of marked objects.
void scanRange(uintptr lo, uintptr hi, bool all, gcWork* w) {
  heapArena* ar = arenaOf(lo);
  while (lo < hi) {
    uintptr end = (lo | (pageSize - 1)) + 1;
    if (end > hi) end = hi;
    mspan* s = atomic::LoadRelaxed(&ar->spans[(lo >> pageShift) % pagesPerArena]);
    if (s != nullptr) {
      mSpanState state = atomic::LoadAcq(&s->state);
      if (state == mSpanManual)
        scanManualPart(s, lo, end, w);
      else if (state == mSpanInUse && all)
        scanMarkedPart(s, lo, end, w);
    }
    lo = end;
  }
}

constexpr std::uint32_t kDirtyJob = 8, kArenaJobs = 32;
constexpr uintptr kArenaJob = heapArenaBytes / kArenaJobs;

}  // namespace

void dirtyJob(gcWork* w, std::uint32_t job) {
  for (std::uint32_t i = job * kDirtyJob, e = i + kDirtyJob; i < e && i < dirty.n; i++)
    scanRange(dirty.r[i].lo, dirty.r[i].hi, true, w);
}

std::uint32_t gcConcRootPrepare(rootKind kind) {
  if (kind == rootsStart) return work.nData + work.narenas * kArenaJobs;
  return (dirty.n + kDirtyJob - 1) / kDirtyJob;
}

void concRoot(gcWork* w, std::uint32_t job) {
  if (atomic::Load(&work.kind) == rootsDirty) return dirtyJob(w, job);
  if (job < work.nData) return dataJob(w, job);
  job -= work.nData;
  if (job >= work.narenas * kArenaJobs) return;
  uintptr lo = work.arenas[job / kArenaJobs]->base + job % kArenaJobs * kArenaJob;
  scanRange(lo, lo + kArenaJob, false, w);
}

}  // namespace runtime

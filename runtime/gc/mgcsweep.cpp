// Sweeping: what was not marked is free again. (Go's mgcsweep.go.)
//
// A cycle's end does not free anything; it makes all spans unswept. A span is swept by whoever takes it off its unswept
// list: an allocation that needs a span of that class, bgsweep in the background, or an allocation that pays for the
// background's lag (deductSweepCredit). Sweeping a span is turning its marks into its allocation bits: the dead objects
// are not touched, so it costs the same however many there were.
//
// Invariants
//   - Who sweeps owns the span; nobody sweeps while the world is stopped but gcStart.
//   - All spans are swept before the next cycle marks.
#include "runtime/gc/mgcwork.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

struct {
  mutex lock;
  g* gp;                     // init (gcenable)
  bool parked;               // lock
  double pagesPerByte;       // STW
  std::uint64_t liveBasis;   // STW: heapLive when the cycle ended
  std::uint64_t pagesSwept;  // atomic: since then
} sweep GOSYM("runtime.sweep");

// 0xdeadbeef all over the dead objects, so that who still uses one does not do so for long.
[[gnu::noinline, gnu::cold]] void clobber(mspan* s) {
  for (std::uint32_t i = nextClear(s->gcmarkBits, 0, s->nelems); i < s->nelems;
       i = nextClear(s->gcmarkBits, i + 1, s->nelems)) {
    auto* p = reinterpret_cast<std::uint32_t*>(s->startAddr + i * s->elemsize);
    for (uintptr k = 0; k < s->elemsize / 4; k++) p[k] = 0xdeadbeef;
  }
  s->needzero = true;
}

}  // namespace

// Sweeps s. An empty span goes back to the heap unless preserve; returns whether it did. The caller puts it on a list.
HEAPMARK bool mspan_sweep(mspan* s, bool preserve) {
  mheap* h = &mheap_;
  if (s->sweepgen + 2 != h->sweepgen) {
    printf("runtime: sweep of span {:#x}: sweepgen {} of {}\n", s->startAddr, s->sweepgen, h->sweepgen);
    throw_("mspan.sweep: bad span state");
  }
  std::uint32_t live = 0, words = (s->nelems + 63) / 64;
  for (std::uint32_t i = 0; i < words; i++) live += static_cast<std::uint32_t>(__builtin_popcountll(s->gcmarkBits[i]));
  if (live > s->allocCount) {
    printf("runtime: span {:#x}: {} objects marked, {} allocated\n", s->startAddr, live, s->allocCount);
    throw_("sweep increased allocation count");
  }
  if (UNLIKELY(debug.clobberfree != 0)) clobber(s);
  std::uint32_t freed = s->allocCount - live;
  if (freed != 0) {
    atomic::Xadd(&h->stats.frees, std::uint64_t{freed});
    atomic::Xadd(&h->stats.freeBytes, std::uint64_t{freed} * s->elemsize);
    s->needzero = true;
  }
  atomic::Xadd(&sweep.pagesSwept, s->npages);
  s->sweepgen = h->sweepgen;
  if (live == 0 && !preserve) {
    mheap_freeSpan(h, s);
    return true;
  }
  std::uint64_t* old = s->allocBits;
  s->allocBits = s->gcmarkBits;
  s->gcmarkBits = old;
  for (std::uint32_t i = 0; i < words; i++) old[i] = 0;
  s->allocCount = live;
  if (s->npages == 1) {
    std::uint8_t* f = pageFlags(s->startAddr);
    *f = static_cast<std::uint8_t>(live != 0 ? *f | pageOld : *f & ~pageOld);
  }
  s->freeindex = s->spanclass <= 1 ? 1 : 0;
  return false;
}

[[gnu::optimize("Os")]] LANDMARK uintptr sweepone() {
  mheap* h = &mheap_;
  for (;;) {
    std::uint32_t i = atomic::Load(&h->sweepIdx);
    if (i >= numSpanClasses) return sweepNothing;
    mcentral* c = &h->central[i];
    mspan* s = mcentral_takeUnswept(c);
    if (s == nullptr) {
      atomic::Cas(&h->sweepIdx, i, i + 1);
      continue;
    }
    uintptr npages = s->npages;
    if (mspan_sweep(s, false)) return npages;
    mcentral_uncacheSpan(c, s);
    return 0;
  }
}

// The sweeping shall be done when the next cycle begins; so each byte allocated until then pays for its share.
[[gnu::optimize("Os")]] void sweepPace() {
  mheap* h = &mheap_;
  std::uint64_t live = h->heapLive, trigger = h->gcTrigger;
  std::uint64_t pages = h->stats.heapInuse / pageSize;
  std::uint64_t dist = trigger > live ? trigger - live : 0;
  dist = dist > (1u << 20) ? dist - (1u << 20) : 0;
  if (dist < pageSize) dist = pageSize;
  sweep.pagesPerByte = static_cast<double>(pages) / static_cast<double>(dist);
  sweep.liveBasis = live;
  atomic::Store(&sweep.pagesSwept, std::uint64_t{0});
}

[[gnu::optimize("Os")]] LANDMARK void deductSweepCredit(uintptr n) {
  std::uint64_t live = atomic::LoadRelaxed(&mheap_.heapLive) + n;
  if (live <= sweep.liveBasis) return;
  auto want = static_cast<std::uint64_t>(sweep.pagesPerByte * static_cast<double>(live - sweep.liveBasis));
  while (atomic::LoadRelaxed(&sweep.pagesSwept) < want)
    if (sweepone() == sweepNothing) break;
}

// The next cycle's spans are unswept from here on. World stopped.
LANDMARK void gcSweep() {
  mheap_.sweepgen += 2;
  mheap_.heapLive = gcController.heapMarked;
  atomic::Store(&mheap_.sweepIdx, 0u);
}

static bool sweepParked(g*, void*) {
  sweep.parked = true;
  unlock(&sweep.lock);
  return true;
}

[[gnu::optimize("Os")]] LANDMARK void bgsweep(void*) {
  sweep.gp = getg();
  gcBackgroundStarted();
  for (;;) {
    while (sweepone() != sweepNothing) {
      // Of all goroutines the least urgent: it makes room whenever somebody waits.
      for (int i = 0; i < 8; i++) sweepone();
      if (atomic::Load(&sched.npidle) == 0) Gosched();
    }
    systemstack([] { wakeScavenger(0); });
    lock(&sweep.lock);
    if (atomic::Load(&mheap_.sweepIdx) < numSpanClasses) {
      unlock(&sweep.lock);
      continue;
    }
    gcTrace(traceEvGCDone, atomic::Load(&work.cycles));
    gopark(sweepParked, nullptr, waitReasonGCSweepWait);
  }
}

void wakesweeper() {
  lock(&sweep.lock);
  bool wake = sweep.parked;
  sweep.parked = false;
  unlock(&sweep.lock);
  if (!wake) return;
  systemstack([] { ready(sweep.gp, false); });
}

void sweepinit() {
  lockInit(&sweep.lock, lockRankSweep);
  hooks.sweepSpan = [](void* s) { mspan_sweep(static_cast<mspan*>(s), true); };
  hooks.deductSweepCredit = deductSweepCredit;
}

}  // namespace runtime

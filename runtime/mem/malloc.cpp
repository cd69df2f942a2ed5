// Allocation: the entry points over mcache, mcentral and mheap, and malloc's kind of memory with free.
//
// Owns: mallocinit, mallocgc, the tiny allocator, large objects, mallocManual and freeManual.
//
// Who may call: a goroutine, g0, threads without a P. A thread with a P uses the P's cache without any lock, because
// runtime text is not preempted; others share one cache under a lock, which the collector holds while it marks: so nobody
// allocates then. Signal handlers may not allocate.
//
// Double frees and foreign pointers are looked for at every free, which costs a load and a multiplication: a program
// that goes on after one of them fails somewhere else and later.
#include "runtime/mem/mheap.h"
#include "runtime/base/bootstep.h"
#include "runtime/base/hooks.h"

namespace runtime {

mcache* mcache0;

BOOTMARK void mallocinit() {
  if (physPageSize == 0 || (physPageSize & (physPageSize - 1)) != 0) throw_("failed to get system page size");
  mheap_init(&mheap_);
  mcache0 = allocmcache();
  lock(&mheap_.lock);
  if (!mheap_grow(&mheap_, 1, false)) throw_("out of memory");
  unlock(&mheap_.lock);
  BOOTSTEP("runtime.mallocinit", "#arena,arenabytes,sizeclasses,#mcache0", arenaList[0]->base, heapArenaBytes,
           numSizeClasses, mcache0);
}

namespace {

// The running thread's own cache; null: use the shared one.
ALWAYS_INLINE mcache* getMCache() {
  g* gp = getg();
#ifdef BOOT_HOSTED
  if (gp == nullptr) return nullptr;
#endif
  p* pp = gp->m->p;
  if (LIKELY(pp != nullptr)) return pp->mcache;
  return mcache0;  // not null only while the first thread boots
}

template <class F>
[[gnu::noinline]] auto withoutP(F f) {
  mheap* h = &mheap_;
#ifdef BOOT_HOSTED
  if (getg() == nullptr) {
    lock2(&h->noPlock);
    if (h->noP == nullptr) h->noP = allocmcache();
    auto r = f(h->noP);
    unlock2(&h->noPlock);
    return r;
  }
#endif
  // The collector may stop this thread on its way to the lock and from it, for it has the lock then.
  getg()->m->mallocing++;
  lock(&h->noPlock);
  if (h->noP == nullptr) h->noP = allocmcache();
  auto r = f(h->noP);
  unlock(&h->noPlock);
  getg()->m->mallocing--;
  return r;
}

// The heap has grown to the collector's goal: begin a cycle, here and now. The new object must be in this frame.
// Or somebody has asked this goroutine to stop: a loop that only allocates is hardly ever caught by a signal outside of
// the runtime, so it looks for that here, once for some KB.
ALWAYS_INLINE void gcTest(uintptr n) {
  if (UNLIKELY(atomic::LoadRelaxed(&mheap_.heapLive) >= atomic::LoadRelaxed(&mheap_.gcTrigger) ||
               getguard() == stackPreempt))
    hooks.gcAssistAlloc(getg(), n);
}

// Clears a large block in pieces, and looks between two of them for what gcTest looks for. The block belongs to the
// caller already; what it holds until then are old words, which keep at most what is dead.
[[gnu::noinline]] void memclrNoHeapPointersChunked(void* p, uintptr n) {
  constexpr uintptr kChunk = 256 << 10;  // Go's
  for (auto at = static_cast<char*>(p); n != 0;) {
    uintptr k = n < kChunk ? n : kChunk;
    __builtin_memset(at, 0, k);
    at += k;
    n -= k;
    if (UNLIKELY(getguard() == stackPreempt)) hooks.gcAssistAlloc(getg(), 0);
  }
}

[[gnu::noinline]] void* allocLarge(mcache* c, std::size_t n, bool noscan, bool zero) {
  if (UNLIKELY(n > maxAlloc)) panicplain("runtime: allocation size out of range");
  uintptr npages = (n + pageSize - 1) >> pageShift;
  if (atomic::LoadRelaxed(&mheap_.sweepIdx) < numSpanClasses) hooks.deductSweepCredit(npages * pageSize);
  mspan* s = mheap_alloc(&mheap_, npages, noscan ? 1 : 0, mSpanInUse, 1, false);
  if (s == nullptr) throw_("out of memory");
  s->freeindex = s->allocCount = 1;
  c->mallocs++;
  c->mallocBytes += npages * pageSize;
  atomic::Xadd(&mheap_.heapLive, npages * pageSize);
  atomic::Xadd(&mheap_.stats.largeAllocs, std::uint64_t{1});
  mcentral_uncacheSpan(&mheap_.central[s->spanclass], s);
  auto* p = reinterpret_cast<void*>(s->startAddr);
  if (zero && s->needzero) memclrNoHeapPointersChunked(p, npages * pageSize);
  gcTest(npages * pageSize);
  return p;
}

// tinyoffset: what to make of a block for the tiny allocator, 0 if it is not for that. After gcTest the goroutine may be
// on another P, so nothing is done with c from there on.
[[gnu::noinline]] void* nextSlow(mcache* c, spanClass spc, uintptr tinyoffset = 0) {
  bool same = mcache_nextRun(c, spc);
  if (!same && !mcache_refill(c, spc)) throw_("out of memory");
  mrun* r = &c->alloc[spc];
  uintptr p = r->ptr, n = r->end - p;
  r->ptr = p + r->s->elemsize;
  if (tinyoffset != 0) {
    c->tiny = p;
    c->tinyoffset = tinyoffset;
  }
  gcTest(n);
  return reinterpret_cast<void*>(p);
}

// The next slot, cleared.
ALWAYS_INLINE void* nextSlot(mcache* c, std::uint32_t cls, bool noscan) {
  auto spc = static_cast<spanClass>(cls << 1 | (noscan ? 1 : 0));
  mrun* r = &c->alloc[spc];
  uintptr p = r->ptr;
  if (UNLIKELY(p == r->end)) return nextSlow(c, spc);
  r->ptr = p + sizeClasses.size[cls];
  return reinterpret_cast<void*>(p);
}

// Several small objects without pointers share one block of 16 bytes; the block lives as long as any of them.
ALWAYS_INLINE void* tinyAlloc(mcache* c, std::size_t n) {
  uintptr off = c->tinyoffset;
  if ((n & 7) == 0)
    off = (off + 7) & ~uintptr{7};
  else if ((n & 3) == 0)
    off = (off + 3) & ~uintptr{3};
  else if ((n & 1) == 0)
    off = (off + 1) & ~uintptr{1};
  if (off + n <= tinySize && c->tiny != 0) {
    c->tinyoffset = off + n;
    c->tinyAllocs++;
    return reinterpret_cast<void*>(c->tiny + off);
  }
  mrun* r = &c->alloc[tinySpanClass];
  uintptr p = r->ptr;
  if (UNLIKELY(p == r->end)) return nextSlow(c, tinySpanClass, n);
  r->ptr = p + tinySize;
  c->tiny = p;
  c->tinyoffset = n;
  return reinterpret_cast<void*>(p);
}

ALWAYS_INLINE void* allocWith(mcache* c, std::size_t n, std::uint32_t flags) {
  bool noscan = (flags & kNoscan) != 0;
  if (LIKELY(n <= maxSmallSize)) {
    if (noscan && n < tinySize) return tinyAlloc(c, n);
    return nextSlot(c, sizeToClass(n), noscan);
  }
  return allocLarge(c, n, noscan, !noscan || (flags & kNeedzero) != 0);
}

// ---- manual memory ----

ALWAYS_INLINE std::uint32_t manualClass(std::size_t n) {
  // 8 bytes have no room for the mark of a free slot, and 24 would break the alignment that malloc promises.
  if (n <= 16) return sizeToClass(16);
  if (n <= 32) return sizeToClass(32);
  return sizeToClass(n);
}

[[gnu::noinline]] void* manualSlow(mcache* c, spanClass spc, bool quiet);

ALWAYS_INLINE void* manualWith(mcache* c, spanClass spc, bool quiet) {
  mslots* m = &c->manual[spc];
  void* p = m->head;
  if (UNLIKELY(p == nullptr)) {
    uintptr q = m->ptr;
    if (q == m->end) return manualSlow(c, spc, quiet);
    atomic::StoreRel(&m->ptr, q + sizeClasses.size[spc >> 1]);  // before the program writes there
    reinterpret_cast<uintptr*>(q)[1] = 0;  // the page's former use may have left the mark of a free slot
    return reinterpret_cast<void*>(q);
  }
  auto* w = static_cast<uintptr*>(p);
  m->head = reinterpret_cast<void*>(w[0]);
  m->n--;
  w[1] = 0;  // no longer free
  return p;
}

void* manualSlow(mcache* c, spanClass spc, bool quiet) {
  if (!mcentral_refillManual(&mheap_.centralManual[spc], &c->manual[spc], quiet)) return nullptr;
  return manualWith(c, spc, quiet);
}

void* manualLarge(std::size_t n, std::size_t align, bool noscan, bool zero, bool quiet) {
  if (n > maxAlloc || align > maxAlloc) return nullptr;
  uintptr npages = (n + pageSize - 1) >> pageShift;
  mspan* s =
      mheap_alloc(&mheap_, npages, noscan ? 1 : 0, mSpanManual, align <= pageSize ? 1 : align >> pageShift, quiet);
  if (s == nullptr) return nullptr;
  s->freeindex = s->allocCount = 1;
  auto* p = reinterpret_cast<void*>(s->startAddr);
  if (zero && s->needzero) memclrNoHeapPointersChunked(p, n);
  return p;
}

ALWAYS_INLINE void* manualAlloc(std::size_t n, std::size_t align, bool noscan, bool zero, bool quiet) {
  if (UNLIKELY(align > 16)) {
    // A slot of a power of two is aligned to its size, for spans begin at a page.
    if (n < align) n = align;
    if (align <= pageSize && n <= maxSmallSize) {
      std::size_t r = 32;
      while (r < n) r <<= 1;
      n = r;
    }
  }
  if (UNLIKELY(n > maxSmallSize || align > pageSize)) {
    if (LIKELY(getMCache() != nullptr)) return manualLarge(n, align, noscan, zero, quiet);
    return withoutP([=](mcache*) { return manualLarge(n, align, noscan, zero, quiet); });
  }
  auto spc = static_cast<spanClass>(manualClass(n) << 1 | (noscan ? 1 : 0));
  mcache* c = getMCache();
  void* p = LIKELY(c != nullptr) ? manualWith(c, spc, quiet)
                                 : withoutP([=](mcache* nc) { return manualWith(nc, spc, quiet); });
  if (zero && p != nullptr) __builtin_memset(p, 0, n);
  return p;
}

[[noreturn, gnu::cold, gnu::noinline]] void badFree(void* p, mspan* s) {
  auto a = reinterpret_cast<uintptr>(p);
  if (s == nullptr || s->state == mSpanDead) {
    printf("runtime: free of {:#x}, which is not in use in the heap\n", a);
    fatal("free of a foreign pointer");
  }
  if (s->state == mSpanInUse) {
    printf("runtime: free of {:#x}, which the garbage collector owns (object of {} bytes)\n", a, s->elemsize);
    fatal("free of garbage-collected memory");
  }
  uintptr obj = s->startAddr + objIndex(s, a) * s->elemsize;
  if (obj != a || a >= s->limit) {
    printf("runtime: free of {:#x}, inside the block {:#x} of {} bytes\n", a, obj, s->elemsize);
    fatal("free of a pointer into a block");
  }
  printf("runtime: free of {:#x}, a block of {} bytes that is free already\n", a, s->elemsize);
  fatal("double free");
}

[[gnu::noinline]] void trimManual(mslots* m, spanClass spc) {
  // The half that came first stays behind in the cache; the newest, which are warm, are kept.
  void* cut = m->head;
  std::uint32_t keep = m->max / 2;
  for (std::uint32_t i = 1; i < keep; i++) cut = *static_cast<void**>(cut);
  void* rest = *static_cast<void**>(cut);
  *static_cast<void**>(cut) = nullptr;
  m->n = keep;
  mcentral_releaseManual(&mheap_.centralManual[spc], rest);
}

ALWAYS_INLINE void freeWith(mcache* c, uintptr* w, spanClass spc) {
  mslots* m = &c->manual[spc];
  w[0] = reinterpret_cast<uintptr>(m->head);
  w[1] = mheap_.freeKey ^ reinterpret_cast<uintptr>(w);
  m->head = w;
  if (UNLIKELY(++m->n > m->max)) trimManual(m, spc);
}

}  // namespace

void* mallocgc(std::size_t n, std::uint32_t flags) {
  if (UNLIKELY(flags & kManual)) {
    void* p = manualAlloc(n, 16, (flags & kNoscan) != 0, (flags & kNeedzero) != 0, false);
    if (p == nullptr) throw_("out of memory");
    return p;
  }
  if (UNLIKELY(n == 0)) return &zerobase;
  mcache* c = getMCache();
  if (LIKELY(c != nullptr)) return allocWith(c, n, flags);
  if (hooks.foreignCall != nullptr && getg()->m->foreign == foreignRuns) {
    struct {
      std::size_t n;
      std::uint32_t flags;
      void* p;
    } a = {n, flags, nullptr};
    auto again = [](void* p) {
      auto* b = static_cast<decltype(a)*>(p);
      b->p = mallocgc(b->n, b->flags);
    };
    hooks.foreignCall(again, &a);
    return a.p;
  }
  return withoutP([=](mcache* nc) { return allocWith(nc, n, flags); });
}

void* mallocManual(std::size_t n, std::size_t align, bool zero) { return manualAlloc(n, align, false, zero, true); }

void freeManual(void* p) {
  if (p == nullptr) return;
  auto a = reinterpret_cast<uintptr>(p);
  mspan* s = spanOf(a);
  if (UNLIKELY(s == nullptr || s->state != mSpanManual)) badFree(p, s);
  spanClass spc = s->spanclass;
  if (UNLIKELY(spc <= 1)) {
    if (a != s->startAddr) badFree(p, s);
    if (LIKELY(getMCache() != nullptr))
      mheap_freeSpan(&mheap_, s);
    else
      withoutP([=](mcache*) { return mheap_freeSpan(&mheap_, s), 0; });
    return;
  }
  auto* w = static_cast<uintptr*>(p);
  std::uint32_t size = sizeClasses.size[spc >> 1];
  if (UNLIKELY(s->startAddr + uintptr{objIndex(s, a)} * size != a || a >= s->limit || w[1] == (mheap_.freeKey ^ a)))
    badFree(p, s);
  mcache* c = getMCache();
  if (LIKELY(c != nullptr))
    freeWith(c, w, spc);
  else
    withoutP([=](mcache* nc) { return freeWith(nc, w, spc), 0; });
}

std::size_t usableSize(const void* p) {
  if (p == nullptr) return 0;
  auto a = reinterpret_cast<uintptr>(p);
  mspan* s = spanOf(a);
  if (s == nullptr || s->state != mSpanManual || s->startAddr + objIndex(s, a) * s->elemsize != a)
    badFree(const_cast<void*>(p), s);
  return s->elemsize;
}

}  // namespace runtime

// The P's own supply of free slots. Only the P's owner touches it, so nothing here is atomic.
//
// Owns: how a run of slots is taken from a span, and how a span is changed for the next.
#include "runtime/base/hooks.h"
#include "runtime/mem/mheap.h"

namespace runtime {

BOOTMARK mcache* allocmcache() {
  mheap* h = &mheap_;
  lock(&h->lock);
  mcache* c = h->freeCaches;
  if (c != nullptr) h->freeCaches = *reinterpret_cast<mcache**>(c);
  unlock(&h->lock);
  if (c == nullptr)
    c = static_cast<mcache*>(persistentalloc(sizeof(mcache), 64));
  else
    __builtin_memset(static_cast<void*>(c), 0, sizeof(mcache));
  for (int i = 0; i < numSpanClasses; i++) {
    c->alloc[i].s = &emptymspan;
    std::uint32_t size = sizeClasses.size[i >> 1];
    // Up to 32 KB of free slots a class stay here: enough to take a burst, little enough to lose.
    std::uint32_t max = size == 0 ? 0 : 32768 / size;
    c->manual[i].max = max < 2 ? 2 : (max > 512 ? 512 : max);
  }
  return c;
}

void freemcache(mcache* c) {
  mcache_releaseAll(c);
  mheap* h = &mheap_;
  lock(&h->lock);
  *reinterpret_cast<mcache**>(c) = h->freeCaches;
  h->freeCaches = c;
  unlock(&h->lock);
}

static void flushLive(mcache* c) {
  atomic::Xadd(&mheap_.heapLive, static_cast<std::uint64_t>(c->liveBytes));
  c->liveBytes = 0;
}

// Dirty runs are cut to this many bytes: the clearing brings them into the first cache, and they should be used there.
constexpr uintptr kRunBytes = 4096;

HEAPMARK bool mcache_nextRun(mcache* c, spanClass spc) {
  mrun* r = &c->alloc[spc];
  mspan* s = r->s;
  std::uint32_t i = nextClear(s->allocBits, s->freeindex, s->nelems);
  if (i >= s->nelems) {
    s->freeindex = s->nelems;
    return false;
  }
  std::uint32_t most = s->nelems;
  if (s->needzero) {
    uintptr k = kRunBytes / s->elemsize;
    most = i + static_cast<std::uint32_t>(k == 0 ? 1 : k);
    if (most > s->nelems) most = s->nelems;
  }
  std::uint32_t e = nextSet(s->allocBits, i, most);
  s->allocCount += e - i;
  s->freeindex = e;
  r->ptr = s->startAddr + i * s->elemsize;
  r->end = s->startAddr + e * s->elemsize;
  c->mallocs += e - i;
  c->mallocBytes += r->end - r->ptr;
  if (s->needzero) __builtin_memset(reinterpret_cast<void*>(r->ptr), 0, r->end - r->ptr);
  return true;
}

HEAPMARK bool mcache_refill(mcache* c, spanClass spc) {
  if (UNLIKELY(atomic::LoadRelaxed(&mheap_.sweepIdx) < numSpanClasses)) hooks.deductSweepCredit(pageSize);
  for (;;) {
    mspan* s = c->alloc[spc].s;
    if (s != &emptymspan) {
      if (mcache_nextRun(c, spc)) return true;
      mcentral_uncacheSpan(&mheap_.central[spc], s);
      c->alloc[spc] = {0, 0, &emptymspan};
    }
    s = mcentral_cacheSpan(&mheap_.central[spc]);
    if (s == nullptr) return false;
    c->alloc[spc].s = s;
    c->liveBytes += static_cast<std::int64_t>((s->nelems - s->allocCount) * s->elemsize);
    flushLive(c);
  }
}

// Gives what is left of each run to its span, and the spans to their central lists.
void mcache_flushRuns(mcache* c) {
  for (int i = 0; i < numSpanClasses; i++) {
    mrun* r = &c->alloc[i];
    mspan* s = r->s;
    if (s == &emptymspan) continue;
    if (r->ptr < r->end) {
      auto left = static_cast<std::uint32_t>((r->end - r->ptr) / s->elemsize);
      s->freeindex = objIndex(s, r->ptr);
      // Marking beside the program may have met an old word that points to a slot nobody has had.
      clearBits(s->gcmarkBits, s->freeindex, left);
      s->allocCount -= left;
      c->mallocs -= left;
      c->mallocBytes -= r->end - r->ptr;
    }
    c->liveBytes -= static_cast<std::int64_t>((s->nelems - s->allocCount) * s->elemsize);
    *r = {0, 0, &emptymspan};
    mcentral_uncacheSpan(&mheap_.central[i], s);
  }
  c->tiny = c->tinyoffset = 0;
  flushLive(c);
}

HEAPMARK void mcache_releaseAll(mcache* c) {
  mcache_flushRuns(c);
  for (int i = 0; i < numSpanClasses; i++) {
    mslots* m = &c->manual[i];
    void* head = m->head;
    m->head = nullptr;
    m->n = 0;
    uintptr size = sizeClasses.size[i >> 1];
    for (; m->ptr < m->end; m->ptr += size) {
      auto* w = reinterpret_cast<uintptr*>(m->ptr);
      w[0] = reinterpret_cast<uintptr>(head);
      w[1] = mheap_.freeKey ^ m->ptr;
      head = w;
    }
    m->ptr = m->end = 0;
    m->cut = nullptr;
    if (head != nullptr) mcentral_releaseManual(&mheap_.centralManual[i], head);
  }
  atomic::Xadd(&mheap_.stats.mallocs, c->mallocs);
  atomic::Xadd(&mheap_.stats.mallocBytes, c->mallocBytes);
  atomic::Xadd(&mheap_.stats.tinyAllocs, c->tinyAllocs);
  c->mallocs = c->mallocBytes = c->tinyAllocs = 0;
}

}  // namespace runtime

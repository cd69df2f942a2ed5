// The heap: arenas from the address space, spans of pages from arenas.
//
// Owns: mheap_, the map of arenas, the span structs and their bitmaps.
//
// Invariants (h.lock)
//   - arenaList holds the heap's arenas in address order, arenaSums their free pages; arenas before searchIdx are full.
//   - A page in use belongs to exactly one span, and arena.spans points at it; a free page's entry is null, so that a
//     stale or foreign pointer finds nothing.
//   - span structs are recycled but never become anything else: who reads one without the lock reads a span.
#include "runtime/mem/mheap.h"

#include "runtime/base/hooks.h"

namespace runtime {

mheap mheap_;
BIGTABLE heapArena** arenas[arenaL1Entries];
BIGTABLE heapArena* arenaList[kMaxArenas];
BIGTABLE pallocSum arenaSums[kMaxArenas];
uintptr arenaHint = 0xc000000000;
mspan emptymspan;
std::uint64_t zerobase;

BOOTMARK void mheap_init(mheap* h) {
  lockInit(&h->lock, lockRankMheap);
  lockInit(&h->noPlock, lockRankNoP);
#ifdef BOOT_LOCKRANK
  // Else the lists are not touched: they are six pages, and a small program uses one.
  for (int i = 0; i < numSpanClasses; i++) {
    lockInit(&h->central[i].lock, lockRankMcentral);
    lockInit(&h->centralManual[i].lock, lockRankMcentral);
  }
#endif
  h->nextArena = arenaHint;
  h->heapLo = ~uintptr{0};
  h->gcTrigger = ~std::uint64_t{0};  // until gcenable
  h->sweepIdx = numSpanClasses;
  // Unguessable, so that no data a program computes looks like a free slot's mark.
  h->freeKey = 0x9e3779b97f4a7c15;
  for (std::int64_t i = 0; i + 8 <= startupRandomData.len; i += 8) {
    uintptr w;
    __builtin_memcpy(&w, startupRandomData.array + i, 8);
    h->freeKey ^= w;
  }
}

heapArena* addArena(uintptr base, arenaKind kind) {
  mheap* h = &mheap_;
  heapArena*** l2 = &arenas[base >> (arenaShift + arenaL2Bits)];
  if (*l2 == nullptr) {
    auto* t = static_cast<heapArena**>(persistentallocQuiet(arenaL2Entries * sizeof(heapArena*), 64));
    if (t == nullptr) return nullptr;
    atomic::StoreRel(l2, t);
  }
  auto* a = static_cast<heapArena*>(
      sysAlloc((sizeof(heapArena) + physPageSize - 1) & ~(physPageSize - 1), &h->stats.otherSys, true));
  if (a == nullptr) return nullptr;
  a->base = base;
  a->kind = kind;
  if (kind == arenaHeap) {
    if (h->narenas == kMaxArenas) throw_("too many arenas");
    std::uint32_t at = h->narenas++;
    for (; at > 0 && arenaList[at - 1]->base > base; at--) {
      arenaList[at] = arenaList[at - 1];
      arenaSums[at] = arenaSums[at - 1];
      arenaList[at]->index = at;
    }
    a->index = at;
    arenaList[at] = a;
    for (auto& w : a->pages.scav) w = ~std::uint64_t{0};
    for (auto& w : a->pages.zero) w = ~std::uint64_t{0};
    arenaSums[at] = arenaUpdate(&a->pages, 0, pagesPerArena);
    if (at < h->searchIdx) h->searchIdx = at;
    if (base < h->heapLo) h->heapLo = base;
    if (base + heapArenaBytes > h->heapHi) h->heapHi = base + heapArenaBytes;
  }
  atomic::StoreRel(&(*l2)[(base >> arenaShift) % arenaL2Entries], a);
  return a;
}

// Arenas lie one after the other from arenaHint on as long as the kernel lets them; when something is in the way, a
// terabyte further; and when that fails too, wherever the kernel has room.
HEAPMARK void* mheap_sysAlloc(mheap* h, uintptr n, uintptr* got) {
  n = (n + heapArenaBytes - 1) & ~(heapArenaBytes - 1);
  uintptr at = 0;
  for (int tries = 0; tries < 64; tries++) {
    void* p = sysReserve(reinterpret_cast<void*>(h->nextArena), n);
    if (reinterpret_cast<uintptr>(p) == h->nextArena) {
      at = h->nextArena;
      break;
    }
    if (p == nullptr) {
      break;
    }
    sysFreeOS(p, n);
    h->nextArena += uintptr{1} << 40;
  }
  if (at == 0) {
    auto p = reinterpret_cast<uintptr>(sysReserve(nullptr, n + heapArenaBytes));
    if (p == 0) return nullptr;
    at = (p + heapArenaBytes - 1) & ~(heapArenaBytes - 1);
    if (at > p) sysFreeOS(reinterpret_cast<void*>(p), at - p);
    if (p + heapArenaBytes > at) sysFreeOS(reinterpret_cast<void*>(at + n), p + heapArenaBytes - at);
  } else {
    h->nextArena = at + n;
  }
  *got = n;
  return reinterpret_cast<void*>(at);
}

bool mheap_grow(mheap* h, uintptr npages, bool quiet) {
  uintptr ask = npages * pageSize, got = 0;
  // What the last arena has free at its end counts when the new one follows it directly.
  if (h->narenas > 0) {
    std::uint32_t last = h->narenas - 1;
    uintptr tail = uintptr{arenaSums[last].end} * pageSize;
    if (arenaList[last]->base + heapArenaBytes == h->nextArena && tail < ask) ask -= tail;
  }
  // What is refused leaves the heap as it was; of what was asked for in vain the next arena's place must not be lost.
  auto refused = [&] {
    if (!quiet)
      printf("runtime: out of memory: cannot allocate {}-byte block ({} in use)\n",
             (ask + heapArenaBytes - 1) & ~(heapArenaBytes - 1), atomic::Load(&h->stats.heapInuse));
    return false;
  };
  uintptr hint = h->nextArena;
  void* v = ask <= (kMaxArenas - h->narenas) * heapArenaBytes ? mheap_sysAlloc(h, ask, &got) : nullptr;
  if (v == nullptr) return refused();
  if (!sysMap(v, got, &h->stats.heapSys, quiet)) {
    sysFreeOS(v, got);
    h->nextArena = hint;
    return refused();
  }
  atomic::Xadd(&h->stats.heapReleased, got);
  for (uintptr b = reinterpret_cast<uintptr>(v), e = b + got; b < e; b += heapArenaBytes)
    if (addArena(b, arenaHeap) == nullptr) {  // no memory for what is to be known of it
      sysFreeOS(reinterpret_cast<void*>(b), e - b);
      atomic::Xadd(&h->stats.heapSys, -(e - b));
      atomic::Xadd(&h->stats.heapReleased, -(e - b));
      if (h->nextArena == e) h->nextArena = b;
      return refused();
    }
  return true;
}

namespace {

// The first run of npages free pages in address order; 0 if there is none. h.lock held.
uintptr findPages(mheap* h, uintptr npages) {
  while (h->searchIdx < h->narenas && arenaSums[h->searchIdx].max == 0) h->searchIdx++;
  uintptr run = 0, at = 0;  // free pages that reach up to the arena's start
  for (uintptr i = h->searchIdx; i < h->narenas; i++) {
    heapArena* a = arenaList[i];
    const pallocSum& s = arenaSums[i];
    if (i > 0 && arenaList[i - 1]->base + heapArenaBytes != a->base) run = 0;
    if (run == 0) at = a->base;
    if (run + s.start >= npages) return at;
    if (s.max >= npages) return a->base + uintptr{arenaFind(&a->pages, static_cast<std::uint32_t>(npages))} * pageSize;
    if (s.start == pagesPerArena) {
      run += pagesPerArena;
    } else {
      run = s.end;
      at = a->base + (pagesPerArena - run) * pageSize;
    }
  }
  return 0;
}

// Calls f(arena, first page, pages) for each arena that [base, base + npages) has a part of.
template <class F>
void eachArena(uintptr base, uintptr npages, F f) {
  while (npages > 0) {
    heapArena* a = arenaOf(base);
    auto i = static_cast<std::uint32_t>((base >> pageShift) % pagesPerArena);
    auto n = static_cast<std::uint32_t>(npages < pagesPerArena - i ? npages : pagesPerArena - i);
    f(a, i, n);
    base += uintptr{n} * pageSize;
    npages -= n;
  }
}

// Null when memory is refused.
mspan* newSpan(mheap* h, mSpanState state) {
  slice<mspan*>& all = state == mSpanInUse ? h->allspans : h->manualspans;
  if (all.len == all.cap) {
    std::int64_t cap = all.cap == 0 ? 1024 : all.cap * 2;
    uintptr bytes = static_cast<uintptr>(cap) * sizeof(mspan*);
    auto* nw = static_cast<mspan**>(sysAlloc(bytes, &h->stats.otherSys, true));
    if (nw == nullptr) return nullptr;
    if (all.len > 0) {
      __builtin_memcpy(nw, all.array, static_cast<uintptr>(all.len) * sizeof(mspan*));
      sysFreeOS(all.array, static_cast<uintptr>(all.cap) * sizeof(mspan*));
      atomic::Xadd(&h->stats.otherSys, -(static_cast<uintptr>(all.cap) * sizeof(mspan*)));
    }
    all.array = nw;
    all.cap = cap;
  }
  mspan* s = h->freeSpans;
  if (s != nullptr)
    h->freeSpans = s->next;
  else if (s = static_cast<mspan*>(persistentallocQuiet(sizeof(mspan), 64)); s == nullptr)
    return nullptr;
  s->allspansIdx = static_cast<std::uint32_t>(all.len);
  all.array[all.len++] = s;
  return s;
}

// Gives s the two bitmaps for its nelems, cleared.
void setBitmaps(mheap* h, mspan* s) {
  std::uint32_t words = (s->nelems + 63) / 64, bucket = 0;
  while ((1u << bucket) < words) bucket++;
  words = 1u << bucket;
  if (s->bitWords != words) {
    if (s->bitWords != 0) {  // the struct's former use had another number of slots
      std::uint32_t old = static_cast<std::uint32_t>(__builtin_ctz(s->bitWords));
      std::uint64_t* b = s->allocBits < s->gcmarkBits ? s->allocBits : s->gcmarkBits;
      *reinterpret_cast<void**>(b) = h->freeBits[old];
      h->freeBits[old] = b;
    }
    auto* b = static_cast<std::uint64_t*>(h->freeBits[bucket]);
    if (b != nullptr)
      h->freeBits[bucket] = *reinterpret_cast<void**>(b);
    else
      b = static_cast<std::uint64_t*>(persistentalloc(words * 16, 16));
    s->allocBits = b;
    s->gcmarkBits = b + words;
    s->bitWords = static_cast<std::uint8_t>(words);
  }
  __builtin_memset(s->allocBits, 0, words * 8);
  __builtin_memset(s->gcmarkBits, 0, words * 8);
}

}  // namespace

HEAPMARK mspan* mheap_alloc(mheap* h, uintptr npages, spanClass spc, mSpanState state, uintptr alignPages, bool quiet) {
  lock(&h->lock);
  uintptr want = npages + alignPages - 1;
  uintptr base = findPages(h, want);
  if (base == 0) {
    if (!mheap_grow(h, want, quiet)) {
      unlock(&h->lock);
      return nullptr;
    }
    base = findPages(h, want);
    if (base == 0) throw_("grew heap, but no adequate free space found");
  }
  uintptr a = alignPages * pageSize;
  base = (base + a - 1) & ~(a - 1);

  mspan* s = newSpan(h, state);
  if (s == nullptr) {
    unlock(&h->lock);
    if (!quiet) outOfMemory(sizeof(mspan));
    return nullptr;
  }
  uintptr released = 0, zero = 0;  // pages
  eachArena(base, npages, [&](heapArena* ar, std::uint32_t i, std::uint32_t n) {
    released += countBits(ar->pages.scav, i, n);
    zero += countBits(ar->pages.zero, i, n);
    setBits(ar->pages.alloc, i, n);
    clearBits(ar->pages.scav, i, n);
    clearBits(ar->pages.zero, i, n);
    arenaSums[ar->index] = arenaUpdate(&ar->pages, i, n);
    for (std::uint32_t k = 0; k < n; k++) ar->spans[i + k] = s;
    __builtin_memset(ar->flags + i,
                     (spc & 1) != 0                       ? pageNoscan
                     : state == mSpanInUse && npages == 1 ? pageSmall
                                                          : pageOther,
                     n);
  });
  std::uint32_t cls = spc >> 1;
  s->startAddr = base;
  s->npages = npages;
  s->elemsize = cls == 0 ? npages * pageSize : sizeClasses.size[cls];
  s->nelems = cls == 0 ? 1 : static_cast<std::uint32_t>(npages * pageSize / s->elemsize);
  s->divMul = sizeClasses.divMul[cls];
  s->limit = base + s->nelems * s->elemsize;
  s->freeindex = s->allocCount = 0;
  s->spanclass = spc;
  s->needzero = zero != npages;
  s->cached = s->onList = false;
  s->freelist = nullptr;
  s->cutBy = nullptr;
  s->next = s->prev = nullptr;
  if (state == mSpanInUse) setBitmaps(h, s);
  s->sweepgen = h->sweepgen;
  atomic::StoreRel(&s->state, state);
  atomic::Xadd(&h->stats.heapInuse, npages * pageSize);
  atomic::Xadd(&h->stats.heapReleased, -(released * pageSize));
  if (state == mSpanManual) {
    atomic::Xadd(&h->stats.manualInuse, npages * pageSize);
    if ((spc & 1) == 0) atomic::Xadd(&h->stats.manualScan, npages * pageSize);
  }
  unlock(&h->lock);
  if (UNLIKELY(hooks.heapGrown != nullptr)) hooks.heapGrown(released * pageSize);
  return s;
}

HEAPMARK void mheap_freeSpan(mheap* h, mspan* s) {
  lock(&h->lock);
  atomic::Xadd(&h->stats.heapInuse, -(s->npages * pageSize));
  slice<mspan*>& all = s->state == mSpanInUse ? h->allspans : h->manualspans;
  if (s->state == mSpanManual) {
    atomic::Xadd(&h->stats.manualInuse, -(s->npages * pageSize));
    if ((s->spanclass & 1) == 0) atomic::Xadd(&h->stats.manualScan, -(s->npages * pageSize));
  }
  atomic::StoreRel(&s->state, mSpanDead);
  eachArena(s->startAddr, s->npages, [&](heapArena* ar, std::uint32_t i, std::uint32_t n) {
    for (std::uint32_t k = 0; k < n; k++) ar->spans[i + k] = nullptr;
    __builtin_memset(ar->flags + i, 0, n);
    clearBits(ar->pages.alloc, i, n);
    arenaSums[ar->index] = arenaUpdate(&ar->pages, i, n);
    if (ar->index < h->searchIdx) h->searchIdx = ar->index;
  });
  mspan* last = all.array[--all.len];
  all.array[s->allspansIdx] = last;
  last->allspansIdx = s->allspansIdx;
  s->next = h->freeSpans;
  h->freeSpans = s;
  unlock(&h->lock);
}

}  // namespace runtime

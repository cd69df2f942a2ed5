// The middle of the allocator: for each span class the spans that no mcache holds.
//
// Owns: the lists partial and full, each swept and unswept, and of manual spans those with free slots.
//
// A lock a class and plain lists: a span changes hands once for 8 KB of objects, so the lock is taken rarely. (Go keeps
// lock-free sets here for machines with very many threads; that costs a block structure and buys nothing at 8.)
#include "runtime/base/hooks.h"
#include "runtime/mem/mheap.h"

namespace runtime {

namespace {
ALWAYS_INLINE std::uint32_t sweptIdx() { return (mheap_.sweepgen / 2) & 1; }

mspan* take(mSpanList* l) {
  mspan* s = l->first;
  if (s != nullptr) {
    spanRemove(l, s);
    s->onList = false;
  }
  return s;
}

// A list's class is its place in the heap's table, so that the tables need no filling at the start.
ALWAYS_INLINE spanClass classOf(const mcentral* c, const mcentral* table) { return static_cast<spanClass>(c - table); }

}  // namespace

mspan* mcentral_takeUnswept(mcentral* c) {
  std::uint32_t old = 1 - sweptIdx();
  lock(&c->lock);
  mspan* s = take(&c->full[old]);
  if (s == nullptr) s = take(&c->partial[old]);
  unlock(&c->lock);
  return s;
}

// First what is swept, then what the last cycle left to be swept: a span that was emptied goes on in its class at once,
// without a visit to the heap. A class whose spans are all full is not searched without end; bgsweep does that.
HEAPMARK mspan* mcentral_cacheSpan(mcentral* c) {
  mspan* s;
  for (int tries = 0; tries < 100; tries++) {
    std::uint32_t cur = sweptIdx(), old = 1 - cur;
    lock(&c->lock);
    s = take(&c->partial[cur]);
    if (s != nullptr) {
      s->cached = true;
      unlock(&c->lock);
      return s;
    }
    s = take(&c->partial[old]);
    if (s == nullptr) s = take(&c->full[old]);
    unlock(&c->lock);
    if (s == nullptr) break;
    hooks.sweepSpan(s);
    if (s->allocCount < s->nelems) {
      s->cached = true;
      return s;
    }
    mcentral_uncacheSpan(c, s);
  }
  spanClass spc = classOf(c, mheap_.central);
  s = mheap_alloc(&mheap_, sizeClasses.npages[spc >> 1], spc, mSpanInUse, 1, false);
  if (s != nullptr) s->cached = true;
  return s;
}

HEAPMARK void mcentral_uncacheSpan(mcentral* c, mspan* s) {
  lock(&c->lock);
  s->cached = false;
  s->onList = true;
  spanInsert(s->allocCount < s->nelems ? &c->partial[sweptIdx()] : &c->full[sweptIdx()], s);
  unlock(&c->lock);
}

// Manual spans: freeindex slots have been cut off the span's start; of these some wait on freelist.
bool mcentral_refillManual(mcentral* c, mslots* m, bool quiet) {
  lock(&c->lock);
  mspan* s = c->manual.first;
  if (s == nullptr) {
    unlock(&c->lock);
    spanClass spc = classOf(c, mheap_.centralManual);
    s = mheap_alloc(&mheap_, sizeClasses.npages[spc >> 1], spc, mSpanManual, 1, quiet);
    if (s == nullptr) return false;
    lock(&c->lock);
    spanInsert(&c->manual, s);
    s->onList = true;
  }
  if (s->freelist != nullptr) {
    // The whole list, however long: it is one span's, so at most 8 KB or a few large slots.
    m->head = s->freelist;
    m->n = s->freeindex - s->allocCount;
    s->allocCount = s->freeindex;
    s->freelist = nullptr;
  } else {
    m->end = s->limit;
    s->allocCount += s->nelems - s->freeindex;
    // In this order, which cutSlots relies on: who sees m's new place sees whose it is, and who marks meanwhile must not
    // take what the slots hold from before for something of the program's.
    atomic::Store(&m->cut, s);
    atomic::StoreRel(&m->ptr, s->startAddr + s->freeindex * s->elemsize);
    atomic::Store(&s->cutBy, m);
    atomic::StoreRel(&s->freeindex, s->nelems);
  }
  if (s->freeindex == s->nelems && s->freelist == nullptr) {
    spanRemove(&c->manual, s);
    s->onList = false;
  }
  unlock(&c->lock);
  return true;
}

void mcentral_releaseManual(mcentral* c, void* head) {
  mspan* empty = nullptr;
  lock(&c->lock);
  while (head != nullptr) {
    void* p = head;
    head = *static_cast<void**>(p);
    mspan* s = spanOf(reinterpret_cast<uintptr>(p));
    *static_cast<void**>(p) = s->freelist;
    s->freelist = p;
    if (!s->onList) {
      spanInsert(&c->manual, s);
      s->onList = true;
    }
    // One empty span stays per class, so that a loop of malloc and free at the border does not go to the heap each time.
    if (--s->allocCount == 0 && (c->manual.first != s || s->next != nullptr)) {
      spanRemove(&c->manual, s);
      s->onList = false;
      s->next = empty;
      empty = s;
    }
  }
  unlock(&c->lock);
  while (empty != nullptr) {
    mspan* s = empty;
    empty = s->next;
    mheap_freeSpan(&mheap_, s);
  }
}

}  // namespace runtime

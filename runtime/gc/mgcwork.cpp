// Work buffers: where grey objects wait. (Go's mgcwork.go.)
//
// A marker fills and empties a buffer of its own; full ones go to a shared list, where markers without work find them.
// So work is handed over 254 objects at a time, and the lock is taken rarely.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"

namespace runtime {

std::uint32_t concPhase;  // here, for mgcconc.cpp is not in every program
gcWorkState work;

namespace {

constexpr uintptr kChunk = 64 << 10;
constexpr std::uint32_t kKeepChunks = 16;
static_assert(sizeof(workbuf) <= 2048);

workbuf* getempty() {
  lock(&work.lock);
  if (work.empty == nullptr) {
    auto p = reinterpret_cast<uintptr>(sysAlloc(kChunk, &mheap_.stats.otherSys));
    if (p == 0) outOfMemory(kChunk);
    auto* head = reinterpret_cast<workbuf*>(p);
    head->next = work.chunks;
    work.chunks = head;
    work.nchunks++;
    for (uintptr off = 2048; off < kChunk; off += 2048) {
      auto* b = reinterpret_cast<workbuf*>(p + off);
      b->next = work.empty;
      work.empty = b;
    }
  }
  workbuf* b = work.empty;
  work.empty = b->next;
  unlock(&work.lock);
  b->n = 0;
  return b;
}

void putfull(workbuf* b) {
  lock(&work.lock);
  b->next = work.full;
  atomic::Store(&work.full, b);
  unlock(&work.lock);
}

void putempty(workbuf* b) {
  lock(&work.lock);
  b->next = work.empty;
  work.empty = b;
  unlock(&work.lock);
}

}  // namespace

HEAPMARK void gcWorkInit(gcWork* w) { *w = {getempty(), 0, 0, 0, false}; }

[[gnu::noinline]] void gcWorkPushSlow(gcWork* w, uintptr item) {
  putfull(w->wbuf);
  w->wbuf = getempty();
  gcWorkPut(w, item);
}

bool gcWorkRefill(gcWork* w) {
  if (atomic::LoadRelaxed(&work.full) == nullptr) return false;
  lock(&work.lock);
  workbuf* b = work.full;
  if (b != nullptr) atomic::Store(&work.full, b->next);
  unlock(&work.lock);
  if (b == nullptr) return false;
  putempty(w->wbuf);
  w->wbuf = b;
  return true;
}

// Somebody has nothing to do and the shared list is empty: half of what we have goes there.
HEAPMARK void gcWorkBalance(gcWork* w) {
  workbuf* b = w->wbuf;
  if (b->n < 8) return;
  workbuf* half = getempty();
  half->n = b->n / 2;
  b->n -= half->n;
  __builtin_memcpy(half->obj, b->obj + b->n, half->n * sizeof(uintptr));
  putfull(half);
}

HEAPMARK void gcWorkDispose(gcWork* w) {
  if (w->wbuf->n != 0) throw_("gcWork: work left");
  putempty(w->wbuf);
  w->wbuf = nullptr;
  atomic::Xadd(&work.bytesMarked, w->bytesMarked);
  atomic::Xadd(&work.scanWork, w->scanWork);
  atomic::Xadd(&work.stackScan, w->stackScan);
}

void gcWorkFlush(gcWork* w) {
  if (w->wbuf->n != 0)
    putfull(w->wbuf);
  else
    putempty(w->wbuf);
  w->wbuf = nullptr;
  atomic::Xadd(&work.bytesMarked, w->bytesMarked);
  atomic::Xadd(&work.scanWork, w->scanWork);
  atomic::Xadd(&work.stackScan, w->stackScan);
}

void dropWork() {
  lock(&work.lock);
  while (workbuf* b = work.full) {
    work.full = b->next;
    b->next = work.empty;
    work.empty = b;
  }
  unlock(&work.lock);
}

// A cycle that met a huge array has made many buffers; all but some go back. All buffers are empty.
void freeWorkbufs() {
  if (work.nchunks <= kKeepChunks) return;
  work.empty = nullptr;
  std::uint32_t keep = 0;
  workbuf* rest = nullptr;
  for (workbuf* c = work.chunks; c != nullptr;) {
    workbuf* next = c->next;
    if (keep < kKeepChunks) {
      keep++;
      c->next = rest;
      rest = c;
      for (uintptr off = 2048; off < kChunk; off += 2048) {
        auto* b = reinterpret_cast<workbuf*>(reinterpret_cast<uintptr>(c) + off);
        b->next = work.empty;
        work.empty = b;
      }
    } else {
      sysFreeOS(c, kChunk);
      atomic::Xadd(&mheap_.stats.otherSys, -kChunk);
    }
    c = next;
  }
  work.chunks = rest;
  work.nchunks = keep;
}

}  // namespace runtime

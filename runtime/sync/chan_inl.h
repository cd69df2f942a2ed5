// What chan.cpp and select.cpp share: the channel itself, its lock, its queues, and the copying of elements.
// A channel's lock is elided while GOMAXPROCS is 1: see onep.h.
#pragma once

#include "runtime/sync/chan.h"
#include "runtime/sync/onep.h"

namespace runtime {

struct waitq {  // FIFO of sudogs; hchan.lock
  sudog* first;
  sudog* last;
};

// A channel. The first line is what a buffered send or receive touches, the second what a blocking one adds; the
// elements follow. One lock guards all; qcount and closed are also read without it as hints.
struct alignas(16) hchan {
  std::uint64_t qcount;                 // elements in the buffer
  std::uint64_t dataqsiz;               // init: slots in the buffer
  void* buf;                            // init: the slots
  std::uint64_t sendx;                  // slot that the next send fills
  std::uint64_t recvx;                  // slot that the next receive empties
  const ::runtime::elemtype* elemtype;  // init
  std::uint16_t closed;
  std::uint16_t selects;   // a select has waited here: closechan must win each waiter
  std::uint32_t elemsize;  // init
  mutex lock;              // elided while GOMAXPROCS is 1, see onep.h
  waitq recvq;
  waitq sendq;
};

ALWAYS_INLINE void chanlock(hchan* c) { userlock(&c->lock); }
ALWAYS_INLINE void chanunlock(hchan* c) { userunlock(&c->lock); }

ALWAYS_INLINE void enqueue(waitq* q, sudog* sg) {
  sg->next = nullptr;
  sudog* x = q->last;
  sg->prev = x;
  if (x == nullptr)
    q->first = sg;
  else
    x->next = sg;
  q->last = sg;
}

// Whether a waiter can still be woken: then the caller must wake it.
ALWAYS_INLINE bool winwaiter(sudog* sg) {
  if (!sg->isSelect) return true;
  if (!oneP()) return atomic::Cas(&sg->g->selectDone, 0, 1);
  if (sg->g->selectDone != 0) return false;
  sg->g->selectDone = 1;
  return true;
}

// The first waiter that can still be woken. One that waits in a select is won by setting selectDone; a select that
// another channel has won is dropped here, its goroutine will find its other sudogs gone or unlink them itself.
ALWAYS_INLINE sudog* dequeue(waitq* q) {
  for (;;) {
    sudog* sg = q->first;
    if (sg == nullptr) return nullptr;
    sudog* y = sg->next;
    if (y == nullptr) {
      q->first = nullptr;
      q->last = nullptr;
    } else {
      y->prev = nullptr;
      q->first = y;
      sg->next = nullptr;  // dequeueSudoG reads it as "not queued any more"
    }
    if (winwaiter(sg)) return sg;
  }
}

ALWAYS_INLINE void* chanslot(hchan* c, std::uint64_t i) { return static_cast<char*>(c->buf) + i * c->elemsize; }

ALWAYS_INLINE void advance(hchan* c, std::uint64_t* x) {
  if (++*x == c->dataqsiz) *x = 0;
}

// Elements with code of their own. The callbacks are user code with a prologue check, hence m.locks.
[[gnu::noinline]] void movetyped(hchan* c, void* dst, void* src);
[[gnu::noinline]] void destroytyped(hchan* c, void* p);

// Constructs *dst from *src. The sizes of most channels in practice are copied inline.
ALWAYS_INLINE void moveelem(hchan* c, void* dst, void* src) {
  if (LIKELY(c->elemtype->move == nullptr)) {
    std::uint32_t n = c->elemsize;
    if (LIKELY(n == 8)) {
      __builtin_memcpy(dst, src, 8);
    } else if (n == 4) {
      __builtin_memcpy(dst, src, 4);
    } else if (n == 1) {
      __builtin_memcpy(dst, src, 1);
    } else if (n == 16) {
      __builtin_memcpy(dst, src, 16);
    } else if (n != 0) {
      __builtin_memcpy(dst, src, n);
    }
    return;
  }
  movetyped(c, dst, src);
}
// Ends the life of an element that has been moved from, or is dropped.
ALWAYS_INLINE void destroyelem(hchan* c, void* p) {
  if (UNLIKELY(c->elemtype->destroy != nullptr)) destroytyped(c, p);
}

// Empties a slot of the buffer whose value has been moved from. What it pointed to must not stay alive for as long as the
// channel does.
ALWAYS_INLINE void clearslot(hchan* c, void* slot) {
  const auto* t = c->elemtype;
  if (UNLIKELY(t->destroy != nullptr)) destroytyped(c, slot);
  if (t->noscan) return;
  if (LIKELY(c->elemsize == 8))
    __builtin_memset(slot, 0, 8);
  else
    __builtin_memset(slot, 0, c->elemsize);
}

// The four ways a value moves, under the lock. The caller unlocks, then wakes the waiter if there was one.
// To a receiver that waits: straight into its variable.
ALWAYS_INLINE void givewaiter(hchan* c, sudog* sg, void* elem) {
  if (sg->elem != nullptr) moveelem(c, sg->elem, elem);
  sg->elem = nullptr;
}
// From a sender that waits. If there is a buffer it is full: its head goes to the receiver, and the sender's value
// takes the slot, which is now the tail.
ALWAYS_INLINE void takewaiter(hchan* c, sudog* sg, void* elem) {
  if (c->dataqsiz == 0) {
    if (elem != nullptr) moveelem(c, elem, sg->elem);
  } else {
    void* slot = chanslot(c, c->recvx);
    if (elem != nullptr) moveelem(c, elem, slot);
    destroyelem(c, slot);
    moveelem(c, slot, sg->elem);
    advance(c, &c->recvx);
    c->sendx = c->recvx;
  }
  sg->elem = nullptr;
}
ALWAYS_INLINE void putbuffered(hchan* c, void* elem) {
  moveelem(c, chanslot(c, c->sendx), elem);
  advance(c, &c->sendx);
  c->qcount++;
}
ALWAYS_INLINE void takebuffered(hchan* c, void* elem) {
  void* slot = chanslot(c, c->recvx);
  if (elem != nullptr) moveelem(c, elem, slot);
  clearslot(c, slot);
  advance(c, &c->recvx);
  c->qcount--;
}
// sg is gone when this returns. success: by a value; false: by close.
ALWAYS_INLINE void wakewaiter(sudog* sg, bool success) {
  g* gp = sg->g;
  gp->param = sg;
  sg->success = success;
  goready(gp);
}

}  // namespace runtime

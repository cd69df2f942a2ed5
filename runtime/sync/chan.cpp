// Channels: make, send, receive, close (Go's chan.go).
//
// Owns: hchan and its order of events. select.cpp works on the same queues through chan_inl.h.
//
// Invariants
//   - At most one of sendq and recvq has a waiter that can be woken, but for one goroutine that waits with both a send
//     and a receive in one select.
//   - buffered: qcount > 0 implies recvq is empty; qcount < dataqsiz implies sendq is empty. A value goes to a waiting
//     receiver directly, never past it through the buffer; so the order is first in, first out, for values and waiters.
//   - A waiter's sudog and value lie in its own frame: stacks do not move, and the frame cannot go before the waiter
//     is dequeued. Whoever dequeues a sudog is done with it and its value before goready.
//   - elem of a receiver is raw storage; it is constructed exactly when received is true. elem of a sender is a live
//     object; it is moved from exactly once, and its owner destroys what is left.
//
// Ways not taken: sudogs from a cache per P, as in Go, whose stacks move. A lock-free ring for buffered channels: the
// order of waiters, close and select would each need a second protocol.
#include "runtime/sync/chan.h"

#include "runtime/mem/malloc.h"
#include "runtime/sync/chan_inl.h"

namespace runtime {

void (*chanfinalizerhook)(void* obj, void (*fin)(void*));

namespace {

constexpr std::size_t kChanAlign = 16;  // what mallocgc gives

// Queues the running goroutine and parks it; the caller holds the channel's lock. True: woken by a value. Inline, as
// each return after a switch is mispredicted.
ALWAYS_INLINE bool waitOn(hchan* c, waitq* q, void* elem, waitReason reason) {
  g* gp = getg();
  sudog sg;
  sg.g = gp;
  sg.elem = elem;
  sg.isSelect = false;
  sg.success = false;
  sg.c = c;
  sg.waitlink = nullptr;
  gp->waiting = &sg;
  gp->param = nullptr;
  enqueue(q, &sg);
  parkuserunlock(&c->lock, reason);
  if (UNLIKELY(gp->waiting != &sg)) throw_("G waiting list is corrupted");
  gp->waiting = nullptr;
  gp->param = nullptr;
  // The waker wrote sg before it made this goroutine ready.
  return const_cast<volatile bool&>(sg.success);
}

// Wins all waiters of q for a close, each in front of those before it: the list runs from the last one to the first, as
// Go's does, which collects them on a stack.
sudog* takeall(waitq* q, sudog* taken) {
  while (sudog* sg = dequeue(q)) {
    sg->elem = nullptr;
    sg->success = false;
    sg->g->param = sg;
    sg->next = taken;
    taken = sg;
  }
  return taken;
}

void readyall(sudog* sg, sudog* sudog::*link) {
  while (sg != nullptr) {
    sudog* next = sg->*link;  // before goready: the sudog is gone once its goroutine runs
    goready(sg->g);
    sg = next;
  }
}

[[noreturn, gnu::cold, gnu::noinline]] void blockForEver(waitReason reason) {
  gopark(nullptr, nullptr, reason);
  throw_("blockForEver: woken");
}

}  // namespace

void movetyped(hchan* c, void* dst, void* src) {
  m* mp = acquirem();
  c->elemtype->move(dst, src);
  releasem(mp);
}

void destroytyped(hchan* c, void* p) {
  m* mp = acquirem();
  c->elemtype->destroy(p);
  releasem(mp);
}

LANDMARK hchan* makechan(const elemtype* t, std::int64_t size) {
  preemptpoint();
  std::uint64_t mem;
  if (size < 0 || __builtin_mul_overflow(static_cast<std::uint64_t>(t->size), static_cast<std::uint64_t>(size), &mem) ||
      mem > maxAlloc - sizeof(hchan) - t->align)
    panicplain("makechan: size out of range");
  // The channel and its slots are one object. Slots that ask for more than mallocgc's alignment get room to be moved
  // up.
  std::uint64_t extra = t->align > kChanAlign && mem != 0 ? t->align - kChanAlign : 0;
  bool noscan = t->noscan || mem == 0;
  auto c = static_cast<hchan*>(mallocgc(sizeof(hchan) + mem + extra, kNeedzero | (noscan ? kNoscan : 0u)));
  auto buf = reinterpret_cast<uintptr>(c + 1);
  if (extra != 0) buf = (buf + t->align - 1) & ~(uintptr{t->align} - 1);
  c->buf = reinterpret_cast<void*>(buf);
  c->dataqsiz = static_cast<std::uint64_t>(size);
  c->elemtype = t;
  c->elemsize = t->size;
  lockInit(&c->lock, lockRankHchan);
  if (t->destroy != nullptr && size != 0 && chanfinalizerhook != nullptr) chanfinalizerhook(c, chandestroy);
  return c;
}

// What is in the buffer of a channel that nobody can reach. A destructor on the way may bring the channel back and use it,
// so each value leaves it before it is destroyed.
void chandestroy(void* p) {
  auto c = static_cast<hchan*>(p);
  void* v = mallocManual(c->elemsize, c->elemtype->align, false);
  if (v == nullptr) throw_("chandestroy: out of memory");
  for (std::int64_t n = chanlen(c); n > 0 && chanrecv(c, v, false).received; n--) c->elemtype->destroy(v);
  freeManual(v);
}

LANDMARK bool chansend(hchan* c, void* elem, bool block) {
  NEEDS_P(chansend(c, elem, block));
  preemptpoint();
  if (UNLIKELY(c == nullptr)) {
    if (!block) return false;
    blockForEver(waitReasonChanSendNilChan);
  }
  // Without the lock: an open channel that was full at one moment since the call may be reported full. Closed is read
  // first; a channel does not open again, so "open, then full" held together at the first read.
  if (!block && atomic::LoadAcq(&c->closed) == 0) {
    bool full = c->dataqsiz == 0 ? atomic::LoadRelaxed(&c->recvq.first) == nullptr
                                 : atomic::LoadRelaxed(&c->qcount) == c->dataqsiz;
    if (full) return false;
  }
  chanlock(c);
  if (UNLIKELY(c->closed != 0)) {
    chanunlock(c);
    panicplain("send on closed channel");
  }
  if (sudog* sg = dequeue(&c->recvq)) {
    givewaiter(c, sg, elem);
    chanunlock(c);
    wakewaiter(sg, true);
    return true;
  }
  if (c->qcount < c->dataqsiz) {
    putbuffered(c, elem);
    chanunlock(c);
    return true;
  }
  if (!block) {
    chanunlock(c);
    return false;
  }
  if (UNLIKELY(!waitOn(c, &c->sendq, elem, waitReasonChanSend))) {
    if (c->closed == 0) throw_("chansend: spurious wakeup");
    panicplain("send on closed channel");
  }
  return true;
}

LANDMARK recvresult chanrecv(hchan* c, void* elem, bool block) {
  NEEDS_P(chanrecv(c, elem, block));
  preemptpoint();
  if (UNLIKELY(c == nullptr)) {
    if (!block) return {false, false};
    blockForEver(waitReasonChanReceiveNilChan);
  }
  if (!block) {
    // Without the lock, as in chansend, but here close changes the answer: an empty channel is looked at again after
    // it was found closed, for a value that was sent between the two looks.
    auto empty = [c] {
      return c->dataqsiz == 0 ? atomic::LoadAcq(&c->sendq.first) == nullptr : atomic::LoadAcq(&c->qcount) == 0;
    };
    if (empty()) {
      if (atomic::LoadAcq(&c->closed) == 0) return {false, false};
      if (empty()) return {true, false};
    }
  }
  chanlock(c);
  if (UNLIKELY(c->closed != 0)) {
    if (c->qcount == 0) {
      chanunlock(c);
      return {true, false};
    }
  } else if (sudog* sg = dequeue(&c->sendq)) {
    takewaiter(c, sg, elem);
    chanunlock(c);
    wakewaiter(sg, true);
    return {true, true};
  }
  if (c->qcount > 0) {
    takebuffered(c, elem);
    chanunlock(c);
    return {true, true};
  }
  if (!block) {
    chanunlock(c);
    return {false, false};
  }
  return {true, waitOn(c, &c->recvq, elem, waitReasonChanReceive)};
}

LANDMARK void closechan(hchan* c) {
  NEEDS_P(closechan(c));
  preemptpoint();
  if (c == nullptr) panicplain("close of nil channel");
  chanlock(c);
  if (c->closed != 0) {
    chanunlock(c);
    panicplain("close of closed channel");
  }
  atomic::StoreRel(&c->closed, 1);
  // All receivers get "closed", all senders panic. They are won under one hold of the lock: after the close nobody may
  // find a sender that waits. They are readied after it, senders before receivers.
  if (LIKELY(c->selects == 0)) {
    // Who waits for this channel alone has nothing to be told but to wake up. So the queues are taken as they are, and
    // walked through once, from their ends: a long one is in no cache.
    sudog *senders = c->sendq.last, *receivers = c->recvq.last;
    c->sendq = c->recvq = {};
    chanunlock(c);
    readyall(senders, &sudog::prev);
    readyall(receivers, &sudog::prev);
    return;
  }
  sudog* woken = takeall(&c->sendq, takeall(&c->recvq, nullptr));
  chanunlock(c);
  readyall(woken, &sudog::next);
}

std::int64_t chanlen(hchan* c) { return c == nullptr ? 0 : static_cast<std::int64_t>(atomic::LoadRelaxed(&c->qcount)); }

std::int64_t chancap(hchan* c) { return c == nullptr ? 0 : static_cast<std::int64_t>(c->dataqsiz); }

}  // namespace runtime

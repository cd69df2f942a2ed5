// Semaphores: what a goroutine sleeps on in Mutex, RWMutex, WaitGroup and in the runtime itself (Go's sema.go).
//
// A semaphore is a word anywhere in memory; the waiters are kept here, in a table by the word's address. They are not
// for synchronisation by themselves: think of them as a futex for goroutines, where every wake-up pairs with one sleep,
// even if the wake-up comes first.
//
// Owns: the table, notifyList, and of a waiting sudog: elem (the word's address), ticket, parent, prev, next, waitlink,
// waittail.
//
// Invariants
//   - Each root holds a treap of the addresses waited on: ordered by address, heap-ordered by ticket (random, never 0).
//     prev and next are the left and right child. Further waiters on one address hang behind the node in the tree,
//     first in, first out: node.waitlink ... node.waittail.
//   - nwait is raised before the last look at the word, and semrelease1 looks at nwait after it has raised the word: so
//     one of the two sees the other, and no wake-up is lost.
//   - ticket of a dequeued sudog: 1 = the semaphore's unit is already the waiter's (handoff), 0 = it must try for it.
//   - The sudog is in the sleeper's frame: it is gone as soon as goready has been called.
// A sudog lies in the frame of whoever parks, and is taken off before that returns; gcc 13 cannot see it.
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#include "runtime/sync/sync.h"

#include "runtime/base/panic.h"
#include "runtime/sync/onep.h"
#include "runtime/sync/sematreap.h"

namespace runtime {

BIGTABLE semaRoot semtable[kSemTabSize];

namespace {

semaRoot* rootFor(const std::uint32_t* addr) { return &semtable[(reinterpret_cast<uintptr>(addr) >> 3) % kSemTabSize]; }

bool cansemacquire(std::uint32_t* addr) {
  for (;;) {
    std::uint32_t v = atomic::Load(addr);
    if (v == 0) return false;
    if (userCas(addr, v, v - 1)) return true;
  }
}

mutex* listLock(notifyList* l) {
  static_assert(sizeof(l->lock) == sizeof(mutex));
  auto* m = reinterpret_cast<mutex*>(&l->lock);
  lockRankSet(m, lockRankNotifyList);
  return m;
}

enum : std::uint32_t { kListed, kParked, kNotified };  // notifyWaiter.state

// gopark's unlock function: from here on a notifier readies the goroutine. False: one was here before.
bool parkListed(g*, void* w) { return userCas(&static_cast<notifyWaiter*>(w)->state, kListed, kParked); }

void unlink(notifyList* l, notifyWaiter* w) {
  (w->prev != nullptr ? w->prev->next : l->head) = w->next;
  (w->next != nullptr ? w->next->prev : l->tail) = w->prev;
}

// w is off its list. One that has not parked yet may be gone as soon as it is marked.
void notify(notifyWaiter* w) {
  g* gp = w->gp;
  if (userXchg(&w->state, kNotified) == kParked) goready(gp);
}

}  // namespace

LANDMARK void semacquire1(std::uint32_t* addr, bool lifo) {
  NEEDS_P(semacquire1(addr, lifo));
  g* gp = getg();
  if (UNLIKELY(gp != gp->m->curg)) throw_("semacquire not on the G stack");
  preemptpoint();
  if (cansemacquire(addr)) return;
  semaRoot* root = rootFor(addr);
  sudog s;
  s.g = gp;
  s.isSelect = false;
  s.c = nullptr;
  for (;;) {
    lockRankSet(&root->lock, lockRankRoot);
    userlock(&root->lock);
    userXadd(&root->nwait, 1);
    if (cansemacquire(addr)) {
      userXadd(&root->nwait, std::uint32_t(-1));
      userunlock(&root->lock);
      return;
    }
    queue(root, addr, &s, lifo, fastrand() | 1);
    parkuserunlock(&root->lock, waitReasonSemacquire);
    if (const_cast<volatile std::uint32_t&>(s.ticket) != 0 || cansemacquire(addr)) return;
  }
}

LANDMARK void semrelease1(std::uint32_t* addr, bool handoff) {
  NEEDS_P(semrelease1(addr, handoff));
  semaRoot* root = rootFor(addr);
  userXadd(addr, 1);
  if (atomic::Load(&root->nwait) == 0) return;
  lockRankSet(&root->lock, lockRankRoot);
  userlock(&root->lock);
  if (root->nwait == 0) {  // whoever waited has taken the unit already
    userunlock(&root->lock);
    return;
  }
  sudog* s = dequeue(root, addr);
  if (s != nullptr) userXadd(&root->nwait, std::uint32_t(-1));
  userunlock(&root->lock);
  if (s == nullptr) return;
  bool ticket = handoff && cansemacquire(addr);
  s->ticket = ticket ? 1 : 0;
  goready(s->g);
  // Hand over the P as well: the waiter is runnext and inherits the time slice. Only in the starving case; else the
  // unit is there for whoever comes first, and switching each time would be slow.
  if (ticket && getg()->m->locks == 0) goyield();
}

// ---- notifyList. Go gives out tickets and queues after the Cond's lock was given up; here a waiter is queued before, so
// that nobody needs the list once it was notified. The order is the same: that in which Wait was called. ----

LANDMARK void notifyListAdd(notifyList* l, notifyWaiter* w) {
  NEEDS_P(notifyListAdd(l, w));
  w->gp = getg();
  w->state = kListed;
  w->next = nullptr;
  userlock(listLock(l));
  w->prev = l->tail;
  if (l->tail == nullptr)
    atomic::StoreRelaxed(&l->head, w);
  else
    l->tail->next = w;
  l->tail = w;
  userunlock(listLock(l));
}

LANDMARK void notifyListWait(notifyWaiter* w) {
  NEEDS_P(notifyListWait(w));
  preemptpoint();
  if (atomic::LoadAcq(&w->state) != kNotified) gopark(parkListed, w, waitReasonSyncCondWait);
}

LANDMARK void notifyListDrop(notifyList* l, notifyWaiter* w) {
  NEEDS_P(notifyListDrop(l, w));
  userlock(listLock(l));
  notifyWaiter* x = l->head;
  while (x != nullptr && x != w) x = x->next;
  if (x != nullptr) unlink(l, w);
  userunlock(listLock(l));
  if (x != nullptr) return;
  while (atomic::LoadAcq(&w->state) != kNotified) osyield();  // a notifier is about to mark it
}

LANDMARK void notifyListNotifyAll(notifyList* l) {
  NEEDS_P(notifyListNotifyAll(l));
  if (atomic::Load(&l->head) == nullptr) return;
  userlock(listLock(l));
  notifyWaiter* w = l->head;
  atomic::StoreRelaxed(&l->head, nullptr);
  l->tail = nullptr;
  userunlock(listLock(l));
  while (w != nullptr) {
    notifyWaiter* next = w->next;  // before it is marked
    notify(w);
    w = next;
  }
}

LANDMARK void notifyListNotifyOne(notifyList* l) {
  NEEDS_P(notifyListNotifyOne(l));
  if (atomic::Load(&l->head) == nullptr) return;
  userlock(listLock(l));
  notifyWaiter* w = l->head;
  if (w != nullptr) unlink(l, w);
  userunlock(listLock(l));
  if (w != nullptr) notify(w);
}

}  // namespace runtime

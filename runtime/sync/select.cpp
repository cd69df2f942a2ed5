// select: wait on several channels, run the first case that is ready (Go's select.go).
//
// Owns: selectgo's protocol.
//   0. Visit the cases in random order (pollorder), each under its channel's lock alone if it looks ready without.
//   1. Visit them so again under all locks; the first that is ready is done at once.
//   2. Otherwise queue one sudog on every channel and park. Whoever comes to one of the channels wins the select by
//      setting g.selectDone (dequeue in chan_inl.h); the others pass the sudog over.
//   3. Awake, take the losing sudogs off their queues, one lock at a time.
//
// Invariants
//   - All channels are locked by rising address (lockorder), so two selects can't wait for each other's lock. Cases on
//     one channel keep their random order among themselves: which of them is queued first is fair too.
//   - At GOMAXPROCS 1 nothing is locked (chan_inl.h), and lockorder is only the order of queueing.
//   - No sudog of a select is on a queue any more when selectDone becomes 0 again, at the end of pass 3.
//   - That no case is ready is only known while all locks are held. That one is, its own lock tells: a select may take
//     any case that is ready, so pass 0 needs no other. (Go takes all locks at once, and in pass 3 again.)
#include "runtime/base/panic.h"
#include "runtime/sync/chan_inl.h"

namespace runtime {

static_assert(sizeof(sudog) <= sizeof(selectroom::sudog));

namespace {

ALWAYS_INLINE sudog* sudogOf(selectroom* room, std::int64_t i) { return reinterpret_cast<sudog*>(room[i].sudog); }

// room[k].pollorder for k < the result: the cases whose channel is not nil, in random order.
std::int64_t makePollorder(const scase* cases, selectroom* room, std::int64_t n) {
  std::int64_t k = 0;
  for (std::int64_t i = 0; i < n; i++) {
    if (cases[i].c == nullptr) continue;
    std::uint32_t j = fastrandn(static_cast<std::uint32_t>(k) + 1);
    room[k].pollorder = room[j].pollorder;
    room[j].pollorder = static_cast<std::uint16_t>(i);
    k++;
  }
  return k;
}

// room[k].lockorder: the same cases sorted by their channel's address; equal ones in pollorder (the sort is stable).
void makeLockorder(const scase* cases, selectroom* room, std::int64_t k) {
  for (std::int64_t i = 0; i < k; i++) {
    std::uint16_t x = room[i].pollorder;
    auto addr = reinterpret_cast<uintptr>(cases[x].c);
    std::int64_t j = i;
    for (; j > 0 && reinterpret_cast<uintptr>(cases[room[j - 1].lockorder].c) > addr; j--)
      room[j].lockorder = room[j - 1].lockorder;
    room[j].lockorder = x;
  }
}

// The same for many cases, where insertion would be quadratic: a heap sort, made stable by the place in pollorder.
void makeLockorderLarge(const scase* cases, selectroom* room, std::int64_t k) {
  // lockorder holds places in pollorder while sorting.
  auto less = [&](std::uint16_t a, std::uint16_t b) {
    auto ca = reinterpret_cast<uintptr>(cases[room[a].pollorder].c);
    auto cb = reinterpret_cast<uintptr>(cases[room[b].pollorder].c);
    return ca != cb ? ca < cb : a < b;
  };
  auto down = [&](std::int64_t i, std::int64_t len) {
    std::uint16_t x = room[i].lockorder;
    for (;;) {
      std::int64_t child = 2 * i + 1;
      if (child >= len) break;
      if (child + 1 < len && less(room[child].lockorder, room[child + 1].lockorder)) child++;
      if (!less(x, room[child].lockorder)) break;
      room[i].lockorder = room[child].lockorder;
      i = child;
    }
    room[i].lockorder = x;
  };
  for (std::int64_t i = 0; i < k; i++) room[i].lockorder = static_cast<std::uint16_t>(i);
  for (std::int64_t i = k / 2; i-- > 0;) down(i, k);
  for (std::int64_t len = k; len-- > 1;) {
    std::uint16_t x = room[0].lockorder;
    room[0].lockorder = room[len].lockorder;
    room[len].lockorder = x;
    down(0, len);
  }
  for (std::int64_t i = 0; i < k; i++) room[i].lockorder = room[room[i].lockorder].pollorder;
}

[[gnu::noinline]] void sortLockorder(const scase* cases, selectroom* room, std::int64_t k) {
  if (k <= 16)
    makeLockorder(cases, room, k);
  else
    makeLockorderLarge(cases, room, k);
}

// A channel with several cases is locked once: its cases stand side by side in lockorder.
void sellock(const scase* cases, const selectroom* room, std::int64_t k) {
  if (oneP()) return;
  hchan* last = nullptr;
  for (std::int64_t i = 0; i < k; i++) {
    hchan* c = cases[room[i].lockorder].c;
    if (c != last) lockfast(&c->lock);
    last = c;
  }
}

// From the highest address down. After the last unlock the caller's arrays may be gone (selparkcommit does not use
// them for that reason; here the caller is running).
void selunlock(const scase* cases, const selectroom* room, std::int64_t k) {
  if (oneP()) return;
  for (std::int64_t i = k; i-- > 0;) {
    hchan* c = cases[room[i].lockorder].c;
    if (i > 0 && cases[room[i - 1].lockorder].c == c) continue;
    unlockfast(&c->lock);
  }
}

// gopark's unlock function. gp may run elsewhere as soon as one channel is unlocked, and then its frame with the
// sudogs is no longer ours to read: so the next sudog is read before a channel is given back, and at the last one
// nothing is read after it. Until all are unlocked gp can't finish its select: pass 3 takes the lock of every channel but
// the winner's, and who won held that one, after us.
bool selparkcommit(g* gp, void*) {
  hchan* last = nullptr;
  for (sudog* sg = gp->waiting; sg != nullptr; sg = sg->waitlink) {
    if (sg->c != last && last != nullptr) unlockfast(&last->lock);
    last = sg->c;
  }
  if (last != nullptr) unlockfast(&last->lock);
  return true;
}

void dequeueSudoG(waitq* q, sudog* sg) {
  sudog* x = sg->prev;
  sudog* y = sg->next;
  if (x != nullptr) {
    x->next = y;
    if (y != nullptr)
      y->prev = x;
    else
      q->last = x;
  } else if (y != nullptr) {
    y->prev = nullptr;
    q->first = y;
  } else if (q->first == sg) {  // alone in the queue; else dequeue has passed it over already
    q->first = nullptr;
    q->last = nullptr;
  }
}

// Whether a case may be ready, without its channel's lock.
ALWAYS_INLINE bool looksReady(const scase& cas) {
  hchan* c = cas.c;
  if (atomic::LoadRelaxed(&c->closed) != 0) return true;
  std::uint64_t q = atomic::LoadRelaxed(&c->qcount);
  if (cas.send) return q < c->dataqsiz || atomic::LoadRelaxed(&c->recvq.first) != nullptr;
  return q != 0 || atomic::LoadRelaxed(&c->sendq.first) != nullptr;
}

// Does the case if it is ready; its channel is locked, and unlock is called before anybody is woken.
template <class Unlock>
ALWAYS_INLINE bool tryCase(const scase& cas, bool* received, Unlock unlock) {
  hchan* c = cas.c;
  *received = false;
  if (cas.send) {
    if (UNLIKELY(c->closed != 0)) {
      unlock();
      panicplain("send on closed channel");
    }
    if (sudog* sg = dequeue(&c->recvq)) {
      givewaiter(c, sg, cas.elem);
      unlock();
      wakewaiter(sg, true);
      return true;
    }
    if (c->qcount == c->dataqsiz) return false;
    putbuffered(c, cas.elem);
    unlock();
    return true;
  }
  if (UNLIKELY(c->closed != 0)) {
    if (c->qcount == 0) {
      unlock();
      return true;
    }
  } else if (sudog* sg = dequeue(&c->sendq)) {
    takewaiter(c, sg, cas.elem);
    unlock();
    wakewaiter(sg, true);
    return *received = true;
  }
  if (c->qcount == 0) return false;
  takebuffered(c, cas.elem);
  unlock();
  return *received = true;
}

}  // namespace

LANDMARK void block() {
  gopark(nullptr, nullptr, waitReasonSelectNoCases);
  throw_("block: woken");
}

LANDMARK selectresult selectgo(const scase* cases, selectroom* room, std::int64_t n, bool block) {
  NEEDS_P(selectgo(cases, room, n, block));
  preemptpoint();
  if (n > 1 << 16) throw_("select: too many cases");
  std::int64_t k = makePollorder(cases, room, n);
  bool received;

  // Pass 0. With one P there is nothing to lock, and the order of queueing is free.
  if (!oneP()) {
    for (std::int64_t i = 0; i < k; i++) {
      std::int64_t ci = room[i].pollorder;
      if (!looksReady(cases[ci])) continue;
      mutex* l = &cases[ci].c->lock;
      lockfast(l);
      if (tryCase(cases[ci], &received, [l] { unlockfast(l); })) return {ci, received};
      unlockfast(l);
    }
    sortLockorder(cases, room, k);
  } else {
    for (std::int64_t i = 0; i < k; i++) room[i].lockorder = room[i].pollorder;
  }
  sellock(cases, room, k);

  // Pass 1: is one ready?
  for (std::int64_t i = 0; i < k; i++) {
    std::int64_t ci = room[i].pollorder;
    if (tryCase(cases[ci], &received, [=] { selunlock(cases, room, k); })) return {ci, received};
  }
  if (!block) {
    selunlock(cases, room, k);
    return {-1, false};
  }

  // Pass 2: wait on all of them.
  g* gp = getg();
  if (gp->waiting != nullptr) throw_("gp.waiting != nil");
  sudog** nextp = &gp->waiting;
  for (std::int64_t i = 0; i < k; i++) {
    std::int64_t ci = room[i].lockorder;
    const scase& cas = cases[ci];
    sudog* sg = sudogOf(room, ci);
    sg->g = gp;
    sg->isSelect = true;
    sg->success = false;
    sg->elem = cas.elem;
    sg->c = cas.c;
    *nextp = sg;
    nextp = &sg->waitlink;
    cas.c->selects = 1;
    enqueue(cas.send ? &cas.c->sendq : &cas.c->recvq, sg);
  }
  *nextp = nullptr;
  gp->param = nullptr;
  if (oneP())
    gopark(nullptr, nullptr, waitReasonSelect);
  else
    gopark(selparkcommit, nullptr, waitReasonSelect);

  // Pass 3: the winner's sudog is in gp.param and off its queue; take the others off theirs. Whoever meets one of them
  // before we do passes it over, as selectDone is set.
  auto won = static_cast<sudog*>(gp->param);
  gp->param = nullptr;
  selectresult r{-1, false};
  for (std::int64_t i = 0; i < k; i++) {
    std::int64_t ci = room[i].lockorder;
    sudog* sg = sudogOf(room, ci);
    if (sg == won) {
      r.index = ci;
      // The winner wrote it before it made this goroutine ready.
      r.received = const_cast<volatile bool&>(sg->success);
    } else {
      hchan* c = cases[ci].c;
      chanlock(c);
      dequeueSudoG(cases[ci].send ? &c->sendq : &c->recvq, sg);
      chanunlock(c);
    }
  }
  gp->waiting = nullptr;
  atomic::StoreRel(&gp->selectDone, 0u);
  if (r.index < 0) throw_("selectgo: bad wakeup");
  const scase& cas = cases[r.index];
  if (cas.send && !r.received) panicplain("send on closed channel");
  if (cas.send) r.received = false;
  return r;
}

}  // namespace runtime

// Run queues: each P's ring with its runnext slot, and the global queue. (Go's proc.go, runq*, globrunq*.)
//
// Invariants
//   - Only the P's owner stores runqtail and puts into slots; head moves by compare-and-swap from any P. So slots in
//     [head, tail) are valid, and a thief that lost the race on head discards what it read.
//   - runnext is put by the owner and may be taken by anybody by compare-and-swap; the goroutine in it inherits the
//     current time slice, so that a pair that hands values to and fro can't starve the ring.
//   - A full ring gives half of itself and the newcomer to the global queue, in order.
//   - At one P a goroutine that yields would be put on the global queue by the same P that takes it from there, under
//     sched.lock twice. The P keeps such goroutines in p.yieldq instead, a section of the global queue of its own: it
//     counts as P's work (runqempty), is flushed to the global queue before anything that P puts there, and is taken
//     from in the same batches. So the order of goroutines is the same as Go's, and a yield takes no lock.
//   - At one P there are no thieves, and the world is stopped before that changes; so plain loads and stores suffice
//     there. `singleP()` (proc_inl.h) is that test.
#include "runtime/sched/proc_inl.h"

namespace runtime {

// Whether P has no local work, seen as if at one instant: an empty ring alone could be read between runqput's kick of
// the old runnext and the store of the tail.
LANDMARK bool runqempty(p* pp) {
  for (;;) {
    std::uint32_t head = atomic::Load(&pp->runqhead);
    std::uint32_t tail = atomic::Load(&pp->runqtail);
    g* next = atomic::Load(&pp->runnext);
    if (tail == atomic::Load(&pp->runqtail))
      return head == tail && next == nullptr && atomic::LoadRelaxed(&pp->yieldqsize) == 0;
  }
}

// Puts gp on P's queue; owner only. next: in the runnext slot, kicking the one there to the tail.
LANDMARK void runqput(p* pp, g* gp, bool next) {
  if (next) {
    g* old;
    if (LIKELY(singleP())) {
      old = pp->runnext;
      pp->runnext = gp;
    } else {
      old = atomic::Xchg(&pp->runnext, gp);
    }
    if (old == nullptr) return;
    gp = old;
  }
  for (;;) {
    std::uint32_t h = atomic::LoadAcq(&pp->runqhead);  // thieves' reads of the slots come before
    std::uint32_t t = pp->runqtail;
    if (LIKELY(t - h < kRunqLen)) {
      atomic::StoreRelaxed(&pp->runq[t % kRunqLen], gp);
      // Now it can be taken. With other Ps this is the full barrier of the submit side (head of proc_run.cpp): a release
      // store would let wakep look for idle Ps before the goroutine is seen in the queue.
      if (LIKELY(singleP()))
        atomic::StoreRel(&pp->runqtail, t + 1);
      else
        atomic::Store(&pp->runqtail, t + 1);
      return;
    }
    if (runqputslow(pp, gp, h, t)) return;
    // Somebody stole meanwhile: there is room now.
  }
}

// ---- the section of the global queue that one P keeps to itself while it is the only one ----

void yieldqput(p* pp, g* gp) {
  gqpushBack(&pp->yieldq, gp);
  pp->yieldqsize++;
}

// As globrunqget: one goroutine to run, and up to half a ring more into P's own queue, which is empty. No lock.
g* yieldqget(p* pp, std::int32_t max) {
  std::int32_t n = pp->yieldqsize;
  if (n == 0) return nullptr;
  if (max > 0 && n > max) n = max;
  if (n > static_cast<std::int32_t>(kRunqLen / 2)) n = kRunqLen / 2;
  pp->yieldqsize -= n;
  g* gp = gqpop(&pp->yieldq);
  for (n--; n > 0; n--) runqput(pp, gqpop(&pp->yieldq), false);
  return gp;
}

// Puts the section on the global queue's end, where it belongs. sched.lock is held.
void yieldqflush(p* pp) {
  if (pp->yieldqsize == 0) return;
  std::int32_t n = pp->yieldqsize;
  pp->yieldqsize = 0;
  globrunqputbatch(&pp->yieldq, n);
}

// Moves half of the full ring, then gp, to the global queue.
LANDMARK bool runqputslow(p* pp, g* gp, std::uint32_t h, std::uint32_t t) {
  g* batch[kRunqLen / 2 + 1];
  std::uint32_t n = (t - h) / 2;
  if (n != kRunqLen / 2) throw_("runqputslow: queue is not full");
  for (std::uint32_t i = 0; i < n; i++) batch[i] = atomic::LoadRelaxed(&pp->runq[(h + i) % kRunqLen]);
  if (!atomic::CasRel(&pp->runqhead, h, h + n)) return false;
  batch[n] = gp;
  // Who takes them from the global queue walks the list, and each g is a cache miss that hides the next. The pointer
  // ahead lets it ask for one while it is busy with others.
  constexpr std::uint32_t kAhead = 8;
  for (std::uint32_t i = 0; i < n; i++) {
    batch[i]->schedlink = batch[i + 1];
    batch[i]->schedahead = batch[i + kAhead < n ? i + kAhead : n];
  }
  gQueue q{batch[0], batch[n]};
  lock(&sched.lock);
  yieldqflush(pp);
  globrunqputbatch(&q, static_cast<std::int32_t>(n + 1));
  unlock(&sched.lock);
  return true;
}

// Puts all of q on P's ring; what doesn't fit goes to the global queue. Owner only.
LANDMARK void runqputbatch(p* pp, gQueue* q, std::int32_t qsize) {
  std::uint32_t h = atomic::LoadAcq(&pp->runqhead);
  std::uint32_t t = pp->runqtail;
  while (q->head != nullptr && t - h < kRunqLen) {
    g* gp = gqpop(q);
    atomic::StoreRelaxed(&pp->runq[t % kRunqLen], gp);
    t++;
    qsize--;
  }
  atomic::Store(&pp->runqtail, t);
  if (q->head != nullptr) {
    lock(&sched.lock);
    yieldqflush(pp);
    globrunqputbatch(q, qsize);
    unlock(&sched.lock);
  }
}

// The next goroutine of P's own queue; owner only. *inheritTime: it goes on in the current time slice.
LANDMARK g* runqget(p* pp, bool* inheritTime) {
  g* next = pp->runnext;
  if (LIKELY(singleP())) {
    if (next != nullptr) {
      pp->runnext = nullptr;
      *inheritTime = true;
      return next;
    }
    *inheritTime = false;
    std::uint32_t h = pp->runqhead;
    if (h == pp->runqtail) return nullptr;
    g* gp = pp->runq[h % kRunqLen];
    // Two ahead: one is run in less time than memory takes to answer.
    if (pp->runqtail - h > 2) prefetchg(pp->runq[(h + 2) % kRunqLen]);
    atomic::StoreRel(&pp->runqhead, h + 1);
    return gp;
  }
  // Only the owner makes runnext non-nil; if the exchange fails, a thief has taken it.
  if (next != nullptr && atomic::Cas(&pp->runnext, next, nullptr)) {
    *inheritTime = true;
    return next;
  }
  *inheritTime = false;
  for (;;) {
    std::uint32_t h = atomic::LoadAcq(&pp->runqhead);
    std::uint32_t t = pp->runqtail;
    if (t == h) return nullptr;
    g* gp = atomic::LoadRelaxed(&pp->runq[h % kRunqLen]);
    if (t - h > 2) prefetchg(atomic::LoadRelaxed(&pp->runq[(h + 2) % kRunqLen]));
    if (atomic::CasRel(&pp->runqhead, h, h + 1)) return gp;
  }
}

// Takes half of P's ring into batch (room for kRunqLen from batchHead on), or its runnext if that is all there is.
static std::uint32_t runqgrab(p* pp, g** batch, std::uint32_t batchHead, bool stealRunNextG) GOSYM("runtime.runqgrab");
LANDMARK std::uint32_t runqgrab(p* pp, g** batch, std::uint32_t batchHead, bool stealRunNextG) {
  for (;;) {
    std::uint32_t h = atomic::LoadAcq(&pp->runqhead);
    std::uint32_t t = atomic::LoadAcq(&pp->runqtail);
    std::uint32_t n = t - h;
    n = n - n / 2;
    if (n == 0) {
      if (!stealRunNextG) return 0;
      g* next = atomic::Load(&pp->runnext);
      if (next == nullptr) return 0;
      if (atomic::Load(&pp->status) == _Prunning) {
        // P has just made this goroutine ready and is likely to block and run it itself. Taking it now would only
        // move a ping-pong pair from one core to two. Give P a moment.
        usleep(3);
      }
      if (!atomic::Cas(&pp->runnext, next, nullptr)) continue;
      batch[batchHead % kRunqLen] = next;
      return 1;
    }
    if (n > kRunqLen / 2) continue;  // read h and t of different moments
    for (std::uint32_t i = 0; i < n; i++)
      batch[(batchHead + i) % kRunqLen] = atomic::LoadRelaxed(&pp->runq[(h + i) % kRunqLen]);
    if (atomic::CasRel(&pp->runqhead, h, h + n)) return n;
  }
}

// Steals half of p2's queue into pp's and returns one of the stolen.
LANDMARK g* runqsteal(p* pp, p* p2, bool stealRunNextG) {
  std::uint32_t t = pp->runqtail;
  std::uint32_t n = runqgrab(p2, pp->runq, t, stealRunNextG);
  if (n == 0) return nullptr;
  n--;
  g* gp = pp->runq[(t + n) % kRunqLen];
  if (n == 0) return gp;
  std::uint32_t h = atomic::LoadAcq(&pp->runqhead);
  if (t - h + n >= kRunqLen) throw_("runqsteal: runq overflow");
  atomic::StoreRel(&pp->runqtail, t + n);
  return gp;
}

// ---- the global queue; sched.lock is held ----

LANDMARK void globrunqput(g* gp) {
  assertLockHeld(&sched.lock);
  gqpushBack(&sched.runq, gp);
  sched.runqsize++;
}

LANDMARK void globrunqputhead(g* gp) {
  assertLockHeld(&sched.lock);
  gqpush(&sched.runq, gp);
  sched.runqsize++;
}

LANDMARK void globrunqputbatch(gQueue* batch, std::int32_t n) {
  assertLockHeld(&sched.lock);
  if (batch->tail != nullptr) {
    batch->tail->schedlink = nullptr;
    if (sched.runq.tail != nullptr)
      sched.runq.tail->schedlink = batch->head;
    else
      sched.runq.head = batch->head;
    sched.runq.tail = batch->tail;
  }
  sched.runqsize += n;
  *batch = {nullptr, nullptr};
}

// One goroutine to run, and a fair share of the rest (at most max, and half a ring) into P's own queue.
LANDMARK g* globrunqget(p* pp, std::int32_t max) {
  assertLockHeld(&sched.lock);
  if (sched.runqsize == 0) return nullptr;
  std::int32_t n = sched.runqsize / gomaxprocs + 1;
  if (n > sched.runqsize) n = sched.runqsize;
  if (max > 0 && n > max) n = max;
  if (n > static_cast<std::int32_t>(kRunqLen / 2)) n = kRunqLen / 2;
  sched.runqsize -= n;
  g* gp = gqpop(&sched.runq);
  for (n--; n > 0; n--) {
    g* next = gqpop(&sched.runq);
    __builtin_prefetch(&next->schedahead->schedlink);
    runqput(pp, next, false);
  }
  return gp;
}

}  // namespace runtime

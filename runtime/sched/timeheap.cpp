// The timers of the Ps: a heap each, run by the scheduler between two goroutines and looked at by idle Ps that steal.
//
// Owns: p.timers, p.numTimers, p.timer0When, and the fields pp, idx, when, period of a timer.
//
// Invariants
//   - t.pp == pp exactly while t is in pp's heap, at pp.timers[t.idx]; both change only under pp.timersLock.
//   - timers[i].when >= timers[(i-1)/4].when, and timers[i].when == timers[i].t.when.
//   - timer0When is the first entry's time or 0; others read it without the lock and may be late by one change: whoever
//     makes it earlier wakes a sleeper afterwards (wakeNetPoller).
//   - f runs without the lock, on copies: after the unlock the timer belongs to its user again.
//   - A timer that nobody stops or resets (a Sleep's) does not know its place: its entry has bit 0 of the pointer set, and
//     sifting does not write to it. Such timers lie in the frames of sleepers, each on a page of its own.
//   - Only who holds a P takes a timersLock. So with one P there is nobody to keep out, and it is not taken.
//
// Ways not taken: Go 1.19 marks timers of other Ps as deleted or modified, with ten states, and mends the heap later.
// Every timer here knows its place, so whoever stops or resets it takes the owner's lock for the log(n) steps; stopped
// timers never linger. A wheel: coarser times, and it must be advanced when nothing is due.
#include "runtime/sched/timeheap.h"

#include "runtime/mem/malloc.h"
#include "runtime/sched/proc_inl.h"

namespace runtime {

namespace {

constexpr std::int64_t kFirstCap = 16;
ALWAYS_INLINE void lockTimers(p* pp) {
  if (!singleP()) lock(&pp->timersLock);
}
ALWAYS_INLINE void unlockTimers(p* pp) {
  if (!singleP()) unlock(&pp->timersLock);
}

void updateTimer0When(p* pp) { atomic::StoreRel(&pp->timer0When, pp->timers.len == 0 ? 0 : pp->timers.array[0].when); }

// Makes room for one more entry. The array is manual memory, which the collector scans as a root: that is what keeps
// timers alive that only the heap knows.
void grow(p* pp) {
  slice<timerWhen>& h = pp->timers;
  std::int64_t ncap = h.cap == 0 ? kFirstCap : h.cap * 2;
  std::size_t bytes = static_cast<std::size_t>(ncap) * sizeof(timerWhen);
  auto a = static_cast<timerWhen*>(mallocManual(bytes, alignof(timerWhen), true));
  if (a == nullptr) throw_("out of memory growing a timer heap");
  if (h.len != 0) __builtin_memcpy(a, h.array, static_cast<std::size_t>(h.len) * sizeof(timerWhen));
  if (h.array != nullptr) freeManual(h.array);
  h.array = a;
  h.cap = ncap;
}

// Adds e, whose timer is in no heap, to pp's, which is locked.
void doaddtimer(p* pp, timerWhen e) {
  slice<timerWhen>& h = pp->timers;
  if (h.len == h.cap) grow(pp);
  atomic::StoreRel(&timerOf(e)->pp, pp);
  if (heapPush(h, e) == 0) updateTimer0When(pp);
  atomic::StoreRelaxed(&pp->numTimers, static_cast<std::uint32_t>(h.len));
}

// Takes the timer at i out of pp's heap, which is locked.
void removeTimer(p* pp, std::int64_t i) {
  slice<timerWhen>& h = pp->timers;
  timer* t = timerOf(h.array[i]);
  heapRemove(h, i);
  if (i == 0) updateTimer0When(pp);
  atomic::StoreRelaxed(&pp->numTimers, static_cast<std::uint32_t>(h.len));
  atomic::StoreRel(&t->pp, nullptr);
}

void dodeltimer(p* pp, timer* t) {
  std::int64_t i = t->idx;
  if (i < 0 || i >= pp->timers.len || pp->timers.array[i].t != t) throw_("dodeltimer: timer is not where it says");
  removeTimer(pp, i);
}

// Locks the heap that t is in and returns its P, null if t is in none.
p* lockHeapOf(timer* t) {
  for (;;) {
    p* pp = atomic::LoadAcq(&t->pp);
    if (pp == nullptr) return nullptr;
    lockTimers(pp);
    if (atomic::LoadRelaxed(&t->pp) == pp) return pp;
    unlockTimers(pp);
  }
}

// Sees to it that somebody is awake at `when`: whoever sleeps in the poller for longer is woken, and if nobody sleeps
// there an idle P is started, which will.
void wakeNetPoller(std::int64_t when) {
  if (atomic::Load(&sched.lastpoll) == 0) {
    std::int64_t until = atomic::Load(&sched.pollUntil);
    if (until == 0 || until > when) netpollBreak();
  } else {
    wakep();
  }
}

void checkWhen(std::int64_t when, std::int64_t period) {
  // 0 means "no timer" in timer0When, and a negative time would never be reached by the arithmetic of periods.
  if (when <= 0) throw_("timer when must be positive");
  if (period < 0) throw_("timer period must be non-negative");
}

// When many timers are due each lies on a page that no cache has: the next one's user and the candidates for the one after
// it are asked for ahead.
ALWAYS_INLINE void prefetchDue(const slice<timerWhen>& h) {
  if (h.len < 8) return;
  for (int i = 1; i < 5; i++) __builtin_prefetch(timerOf(h.array[i]));
  auto* user = static_cast<const char*>(timerOf(h.array[0])->arg);
  __builtin_prefetch(user);
  __builtin_prefetch(user + 128);
}

// Runs the first timer, which is due. The lock is given up while f runs.
void runOneTimer(p* pp, timer* t, std::int64_t now) {
  void (*f)(void*, uintptr) = t->f;
  void* arg = t->arg;
  uintptr seq = t->seq;
  if (t->period > 0) {
    std::int64_t next = nextPeriod(t->when, t->period, now);
    t->when = next;
    pp->timers.array[0].when = next;
    siftdownTimer(pp->timers, 0);
    updateTimer0When(pp);
  } else {
    removeTimer(pp, 0);
    prefetchDue(pp->timers);
  }
  unlockTimers(pp);
  f(arg, seq);
  lockTimers(pp);
}

// Looks at the first timer of pp, whose heap is locked and not empty: runs it if it is due and returns 0, else returns
// when it will be; -1 if none is left.
std::int64_t runtimer(p* pp, std::int64_t now) GOSYM("runtime.runtimer");
std::int64_t runtimer(p* pp, std::int64_t now) {
  if (pp->timers.len == 0) return -1;
  timerWhen e = pp->timers.array[0];
  if (e.when > now) return e.when;
  timer* t = timerOf(e);
  if (atomic::LoadRelaxed(&t->pp) != pp) throw_("runtimer: bad p");
  runOneTimer(pp, t, now);
  return 0;
}

}  // namespace

std::int64_t timerWhenFromNow(std::int64_t ns) {
  std::int64_t now = nanotime();
  if (ns <= 0) return now;
  std::int64_t t;
  return __builtin_add_overflow(now, ns, &t) ? maxWhen : t;
}

static void startTimer(timer* t, uintptr bits) {
  checkWhen(t->when, t->period);
  if (atomic::LoadRelaxed(&t->pp) != nullptr) throw_("addtimer called with initialized timer");
  std::int64_t when = t->when;
  m* mp = acquirem();  // stay on this P between finding it and locking its heap
  p* pp = mp->p;
  lockTimers(pp);
  doaddtimer(pp, {when, reinterpret_cast<timer*>(reinterpret_cast<uintptr>(t) | bits)});
  unlockTimers(pp);
  wakeNetPoller(when);  // t may be gone by now
  releasem(mp);
}

void addtimer(timer* t) { startTimer(t, 0); }

void addsleep(timer* t) { startTimer(t, kStays); }

bool deltimer(timer* t) {
  p* pp = lockHeapOf(t);
  if (pp == nullptr) return false;
  dodeltimer(pp, t);
  unlockTimers(pp);
  return true;
}

bool modtimer(timer* t, std::int64_t when, std::int64_t period, void (*f)(void*, uintptr), void* arg, uintptr seq) {
  checkWhen(when, period);
  m* mp = acquirem();
  bool pending;
  bool earlier;
  for (;;) {
    p* pp = lockHeapOf(t);
    pending = pp != nullptr;
    if (!pending) {
      // In no heap: claim it for ours. Somebody else may do the same for theirs; one wins, the other finds it there.
      pp = mp->p;
      lockTimers(pp);
      if (!atomic::Cas(&t->pp, nullptr, pp)) {
        unlockTimers(pp);
        continue;
      }
    }
    earlier = !pending || when < t->when;
    t->when = when;
    t->period = period;
    if (f != nullptr) {
      t->f = f;
      t->arg = arg;
      t->seq = seq;
    }
    if (!pending) {
      doaddtimer(pp, {when, t});
    } else {
      pp->timers.array[t->idx].when = when;
      heapMoved(pp->timers, t->idx);
      updateTimer0When(pp);
    }
    unlockTimers(pp);
    break;
  }
  if (earlier) wakeNetPoller(when);
  releasem(mp);
  return pending;
}

bool resettimer(timer* t, std::int64_t when) { return modtimer(t, when, t->period, nullptr, nullptr, 0); }

// Called for the P's own heap on the way to the next goroutine, and for another's by a P that steals.
LANDMARK timersResult checkTimers(p* pp, std::int64_t now) {
  std::int64_t next = atomic::LoadAcq(&pp->timer0When);
  if (next == 0) return {now, 0, false};
  if (now == 0) now = nanotime();
  if (now < next) return {now, next, false};
  timersResult r{now, 0, false};
  lockTimers(pp);
  for (;;) {
    std::int64_t tw = runtimer(pp, now);
    if (tw != 0) {
      if (tw > 0) r.pollUntil = tw;
      break;
    }
    r.ran = true;
  }
  unlockTimers(pp);
  return r;
}

std::int64_t timeSleepUntil() {
  std::int64_t next = 0;
  lock(&allpLock);  // allp must not change under us: sysmon runs while the world is being resized
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* pp = allp.array[i];
    if (pp == nullptr) continue;  // procresize has grown allp but not made this P yet
    std::int64_t w = nobarrierWakeTime(pp);
    if (w != 0 && (next == 0 || w < next)) next = w;
  }
  unlock(&allpLock);
  return next;
}

// The world is stopped; the locks are for the invariants' sake.
void moveTimers(p* pp, p* from) {
  lock(&from->timersLock);
  slice<timerWhen> h = from->timers;
  from->timers = {nullptr, 0, 0};
  atomic::StoreRelaxed(&from->numTimers, 0u);
  updateTimer0When(from);
  unlock(&from->timersLock);
  lock(&pp->timersLock);
  for (std::int64_t i = 0; i < h.len; i++) doaddtimer(pp, h.array[i]);
  unlock(&pp->timersLock);
  if (h.array != nullptr) freeManual(h.array);
}

}  // namespace runtime

// pthread_mutex_*, pthread_cond_*, pthread_rwlock_* on goroutines: what std::mutex, std::shared_mutex and
// std::condition_variable are made of. A lock that is taken parks the goroutine; the thread goes on with another one.
//
// Owns: the meaning of the bytes of these types. All zero is the initial state of each, as for glibc, so that constexpr
// constructors and the static initializers of <pthread.h> fit; the kind stands where PTHREAD_RECURSIVE_… puts it.
//
// A mutex's state:  0 free   1 taken   2 taken, somebody may wait   3 as 2, and somebody has waited too long
//
// Invariants
//   - Whoever parks has seen 2 or 3, and whoever unlocks such a mutex wakes one.
//   - Normally the one that is woken competes with those who come by: a running goroutine takes a free lock at once, which
//     saves a switch for each critical section. Who loses that race after kStarving sets 3; the next unlock then does
//     not free the lock but hands it to the oldest waiter.
//   - Used with nothing to park (on g0) the lock spins and gives the CPU away.
#include <errno.h>
#include <pthread.h>

#include "runtime/cxx/cxx.h"
#include "runtime/os/os_linux.h"
#include "runtime/sched/proc.h"

namespace runtime {
namespace {

using cxx::kForever;
using cxx::parkResult;

constexpr std::int64_t kStarving = 1'000'000;  // ns, as Go's sync.Mutex
constexpr int kSpins = 4;

struct gomutex {
  std::uint32_t state;  // atomic
  std::uint32_t count;  // owner: depth, recursive only
  g* owner;             // owner; compared by others with themselves only
  std::uint32_t kind;   // init: PTHREAD_MUTEX_*
};
static_assert(sizeof(gomutex) <= sizeof(pthread_mutex_t) && offsetof(gomutex, kind) == 16);

gomutex* of(pthread_mutex_t* m) { return reinterpret_cast<gomutex*>(m); }

// Takes a mutex that somebody has; false when the deadline passes first.
[[gnu::noinline]] bool lockSlow(gomutex* m, std::int64_t deadline) {
  if (gomaxprocs > 1) {
    for (int i = 0; i < kSpins; i++) {  // the holder may be about to leave on another CPU
      procyield(30);
      if (atomic::LoadRelaxed(&m->state) == 0 && atomic::Cas(&m->state, 0, 1)) return true;
    }
  }
  std::int64_t since = 0;
  for (;;) {
    std::uint32_t v = atomic::Load(&m->state);
    if (v == 0) {
      // 2 and not 1: there may be others parked behind the one that was woken to get here.
      if (atomic::Cas(&m->state, 0, 2)) return true;
      continue;
    }
    std::int64_t now = 0;
    std::uint32_t want = v == 1 ? 2 : v;
    if (since == 0)
      since = nanotime();
    else if ((now = nanotime()) - since > kStarving)
      want = 3;
    if (want != v && !atomic::Cas(&m->state, v, want)) continue;
    switch (cxx::parkOn(&m->state, want, deadline, waitReasonSemacquire)) {
      case parkResult::handed:
        return true;
      case parkResult::timeout:
        return false;
      case parkResult::woken:
      case parkResult::changed:
        break;
    }
  }
}

ALWAYS_INLINE bool lockUntil(gomutex* m, std::int64_t deadline) {
  return LIKELY(atomic::Cas(&m->state, 0, 1)) || lockSlow(m, deadline);
}

[[gnu::noinline]] void unlockSlow(gomutex* m) {
  for (;;) {
    std::uint32_t v = atomic::Load(&m->state);
    if (v == 3) {
      // Stays taken while it changes hands. From here on another holder may set 3 again, hence before the wake.
      atomic::Store(&m->state, 2u);
      if (cxx::wakeOn(&m->state, 1, parkResult::handed) == 1) return;
      continue;  // all of them gave up waiting: free it
    }
    if (!atomic::Cas(&m->state, v, 0)) continue;
    if (v == 2) cxx::wakeOn(&m->state, 1);
    return;
  }
}

ALWAYS_INLINE void unlockState(gomutex* m) {
  if (LIKELY(atomic::Cas(&m->state, 1, 0))) return;
  unlockSlow(m);
}

int acquire(gomutex* m, std::int64_t deadline) {
  std::uint32_t kind = m->kind & 3;
  if (UNLIKELY(kind != PTHREAD_MUTEX_NORMAL)) {
    if (m->owner == getg()) {
      if (kind != PTHREAD_MUTEX_RECURSIVE) return EDEADLK;
      m->count++;
      return 0;
    }
    if (!lockUntil(m, deadline)) return ETIMEDOUT;
    m->owner = getg();
    m->count = 1;
    return 0;
  }
  return lockUntil(m, deadline) ? 0 : ETIMEDOUT;
}

// Who waits is on the list of those who park on it before it gives the mutex up, and does not touch the variable any more
// once it is off that list: it may be gone then.
struct gocond {
  std::uint32_t waiters;  // changed under the lock of its list (cxx/park.cpp); read by anybody
  std::uint32_t clock;    // init: of pthread_cond_timedwait
};
static_assert(sizeof(gocond) <= sizeof(pthread_cond_t));

gocond* of(pthread_cond_t* c) { return reinterpret_cast<gocond*>(c); }

int waitCond(pthread_cond_t* cp, pthread_mutex_t* m, std::int64_t deadline) {
  gocond* c = of(cp);
  if (!cxx::canPark()) {  // on g0: woken for nothing
    pthread_mutex_unlock(m);
    osyield();
    pthread_mutex_lock(m);
    return 0;
  }
  cxx::waiter w;
  cxx::enlist(&w, &c->waiters, &c->waiters);
  pthread_mutex_unlock(m);
  parkResult r = cxx::parkEnlisted(&w, deadline, waitReasonSyncCondWait);
  pthread_mutex_lock(m);
  return r == parkResult::timeout ? ETIMEDOUT : 0;
}

int wakeCond(pthread_cond_t* cp, std::uint32_t n) {
  gocond* c = of(cp);
  if (atomic::Load(&c->waiters) != 0) cxx::wakeOn(&c->waiters, n);
  return 0;
}

// Writers first: a reader that comes while a writer waits queues behind it.
struct gorwlock {
  gomutex mu;                // guards the rest
  std::uint32_t readers;     // holding it
  std::uint32_t writer;      // 1: held for writing
  std::uint32_t wwaiting;    // writers parked
  std::uint32_t rseq, wseq;  // atomic: bumped under mu for readers, writers that are parked
};
static_assert(sizeof(gorwlock) <= sizeof(pthread_rwlock_t));

gorwlock* of(pthread_rwlock_t* l) { return reinterpret_cast<gorwlock*>(l); }

bool readable(gorwlock* l) { return l->writer == 0 && l->wwaiting == 0; }
bool writable(gorwlock* l) { return l->writer == 0 && l->readers == 0; }

void wakeRW(gorwlock* l) {  // with mu held, which it gives up
  bool w = l->wwaiting != 0 && writable(l);
  bool r = !w && readable(l);
  if (w) atomic::Xadd(&l->wseq, 1);
  if (r) atomic::Xadd(&l->rseq, 1);
  unlockState(&l->mu);
  if (w) cxx::wakeOn(&l->wseq, 1);
  if (r) cxx::wakeOn(&l->rseq, UINT32_MAX);
}

int rdlock(gorwlock* l, std::int64_t deadline) {
  lockUntil(&l->mu, kForever);
  while (!readable(l)) {
    std::uint32_t seq = atomic::Load(&l->rseq);
    unlockState(&l->mu);
    if (cxx::parkOn(&l->rseq, seq, deadline, waitReasonSemacquire) == parkResult::timeout) return ETIMEDOUT;
    lockUntil(&l->mu, kForever);
  }
  l->readers++;
  unlockState(&l->mu);
  return 0;
}

int wrlock(gorwlock* l, std::int64_t deadline) {
  lockUntil(&l->mu, kForever);
  bool late = false;
  l->wwaiting++;
  while (!writable(l) && !late) {
    std::uint32_t seq = atomic::Load(&l->wseq);
    unlockState(&l->mu);
    late = cxx::parkOn(&l->wseq, seq, deadline, waitReasonSemacquire) == parkResult::timeout;
    lockUntil(&l->mu, kForever);
  }
  l->wwaiting--;
  if (!writable(l)) {
    wakeRW(l);  // readers may have queued behind us
    return ETIMEDOUT;
  }
  l->writer = 1;
  unlockState(&l->mu);
  return 0;
}

}  // namespace
}  // namespace runtime

using namespace runtime;

extern "C" {

int pthread_mutex_init(pthread_mutex_t* m, const pthread_mutexattr_t* a) noexcept {
  *of(m) = {0, 0, nullptr, a == nullptr ? 0 : *reinterpret_cast<const std::uint32_t*>(a)};
  return 0;
}
int pthread_mutex_destroy(pthread_mutex_t*) noexcept { return 0; }
int pthread_mutexattr_init(pthread_mutexattr_t* a) noexcept {
  *reinterpret_cast<std::uint32_t*>(a) = PTHREAD_MUTEX_NORMAL;
  return 0;
}
int pthread_mutexattr_settype(pthread_mutexattr_t* a, int kind) noexcept {
  if (kind < 0 || kind > PTHREAD_MUTEX_ADAPTIVE_NP) return EINVAL;
  *reinterpret_cast<std::uint32_t*>(a) = static_cast<std::uint32_t>(kind);
  return 0;
}
int pthread_mutexattr_destroy(pthread_mutexattr_t*) noexcept { return 0; }

int pthread_mutex_lock(pthread_mutex_t* m) noexcept { return acquire(of(m), kForever); }
int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t clock, const timespec* abs) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  std::int64_t deadline;
  bool ok = cxx::deadlineOf(clock, abs, &deadline);
  // POSIX: who need not wait is not asked until when it would.
  int r = acquire(of(m), ok ? deadline : 0);
  return r == ETIMEDOUT && !ok ? EINVAL : r;
}
int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* abs) noexcept {
  return pthread_mutex_clocklock(m, CLOCK_REALTIME, abs);
}

int pthread_mutex_trylock(pthread_mutex_t* mp) noexcept {
  gomutex* m = of(mp);
  std::uint32_t kind = m->kind & 3;
  if (kind == PTHREAD_MUTEX_RECURSIVE && m->owner == getg()) {
    m->count++;
    return 0;
  }
  if (!atomic::Cas(&m->state, 0, 1)) return EBUSY;
  if (kind != PTHREAD_MUTEX_NORMAL) {
    m->owner = getg();
    m->count = 1;
  }
  return 0;
}

int pthread_mutex_unlock(pthread_mutex_t* mp) noexcept {
  gomutex* m = of(mp);
  if (UNLIKELY((m->kind & 3) != PTHREAD_MUTEX_NORMAL)) {
    if (m->owner != getg()) return EPERM;
    if (--m->count != 0) return 0;
    m->owner = nullptr;
  } else if (UNLIKELY(atomic::LoadRelaxed(&m->state) == 0)) {
    fatal("unlock of unlocked mutex");
  }
  unlockState(m);
  return 0;
}

int pthread_cond_init(pthread_cond_t* c, const pthread_condattr_t* a) noexcept {
  *of(c) = {0, a == nullptr ? CLOCK_REALTIME : *reinterpret_cast<const std::uint32_t*>(a)};
  return 0;
}
int pthread_cond_destroy(pthread_cond_t*) noexcept { return 0; }
int pthread_condattr_init(pthread_condattr_t* a) noexcept {
  *reinterpret_cast<std::uint32_t*>(a) = CLOCK_REALTIME;
  return 0;
}
int pthread_condattr_setclock(pthread_condattr_t* a, clockid_t clock) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  *reinterpret_cast<std::uint32_t*>(a) = static_cast<std::uint32_t>(clock);
  return 0;
}
int pthread_condattr_destroy(pthread_condattr_t*) noexcept { return 0; }
int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) { return waitCond(c, m, kForever); }
int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* abs) {
  return pthread_cond_clockwait(c, m, static_cast<clockid_t>(of(c)->clock), abs);
}
int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock, const timespec* abs) {
  std::int64_t deadline;
  return cxx::deadlineOf(clock, abs, &deadline) ? waitCond(c, m, deadline) : EINVAL;
}
int pthread_cond_signal(pthread_cond_t* c) noexcept { return wakeCond(c, 1); }
int pthread_cond_broadcast(pthread_cond_t* c) noexcept { return wakeCond(c, UINT32_MAX); }

int pthread_rwlock_init(pthread_rwlock_t* l, const pthread_rwlockattr_t*) noexcept {
  *of(l) = {};
  return 0;
}
int pthread_rwlock_destroy(pthread_rwlock_t*) noexcept { return 0; }
int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept { return rdlock(of(l), kForever); }
int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept { return wrlock(of(l), kForever); }
int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* abs) noexcept {
  return pthread_rwlock_clockrdlock(l, CLOCK_REALTIME, abs);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* abs) noexcept {
  return pthread_rwlock_clockwrlock(l, CLOCK_REALTIME, abs);
}
int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t clock, const timespec* abs) noexcept {
  std::int64_t deadline;
  return cxx::deadlineOf(clock, abs, &deadline) ? rdlock(of(l), deadline) : EINVAL;
}
int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t clock, const timespec* abs) noexcept {
  std::int64_t deadline;
  return cxx::deadlineOf(clock, abs, &deadline) ? wrlock(of(l), deadline) : EINVAL;
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lp) noexcept {
  gorwlock* l = of(lp);
  lockUntil(&l->mu, kForever);
  bool ok = readable(l);
  if (ok) l->readers++;
  unlockState(&l->mu);
  return ok ? 0 : EBUSY;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lp) noexcept {
  gorwlock* l = of(lp);
  lockUntil(&l->mu, kForever);
  bool ok = writable(l);
  if (ok) l->writer = 1;
  unlockState(&l->mu);
  return ok ? 0 : EBUSY;
}

int pthread_rwlock_unlock(pthread_rwlock_t* lp) noexcept {
  gorwlock* l = of(lp);
  lockUntil(&l->mu, kForever);
  if (l->writer != 0)
    l->writer = 0;
  else
    l->readers--;
  wakeRW(l);
  return 0;
}

}  // extern "C"

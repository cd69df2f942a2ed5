// Locks, threads and sleeping, as goroutines use them: the thread sleeps, its P goes on without it. (What sleeps in the
// kernel for other reasons is in cgo/blocking.cpp.)
//
// Without this a goroutine that waits for a std::mutex keeps its P, and with GOMAXPROCS=1 the goroutine that holds the
// mutex never gets one to go on and unlock it. All libraries of the program call these; libc's own locks are not taken
// through them.
//
// Invariants
//   - Where there is nothing to wait for nothing is done but libc's call.
//   - A mutex that remembers its owner (recursive, error checking) and a read-write lock with a writer remember a thread.
//     While a goroutine holds one it is locked to its thread: no other goroutine is taken for the owner, and it unlocks
//     where it has locked.
//   - A thread that libc makes gets a guard of 0, with which every prologue's check passes: the control block may have
//     been an M's, whose guard is still in it.
//
// Way not taken: parking the goroutine, as cxx/pthread_mutex.cpp does. Threads of libc take the same mutexes, and what
// they unlock they could not ready a goroutine for.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cgo/cgo.h"
#include "runtime/cgo/next.h"
#include "runtime/sync/time.h"

extern "C" {
[[gnu::weak]] void __tsan_mutex_pre_lock(void* lock, unsigned flags);
[[gnu::weak]] void __tsan_mutex_post_lock(void* lock, unsigned flags, int recursion);
[[gnu::weak]] decltype(pthread_mutex_clocklock) __interceptor_pthread_mutex_clocklock;
[[gnu::weak]] decltype(pthread_rwlock_clockrdlock) __interceptor_pthread_rwlock_clockrdlock;
[[gnu::weak]] decltype(pthread_rwlock_clockwrlock) __interceptor_pthread_rwlock_clockwrlock;
[[gnu::weak]] decltype(pthread_clockjoin_np) __interceptor_pthread_clockjoin_np;
}

namespace runtime {

[[noreturn]] void Goexit() GOSYM("runtime.Goexit");  // boot/panic.cpp

const char cgo::calls = 0;

namespace {

bool remembersOwner(const pthread_mutex_t* mu) {
  int kind = mu->__data.__kind & 3;
  return kind == PTHREAD_MUTEX_RECURSIVE || kind == PTHREAD_MUTEX_ERRORCHECK;
}

// Locks the goroutine to its thread around f, the taking of mu, and keeps it so if that succeeds.
template <class F>
int take(pthread_mutex_t* mu, F f) {
  if (!remembersOwner(mu) || !cgo::onGoroutine()) return f();
  LockOSThread();
  int r = f();
  if (r != 0) UnlockOSThread();
  return r;
}

// The same for the writer of a read-write lock.
template <class F>
int takeWrite(F f) {
  if (!cgo::onGoroutine()) return f();
  LockOSThread();
  int r = f();
  if (r != 0) UnlockOSThread();
  return r;
}

// Sleeping is for timers: 0 or an error number.
int sleepFor(const timespec* t) {
  if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec > 999999999) return EINVAL;
  std::int64_t ns;
  if (__builtin_mul_overflow(t->tv_sec, std::int64_t{1000000000}, &ns) || __builtin_add_overflow(ns, t->tv_nsec, &ns))
    ns = INT64_MAX;
  timeSleep(ns);
  return 0;
}

// ThreadSanitizer sees the calls that its library stands before. Of a lock taken by one that the library lacks (itsOwn is
// null; gcc 12's lacks those with a clock) it hears here, or it would report the unlock and the next lock.
enum : unsigned { tsanRead = 1 << 3, tsanTry = 1 << 4 };  // __tsan_mutex_read_lock, __tsan_mutex_try_lock
template <class F>
int tell(void* lock, unsigned how, F* itsOwn, int r) {
  if (r == 0 && itsOwn == nullptr && __tsan_mutex_post_lock != nullptr) {
    __tsan_mutex_pre_lock(lock, how | tsanTry);
    __tsan_mutex_post_lock(lock, how | tsanTry, 0);
  }
  return r;
}

// A thread that was joined without its knowledge it takes for a living one, and ends the program at the next that has the
// same pthread_t. So where its library lacks pthread_clockjoin_np, the end is told by the other clock: *t, of c, then.
timespec onRealtime(clockid_t c, const timespec* t) {
  timespec here, there;
  clock_gettime(c, &here);
  clock_gettime(CLOCK_REALTIME, &there);
  timespec r{t->tv_sec - here.tv_sec + there.tv_sec, t->tv_nsec - here.tv_nsec + there.tv_nsec};
  for (; r.tv_nsec < 0; r.tv_nsec += 1000000000) r.tv_sec--;
  for (; r.tv_nsec >= 1000000000; r.tv_nsec -= 1000000000) r.tv_sec++;
  return r;
}

struct start {
  void* (*fn)(void*);
  void* arg;
};

void* threadmain(void* p) {
  setguard(0);
  start s = *static_cast<start*>(p);
  ::free(p);
  return s.fn(s.arg);
}

}  // namespace
}  // namespace runtime

using namespace runtime;

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mu) noexcept {
  return take(mu, [mu] {
    int r = NEXT(pthread_mutex_trylock)(mu);
    if (r != EBUSY) return r;
    return cgo::outside([mu] { return NEXT(pthread_mutex_lock)(mu); });
  });
}
int pthread_mutex_trylock(pthread_mutex_t* mu) noexcept {
  return take(mu, [mu] { return NEXT(pthread_mutex_trylock)(mu); });
}
int pthread_mutex_timedlock(pthread_mutex_t* mu, const timespec* t) noexcept {
  return take(mu, [=] { return cgo::outside([=] { return NEXT(pthread_mutex_timedlock)(mu, t); }); });
}
int pthread_mutex_clocklock(pthread_mutex_t* mu, clockid_t c, const timespec* t) noexcept {
  int r = take(mu, [=] { return cgo::outside([=] { return NEXT(pthread_mutex_clocklock)(mu, c, t); }); });
  return tell(mu, 0, __interceptor_pthread_mutex_clocklock, r);
}
int pthread_mutex_unlock(pthread_mutex_t* mu) noexcept {
  bool owner = remembersOwner(mu) && cgo::onGoroutine();
  int r = NEXT(pthread_mutex_unlock)(mu);
  if (owner && r == 0) UnlockOSThread();
  return r;
}

int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* mu) {
  return cgo::outside([=] { return NEXT(pthread_cond_wait)(c, mu); });
}
int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* mu, const timespec* t) {
  return cgo::outside([=] { return NEXT(pthread_cond_timedwait)(c, mu, t); });
}
int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* mu, clockid_t clock, const timespec* t) {
  return cgo::outside([=] { return NEXT(pthread_cond_clockwait)(c, mu, clock, t); });
}

// libstdc++ makes negative nanoseconds of a time before the epoch with a fraction, and takes the EINVAL that libc has for
// them for success: two writers held a shared_timed_mutex. Such a time is over.
static bool beforeEpoch(const timespec* t) { return t->tv_sec <= 0 && t->tv_nsec < 0 && t->tv_nsec > -1'000'000'000; }

int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept {
  int r = NEXT(pthread_rwlock_tryrdlock)(l);
  return r != EBUSY ? r : cgo::outside([l] { return NEXT(pthread_rwlock_rdlock)(l); });
}
int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept {
  return takeWrite([l] {
    int r = NEXT(pthread_rwlock_trywrlock)(l);
    return r != EBUSY ? r : cgo::outside([l] { return NEXT(pthread_rwlock_wrlock)(l); });
  });
}
int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
  return takeWrite([l] { return NEXT(pthread_rwlock_trywrlock)(l); });
}
int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* t) noexcept {
  int r = NEXT(pthread_rwlock_tryrdlock)(l);
  if (r != EBUSY || beforeEpoch(t)) return r != EBUSY ? r : ETIMEDOUT;
  return cgo::outside([=] { return NEXT(pthread_rwlock_timedrdlock)(l, t); });
}
int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t c, const timespec* t) noexcept {
  int r = NEXT(pthread_rwlock_tryrdlock)(l);
  if (r != EBUSY || beforeEpoch(t)) return r != EBUSY ? r : ETIMEDOUT;
  r = cgo::outside([=] { return NEXT(pthread_rwlock_clockrdlock)(l, c, t); });
  return tell(l, tsanRead, __interceptor_pthread_rwlock_clockrdlock, r);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* t) noexcept {
  return takeWrite([=] {
    int r = NEXT(pthread_rwlock_trywrlock)(l);
    if (r != EBUSY || beforeEpoch(t)) return r != EBUSY ? r : ETIMEDOUT;
    return cgo::outside([=] { return NEXT(pthread_rwlock_timedwrlock)(l, t); });
  });
}
int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t c, const timespec* t) noexcept {
  return takeWrite([=] {
    int r = NEXT(pthread_rwlock_trywrlock)(l);
    if (r != EBUSY || beforeEpoch(t)) return r != EBUSY ? r : ETIMEDOUT;
    r = cgo::outside([=] { return NEXT(pthread_rwlock_clockwrlock)(l, c, t); });
    return tell(l, 0, __interceptor_pthread_rwlock_clockwrlock, r);
  });
}
int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
  bool writer = cgo::onGoroutine() && static_cast<std::uint64_t>(l->__data.__cur_writer) == getg()->m->procid;
  int r = NEXT(pthread_rwlock_unlock)(l);
  if (writer && r == 0) UnlockOSThread();
  return r;
}

int pthread_create(pthread_t* out, const pthread_attr_t* attr, void* (*fn)(void*), void* arg) noexcept {
  auto s = static_cast<start*>(::malloc(sizeof(start)));
  if (s == nullptr) return EAGAIN;
  *s = {fn, arg};
  int r = NEXT(pthread_create)(out, attr, threadmain, s);
  if (r != 0) ::free(s);
  return r;
}
int pthread_join(pthread_t t, void** result) {
  return cgo::outside([=] { return NEXT(pthread_join)(t, result); });
}
int pthread_timedjoin_np(pthread_t t, void** result, const timespec* until) {
  return cgo::outside([=] { return NEXT(pthread_timedjoin_np)(t, result, until); });
}
int pthread_clockjoin_np(pthread_t t, void** result, clockid_t c, const timespec* until) {
  if (__tsan_mutex_post_lock != nullptr && __interceptor_pthread_clockjoin_np == nullptr && until != nullptr &&
      (c == CLOCK_MONOTONIC || c == CLOCK_REALTIME)) {
    timespec real = onRealtime(c, until);
    return pthread_timedjoin_np(t, result, &real);
  }
  return cgo::outside([=] { return NEXT(pthread_clockjoin_np)(t, result, c, until); });
}

// On a goroutine: its end, as in pure mode. libc would end the thread, and with it a P.
void pthread_exit(void* result) {
  if (const g* gp = getg(); gp != nullptr && gp->m != nullptr && gp == gp->m->curg) Goexit();
  NEXT(pthread_exit)(result);
  __builtin_unreachable();
}

int pthread_barrier_wait(pthread_barrier_t* b) noexcept {
  return cgo::outside([b] { return NEXT(pthread_barrier_wait)(b); });
}
// Who holds it may be a goroutine that waits for this P.
int pthread_spin_lock(pthread_spinlock_t* l) noexcept {
  while (NEXT(pthread_spin_trylock)(l) != 0) sched_yield();
  return 0;
}

int sem_wait(sem_t* s) {
  if (NEXT(sem_trywait)(s) == 0) return 0;
  return cgo::outside([s] { return NEXT(sem_wait)(s); });
}
int sem_timedwait(sem_t* s, const timespec* t) {
  if (NEXT(sem_trywait)(s) == 0) return 0;
  return cgo::outside([=] { return NEXT(sem_timedwait)(s, t); });
}
int sem_clockwait(sem_t* s, clockid_t c, const timespec* t) {
  if (NEXT(sem_trywait)(s) == 0) return 0;
  return cgo::outside([=] { return NEXT(sem_clockwait)(s, c, t); });
}

int sched_yield() noexcept {
  if (cgo::onGoroutine())
    Gosched();
  else
    osyield();
  return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* t, timespec* left) {
  if (flags == 0 && cgo::onGoroutine()) return sleepFor(t);
  return cgo::outside([=] { return NEXT(clock_nanosleep)(clock, flags, t, left); });
}
int nanosleep(const timespec* t, timespec* left) {
  if (!cgo::onGoroutine()) return NEXT(nanosleep)(t, left);
  int r = sleepFor(t);
  if (r == 0) return 0;
  errno = r;
  return -1;
}
unsigned sleep(unsigned seconds) {
  timespec t{static_cast<time_t>(seconds), 0};
  nanosleep(&t, nullptr);
  return 0;
}
int usleep(useconds_t us) {
  timespec t{static_cast<time_t>(us / 1000000), static_cast<long>(us % 1000000) * 1000};
  return nanosleep(&t, nullptr);
}

}  // extern "C"

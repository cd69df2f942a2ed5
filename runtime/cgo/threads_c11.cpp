// C's own names for threads and locks (<threads.h>). libc's go to its mutexes directly, past ours (cgo/pthread.cpp); here
// they go to ours. The types are the same structures under two names, in libc too.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

#include "runtime/cgo/cgo.h"
#include "runtime/cgo/next.h"

namespace runtime {

const char cgo::c11Calls = 0;

namespace {

int c11(int err) {
  switch (err) {
    case 0:
      return thrd_success;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    case EBUSY:
      return thrd_busy;
    default:
      return thrd_error;
  }
}

pthread_mutex_t* mutexOf(mtx_t* m) { return reinterpret_cast<pthread_mutex_t*>(m); }
pthread_cond_t* condOf(cnd_t* c) { return reinterpret_cast<pthread_cond_t*>(c); }
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

struct start {
  thrd_start_t fn;
  void* arg;
};
void* threadmain(void* p) {
  start s = *static_cast<start*>(p);
  ::free(p);
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(s.fn(s.arg)));
}

}  // namespace
}  // namespace runtime

using namespace runtime;

extern "C" {

int mtx_lock(mtx_t* m) { return c11(pthread_mutex_lock(mutexOf(m))); }
int mtx_timedlock(mtx_t* m, const timespec* t) { return c11(pthread_mutex_timedlock(mutexOf(m), t)); }
int mtx_trylock(mtx_t* m) { return c11(pthread_mutex_trylock(mutexOf(m))); }
int mtx_unlock(mtx_t* m) { return c11(pthread_mutex_unlock(mutexOf(m))); }
int cnd_wait(cnd_t* c, mtx_t* m) { return c11(pthread_cond_wait(condOf(c), mutexOf(m))); }
int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* t) {
  return c11(pthread_cond_timedwait(condOf(c), mutexOf(m), t));
}
void call_once(once_flag* flag, void (*fn)()) { pthread_once(reinterpret_cast<pthread_once_t*>(flag), fn); }

int thrd_create(thrd_t* out, thrd_start_t fn, void* arg) {
  auto s = static_cast<start*>(::malloc(sizeof(start)));
  if (s == nullptr) return thrd_nomem;
  *s = {fn, arg};
  int r = pthread_create(out, nullptr, threadmain, s);
  if (r != 0) ::free(s);
  return c11(r);
}
int thrd_join(thrd_t t, int* result) {
  void* p;
  int r = pthread_join(t, &p);
  if (r == 0 && result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(p));
  return c11(r);
}
void thrd_exit(int result) { pthread_exit(reinterpret_cast<void*>(static_cast<std::intptr_t>(result))); }
void thrd_yield() { sched_yield(); }
int thrd_sleep(const timespec* t, timespec* left) {
  int r = clock_nanosleep(CLOCK_REALTIME, 0, t, left);
  return r == 0 ? 0 : r == EINTR ? -1 : -2;
}

}  // extern "C"

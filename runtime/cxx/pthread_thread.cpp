// std::thread as a goroutine: pthread_create, _join, _detach, _self, and pthread_key_*.
//
// Owns: the thread structure behind a pthread_t, and values set by pthread_setspecific, which are the goroutine's (a
// thread_local, in contrast, is the M's: see boot/README.md).
//
// Invariants
//   - state goes 0 → kEnded, or kDetached is set in it; whoever does the second of the two frees the structure. A joiner
//     parks on state.
//   - A goroutine that is no std::thread has its g's address for a pthread_t; both kinds differ while both live.
#include <errno.h>
#include <pthread.h>

#include "runtime/cxx/cxx.h"
#include "runtime/mem/malloc.h"
#include "runtime/sched/proc.h"

namespace runtime {
namespace {

constexpr std::uint32_t kEnded = 1, kDetached = 2;

struct thread {
  void* (*start)(void*);
  void* arg;
  void* result;
  std::uint32_t state;  // atomic
  std::uint32_t mxcsr;  // init: the creator's rounding and exception masks, which C gives to the new thread too
  std::uint16_t fpcw;   // init
};

constexpr std::uint32_t kKeys = 128;

struct key {
  std::uint32_t life;  // atomic: odd while it is in use; counts, so that values of a former use are told apart
  void (*destroy)(void*);
};
key keys[kKeys];

// What g.cxxspecific points to: a value for each key.
struct value {
  std::uint32_t life;  // of the key when it was set
  void* v;
};

value* valuesOf(g* gp) { return reinterpret_cast<value*>(gp->cxxspecific); }

[[noreturn]] void finish(thread* t, void* result) {
  t->result = result;
  goexit1();  // calls endGoroutine
}

void threadMain(void* block) {
  thread* t = *static_cast<thread**>(block);
  getg()->cxxthread = t;
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(t->mxcsr), "m"(t->fpcw));
  finish(t, t->start(t->arg));
}

// hooks.endSpecific: whatever way a goroutine ends, by its function's return, by pthread_exit or by Goexit.
void endGoroutine() {
  cxx::endSpecific();
  g* gp = getg();
  auto t = static_cast<thread*>(gp->cxxthread);
  if (t == nullptr) return;
  gp->cxxthread = nullptr;
  if (atomic::Xadd(&t->state, kEnded) & kDetached)
    freeManual(t);
  else
    cxx::wakeOn(&t->state, UINT32_MAX);
}

}  // namespace

void cxx::endSpecific() {
  g* gp = getg();
  // Destructors may set values again; POSIX allows giving up after some rounds. The values are dropped then: the next
  // goroutine that gets this g must not find them.
  for (int round = 0; gp->cxxspecific != nullptr; round++) {
    value* values = valuesOf(gp);
    gp->cxxspecific = nullptr;
    for (std::uint32_t k = 0; k < kKeys && round < 4; k++) {
      value& x = values[k];
      if (x.v != nullptr && x.life == atomic::Load(&keys[k].life) && keys[k].destroy != nullptr) keys[k].destroy(x.v);
    }
    freeManual(values);
  }
}

}  // namespace runtime

using namespace runtime;

extern "C" {

int pthread_create(pthread_t* out, const pthread_attr_t* attr, void* (*start)(void*), void* arg) noexcept {
  auto t = static_cast<thread*>(mallocManual(sizeof(thread), alignof(thread), true));
  if (t == nullptr) return EAGAIN;
  int detached = 0;
  if (attr != nullptr) pthread_attr_getdetachstate(attr, &detached);
  *t = {start, arg, nullptr, detached ? kDetached : 0, 0, 0};
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(t->mxcsr), "=m"(t->fpcw));
  *out = reinterpret_cast<pthread_t>(t);
  hooks.endSpecific = endGoroutine;
  void* block;
  g* newg = newproc_begin(threadMain, sizeof t, alignof(thread*), getcallerpc(), &block);
  *static_cast<thread**>(block) = t;
  newproc_commit(newg);
  return 0;
}

int pthread_join(pthread_t id, void** result) {
  auto t = reinterpret_cast<thread*>(id);
  if (t == getg()->cxxthread) return EDEADLK;
  while (atomic::Load(&t->state) == 0) cxx::parkOn(&t->state, 0, cxx::kForever, waitReasonSemacquire);
  if (result != nullptr) *result = t->result;
  freeManual(t);
  return 0;
}

int pthread_detach(pthread_t id) noexcept {
  auto t = reinterpret_cast<thread*>(id);
  if ((atomic::Xadd(&t->state, kDetached) & kEnded) != 0) freeManual(t);
  return 0;
}

pthread_t pthread_self() noexcept {
  g* gp = getg();
  return reinterpret_cast<pthread_t>(gp->cxxthread != nullptr ? gp->cxxthread : gp);
}
int pthread_equal(pthread_t a, pthread_t b) noexcept { return a == b; }

[[noreturn]] void pthread_exit(void* result) {
  auto t = static_cast<thread*>(getg()->cxxthread);
  if (t != nullptr) finish(t, result);
  goexit1();
}

// Of an attribute only the detach state is kept: a goroutine's stack grows by itself.
int pthread_attr_init(pthread_attr_t* a) noexcept {
  *reinterpret_cast<int*>(a) = PTHREAD_CREATE_JOINABLE;
  return 0;
}
int pthread_attr_destroy(pthread_attr_t*) noexcept { return 0; }
int pthread_attr_setdetachstate(pthread_attr_t* a, int state) noexcept {
  *reinterpret_cast<int*>(a) = state;
  return 0;
}
int pthread_attr_getdetachstate(const pthread_attr_t* a, int* state) noexcept {
  *state = *reinterpret_cast<const int*>(a);
  return 0;
}
int pthread_attr_setstacksize(pthread_attr_t*, std::size_t) noexcept { return 0; }

int pthread_key_create(pthread_key_t* out, void (*destroy)(void*)) noexcept {
  for (std::uint32_t k = 0; k < kKeys; k++) {
    std::uint32_t life = atomic::Load(&keys[k].life);
    if (life % 2 != 0 || !atomic::Cas(&keys[k].life, life, life + 1)) continue;
    keys[k].destroy = destroy;
    *out = k;
    return 0;
  }
  return EAGAIN;
}

int pthread_key_delete(pthread_key_t k) noexcept {
  if (k >= kKeys || keys[k].life % 2 == 0) return EINVAL;
  keys[k].destroy = nullptr;
  atomic::Xadd(&keys[k].life, 1u);
  return 0;
}

void* pthread_getspecific(pthread_key_t k) noexcept {
  value* values = valuesOf(getg());
  if (values == nullptr || k >= kKeys || values[k].life != atomic::LoadRelaxed(&keys[k].life)) return nullptr;
  return values[k].v;
}

int pthread_setspecific(pthread_key_t k, const void* v) noexcept {
  if (k >= kKeys || keys[k].life % 2 == 0) return EINVAL;
  g* gp = getg();
  if (gp->cxxspecific == nullptr) {
    if (v == nullptr) return 0;
    hooks.endSpecific = endGoroutine;
    gp->cxxspecific = static_cast<void**>(mallocManual(kKeys * sizeof(value), alignof(value), true));
    if (gp->cxxspecific == nullptr) return ENOMEM;
  }
  valuesOf(gp)[k] = {keys[k].life, const_cast<void*>(v)};
  return 0;
}

}  // extern "C"

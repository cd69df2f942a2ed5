// Hosted mode inside: what its files share.
//
// The program is linked with glibc, dynamically. Which pieces are ours and which are glibc's, and why:
//   ours   the entry and the first goroutine's static constructors; threads that run goroutines (Ms); signals; the state
//          of exceptions (__cxa_get_globals): it must belong to the goroutine, or one that yields in a catch block would
//          rethrow another's exception; __cxa_guard_*: a waiter must not hold its P while the constructing goroutine
//          waits for one
//   both   pthread_mutex_lock, read and all others that may sleep: glibc's, called in between entersyscall and exitsyscall
//          when there is something to wait for. The thread sleeps, its P goes on (tests/check_libc_calls.py has the list)
//   glibc's  all else: malloc and operator new (libraries free what others have allocated, and sanitizers want to see
//          it), stdio, locales, thread_locals, std::thread (a thread, without a g)
#pragma once

#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"

namespace runtime::cgo {

// Under AddressSanitizer or ThreadSanitizer, which must hear of each switch of stacks (cgo/sanitizer.cpp).
extern std::uint8_t sanitizing GOSYM("runtime.sanitizing");
// _cgo_init: is there a sanitizer in the program? And for each new thread, on its g0.
void sanitizerInit();
void sanitizerThread(m* mp);

// In each file that has names of libc's, which is found by this: a sanitizer's library, which is linked first, has some of
// them.
extern const char calls GOSYM("runtime.cgo_calls");              // cgo/pthread.cpp
extern const char c11Calls GOSYM("runtime.cgo_c11Calls");        // cgo/threads_c11.cpp
extern const char kernelCalls GOSYM("runtime.cgo_kernelCalls");  // cgo/blocking.cpp
extern const char stackCalls GOSYM("runtime.cgo_stackCalls");    // cgo/stacks.cpp
extern const char guards GOSYM("runtime.cgo_guards");            // cgo/guard.cpp
extern const char onces GOSYM("runtime.cgo_onces");              // cgo/once_exc.cpp

// Does the running goroutine run on its own stack? A handler of the user's runs on the signal stack, a coroutine on one
// that the runtime does not know.
ALWAYS_INLINE bool onOwnStack(const g* gp) {
  uintptr base = gp->segs != nullptr ? gp->segs->base : gp->stackbase;
  return reinterpret_cast<uintptr>(__builtin_frame_address(0)) - base < gp->stack.hi - base;
}

// Is this a goroutine with a P, that may give it away? Not on g0, in a handler, on a thread of somebody else, or between
// entersyscall and exitsyscall.
ALWAYS_INLINE bool onGoroutine() {
  g* gp = getg();
  if (gp == nullptr) return false;
  m* mp = gp->m;
  return gp == mp->curg && mp->p != nullptr && mp->locks == 0 && gp->syscallsp == 0 && onOwnStack(gp);
}

// f(), which may sleep in the kernel, without keeping the P from others. The goroutine comes back on the same thread: the
// caller may be a library that has the address of a thread_local in a register, errno's above all. Prologues pass
// meanwhile, since the stack must stay as it is while somebody else may be reading it.
template <class F>
ALWAYS_INLINE auto outside(F f) {
  if (!onGoroutine()) return f();
  lockOSThread();
  entersyscall();
  setguard(0);
  auto r = f();
  exitsyscall();
  unlockOSThread();
  return r;
}

}  // namespace runtime::cgo

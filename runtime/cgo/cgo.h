// Hosted mode inside: what its files share.
//
// The program is linked with glibc, dynamically. Which pieces are ours and which are glibc's, and why:
//   ours   the entry and the first goroutine's static constructors; threads that run goroutines (Ms); signals; the state
//          of exceptions (__cxa_get_globals): it must belong to the goroutine, or one that yields in a catch block would
//          rethrow another's exception; __cxa_guard_*: a waiter must not hold its P while the constructing goroutine
//          waits for one
//   both   pthread_mutex_lock and others that may sleep for long: glibc's, called in between entersyscall and
//          exitsyscall when there is something to wait for. The thread sleeps, its P goes on
//   glibc's  all else: malloc and operator new (libraries free what others have allocated, and sanitizers want to see
//          it), stdio, locales, thread_locals, std::thread (a thread, without a g)
#pragma once

#include "runtime/sched/proc.h"

namespace runtime::cgo {

// Under AddressSanitizer or ThreadSanitizer, which must hear of each switch of stacks (cgo/sanitizer.cpp).
extern std::uint8_t sanitizing GOSYM("runtime.sanitizing");
// _cgo_init: is there a sanitizer in the program? And for each new thread, on its g0.
void sanitizerInit();
void sanitizerThread(m* mp);

// In the file of libc's calls that may sleep (cgo/pthread.cpp), which is found by this name: a sanitizer's library, which
// is linked first, has some of theirs.
extern const char calls GOSYM("runtime.cgo_calls");

// Is this a goroutine with a P, that may give it away? Not on g0, a signal stack, a thread of somebody else, or between
// entersyscall and exitsyscall.
ALWAYS_INLINE bool onGoroutine() {
  g* gp = getg();
  if (gp == nullptr) return false;
  m* mp = gp->m;
  return gp == mp->curg && mp->p != nullptr && mp->locks == 0 && gp->syscallsp == 0;
}

// f(), which may sleep in the kernel, without keeping the P from others.
template <class F>
ALWAYS_INLINE auto outside(F f) {
  if (!onGoroutine()) return f();
  entersyscall();
  auto r = f();
  exitsyscall();
  return r;
}

}  // namespace runtime::cgo

// The frame that stays while a blocking call of the user's runs; see blocking.h.
//
// entersyscall remembers the frame it is called from, for tracebacks and for the collector, so that must be one that lives
// as long as the call: this function's. What runs between the two calls is looked after by sched/foreign_exc.cpp.
#include "runtime/sched/proc.h"

#include "boot/blocking.h"

#ifdef BOOT_HOSTED
#include <errno.h>
#endif

namespace boot::detail {

namespace {

struct leave {
  ~leave() {
    runtime::foreignEnd();
#ifdef BOOT_HOSTED
    int e = errno;  // the thread's, and this may be another one's afterwards
    runtime::exitsyscall();
    errno = e;
#else
    runtime::exitsyscall();
#endif
  }
};

}  // namespace

[[gnu::noinline]] void blockingcall(void (*f)(void*), void* arg) {
  using namespace runtime;
  // What is in registers goes to this frame, which the collector reads from.
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory");
  g* gp = getg();
  // Inside another one, or on a thread that is not the runtime's: there is no P to lend.
  if (gp == nullptr || gp != gp->m->curg || gp->m->p == nullptr) return f(arg);
  entersyscall();
  foreignBegin();
  leave l;
  f(arg);
}

}  // namespace boot::detail

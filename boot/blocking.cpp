// The frame that stays while a blocking call of the user's runs; see blocking.h.
//
// entersyscall remembers the frame it is called from, for tracebacks and for the collector, so that must be one that lives
// as long as the call: this function's. Between the two calls prologues pass without a look (guard 0), because the
// stack must stay as it is while somebody else may be reading it.
#include "runtime/sched/proc.h"

#include "boot/blocking.h"

#ifdef BOOT_HOSTED
#include <errno.h>
#endif

namespace boot::detail {

namespace {

struct leave {
  ~leave() {
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
  g* gp = getg();
  // Inside another one, or on a thread that is not the runtime's: there is no P to lend.
  if (gp == nullptr || gp != gp->m->curg || gp->m->p == nullptr) return f(arg);
  entersyscall();
  leave l;
  setguard(0);
  f(arg);
}

}  // namespace boot::detail

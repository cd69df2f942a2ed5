// What rt0_go and newosproc call when libc owns threads and their stacks (Go's runtime/cgo/gcc_linux_amd64.c).
//
// Owns: _cgo_init, the start and the end of an M's thread.
//
// Invariants
//   - An M's thread has g and guard before the first signal: all but libc's are blocked while pthread_create makes it,
//     and minit unblocks them.
//   - fs:0x70 lies in libc's thread control block, which is used again for later threads and not cleared then. So the end
//     of an M clears it, and each thread that is not ours starts with 0 (cgo/pthread.cpp): a prologue there passes.
#include <pthread.h>

#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/cgo/cgo.h"
#include "runtime/os/os_linux.h"
#include "runtime/os/os_signal.h"
#include "runtime/sched/proc_m.h"

namespace runtime::cgo {
namespace {

void (*setg_)(g*);  // init: setg_gcc, as rt0_go has handed it over

// The thread control block: its first word points at itself.
uintptr threadPointer() {
  uintptr fs;
  __asm__("movq %%fs:0, %0" : "=r"(fs));
  return fs;
}

// Signals' stacks and the guard of an M are found through these two.
void adopt(m* mp) { mp->tlsbase = threadPointer(); }

// In the child of fork(), which has this thread only. A goroutine may go on there, call libc and exec, as long as it waits
// for no other: it is not preempted, and keeps its P in calls that sleep, since nobody would give it back.
void forked() {
  forkedChild = true;
  if (const g* gp = getg(); gp != nullptr) gp->m->locks++;
}

// On the first thread, on its stack, before g is set.
void init(g* g0p, void (*setg)(g*)) {
  setg_ = setg;
  iscgo = true;
  std::int64_t slot;
  __asm__("movq $gblk@tpoff+56, %0" : "=r"(slot));
  if (slot != -8) {
    static constexpr char text[] = "fatal: g's word is not where the linker put gblk\n";
    write1(2, text, sizeof text - 1);
    exit(2);
  }
  pthread_attr_t attr;
  void* addr;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    if (pthread_attr_getstack(&attr, &addr, &size) == 0) {
      auto lo = reinterpret_cast<uintptr>(addr) + 4096;
      if (lo < g0p->stack.hi) g0p->stack.lo = lo;
    }
    pthread_attr_destroy(&attr);
  }
  adopt(&m0);
  pthread_atfork(nullptr, nullptr, forked);
  sanitizerInit();
}

void* threadentry(void* arg) {
  m* mp = static_cast<m*>(arg);
  adopt(mp);
  mp->g0->m = mp;
  setg_(mp->g0);
  setguard(mp->g0->stackguard0);
  sanitizerThread(mp);
  mstart();
  __builtin_unreachable();
}

// newosproc's part. What pthread_create needs of the stack for itself (control block, thread_locals, its frames) and the
// guard page is taken off what g0 may use.
void thread_start(m* mp) {
  constexpr std::size_t kTaken = 32 * 1024;
  pthread_attr_t attr;
  pthread_t thread;
  std::size_t size = 0;
  pthread_attr_init(&attr);
  pthread_attr_getstacksize(&attr, &size);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  mp->g0->stack = {0, size - kTaken};  // mstart0 makes bounds of it, knowing where it is
  mp->g0->stackguard0 = 0;
  std::uint64_t all = allSignals(), old = 0;
  rtsigprocmask(2 /* SIG_SETMASK */, &all, &old);
  int err = pthread_create(&thread, &attr, threadentry, mp);
  rtsigprocmask(2, &old, nullptr);
  pthread_attr_destroy(&attr);
  if (err == 0) return;
  systemstack([err] {
    constexpr int kEAGAIN = 11;
    printf("runtime: failed to create new OS thread (have {} already; errno={})\n", sched.mnext - sched.nmfreed, err);
    if (err == kEAGAIN) printf("runtime: may need to increase max user processes (ulimit -u)\n");
    throw_("newosproc");
  });
}

// The last of an M: from here on the thread is none of ours. All signals are blocked.
void thread_exit(m* mp) {
  setg_(nullptr);
  setguard(0);
  atomic::Store(&mp->freeWait, 0u);
  pthread_exit(nullptr);
}

}  // namespace
}  // namespace runtime::cgo

extern "C" {
// As in Go, a variable that holds the function's address.
extern void (*_cgo_init)(runtime::g*, void (*)(runtime::g*));
void (*_cgo_init)(runtime::g*, void (*)(runtime::g*)) = [](runtime::g* g0p, void (*setg)(runtime::g*)) {
  runtime::cgo::init(g0p, setg);
  runtime::hooks.thread_start = runtime::cgo::thread_start;
  runtime::hooks.thread_exit = runtime::cgo::thread_exit;
};
}

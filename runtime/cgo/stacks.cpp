// libc's calls by which user code gets to run elsewhere than on its goroutine's stack, or leaves a part of it at once.
//
// Invariants
//   - A handler runs on the alternate stack, whether or not it was asked for: on the goroutine's own it could be stopped
//     and go on on another thread, and the signals that the kernel has blocked for it would stay blocked on this one.
//   - A goroutine that has given its thread an alternate stack of its own (Catch2 does) is locked to the thread until it
//     takes it back: the kernel keeps one for each thread. A thread of ours is never without one.
//   - A longjmp that leaves segments of a stack gives them up as the returns would have.
//
// What runs on a stack that the runtime does not know (swapcontext, coroutines) needs nothing here: its prologues pass
// (asm/morestack_amd64.S), and it is not preempted (diag/preempt.cpp).
#include <setjmp.h>
#include <signal.h>

#include "runtime/cgo/cgo.h"
#include "runtime/cgo/next.h"

namespace runtime {

const char cgo::stackCalls = 0;

namespace {

bool isGoroutine() {
  const g* gp = getg();
  return gp != nullptr && gp->m != nullptr && gp == gp->m->curg;
}

// glibc's jmp_buf: SP is the seventh word, made unreadable by the thread's secret and a rotation.
uintptr targetOf(const __jmp_buf_tag* env) {
  constexpr int kSP = 6, kRotate = 17;
  uintptr sp = static_cast<uintptr>(env->__jmpbuf[kSP]), secret;
  __asm__("movq %%fs:0x30, %0" : "=r"(secret));
  return (sp >> kRotate | sp << (64 - kRotate)) ^ secret;
}

void leaveSegments(uintptr sp) {
  g* gp = getg();
  if (!isGoroutine() || gp->segs == nullptr) return;
  auto on = [sp](uintptr lo, uintptr hi) { return sp - lo < hi - lo; };
  // To a stack that is none of the goroutine's own nothing is given up.
  bool own = on(gp->stackbase, gp->stackslot_hi);
  for (const stackseg* s = gp->segs; s != nullptr; s = s->outer) own = own || on(s->base, s->base + s->len);
  if (!own) return;
  bool moved = false;
  while (gp->segs != nullptr && !on(gp->segs->base, gp->segs->base + gp->segs->len)) {
    stackseg* s = gp->segs;
    gp->stack = s->outerstack;
    gp->segnext = s;
    gp->segs = s->outer;
    moved = true;
  }
  if (!moved) return;
  gp->stackguard0 = gp->preempt ? stackPreempt : gp->stack.lo + StackGuard;
  if (getguard() != 0) setguard(gp->stackguard0);
}

using jump = void (*)(__jmp_buf_tag*, int);
[[noreturn]] void jumpBy(const char* name, __jmp_buf_tag* env, int value) {
  leaveSegments(targetOf(env));
  reinterpret_cast<jump>(cgo::nextDefinition(name))(env, value);
  __builtin_unreachable();
}

}  // namespace
}  // namespace runtime

using namespace runtime;

extern "C" {

int sigaction(int sig, const struct sigaction* act, struct sigaction* old) noexcept {
  if (act == nullptr || act->sa_handler == SIG_DFL || act->sa_handler == SIG_IGN) return NEXT(sigaction)(sig, act, old);
  struct sigaction ours = *act;
  ours.sa_flags |= SA_ONSTACK;
  return NEXT(sigaction)(sig, &ours, old);
}

sighandler_t signal(int sig, sighandler_t handler) noexcept {
  struct sigaction act {
  }, old;
  act.sa_handler = handler;
  act.sa_flags = SA_RESTART;
  sigaddset(&act.sa_mask, sig);
  return sigaction(sig, &act, &old) == 0 ? old.sa_handler : SIG_ERR;
}
sighandler_t bsd_signal(int sig, sighandler_t handler) noexcept __attribute__((alias("signal")));
sighandler_t ssignal(int sig, sighandler_t handler) noexcept __attribute__((alias("signal")));

int sigaltstack(const stack_t* ss, stack_t* old) noexcept {
  g* gp = getg();
  if (ss == nullptr || !isGoroutine()) return NEXT(sigaltstack)(ss, old);
  const runtime::stack& mine = gp->m->gsignal->stack;
  stack_t ours{reinterpret_cast<void*>(mine.lo), 0, mine.hi - mine.lo}, before;
  if ((ss->ss_flags & SS_DISABLE) != 0) ss = &ours;
  int r = NEXT(sigaltstack)(ss, &before);
  if (r != 0) return r;
  if (old != nullptr) *old = before;
  bool was = before.ss_sp == ours.ss_sp, is = ss->ss_sp == ours.ss_sp;
  if (was && !is) LockOSThread();
  if (!was && is) UnlockOSThread();
  return 0;
}

void longjmp(__jmp_buf_tag* env, int value) noexcept { jumpBy("longjmp", env, value); }
void _longjmp(__jmp_buf_tag* env, int value) noexcept { jumpBy("_longjmp", env, value); }
void siglongjmp(__jmp_buf_tag* env, int value) noexcept { jumpBy("siglongjmp", env, value); }
// This one takes a jump to a lower address for a mistake, and an outer segment may lie lower.
void __longjmp_chk(__jmp_buf_tag* env, int value) noexcept __attribute__((noreturn));
void __longjmp_chk(__jmp_buf_tag* env, int value) noexcept { jumpBy("longjmp", env, value); }

}  // extern "C"

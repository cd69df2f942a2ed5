// User code without a P: what boot::blocking calls. (Go's cgocall and cgocallback.)
//
// Owns: m.foreign and its protocol with the collector, and how such code gets a P back for a call that needs one.
//
// The goroutine is in a system call as far as the scheduler is concerned (_Gsyscall), but the thread runs user text: it
// writes to the heap, and its frames and registers hold pointers. So while the collector reads with the world stopped
// it must stand still as well, and be seen. m.foreign says where it is:
//
//   foreignNot      not in boot::blocking, or with a P
//   foreignRuns     in user text, or in runtime text that needs no P. g.syscallsp is where blocking was called. The collector sends
//                   the preemption signal; the handler waits
//   foreignStopped  in that handler. g.syscallsp is where user text was stopped, registers are on the signal stack, from m.foreignregs on
//   foreignCalls    in a call to the kernel from inside, or about to wait: g.syscallsp and g.sysregs as in any system call
//
// Who goes to foreignRuns looks at foreignStop afterwards; the collector sets foreignStop and looks at m.foreign
// afterwards. So one of them sees the other.
//
// A call that needs a P (a channel, a timer, a lock of boot::sync) gets one by foreignCall and gives it back. The goroutine stays on its
// thread meanwhile, for f may be in the midst of something that is the thread's. How such calls know: prologue checks are off in f
// (guard 0, since the stack must not grow), and with a P the guard is never 0.
#include "runtime/os/os_linux.h"
#include "runtime/sched/proc.h"

namespace runtime {

std::uint32_t foreignCount, foreignStop;

namespace {

// From foreignCalls or foreignNot to foreignRuns; waits while the collector reads.
void run(g* gp, m* mp) {
  for (;;) {
    atomic::Store(&mp->foreign, std::uint32_t{foreignRuns});
    if (LIKELY(atomic::Load(&foreignStop) == 0)) break;
    atomic::Store(&mp->foreign, std::uint32_t{foreignCalls});
    futexsleep(&foreignStop, 1, -1);
  }
  gp->syscallpc = mp->foreignpc;
  atomic::Store(&gp->syscallsp, mp->foreignsp);
  setguard(0);
}

}  // namespace

bool foreignHere() {
  g* gp = getg();
  return gp != nullptr && gp->m->foreign == foreignRuns;
}

// All of our caller's registers are in its frame, which the collector reads.
#define REGISTERS_TO_FRAME() __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory")

void foreignBegin() {
  g* gp = getg();
  m* mp = gp->m;
  hooks.foreignCall = foreignCall;
  mp->foreignsp = gp->syscallsp;
  mp->foreignpc = gp->syscallpc;
  atomic::Xadd(&foreignCount, 1u);
  run(gp, mp);
}

void foreignEnd() {
  m* mp = getg()->m;
  if (mp->foreign != foreignRuns) throw_("boot::blocking: ends in another state than it began in");
  atomic::Store(&mp->foreign, std::uint32_t{foreignNot});
  atomic::Xadd(&foreignCount, ~0u);
}

// entersyscall and exitsyscall in there: only the collector must know.
void foreignSyscall(uintptr pc, uintptr sp) {
  g* gp = getg();
  m* mp = gp->m;
  if (mp->foreign != foreignRuns) throw_("entersyscall without a P");
  gp->syscallpc = pc;
  atomic::Store(&gp->syscallsp, sp);
  atomic::Store(&mp->foreign, std::uint32_t{foreignCalls});
}
void foreignSyscallDone() { run(getg(), getg()->m); }

[[gnu::noinline]] void foreignCall(void (*f)(void*), void* arg) {
  REGISTERS_TO_FRAME();
  struct back {
    uintptr sp, pc;
    ~back() {
      entersyscall();
      m* mp = getg()->m;
      mp->foreignsp = sp;
      mp->foreignpc = pc;
      run(getg(), mp);
      unlockOSThread();
    }
  };
  m* mp = getg()->m;
  back b{mp->foreignsp, mp->foreignpc};
  lockOSThread();
  entersyscall();  // this frame is what the collector reads from, until we have a P
  atomic::Store(&mp->foreign, std::uint32_t{foreignNot});
  exitsyscall();
  f(arg);
}

// ---- the collector's side ----

// On a signal stack: gp was interrupted at sp. The handler's frames and what the kernel saved lie from frame on.
void foreignSignal(g* gp, uintptr sp, uintptr frame) {
  m* mp = gp->m;
  if (gp != mp->curg || atomic::Load(&foreignStop) == 0) return;
  // Locks are for others to wait for, so not while one is held; malloc's, the collector has itself.
  if (mp->locks != 0 && mp->mallocing == 0) return;
  uintptr old = gp->syscallsp;
  atomic::Store(&gp->syscallsp, (sp - 128) & ~uintptr{7});  // the red zone is in use
  mp->foreignregs = frame;
  do {
    atomic::Store(&mp->foreign, std::uint32_t{foreignStopped});
    while (atomic::Load(&foreignStop) != 0) futexsleep(&foreignStop, 1, -1);
    atomic::Store(&mp->foreign, std::uint32_t{foreignRuns});
  } while (atomic::Load(&foreignStop) != 0);
  atomic::Store(&gp->syscallsp, old);
  mp->foreignregs = 0;
}

void stopForeign() {
  atomic::Store(&foreignStop, 1u);
  if (LIKELY(atomic::Load(&foreignCount) == 0)) return;
  for (m* mp = atomic::Load(&allm); mp != nullptr; mp = mp->alllink)
    for (std::uint32_t i = 0; atomic::Load(&mp->foreign) == foreignRuns; i++) {
      if (i % 16 == 0) hooks.preemptM(mp);  // again and again, for it may not be able to stop at once
      if (i < 32)
        osyield();
      else
        usleep(20);
    }
}

void startForeign() {
  atomic::Store(&foreignStop, 0u);
  if (UNLIKELY(atomic::Load(&foreignCount) != 0)) futexwakeup(&foreignStop, ~0u >> 1);
}

}  // namespace runtime

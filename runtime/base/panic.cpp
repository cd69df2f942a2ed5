// throw and fatal, and the protocol of dying (panic.h).
//
// Invariants
//   - Nothing here allocates or takes a lock that code outside this file can hold.
//   - One M prints at a time (paniclk). A second one that crashes meanwhile waits, then prints too, so no report is cut
//     off by the exit of another; the last one done ends the process.
//   - An M that crashes while it prints never waits for itself: m.dying tells it how far it was.
#include "runtime/base/panic.h"

#include "runtime/base/atomic.h"
#include "runtime/base/hooks.h"
#include "runtime/base/print.h"
#include "runtime/base/syscall.h"

namespace runtime {

constinit bool crashOnFatal = false;

namespace {

// The printing right, a futex lock of its own: os's lock counts in m.locks, checks ranks and throws.
// 0 free, 1 taken, 2 taken and somebody may sleep.
constinit std::uint32_t paniclk = 0;
constinit std::uint32_t never = 0;

constexpr long kFutexWaitPrivate = 128, kFutexWakePrivate = 129;

void futexwait(std::uint32_t* addr, std::uint32_t val) {
  syscall6(SYS_futex, reinterpret_cast<long>(addr), kFutexWaitPrivate, val, 0);
}

void lockpanic() {
  std::uint32_t v = 0;
  if (__atomic_compare_exchange_n(&paniclk, &v, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  while (atomic::Xchg(&paniclk, 2) != 0) futexwait(&paniclk, 2);
}

void unlockpanic() {
  if (atomic::Xchg(&paniclk, 0) == 2) syscall6(SYS_futex, reinterpret_cast<long>(&paniclk), kFutexWakePrivate, 1);
}

[[noreturn]] void exitgroup(int code) {
  if (hooks.traceCrash != nullptr) hooks.traceCrash();
  exitGroup(code);
}

// The common end of throw and fatal. On g0 (or gsignal) where that is possible: tracebacks need more stack than a
// goroutine is sure to have.
[[noreturn, gnu::noinline, gnu::cold]] void fatalthrow(g* gp, uintptr pc, uintptr sp, uintptr bp) {
  auto die = [=] {
    if (secureMode) exitgroup(2);  // the text is all that may be told
    startpanic_m();
    if (hooks.fatalTraceback != nullptr) hooks.fatalTraceback(gp, pc, sp, bp);
    endpanic_m();
    if (crashOnFatal && hooks.crash != nullptr) hooks.crash();
    exitgroup(2);
  };
  // A switch that was interrupted half-way leaves a g that is none of the M's: then this stack has to do.
  if (gp == gp->m->curg) systemstack(die);
  die();
  __builtin_unreachable();
}

// The text goes out in one write, in front of everything else, even if all that follows fails.
void printfatal(const char* s) {
  if (getg() == nullptr) {  // a thread the runtime does not know
    printf("fatal error: {}\n", s);
    exitgroup(2);
  }
  printf("fatal error: {}\n", s);
}

void setthrowing(std::int32_t t) {
  g* gp = getg();
  if (gp != nullptr && gp->m->throwing == throwTypeNone) gp->m->throwing = t;
}

}  // namespace

// The traceback starts in throw itself, so these registers are taken here and not in the caller.
#define HERE(pc, sp, bp) \
  __asm__ volatile("leaq 1f(%%rip), %0\n1: movq %%rsp, %1\n\tmovq %%rbp, %2" : "=&r"(pc), "=&r"(sp), "=&r"(bp))

// Refused, the program could only go on for ever: it kills itself, and what does not even let it do that faults.
void exitGroup(int code) {
  long r = syscall6(SYS_exit_group, code);
  char text[64];
  writeErr(text, snprint(text, sizeof text, "runtime: exit_group failed, errno={}\n", -r));
  constexpr long kSigkill = 9;
  syscall6(SYS_kill, syscall6(SYS_getpid), kSigkill);
  __builtin_trap();
}

void syscallFailed(const char* name, long r) {
  printf("runtime: {} failed, errno={}\n", name, -r);
  throw_("system call failed");
}

void throw_(const char* s) {
  setthrowing(throwTypeRuntime);
  printfatal(s);
  uintptr pc, sp, bp;
  HERE(pc, sp, bp);
  fatalthrow(getg(), pc, sp, bp);
}

void fatal(const char* s) {
  setthrowing(throwTypeUser);
  printfatal(s);
  uintptr pc, sp, bp;
  HERE(pc, sp, bp);
  fatalthrow(getg(), pc, sp, bp);
}

// systemstack was called from a g that is neither the M's current one nor one of its own. Nothing that switches
// stacks can be trusted, so no traceback.
void badsystemstack() {
  static constexpr char text[] = "fatal: systemstack called from unexpected goroutine";
  writeErr(text, sizeof text - 1);
  abort();
}

LANDMARK bool startpanic_m() {
  m* mp = getg()->m;
  if (sched.maxmcount == 0) printf("runtime: panic before malloc heap initialized\n");
  // An allocation from here on is a bug of the crash path; mallocgc throws when it sees this.
  mp->mallocing++;
  // A lock count that is off may be what we die of; it must not make the rest of the way die again.
  if (mp->locks < 0) mp->locks = 1;

  switch (mp->dying) {
    case 0:
      mp->dying = 1;
      atomic::Xadd(&panicking, 1);
      lockpanic();
      if (hooks.schedtrace != nullptr) hooks.schedtrace(true);
      if (hooks.freezetheworld != nullptr) hooks.freezetheworld();
      return true;
    case 1:
      mp->dying = 2;
      printf("panic during panic\n");
      return false;
    case 2:
      mp->dying = 3;
      printf("stack trace unavailable\n");
      exitgroup(4);
    default:
      exitgroup(5);
  }
}

LANDMARK void endpanic_m() {
  unlockpanic();
  if (atomic::Xadd(&panicking, -1) != 0) {
    // Another M has something to print. It ends the process; this thread only must not run on.
    for (;;) futexwait(&never, 0);
  }
  if (hooks.traceCrash != nullptr) hooks.traceCrash();
}

}  // namespace runtime

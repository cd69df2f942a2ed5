// Stopping a goroutine that makes no calls: a signal to its thread, and a call injected where it was.
//
// Where it is safe: anywhere in user text. User code holds no lock of the runtime, its g is found through a register that
// is saved, and every register is saved. In runtime text (that includes the C++ library and the unwinder) it is not:
// there a lock may be held, or a switch may be half done. The linker keeps the two apart, so the test is two
// comparisons. A request that comes at the wrong moment leaves the guard poisoned, and the next prologue yields; sysmon
// also asks again after 10 ms.
//
// Way not taken: stopping in the handler itself. The signal stack belongs to the thread, and the goroutine must be free
// to go on on another.
#include "runtime/diag/signal_unix.h"

#include <cpuid.h>

#include "runtime/base/cpu.h"
#include "runtime/base/hooks.h"
#include "runtime/base/print.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"

namespace runtime {

// How SAVEXSTATE saves vectors: 0 FXSAVE, 1 XSAVE, 2 XSAVEC. init (the first preemption, or call by a debugger).
std::uint8_t preemptSave GOSYM("runtime.preemptSave");

// How often a signal has stopped a goroutine. atomic; for tests and for who looks with a debugger.
std::uint64_t asyncPreempts GOSYM("runtime.asyncPreempts");

extern "C++" {
extern const char runtimeText[] GOSYM("runtime.text") [[gnu::weak]];
extern const char runtimeEtext[] GOSYM("runtime.etext") [[gnu::weak]];
extern const char etextEnd[] GOSYM("etext");
void asyncPreempt() GOSYM("runtime.asyncPreempt");
}

// asyncPreempt saves some 3 KB, and the scheduler's way to g0 wants a little more.
static constexpr uintptr asyncPreemptStack = 6 * 1024;

// Not at the start: under a hypervisor each CPUID costs as much as ten system calls. Called with vector registers alive.
[[gnu::target("general-regs-only")]] void preemptinit() {
  if ((cpuidFeatures & bit_OSXSAVE) == 0 || cpuidMaxLeaf < 0xd) return;
  unsigned a, b, c, d;
  __cpuid_count(0xd, 1, a, b, c, d);
  // Not atomic::Store, which is compiled for vector registers and can't be inlined here.
  __atomic_store_n(&preemptSave, static_cast<std::uint8_t>((a & 2) != 0 ? 2 : 1), __ATOMIC_RELEASE);
}

bool isUserText(uintptr pc) {
  return runtimeEtext != nullptr && pc >= reinterpret_cast<uintptr>(runtimeEtext) &&
         pc < reinterpret_cast<uintptr>(etextEnd);
}

bool isRuntimeText(uintptr pc) {
  return pc >= reinterpret_cast<uintptr>(runtimeText) && pc < reinterpret_cast<uintptr>(runtimeEtext);
}

static bool wantAsyncPreempt(g* gp) { return gp->preempt && gp->stackguard0 == stackPreempt; }

static bool isAsyncSafePoint(g* gp, m* mp, uintptr pc, uintptr sp) {
  if (gp != mp->curg || readgstatus(gp) != _Grunning) return false;
  if (mp->locks != 0 || mp->mallocing != 0 || mp->preemptoff != nullptr || mp->dying != 0) return false;
  p* pp = mp->p;
  if (pp == nullptr || atomic::Load(&pp->status) != _Prunning) return false;
  uintptr lo = gp->stackbase != 0 ? gp->stack.lo - kStackSlack : gp->stack.lo;
  if (sp > gp->stack.hi || sp < lo || sp - lo < asyncPreemptStack) return false;
  return isUserText(pc);
}

void doSigPreempt(g* gp, ucontext* ctx) {
  m* mp = gp->m;
  if (wantAsyncPreempt(gp)) {
    sigcontext& c = ctx->mc;
    if (isAsyncSafePoint(gp, mp, c.rip, c.rsp)) {
      c.rsp -= 136;
      *reinterpret_cast<std::uint64_t*>(c.rsp) = c.rip;
      c.rip = reinterpret_cast<std::uint64_t>(&asyncPreempt);
      atomic::Xadd(&asyncPreempts, std::uint64_t{1});
    } else if (gp == mp->curg && mp->p != nullptr) {  // in a system call it holds up nobody, and its stack must stay
      setguard(stackPreempt);
    }
  }
  atomic::Xadd(&mp->preemptGen, 1u);
  atomic::Store(&mp->signalPending, 0u);
}

void preemptM(m* mp) {
  sigenablePreempt();
  if (!atomic::Cas(&mp->signalPending, 0u, 1u)) return;
  long r = tgkill(getpid(), static_cast<std::uint32_t>(mp->procid), sigPreempt);
  if (LIKELY(r >= 0)) return;
  atomic::Store(&mp->signalPending, 0u);
  constexpr long kEPERM = 1, kENOSYS = 38;
  // Refused by a filter. Prologue checks are left, which most code passes often enough.
  if (r != -kEPERM && r != -kENOSYS) return;
  static constexpr char kText[] = "runtime: tgkill refused: goroutines that make no calls cannot be preempted\n";
  if (atomic::Xchg(&debug.asyncpreemptoff, 1) == 0) writeErr(kText, sizeof kText - 1);
}

// Called by asyncPreempt, on the goroutine.
void asyncPreempt2() GOSYM("runtime.asyncPreempt2");
LANDMARK void asyncPreempt2() { mcall(gopreempt_m); }

}  // namespace runtime

// The runtime's side of a debugger's calls; see debugcall.h.
//
// Invariants
//   - The goroutine that was stopped is _Gwaiting while the call runs, and is resumed by the call's goroutine at its
//     end, on whatever M that is by then.
//   - Nothing here runs user code on the stopped goroutine's stack, which may be nearly used up.
#include "runtime/diag/debugcall.h"

#include "runtime/base/panic.h"
#include "runtime/diag/symtab.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

constexpr debugCallReason kSystemStack = {"executing on Go runtime stack", 29};
constexpr debugCallReason kUnknownFunc = {"call from unknown function", 26};
constexpr debugCallReason kRuntime = {"call from within the Go runtime", 31};
constexpr debugCallReason kUnsafePoint = {"call not at safe point", 22};

extern const char runtimeText[] __asm__("runtime.text");  // asm/text.ld: from here to there it is not the user's code
extern const char runtimeEtext[] __asm__("runtime.etext");
extern const char callFrames[] __asm__("runtime.debugCallFrames");
extern const char callFramesEnd[] __asm__("runtime.debugCallFramesEnd");
extern const char executableStart[] __asm__("__executable_start");
extern const char etext[] __asm__("etext");

bool within(uintptr pc, const char* lo, const char* hi) {
  return pc >= reinterpret_cast<uintptr>(lo) && pc < reinterpret_cast<uintptr>(hi);
}

// A function of ours or the user's. Without the table of functions (a program linked without it) the text's bounds
// have to do.
bool known(uintptr pc) {
  if (findfunc(reinterpret_cast<uintptr>(&debugCallV2)).name != nullptr) return findfunc(pc).name != nullptr;
  return within(pc, executableStart, etext);
}

struct call {
  void (*dispatch)();
  g* caller;
};

// Ends the call: the caller goes on at once, this goroutine some time later.
void resumeCaller(g* gp) {
  g* caller = static_cast<g*>(gp->param);
  gp->param = nullptr;
  if (gp->lockedm != nullptr) {
    // The M goes back to the caller, which takes it in debugCallWrap.
    gp->lockedm = nullptr;
    gp->m->lockedg = nullptr;
  }
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSched, gp, 0);
  casgstatus(gp, _Grunning, _Grunnable);
  dropg();
  lock(&sched.lock);
  globrunqput(gp);
  unlock(&sched.lock);
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoUnblock, caller, static_cast<uintptr>(gp->goid));
  casgstatus(caller, _Gwaiting, _Grunnable);
  execute(caller, true);
}

void endCall() { mcall(resumeCaller); }

// The call's goroutine. data is the block that newproc1 made room for.
void debugCallWrap1(void* data) {
  call c = *static_cast<call*>(data);
  getg()->param = c.caller;
  debugCallWrap2(c.dispatch, endCall);
  endCall();
}

}  // namespace

LANDMARK debugCallReason debugCallCheck(uintptr pc, uintptr sp) {
  g* gp = getg();
  if (gp == nullptr || gp->m == nullptr || gp != gp->m->curg) return kSystemStack;
  if (!(gp->stack.lo < sp && sp <= gp->stack.hi)) return kSystemStack;
  // A call's own first frame is as safe as can be: a debugger may make calls within calls.
  if (within(pc, callFrames, callFramesEnd)) return {};
  if (!known(pc)) return kUnknownFunc;
  if (within(pc, runtimeText, runtimeEtext)) return kRuntime;
  // The user's code, but called by the runtime in the middle of something: an element's move under a channel's lock, or
  // a hook of the allocator. Parking here would leave that something half done for others to see.
  m* mp = gp->m;
  if (mp->locks != 0 || mp->mallocing != 0 || mp->preemptoff != nullptr || mp->p == nullptr ||
      readgstatus(gp) != _Grunning)
    return kUnsafePoint;
  return {};
}

LANDMARK void debugCallWrap(void (*dispatch)(), uintptr pc) {
  g* gp = getg();
  std::uint32_t lockedExt = 0;
  bool lockedm = false;
  systemstack([&] {
    g* newg = newproc1(debugCallWrap1, sizeof(call), alignof(call), gp, pc);
    *static_cast<call*>(newg->sched.ctxt) = {dispatch, gp};
    casgstatus(newg, _Gdead, _Grunnable);
    if (gp->lockedm != nullptr) {
      // What is called belongs on this thread as much as the goroutine itself. The user's lock count is out of its
      // reach meanwhile.
      m* mp = gp->m;
      if (mp != gp->lockedm) throw_("inconsistent lockedm");
      lockedm = true;
      lockedExt = mp->lockedExt;
      mp->lockedInt++;
      mp->lockedExt = 0;
      mp->lockedg = newg;
      newg->lockedm = mp;
      gp->lockedm = nullptr;
    }
    gp->schedlink = newg;  // mcall's function takes nothing else along
  });

  mcall([](g* parked) {
    g* newg = parked->schedlink;
    parked->schedlink = nullptr;
    parked->waitreason = waitReasonDebugCall;
    if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoPark, parked, parked->waitreason);
    casgstatus(parked, _Grunning, _Gwaiting);
    dropg();
    // Not by way of the scheduler: the debugger expects its next trap from this very goroutine.
    execute(newg, true);
  });

  // The call is over.
  if (lockedm) {
    m* mp = gp->m;
    mp->lockedExt = lockedExt;
    mp->lockedInt--;
    mp->lockedg = gp;
    gp->lockedm = mp;
  }
}

}  // namespace runtime

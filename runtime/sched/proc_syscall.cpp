// System calls: giving up the P, or lending it, while the kernel may block. (Go's proc.go, entersyscall … exitsyscall.)
//
// The fast path keeps the P at hand: entersyscall marks it _Psyscall and goes; if nobody took it meanwhile, exitsyscall
// takes it back with one compare-and-swap. Only sysmon's retake (after 20 µs and more) or a stop of the world takes it.
// entersyscallblock is for calls known to block: it hands the P over at once.
//
// Invariants
//   - Between entersyscall and exitsyscall the goroutine is _Gsyscall, its stack does not change below syscallsp, and
//     nothing may grow it or park.
//   - p.syscalltick changes whenever somebody takes the P away, so that m.syscalltick shows it.
#include "runtime/sched/proc.h"

namespace runtime {

// Where the running goroutine (or g0, in mstart1) is, for tracebacks and for coming back by gogo.
LANDMARK void save(uintptr pc, uintptr sp, uintptr bp) {
  g* gp = getg();
  gp->sched.pc = pc;
  gp->sched.sp = sp;
  gp->sched.bp = bp;
  gp->sched.ret = 0;
}

static void reentersyscall(uintptr pc, uintptr sp, uintptr bp) GOSYM("runtime.reentersyscall");
LANDMARK void reentersyscall(uintptr pc, uintptr sp, uintptr bp) {
  g* gp = getg();
  m* mp = gp->m;
  if (UNLIKELY(mp->p == nullptr)) return foreignSyscall(pc, sp);
  mp->locks++;
  save(pc, sp, bp);
  gp->syscallsp = sp;
  gp->syscallpc = pc;
  casgstatus(gp, _Grunning, _Gsyscall);
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSysCall, gp, 0);
  if (UNLIKELY(atomic::Load(&sched.sysmonwait) != 0)) {
    // sysmon sleeps because all were idle; somebody must be able to take our P.
    systemstack([] {
      lock(&sched.lock);
      wakeSysmon();
      unlock(&sched.lock);
    });
    save(pc, sp, bp);
  }
  p* pp = mp->p;
  mp->syscalltick = pp->syscalltick;
  pp->m = nullptr;
  mp->oldp = pp;
  mp->p = nullptr;
  atomic::Store(&pp->status, static_cast<std::uint32_t>(_Psyscall));
  if (UNLIKELY(atomic::Load(&sched.gcwaiting) != 0)) {
    systemstack([] {
      p* old = getg()->m->oldp;
      lock(&sched.lock);
      if (sched.stopwait > 0 &&
          atomic::Cas(&old->status, static_cast<std::uint32_t>(_Psyscall), static_cast<std::uint32_t>(_Pgcstop))) {
        old->syscalltick++;
        if (--sched.stopwait == 0) notewakeup(&sched.stopnote);
      }
      unlock(&sched.lock);
    });
    save(pc, sp, bp);
  }
  mp->locks--;
}

// The registers that a function must preserve may hold the only pointer to an object, and while the thread is in the
// kernel they are in no memory: the collector finds them in g.sysregs. Hence naked, for no prologue may touch them.
#define SAVE_REGISTERS(next)        \
  __asm__(                          \
      "movq %%fs:-8, %%rax\n"       \
      "movq %%rbx, %c0(%%rax)\n"    \
      "movq %%r12, %c0+8(%%rax)\n"  \
      "movq %%r13, %c0+16(%%rax)\n" \
      "movq %%r14, %c0+24(%%rax)\n" \
      "movq %%r15, %c0+32(%%rax)\n" \
      "jmp " next ::"i"(offsetof(g, sysregs)))

static void entersyscall1() GOSYM("runtime.entersyscall1");
[[gnu::used]] LANDMARK void entersyscall1() {
  reentersyscall(getcallerpc(), getcallersp(), *static_cast<uintptr*>(__builtin_frame_address(0)));
}

[[gnu::naked]] LANDMARK void entersyscall() { SAVE_REGISTERS("runtime.entersyscall1"); }
[[gnu::naked]] LANDMARK void entersyscallblock() { SAVE_REGISTERS("runtime.entersyscallblock1"); }

static void entersyscallblock1() GOSYM("runtime.entersyscallblock1");
[[gnu::used]] LANDMARK void entersyscallblock1() {
  uintptr pc = getcallerpc(), sp = getcallersp(), bp = *static_cast<uintptr*>(__builtin_frame_address(0));
  g* gp = getg();
  m* mp = gp->m;
  if (UNLIKELY(mp->p == nullptr)) return foreignSyscall(pc, sp);
  mp->locks++;
  mp->syscalltick = mp->p->syscalltick;
  mp->p->syscalltick++;
  save(pc, sp, bp);
  gp->syscallsp = sp;
  gp->syscallpc = pc;
  casgstatus(gp, _Grunning, _Gsyscall);
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSysCall, gp, 1);
  systemstack([] { handoffp(releasep()); });
  save(pc, sp, bp);
  mp->locks--;
}

// Takes a P without scheduling: the old one if it is still ours, else an idle one.
static bool exitsyscallfast(p* oldp) {
  m* mp = getg()->m;
  if (LIKELY(oldp != nullptr && oldp->status == _Psyscall &&
             atomic::Cas(&oldp->status, static_cast<std::uint32_t>(_Psyscall), static_cast<std::uint32_t>(_Pidle)))) {
    wirep(oldp);
    // Somebody may have taken and given it back in between; the tick shows it and sysmon shall not mistake the new
    // call for the old one.
    mp->p->syscalltick++;
    return true;
  }
  if (sched.pidle == nullptr) return false;
  bool ok = false;
  systemstack([&] {
    lock(&sched.lock);
    p* pp = pidleget();
    unlock(&sched.lock);
    if (pp != nullptr) {
      acquirep(pp);
      ok = true;
    }
  });
  return ok;
}

// On g0, no P to be had: queue the goroutine and let the thread wait.
static void exitsyscall0(g* gp) GOSYM("runtime.exitsyscall0");
LANDMARK void exitsyscall0(g* gp) {
  casgstatus(gp, _Gsyscall, _Grunnable);
  dropg();
  lock(&sched.lock);
  p* pp = pidleget();
  bool locked = false;
  if (pp == nullptr) {
    globrunqput(gp);
    // Read before the unlock: once it is in the queue another M may run gp and end it.
    locked = gp->lockedm != nullptr;
  }
  unlock(&sched.lock);
  if (pp != nullptr) {
    acquirep(pp);
    execute(gp, false);
  }
  if (locked) {
    stoplockedm();  // somebody else schedules gp and hands it over
    execute(gp, false);
  }
  stopm();
  schedule();
}

LANDMARK void exitsyscall() {
  g* gp = getg();
  m* mp = gp->m;
  if (UNLIKELY(mp->foreign == foreignCalls)) return foreignSyscallDone();
  mp->locks++;
  gp->waitsince = 0;
  p* oldp = mp->oldp;
  mp->oldp = nullptr;
  if (LIKELY(exitsyscallfast(oldp))) {
    if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoSysExit, gp, 0);
    gp->syscallsp = 0;
    casgstatus(gp, _Gsyscall, _Grunning);
    mp->locks--;
    if (UNLIKELY(gp->preempt)) {
      gp->stackguard0 = stackPreempt;  // put off while we held the lock
    } else {
      gp->stackguard0 = gp->stack.lo + StackGuard;
    }
    setguard(gp->stackguard0);
    return;
  }
  mp->locks--;
  mcall(exitsyscall0);
  // Scheduled again, perhaps on another M.
  gp->syscallsp = 0;
  p* pp = getg()->m->p;
  pp->syscalltick++;
}

// Sleeps on a note from a goroutine, without its P.
LANDMARK bool notetsleepg(note* n, std::int64_t ns) {
  g* gp = getg();
  if (gp == gp->m->g0) throw_("notetsleepg on g0");
  entersyscallblock();
  bool ok;
  systemstack([&] { ok = notetsleep(n, ns); });
  exitsyscall();
  return ok;
}

}  // namespace runtime

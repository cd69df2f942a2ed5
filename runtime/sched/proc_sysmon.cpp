// sysmon, the thread that watches without a P, and checkdead, which notices that nothing can ever run again.
// (Go's proc.go, sysmon, retake, checkdead.)
//
// sysmon sleeps 20 µs at first; after a millisecond without anything to do it doubles the sleep up to 10 ms, and when all
// Ps are idle or the world is stopped it sleeps until it is called. In each round it polls the network if nobody has for
// 10 ms, takes Ps from Ms that are stuck in system calls, and asks goroutines that ran for 10 ms to make room.
//
// Ran, not merely had the P: on a busy machine 10 ms pass while the kernel runs other programs, and a goroutine that is
// stopped then has had nothing of its time slice. Go 1.19 counts only the clock, so there the order of goroutines that
// run for microseconds depends on the machine's load. Here the thread must have used some processor time as well.
#include "runtime/sched/proc.h"

#include "runtime/base/bootstep.h"
#include "runtime/os/netpoll.h"

namespace runtime {

namespace {
constexpr std::int64_t kLeastCPU = 8 * 1000 * 1000;  // of a time slice: what of it the thread must have run, in ns

// A signal stops a goroutine only in user code. One that is mostly in the runtime's or the library's functions must be
// asked several times until it is caught outside: so after a request sysmon looks again soon, but not for ever.
constexpr std::uint32_t kInsistRounds = 20;
constexpr std::uint32_t kInsistDelay = 100;  // µs
bool asked;                                  // sysmon only: retake has asked somebody to stop
bool slow;                                   // sysmon only: the next round comes after a millisecond or more
bool rested;                                 // sysmon only: all were idle before this round, no slice is older than it
}  // namespace

std::int64_t forcePreemptNS = 10 * 1000 * 1000;

// Nothing runs, nothing can: says so. sched.lock is held.
LANDMARK void checkdead() {
  assertLockHeld(&sched.lock);
  // While a crash is under way Ms stop in odd places.
  if (atomic::Load(&panicking) > 0) return;
  std::int32_t run = mcount() - sched.nmidle - sched.nmidlelocked - sched.nmsys;
  if (run > 0) return;
  if (run < 0) {
    printf("runtime: checkdead: nmidle={} nmidlelocked={} mcount={} nmsys={}\n", sched.nmidle, sched.nmidlelocked,
           mcount(), sched.nmsys);
    unlock(&sched.lock);
    throw_("checkdead: inconsistent counts");
  }
  std::int32_t waiting = 0;
  g* runnable = nullptr;
  // Not forEachG: allglock may be held by a goroutine that will never run again, and nobody adds to allgs now.
  auto n = atomic::Load(&allglen);
  g** gs = atomic::Load(&allgptr);
  for (std::uint64_t i = 0; i < n; i++) {
    g* gp = gs[i];
    if (gp->isSystem) continue;
    switch (readgstatus(gp)) {
      case _Gwaiting:
      case _Gpreempted:
        waiting++;
        break;
      case _Grunnable:
      case _Grunning:
      case _Gsyscall:
        runnable = gp;
        break;
      default:
        break;
    }
  }
  if (runnable != nullptr) {
    printf("runtime: checkdead: find g {} in status {}\n", runnable->goid, readgstatus(runnable));
    unlock(&sched.lock);
    throw_("checkdead: runnable g");
  }
  if (waiting == 0) {
    // Possible if main called Goexit and all others have ended.
    unlock(&sched.lock);
    fatal("no goroutines (main called runtime.Goexit) - deadlock!");
  }
  for (std::int64_t i = 0; i < allp.len; i++)
    if (atomic::Load(&allp.array[i]->numTimers) != 0) return;  // a timer will wake somebody
  unlock(&sched.lock);                                         // schedtrace, run by a crash, takes it
  if (debug.deadlockgraph > 0 && hooks.deadlockGraph != nullptr) hooks.deadlockGraph();
  getg()->m->throwing = -1;  // the thread that notices has nothing to show
  fatal("all goroutines are asleep - deadlock!");
}

// Go's incidlelocked.
static void countIdleLocked(std::int32_t v) {
  lock(&sched.lock);
  sched.nmidlelocked += v;
  if (v > 0) checkdead();
  unlock(&sched.lock);
}

// The processor time that the thread running pp has used; -1, and *tid 0, if there is none.
static std::int64_t threadCPU(p* pp, std::uint64_t* tid) {
  m* mp = atomic::Load(&pp->m);
  *tid = mp == nullptr ? 0 : atomic::LoadRelaxed(&mp->procid);
  return mp == nullptr ? -1 : threadCPUtime(*tid);
}

static void sampleCPU(p* pp, sysmontick* pd) {
  pd->schedcpu = threadCPU(pp, &pd->schedtid);
  pd->schedcpuall = processCPUtime();
}

// Whether a time slice that is old enough has been used, and not merely waited away.
static bool usedUp(p* pp, const sysmontick* pd) {
  std::uint64_t tid;
  std::int64_t cpu = threadCPU(pp, &tid);
  if (tid != 0 && tid == pd->schedtid) return cpu < 0 || cpu - pd->schedcpu >= kLeastCPU;
  // Not one thread's slice: goroutines inherit it from each other and each takes its thread along when it ends. Then the
  // program as a whole tells.
  cpu = processCPUtime();
  return cpu < 0 || cpu - pd->schedcpuall >= kLeastCPU;
}

// Asks the goroutine on pp, whose status is s, to make room if its time slice is over. True if the P has been in the same
// slice for that long, used or not.
static bool watchSlice(p* pp, std::uint32_t s, std::int64_t now) {
  sysmontick* pd = &pp->sysmontick;
  std::uint32_t t = atomic::LoadRelaxed(&pp->schedtick);
  // An idle P with work is on the way from one M to another, in the same slice. One without has none.
  bool idle = s == _Pidle && runqempty(pp);
  if (s != _Prunning && s != _Psyscall && s != _Pidle) return false;
  if (pd->schedtick != t || idle || rested) {
    pd->schedtick = t;
    pd->schedwhen = now;
    // A system call or two, which quick rounds save themselves: mostly the tick is another one the next time.
    pd->schedcpuall = -1;
    if (slow && !idle) sampleCPU(pp, pd);
    return false;
  }
  if (pd->schedcpuall < 0) sampleCPU(pp, pd);
  if (pd->schedwhen + forcePreemptNS > now) return false;
  if (usedUp(pp, pd)) {
    atomic::Store(&pp->sliceover, t + 1);
    if (preemptone(pp)) asked = true;
  }
  return true;
}

// Takes Ps from Ms in long system calls, and asks for Ps from goroutines that ran too long; returns how many it took.
LANDMARK std::uint32_t retake(std::int64_t now) {
  std::uint32_t n = 0;
  asked = false;
  lock(&allpLock);  // procresize waits: allp does not change under us
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* pp = allp.array[i];
    if (pp == nullptr) continue;  // procresize has made room and not filled it yet
    sysmontick* pd = &pp->sysmontick;
    std::uint32_t s = atomic::Load(&pp->status);
    bool sysretake = watchSlice(pp, s, now);  // in a system call nobody can be asked: there is no M
    if (s != _Psyscall) continue;
    std::uint32_t t = atomic::LoadRelaxed(&pp->syscalltick);
    if (!sysretake && pd->syscalltick != t) {
      pd->syscalltick = t;
      pd->syscallwhen = now;
      continue;  // one full round at least
    }
    // No work, and others spin or are idle: leave it, but not for ever, so that sysmon itself can go to sleep.
    if (runqempty(pp) && atomic::Load(&sched.nmspinning) + atomic::Load(&sched.npidle) > 0 &&
        pd->syscallwhen + forcePreemptNS > now)
      continue;
    unlock(&allpLock);
    // Between the compare-and-swap and the start of another M nobody seems to run; count one M less as idle, or
    // checkdead on another thread would report a deadlock.
    countIdleLocked(-1);
    if (atomic::Cas(&pp->status, s, static_cast<std::uint32_t>(_Pidle))) {
      if (UNLIKELY(hooks.traceEvent != nullptr))
        hooks.traceEvent(traceEvSysRetake, nullptr, static_cast<uintptr>(pp->id));
      n++;
      pp->syscalltick++;
      handoffp(pp);
    }
    countIdleLocked(1);
    lock(&allpLock);
  }
  unlock(&allpLock);
  rested = false;
  return n;
}

LANDMARK void sysmon() {
  lock(&sched.lock);
  sched.nmsys++;
  checkdead();
  unlock(&sched.lock);
  BOOTSTEP("runtime.sysmon", "mid", getg()->m->id);

  std::int64_t lasttrace = 0;
  std::uint32_t idle = 0;   // rounds in a row without anything to do
  std::uint32_t delay = 0;  // µs
  std::uint32_t insisted = 0;
  for (;;) {
    if (idle == 0)
      delay = 20;
    else if (idle > 50)
      delay *= 2;
    if (delay > 10 * 1000) delay = 10 * 1000;
    slow = delay >= 1000;
    if (asked && delay > kInsistDelay && insisted < kInsistRounds) {
      insisted++;
      usleep(kInsistDelay);
    } else {
      insisted = 0;
      usleep(delay);
    }

    std::int64_t now = nanotime();
    if (debug.schedtrace <= 0 && (atomic::Load(&sched.gcwaiting) != 0 ||
                                  atomic::Load(&sched.npidle) == static_cast<std::uint32_t>(gomaxprocs))) {
      lock(&sched.lock);
      if (atomic::Load(&sched.gcwaiting) != 0 ||
          atomic::Load(&sched.npidle) == static_cast<std::uint32_t>(gomaxprocs)) {
        bool woken = false;
        std::int64_t next = timeSleepUntil();
        if (next == 0 || next > now) {
          atomic::Store(&sched.sysmonwait, 1u);
          rested = atomic::Load(&sched.gcwaiting) == 0;  // a slice goes on after a stop of the world
          unlock(&sched.lock);
          // Half of what the collector counts as a forced period at most, so that it is noticed in time.
          std::int64_t sleep = 60LL * 1000 * 1000 * 1000;
          if (next != 0 && next - now < sleep) sleep = next - now;
          woken = notetsleep(&sched.sysmonnote, sleep);
          lock(&sched.lock);
          atomic::Store(&sched.sysmonwait, 0u);
          noteclear(&sched.sysmonnote);
        }
        if (woken) {
          idle = 0;
          delay = 20;
        }
      }
      unlock(&sched.lock);
    }

    lock(&sched.sysmonlock);
    now = nanotime();
    std::int64_t lastpoll = atomic::Load(&sched.lastpoll);
    if (atomic::Load(&netpollWaiters) > 0 && lastpoll != 0 && lastpoll + 10 * 1000 * 1000 < now) {
      atomic::Cas(&sched.lastpoll, lastpoll, now);
      gList list = netpoll(0);
      if (list.head != nullptr) {
        // As in retake: between taking the goroutines and starting Ms for them nobody may seem to run.
        countIdleLocked(-1);
        injectglist(&list);
        countIdleLocked(1);
      }
    }
    if (retake(now) != 0)
      idle = 0;
    else
      idle++;
    if (hooks.sysmonTick != nullptr) hooks.sysmonTick(now);
    if (debug.schedtrace > 0 && lasttrace + std::int64_t{debug.schedtrace} * 1000000 <= now) {
      lasttrace = now;
      if (hooks.schedtrace != nullptr) hooks.schedtrace(debug.scheddetail > 0);
    }
    unlock(&sched.sysmonlock);
  }
}

}  // namespace runtime

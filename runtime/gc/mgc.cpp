// The cycle, and the goroutines around it. (Go's mgc.go.) mgcwork.h has the overview.
//
// While the heap is small a cycle runs on the goroutine that allocates past the goal, on its g0. The other Ps are woken
// one by one, each to run its own gcBgMarkWorker and to stop again; so the marking has the whole machine, and the
// scheduler's rules hold: a P runs or is stopped. A very small heap is marked by one P alone, for waking another takes
// longer. A large one is marked beside the program (mgcconc.cpp).
//
// Registers. A goroutine that is not running has its registers on its stack: switches go through mcall, whose caller
// saves what is live, or through asyncPreempt, which saves everything. In a system call they are in g.sysregs. The
// goroutine that collects has saved them in gcStart's frame.
#pragma GCC optimize("Os")
#include "runtime/base/bootstep.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/malloc.h"
#include "runtime/sched/proc_m.h"
#include "runtime/sync/chan.h"

namespace runtime {

bool gcEnabled;
std::int64_t lastGC;
std::int64_t forcegcperiod = 120ll * 1000 * 1000 * 1000;

namespace {

constexpr std::uint64_t kParallelFrom = 1 << 20;  // bytes to be read for which another P is worth waking
constexpr std::int64_t kStackPeriod = 100 * 1000 * 1000;

const elemtype intType = {8, 8, nullptr, nullptr, true};
hchan* gcenablec;

struct {
  mutex lock{0, lockRankForcegc};
  g* gp;
  bool idle;  // lock
} forcegc GOSYM("runtime.forcegc") = {};

void systemGoroutine() {
  getg()->isSystem = true;
  atomic::Xadd(&sched.ngsys, 1u);
}

bool forcegcParked(g*, void*) {
  forcegc.idle = true;
  unlock(&forcegc.lock);
  return true;
}

// Each round of sysmon.
void sysmonTick(std::int64_t now) {
  if (gcEnabled && gcTriggerTest(gcTriggerTime, 0)) {
    lock(&forcegc.lock);
    bool wake = forcegc.idle;
    forcegc.idle = false;
    unlock(&forcegc.lock);
    if (wake) {
      gList list{nullptr};
      forcegc.gp->schedlink = nullptr;
      glpush(&list, forcegc.gp);
      injectglist(&list);
    }
  }
  if (gcEnabled) wakeScavenger(now);
}

}  // namespace

// ---- marking on the other Ps ----

LANDMARK void gcBgMarkWorker(void*) {
  for (;;) {
    std::int64_t begin = nanotime();
    gcWork w;
    gcWorkInit(&w);
    gcDrain(&w);
    gcWorkDispose(&w);
    atomic::Xadd(&work.idleTime, nanotime() - begin);
    gopark(nullptr, nullptr, waitReasonGCWorkerIdle);
  }
}

// For a P that was woken to mark: its worker. Null: it shall stop again.
static g* gcControllerFindRunnableGCWorker(p* pp, std::int64_t)
    GOSYM("\"runtime.(*gcControllerState).findRunnableGCWorker\"");
HEAPMARK g* gcControllerFindRunnableGCWorker(p* pp, std::int64_t now) {
  if (pp->gcMarkWorkerMode == 0) return concLinked() ? concFindWorker(now) : nullptr;
  pp->gcMarkWorkerMode = 0;
  g* gp = work.workers[pp->id];
  casgstatus(gp, readgstatus(gp), _Grunnable);
  return gp;
}

// Makes the workers of n Ps. World running.
static void gcBgMarkStartWorkers(std::int32_t n) GOSYM("runtime.gcBgMarkStartWorkers");
LANDMARK void gcBgMarkStartWorkers(std::int32_t n) {
  for (std::int32_t i = 0; i < n; i++) {
    if (work.workers[i] != nullptr) continue;
    void* data;
    g* gp = newproc_begin(gcBgMarkWorker, 0, 16, getcallerpc(), &data);
    gp->isSystem = true;
    atomic::Xadd(&sched.ngsys, 1u);
    work.workers[i] = gp;  // _Gdead until its P takes it up
  }
}

std::int32_t maxMarkers() {
  std::int32_t n = gomaxprocs < ncpu ? gomaxprocs : ncpu;
  return n < 64 ? n : 64;
}

// Marks everything that can be reached. World stopped, on g0.
static void gcMark() GOSYM("runtime.gcMark");
LANDMARK void gcMark() {
  gcMarkRootPrepare();
  std::int32_t n = maxMarkers();
  std::uint64_t expected = gcController.globalsScan + gcController.stackScan;
  expected += work.last ? dirtyBytes() : gcController.heapMarked;
  if (expected < kParallelFrom && (work.last || mheap_.heapLive < 4 * gcController.heapMinimum)) n = 1;
  m* mp = getg()->m;
  std::int32_t helpers = 0;
  p* chosen[64];
  for (std::int32_t i = 0; i < gomaxprocs && i < 64 && helpers < n - 1; i++) {
    p* pp = allp.array[i];
    if (pp == mp->p || work.workers[i] == nullptr) continue;
    chosen[helpers++] = pp;
  }
  work.nproc = static_cast<std::uint32_t>(helpers) + 1;
  work.nwait = 0;
  if (!work.last) {
    work.bytesMarked = work.scanWork = 0;
    work.idleTime = work.assistTime = work.stopTime = 0;
  }
  gcWork w;
  gcWorkInit(&w);
  if (helpers > 0) {
    lock(&sched.lock);
    sched.stopwait = helpers;
    unlock(&sched.lock);
    atomic::Store(&gcBlackenEnabled, 1u);
    for (std::int32_t i = 0; i < helpers; i++) {
      chosen[i]->gcMarkWorkerMode = 1;
      atomic::Store(&chosen[i]->status, static_cast<std::uint32_t>(_Pidle));
      startm(chosen[i], false);
    }
  }
  gcDrain(&w);
  if (helpers > 0) {
    lock(&sched.lock);
    bool wait = sched.stopwait > 0;
    unlock(&sched.lock);
    if (wait) notesleep(&sched.stopnote);
    noteclear(&sched.stopnote);
    atomic::Store(&gcBlackenEnabled, 0u);
    if (sched.stopwait != 0) throw_("gcMark: a marker has not stopped");
  }
  if (work.full != nullptr) throw_("gcMark: work left");
  if (UNLIKELY(debug.gccheckmark > 0)) {
    gcWorkDispose(&w);
    gcCheckmark();
    gcWorkInit(&w);
  }
  work.nproc = 1;
  if (finLinked()) finQueue(&w);
  gcDrain(&w);
  gcWorkDispose(&w);
  freeWorkbufs();
}

// ---- the cycle ----

bool gcTriggerTest(gcTriggerKind kind, std::uint32_t cycles) {
  if (!gcEnabled || atomic::Load(&panicking) != 0) return false;
  switch (kind) {
    case gcTriggerHeap:
      if (atomic::Load(&concPhase) != 0) return false;
      return atomic::Load(&mheap_.heapLive) >= atomic::Load(&mheap_.gcTrigger);
    case gcTriggerTime: {
      if (gcController.gcPercent < 0 || atomic::Load(&concPhase) != 0) return false;
      std::int64_t last = atomic::Load(&lastGC);
      return last != 0 && nanotime() - last > forcegcperiod;
    }
    case gcTriggerCycle:
      return static_cast<std::int32_t>(cycles - atomic::Load(&work.cycles)) > 0;
  }
  return false;
}

static void gcPrepareWorld() {
  if (hooks.poolCleanup != nullptr && !work.last) hooks.poolCleanup();
  for (std::int32_t i = 0; i < gomaxprocs; i++) mcache_flushRuns(allp.array[i]->mcache);
  if (mheap_.noP != nullptr) mcache_flushRuns(mheap_.noP);
  while (sweepone() != sweepNothing) {}
}

// What the cycle has found becomes the state of the heap. World stopped.
LANDMARK void gcMarkTermination(bool forced) {
  std::int64_t now = nanotime();
  work.tEnd = now;
  gcControllerState* c = &gcController;
  auto pause = static_cast<std::uint64_t>(now - (work.last ? work.tMarkTerm - work.stopTime : work.tSweepTerm));
  gcController_endCycle(c, now, static_cast<std::int64_t>(pause) + work.idleTime + work.assistTime);
  gcSweep();
  gcController_commit(c);
  gcPaceScavenger();
  sweepPace();
  pauses.ns[pauses.num % 256] = pause;
  walltime_t wt = walltime();
  pauses.end[pauses.num % 256] = static_cast<std::uint64_t>(wt.sec) * 1000000000u + static_cast<std::uint64_t>(wt.nsec);
  pauses.total += pause;
  pauses.num++;
  if (forced) pauses.forced++;
  atomic::Store(&lastGC, now);
  atomic::Xadd(&work.cycles, 1u);
}

// The stop of the world in which all is marked, or what is left (last), and the cycle ends. With worldsema.
LANDMARK void gcStop(bool forced, bool last) {
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory");
  uintptr sp;
  __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
  std::uint64_t heap1 = 0, goal = 0;
  bool stacks = false;
  getg()->m->preemptoff = "gcing";
  systemstack([&] {
    m* mp1 = getg()->m;
    g* self = mp1->curg;
    mp1->locks++;
    self->waitreason = waitReasonGarbageCollection;
    casgstatus(self, _Grunning, _Gwaiting);
    std::int64_t begin = nanotime();
    if (!last) {
      work.tSweepTerm = begin;
      gcTrace(traceEvGCStart, atomic::Load(&work.cycles) + 1);
      gcTrace(traceEvGCPhase, traceGCSweepTermination);
    }
    stopTheWorldWithSema();
    lock(&mheap_.noPlock);  // nobody without a P allocates until we are done
    stopForeign();          // nor writes to what we read
    work.self = self;
    work.selfsp = sp;
    if (last && !concLast()) last = false;  // the kernel has let us down: anew
    work.last = last;
    gcPrepareWorld();
    heap1 = mheap_.heapLive;
    goal = gcController.heapGoal;
    if (!last) {
      work.heap0 = heap1;
      work.tMark = nanotime();
      gcTrace(traceEvHeapLive, heap1 >> 10);
      gcTrace(traceEvGCPhase, traceGCMark);
    } else {
      work.tMarkTerm = begin;
      gcTrace(traceEvGCPhase, traceGCMarkTermination);
    }
    gcMark();
    if (!last) {
      work.tMarkTerm = nanotime();
      gcTrace(traceEvGCPhase, traceGCMarkTermination);
    }
    std::int64_t now = nanotime();
    static std::int64_t lastStacks;
    if (now - lastStacks > kStackPeriod) {
      lastStacks = now;
      stackScavengeSTW();
      stacks = true;
    }
    gcMarkTermination(forced);
    gcTrace(traceEvHeapLive, mheap_.heapLive >> 10);
    gcTrace(traceEvGCPhase, traceGCSweep);
    startForeign();
    unlock(&mheap_.noPlock);
    casgstatus(self, _Gwaiting, _Grunning);
    startTheWorldWithSema();
  });
  m* mp = getg()->m;
  mp->preemptoff = nullptr;
  if (stacks) systemstack([] { stackScavengeFree(); });
  if (debug.gctrace > 0) gctraceLine(forced, heap1, gcController.heapMarked, goal);
  mp->locks--;
  wakesweeper();
  if (finLinked()) wakefing();
  systemstack([] { wakeScavenger(0); });
}

// One cycle, if kind still says so once it is our turn. Not where the goroutine must not stop: then the next allocation
// that looks tries again.
LANDMARK void gcStart(gcTriggerKind kind) {
  // What is in registers goes to this frame: from here on others read our stack.
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory");
  g* gp = getg();
  m* mp = gp->m;
  if (gp == mp->g0 || gp == mp->gsignal || mp->locks != 0 || mp->preemptoff != nullptr || mp->p == nullptr) return;
  std::uint32_t cycles = atomic::Load(&work.cycles) + 1;
  if (!gcTriggerTest(kind, cycles)) return;
  if (maxMarkers() > 1) gcBgMarkStartWorkers(maxMarkers());
  if (concLinked() && concEligible()) return concStart(kind);
  semacquireWorld();
  bool other = atomic::Load(&concPhase) != 0;
  if (!gcTriggerTest(kind, cycles) || other) {
    semreleaseWorld();
    if (other && kind == gcTriggerCycle) {
      concWait();
      gcStart(kind);
    }
    return;
  }
  while (sweepone() != sweepNothing) {}
  scavengeOverLimit();  // now that what the last cycle has freed is in the heap
  gcStop(kind == gcTriggerCycle, false);
  semreleaseWorld();
  if (debug.gcstoptheworld > 1)
    while (sweepone() != sweepNothing) {}
}

static void gcAssistAlloc(g* gp, uintptr n) GOSYM("runtime.gcAssistAlloc");
LANDMARK void gcAssistAlloc(g* gp, uintptr n) {
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory");
  if (gp == nullptr) return;  // a thread of libc's
  preemptpoint();
  if (atomic::Load(&concPhase) != 0) return concAssist(gp, n);
  gcStart(gcTriggerHeap);
}

LANDMARK void GC() {
  __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "memory");
  NEEDS_P(GC());
  if (concLinked()) concWait();  // what has become garbage since a cycle began may outlive it
  gcStart(gcTriggerCycle);
  while (sweepone() != sweepNothing) Gosched();
  systemstack([] { wakeScavenger(0); });
}

// ---- the start ----

// Waits for sysmon to say that two minutes have passed without a collection.
static void forcegchelper(void*) GOSYM("runtime.forcegchelper");
LANDMARK void forcegchelper(void*) {
  systemGoroutine();
  forcegc.gp = getg();
  for (;;) {
    lock(&forcegc.lock);
    gopark(forcegcParked, nullptr, waitReasonForceGCIdle);
    if (debug.gctrace > 0) printf("GC forced\n");
    gcStart(gcTriggerTime);
  }
}

BOOTMARK void runtimeInit0() {
  static funcval helper{forcegchelper};
  newproc(&helper);
  BOOTSTEP("runtime.init.0");
}

BOOTMARK void gcinit() {
  lockInit(&work.lock, lockRankWbufSpans);
  gcController_init(&gcController, readGOGC(), readGOMEMLIMIT());
  sweepinit();
  if (concLinked()) concInit();
  hooks.gcAssistAlloc = gcAssistAlloc;
  hooks.findRunnableGCWorker = gcControllerFindRunnableGCWorker;
  hooks.sysmonTick = sysmonTick;
  BOOTSTEP("runtime.gcinit", "gogc,memlimit", gcController.gcPercent, gcController.memoryLimit);
}

void gcBackgroundStarted() {
  systemGoroutine();
  std::int64_t one = 1;
  chansend(gcenablec, &one, true);
}

BOOTMARK void gcenable() {
  gcenablec = makechan(&intType, 2);
  static funcval sweep{bgsweep}, scav{bgscavenge};
  newproc(&sweep);
  newproc(&scav);
  std::int64_t v;
  chanrecv(gcenablec, &v, true);
  chanrecv(gcenablec, &v, true);
  gcenablec = nullptr;
  chanfinalizerhook = chanSetFinalizer;  // null where no channel needs it
  // With glibc there are roots that we do not know: its malloc's blocks, its threads' stacks and thread_locals, the data of
  // shared libraries. So nothing is collected there.
  gcEnabled = !iscgo;
  atomic::Store(&lastGC, nanotime());
  gcController_commit(&gcController);
  gcPaceScavenger();
  BOOTSTEP("runtime.gcenable", "ngsys", sched.ngsys);
}

}  // namespace runtime

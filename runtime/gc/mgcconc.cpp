// Marking beside the program: a cycle that stops the world three times for short instead of once for long.
//
//   protect the pages in use │ stop: stacks │ mark │ stop: stacks │ mark what was written │ stop: what is left, the end
//
// Owns: the goroutines that mark, their share of the processors, and the assists of those that allocate meanwhile.
//
// Why nothing is missed. An object is marked when somebody finds its address, and its words are read after that. A
// word that is written later is on a page that has lost its protection since, so the page is read again: the words of
// marked objects on it, and of manual blocks. The last time this is done the world stands. Globals, thread_locals and
// stacks are not watched at all; they are read in the last stop as in every other cycle.
//
// New objects are white, unlike in Go. They are found like all others, by the pages and stacks that refer to them, so
// what is garbage again at the end of the cycle is freed by it, and allocation does nothing else while we mark.
//
// A marker keeps nothing when it stops: what it has not got to goes to the shared list. So when no marker is at work and
// the list is empty, there is no grey object anywhere.
//
// Measured (gc_concurrent.cpp, 250 MB live, two processors that others used as well; ms of stop in a cycle, operations
// for each ms of processor time; beside : stopped)
//   trees that do not live long, 1 P    0.3 : 49 ms     31.9 : 34.3     2 Ps    1.6 : 70 ms    29.2 : 29.2
//   pointers moved all over, 1 P         14 : 178 ms    1427 : 1623     2 Ps     24 : 242 ms   1555 : 1655
// The second program writes to every page, some 800 words a ms: what it has written while one round marks is as much
// again the next time, so a third round gains nothing.
//
// Ways not taken
//   - The pages of new objects protected as well: a fault for each page that is allocated meanwhile took the trees 28 % of
//     their speed. They are read again instead, where they hold marked objects.
//   - The protection always taken off when the cycle ends: 0.3 µs a page, of which a program that leaves its old objects
//     alone has nothing.
//   - Quanta of 64 KB: the caches are changed too often.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"
#include "runtime/sched/proc_m.h"
#include "runtime/sched/time.h"

namespace runtime {

const char concurrentMarking = 1;

namespace {

enum : std::uint32_t { phaseOff, phaseStarting, phaseMark, phaseEnding };
enum : std::uint32_t { notParked, parkedTimed, parkedIdle };

constexpr std::uint64_t kFrom = 64 << 20;         // live bytes from which a cycle runs beside the program
constexpr std::uint64_t kQuantum = 512 << 10;     // bytes read between two looks around: 100 to 300 µs
constexpr std::int64_t kAssistLeast = 512 << 10;  // bytes an assist reads at least
constexpr std::uint64_t kMoreRounds = 8 << 20;    // written bytes that are worth a round beside the program
constexpr std::uint32_t kRounds = 2;
constexpr std::int64_t kPatience = 100 * 1000;  // ns without work until the next look
constexpr double kShare = 0.25;                 // of all processors
constexpr double kLateShare = 0.75;             // of one, when the heap has outgrown the goal meanwhile

struct marker {
  g* gp;
  timer sleep;
  std::uint32_t parked;  // atomic
  std::int64_t wakeAt;   // gp, before parking
  std::int64_t spent;    // gp: ns in this cycle
  double share;          // of one processor; 0: only what nobody else wants
};

struct {
  mutex lock;
  gList waiters;           // lock: who waits for the phase to change
  gQueue assists;          // lock: who must not allocate before markers have read more, or the phase changes
  std::uint32_t nassists;  // atomic, written with lock: how many those are
  marker m[64];            // the first conducts the cycle
  std::int32_t n;          // who has set phaseStarting
  bool forced;             // who has set phaseStarting: by GC()
  bool broken;             // conductor: the kernel has refused once; no more such cycles
  bool lost;               // conductor: it has in this cycle; all must be marked anew
  std::int64_t credit;     // atomic: bytes read by markers that no assist has claimed
  std::uint64_t expected;  // STW: bytes to be read
  std::uint64_t goal;      // STW
  std::uint64_t marked;    // conductor: what was alive when the last such cycle began
} conc GOSYM("runtime.gcConc");

// From parked on another P may run mk and let it rest again; with the lock the timer is set once at a time.
bool sleepCommit(g*, void* arg) {
  auto* mk = static_cast<marker*>(arg);
  lock(&conc.lock);
  std::int64_t at = mk->wakeAt;
  atomic::Store(&mk->parked, std::uint32_t{parkedTimed});
  resettimer(&mk->sleep, at);
  unlock(&conc.lock);
  return true;
}

// Not if there is something to do by now.
bool idleCommit(g*, void* arg) {
  auto* mk = static_cast<marker*>(arg);
  atomic::Store(&mk->parked, std::uint32_t{parkedIdle});
  std::uint32_t wanted = mk == &conc.m[0] ? phaseStarting : phaseMark;
  return atomic::Load(&concPhase) != wanted ||
         !atomic::Cas(&mk->parked, std::uint32_t{parkedIdle}, std::uint32_t{notParked});
}

void sleepOver(void* arg, uintptr) {
  auto* mk = static_cast<marker*>(arg);
  if (atomic::Cas(&mk->parked, std::uint32_t{parkedTimed}, std::uint32_t{notParked})) ready(mk->gp, false);
}

void rest(marker* mk, std::int64_t until) {
  mk->wakeAt = until;
  gopark(sleepCommit, mk, waitReasonGCWorkerIdle);
}

// Bytes that must be read for each byte allocated, so that the marking is done when the heap has reached the goal.
double assistRatio() {
  std::uint64_t live = atomic::Load(&mheap_.heapLive), read = atomic::Load(&work.scanWork);
  std::uint64_t room = live + (1 << 20) < conc.goal ? conc.goal - live : 1 << 20;
  std::uint64_t left = read + (1 << 20) < conc.expected ? conc.expected - read : 1 << 20;
  return static_cast<double>(left) / static_cast<double>(room);
}

// A marker has read that much: first it pays for those who wait, what is left is for assists to come.
void flushCredit(std::int64_t done) {
  if (atomic::Load(&conc.nassists) == 0) {
    atomic::Xadd(&conc.credit, done);
    return;
  }
  double ratio = assistRatio();
  auto bytes = static_cast<std::int64_t>(static_cast<double>(done) / ratio);
  gList list{nullptr};
  lock(&conc.lock);
  while (bytes > 0 && conc.assists.head != nullptr) {
    g* gp = gqpop(&conc.assists);
    if (bytes + gp->gcAssistBytes >= 0) {
      bytes += gp->gcAssistBytes;
      gp->gcAssistBytes = 0;
      glpush(&list, gp);
      atomic::Xadd(&conc.nassists, ~0u);
    } else {  // at the end, so that a large debt does not keep small ones waiting
      gp->gcAssistBytes += bytes;
      bytes = 0;
      gqpushBack(&conc.assists, gp);
    }
  }
  unlock(&conc.lock);
  if (bytes > 0) atomic::Xadd(&conc.credit, static_cast<std::int64_t>(static_cast<double>(bytes) * ratio));
  if (list.head != nullptr) systemstack([&] { injectglist(&list); });
}

bool othersWait() {
  p* pp = getg()->m->p;
  return !runqempty(pp) || sched.runqsize != 0;
}

// One quantum. False: there was nothing to do.
bool markSome(std::uint64_t budget, std::uint64_t* done) {
  atomic::Xadd(&work.active, 1u);
  atomic::Xadd(&work.entries, 1u);
  gcWork w;
  gcWorkInit(&w);
  w.flagPages = true;
  bool any = gcDrainSome(&w, budget, concRoot);
  *done = w.scanWork;
  gcWorkFlush(&w);
  atomic::Xadd(&work.active, ~0u);
  return any;
}

// No marker has anything, and there is nothing to be had. A marker that begins between our looks has counted its entry
// before it takes anything.
bool drained() {
  std::uint32_t e = atomic::Load(&work.entries);
  if (atomic::Load(&work.active) != 0) return false;
  if (atomic::Load(&work.full) != nullptr || atomic::Load(&work.markrootNext) < atomic::Load(&work.markrootJobs))
    return false;
  return atomic::Load(&work.entries) == e;
}

// Marks until there is nothing left (conductor), or until the phase is over. With its share of the processors, and with
// more while nobody else wants them.
void markOn(marker* mk, bool conductor) {
  g* gp = getg();
  for (;;) {
    if (!conductor && atomic::Load(&concPhase) != phaseMark) return;
    if (mk->share == 0 && othersWait()) {
      rest(mk, nanotime() + 10 * kPatience);
      continue;
    }
    std::int64_t begin = nanotime();
    std::uint64_t done;
    bool any = markSome(kQuantum, &done);
    std::int64_t now = nanotime();
    mk->spent += now - begin;
    atomic::Xadd(&work.idleTime, now - begin);
    flushCredit(static_cast<std::int64_t>(done));
    if (conductor && !any && drained()) return;
    if (!any) {
      rest(mk, now + kPatience);
    } else if (atomic::Load(&sched.gcwaiting) != 0) {
      rest(mk, now);
    } else if (gp->preempt) {
      rest(mk, now + kPatience);  // a marker whose time has come is taken before all others: not at once, then
    } else if (mk->share != 0 && othersWait()) {
      std::int64_t since = now - work.tMark;
      double share = mk->share;
      if (share < kLateShare && atomic::Load(&mheap_.heapLive) > conc.goal) share = kLateShare;
      if (static_cast<double>(mk->spent) > 1.2 * share * static_cast<double>(since))
        rest(mk, work.tMark + static_cast<std::int64_t>(static_cast<double>(mk->spent) / share));
    }
  }
}

}  // namespace

LANDMARK void gcMarkHelper(void* block) {
  auto* mk = *static_cast<marker**>(block);
  for (;;) {
    markOn(mk, false);
    gopark(idleCommit, mk, waitReasonGCWorkerIdle);
  }
}

namespace {

void lookAtArenas() {
  mheap* h = &mheap_;
  lock(&h->lock);
  if (h->narenas > work.arenasCap) {
    std::uint32_t cap = h->narenas * 2 < 64 ? 64 : h->narenas * 2;
    work.arenas = static_cast<heapArena**>(sysAlloc((cap * sizeof(heapArena*) + 4095) & ~4095ull, &h->stats.otherSys));
    if (work.arenas == nullptr) outOfMemory(cap * sizeof(heapArena*));
    work.arenasCap = cap;
  }
  work.narenas = h->narenas;
  for (std::uint32_t i = 0; i < h->narenas; i++) work.arenas[i] = arenaList[i];
  unlock(&h->lock);
}

// Hands the markers a new set of roots. None of the old is left.
void setRoots(rootKind kind) {
  atomic::Store(&work.markrootJobs, 0u);
  atomic::Store(&work.kind, static_cast<std::uint32_t>(kind));
  atomic::Store(&work.markrootNext, 0u);
  atomic::Store(&work.markrootJobs, gcConcRootPrepare(kind));
}

// A short stop: what stacks refer to becomes grey. With the first one the marking begins.
[[gnu::noinline]] void stopForStacks(bool first) {
  uintptr sp;
  __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
  getg()->m->preemptoff = "gcing";
  systemstack([&] {
    m* mp = getg()->m;
    g* self = mp->curg;
    mp->locks++;
    self->waitreason = waitReasonGarbageCollection;
    casgstatus(self, _Grunning, _Gwaiting);
    std::int64_t begin = nanotime();
    if (first) {
      gcTrace(traceEvGCStart, atomic::Load(&work.cycles) + 1);
      gcTrace(traceEvGCPhase, traceGCSweepTermination);
    }
    stopTheWorldWithSema();
    lock(&mheap_.noPlock);
    stopForeign();
    work.self = self;
    work.selfsp = sp;
    if (first) {
      work.tSweepTerm = begin;
      work.last = false;
      work.heap0 = mheap_.heapLive;
      if (hooks.poolCleanup != nullptr) hooks.poolCleanup();
      while (sweepone() != sweepNothing) {}
      work.bytesMarked = work.scanWork = 0;
      work.idleTime = work.assistTime = work.stopTime = 0;
      gcMarkRootPrepare();
      dirtyBegin();
      setRoots(rootsStart);
    }
    work.stackScan = 0;
    gcWork w;
    gcWorkInit(&w);
    w.flagPages = true;
    gcScanStacks(&w);
    gcWorkFlush(&w);
    if (first) {
      atomic::Store(&concPhase, std::uint32_t{phaseMark});
      atomic::Store(&gcBlackenEnabled, 1u);
      gcTrace(traceEvHeapLive, work.heap0 >> 10);
      gcTrace(traceEvGCPhase, traceGCMark);
    }
    startForeign();
    unlock(&mheap_.noPlock);
    casgstatus(self, _Gwaiting, _Grunning);
    std::int64_t now = nanotime();
    work.stopTime += now - begin;
    if (first) work.tMark = now;
    startTheWorldWithSema();
  });
  m* mp = getg()->m;
  mp->preemptoff = nullptr;
  mp->locks--;
}

void wakeMarkers() {
  double left = kShare * gomaxprocs;
  for (std::int32_t i = 0; i < conc.n; i++) {
    marker* mk = &conc.m[i];
    mk->spent = 0;
    mk->share = left > 1 ? 1 : left;
    left -= mk->share;
    if (i > 0 && atomic::Cas(&mk->parked, std::uint32_t{parkedIdle}, std::uint32_t{notParked}))
      systemstack([mk] { ready(mk->gp, false); });
  }
}

// Between two calls to the kernel. They are to be done with soon, for the pages that are written meanwhile cost a fault
// each; so others have their turn only when sysmon says so.
void breathe() {
  if (atomic::Load(&sched.gcwaiting) != 0 || getg()->preempt) rest(&conc.m[0], nanotime());
}

void setPhase(std::uint32_t phase) {
  lock(&conc.lock);
  gList list = conc.waiters;
  conc.waiters = {nullptr};
  while (g* gp = gqpop(&conc.assists)) glpush(&list, gp);
  atomic::Store(&conc.nassists, 0u);
  atomic::Store(&concPhase, phase);
  unlock(&conc.lock);
  systemstack([&] { injectglist(&list); });
}

void cycle() {
  lookAtArenas();
  while (sweepone() != sweepNothing) breathe();
  scavengeOverLimit();
  conc.lost = false;
  bool growing = gcController.heapMarked > conc.marked + conc.marked / 4;  // much of what is new is there to stay
  conc.marked = gcController.heapMarked;
  if (!dirtyArm(growing, breathe)) {
    conc.broken = true;
    semacquireWorld();
    gcStop(conc.forced, false);
    semreleaseWorld();
    return setPhase(phaseEnding);
  }
  conc.expected = work.scanWork;  // as much as the last time
  conc.goal = gcController.heapGoal;
  atomic::Store(&conc.credit, std::int64_t{0});
  semacquireWorld();
  stopForStacks(true);
  semreleaseWorld();
  wakeMarkers();
  markOn(&conc.m[0], true);
  for (std::uint32_t i = 0; i < kRounds && !conc.lost; i++) {
    if (i == 0) {
      semacquireWorld();
      stopForStacks(false);
      semreleaseWorld();
    }
    lookAtArenas();
    if (!dirtyCollect(false)) {
      conc.lost = true;
      break;
    }
    std::uint64_t written = dirtyBytes();
    setRoots(rootsDirty);
    markOn(&conc.m[0], true);
    if (written < kMoreRounds) break;
  }
  semacquireWorld();
  gcStop(conc.forced, true);
  semreleaseWorld();
  setPhase(phaseEnding);
  dirtyRelease(breathe);
}

}  // namespace

LANDMARK void gcMarkConductor(void* block) {
  auto* mk = *static_cast<marker**>(block);
  for (;;) {
    gopark(idleCommit, mk, waitReasonGCWorkerIdle);
    cycle();
    setPhase(phaseOff);
  }
}

namespace {

void makeMarkers() {
  std::int32_t n = maxMarkers();
  for (; conc.n < n; conc.n++) {
    marker* mk = &conc.m[conc.n];
    mk->sleep.f = sleepOver;
    mk->sleep.arg = mk;
    void* block;
    g* gp =
        newproc_begin(conc.n == 0 ? gcMarkConductor : gcMarkHelper, sizeof mk, alignof(marker*), getcallerpc(), &block);
    *static_cast<marker**>(block) = mk;
    gp->isSystem = true;
    atomic::Xadd(&sched.ngsys, 1u);
    mk->gp = gp;
    newproc_commit(gp);
  }
}

bool waitCommit(g* gp, void*) {
  gp->schedlink = nullptr;
  glpush(&conc.waiters, gp);
  unlock(&conc.lock);
  return true;
}

bool mayStop(const g* gp) {
  const m* mp = gp->m;
  return gp != mp->g0 && gp != mp->gsignal && mp->locks == 0 && mp->preemptoff == nullptr && mp->p != nullptr;
}

void waitWhile(std::uint32_t phase) {
  while (atomic::Load(&concPhase) == phase && mayStop(getg())) {
    lock(&conc.lock);
    if (atomic::Load(&concPhase) != phase) return unlock(&conc.lock);
    gopark(waitCommit, nullptr, waitReasonGarbageCollection);
  }
}

}  // namespace

void concInit() { lockInit(&conc.lock, lockRankAssistQueue); }

bool concEligible() {
  const gcControllerState& c = gcController;
  if (debug.gcconcurrent == 0 || debug.gcstoptheworld != 0 || conc.broken || !gcEnabled) return false;
  if (c.heapGoal < c.percentGoal) return false;  // GOMEMLIMIT: there is no room to be lost
  // Stacks are read three times, with the world stopped.
  if (debug.gcconcurrent == 1 && (c.heapMarked < kFrom || c.stackScan > c.heapMarked / 16)) return false;
  return dirtyInit();
}

void concStart(gcTriggerKind kind) {
  for (;;) {
    if (atomic::Cas(&concPhase, std::uint32_t{phaseOff}, std::uint32_t{phaseStarting})) {
      conc.forced = kind == gcTriggerCycle;
      makeMarkers();
      if (atomic::Cas(&conc.m[0].parked, std::uint32_t{parkedIdle}, std::uint32_t{notParked}))
        systemstack([] { ready(conc.m[0].gp, true); });
      if (kind == gcTriggerCycle) return concWait();
      return goyield();  // it shall begin now, and not when this goroutine's time slice is over
    }
    if (kind != gcTriggerCycle) return;
    if (atomic::Load(&concPhase) != phaseEnding) return concWait();  // somebody else has begun one just now
    waitWhile(phaseEnding);
  }
}

void concWait() {
  waitWhile(phaseStarting);
  waitWhile(phaseMark);
}

namespace {

bool assistCommit(g* gp, void*) {
  gqpushBack(&conc.assists, gp);
  atomic::Xadd(&conc.nassists, 1u);
  unlock(&conc.lock);
  return true;
}

// Waits until markers have paid the debt of gp, or the phase is another. Nothing was there to be marked, so what there
// is has its marker, and more will come of it; who allocates on meanwhile would have no bound. False: look again.
bool parkAssist() {
  lock(&conc.lock);
  if (atomic::Load(&concPhase) != phaseMark || atomic::Load(&conc.credit) > 0) {
    unlock(&conc.lock);
    return false;
  }
  gopark(assistCommit, nullptr, waitReasonGCAssistWait);
  return true;
}

}  // namespace

// What the goroutine allocates while a cycle marks it pays for by marking, as far as the markers have not done more than
// their part. In the other phases there is nothing to pay with: then who has reached the goal waits.
void concAssist(g* gp, std::uint64_t bytes) {
  bool charged = false;
  while (mayStop(gp)) {
    std::uint32_t phase = atomic::Load(&concPhase);
    if (phase != phaseMark) {
      if (phase == phaseOff || atomic::Load(&mheap_.heapLive) <= atomic::Load(&gcController.heapGoal)) return;
      waitWhile(phase);
      continue;
    }
    if (!charged) gp->gcAssistBytes -= static_cast<std::int64_t>(bytes);
    charged = true;
    if (gp->gcAssistBytes >= 0) return;
    double ratio = assistRatio();
    auto need = static_cast<std::int64_t>(static_cast<double>(-gp->gcAssistBytes) * ratio), paid = std::int64_t{0};
    if (need < kAssistLeast) need = kAssistLeast;
    if (std::int64_t c = atomic::Load(&conc.credit); c > 0) {
      paid = c < need ? c : need;
      atomic::Xadd(&conc.credit, -paid);
    }
    if (paid < need) {
      std::int64_t begin = nanotime();
      std::uint64_t done;
      markSome(static_cast<std::uint64_t>(need - paid), &done);
      atomic::Xadd(&work.assistTime, nanotime() - begin);
      paid += static_cast<std::int64_t>(done);
    }
    gp->gcAssistBytes += 1 + static_cast<std::int64_t>(static_cast<double>(paid) / ratio);
    if (gp->gcAssistBytes >= 0) return;
    if (gp->preempt)
      Gosched();
    else if (parkAssist())
      return;
  }
}

// A marker whose rest is over, for a P that looks for work: before all others.
g* concFindWorker(std::int64_t now) {
  if (atomic::Load(&concPhase) != phaseMark) return nullptr;
  if (now == 0) now = nanotime();
  for (std::int32_t i = 0; i < conc.n; i++) {
    marker* mk = &conc.m[i];
    if (atomic::Load(&mk->parked) != parkedTimed || mk->wakeAt > now) continue;
    if (!atomic::Cas(&mk->parked, std::uint32_t{parkedTimed}, std::uint32_t{notParked})) continue;
    casgstatus(mk->gp, _Gwaiting, _Grunnable);
    return mk->gp;
  }
  return nullptr;
}

bool concLast() {
  atomic::Store(&gcBlackenEnabled, 0u);
  atomic::Store(&concPhase, std::uint32_t{phaseEnding});
  lookAtArenas();
  if (!conc.lost && dirtyCollect(true)) return true;
  conc.broken = true;
  gcForget();
  return false;
}

}  // namespace runtime

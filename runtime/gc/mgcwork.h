// The collector's inside: its state, the work of marking, and what its files call of each other.
//
// One cycle, all of it in gcStart (mgc.cpp):
//
//   sweep what is left of the last cycle │ stop the world │ mark from the roots, on all Ps │ finalizers │ start the world
//   ... then spans are swept by bgsweep and by those who allocate, and free pages go back through bgscavenge.
//
// From 64 MB of live objects on most of the marking is done beside the program, where the kernel tells which pages were
// written meanwhile (mgcconc.cpp, mgcdirty.cpp, mgcpages.cpp); what follows is the same.
//
// Marks are bits beside each span; an object is grey while its address is in a work buffer. Objects never move, and any
// word that points into an object keeps it: this is C++, where nobody says which words are pointers.
//
// Way not taken: Go's write barrier. It would have to be in all user code, and a C++ compiler does not put it there.
#pragma once

#include "runtime/base/hooks.h"
#include "runtime/gc/mgc.h"
#include "runtime/mem/mheap.h"

namespace runtime {

// A unit of work: the object's address, and its size class in the upper byte. Class 0, a large object, stands for the
// stretch of it that begins at the address.
constexpr int workClassShift = 56;
constexpr uintptr workAddr = (uintptr{1} << workClassShift) - 1;
constexpr uintptr maxObletBytes = 128 << 10;  // large objects are scanned in such stretches, by several Ps if need be

struct workbuf {
  static constexpr std::uint32_t cap = 254;
  workbuf* next;
  std::uint32_t n;
  uintptr obj[cap];
};

// One marker's own supply of grey objects.
struct gcWork {
  workbuf* wbuf;
  std::uint64_t bytesMarked;
  std::uint64_t scanWork;   // bytes read
  std::uint64_t stackScan;  // bytes of stacks among them
  bool flagPages;           // marked objects' pages get pageHot
};

struct gcRange {
  uintptr lo, hi;
};

struct gcWorkState {
  mutex lock;       // full, empty, chunks
  workbuf* full;    // lock; read without it as a hint
  workbuf* empty;   // lock
  workbuf* chunks;  // lock: what sysAlloc gave, linked through the first buffer of each
  std::uint32_t nchunks;
  std::uint32_t nproc, nwait;  // markers, and those of them that found nothing to do; nwait atomic
  std::uint32_t markrootNext;  // atomic: the next root to be scanned
  std::uint32_t markrootJobs, nData, nStack, nManual, nTLS, nFin;
  gcRange data[8];
  std::uint32_t ndata;
  g* self;                                         // the goroutine that runs the cycle
  uintptr selfsp;                                  // how deep it is
  g* workers[64];                                  // by P; made when first needed
  std::uint32_t cycles;                            // atomic: completed
  std::uint64_t bytesMarked, scanWork, stackScan;  // of the last cycle; stackScan atomic while marking
  std::int64_t tSweepTerm, tMark, tMarkTerm, tEnd;
  std::int64_t idleTime;  // atomic: processor time of helpers
  // A cycle that marks beside the program (mgcconc.cpp).
  bool last;                      // STW: its last stop; roots are what was written, not all manual spans
  std::uint32_t kind;             // atomic: what the jobs of markrootNext are (rootKind)
  std::uint32_t active, entries;  // atomic: markers at work; how often one began
  heapArena** arenas;             // the heap's arenas when last looked at
  std::uint32_t narenas, arenasCap;
  std::uint64_t heap0;      // heapLive when the cycle began
  std::int64_t stopTime;    // ns that the world stood in this cycle, until its last stop
  std::int64_t assistTime;  // atomic: processor time
};
extern gcWorkState work GOSYM("runtime.work");

// ---- mgc.cpp ----
enum gcTriggerKind : std::uint8_t { gcTriggerHeap, gcTriggerTime, gcTriggerCycle };
void gcStart(gcTriggerKind kind) GOSYM("runtime.gcStart");
bool gcTriggerTest(gcTriggerKind kind, std::uint32_t cycles) GOSYM("runtime.gcTrigger.test");
void gcStop(bool forced, bool last);
std::int32_t maxMarkers();
void gcMarkTermination(bool forced) GOSYM("runtime.gcMarkTermination");
void gcSweep() GOSYM("runtime.gcSweep");
// The processes' forced collections ask with this; GC without the wait for finalizers.
void GC() GOSYM("runtime.GC");
// Said by bgsweep and bgscavenge when they are ready, to gcenable.
void gcBackgroundStarted();
extern bool gcEnabled;                                             // init (gcenable)
extern std::int64_t forcegcperiod GOSYM("runtime.forcegcperiod");  // a variable for the tests' sake, as in Go
extern std::int64_t lastGC;                                        // atomic: nanotime of the last cycle's end

void gcBgMarkWorker(void*) GOSYM("runtime.gcBgMarkWorker");

// ---- mgcmark.cpp ----
void gcMarkRootPrepare() GOSYM("runtime.gcMarkRootPrepare");
void markroot(gcWork* w, std::uint32_t job) GOSYM("runtime.markroot");
void gcDrain(gcWork* w) GOSYM("runtime.gcDrain");
void scanblock(uintptr b, uintptr n, gcWork* w) GOSYM("runtime.scanblock");
void scanobject(uintptr item, gcWork* w) GOSYM("runtime.scanobject");
// Marks the object that p points into, if it does.
void greyobject(uintptr p, gcWork* w) GOSYM("runtime.greyobject");
// The start of the object that p points into; 0 if it points into none. *s is its span.
uintptr findObject(uintptr p, mspan** s) GOSYM("runtime.findObject");
bool isMarked(uintptr obj);

void dataJob(gcWork* w, std::uint32_t job);
// While the program runs. root does one of the jobs of markrootNext. False: nothing was to be had.
bool gcDrainSome(gcWork* w, std::uint64_t budget, void (*root)(gcWork* w, std::uint32_t job));
void gcScanStacks(gcWork* w);  // STW
void gcForget();               // STW: takes back all marks

// How many slots of a manual span have been handed out at least once; the others hold anything. While the program runs
// more may be, but who gets one writes later, and its page is looked at again.
//
// Whose slots m hands out is in m->cut and nowhere else: where they begin does not tell, for the end of a span that is used
// up is the start of the next one. ptr is read first: if it is of a later span than s, cut says so.
ALWAYS_INLINE std::uint32_t cutSlots(const mspan* s) {
  std::uint32_t n = atomic::LoadAcq(&s->freeindex);
  const mslots* m = atomic::Load(&s->cutBy);
  if (m == nullptr) return n;
  uintptr at = atomic::LoadAcq(&m->ptr), size = s->elemsize;
  if (atomic::Load(&m->cut) != s || size == 0) return n;
  return static_cast<std::uint32_t>((at - s->startAddr) / size);
}

// ---- mgccheck.cpp ----
void gcCheckmark() GOSYM("runtime.gcCheckmark");  // GODEBUG=gccheckmark=1: marks again and compares

// ---- mgcpages.cpp ----
enum rootKind : std::uint32_t { rootsStart, rootsDirty };
[[gnu::weak]] std::uint32_t gcConcRootPrepare(rootKind kind);  // the number of jobs
void concRoot(gcWork* w, std::uint32_t job);                   // one of them
[[gnu::weak]] void dirtyJob(gcWork* w, std::uint32_t job);

// ---- mgcdirty.cpp ----
struct dirtyList {
  gcRange* r;
  std::uint32_t n, cap;
};
extern dirtyList dirty;  // what dirtyCollect found
bool dirtyInit();
void dirtyBegin();
bool dirtyArm(bool young, void (*between)());
bool dirtyCollect(bool last);
void dirtyRelease(void (*between)());
[[gnu::weak]] std::uint64_t dirtyBytes();

// ---- mgcconc.cpp ----
// Not in every program: New, make_slice and make_chan refer to concurrentMarking, and one that calls none of them can't
// have so large a heap. What is weak here is null there.
extern const char concurrentMarking GOSYM("runtime.concurrentMarking");
[[gnu::weak]] void gcMarkConductor(void*) GOSYM("runtime.gcMarkConductor");
[[gnu::weak]] void gcMarkHelper(void*) GOSYM("runtime.gcMarkHelper");
[[gnu::weak]] void concInit();
[[gnu::weak]] bool concEligible();                 // the next cycle shall be one
[[gnu::weak]] void concStart(gcTriggerKind kind);  // begins it; for gcTriggerCycle waits for its end
[[gnu::weak]] void concWait();                     // until none is under way
[[gnu::weak]] void concAssist(g* gp, std::uint64_t bytes);
[[gnu::weak]] g* concFindWorker(std::int64_t now);
[[gnu::weak]] bool concLast();  // STW: the last look at what was written; false: all must be marked anew
ALWAYS_INLINE bool concLinked() { return &concInit != nullptr; }
extern std::uint32_t concPhase;  // atomic: not 0: a cycle marks beside the program

// ---- mgcwork.cpp ----
void gcWorkInit(gcWork* w) GOSYM("\"runtime.(*gcWork).init\"");
void gcWorkPushSlow(gcWork* w, uintptr item);
bool gcWorkRefill(gcWork* w);  // false: nothing to be had
void gcWorkBalance(gcWork* w) GOSYM("\"runtime.(*gcWork).balance\"");
void gcWorkDispose(gcWork* w) GOSYM("\"runtime.(*gcWork).dispose\"");
void gcWorkFlush(gcWork* w);  // as dispose, but what is left goes to the shared list
void dropWork();              // empties the shared list
void freeWorkbufs();
ALWAYS_INLINE void gcWorkPut(gcWork* w, uintptr item) {
  workbuf* b = w->wbuf;
  if (UNLIKELY(b->n == workbuf::cap)) return gcWorkPushSlow(w, item);
  b->obj[b->n++] = item;
}
ALWAYS_INLINE uintptr gcWorkTryGet(gcWork* w) {  // from the own buffer only
  workbuf* b = w->wbuf;
  return b->n == 0 ? 0 : b->obj[--b->n];
}

// ---- mgcsweep.cpp ----
constexpr uintptr sweepNothing = ~uintptr{0};
uintptr sweepone() GOSYM("runtime.sweepone");  // pages given back to the heap; sweepNothing: all is swept
bool mspan_sweep(mspan* s, bool preserve) GOSYM("\"runtime.(*mspan).sweep\"");
void deductSweepCredit(uintptr n) GOSYM("runtime.deductSweepCredit");
void sweepPace();  // STW: how fast allocation must sweep
void sweepinit();
void wakesweeper();
void bgsweep(void*) GOSYM("runtime.bgsweep");

// ---- mgcpacer.cpp ----
struct gcControllerState {
  std::int32_t gcPercent;    // lock; read without; < 0: off
  std::int64_t memoryLimit;  // lock; read without
  mutex lock;
  std::uint64_t heapMinimum;
  std::uint64_t heapMarked;              // STW: bytes found alive by the last cycle
  std::uint64_t stackScan, globalsScan;  // STW: bytes of roots
  std::uint64_t percentGoal;             // STW: the goal by GOGC alone
  std::uint64_t heapGoal, lastHeapGoal;  // STW: the goal as the last cycle left it; mheap.gcTrigger is today's
  std::uint64_t lastHeapInuse;           // STW: spans in use when the last cycle ended
  // Processor time: what the collector took of what there was, for the limiter and the trace.
  std::int64_t gcTime, limiterTime, limiterFill;
  double cpuFraction;
};
extern gcControllerState gcController GOSYM("runtime.gcController");
void gcController_init(gcControllerState* c, std::int32_t percent, std::int64_t limit)
    GOSYM("\"runtime.(*gcControllerState).init\"");
void gcController_commit(gcControllerState* c) GOSYM("\"runtime.(*gcControllerState).commit\"");
void gcController_endCycle(gcControllerState* c, std::int64_t now, std::int64_t cpu)
    GOSYM("\"runtime.(*gcControllerState).endCycle\"");
std::int32_t readGOGC() GOSYM("runtime.readGOGC");
std::int64_t readGOMEMLIMIT() GOSYM("runtime.readGOMEMLIMIT");
void gcLimitGrown();          // the heap has a span more: what the limit leaves is less
std::uint64_t mappedReady();  // bytes we have from the kernel and have not given back

// ---- mgcscavenge.cpp ----
void bgscavenge(void*) GOSYM("runtime.bgscavenge");
void gcPaceScavenger() GOSYM("runtime.gcPaceScavenger");                 // STW or gcController.lock
uintptr scavenge(uintptr n) GOSYM("\"runtime.(*pageAlloc).scavenge\"");  // gives about n bytes of free pages back
void scavengeOverLimit();
void wakeScavenger(std::int64_t now);
void stackScavengeSTW();                                   // STW: cuts off unused stack segments, gives deep pages back
void stackScavengeFree() GOSYM("runtime.freeStackSpans");  // frees what that cut off

// ---- mfinal.cpp ----
struct finalizer;
void createfing() GOSYM("runtime.createfing");
// Not in every program: what makes a finalizer or a destructor of a collected object refers to it. What is weak here is
// null in the others.
[[gnu::weak]] std::uint32_t finRoots();                    // STW: jobs that the objects with finalizers make
[[gnu::weak]] void finScan(gcWork* w, std::uint32_t job);  // marks what they refer to, not them
[[gnu::weak]] void finQueue(gcWork* w);  // STW, after marking, by one marker: what is due goes to the queue
[[gnu::weak]] void wakefing() GOSYM("runtime.wakefing");
[[gnu::weak]] void chanSetFinalizer(void* obj, void (*fin)(void*)) GOSYM("runtime.chanSetFinalizer");
ALWAYS_INLINE bool finLinked() { return &finRoots != nullptr; }

// ---- mstats.cpp ----
void gctraceLine(bool forced, std::uint64_t heap1, std::uint64_t heap2, std::uint64_t goal);
struct gcPauses {
  std::uint64_t ns[256], end[256];
  std::uint64_t total;
  std::uint32_t num, forced;
};
extern gcPauses pauses;

// One event of the execution trace. With a P; allowed while the world is stopped.
inline void gcTrace(int ev, uintptr arg) {
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(ev, nullptr, arg);
}

}  // namespace runtime

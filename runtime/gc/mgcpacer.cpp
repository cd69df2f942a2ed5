// When to collect: GOGC and GOMEMLIMIT in Go's meaning. (Go's mgcpacer.go.)
//
//   goal by GOGC      marked + (marked + roots) * GOGC / 100, at least 4 MB * GOGC / 100
//   goal by limit     what GOMEMLIMIT leaves for objects after all else that we hold of the kernel's memory
//
// The lower of the two counts; what the limit leaves is worked out anew with each span that is made, for other memory
// than objects grows between cycles, too. Since the world stands still while we mark, the heap does not grow meanwhile, and a cycle
// begins when the goal is reached; Go must begin earlier.
//
// Roots are stacks, globals and blocks of operator new, for these are read in each cycle, too.
//
// A limit that is too low would have us do nothing but collect. So the collector has a budget of half the processor
// time: a bucket (gcController.limiterFill) that collecting fills and the program's own time drains. While it is full,
// the goal is GOGC's alone, and the limit is exceeded.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcgoal.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/os/envvars.h"
#include "runtime/sched/proc.h"

namespace runtime {

gcControllerState gcController;

namespace {

constexpr std::int64_t kMaxLimit = INT64_MAX;
constexpr std::int64_t kBucket = 1000 * 1000 * 1000;  // ns of processor time, for each P

std::uint64_t goalByLimit(gcControllerState* c) {
  heapBooks b{mappedReady(), atomic::Load(&mheap_.stats.heapInuse), atomic::Load(&mheap_.stats.manualInuse),
              atomic::Load(&mheap_.stats.heapSys), atomic::Load(&mheap_.stats.heapReleased)};
  return limitGoal(b, static_cast<std::uint64_t>(c->memoryLimit), c->heapMarked);
}

std::uint64_t lowerGoal(gcControllerState* c) {
  std::uint64_t goal = c->percentGoal;
  if (c->memoryLimit != kMaxLimit && atomic::Load(&c->limiterFill) < kBucket * gomaxprocs) {
    std::uint64_t byLimit = goalByLimit(c);
    if (byLimit < goal) goal = byLimit;
  }
  // At least some room, so that cycles do not follow each other without an allocation between.
  std::uint64_t least = c->heapMarked + (64 << 10);
  return goal < least ? least : goal;
}

// A cycle that marks beside the program begins before the goal is reached.
void setTrigger(gcControllerState* c, std::uint64_t goal) {
  atomic::Store(&c->heapGoal, goal);
  if (goal != kNever && concLinked() && concEligible()) goal -= (goal - c->heapMarked) / 4;
  atomic::Store(&mheap_.gcTrigger, goal);
}

}  // namespace

std::uint64_t mappedReady() {
  auto& s = mheap_.stats;
  return atomic::Load(&s.heapSys) - atomic::Load(&s.heapReleased) + atomic::Load(&s.otherSys);
}

BOOTMARK std::int32_t readGOGC() { return parseGOGC(gogetenv("GOGC")); }

BOOTMARK std::int64_t readGOMEMLIMIT() {
  const char* p = gogetenv("GOMEMLIMIT");
  std::int64_t n;
  if (!parseGOMEMLIMIT(p, &n)) {
    printf("GOMEMLIMIT={}\n", p);
    throw_("malformed GOMEMLIMIT; see `go doc runtime/debug.SetMemoryLimit`");
  }
  return n;
}

HEAPMARK void gcController_init(gcControllerState* c, std::int32_t percent, std::int64_t limit) {
  lockInit(&c->lock, lockRankGcController);
  c->gcPercent = percent < 0 ? -1 : percent;
  c->memoryLimit = limit;
  c->heapMinimum = kHeapMinimum;
}

// Works out the goal. With the world stopped, or with c.lock.
HEAPMARK void gcController_commit(gcControllerState* c) {
  std::uint64_t goal = kNever;
  if (c->gcPercent >= 0) {
    auto pct = static_cast<std::uint32_t>(c->gcPercent);
    c->heapMinimum = kHeapMinimum * pct / 100;
    goal = percentGoal(c->heapMarked, c->stackScan + c->globalsScan, pct);
  }
  c->percentGoal = goal;
  setTrigger(c, lowerGoal(c));
}

void gcLimitGrown() {
  gcControllerState* c = &gcController;
  if (c->memoryLimit == kMaxLimit || !gcEnabled || atomic::Load(&c->limiterFill) >= kBucket * gomaxprocs) return;
  if (atomic::Load(&concPhase) == 0) setTrigger(c, lowerGoal(c));
  scavengeOverLimit();
}

// The cycle that ends now has taken cpu ns of processor time. World stopped.
HEAPMARK void gcController_endCycle(gcControllerState* c, std::int64_t now, std::int64_t cpu) {
  c->gcTime += cpu;
  std::int64_t total = (now - runtimeInitTime) * gomaxprocs;
  c->cpuFraction = total > 0 ? static_cast<double>(c->gcTime) / static_cast<double>(total) : 0;
  std::int64_t since = (now - (c->limiterTime != 0 ? c->limiterTime : runtimeInitTime)) * gomaxprocs;
  c->limiterTime = now;
  c->limiterFill = fillAfter(c->limiterFill, since, cpu, kBucket * gomaxprocs);
  c->heapMarked = work.bytesMarked;
  c->stackScan = work.stackScan;
  c->lastHeapGoal = c->heapGoal;
  c->lastHeapInuse = mheap_.stats.heapInuse;
}

// runtime::debug (boot/debug.h).
namespace debugapi {
std::int32_t SetGCPercent(std::int32_t percent) GOSYM("runtime.debug.SetGCPercent");
std::int64_t SetMemoryLimit(std::int64_t limit) GOSYM("runtime.debug.SetMemoryLimit");
void FreeOSMemory() GOSYM("runtime.debug.FreeOSMemory");

static void changed() {
  stopTheWorld("GOMAXPROCS");
  if (atomic::Load(&mheap_.gcTrigger) != kNever || gcEnabled) {
    gcController_commit(&gcController);
    gcPaceScavenger();
  }
  startTheWorld();
}

std::int32_t SetGCPercent(std::int32_t percent) {
  NEEDS_P(SetGCPercent(percent));
  std::int32_t old = gcController.gcPercent;
  gcController.gcPercent = percent < 0 ? -1 : percent;
  changed();
  return old;
}

std::int64_t SetMemoryLimit(std::int64_t limit) {
  NEEDS_P(SetMemoryLimit(limit));
  std::int64_t old = gcController.memoryLimit;
  if (limit < 0) return old;
  gcController.memoryLimit = limit;
  changed();
  scavengeOverLimit();
  changed();
  return old;
}

void FreeOSMemory() {
  GC();
  systemstack([] { scavenge(~uintptr{0}); });
}
}  // namespace debugapi

}  // namespace runtime

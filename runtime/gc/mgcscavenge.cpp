// Giving memory back to the kernel. (Go's mgcscavenge.go.)
//
// Owns: bgscavenge, the choice of pages, and what of the goroutines' stacks is given back.
//
// Free pages are worth keeping as long as the heap will grow into them again. What is kept is the heap's size at the
// last goal and a tenth; the rest goes back from the upper end, where first fit leaves the largest holes, 64 KB to some
// 256 KB at a time, and at a pace that takes about 1 % of a processor. Under GOMEMLIMIT all free pages go back that keep
// us above 95 % of the limit.
// When the heap grows nevertheless, because new objects do not fit into its holes, as much of these goes back at once.
//
// Stacks: a goroutine that was deep once leaves touched pages under its stack pointer, and segments behind the one it is
// on. A pass cuts off all unused segments, and gives back the deep pages of some goroutines that wait or are dead; their
// stacks are as small as new ones then. That takes a short stop of the world, so it is a part of each cycle, and
// bgscavenge makes passes, at its pace too, when stacks have grown: until it has looked at all goroutines once.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/time.h"
#include "runtime/sync/newstack.h"

namespace runtime {

namespace {

constexpr uintptr kBite = 256 << 10;
constexpr std::uint64_t kNoGoal = ~std::uint64_t{0};

struct {
  mutex lock{0, lockRankScavenge};
  g* gp;        // init (gcenable)
  bool parked;  // lock
  timer sleep;
  std::uint64_t percentGoal, limitGoal;  // atomic: bytes retained, bytes mapped
  std::uint64_t grown;                   // atomic: fresh bytes that the heap has taken and not yet given back holes for
  std::uint64_t stackAt;                 // STW: the goroutine at which the look at stacks goes on
  std::int64_t stacksLeft;               // STW, read without: goroutines still to be looked at since stacks have grown
  std::uint64_t growthsSeen;             // bgscavenge; read by sysmon
  std::int64_t stackTime;                // bgscavenge; read by sysmon: when stacks were looked at last
  stackseg* segs;                        // STW: cut off, to be freed
  bool refused;                          // atomic: the kernel takes no pages back; tried anew after each cycle
} scav GOSYM("runtime.scavenge.state") = {};

std::uint64_t heapRetained() { return atomic::Load(&mheap_.stats.heapSys) - atomic::Load(&mheap_.stats.heapReleased); }

// The topmost run of free pages that we still hold, at most `most` of them, marked as in use so that nobody takes them.
// Returns its pages. h.lock held.
std::uint32_t takeFree(std::uint32_t* arena, std::uint32_t most, heapArena** out, std::uint32_t* at) {
  for (; *arena > 0; --*arena) {
    heapArena* a = arenaList[*arena - 1];
    if (arenaSums[*arena - 1].max == 0) continue;
    arenaPages* pg = &a->pages;
    std::uint32_t n = topHeld(pg, most, at);
    if (n == 0) continue;
    setBits(pg->alloc, *at, n);
    arenaSums[a->index] = arenaUpdate(pg, *at, n);
    *out = a;
    return n;
  }
  return 0;
}

}  // namespace

LANDMARK uintptr scavenge(uintptr n) {
  mheap* h = &mheap_;
  uintptr got = 0;
  lock(&h->lock);
  std::uint32_t arena = h->narenas;
  while (got < n) {
    heapArena* a;
    std::uint32_t at, k = takeFree(&arena, kBite / pageSize, &a, &at);
    if (k == 0) break;
    unlock(&h->lock);
    uintptr bytes = uintptr{k} * pageSize;
    unusedPages state = sysUnusedOS(reinterpret_cast<void*>(a->base + at * pageSize), bytes);
    lock(&h->lock);
    clearBits(a->pages.alloc, at, k);
    if (state != unusedRefused) setBits(a->pages.scav, at, k);
    if (state == unusedZero) setBits(a->pages.zero, at, k);
    arenaSums[a->index] = arenaUpdate(&a->pages, at, k);
    if (a->index < h->searchIdx) h->searchIdx = a->index;
    if (state == unusedRefused) {
      atomic::Store(&scav.refused, true);
      break;
    }
    atomic::Xadd(&h->stats.heapReleased, bytes);
    got += bytes;
    if (arena < h->narenas) arena = a->index + 1;  // arenas may have been added meanwhile
  }
  unlock(&h->lock);
  return got;
}

// What is above GOMEMLIMIT goes back at once, as far as there are free pages.
void scavengeOverLimit() {
  auto limit = static_cast<std::uint64_t>(gcController.memoryLimit);
  std::uint64_t mapped = mappedReady();
  if (UNLIKELY(mapped > limit)) systemstack([=] { scavenge(mapped - limit); });
}

// The heap has a span more. What it takes of fresh pages beyond what we want to keep it gives back of its holes, which it
// has found too small; at once, for bgscavenge takes its time. A page at a time would be a system call for each span.
static void heapGrown(uintptr fresh) {
  gcLimitGrown();
  std::uint64_t goal = atomic::Load(&scav.percentGoal), held = heapRetained();
  if (goal == kNoGoal || held <= goal || atomic::Xadd(&scav.grown, std::uint64_t{fresh}) < kBite) return;
  std::uint64_t n = atomic::Xchg(&scav.grown, std::uint64_t{0});
  if (n > held - goal) n = held - goal;
  systemstack([=] { scavenge(n); });
}

LANDMARK void gcPaceScavenger() {
  gcControllerState* c = &gcController;
  atomic::Store(&scav.refused, false);
  std::uint64_t limit = kNoGoal;
  if (c->memoryLimit != INT64_MAX) {
    auto want = static_cast<std::uint64_t>(static_cast<double>(c->memoryLimit) * 0.95);
    if (mappedReady() > want) limit = want;
  }
  atomic::Store(&scav.limitGoal, limit);
  std::uint64_t percent = kNoGoal;
  if (c->lastHeapGoal != 0 && c->lastHeapGoal != ~std::uint64_t{0} && c->heapGoal != ~std::uint64_t{0}) {
    double ratio = static_cast<double>(c->heapGoal) / static_cast<double>(c->lastHeapGoal);
    percent = static_cast<std::uint64_t>(static_cast<double>(c->lastHeapInuse) * ratio);
    percent += percent / 10;
    if (heapRetained() <= percent) percent = kNoGoal;
  }
  atomic::Store(&scav.percentGoal, percent);
  hooks.heapGrown = percent != kNoGoal || c->memoryLimit != INT64_MAX ? heapGrown : nullptr;
}

// Not without free pages: sweeping makes them, and wakes us again at its end.
static bool shallScavenge() {
  if (atomic::Load(&scav.refused)) return false;
  std::uint64_t held = heapRetained();
  if (held <= atomic::Load(&mheap_.stats.heapInuse)) return false;
  return held > atomic::Load(&scav.percentGoal) || mappedReady() > atomic::Load(&scav.limitGoal);
}

constexpr std::int64_t kStackPeriod = 100 * 1000 * 1000;
static bool shallScavengeStacks(std::int64_t now) {
  return atomic::Load(&scav.stacksLeft) > 0 || (atomic::Load(&scav.growthsSeen) != atomic::Load(&stackgrowths) &&
                                                now - atomic::Load(&scav.stackTime) > kStackPeriod);
}

static void scavengeStacks(std::int64_t now) {
  std::uint64_t growths = atomic::Load(&stackgrowths);
  stopTheWorld("scavenge stacks");
  systemstack([&] {
    if (growths != scav.growthsSeen) scav.stacksLeft = static_cast<std::int64_t>(atomic::Load(&allglen));
    atomic::Store(&scav.growthsSeen, growths);
    atomic::Store(&scav.stackTime, now);
    stackScavengeSTW();
  });
  startTheWorld();
}

static bool scavParked(g*, void*) {
  scav.parked = true;
  unlock(&scav.lock);
  return true;
}

static void scavWake(void*, uintptr) { ready(scav.gp, false); }

// Processor time of this thread, in ns. By the wall clock a busy machine would make the scavenger as slow as itself.
static std::int64_t threadTime() {
  constexpr long kSysClockGettime = 228, kThreadCPU = 3;
  std::int64_t ts[2] = {};
  syscall6(kSysClockGettime, kThreadCPU, reinterpret_cast<long>(ts));
  return ts[0] * 1000000000 + ts[1];
}

static bool scavSleep(g*, void* ns) {
  resettimer(&scav.sleep, nanotime() + *static_cast<std::int64_t*>(ns));
  return true;
}

LANDMARK void bgscavenge(void*) {
  scav.gp = getg();
  scav.sleep.f = scavWake;
  gcBackgroundStarted();
  for (;;) {
    lock(&scav.lock);
    std::int64_t begin = threadTime(), now = nanotime();
    bool stacks = shallScavengeStacks(now), heap = shallScavenge();
    if (!stacks && !heap) {
      if (scav.growthsSeen != atomic::Load(&stackgrowths)) {  // grown since the last look: the next is due soon
        unlock(&scav.lock);
        std::int64_t rest = kStackPeriod;
        gopark(scavSleep, &rest, waitReasonSleep);
        continue;
      }
      gopark(scavParked, nullptr, waitReasonGCScavengeWait);
      continue;
    }
    unlock(&scav.lock);
    if (stacks) {
      scavengeStacks(now);
      // Freeing segments is not counted: it is little beside what making them has cost, and happens once for each.
      std::int64_t t = threadTime();
      systemstack([] { stackScavengeFree(); });
      begin += threadTime() - t;
    }
    if (heap) systemstack([] { scavenge(kBite); });
    std::int64_t took = threadTime() - begin;
    if (took < 10 * 1000) took = 10 * 1000;
    std::int64_t rest = took * 99;
    gopark(scavSleep, &rest, waitReasonSleep);
  }
}

void wakeScavenger(std::int64_t now) {
  if (!shallScavenge() && !shallScavengeStacks(now)) return;
  lock(&scav.lock);
  bool wake = scav.parked;
  scav.parked = false;
  unlock(&scav.lock);
  if (!wake) return;
  gList list{nullptr};
  scav.gp->schedlink = nullptr;
  glpush(&list, scav.gp);
  injectglist(&list);
}

// ---- stacks ----

namespace {

constexpr std::uint32_t kStackSlots = 64;  // given back in one cycle's stop
constexpr long kSysMincore = 27;
constexpr std::uint32_t kResidentPages = kStackSlot / 4096;

// Gives the pages of gp's slot back that lie under what is in use, when there is more than one touched.
bool returnDeep(g* gp, const std::uint8_t* resident) {
  std::uint32_t status = readgstatus(gp);
  uintptr sp = gp->sched.sp;
  if (status == _Gdead) {
    if (sp != 0) return false;
    sp = gp->stack.hi - StackMin;
  } else if (status != _Gwaiting || gp == work.self) {
    return false;
  } else if (gp->segs != nullptr) {
    return false;
  }
  uintptr lo = gp->stackbase + kStackGuardRegion, hi = (sp - 256) & ~uintptr{4095};
  if (hi <= lo) return false;
  std::uint32_t n = 0;
  for (uintptr i = (lo - gp->stackbase) / 4096; i < (hi - gp->stackbase) / 4096; i++) n += resident[i] & 1;
  if (n < 2) return false;
  madvise(reinterpret_cast<void*>(lo), hi - lo, 4);
  if (status == _Gwaiting) {  // small again, so that newstack hears of it when it grows
    uintptr size = StackMin, used = gp->stack.hi - sp + StackGuard;
    while (size < used) size *= 2;
    if (gp->stack.hi - size > gp->stack.lo) gp->stack.lo = gp->stack.hi - size;
  }
  return true;
}

}  // namespace

void stackScavengeSTW() {
  std::uint64_t n = atomic::Load(&allglen);
  g** gs = atomic::Load(&allgptr);
  for (std::uint64_t i = 0; i < n; i++) {
    if (i + 8 < n) __builtin_prefetch(&gs[i + 8]->segnext);  // each lies on a page of its own
    g* gp = gs[i];
    if (gp->segnext == nullptr) continue;
    std::uint32_t status = readgstatus(gp);
    if (status != _Gwaiting && status != _Grunnable && status != _Gpreempted) continue;
    stackseg* s = gp->segnext;
    gp->segnext = nullptr;
    if (gp->segs != nullptr) gp->segs->next = nullptr;
    stackseg* last = s;
    while (last->next != nullptr) last = last->next;
    last->next = scav.segs;
    scav.segs = s;
  }
  std::uint32_t given = 0;
  std::uint8_t resident[kResidentPages];
  std::uint64_t looked = 0;
  for (; looked < 512 && looked < n && given < kStackSlots; looked++) {
    if (scav.stackAt >= n) scav.stackAt = 0;
    g* gp = gs[scav.stackAt++];
    if (gp->stackslot_hi - gp->stackbase != kStackSlot || gp->stack.lo == 0) continue;
    if (syscall6(kSysMincore, static_cast<long>(gp->stackbase), kStackSlot, reinterpret_cast<long>(resident)) != 0)
      continue;
    if (returnDeep(gp, resident)) given++;
  }
  atomic::Store(&scav.stacksLeft, scav.stacksLeft - static_cast<std::int64_t>(looked));
}

LANDMARK void stackScavengeFree() {
  stackseg* s = scav.segs;
  scav.segs = nullptr;
  while (s != nullptr) {
    stackseg* next = s->next;
    freeseg(s);
    s = next;
  }
}

}  // namespace runtime

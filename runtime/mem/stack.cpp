// Goroutine stacks: slots of address space, guarded, each with its g at the top. See stack.h for the picture.
//
// Owns: the stack arenas (64 MB of slots each, apart from the heap's, so that an address tells stack from heap), the
// pool of free slots, and where in a slot the g lies.
//
// What a fresh goroutine costs is one page and one guard. Both come in batches, each by one process_madvise call: that
// takes 300 ns off a guard, and off a page the trap: no gain was seen where a fault costs 1.5 µs, but some virtual machines
// take 12 µs for it, and 0.9 for a page populated. The batch doubles from 8 slots up, so a program with three goroutines
// pays for eight slots.
//
// Ways not taken
//   - mprotect for guards: each splits a mapping, and 65,530 mappings are the kernel's limit. It remains for kernels
//     before 6.13, which do not know guard regions. There the first kMaxSplits stacks have guards, so that half of the
//     limit is left for all else, and the others have none. User code checks for the end of its stack by itself; without a
//     guard nobody sees a library function that needs more than the slack.
//   - A free list per P: dead Gs keep their slot on the P's gFree, so this pool is only seen by growth.
//   - g in a heap of its own: a second page touched for each parked goroutine.
#include "runtime/mem/stack.h"

#include "runtime/base/bootstep.h"
#include "runtime/mem/mheap.h"

namespace runtime {

uintptr stackHint = 0x4000000000;

namespace {

constexpr uintptr kGSize = (sizeof(g) + 63) & ~uintptr{63};
constexpr uintptr kColours = 16;
constexpr std::uint32_t kMaxBatch = 32;
// The first page of a slot holds colour, g and a new goroutine's whole stack.
static_assert(kGSize + (kColours - 1) * 64 + StackMin <= 4096);

constexpr int kProtNone = 0, kProtRW = 3;
constexpr int kMapPrivateAnon = 0x22, kMapNoreserve = 0x4000, kMapFixedNoreplace = 0x100000;
constexpr int kMadvDontneed = 4, kMadvNohugepage = 15, kMadvPopulateWrite = 23, kMadvGuardInstall = 102;
constexpr long kSysMprotect = 10, kSysProcessMadvise = 440;
constexpr long kPidfdSelf = -10000;  // the calling process; kernels that lack it say EBADF
constexpr int kENOMEM = 12;

enum : std::uint8_t { guardUnknown, guardVector, guardMadvise, guardMprotect };
constexpr std::uint32_t kMaxSplits = 16000;
constexpr std::uint32_t kTakenBack = 256;

struct {
  mutex lock;
  uintptr free;            // lock: slots given back, linked through their last word
  uintptr next, end;       // lock: slots ready to be used for the first time
  uintptr carve, mapped;   // lock: what is left of the newest arena's mapping
  uintptr nextArena;       // lock
  std::uint32_t batch;     // lock: slots to make ready next time
  std::uint8_t guardMode;  // lock; read without
  std::uint32_t splits;    // atomic: guards that are mappings of their own; kMaxSplits: no more of them
  stackstats stats;        // lock
} stackpool GOSYM("runtime.stackpool");

struct iovec {
  uintptr base;
  uintptr len;
};

ALWAYS_INLINE uintptr colourOf(uintptr base) { return base % heapArenaBytes / kStackSlot * 7 % kColours * 64; }
ALWAYS_INLINE g* slotG(uintptr base) { return reinterpret_cast<g*>(base + kStackSlot - colourOf(base) - kGSize); }

// Applies advice to one range of each of n slots from base on. False: the kernel does not do it for a vector.
bool adviseSlots(uintptr base, std::uint32_t n, uintptr off, uintptr len, int advice) {
  iovec v[kMaxBatch];
  for (std::uint32_t i = 0; i < n; i++) v[i] = {base + i * kStackSlot + off, len};
  long r = syscall6(kSysProcessMadvise, kPidfdSelf, reinterpret_cast<long>(v), n, advice, 0);
  return r == static_cast<long>(n * len);
}

[[noreturn, gnu::cold]] void stackOOM(uintptr n) {
  unlock(&stackpool.lock);
  outOfMemory(n);
}

// A guard by mprotect. False: there shall be no more of them.
bool splitGuard(uintptr at) {
  if (atomic::Load(&stackpool.splits) >= kMaxSplits) return false;
  if (syscall6(kSysMprotect, static_cast<long>(at), kStackGuardRegion, kProtNone) != 0) {
    atomic::Store(&stackpool.splits, kMaxSplits);
    return false;
  }
  atomic::Xadd(&stackpool.splits, 1u);
  return true;
}

// The kernel's limit was lower than we thought, or others had used it up: room is made for what can't go without, the
// heap's mappings and the threads', from the guards of the slots before this one.
void takeGuardsBack(uintptr slot) {
  static bool done;
  if (done) return;
  done = true;
  uintptr lo = slot & ~(heapArenaBytes - 1);
  for (std::uint32_t i = 0; i < kTakenBack && slot >= lo + kStackSlot; i++) {
    slot -= kStackSlot;
    syscall6(kSysMprotect, static_cast<long>(slot), kStackGuardRegion, kProtRW);
  }
}

void installGuards(uintptr base, std::uint32_t n) {
  auto& sp = stackpool;
  if (sp.guardMode == guardUnknown || sp.guardMode == guardVector) {
    // One slot is no work for a vector, so the boot's own slots do not ask whether there are vectors.
    if (n > 1) {
      if (adviseSlots(base, n, 0, kStackGuardRegion, kMadvGuardInstall)) {
        sp.guardMode = guardVector;
        return;
      }
      sp.guardMode = guardMadvise;
    }
  }
  for (std::uint32_t i = 0; i < n; i++) {
    auto* at = reinterpret_cast<void*>(base + i * kStackSlot);
    if (sp.guardMode != guardMprotect) {
      long r = madvise(at, kStackGuardRegion, kMadvGuardInstall);
      if (r == 0) continue;
      if (r == -kENOMEM) stackOOM(kStackSlot);
      sp.guardMode = guardMprotect;
    }
    if (!splitGuard(base + i * kStackSlot)) {
      takeGuardsBack(base + i * kStackSlot);
      return;
    }
  }
}

// Maps the next piece of the newest arena, or of a new one. Where the kernel refuses 64 MB it is asked for less: the
// last goroutine before the end of the address space still gets its slot.
void mapSlots() {
  auto& sp = stackpool;
  uintptr step = sp.stats.reserved == 0 ? heapArenaBytes / 4 : heapArenaBytes;
  for (;;) {
    uintptr at = sp.mapped;
    if (at % heapArenaBytes == 0) at = sp.nextArena;
    uintptr left = heapArenaBytes - at % heapArenaBytes;
    uintptr n = step < left ? step : left;
    int err = 0;
    void* p = mmap(reinterpret_cast<void*>(at), n, kProtRW, kMapPrivateAnon | kMapNoreserve | kMapFixedNoreplace, -1, 0,
                   &err);
    if (err == 0 && reinterpret_cast<uintptr>(p) != at) {  // a kernel before 4.17 takes the address as a hint only
      munmap(p, n);
      err = 17;
    }
    if (err == 17) {  // EEXIST: somebody else lives here
      if (at >> 46) stackOOM(kStackSlot);
      sp.nextArena = (at & ~(heapArenaBytes - 1)) + heapArenaBytes;
      sp.mapped = 0;
      continue;
    }
    if (err != 0) {
      if (step <= kStackSlot) stackOOM(kStackSlot);
      step /= 4;
      continue;
    }
    madvise(p, n, kMadvNohugepage);  // one touched page shall cost one page
    if (at % heapArenaBytes == 0) {
      lock(&mheap_.lock);
      heapArena* a = addArena(at, arenaStacks);
      unlock(&mheap_.lock);
      if (a == nullptr) stackOOM(sizeof(heapArena));
      sp.nextArena = at + heapArenaBytes;
    }
    if (at % heapArenaBytes == 0) sp.carve = at;  // else the new piece goes on where the last one ended
    sp.mapped = at + n;
    sp.stats.reserved += n;
    atomic::Xadd(&mheap_.stats.stackSys, n);
    return;
  }
}

void readySlots() {
  auto& sp = stackpool;
  while (sp.mapped - sp.carve < kStackSlot) mapSlots();
  if (sp.batch == 0) sp.batch = 8;  // what every program needs: two a thread, and the first goroutines'
  uintptr n = sp.batch;
  if (n > (sp.mapped - sp.carve) / kStackSlot) n = (sp.mapped - sp.carve) / kStackSlot;
  installGuards(sp.carve, static_cast<std::uint32_t>(n));
  // Where the kernel does not do it, or has no memory left, the pages come by faults.
  if (sp.guardMode == guardVector)
    adviseSlots(sp.carve, static_cast<std::uint32_t>(n), kStackSlot - physPageSize, physPageSize, kMadvPopulateWrite);
  if (sp.batch < kMaxBatch) sp.batch *= 2;
  sp.next = sp.carve;
  sp.end = sp.carve += n * kStackSlot;
  sp.stats.slots += n;
  heapArena* a = arenaOf(sp.next);
  atomic::StoreRel(&a->slots, static_cast<std::uint32_t>((sp.end - a->base) / kStackSlot));
}

}  // namespace

BOOTMARK void stackinit() {
  if (kStackSlot % physPageSize != 0 || kStackGuardRegion % physPageSize != 0)
    throw_("stack slots are not whole pages");
  lockInit(&stackpool.lock, lockRankStackpool);
  stackpool.nextArena = stackHint;
  BOOTSTEP("runtime.stackinit", "#arena,slot,slack,guard", stackHint, kStackSlot, kStackSlack, kStackGuardRegion);
}

LANDMARK stack stackalloc(std::uint32_t n, uintptr* base, uintptr* slot_hi) {
  if (n == 0 || (n & (n - 1)) != 0) throw_("stack size not a power of 2");
  auto& sp = stackpool;
  if (n > kStackSlot / 2) {  // a mapping of its own
    uintptr all = kStackGuardRegion + kStackSlack + n;
    int err = 0;
    auto p = reinterpret_cast<uintptr>(mmap(nullptr, all, kProtRW, kMapPrivateAnon | kMapNoreserve, -1, 0, &err));
    if (err != 0) outOfMemory(all);
    syscall6(kSysMprotect, static_cast<long>(p), kStackGuardRegion, kProtNone);
    atomic::Xadd(&mheap_.stats.stackSys, all);
    *base = p;
    *slot_hi = p + all;
    return {p + all - n, p + all};
  }
  lock(&sp.lock);
  uintptr b = sp.free;
  if (b != 0) {
    sp.free = *reinterpret_cast<uintptr*>(b + kStackSlot - 8);
    __builtin_memset(static_cast<void*>(slotG(b)), 0, sizeof(g));
  } else {
    if (sp.next == sp.end) readySlots();
    b = sp.next;
    sp.next += kStackSlot;
  }
  sp.stats.inuse++;
  unlock(&sp.lock);
  *base = b;
  *slot_hi = b + kStackSlot;
  auto hi = reinterpret_cast<uintptr>(slotG(b));
  return {hi - n, hi};
}

LANDMARK void stackfree(uintptr base, uintptr slot_hi) {
  auto& sp = stackpool;
  if (slot_hi - base != kStackSlot) {
    munmap(reinterpret_cast<void*>(base), slot_hi - base);
    atomic::Xadd(&mheap_.stats.stackSys, -(slot_hi - base));
    return;
  }
  lock(&sp.lock);
  *reinterpret_cast<uintptr*>(slot_hi - 8) = sp.free;
  sp.free = base;
  sp.stats.inuse--;
  unlock(&sp.lock);
}

LANDMARK g* malg(std::int32_t stacksize) {
  if (stacksize < 0) return static_cast<g*>(persistentalloc(sizeof(g), 64));
  std::uint32_t n = StackMin;
  while (n < static_cast<std::uint32_t>(stacksize) + StackSystem) n <<= 1;
  stack s{};
  uintptr base = 0, hi = 0;
  systemstack([&] { s = stackalloc(n, &base, &hi); });
  g* gp = hi - base == kStackSlot ? slotG(base) : static_cast<g*>(persistentalloc(sizeof(g), 64));
  gp->stack = s;
  gp->stackguard0 = s.lo + StackGuard;
  gp->stackguard1 = ~uintptr{0};
  gp->stackbase = base;
  gp->stackslot_hi = hi;
  BOOTSTEP("runtime.malg", "#g,#lo,#hi,stacksize", gp, s.lo, s.hi, n);
  return gp;
}

void gfreestack(g* gp) {
  uintptr base = gp->stackbase, hi = gp->stackslot_hi;
  if (base == 0) return;
  if (hi - base != kStackSlot) gp->stack = {}, gp->stackbase = 0;
  stackfree(base, hi);  // gp itself goes with its slot
}

void stackreset(g* gp) {
  if (UNLIKELY(gp->segs != nullptr)) {  // Goexit on a segment
    stackseg* s = gp->segs;
    while (s->outer != nullptr) s = s->outer;
    gp->stack = s->outerstack;
    gp->segs = nullptr;
    gp->segnext = s;
  }
  if (UNLIKELY(gp->segnext != nullptr)) stackshrink(gp);
  gp->stack.lo = gp->stack.hi - StackMin;
  gp->stackguard0 = gp->stack.lo + StackGuard;
}

bool guardSegment(uintptr base) {
  if (stackpool.guardMode != guardMprotect &&
      madvise(reinterpret_cast<void*>(base), kStackGuardRegion, kMadvGuardInstall) == 0)
    return false;
  return splitGuard(base);
}

void unguardSegment() {
  if (atomic::Load(&stackpool.splits) < kMaxSplits) atomic::Xadd(&stackpool.splits, ~0u);
}

g* stackowner(uintptr addr) {
  heapArena* a = arenaOf(addr);
  if (a == nullptr || a->kind != arenaStacks) return nullptr;
  uintptr slot = addr % heapArenaBytes / kStackSlot;
  if (slot >= atomic::LoadAcq(&a->slots)) return nullptr;
  g* gp = slotG(a->base + slot * kStackSlot);
  return gp->stack.lo != 0 ? gp : nullptr;
}

stackstats readstackstats() {
  lock(&stackpool.lock);
  stackstats s = stackpool.stats;
  unlock(&stackpool.lock);
  return s;
}

}  // namespace runtime

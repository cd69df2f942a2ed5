// newstack: a prologue check of user code has failed. Either somebody wants the goroutine to stop, or it needs stack.
//
// Owns: the decision, and the limit on a goroutine's stack. The registers are __morestack's (asm/morestack_amd64.S).
//
// How a goroutine's stack grows
//   1. In its slot: stack.lo is moved down, doubling the size. Nothing is copied and nothing hops.
//   2. Beyond the slot: the function runs on a segment and comes back (hop). newstack only provides the segment; the
//      hop itself is a dozen instructions in assembly, which later calls at the same border take without coming here.
// Go copies the stack to a larger one and corrects the pointers into it. C++ has no map of its pointers, so a stack
// can't move here.
//
// A request to stop (stackPreempt in the guard) hides whether the stack is enough. So growth is settled first, then
// the goroutine yields; when it comes back it does not need to ask again.
#include "runtime/sync/newstack.h"

#include "runtime/base/cpu.h"
#include "runtime/base/print.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/stack.h"

namespace runtime {

// Which registers __morestack must save: 0 xmm, 1 ymm, 2 zmm.
std::uint8_t morestackVector GOSYM("runtime.morestackVector");
std::uint64_t stackgrowths;

namespace {

// What asm does when newstack returns to it; in gobuf.ret, which gogo leaves in AX.
enum : uintptr { kStay = 0, kHop = 1 };

// Room a hop takes on the new segment beside frame and arguments: the return address and alignment.
constexpr uintptr kHopRoom = StackGuard + 256;

bool fits(const g* gp, uintptr sp, uintptr framesize) {
  // A frame of up to 256 bytes is not subtracted by the check in the prologue; StackGuard has room for it.
  return sp - framesize + 256 >= gp->stack.lo + StackGuard && framesize < sp;
}

[[noreturn, gnu::cold, gnu::noinline]] void overflow(g* gp, uintptr sp) {
  uintptr limit = atomic::Load(&maxstacksize), ceiling = atomic::Load(&maxstackceiling);
  printf("runtime: goroutine stack exceeds {}-byte limit\n", limit < ceiling ? limit : ceiling);
  printf("runtime: sp={:#x} stack=[{:#x}, {:#x}]\n", sp, gp->stack.lo, gp->stack.hi);
  throw_("stack overflow");
}

// Grows gp's stack so that framesize bytes below sp can be used; says how.
uintptr grow(g* gp, uintptr sp, uintptr framesize, uintptr argsize) {
  uintptr limit = atomic::Load(&maxstacksize), ceiling = atomic::Load(&maxstackceiling);
  if (ceiling < limit) limit = ceiling;
  uintptr have = stacksize(gp);
  // Without a lock: it only needs to be another number than before. The 8 KB of a stack of usual depth don't count.
  if (have >= 8192) atomic::Store(&stackgrowths, atomic::LoadRelaxed(&stackgrowths) + 1);
  if (gp->segs == nullptr && gp->stackbase != 0) {
    uintptr size = have, floor = gp->stackbase + kStackGuardRegion + kStackSlack;
    while (size < gp->stack.hi - floor) {
      size *= 2;
      uintptr lo = gp->stack.hi - size;
      if (size > limit) overflow(gp, sp);
      if (lo < floor) break;
      gp->stack.lo = lo;
      if (fits(gp, sp, framesize)) return kStay;
    }
    have = stacksize(gp);
  }
  uintptr need = framesize + argsize + kHopRoom;
  stackseg* s = gp->segnext;
  if (s != nullptr && s->size >= need) return kHop;
  stackshrink(gp);  // the cached one is too small for this frame
  uintptr size = gp->segs == nullptr ? kFirstSegment : gp->segs->size * 2;
  if (size > kMaxSegment) size = kMaxSegment;
  while (size < need) size *= 2;
  if (have >= limit || limit - have < need) overflow(gp, sp);
  if (size > limit - have) size = limit - have;
  s = newseg(size);
  if (s == nullptr) {
    printf("runtime: out of memory: cannot allocate {}-byte block for a stack of {} bytes\n", size, have);
    throw_("out of memory");
  }
  gp->segnext = s;
  if (gp->segs != nullptr) gp->segs->next = s;
  return kHop;
}

// After a longjmp out of deep frames gp is no more on the segment that it was on. Back as far as sp is, as the returns
// would have gone.
void leaveSegments(g* gp, uintptr sp) {
  while (stackseg* s = gp->segs) {
    if (sp - s->base < s->len) return;
    gp->stack = s->outerstack;
    gp->segnext = s;
    gp->segs = s->outer;
  }
}

bool canPreemptM(m* mp) {
  return mp->locks == 0 && mp->mallocing == 0 && mp->preemptoff == nullptr && mp->p != nullptr &&
         atomic::Load(&mp->p->status) == _Prunning;
}

}  // namespace

LANDMARK void newstack() {
  m* mp = getg()->m;
  g* gp = mp->curg;
  if (gp == nullptr || gp->sched.sp == 0) throw_("runtime: wrong goroutine in newstack");
  auto* f = reinterpret_cast<morestackframe*>(gp->sched.bp - offsetof(morestackframe, bp));
  uintptr sp = reinterpret_cast<uintptr>(&f->callerpc);
  leaveSegments(gp, sp);
  // A callback out of code without checks, libc's above all, may come from deep in the slot before the stack has grown.
  uintptr lowest =
      gp->segs == nullptr && gp->stackbase != 0 ? gp->stackbase + kStackGuardRegion : gp->stack.lo - kStackSlack;
  if (sp < lowest || sp > gp->stack.hi) {
    printf("runtime: sp={:#x} stack=[{:#x}, {:#x}] goid={}\n", sp, gp->stack.lo, gp->stack.hi, gp->goid);
    throw_("runtime: split stack overflow");
  }
  gobuf back = gp->sched;
  uintptr ret = kStay;
  if (!fits(gp, sp, f->framesize)) {
    // Should this be the end, the traceback begins in the function that asked.
    gp->sched.pc = f->pc;
    gp->sched.sp = sp;
    gp->sched.bp = f->bp;
    ret = grow(gp, sp, f->framesize, f->argsize);
    gp->sched = back;
  }
  gp->sched.ret = ret;
  // Not before now: gopreempt_m's stop may come from a request made while the stack grew, too.
  if (gp->preempt) {
    if (canPreemptM(mp)) gopreempt_m(gp);  // does not return; execute clears preempt and sets the guard
    // Held back by a lock or the like: releasem asks again.
  }
  gp->stackguard0 = gp->stack.lo + StackGuard;
  gogo(&gp->sched);
  __builtin_unreachable();
}

// What the compiler calls for alloca and arrays of variable length that the stack has no room for. The block is
// garbage collected: the pointer on the stack keeps it as long as the function may use it. (libgcc's own version keeps
// such blocks until the thread's segments are merged, which a goroutine would not live to see.)
extern "C" void* morestackAllocate(std::size_t n) __asm__("__morestack_allocate_stack_space");
extern "C" void* morestackAllocate(std::size_t n) { return mallocgc((n + 15) & ~std::size_t{15}, 0); }

void newstackinit() {
  morestackVector = cpu.hasAVX512F ? 2 : cpu.hasAVX ? 1 : 0;
}

}  // namespace runtime

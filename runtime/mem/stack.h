// Goroutine stacks: reserved slots in an arena, each with a guard region; g itself lies at the top of its slot.
//
//   slot (kStackSlot bytes of address space, 68 KB pure, 260 KB hosted)
//   base ┌──────────┬──────────────────────┬──────────────┬────────────────────┬───┬──────┐ slot_hi
//        │ guard    │ slack kStackSlack     │ growth room   │ StackMin in use ←sp│ g │colour│
//        └──────────┴──────────────────────┴──────────────┴────────────────────┴───┴──────┘
//                                           ↑ lowest lo     ↑ stack.lo           ↑ stack.hi
//
// Invariants
//   - [stack.lo - kStackSlack, stack.lo) is mapped: code without a prologue check may use it.
//   - In a slot stack.hi - stack.lo is a power of two; a new goroutine has StackMin; growth first lowers stack.lo inside the slot
//     (no copy, no hop), then goes to a separate, larger segment; g.stack is then that segment's bounds.
//   - Only touched pages are resident: a parked goroutine that never went deep costs one page, its g included.
//   - Slots are coloured: g's offset in the page differs from slot to slot, so that many gs don't share one cache set.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

constexpr uintptr kStackGuardRegion = 4096;
// An odd number of pages: with a power of two the top pages of all slots would share a sixteenth of the TLB's sets.
#ifdef BOOT_HOSTED
constexpr uintptr kStackSlot = 260 * 1024;
// libc runs here without checks, and some of it (name look-ups, locales) takes tens of KB.
constexpr uintptr kStackSlack = 120 * 1024;
#else
constexpr uintptr kStackSlot = 68 * 1024;
constexpr uintptr kStackSlack = 16 * 1024;
#endif

// Where the first stack arena is asked for: room for 512 GB of stacks below the heap. Another place under a sanitizer,
// which has its shadow here.
extern uintptr stackHint GOSYM("runtime.stackHint");
// schedinit: the pools. Needs physPageSize.
void stackinit() GOSYM("runtime.stackinit");
// A stack of n bytes (n a power of two) on the system stack; the slot's bounds go to *base (guard's start) and *slot_hi.
// Throws "out of memory" texts as Go when the address space is used up.
stack stackalloc(std::uint32_t n, uintptr* base, uintptr* slot_hi) GOSYM("runtime.stackalloc");
void stackfree(uintptr base, uintptr slot_hi) GOSYM("runtime.stackfree");
// A new g with a stack of at least stacksize bytes, rounded up to a power of two. status _Gidle, everything else zero but
// stack, stackguard0/1, stackbase, stackslot_hi. stacksize < 0: a g without a stack. For goroutines (stacksize
// up to kStackSlot/2, g0s and gsignals too) the g lies in its own slot; else it comes from persistentalloc.
g* malg(std::int32_t stacksize) GOSYM("runtime.malg");
// Frees what malg made for a g0 or gsignal when its M has ended.
void gfreestack(g* gp);
// Undoes growth when a G dies: lo back to hi - StackMin; pages below are kept until the collector returns them.
void stackreset(g* gp);
// Which goroutine's slot an address lies in, null if none (signal handler, debugger). Async-signal-safe.
g* stackowner(uintptr addr);

// ---- growth beyond the slot ----
//
//   segment: its own mapping, or one from the cache
//   base ┌────────┬───────┬──────────────────────────────┬──────────┐ base + len
//        │ guard  │ slack │ lo …… usable …… hi            │ stackseg │
//        └────────┴───────┴──────────────────────────────┴──────────┘
//
// A goroutine's segments form a chain through next, each larger than the one before; it hops to the next when it calls
// a function that does not fit, and back when that returns. The chain stays while the goroutine lives, so that a call in
// a loop at a border is a hop, not an allocation; the collector cuts off what was not used (stackshrink).
struct stackseg {
  stack stk;          // init: the usable bytes
  uintptr size;       // init: stk.hi - stk.lo
  stackseg* next;     // owner: the larger one behind this, made by an earlier hop
  stackseg* outer;    // owner, while in use: the segment we came from, null for the slot
  stack outerstack;   // owner, while in use: that one's bounds
  uintptr outersp;    // owner, while in use: how deep that one is in use
  uintptr base, len;  // init: the mapping
  bool split;         // init: its guard is a mapping of its own, by mprotect
};
constexpr uintptr kFirstSegment = 64 * 1024;
constexpr uintptr kMaxSegment = 64 * 1024 * 1024;  // they double up to this

// A segment with at least size usable bytes; null when the kernel refuses. On g0.
stackseg* newseg(uintptr size) GOSYM("runtime.newseg");
void freeseg(stackseg* s) GOSYM("runtime.freeseg");
// Makes the guard of a segment whose mapping begins at base, as that of a slot is made. True: by mprotect; unguardSegment
// is told when that one is gone. On kernels without guard regions there may be none.
bool guardSegment(uintptr base);
void unguardSegment();
// Frees the segments behind the one gp runs on. gp is stopped, or this runs on its g0.
void stackshrink(g* gp) GOSYM("runtime.stackshrink");
// Bytes of stack gp has: its slot's and those of the segments it is on.
uintptr stacksize(const g* gp);
// Whether addr is in the guard region under the stack that gp runs on. Async-signal-safe.
bool inStackGuard(const g* gp, uintptr addr);

// Calls f(lo, hi) for each used part of gp's stack, innermost first; sp is where the innermost begins.
template <class F>
void eachStackRange(const g* gp, uintptr sp, F f) {
  f(sp, gp->stack.hi);
  for (const stackseg* s = gp->segs; s != nullptr; s = s->outer) f(s->outersp, s->outerstack.hi);
}

struct stackstats {
  std::uint64_t slots, inuse, segments, reserved;
};
stackstats readstackstats();

}  // namespace runtime

// What sanitizers must be told of goroutines, where one is linked into the program.
//
// AddressSanitizer knows the bounds of the stack that a thread runs on: it clears the marks that a throw leaves behind on
// it, and reports name it. So it is told of every switch (asm: FIBER), before SP changes. Its "fake stack", on which
// locals lie under detect_stack_use_after_return, is the goroutine's and dies with it.
//
// The runtime itself is compiled without instrumentation; what it must add for that:
//   - a goroutine's end, and an exception that leaves a segment, clear the marks on the stack that others will use
//   - LeakSanitizer searches the stacks of goroutines and the runtime's heap, too, when the program ends
//   - arenas lie where no shadow is
//
// ThreadSanitizer keeps a "fiber" for each goroutine and is told of the switches in the same places. That a goroutine comes
// after the one that its thread ran before is taken for an order: so it finds races between goroutines on different
// threads. What locks, channels and run queues order it hears from atomic operations (base/atomic.h), in a library that
// was built for that.
//
// The functions are weak: a program without a sanitizer has none of them, and pays a test of a byte for each switch.
#include <stdlib.h>

#include "runtime/base/hooks.h"
#include "runtime/cgo/cgo.h"
#include "runtime/os/os_linux.h"
#include "runtime/mem/mheap.h"
#include "runtime/mem/stack.h"

extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __asan_unpoison_memory_region(const void* at, std::size_t n);
[[gnu::weak]] void* __asan_region_is_poisoned(void* at, std::size_t n);
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* save, const void** bottom, std::size_t* size);
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_acquire(void* at);
[[gnu::weak]] void __tsan_release(void* at);
[[gnu::weak]] void __lsan_register_root_region(const void* at, std::size_t n);
}

namespace runtime {

namespace {

// What FIBER says beside the goroutine.
enum : uintptr { fiberGoesOn = 0, fiberDies = 1, fiberUnwound = 2 };

// Eleven classes of frames of 256 KB, and their flags before them: what is made for a stack of a slot's size. For one that
// was made on a large segment this is the smaller part.
constexpr uintptr kFakeStack = (11 << 18) + (2 << 12);

// The stack that gp is on: down to the guard region, since code without checks goes below stack.lo.
stack bounds(const g* gp) {
  uintptr base = gp->segs != nullptr ? gp->segs->base : gp->stackbase;
  return {base != 0 ? base + kStackGuardRegion : gp->stack.lo, gp->stack.hi};
}

void unpoison(uintptr lo, uintptr hi) {
  // Asked first: writing zeros to a shadow that has none but zeros would make pages of it.
  if (__asan_region_is_poisoned(reinterpret_cast<void*>(lo), hi - lo) != nullptr)
    __asan_unpoison_memory_region(reinterpret_cast<void*>(lo), hi - lo);
}

void unpoisonAll(const g* gp) {
  if (gp->stackbase == 0) return;
  for (const stackseg* s = gp->segs; s != nullptr; s = s->outer) unpoison(s->base + kStackGuardRegion, s->stk.hi);
  uintptr top = gp->stackslot_hi - gp->stackbase == kStackSlot ? reinterpret_cast<uintptr>(gp) : gp->stackslot_hi;
  unpoison(gp->stackbase + kStackGuardRegion, top);
}

void tsanSwitch(uintptr how, g* from, g* to) {
  if (from == to) return;
  if (to->fiber == nullptr) to->fiber = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(to->fiber, 0);
  if (how != fiberDies) return;
  __tsan_destroy_fiber(from->fiber);
  from->fiber = nullptr;
}

}  // namespace

void fiberswitch(uintptr how, g* to) GOSYM("runtime.fiberswitch");

// From runtime.fiber. Before SP changes; getg() is the goroutine that stops, or to itself when it goes to another segment of its stack.
void fiberswitch(uintptr how, g* to) {
  g* from = getg();
  if (__tsan_switch_to_fiber != nullptr) return tsanSwitch(how, from, to);
  stack s = bounds(to);
  if (how == fiberDies) unpoisonAll(from);
  __sanitizer_start_switch_fiber(how == fiberDies ? nullptr : &from->fiber, reinterpret_cast<void*>(s.lo), s.hi - s.lo);
  __sanitizer_finish_switch_fiber(to->fiber, nullptr, nullptr);
  to->fiber = nullptr;
  if (how == fiberUnwound) {
    unpoison(to->segnext->base + kStackGuardRegion, to->segnext->stk.hi);
    unpoison(reinterpret_cast<uintptr>(__builtin_frame_address(0)), s.hi);
  }
}

namespace {

void root(uintptr lo, uintptr hi) { __lsan_register_root_region(reinterpret_cast<void*>(lo), hi - lo); }

bool othersRun() {
  std::uint64_t n = atomic::LoadAcq(&allglen);
  for (std::uint64_t i = 0; i < n; i++)
    if (allgptr[i] != getg() && atomic::Load(&allgptr[i]->atomicstatus) == _Grunning) return true;
  return false;
}

// Before LeakSanitizer's own look at the end. It knows the stacks that threads are on, not those of goroutines that wait;
// from them it gets what is in use. From here on all shall stay as it is: other goroutines are asked to stop, for a tenth
// of a second, since one may be in a call of libc's for ever; and who ends the program keeps its thread and its P.
void registerRoots() {
  if (cgo::onGoroutine()) {
    acquirem();
    hooks.freezetheworld();
    for (int i = 0; i < 100 && othersRun(); i++) {
      preemptall();
      usleep(1000);
    }
  }
  std::uint64_t n = atomic::LoadAcq(&allglen);
  for (std::uint64_t i = 0; i < n; i++) {
    const g* gp = allgptr[i];
    std::uint32_t status = atomic::Load(&gp->atomicstatus);
    if (status == _Gdead || status == _Gidle || gp->stackbase == 0) continue;
    root(reinterpret_cast<uintptr>(gp), reinterpret_cast<uintptr>(gp + 1));
    if (gp->fiber != nullptr)
      root(reinterpret_cast<uintptr>(gp->fiber), reinterpret_cast<uintptr>(gp->fiber) + kFakeStack);
    if (gp != getg() && status == _Grunning) {  // it has not stopped yet, and may do so anywhere
      root(bounds(gp).lo, gp->stack.hi);
      continue;
    }
    uintptr sp = gp == getg() ? reinterpret_cast<uintptr>(__builtin_frame_address(0)) : gp->sched.sp;
    if (sp >= gp->stack.lo - kStackSlack && sp < gp->stack.hi) root(sp, gp->stack.hi);
    for (const stackseg* seg = gp->segs; seg != nullptr; seg = seg->outer) root(seg->outersp, seg->outerstack.hi);
  }
  for (std::uint32_t i = 0; i < mheap_.narenas; i++) root(arenaList[i]->base, arenaList[i]->base + heapArenaBytes);
}

}  // namespace

namespace cgo {

std::uint8_t sanitizing;

void sanitizerInit() {
  if (__tsan_switch_to_fiber != nullptr) {
#ifdef BOOT_TSAN
    sanitizing = 1;
    g0.fiber = __tsan_get_current_fiber();
    return;
#else
    static constexpr char text[] = "fatal: for ThreadSanitizer boot must be built with -DBOOT_SANITIZE=thread\n";
    write1(2, text, sizeof text - 1);
    exit(2);
#endif
  }
  if (__sanitizer_start_switch_fiber == nullptr || __asan_region_is_poisoned == nullptr) return;
  if (__asan_init != nullptr) __asan_init();
  sanitizing = 1;
  stackHint = 0x200000000000;
  arenaHint = 0x300000000000;
  if (__lsan_register_root_region != nullptr) atexit(registerRoots);
}

void sanitizerThread(m* mp) {
  mp->g0->fiber = __tsan_get_current_fiber != nullptr ? __tsan_get_current_fiber() : nullptr;
}

}  // namespace cgo

#ifdef BOOT_TSAN
// Not from a signal handler: what it has interrupted may be the sanitizer itself.
static bool tsanAsks() {
  g* gp = getg();
  return cgo::sanitizing != 0 && gp != nullptr && gp->m != nullptr && gp != gp->m->gsignal;
}
void atomic::tsanAcquire(const volatile void* p) {
  if (tsanAsks()) __tsan_acquire(const_cast<void*>(p));
}
void atomic::tsanRelease(const volatile void* p) {
  if (tsanAsks()) __tsan_release(const_cast<void*>(p));
}
#endif

}  // namespace runtime

// Function-local statics: __cxa_guard_acquire, _release and _abort, by goroutines and by threads of libc.
//
// As cxx/guard.cpp, but who waits sleeps in the kernel, on a goroutine without its P: the one that constructs may be a
// thread without a g, which could not ready a goroutine.
//
// The guard's 8 bytes:  word[0]: bit 0 done, bit 8 being constructed, bit 16 somebody waits
//                       word[1]: low half of the constructing goroutine's or thread's address, to recognise recursion
#include "runtime/base/atomic.h"
#include "runtime/base/panic.h"
#include "runtime/cgo/cgo.h"
#include "runtime/os/os_linux.h"

namespace runtime {

const char cgo::guards = 0;

namespace {

constexpr std::uint32_t kDone = 1, kBusy = 1 << 8, kWaiters = 1 << 16;

std::uint32_t self() {
  uintptr who = reinterpret_cast<uintptr>(getg());
  if (who == 0) __asm__("movq %%fs:0, %0" : "=r"(who));
  return static_cast<std::uint32_t>(who >> 4) | 1;
}

void leave(std::uint32_t* word, std::uint32_t to) {
  atomic::StoreRelaxed(&word[1], 0);
  if (atomic::Xchg(&word[0], to) & kWaiters) futexwakeup(&word[0], INT32_MAX);
}

}  // namespace

extern "C" int __cxa_guard_acquire(std::uint64_t* guard) noexcept {
  auto word = reinterpret_cast<std::uint32_t*>(guard);
  for (;;) {
    std::uint32_t v = atomic::LoadAcq(&word[0]);
    if (v & kDone) return 0;
    if (v == 0) {
      if (!atomic::Cas(&word[0], 0, kBusy)) continue;
      atomic::StoreRelaxed(&word[1], self());
      return 1;
    }
    if (atomic::LoadRelaxed(&word[1]) == self()) fatal("initialization of a function-local static waits for itself");
    if (!(v & kWaiters) && !atomic::Cas(&word[0], v, v | kWaiters)) continue;
    cgo::outside([=] {
      futexsleep(&word[0], v | kWaiters, -1);
      return 0;
    });
  }
}

extern "C" void __cxa_guard_release(std::uint64_t* guard) noexcept {
  leave(reinterpret_cast<std::uint32_t*>(guard), kDone);
}

extern "C" void __cxa_guard_abort(std::uint64_t* guard) noexcept { leave(reinterpret_cast<std::uint32_t*>(guard), 0); }

}  // namespace runtime

// Function-local statics: __cxa_guard_acquire, _release and _abort on goroutines.
//
// The compiler tests the guard's first byte itself and calls here only while it is 0. libsupc++'s own version sleeps in
// the kernel while another thread constructs; if that other "thread" is a goroutine of the same M, nobody ever wakes it.
// Here the waiter parks.
//
// The guard's 8 bytes:  word[0]: bit 0 done, bit 8 being constructed, bit 16 somebody waits
//                       word[1]: low half of the constructing goroutine's address, to recognise recursion
//
// Invariant: done is stored with release and is final. A constructor that throws puts the guard back to 0, and one of
// the waiters tries.
#include "runtime/base/atomic.h"
#include "runtime/base/panic.h"
#include "runtime/cxx/cxx.h"

namespace runtime {
namespace {

constexpr std::uint32_t kDone = 1, kBusy = 1 << 8, kWaiters = 1 << 16;

std::uint32_t self() { return static_cast<std::uint32_t>(reinterpret_cast<uintptr>(getg()) >> 4) | 1; }

void leave(std::uint32_t* word, std::uint32_t to) {
  atomic::StoreRelaxed(&word[1], 0);
  if (atomic::Xchg(&word[0], to) & kWaiters) cxx::wakeOn(&word[0], UINT32_MAX);
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
    // The standard leaves entering one's own construction again undefined. It can only hang or end; end with a name.
    if (atomic::LoadRelaxed(&word[1]) == self()) fatal("initialization of a function-local static waits for itself");
    if (!(v & kWaiters) && !atomic::Cas(&word[0], v, v | kWaiters)) continue;
    cxx::parkOn(&word[0], v | kWaiters, cxx::kForever, waitReasonSemacquire);
  }
}

extern "C" void __cxa_guard_release(std::uint64_t* guard) noexcept {
  leave(reinterpret_cast<std::uint32_t*>(guard), kDone);
}

extern "C" void __cxa_guard_abort(std::uint64_t* guard) noexcept { leave(reinterpret_cast<std::uint32_t*>(guard), 0); }

}  // namespace runtime

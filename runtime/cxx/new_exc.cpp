// operator new in all its forms. Compiled with exceptions: it is where std::bad_alloc comes from.
//
// A block of any size class is aligned to 16 bytes at least from 16 bytes on, smaller ones to 8: no object of less than
// 16 bytes can ask for more.
#include <new>

#include "runtime/mem/malloc.h"
#include "runtime/sync/onep.h"

namespace {

// What the standard asks of operator new when there is no memory: let the new handler free some, and try again.
[[gnu::noinline, gnu::cold]] void* retry(std::size_t n, std::size_t align) {
  for (;;) {
    std::new_handler h = std::get_new_handler();
    if (h == nullptr) throw std::bad_alloc();
    h();
    if (void* p = runtime::mallocManual(n, align, false)) return p;
  }
}

[[gnu::always_inline]] inline void* newAligned(std::size_t n, std::size_t align) {
  runtime::preemptpoint();
  void* p = runtime::mallocManual(n, align, false);
  if (__builtin_expect(p == nullptr, 0)) return retry(n, align);
  return p;
}

constexpr std::size_t kNewAlign = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

[[gnu::noinline]] void* newNothrow(std::size_t n, std::size_t align) noexcept {
  try {
    return newAligned(n, align);
  } catch (...) {  // a new handler may throw anything to say no
    return nullptr;
  }
}

}  // namespace

using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t n) { return newAligned(n, kNewAlign); }
void* operator new[](size_t n) { return newAligned(n, kNewAlign); }
void* operator new(size_t n, align_val_t a) { return newAligned(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, align_val_t a) { return newAligned(n, static_cast<size_t>(a)); }
void* operator new(size_t n, const nothrow_t&) noexcept { return newNothrow(n, kNewAlign); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return newNothrow(n, kNewAlign); }
void* operator new(size_t n, align_val_t a, const nothrow_t&) noexcept { return newNothrow(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, align_val_t a, const nothrow_t&) noexcept {
  return newNothrow(n, static_cast<size_t>(a));
}

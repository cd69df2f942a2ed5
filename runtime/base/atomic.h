// Atomic operations under Go's names (runtime/internal/atomic).
//
// Owns: nothing; thin names over the compiler's builtins. Load and Store are sequentially consistent, as Go's are;
// on amd64 Load is a plain mov, Store an xchg. The Acq/Rel forms are for places whose comment says why they suffice.
#pragma once

#include <cstdint>
#include <type_traits>

namespace runtime::atomic {

// A library for programs under ThreadSanitizer (BOOT_SANITIZE=thread) says at each operation what it orders: the sanitizer
// does not see them, and would take what a channel hands over for a race. Elsewhere these are nothing.
#ifdef BOOT_TSAN
void tsanAcquire(const volatile void* p) __asm__("runtime.tsanAcquire");
void tsanRelease(const volatile void* p) __asm__("runtime.tsanRelease");
#else
[[gnu::always_inline]] inline void tsanAcquire(const volatile void*) {}
[[gnu::always_inline]] inline void tsanRelease(const volatile void*) {}
#endif

template <class T>
[[gnu::always_inline]] inline T Load(const T* p) {
  T v = __atomic_load_n(p, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
  return v;
}
template <class T>
[[gnu::always_inline]] inline T LoadAcq(const T* p) {
  T v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
  tsanAcquire(p);
  return v;
}
template <class T>
[[gnu::always_inline]] inline T LoadRelaxed(const T* p) {
  return __atomic_load_n(p, __ATOMIC_RELAXED);
}
template <class T>
[[gnu::always_inline]] inline void Store(T* p, std::type_identity_t<T> v) {
  tsanRelease(p);
  __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}
template <class T>
[[gnu::always_inline]] inline void StoreRel(T* p, std::type_identity_t<T> v) {
  tsanRelease(p);
  __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
template <class T>
[[gnu::always_inline]] inline void StoreRelaxed(T* p, std::type_identity_t<T> v) {
  __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
template <class T>
[[gnu::always_inline]] inline bool Cas(T* p, std::type_identity_t<T> old, std::type_identity_t<T> v) {
  tsanRelease(p);
  bool done = __atomic_compare_exchange_n(p, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
  return done;
}
template <class T>
[[gnu::always_inline]] inline bool CasRel(T* p, std::type_identity_t<T> old, std::type_identity_t<T> v) {
  tsanRelease(p);
  return __atomic_compare_exchange_n(p, &old, v, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
template <class T>
[[gnu::always_inline]] inline T Xadd(T* p, std::type_identity_t<T> d) {  // the new value, as Go's
  tsanRelease(p);
  T got = __atomic_add_fetch(p, d, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
  return got;
}
template <class T>
[[gnu::always_inline]] inline T Xchg(T* p, std::type_identity_t<T> v) {
  tsanRelease(p);
  T got = __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
  return got;
}
template <class T>
[[gnu::always_inline]] inline void And(T* p, std::type_identity_t<T> v) {
  tsanRelease(p);
  __atomic_and_fetch(p, v, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
}
template <class T>
[[gnu::always_inline]] inline void Or(T* p, std::type_identity_t<T> v) {
  tsanRelease(p);
  __atomic_or_fetch(p, v, __ATOMIC_SEQ_CST);
  tsanAcquire(p);
}

}  // namespace runtime::atomic

// Garbage-collected memory: New<T>, make_slice<T>, finalizers, and the collector's controls under Go's names.
//
//   auto* n = New<Node>(left, right);            lives while anything points to it
//   std::span<int> s = make_slice<int>(1000);    zeroed
//
// What keeps an object: any word in a stack, a register, a global, a block of operator new or malloc, or another live
// object that points to it or into it (a pointer just behind its end does not). Objects do not move.
//
// Who owns a block of operator new is not known, so whatever such a block points to is kept. A std::map, set, list or
// unordered_map has blocks that point back to it while it is not empty: an object that has one as a member is never freed.
// Let it have a std::unique_ptr to one. Vectors, strings, deques and smart pointers do not point back by themselves; but a
// parent with a vector of children that point to their parent is never freed, since the vector's block keeps the children.
//
// Objects that hold no pointers are not searched for any: numbers, enums, arrays of those, and what a program declares:
//   template <> inline constexpr bool boot::noscan<Pixel> = true;
// Declare it only of types without pointers, or what they point to is freed while in use.
//
// The destructor of an object made by New runs when the collector finds it unreachable, on the finalizer goroutine, some
// time later or, at the program's end, never. Types without one are cheaper. All that are found unreachable together are
// destroyed one after the other, each once, circles too:
//   - An object comes before those that it points to, directly or by way of others, unless they point back to it. So a
//     destructor may use what its object points to. Of a circle's members some are destroyed already when another one's
//     turn comes, in no order that is promised: their memory is there until all are done, their values are not.
//   - A destructor may make anything reachable again, its own object or others. What is reachable stays allocated, but it
//     is destroyed all the same, if it had its turn coming, and only once.
//   - One that waits keeps the others waiting; a panic that leaves one ends the program.
#pragma once

#include <array>
#include <bit>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "boot/needs.h"
#include "runtime/gc/mstats.h"

namespace runtime {

void* mallocgc(std::size_t n, std::uint32_t flags) __asm__("runtime.mallocgc");
[[noreturn]] void panicmakeslicelen() __asm__("runtime.panicmakeslicelen");
bool setfinalizer(void* obj, void (*fn)(void* obj, void* closure), void* closure,
                  bool tiny) __asm__("runtime.SetFinalizer");
void setdestructor(void* obj, void (*fn)(void* obj, void* closure)) __asm__("runtime.setdestructor");

namespace debug {
// GOGC: the heap may grow by this many percent of what the last collection left; < 0: no collections. Returns the old.
std::int32_t SetGCPercent(std::int32_t percent) __asm__("runtime.debug.SetGCPercent");
// GOMEMLIMIT: bytes that the program shall stay below, by collecting more often; < 0 only asks. Returns the old.
std::int64_t SetMemoryLimit(std::int64_t limit) __asm__("runtime.debug.SetMemoryLimit");
// Collects, and gives all free pages back to the kernel.
void FreeOSMemory() __asm__("runtime.debug.FreeOSMemory");
}  // namespace debug

}  // namespace runtime

namespace boot {

// Whether a T holds no pointers to collected objects. Specialise it for your own types.
template <class T>
inline constexpr bool noscan =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::byte> || std::is_empty_v<T>;
template <class T>
inline constexpr bool noscan<const T> = noscan<T>;
template <class T, std::size_t N>
inline constexpr bool noscan<T[N]> = noscan<T>;
template <class T, std::size_t N>
inline constexpr bool noscan<std::array<T, N>> = noscan<T>;
template <class T>
inline constexpr bool noscan<std::complex<T>> = true;
template <class A, class B>
inline constexpr bool noscan<std::pair<A, B>> = noscan<A>&& noscan<B>;

namespace detail {

constexpr std::size_t maxAlloc = std::size_t{1} << 47;

// Bytes to ask for, of at most maxAlloc: mallocgc aligns to 16, and blocks of a power of two to their size.
template <class T>
constexpr std::size_t allocSize(std::size_t n) {
  static_assert(alignof(T) <= 8192, "alignment above a page of the heap");
  static_assert(sizeof(T) <= maxAlloc, "larger than the address space");
  if constexpr (alignof(T) > 16) return std::bit_ceil(n < alignof(T) ? alignof(T) : n);
  return n;
}
constexpr std::uint32_t kNoscan = 1, kNeedzero = 2;
// Such objects may share a block with others.
template <class T>
inline constexpr bool tiny = noscan<T> && sizeof(T) < 16;

}  // namespace detail

// A new T, made from args, zeroed where the constructor leaves it.
template <class T, class... Args>
T* New(Args&&... args) {
  detail::needConcurrentMarking();
  void* p = runtime::mallocgc(detail::allocSize<T>(sizeof(T)), (noscan<T> ? detail::kNoscan : 0) | detail::kNeedzero);
  T* t;
  if constexpr (sizeof...(Args) == 0 && std::is_trivially_default_constructible_v<T>)
    t = ::new (p) T;  // it is zero already
  else if constexpr (std::is_constructible_v<T, Args...>)
    t = ::new (p) T(std::forward<Args>(args)...);
  else
    t = ::new (p) T{std::forward<Args>(args)...};  // an aggregate
  if constexpr (!std::is_trivially_destructible_v<T>)
    runtime::setdestructor(p, [](void* obj, void*) { static_cast<T*>(obj)->~T(); });
  return t;
}

// n zeroed Ts that live while anything points into them. T must not need a constructor or destructor. Panics if n is more
// than the address space holds.
template <class T>
std::span<T> make_slice(std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "make_slice is for plain types; use std::vector for others");
  std::size_t bytes;
  detail::needConcurrentMarking();
  if (__builtin_mul_overflow(n, sizeof(T), &bytes) || bytes > detail::maxAlloc) runtime::panicmakeslicelen();
  void* p = runtime::mallocgc(detail::allocSize<T>(bytes), (noscan<T> ? detail::kNoscan : 0) | detail::kNeedzero);
  return {static_cast<T*>(p), n};
}

}  // namespace boot

namespace runtime {

// Runs f(obj) on a goroutine of its own kind some time after obj became unreachable. obj is what New returned. What f
// holds must not refer to obj, or obj never becomes unreachable. A second one is fatal; nullptr takes it away. As in Go, of
// two objects of which one points to the other, that one is finalized first and the other in a later cycle; a circle of
// which a member has a finalizer is never freed.
template <class T, class F>
void SetFinalizer(T* obj, F f) {
  F* closure = new F(std::move(f));
  setfinalizer(
      obj,
      [](void* o, void* c) {
        F g(std::move(*static_cast<F*>(c)));
        delete static_cast<F*>(c);
        if (o != nullptr) g(static_cast<T*>(o));  // null: taken away
      },
      closure, boot::detail::tiny<T>);
}
template <class T>
void SetFinalizer(T* obj, std::nullptr_t) {
  setfinalizer(obj, nullptr, nullptr, boot::detail::tiny<T>);
}

}  // namespace runtime

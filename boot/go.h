// boot::go(f, args...): starts f(args...) on a new goroutine.
//
// The function and its arguments are decayed and moved, as std::thread does it, straight onto the new goroutine's own
// stack: a go statement allocates nothing. The new goroutine calls f once with the arguments as rvalues, and destroys
// all of it when f has returned or an exception (Goexit too) has left it.
//
// Invariants
//   - A constructor that throws leaves no goroutine behind, and the exception goes to the caller.
//   - A nil function pointer is fatal here, in the go statement, as in Go.
// Way not taken: std::function. It would allocate, and it wants copyable closures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace runtime {
// The two halves of a go statement, see runtime/sched/proc.h.
struct g;
g* newproc_begin(void (*fn)(void*), std::size_t narg, std::size_t align, std::uintptr_t callerpc,
                 void** data) __asm__("runtime.newproc.begin");
void newproc_commit(g* newg) __asm__("runtime.newproc.commit");
void newproc_abort(g* newg) __asm__("runtime.newproc.abort");
}  // namespace runtime

namespace boot {

namespace detail {

// The first function of a goroutine: runs the closure in its block and destroys it. Its name stands in tracebacks just
// above goexit; the user's function is what it calls.
template <class C>
void gorun(void* block) {
  if constexpr (std::is_empty_v<C> && std::is_trivially_copyable_v<C>) {
    alignas(C) unsigned char nothing[sizeof(C)];  // a closure without data has no block
    (*reinterpret_cast<C*>(nothing))();
  } else {
    C* c = static_cast<C*>(block);
    struct cleanup {
      C* c;
      ~cleanup() { c->~C(); }
    } guard{c};
    (*c)();
  }
}

// The address of the go statement, which becomes g.gopc ("created by").
[[gnu::always_inline, gnu::artificial]] inline std::uintptr_t herepc() {
  std::uintptr_t pc;
  __asm__ volatile("leaq 0(%%rip), %0" : "=r"(pc));
  return pc;
}

// make() returns the closure, which is thereby built in its place on the new stack.
template <class Make>
[[gnu::always_inline, gnu::artificial]] inline void start(Make&& make, bool isnil) {
  using C = decltype(make());
  void (*fn)(void*) = isnil ? nullptr : &gorun<C>;
  void* block;
  if constexpr (std::is_empty_v<C> && std::is_trivially_copyable_v<C>) {
    runtime::newproc_commit(runtime::newproc_begin(fn, 0, 1, herepc(), &block));
  } else {
    struct pending {
      runtime::g* newg;
      ~pending() {
        if (newg != nullptr) runtime::newproc_abort(newg);
      }
    } p{runtime::newproc_begin(fn, sizeof(C), alignof(C), herepc(), &block)};
    ::new (block) C(make());
    runtime::newproc_commit(std::exchange(p.newg, nullptr));
  }
}

}  // namespace detail

template <class F, class... Args>
[[gnu::always_inline, gnu::artificial]] inline void go(F&& f, Args&&... args) {
  static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
                "boot::go(f, args...): f must be callable with the decayed args as rvalues");
  bool nil = false;
  if constexpr (std::is_pointer_v<std::decay_t<F>> || std::is_member_pointer_v<std::decay_t<F>>) {
    std::decay_t<F> fp = f;
    nil = fp == nullptr;
  }
  if constexpr (sizeof...(Args) == 0 && std::is_class_v<std::decay_t<F>>) {
    detail::start([&]() -> std::decay_t<F> { return std::forward<F>(f); }, nil);
  } else {
    detail::start(
        [&] {
          return [fn = std::decay_t<F>(std::forward<F>(f)),
                  ... a = std::decay_t<Args>(std::forward<Args>(args))]() mutable {
            std::apply(std::move(fn), std::forward_as_tuple(std::move(a)...));
          };
        },
        nil);
  }
}

}  // namespace boot

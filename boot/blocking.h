// boot::blocking(f): calls f, which may block the thread, and meanwhile lends the P to other goroutines.
//
// It is what Go does around a call into C. For a library's calls that wait in the kernel (a database, a name look-up, a
// std::thread's join): without it the P stays with the sleeping thread, and no other goroutine gets to run on it.
// What f throws is thrown on. It may use all of this runtime, blocking itself too: a call that needs a P gets one back for as
// long as it takes, as a callback from C does in Go, so it is slower there. f has the stack that is left and no more, and
// collected objects in its frames and registers are seen: the collector stops its thread by a signal for that, so a
// call to the kernel that f makes by itself may return EINTR.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace boot {

namespace detail {
void blockingcall(void (*f)(void*), void* arg);
}

template <class F>
std::invoke_result_t<F&> blocking(F&& f) {
  using R = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<R>) {
    detail::blockingcall([](void* p) { (*static_cast<std::remove_reference_t<F>*>(p))(); },
                         const_cast<void*>(static_cast<const void*>(std::addressof(f))));
  } else {
    static_assert(!std::is_reference_v<R>, "boot::blocking: return a pointer instead of a reference");
    std::optional<R> result;
    auto call = [&] { result.emplace(f()); };
    detail::blockingcall([](void* p) { (*static_cast<decltype(call)*>(p))(); }, &call);
    return *std::move(result);
  }
}

}  // namespace boot

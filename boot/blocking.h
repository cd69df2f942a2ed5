// boot::blocking(f): calls f, which may block the thread, and meanwhile lends the P to other goroutines.
//
// It is what Go does around a call into C. For a library's calls that wait in the kernel (a database, a name look-up, a
// std::thread's join): without it the P stays with the sleeping thread, and no other goroutine gets to run on it.
// f must not use channels, goroutines or anything else of this runtime that waits; what it throws is thrown on.
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

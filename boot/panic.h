// Panics: panic(value), the exceptions they are, and defer.
//
//   boot::defer d{[&] { boot::eprintln("runs at scope exit, during a panic too"); }};
//   try {
//     boot::panic("no such thing");            // or *p with a nil p, or 1 / 0, or a send on a closed channel
//   } catch (const boot::Panic& p) {           // this is Go's recover
//     boot::eprintln("recovered: {}", p.what());
//   }
//
// A panic is a C++ exception, thrown by panic() or by the runtime. One that nobody catches ends the program: after all
// deferred functions have run, with "panic: VALUE", the stack of the place that panicked, and exit code 2. So does any
// other exception; its value is what().
//
// What Go has and this has not: an exception on its way can't be exchanged. When a deferred function panics while a
// boot::Panic goes by, that one goes on with the new value, as in Go; while another exception goes by, a catch gets the
// old one, and only the report shows both. Likewise a Goexit in a deferred function takes the place of an exception
// that nobody catches, but a catch that it meets on the way still catches it.
#pragma once

#include <any>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "boot/iface.h"

namespace boot {

namespace detail {
struct panicaccess;
struct faultinfo {  // the hardware's signal, if that is where a panic came from
  std::uint32_t sig = 0;
  std::uintptr_t code = 0, addr = 0, pc = 0;
};
}  // namespace detail

// A panic on its way. what() is the value as Go would print it.
class Panic : public std::exception {
 public:
  // A value with a text of its own (Error(), String(), what()) is asked for it whenever somebody wants to print it: what
  // deferred functions change in it is seen.
  using render = std::string (*)(const std::any&);
  Panic(std::any value, std::string text, render r = nullptr);
  Panic(const Panic&);
  Panic& operator=(const Panic&) = delete;
  ~Panic() override;
  const char* what() const noexcept override;
  // What was given to panic(): strings of all kinds as std::string, everything else as it is. Empty for nil.
  const std::any& value() const noexcept { return value_; }

 private:
  friend struct detail::panicaccess;
  std::any value_;
  mutable std::string text_;
  render render_;                  // null: text_ is the text
  std::string chain_;              // the panics that this one replaced while they unwound: "panic: first\n\t"
  std::string recovered_;          // those whose catch blocks it was thrown in: "panic: first [recovered]\n\t"
  Panic* link_ = nullptr;          // the goroutine's next older panic
  void** list_ = nullptr;          // where the goroutine keeps its newest; null for a copy
  std::uintptr_t* pcs_ = nullptr;  // where it was thrown, if it replaced another one
  int npcs_ = 0;
  mutable bool rendering_ = false;
  int level_ = 0;  // uncaught exceptions while it is the newest of them
  detail::faultinfo fault_;
};

// A panic that the runtime found: nil dereference, division by zero, misuse of a channel.
class RuntimeError : public Panic {
 public:
  explicit RuntimeError(const std::string& text) : Panic(text, text) {}
};

namespace detail {

std::string gofloat(double v);  // Go's print of a float: +1.500000e+000
std::string addresstext(const void* p);
[[noreturn]] void throwpanic(std::any value, std::string text, Panic::render r = nullptr);

template <class T>
concept HasError = requires(const T& v) {
  std::string(v.Error());
};
template <class T>
concept HasString = requires(const T& v) {
  std::string(v.String());
};

// Types whose values make their text themselves; as in Go, pointers to them count too.
template <class T>
concept Renders = std::is_base_of_v<std::exception, T> || HasError<T> || HasString<T>;
template <class T>
concept RendersByPointer = std::is_pointer_v<T> && Renders<std::remove_cv_t<std::remove_pointer_t<T>>>;
template <class T>
concept Complex = requires(const T& v) {
  requires std::is_floating_point_v<decltype(v.real())> && std::is_floating_point_v<decltype(v.imag())>;
};

template <class T>
std::string typetext() {  // T's name; a namespace without a name is left out
  std::string s(nameOf<T>);
  for (std::string_view anon : {"{anonymous}::", "(anonymous namespace)::"})
    for (std::size_t i; (i = s.find(anon)) != s.npos;) s.erase(i, anon.size());
  return s;
}

template <class T>
std::string panictext(const T& v) {
  if constexpr (std::is_base_of_v<std::exception, T>)
    return v.what();
  else if constexpr (HasError<T>)
    return std::string(v.Error());
  else if constexpr (HasString<T>)
    return std::string(v.String());
  else if constexpr (RendersByPointer<T>)
    return panictext<std::remove_cv_t<std::remove_pointer_t<T>>>(*v);
  else if constexpr (Complex<T>)
    return "(" + gofloat(v.real()) + gofloat(v.imag()) + "i)";
  else if constexpr (std::is_same_v<T, bool>)
    return v ? "true" : "false";
  else if constexpr (std::is_integral_v<T>)
    return std::to_string(v);
  else if constexpr (std::is_floating_point_v<T>)
    return gofloat(static_cast<double>(v));
  else if constexpr (std::is_enum_v<T>)
    return typetext<T>() + "(" + std::to_string(static_cast<std::underlying_type_t<T>>(v)) + ")";
  else if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>)
    return "(" + typetext<T>() + ") " + addresstext(v);
  else
    return "(" + typetext<T>() + ") " + addresstext(__builtin_addressof(v));
}

}  // namespace detail

template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void panic(T&& value) {
  using V = std::decay_t<T>;
  if constexpr (std::is_same_v<V, std::nullptr_t>) {
    detail::throwpanic({}, "nil");
  } else if constexpr (std::is_convertible_v<const V&, std::string_view>) {
    std::string s{std::string_view(value)};
    detail::throwpanic(s, s);
  } else if constexpr (std::is_base_of_v<Panic, V>) {  // what was recovered, again
    detail::throwpanic(value.value(), value.what());
  } else if constexpr ((detail::Renders<V> || detail::RendersByPointer<V>)&&std::is_copy_constructible_v<V>) {
    detail::throwpanic(std::any(std::forward<T>(value)), {},
                       [](const std::any& v) { return detail::panictext(*std::any_cast<V>(&v)); });
  } else {
    std::string text = detail::panictext<V>(value);
    if constexpr (std::is_copy_constructible_v<V>)
      detail::throwpanic(std::any(std::forward<T>(value)), std::move(text));
    else
      detail::throwpanic({}, std::move(text));
  }
}

namespace detail {
// Runs a deferred function while something unwinds: a panic that comes out of it takes its place.
void rundeferred(void (*call)(void*), void* f);
// How many exceptions and Goexits are on their way through this goroutine.
int unwinding() noexcept;
}  // namespace detail

// Runs f when its scope is left, by whatever way, Goexit included. Deferred functions run last-declared first.
template <class F>
class [[nodiscard]] defer {
 public:
  explicit defer(F f) : f_(std::move(f)), unwinding_(detail::unwinding()) {}
  defer(const defer&) = delete;
  defer& operator=(const defer&) = delete;
  ~defer() noexcept(false) {
    if (detail::unwinding() > unwinding_)
      detail::rundeferred([](void* f) { (*static_cast<F*>(f))(); }, &f_);
    else
      f_();
  }

 private:
  F f_;
  int unwinding_;
};

}  // namespace boot

namespace runtime {

// Ends the calling goroutine after its deferred functions have run. Called by main, the others go on; when the last of
// them has ended too the program dies of a deadlock.
[[noreturn]] void Goexit() __asm__("runtime.Goexit");

}  // namespace runtime

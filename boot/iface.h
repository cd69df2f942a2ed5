// boot::iface<I>: a value that holds a pointer of any type that has I's methods. Go's interface values in C++.
//
//   struct Shape {                                  // the interface: one pointer to a function for each method,
//     double (*area)(void*);                        // whose first argument stands for the object
//     BOOT_INTERFACE(Shape, area)
//   };
//   struct Circle { double r; double area(); };
//   BOOT_METHODS(Circle, area);                     // for assertions to interfaces that Circle was never converted to
//
//   Circle c{2};
//   boot::iface<Shape> s = &c;                      // checked when compiled, as in Go
//   s.call<&Shape::area>();
//   auto [q, ok] = s.as_ok<Square>();               // is it a *Square? q is null if not
//   auto n = s.as<Named>();                         // or something Named? Panics as Go does if not
//
// An iface is two words, does not own its object, and is nil by default; a call through nil is a nil dereference. What
// Go has and this has not: methods are called by call<>, and a type must say BOOT_METHODS to be found at run time, since
// C++ keeps no list of a type's methods.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "runtime/sched/iface.h"

namespace boot {

struct Any;  // the interface without methods, which every pointer fits

namespace detail {

template <class T>
constexpr std::string_view nameof() {  // "… [with T = X; std::string_view = …]" (gcc), "… [T = X]" (clang)
  if constexpr (std::is_same_v<T, Any>) return "interface {}";
  std::string_view s = __PRETTY_FUNCTION__;
  s.remove_prefix(s.find("T = ") + 4);
  return s.substr(0, s.find_first_of(";]"));
}

constexpr std::uint32_t fnv(std::string_view s) {
  std::uint32_t h = 2166136261u;
  for (char c : s) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h;
}

template <class T>
inline constexpr std::string_view nameOf = nameof<T>();
template <class T>
inline constexpr runtime::rtype rtypeOf = {nameOf<T>.data(), static_cast<std::uint32_t>(nameOf<T>.size()),
                                           fnv(nameOf<T>),
                                           !std::is_class_v<T> && !std::is_union_v<T> && !std::is_enum_v<T>};
template <class F>
inline constexpr char sigOf = 0;  // only its address counts

template <class I>
concept Interface = requires {
  typename I::boot_interface;
};

// What a method of an interface looks like: R (*)(void*, A...).
template <class F>
struct signature;
template <class R, class... A>
struct signature<R (*)(void*, A...)> {
  static constexpr const void* id = &sigOf<R(A...)>;
  template <class T, class Call>
  static R thunk(void* p, A... a) {
    return Call{}(static_cast<T*>(p), std::forward<A>(a)...);
  }
};

// The same from a member function's side. qualifiers do not matter: the object is reached through a pointer.
template <class F>
struct member;
#define BOOT_MEMBER(...)                                         \
  template <class T, class R, class... A>                        \
  struct member<R (T::*)(A...) __VA_ARGS__> {                    \
    static constexpr const void* id = &sigOf<R(A...)>;           \
    template <auto M, class Self>                                \
    static R thunk(void* p, A... a) {                            \
      return (static_cast<Self*>(p)->*M)(std::forward<A>(a)...); \
    }                                                            \
  };
BOOT_MEMBER()
BOOT_MEMBER(const)
BOOT_MEMBER(noexcept)
BOOT_MEMBER(const noexcept)
#undef BOOT_MEMBER

template <class I>
inline constexpr auto methodsOf = I::boot_methods();
template <class I>
inline constexpr runtime::interfacetype interfaceOf = {nameOf<I>.data(), static_cast<std::uint32_t>(nameOf<I>.size()),
                                                       fnv(nameOf<I>), methodsOf<I>.data(), methodsOf<I>.size()};
template <class I, class T>
inline constexpr I boundOf = I::template boot_bind<T>();
template <class I, class T>
inline constexpr runtime::itab itabOf = {&interfaceOf<I>, &rtypeOf<T>, rtypeOf<T>.hash, 0, &boundOf<I, T>};

// Puts the pair into the section that itabsinit reads. (gcc ignores section attributes on templates, hence assembly.)
template <class I, class T>
[[gnu::always_inline]] inline const runtime::itab* convert() {
  __asm__(".pushsection boot_itabs, \"aw\", @progbits\n\t.balign 8\n\t.quad %c0\n\t.popsection" ::"i"(&itabOf<I, T>));
  return &itabOf<I, T>;
}

// A failed assertion panics with Go's text, "interface conversion: …". inter is the interface that was asked (null: any),
// concrete what is in it (null: nothing); wanted is the type or interface asked for.
[[noreturn]] void panicassert(const runtime::interfacetype* inter, const runtime::rtype* concrete,
                              const runtime::rtype* wanted);
[[noreturn]] void panicassert(const runtime::rtype* concrete, const runtime::interfacetype* wanted,
                              const char* missing);

}  // namespace detail

template <class I>
class iface {
  static_assert(detail::Interface<I>, "boot::iface<I>: I needs BOOT_INTERFACE(I, methods...)");

 public:
  constexpr iface() = default;
  constexpr iface(std::nullptr_t) {}
  template <class T>
  requires(!std::is_void_v<T> && !std::is_function_v<T>) iface(T* p)
      : tab_(detail::convert<I, T>()), data_(const_cast<void*>(static_cast<const volatile void*>(p))) {}

  template <auto M, class... A>
  decltype(auto) call(A&&... a) const {
    const I* fun = static_cast<const I*>(tab_->fun);
    return (fun->*M)(data_, std::forward<A>(a)...);
  }

  explicit operator bool() const { return tab_ != nullptr; }
  const runtime::rtype* type() const { return tab_ != nullptr ? tab_->typ : nullptr; }
  void* data() const { return data_; }
  friend bool operator==(const iface& a, const iface& b) { return a.type() == b.type() && a.data_ == b.data_; }

  // The object as a T*, or as another interface.
  template <class X>
  auto as() const {
    if constexpr (detail::Interface<X>) {
      const char* missing = nullptr;
      const runtime::itab* t =
          tab_ == nullptr ? nullptr : runtime::getitab(&detail::interfaceOf<X>, tab_->typ, &missing);
      if (t == nullptr) detail::panicassert(type(), &detail::interfaceOf<X>, missing);
      return iface<X>(t, data_);
    } else {
      if (type() != &detail::rtypeOf<X>) detail::panicassert(&detail::interfaceOf<I>, type(), &detail::rtypeOf<X>);
      return static_cast<X*>(data_);
    }
  }

  // The same with the answer as a bool: {nil, false} if it is not one.
  template <class X>
  auto as_ok() const {
    if constexpr (detail::Interface<X>) {
      const runtime::itab* t =
          tab_ == nullptr ? nullptr : runtime::getitab(&detail::interfaceOf<X>, tab_->typ, nullptr);
      return std::pair<iface<X>, bool>(t != nullptr ? iface<X>(t, data_) : iface<X>(), t != nullptr);
    } else {
      bool ok = type() == &detail::rtypeOf<X>;
      return std::pair<X*, bool>(ok ? static_cast<X*>(data_) : nullptr, ok);
    }
  }

 private:
  template <class>
  friend class iface;
  iface(const runtime::itab* t, void* p) : tab_(t), data_(p) {}
  const runtime::itab* tab_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace boot

// BOOT_EACH(m, x, a, b, …): m(x, a) m(x, b) …
#define BOOT_PARENS              ()
#define BOOT_EXPAND(...)         BOOT_EXPAND3(BOOT_EXPAND3(BOOT_EXPAND3(__VA_ARGS__)))
#define BOOT_EXPAND3(...)        BOOT_EXPAND2(BOOT_EXPAND2(BOOT_EXPAND2(__VA_ARGS__)))
#define BOOT_EXPAND2(...)        BOOT_EXPAND1(BOOT_EXPAND1(BOOT_EXPAND1(__VA_ARGS__)))
#define BOOT_EXPAND1(...)        __VA_ARGS__
#define BOOT_EACH(m, x, ...)     __VA_OPT__(BOOT_EXPAND(BOOT_EACH1(m, x, __VA_ARGS__)))
#define BOOT_EACH1(m, x, a, ...) m(x, a) __VA_OPT__(BOOT_EACH2 BOOT_PARENS(m, x, __VA_ARGS__))
#define BOOT_EACH2()             BOOT_EACH1

#define BOOT_IMETHOD(I, name) {#name, ::boot::detail::signature<decltype(I::name)>::id},
#define BOOT_IBIND(I, name)                                      \
  &::boot::detail::signature<decltype(I::name)>::template thunk< \
      T, decltype([](auto* p, auto&&... a) -> decltype(auto) { return p->name(static_cast<decltype(a)>(a)...); })>,

// Inside an interface's struct, after its methods: all of them, in the order in which they stand there (up to 25).
#define BOOT_INTERFACE(I, ...)                                                       \
  using boot_interface = I;                                                          \
  static constexpr auto boot_methods() {                                             \
    return std::array<::runtime::imethod, 0 __VA_OPT__(+sizeof(I) / sizeof(void*))>{ \
        __VA_OPT__({BOOT_EACH(BOOT_IMETHOD, I, __VA_ARGS__)})};                      \
  }                                                                                  \
  template <class T>                                                                 \
  static constexpr I boot_bind() {                                                   \
    return I{BOOT_EACH(BOOT_IBIND, I, __VA_ARGS__)};                                 \
  }

#define BOOT_METHOD(T, name)                              \
  {#name, ::boot::detail::member<decltype(&T::name)>::id, \
   reinterpret_cast<void (*)()>(&::boot::detail::member<decltype(&T::name)>::template thunk<&T::name, T>)},

#define BOOT_METHODS(T, ...)     BOOT_METHODS_(T, __COUNTER__, __VA_ARGS__)
#define BOOT_METHODS_(T, n, ...) BOOT_METHODS__(T, n, __VA_ARGS__)
#define BOOT_METHODS__(T, n, ...)                                                                          \
  static const ::runtime::method boot_methods_##n[] = {BOOT_EACH(BOOT_METHOD, T, __VA_ARGS__)};            \
  static const ::runtime::uncommontype boot_uncommon_##n = {&::boot::detail::rtypeOf<T>, boot_methods_##n, \
                                                            std::size(boot_methods_##n)};                  \
  [[gnu::section("boot_methods"), gnu::used]] static const ::runtime::uncommontype* const boot_link_##n =  \
      &boot_uncommon_##n

namespace boot {
struct Any {
  BOOT_INTERFACE(Any)
};
}  // namespace boot

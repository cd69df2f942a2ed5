// select(cases...): waits until one of the cases can go on, does it, and returns its place among the arguments.
//
//   boot::select(boot::on_recv(in, [&](int v, bool ok) { ... }),
//                boot::on_send(out, 42, [&] { ... }),
//                boot::on_default([&] { ... }));
//
// As in Go: if several are ready one is taken at random; with on_default select never waits; a case with a nil channel
// is never ready; select() without a case blocks for ever. The chosen case's function runs on the calling goroutine
// after the communication is done. An exception from it leaves select.
//
// All values to be sent are evaluated before, and only the chosen one is moved from. Cases are meant to be written in
// the call: on_send refers to an rvalue of class type, it does not move from it unless the case is chosen.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "boot/chan.h"

namespace boot {

namespace detail {

struct nothing {
  void operator()() const {}
};

enum class casekind { recv, send, defaultcase };

template <class T, class F>
struct recvcase {
  static constexpr casekind kind = casekind::recv;
  using stored = typename chanelem<T>::stored;

  ::runtime::hchan* c;
  F f;
  slot<stored> s;

  recvcase(::runtime::hchan* ch, F&& fn) : c(ch), f(std::forward<F>(fn)) {}

  void* elem() { return const_cast<void*>(static_cast<const volatile void*>(std::addressof(s.v))); }
  void prepare() {}
  void lost() {}
  void run(bool received) {
    if constexpr (std::is_invocable_v<F&, T, bool>) {
      if (received)
        f(take<T>(s), true);
      else
        f(zero<T>(), false);
    } else if constexpr (std::is_invocable_v<F&, T>) {
      if (received)
        f(take<T>(s));
      else
        f(zero<T>());
    } else {
      static_assert(std::is_invocable_v<F&>, "boot::on_recv(c, f): f must be callable as f(), f(v) or f(v, ok)");
      if (received) std::destroy_at(std::addressof(s.v));
      f();
    }
  }
};

// V is T for a value kept in the case, T&& for a reference to the caller's rvalue.
template <class T, class V, class F>
struct sendcase {
  static constexpr casekind kind = casekind::send;
  static constexpr bool boxed = chanelem<T>::boxed;

  ::runtime::hchan* c;
  V v;
  F f;
  [[no_unique_address]] std::conditional_t<boxed, std::unique_ptr<T>, nothing> box{};

  template <class U>
  sendcase(::runtime::hchan* ch, U&& value, F&& fn) : c(ch), v(std::forward<U>(value)), f(std::forward<F>(fn)) {}

  void* elem() {
    if constexpr (boxed)
      return &box;
    else
      return const_cast<void*>(static_cast<const volatile void*>(std::addressof(v)));
  }
  void prepare() {
    if constexpr (boxed) box = std::make_unique<T>(std::move_if_noexcept(v));
  }
  // Not chosen: a value that had to be moved into the box goes back.
  void lost() {
    if constexpr (boxed && !std::is_copy_constructible_v<T> && std::is_move_assignable_v<T>) v = std::move(*box);
  }
  void run(bool) { f(); }
};

template <class F>
struct defaultcase {
  static constexpr casekind kind = casekind::defaultcase;

  F f;

  void prepare() {}
  void lost() {}
  void run(bool) { f(); }
};

}  // namespace detail

// Receives from c (a chan or recv_chan) and calls f(), f(v) or f(v, ok).
template <class T, class F = detail::nothing>
[[nodiscard]] auto on_recv(recv_chan<T> c, F&& f = {}) {
  return detail::recvcase<T, F>(c.native(), std::forward<F>(f));
}
template <class T, class F = detail::nothing>
[[nodiscard]] auto on_recv(chan<T> c, F&& f = {}) {
  return detail::recvcase<T, F>(c.native(), std::forward<F>(f));
}

// Sends v on c (a chan or send_chan) and calls f(). Panics if c is closed when the case is chosen.
template <class T, class U = T, class F = detail::nothing>
requires std::constructible_from<T, U&&>
[[nodiscard]] auto on_send(send_chan<T> c, U&& v, F&& f = {}) {
  constexpr bool refer = !detail::chanelem<T>::plain && std::is_same_v<U&&, T&&>;
  return detail::sendcase<T, std::conditional_t<refer, T&&, T>, F>(c.native(), std::forward<U>(v), std::forward<F>(f));
}
template <class T, class U = T, class F = detail::nothing>
requires std::constructible_from<T, U&&>
[[nodiscard]] auto on_send(chan<T> c, U&& v, F&& f = {}) {
  return on_send(send_chan<T>(c), std::forward<U>(v), std::forward<F>(f));
}

// Runs f if no other case is ready at once.
template <class F = detail::nothing>
[[nodiscard]] auto on_default(F&& f = {}) {
  return detail::defaultcase<F>{std::forward<F>(f)};
}

namespace detail {

template <class C>
inline void fillcase(C& cas, ::runtime::scase* cases, std::size_t* n) {
  if constexpr (C::kind != casekind::defaultcase) cases[(*n)++] = {cas.c, cas.elem(), C::kind == casekind::send};
}

// One channel operation, or one and a default, needs no selectgo.
template <class C>
inline ::runtime::selectresult selectone(C& cas, bool block) {
  if constexpr (C::kind == casekind::defaultcase) {
    return {-1, false};
  } else if constexpr (C::kind == casekind::send) {
    return {::runtime::chansend(cas.c, cas.elem(), block) ? 0 : -1, false};
  } else {
    auto r = ::runtime::chanrecv(cas.c, cas.elem(), block);
    return {r.selected ? 0 : -1, r.received};
  }
}

template <class... C>
std::size_t select(C&... cs) {
  constexpr std::size_t ndefault = (std::size_t{0} + ... + (C::kind == casekind::defaultcase));
  constexpr std::size_t n = sizeof...(C) - ndefault;
  static_assert(ndefault <= 1, "boot::select: more than one on_default");
  static_assert(n <= 1 << 16, "boot::select: too many cases");
  (cs.prepare(), ...);
  ::runtime::selectresult r{-1, false};
  if constexpr (n == 1) {
    ((C::kind != casekind::defaultcase ? void(r = selectone(cs, ndefault == 0)) : void()), ...);
  } else if constexpr (n > 1) {
    ::runtime::scase cases[n];
    ::runtime::selectroom room[n];
    std::size_t k = 0;
    (fillcase(cs, cases, &k), ...);
    r = ::runtime::selectgo(cases, room, static_cast<std::int64_t>(n), ndefault == 0);
  }
  // r.index counts channel cases only; turn it into the place among all.
  std::size_t place = 0, chosen = 0;
  std::int64_t index = 0;
  auto find = [&]<class D>(D& cas) {
    bool mine;
    if constexpr (D::kind == casekind::defaultcase)
      mine = r.index < 0;
    else
      mine = index++ == r.index;
    if (mine)
      chosen = place;
    else
      cas.lost();
    place++;
  };
  (find(cs), ...);
  place = 0;
  ((place++ == chosen ? cs.run(r.received) : void()), ...);
  return chosen;
}

}  // namespace detail

// See the head of this file.
template <class... C>
requires(sizeof...(C) > 0) std::size_t select(C&&... cases) { return detail::select(cases...); }
[[noreturn]] inline std::size_t select() { ::runtime::block(); }

}  // namespace boot

// Channels: chan<T>, its two directional views, make_chan.
//
// A channel is a reference, as in Go: copies of a chan<T> mean the same channel, and its memory is garbage collected.
// The default value is the nil channel, on which send and receive block for ever.
//
// How values travel. A value is constructed (copied or moved) before it enters the channel, and moved from there on:
// from the sender straight to a waiting receiver, or through the buffer. What can throw happens in the sender before
// the value enters or in the receiver after it has left; so a value is received once, or it is still the sender's.
//   - Trivially copyable types travel as bytes.
//   - Types whose move constructor is noexcept are moved by it.
//   - Others travel in a box (a unique_ptr), and only the pointer moves inside the channel.
// A send that panics because the channel is closed leaves an rvalue argument as it was.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "boot/needs.h"
#include "runtime/sync/chan.h"

namespace boot {

template <class T>
class chan;
template <class T>
class recv_chan;
template <class T>
class send_chan;

// What recv_ok returns: auto [v, ok] = c.recv_ok(); ok is false if the channel is closed and empty, v is T{} then.
template <class T>
struct received {
  T value;
  bool ok;
};

namespace detail {

// Raw room for a value.
template <class S>
union slot {
  S v;
  slot() {}
  ~slot() {}
};

// How a T is stored in a channel, and the table by which the runtime handles it.
template <class T>
struct chanelem {
  static constexpr bool plain = std::is_trivially_copyable_v<T>;
  static constexpr bool boxed = !plain && !std::is_nothrow_move_constructible_v<T>;
  using stored = std::conditional_t<boxed, std::unique_ptr<T>, T>;

  static void move(void* dst, void* src) { ::new (dst) stored(std::move(*static_cast<stored*>(src))); }
  static void destroy(void* p) { static_cast<stored*>(p)->~stored(); }

  // An empty type carries no bytes, like struct{} in Go.
  static constexpr ::runtime::elemtype type = {
      plain && std::is_empty_v<T> ? 0 : static_cast<std::uint32_t>(sizeof(stored)),
      static_cast<std::uint32_t>(alignof(stored)),
      plain ? nullptr : &move,
      plain ? nullptr : &destroy,
      std::is_arithmetic_v<T> || std::is_enum_v<T> || (plain && std::is_empty_v<T>),
  };
  static_assert(sizeof(stored) < (1u << 31), "boot::chan: the element type is too large");
};

// What a closed and empty channel gives.
template <class T>
T zero() {
  if constexpr (std::is_default_constructible_v<T>)
    return T{};
  else
    ::runtime::panicplain("receive from a closed channel of a type without default constructor");
}

// Calls op(p) with the address of a stored value made from v; op moves from it or leaves it.
template <class T, class U, class Op>
inline decltype(auto) withstored(U&& v, Op op) {
  using E = chanelem<T>;
  if constexpr (E::boxed) {
    auto box = std::make_unique<T>(std::forward<U>(v));
    return op(static_cast<void*>(&box));
  } else if constexpr (!E::plain && std::is_same_v<U&&, T&&>) {
    return op(const_cast<void*>(static_cast<const volatile void*>(std::addressof(v))));
  } else {
    T tmp(std::forward<U>(v));
    return op(const_cast<void*>(static_cast<const volatile void*>(std::addressof(tmp))));
  }
}

template <class T, class U>
inline void send(::runtime::hchan* c, U&& v) {
  withstored<T>(std::forward<U>(v), [c](void* p) { ::runtime::chansend(c, p, true); });
}

// Takes the value out of a slot that has received one; the slot is raw afterwards.
template <class T>
inline T take(slot<typename chanelem<T>::stored>& s) {
  using S = typename chanelem<T>::stored;
  struct cleanup {
    S& v;
    ~cleanup() { v.~S(); }
  } guard{s.v};
  if constexpr (chanelem<T>::boxed)
    return T(std::move(*s.v));
  else
    return T(std::move(s.v));
}

template <class T>
inline T recv(::runtime::hchan* c) {
  if constexpr (chanelem<T>::plain && std::is_default_constructible_v<T>) {
    T v{};
    ::runtime::chanrecv(c, const_cast<std::remove_cv_t<T>*>(std::addressof(v)), true);
    return v;
  } else {
    slot<typename chanelem<T>::stored> s;
    if (!::runtime::chanrecv(c, std::addressof(s.v), true).received) return zero<T>();
    return take<T>(s);
  }
}

template <class T>
inline received<T> recv_ok(::runtime::hchan* c) {
  if constexpr (chanelem<T>::plain && std::is_default_constructible_v<T>) {
    received<T> r{T{}, false};
    r.ok = ::runtime::chanrecv(c, const_cast<std::remove_cv_t<T>*>(std::addressof(r.value)), true).received;
    return r;
  } else {
    slot<typename chanelem<T>::stored> s;
    if (!::runtime::chanrecv(c, std::addressof(s.v), true).received) return {zero<T>(), false};
    return {take<T>(s), true};
  }
}

// for (auto v : c): receives until the channel is closed. *it is an rvalue: the value is yours to move from.
template <class T>
class chaniter {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  explicit chaniter(::runtime::hchan* c) : c_(c) { ++*this; }
  T&& operator*() const { return std::move(*v_); }
  chaniter& operator++() {
    v_.reset();
    slot<typename chanelem<T>::stored> s;
    if (::runtime::chanrecv(c_, std::addressof(s.v), true).received) v_.emplace(take<T>(s));
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !v_.has_value(); }

 private:
  ::runtime::hchan* c_;
  mutable std::optional<T> v_;
};

// What all three handles have in common.
class chanref {
 public:
  // Values in the buffer.
  [[nodiscard]] std::size_t len() const { return static_cast<std::size_t>(::runtime::chanlen(c_)); }
  // Slots of the buffer, 0 for an unbuffered or nil channel.
  [[nodiscard]] std::size_t cap() const { return static_cast<std::size_t>(::runtime::chancap(c_)); }
  // The runtime's own channel, for tools.
  [[nodiscard]] ::runtime::hchan* native() const { return c_; }

  // Two handles are equal if they mean the same channel; a nil channel equals nullptr.
  friend bool operator==(chanref a, chanref b) { return a.c_ == b.c_; }
  friend bool operator==(chanref a, std::nullptr_t) { return a.c_ == nullptr; }
  // False for the nil channel.
  explicit operator bool() const { return c_ != nullptr; }

 protected:
  constexpr chanref() = default;
  explicit constexpr chanref(::runtime::hchan* c) : c_(c) {}

  ::runtime::hchan* c_ = nullptr;
};

}  // namespace detail

// The receiving end of a channel.
template <class T>
class recv_chan : public detail::chanref {
 public:
  using value_type = T;

  // The nil channel.
  constexpr recv_chan() = default;
  constexpr recv_chan(std::nullptr_t) {}
  explicit recv_chan(::runtime::hchan* c) : chanref(c) {}

  // Waits for a value; T{} if the channel is closed and empty.
  T recv() const { return detail::recv<T>(c_); }
  // The same, and says which.
  received<T> recv_ok() const { return detail::recv_ok<T>(c_); }

  // Range-for: the values until the channel is closed.
  auto begin() const { return detail::chaniter<T>(c_); }
  std::default_sentinel_t end() const { return {}; }
};

// The sending end of a channel.
template <class T>
class send_chan : public detail::chanref {
 public:
  using value_type = T;

  // The nil channel.
  constexpr send_chan() = default;
  constexpr send_chan(std::nullptr_t) {}
  explicit send_chan(::runtime::hchan* c) : chanref(c) {}

  // Waits until a receiver or the buffer takes the value. Panics if the channel is or gets closed.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void send(U&& v) const { detail::send<T>(c_, std::forward<U>(v)); }
  // No more values will come: receivers get what is in the buffer, then T{}. Panics if it is nil or closed already.
  void close() const { ::runtime::closechan(c_); }
};

// Both ends. Converts to either view.
template <class T>
class chan : public detail::chanref {
 public:
  using value_type = T;

  // The nil channel.
  constexpr chan() = default;
  constexpr chan(std::nullptr_t) {}
  explicit chan(::runtime::hchan* c) : chanref(c) {}

  // See send_chan.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void send(U&& v) const { detail::send<T>(c_, std::forward<U>(v)); }
  void close() const { ::runtime::closechan(c_); }

  // See recv_chan.
  T recv() const { return detail::recv<T>(c_); }
  received<T> recv_ok() const { return detail::recv_ok<T>(c_); }
  auto begin() const { return detail::chaniter<T>(c_); }
  std::default_sentinel_t end() const { return {}; }

  operator recv_chan<T>() const { return recv_chan<T>(c_); }
  operator send_chan<T>() const { return send_chan<T>(c_); }
};

// A channel with room for cap values; with none (the default) a send waits for its receiver. Panics on a bad size.
template <class T>
chan<T> make_chan(std::int64_t cap = 0) {
  detail::needConcurrentMarking();
  if constexpr (!detail::chanelem<T>::plain) detail::needFinalizers();
  return chan<T>(::runtime::makechan(&detail::chanelem<T>::type, cap));
}

}  // namespace boot

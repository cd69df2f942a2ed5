// Go's package time: Sleep, Now, Since, After, Tick, AfterFunc, Timer, Ticker. Durations are std::chrono's.
//
// Time is the monotonic clock, as a std::chrono::time_point: differences are durations and can't jump.
// Timers mean what they mean in Go: a channel timer sends the time into a channel of capacity 1 and drops it if that is
// full; a timer whose handle is gone still fires; Stop and Reset don't empty the channel.
#pragma once

#include <chrono>
#include <cstdint>
#include <new>
#include <ratio>
#include <type_traits>
#include <utility>

#include "boot/chan.h"
#include "runtime/sync/time.h"

namespace boot::time {

using Duration = std::chrono::nanoseconds;

// The clock behind Time; it fits std::chrono's requirements.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() { return time_point(duration(::runtime::timeNow())); }
};
using Time = Clock::time_point;
static_assert(sizeof(Time) == 8);  // what the runtime's timers send

namespace detail {

// Any duration in nanoseconds; what does not fit is the longest or shortest there is.
template <class Rep, class Period>
constexpr std::int64_t ns(std::chrono::duration<Rep, Period> d) {
  using ratio = std::ratio_divide<Period, std::nano>;
  if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, Duration>) {
    return d.count();
  } else if constexpr (std::is_integral_v<Rep> && sizeof(Rep) <= 8) {
    auto n = static_cast<__int128>(d.count()) * ratio::num / ratio::den;
    return n > INT64_MAX ? INT64_MAX : n < INT64_MIN ? INT64_MIN : static_cast<std::int64_t>(n);
  } else {
    auto n = std::chrono::duration<double, std::nano>(d).count();
    if (n >= 0x1p63) return INT64_MAX;
    if (n <= -0x1p63) return INT64_MIN;
    return n == n ? static_cast<std::int64_t>(n) : 0;
  }
}

// a - b, which saturates as Go's Time.Sub does.
constexpr Duration sub(Time a, Time b) {
  std::int64_t x = a.time_since_epoch().count(), y = b.time_since_epoch().count(), d = 0;
  if (__builtin_sub_overflow(x, y, &d)) return x < y ? Duration::min() : Duration::max();
  return Duration(d);
}

// Shared ownership of a timer of the runtime's.
class timerref {
 public:
  timerref() = default;
  explicit timerref(::runtime::apitimer* t) : t_(t) {}
  timerref(const timerref& o) : t_(o.t_) {
    if (t_ != nullptr) ::runtime::timerRef(t_);
  }
  timerref(timerref&& o) noexcept : t_(std::exchange(o.t_, nullptr)) {}
  timerref& operator=(timerref o) noexcept {
    std::swap(t_, o.t_);
    return *this;
  }
  ~timerref() {
    if (t_ != nullptr) ::runtime::timerUnref(t_);
  }
  ::runtime::apitimer* get() const { return t_; }
  ::runtime::apitimer* get(const char* uninitialised) const {
    if (t_ == nullptr) ::runtime::panicplain(uninitialised);
    return t_;
  }

 private:
  ::runtime::apitimer* t_ = nullptr;
};

// A goroutine's first function: calls the F of a timer made by AfterFunc.
template <class F>
void runfunc(void* block) {
  struct cleanup {
    ::runtime::apitimer* t;
    ~cleanup() { ::runtime::timerUnref(t); }
  } guard{*static_cast<::runtime::apitimer**>(block)};
  (*static_cast<F*>(::runtime::timerData(guard.t)))();
}

inline timerref chantimer(recv_chan<Time>* c, std::int64_t ns, std::int64_t period) {
  auto ch = make_chan<Time>(1);
  *c = ch;
  timerref t(::runtime::newapitimer(ch.native(), nullptr, 0));
  ::runtime::resetTimer(t.get(), ns, period);
  return t;
}

}  // namespace detail

// Pauses this goroutine for at least d; not at all if d <= 0.
template <class Rep, class Period>
inline void Sleep(std::chrono::duration<Rep, Period> d) {
  ::runtime::timeSleep(detail::ns(d));
}

// The current time.
inline Time Now() { return Clock::now(); }
// Now() - t.
inline Duration Since(Time t) { return detail::sub(Now(), t); }
// t - Now().
inline Duration Until(Time t) { return detail::sub(t, Now()); }

// One event in the future. Copies are handles of the same timer.
class Timer {
 public:
  // Not a timer; Stop and Reset panic.
  Timer() = default;
  // Sends the time on C after d.
  template <class Rep, class Period>
  explicit Timer(std::chrono::duration<Rep, Period> d) : t_(detail::chantimer(&C, detail::ns(d), 0)) {}

  recv_chan<Time> C;  // nil for a timer made by AfterFunc

  // Keeps it from firing; false if it has fired or was stopped. What it sent stays in C.
  bool Stop() { return ::runtime::stopTimer(t_.get("time: Stop called on uninitialized Timer")); }
  // Makes it fire (again) after d; true if it had been running.
  template <class Rep, class Period>
  bool Reset(std::chrono::duration<Rep, Period> d) {
    return ::runtime::resetTimer(t_.get("time: Reset called on uninitialized Timer"), detail::ns(d), 0);
  }

 private:
  template <class Rep, class Period, class F>
  friend Timer AfterFunc(std::chrono::duration<Rep, Period> d, F&& f);
  explicit Timer(detail::timerref t) : t_(std::move(t)) {}

  detail::timerref t_;
};

// An event every d. It ticks until Stop, also when the last handle is gone. Ticks that nobody takes are dropped.
class Ticker {
 public:
  // Not a ticker; Reset panics, Stop does nothing.
  Ticker() = default;
  // Panics if d <= 0.
  template <class Rep, class Period>
  explicit Ticker(std::chrono::duration<Rep, Period> d) {
    std::int64_t ns = detail::ns(d);
    if (ns <= 0) ::runtime::panicplain("non-positive interval for NewTicker");
    t_ = detail::chantimer(&C, ns, ns);
  }

  recv_chan<Time> C;

  // No more ticks. C is not closed.
  void Stop() {
    if (t_.get() != nullptr) ::runtime::stopTimer(t_.get());
  }
  // Ticks every d from now on. Panics if d <= 0.
  template <class Rep, class Period>
  void Reset(std::chrono::duration<Rep, Period> d) {
    std::int64_t ns = detail::ns(d);
    if (ns <= 0) ::runtime::panicplain("non-positive interval for Ticker.Reset");
    ::runtime::resetTimer(t_.get("time: Reset called on uninitialized Ticker"), ns, ns);
  }

 private:
  detail::timerref t_;
};

// A channel that gets the time once, after d.
template <class Rep, class Period>
inline recv_chan<Time> After(std::chrono::duration<Rep, Period> d) {
  return Timer(d).C;
}

// The channel of a Ticker that can't be stopped; nil if d <= 0.
template <class Rep, class Period>
inline recv_chan<Time> Tick(std::chrono::duration<Rep, Period> d) {
  if (detail::ns(d) <= 0) return nullptr;
  return Ticker(d).C;
}

// Calls f() on a goroutine of its own after d. Its Timer has no channel; Reset makes it call f once more.
template <class Rep, class Period, class F>
inline Timer AfterFunc(std::chrono::duration<Rep, Period> d, F&& f) {
  using C = std::decay_t<F>;
  static_assert(std::is_invocable_v<C&>, "boot::time::AfterFunc(d, f): f must be callable as f()");
  static_assert(alignof(C) <= 16, "boot::time::AfterFunc: the function object is over-aligned");
  ::runtime::apitimer* t = ::runtime::newapitimer(nullptr, &detail::runfunc<C>, sizeof(C));
  detail::timerref ref(t);
  ::new (::runtime::timerData(t)) C(std::forward<F>(f));
  if constexpr (!std::is_trivially_destructible_v<C>)
    ::runtime::timerDrop(t, [](void* p) { static_cast<C*>(p)->~C(); });
  ::runtime::resetTimer(t, detail::ns(d), 0);
  return Timer(std::move(ref));
}

}  // namespace boot::time

// Go's package sync: Mutex, RWMutex, WaitGroup, Once, Cond, Pool. What waits is the goroutine, never its thread.
//
// The zero value of each is ready for use, so globals need no constructor at run time. None can be copied: a copy would
// share no waiters with the original. Misuse ends with Go's text: fatal for locks (it can't be recovered), a panic
// else. The lower-case names make std::lock_guard, std::unique_lock, std::shared_lock and std::scoped_lock work.
//
// A goroutine may unlock what another has locked. A Mutex is not recursive.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "runtime/sync/sync.h"

namespace boot::sync {

// What Cond needs of its lock. Mutex and RWMutex are Lockers.
template <class L>
concept Locker = requires(L& l) {
  l.Lock();
  l.Unlock();
};

namespace detail {

struct nocopy {
  constexpr nocopy() = default;
  nocopy(const nocopy&) = delete;
  nocopy& operator=(const nocopy&) = delete;
};

// The functions are in runtime text, where a fault is the runtime's own; so a nil object is found here, in the caller.
template <class T>
[[gnu::always_inline]] inline T* checked(T* p) {
  (void)*reinterpret_cast<const volatile char*>(p);
  return p;
}

}  // namespace detail

// Mutual exclusion. Waiters get it in turn if one of them had to wait for more than a millisecond (starvation mode);
// before that a goroutine that is running has the advantage.
class Mutex : detail::nocopy {
 public:
  constexpr Mutex() = default;

  void Lock() { ::runtime::mutexLock(detail::checked(&mu_)); }
  // Takes it if it is free now.
  bool TryLock() { return ::runtime::mutexTryLock(detail::checked(&mu_)); }
  // fatal error: sync: unlock of unlocked mutex
  void Unlock() { ::runtime::mutexUnlock(detail::checked(&mu_)); }

  void lock() { Lock(); }
  bool try_lock() { return TryLock(); }
  void unlock() { Unlock(); }

 private:
  ::runtime::syncMutex mu_{};
};

// Many readers or one writer. A writer that waits keeps new readers out, so readers must not lock it twice.
class RWMutex : detail::nocopy {
 public:
  constexpr RWMutex() = default;

  void Lock() { ::runtime::rwmutexLock(detail::checked(&rw_)); }
  bool TryLock() { return ::runtime::rwmutexTryLock(detail::checked(&rw_)); }
  // fatal error: sync: Unlock of unlocked RWMutex
  void Unlock() { ::runtime::rwmutexUnlock(detail::checked(&rw_)); }
  void RLock() { ::runtime::rwmutexRLock(detail::checked(&rw_)); }
  bool TryRLock() { return ::runtime::rwmutexTryRLock(detail::checked(&rw_)); }
  // fatal error: sync: RUnlock of unlocked RWMutex
  void RUnlock() { ::runtime::rwmutexRUnlock(detail::checked(&rw_)); }

  // A Locker whose Lock and Unlock are this one's RLock and RUnlock.
  class Reader {
   public:
    void Lock() { rw_->RLock(); }
    void Unlock() { rw_->RUnlock(); }
    void lock() { Lock(); }
    void unlock() { Unlock(); }

   private:
    friend RWMutex;
    explicit Reader(RWMutex* rw) : rw_(rw) {}
    RWMutex* rw_;
  };
  Reader RLocker() { return Reader(this); }

  void lock() { Lock(); }
  bool try_lock() { return TryLock(); }
  void unlock() { Unlock(); }
  void lock_shared() { RLock(); }
  bool try_lock_shared() { return TryRLock(); }
  void unlock_shared() { RUnlock(); }

 private:
  ::runtime::syncRWMutex rw_{};
};

// Waits for a number of goroutines: Add before each is started, Done at its end, Wait for all.
class WaitGroup : detail::nocopy {
 public:
  constexpr WaitGroup() = default;

  // Panics with "sync: negative WaitGroup counter", or where Add and Wait are used at the same time.
  void Add(std::int64_t delta) { ::runtime::waitgroupAdd(detail::checked(&wg_), delta); }
  void Done() { Add(-1); }
  // Blocks until the counter is 0.
  void Wait() { ::runtime::waitgroupWait(detail::checked(&wg_)); }

 private:
  ::runtime::syncWaitGroup wg_{};
};

// Does something once, whoever comes first; the others wait until it is done.
class Once : detail::nocopy {
 public:
  constexpr Once() = default;

  // Calls f() unless a call of Do has been made before. If f panics it counts as done. f must not call Do on this.
  template <class F>
  void Do(F&& f) {
    if (__atomic_load_n(&o_.done, __ATOMIC_ACQUIRE) == 0) slow(std::forward<F>(f));
  }

 private:
  template <class F>
  [[gnu::noinline]] void slow(F&& f) {
    ::runtime::onceLock(&o_);
    struct unlocker {
      ::runtime::syncOnce* o;
      ~unlocker() { ::runtime::onceUnlock(o); }
    } u{&o_};
    if (__atomic_load_n(&o_.done, __ATOMIC_ACQUIRE) == 0) std::forward<F>(f)();
  }

  ::runtime::syncOnce o_{};
};

// A condition to wait for, with the lock L that guards it.
//
//   c.L.Lock();  while (!condition()) c.Wait();  ...  c.L.Unlock();
class Cond : detail::nocopy {
  // The lock, with its type erased, so that a Cond is one type.
  struct lockref {
    void* l;
    void (*lockf)(void*);
    void (*unlockf)(void*);
    void Lock() { lockf(l); }
    void Unlock() { unlockf(l); }
    void lock() { Lock(); }
    void unlock() { Unlock(); }
  };

 public:
  template <Locker M>
  explicit Cond(M& l)
      : L{&l, [](void* p) { static_cast<M*>(p)->Lock(); }, [](void* p) { static_cast<M*>(p)->Unlock(); }} {}
  template <Locker M>
  explicit Cond(M* l) : Cond(*l) {}

  lockref L;

  // Unlocks L, waits for Signal or Broadcast, locks L. The condition may be false again: look once more.
  void Wait() {
    ::runtime::notifyList* list = detail::checked(&notify_);  // before there is a waiter, whose destructor would run
    lockref l = L;  // once notified nothing of this Cond is looked at: it may be gone
    struct waiter : ::runtime::notifyWaiter {
      ::runtime::notifyList* list;
      ~waiter() {
        if (list != nullptr) ::runtime::notifyListDrop(list, this);  // Unlock has thrown
      }
    } w;
    w.list = list;
    ::runtime::notifyListAdd(w.list, &w);
    l.Unlock();
    w.list = nullptr;
    ::runtime::notifyListWait(&w);
    l.Lock();
  }
  // Wakes the goroutine that has waited longest, if any.
  void Signal() { ::runtime::notifyListNotifyOne(detail::checked(&notify_)); }
  // Wakes all that wait.
  void Broadcast() { ::runtime::notifyListNotifyAll(detail::checked(&notify_)); }

 private:
  ::runtime::notifyList notify_{};
};

// Values kept for reuse; any of them may go at any collection. Get gives one that was Put, else New(), else null.
// Values are pointers. Drop, if set, is called for each value that the pool lets go, and must be set before the first
// Put; without it a value from boot::New is garbage, and one from new is lost.
template <class T = void>
class Pool : detail::nocopy {
 public:
  Pool() = default;
  template <class F>
  requires std::is_invocable_r_v<T*, F&>
  explicit Pool(F&& f) : New(std::forward<F>(f)) {}
  ~Pool() {
    if (Drop) {
      while (auto x = static_cast<T*>(::runtime::poolGet(&p_))) Drop(x);
      drain();
    }
    ::runtime::poolClose(&p_);
  }

  std::function<T*()> New;
  std::function<void(T*)> Drop;

  T* Get() {
    notNil();
    drain();
    if (void* x = ::runtime::poolGet(&p_); x != nullptr) return static_cast<T*>(x);
    return New ? New() : nullptr;
  }
  void Put(T* x) {
    notNil();
    if (Drop) p_.keepDropped = true;
    drain();
    ::runtime::poolPut(&p_, const_cast<std::remove_cv_t<T>*>(x));
  }

 private:
  // New and Drop are whole pages away from nothing, for all that the compiler knows: it need not look at them first.
  void notNil() {
    auto* p = this;
    __asm__("" : "+r"(p));
    if (p == nullptr) ::runtime::panicplain("nil Pool");
  }
  void drain() {
    if (p_.dropped == nullptr) return;
    while (auto x = static_cast<T*>(::runtime::poolDropped(&p_)))
      if (Drop) Drop(x);
  }

  ::runtime::syncPool p_{};
};

}  // namespace boot::sync

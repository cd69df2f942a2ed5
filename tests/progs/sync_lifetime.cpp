// A synchronisation object may be destroyed as soon as the program can know that nobody needs it: after notify_all though
// those who waited have not returned yet, after the last unlock, after the wait that a release has ended. Here its page
// becomes inaccessible at that moment; a late look at it, by a waker or by who was woken, is a SIGSEGV.
// PROCS: 1 2 8 64
// REPEAT: 1
// REPEAT-STRESS: 20
// TIMEOUT: 120
// HOSTED: also
// STDOUT: ok
#include <atomic>
#include <barrier>
#include <concepts>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include "cxx_check.h"

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kPage = 4096;
#ifdef BOOT_HOSTED
constexpr int kRounds = 50;  // what waits is a thread
#else
constexpr int kRounds = 300;
#endif

// An object at the end of pages of its own. gone(): destroys it, and nobody may look at it any more.

template <class T>
class alone {
 public:
  template <class... A>
  requires std::constructible_from<T, A...>
  explicit alone(A&&... a) {
    page_ = syscall(SYS_mmap, 0L, kPage, 3L /* read, write */, 0x22L /* private, anonymous */, -1L, 0L);
    CHECK(page_ != -1);
    auto at = (static_cast<std::size_t>(page_) + kPage - sizeof(T)) / alignof(T) * alignof(T);
    p_ = ::new (reinterpret_cast<void*>(at)) T(std::forward<A>(a)...);
  }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  void gone() const {
    p_->~T();
    CHECK(syscall(SYS_mprotect, page_, kPage, 0L) == 0);
  }

 private:
  long page_;
  T* p_;
};

template <class F>
void rounds(F f) {
  for (int i = 0; i < kRounds; i++) f(i);
}

// ---- C++'s ----

template <class CV, class Wait>
void notified(Wait wait) {
  rounds([&](int i) {
    std::mutex mu;
    alone<CV> cv;
    int waiting = 0;
    bool go = false;
    boot::sync::WaitGroup wg;
    wg.Add(4);
    for (int k = 0; k < 4; k++)
      boot::go([&, cv] {
        {
          std::unique_lock lock(mu);
          waiting++;
          while (!go) wait(*cv, lock);
        }
        wg.Done();
      });
    for (bool all = false; !all;) {
      runtime::Gosched();
      std::lock_guard lock(mu);
      all = waiting == 4;
    }
    if (i % 2 == 0) {
      std::lock_guard lock(mu);
      go = true;
      cv->notify_all();
      cv.gone();
    } else {
      {
        std::lock_guard lock(mu);
        go = true;
      }
      cv->notify_all();
      cv.gone();
    }
    wg.Wait();
  });
}

// References that a lock counts; whoever gives back the last one ends the object after its unlock.
template <class M>
struct counted {
  M mu;
  int refs = 0;
};
template <class M, class Body>
void lastOut(int n, Body body) {
  rounds([&](int) {
    alone<counted<M>> o;
    o->refs = n;
    boot::sync::WaitGroup wg;
    wg.Add(n);
    for (int k = 0; k < n; k++)
      boot::go([&, o, k] {
        if (body(*o, k)) o.gone();
        wg.Done();
      });
    wg.Wait();
  });
}

template <class M>
bool plain(counted<M>& o, int) {
  for (int i = 0; i < 20; i++) std::lock_guard lock(o.mu);
  std::lock_guard lock(o.mu);
  return --o.refs == 0;
}

// Readers count, too; so the last one may be a reader that came in by a writer's unlock.
template <class M>
bool shared(counted<M>& o, int k) {
  if (k % 3 == 0) {
    std::unique_lock lock(o.mu);
    return __atomic_sub_fetch(&o.refs, 1, __ATOMIC_SEQ_CST) == 0;
  }
  std::shared_lock lock(o.mu);
  return __atomic_sub_fetch(&o.refs, 1, __ATOMIC_SEQ_CST) == 0;
}

// One that waits for a release and then ends the object.
template <class T, class Make, class Release, class Wait>
void released(Make make, Release release, Wait wait) {
  rounds([&](int i) {
    alone<T> o = make();
    boot::sync::WaitGroup wg;
    wg.Add(1);
    boot::go([&, o] {
      if (i % 3 == 0) runtime::Gosched();
      release(*o);
      wg.Done();
    });
    if (i % 3 == 1) runtime::Gosched();
    wait(*o);
    o.gone();
    wg.Wait();
  });
}

void standard() {
  notified<std::condition_variable>([](auto& cv, auto& lock) { cv.wait(lock); });
  notified<std::condition_variable>([](auto& cv, auto& lock) { cv.wait_for(lock, 10s); });
  lastOut<std::mutex>(6, plain<std::mutex>);
  lastOut<std::timed_mutex>(6, plain<std::timed_mutex>);
  lastOut<std::recursive_mutex>(6, plain<std::recursive_mutex>);
  lastOut<std::shared_mutex>(9, shared<std::shared_mutex>);
  released<std::binary_semaphore>([] { return alone<std::binary_semaphore>(0); }, [](auto& s) { s.release(); },
                                  [](auto& s) { s.acquire(); });
  released<std::counting_semaphore<9>>([] { return alone<std::counting_semaphore<9>>(0); },
                                       [](auto& s) { s.release(); }, [](auto& s) { CHECK(s.try_acquire_for(10s)); });
  released<std::latch>([] { return alone<std::latch>(1); }, [](auto& l) { l.count_down(); }, [](auto& l) { l.wait(); });
  released<std::barrier<>>([] { return alone<std::barrier<>>(2); }, [](auto& b) { (void)b.arrive(); },
                           [](auto& b) { b.arrive_and_wait(); });
  released<std::atomic<int>>([] { return alone<std::atomic<int>>(0); },
                             [](auto& a) {
                               a = 1;
                               a.notify_one();
                             },
                             [](auto& a) { a.wait(0); });
  // Who finds it done may end it, though the caller of the function is not back yet.
  rounds([](int) {
    alone<std::once_flag> flag;
    std::atomic<int> in = 0;
    boot::sync::WaitGroup wg;
    wg.Add(1);
    boot::go([&, flag] {
      std::call_once(*flag, [&] {
        in = 1;
        runtime::Gosched();
      });
      wg.Done();
    });
    while (in == 0) runtime::Gosched();
    std::call_once(*flag, [] { CHECK(false); });
    flag.gone();
    wg.Wait();
  });
}

// ---- ours ----

void ours() {
  rounds([](int i) {
    boot::sync::Mutex mu;
    alone<boot::sync::Cond> cond(mu);
    int waiting = 0;
    boot::sync::WaitGroup wg;
    wg.Add(4);
    for (int k = 0; k < 4; k++)
      boot::go([&, cond] {
        mu.Lock();
        waiting++;
        cond->Wait();  // nobody else notifies
        mu.Unlock();
        wg.Done();
      });
    for (bool all = false; !all;) {
      runtime::Gosched();
      std::lock_guard lock(mu);
      all = waiting == 4;
    }
    mu.Lock();
    if (i % 2 == 0) {
      cond->Broadcast();
    } else {
      for (int k = 0; k < 4; k++) cond->Signal();
    }
    cond.gone();
    mu.Unlock();
    wg.Wait();
  });
  lastOut<boot::sync::Mutex>(6, plain<boot::sync::Mutex>);
  lastOut<boot::sync::RWMutex>(6, plain<boot::sync::RWMutex>);
  lastOut<boot::sync::RWMutex>(9, shared<boot::sync::RWMutex>);
  rounds([](int i) {
    alone<boot::sync::WaitGroup> w;
    int n = 1 + i % 5;
    w->Add(n);
    std::atomic<int> ended = 0;
    for (int k = 0; k < n; k++)
      boot::go([&, w] {
        w->Done();
        ended++;
      });
    w->Wait();
    w.gone();
    while (ended < n) runtime::Gosched();
  });
  rounds([](int) {
    alone<boot::sync::Once> once;
    std::atomic<int> in = 0, ended = 0;
    boot::go([&, once] {
      once->Do([&] {
        in = 1;
        runtime::Gosched();
      });
      ended = 1;
    });
    while (in == 0) runtime::Gosched();
    once->Do([] { CHECK(false); });
    once.gone();
    while (ended == 0) runtime::Gosched();
  });
}

}  // namespace

void main_main() {
  ours();
  standard();
  boot::println("ok");
}

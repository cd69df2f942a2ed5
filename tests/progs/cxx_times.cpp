// Times at the ends of their range, and times that are none. What has passed is over at once; what never comes waits until
// somebody ends the wait; a timespec out of range is EINVAL. One table each for POSIX's calls, C++'s and ours.
// PROCS: 1 2 8
// TIMEOUT: 60
// HOSTED: also
// STDOUT: ok
#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <condition_variable>
#include <ctime>
#include <future>
#include <limits>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cxx_check.h"

using namespace std::chrono;
using namespace std::chrono_literals;

namespace {

using wall = system_clock::time_point;
using steady = steady_clock::time_point;

bool wrong = false;
void expect(const std::string& what, long got, long want) {
  if (got == want) return;
  boot::println("{}: {}, expected {}", what, got, want);
  wrong = true;
}

// ---- POSIX: what a call returns ----

struct abstime {
  const char* name;
  timespec ts;
  int result;  // of a wait that nobody ends
};
const abstime absolute[] = {
    {"long ago", {0, 0}, ETIMEDOUT},
    {"before the epoch", {-1, 999'999'999}, ETIMEDOUT},
    {"the first second", {LONG_MIN, 0}, ETIMEDOUT},
    {"nanoseconds below 0", {1, -1}, EINVAL},
    {"a second of nanoseconds", {1, 1'000'000'000}, EINVAL},
    {"nanoseconds below 0, in the future", {LONG_MAX, -1}, EINVAL},
    {"LONG_MAX nanoseconds", {0, LONG_MAX}, EINVAL},
    {"LONG_MIN nanoseconds", {1, LONG_MIN}, EINVAL},
};

int futex(std::uint32_t* a, int op, const timespec* ts) {
  while (syscall(SYS_futex, a, op, 0, ts, nullptr, 0xffffffffu) == 0) {}  // woken for nothing
  return errno;
}

void posix() {
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t cv = PTHREAD_COND_INITIALIZER, mono;
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&mono, &attr);
  pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
  std::uint32_t word = 0;
  // By another thread: libc knows who would wait for itself.
  std::binary_semaphore locked(0), over(0);
  std::thread holder([&] {
    pthread_mutex_lock(&held);
    pthread_rwlock_wrlock(&rw);
    locked.release();
    over.acquire();
    pthread_mutex_unlock(&held);
    pthread_rwlock_unlock(&rw);
  });
  locked.acquire();
  pthread_mutex_lock(&mu);
  for (const abstime& t : absolute) {
    std::string name = t.name;
    expect("cond_timedwait " + name, pthread_cond_timedwait(&cv, &mu, &t.ts), t.result);
    expect("cond_timedwait, monotonic " + name, pthread_cond_timedwait(&mono, &mu, &t.ts), t.result);
    // The kernel takes no time before its clock's beginning; libc spares it the question.
    bool kernel = t.ts.tv_sec < 0 || t.result == EINVAL;
    expect("FUTEX_WAIT_BITSET " + name, futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, &t.ts),
           kernel ? EINVAL : t.result);
    expect("clock_nanosleep " + name, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t.ts, nullptr),
           kernel ? EINVAL : 0);
    expect("clock_nanosleep, realtime " + name, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t.ts, nullptr),
           kernel ? EINVAL : 0);
    for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
      name = t.name + std::string(clock == CLOCK_REALTIME ? ", realtime" : ", monotonic");
      expect("cond_clockwait " + name, pthread_cond_clockwait(&cv, &mu, clock, &t.ts), t.result);
      expect("mutex_clocklock " + name, pthread_mutex_clocklock(&held, clock, &t.ts), t.result);
      expect("rwlock_clockrdlock " + name, pthread_rwlock_clockrdlock(&rw, clock, &t.ts), t.result);
      expect("rwlock_clockwrlock " + name, pthread_rwlock_clockwrlock(&rw, clock, &t.ts), t.result);
    }
    expect("mutex_timedlock " + name, pthread_mutex_timedlock(&held, &t.ts), t.result);
    expect("rwlock_timedrdlock " + name, pthread_rwlock_timedrdlock(&rw, &t.ts), t.result);
    expect("rwlock_timedwrlock " + name, pthread_rwlock_timedwrlock(&rw, &t.ts), t.result);
  }
  pthread_mutex_unlock(&mu);
  const timespec bad{0, -1}, soon{0, 1};
  expect("mutex_timedlock that need not wait", pthread_mutex_timedlock(&mu, &bad), 0);
  expect("mutex_clocklock by a clock that it has not", pthread_mutex_clocklock(&held, CLOCK_PROCESS_CPUTIME_ID, &soon),
         EINVAL);
  expect("cond_clockwait by a clock that it has not", pthread_cond_clockwait(&cv, &mu, CLOCK_BOOTTIME, &soon), EINVAL);
  pthread_mutex_unlock(&mu);
  over.release();
  holder.join();

  struct {
    timespec ts;
    int error;
  } relative[] = {{{0, 0}, 0},
                  {{0, 1}, 0},
                  {{0, -1}, EINVAL},
                  {{-1, 0}, EINVAL},
                  {{LONG_MIN, 0}, EINVAL},
                  {{0, 1'000'000'000}, EINVAL},
                  {{LONG_MAX, LONG_MAX}, EINVAL}};
  for (const auto& t : relative) {
    std::string name = std::to_string(t.ts.tv_sec) + "s " + std::to_string(t.ts.tv_nsec) + "ns";
    errno = 0;
    int r = nanosleep(&t.ts, nullptr);
    expect("nanosleep " + name, r == 0 ? 0 : errno, t.error);
    expect("clock_nanosleep " + name, clock_nanosleep(CLOCK_MONOTONIC, 0, &t.ts, nullptr), t.error);
    expect("FUTEX_WAIT " + name, futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, &t.ts),
           t.error != 0 ? EINVAL : ETIMEDOUT);
  }
}

// ---- C++: whether it was over at once, or waited until it was ended ----

template <class Time>
void past(const char* name, Time t) {
  std::mutex mu;
  std::condition_variable cv;
  std::timed_mutex tm;
  std::recursive_timed_mutex rm;
  std::shared_timed_mutex sm;
  std::promise<int> p;
  auto f = p.get_future();
  std::binary_semaphore locked(0), over(0);
  std::thread holder([&] {
    std::scoped_lock all(tm, rm, sm);
    locked.release();
    over.acquire();
  });
  locked.acquire();
  std::unique_lock lock(mu);
  std::string n = name;
  expect("cv.wait_until " + n, cv.wait_until(lock, t) == std::cv_status::timeout, 1);
  expect("cv.wait_until with a condition " + n, cv.wait_until(lock, t, [] { return false; }), 0);
  expect("timed_mutex " + n, tm.try_lock_until(t), 0);
  expect("recursive_timed_mutex " + n, rm.try_lock_until(t), 0);
  // Of a time before the epoch with a fraction libstdc++ makes negative nanoseconds, and takes EINVAL for success here, for
  // a reason to try again there.
  expect("shared_timed_mutex " + n, sm.try_lock_until(t), 0);
  expect("shared_timed_mutex, shared " + n, sm.try_lock_shared_until(t), 0);
#ifdef BOOT_HOSTED  // a shared libstdc++ asks the kernel
  if (t >= Time() || t.time_since_epoch() % 1s == 0s)
#endif
    expect("future " + n, f.wait_until(t) == std::future_status::timeout, 1);
  std::this_thread::sleep_until(t);
  over.release();
  holder.join();
}

template <class Time>
void never(const char* name, Time t) {
  std::mutex mu;
  std::condition_variable cv;
  std::timed_mutex tm;
  std::shared_timed_mutex sm;
  std::promise<int> p;
  auto f = p.get_future();
  std::counting_semaphore<9> sem(0);
  bool done = false;
  int ends = 0;
  auto ended = boot::make_chan<bool>(8);
  tm.lock();
  sm.lock();
  auto waits = [&](auto wait) {
    boot::go([&, wait] { ended.send(wait()); });
    ends++;
  };
  waits([&] {
    std::unique_lock lock(mu);
    return cv.wait_until(lock, t, [&] { return done; });
  });
  waits([&] { return f.wait_until(t) == std::future_status::ready; });
  waits([&] { return sem.try_acquire_until(t); });
#ifndef BOOT_HOSTED
  // libc's mutex belongs to the thread that has locked it.
  waits([&] { return tm.try_lock_until(t); });
  waits([&] { return sm.try_lock_until(t); });
#endif
  boot::time::Sleep(5ms);
  expect(std::string("over too soon ") + name, static_cast<long>(ended.len()), 0);
  {
    std::lock_guard lock(mu);
    done = true;
  }
  cv.notify_all();
  tm.unlock();
  sm.unlock();
  p.set_value(1);
  sem.release();
  for (int i = 0; i < ends; i++) expect(std::string("ended ") + name, ended.recv(), 1);
}

// ---- ours ----

template <class D>
void lasts(const char* name, D d) {  // never comes
  boot::time::Timer t(d), u(1h);
  auto a = boot::time::AfterFunc(d, [] { CHECK(false); });
  boot::time::Ticker k(d);
  expect(std::string("Reset ") + name, u.Reset(d), 1);
  boot::time::Sleep(2ms);
  expect(std::string("fired ") + name, static_cast<long>(t.C.len() + u.C.len() + k.C.len()), 0);
  expect(std::string("Stop ") + name, t.Stop() && u.Stop() && a.Stop(), 1);
  k.Stop();
}

template <class D>
void atOnce(const char* name, D d) {  // is over
  auto ran = boot::make_chan<int>(1);
  boot::time::Sleep(d);
  boot::time::Timer t(d), u(1h);
  u.Reset(d);
  t.C.recv();
  u.C.recv();
  boot::time::After(d).recv();
  auto a = boot::time::AfterFunc(d, [=] { ran.send(1); });
  ran.recv();
  expect(std::string("Tick ") + name, boot::time::Tick(d) == nullptr, 1);
  bool panicked = false;
  try {
    boot::time::Ticker k(d);
  } catch (const boot::Panic&) {
    panicked = true;
  }
  expect(std::string("Ticker ") + name, panicked, 1);
}

void ours() {
  using boot::time::detail::ns;
  static_assert(ns(hours::max()) == INT64_MAX && ns(hours::min()) == INT64_MIN);
  static_assert(ns(hours(2562047)) == INT64_C(9223369200000000000) && ns(hours(2562048)) == INT64_MAX);
  static_assert(ns(microseconds(INT64_MAX / 1000)) == INT64_MAX / 1000 * 1000);
  static_assert(ns(duration<std::uint64_t, std::nano>(UINT64_MAX)) == INT64_MAX);
  static_assert(ns(duration<int, std::pico>(1999)) == 1 && ns(duration<char>(2)) == 2'000'000'000);
  expect("1e300 s", ns(duration<double>(1e300)) == INT64_MAX && ns(duration<float>(-1e30f)) == INT64_MIN, 1);
  expect("NaN", ns(duration<double>(std::numeric_limits<double>::quiet_NaN())), 0);
  lasts("hours::max", hours::max());
  lasts("nanoseconds::max", nanoseconds::max());
  lasts("years", years(300));
  lasts("for ever", duration<double>(std::numeric_limits<double>::infinity()));
  atOnce("hours::min", hours::min());
  atOnce("nanoseconds::min", nanoseconds::min());
  atOnce("-1 ns", -1ns);
  atOnce("zero", 0s);
  atOnce("less than a nanosecond", duration<double, std::pico>(1));
  atOnce("minus for ever", duration<double>(-std::numeric_limits<double>::infinity()));
  using boot::time::Time;
  expect("Since(min)", boot::time::Since(Time::min()) == nanoseconds::max(), 1);
  expect("Until(min)", boot::time::Until(Time::min()) == nanoseconds::min(), 1);
  expect("Until(max)", boot::time::Until(Time::max()) > hours(24 * 365 * 200), 1);
}

}  // namespace

void main_main() {
  runtime::LockOSThread();  // libc's errno is the thread's
  posix();
  runtime::UnlockOSThread();
  past("wall clock, min", wall::min());
  past("wall clock, 1970", wall());
  past("wall clock, before that", wall() - 1ns);
  past("wall clock, in seconds", time_point_cast<seconds>(wall::min()));
  past("steady clock, min", steady::min());
  past("steady clock, its beginning", steady());
  never("wall clock, max", wall::max());
  never("steady clock, max", steady::max());
  ours();
  if (!wrong) boot::println("ok");
}

// std::mutex and its relatives, condition variables, call_once: a goroutine that must wait parks, its thread goes on.
// With one P and hundreds of goroutines a lock that blocked the thread would never be released.
// PROCS: 1 2 8
// TIMEOUT: 60
// HOSTED: also
// STDOUT: mutex 20000, recursive 300, shared 4000
// STDOUT: condition_variable: 2000 items, sum 1999000
// STDOUT: timed waits end on time
// STDOUT: call_once: 200 rounds, each function ran once with its own arguments
// STDOUT: a lock that is always wanted is handed on
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "cxx_check.h"

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

static void counting() {
  std::mutex mu;
  std::recursive_mutex rec;
  std::shared_mutex shared;
  int a = 0, b = 0, c = 0;
  std::atomic<int> readers = 0;
  onGoroutines(100, [&](int i) {
    for (int k = 0; k < 200; k++) {
      std::lock_guard lock(mu);
      int was = a;
      if (k % 10 == 0) runtime::Gosched();  // held across a switch
      a = was + 1;
    }
    {
      std::lock_guard one(rec);
      runtime::Gosched();
      std::lock_guard two(rec);
      CHECK(rec.try_lock());
      runtime::Gosched();
      b += 3;
      rec.unlock();
    }
    for (int k = 0; k < 40; k++) {
      if (i % 4 == 0) {
        std::unique_lock w(shared);
        CHECK(readers == 0);
        runtime::Gosched();
        c += 4;
      } else {
        std::shared_lock r(shared);
        readers++;
        runtime::Gosched();
        readers--;
      }
    }
  });
  std::mutex m1, m2;
  onGoroutines(20, [&](int i) {
    for (int k = 0; k < 50; k++) {
      if (i % 2)
        std::scoped_lock both(m1, m2);
      else
        std::scoped_lock both(m2, m1);
    }
  });
  CHECK(mu.try_lock() && !mu.try_lock());
  mu.unlock();
  boot::println("mutex {}, recursive {}, shared {}", a, b, c);
}

static void queue() {
  std::mutex mu;
  std::condition_variable notEmpty, notFull;
  std::deque<int> q;
  int produced = 0, consumed = 0;
  long sum = 0;
  constexpr int kItems = 2000;
  onGoroutines(20, [&](int i) {
    std::unique_lock lock(mu);
    if (i % 2 == 0) {
      while (produced < kItems) {
        notFull.wait(lock, [&] { return q.size() < 3 || produced == kItems; });
        if (produced == kItems) break;
        q.push_back(produced++);
        notEmpty.notify_one();
      }
      notFull.notify_all();
      notEmpty.notify_all();
    } else {
      for (;;) {
        notEmpty.wait(lock, [&] { return !q.empty() || produced == kItems; });
        if (q.empty()) break;
        sum += q.front();
        q.pop_front();
        consumed++;
        notFull.notify_one();
      }
    }
  });
  boot::println("condition_variable: {} items, sum {}", consumed, sum);
}

static void timed() {
  auto within = [](clock_type::duration d, clock_type::duration least) { return d >= least && d < least + 5s; };
  std::mutex mu;
  std::condition_variable cv;
  std::condition_variable_any any;
  std::timed_mutex tm;
  std::shared_timed_mutex stm;
  // Held by a goroutine that lasts until the others are through: who has locked a mutex unlocks it.
  auto held = boot::make_chan<int>(), release = boot::make_chan<int>();
  boot::go([&] {
    tm.lock();
    stm.lock();
    held.send(0);
    release.recv();
    boot::time::Sleep(5ms);
    stm.unlock();
    tm.unlock();
  });
  held.recv();
  onGoroutines(50, [&](int) {
    auto start = clock_type::now();
    std::unique_lock lock(mu);
    // Nobody notifies, and nothing wakes for nothing here: back before its time is wrong.
    CHECK(cv.wait_for(lock, 20ms) == std::cv_status::timeout && within(clock_type::now() - start, 20ms));
    start = clock_type::now();
    CHECK(!any.wait_until(lock, std::chrono::system_clock::now() + 10ms, [] { return false; }));
    CHECK(within(clock_type::now() - start, 10ms));
    lock.unlock();
    start = clock_type::now();
    CHECK(!tm.try_lock_for(20ms) && within(clock_type::now() - start, 20ms));
    CHECK(!tm.try_lock_until(std::chrono::system_clock::now() - 1h));
    start = clock_type::now();
    CHECK(!stm.try_lock_shared_for(20ms) && within(clock_type::now() - start, 20ms));
    start = clock_type::now();
    CHECK(!stm.try_lock_until(start + 5ms) && within(clock_type::now() - start, 5ms));
  });
  release.send(0);
  CHECK(tm.try_lock_for(10s) && stm.try_lock_for(10s));
  stm.unlock();
  CHECK(stm.try_lock_shared_for(10s));
  stm.unlock_shared();
  tm.unlock();
  // Handed from one to the next, by each kind of wait: a lock that a sanitizer doesn't see taken it reports here.
  onGoroutines(10, [&](int i) {
    for (int k = 0; k < 5; k++) {
      CHECK(i % 2 ? tm.try_lock_for(10s) : tm.try_lock_until(std::chrono::system_clock::now() + 10s));
      runtime::Gosched();
      tm.unlock();
      CHECK(i % 2 ? stm.try_lock_for(10s) : stm.try_lock_until(std::chrono::system_clock::now() + 10s));
      runtime::Gosched();
      stm.unlock();
    }
  });
  boot::println("timed waits end on time");
}

static int checksum(int who, int round) { return who * 1000003 + round * 17; }

static void once() {
  std::atomic<int> wrong = 0;
  for (int round = 0; round < 200; round++) {
    // Every goroutine has a flag that it races for with one other, and a closure of its own.
    std::once_flag flags[25];
    std::atomic<int> ran[25] = {};
    onGoroutines(50, [&](int i) {
      int f = i / 2;
      long junk[4] = {i, round, f, checksum(i, round)};
      std::call_once(
          flags[f],
          [&](int a, int b) {
            runtime::Gosched();
            if (a != i || b != round || junk[3] != checksum(a, b)) wrong++;
            ran[f]++;
          },
          i, round);
      if (ran[f] != 1) wrong++;
    });
  }
  CHECK(wrong == 0);
  // A function that throws leaves the flag open for the next one.
  std::once_flag flag;
  std::atomic<int> attempts = 0, caught = 0;
  onGoroutines(10, [&](int) {
    try {
      std::call_once(flag, [&] {
        int n = ++attempts;
        runtime::Gosched();
        if (n < 4) throw std::runtime_error("again");
      });
    } catch (const std::runtime_error&) {
      caught++;
    }
  });
  CHECK(attempts == 4 && caught == 3);
  boot::println("call_once: 200 rounds, each function ran once with its own arguments");
}

// One goroutine takes the lock again as soon as it has given it up. The others must get it all the same.
static void starving() {
  std::mutex mu;
  std::atomic<bool> stop = false;
  std::atomic<int> got = 0;
  boot::go([&] {
    while (!stop) {
      std::lock_guard lock(mu);
      auto until = clock_type::now() + 100us;
      while (clock_type::now() < until) {}
    }
    got++;
  });
  boot::time::Sleep(1ms);
  onGoroutines(10, [&](int) {
    for (int k = 0; k < 5; k++) std::lock_guard lock(mu);
  });
  stop = true;
  while (got == 0) runtime::Gosched();
  boot::println("a lock that is always wanted is handed on");
}

void main_main() {
  counting();
  queue();
  timed();
  once();
  starving();
}

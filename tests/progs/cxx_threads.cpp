// std::thread is a goroutine: thousands at once, join, detach, ids, stop tokens, futures, async; atomic waits, latches,
// semaphores and barriers; sleeping and the clocks.
// PROCS: 1 2 8
// TIMEOUT: 60
// HOSTED: also
// STDOUT: 3000 threads at once, sum 4498500
// STDOUT: ids, detach, jthread
// STDOUT: future 42, async 4950, exception through a promise: broken
// STDOUT: atomic wait, latch, semaphore, barrier: 100 x 20 phases
// STDOUT: clocks and sleeping
#include <atomic>
#include <barrier>
#include <chrono>
#include <ctime>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cxx_check.h"

using namespace std::chrono_literals;

static void many() {
  std::vector<std::thread> threads;
  std::atomic<long> sum = 0;
  std::latch start(1);
  for (int i = 0; i < 3000; i++) {
    threads.emplace_back([&, i] {
      start.wait();
      sum += i;
    });
  }
  start.count_down();
  for (auto& t : threads) t.join();
  boot::println("{} threads at once, sum {}", threads.size(), sum.load());
}

static void ids() {
  auto self = std::this_thread::get_id();
  std::thread::id inside;
  std::thread t([&] { inside = std::this_thread::get_id(); });
  auto id = t.get_id();
  t.join();
  CHECK(inside == id && id != self && std::this_thread::get_id() == self && !t.joinable());
  CHECK(std::thread::hardware_concurrency() >= 1);

  std::atomic<int> ended = 0;
  for (int i = 0; i < 100; i++) {
    std::thread([&] {
      std::this_thread::yield();
      ended++;
    }).detach();
  }
  while (ended < 100) std::this_thread::yield();

  std::atomic<int> laps = 0;
  {
    std::jthread j([&](std::stop_token stop) {
      while (!stop.stop_requested()) {
        laps++;
        std::this_thread::sleep_for(1ms);
      }
    });
    while (laps < 3) std::this_thread::yield();
  }
  CHECK(laps >= 3);
  try {
    t.join();
    CHECK(false);
  } catch (const std::system_error& e) {
    CHECK(e.code() == std::errc::invalid_argument);
  }
  boot::println("ids, detach, jthread");
}

static void futures() {
  std::promise<int> p;
  auto f = p.get_future();
  CHECK(f.wait_for(0ms) == std::future_status::timeout && f.wait_for(2ms) == std::future_status::timeout);
  boot::go([&] {
    boot::time::Sleep(2ms);
    p.set_value(42);
  });
  CHECK(f.wait_for(10s) == std::future_status::ready && f.wait_for(0ms) == std::future_status::ready);
  auto add = [](int from, int to) {
    long n = 0;
    for (int i = from; i < to; i++) n += i;
    return n;
  };
  auto a = std::async(std::launch::async, add, 0, 50);
  auto b = std::async(std::launch::deferred, add, 50, 100);
  std::string what;
  {
    std::promise<void> broken;
    auto e = broken.get_future();
    broken.set_exception(std::make_exception_ptr(std::runtime_error("broken")));
    try {
      e.get();
    } catch (const std::exception& x) {
      what = x.what();
    }
  }
  std::packaged_task<int(int)> task([](int x) { return 2 * x; });
  auto tf = task.get_future();
  std::thread(std::move(task), 21).join();
  CHECK(tf.get() == 42);
  boot::println("future {}, async {}, exception through a promise: {}", f.get(), a.get() + b.get(), what);
}

static void waiting() {
  std::atomic<int> gate = 0;
  std::counting_semaphore<5> slots(5);
  std::atomic<int> inside = 0, most = 0;
  std::binary_semaphore done(0);
  boot::go([&] {
    boot::time::Sleep(1ms);
    gate = 1;
    gate.notify_all();
    done.release();
  });
  onGoroutines(50, [&](int) {
    gate.wait(0);
    slots.acquire();
    int n = ++inside;
    for (int m = most; n > m && !most.compare_exchange_weak(m, n);) {}
    runtime::Gosched();
    inside--;
    slots.release();
  });
  CHECK(most <= 5 && done.try_acquire_for(10s) && !done.try_acquire_for(5ms));

  // The completion runs once a phase, with everybody waiting: so what one phase sees is the same for all.
  int phases = 0;
  std::barrier sync(100, [&]() noexcept { phases++; });
  std::atomic<int> wrong = 0;
  std::latch all(100);
  onGoroutines(100, [&](int) {
    for (int i = 0; i < 20; i++) {
      sync.arrive_and_wait();
      if (phases != 2 * i + 1) wrong++;
      sync.arrive_and_wait();
    }
    all.arrive_and_wait();
    if (phases != 40) wrong++;
  });
  CHECK(wrong == 0);
  boot::println("atomic wait, latch, semaphore, barrier: 100 x 20 phases");
}

static void clocks() {
  auto t0 = std::chrono::steady_clock::now();
  auto w0 = std::chrono::system_clock::now();
  onGoroutines(100, [](int i) { std::this_thread::sleep_for(std::chrono::milliseconds(10 + i % 10)); });
  std::this_thread::sleep_until(std::chrono::steady_clock::now() + 5ms);
  std::this_thread::sleep_until(std::chrono::system_clock::now() + 5ms);
  std::this_thread::sleep_for(-5ms);
  auto d = std::chrono::steady_clock::now() - t0;
  auto w = std::chrono::system_clock::now() - w0;
  CHECK(d >= 28ms && d < 10s && w >= 25ms && w < 10s);  // the hundred slept at the same time
  auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(w0)).year();
  CHECK(year > std::chrono::year(2020) && std::time(nullptr) > 1'600'000'000);
  boot::println("clocks and sleeping");
}

void main_main() {
  many();
  ids();
  futures();
  waiting();
  clocks();
}

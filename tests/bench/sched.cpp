// Benchmarks of goroutines, locks and timers.
#include "bench.h"

#include <atomic>

namespace bench {

using boot::sync::WaitGroup;
using boot::time::Now;
using boot::time::Since;

// Two goroutines alternately yielding; one op is one switch.
result yield(std::int64_t n) {
  WaitGroup wg;
  wg.Add(2);
  auto start = Now();
  for (int i = 0; i < 2; i++)
    boot::go([&wg, n] {
      for (std::int64_t j = 0; j < n / 2; j++) runtime::Gosched();
      wg.Done();
    });
  wg.Wait();
  return {n, Since(start)};
}

// No runtime's work: looks at the processor's clock, of which an execution trace takes one or two a switch.
result looks(std::int64_t n) {
  std::uint64_t least = ~std::uint64_t{0};
  auto start = Now();
  for (std::int64_t i = 0; i < n; i++) least = std::min<std::uint64_t>(least, __builtin_ia32_rdtsc());
  auto took = Since(start);
  check(least != 0);
  return {n, took};
}

// Empty goroutines in batches of 1000, each batch awaited.
result spawn(std::int64_t n) {
  constexpr int batch = 1000;
  WaitGroup wg;
  auto start = Now();
  for (std::int64_t done = 0; done < n; done += batch) {
    wg.Add(batch);
    for (int i = 0; i < batch; i++) boot::go([&wg] { wg.Done(); });
    wg.Wait();
  }
  return {n, Since(start)};
}

// n goroutines blocked on a receive, released by a close.
result parked(std::int64_t n) {
  std::int64_t rss = residentBytes();
  WaitGroup wg;
  std::atomic<std::int64_t> started = 0;
  auto release = boot::make_chan<char>();
  wg.Add(n);
  auto start = Now();
  for (std::int64_t i = 0; i < n; i++)
    boot::go([&] {
      started.fetch_add(1);
      release.recv();
      wg.Done();
    });
  while (started.load() < n) runtime::Gosched();
  auto created = Since(start);
  rss = residentBytes() - rss;
  release.close();
  wg.Wait();
  auto total = Since(start);
  double d = static_cast<double>(n);
  return {n,
          total,
          {{"create_ns", static_cast<double>(created.count()) / d},
           {"wake_ns", static_cast<double>((total - created).count()) / d},
           {"rss_bytes", static_cast<double>(rss) / d}}};
}

// 8 goroutines contending for one mutex; n is the total.
result mutex(std::int64_t n) {
  constexpr int workers = 8;
  WaitGroup wg;
  boot::sync::Mutex mu;
  std::int64_t count = 0;
  wg.Add(workers);
  auto start = Now();
  for (int i = 0; i < workers; i++)
    boot::go([&] {
      for (std::int64_t j = 0; j < n / workers; j++) {
        mu.Lock();
        count++;
        mu.Unlock();
      }
      wg.Done();
    });
  wg.Wait();
  auto took = Since(start);
  check(count == n / workers * workers);
  return {count, took};
}

// n goroutines each sleeping 0..100 ms.
result sleepers(std::int64_t n) {
  WaitGroup wg;
  wg.Add(n);
  std::uint32_t seed = 1;
  auto start = Now();
  for (std::int64_t i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    std::chrono::microseconds d((seed >> 8) % 100001);
    boot::go([&wg, d] {
      boot::time::Sleep(d);
      wg.Done();
    });
  }
  wg.Wait();
  auto took = Since(start);
  return {n, took, {{"overrun_ms", ms(took - std::chrono::milliseconds(100))}}};
}

}  // namespace bench

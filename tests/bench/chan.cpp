// Benchmarks of channels and select.
#include "bench.h"

namespace bench {

using boot::chan;
using boot::make_chan;
using boot::sync::WaitGroup;
using boot::time::Now;
using boot::time::Since;

static std::int64_t volatile sink;

// Two goroutines, two unbuffered channels; one op is one message.
result pingpong(std::int64_t n) {
  auto ping = make_chan<std::int64_t>(), pong = make_chan<std::int64_t>();
  WaitGroup wg;
  wg.Add(2);
  auto start = Now();
  boot::go([&] {
    for (std::int64_t i = 0; i < n / 2; i++) {
      ping.send(i);
      pong.recv();
    }
    wg.Done();
  });
  boot::go([&] {
    for (std::int64_t i = 0; i < n / 2; i++) pong.send(ping.recv());
    wg.Done();
  });
  wg.Wait();
  return {n, Since(start)};
}

// Moves n messages through one channel and returns the time it took.
static std::chrono::nanoseconds transfer(std::int64_t n, int producers, int consumers, int capacity) {
  auto ch = make_chan<std::int64_t>(capacity);
  WaitGroup wg;
  wg.Add(producers + consumers);
  auto start = Now();
  for (int p = 0; p < producers; p++)
    boot::go([&, producers] {
      for (std::int64_t i = 0; i < n / producers; i++) ch.send(i);
      wg.Done();
    });
  for (int c = 0; c < consumers; c++)
    boot::go([&, consumers] {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < n / consumers; i++) sum += ch.recv();
      sink = sum;
      wg.Done();
    });
  wg.Wait();
  return Since(start);
}

// One producer, one consumer, capacity 128.
result buffered(std::int64_t n) { return {n, transfer(n, 1, 1, 128)}; }

// Four producers, four consumers, capacity 64.
result mpmc(std::int64_t n) { return {n, transfer(n, 4, 4, 64)}; }

// One consumer selecting over four unbuffered channels.
result select(std::int64_t n) {
  chan<std::int64_t> ch[4];
  for (auto& c : ch) c = make_chan<std::int64_t>();
  WaitGroup wg;
  wg.Add(4);
  auto start = Now();
  for (auto c : ch)
    boot::go([c, n, &wg] {
      for (std::int64_t i = 0; i < n / 4; i++) c.send(i);
      wg.Done();
    });
  std::int64_t sum = 0, total = n / 4 * 4;
  auto add = [&](std::int64_t v) { sum += v; };
  for (std::int64_t i = 0; i < total; i++)
    boot::select(boot::on_recv(ch[0], add), boot::on_recv(ch[1], add), boot::on_recv(ch[2], add),
                 boot::on_recv(ch[3], add));
  wg.Wait();
  sink = sum;
  return {total, Since(start)};
}

static void skynode(chan<std::int64_t> parent, std::int64_t num, std::int64_t size) {
  if (size == 1) {
    parent.send(num);
    return;
  }
  auto c = make_chan<std::int64_t>();
  std::int64_t sub = size / 10;
  for (int i = 0; i < 10; i++) boot::go(skynode, c, num + i * sub, sub);
  std::int64_t sum = 0;
  for (int i = 0; i < 10; i++) sum += c.recv();
  parent.send(sum);
}

// A tree of goroutines with n leaves, ten children a node, each reporting on its parent's unbuffered channel; one op is
// one leaf.
result skynet(std::int64_t n) {
  auto start = Now();
  auto c = make_chan<std::int64_t>();
  boot::go(skynode, c, std::int64_t{0}, n);
  std::int64_t sum = c.recv();
  auto took = Since(start);
  check(sum == n * (n - 1) / 2);
  return {n, took};
}

static void fib(std::int64_t n, chan<std::int64_t> out) {
  if (n < 2) {
    out.send(n);
    return;
  }
  auto a = make_chan<std::int64_t>(1), b = make_chan<std::int64_t>(1);
  boot::go(fib, n - 1, a);
  boot::go(fib, n - 2, b);
  std::int64_t x = a.recv();
  out.send(x + b.recv());
}

static std::int64_t fibCalls(std::int64_t n) {
  std::int64_t a = 1, b = 1;  // calls made by fib(0) and fib(1)
  for (std::int64_t i = 1; i < n; i++) {
    std::int64_t t = a + b + 1;
    a = b;
    b = t;
  }
  return b;
}

// Naive fib(n), a goroutine and a result channel for every call; one op is one call.
result fib_spawn(std::int64_t n) {
  auto start = Now();
  auto c = make_chan<std::int64_t>(1);
  boot::go(fib, n, c);
  std::int64_t v = c.recv();
  auto took = Since(start);
  return {fibCalls(n), took, {{"value", static_cast<double>(v)}}};
}

// The first n primes from a chain of filter goroutines, which are left blocked at the end; one op is one prime.
result sieve(std::int64_t n) {
  auto start = Now();
  auto ch = make_chan<std::int64_t>();
  boot::go([out = ch] {
    for (std::int64_t i = 2;; i++) out.send(i);
  });
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < n; i++) {
    last = ch.recv();
    auto next = make_chan<std::int64_t>();
    boot::go([in = ch, out = next, prime = last] {
      for (;;)
        if (std::int64_t v = in.recv(); v % prime != 0) out.send(v);
    });
    ch = next;
  }
  return {n, Since(start), {{"last", static_cast<double>(last)}}};
}

}  // namespace bench

// Benchmarks shared by the C++ peers. Each peer supplies a class P:
//
//   run(procs, fn)      start procs scheduler threads, run fn as a fiber
//   spawn(fn)           start a detached fiber
//   yield(), sleep(us)  for the calling fiber
//   Mutex, Lock, Cond   Cond::wait(Lock&, predicate), notify_one, notify_all
//   Unbuf<T>()          channels: send(T), bool recv(T&), close()
//   Buf<T>(capacity)
//   Gate                a channel of int64_t whose close() releases every receiver
//   kYield              false: "yield" is done by the peer's yieldPair(n)
//   kNativeChan         false: the channels are LockChan below
//
// Usage and output are those of the Go peer: -bench NAME -n N -p P -warm N.
#pragma once
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <time.h>

namespace bench {

inline int64_t nanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

inline double cpuMs() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

// A field of /proc/self/status. ru_maxrss will not do for the peak: it
// survives exec, so it has the parent's size for a floor.
inline int64_t statusKb(const char* field) {
  FILE* f = fopen("/proc/self/status", "r");
  char line[256];
  long kb = -1;
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, field, strlen(field))) kb = atol(line + strlen(field));
  if (f) fclose(f);
  return kb;
}

inline int64_t residentBytes() { return statusKb("VmRSS:") * 1024; }

inline void check(bool ok) {
  if (!ok) {
    fprintf(stderr, "bench: wrong result\n");
    abort();
  }
}

struct Result {
  int64_t ops;
  int64_t ns;
  std::map<std::string, double> extra;
};

// A channel made of a mutex and condition variables, for peers without one.
// Capacity 0 is a rendezvous: send returns once the value has been received.
template <class P, class T>
class LockChan {
 public:
  explicit LockChan(size_t capacity = 0) : capacity_(capacity), room_(capacity ? capacity : 1) { ring_.resize(room_); }
  void send(T v) {
    typename P::Lock lock(mutex_);
    notFull_.wait(lock, [&] { return count_ < room_; });
    ring_[(head_ + count_++) % room_] = std::move(v);
    const uint64_t ticket = ++sent_;
    notEmpty_.notify_one();
    if (capacity_ == 0) taken_.wait(lock, [&] { return received_ >= ticket; });
  }
  bool recv(T& v) {
    typename P::Lock lock(mutex_);
    notEmpty_.wait(lock, [&] { return count_ > 0 || closed_; });
    if (count_ == 0) return false;
    v = std::move(ring_[head_]);
    head_ = (head_ + 1) % room_;
    count_--;
    received_++;
    notFull_.notify_one();
    if (capacity_ == 0) taken_.notify_all();
    return true;
  }
  void close() {
    typename P::Lock lock(mutex_);
    closed_ = true;
    notEmpty_.notify_all();
  }

 private:
  typename P::Mutex mutex_;
  typename P::Cond notFull_, notEmpty_, taken_;
  const size_t capacity_, room_;
  std::vector<T> ring_;
  size_t head_ = 0, count_ = 0;
  uint64_t sent_ = 0, received_ = 0;
  bool closed_ = false;
};

// Four rendezvous channels under one lock, with a receive from any of them:
// the stand-in for select, which none of the C++ peers has.
template <class P>
class SelectFour {
 public:
  void send(int i, int v) {
    typename P::Lock lock(mutex_);
    slots_[i].value = v;
    slots_[i].full = true;
    any_.notify_one();
    slots_[i].taken.wait(lock, [&] { return !slots_[i].full; });
  }
  int recv() {
    typename P::Lock lock(mutex_);
    int found = -1;
    any_.wait(lock, [&] {
      for (int k = 0; k < 4; k++) {
        int i = (next_ + k) & 3;
        if (slots_[i].full) {
          found = i;
          return true;
        }
      }
      return false;
    });
    next_ = found + 1;
    slots_[found].full = false;
    slots_[found].taken.notify_one();
    return slots_[found].value;
  }

 private:
  struct Slot {
    typename P::Cond taken;
    int value = 0;
    bool full = false;
  };
  typename P::Mutex mutex_;
  typename P::Cond any_;
  Slot slots_[4];
  int next_ = 0;
};

// A reusable countdown. It must outlive the fibers that call done().
template <class P>
class WaitGroup {
 public:
  void add(int64_t n) {
    over_ = false;
    left_.fetch_add(n);
  }
  void done() {
    if (left_.fetch_sub(1) == 1) {
      typename P::Lock lock(mutex_);
      over_ = true;
      cond_.notify_all();
    }
  }
  void wait() {
    typename P::Lock lock(mutex_);
    cond_.wait(lock, [&] { return over_; });
  }

 private:
  std::atomic<int64_t> left_{0};
  typename P::Mutex mutex_;
  typename P::Cond cond_;
  bool over_ = false;
};

template <class P>
class Suite {
  using Group = WaitGroup<P>;
  using Unbuf = typename P::template Unbuf<int64_t>;
  using Buf = typename P::template Buf<int64_t>;

  // Groups and the channels of a whole run are never freed, so that no fiber
  // can touch one after its end; skynet and fib, which make many channels,
  // count references instead.
  template <class T, class... A>
  static T* forever(A... a) {
    return new T(a...);
  }

 public:
  static Result yield(int64_t n) {
    if constexpr (!P::kYield) {
      int64_t start = nanos();
      P::yieldPair(n);
      return {n, nanos() - start, {{"emulated", 1}}};
    } else {
      Group* wg = forever<Group>();
      wg->add(2);
      int64_t start = nanos();
      for (int i = 0; i < 2; i++)
        P::spawn([=] {
          for (int64_t j = 0; j < n / 2; j++) P::yield();
          wg->done();
        });
      wg->wait();
      return {n, nanos() - start, {}};
    }
  }

  static Result spawn(int64_t n) {
    const int64_t batch = 1000;
    Group* wg = forever<Group>();
    int64_t start = nanos();
    for (int64_t done = 0; done < n; done += batch) {
      wg->add(batch);
      for (int64_t i = 0; i < batch; i++) P::spawn([wg] { wg->done(); });
      wg->wait();
    }
    return {n, nanos() - start, {}};
  }

  static Result pingPong(int64_t n) {
    Group* wg = forever<Group>();
    Unbuf *ping = forever<Unbuf>(), *pong = forever<Unbuf>();
    wg->add(2);
    int64_t start = nanos();
    P::spawn([=] {
      int64_t v = 0;
      for (int64_t i = 0; i < n / 2; i++) {
        ping->send(i);
        pong->recv(v);
      }
      wg->done();
    });
    P::spawn([=] {
      int64_t v = 0;
      for (int64_t i = 0; i < n / 2; i++) {
        ping->recv(v);
        pong->send(v);
      }
      wg->done();
    });
    wg->wait();
    return {n, nanos() - start, {}};
  }

  static Result transfer(int64_t n, int producers, int consumers, size_t capacity) {
    Group* wg = forever<Group>();
    Buf* ch = forever<Buf>(capacity);
    wg->add(producers + consumers);
    int64_t start = nanos();
    for (int p = 0; p < producers; p++)
      P::spawn([=] {
        for (int64_t i = 0; i < n / producers; i++) ch->send(i);
        wg->done();
      });
    for (int c = 0; c < consumers; c++)
      P::spawn([=] {
        int64_t v = 0, sum = 0;
        for (int64_t i = 0; i < n / consumers; i++) {
          ch->recv(v);
          sum += v;
        }
        sink = sum;
        wg->done();
      });
    wg->wait();
    return {n, nanos() - start, {}};
  }
  static Result buffered(int64_t n) { return transfer(n, 1, 1, 128); }
  static Result mpmc(int64_t n) { return transfer(n, 4, 4, 64); }

  static Result select(int64_t n) {
    Group* wg = forever<Group>();
    auto* sel = forever<SelectFour<P>>();
    wg->add(5);
    int64_t start = nanos();
    for (int p = 0; p < 4; p++)
      P::spawn([=] {
        for (int64_t i = 0; i < n / 4; i++) sel->send(p, i);
        wg->done();
      });
    P::spawn([=] {
      int64_t sum = 0;
      for (int64_t i = 0; i < n / 4 * 4; i++) sum += sel->recv();
      sink = sum;
      wg->done();
    });
    wg->wait();
    return {n / 4 * 4, nanos() - start, {{"emulated", 1}}};
  }

  static Result skynet(int64_t n) {
    int64_t start = nanos(), sum = 0;
    auto c = std::make_shared<Unbuf>();
    P::spawn([=] { node(c, 0, n); });
    c->recv(sum);
    int64_t ns = nanos() - start;
    check(sum == n * (n - 1) / 2);
    return {n, ns, {}};
  }

  static Result parked(int64_t n) {
    Group* wg = forever<Group>();
    auto* release = forever<typename P::Gate>();
    auto* started = new std::atomic<int64_t>(0);
    wg->add(n);
    int64_t rss = residentBytes();
    int64_t start = nanos();
    for (int64_t i = 0; i < n; i++)
      P::spawn([=] {
        started->fetch_add(1);
        int64_t v = 0;
        release->recv(v);
        wg->done();
      });
    while (started->load() < n) P::kYield ? P::yield() : P::sleep(1000);
    double created = nanos() - start;
    rss = residentBytes() - rss;
    release->close();
    wg->wait();
    double total = nanos() - start;
    return {n,
            int64_t(total),
            {{"create_ns", created / n}, {"wake_ns", (total - created) / n}, {"rss_bytes", double(rss) / n}}};
  }

  static Result mutex(int64_t n) {
    const int workers = 8;
    Group* wg = forever<Group>();
    auto* mu = new typename P::Mutex;
    auto* count = new int64_t(0);
    wg->add(workers);
    int64_t start = nanos();
    for (int i = 0; i < workers; i++)
      P::spawn([=] {
        for (int64_t j = 0; j < n / workers; j++) {
          mu->lock();
          ++*count;
          mu->unlock();
        }
        wg->done();
      });
    wg->wait();
    int64_t ns = nanos() - start;
    check(*count == n / workers * workers);
    return {*count, ns, {}};
  }

  static Result sleepers(int64_t n) {
    Group* wg = forever<Group>();
    wg->add(n);
    uint32_t seed = 1;
    int64_t start = nanos();
    for (int64_t i = 0; i < n; i++) {
      seed = seed * 1664525u + 1013904223u;
      uint32_t us = (seed >> 8) % 100001;
      P::spawn([=] {
        P::sleep(us);
        wg->done();
      });
    }
    wg->wait();
    int64_t ns = nanos() - start;
    return {n, ns, {{"overrun_ms", ns / 1e6 - 100}}};
  }

  static Result fib(int64_t n) {
    int64_t start = nanos(), v = 0;
    auto c = std::make_shared<Buf>(1);
    P::spawn([=] { fibNode(n, c); });
    c->recv(v);
    int64_t ns = nanos() - start, a = 1, b = 1;
    for (int64_t i = 1; i < n; i++) {
      int64_t next = a + b + 1;
      a = b;
      b = next;
    }
    return {b, ns, {{"value", double(v)}}};
  }

  static Result sieve(int64_t n) {
    int64_t start = nanos(), prime = 0;
    Unbuf* ch = forever<Unbuf>();
    P::spawn([=] {
      for (int64_t i = 2;; i++) ch->send(i);
    });
    for (int64_t i = 0; i < n; i++) {
      ch->recv(prime);
      Unbuf *in = ch, *out = forever<Unbuf>();
      P::spawn([=] {
        for (int64_t v = 0;;) {
          in->recv(v);
          if (v % prime != 0) out->send(v);
        }
      });
      ch = out;
    }
    return {n, nanos() - start, {{"last", double(prime)}}};
  }

 private:
  static inline std::atomic<int64_t> sink;

  static void node(std::shared_ptr<Unbuf> parent, int64_t num, int64_t size) {
    if (size == 1) return parent->send(num);
    auto c = std::make_shared<Unbuf>();
    int64_t sub = size / 10, sum = 0, v = 0;
    for (int64_t i = 0; i < 10; i++) P::spawn([=] { node(c, num + i * sub, sub); });
    for (int i = 0; i < 10; i++) {
      c->recv(v);
      sum += v;
    }
    parent->send(sum);
  }

  static void fibNode(int64_t n, std::shared_ptr<Buf> out) {
    if (n < 2) return out->send(n);
    auto a = std::make_shared<Buf>(1), b = std::make_shared<Buf>(1);
    P::spawn([=] { fibNode(n - 1, a); });
    P::spawn([=] { fibNode(n - 2, b); });
    int64_t x = 0, y = 0;
    a->recv(x);
    b->recv(y);
    out->send(x + y);
  }
};

template <class P>
int mainFor(int argc, char** argv) {
  using S = Suite<P>;
  const std::map<std::string, Result (*)(int64_t)> benchmarks = {
      {"yield", S::yield},    {"spawn", S::spawn},       {"chan_pingpong", S::pingPong}, {"chan_buffered", S::buffered},
      {"chan_mpmc", S::mpmc}, {"select", S::select},     {"skynet", S::skynet},          {"parked", S::parked},
      {"mutex", S::mutex},    {"sleepers", S::sleepers}, {"fib_spawn", S::fib},          {"sieve", S::sieve}};
  std::string name;
  int64_t n = 1000, procs = 1, warm = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string flag = argv[i];
    if (flag == "-bench") name = argv[i + 1];
    if (flag == "-n") n = atoll(argv[i + 1]);
    if (flag == "-p") procs = atoll(argv[i + 1]);
    if (flag == "-warm") warm = atoll(argv[i + 1]);
  }
  auto it = benchmarks.find(name);
  if (it == benchmarks.end()) {
    fprintf(stderr, "bench: no benchmark %s\n", name.c_str());
    return 2;
  }
  // Stacks come from malloc: keep freed ones, as a runtime's stack cache would,
  // instead of giving them back to the kernel between batches.
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
  P::run(procs, [&] {
    if (warm > 0) it->second(warm);
    double cpu = cpuMs();
    Result r = it->second(n);
    r.extra["cpu_ms"] = cpuMs() - cpu;
    r.extra["ms"] = r.ns / 1e6;
    r.extra["p"] = procs;
    r.extra["peak_rss_kb"] = statusKb("VmHWM:");
    printf("{\"bench\": \"%s\", \"ops\": %lld, \"ns_per_op\": %.3f, \"extra\": {", name.c_str(), (long long)r.ops,
           double(r.ns) / r.ops);
    const char* sep = "";
    for (auto& [k, v] : r.extra) {
      printf("%s\"%s\": %.6g", sep, k.c_str(), v);
      sep = ", ";
    }
    printf("}}\n");
    fflush(stdout);
    _exit(0);  // fibers may be left blocked (sieve)
  });
  return 1;
}

}  // namespace bench

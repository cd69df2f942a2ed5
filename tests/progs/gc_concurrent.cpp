// Marking beside the program: goroutines move pointers about in large tables, from one place to another, below other
// objects, into and out of locals, boxes of operator new and channels, while cycles mark. Every object says what it must
// hold, each cycle marks a second time with the world stopped, and what is freed is overwritten.
// "closed": the collector's descriptors are closed under it; it must notice, and go on with the world stopped.
// "procs": meanwhile GOMAXPROCS changes, figures are read, collections are asked for from several sides.
// MB GOROUTINES SECONDS [trees]: measures.
// CLAIMS: [C54]
// ENV: GODEBUG=gcconcurrent=2,gccheckmark=1,clobberfree=1
// PROCS: 1 2 8
// REPEAT-STRESS: 20
// TIMEOUT: 120
// STDOUT-MATCH: ^ok [0-9]+ operations, [0-9]+ collections$
#include "claims.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock = std::chrono::steady_clock;

struct Rng {
  std::uint64_t s;
  std::uint64_t operator()() {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s;
  }
};

struct Node {
  std::uint64_t key, check;
  Node *left, *right;
  std::uint64_t pad[4];
};
constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;

Node* make(std::uint64_t key, Node* l, Node* r) {
  return boot::New<Node>(Node{key, key * kMix, l, r, {key, key, key, key}});
}

void verify(const Node* n) {
  if (n != nullptr && (n->check != n->key * kMix || n->pad[3] != n->key)) boot::panic("object overwritten");
}
void walk(Node* n, int depth) {
  for (; n != nullptr && depth > 0; n = n->left, depth--) {
    verify(n);
    if (n->right != nullptr && depth > 2) walk(n->right, depth / 2);
  }
}
Node* tree(Rng& r, int depth) { return depth == 0 ? nullptr : make(r() >> 1, tree(r, depth - 1), tree(r, depth - 1)); }

constexpr std::size_t kPerTable = 8192;
using Table = std::array<Node*, kPerTable>;
constexpr int kDepth = 4;  // of the trees in the tables

std::uint64_t operations;
bool stop;

struct Worker {
  std::vector<Table*> tables;
  std::int64_t worst = 0;  // ns of the longest operation
  Rng r{1};

  Node*& slot() { return (*tables[r() % tables.size()])[r() % kPerTable]; }

  // Until the end, counted and timed.
  template <class F>
  void run(F operation) {
    std::uint64_t n = 0;
    auto last = clock::now();
    for (; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
      operation(n);
      auto now = clock::now();
      worst = std::max<std::int64_t>(worst, (now - last).count());
      last = now;
    }
    __atomic_add_fetch(&operations, n, __ATOMIC_RELAXED);
  }

  // The tables are this goroutine's own, so that what it reads is what it has written.
  void mutate(boot::chan<Node*> exchange) {
    std::vector<std::unique_ptr<Node*>> boxes(64);
    run([&](std::uint64_t n) {
      Node *&a = slot(), *&b = slot();
      switch (r() % 8) {
        case 0: {  // the only pointer goes to a place that may have been read already
          Node* t = a;
          a = nullptr;
          verify(t);
          (b == nullptr ? b : a) = t;
          break;
        }
        case 1:
          std::swap(a, b);
          break;
        case 2:  // below another object
          if (a != nullptr && a->left == nullptr && b != nullptr && a != b) {
            a->left = b->right;
            b->right = nullptr;
          }
          break;
        case 3:  // into a box, which takes another's place
          boxes[r() % 64] = a != nullptr ? std::make_unique<Node*>(a) : nullptr;
          break;
        case 4:
          if (auto& box = boxes[r() % 64]) {
            verify(*box);
            if (b == nullptr) b = *box;
          }
          break;
        case 5:
          walk(a, 8);
          break;
        case 6:
          a = tree(r, kDepth);
          break;
        default:
          if (n % 1024 == 0 && a != nullptr) {
            Node* t = a;
            a = nullptr;
            exchange.send(t);
            a = exchange.recv();
            verify(a);
          } else {
            walk(b, 4);
          }
      }
    });
  }

  // What most programs do: the old stays as it is, the new does not live long.
  void grow() {
    run([&](std::uint64_t) { walk(tree(r, 10), 10); });
  }
};

// Closes whatever of the process's descriptors are the collector's. How many.
int closeDescriptors() {
  int n = 0;
  for (long fd = 3; fd < 256; fd++) {
    char name[32], to[64];
    *fmt::format_to(name, "/proc/self/fd/{}", fd) = 0;
    long len = runtime::syscall6(89, reinterpret_cast<long>(name), reinterpret_cast<long>(to), sizeof to);  // readlink
    if (len <= 0) continue;
    std::string_view s(to, static_cast<std::size_t>(len));
    if (s.find("userfaultfd") == s.npos && s.find("pagemap") == s.npos) continue;
    runtime::syscall6(3, fd);  // close
    n++;
  }
  return n;
}

// Stops the world for other reasons, and takes Ps away and gives them back, while cycles are under way.
void disturb(Rng r) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    boot::time::Sleep(std::chrono::microseconds(r() % 3000));
    runtime::MemStats m;
    switch (r() % 4) {
      case 0:
        runtime::GOMAXPROCS(static_cast<int>(1 + r() % 8));
        break;
      case 1:
        runtime::ReadMemStats(&m);
        break;
      case 2:
        if (r() % 8 == 0) runtime::GC();
        break;
      default:
        runtime::debug::SetGCPercent(static_cast<int>(10 + r() % 30));
    }
  }
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  bool measure = args.size() > 3, closed = args.size() == 2 && std::string_view(args[1]) == "closed";
  bool procs = args.size() == 2 && std::string_view(args[1]) == "procs";
  std::uint64_t mb = measure ? std::strtoull(args[1], nullptr, 10) : 8;
  std::uint64_t n = measure ? std::strtoull(args[2], nullptr, 10) : 4;
  double seconds = measure ? std::strtod(args[3], nullptr) : 1.5;
  if (!measure) runtime::debug::SetGCPercent(20);

  // A tree is (2^depth - 1) * 64 bytes.
  std::vector<Worker> workers(n);
  Rng r{77};
  for (std::uint64_t i = 0, e = std::max((mb << 20) / (15 * 64 + 8) / kPerTable, n); i < e; i++) {
    auto* t = boot::New<Table>();
    workers[i % n].tables.push_back(t);
    for (auto& p : *t) p = r() % 8 != 0 ? tree(r, kDepth) : nullptr;
  }
  if (measure) runtime::GC();
  runtime::MemStats before, after;
  runtime::ReadMemStats(&before);
  auto exchange = boot::make_chan<Node*>(64);
  boot::sync::WaitGroup wg;
  for (std::size_t i = 0; i < n; i++) {
    wg.Add(1);
    boot::go([&, i] {
      workers[i].r.s = (i + 1) * kMix | 1;
      if (args.size() > 4)
        workers[i].grow();
      else
        workers[i].mutate(exchange);
      wg.Done();
    });
  }
  for (std::uint64_t i = 1; procs && i <= 3; i++) {
    wg.Add(1);
    boot::go([&, i] {
      disturb(Rng{i * kMix});
      wg.Done();
    });
  }
  auto start = clock::now();
  auto sleep = [](double s) { boot::time::Sleep(std::chrono::nanoseconds(static_cast<std::int64_t>(s * 1e9))); };
  if (closed) {
    sleep(0.3);
    if (closeDescriptors() == 0) boot::println("there are no descriptors to be closed");
  }
  sleep(seconds);
  // On a busy machine that may not have been enough.
  for (int i = 0; !measure && i < 600; i++) {
    runtime::ReadMemStats(&after);
    if (after.NumGC >= before.NumGC + 3) break;
    sleep(0.1);
  }
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  wg.Wait();
  double ms = std::chrono::duration<double, std::milli>(clock::now() - start).count();
  runtime::ReadMemStats(&after);
  for (auto& w : workers)
    for (auto* t : w.tables)
      for (auto* p : *t) walk(p, 100);
  auto cycles = after.NumGC - before.NumGC;
  if (measure) {
    std::uint64_t most = 0;
    std::int64_t worst = 0;
    for (std::uint32_t i = 1; i <= std::min(cycles, 256u); i++)
      most = std::max(most, after.PauseNs[(after.NumGC - i) % 256]);
    for (auto& w : workers) worst = std::max(worst, w.worst);
    boot::println(
        "{} MB live, {} goroutines: {:.2f} operations a ms, {} cycles, stopped {:.2f} ms a cycle, at most {:.2f}; "
        "longest "
        "operation {:.2f} ms; collector {:.1f} %; heap {} MB",
        after.HeapAlloc >> 20, n, static_cast<double>(operations) / ms, cycles,
        cycles != 0 ? static_cast<double>(after.PauseTotalNs - before.PauseTotalNs) / 1e6 / cycles : 0,
        static_cast<double>(most) / 1e6, static_cast<double>(worst) / 1e6, after.GCCPUFraction * 100,
        after.HeapSys >> 20);
  } else if (cycles < 3) {
    boot::panic("hardly any collection");
  }
  boot::println("ok {} operations, {} collections", operations, cycles);
}

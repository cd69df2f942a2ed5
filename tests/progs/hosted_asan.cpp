// What AddressSanitizer is told of goroutines: no false report from what is allowed, and a report of what is not
// (check_asan; each scene is a program of its own).
// HOSTED: only
// SANITIZE: address
// PROCS: 1 2 64
// REPEAT-STRESS: 100
// ENV: ASAN_OPTIONS=detect_stack_use_after_return=1
// STDOUT: 6000
#include <boot/boot.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using boot::chan;

namespace {

// Deep enough for segments; throws at the bottom when asked. Its array has marks around it while it runs.
[[gnu::noinline]] int down(int n, bool thrown) {
  char marked[200];
  memset(marked, n, sizeof marked);
  __asm__ volatile("" ::"r"(marked) : "memory");
  if (n == 0) {
    if (thrown) throw std::runtime_error("from below");
    return marked[0];
  }
  return down(n - 1, thrown) + marked[n % 200];
}

void work(int i) {
  for (int k = 0; k < 8; k++) {
    try {
      down(k * 150 + i, true);
    } catch (const std::runtime_error& e) {
      runtime::Gosched();
      try {
        down(k, true);
      } catch (...) {
        runtime::Gosched();
      }
      if (strcmp(e.what(), "from below") != 0) abort();
    }
    down(1200, false);
  }
}

void clean() {
  constexpr int kN = 60;
  auto done = boot::make_chan<std::string>(kN);
  for (int i = 0; i < kN; i++)
    boot::go([=] {
      work(i);
      boot::defer d{[=] { done.send(std::string(100, 'x')); }};
      if (i % 3 == 0) {
        char marked[3000];
        memset(marked, 1, sizeof marked);
        __asm__ volatile("" ::"r"(marked) : "memory");
        runtime::Goexit();
      }
      if (i % 3 == 1) runtime::LockOSThread();  // the thread ends with it
    });
  std::size_t n = 0;
  for (int i = 0; i < kN; i++) n += done.recv().size();
  runtime::GC();
  std::thread t([] { down(50, false); });
  t.join();
  // Still running, parked and queued at the end; what they hold is no leak.
  auto never = boot::make_chan<std::unique_ptr<int>>(2);
  never.send(std::make_unique<int>(1));
  for (int i = 0; i < 3; i++)
    boot::go([=] {
      auto held = std::make_unique<std::string>(1000, 'y');
      never.send(std::make_unique<int>(2));
      if (held->empty()) abort();
    });
  boot::go([] {
    auto held = std::make_unique<std::string>(1000, 'y');
    for (;;) down(10, false);
  });
  boot::time::Sleep(std::chrono::milliseconds(30));
  printf("%zu\n", n);
}

void heap(chan<int> c) {
  auto* p = new int[10];
  delete[] p;
  runtime::Gosched();
  c.send(*static_cast<volatile int*>(p + 3));
}

[[gnu::noinline]] void overflow(int at) {
  char small[24];
  memset(small, 0, sizeof small);
  volatile char* p = small;
  p[at] = 1;
}

[[gnu::noinline]] int* escape() {
  int local = 1;
  int* p = &local;
  __asm__ volatile("" : "+r"(p)::"memory");
  return p;
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  std::string what = args.size() > 1 ? args[1] : "clean";
  auto c = boot::make_chan<int>();
  if (what == "clean") return clean();
  boot::go([=] {
    work(3);
    if (what == "heap") heap(c);
    if (what == "stack") overflow(static_cast<int>(what.size()) + 19);
    if (what == "segment") {
      auto f = [](auto& self, int n) -> int { return n == 0 ? (overflow(24), 0) : self(self, n - 1) + down(1, false); };
      f(f, 5000);
    }
    if (what == "return") {
      int* p = escape();
      runtime::Gosched();
      printf("%d\n", *p);
    }
    if (what == "leak") {
      for (int i = 0; i < 10; i++) {  // one may still have its address in a register or a block that was freed
        auto* p = new std::string(1000, 'z');
        __asm__ volatile("" : "+r"(p)::"memory");
      }
    }
    c.send(0);
  });
  c.recv();
  // No stale pointer in the registers or on the stack of who did it.
  auto again = boot::make_chan<int>();
  boot::go([=] {
    work(9);
    again.send(0);
  });
  again.recv();
}

// What ThreadSanitizer makes of goroutines: all that orders them here orders them for it, and a race is found (check_tsan).
// Built by the preset hosted-tsan only.
// HOSTED: only
// SANITIZE: thread
// PROCS: 1 2 8
// REPEAT: 3
// TIMEOUT: 120
// STDOUT: sum 16960
#include <boot/boot.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>

namespace {

int byMutex, byStdMutex, byRW, byOnce, byAtomic;

[[gnu::noinline]] int down(int n) {
  volatile char frame[300];
  frame[n % 300] = 1;
  if (n == 0) throw std::runtime_error("from below");
  return down(n - 1) + frame[n % 300];
}

void clean() {
  constexpr int kN = 40;
  boot::sync::Mutex mu;
  std::mutex stdmu;
  boot::sync::RWMutex rw;
  boot::sync::Once once;
  boot::sync::WaitGroup wg;
  std::atomic<bool> ready = false;
  auto unbuffered = boot::make_chan<int*>(), buffered = boot::make_chan<int*>(4);
  auto quit = boot::make_chan<int>();
  int sum = 0;
  boot::go([&] {
    for (bool more = true; more;)
      boot::select(boot::on_recv(unbuffered, [&](int* p) { sum += *p, delete p; }),
                   boot::on_recv(buffered, [&](int* p) { sum += *p, delete p; }),
                   boot::on_recv(quit, [&](int) { more = false; }));
    byAtomic = sum;
    ready.store(true, std::memory_order_release);
  });
  for (int i = 0; i < kN; i++) {
    wg.Add(1);
    boot::go([&, i] {
      if (i % 8 == 7) runtime::LockOSThread();  // the thread ends with it
      for (int k = 0; k < 20; k++) {
        try {
          down(k * 40);
        } catch (const std::exception&) {
          runtime::Gosched();
        }
        once.Do([] { byOnce = 1; });
        {
          std::lock_guard lock(mu);
          byMutex++;
        }
        {
          std::lock_guard lock(stdmu);
          byStdMutex += byOnce;
        }
        {
          std::lock_guard lock(rw);
          byRW++;
        }
        rw.RLock();
        int seen = byRW;
        rw.RUnlock();
        (k % 2 == 0 ? unbuffered : buffered).send(new int(k + 10 * (seen > 0)));
        if (k == 10) boot::time::Sleep(std::chrono::microseconds(100));
      }
      wg.Done();
    });
  }
  wg.Wait();
  while (buffered.len() > 0) runtime::Gosched();
  quit.send(0);
  while (!ready.load(std::memory_order_acquire)) runtime::Gosched();
  if (byMutex != kN * 20 || byStdMutex != kN * 20 || byRW != kN * 20) abort();
  printf("sum %d\n", byAtomic + byMutex + byRW - 240);
}

int raced;
std::atomic<int> running;

[[gnu::noinline]] void increment() {
  running.fetch_add(1, std::memory_order_relaxed);
  while (running.load(std::memory_order_relaxed) < 2) {}
  for (int i = 0; i < 1000; i++) raced++;
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  if (args.size() < 2) return clean();
  auto done = boot::make_chan<int>();
  for (int i = 0; i < 2; i++)
    boot::go([=] {
      increment();
      done.send(0);
    });
  done.recv();
  done.recv();
}

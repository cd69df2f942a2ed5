// Work for an allocator that is a library of its own (check_allocators): it takes locks while names are looked up, before
// the runtime has started and on goroutines.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: 40 goroutines and 4 threads: nothing was lost
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cxx_check.h"

static std::atomic<int> bad = 0;

static void work(int seed) {
  std::vector<char*> blocks;
  for (int k = 0; k < 2000; k++) {
    std::size_t n = 1 + static_cast<std::size_t>(k * 7919 + seed) % 3000;
    auto p = static_cast<char*>(malloc(n));
    memset(p, seed, n);
    blocks.push_back(p);
    if (k % 64 == 0 && getenv("NEVER") == nullptr) std::this_thread::yield();
    if (blocks.size() > 50) {
      std::size_t at = static_cast<std::size_t>(k) % blocks.size();
      bad += *blocks[at] != static_cast<char>(seed);
      free(blocks[at]);
      blocks[at] = blocks.back();
      blocks.pop_back();
    }
  }
  for (char* p : blocks) {
    bad += *p != static_cast<char>(seed);
    free(p);
  }
}

void main_main() {
  std::mutex mu;
  std::condition_variable cond;
  int ended = 0;
  auto one = [&](int i) {
    work(i);
    std::lock_guard lock(mu);
    ended++;
    cond.notify_all();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back(one, 100 + i);
  for (int i = 0; i < 40; i++) boot::go([&, i] { one(i); });
  {
    std::unique_lock lock(mu);
    cond.wait(lock, [&] { return ended == 44; });
  }
  for (auto& t : threads) t.join();
  if (bad == 0) boot::println("40 goroutines and 4 threads: nothing was lost");
}

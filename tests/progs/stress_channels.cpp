// Eight producers and eight consumers, on channels of several capacities.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 120
// STDOUT: ok
#include "tests/progs/stress.h"

namespace {

void eightToEight(std::int64_t capacity) {
  constexpr int kEach = 4000;
  auto c = boot::make_chan<std::int64_t>(capacity);
  boot::sync::WaitGroup senders, receivers;
  std::int64_t sum = 0, count = 0;
  senders.Add(8);
  receivers.Add(8);
  for (int s = 0; s < 8; s++) {
    boot::go([&, s] {
      for (int i = 0; i < kEach; i++) c.send(s * kEach + i);
      senders.Done();
    });
    boot::go([&] {
      std::int64_t mine = 0, n = 0;
      for (std::int64_t v : c) mine += v, n++;
      __atomic_add_fetch(&sum, mine, __ATOMIC_SEQ_CST);
      __atomic_add_fetch(&count, n, __ATOMIC_SEQ_CST);
      receivers.Done();
    });
  }
  senders.Wait();
  c.close();
  receivers.Wait();
  constexpr std::int64_t n = 8 * kEach;
  check(count == n, "each value once");
  check(sum == n * (n - 1) / 2, "the sum");
}

}  // namespace

void main_main() {
  stress([] {
    for (std::int64_t capacity : {0, 1, 7, 1000}) eightToEight(capacity);
  });
}

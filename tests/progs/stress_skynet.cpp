// Skynet: a tree of 111,111 goroutines whose leaves' numbers are summed up on the way back.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 120
// STDOUT: ok
#include "tests/progs/stress.h"

namespace {

std::int64_t skynet(std::int64_t num, std::int64_t size) {
  if (size == 1) return num;
  auto c = boot::make_chan<std::int64_t>();
  for (std::int64_t i = 0; i < 10; i++) boot::go([=] { c.send(skynet(num + i * (size / 10), size / 10)); });
  std::int64_t sum = 0;
  for (int i = 0; i < 10; i++) sum += c.recv();
  return sum;
}

}  // namespace

void main_main() {
  stress([] { check(skynet(0, 100000) == 4999950000, "the sum"); });
}

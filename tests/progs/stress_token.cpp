// 100,000 goroutines in a ring pass a token on; then the ring is taken down from one end.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 120
// STDOUT: ok
#include "tests/progs/stress.h"

namespace {

void ring() {
  constexpr int kRing = 100000, kRounds = 2;
  auto first = boot::make_chan<std::int64_t>();
  auto left = first;
  for (int i = 0; i < kRing; i++) {
    auto right = boot::make_chan<std::int64_t>();
    boot::go([left, right] {
      for (std::int64_t v : left) right.send(v + 1);
      right.close();
    });
    left = right;
  }
  for (int r = 0; r < kRounds; r++) {
    first.send(r);
    check(left.recv() == r + kRing, "the token");
  }
  first.close();
  check(!left.recv_ok().ok, "the end");
}

}  // namespace

void main_main() { stress(ring); }

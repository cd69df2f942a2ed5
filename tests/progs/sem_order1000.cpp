// In which order 1000 goroutines run that one goroutine starts: the last first (runnext), then the queue; what
// overflowed to the global queue comes in at every 61st turn. As real Go 1.19, all 1000 numbers.
//
// All of it is one slice of 10 ms only if starting a goroutine is quick. A new stack costs a page fault, which takes 15 µs
// on some virtual machines. So as many have run and ended before, and left their stacks; behind them the scheduler's
// count of turns is put on until the 61st falls where it would have fallen without them.
// CLAIMS: [C36] [C39]
// PROCS: 1
// REPEAT: 5
#include <string>

#include "claims.h"

namespace {
int order[1000];
int n;
}  // namespace

void main_main() {
  boot::sync::WaitGroup wg;
  std::uint32_t tick = runtime::getg()->m->p->schedtick;
  wg.Add(1000);
  for (int i = 0; i < 1000; i++) boot::go([&wg] { wg.Done(); });
  wg.Wait();
  while (runtime::getg()->m->p->schedtick % 61 != tick % 61) runtime::getg()->m->p->schedtick++;
  wg.Add(1000);
  for (int i = 0; i < 1000; i++) {
    boot::go([&wg, i] {
      order[n++] = i;
      wg.Done();
    });
  }
  wg.Wait();
  std::string line;
  for (int i : order) line += (line.empty() ? "" : " ") + std::to_string(i);
  boot::println("{}", line);
}

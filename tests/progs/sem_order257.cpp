// In which order 257 goroutines run that one goroutine starts: the last first (runnext), then the queue; what
// overflowed to the global queue comes in at every 61st turn. As real Go 1.19, all 257 numbers.
// It is an order of one time slice, which new stacks may outlast where page faults are slow.
// CLAIMS: [C36] [C39]
// PROCS: 1
// REPEAT: 5
#include <string>

#include "claims.h"

namespace {
int order[257];
int n;
}  // namespace

void main_main() {
  claims::oneSlice();
  boot::sync::WaitGroup wg;
  wg.Add(257);
  for (int i = 0; i < 257; i++) {
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

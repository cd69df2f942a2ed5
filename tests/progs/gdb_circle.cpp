// Two goroutines that wait for each other by channels, one for a mutex that nobody unlocks: a circle for wait-graph.
// The wait graph is printed with the fatal message when it is asked for.
// RUN: GODEBUG=deadlockgraph=1 %prog
// EXIT: 2
// STDERR-MATCH: wait graph:
// STDERR-MATCH: goroutine \d+ \[chan receive\] waits to receive on chan 0x[0-9a-f]+ \(0 of 0\), known to goroutine \d+
// STDERR-MATCH: circle: goroutine \d+ -> goroutine \d+ -> goroutine \d+
// STDERR-MATCH: fatal error: all goroutines are asleep - deadlock!
#include <boot/boot.h>

#include "boot/sync.h"

void main_main() {
  {
    auto a = boot::make_chan<int>(), b = boot::make_chan<int>();
    boot::go([=] {
      a.recv();
      b.send(1);
    });
    boot::go([=] {
      b.recv();
      a.send(1);
    });
  }
  boot::sync::Mutex mu;
  mu.Lock();
  boot::go([&] { mu.Lock(); });
  runtime::Gosched();
  mu.Lock();
}

// Goroutines that wait for a Mutex get it in the order in which they came.
// PROCS: 1
// REPEAT: 10
// STDOUT: 9 0 1 2 3 4 5 6 7 8 .
#include <boot/boot.h>

#include "sem_out.h"

#include <mutex>
#include <vector>

void main_main() {
  boot::sync::Mutex mu;
  auto o = boot::make_chan<int>(20);
  std::vector<int> came;
  mu.Lock();
  for (int i = 0; i < 10; i++) {
    boot::go([&, o, i] {
      came.push_back(i);
      std::lock_guard guard(mu);
      o.send(i);
    });
  }
  while (came.size() < 10) runtime::Gosched();
  settle();  // the last one, too, is in the queue now: nobody has it who comes later
  if (o.len() != 0) put("taken while locked ");
  mu.Unlock();
  for (int i = 0; i < 10; i++) put("{} ", o.recv());
  put(".\n");
  boot::print("{}", out);
}

// Goroutines that wait for a Mutex get it in the order in which they came.
// PROCS: 1
// REPEAT: 10
// STDOUT: 9 0 1 2 3 4 5 6 7 8 .
#include <boot/boot.h>

#include "sem_out.h"

#include <mutex>

using namespace std::chrono_literals;

void main_main() {
  boot::sync::Mutex mu;
  auto o = boot::make_chan<int>(20);
  mu.Lock();
  for (int i = 0; i < 10; i++) {
    boot::go([&mu, o, i] {
      std::lock_guard guard(mu);
      o.send(i);
    });
  }
  boot::time::Sleep(5ms);
  mu.Unlock();
  for (int i = 0; i < 10; i++) put("{} ", o.recv());
  put(".\n");
  boot::print("{}", out);
}

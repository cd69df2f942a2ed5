// Two goroutines that wake each other through runnext share one time slice, so a third one is not starved.
// PROCS: 1 2
// REPEAT: 5
// STDOUT: third ran in time
#include <boot/boot.h>

using namespace std::chrono_literals;

void main_main() {
  auto a = boot::make_chan<int>(), b = boot::make_chan<int>();
  boot::go([=] {
    for (;;) {
      a.recv();
      b.send(1);
    }
  });
  auto t = boot::time::Now();
  boot::time::Duration third{};
  bool ran = false;
  boot::go([&, a, b] {
    do {
      a.send(1);
      b.recv();
    } while (!__atomic_load_n(&ran, __ATOMIC_SEQ_CST));
  });
  boot::go([&] {
    third = boot::time::Since(t);
    __atomic_store_n(&ran, true, __ATOMIC_SEQ_CST);
  });
  while (!__atomic_load_n(&ran, __ATOMIC_SEQ_CST)) boot::time::Sleep(1ms);
  if (third < 1s)
    boot::println("third ran in time");
  else
    boot::println("third ran after {} ns", third.count());
}

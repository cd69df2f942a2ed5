// NumGoroutine counts what the program started, and main; not the runtime's own goroutines.
// PROCS: 1 2
// STDOUT: main: NumGoroutine 1
// STDOUT: after go: 2
// STDOUT: after 10 more: 12
// STDOUT: after they ended: 2
#include <boot/boot.h>

void main_main() {
  boot::println("main: NumGoroutine {}", runtime::NumGoroutine());
  boot::go([] { boot::select(); });
  boot::println("after go: {}", runtime::NumGoroutine());
  auto go_on = boot::make_chan<int>();
  boot::sync::WaitGroup wg;
  wg.Add(10);
  for (int i = 0; i < 10; i++) {
    boot::go([&wg, go_on] {
      go_on.recv();
      wg.Done();
    });
  }
  boot::println("after 10 more: {}", runtime::NumGoroutine());
  go_on.close();
  wg.Wait();
  // Done comes before the goroutine's end.
  while (runtime::NumGoroutine() > 2) runtime::Gosched();
  boot::println("after they ended: {}", runtime::NumGoroutine());
}

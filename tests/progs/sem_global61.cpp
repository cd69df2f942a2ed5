// A goroutine on the global queue (Gosched puts it there) runs although the local queue is never empty. Goroutines that
// wake each other through runnext share a time slice; when sysmon ends it, the scheduler's tick goes on, and every 61st
// tick looks at the global queue first. Without these rules this program would not end.
// CLAIMS: [C39] [C48]
// PROCS: 1
// TIMEOUT: 60
// STDOUT: ran 5 times
#include <boot/boot.h>

void main_main() {
  for (int k = 0; k < 2; k++) {
    auto c = boot::make_chan<int>(), d = boot::make_chan<int>();
    boot::go([=] {
      for (;;) {
        c.recv();
        d.send(1);
      }
    });
    boot::go([=] {
      for (;;) {
        c.send(1);
        d.recv();
      }
    });
  }
  int i = 0;
  for (; i < 5; i++) runtime::Gosched();
  boot::println("ran {} times", i);
}

// A goroutine blocked in read(2) at GOMAXPROCS=1 gives its P to the others.
// CLAIMS: [C48]
// PROCS: 1 2
// REPEAT: 5
// STDOUT: read 1, the other goroutine made progress 5
#include <boot/boot.h>

using namespace std::chrono_literals;

void main_main() {
  auto [r, w] = boot::os::Pipe();
  int progress = 0;
  boot::go([&, w = w] {
    for (int i = 0; i < 5; i++) {
      progress++;
      boot::time::Sleep(1ms);
    }
    boot::os::Write(w, "x", 1);
  });
  char buf[1];
  auto n = boot::os::Read(r, buf, 1);
  boot::println("read {}, the other goroutine made progress {}", n, progress);
}

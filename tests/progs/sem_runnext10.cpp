// The goroutine started last runs first, the others in the order of their start.
// CLAIMS: [C36]
// PROCS: 1
// REPEAT: 10
// STDOUT: 9 0 1 2 3 4 5 6 7 8
#include <boot/boot.h>

#include "sem_out.h"

void main_main() {
  boot::sync::WaitGroup wg;
  bool first = true;
  for (int i = 0; i < 10; i++) {
    wg.Add(1);
    boot::go([&, i] {
      put("{}{}", first ? "" : " ", i);
      first = false;
      wg.Done();
    });
  }
  wg.Wait();
  put("\n");
  boot::print("{}", out);
}

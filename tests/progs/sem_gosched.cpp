// Gosched puts the goroutine at the end of the global queue; at GOMAXPROCS=1 the order is fixed, and real Go's.
// PROCS: 1
// REPEAT: 10
// STDOUT: m 2:0 0:0 1:0 m 2:1 0:1 1:1 m 2:2 0:2 1:2 m 2:3 0:3 1:3 m .
#include <boot/boot.h>

#include "sem_out.h"

void main_main() {
  int done = 0;
  for (int i = 0; i < 3; i++) {
    boot::go([&done, i] {
      for (int k = 0; k < 4; k++) {
        put("{}:{} ", i, k);
        runtime::Gosched();
      }
      done++;
    });
  }
  while (done < 3) {
    put("m ");
    runtime::Gosched();
  }
  put(".\n");
  boot::print("{}", out);
}

// Goexit runs the deferred functions, the last one first, and the other goroutines go on.
// PROCS: 1 2
// REPEAT: 10
// STDOUT: d2 d1 Goexit ran defers LIFO
#include <boot/boot.h>

#include "sem_out.h"

void main_main() {
  auto done = boot::make_chan<int>();
  boot::go([=] {
    boot::defer a{[&] {
      put("d1 ");
      done.send(1);
    }};
    boot::defer b{[] { put("d2 "); }};
    runtime::Goexit();
  });
  done.recv();
  put("Goexit ran defers LIFO\n");
  boot::print("{}", out);
}

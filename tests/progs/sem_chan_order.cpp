// The order of events on channels at GOMAXPROCS=1, line for line what real Go 1.19 prints.
// PROCS: 1
// REPEAT: 10
// STDOUT: s0 s1 r0 r1 s2 s3 r2 r3 s4 r4 <- unbuffered
// STDOUT: s0 s1 s2 s3 r0 r1 r2 r3 s4 s5 r4 r5 <- buffered 2
// STDOUT: 7 0 1 2 3 4 5 6 <- 8 senders, main receives
// STDOUT: 0 11 22 33 44 55 66 77 <- 8 receivers id*10+val
// STDOUT: 0 1 2 3 4 5 6 7 <- receivers woken by close
// STDOUT: len 2 cap 3
#include <boot/boot.h>

#include "sem_out.h"

namespace {

void interleave(std::int64_t cap, int n, const char* what) {
  auto c = boot::make_chan<int>(cap);
  auto done = boot::make_chan<bool>();
  boot::go([=] {
    for (int i = 0; i < n; i++) {
      put("s{} ", i);
      c.send(i);
    }
    c.close();
  });
  boot::go([=] {
    for (int v : c) put("r{} ", v);
    done.send(true);
  });
  done.recv();
  put("<- {}\n", what);
}

void take8(boot::recv_chan<int> c, const char* what) {
  for (int i = 0; i < 8; i++) put("{} ", c.recv());
  put("<- {}\n", what);
}

}  // namespace

void main_main() {
  interleave(0, 5, "unbuffered");
  interleave(2, 6, "buffered 2");

  auto c = boot::make_chan<int>();
  for (int i = 0; i < 8; i++) boot::go([=] { c.send(i); });
  take8(c, "8 senders, main receives");

  auto o = boot::make_chan<int>(8);
  for (int i = 0; i < 8; i++) {
    boot::go([=] {
      int v = c.recv();
      o.send(i * 10 + v);
    });
  }
  for (int i = 0; i < 3; i++) boot::go([] {});
  for (int i = 0; i < 8; i++) c.send(i);
  take8(o, "8 receivers id*10+val");

  auto d = boot::make_chan<int>();
  for (int i = 0; i < 8; i++) {
    boot::go([=] {
      d.recv();
      o.send(i);
    });
  }
  boot::go([=] { d.close(); });
  take8(o, "receivers woken by close");

  auto nb = boot::make_chan<int>(3);
  nb.send(1);
  nb.send(2);
  put("len {} cap {}\n", nb.len(), nb.cap());
  boot::print("{}", out);
}

// Three senders on a channel that nobody reads. Once the last goroutine sleeps the scheduler sees that nothing can wake
// any of them, and the program ends with a fatal error instead of hanging.
#include <boot/boot.h>

void main_main() {
  auto ch = boot::make_chan<int>();
  for (int i = 0; i < 2; i++) {
    boot::go([=] { ch.send(2); });
  }
  ch.send(1);
}

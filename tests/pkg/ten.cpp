#include <boot/boot.h>
void main_main() {
  auto c = boot::make_chan<int>();
  boot::go([=] { c.send(42); });
  boot::println("got {}", c.recv());
}

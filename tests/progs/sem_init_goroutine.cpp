// A goroutine started by a static constructor runs when main gives way, not before.
// PROCS: 1
// REPEAT: 5
// STDOUT: main
// STDOUT: init goroutine
#include <boot/boot.h>

using namespace std::chrono_literals;

namespace {
struct init {
  init() {
    boot::go([] { boot::println("init goroutine"); });
  }
} initialised;
}  // namespace

void main_main() {
  boot::println("main");
  boot::time::Sleep(1ms);
}

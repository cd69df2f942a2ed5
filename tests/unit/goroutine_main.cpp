// Catch2's session as main_main: the unit tests on a goroutine, in hosted mode.
#include <boot/boot.h>

#if BOOT_CATCH2_VERSION >= 3
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

// In parallel with other goroutines, and given up to them between the tests and in them.
void main_main() {
  bool stop = false;
  auto stopped = boot::make_chan<int>();
  boot::go([&] {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) runtime::Gosched();
    stopped.send(0);
  });
  auto args = boot::os::Args();
  int failed = Catch::Session().run(static_cast<int>(args.size()), args.data());
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  stopped.recv();
  boot::os::Exit(failed);
}

// A goroutine that ends while locked takes its thread along: the thread's thread_locals are destroyed, each once and on that
// thread, also when its M and its memory serve a later thread.
// HOSTED: also
// PROCS: 1 2 8
// REPEAT-STRESS: 50
// STDOUT: 80 threads: each constructed one, and destroyed it
// STDOUT: none is left to the end
#include <atomic>
#include <cstdlib>

#include "cxx_check.h"

static std::atomic<int> constructed, destroyed, wrong;

struct Mine {
  const void* thread = here();
  std::uint64_t mark = 0x1234;
  // The block that FS points to; it is the thread's.
  static const void* here() {
    const void* fs;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(fs));
    return fs;
  }
  Mine() { constructed++; }
  ~Mine() {
    if (thread != here() || mark != 0x1234) wrong++;
    mark = 0;
#ifndef BOOT_HOSTED  // there libc calls this on the bare thread
    auto c = boot::make_chan<int>();
    boot::go([=] { c.send(1); });
    wrong += c.recv() != 1 || thread != here();
#endif
    destroyed++;
  }
};
static thread_local Mine mine;
// The first thread does not end before the program: main_main keeps it.
static const bool kept = (runtime::LockOSThread(), true);

void main_main() {
  std::atexit([] { boot::println("{}", destroyed == 80 ? "none is left to the end" : "left to the end"); });
  for (int round = 0; round < 20; round++) {
    onGoroutines(4, [](int) {
      runtime::LockOSThread();
      CHECK(mine.mark == 0x1234 && mine.thread == Mine::here());
    });
    // The goroutine is gone before its thread is.
    for (int i = 0; i < 5000 && destroyed < (round + 1) * 4; i++) boot::time::Sleep(std::chrono::milliseconds(1));
  }
  CHECK(kept && constructed == 80 && destroyed == 80 && wrong == 0);
  boot::println("80 threads: each constructed one, and destroyed it");
}

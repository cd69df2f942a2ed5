// Two endless loops without calls, and main still wakes from Sleep(50 ms): they are preempted.
// CLAIMS: [C48]
// PROCS: 1 2
// REPEAT: 5
// SERIAL: it measures time
// STDOUT: woke in time, both ran
#include <boot/boot.h>

using namespace std::chrono_literals;

namespace {
std::int64_t a, b;
}

void main_main() {
  auto t = boot::time::Now();
  boot::go([] {
    for (;;) __atomic_add_fetch(&a, 1, __ATOMIC_SEQ_CST);
  });
  boot::go([] {
    for (;;) __atomic_add_fetch(&b, 1, __ATOMIC_SEQ_CST);
  });
  boot::time::Sleep(50ms);
  auto d = boot::time::Since(t);
  // On a busy machine the process may have had a few milliseconds of those 50.
  while (__atomic_load_n(&a, __ATOMIC_SEQ_CST) == 0 || __atomic_load_n(&b, __ATOMIC_SEQ_CST) == 0)
    boot::time::Sleep(1ms);
  if (d >= 50ms && d < 200ms)
    boot::println("woke in time, both ran");
  else
    boot::println("slept {} us", d.count() / 1000);
}

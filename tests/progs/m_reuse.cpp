// Somebody who looked at a P keeps a pointer to the M that had it; its thread has ended meanwhile and the m serves another.
// A request to preempt by that pointer does no harm, and the M can be preempted by signals afterwards.
// PROCS: 2 8
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>

#include <cstdlib>
#include <set>

#include "runtime/base/stubs.h"

namespace runtime {
bool preemptone(p* pp) GOSYM("runtime.preemptone");
}

namespace {

constexpr int kMs = 16;
runtime::p stale[kMs];
int nstale = 0;
bool end = false;

}  // namespace

void main_main() {
  const int rounds = std::getenv("BOOT_STRESS") != nullptr ? 20000 : 500;
  for (int i = 0; i < 2; i++)
    boot::go([] {
      while (!__atomic_load_n(&end, __ATOMIC_RELAXED))
        for (int k = 0; k < 100; k++)
          for (int n = __atomic_load_n(&nstale, __ATOMIC_ACQUIRE), j = 0; j < n; j++) runtime::preemptone(&stale[j]);
    });
  std::set<runtime::m*> seen;
  for (int i = 0; i < rounds; i++) {
    auto c = boot::make_chan<runtime::m*>();
    boot::go([c] {
      runtime::LockOSThread();
      c.send(runtime::getg()->m);
    });
    runtime::m* mp = c.recv();
    if (nstale < kMs && mp != &runtime::m0 && seen.insert(mp).second) {
      stale[nstale].m = mp;
      __atomic_store_n(&nstale, nstale + 1, __ATOMIC_RELEASE);
    }
  }
  __atomic_store_n(&end, true, __ATOMIC_RELAXED);
  // Loops without calls on all Ms: each can be stopped still.
  for (int i = 0; i < 20; i++) {
    bool stop = false;
    boot::sync::WaitGroup wg;
    for (int k = 0; k < 4; k++) {
      wg.Add(1);
      boot::go([&] {
        while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {}
        wg.Done();
      });
    }
    runtime::Gosched();
    runtime::GC();
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    wg.Wait();
  }
  boot::println("ok");
}

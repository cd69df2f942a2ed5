// Goroutines that spend nearly all of their time in the runtime's and the library's functions, where no signal may stop
// them, are stopped on the way in between: main still wakes from its sleeps.
// CLAIMS: [C47] [C48]
// PROCS: 1
// REPEAT-STRESS: 20
// TIMEOUT: 60
// SERIAL: it measures time
// STDOUT: woke in time from all
#include <boot/boot.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>

using namespace std::chrono_literals;

namespace {

char from[16384], to[16384];

void copies(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) std::memcpy(to, from, sizeof to);
}
void clocks(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) boot::time::Now();
}
void chronos(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) std::chrono::steady_clock::now();
}
void mallocs(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    void* volatile p = ::operator new(48);
    ::operator delete(p);
  }
}
void news(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) boot::New<long>();
}
void slices(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) boot::make_slice<char>(40000);
}
void throws(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    try {
      throw 1;
    } catch (int) {}
  }
}
void trees(const bool& stop) {
  std::map<int, int> m;
  for (int i = 0; i < 10000; i++) m[i] = i;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
    for (auto& [k, v] : m) v += k;
}
void locks(const bool& stop) {
  boot::sync::Mutex mu;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    mu.Lock();
    mu.Unlock();
  }
}
void spawns(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) boot::go([] {});
}
void channels(const bool& stop) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) boot::make_chan<int>(1);
}
void formats(const bool& stop) {
  char buf[64];
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) std::snprintf(buf, sizeof buf, "%d %s", 12345, "some text");
}

}  // namespace

void main_main() {
  struct {
    const char* name;
    void (*f)(const bool&);
  } const works[] = {{"memcpy", copies},      {"time.Now", clocks},  {"steady_clock", chronos},
                     {"new", mallocs},        {"throw", throws},     {"map", trees},
                     {"Mutex", locks},        {"snprintf", formats}, {"go", spawns},
                     {"make_chan", channels}, {"New", news},         {"make_slice", slices}};
  bool late = false;
  for (auto& w : works) {
    bool stop = false;
    boot::sync::WaitGroup wg;
    for (int i = 0; i < 2; i++) {
      wg.Add(1);
      boot::go([&] {
        w.f(stop);
        wg.Done();
      });
    }
    std::chrono::nanoseconds worst = 0s;
    for (int i = 0; i < 5; i++) {
      auto t = boot::time::Now();
      boot::time::Sleep(10ms);
      worst = std::max<std::chrono::nanoseconds>(worst, boot::time::Since(t));
    }
    if (worst > 1000ms) {
      boot::println("{}: slept {} ms instead of 10", w.name, worst / 1ms);
      late = true;
    }
    if (boot::os::Args().size() > 1) boot::eprintln("{}: at most {} us", w.name, worst / 1us);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    wg.Wait();
  }
  if (!late) boot::println("woke in time from all");
}

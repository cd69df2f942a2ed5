// What the programs of fatal ends share: scenarios, each a function that registers itself under its name, and main,
// which runs the one that is asked for. The names stay in a namespace without a name, as a program's own do.
#pragma once

#include <boot/boot.h>

#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
namespace time_ = boot::time;
namespace os = boot::os;
using boot::eprintln;
using boot::go;
using boot::make_chan;
using boot::panic;

namespace {

struct scenario {
  const char* name;
  void (*run)();
  scenario* next;
  static inline scenario* all;
  scenario(const char* n, void (*f)()) : name(n), run(f), next(all) { all = this; }
};
#define SCENARIO(name)              \
  void name();                      \
  scenario reg_##name(#name, name); \
  [[gnu::noinline]] void name()

// An address where nothing can be: not near the program, where libc has its heap, nor where the kernel maps things.
constexpr std::uintptr_t kWild = 0x1dead0000000;

// What the compiler must not see through.
template <class T>
T opaque(T v) {
  __asm__ volatile("" : "+r"(v));
  return v;
}
inline long call(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(r)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return r;
}
inline long pid() { return call(39); }
inline long tid() { return call(186); }
inline void kill(int sig) { call(62, pid(), sig); }
inline void forever() { boot::select(); }
[[gnu::noinline]] inline long depth(long n) { return n == 0 ? 0 : opaque(depth(n - 1)) + 1; }

// The scenario's name: SCENARIO in the environment leaves the arguments to the case.
inline std::string_view scenarioName() {
  if (auto s = os::LookupEnv("SCENARIO")) return *s;
  return os::Args().size() > 1 ? os::Args()[1] : "";
}

}  // namespace

inline void runScenario() {
  std::string_view want = scenarioName();
  for (scenario* s = scenario::all; s != nullptr; s = s->next) {
    if (want.empty())
      boot::println("{}", s->name);
    else if (want == s->name)
      return s->run();
  }
  if (!want.empty()) {
    eprintln("no scenario {}", want);
    os::Exit(99);
  }
}

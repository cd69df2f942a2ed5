// Static objects, function-local statics raced by goroutines, thread_local, and what runs at the end.
// PROCS: 1 2 8
// HOSTED: also
// STDOUT: static constructed
// STDOUT: constructor can wait: 7
// STDOUT: main
// STDOUT: raced statics: 100 of 100 made once
// STDOUT: a throwing one: 3 attempts, then 42
// STDOUT: thread_local is the thread's
// STDOUT: local static constructed
// STDOUT: main ends
// STDOUT: local static destroyed
// STDOUT: atexit 2
// STDOUT: atexit 1
// STDOUT: static destroyed
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "cxx_check.h"

struct Loud {
  std::string name;
  explicit Loud(std::string n) : name(std::move(n)) { boot::println("{} constructed", name); }
  ~Loud() { boot::println("{} destroyed", name); }
};
static Loud first("static");

// A static constructor runs on the main goroutine: it may start others and wait for them.
static const int waited = [] {
  auto c = boot::make_chan<int>();
  boot::go([=] { c.send(7); });
  int v = c.recv();
  boot::println("constructor can wait: {}", v);
  return v;
}();

static std::atomic<int> made[100];

// Each slot's static is constructed with a yield in the middle: with a guard that blocks the thread, the goroutine that
// must finish the construction never runs.
template <int N>
static int& slot() {
  static int value = [] {
    made[N]++;
    for (int i = 0; i < 3; i++) runtime::Gosched();
    return N;
  }();
  return value;
}

template <int... N>
static void touchAll(std::integer_sequence<int, N...>) {
  ((void)(slot<N>() == N || (boot::os::Exit(1), true)), ...);
}

static std::atomic<int> attempts;
static int flaky() {
  static int v = [] {
    int n = ++attempts;
    runtime::Gosched();
    if (n < 3) throw std::runtime_error("not yet");
    return 42;
  }();
  return v;
}

static thread_local int perThread = 5;
static thread_local std::vector<int> perThreadVector{1, 2, 3};

void main_main() {
  boot::println("main");
  std::atexit([] { boot::println("atexit 1"); });
  std::atexit([] { boot::println("atexit 2"); });
  onGoroutines(20, [](int) { touchAll(std::make_integer_sequence<int, 100>()); });
  int once = 0;
  for (auto& m : made) once += m == 1;
  boot::println("raced statics: {} of 100 made once", once);

  std::atomic<int> failed = 0, got = 0;
  onGoroutines(8, [&](int) {
    for (;;) {
      try {
        got = flaky();
        return;
      } catch (const std::runtime_error&) {
        failed++;
      }
    }
  });
  CHECK(failed == 2);
  boot::println("a throwing one: {} attempts, then {}", attempts.load(), got.load());

  // Bound to its thread, a goroutine has thread_locals for itself; another thread's start from their initial values.
  runtime::LockOSThread();
  perThread = 6;
  perThreadVector.push_back(4);
  onGoroutines(4, [](int) {
    runtime::LockOSThread();
    CHECK(perThread == 5 && perThreadVector.size() == 3);
    perThread = 7;
    perThreadVector.clear();
    runtime::Gosched();
    CHECK(perThread == 7 && perThreadVector.empty());
  });
  CHECK(perThread == 6 && perThreadVector.size() == 4);
  boot::println("thread_local is the thread's");
  runtime::UnlockOSThread();

  static Loud local("local static");
  boot::println("main ends");
}

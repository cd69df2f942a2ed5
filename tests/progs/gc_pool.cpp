// Pool and the collector: a value outlives one collection (as a victim), not two; then nothing refers to it, and what Get
// gives is new. A value that is used between collections stays.
// CLAIMS: [C54]
// PROCS: 1 2 8
// STDOUT: after one collection: the value
// STDOUT: after two: new
// STDOUT: freed 100 of 100
// STDOUT: in steady use: the value
#include <boot/boot.h>

namespace {

struct Value {
  long n = 0;
};
long freed;

[[gnu::noinline]] void fill(boot::sync::Pool<Value>& p) {
  for (int i = 0; i < 100; i++) {
    auto* v = boot::New<Value>();
    v->n = i;
    runtime::SetFinalizer(v, [](Value*) { __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED); });
    p.Put(v);
  }
}

// On a goroutine of its own, whose stack keeps nothing.
template <class F>
void apart(F f) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    f();
    wg.Done();
  });
  wg.Wait();
}

}  // namespace

void main_main() {
  static Value kept{42}, made{1};
  boot::sync::Pool<Value> p([]() -> Value* { return &made; });
  auto what = [&](Value* v) { return v == &kept ? "the value" : v == &made ? "new" : "something else"; };
  p.Put(&kept);
  runtime::GC();
  boot::println("after one collection: {}", what(p.Get()));
  p.Put(&kept);
  runtime::GC();
  runtime::GC();
  boot::println("after two: {}", what(p.Get()));

  apart([&] { fill(p); });
  // Two collections let go of them, the third finds them unreachable. Words left on stacks may hold one a little longer.
  for (int i = 0; i < 100 && __atomic_load_n(&freed, __ATOMIC_RELAXED) < 100; i++) {
    apart([] { runtime::GC(); });
    boot::time::Sleep(std::chrono::milliseconds(1));
  }
  boot::println("freed {} of 100", __atomic_load_n(&freed, __ATOMIC_RELAXED));

  p.Put(&kept);
  bool same = true;
  for (int i = 0; i < 10; i++) {
    runtime::GC();
    Value* v = p.Get();
    same = same && v == &kept;
    p.Put(v);
  }
  boot::println("in steady use: {}", same ? "the value" : "lost");
}

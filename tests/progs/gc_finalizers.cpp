// Finalizers, destructors of New's objects, and what a channel holds: each runs once, for unreachable objects only, the
// referring object first, a circle never; a finalizer may bring its object back.
// CLAIMS: [C54]
// PROCS: 1 2 8
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// STDOUT: finalized 1000, kept 1
// STDOUT: order outer inner
// STDOUT: circle 0
// STDOUT: destroyed 500
// STDOUT: finalizer before destructor: fd
// STDOUT: back 42
// STDOUT: taken away 0
// STDOUT: channel's strings destroyed 10
#include <boot/boot.h>

#include <string>
#include <vector>

namespace {

struct Obj {
  Obj* other = nullptr;
  int value = 0;
};

// Collects until want() holds; the stack may keep an object or two for a while.
template <class F>
void settle(F want) {
  for (int i = 0; i < 50 && !want(); i++) {
    runtime::GC();
    boot::time::Sleep(std::chrono::milliseconds(1));
  }
}

// A frame's worth of zeroes over what calls have left on the stack.
[[gnu::noinline]] void wipe() {
  volatile char a[1500];
  for (auto& c : a) c = 0;
}

int finalized, destroyed;
Obj* back;
std::string order, kinds;

struct Member {
  std::string s;
  int* counter;
  explicit Member(int* c) : s(100, 'x'), counter(c) {}
  ~Member() {
    if (s != std::string(100, 'x')) boot::panic("destructor sees another object");
    ++*counter;
  }
};
struct Both {
  ~Both() { kinds += 'd'; }
};
struct Item {
  static inline int n;
  bool full = true;
  Item() = default;
  Item(Item&& o) noexcept : full(std::exchange(o.full, false)) {}
  Item& operator=(Item&&) = delete;
  ~Item() { n += full; }
};

[[gnu::noinline]] void many() {
  for (int i = 0; i < 1000; i++) {
    auto* p = boot::New<Obj>(nullptr, i);
    runtime::SetFinalizer(p, [i](Obj* o) {
      if (o->value != i) boot::panic("wrong object finalized");
      finalized++;
    });
  }
}
[[gnu::noinline]] void pair() {
  auto* inner = boot::New<Obj>();
  auto* outer = boot::New<Obj>(inner, 0);
  runtime::SetFinalizer(inner, [](Obj*) { order += " inner"; });
  runtime::SetFinalizer(outer, [](Obj*) { order += " outer"; });
}
int circled;
[[gnu::noinline]] void circle() {
  auto* a = boot::New<Obj>();
  auto* b = boot::New<Obj>(a, 0);
  a->other = b;
  runtime::SetFinalizer(a, [](Obj*) { circled++; });
  runtime::SetFinalizer(b, [](Obj*) { circled++; });
}
[[gnu::noinline]] void members() {
  for (int i = 0; i < 500; i++) boot::New<Member>(&destroyed);
}
[[gnu::noinline]] void both() {
  auto* p = boot::New<Both>();
  runtime::SetFinalizer(p, [](Both*) { kinds += 'f'; });
}
[[gnu::noinline]] void again() {
  auto* p = boot::New<Obj>(nullptr, 42);
  runtime::SetFinalizer(p, [](Obj* o) { back = o; });
}
int gone;
[[gnu::noinline]] void away() {
  auto* p = boot::New<Obj>();
  runtime::SetFinalizer(p, [](Obj*) { gone++; });
  runtime::SetFinalizer(p, nullptr);
}
[[gnu::noinline]] void channel() {
  auto c = boot::make_chan<Item>(16);
  for (int i = 0; i < 10; i++) c.send(Item());
}

Obj* kept;

// On goroutines of their own: what they leave on their stacks ends with them.
template <class F>
void apart(F f) {
  auto done = boot::make_chan<int>(0);
  boot::go([=] {
    f();
    wipe();
    done.send(1);
  });
  done.recv();
}

}  // namespace

void main_main() {
  kept = boot::New<Obj>(nullptr, 7);
  int early = 0;
  runtime::SetFinalizer(kept, [&early](Obj*) { early++; });
  apart(many);
  settle([] { return finalized == 1000; });
  boot::println("finalized {}, kept {}", finalized, kept->value == 7 && early == 0 ? 1 : 0);
  apart(pair);
  settle([] { return order.size() == 12; });
  boot::println("order{}", order);
  apart(circle);
  apart(away);
  apart(members);
  settle([] { return destroyed == 500; });
  boot::println("circle {}", circled);
  boot::println("destroyed {}", destroyed);
  apart(both);
  settle([] { return kinds.size() == 2; });
  boot::println("finalizer before destructor: {}", kinds);
  apart(again);
  settle([] { return back != nullptr; });
  boot::println("back {}", back != nullptr ? back->value : 0);
  boot::println("taken away {}", gone);
  apart(channel);
  settle([] { return Item::n == 10; });
  boot::println("channel's strings destroyed {}", Item::n);
}

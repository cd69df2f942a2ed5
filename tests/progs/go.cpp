// go statements: every kind of callable and argument, moved once, destroyed once; a constructor that throws leaves no
// goroutine; blocks with large alignment and size.
// PROCS: 1 2 8
// REPEAT: 5
// STDOUT: lambda 1
// STDOUT: args 2 two
// STDOUT: member 3
// STDOUT: unique 4
// STDOUT: reference 5
// STDOUT: aligned true 6
// STDOUT: big 7
// STDOUT: balance 0
// STDOUT: throws no goroutine: 1
// STDOUT: closure destroyed by an exit of its goroutine: true
#include <boot/boot.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

boot::chan<std::string> out = boot::make_chan<std::string>();
std::atomic<int> alive{0};

struct Counted {
  Counted() { alive++; }
  Counted(const Counted&) { alive++; }
  Counted(Counted&&) noexcept { alive++; }
  ~Counted() { alive--; }
};

struct Thrower {
  Thrower() = default;
  Thrower(const Thrower&) { throw std::runtime_error("no copy"); }
};

struct alignas(64) Wide {
  long v[8] = {6};
};

struct Object {
  int n = 3;
  void member(boot::chan<std::string> c) { c.send("member " + std::to_string(n)); }
};

void add(int& target, int n) {
  target += n;
  out.send("reference " + std::to_string(target));
}

void show() { boot::println("{}", out.recv()); }

}  // namespace

void main_main() {
  boot::go([] { out.send("lambda 1"); });
  show();
  boot::go([](int n, const std::string& s) { out.send("args " + std::to_string(n) + " " + s); }, 2, "two");
  show();
  Object o;
  boot::go(&Object::member, &o, out);
  show();
  boot::go([p = std::make_unique<int>(4)] { out.send("unique " + std::to_string(*p)); });
  show();
  int five = 2;
  boot::go(add, std::ref(five), 3);
  show();
  Wide w;
  boot::go([w] {
    bool aligned = reinterpret_cast<std::uintptr_t>(&w) % 64 == 0;
    out.send("aligned " + std::string(aligned ? "true" : "false") + " " + std::to_string(w.v[0]));
  });
  show();
  std::array<long, 1000> big{};
  big[999] = 7;
  boot::go([big] { out.send("big " + std::to_string(big[999])); });
  show();

  {
    auto done = boot::make_chan<int>();
    Counted c;
    for (int i = 0; i < 100; i++) boot::go([c, done](const Counted&, int) { done.send(1); }, c, i);
    for (int i = 0; i < 100; i++) done.recv();
  }
  // The closures die just after the last value was sent: the goroutines must end first.
  while (runtime::NumGoroutine() > 1) runtime::Gosched();
  boot::println("balance {}", alive.load());

  Thrower t;
  for (int i = 0; i < 1000; i++) {
    try {
      boot::go([](const Thrower&) {}, t);
      boot::println("went");
    } catch (const std::runtime_error&) {}
  }
  boot::println("throws no goroutine: {}", runtime::NumGoroutine());

  auto flag = std::make_shared<int>(1);
  std::weak_ptr<int> watch = flag;
  boot::go([flag = std::move(flag)] { runtime::Goexit(); });
  while (runtime::NumGoroutine() > 1) runtime::Gosched();
  boot::println("closure destroyed by an exit of its goroutine: {}", watch.expired());
}

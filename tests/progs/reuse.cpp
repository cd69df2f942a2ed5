// What is taken out is cleared: a value that has been received, in whatever way, is garbage while its channel lives. And
// what is used again carries nothing of its last owner.
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>

#include <atomic>
#include <string_view>

using namespace std::chrono_literals;

namespace {

void check(bool ok, std::string_view what) {
  if (ok) return;
  boot::println("wrong: {}", what);
  boot::os::Exit(1);
}

std::atomic<int> gone;

struct thing {
  int v;
  explicit thing(int x) : v(x) {}
  ~thing() { gone++; }
};

// Runs f on a goroutine of its own, whose stack then mentions nothing any more.
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

bool allGone(int n) {
  for (int i = 0; i < 500 && gone < n; i++) {
    apart([] { runtime::GC(); });  // registers that a switch left behind are another goroutine's
    boot::time::Sleep(1ms);
  }
  return gone == n;
}

// A struct that is moved as bytes, and one with a destructor of its own, which leaves its bytes as they were.
struct pair {
  std::int64_t number;
  thing* t;
};
struct holder {
  thing* t = nullptr;
  holder() = default;
  explicit holder(thing* x) : t(x) {}
  holder(holder&& o) noexcept : t(o.t) {}
  holder& operator=(holder&& o) noexcept {
    t = o.t;
    return *this;
  }
  ~holder() {}
};

constexpr int kCount = 10;

// Ten things go through a channel that lives on. take(c) receives one.
template <class T, class Take>
void through(std::string_view what, Take take) {
  gone = 0;
  auto c = boot::make_chan<T>(kCount + 3);
  apart([&] {
    for (int i = 0; i < kCount; i++) {
      if constexpr (std::is_same_v<T, pair>)
        c.send(pair{i, boot::New<thing>(i)});
      else
        c.send(T(boot::New<thing>(i)));
    }
  });
  apart([&] {
    for (int i = 0; i < kCount; i++) take(c);
  });
  check(allGone(kCount), what);
  check(c.cap() == kCount + 3, "the channel");  // and is needed until here
}

void channels() {
  through<thing*>("received", [](auto& c) { c.recv(); });
  through<thing*>("received by recv_ok", [](auto& c) { c.recv_ok(); });
  through<thing*>("received by select", [](auto& c) {
    boot::select(boot::on_recv(c), boot::on_recv(boot::chan<int>(boot::make_chan<int>())));
  });
  through<thing*>("received by a select with a default",
                  [](auto& c) { boot::select(boot::on_recv(c), boot::on_default()); });
  through<pair>("received in a struct", [](auto& c) { c.recv(); });
  through<holder>("received with a destructor", [](auto& c) { c.recv(); });
}

}  // namespace

void main_main() {
  channels();
  boot::println("ok");
}

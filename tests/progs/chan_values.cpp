// A value that goes through a channel is never lost and never copied or destroyed twice: move-only types, types whose
// copy or move may throw, over-aligned and empty ones; unbuffered, buffered, in select, with close.
// PROCS: 1 2 8
// REPEAT: 2
// STDOUT: ok
#include <boot/boot.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  boot::println("wrong: {}", what);
  boot::os::Exit(1);
}

// Counts the objects alive, and knows if it was moved from.
struct counted {
  static inline std::int64_t alive = 0, copies = 0;
  int v;
  explicit counted(int x = 0) : v(x) { __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST); }
  counted(const counted& o) : v(o.v) {
    __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&copies, 1, __ATOMIC_SEQ_CST);
  }
  counted(counted&& o) noexcept : v(o.v) {
    o.v = -1;
    __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
  }
  ~counted() { __atomic_add_fetch(&alive, -1, __ATOMIC_SEQ_CST); }
};

// May throw when it is copied, has no move constructor.
struct throwing {
  static inline bool armed = false;
  int v;
  explicit throwing(int x = 0) : v(x) {}
  throwing(const throwing& o) : v(o.v) {
    if (armed) throw std::runtime_error("copy");
  }
};

// Only movable, and moving is not noexcept.
struct throwing_move {
  int v;
  explicit throwing_move(int x = 0) : v(x) {}
  throwing_move(throwing_move&& o) noexcept(false) : v(o.v) { o.v = -1; }
  throwing_move& operator=(throwing_move&& o) noexcept(false) {
    v = o.v;
    o.v = -1;
    return *this;
  }
};

struct alignas(64) wide {
  int v = 0;
  int pad[15] = {};
};
struct empty {};

template <class T, class Make, class Value>
void through(std::int64_t cap, Make make, Value value) {
  auto c = boot::make_chan<T>(cap);
  const int n = 1000;
  boot::go([=] {
    for (int i = 0; i < n; i++) c.send(make(i));
    c.close();
  });
  int i = 0;
  for (T&& x : c) check(value(x) == i++, "order of values");
  check(i == n, "number of values");
  auto [v, ok] = c.recv_ok();
  check(!ok, "closed");
  (void)v;
}

void copies() {
  std::int64_t before = counted::alive;
  {
    auto c = boot::make_chan<counted>(1);
    counted x(7);
    std::int64_t n = counted::copies;
    c.send(x);
    check(counted::copies == n + 1, "one copy of an lvalue");
    check(x.v == 7, "an lvalue stays");
    check(c.recv().v == 7, "copy received");
    c.send(std::move(x));
    check(counted::copies == n + 1, "no copy of an rvalue");
    check(x.v == -1 && c.recv().v == 7, "an rvalue moves");
  }
  check(counted::alive == before, "all destroyed");
}

void chosen() {
  // What select does not send is the caller's still.
  auto full = boot::make_chan<std::unique_ptr<int>>();
  auto p = std::make_unique<int>(5);
  check(boot::select(boot::on_send(full, std::move(p)), boot::on_default()) == 1, "default chosen");
  check(p && *p == 5, "a value that was not sent");
  auto fullm = boot::make_chan<throwing_move>();
  throwing_move m(6);
  check(boot::select(boot::on_send(fullm, std::move(m)), boot::on_default()) == 1, "default chosen");
  check(m.v == 6, "a value with a throwing move that was not sent");
  auto room = boot::make_chan<std::unique_ptr<int>>(1);
  check(boot::select(boot::on_send(full, std::make_unique<int>(1)), boot::on_send(room, std::move(p))) == 1, "room");
  check(!p && *room.recv() == 5, "a value that was sent");
}

void throws() {
  auto c = boot::make_chan<throwing>(2);
  throwing x(3);
  c.send(x);
  throwing::armed = true;
  bool thrown = false;
  try {
    c.send(x);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  throwing::armed = false;
  check(thrown && c.len() == 1, "a copy that throws enters nothing");
  check(c.recv().v == 3, "the value before it");
}

void closed() {
  auto c = boot::make_chan<std::unique_ptr<int>>();
  c.close();
  auto p = std::make_unique<int>(1);
  bool panicked = false;
  try {
    c.send(std::move(p));
  } catch (const boot::Panic& e) {
    panicked = std::string(e.what()) == "send on closed channel";
  }
  check(panicked, "send on closed channel");
  check(p != nullptr, "the value of a send that panicked");
  // A sender that waits when the channel is closed.
  auto d = boot::make_chan<std::unique_ptr<int>>();
  auto done = boot::make_chan<bool>();
  boot::go([=] {
    auto q = std::make_unique<int>(2);
    try {
      d.send(std::move(q));
    } catch (const boot::Panic&) {
      done.send(q != nullptr);
    }
  });
  for (int i = 0; i < 10; i++) runtime::Gosched();
  d.close();
  check(done.recv(), "the value of a waiting send that panicked");
}

// Many senders and receivers by select and plainly; each value arrives once.
void crowd() {
  std::int64_t before = counted::alive;
  {
    const int senders = 8, receivers = 8, each = 500;
    auto a = boot::make_chan<counted>(3), b = boot::make_chan<counted>();
    std::vector<int> seen(senders * each);
    boot::sync::WaitGroup ws, wr;
    ws.Add(senders);
    wr.Add(receivers);
    for (int s = 0; s < senders; s++) {
      boot::go([&, s, a, b] {
        for (int i = 0; i < each; i++) {
          int v = s * each + i;
          if (v % 3 == 0)
            a.send(counted(v));
          else if (v % 3 == 1)
            b.send(counted(v));
          else
            boot::select(boot::on_send(a, counted(v)), boot::on_send(b, counted(v)));
        }
        ws.Done();
      });
    }
    for (int r = 0; r < receivers; r++) {
      boot::go([&, a, b] {
        boot::recv_chan<counted> ra = a, rb = b;
        auto take = [&](boot::recv_chan<counted>& c) {
          return [&](counted v, bool ok) {
            if (!ok)
              c = nullptr;
            else
              __atomic_add_fetch(&seen[static_cast<std::size_t>(v.v)], 1, __ATOMIC_SEQ_CST);
          };
        };
        while (ra || rb) boot::select(boot::on_recv(ra, take(ra)), boot::on_recv(rb, take(rb)));
        wr.Done();
      });
    }
    ws.Wait();
    a.close();
    b.close();
    wr.Wait();
    for (int n : seen) check(n == 1, "a value was lost or came twice");
  }
  // The last receivers' frames end after Done.
  while (runtime::NumGoroutine() > 1) runtime::Gosched();
  check(counted::alive == before, "objects left over");
}

}  // namespace

void main_main() {
  for (std::int64_t cap : {0, 1, 7, 2000}) {
    through<std::unique_ptr<int>>(
        cap, [](int i) { return std::make_unique<int>(i); }, [](auto& p) { return *p; });
    through<throwing>(
        cap, [](int i) { return throwing(i); }, [](auto& t) { return t.v; });
    through<throwing_move>(
        cap, [](int i) { return throwing_move(i); }, [](auto& t) { return t.v; });
    through<std::string>(
        cap, [](int i) { return "a string too long for the small buffer " + std::to_string(i); },
        [](auto& s) { return std::atoi(s.c_str() + 38); });
    through<char>(
        cap, [](int i) { return static_cast<char>(i % 100); },
        [n = 0](char c) mutable { return c == n++ % 100 ? n - 1 : -1; });
    through<wide>(
        cap,
        [](int i) {
          return wide{i, {}};
        },
        [](auto& w) { return reinterpret_cast<std::uintptr_t>(&w) % 64 == 0 ? w.v : -1; });
    through<empty>(
        cap, [](int) { return empty{}; }, [n = 0](auto&) mutable { return n++; });
  }
  copies();
  chosen();
  throws();
  closed();
  crowd();
  boot::println("ok");
}

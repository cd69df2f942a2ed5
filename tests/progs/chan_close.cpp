// Closing a channel on which many wait: all of them are won at once. After the close no value comes from a sender that
// waited; each of those panics, once, and each receiver gets "closed". Plainly, by recv_ok, and in select; and what Go's
// order is, where there is one.
// PROCS: 1 2 4 8 64
// REPEAT: 1
// REPEAT-STRESS: 10
// TIMEOUT: 120
// STDOUT: ok
#include <boot/boot.h>

#include <atomic>
#include <string_view>
#include <vector>

namespace {

void check(bool ok, std::string_view what) {
  if (ok) return;
  boot::println("wrong: {}", what);
  boot::os::Exit(1);
}

bool panics(auto f, std::string_view text) {
  try {
    f();
  } catch (const boot::Panic& e) {
    return std::string_view(e.what()) == text;
  }
  return false;
}

// Senders wait, receivers take what they can, and the channel is closed in the midst. A receiver that has seen "closed"
// looks on for a while: no value may come.
void senders(int n, int receivers, std::int64_t cap) {
  auto c = boot::make_chan<int>(cap);
  std::atomic<int> sent = 0, panicked = 0, got = 0, late = 0, started = 0, ready = 0;
  std::atomic<bool> start = false;
  boot::sync::WaitGroup ws, wr;
  ws.Add(n);
  wr.Add(receivers);
  for (int i = 0; i < n; i++) {
    boot::go([&, i] {
      started++;
      try {
        if (i % 3 == 0)
          boot::select(boot::on_send(c, i), boot::on_recv(boot::chan<int>()));
        else
          c.send(i);
        sent++;
      } catch (const boot::Panic&) {
        panicked++;
      }
      ws.Done();
    });
  }
  while (started < n) runtime::Gosched();
  boot::chan<int> never = boot::make_chan<int>();
  for (int r = 0; r < receivers; r++) {
    boot::go([&, r] {
      ready++;
      while (!start) runtime::Gosched();
      bool closed = false;
      for (int after = 0, look = r; after < 300; look++) {
        bool ok = false;
        if (look % 2 == 0)
          ok = c.recv_ok().ok;
        else
          boot::select(boot::on_recv(c, [&](int, bool o) { ok = o; }), boot::on_recv(never));
        if (ok) {
          got++;
          if (closed) late++;
        }
        if (!ok) closed = true;
        if (closed) after++;
      }
      wr.Done();
    });
  }
  while (ready < receivers) runtime::Gosched();
  start = true;
  c.close();
  ws.Wait();
  wr.Wait();
  check(late == 0, "a value after the channel was closed and empty");
  check(sent + panicked == n, "a sender that neither sent nor panicked");
  check(static_cast<std::size_t>(sent) == static_cast<std::size_t>(got) + c.len(),
        "a value whose sender panicked, or one lost");
}

// The same the other way round: whoever waits to receive gets "closed", and none of them waits on.
void waiters(int n) {
  auto c = boot::make_chan<int>(), other = boot::make_chan<int>();
  std::atomic<int> closed = 0, started = 0;
  boot::sync::WaitGroup wg;
  wg.Add(n);
  for (int i = 0; i < n; i++) {
    boot::go([&, i] {
      started++;
      bool ok = true;
      if (i % 2 == 0)
        ok = c.recv_ok().ok;
      else
        boot::select(boot::on_recv(other), boot::on_recv(c, [&](int, bool o) { ok = o; }));
      if (!ok) closed++;
      wg.Done();
    });
  }
  while (started < n) runtime::Gosched();
  c.close();
  wg.Wait();
  check(closed == n, "a receiver that waited");
  check(panics([&] { c.close(); }, "close of closed channel"), "close of closed channel");
  check(panics([&] { c.send(1); }, "send on closed channel"), "send on closed channel");
  check(panics([&] { boot::select(boot::on_send(c, 1), boot::on_recv(other)); }, "send on closed channel"),
        "send on closed channel in a select");
}

// With one P, as in Go: the last goroutine started was the first to wait, and is the last to be readied, hence next; the
// others come from the last on.
void order() {
  if (runtime::GOMAXPROCS(0) != 1) return;
  auto c = boot::make_chan<int>();
  std::vector<int> woke;
  for (int i = 0; i < 100; i++)
    boot::go([&, i] {
      c.recv();
      woke.push_back(i);
    });
  for (int i = 0; i < 10; i++) runtime::Gosched();
  c.close();
  while (woke.size() < 100) runtime::Gosched();
  for (int i = 0; i < 100; i++) check(woke[static_cast<std::size_t>(i)] == 99 - i, "Go's order");
}

// A select of 200 channels, each of which another goroutine sends on once (the debug build counts locks).
void wide() {
  constexpr int n = 200;
  std::vector<boot::chan<int>> c(n);
  for (auto& x : c) x = boot::make_chan<int>();
  std::atomic<int> sum = 0;
  for (int i = 0; i < n; i++) boot::go([&, i] { c[static_cast<std::size_t>(i)].send(i); });
  auto take = [&](int v) { sum += v; };
  auto one = [&]<std::size_t... I>(std::index_sequence<I...>) { boot::select(boot::on_recv(c[I], take)...); };
  for (int i = 0; i < n; i++) one(std::make_index_sequence<n>());
  check(sum == n * (n - 1) / 2, "a select of 200 channels");
}

}  // namespace

void main_main() {
  order();
  wide();
  for (int i = 0; i < 20; i++) senders(3000, 4, i % 2 == 0 ? 0 : 5);
  for (int i = 0; i < 20; i++) waiters(500);
  boot::println("ok");
}

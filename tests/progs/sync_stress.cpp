// Channels, select, locks and timers under load, with GOMAXPROCS changed meanwhile and a goroutine locked to its
// thread: nothing hangs, the sums are right, no goroutine is left over.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <vector>

using namespace std::chrono_literals;

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  boot::println("wrong: {}", what);
  boot::os::Exit(1);
}

std::int64_t skynet(std::int64_t num, std::int64_t size) {
  if (size == 1) return num;
  auto c = boot::make_chan<std::int64_t>();
  for (std::int64_t i = 0; i < 10; i++) boot::go([=] { c.send(skynet(num + i * (size / 10), size / 10)); });
  std::int64_t sum = 0;
  for (int i = 0; i < 10; i++) sum += c.recv();
  return sum;
}

void producers() {
  const int each = 2000;
  auto c = boot::make_chan<std::int64_t>(5);
  boot::sync::WaitGroup ws, wr;
  std::int64_t sum = 0;
  ws.Add(8);
  wr.Add(8);
  for (int s = 0; s < 8; s++) {
    boot::go([&, s, c] {
      for (int i = 0; i < each; i++) c.send(s * each + i);
      ws.Done();
    });
    boot::go([&, c] {
      std::int64_t mine = 0;
      for (std::int64_t v : c) mine += v;
      __atomic_add_fetch(&sum, mine, __ATOMIC_SEQ_CST);
      wr.Done();
    });
  }
  ws.Wait();
  c.close();
  wr.Wait();
  std::int64_t n = 8 * each;
  check(sum == n * (n - 1) / 2, "sum of 8 producers and 8 consumers");
}

// Goroutines that select on several channels at once, in both directions.
void selects() {
  const int workers = 12, rounds = 400;
  std::vector<boot::chan<int>> c(6);
  for (std::size_t i = 0; i < c.size(); i++) c[i] = boot::make_chan<int>(static_cast<std::int64_t>(i % 2));
  boot::sync::WaitGroup wg;
  std::int64_t sent = 0, got = 0;
  wg.Add(workers);
  auto stop = boot::make_chan<int>();
  boot::sync::WaitGroup sinks;
  sinks.Add(2);
  for (int s = 0; s < 2; s++) {  // whatever is left over when the workers are done
    boot::go([&, stop] {
      for (bool on = true; on;) {
        auto take = [&](int v) { __atomic_add_fetch(&got, v, __ATOMIC_SEQ_CST); };
        boot::select(boot::on_recv(c[0], take), boot::on_recv(c[1], take), boot::on_recv(c[2], take),
                     boot::on_recv(c[3], take), boot::on_recv(c[4], take), boot::on_recv(c[5], take),
                     boot::on_recv(stop, [&] { on = false; }));
      }
      sinks.Done();
    });
  }
  for (int w = 0; w < workers; w++) {
    boot::go([&, w] {
      for (int r = 0; r < rounds; r++) {
        auto& x = c[static_cast<std::size_t>(w + r) % 6];
        auto& y = c[static_cast<std::size_t>(w * 3 + r) % 6];
        auto& z = c[static_cast<std::size_t>(w * 5 + r * 7) % 6];
        int v = w * rounds + r;
        boot::select(boot::on_send(x, v, [&] { __atomic_add_fetch(&sent, v, __ATOMIC_SEQ_CST); }),
                     boot::on_recv(y, [&](int u) { __atomic_add_fetch(&got, u, __ATOMIC_SEQ_CST); }),
                     boot::on_send(z, v, [&] { __atomic_add_fetch(&sent, v, __ATOMIC_SEQ_CST); }));
      }
      wg.Done();
    });
  }
  wg.Wait();
  for (;;) {  // the sinks take what is in the buffers
    std::size_t left = 0;
    for (auto& x : c) left += x.len();
    if (left == 0) break;
    runtime::Gosched();
  }
  stop.close();
  sinks.Wait();
  check(sent == got, "select: what was sent has arrived");
}

void locks() {
  boot::sync::Mutex mu;
  boot::sync::RWMutex rw;
  boot::sync::Cond cond(mu);
  std::int64_t a = 0, b = 0, seen = 0;
  int turn = 0;
  boot::sync::WaitGroup wg;
  wg.Add(16);
  for (int i = 0; i < 8; i++) {
    boot::go([&] {
      for (int k = 0; k < 500; k++) {
        {
          std::lock_guard g(mu);
          a++;
        }
        if (k % 5 == 0) {
          std::unique_lock g(rw);
          b++;
        } else {
          std::shared_lock g(rw);
          __atomic_add_fetch(&seen, b >= 0, __ATOMIC_SEQ_CST);
        }
      }
      wg.Done();
    });
    boot::go([&, i] {  // in turn, by a condition
      for (int k = 0; k < 20; k++) {
        std::lock_guard g(mu);
        while (turn % 8 != i) cond.Wait();
        turn++;
        cond.Broadcast();
      }
      wg.Done();
    });
  }
  wg.Wait();
  check(a == 4000 && b == 800 && seen == 3200 && turn == 160, "counts under locks");
}

void sleepers() {
  boot::sync::WaitGroup wg;
  const int n = 3000;
  wg.Add(n);
  std::int64_t fired = 0;
  for (int i = 0; i < n; i++) {
    boot::go([&, i] {
      boot::time::Sleep(std::chrono::microseconds(i * 7 % 20000));
      wg.Done();
    });
    if (i % 10 == 0) {
      auto t =
          boot::time::AfterFunc(std::chrono::microseconds(i), [&] { __atomic_add_fetch(&fired, 1, __ATOMIC_SEQ_CST); });
      if (i % 20 == 0 && t.Stop()) __atomic_add_fetch(&fired, 1, __ATOMIC_SEQ_CST);
    }
  }
  wg.Wait();
  while (__atomic_load_n(&fired, __ATOMIC_SEQ_CST) != n / 10) boot::time::Sleep(100us);
  boot::time::Timer t(1ms);
  boot::time::Ticker k(200us);
  int ticks = 0;
  for (bool on = true; on;) boot::select(boot::on_recv(t.C, [&] { on = false; }), boot::on_recv(k.C, [&] { ticks++; }));
  k.Stop();
  check(ticks <= 6, "ticks in 1 ms");
}

}  // namespace

void main_main() {
  bool stop = false;
  auto changed = boot::make_chan<int>();
  std::int32_t procs = runtime::GOMAXPROCS(0);
  boot::go([&, changed] {
    int n = 0;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
      runtime::GOMAXPROCS(n++ % 3 == 0 ? 1 : procs + n % 3);
      boot::time::Sleep(500us);
    }
    runtime::GOMAXPROCS(procs);
    changed.send(n);
  });
  auto tied = boot::make_chan<bool>();
  boot::go([&, tied] {
    runtime::LockOSThread();
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) boot::time::Sleep(300us);
    runtime::UnlockOSThread();
    tied.send(true);
  });
  check(skynet(0, 1000) == 499500, "skynet of 1000");
  producers();
  selects();
  locks();
  sleepers();
  __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
  check(changed.recv() > 0, "GOMAXPROCS changed");
  check(tied.recv(), "the locked goroutine");
  for (int i = 0; i < 1000 && runtime::NumGoroutine() > 1; i++) boot::time::Sleep(1ms);
  check(runtime::NumGoroutine() == 1, "goroutines left over");
  boot::println("ok");
}

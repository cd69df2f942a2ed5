// Many goroutines in selects that overlap: sends and receives on the same channels, with default and with time-outs.
// What was sent has been received, once.
// PROCS: 1 2 3 8 64
// REPEAT: 1
// REPEAT-STRESS: 50
// TIMEOUT: 120
// STDOUT: ok
#include "tests/progs/stress.h"

#include <vector>

namespace {

void add(std::int64_t& to, std::int64_t v) { __atomic_add_fetch(&to, v, __ATOMIC_SEQ_CST); }

void storm() {
  constexpr int kWorkers = 64, kRounds = 250;
  constexpr std::size_t kChans = 8;
  std::vector<boot::chan<int>> c(kChans);
  for (std::size_t i = 0; i < kChans; i++) c[i] = boot::make_chan<int>(static_cast<std::int64_t>(i % 3));
  std::int64_t sent = 0, got = 0, timeouts = 0;
  boot::sync::WaitGroup workers, sinks;
  auto stop = boot::make_chan<int>();
  workers.Add(kWorkers);
  sinks.Add(4);
  for (int s = 0; s < 4; s++) {  // so that the last workers find somebody
    boot::go([&] {
      auto take = [&](int v) { add(got, v); };
      for (bool on = true; on;)
        boot::select(boot::on_recv(c[0], take), boot::on_recv(c[1], take), boot::on_recv(c[2], take),
                     boot::on_recv(c[3], take), boot::on_recv(c[4], take), boot::on_recv(c[5], take),
                     boot::on_recv(c[6], take), boot::on_recv(c[7], take), boot::on_recv(stop, [&] { on = false; }));
      sinks.Done();
    });
  }
  for (int w = 0; w < kWorkers; w++) {
    boot::go([&, w] {
      for (int r = 0; r < kRounds; r++) {
        auto pick = [&](int k) -> auto& { return c[static_cast<std::size_t>(w * k + r * (k + 1)) % kChans]; };
        const int v = w * kRounds + r;
        auto was_sent = [&] { add(sent, v); };
        auto take = [&](int u) { add(got, u); };
        switch (r % 3) {
          case 0:
            boot::select(boot::on_send(pick(1), v, was_sent), boot::on_recv(pick(3), take),
                         boot::on_send(pick(5), v, was_sent), boot::on_recv(pick(3), take));
            break;
          case 1:
            boot::select(boot::on_send(pick(2), v, was_sent), boot::on_recv(pick(7), take),
                         boot::on_default([] { runtime::Gosched(); }));
            break;
          default:
            boot::select(boot::on_recv(pick(4), take),
                         boot::on_recv(boot::time::After(300us), [&] { add(timeouts, 1); }));
        }
      }
      workers.Done();
    });
  }
  workers.Wait();
  for (;;) {
    std::size_t left = 0;
    for (auto& x : c) left += static_cast<std::size_t>(x.len());
    if (left == 0) break;
    runtime::Gosched();
  }
  stop.close();
  sinks.Wait();
  check(sent == got, "what was sent has arrived");
}

}  // namespace

void main_main() { stress(storm); }

// Timers: order of AfterFunc, Sleep's length, Stop and Reset, a Ticker whose ticks nobody takes.
// PROCS: 1 2
// REPEAT: 3
// SERIAL: it measures time
// STDOUT: 0 1 2 3 4 5 6 7 8 9 <- AfterFunc created in reverse
// STDOUT: Sleep never short: true
// STDOUT: Sleep(50us) takes less than 300us: true
// STDOUT: Sleep(-5ns) returns at once: true
// STDOUT: Stop before fire true Stop again false
// STDOUT: Reset of a stopped timer false, then true
// STDOUT: fired after Reset
// STDOUT: ticker 2ms, slept 11ms, buffered ticks 1
// STDOUT: stopped function did not run: true
#include <boot/boot.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace time_ = boot::time;

void main_main() {
  // Timers that are due at the same time start their goroutines in one go, and the youngest of these runs first, in Go
  // too. So a machine that stands still from one to the next tells nothing about their order: once more then.
  for (bool late = true; late;) {
    late = false;
    auto ch = boot::make_chan<int>(10);
    auto start = time_::Now();
    std::string order;
    for (int i = 9; i >= 0; i--) time_::AfterFunc(10ms + 15ms * i, [=] { ch.send(i); });
    for (int k = 0; k < 10; k++) {
      int i = ch.recv();
      order += std::to_string(i) + " ";
      late = late || time_::Since(start) > 20ms + 15ms * i;
    }
    if (!late) boot::println("{}<- AfterFunc created in reverse", order);
  }

  bool never_short = true;
  time_::Duration quick50{};
  for (time_::Duration d : {0ns, 1ns, 1000ns, 10000ns, 50000ns, 100000ns, 1000000ns, 5000000ns}) {
    std::vector<time_::Duration> took;
    for (int k = 0; k < 30; k++) {
      auto t = time_::Now();
      time_::Sleep(d);
      took.push_back(time_::Since(t));
    }
    std::sort(took.begin(), took.end());
    never_short = never_short && took.front() >= d;
    if (d == 50us) quick50 = took[took.size() / 10];  // the others tell of the machine's load
  }
  boot::println("Sleep never short: {}", never_short);
  boot::println("Sleep(50us) takes less than 300us: {}", quick50 < 300us);

  auto t = time_::Now();
  time_::Sleep(-5ns);
  boot::println("Sleep(-5ns) returns at once: {}", time_::Since(t) < 1ms);

  time_::Timer tm(1ms);
  bool first = tm.Stop(), second = tm.Stop();
  boot::println("Stop before fire {} Stop again {}", first, second);
  first = tm.Reset(1h);
  second = tm.Reset(1ms);
  boot::println("Reset of a stopped timer {}, then {}", first, second);
  tm.C.recv();
  boot::println("fired after Reset");

  time_::Ticker tk(2ms);
  time_::Sleep(11ms);
  int n = 0;
  for (bool more = true; more;)
    boot::select(boot::on_recv(tk.C, [&] { n++; }), boot::on_default([&] { more = false; }));
  tk.Stop();
  boot::println("ticker 2ms, slept 11ms, buffered ticks {}", n);

  bool ran = false;
  auto f = time_::AfterFunc(5ms, [&] { ran = true; });
  f.Stop();
  time_::Sleep(10ms);
  boot::println("stopped function did not run: {}", !ran);
}

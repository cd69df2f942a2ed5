// Three busy goroutines on one P take turns, in the order in which they began, in time slices of 10 ms and what sysmon
// needs to see that one is over.
// CLAIMS: [C47] [C48]
// PROCS: 1
// REPEAT: 2
// SERIAL: it measures time
// STDOUT: in turn, slices as they should be
#include <boot/boot.h>

#include <algorithm>
#include <vector>

using namespace std::chrono_literals;

void main_main() {
  struct turn {
    int who;
    std::int64_t at;
  };
  std::vector<turn> turns;
  turns.reserve(10000);
  auto start = boot::time::Now();
  auto now = [=] { return boot::time::Since(start) / 1us; };
  auto done = boot::make_chan<int>();
  int cur = -1;
  for (int id = 0; id < 3; id++) {
    boot::go([&, id] {
      for (std::int64_t t; (t = now()) < 600000;)
        if (cur != id && turns.size() < 10000) {
          cur = id;
          turns.push_back({id, t});
        }
      done.send(1);
    });
  }
  for (int i = 0; i < 3; i++) done.recv();
  std::vector<std::int64_t> slices;
  bool inTurn = true;
  for (std::size_t i = 1; i < turns.size(); i++) {
    slices.push_back(turns[i].at - turns[i - 1].at);
    // The last to be started runs first: 2, 0, 1, 2, ...
    inTurn = inTurn && turns[i].who == (turns[i - 1].who + 1) % 3;
  }
  std::sort(slices.begin(), slices.end());
  std::int64_t median = slices.empty() ? 0 : slices[slices.size() / 2];
  if (inTurn && turns[0].who == 2 && slices.size() > 5 && median >= 9000 && median < 60000)
    boot::println("in turn, slices as they should be");
  else
    boot::println("{} turns, in turn: {}, median {} us", turns.size(), inTurn, median);
}

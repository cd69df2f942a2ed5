// A hundred thousand goroutines in a ring pass a token round once through channels; then several tokens at the same time.
// CLAIMS: [C36] [C39]
// PROCS: 1 2 8 64
// TIMEOUT: 120
// STDOUT: token 100000
// STDOUT: tokens 100000 100000 100000 100000
// STDOUT: alive 1
#include <boot/boot.h>

#include <vector>

namespace {

constexpr int kRing = 100'000;

// Each goroutine adds one to every token that passes, until its left neighbour closes.
void relay(boot::chan<long> in, boot::chan<long> out) {
  for (long v : in) out.send(v + 1);
  out.close();
}

}  // namespace

void main_main() {
  auto first = boot::make_chan<long>();
  auto last = first;
  for (int i = 0; i < kRing; i++) {
    auto next = boot::make_chan<long>();
    boot::go(relay, last, next);
    last = next;
  }
  first.send(0);
  boot::println("token {}", last.recv());
  boot::go([first] {
    for (int i = 0; i < 4; i++) first.send(0);
    first.close();
  });
  long a = last.recv(), b = last.recv(), c = last.recv(), d = last.recv();
  boot::println("tokens {} {} {} {}", a, b, c, d);
  if (last.recv_ok().ok) boot::println("a fifth token");
  while (runtime::NumGoroutine() > 1) runtime::Gosched();
  boot::println("alive {}", runtime::NumGoroutine());
}

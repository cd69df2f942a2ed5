// GOMAXPROCS returns the old number; n < 1 changes nothing. Go takes any large number; ours stops at 1024 Ps.
// ENV: GOMAXPROCS=1
// STDOUT: 1
// STDOUT: 1 -> 1, now 1
// STDOUT: 2 -> 1, now 2
// STDOUT: 0 -> 2, now 2
// STDOUT: -5 -> 2, now 2
// STDOUT: 5 -> 2, now 5
// STDOUT: 1 -> 5, now 1
// STDOUT: 64 -> 1, now 64
// STDOUT: 1 -> 64, now 1
#include <boot/boot.h>

void main_main() {
  boot::println("{}", runtime::GOMAXPROCS(0));
  for (int n : {1, 2, 0, -5, 5, 1, 64, 1}) {
    int old = runtime::GOMAXPROCS(n);
    boot::println("{} -> {}, now {}", n, old, runtime::GOMAXPROCS(0));
  }
}

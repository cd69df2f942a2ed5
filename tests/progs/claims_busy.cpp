// Keeps the P busy for 400 ms, with the network poller in use: sysmon has to watch, and finds nothing to take. Its delays
// and its polls are looked at from outside (tests/claims/check_main.py).
// PROCS: 1
// STDOUT: busy
#include "claims.h"

#include <chrono>

#define debug debugvariables
#include "runtime/os/netpoll.h"
#undef debug

void main_main() {
  runtime::netpollinit();
  runtime::atomic::Xadd(&runtime::netpollWaiters, 1u);  // as if a goroutine waited for a descriptor
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  volatile long n = 0;
  while (std::chrono::steady_clock::now() < end) n = n + 1;
  boot::println("busy");
}

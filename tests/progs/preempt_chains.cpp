// Goroutines that each start the next and end: the next inherits the time slice through runnext, none lives long enough
// for a request to hit it, and in the second chain each takes a thread of its own along. The slice ends all the same and
// lets the goroutine in the queue run. (Go 1.19 needs seconds for the second; for the first no end was seen.)
// CLAIMS: [C48]
// PROCS: 1 2
// REPEAT: 5
// TIMEOUT: 30
// STDOUT: woken, woken
#include <boot/boot.h>

#include <atomic>

namespace {

std::atomic<bool> stop;

void chain() {
  if (!stop) boot::go(chain);
}

void lockedChain() {
  runtime::LockOSThread();
  if (!stop) boot::go(lockedChain);
}

void waitFor(void (*first)()) {
  stop = false;
  boot::go(first);
  for (int i = 0; i < 5; i++) runtime::Gosched();  // to a queue: only the end of the slice lets it out again
  stop = true;
}

}  // namespace

void main_main() {
  waitFor(chain);
  boot::print("woken, ");
  waitFor(lockedChain);
  boot::print("woken\n");
}

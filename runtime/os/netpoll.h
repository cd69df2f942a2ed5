// The poller: where a thread without work sleeps, and where descriptors say that they are ready (Go's netpoll.go's
// lower half and netpoll_epoll.go). It returns lists of goroutines and never schedules; waiting on a pollDesc is
// sync/netpoll.cpp.
#pragma once

#include "runtime/os/os_linux.h"

namespace runtime {

struct timer;

// Values of pollDesc.rg and .wg besides a g*. Empty → pdWait by a goroutine about to park; pdWait → g* when it has;
// any → pdReady by an event. A waiter that finds pdReady takes it and goes on.
constexpr uintptr pdReady = 1;
constexpr uintptr pdWait = 2;

// What the poller knows of one descriptor. Never freed, only reused (a late event may still point at it).
struct pollDesc {
  pollDesc* link;      // pollcache.lock
  uintptr fd;          // init of each life
  std::uint32_t seq;   // atomic: counts lives; an event carries the one it was registered for
  std::uint32_t info;  // atomic: pollClosing and the like, see sync/netpoll.cpp
  uintptr rg;          // atomic: reader; 0, pdReady, pdWait or a g*
  uintptr wg;          // atomic: writer
  mutex lock;          // all below
  bool closing;
  std::uint32_t rseq, wseq;  // generations of the deadlines, so that an old timer is told from the present one
  timer* rt;
  timer* wt;
  std::int64_t rd, wd;  // deadlines; < 0: passed
};

void netpollinit() GOSYM("runtime.netpollinit");  // the first descriptor makes it; idempotent
bool netpollinited() GOSYM("runtime.netpollinited");
// Registers fd for edge-triggered reading and writing; 0 or an errno.
int netpollopen(uintptr fd, pollDesc* pd) GOSYM("runtime.netpollopen");
int netpollclose(uintptr fd) GOSYM("runtime.netpollclose");
gList netpoll(std::int64_t ns) GOSYM("runtime.netpoll");
void netpollBreak() GOSYM("runtime.netpollBreak");
// Takes the goroutine that waits for mode ('r' or 'w'), null if none. ioready: an event, which is kept if nobody waits.
g* netpollunblock(pollDesc* pd, int mode, bool ioready) GOSYM("runtime.netpollunblock");
extern std::uint32_t netpollWaiters GOSYM("runtime.netpollWaiters");  // atomic: goroutines parked on descriptors

}  // namespace runtime

// Where an idle thread sleeps: on a futex word while no descriptor is registered, in epoll once there is one.
//
// Owns: the epoll descriptor, the eventfd that interrupts it, and the futex word that does without either.
//
// Invariants
//   - At most one thread sleeps here (the scheduler's lastpoll protocol); others may poll with ns == 0 at any time.
//   - netpollBreak makes the next or the present sleep return; one that is not needed costs a spurious return, never a
//     lost wake-up: the word or the eventfd stays set until a sleeper takes it.
//   - netpollinit publishes pollerReady before it breaks the futex sleeper, so nobody sleeps on without seeing epoll.
//
// Times are in nanoseconds all the way. Go 1.19 rounds up to epoll's milliseconds, so its Sleep(50 µs) takes one; and
// it makes epoll and a pipe for the first Sleep, which a program without descriptors never needs. The kernel's timer
// slack (50 µs for a thread by default) is set to 1 ns on the threads that sleep here.
#include "runtime/os/netpoll.h"

#include "runtime/base/panic.h"
#include "runtime/base/print.h"

namespace runtime {

std::uint32_t netpollWaiters;

namespace {

// The kernel's numbers; no libc header is used in this layer.
constexpr long kSysRead = 0, kSysWrite = 1, kSysPrctl = 157, kSysEpollWait = 232, kSysEpollCtl = 233;
constexpr long kSysEventfd2 = 290, kSysEpollCreate1 = 291, kSysEpollPwait2 = 441;
constexpr long kEINTR = 4, kEAGAIN = 11, kENOSYS = 38;
constexpr long kPrSetTimerslack = 29;
constexpr int kCloexec = 02000000, kNonblock = 04000;
constexpr std::uint32_t kEpollIn = 1, kEpollOut = 4, kEpollErr = 8, kEpollHup = 16, kEpollRdhup = 0x2000,
                        kEpollEt = 1u << 31;
constexpr int kCtlAdd = 1, kCtlDel = 2;

struct [[gnu::packed]] epollevent {
  std::uint32_t events;
  std::uint64_t data;  // pollDesc address, its life's seq in the upper 16 bits; the eventfd: kBreakData
};
struct timespec64 {
  std::int64_t sec, nsec;
};

constexpr std::uint64_t kBreakData = 1;
constexpr int kAddrBits = 48;

std::int32_t epfd = -1;
std::int32_t breakfd = -1;
std::uint32_t pollerReady;  // atomic: epfd and breakfd may be used
mutex netpollInitLock{0, lockRankNetpollInit};
std::uint32_t breakWord;       // atomic: 1 = somebody wants the futex sleeper awake
std::uint32_t netpollWakeSig;  // atomic: 1 = the eventfd has been written and not yet read
bool noPwait2;                 // the kernel is older than 5.11; only ever goes to true

void setslack() {
  m* mp = getg()->m;
  if (mp->timerSlack != 0) return;
  mp->timerSlack = 1;
  syscall6(kSysPrctl, kPrSetTimerslack, 1);
}

void futexSleep(std::int64_t ns) {
  if (atomic::Xchg(&breakWord, 0u) != 0) return;
  if (ns > 0) setslack();
  futexsleep(&breakWord, 0, ns);
  atomic::Store(&breakWord, 0u);
}

long epollwait(epollevent* ev, int n, std::int64_t ns) {
  if (ns != 0 && !noPwait2) {
    if (ns > 0) setslack();
    timespec64 ts{ns / 1000000000, ns % 1000000000};
    long r = syscall6(kSysEpollPwait2, epfd, reinterpret_cast<long>(ev), n, ns < 0 ? 0 : reinterpret_cast<long>(&ts));
    if (r != -kENOSYS) return r;
    noPwait2 = true;
  }
  long ms = ns < 0 ? -1 : (ns + 999999) / 1000000;  // up: waking early would only poll again
  if (ms > 1000000000) ms = 1000000000;
  return syscall6(kSysEpollWait, epfd, reinterpret_cast<long>(ev), n, ms);
}

void push(gList* l, g* gp) {
  if (gp == nullptr) return;
  gp->schedlink = l->head;
  l->head = gp;
}

void takebreak(std::int64_t ns) {
  // A poll that does not sleep leaves the mark for the sleeper it was meant for.
  if (ns == 0) return;
  std::uint64_t v;
  syscall6(kSysRead, breakfd, reinterpret_cast<long>(&v), 8);
  atomic::Store(&netpollWakeSig, 0u);
}

}  // namespace

void netpollinit() {
  if (atomic::LoadAcq(&pollerReady) != 0) return;
  lock(&netpollInitLock);
  if (pollerReady == 0) {
    long e = syscall6(kSysEpollCreate1, kCloexec);
    if (e < 0) {
      printf("runtime: epollcreate failed with {}\n", -e);
      throw_("runtime: netpollinit failed");
    }
    long b = syscall6(kSysEventfd2, 0, kCloexec | kNonblock);
    epollevent ev{kEpollIn, kBreakData};
    if (b < 0 || syscall6(kSysEpollCtl, e, kCtlAdd, b, reinterpret_cast<long>(&ev)) < 0)
      throw_("runtime: eventfd for the poller failed");
    epfd = static_cast<std::int32_t>(e);
    breakfd = static_cast<std::int32_t>(b);
    atomic::Store(&pollerReady, 1u);
    // Whoever sleeps on the futex word comes back and sleeps in epoll.
    if (atomic::Xchg(&breakWord, 1u) == 0) futexwakeup(&breakWord, 1);
  }
  unlock(&netpollInitLock);
}

// The poller needs nothing to sleep with a deadline, so it is always there.
bool netpollinited() { return true; }

int netpollopen(uintptr fd, pollDesc* pd) {
  netpollinit();
  std::uint64_t tag = static_cast<std::uint64_t>(pd->seq & 0xffff) << kAddrBits;
  epollevent ev{kEpollIn | kEpollOut | kEpollRdhup | kEpollEt, reinterpret_cast<uintptr>(pd) | tag};
  return static_cast<int>(-syscall6(kSysEpollCtl, epfd, kCtlAdd, static_cast<long>(fd), reinterpret_cast<long>(&ev)));
}

int netpollclose(uintptr fd) {
  epollevent ev{};
  return static_cast<int>(-syscall6(kSysEpollCtl, epfd, kCtlDel, static_cast<long>(fd), reinterpret_cast<long>(&ev)));
}

void netpollBreak() {
  if (atomic::Load(&pollerReady) == 0) {
    if (atomic::Xchg(&breakWord, 1u) == 0) futexwakeup(&breakWord, 1);
    if (atomic::Load(&pollerReady) == 0) return;  // else the sleeper may already be in epoll
  }
  if (!atomic::Cas(&netpollWakeSig, 0u, 1u)) return;  // on its way already
  std::uint64_t one = 1;
  for (;;) {
    long r = syscall6(kSysWrite, breakfd, reinterpret_cast<long>(&one), 8);
    if (r == 8 || r == -kEAGAIN) return;
    if (r == -kEINTR) continue;
    printf("runtime: netpollBreak write failed with {}\n", -r);
    throw_("runtime: netpollBreak write failed");
  }
}

g* netpollunblock(pollDesc* pd, int mode, bool ioready) {
  uintptr* gpp = mode == 'r' ? &pd->rg : &pd->wg;
  for (;;) {
    uintptr old = atomic::Load(gpp);
    if (old == pdReady) return nullptr;
    if (old == 0 && !ioready) return nullptr;  // only an event is kept for later
    if (!atomic::Cas(gpp, old, ioready ? pdReady : 0)) continue;
    return old == pdWait || old == 0 ? nullptr : reinterpret_cast<g*>(old);
  }
}

gList netpoll(std::int64_t ns) {
  gList list{};
  if (atomic::LoadAcq(&pollerReady) == 0) {
    if (ns != 0) futexSleep(ns);
    return list;
  }
  epollevent ev[128];
  long n = epollwait(ev, 128, ns);
  if (n < 0) {
    if (n != -kEINTR) {
      printf("runtime: epollwait on fd {} failed with {}\n", epfd, -n);
      throw_("runtime: netpoll failed");
    }
    return list;  // the scheduler works out again how long to sleep
  }
  for (long i = 0; i < n; i++) {
    std::uint32_t what = ev[i].events;
    std::uint64_t data = ev[i].data;
    if (data == kBreakData) {
      takebreak(ns);
      continue;
    }
    auto pd = reinterpret_cast<pollDesc*>(data & ((std::uint64_t{1} << kAddrBits) - 1));
    if ((atomic::Load(&pd->seq) & 0xffff) != data >> kAddrBits) continue;  // of an earlier life
    if ((what & (kEpollIn | kEpollRdhup | kEpollHup | kEpollErr)) != 0) push(&list, netpollunblock(pd, 'r', true));
    if ((what & (kEpollOut | kEpollHup | kEpollErr)) != 0) push(&list, netpollunblock(pd, 'w', true));
  }
  return list;
}

}  // namespace runtime

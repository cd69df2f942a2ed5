// The ring between the runtime's reports and a logger; see report.h.
//
// Owns: the ring, the thread that reads it, and which report has which level.
//
// Invariants
//   - Who reports never waits for the reader, but in a crash, and there for a second at most: the reader may need what
//     the crashed thread holds. What finds no room, or the lock taken by somebody who was interrupted, is printed as ever.
//   - Bytes are in the order in which they were reported; the reader cuts them into lines.
#include "runtime/cgo/report.h"

#include <pthread.h>
#include <string.h>

#include "runtime/base/print.h"
#include "runtime/cgo/cgo.h"
#include "runtime/os/os_linux.h"
#include "runtime/os/os_signal.h"

namespace runtime::cgo {
namespace {

constexpr std::uint32_t kRing = 256 * 1024;

char ring[kRing];
std::uint32_t ringLock;        // atomic: 1 while somebody writes
std::uint32_t written, taken;  // atomic: counts of bytes, which wrap
std::uint32_t takenWaiters;    // atomic: somebody sleeps on taken
void (*taker)(reportLevel, const char*, std::size_t);
std::uint32_t started;  // atomic

void writeDirect(const char* s, std::size_t n) { write1(2, s, n); }

bool crashing() {
  g* gp = getg();
  return atomic::Load(&panicking) != 0 || gp == nullptr || gp->m->throwing != 0;
}

void waitTaken(std::uint32_t upTo, std::int64_t ns) {
  std::int64_t end = nanotime() + ns;
  atomic::Xadd(&takenWaiters, 1u);
  for (;;) {
    std::uint32_t t = atomic::Load(&taken);
    std::int64_t left = end - nanotime();
    if (static_cast<std::int32_t>(upTo - t) <= 0 || left <= 0) break;
    futexsleep(&taken, t, left);
  }
  atomic::Xadd(&takenWaiters, ~0u);
}

void report(const char* s, std::size_t n) {
  int tries = 0;
  while (!atomic::Cas(&ringLock, 0u, 1u))
    if (++tries == 1000) return writeDirect(s, n);
  std::uint32_t at = written;
  bool room = n <= kRing - (at - atomic::Load(&taken));
  if (room) {
    for (std::size_t i = 0; i < n; i++) ring[(at + i) % kRing] = s[i];
    atomic::StoreRel(&written, at + static_cast<std::uint32_t>(n));
  }
  atomic::StoreRel(&ringLock, 0u);
  if (!room) return writeDirect(s, n);
  futexwakeup(&written, 1);
  if (crashing()) waitTaken(at + static_cast<std::uint32_t>(n), 1000000000);
}

reportLevel levelOf(const char* s, std::size_t n) {
  auto begins = [=](const char* with) { return n >= strlen(with) && memcmp(s, with, strlen(with)) == 0; };
  if (atomic::Load(&panicking) != 0 || begins("fatal error: ") || begins("panic: ")) return reportCritical;
  if (begins("boot ") || begins("boot:")) return reportTrace;
  if (begins("SCHED ") || begins("  P") || begins("  M") || begins("  G")) return reportDebug;
  if (begins("gc ") || begins("scav ") || begins("init ")) return reportInfo;
  return reportWarn;
}

void* reader(void*) {
  static char line[4096];
  std::size_t n = 0;
  for (;;) {
    std::uint32_t to = atomic::LoadAcq(&written), from = atomic::Load(&taken);
    if (to == from) {
      futexsleep(&written, to, -1);
      continue;
    }
    for (; from != to; from++) {
      char c = ring[from % kRing];
      if (c != '\n') line[n++] = c;
      if (c == '\n' || n == sizeof line) {
        if (n != 0) taker(levelOf(line, n), line, n);
        n = 0;
      }
    }
    atomic::StoreRel(&taken, to);
    if (atomic::Load(&takenWaiters) != 0) futexwakeup(&taken, INT32_MAX);
  }
}

}  // namespace

place whereami() noexcept {
  g* gp = getg();
  if (gp == nullptr) return {-1, -1, -1};
  m* mp = gp->m;
  return {mp->curg != nullptr ? mp->curg->goid : -1, mp->id, mp->p != nullptr ? mp->p->id : -1};
}

bool mayPark() noexcept { return onGoroutine(); }

void takeReports(void (*take)(reportLevel, const char*, std::size_t)) {
  if (!atomic::Cas(&started, 0u, 1u)) return;
  taker = take;
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  // Signals are for the runtime's threads.
  m* mp = acquirem();
  std::uint64_t all = allSignals(), old = 0;
  rtsigprocmask(2 /* SIG_SETMASK */, &all, &old);
  int err = pthread_create(&thread, &attr, reader, nullptr);
  rtsigprocmask(2, &old, nullptr);
  releasem(mp);
  pthread_attr_destroy(&attr);
  if (err == 0) writeErrHook = report;
}

void flushReports() {
  if (atomic::Load(&started) == 0) return;
  outside([] {
    waitTaken(atomic::Load(&written), INT64_MAX / 2);
    return 0;
  });
}

}  // namespace runtime::cgo

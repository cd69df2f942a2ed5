// Sleep, and the timers of the package time (Go's time.go, upper half). The heaps are sched/timeheap.cpp.
//
// Owns: apitimer.
//
// Invariants
//   - refs of an apitimer: one for each handle, and one that belongs to the heap. Whoever takes the timer out of the
//     heap (by stopping it, or by running it for the last time) gets that reference and drops it when done. So a timer
//     that nobody holds lives until it has fired, and one that is stopped and let go is freed at once.
//   - A timer with a period stays in its heap while its function runs, so that function must not use the apitimer: it
//     gets the channel, which the collector keeps.
//   - Timers are manual memory and thereby roots: the channel of a running timer stays alive.
#include "runtime/sync/time.h"

#include <new>

#include "runtime/base/panic.h"
#include "runtime/mem/malloc.h"
#include "runtime/sched/time.h"
#include "runtime/sync/chan.h"
#include "runtime/sync/onep.h"

namespace runtime {

struct alignas(16) apitimer {
  timer t;
  std::int32_t refs;    // atomic
  hchan* c;             // init
  void (*fn)(void*);    // init
  void (*drop)(void*);  // init
};

namespace {

// Runs on g0 when a Sleep is over. The timer is in the frame that goes on from here.
void goroutineReady(void* gp, uintptr) { goready(static_cast<g*>(gp)); }

// gopark's unlock function of Sleep: the timer is started when the goroutine is off its stack; were it started before,
// it could fire and ready a goroutine that has not parked yet.
bool resetForSleep(g*, void* t) {
  addsleep(static_cast<timer*>(t));
  return true;
}

void sendNow(hchan* c) {
  std::int64_t now = nanotime();
  chansend(c, &now, false);
}

void sendTime(void* arg, uintptr) {
  auto t = static_cast<apitimer*>(arg);
  sendNow(t->c);
  timerUnref(t);
}

void sendTick(void* arg, uintptr) { sendNow(static_cast<hchan*>(arg)); }

// Starts the function of a timer on a goroutine of its own; the heap's reference goes with it.
void goFunc(void* arg, uintptr) {
  auto t = static_cast<apitimer*>(arg);
  void* block;
  g* newg = newproc_begin(t->fn, sizeof(arg), alignof(void*), reinterpret_cast<uintptr>(&goFunc) + 1, &block);
  *static_cast<apitimer**>(block) = t;
  newproc_commit(newg);
}

}  // namespace

LANDMARK void timeSleep(std::int64_t ns) {
  if (ns <= 0) return;
  NEEDS_P(timeSleep(ns));
  g* gp = getg();
  timer t;  // in this frame: stacks do not move, and the heap is done with it before it readies gp
  t.pp = nullptr;
  t.idx = 0;
  t.when = timerWhenFromNow(ns);
  t.period = 0;
  t.f = goroutineReady;
  t.arg = gp;
  t.seq = 0;
  gp->timer = &t;
  gopark(resetForSleep, &t, waitReasonSleep);
  gp->timer = nullptr;
}

std::int64_t timeNow() {
  preemptpoint();  // a loop that waits for a time does little else
  return nanotime();
}

apitimer* newapitimer(hchan* c, void (*fn)(void*), std::size_t size) {
  void* p = mallocManual(sizeof(apitimer) + size, alignof(apitimer), true);
  if (p == nullptr) fatal("out of memory for a timer");
  auto t = ::new (p) apitimer{};
  t->refs = 1;
  t->c = c;
  t->fn = fn;
  return t;
}

void* timerData(apitimer* t) { return t + 1; }

void timerDrop(apitimer* t, void (*drop)(void*)) { t->drop = drop; }

void timerRef(apitimer* t) { atomic::Xadd(&t->refs, 1); }

void timerUnref(apitimer* t) {
  if (atomic::Xadd(&t->refs, -1) != 0) return;
  if (t->drop != nullptr) t->drop(timerData(t));
  freeManual(t);
}

bool resetTimer(apitimer* t, std::int64_t ns, std::int64_t period) {
  NEEDS_P(resetTimer(t, ns, period));
  timerRef(t);  // the heap's, before it can fire
  bool pending;
  std::int64_t when = timerWhenFromNow(ns);
  if (t->c == nullptr)
    pending = modtimer(&t->t, when, 0, goFunc, t, 0);
  else if (period > 0)
    pending = modtimer(&t->t, when, period, sendTick, t->c, 0);
  else
    pending = modtimer(&t->t, when, 0, sendTime, t, 0);
  if (pending) timerUnref(t);  // it was in a heap: that reference serves
  return pending;
}

bool stopTimer(apitimer* t) {
  NEEDS_P(stopTimer(t));
  if (!deltimer(&t->t)) return false;
  timerUnref(t);
  return true;
}

}  // namespace runtime

// Timers as the layers above use them: Sleep, Timer, Ticker, deadlines.
//
// A timer is memory of its user: in a parked function's frame (Sleep) or on the heap. While it is in a P's heap it must
// not move or go. Once it was taken out to be run, the runtime does not touch it again, so f may end its life.
#pragma once

#include "runtime/sched/proc.h"

namespace runtime {

constexpr std::int64_t maxWhen = INT64_MAX;

struct timer {
  ::runtime::p* pp;     // atomic: the P whose heap it is in, null if in none; changed under that P's timersLock
  std::int64_t idx;     // pp.timersLock: place in the heap
  std::int64_t when;    // pp.timersLock: nanotime at which to fire, > 0
  std::int64_t period;  // pp.timersLock: fires again every period ns if > 0
  // Runs on g0 at `when`, soon or late. It must not block; arg and seq are the user's.
  void (*f)(void* arg, uintptr seq);
  void* arg;
  uintptr seq;
};

void addtimer(timer* t) GOSYM("runtime.addtimer");  // a timer that is in no heap
// The same for one that will neither be stopped nor reset.
void addsleep(timer* t);
// Takes t out; false if it is in no heap (has fired, was stopped, never started). A one-shot f may still be running.
bool deltimer(timer* t) GOSYM("runtime.deltimer");
// Sets all and starts it, whether it is running or not; tells whether it was in a heap. f null: f, arg, seq are kept.
bool modtimer(timer* t, std::int64_t when, std::int64_t period, void (*f)(void*, uintptr), void* arg, uintptr seq)
    GOSYM("runtime.modtimer");
bool resettimer(timer* t, std::int64_t when) GOSYM("runtime.resettimer");
// When pp needs somebody to look at its timers; 0: never.
inline std::int64_t nobarrierWakeTime(p* pp) { return atomic::LoadAcq(&pp->timer0When); }
// The time ns from now; a time already past is now, and one beyond all is maxWhen (Go's time.when).
std::int64_t timerWhenFromNow(std::int64_t ns);

}  // namespace runtime

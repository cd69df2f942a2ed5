// The package time as the public headers use it: sleeping, and timers with a channel or a function. Users' programs
// include this header; the timer heaps below it are sched/time.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct hchan;
struct apitimer;

// Pauses the running goroutine for at least ns nanoseconds; not at all if ns <= 0.
void timeSleep(std::int64_t ns) __asm__("time.Sleep");
// The monotonic clock, ns.
std::int64_t timeNow() __asm__("time.now");

// A timer that outlives its handle, as Go's do: references are counted, one for each handle and one while it is in a
// heap or about to run.
//   c: at each expiry the time (8 bytes, ns) is sent on this channel of capacity 1; dropped when the channel is full.
//   c null: fn is the first function of a new goroutine, once for each expiry. It gets a pointer to the apitimer* and
//   owns a reference: it must call timerUnref in the end. drop(data) is called when the last reference goes.
// It comes back not started, with one reference. data starts at size 0 bytes behind the struct, see timerData.
apitimer* newapitimer(hchan* c, void (*fn)(void*), std::size_t size) __asm__("time.newTimer");
void* timerData(apitimer* t);
void timerDrop(apitimer* t, void (*drop)(void*));  // once data is constructed
void timerRef(apitimer* t);
void timerUnref(apitimer* t);
// Starts or restarts it: first after ns, then every period ns if that is > 0. True if it was running.
bool resetTimer(apitimer* t, std::int64_t ns, std::int64_t period) __asm__("time.resetTimer");
// True if it was running and will not fire now.
bool stopTimer(apitimer* t) __asm__("time.stopTimer");

}  // namespace runtime

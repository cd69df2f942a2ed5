// The events of the execution trace: what the scheduler tells hooks.traceEvent(event, goroutine, argument).
//
// Owns: the numbers. diag/trace.cpp writes them to a file and says what each becomes there.
#pragma once

#include <cstdint>

namespace runtime {

enum traceEv : std::int32_t {
  traceEvNone,
  traceEvGoCreate,    // gp made by a go statement; arg: pc of that statement. By the running goroutine
  traceEvGoEnd,       // gp ends
  traceEvGoPark,      // gp blocks; arg: waitReason
  traceEvGoSched,     // gp yields
  traceEvGoPreempt,   // gp is made to yield
  traceEvGoUnblock,   // gp becomes runnable; arg: goid of who did it, 0 for the scheduler itself
  traceEvGoStart,     // gp begins to run
  traceEvProcStart,   // an M acquires P arg
  traceEvProcStop,    // an M releases P arg
  traceEvGoSysCall,   // gp enters a system call; arg 1: one that gives its P away at once
  traceEvGoSysExit,   // gp is back from a system call, with a P
  traceEvSysRetake,   // sysmon takes P arg from an M in a system call
  traceEvSteal,       // gp was taken from P arg
  traceEvGCStart,     // a collection begins; arg: its number
  traceEvGCDone,      // the collection of number arg is over, its sweep too
  traceEvGCSTWStart,  // the world is being stopped; arg: address of the reason's text
  traceEvGCSTWDone,   // and goes on
  traceEvGCPhase,     // arg: traceGCPhase; it lasts until the next
  traceEvHeapLive,    // arg: KB on the heap, at the begin of a collection and after marking
  traceEvCount,
};

enum traceGCPhase : std::int32_t {
  traceGCOff,
  traceGCSweepTermination,
  traceGCMark,
  traceGCMarkTermination,
  traceGCSweep
};

}  // namespace runtime

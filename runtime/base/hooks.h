// The calls that go upwards: what a lower layer asks of a higher one.
//
// Owns: one table of function pointers. Each entry says which boot step sets it and what null means, so the table also
// shows what is not alive yet; gdb prints it as 'runtime.hooks'. A hook is the only way up: a test checks the #includes.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

struct hooks_t {
  // tracebackinit (diag). Prints the goroutines for throw and fatal. Null: only the text is printed.
  void (*fatalTraceback)(g* gp, uintptr pc, uintptr sp, uintptr bp);
  // gcinit (gc). A goroutine that marks, for a P that looks for work. Null: no collector yet.
  g* (*findRunnableGCWorker)(p* pp, std::int64_t now);
  // gcinit (gc). A goroutine has allocated beyond the collector's goal: it runs a cycle, if it may. Or it shall stop.
  void (*gcAssistAlloc)(g* gp, uintptr n);
  // gcinit (gc). Sweeps a span that the caller owns; sweeps as many others as the allocation of n bytes calls for.
  void (*sweepSpan)(void* span);
  void (*deductSweepCredit)(uintptr n);
  // gcPaceScavenger (gc). The heap has a span more, of whose pages so many bytes were not ours before: is that within the
  // limit, and what we keep? Null while there is no limit, and we may keep what we have.
  void (*heapGrown)(uintptr fresh);
  // foreignBegin (sched). Calls f with a P, from inside boot::blocking. Null: nobody has been there yet.
  void (*foreignCall)(void (*f)(void*), void* arg);
  // sync: empties the pools before a cycle marks; set when the first pool holds something.
  void (*poolCleanup)();
  // mstartm0 (diag). Installs the signal handlers.
  void (*initsig)();
  // schedinit (diag). Preempt the goroutine on an M by a signal. Null: only cooperative preemption.
  void (*preemptM)(m* mp);
  // diag: the reader of the execution trace, run first of all when it has something to read.
  g* (*traceReader)();
  // diag: one event of the execution trace; null when tracing is off.
  void (*traceEvent)(int ev, g* gp, uintptr arg);
  void (*traceSwitch)(int ev, g* gp, uintptr arg, g* next);  // traceEvent(ev, gp, arg), and next starts at that moment
  // diag: the program ends; write out what is traced. traceStop: in order, on a goroutine if it may stop the world;
  // traceCrash: wherever that is, with the others perhaps still running. The second to come finds it done. False: the
  // trace is not complete, and that has been said. Null while tracing is off.
  bool (*traceStop)();
  bool (*traceCrash)();
  // cgo (hosted): start an OS thread that calls mstart for mp; null: clone.
  void (*thread_start)(m* mp);
  // cgo (hosted): the end of such a thread; does not return.
  void (*thread_exit)(m* mp);
  // sync/diag: print the wait graph (GODEBUG=deadlockgraph=1) with the fatal message.
  void (*deadlockGraph)();
  // gc: once in each round of sysmon (forced collection after two minutes, waking the scavenger).
  void (*sysmonTick)(std::int64_t now);
  // diag: one report of GODEBUG=schedtrace.
  void (*schedtrace)(bool detailed);
  // exit (cxx or hosted): destructors and stdio before exit_group; hosted ends the process itself, by exit(exitcode).
  void (*atexit)();
  // schedinit (sched). Asks all goroutines to stop while a crash is printed; tries, does not wait for ever.
  void (*freezetheworld)();
  // boot: set by the first fault that becomes a panic. A goroutine dies by fatal or throw: if such a panic is on its way
  // through it, or in a catch block that is open, its g gets that signal again. Allocates nothing.
  void (*panicSignal)(g* gp);
  // tracebackinit (diag). The return addresses of gp's stack, from those registers on; at most n. How many.
  int (*callers)(g* gp, uintptr pc, uintptr sp, uintptr bp, uintptr* pcs, int n);
  // tracebackinit (diag). Dumps core by SIGABRT, does not return. Null: exit with 2.
  void (*crash)();
  // cxx: a program that uses std::call_once. Its two thread words go along with a goroutine that is preempted: out of the
  // thread in gopreempt_m, back in execute. Null: no such words.
  void (*saveOnce)(g* gp);
  void (*restoreOnce)(g* gp);
  // cxx: destroys what pthread_setspecific set, and ends the std::thread that it was, on the goroutine that ends. Set
  // before g.cxxspecific or g.cxxthread can be.
  void (*endSpecific)();
  // cxx: destroys this thread's thread_locals, on the locked goroutine that ends and takes the thread along. Null: there
  // is no destructor to run yet (hosted: libc does it).
  void (*endThread)();
};
extern hooks_t hooks GOSYM("runtime.hooks");
// The status that the program ends with, set before hooks.atexit by exitProgram.
extern std::int32_t exitcode GOSYM("runtime.exitcode");
// Atomic: the collector is marking. Here because the scheduler asks before it asks the hook.
extern std::uint32_t gcBlackenEnabled GOSYM("runtime.gcBlackenEnabled");
// Atomic: the trace reader has something to read. Here because a switch that goes past the scheduler asks.
extern std::uint32_t tracePending GOSYM("runtime.tracePending");

}  // namespace runtime

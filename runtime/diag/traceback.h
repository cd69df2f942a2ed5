// Tracebacks in Go's format, and what GOTRACEBACK asks for.
//
// Owns: the walk from a set of registers to printed frames, the header line of a goroutine, and the order in which
// goroutines are shown. Nothing here allocates or takes a lock: it runs in signal handlers of a process that is about
// to die, where every structure may be half-changed.
#pragma once

#include "runtime/base/panic.h"
#include "runtime/os/os_signal.h"

namespace runtime {

// The registers a walk starts from, by their DWARF numbers: rax rdx rcx rbx rsi rdi rbp rsp r8…r15 rip.
struct unwregs {
  uintptr r[17];
};
enum : int { kRbx = 3, kRbp = 6, kRsp = 7, kR12 = 12, kRip = 16 };

unwregs regsOf(const ucontext* ctx);                 // of interrupted code
unwregs regsOf(uintptr pc, uintptr sp, uintptr bp);  // of code that called us and keeps a frame pointer
unwregs regsOf(const gobuf& b);                      // of a goroutine that does not run

// schedinit: reads GOTRACEBACK and sets hooks.fatalTraceback and hooks.initsig.
void tracebackinit() GOSYM("runtime.tracebackinit");

struct gotracebackresult {
  std::int32_t level;  // 0 nothing, 1 user frames, 2 runtime frames too
  bool all, crash;
};
gotracebackresult gotraceback() GOSYM("runtime.gotraceback");
void setTraceback(const char* level) GOSYM("runtime.setTraceback");

constexpr int kTracebackMaxFrames = 100;
void goroutineheader(g* gp) GOSYM("runtime.goroutineheader");
// Prints gp's frames and who created it. start null: from gp.sched (gp does not run). trap: the first pc is that of an
// interrupted instruction, not a return address.
void traceback(const unwregs* start, g* gp, bool trap) GOSYM("runtime.traceback");
// All goroutines but `me`.
void tracebackothers(g* me) GOSYM("runtime.tracebackothers");
// The return addresses of a stack, innermost first; at most n. For panics and runtime::Stack.
int gcallers(const unwregs& start, g* gp, uintptr* pcs, int n) GOSYM("runtime.gcallers");
// Prints frames found earlier by gcallers.
void printcallers(g* gp, const uintptr* pcs, int n);
void printcreatedby(g* gp) GOSYM("runtime.printcreatedby");
bool isSystemGoroutine(const g* gp) GOSYM("runtime.isSystemGoroutine");

// Where dopanic_m finds the frames of who dies: registers, or return addresses taken before the stack was unwound.
struct tracestart {
  const unwregs* regs;
  bool trap;
  const uintptr* pcs;
  int npcs;
};
// Between startpanic_m and endpanic_m: the "[signal …]" line and the goroutines that GOTRACEBACK asks for.
void dopanic_m(g* gp, const tracestart& from) GOSYM("runtime.dopanic_m");

}  // namespace runtime

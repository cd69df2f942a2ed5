// The three ways to end: throw (our own invariant is broken), fatal (the program did what cannot go on), and, above
// this layer, panic (can be recovered).
//
// Owns: the texts "fatal error: …", who may print while several threads crash, and the exit code 2.
// Details go out first, on lines of their own with the prefix "runtime:", by printf; the text itself is a literal and
// unique in the source, so that grep finds the place.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// "throw" is a keyword of C++, so the function is throw_; its symbol is Go's.
[[noreturn, gnu::noinline, gnu::cold]] void throw_(const char* s) GOSYM("runtime.throw");
// A system call without which nothing goes on has returned -errno: refused by a sandbox's filter, as a rule.
[[noreturn, gnu::noinline, gnu::cold]] void syscallFailed(const char* name, long r) GOSYM("runtime.syscallFailed");
// The last system call.
[[noreturn, gnu::noinline]] void exitGroup(int code) GOSYM("runtime.exitGroup");
[[noreturn, gnu::noinline, gnu::cold]] void fatal(const char* s) GOSYM("runtime.fatal");
[[noreturn, gnu::noinline, gnu::cold]] void badsystemstack() GOSYM("runtime.badsystemstack");

// ---- the protocol of dying; the layers above use it for panics and signals ----
//
// A crash is: startpanic_m, print, endpanic_m, exit (or a core dump). m.dying says how far this M has come.
//
// Announces a crash of this M, waits until it alone prints, and asks the others to stop. True if this is its first;
// false if it crashed while crashing ("panic during panic": print less). The third time it exits with 4, then 5.
bool startpanic_m() GOSYM("runtime.startpanic_m");
// Done printing. Returns only on the last M that crashes; the others wait here for it to end the process.
void endpanic_m() GOSYM("runtime.endpanic_m");

// GOTRACEBACK=crash (setTraceback): a fatal end shall leave a core by hooks.crash.
extern bool crashOnFatal GOSYM("runtime.crashOnFatal");

// Goroutines that run deferred functions during a panic; main waits a little for them. Atomic; defined by boot/panic.cpp.
extern std::uint32_t runningPanicDefers GOSYM("runtime.runningPanicDefers");

enum : std::int32_t { throwTypeNone, throwTypeUser, throwTypeRuntime };  // m.throwing

// Panics with a runtime error whose text stands alone, without the prefix "runtime error: " (Go's plainError): misuse of
// channels and of sync. It throws boot::RuntimeError; the runtime's own frames are passed through, so no lock may be
// held. Defined by diag.
[[noreturn, gnu::noinline, gnu::cold]] void panicplain(const char* msg) GOSYM("runtime.panicplain");

}  // namespace runtime

// The ways out of libc, as far as something must be done before: the execution trace is written.
//
// Invariant: what libc does at an end is libc's to do (atexit, destructors, stdio, at_quick_exit); these only come before
// it. A child that libc or the program has forked leaves its parent's trace alone (trace.cpp).
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/hooks.h"
#include "runtime/cgo/next.h"
#include "runtime/os/os_linux.h"

namespace {

using ending = void (*)(int);

[[noreturn]] void goOn(const char* name, int code) {
  reinterpret_cast<ending>(runtime::cgo::nextDefinition(name))(code);
  runtime::exit(code);
}

int afterTrace(int code) {
  auto stop = runtime::hooks.traceStop;
  return stop != nullptr && !stop() ? runtime::exitstatus(code) : code;
}

}  // namespace

extern "C" {

[[noreturn]] void exit(int code) noexcept { goOn("exit", afterTrace(code)); }
[[noreturn]] void quick_exit(int code) noexcept { goOn("quick_exit", afterTrace(code)); }
// By the system call at once: a signal's handler may call them, and a child that has just been forked.
[[noreturn]] void _exit(int code) { runtime::exit(code); }
[[noreturn]] void _Exit(int code) noexcept { runtime::exit(code); }

}  // extern "C"

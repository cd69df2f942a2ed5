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

int afterTrace(bool (*write)(), int code) { return write != nullptr && !write() ? runtime::exitstatus(code) : code; }

}  // namespace

extern "C" {

[[noreturn]] void exit(int code) noexcept { goOn("exit", afterTrace(runtime::hooks.traceStop, code)); }
[[noreturn]] void quick_exit(int code) noexcept { goOn("quick_exit", afterTrace(runtime::hooks.traceStop, code)); }
[[noreturn]] void _exit(int code) { goOn("_exit", afterTrace(runtime::hooks.traceCrash, code)); }
[[noreturn]] void _Exit(int code) noexcept { goOn("_Exit", afterTrace(runtime::hooks.traceCrash, code)); }

}  // extern "C"

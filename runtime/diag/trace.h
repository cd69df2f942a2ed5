// The execution trace: what the scheduler did, as a file that Perfetto and chrome://tracing open (GODEBUG=exectrace=FILE).
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// main: begins the trace if GODEBUG asks for it. On the main goroutine, before main_main.
void traceStart() GOSYM("runtime.traceStart");
// Writes what is left, ends the file (hooks.traceStop). False: it could not all be written.
bool traceStop() GOSYM("runtime.traceStop");

}  // namespace runtime

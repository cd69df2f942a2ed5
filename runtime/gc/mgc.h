// The collector as rt0 sees it.
#pragma once

#include "runtime/sched/proc.h"

namespace runtime {

void gcinit() GOSYM("runtime.gcinit");      // schedinit: reads GOGC and GOMEMLIMIT
void gcenable() GOSYM("runtime.gcenable");  // main: starts bgsweep and bgscavenge; from here on a cycle may begin
// doInit, before the program's own constructors: starts forcegchelper, the goroutine that sysmon wakes after two minutes
// without a collection. Under the name of Go's first init function of package runtime.
void runtimeInit0() GOSYM("runtime.init.0");

}  // namespace runtime

// The parts of package runtime that only look at the scheduler's state.
#include "boot/runtime.h"

#include "runtime/sched/proc.h"

namespace runtime {

std::int32_t NumCPU() { return ncpu; }

std::int32_t NumGoroutine() { return gcount(); }

}  // namespace runtime

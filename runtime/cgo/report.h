// What boot/log.h needs of the runtime: where the caller runs, and the runtime's own reports.
//
// Reports (boottrace, schedtrace, gctrace, throw) are printed anywhere: on g0, without a P, in a signal handler, in a
// crash. No logger can run there. So they go through a ring of bytes to a thread of libc's, which calls the logger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime::cgo {

// Of the calling goroutine; -1 for what there is none of.
struct place {
  std::int64_t g, m, p;
};
place whereami() noexcept;
// May the caller use channels? Not on a thread that is not the runtime's.
bool mayPark() noexcept;

enum reportLevel : int { reportTrace, reportDebug, reportInfo, reportWarn, reportCritical };
// From now on each line of the runtime's reports is handed to take, on a thread of its own, and not printed; what a
// crash prints is handed over and printed. Once; later calls are ignored.
void takeReports(void (*take)(reportLevel level, const char* line, std::size_t n));
// Waits until all reports so far have been taken.
void flushReports();

}  // namespace runtime::cgo

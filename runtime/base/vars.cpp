// The variables that the whole runtime shares, defined.
//
// Owns: their storage. All of it is .bss or .data with constants: nothing here runs at start, because rt0_go uses m0
// and g0 before any constructor could.
#include "runtime/base/cpu.h"
#include "runtime/base/hooks.h"
#include "runtime/base/lockrank.h"

namespace runtime {

constinit m m0{};
constinit g g0{};
constinit schedt sched{};
constinit m* allm = nullptr;
constinit slice<p*> allp{};
constinit mutex allpLock{};
constinit slice<g*> allgs{};
constinit mutex allglock{};
constinit std::uint64_t allglen = 0;
constinit g** allgptr = nullptr;
constinit std::int32_t ncpu = 0;
constinit std::int32_t gomaxprocs = 0;
constinit uintptr physPageSize = 0;
constinit uintptr physHugePageSize = 0;
constinit bool iscgo = false;
constinit bool secureMode = false;
constinit bool mainStarted = false;
constinit std::int64_t runtimeInitTime = 0;
constinit std::uint32_t worldsema = 1;  // one may stop the world
constinit std::uint32_t panicking = 0;
constinit uintptr maxstacksize = 1 << 20;  // enough until runtime.main sets the real limit
constinit uintptr maxstackceiling = 1 << 20;

constinit hooks_t hooks{};
constinit std::int32_t exitcode = 0;
constinit std::uint32_t gcBlackenEnabled = 0;
constinit std::uint32_t tracePending = 0;

constinit cpufeatures cpu{};
constinit std::uint8_t isIntel = 0;
constinit std::uint8_t lfenceBeforeRdtsc = 0;
constinit std::uint32_t processorVersionInfo = 0;
constinit std::uint32_t cpuidMaxLeaf = 0;
constinit std::uint32_t cpuidFeatures = 0;
constinit bool useAVXmemmove = false;
constinit bool useERMSmemmove = false;

// The order is that of enum waitReason.
const char* const waitReasonStrings[waitReasonCount] = {
    "",
    "GC assist marking",
    "IO wait",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "dumping heap",
    "garbage collection",
    "garbage collection scan",
    "panicwait",
    "select",
    "select (no cases)",
    "GC assist wait",
    "GC sweep wait",
    "GC scavenge wait",
    "chan receive",
    "chan send",
    "finalizer wait",
    "force gc (idle)",
    "semacquire",
    "sleep",
    "sync.Cond.Wait",
    "timer goroutine (idle)",
    "trace reader (blocked)",
    "wait for GC cycle",
    "GC worker (idle)",
    "preempted",
    "debug call",
};

}  // namespace runtime

// The vDSO: code of the kernel's that runs in our address space, so that reading the clock needs no system call.
//
// The kernel maps a small shared object and says where (AT_SYSINFO_EHDR). There is no dynamic linker here; vdso_elf.cpp
// finds clock_gettime of version LINUX_2.6 in it.
//
// Invariant: everything works without it. A kernel that maps none, or one that we can't read, costs a system call a
// reading and nothing else.
//
// The function is called on goroutine stacks. It needs less than the slack below every guard (mem/stack.h).
#include <elf.h>

#include <string_view>

#include "runtime/base/bootstep.h"
#include "runtime/os/os_linux.h"
#include "runtime/os/vdso_linux.h"

namespace runtime {

constinit bool vdsoClock = false;

namespace {

using clockGettime = int (*)(int clock, void* ts);
clockGettime vdsoClockGettimeSym = nullptr;

constexpr std::string_view kClockGettime = "__vdso_clock_gettime";

}  // namespace

BOOTMARK void vdsoParseSymbols(const vdsoInfo* v, std::int32_t version) {
  vdsoClockGettimeSym = reinterpret_cast<clockGettime>(vdsoLookup(v, kClockGettime, version));
  vdsoClock = vdsoClockGettimeSym != nullptr;
}

// Called for every pair of the auxiliary vector; one of them is ours.
BOOTMARK void vdsoauxv(std::uint64_t tag, std::uint64_t val) {
  if (tag != AT_SYSINFO_EHDR || val == 0) return;
  vdsoInfo v;
  vdsoInitFromSysinfoEhdr(&v, reinterpret_cast<const Elf64_Ehdr*>(val));
  vdsoParseSymbols(&v, vdsoFindVersion(&v));
  BOOTSTEP("runtime.vdsoauxv", "#base,#clock_gettime", val, vdsoClockGettimeSym);
}

// ---- clocks ----

namespace {

struct timespec64 {
  std::int64_t sec, nsec;
};

ALWAYS_INLINE timespec64 clock(int id) {
  timespec64 ts{0, 0};
  if (LIKELY(vdsoClockGettimeSym != nullptr))
    vdsoClockGettimeSym(id, &ts);
  else
    syscall6(SYS_clock_gettime, id, reinterpret_cast<long>(&ts));
  return ts;
}
constexpr int kClockRealtime = 0, kClockMonotonic = 1;

}  // namespace

LANDMARK std::int64_t nanotime1() {
  timespec64 ts = clock(kClockMonotonic);
  return ts.sec * 1'000'000'000 + ts.nsec;
}

static std::int64_t cpuClock(long id) {
  timespec64 ts;
  if (syscall6(SYS_clock_gettime, id, reinterpret_cast<long>(&ts)) != 0) return -1;
  return ts.sec * 1'000'000'000 + ts.nsec;
}

std::int64_t threadCPUtime(std::uint64_t tid) {
  constexpr long perThread = 4, cputimeSched = 2;  // the low bits of such a clock's number; the rest is ~tid
  return cpuClock((~static_cast<long>(tid) << 3) | perThread | cputimeSched);
}

std::int64_t processCPUtime() { return cpuClock(2); }  // CLOCK_PROCESS_CPUTIME_ID

LANDMARK std::int64_t nanotime() { return nanotime1(); }

LANDMARK walltime_t walltime() {
  timespec64 ts = clock(kClockRealtime);
  return {ts.sec, static_cast<std::int32_t>(ts.nsec)};
}

}  // namespace runtime

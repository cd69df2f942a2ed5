// What this processor can do (base/cpu.h), and the seed of pseudo-random numbers.
//
// A feature counts when the processor has it, the kernel saves the registers it uses (XCR0), and the user has not
// switched it off: GODEBUG=cpu.NAME=off, for tests of the slower ways.
#include <cpuid.h>

#include <iterator>
#include <string_view>

#include "runtime/base/bootstep.h"
#include "runtime/base/cpu.h"
#include "runtime/base/print.h"
#include "runtime/os/envvars.h"

namespace runtime {

namespace {

struct regs {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

regs cpuid(std::uint32_t leaf, std::uint32_t sub) {
  regs r;
  if (leaf <= cpuidMaxLeaf) __cpuid_count(leaf, sub, r.eax, r.ebx, r.ecx, r.edx);
  return r;
}

constexpr bool has(std::uint32_t word, int bit) { return (word >> bit & 1) != 0; }

// Which state components the kernel saves at a switch.
std::uint64_t xgetbv() {
  std::uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return std::uint64_t{hi} << 32 | lo;
}

constexpr std::uint64_t kStateSSE = 1 << 1, kStateAVX = 1 << 2, kStateAVX512 = 7 << 5;

constinit cpuOption options[] = {
    {"avx", &cpu.hasAVX, false, false},         {"avx2", &cpu.hasAVX2, false, false},
    {"avx512f", &cpu.hasAVX512F, false, false}, {"erms", &cpu.hasERMS, false, false},
    {"fsrm", &cpu.hasFSRM, false, false},       {"fsgsbase", &cpu.hasFSGSBASE, false, false},
};

// What can't be done is said, as Go says it.
void complain(cpuComplaint what, std::string_view name, std::string_view value) {
  switch (what) {
    case cpuComplaint::noValue:
      runtime::printf("GODEBUG: no value specified for \"{}\"\n", name);
      break;
    case cpuComplaint::badValue:
      runtime::printf("GODEBUG: value \"{}\" not supported for cpu option \"{}\"\n", value, name);
      break;
    case cpuComplaint::unknown:
      runtime::printf("GODEBUG: unknown cpu feature \"{}\"\n", name);
      break;
  }
}

void setOptions() {
  const char* env = gogetenv("GODEBUG");
  if (env == nullptr) return;
  parseCPUOptions(env, options, std::size(options), complain);
  for (const cpuOption& o : options) {
    if (!o.specified) continue;
    if (o.enable && !*o.flag)
      runtime::printf("GODEBUG: can not enable \"{}\", missing CPU support\n", o.name);
    else
      *o.flag = o.enable;
  }
}

}  // namespace

BOOTMARK void cpuinit() {
  // One CPUID: under a hypervisor each is an exit and costs as much as twenty system calls. Leaf 1 is rt0_go's, and the
  // size of the xsave area is known from the size of a signal frame, which contains one.
  regs l7 = cpuid(7, 0);
  cpu.hasERMS = has(l7.ebx, 9);
  cpu.hasFSRM = has(l7.edx, 4);
  cpu.hasFSGSBASE = (auxvHwcap2 & 2) != 0;
  cpu.xcr0 = 3;
  cpu.xsaveSize = 512;
  if (has(cpuidFeatures, 27)) {  // OSXSAVE
    cpu.xcr0 = xgetbv();
    cpu.xsaveSize = auxvMinSigStk != 0 ? static_cast<std::uint32_t>(auxvMinSigStk) : cpuid(0xd, 0).ebx;
    bool ymm = (cpu.xcr0 & (kStateSSE | kStateAVX)) == (kStateSSE | kStateAVX);
    cpu.hasAVX = has(cpuidFeatures, 28) && ymm;
    cpu.hasAVX2 = cpu.hasAVX && has(l7.ebx, 5);
    cpu.hasAVX512F = cpu.hasAVX && has(l7.ebx, 16) && (cpu.xcr0 & kStateAVX512) == kStateAVX512;
  }
  setOptions();
  useAVXmemmove = cpu.hasAVX;
  // AMD's processors say ERMS too, but their rep movsb takes ten times as long as a loop when source and destination are
  // not aligned to each other (measured: 4 KB in 800 ns instead of 50).
  useERMSmemmove = cpu.hasERMS && isIntel != 0;
  BOOTSTEP("runtime.cpuinit", "erms,avx2,avx512f,fsgsbase", cpu.hasERMS, cpu.hasAVX2, cpu.hasAVX512F, cpu.hasFSGSBASE);
}

// ---- randomness ----

constinit std::uint64_t fastrandseed = 0;

LANDMARK void getRandomData(std::uint8_t* p, std::size_t n) {
  std::size_t have = 0;
  if (startupRandomData.len > 0) {
    for (; have < n && have < static_cast<std::size_t>(startupRandomData.len); have++)
      p[have] = startupRandomData.array[have];
  } else if (long fd = open("/dev/urandom", 0, 0); fd >= 0) {
    long r = read(static_cast<std::int32_t>(fd), p, n);
    closefd(static_cast<std::int32_t>(fd));
    if (r > 0) have = static_cast<std::size_t>(r);
  }
  // More than there is, or nothing at all: stretch it with a mixer that the clock seeds too.
  std::uint64_t x = static_cast<std::uint64_t>(nanotime()) ^ cputicks();
  for (std::size_t i = 0; i < have; i++) x = (x ^ p[i]) * 0x9e3779b97f4a7c15ULL;
  for (; have < n; have++) {
    x += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    p[have] = static_cast<std::uint8_t>(z >> 56);
  }
}

BOOTMARK void fastrandinit() {
  std::uint8_t b[16];
  getRandomData(b, sizeof b);
  std::uint64_t w[2];
  __builtin_memcpy(w, b, sizeof w);
  fastrandseed = w[0] ^ (w[1] * 0x9e3779b97f4a7c15ULL);
  BOOTSTEP("runtime.fastrandinit", "from_auxv", startupRandomData.len);
}

}  // namespace runtime

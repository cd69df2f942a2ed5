// What the processor can do, found once at the start.
//
// Owns: the flags that choose between ways of doing the same thing. They are all false until cpuinit (schedinit), so
// code that runs earlier takes the way that every amd64 processor has.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

struct cpufeatures {
  bool hasERMS;  // rep movsb/stosb are fast for large blocks
  bool hasFSRM;  // rep movsb is fast for short ones too
  bool hasAVX;   // and the kernel saves its registers
  bool hasAVX2;
  bool hasAVX512F;   // and the kernel saves its registers
  bool hasFSGSBASE;  // rdfsbase/wrfsbase may be used in user mode (AT_HWCAP2 says so, not CPUID)
  // Bytes that are enough to xsave everything the kernel has enabled; 512 without xsave.
  std::uint32_t xsaveSize;
  std::uint64_t xcr0;  // state components the kernel has enabled; 3 (x87, SSE) without xsave
};
extern cpufeatures cpu GOSYM("runtime.cpu");

// What rt0_go's two CPUIDs said: the maker, how RDTSC is serialised, EAX of leaf 1, the highest leaf, ECX of leaf 1.
extern std::uint8_t isIntel GOSYM("runtime.isIntel");
extern std::uint8_t lfenceBeforeRdtsc GOSYM("runtime.lfenceBeforeRdtsc");
extern std::uint32_t processorVersionInfo GOSYM("runtime.processorVersionInfo");
extern std::uint32_t cpuidMaxLeaf GOSYM("runtime.cpuidMaxLeaf");
extern std::uint32_t cpuidFeatures GOSYM("runtime.cpuidFeatures");

// What memmove_amd64.S asks for, set by cpuinit; single bytes, so that assembly needs no offset.
extern bool useAVXmemmove GOSYM("runtime.useAVXmemmove");
extern bool useERMSmemmove GOSYM("runtime.useERMSmemmove");

void cpuinit() GOSYM("runtime.cpuinit");

// The seed of all pseudo-random numbers of this process; set by fastrandinit, zero before.
extern std::uint64_t fastrandseed;
void fastrandinit() GOSYM("runtime.fastrandinit");
// Fills [p, p+n) from AT_RANDOM's bytes, else from /dev/urandom, else from the clock.
void getRandomData(std::uint8_t* p, std::size_t n) GOSYM("runtime.getRandomData");

}  // namespace runtime

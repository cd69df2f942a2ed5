// What the files of the scheduler share about Ms and their thread control blocks, and what the gc layer adds to a look
// for work. Not for the layers above, but for gc's flag.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

struct tlssegment {
  const std::uint8_t* init;
  std::uint64_t filesz, memsz, align;
};
tlssegment findTLS();
void tlsinit(m* mp);
// Writes the copy of the stack guard that the goroutine running on mp compares with; any thread may.
void setmguard(m* mp, uintptr guard);

// Has a thread made for mp by the one that is kept for that.
void newmByTemplate(m* mp);
// Starts that thread; on g0, once.
void startTemplateThread();

extern bool forkedChild;  // this is the child of a fork(): of all threads only the one that forked is there
extern std::uint64_t initSigmask;   // init (schedinit): the mask the process began with; new Ms start from it
extern std::uint64_t fastrandseed;  // init (fastrandinit)
extern std::int32_t newprocs;       // worldsema: GOMAXPROCS's wish, done by startTheWorld
void randomOrderReset(std::uint32_t count);

}  // namespace runtime

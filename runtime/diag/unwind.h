// Walks a stack by its call frame information (.eh_frame), from any set of registers.
//
// Owns: the interpreter of CFI and the rule which addresses it may read. The compiler's own unwinder (libgcc) can't be
// used for tracebacks: it starts from the running function only, aborts on what it does not know, and believes every
// pointer it finds.
//
// Invariants
//   - No allocation, no lock, no global that changes after the start: any number of threads may walk at once, in signal
//     handlers and of stacks that are half broken.
//   - Every address is checked against the bounds of the stacks given before it is read; a walk that meets one
//     outside ends.
#pragma once

#include "runtime/base/symtab.h"
#include "runtime/diag/traceback.h"

namespace runtime {

struct stackbounds {
  stack s[32];
  int n;
  void add(uintptr lo, uintptr hi) {
    if (n < 32 && lo < hi) s[n++] = {lo, hi};
  }
  bool has(uintptr a, uintptr len) const {
    for (int i = 0; i < n; i++)
      if (a >= s[i].lo && a < s[i].hi && s[i].hi - a >= len) return true;
    return false;
  }
};

// The stacks on which frames of gp may lie.
stackbounds boundsOf(g* gp);

struct unwinder {
  unwregs regs;         // of the current frame; regs.r[kRip] is its pc
  std::uint32_t known;  // bit i: regs.r[i] is the true value
  bool exact;           // pc is that of an interrupted instruction (else a return address)
  uintptr cfa;          // of the current frame, after step: of the frame just left
  const stackbounds* b;

  unwinder(const unwregs& start, const stackbounds& bounds, bool trap)
      : regs(start), known(0x1ffff), exact(trap), cfa(0), b(&bounds) {}
  // The pc to look up for the current frame.
  uintptr lookuppc() const { return regs.r[kRip] - (exact ? 0 : 1); }
  // Goes to the caller. False at the root, or where nothing sensible follows.
  bool step();
  // The same by these tables; null: there are none for this pc.
  bool stepBy(const ehTables* t);
};

// init: finds the program's unwind table. Called by tracebackinit.
void unwindinit();

}  // namespace runtime

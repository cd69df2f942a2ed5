// What the programs share that look into the runtime: a check that says which claim it proves.
#pragma once

// The runtime's headers come first: they have a variable `debug`, the public ones a namespace of that name.
#define debug debugvariables
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"
#undef debug

#include <boot/boot.h>

namespace claims {

inline int checks = 0;

inline void check(const char* claim, const char* text, bool ok) {
  checks++;
  boot::println("{} [{}] {}", ok ? "ok    " : "FAILED", claim, text);
}

// The last line: its absence shows a program that ended early.
inline void done() { boot::println("{} checks", checks); }

// From here on no time slice ends: for programs that show the order within one, which a slow machine would cut in two.
inline void oneSlice() { runtime::forcePreemptNS = 3600 * std::int64_t{1000000000}; }

}  // namespace claims

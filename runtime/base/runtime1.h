// The steps of the start that prove things, and the ones that read what the process was given.
#pragma once

#include "runtime/base/stubs.h"
#include "runtime/base/symtab.h"

namespace runtime {

// rt0_go: sizes, atomics, floating point, and what assembly takes for granted.
void check() GOSYM("runtime.check");
void testAtomic64() GOSYM("runtime.testAtomic64");
bool checkASM() GOSYM("runtime.checkASM");

}  // namespace runtime

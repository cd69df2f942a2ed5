// What a failed stack check in user code leads to. See newstack.cpp.
#pragma once

#include "runtime/sched/proc.h"

namespace runtime {

// schedinit, after cpuinit: sets hooks.newstack and tells __morestack which registers can hold arguments.
void newstackinit() GOSYM("runtime.newstackinit");
// Atomic: how often a stack has been given more room. Tells the scavenger that there may be something to take back.
extern std::uint64_t stackgrowths GOSYM("runtime.stackgrowths");
// On g0, from morestack; ends in gogo.
[[noreturn]] void newstack() GOSYM("runtime.newstack");

// The frame that __morestack makes on the goroutine's stack, found through g.sched.bp. asm/morestack_amd64.S pushes it.
struct morestackframe {
  uintptr argsize;    // r11: bytes of arguments on the stack
  uintptr framesize;  // r10: what the function needs
  uintptr rdx, rcx, rax;
  uintptr bp;        // the caller's frame pointer; g.sched.bp points here
  uintptr pc;        // return address into the function's prologue
  uintptr callerpc;  // the function's own return address; its stack pointer at entry points here
};

}  // namespace runtime

// Calls that a debugger has made in a stopped goroutine (Go's debugcall.go). The protocol is told where it is spoken,
// in asm/debugcall_amd64.S; scripts/gdbext/gocall.py is a debugger's side of it.
//
// Owns: which places are safe, and the goroutine that runs such a call.
//
// What is called runs on a goroutine of its own, with a fresh stack, and the stopped goroutine waits for it (its wait
// reason is "debug call"). So the call may block, grow its stack, throw or end its goroutine; the stopped one does not
// notice, whatever it was in the middle of.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

struct debugCallReason {  // in AX:DX, as two words for the debugger
  const char* text;       // null: the call is fine
  std::uint64_t len;
};
// May a call be made in the running goroutine, stopped at pc with its stack at sp?
debugCallReason debugCallCheck(uintptr pc, uintptr sp) GOSYM("runtime.debugCallCheck");
// Parks the running goroutine and runs `dispatch` (one of asm's debugCallN) on a new one, made for the place pc.
void debugCallWrap(void (*dispatch)(), uintptr pc) GOSYM("runtime.debugCallWrap");

// debugcall_exc.cpp: runs dispatch, and tells the debugger about an exception that comes out of it. When what was called
// ends its goroutine (Goexit), beforeExit is called and this does not return.
void debugCallWrap2(void (*dispatch)(), void (*beforeExit)()) GOSYM("runtime.debugCallWrap2");

extern "C++" {
void debugCallV2() GOSYM("runtime.debugCallV2");
void debugCallPanicked(const char* text, std::uint64_t len) GOSYM("runtime.debugCallPanicked");
}

}  // namespace runtime

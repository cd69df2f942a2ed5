// Signals: what the runtime does when one comes.
//
// Owns: the handlers, the way from a hardware fault to a panic, and how the process dies of a signal.
#pragma once

#include "runtime/os/os_signal.h"

namespace runtime {

// Installs the handlers, once, on the first thread (mstartm0).
void initsig() GOSYM("runtime.initsig");
void sigtramp() GOSYM("runtime.sigtramp");  // asm
// sigtramp's C++ half.
void sigtrampgo(std::uint32_t sig, siginfo* info, ucontext* ctx) GOSYM("runtime.sigtrampgo");
void sighandler(std::uint32_t sig, siginfo* info, ucontext* ctx, g* gp) GOSYM("runtime.sighandler");
// Runs on the goroutine that faulted, as if called by the faulting instruction. Throws a C++ exception.
[[noreturn]] void sigpanic() GOSYM("runtime.sigpanic");
[[noreturn]] void dieFromSignal(std::uint32_t sig) GOSYM("runtime.dieFromSignal");
// SIGABRT, so that the kernel leaves a core (GOTRACEBACK=crash).
[[noreturn]] void crash() GOSYM("runtime.crash");
// write to descriptor 1 or 2 gave EPIPE.
void sigpipe() GOSYM("runtime.sigpipe");
// The handler of sig: SIG_DFL (0), SIG_IGN (1) or an address.
void setsig(std::uint32_t sig, void* fn) GOSYM("runtime.setsig");

// os/signal's side: ask for a signal, give it back, ignore it.
void sigenablePreempt();
void sigenable(std::uint32_t sig) GOSYM("runtime.sigenable");
void sigdisable(std::uint32_t sig) GOSYM("runtime.sigdisable");
void sigignore(std::uint32_t sig) GOSYM("runtime.sigignore");

// sigqueue.cpp. sigsend: true if somebody asked for sig; async-signal-safe.
bool sigsend(std::uint32_t sig) GOSYM("runtime.sigsend");
bool signal_ignored(std::uint32_t sig) GOSYM("runtime.signal_ignored");
// Is sig asked for, or ignored by the program's wish?
bool signal_claimed(std::uint32_t sig);
// On the receiver's thread, which lets in sig though the program was started with it blocked: true if nobody asks for it any
// more. It is blocked again when the handler returns, and pending.
bool sigBlockAgain(std::uint32_t sig, ucontext* ctx);

// preempt.cpp: preempt by signal (hooks.preemptM); doSigPreempt is its receiving end.
void preemptinit() GOSYM("runtime.preemptinit");
bool isUserText(uintptr pc);
bool isRuntimeText(uintptr pc);
void preemptM(m* mp) GOSYM("runtime.preemptM");
void doSigPreempt(g* gp, ucontext* ctx) GOSYM("runtime.doSigPreempt");

const char* signame(std::uint32_t sig) GOSYM("runtime.signame");  // null if there is none

}  // namespace runtime

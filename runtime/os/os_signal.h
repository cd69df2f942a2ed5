// Signals as the kernel knows them: the table of what each one does, the masks and the alternate stack of a thread.
//
// Owns: sigtable (Go's), the per-thread half of signal handling, which every M runs in minit before it may run a
// goroutine. What a handler then does is a matter of the highest layers (diag/signal_unix.cpp).
//
// Invariants
//   - A thread of ours takes signals on m.gsignal's stack only.
//   - libc's signals are never blocked (allSignals).
//   - m.sigmask is the mask the thread had when it came to us; a thread runs with it minus the signals that must
//     never be blocked (blockableSig), and gets it back when it leaves.
#pragma once

#include "runtime/os/os_linux.h"

namespace runtime {

enum : std::int32_t {    // what the runtime does when a signal comes; the bits are Go's
  kSigNotify = 1 << 0,   // goes to Notify's channels if anybody asked
  kSigKill = 1 << 1,     // otherwise the program dies of it, quietly
  kSigThrow = 1 << 2,    // otherwise it dies loudly, with all goroutines
  kSigPanic = 1 << 3,    // sent by the kernel it is a panic of the goroutine that ran
  kSigDefault = 1 << 4,  // not ours unless asked for
  kSigGoExit = 1 << 5,
  kSigSetStack = 1 << 6,  // no handler of ours, but a foreign one shall run on our stack
  kSigUnblock = 1 << 7,   // always unblocked
  kSigIgn = 1 << 8,       // the kernel's default is to ignore it
};

constexpr std::uint32_t kNSIG = 65;
struct sigTabT {
  std::int32_t flags;
  const char* name;
};
extern const sigTabT sigtable[kNSIG] GOSYM("runtime.sigtable");

enum : std::uint32_t {
  SIGHUP_ = 1,
  SIGINT_ = 2,
  SIGQUIT_ = 3,
  SIGILL_ = 4,
  SIGTRAP_ = 5,
  SIGABRT_ = 6,
  SIGBUS_ = 7,
  SIGFPE_ = 8,
  SIGUSR1_ = 10,
  SIGSEGV_ = 11,
  SIGPIPE_ = 13,
  SIGTERM_ = 15,
  SIGURG_ = 23,
  SIGPROF_ = 27,
};
constexpr std::uint32_t sigPreempt = SIGURG_;
constexpr std::uint32_t sigCancel = 32;
constexpr std::uint32_t sigPerThreadSyscall = 33;

constexpr std::uint64_t sigbit(std::uint32_t sig) { return std::uint64_t{1} << (sig - 1); }

// All signals, for a mask. Not libc's own two, where there is libc: by them it cancels a thread and changes the user of all
// threads, for which it waits until each has had its signal.
inline std::uint64_t allSignals() {
  return iscgo ? ~(sigbit(sigCancel) | sigbit(sigPerThreadSyscall)) : ~std::uint64_t{0};
}

// May a thread of ours run with this signal blocked?
bool blockableSig(std::uint32_t sig) GOSYM("runtime.blockableSig");
// Stores the calling thread's mask.
void sigsave(std::uint64_t* p) GOSYM("runtime.sigsave");
void msigrestore(std::uint64_t mask) GOSYM("runtime.msigrestore");
// Blocks every signal, around clone and at the end of a thread.
void sigblock(bool exiting) GOSYM("runtime.sigblock");
void unblocksig(std::uint32_t sig) GOSYM("runtime.unblocksig");
// Of the calling thread.
void changesigmask(std::uint64_t block, std::uint64_t unblock);

// minit's part: alternate stack and mask of the calling M. unminitSignals undoes the stack.
void minitSignals() GOSYM("runtime.minitSignals");
void minitSignalStack() GOSYM("runtime.minitSignalStack");
void minitSignalMask() GOSYM("runtime.minitSignalMask");
void unminitSignals() GOSYM("runtime.unminitSignals");

// ---- what the kernel hands to a handler (x86-64) ----
struct siginfo {
  std::int32_t si_signo, si_errno, si_code, pad;
  std::uint64_t si_addr;  // or pid and uid, for a signal somebody sent
  std::uint8_t rest[128 - 24];
};
struct sigcontext {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t err, trapno, oldmask, cr2;
  void* fpstate;
  std::uint64_t reserved[8];
};
struct ucontext {
  std::uint64_t uc_flags;
  ucontext* uc_link;
  stackt uc_stack;
  sigcontext mc;
  std::uint64_t uc_sigmask;
};
constexpr std::int32_t SI_USER_ = 0;

}  // namespace runtime

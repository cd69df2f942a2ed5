// The per-thread half of signal handling; see os_signal.h.
#include "runtime/os/os_signal.h"
#include "runtime/base/bootstep.h"

namespace runtime {

static constexpr int kSigBlock = 0, kSigUnblock_ = 1, kSigSetmask = 2;
static constexpr int kSSDisable = 2;

const sigTabT sigtable[kNSIG] = {
    {0, "SIGNONE: no trap"},
    {kSigNotify + kSigKill, "SIGHUP: terminal line hangup"},
    {kSigNotify + kSigKill, "SIGINT: interrupt"},
    {kSigNotify + kSigThrow, "SIGQUIT: quit"},
    {kSigThrow + kSigUnblock, "SIGILL: illegal instruction"},
    {kSigThrow + kSigUnblock, "SIGTRAP: trace trap"},
    {kSigNotify + kSigThrow, "SIGABRT: abort"},
    {kSigPanic + kSigUnblock, "SIGBUS: bus error"},
    {kSigPanic + kSigUnblock, "SIGFPE: floating-point exception"},
    {0, "SIGKILL: kill"},
    {kSigNotify, "SIGUSR1: user-defined signal 1"},
    {kSigPanic + kSigUnblock, "SIGSEGV: segmentation violation"},
    {kSigNotify, "SIGUSR2: user-defined signal 2"},
    {kSigNotify, "SIGPIPE: write to broken pipe"},
    {kSigNotify, "SIGALRM: alarm clock"},
    {kSigNotify + kSigKill, "SIGTERM: termination"},
    {kSigThrow + kSigUnblock, "SIGSTKFLT: stack fault"},
    {kSigNotify + kSigUnblock + kSigIgn, "SIGCHLD: child status has changed"},
    {kSigNotify + kSigDefault + kSigIgn, "SIGCONT: continue"},
    {0, "SIGSTOP: stop, unblockable"},
    {kSigNotify + kSigDefault + kSigIgn, "SIGTSTP: keyboard stop"},
    {kSigNotify + kSigDefault + kSigIgn, "SIGTTIN: background read from tty"},
    {kSigNotify + kSigDefault + kSigIgn, "SIGTTOU: background write to tty"},
    {kSigNotify + kSigIgn, "SIGURG: urgent condition on socket"},
    {kSigNotify, "SIGXCPU: cpu limit exceeded"},
    {kSigNotify, "SIGXFSZ: file size limit exceeded"},
    {kSigNotify, "SIGVTALRM: virtual alarm clock"},
    {kSigNotify + kSigUnblock, "SIGPROF: profiling alarm clock"},
    {kSigNotify + kSigIgn, "SIGWINCH: window size change"},
    {kSigNotify, "SIGIO: i/o now possible"},
    {kSigNotify, "SIGPWR: power failure restart"},
    {kSigThrow, "SIGSYS: bad system call"},
    // 32 and 33 belong to glibc's threads, 34 to musl's; taking them over would break a hosted program.
    {kSigSetStack + kSigUnblock, "signal 32"},
    {kSigSetStack + kSigUnblock, "signal 33"},
    {kSigSetStack + kSigUnblock, "signal 34"},
#define RT(n) \
  { kSigNotify, "signal " #n }
    RT(35),
    RT(36),
    RT(37),
    RT(38),
    RT(39),
    RT(40),
    RT(41),
    RT(42),
    RT(43),
    RT(44),
    RT(45),
    RT(46),
    RT(47),
    RT(48),
    RT(49),
    RT(50),
    RT(51),
    RT(52),
    RT(53),
    RT(54),
    RT(55),
    RT(56),
    RT(57),
    RT(58),
    RT(59),
    RT(60),
    RT(61),
    RT(62),
    RT(63),
    RT(64),
#undef RT
};

bool blockableSig(std::uint32_t sig) {
  std::int32_t flags = sigtable[sig].flags;
  if (flags & kSigUnblock) return false;
  if (sig == sigPreempt && debug.asyncpreemptoff == 0) return false;
  return (flags & (kSigKill | kSigThrow)) == 0;
}

LANDMARK void sigsave(std::uint64_t* p) {
  rtsigprocmask(kSigSetmask, nullptr, p);
  BOOTSTEP("runtime.sigsave", "#mask", *p);
}

LANDMARK void msigrestore(std::uint64_t mask) { rtsigprocmask(kSigSetmask, &mask, nullptr); }

// A thread that is about to be gone for good blocks the same set: nothing of ours may run on a stack being freed.
LANDMARK void sigblock(bool) {
  std::uint64_t all = allSignals();
  rtsigprocmask(kSigSetmask, &all, nullptr);
}

LANDMARK void unblocksig(std::uint32_t sig) {
  std::uint64_t set = sigbit(sig);
  rtsigprocmask(kSigUnblock_, &set, nullptr);
}

void changesigmask(std::uint64_t block, std::uint64_t unblock) {
  if (block != 0) rtsigprocmask(kSigBlock, &block, nullptr);
  if (unblock != 0) rtsigprocmask(kSigUnblock_, &unblock, nullptr);
}

LANDMARK void minitSignals() {
  minitSignalStack();
  minitSignalMask();
}

// In pure mode nobody else can have set an alternate stack, so nothing is asked before ours is set. A hosted thread
// may have one from a C library that wants it back: it is used as it is, and gsignal takes on its bounds.
LANDMARK void minitSignalStack() {
  m* mp = getg()->m;
  g* gs = mp->gsignal;
  stackt st{};
  if (iscgo) {
    sigaltstack(nullptr, &st);
    if ((st.ss_flags & kSSDisable) == 0) {
      mp->goSigStack = {gs->stack, gs->stackguard0, gs->stackguard1, gs->stktopsp};
      gs->stack = {reinterpret_cast<uintptr>(st.ss_sp), reinterpret_cast<uintptr>(st.ss_sp) + st.ss_size};
      gs->stackguard0 = gs->stackguard1 = gs->stack.lo + StackGuard;
      mp->newSigstack = false;
      return;
    }
  }
  st = {reinterpret_cast<void*>(gs->stack.lo), 0, 0, gs->stack.hi - gs->stack.lo};
  sigaltstack(&st, nullptr);
  mp->newSigstack = true;
}

// The first thread usually comes with a mask that needs no change, and m.sigmask says what the kernel has. Every other
// thread inherits the mask of the one that made it, which has been through here (threads whose mask the user may have
// changed make none: the template thread does). So in pure mode there is nearly never a call. Hosted threads come from
// libraries that may block signals while they start one.
LANDMARK void minitSignalMask() {
  m* mp = getg()->m;
  std::uint64_t nmask = mp->sigmask;
  for (std::uint32_t i = 1; i < kNSIG; i++)
    if (!blockableSig(i)) nmask &= ~sigbit(i);
  if (mp == &m0 ? nmask == mp->sigmask : !iscgo) return;
  rtsigprocmask(kSigSetmask, &nmask, nullptr);
}

LANDMARK void unminitSignals() {
  m* mp = getg()->m;
  if (mp->newSigstack) {
    stackt st{nullptr, kSSDisable, 0, 0};
    sigaltstack(&st, nullptr);
  } else {
    g* gs = mp->gsignal;
    gs->stack = mp->goSigStack.stack;
    gs->stackguard0 = mp->goSigStack.stackguard0;
    gs->stackguard1 = mp->goSigStack.stackguard1;
    gs->stktopsp = mp->goSigStack.stktopsp;
  }
}

}  // namespace runtime

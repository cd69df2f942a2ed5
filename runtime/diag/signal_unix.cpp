// Signal handling; see signal_unix.h.
//
// How a signal travels: the kernel enters sigtramp on the M's alternate stack; sigtrampgo makes gsignal the running g,
// so that what is called there has a g and a stack of its own; sighandler decides by Go's table. A fault of a
// goroutine's own instruction becomes a call of sigpanic on that goroutine: the saved context is changed, and the
// return from the handler does the call. Everything else ends the process or is handed to who asked for it.
//
// Invariants
//   - One rt_sigaction for each signal, no look-up before it. SIGHUP and SIGINT report the old action in the same call
//     and are put back when they were ignored (nohup).
//   - A handler runs with all signals blocked but the four an instruction can raise: a fault inside a handler must come
//     back here and end in a short text, and not as the kernel's silent kill.
//   - Nothing here allocates. The only lock is the crash's own, which a crashing thread takes once.
//
// Way not taken: throwing from the handler. An exception would have to unwind through the kernel's frame on the
// alternate stack; the injected call unwinds through nothing but the goroutine's own frames.
#include "runtime/diag/signal_unix.h"

#include "runtime/base/bootstep.h"
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/diag/output.h"
#include "runtime/diag/sigqueue.h"
#include "runtime/diag/symtab.h"
#include "runtime/diag/traceback.h"
#include "runtime/diag/unwind.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"

namespace runtime {

static constexpr std::uint64_t SA_SIGINFO_ = 4, SA_ONSTACK_ = 0x08000000, SA_RESTART_ = 0x10000000,
                               SA_RESTORER_ = 0x04000000, SA_NODEFER_ = 0x40000000;
static constexpr std::uint64_t kFaults = sigbit(SIGSEGV_) | sigbit(SIGBUS_) | sigbit(SIGFPE_) | sigbit(SIGILL_);
static void* const kSigDfl = nullptr;
static void* const kSigIgnore = reinterpret_cast<void*>(1);

static void* fwdSig[kNSIG];               // atomic: the handler before ours, where it is known
static std::uint32_t handlingSig[kNSIG];  // atomic: 1 while the handler is ours
static std::int32_t crashing;             // Ms that came by SIGQUIT to print under GOTRACEBACK=crash

const char* signame(std::uint32_t sig) { return sig < kNSIG ? sigtable[sig].name : nullptr; }

ALWAYS_INLINE void setg(g* gp) { __asm__ volatile("movq %0, %%fs:-8" ::"r"(gp) : "memory"); }

static ksigaction actionFor(void* fn) {
  ksigaction sa{fn, SA_RESTART_ | SA_RESTORER_, sigreturn__sigaction, allSignals() & ~kFaults};
  if (fn != kSigDfl && fn != kSigIgnore) sa.flags |= SA_SIGINFO_ | SA_ONSTACK_ | SA_NODEFER_;
  return sa;
}

LANDMARK void setsig(std::uint32_t sig, void* fn) {
  ksigaction sa = actionFor(fn);
  sigaction(sig, &sa, nullptr);
}

static void* const kOurs = reinterpret_cast<void*>(sigtramp);

// Is the handler for sig ours from the start? 33 is: glibc is not there in pure mode, and Go takes it then.
static bool sigInstallGoHandler(std::uint32_t sig) {
  if ((sig == SIGHUP_ || sig == SIGINT_) && fwdSig[sig] == kSigIgnore) return false;
  if (sig == sigPerThreadSyscall && !iscgo) return true;
  // What the kernel ignores by default needs no handler that ignores it: Notify installs one, and so does preemptM for
  // its signal. Three calls less at every start.
  return (sigtable[sig].flags & (kSigSetStack | kSigIgn)) == 0;
}

// Hosted: has a library a handler for sig, as sanitizers and crash reporters do? Then it stays. It gets the alternate
// stack, without which a signal on a goroutine's stack could overrun it.
static bool keepHandler(std::uint32_t sig) {
  ksigaction old{};
  sigaction(sig, nullptr, &old);
  if (old.handler == kSigDfl || old.handler == kSigIgnore) return false;
  fwdSig[sig] = old.handler;
  if ((old.flags & SA_ONSTACK_) == 0) {
    old.flags |= SA_ONSTACK_;
    sigaction(sig, &old, nullptr);
  }
  return true;
}

BOOTMARK void initsig() {
  std::uint64_t installed = 0;
  for (std::uint32_t i = 1; i < kNSIG; i++) {
    std::int32_t flags = sigtable[i].flags;
    if (flags == 0 || (flags & kSigDefault) || !sigInstallGoHandler(i)) continue;
    ksigaction sa = actionFor(kOurs), old{};
    if (iscgo && keepHandler(i)) continue;
    bool ask = i == SIGHUP_ || i == SIGINT_;
    handlingSig[i] = 1;
    sigaction(i, &sa, ask ? &old : nullptr);
    if (ask && old.handler == kSigIgnore) {
      // Between the two calls the signal would have been taken for wanted; sighandler looks at fwdSig for that.
      fwdSig[i] = kSigIgnore;
      handlingSig[i] = 0;
      setsig(i, kSigIgnore);
      sigInitIgnored(i);
      continue;
    }
    installed |= sigbit(i);
  }
  BOOTSTEP("runtime.initsig", "#installed", installed);
}

// Before the first preemption signal is sent.
void sigenablePreempt() {
  if (LIKELY(atomic::Load(&handlingSig[sigPreempt]) != 0)) return;
  preemptinit();
  setsig(sigPreempt, kOurs);  // perhaps twice, by two threads; but never after a signal was sent
  atomic::Store(&handlingSig[sigPreempt], 1u);
}

void sigenable(std::uint32_t sig) {
  if (sig >= kNSIG || sig == SIGPROF_ || (sigtable[sig].flags & kSigNotify) == 0) return;
  if (!atomic::Cas(&handlingSig[sig], 0u, 1u)) return;
  ksigaction sa = actionFor(kOurs), old{};
  sigaction(sig, &sa, &old);
  if (old.handler != kOurs) atomic::Store(&fwdSig[sig], old.handler);
}

// A signal for a preemption may be on its way: thrown away by the kernel, it would count as pending for ever, and its thread
// would get no other. sighandler ignores what is for nobody.
static bool keepsPreempting(std::uint32_t sig) { return sig == sigPreempt && debug.asyncpreemptoff == 0; }

// What the start has installed stays, and after Ignore the kernel goes on ignoring: as in Go, this undoes Notify only.
void sigdisable(std::uint32_t sig) {
  if (sig >= kNSIG || sig == SIGPROF_ || (sigtable[sig].flags & kSigNotify) == 0 || keepsPreempting(sig)) return;
  if (sigInstallGoHandler(sig) && (sigtable[sig].flags & kSigDefault) == 0) return;
  if (atomic::Cas(&handlingSig[sig], 1u, 0u)) setsig(sig, atomic::Load(&fwdSig[sig]));
}

void sigignore(std::uint32_t sig) {
  if (sig >= kNSIG || sig == SIGPROF_ || (sigtable[sig].flags & kSigNotify) == 0 || keepsPreempting(sig)) return;
  atomic::Store(&handlingSig[sig], 0u);
  setsig(sig, kSigIgnore);
}

LANDMARK void dieFromSignal(std::uint32_t sig) {
  if (hooks.traceCrash != nullptr) hooks.traceCrash();
  unblocksig(sig);
  // Whoever handled it before us gets it first; by default that is nobody, and the second raise kills.
  if (sig < kNSIG) atomic::Store(&handlingSig[sig], 0u);
  raise(sig);
  for (int i = 0; i < 3; i++) osyield();
  setsig(sig, kSigDfl);
  raise(sig);
  for (int i = 0; i < 3; i++) osyield();
  exit(2);  // blocked or ignored by somebody's magic
}

LANDMARK void crash() { dieFromSignal(SIGABRT_); }

LANDMARK void sigpipe() {
  if (signal_ignored(SIGPIPE_) || sigsend(SIGPIPE_)) return;
  dieFromSignal(SIGPIPE_);
}

// ---------------------------------------------------------------------------------------------------------------
// From the kernel to sighandler
// ---------------------------------------------------------------------------------------------------------------

#ifdef BOOT_HOSTED
// What of the stack above sp may be read, on a thread that we know nothing of: 64 KB at most.
static uintptr readableAbove(uintptr sp) {
  uintptr page = physPageSize != 0 ? physPageSize : 4096, hi = (sp & ~(page - 1)) + page;
  std::uint8_t vec;
  while (hi - sp < 64 * 1024 && syscall6(SYS_mincore, static_cast<long>(hi), 1, reinterpret_cast<long>(&vec)) == 0)
    hi += page;
  return hi;
}

// A thread without a g has called something that needs one, and what it has found for a g is nil. Such calls are in
// runtime text, below the header's function that user code has called; that one is named.
static void foreignCall(const ucontext* ctx) {
  if (isUserText(ctx->mc.rip)) return;
  stackbounds bounds{};
  bounds.add(ctx->mc.rsp, readableAbove(ctx->mc.rsp));
  unwinder u(regsOf(ctx), bounds, true);
  const char* name = nullptr;
  for (int depth = 0; depth < 64; depth++) {
    uintptr pc = u.lookuppc();
    constexpr int kMost = 16;
    funcloc locs[kMost];
    int n = pclookup(pc, locs, kMost);
    auto begins = [](const char* s, std::string_view with) {
      return std::string_view(s).substr(0, with.size()) == with;
    };
    for (int i = 0; i < n; i++) {
      const char* f = locs[i].func;
      bool ours = begins(f, "boot::") || begins(f, "runtime");
      if (ours && !begins(f, "boot::detail")) name = f;
      if (ours || begins(f, "fmt::") || begins(f, "std::") || !isUserText(pc)) continue;
      if (name == nullptr) return;
      if (locs[i].file != nullptr) printf("runtime: called at {}:{}\n", locs[i].file, locs[i].line);
      char shown[128];
      std::size_t k = 0;
      int inside = 0;  // angle brackets: what a template was made for is left out
      for (const char* c = name; *c != 0 && *c != '(' && k + 1 < sizeof shown; c++) {
        if (*c == '<') inside++;
        if (inside == 0) shown[k++] = *c;
        if (*c == '>') inside--;
      }
      shown[k] = 0;
      printf("fatal error: {} on thread {}, which is not the runtime's\n", static_cast<const char*>(shown), gettid());
      exit(2);
    }
    if (!u.step()) return;
  }
}
#endif

// A signal on a thread that the runtime did not make (hosted mode): there is no g to work with. What somebody sent is
// passed on to a thread of ours; what the thread did itself ends the process.
[[gnu::noinline]] static void badsignal(std::uint32_t sig, siginfo* info, ucontext* ctx) {
  if (sig == SIGPROF_ || sig == sigPreempt) return;
  if (brokenOutput(sig, ctx)) return sigpipe();
  constexpr std::int32_t kSentToThread = -6;  // SI_TKILL
  bool aborts =
      sig == SIGABRT_ && info->si_code == kSentToThread && static_cast<std::uint32_t>(info->si_addr) == getpid();
  bool fault = info->si_code > 0 && (sigbit(sig) & (kFaults | sigbit(SIGTRAP_)));
  if (!fault && !aborts) {
    if (m0.procid != 0) tgkill(getpid(), static_cast<std::uint32_t>(m0.procid), static_cast<int>(sig));
    return;
  }
#ifdef BOOT_HOSTED
  static std::uint32_t looked;  // atomic: a fault while the stack is read ends here with what is certain
  if (sig == SIGSEGV_ && info->si_addr < 4096 && atomic::Xchg(&looked, 1u) == 0) foreignCall(ctx);
#endif
  printf("{}\nPC={:#x} m=-1 sigcode={}\n\nfatal: signal on thread {}, which is not the runtime's\n", sigtable[sig].name,
         ctx->mc.rip, info->si_code, gettid());
  exit(2);
}

// Signals that stop the process are not ours unless asked for. One that came to our handler while Stop put the kernel's back
// is sent once more.
static bool sigagain(std::uint32_t sig) {
  if ((sigtable[sig].flags & kSigDefault) == 0) return false;
  raiseproc(sig);
  return true;
}

// True if the signal was not for us after all: it came between a change of the handler and the change's bookkeeping.
static bool sigfwdgo(std::uint32_t sig) {
  if (sig >= kNSIG || atomic::Load(&handlingSig[sig]) != 0 || signal_claimed(sig)) return false;
  void* f = atomic::Load(&fwdSig[sig]);
  if (f == kSigDfl && sigagain(sig)) return true;
  if (f == kSigIgnore || (f == kSigDfl && (sigtable[sig].flags & kSigIgn))) return true;
  setsig(sig, kSigDfl);
  dieFromSignal(sig);
}

// gsignal's bounds must be those of the stack we are on, or a traceback would not believe its addresses. Foreign code
// may have set an alternate stack of its own.
static bool adjustSignalStack(m* mp, gsignalStack* saved) {
  uintptr sp = reinterpret_cast<uintptr>(__builtin_frame_address(0));
  g* gs = mp->gsignal;
  if (sp >= gs->stack.lo && sp < gs->stack.hi) return false;
  *saved = {gs->stack, gs->stackguard0, gs->stackguard1, gs->stktopsp};
  stackt st{};
  sigaltstack(nullptr, &st);
  uintptr lo = reinterpret_cast<uintptr>(st.ss_sp);
  if (sp >= lo && sp < lo + st.ss_size) {
    gs->stack = {lo, lo + st.ss_size};
  } else if (sp >= mp->g0->stack.lo && sp < mp->g0->stack.hi) {
    gs->stack = mp->g0->stack;
  } else {
    gs->stack = {sp - 8192, sp + 4096};
  }
  gs->stackguard0 = gs->stackguard1 = gs->stack.lo + StackGuard;
  return true;
}

LANDMARK void sigtrampgo(std::uint32_t sig, siginfo* info, ucontext* ctx) {
  g* gp = getg();
  if (gp == nullptr) {
    badsignal(sig, info, ctx);
    return;
  }
  m* mp = gp->m;
  g* gs = mp->gsignal;
  if (gs == nullptr) return;  // a thread on its way in or out; its signals are blocked, so this is a stray
  setg(gs);
  if (!sigfwdgo(sig)) {
    gsignalStack saved;
    bool adjusted = adjustSignalStack(mp, &saved);
    sighandler(sig, info, ctx, gp);
    if (adjusted) {
      gs->stack = saved.stack;
      gs->stackguard0 = saved.stackguard0;
      gs->stackguard1 = saved.stackguard1;
      gs->stktopsp = saved.stktopsp;
    }
  }
  setg(gp);
}

// ---------------------------------------------------------------------------------------------------------------
// Faults
// ---------------------------------------------------------------------------------------------------------------

// May the goroutine that ran be made to panic here? Not while the runtime works for it.
static bool canpanic(g* gp, m* mp) {
  if (gp == nullptr || gp != mp->curg) return false;
  if (mp->locks != 0 || mp->mallocing != 0 || mp->throwing != 0 || mp->preemptoff != nullptr || mp->dying != 0)
    return false;
  return (readgstatus(gp) & ~static_cast<std::uint32_t>(_Gscan)) == _Grunning && gp->syscallsp == 0;
}

// Ends the process from inside a handler with Go's shape of a throw: text, signal line, the stack that faulted.
[[noreturn, gnu::noinline, gnu::cold]] static void throwFromSignal(g* gp, ucontext* ctx, const char* text) {
  m* mp = getg()->m;
  mp->throwing = 2;
  mp->caughtsig = gp;
  printf("fatal error: {}\n", text);
  if (secureMode) exit(2);
  startpanic_m();
  unwregs r = regsOf(ctx);
  dopanic_m(gp, {&r, true, nullptr, 0});
  endpanic_m();
  if (crashOnFatal) crash();
  exit(2);
}

extern "C++" {
void sigpanic0() GOSYM("runtime.sigpanic0");
void sigpanic1() GOSYM("runtime.sigpanic1");
}

// The processor raises the same exception for x / 0 and for the smallest integer / -1; the language of Go defines the
// latter (the quotient is the dividend, the remainder 0), and so does this runtime: the instruction is carried out
// here. True if it was such a division. Only idiv can be meant; its operand is decoded from the instruction.
static bool emulateMinDivMinusOne(sigcontext* c) {
  const std::uint8_t* p = reinterpret_cast<const std::uint8_t*>(c->rip);
  std::uint8_t rex = 0;
  bool opsize16 = false;
  for (;; p++) {
    if (*p == 0x66)
      opsize16 = true;
    else if ((*p & 0xf0) == 0x40)
      rex = *p;
    else
      break;
  }
  bool byte = *p == 0xf6;
  if (!byte && *p != 0xf7) return false;
  std::uint8_t modrm = p[1];
  if (((modrm >> 3) & 7) != 7) return false;  // not idiv
  p += 2;
  std::uint64_t* const regs[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rsp, &c->rbp, &c->rsi, &c->rdi,
                                   &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
  int size = byte ? 1 : (rex & 8) ? 8 : opsize16 ? 2 : 4;
  int mod = modrm >> 6, rm = modrm & 7;
  std::int64_t divisor = 0;
  auto load = [&](const void* a) {
    __builtin_memcpy(&divisor, a, static_cast<std::size_t>(size));
    int shift = 64 - 8 * size;
    divisor = static_cast<std::int64_t>(static_cast<std::uint64_t>(divisor) << shift) >> shift;
  };
  if (mod == 3) {
    if (byte && !rex && rm >= 4) {
      load(reinterpret_cast<std::uint8_t*>(regs[rm - 4]) + 1);  // ah, ch, dh, bh
    } else {
      load(regs[rm + ((rex & 1) << 3)]);
    }
  } else {
    std::uint64_t addr = 0;
    bool riprel = false;
    if (rm == 4) {
      std::uint8_t sib = *p++;
      int index = ((sib >> 3) & 7) | ((rex & 2) << 2), base = sib & 7;
      if (index != 4) addr += *regs[index] << (sib >> 6);
      if (base == 5 && mod == 0) {
        std::int32_t d;
        __builtin_memcpy(&d, p, 4);
        p += 4;
        addr += static_cast<std::uint64_t>(static_cast<std::int64_t>(d));
      } else {
        addr += *regs[base | ((rex & 1) << 3)];
      }
    } else if (mod == 0 && rm == 5) {
      riprel = true;
      std::int32_t d;
      __builtin_memcpy(&d, p, 4);
      p += 4;
      addr = reinterpret_cast<std::uint64_t>(p) + static_cast<std::uint64_t>(static_cast<std::int64_t>(d));
    } else {
      addr = *regs[rm | ((rex & 1) << 3)];
    }
    if (!riprel && mod == 1)
      addr += static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(*p++)));
    if (!riprel && mod == 2) {
      std::int32_t d;
      __builtin_memcpy(&d, p, 4);
      p += 4;
      addr += static_cast<std::uint64_t>(static_cast<std::int64_t>(d));
    }
    load(reinterpret_cast<const void*>(addr));  // was readable a moment ago: the processor read it
  }
  if (divisor != -1) return false;
  // The quotient, the dividend negated, is the dividend's own low half; the remainder is 0.
  if (byte)
    c->rax &= ~std::uint64_t{0xff00};  // ah
  else if (size == 2)
    c->rdx &= ~std::uint64_t{0xffff};
  else
    c->rdx = 0;
  c->rip = reinterpret_cast<std::uint64_t>(p);
  return true;
}

// The saved context is changed so that the return from the handler enters sigpanic on the goroutine. See FACTS of the
// trampolines in asm/sig_linux_amd64.S.
static void preparePanic(ucontext* ctx) {
  sigcontext& c = ctx->mc;
  constexpr std::uint64_t kFetch = 1 << 4;  // page-fault error code: the processor was fetching an instruction
  if (c.rip == 0 || (c.trapno == 14 && (c.err & kFetch))) {
    c.rip = reinterpret_cast<std::uint64_t>(sigpanic1);
    return;
  }
  std::uint64_t sp = c.rsp - 136;
  *reinterpret_cast<std::uint64_t*>(sp) = c.rip;
  c.rsp = sp;
  c.rip = reinterpret_cast<std::uint64_t>(sigpanic0);
}

// An instruction of ours raised sig. Returns if the goroutine shall go on (into sigpanic, as a rule).
static void sigfault(std::uint32_t sig, siginfo* info, ucontext* ctx, g* gp, m* mp) {
  if (sig == SIGFPE_ && emulateMinDivMinusOne(&ctx->mc)) return;
  uintptr addr = info->si_addr;
  g* owner = sig == SIGSEGV_ ? stackowner(addr) : nullptr;
  if (owner == nullptr || mp->dying != 0 || addr >= owner->stack.lo - kStackSlack) owner = nullptr;
  uintptr room = gp->stack.lo - kStackSlack + 6 * 1024;  // sigpanic and the unwinder need about 4 KB
  uintptr rsp = ctx->mc.rsp;

  gp->sig = static_cast<std::uint8_t>(sig);
  gp->sigcode0 = static_cast<uintptr>(static_cast<std::intptr_t>(info->si_code));
  gp->sigcode1 = addr;
  gp->sigpc = ctx->mc.rip;

  if (owner != nullptr) {
    printf("runtime: goroutine {} ran off its stack at {:#x}\nruntime: sp={:#x} stack=[{:#x}, {:#x}]\n", owner->goid,
           addr, rsp, owner->stack.lo, owner->stack.hi);
    throwFromSignal(gp, ctx, "stack overflow");
  }
  if (!canpanic(gp, mp)) throwFromSignal(gp, ctx, "unexpected signal during runtime execution");
  bool onStack = rsp <= gp->stack.hi && rsp >= gp->stack.lo - kStackSlack;
  if (onStack && rsp < room) {
    printf("runtime: sp={:#x} stack=[{:#x}, {:#x}]\n", rsp, gp->stack.lo, gp->stack.hi);
    throwFromSignal(gp, ctx, "stack overflow");
  }
  if (sig == SIGSEGV_ || sig == SIGBUS_) {
    bool mapped = sig == SIGBUS_ ? info->si_code == 2 : (info->si_code == 1 || info->si_code == 2);
    if (!(mapped && addr < 0x1000)) {
      printf("unexpected fault address {:#x}\n", addr);
      throwFromSignal(gp, ctx, "fault");
    }
  }
  preparePanic(ctx);
}

// ---------------------------------------------------------------------------------------------------------------
// sighandler
// ---------------------------------------------------------------------------------------------------------------

static void dumpregs(const sigcontext& c) {
  printf(
      "rax    {:#x}\nrbx    {:#x}\nrcx    {:#x}\nrdx    {:#x}\nrdi    {:#x}\nrsi    {:#x}\nrbp    {:#x}\nrsp    "
      "{:#x}\n",
      c.rax, c.rbx, c.rcx, c.rdx, c.rdi, c.rsi, c.rbp, c.rsp);
  printf(
      "r8     {:#x}\nr9     {:#x}\nr10    {:#x}\nr11    {:#x}\nr12    {:#x}\nr13    {:#x}\nr14    {:#x}\nr15    "
      "{:#x}\n",
      c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15);
  printf("rip    {:#x}\nrflags {:#x}\ncs     {:#x}\nfs     {:#x}\ngs     {:#x}\n", c.rip, c.eflags, c.cs, c.fs, c.gs);
}

static void printInstructionBytes(uintptr pc) {
  uintptr page = physPageSize != 0 ? physPageSize : 4096;
  uintptr n = page - pc % page < 16 ? page - pc % page : 16;
  char line[128];
  std::size_t k = snprint(line, sizeof line, "instruction bytes:");
  for (uintptr i = 0; i < n; i++)
    k += snprint(line + k, sizeof line - k, " {:#x}", reinterpret_cast<const std::uint8_t*>(pc)[i]);
  line[k++] = '\n';
  writeErr(line, k);
}

// The loud end: what was asked for by SIGQUIT, and what SIGABRT, SIGTRAP and the like are.
[[noreturn, gnu::noinline, gnu::cold]] static void dieLoudly(std::uint32_t sig, siginfo* info, ucontext* ctx, g* gp) {
  m* mp = getg()->m;
  mp->throwing = 2;
  mp->caughtsig = gp;
  if (crashing == 0) startpanic_m();

  if (sig < kNSIG)
    printf("{}\n", sigtable[sig].name);
  else
    printf("Signal {}\n", sig);
  if (secureMode) exit(2);
  printf("PC={:#x} m={} sigcode={}\n", ctx->mc.rip, mp->id, static_cast<std::uint64_t>(info->si_code));
  if (sig == SIGILL_ || (sig == SIGFPE_ && ctx->mc.rip != 0)) printInstructionBytes(ctx->mc.rip);
  writeErr("\n", 1);

  auto [level, all, docrash] = gotraceback();
  if (level > 0) {
    goroutineheader(gp);
    unwregs r = regsOf(ctx);
    traceback(&r, gp, true);
    g* cur = mp->curg;
    if (crashing > 0 && gp != cur && cur != nullptr &&
        (readgstatus(cur) & ~static_cast<std::uint32_t>(_Gscan)) == _Grunning) {
      goroutineheader(cur);
      traceback(nullptr, cur, false);
    } else if (crashing == 0) {
      tracebackothers(gp);
      writeErr("\n", 1);
    }
    dumpregs(ctx->mc);
  }
  if (docrash) {
    // Every other thread shows its stack too: SIGQUIT goes round until all have been here, then the core is dumped.
    crashing++;
    if (crashing < mcount()) {
      writeErr("\n-----\n\n", 8);
      raiseproc(SIGQUIT_);
      usleep(5 * 1000 * 1000);
    }
    crash();
  }
  if (hooks.traceCrash != nullptr) hooks.traceCrash();
  exit(2);
}

LANDMARK void sighandler(std::uint32_t sig, siginfo* info, ucontext* ctx, g* gp) {
  m* mp = getg()->m;
  if (sig == SIGPROF_ || sig == sigPerThreadSyscall) return;
  if (sig == sigPreempt && UNLIKELY(atomic::Load(&mp->foreign) == foreignRuns)) {
    atomic::Store(&mp->signalPending, 0u);
    foreignSignal(gp, ctx->mc.rsp, reinterpret_cast<uintptr>(__builtin_frame_address(0)));
  }
  if (sig == sigPreempt && debug.asyncpreemptoff == 0)
    doSigPreempt(gp, ctx);  // and on: it may be somebody's SIGURG too

  std::int32_t flags = sig < kNSIG ? sigtable[sig].flags : static_cast<std::int32_t>(kSigThrow);
  if (info->si_code != SI_USER_ && (flags & kSigPanic)) {
    sigfault(sig, info, ctx, gp, mp);
    return;
  }
  if (info->si_code == SI_USER_ || (flags & kSigNotify)) {
    // The kernel ignores what Ignore was called for; one that finds it ignored came while it was.
    do {
      if (sigsend(sig) || signal_ignored(sig)) return;
    } while (signal_claimed(sig));
  }
  if (sigBlockAgain(sig, ctx) || (sig < kNSIG && sigagain(sig))) return;
  if ((flags & kSigKill) || brokenOutput(sig, ctx)) dieFromSignal(sig);
  if ((flags & (kSigThrow | kSigPanic)) == 0) return;
  dieLoudly(sig, info, ctx, gp);
}

}  // namespace runtime

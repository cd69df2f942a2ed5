// Tracebacks; see traceback.h.
//
// A goroutine's frames come from one of three places: the registers in a signal's context, the caller of throw, or the
// gobuf of a goroutine that does not run. All three are the same to the unwinder.
//
// Which frames are shown: the user's always; the runtime's (kFuncHidden) only at level 2, or of the goroutine that the
// runtime itself dies on. A stack with nothing but hidden frames is shown in full, so that no goroutine is a blank.
#include "runtime/diag/traceback.h"

#include "runtime/base/bootstep.h"
#include "runtime/base/hooks.h"
#include "runtime/base/print.h"
#include "runtime/diag/signal_unix.h"
#include "runtime/diag/symtab.h"
#include "runtime/diag/unwind.h"
#include "runtime/mem/stack.h"
#include "runtime/os/envvars.h"
#include "runtime/sched/proc.h"

namespace runtime {

// Output of a traceback: to descriptor 2, or into the buffer that runtime::Stack has given this g (g0, as a rule).
static void emit(const char* p, std::size_t n) {
  g* gp = getg();
  if (gp->writebuf == nullptr) {
    writeErr(p, n);
    return;
  }
  if (n > gp->writelen) n = gp->writelen;
  __builtin_memcpy(gp->writebuf, p, n);
  gp->writebuf += n;
  gp->writelen -= n;
}
template <class... A>
static void emitf(fmt::format_string<A...> f, A&&... a) {
  char line[kPrintBuf];
  emit(line, vsnprint(line, sizeof line, f, fmt::make_format_args(a...)));
}

// ---------------------------------------------------------------------------------------------------------------
// Registers and bounds
// ---------------------------------------------------------------------------------------------------------------

unwregs regsOf(const ucontext* ctx) {
  const sigcontext& c = ctx->mc;
  return {{c.rax, c.rdx, c.rcx, c.rbx, c.rsi, c.rdi, c.rbp, c.rsp, c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15,
           c.rip}};
}

unwregs regsOf(uintptr pc, uintptr sp, uintptr bp) {
  unwregs r{};
  r.r[kRip] = pc;
  r.r[kRsp] = sp;
  r.r[kRbp] = bp;
  return r;
}

unwregs regsOf(const gobuf& b) { return regsOf(b.pc, b.sp, b.bp); }

stackbounds boundsOf(g* gp) {
  stackbounds b{};
  m* mp = gp->m;
  if (gp->stackbase != 0) {
    b.add(gp->stackbase + kStackGuardRegion, gp->stackslot_hi);
  } else if (mp != nullptr && gp == mp->g0) {
    // The OS stack of a first or foreign thread: what the kernel or libc put above our first frame is there, too.
    b.add(gp->stack.lo, gp->stack.hi + 256);
  }
  // The segment in use, with the slack below it, and the ones it was entered from.
  b.add(gp->stackbase != 0 ? gp->stack.lo - kStackSlack : gp->stack.lo, gp->stack.hi + 64);
  const stackseg* s = gp->segs;
  for (int i = 0; s != nullptr && i < 24; i++, s = s->outer) b.add(s->outersp, s->outerstack.hi + 64);
  if (mp != nullptr) {
    if (mp->g0 != nullptr && mp->g0 != gp) b.add(mp->g0->stack.lo, mp->g0->stack.hi);
    if (mp->gsignal != nullptr && mp->gsignal != gp) b.add(mp->gsignal->stack.lo, mp->gsignal->stack.hi);
  }
  return b;
}

// ---------------------------------------------------------------------------------------------------------------
// GOTRACEBACK
// ---------------------------------------------------------------------------------------------------------------

static std::uint32_t tracebackCache = 2u << kTracebackShift;  // atomic; level 2 until the environment has been read
static std::uint32_t tracebackEnv;  // init: the environment's wish, below which SetTraceback does not go

gotracebackresult gotraceback() {
  std::uint32_t t = atomic::Load(&tracebackCache);
  m* mp = getg()->m;
  gotracebackresult r;
  r.crash = (t & kTracebackCrash) != 0;
  r.all = mp->throwing >= throwTypeUser || (t & kTracebackAll) != 0;
  r.level = mp->throwing >= throwTypeRuntime ? 2 : static_cast<std::int32_t>(t >> kTracebackShift);
  return r;
}

LANDMARK void setTraceback(const char* level) {
  std::uint32_t t = parseGOTRACEBACK(level) | tracebackEnv;
  atomic::Store(&tracebackCache, t);
  crashOnFatal = (t & kTracebackCrash) != 0;
}

namespace debugapi {
void SetTraceback(const char* level) GOSYM("runtime.debug.SetTraceback");
void SetTraceback(const char* level) { setTraceback(level); }
}  // namespace debugapi

static void fatalTraceback(g* gp, uintptr pc, uintptr sp, uintptr bp) {
  unwregs r = regsOf(pc, sp, bp);
  dopanic_m(gp, {&r, false, nullptr, 0});
}

static void freezetheworld();

BOOTMARK void tracebackinit() {
  unwindinit();
  const char* env = gogetenv("GOTRACEBACK");
  // As Go has it: what the stack holds of a program with more rights is not for who has started it.
  setTraceback(secureMode ? "none" : env);
  tracebackEnv = tracebackCache;
  hooks.fatalTraceback = fatalTraceback;
  hooks.initsig = initsig;
  hooks.preemptM = preemptM;
  hooks.crash = crash;
  hooks.callers = [](g* gp, uintptr pc, uintptr sp, uintptr bp, uintptr* pcs, int n) {
    return gcallers(regsOf(pc, sp, bp), gp, pcs, n);
  };
  hooks.freezetheworld = freezetheworld;
  hooks.schedtrace = schedtrace;
  BOOTSTEP("runtime.tracebackinit", "level,all", tracebackCache >> kTracebackShift,
           (tracebackCache & kTracebackAll) != 0);
}

// ---------------------------------------------------------------------------------------------------------------
// Frames
// ---------------------------------------------------------------------------------------------------------------

namespace {

constexpr int kMaxInline = 32;

// One line pair of a traceback at a time, in one write each: threads that die at once do not mix within a line.
struct framePrinter {
  g* gp;
  bool all;      // runtime frames too
  bool verbose;  // fp= sp= pc=
  int printed = 0;

  // A frame whose code is at lookuppc; pc is the address it will go on at. False when enough has been printed.
  bool frame(uintptr pc, uintptr lookuppc, uintptr fp, uintptr sp) {
    funcloc loc[kMaxInline];
    int n = pclookup(lookuppc, loc, kMaxInline);
    if (n == 0) {
      if (!all) return true;
      return unknown(pc, fp, sp);
    }
    funcinfo f = findfunc(lookuppc);
    for (int i = 0; i < n; i++) {
      if (loc[i].hidden && !all) continue;
      if (printed == kTracebackMaxFrames) return false;
      char line[kPrintBuf];
      std::size_t k = snprint(line, sizeof line - 200, "{}(...)\n\t{}:{}", loc[i].func,
                              loc[i].file != nullptr ? loc[i].file : "?", loc[i].line);
      if (!loc[i].inlined) {
        k += snprint(line + k, sizeof line - k, " +{:#x}", pc - f.entry);
        if (verbose) k += snprint(line + k, sizeof line - k, " fp={:#x} sp={:#x} pc={:#x}", fp, sp, pc);
      }
      line[k++] = '\n';
      emit(line, k);
      printed++;
    }
    return true;
  }
  bool unknown(uintptr pc, uintptr fp, uintptr sp) {
    if (printed == kTracebackMaxFrames) return false;
    printed++;
    if (verbose)
      emitf("?(...)\n\t?:0 fp={:#x} sp={:#x} pc={:#x}\n", fp, sp, pc);
    else
      emitf("?(...)\n\t?:0 pc={:#x}\n", pc);
    return true;
  }
};

bool showsRuntime(g* gp) {
  m* mp = getg()->m;
  if (mp->throwing >= throwTypeRuntime && gp != nullptr && (gp == mp->curg || gp == mp->caughtsig)) return true;
  return gotraceback().level > 1;
}
bool showsRegisters(g* gp) {
  m* mp = gp->m;
  return (mp != nullptr && mp->throwing >= throwTypeRuntime && gp == mp->curg) || gotraceback().level >= 2;
}

constexpr int kMaxWalk = 100000;  // frames looked at; deep recursion is cut off by kTracebackMaxFrames long before

int walkAndPrint(const unwregs& start, g* gp, bool trap, bool all) {
  stackbounds b = boundsOf(gp);
  unwinder u(start, b, trap);
  framePrinter pr{gp, all, showsRegisters(gp)};
  bool more = true;
  for (int i = 0; more && i < kMaxWalk; i++) {
    unwinder here = u;
    bool go = u.step();
    // The frame pointer column is the address above the frame: where the caller's stack pointer will be.
    if (!pr.frame(here.regs.r[kRip], here.lookuppc(), go ? u.cfa : here.regs.r[kRsp], here.regs.r[kRsp])) {
      static constexpr char text[] = "...additional frames elided...\n";
      emit(text, sizeof text - 1);
      break;
    }
    more = go;
  }
  return pr.printed;
}

}  // namespace

// "created by": whose go statement is at gopc.
static void printcreator(uintptr gopc) {
  funcloc loc[kMaxInline];
  int n = pclookup(gopc - 1, loc, kMaxInline);
  // The go statement may stand in an inlined helper of ours: the first frame that is the user's made the goroutine. The
  // runtime's own are made by the runtime.
  for (int i = 0; i < n; i++) {
    if (loc[i].hidden && i + 1 < n) continue;
    if (loc[i].hidden && gotraceback().level < 2) return;
    funcinfo f = findfunc(gopc);
    emitf("created by {}\n\t{}:{} +{:#x}\n", loc[i].func, loc[i].file != nullptr ? loc[i].file : "?", loc[i].line,
          gopc - f.entry);
    return;
  }
}

void printcreatedby(g* gp) {
  if (gp->goid != 1 && gp->gopc != 0) printcreator(gp->gopc);
}

static void printelided() {
  static constexpr char text[] = "...additional frames elided...\n";
  emit(text, sizeof text - 1);
}

static void printancestors(g* gp) {
  if (gp->ancestors == nullptr) return;
  for (std::int64_t i = 0; i < gp->ancestors->len; i++) {
    const ancestorInfo& a = gp->ancestors->array[i];
    emitf("[originating from goroutine {}]:\n", a.goid);
    framePrinter pr{gp, showsRuntime(gp), false};
    for (std::int64_t k = 0; k < a.pcs.len; k++)
      if (!pr.frame(a.pcs.array[k], a.pcs.array[k] - 1, 0, 0)) break;
    if (a.pcs.len == kAncestorFrames) printelided();
    if (a.goid != 1 && a.gopc != 0) printcreator(a.gopc);
  }
}

LANDMARK void traceback(const unwregs* start, g* gp, bool trap) {
  unwregs r;
  if ((readgstatus(gp) & ~static_cast<std::uint32_t>(_Gscan)) == _Gsyscall) {
    // Where it entered the kernel; its frames below that may be gone by now.
    r = regsOf(gp->syscallpc, gp->syscallsp, gp->sched.bp);
    trap = false;
  } else if (start != nullptr) {
    r = *start;
  } else {
    r = regsOf(gp->sched);
    // One that has never run stands at its function's first instruction, which no call has come back to.
    trap = findfunc(gp->sched.pc).entry == gp->sched.pc;
  }
  bool all = showsRuntime(gp);
  int n = walkAndPrint(r, gp, trap, all);
  if (n == 0 && !all) walkAndPrint(r, gp, trap, true);
  printcreatedby(gp);
  printancestors(gp);
}

LANDMARK int gcallers(const unwregs& start, g* gp, uintptr* pcs, int n) {
  stackbounds b = boundsOf(gp);
  unwinder u(start, b, false);
  int k = 0;
  // An interrupted frame's pc is stored one higher, so that "pc - 1" finds it as it finds a call.
  do {
    if (k == n) break;
    pcs[k++] = u.regs.r[kRip] + (u.exact ? 1 : 0);
  } while (u.step());
  return k;
}

void printcallers(g* gp, const uintptr* pcs, int n) {
  for (int pass = 0; pass < 2; pass++) {
    framePrinter pr{gp, pass == 1 || showsRuntime(gp), false};
    for (int i = 0; i < n; i++)
      if (!pr.frame(pcs[i], pcs[i] - 1, 0, 0)) {
        static constexpr char text[] = "...additional frames elided...\n";
        emit(text, sizeof text - 1);
        break;
      }
    if (pr.printed != 0) break;
  }
  printcreatedby(gp);
  printancestors(gp);
}

// ---------------------------------------------------------------------------------------------------------------
// Goroutines
// ---------------------------------------------------------------------------------------------------------------

LANDMARK void goroutineheader(g* gp) {
  static const char* const names[] = {"idle", "runnable", "running", "syscall",   "waiting",
                                      "???",  "dead",     "???",     "copystack", "preempted"};
  std::uint32_t st = readgstatus(gp);
  bool scan = (st & _Gscan) != 0;
  st &= ~static_cast<std::uint32_t>(_Gscan);
  const char* status = st < sizeof names / sizeof *names ? names[st] : "???";
  if (st == _Gwaiting && gp->waitreason != waitReasonZero && gp->waitreason < waitReasonCount)
    status = waitReasonStrings[gp->waitreason];
  // What runs on a scheduling or a signal stack is no goroutine; Go never gives it a status.
  if (gp->m != nullptr && (gp == gp->m->g0 || gp == gp->m->gsignal)) status = "idle";
  std::int64_t minutes = 0;
  if ((st == _Gwaiting || st == _Gsyscall) && gp->waitsince != 0) minutes = (nanotime() - gp->waitsince) / 60000000000;
  char line[160];
  std::size_t k = snprint(line, sizeof line, "goroutine {} [{}", gp->goid, status);
  if (scan) k += snprint(line + k, sizeof line - k, " (scan)");
  if (minutes >= 1) k += snprint(line + k, sizeof line - k, ", {} minutes", minutes);
  if (gp->lockedm != nullptr) k += snprint(line + k, sizeof line - k, ", locked to thread");
  k += snprint(line + k, sizeof line - k, "]:\n");
  emit(line, k);
}

bool isSystemGoroutine(const g* gp) { return gp->isSystem; }

LANDMARK void tracebackothers(g* me) {
  std::int32_t level = gotraceback().level;
  m* mp = getg()->m;
  g* cur = mp->curg;
  if (cur != nullptr && cur != me) {
    emit("\n", 1);
    goroutineheader(cur);
    traceback(nullptr, cur, false);
  }
  // Without allglock: a thread that died holding it must not hang us. The array only grows, and old ones stay mapped.
  std::uint64_t n = atomic::Load(&allglen);
  g** gs = atomic::Load(&allgptr);
  for (std::uint64_t i = 0; i < n; i++) {
    g* gp = gs[i];
    if (gp == nullptr || gp == me || gp == cur) continue;
    std::uint32_t st = readgstatus(gp) & ~static_cast<std::uint32_t>(_Gscan);
    if (st == _Gdead || st == _Gidle || (isSystemGoroutine(gp) && level < 2)) continue;
    emit("\n", 1);
    goroutineheader(gp);
    if (gp->m != mp && st == _Grunning) {
      static constexpr char text[] = "\tgoroutine running on other thread; stack unavailable\n";
      emit(text, sizeof text - 1);
      printcreatedby(gp);
    } else {
      traceback(nullptr, gp, false);
    }
  }
}

// Asks the other goroutines to stop, so that what is printed holds still. It asks and waits a little; a thread that
// does not answer may be what we die of.
static void freezetheworld() {
  if (debug.dontfreezetheworld > 0) {
    usleep(1000);
    return;
  }
  constexpr std::int32_t freezeStopWait = 0x7fffffff;  // never counts down to zero, so nobody thinks the world stopped
  for (int i = 0; i < 5; i++) {
    sched.stopwait = freezeStopWait;
    atomic::Store(&sched.gcwaiting, 1u);
    if (!preemptall()) break;
    usleep(1000);
  }
  usleep(1000);
  preemptall();
  usleep(1000);
}

static bool didothers;  // under the right to print: the other goroutines are shown once, whoever dies

LANDMARK void dopanic_m(g* gp, const tracestart& from) {
  if (gp->sig == 0 && getg()->m->throwing != throwTypeNone && hooks.panicSignal != nullptr) hooks.panicSignal(gp);
  if (gp->sig != 0) {
    const char* name = signame(gp->sig);
    if (name != nullptr)
      printf("[signal {}", name);
    else
      printf("[signal {:#x}", gp->sig);
    printf(" code={:#x} addr={:#x} pc={:#x}]\n", gp->sigcode0, gp->sigcode1, gp->sigpc);
  }
  auto [level, all, docrash] = gotraceback();
  m* mp = getg()->m;
  if (level == 0) return;
  if (gp != gp->m->curg) all = true;
  if (gp != gp->m->g0 && gp != gp->m->gsignal) {
    writeErr("\n", 1);
    goroutineheader(gp);
    if (from.pcs != nullptr)
      printcallers(gp, from.pcs, from.npcs);
    else
      traceback(from.regs, gp, from.trap);
  } else if (level >= 2 || mp->throwing >= throwTypeRuntime) {
    printf("\nruntime stack:\n");
    traceback(from.regs, gp, from.trap);
  }
  if (!didothers && all) {
    didothers = true;
    tracebackothers(gp);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// For programs
// ---------------------------------------------------------------------------------------------------------------

// As boot/runtime.h, above this layer, declares them.
struct callerinfo {
  uintptr pc;
  const char* func;
  const char* file;
  std::int32_t line;
};
std::size_t Stack(char* buf, std::size_t n, bool all) GOSYM("runtime.Stack");
bool Caller(int skip, callerinfo* out) GOSYM("runtime.Caller");

LANDMARK std::size_t Stack(char* buf, std::size_t n, bool all) {
  if (all) NEEDS_P(Stack(buf, n, all));
  g* gp = getg();
  unwregs r = regsOf(getcallerpc(), getcallersp(), *static_cast<uintptr*>(__builtin_frame_address(0)));
  std::size_t got = 0;
  if (all) stopTheWorld("stack trace");
  if (n > 0) {
    systemstack([&] {
      g* me = getg();
      me->writebuf = buf;
      me->writelen = n;
      goroutineheader(gp);
      traceback(&r, gp, false);
      if (all) tracebackothers(gp);
      got = static_cast<std::size_t>(me->writebuf - buf);
      me->writebuf = nullptr;
    });
  }
  if (all) startTheWorld();
  return got;
}

LANDMARK bool Caller(int skip, callerinfo* out) {
  unwregs r = regsOf(getcallerpc(), getcallersp(), *static_cast<uintptr*>(__builtin_frame_address(0)));
  g* gp = getg();
  bool ok = false;
  systemstack([&] {
    stackbounds b = boundsOf(gp);
    unwinder u(r, b, false);
    for (int walked = 0; walked < kMaxWalk; walked++) {
      funcloc loc[kMaxInline];
      int n = pclookup(u.lookuppc(), loc, kMaxInline);
      for (int i = 0; i < n; i++) {
        if (loc[i].hidden || skip-- > 0) continue;
        *out = {u.regs.r[kRip], loc[i].func, loc[i].file, loc[i].line};
        ok = true;
        return;
      }
      if (!u.step()) return;
    }
  });
  return ok;
}

}  // namespace runtime

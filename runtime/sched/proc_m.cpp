// Threads and their Ms: making, starting and ending them. (Go's proc.go, mcommoninit … mexit.)
//
// Owns: allm, M ids, sched.freem, and each M's thread control block. Who sleeps and who has a P is proc_handoff.cpp's.
//
// Invariants
//   - Every M that has not ended is on allm, so that the collector and a traceback find its stacks.
//   - A new thread has its TLS from its first instruction (CLONE_SETTLS), all signals blocked until minit has given it
//     an alternate stack.
//   - The m of an ended thread serves again only when the thread needs its stack no more, which it says in m.freeWait
//     as its last act.
//   - Others may hold a pointer to an m for longer than its thread lives (preemptone, who walks allm). So an m stays an m
//     for ever, and what they go through it by (g0, tlsbase, alllink) is valid at each moment, also while it is cleared.
//
// Ways not taken: a block of its own for every thread's thread_locals (nearly every program has few, and they fit into
// the m); ending the main thread when its locked goroutine ends (mexit says why).
#include "runtime/sched/proc.h"

#include "runtime/base/bootstep.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/stack.h"
#include "runtime/os/os_signal.h"
#include "runtime/sched/proc_m.h"

namespace runtime {

std::uint64_t initSigmask;
bool forkedChild;

namespace {
constexpr std::int32_t kG0StackSize = 32 * 1024;  // a slot, with its slack; Go has 16 KB, ours formats tracebacks
constexpr std::int32_t kSignalStackSize = 32 * 1024;
}  // namespace

// ---- the thread control block ----

extern "C" const std::uint8_t __ehdr_start[] __attribute__((weak, visibility("hidden")));

// The program's PT_TLS segment: what each thread's thread_locals start as.
tlssegment findTLS() {
  struct ehdr {
    std::uint8_t ident[16];
    std::uint16_t type, machine;
    std::uint32_t version;
    std::uint64_t entry, phoff;
  };
  struct phdr {
    std::uint32_t type, flags;
    std::uint64_t offset, vaddr, paddr, filesz, memsz, align;
  };
  tlssegment s{nullptr, 0, 0, 1};
  auto* eh = reinterpret_cast<const ehdr*>(__ehdr_start);
  auto* ph = reinterpret_cast<const phdr*>(auxvPhdr != 0 ? auxvPhdr : reinterpret_cast<uintptr>(eh) + eh->phoff);
  uintptr bias = 0;
  if (eh->type == 3) bias = reinterpret_cast<uintptr>(eh);  // ET_DYN, linked to lie at 0
  for (uintptr i = 0; i < auxvPhnum; i++)
    if (ph[i].type == 7)  // PT_TLS
      s = {reinterpret_cast<const std::uint8_t*>(bias + ph[i].vaddr), ph[i].filesz, ph[i].memsz, ph[i].align};
  return s;
}

// Gives mp its thread control block. Thread-locals end where FS points, and g's slot is the last of them; a program with
// few of them finds them inside the m, one with many gets a block of its own.
void tlsinit(m* mp) {
  static tlssegment seg;
  if (seg.align == 0) seg = findTLS();
  uintptr size = (seg.memsz + seg.align - 1) & ~(seg.align - 1);
  uintptr tcb = reinterpret_cast<uintptr>(&mp->tls[1]);
  bool moved = false;
  if (size > kTLSSpace + 64 || seg.align > 64) {
    uintptr align = seg.align > 64 ? seg.align : 64;
    uintptr room = (size + align - 1) & ~(align - 1);
    if (mp->tlsbase == 0 || mp->tlsbase == tcb) {
      auto block = reinterpret_cast<uintptr>(persistentalloc(room + sizeof(mp->tls), align));
      tcb = block + room;
      moved = true;
    } else {
      tcb = mp->tlsbase;  // the m of an ended thread: its block serves again
    }
  }
  auto* words = reinterpret_cast<uintptr*>(tcb);
  // Everything but g's word, which is live on the first thread.
  auto* block = reinterpret_cast<std::uint8_t*>(tcb - size);
  for (uintptr i = 0; i + 8 < size; i++) block[i] = i < seg.filesz ? seg.init[i] : 0;
  if (moved) words[-1] = mp->tls[0];
  words[0] = tcb;
  std::uint64_t canary = 0;
  if (startupRandomData.len >= 16) __builtin_memcpy(&canary, startupRandomData.array + 8, 8);
  words[5] = canary & ~0xffULL;  // a zero byte stops string functions from reading or writing it
  words[14] = 0;
  mp->tlsbase = tcb;
  if (moved && mp == &m0) settls(words);
}

void setmguard(m* mp, uintptr guard) { atomic::StoreRelaxed(reinterpret_cast<uintptr*>(mp->tlsbase + 0x70), guard); }

// ---- making Ms ----

[[gnu::cold]] static void badmcount() {
  printf("runtime: program exceeds {}-thread limit\n", sched.maxmcount);
  throw_("thread exhaustion");
}

// Threads that exist or are being made, not counting those that have ended.
LANDMARK std::int32_t mcount() { return static_cast<std::int32_t>(sched.mnext - sched.nmfreed); }

// sched.lock is held, and stays so when this throws: the next thread that exceeds the limit shall not say it again.
LANDMARK void checkmcount() {
  if (mcount() > sched.maxmcount) badmcount();
}

// The next M id. sched.lock is held.
LANDMARK std::int64_t mReserveID() {
  assertLockHeld(&sched.lock);
  if (sched.mnext == INT64_MAX) throw_("runtime: thread ID overflow");
  std::int64_t id = sched.mnext++;
  checkmcount();
  return id;
}

BOOTMARK void mpreinit(m* mp) {
  std::int32_t size = kSignalStackSize;
  // The kernel says how much a signal frame takes on this CPU (vector state); leave our handler its own room.
  while (static_cast<uintptr>(size) < auxvMinSigStk + 16 * 1024) size *= 2;
  mp->gsignal = malg(size);
  mp->gsignal->m = mp;
  mp->gsignal->atomicstatus = _Grunning;  // as g0, it never goes through casgstatus
  BOOTSTEP("runtime.mpreinit", "#gsignal.lo,#gsignal.hi", mp->gsignal->stack.lo, mp->gsignal->stack.hi);
}

// What an M needs wherever it comes from: an id, random state, gsignal, TLS, and its place on allm. id -1: reserve one.
BOOTMARK void mcommoninit(m* mp, std::int64_t id) {
  lock(&sched.lock);
  mp->id = id >= 0 ? id : mReserveID();
  mp->fastrand = static_cast<std::uint64_t>(mp->id + 1) * 0x9e3779b97f4a7c15ULL ^ fastrandseed ^ cputicks();
  unlock(&sched.lock);
  mpreinit(mp);
  if (!iscgo) tlsinit(mp);
  lock(&sched.lock);
  // Published before anything refers to it only from a register or TLS.
  mp->alllink = allm;
  atomic::Store(&allm, mp);
  unlock(&sched.lock);
  BOOTSTEP("runtime.mcommoninit", "id,#m,#fs", mp->id, mp, mp->tlsbase);
}

// Ends what is left of threads that have exited; returns one of their ms for reuse, with its g0 and gsignal.
static m* freeDeadMs() {
  m* reuse = nullptr;
  lock(&sched.lock);
  m** link = &sched.freem;
  while (m* mp = *link) {
    // The thread stores 0 when it no longer needs its stack, as its last act.
    if (reuse == nullptr && atomic::Load(&mp->freeWait) == 0) {
      reuse = mp;
      *link = mp->freelink;
    } else {
      link = &mp->freelink;
    }
  }
  unlock(&sched.lock);
  return reuse;
}

// Makes the m of an ended thread a fresh one, but for the fields that others may be using (see above).
static void clearm(m* mp) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(mp);
  constexpr std::size_t kKept[][2] = {{offsetof(m, g0), sizeof mp->g0},
                                      {offsetof(m, tlsbase), sizeof mp->tlsbase},
                                      {offsetof(m, alllink), sizeof mp->alllink},
                                      {sizeof(m), 0}};
  std::size_t from = 0;
  for (auto [at, size] : kKept) {
    __builtin_memset(bytes + from, 0, at - from);
    from = at + size;
  }
}

// An M that no thread belongs to yet. fn runs first thing on it; pp is only for allocation.
LANDMARK m* allocm(p* pp, void (*fn)(), std::int64_t id) {
  m* self = acquirem();
  bool borrowed = self->p == nullptr && pp != nullptr;
  if (borrowed) acquirep(pp);
  m* mp = freeDeadMs();
  if (mp != nullptr) {
    g* gs = mp->gsignal;
    clearm(mp);
    gfreestack(gs);
  } else {
    mp = static_cast<m*>(persistentalloc(sizeof(m), alignof(m)));
    mp->g0 = hooks.thread_start != nullptr ? malg(-1) : malg(kG0StackSize);  // hosted: libc makes the stack
  }
  mp->mstartfn = fn;
  mcommoninit(mp, id);
  mp->g0->m = mp;
  mp->g0->atomicstatus = _Grunning;
  if (borrowed) releasep();
  releasem(self);
  BOOTSTEP("runtime.allocm", "id,#m,#g0.lo,#g0.hi", mp->id, mp, mp->g0->stack.lo, mp->g0->stack.hi);
  return mp;
}

// ---- starting threads ----

// A new thread that takes pp (if any) and runs fn (if any) and then the scheduler.
LANDMARK void newm(void (*fn)(), p* pp, std::int64_t id) {
  // The new thread may be preempted to death before it has a P: nothing may stop us meanwhile.
  m* self = acquirem();
  m* mp = allocm(pp, fn, id);
  mp->nextp = pp;
  mp->sigmask = initSigmask;
  if (self->lockedExt != 0)
    newmByTemplate(mp);
  else
    newm1(mp);
  releasem(self);
}

LANDMARK void newm1(m* mp) { newosproc(mp); }

// ---- a thread's life ----

// First C++ on a thread, on its g0.
LANDMARK void mstart0() {
  g* gp = getg();
  if (gp->stack.lo == 0) {
    // The system made the stack (hosted mode), and we know only where we are on it.
    uintptr size = gp->stack.hi;
    if (size == 0) size = 16384;
    gp->stack.hi = reinterpret_cast<uintptr>(__builtin_frame_address(0)) + 16;
    gp->stack.lo = gp->stack.hi - size + 1024;
  }
  // From here on g0's stack is checked like any other.
  gp->stackguard0 = gp->stack.lo + StackGuard;
  gp->stackguard1 = gp->stackguard0;
  setguard(gp->stackguard0);
  BOOTSTEP("runtime.mstart0", "#g0.lo,#g0.stackguard0", gp->stack.lo, gp->stackguard0);
  mstart1();
}

extern "C++" void mstart_exit_label() GOSYM("runtime.mstart.exit");

LANDMARK void mstart1() {
  g* gp = getg();
  m* mp = gp->m;
  if (gp != mp->g0) throw_("bad runtime·mstart");
  // Where mcall and systemstack put their frames from now on: over ours, which are never returned to. Should the
  // thread have to end, gogo(&g0.sched) leads to mstart's last lines.
  gp->sched.g = gp;
  save(reinterpret_cast<uintptr>(&mstart_exit_label), getcallersp() & ~uintptr{15}, 0);
  BOOTSTEP("runtime.mstart1", "#g0.sched.pc,#g0.sched.sp", gp->sched.pc, gp->sched.sp);
  asminit();
  minit();
  // After minit: it has given us a place for the handlers to run on.
  if (mp == &m0) mstartm0();
  if (auto* fn = mp->mstartfn; fn != nullptr) fn();
  if (mp != &m0 && mp->p == nullptr) {
    acquirep(mp->nextp);
    mp->nextp = nullptr;
  }
  BOOTSTEP("runtime.schedule", "mid,pid", mp->id, mp->p->id);
  schedule();
  __builtin_unreachable();
}

BOOTMARK void mstartm0() {
  if (hooks.initsig != nullptr) hooks.initsig();
}

// What the thread itself must do before it runs goroutines.
BOOTMARK void minit() {
  m* mp = getg()->m;
  minitSignals();
  if (mp->procid == 0) mp->procid = gettid();  // clone has stored it, but for the first thread and hosted ones
  // A request that was meant for this m's thread before has gone to nobody.
  atomic::Store(&mp->signalPending, 0u);
  BOOTSTEP("runtime.minit", "tid", mp->procid);
}

LANDMARK void unminit() { unminitSignals(); }

// mstart's last line calls this: the thread's locked goroutine has ended.
extern "C++" void mstartexit() GOSYM("runtime.mstartexit");
LANDMARK void mstartexit() {
  m* mp = getg()->m;
  mexit(iscgo && mp != &m0);
  hooks.thread_exit(mp);
}

// Ends the thread. osStack: its g0 stack belongs to the system.
LANDMARK void mexit(bool osStack) {
  m* mp = getg()->m;
  if (mp == &m0) {
    // The main thread's exit would make the process a zombie in the eyes of the kernel's tools; keep it asleep.
    handoffp(releasep());
    lock(&sched.lock);
    sched.nmfreed++;
    checkdead();
    unlock(&sched.lock);
    mPark();
    throw_("locked m0 woke up");
  }
  std::uint64_t all = allSignals();
  rtsigprocmask(2, &all, nullptr);
  unminit();
  lock(&sched.lock);
  for (m** link = &allm;; link = &(*link)->alllink) {
    if (*link == nullptr) throw_("m not found in allm");
    if (*link == mp) {
      atomic::Store(link, mp->alllink);
      break;
    }
  }
  atomic::Store(&mp->freeWait, 1u);
  mp->freelink = sched.freem;
  sched.freem = mp;
  unlock(&sched.lock);
  handoffp(releasep());
  lock(&sched.lock);
  sched.nmfreed++;
  checkdead();
  unlock(&sched.lock);
  if (osStack) return;  // hooks.thread_exit ends the thread: libc frees the stack
  exitThread(&mp->freeWait);
}

// ---- calls on the wrong stack (asm_amd64.S) ----
extern "C++" {
void badmcall() GOSYM("runtime.badmcall");
void badmcall2() GOSYM("runtime.badmcall2");
void badmorestackg0() GOSYM("runtime.badmorestackg0");
void badmorestackgsignal() GOSYM("runtime.badmorestackgsignal");
}
void badmcall() { throw_("runtime: mcall called on m->g0 stack"); }
void badmcall2() { throw_("runtime: mcall function returned"); }
void badmorestackg0() { throw_("fatal: morestack on g0"); }
void badmorestackgsignal() { throw_("fatal: morestack on gsignal"); }

// runtime::debug (boot/debug.h).
namespace debugapi {
std::int32_t SetMaxThreads(std::int32_t n) GOSYM("runtime.debug.SetMaxThreads");
std::int64_t SetMaxStack(std::int64_t n) GOSYM("runtime.debug.SetMaxStack");

std::int32_t SetMaxThreads(std::int32_t n) {
  lock(&sched.lock);
  std::int32_t old = sched.maxmcount;
  sched.maxmcount = n;
  checkmcount();
  unlock(&sched.lock);
  return old;
}

std::int64_t SetMaxStack(std::int64_t n) {
  return static_cast<std::int64_t>(atomic::Xchg(&maxstacksize, static_cast<uintptr>(n)));
}
}  // namespace debugapi

}  // namespace runtime

// Goroutines: making them, ending them, keeping the dead for reuse. (Go's proc.go, the part around newproc.)
//
// Owns: allgs, the gFree lists, goids, and the rule of which status may follow which.
//
// Invariants
//   - Every g ever made is in allgs, dead or alive, so that tracebacks and the collector can't lose one.
//   - A g on a gFree list is _Gdead and keeps its stack: g and stack are one slot.
//   - goids are handed out in batches of 16 per P, so the shared counter is touched once in 16 goroutines.
//   - newproc never runs user code on g0: an argument block is built by the caller, between newproc_begin and
//     newproc_commit, in memory of the new goroutine that nobody else can see yet. If building throws, newproc_abort
//     gives the g back.
//
// Way not taken: Go's _Gscan bit and the compare-and-swap on every status change. Go needs them because it scans stacks
// while goroutines run; our collector looks at stacks only while the world is stopped, so a status has one writer at
// any time and a plain store does. That saves three locked instructions a switch.
#include "runtime/sched/proc_inl.h"

#include "runtime/base/bootstep.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/stack.h"

namespace runtime {

namespace {

constexpr std::int64_t kGoidCacheBatch = 16;

}  // namespace

LANDMARK std::uint32_t readgstatus(const g* gp) { return atomic::Load(&gp->atomicstatus); }

[[gnu::cold, gnu::noinline]] void badcasgstatus(g* gp, std::uint32_t oldval, std::uint32_t newval) {
  printf("runtime: casgstatus g={} goid={} is {:#x}, {:#x} -> {:#x} asked for\n", static_cast<void*>(gp), gp->goid,
         gp->atomicstatus, oldval, newval);
  throw_("casgstatus: bad incoming values");
}

LANDMARK void casgstatus(g* gp, std::uint32_t oldval, std::uint32_t newval) { casgstatus_inl(gp, oldval, newval); }

LANDMARK void allgadd(g* gp) {
  if (readgstatus(gp) == _Gidle) throw_("allgadd: bad status Gidle");
  lock(&allglock);
  if (allgs.len == allgs.cap) {
    // Readers walk allgptr[0, allglen) without the lock: the old array stays valid, since it is never freed.
    std::int64_t cap = allgs.cap == 0 ? 64 : allgs.cap * 2;
    auto** a = static_cast<g**>(persistentalloc(static_cast<uintptr>(cap) * sizeof(g*), 64));
    for (std::int64_t i = 0; i < allgs.len; i++) a[i] = allgs.array[i];
    allgs.array = a;
    allgs.cap = cap;
    atomic::Store(&allgptr, a);
  }
  allgs.array[allgs.len++] = gp;
  atomic::Store(&allglen, static_cast<std::uint64_t>(allgs.len));
  unlock(&allglock);
  BOOTSTEP("runtime.allgadd", "#g,allglen", gp, allgs.len);
}

// Writes what a goroutine needs so that gogo starts fn(ctxt) as if goexit had called it.
LANDMARK void gostartcall(gobuf* buf, void (*fn)(void*), void* ctxt) {
  uintptr sp = buf->sp - sizeof(uintptr);
  *reinterpret_cast<uintptr*>(sp) = buf->pc;  // goexit + PCQuantum: where fn returns to
  buf->sp = sp;
  buf->pc = reinterpret_cast<uintptr>(fn);
  buf->ctxt = ctxt;
}

LANDMARK void gostartcallfn(gobuf* buf, funcval* fv) {
  void* data = fv + 1;  // the block that newproc1 laid behind the function, see there
  gostartcall(buf, fv->fn, data);
}

// Who created whom, for tracebacks under GODEBUG=tracebackancestors=N: the creator and its own ancestors, N in all, each
// with the stack that it had. It is written to what newg's last life has left, if that is enough: memory is taken only for
// more than any life of this g has needed. pc, sp and bp are callergp's.
[[gnu::noinline, gnu::cold]] static slice<ancestorInfo>* saveAncestors(slice<ancestorInfo>* s, g* callergp, uintptr pc,
                                                                       uintptr sp, uintptr bp) {
  if (callergp->goid == 0) return nullptr;
  std::int64_t have = callergp->ancestors != nullptr ? callergp->ancestors->len : 0;
  std::int64_t n = have + 1 < debug.tracebackancestors ? have + 1 : debug.tracebackancestors;
  if (s == nullptr || s->cap < n) {
    std::int64_t cap = s != nullptr && s->cap * 2 > n ? s->cap * 2 : n;
    auto size = sizeof(slice<ancestorInfo>) + static_cast<uintptr>(cap) * sizeof(ancestorInfo);
    auto* grown = static_cast<slice<ancestorInfo>*>(persistentalloc(size, 8));
    grown->array = reinterpret_cast<ancestorInfo*>(grown + 1);
    for (std::int64_t i = 0; i < cap; i++) grown->array[i] = s != nullptr && i < s->cap ? s->array[i] : ancestorInfo{};
    grown->cap = cap;
    s = grown;
  }
  s->len = n;
  auto set = [](ancestorInfo& to, std::int64_t goid, uintptr gopc, const uintptr* pcs, std::int64_t npcs) {
    if (to.pcs.cap < npcs)
      to.pcs = {static_cast<uintptr*>(persistentalloc(static_cast<uintptr>(npcs) * sizeof(uintptr), 8)), 0, npcs};
    for (std::int64_t k = 0; k < npcs; k++) to.pcs.array[k] = pcs[k];
    to.pcs.len = npcs;
    to.goid = goid;
    to.gopc = gopc;
  };
  uintptr pcs[kAncestorFrames];
  int npcs = 0;
  if (hooks.callers != nullptr) systemstack([&] { npcs = hooks.callers(callergp, pc, sp, bp, pcs, kAncestorFrames); });
  set(s->array[0], callergp->goid, callergp->gopc, pcs, npcs);
  for (std::int64_t i = 1; i < n; i++) {
    const ancestorInfo& a = callergp->ancestors->array[i - 1];
    set(s->array[i], a.goid, a.gopc, a.pcs.array, a.pcs.len);
  }
  return s;
}

// Makes newg, dead and the caller's alone, one that will run fn with a block of narg bytes. The top of the new stack, addresses falling:
//     block (narg rounded up to 8, aligned)  |  fn  |  0  |  0  |  goexit+PCQuantum  ← sp
// The two zero words end a walk by frame pointers; sp is 8 mod 16 as after a call.
ALWAYS_INLINE void newproc1_init(g* newg, p* pp, void (*fn)(void*), std::size_t narg, std::size_t align, g* callergp,
                                 uintptr callerpc) {
  if (UNLIKELY(newg->stack.hi == 0)) throw_("newproc1: newg missing stack");
  if (UNLIKELY(atomic::LoadRelaxed(&newg->atomicstatus) != _Gdead)) throw_("newproc1: new g is not Gdead");

  narg = (narg + 7) & ~std::size_t{7};
  if (align < 16) align = 16;
  if (UNLIKELY(narg + align + 256 > newg->stack.hi - newg->stack.lo - StackGuard)) {
    // Room for the block and then some: a big closure takes stack that growth would give anyway.
    uintptr need = narg + align + StackMin + 256, size = newg->stack.hi - newg->stack.lo;
    while (size < need) size *= 2;
    if (newg->stack.hi - size < newg->stackbase + kStackGuardRegion + kStackSlack) {
      printf("runtime: arguments of a go statement take {} bytes\n", narg);
      fatal("newproc: function arguments too large for new goroutine");
    }
    newg->stack.lo = newg->stack.hi - size;
  }
  uintptr data = (newg->stack.hi - narg) & ~(align - 1);
  auto* fv = reinterpret_cast<funcval*>(data) - 1;
  fv->fn = fn;
  uintptr sp = ((data - sizeof(funcval)) & ~uintptr{15}) - 16;
  reinterpret_cast<uintptr*>(sp)[0] = 0;
  reinterpret_cast<uintptr*>(sp)[1] = 0;

  newg->sched = gobuf{};
  newg->sched.sp = sp;
  newg->stktopsp = sp;
  newg->sched.pc = reinterpret_cast<uintptr>(&goexit) + PCQuantum;
  newg->sched.g = newg;
  gostartcallfn(&newg->sched, fv);
  newg->gopc = callerpc;
  if (UNLIKELY(debug.tracebackancestors > 0)) {
    // Either the caller runs this itself, or it has come to g0 for it.
    if (auto* fp = static_cast<uintptr*>(__builtin_frame_address(0)); callergp == getg())
      newg->ancestors = saveAncestors(newg->ancestors, callergp, fp[1], reinterpret_cast<uintptr>(fp + 2), fp[0]);
    else
      newg->ancestors =
          saveAncestors(newg->ancestors, callergp, callergp->sched.pc, callergp->sched.sp, callergp->sched.bp);
  }
  newg->startpc = reinterpret_cast<uintptr>(fn);
  newg->isSystem = false;
  if (pp->goidcache == pp->goidcacheend) {
    auto end = atomic::Xadd(&sched.goidgen, static_cast<std::uint64_t>(kGoidCacheBatch));
    pp->goidcache = static_cast<std::int64_t>(end) - (kGoidCacheBatch - 1);
    pp->goidcacheend = static_cast<std::int64_t>(end) + 1;
  }
  newg->goid = pp->goidcache++;
}

// A goroutine that will run fn with a block of narg bytes, not yet runnable: _Gdead, owned by the caller alone. On g0.
LANDMARK g* newproc1(void (*fn)(void*), std::size_t narg, std::size_t align, g* callergp, uintptr callerpc) {
  if (fn == nullptr) fatal("go of nil func value");
  m* mp = acquirem();
  p* pp = mp->p;
  g* newg = gfget(pp);
  if (newg == nullptr) {
    newg = malg(static_cast<std::int32_t>(StackMin));
    casgstatus(newg, _Gidle, _Gdead);
    allgadd(newg);
  }
  newproc1_init(newg, pp, fn, narg, align, callergp, callerpc);
  releasem(mp);
  BOOTSTEP("runtime.newproc1", "goid,#g,#startpc", newg->goid, newg, newg->startpc);
  return newg;
}

// The last step of a go statement: from here on others see the goroutine.
static void newprocReady(g* newg) {
  m* mp = acquirem();
  casgstatus_inl(newg, _Gdead, _Grunnable);
  // Before it is queued: the next moment another P may have run it to its end.
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoCreate, newg, newg->gopc);
  runqput(mp->p, newg, true);
  // An idle P takes part only when somebody could use it; at one P there is none.
  if (mainStarted && gomaxprocs > 1) wakep();
  releasem(mp);
}

LANDMARK void newproc(funcval* fn) {
  NEEDS_P(newproc(fn));
  uintptr pc = getcallerpc();
  g* gp = getg();
  BOOTSTEP("runtime.newproc", "#fn", fn->fn);
  systemstack([&] { newprocReady(newproc1(fn->fn, 0, 16, gp, pc)); });
}

LANDMARK g* newproc_begin(void (*fn)(void*), std::size_t narg, std::size_t align, uintptr callerpc, void** data) {
  NEEDS_P(newproc_begin(fn, narg, align, callerpc, data));
  preemptpoint();  // a loop of go statements does little else, and no signal stops it in here
  g* gp = getg();
  g* newg;
  // With a dead G at hand there is nothing that needs g0's stack, and nothing can preempt us here.
  if (p* pp = gp->m->p; LIKELY(pp->gFreeN > 0 && fn != nullptr && bootrecording == 0)) {
    newg = gfgetfast(pp);
    newproc1_init(newg, pp, fn, narg, align, gp, callerpc);
  } else {
    systemstack([&] { newg = newproc1(fn, narg, align, gp, callerpc); });
  }
  *data = newg->sched.ctxt;
  return newg;
}

// On the goroutine's own stack: with an idle P to wake it goes to g0, else it is a few stores.
LANDMARK void newproc_commit(g* newg) {
  NEEDS_P(newproc_commit(newg));
  if (LIKELY(singleP() || atomic::LoadRelaxed(&sched.npidle) == 0)) return newprocReady(newg);
  systemstack([&] { newprocReady(newg); });
}

LANDMARK void newproc_abort(g* newg) {
  NEEDS_P(newproc_abort(newg));
  m* mp = acquirem();
  stackreset(newg);
  gfput(mp->p, newg);
  releasem(mp);
}

// ---- the dead ----

static gDeadBatch* emptyBatch() {
  lock(&sched.gFree.lock);
  gDeadBatch* b = sched.gFree.empty;
  if (b != nullptr) sched.gFree.empty = b->next;
  unlock(&sched.gFree.lock);
  return b != nullptr ? b : static_cast<gDeadBatch*>(persistentalloc(sizeof(gDeadBatch), 64));
}

// Moves the n oldest of a P's dead Gs to the global list. The youngest stay: their memory is in this CPU's cache.
static void gspill(p* pp, std::int32_t n) {
  gDeadBatch* b = emptyBatch();
  __builtin_memcpy(b->gs, pp->gFree->gs, static_cast<std::size_t>(n) * sizeof(g*));
  b->n = n;
  lock(&sched.gFree.lock);
  b->next = sched.gFree.stack;
  sched.gFree.stack = b;
  sched.gFree.n += n;
  atomic::StoreRelaxed(&pp->gFreeN, pp->gFreeN - n);  // under the lock: for gcount
  unlock(&sched.gFree.lock);
  __builtin_memmove(pp->gFree->gs, pp->gFree->gs + n, static_cast<std::size_t>(pp->gFreeN) * sizeof(g*));
}

// Keeps a dead G for reuse. A P that has 64 of them gives half to the other Ps.
LANDMARK void gfput(p* pp, g* gp) {
  if (UNLIKELY(readgstatus(gp) != _Gdead)) throw_("gfput: bad status (not Gdead)");
  if (UNLIKELY(pp->gFree == nullptr)) pp->gFree = emptyBatch();
  gfputfast(pp, gp);
  if (pp->gFreeN == 2 * kDeadBatch) gspill(pp, kDeadBatch);
}

[[gnu::noinline]] static void gfrefill(p* pp) {
  lock(&sched.gFree.lock);
  if (gDeadBatch* b = sched.gFree.stack; b != nullptr) {
    sched.gFree.stack = b->next;
    sched.gFree.n -= b->n;
    pp->gFreeN = b->n;
    // The P's own batch is empty: they change places.
    if (pp->gFree != nullptr) {
      pp->gFree->next = sched.gFree.empty;
      sched.gFree.empty = pp->gFree;
    }
    pp->gFree = b;
  }
  unlock(&sched.gFree.lock);
}

// A dead G to use again, from the P's batch, which is exchanged for one with up to 32 of the global list when empty.
LANDMARK g* gfget(p* pp) {
  if (pp->gFreeN == 0) {
    if (sched.gFree.stack == nullptr) return nullptr;
    gfrefill(pp);
    if (pp->gFreeN == 0) return nullptr;
  }
  return gfgetfast(pp);
}

// Gives all dead Gs of a P that goes away to the global list.
LANDMARK void gfpurge(p* pp) {
  while (pp->gFreeN > 0) gspill(pp, pp->gFreeN < kDeadBatch ? pp->gFreeN : kDeadBatch);
}

// What a goroutine's life has left in its g. It is _Gdead then, and its stack is a new one's.
ALWAYS_INLINE void bury(g* gp) {
  casgstatus_inl(gp, _Grunning, _Gdead);
  gp->lockedm = nullptr;
  gp->_panic = nullptr;
  gp->waitreason = waitReasonZero;
  gp->param = nullptr;
  gp->timer = nullptr;
  gp->eh_globals[0] = gp->eh_globals[1] = 0;
  gp->cxxerrno = 0;
  gp->gcAssistBytes = 0;
}

// Ends the running goroutine: goexit, which its function returned to, calls this on the goroutine's own stack.
//
// Mostly it goes on with the next goroutine of this P from here, without a way over g0. The stack under our feet is then
// on the P's list of dead Gs already; only this P takes from that, and it is busy with leaving.
LANDMARK void goexit1() {
  g* gp = getg();
  m* mp = gp->m;
  p* pp = mp->p;
  if (LIKELY(plainTurn(mp, pp) && hooks.traceEvent == nullptr && gp->cxxspecific == nullptr &&
             gp->cxxthread == nullptr && gp->segs == nullptr && gp->segnext == nullptr && !gp->isSystem &&
             mp->lockedInt == 0 && mp->locks == 0 && pp->gFreeN > 0 && pp->gFreeN < 2 * kDeadBatch - 1)) {
    gobuf* buf = nullptr;
    if (LIKELY(singleP())) {
      if (g* next = peekLocal(pp); next != nullptr) buf = takeLocal(mp, pp, next);
    } else {
      bool inherit;
      if (g* next = runqget(pp, &inherit); next != nullptr) {
        if (LIKELY(next->lockedm == nullptr && !next->onceSaved)) {
          if (!inherit) pp->schedtick++;
          buf = becomeRunning(mp, pp, next);
        } else {
          runqput(pp, next, true);  // schedule finds it first and knows what to do
        }
      }
    }
    if (LIKELY(buf != nullptr)) {
      bury(gp);
      gp->stack.lo = gp->stack.hi - StackMin;  // stackreset, without segments
      gp->stackguard0 = gp->stack.lo + StackGuard;
      gfputfast(pp, gp);
      gogoexit(gp, buf);
    }
  }
  if (UNLIKELY(hooks.traceEvent != nullptr)) hooks.traceEvent(traceEvGoEnd, gp, 0);
  if (UNLIKELY(gp->lockedm != nullptr && hooks.endThread != nullptr)) hooks.endThread();
  if (UNLIKELY(gp->cxxspecific != nullptr || gp->cxxthread != nullptr)) hooks.endSpecific();
  mcall(goexit0);
  __builtin_unreachable();
}

// goexit continued on g0.
LANDMARK void goexit0(g* gp) {
  m* mp = getg()->m;
  p* pp = mp->p;
  if (UNLIKELY(gp->isSystem)) atomic::Xadd(&sched.ngsys, static_cast<std::uint32_t>(-1));
  bool locked = gp->lockedm != nullptr;
  bury(gp);
  gp->m = nullptr;
  mp->lockedg = nullptr;
  mp->curg = nullptr;  // dropg: both links are cut here
  if (UNLIKELY(mp->lockedInt != 0)) {
    printf("invalid m->lockedInt = {}\n", mp->lockedInt);
    throw_("internal lockOSThread error");
  }
  stackreset(gp);
  gfput(pp, gp);
  if (UNLIKELY(locked)) {
    // A goroutine that ends while locked takes its thread along: the thread may be in a state (namespace, credentials)
    // that no other goroutine expects.
    gogo(&mp->g0->sched);
  }
  schedule();
}

// Goroutines of the user that are not dead. Not exact while goroutines start and end; but where none starts, none that
// lives is left out, which programs rely on that wait for all others to end. Dead Gs on their way from a P's batch to
// the global list would be counted twice without the lock, as happens in Go.
LANDMARK std::int32_t gcount() {
  lock(&sched.gFree.lock);
  std::int32_t n = static_cast<std::int32_t>(allgs.len) - sched.gFree.n - static_cast<std::int32_t>(sched.ngsys);
  for (std::int64_t i = 0; i < allp.len; i++) n -= atomic::LoadRelaxed(&allp.array[i]->gFreeN);
  unlock(&sched.gFree.lock);
  // All goroutines may be dying; the sum of racy counters must not say so.
  return n < 1 ? 1 : n;
}

}  // namespace runtime

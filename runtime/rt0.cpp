// schedinit and main: the start in order, one call a line. The only file that sees every layer.
//
// Owns: the order. Each line says what it needs (<) and what it makes available (>); moving a line breaks the one that
// needs it, and tests/claims checks the order against real Go's.
//
// rt0_go (asm/asm_amd64.S) has set up g0, m0 and TLS, and has called check, args and osinit. It calls schedinit, makes
// a goroutine for main with newproc(&mainPC), and enters the scheduler by mstart, which runs it.
#include "runtime/base/bootstep.h"
#include "runtime/base/cpu.h"
#include "runtime/base/runtime1.h"
#include "runtime/cxx/cxx.h"
#include "runtime/diag/trace.h"
#include "runtime/diag/traceback.h"
#include "runtime/diag/waitgraph.h"
#include "runtime/gc/mgc.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/stack.h"
#include "runtime/os/envvars.h"
#include "runtime/os/netpoll.h"
#include "runtime/os/os_signal.h"
#include "runtime/sched/iface.h"
#include "runtime/sched/proc.h"
#include "runtime/sched/proc_m.h"
#include "runtime/sync/newstack.h"

namespace runtime {

void schedinit() GOSYM("runtime.schedinit");
void main(void*) GOSYM("runtime.main");
extern "C++" void main_main() GOSYM("main.main");  // the user's

BOOTMARK void schedinit() {
  BOOTSTEP("runtime.schedinit");
  // < nothing. > ranks for lock checking.
  lockInit(&sched.lock, lockRankSched);
  lockInit(&sched.sysmonlock, lockRankSysmon);
  lockInit(&sched.gFree.lock, lockRankGFree);
  lockInit(&allglock, lockRankAllg);
  lockInit(&allpLock, lockRankAllp);

  // < nothing. > a bound on threads, before the first M is counted.
  sched.maxmcount = 10000;

  // Until procresize has made Ps the world counts as stopped: whoever takes a P before that gets none.
  tracebackinit();           // < the environment (args). > throw and fatal print goroutines; GOTRACEBACK
  moduledataverify();        // < program headers (auxv). > .eh_frame_hdr, PT_TLS and sections can be trusted
  stackinit();               // < physPageSize (auxv). > stackalloc
  mallocinit();              // < physPageSize, huge page size. > mallocgc, persistentalloc, on mcache0
  cpuinit();                 // < auxv's HWCAP2. > memmove and memclr may use wide paths
  fastrandinit();            // < AT_RANDOM. > a seed for each M's random numbers
  mcommoninit(&m0, -1);      // < stackalloc, the seed. > m0 has an id, gsignal, thread_locals, is on allm
  modulesinit();             // < program headers, the vDSO's address. > symbol look-up for tracebacks
  itabsinit();               // < persistentalloc. > interface values can be asserted
  sigsave(&m0.sigmask);      // < m0. > the mask the process began with,
  initSigmask = m0.sigmask;  //   which every new M starts from
  goargs();                  // < args. > os::Args
  goenvs();                  // < args. > os::Getenv
  checkfds();                // < nothing. > 0, 1 and 2 are open: no file of the program's gets such a number
  parsedebugvars();          // < goenvs. > GODEBUG's values
  waitgraphinit();           // < nothing. > a deadlock can be drawn
  newstackinit();            // < debug vars. > a prologue check that fails finds newstack
  gcinit();                  // < goenvs. > GOGC, GOMEMLIMIT; no cycle yet

  // < everything above: a P needs a cache, the lock its rank. > Ps; m0 runs on p0.
  lock(&sched.lock);
  sched.lastpoll = nanotime();
  std::int32_t procs = ncpu;
  if (std::int32_t n = parseGOMAXPROCS(gogetenv("GOMAXPROCS")); n != 0) procs = n;
  if (procresize(procs) != nullptr) throw_("unknown runnable goroutine during bootstrap");
  unlock(&sched.lock);
}

// The first goroutine, on a stack of its own from the heap's arena.
BOOTMARK void main(void*) {
  g* gp = getg();
  BOOTSTEP("runtime.main", "goid,#stack.lo,#stack.hi", gp->goid, gp->stack.lo, gp->stack.hi);
  maxstacksize = 1000000000;  // 1e9 bytes, decimal: the message shows the number
  maxstackceiling = 2 * maxstacksize;
  systemstack([] {
    newm(sysmon, nullptr, -1);
    if (iscgo) startTemplateThread();
  });
  // Static constructors run on the main thread, as code that talks to thread-bound libraries expects.
  lockOSThread();
  if (gp->m != &m0) throw_("runtime.main not on m0");
  runtimeInitTime = nanotime();  // before the first timer or collector looks
  if (runtimeInitTime == 0) throw_("nanotime returning zero");
  doInit(inittask::runtime);  // the runtime's own goroutines
  gcenable();                 // from here on the heap is collected
  mainStarted = true;         // newproc and ready may start Ms: the start itself has no use for a second
  doInit(inittask::main);     // static constructors of the user
  unlockOSThread();
  traceStart();       // GODEBUG=exectrace
  bootrecording = 0;  // what follows is the program's, not the start's
  main_main();
  // A goroutine that panics may be busy with its deferred functions: it gets some time to end the program its way.
  for (int i = 0; i < 1000 && atomic::Load(&runningPanicDefers) != 0; i++) Gosched();
  // Another goroutine may be in the middle of a panic that ends the program: its exit code counts, not ours.
  if (atomic::Load(&panicking) != 0) gopark(nullptr, nullptr, waitReasonPanicWait);
  exitProgram(0);
}

}  // namespace runtime

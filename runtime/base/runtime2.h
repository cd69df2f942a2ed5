// The plain structs that the whole runtime shares: g, m, p, sched and what hangs on them.
//
// Owns: the layout, the states and their numbers, and the rule for each field of who may touch it. It has no
// functions and includes nothing of ours, so every layer may include it without a cycle (Go keeps these types in
// runtime2.go, and there they are the knot that ties 44 files together).
//
// Invariants
//   - g.stack, stackguard0, stackguard1, m, sched, goid and m.g0, gsignal, id stand where Go 1.19 has them, so that
//     tools that know Go's layout can read ours (static_asserts at the end).
//   - A g lives inside the top page of its own stack (stack.cpp): a parked goroutine costs one page in all.
//   - m.tls doubles as the thread control block of the ABI: FS points at tls[1], so that
//       tls[0]  = -8(FS)    g
//       tls[1]  =  0(FS)    self pointer (the ABI's TCB)
//       tls[6]  = 0x28(FS)  the stack protector's canary
//       tls[15] = 0x70(FS)  the split-stack guard: this M's copy of the running g.stackguard0
//     and a program's thread_locals lie below tls[0], in m.tlsspace.
//
// How a field is guarded is said at the field:  "owner" = only the goroutine, M or P that owns the struct;
// "atomic" = any thread, by atomic operations; "X.lock" = that lock; "STW" = written while the world is stopped;
// "init" = written once, before a second thread can see it.
//
// Ways not taken: classes with methods (methods would pull every layer's header in here), and thread_local for g
// (the compiler may keep a thread_local's address across a switch to another thread).
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

using uintptr = std::uintptr_t;

struct g;
struct m;
struct p;
struct hchan;
struct mcache;
struct stackseg;
struct timer;
struct allocAssist;

// ---------------------------------------------------------------------------------------------------------------
// States. The transitions allowed are asserted by casgstatus (proc.cpp) and by acquirep/releasep/procresize (C55).
// ---------------------------------------------------------------------------------------------------------------

// A G:  idle → dead → runnable ⇄ running → {waiting → runnable, syscall → running|runnable, preempted, dead}
enum gStatus : std::uint32_t {
  _Gidle = 0,       // just allocated, nothing set up
  _Grunnable = 1,   // on a run queue; its stack is not owned by itself
  _Grunning = 2,    // has an M and a P, owns its stack, is on no run queue
  _Gsyscall = 3,    // in a system call, has an M, is on no run queue
  _Gwaiting = 4,    // blocked in the runtime; waitreason says where
  _Gdead = 6,       // exited, or allocated and not yet started; on a gFree list or being set up
  _Gcopystack = 8,  // Go moves stacks; ours grow in place or by segments, so this state is never entered
  _Gpreempted = 9,  // stopped itself for suspendG; as _Gwaiting, but nobody is bound to ready it
  _Gscan = 0x1000,  // with one of the above: the collector holds the stack
};

// An M's foreign: whether it runs user code without a P, and how the collector finds what that holds; sched/foreign_exc.cpp.
enum foreignState : std::uint32_t { foreignNot, foreignRuns, foreignStopped, foreignCalls };

// A P:  gcstop → idle ⇄ running ⇄ syscall, any → gcstop (world stopped), gcstop → dead (GOMAXPROCS shrank)
enum pStatus : std::uint32_t { _Pidle = 0, _Prunning = 1, _Psyscall = 2, _Pgcstop = 3, _Pdead = 4 };

// Why a goroutine waits; the texts are in traceback's and checkdead's output, so they are Go's. See waitReasonStrings.
enum waitReason : std::uint8_t {
  waitReasonZero,
  waitReasonGCAssistMarking,
  waitReasonIOWait,
  waitReasonChanReceiveNilChan,
  waitReasonChanSendNilChan,
  waitReasonDumpingHeap,
  waitReasonGarbageCollection,
  waitReasonGarbageCollectionScan,
  waitReasonPanicWait,
  waitReasonSelect,
  waitReasonSelectNoCases,
  waitReasonGCAssistWait,
  waitReasonGCSweepWait,
  waitReasonGCScavengeWait,
  waitReasonChanReceive,
  waitReasonChanSend,
  waitReasonFinalizerWait,
  waitReasonForceGCIdle,
  waitReasonSemacquire,
  waitReasonSleep,
  waitReasonSyncCondWait,
  waitReasonTimerGoroutineIdle,
  waitReasonTraceReaderBlocked,
  waitReasonWaitForGCCycle,
  waitReasonGCWorkerIdle,
  waitReasonPreempted,
  waitReasonDebugCall,
  waitReasonCount,
};
extern const char* const waitReasonStrings[waitReasonCount] __asm__("runtime.waitReasonStrings");

// Go's stack constants for linux/amd64. A goroutine starts with StackMin bytes; code may use the stack down to
// stack.lo + StackGuard before its prologue asks for more. Below stack.lo lies the slack of stack.h for code
// that was compiled without the check (the runtime, libstdc++, libgcc).
constexpr uintptr StackMin = 2048;
constexpr uintptr StackSystem = 0;
constexpr uintptr StackGuard = 928;
constexpr uintptr StackSmall = 128;
// Values of stackguard0 above every real stack pointer: the next prologue check fails and newstack sees why.
constexpr uintptr stackPreempt = ~uintptr{0} - 1313;  // -1314, 0xfff...fade

// ---------------------------------------------------------------------------------------------------------------
// Small parts
// ---------------------------------------------------------------------------------------------------------------

struct stack {  // the bytes [lo, hi)
  uintptr lo;
  uintptr hi;
};

// What gogo needs to go on with a goroutine. The runtime switches only at calls to mcall and friends, which declare
// every other register clobbered; so the compiler has already saved what was live, and these words are enough.
struct gobuf {
  uintptr sp;
  uintptr pc;
  ::runtime::g* g;
  void* ctxt;  // closure of a goroutine that has not run yet; gogo puts it in DX as Go does, and in DI for C++
  uintptr ret;
  uintptr lr;  // not 0: MXCSR and the x87 control word of a goroutine that has others than the default (SAVEFP in asm)
  uintptr bp;
};

// A futex lock: key is 0 unlocked, 1 locked, 2 locked and somebody sleeps. See lock_futex.cpp.
struct mutex {
  std::uint32_t key;   // atomic
  std::uint32_t rank;  // init (lockInit); read only where lock ranks are checked
};

// One-shot event: notewakeup once, notesleep once, noteclear before the next use. See lock_futex.cpp.
struct note {
  std::uint32_t key;  // atomic: 0 clear, 1 woken
};

// A function with the data it closes over. fn gets the data in DI (and DX).
struct funcval {
  void (*fn)(void*);
};

template <class T>
struct slice {  // Go's slice header, same field names, so that gdb expressions written for Go read it
  T* array;
  std::int64_t len;
  std::int64_t cap;
};

struct gQueue {  // FIFO of Gs through schedlink; guarded by whatever guards the struct it is in
  g* head;
  g* tail;
};

struct gList {  // LIFO of Gs through schedlink
  g* head;
};

// A goroutine's place in the queue of what it waits for. It lies in the frame of the function that parks (our stacks
// do not move; Go must allocate them because its stacks do).
struct sudog {
  ::runtime::g* g;  // init
  sudog* next;      // c's lock, or the semaRoot's
  sudog* prev;
  void* elem;  // where the value is or shall go; c's lock
  std::uint32_t ticket;
  bool isSelect;    // init: g takes part in a select, so g.selectDone must be won first
  bool success;     // c's lock: woken by a value (true) or by close (false)
  sudog* parent;    // semaRoot tree; semaRoot.lock
  sudog* waitlink;  // g.waiting list, or semaRoot
  sudog* waittail;  // semaRoot
  hchan* c;         // init
};

// An entry of a timer heap. The time stands beside the pointer, so that sifting does not touch the timers.
struct timerWhen {
  std::int64_t when;
  ::runtime::timer* t;  // bit 0 is a flag
};

// Dead Gs, the youngest last. An array: who takes one can ask for the next ones' memory ahead, and 32 of them change
// hands between a P and the global list without a look at any of them.
constexpr std::int32_t kDeadBatch = 32;
struct gDeadBatch {
  gDeadBatch* next;                  // the list it is on
  ::runtime::g* gs[2 * kDeadBatch];  // a P's has up to 2 * kDeadBatch, one on the global list kDeadBatch at most
  std::int32_t n;                    // on the global list: how many
};

constexpr int kAncestorFrames = 100;
struct ancestorInfo {  // one creator of a goroutine, under GODEBUG=tracebackancestors=N
  slice<uintptr> pcs;  // its stack, at the go statement
  std::int64_t goid;
  uintptr gopc;
};

// ---------------------------------------------------------------------------------------------------------------
// g: a goroutine
// ---------------------------------------------------------------------------------------------------------------
struct g {
  ::runtime::stack stack;      // owner; read by the collector while stopped
  uintptr stackguard0;         // owner writes lo+StackGuard, any thread writes stackPreempt (benign race, retried)
  uintptr stackguard1;         // init; g0's and gsignal's
  void* _panic;                // owner: innermost panic being unwound (panic.cpp)
  uintptr pad_defer;           // Go's _defer: what follows has its place there
  ::runtime::m* m;             // owner: the M that runs this; nil when none does
  gobuf sched;                 // owner while running; else whoever holds the G
  uintptr syscallsp;           // owner: if _Gsyscall, sched.sp to use during the collector's scan
  uintptr syscallpc;           // owner
  uintptr stktopsp;            // owner: expected sp at the top of the stack, checked by traceback
  std::int64_t waitsince;      // approximate time when it blocked; owner, set by the collector
  std::uint32_t atomicstatus;  // atomic; changed by casgstatus only
  std::uint32_t selectDone;    // atomic: 1 if a select has been won
  std::int64_t goid;           // init of each life
  g* schedlink;                // guarded by the queue it is on
  g* schedahead;               // as schedlink, but some places further: a hint for prefetching, may be stale
  waitReason waitreason;       // if _Gwaiting; set before parking
  bool preempt;                // preemption asked for; written by any thread, a hint like stackguard0
  bool isSystem;               // owner: bgsweep and the like; the finalizers' while it runs none. Not in NumGoroutine
  ::runtime::m* lockedm;       // owner: the M this G is locked to

  // A life's start and end touch the four lines up to here and no more: a thousand goroutines fit the cache better.
  uintptr gopc;                // init of each life: pc of the go statement that made it
  uintptr startpc;             // init of each life: pc of the goroutine's function
  stackseg* segs;              // owner: segment the goroutine runs on, null while it is in its slot; see stack.h
  stackseg* segnext;           // owner: segment to hop to at this one's border, if there is one already
  ::runtime::timer* timer;     // owner: cached timer for time::Sleep
  std::int64_t gcAssistBytes;  // owner: credit (+) or debt (-) towards the collector
  uintptr eh_globals[2];       // owner: __cxa_eh_globals; exceptions in flight are the goroutine's, not the thread's

  void* param;                     // passed by the waker to the woken
  sudog* waiting;                  // owner: sudogs this G waits on, in lock order; also read with the channels' locks
  slice<ancestorInfo>* ancestors;  // init of each life; only with tracebackancestors
  uintptr sigcode0, sigcode1, sigpc;  // owner: a signal turned into a panic
  std::uint8_t sig;                   // owner
  bool onceSaved;  // owner: once_callable and once_call must go back to the thread (cxx/once_exc.cpp)
  std::int32_t cxxerrno;  // owner: errno is the goroutine's (cxx)

  // From here on what Go does not need.
  void* once_callable;    // owner: libstdc++'s std::__once_callable and __once_call are thread words there;
  void* once_call;        //        saved here when the goroutine leaves its thread
  uintptr stackbase;      // init: lowest address of the reserved slot, the guard region's start
  uintptr stackslot_hi;   // init: end of the slot, so that a dead g's slot can be found
  void* cxxthread;        // owner: the std::thread that this goroutine is, null if none (cxx)
  void** cxxspecific;     // owner: values of pthread_setspecific (cxx)
  char* writebuf;  // owner: where a traceback goes instead of descriptor 2 (runtime::Stack); [0, writelen) is free
  std::uint64_t writelen;
  uintptr sysregs[5];  // owner: rbx, r12 … r15 at entersyscall: pointers that are nowhere else meanwhile
  void* unhandled;     // owner: what an exception that nobody will catch left for its report (boot/panic.cpp)
  void* fiber;         // owner: hosted mode, what a sanitizer keeps of the goroutine (cgo/sanitizer.cpp)
};

// ---------------------------------------------------------------------------------------------------------------
// m: a thread
// ---------------------------------------------------------------------------------------------------------------

constexpr std::size_t kTLSSpace = 448;  // bytes for thread_locals inside m; a program with more gets its own block
constexpr std::size_t kTLSWords = 18;   // tls[0] … tls[17]: up to 0x80(FS)

struct gsignalStack {  // the alternate stack a thread had before we set ours
  ::runtime::stack stack;
  uintptr stackguard0, stackguard1, stktopsp;
};

struct alignas(64) m {
  ::runtime::g* g0;              // init: goroutine with the scheduling stack
  uintptr pad_morebuf[8];        // Go's morebuf and divmod: what follows has its place there
  std::uint64_t procid;          // init: thread id
  ::runtime::g* gsignal;         // init: the G whose stack signal handlers run on
  gsignalStack goSigStack;       // owner
  std::uint64_t sigmask;         // owner: signals to restore when the thread ends; inherited by new Ms
  void (*mstartfn)();            // init
  ::runtime::g* curg;            // owner; read by sysmon and handlers
  ::runtime::g* caughtsig;       // owner: G that was running when a fatal signal came
  ::runtime::p* p;               // owner: attached P (nil when not running Go code); handlers and sysmon read
  ::runtime::p* nextp;           // set by startm before the note; read by the M once woken
  ::runtime::p* oldp;            // owner: P before the system call
  uintptr tlsbase;               // init: FS of this thread (&tls[1] unless thread_locals need more room)
  std::int32_t mallocing;        // owner
  std::int32_t throwing;         // owner: 0 none, 1 user's fatal, 2 runtime throw
  const char* preemptoff;        // owner: if not null, keep curg running and say why
  uintptr foreignsp, foreignpc;  // owner: in boot::blocking, where that was called (sched/foreign_exc.cpp)
  std::int32_t locks;            // owner: >0 = no preemption
  std::int32_t dying;            // owner: fatalpanic's stage
  std::int64_t id;               // init: mReserveID

  bool spinning;                              // owner: out of work, looking for some
  bool blocked;                               // owner: blocked on a note
  bool newSigstack;                           // owner: minit set an alternate stack that unminit takes away
  std::uint32_t freeWait;                     // atomic; if 0, g0 may be freed and the m deleted
  std::uint64_t fastrand;                     // owner
  ::runtime::note park;                       // owner sleeps, others wake
  ::runtime::m* alllink;                      // sched.lock: next on allm
  ::runtime::m* schedlink;                    // sched.lock: next on sched.midle
  ::runtime::m* freelink;                     // sched.lock: next on sched.freem
  ::runtime::g* lockedg;                      // owner
  std::uint32_t lockedExt;                    // owner: LockOSThread by the user
  std::uint32_t lockedInt;                    // owner: lockOSThread by the runtime
  bool (*waitunlockf)(::runtime::g*, void*);  // owner: gopark's unlock function, run on g0
  void* waitlock;                             // owner
  std::uint32_t syscalltick;                  // owner: copied from p.syscalltick at entersyscall
  std::uint32_t preemptGen;                   // atomic: counts completed preemption signals
  std::uint32_t foreign;                      // atomic; one of foreignState: user code runs without a P
  uintptr foreignregs;                        // owner, before foreign: where a signal has saved that code's registers
  std::uint32_t signalPending;                // atomic: a SIGURG is on its way
  std::int32_t nlocksHeld;                    // owner: lock-rank checking
  std::int32_t timerSlack;  // owner: 1 when the kernel was told to keep this thread's time-outs to the nanosecond
  struct {
    std::uint32_t rank;
    std::uint32_t count;  // locks of channels in a row: all of a select's are one entry, addr is the highest
    mutex* addr;
  } locksHeld[10];  // owner: lock-rank checking

  // Thread control block. tls[1] is 64-byte aligned; tlsspace is the room for thread_locals below it.
  alignas(64) std::uint8_t tlsspace[kTLSSpace + 56];
  uintptr tls[kTLSWords];
};

// ---------------------------------------------------------------------------------------------------------------
// p: a processor, the right to run goroutines. What one P owns alone needs no atomics.
// ---------------------------------------------------------------------------------------------------------------
constexpr std::uint32_t kRunqLen = 256;

struct sysmontick {  // sysmon's own: what it saw the last time
  std::uint32_t schedtick;
  std::uint32_t syscalltick;
  std::int64_t schedwhen;
  std::int64_t schedcpu;     // processor time of thread schedtid then
  std::uint64_t schedtid;    // 0: there was no thread
  std::int64_t schedcpuall;  // processor time of the whole program then, -1: none of the three is known yet
  std::int64_t syscallwhen;
};

struct alignas(64) p {
  std::int32_t id;                   // init
  std::uint32_t status;              // atomic; one of pStatus
  ::runtime::p* link;                // sched.lock: next idle P
  std::uint32_t schedtick;           // owner; bumped on every scheduler call
  std::uint32_t syscalltick;         // owner; bumped on every system call
  ::runtime::sysmontick sysmontick;  // sysmon
  ::runtime::m* m;                   // back link to the M; nil if idle. Written by the M that acquires it
  ::runtime::mcache* mcache;         // owner
  std::int64_t goidcache;            // owner: goids taken from sched.goidgen in batches
  std::int64_t goidcacheend;         // owner
  gDeadBatch* gFree;        // owner: the youngest dead Gs, with their stacks; never null once the P has had a G
  std::int32_t gFreeN;      // owner: how many are in it
  bool preempt;             // atomic hint: this P shall enter the scheduler as soon as possible
  std::uint32_t sliceover;  // atomic; sysmon writes: schedtick of the time slice that has ended, plus 1; 0 for none
  std::int32_t gcMarkWorkerMode;  // owner
  void* tracebuf;                 // owner; trace

  // Timers. The heap is guarded by timersLock; the numbers are read by other Ps without it.
  mutex timersLock;
  slice<timerWhen> timers;  // timersLock: 4-ary heap by when (timeheap.cpp)
  std::uint32_t numTimers;  // atomic: timers.len
  std::int64_t timer0When;  // atomic: when of timers[0], 0 if empty

  // Run queue. The owner writes tail and runnext's store side, thieves advance head by CAS and may take runnext.
  alignas(64) std::uint32_t runqhead;  // atomic; written by thieves too, hence a line of its own
  // The owner's own (with one P: a section of the global queue, see proc_runq.cpp).
  gQueue yieldq;                       // owner
  std::int32_t yieldqsize;             // owner; read as a hint
  alignas(64) std::uint32_t runqtail;  // atomic; written by the owner only
  g* runnext;                          // atomic: next to run, inherits the time slice
  g* runq[kRunqLen];                   // slots in [head, tail) are valid
};

// ---------------------------------------------------------------------------------------------------------------
// sched: one for the process
// ---------------------------------------------------------------------------------------------------------------
struct schedt {
  std::uint64_t goidgen;   // atomic: last goid handed out in a batch
  std::int64_t lastpoll;   // atomic: time of the last netpoll, 0 if somebody polls now
  std::int64_t pollUntil;  // atomic: time until which the current poll sleeps

  alignas(64) mutex lock;

  m* midle;                   // lock: Ms waiting for work
  std::int32_t nmidle;        // lock
  std::int32_t nmidlelocked;  // lock: locked Ms waiting for their G
  std::int64_t mnext;         // lock: number of Ms made, and the next id
  std::int32_t maxmcount;     // lock: most Ms allowed; beyond it the program dies
  std::int32_t nmsys;         // lock: system Ms (sysmon) that checkdead does not count
  std::int64_t nmfreed;       // lock: Ms that have ended

  std::uint32_t ngsys;  // atomic: system goroutines

  p* pidle;                              // lock: idle Ps
  std::uint32_t npidle;                  // atomic, written with lock
  alignas(64) std::uint32_t nmspinning;  // atomic: see the essay in proc_run.cpp

  alignas(64) gQueue runq;  // lock: the global queue
  std::int32_t runqsize;    // lock; read without it as a hint

  struct {
    bool user;        // lock: only system goroutines are run
    gQueue runnable;  // lock
    std::int32_t n;   // lock
  } disable;

  struct {
    mutex lock;
    gDeadBatch* stack;  // gFree.lock: dead Gs with stacks
    gDeadBatch* empty;  // gFree.lock: batches to be used again
    std::int32_t n;     // gFree.lock
  } gFree;

  m* freem;  // lock: Ms that wait to be freed when their thread is gone

  std::uint32_t gcwaiting;  // atomic: the collector wants to stop the world
  std::int32_t stopwait;    // lock: Ps that have still to stop
  note stopnote;
  std::uint32_t sysmonwait;  // atomic
  note sysmonnote;

  mutex sysmonlock;  // held by sysmon while it looks at the runtime; taken to keep it out
};

// ---------------------------------------------------------------------------------------------------------------
// The variables themselves, under Go's names for gdb, nm and perf.
// ---------------------------------------------------------------------------------------------------------------
extern m m0 __asm__("runtime.m0");  // the first thread
extern g g0 __asm__("runtime.g0");  // its scheduling goroutine, on the OS stack
extern schedt sched __asm__("runtime.sched");
extern m* allm __asm__("runtime.allm");         // sched.lock to write; the list only grows at its head
extern slice<p*> allp __asm__("runtime.allp");  // allpLock and STW to write; len == gomaxprocs
extern mutex allpLock __asm__("runtime.allpLock");
extern slice<g*> allgs __asm__("runtime.allgs");  // allglock
extern mutex allglock __asm__("runtime.allglock");
extern std::uint64_t allglen __asm__("runtime.allglen");              // atomic: entries of allgptr that may be read
extern g** allgptr __asm__("runtime.allgptr");                        // atomic
extern std::int32_t ncpu __asm__("runtime.ncpu");                     // init (osinit)
extern std::int32_t gomaxprocs __asm__("runtime.gomaxprocs");         // STW
extern uintptr physPageSize __asm__("runtime.physPageSize");          // init (sysauxv)
extern uintptr physHugePageSize __asm__("runtime.physHugePageSize");  // init (osinit)
extern bool secureMode __asm__("runtime.secureMode");    // init: AT_SECURE, more rights than who started us
extern bool iscgo __asm__("runtime.iscgo");              // init: hosted mode
extern bool mainStarted __asm__("runtime.mainStarted");  // init: newproc may start Ms now
extern std::int64_t runtimeInitTime __asm__("runtime.runtimeInitTime");  // init: nanotime when main began
extern std::uint32_t worldsema __asm__("runtime.worldsema");             // grants the right to stop the world
extern std::uint32_t panicking __asm__("runtime.panicking");             // atomic: Ms that are crashing
extern uintptr maxstacksize __asm__("runtime.maxstacksize");             // atomic; 1e9 once main runs (SetMaxStack)
extern uintptr maxstackceiling __asm__("runtime.maxstackceiling");

static_assert(offsetof(g, stack) == 0 && offsetof(g, stackguard0) == 16 && offsetof(g, stackguard1) == 24);
static_assert(offsetof(g, m) == 48 && offsetof(g, sched) == 56 && offsetof(g, atomicstatus) == 144);
static_assert(offsetof(g, goid) == 152);
static_assert(offsetof(m, g0) == 0 && offsetof(m, gsignal) == 80 && offsetof(m, id) == 232);
static_assert(sizeof(gobuf) == 56);
static_assert((offsetof(m, tls) + 8) % 64 == 0 && offsetof(m, tls) == offsetof(m, tlsspace) + kTLSSpace + 56);

}  // namespace runtime

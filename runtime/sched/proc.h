// The scheduler as the layers above and its own files see it. Go's proc.go under Go's names, cut along its themes:
//   proc.cpp          newproc, goexit, free lists of Gs, allgs, status changes
//   proc_run.cpp      schedule, findRunnable, stealWork, execute; wakep and the spinning Ms
//   proc_park.cpp     gopark, goready, Gosched: leaving a goroutine, and making one runnable
//   proc_runq.cpp     local and global run queues, stealing
//   proc_m.cpp        threads and their Ms: making, starting and ending them
//   proc_handoff.cpp  which Ms have a P: startm, stopm, handoffp; LockOSThread
//   proc_world.cpp    Ps: procresize, acquirep, stop and start the world, GOMAXPROCS
//   proc_syscall.cpp  entersyscall, exitsyscall
//   proc_sysmon.cpp   sysmon, retake, checkdead
//   timeheap.cpp      the timers of a P
//   preempt.cpp       asking goroutines to stop
#pragma once

#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/base/traceevents.h"
#include "runtime/os/os_linux.h"

namespace runtime {

// ---- goroutines: proc.cpp ----
std::uint32_t readgstatus(const g* gp) GOSYM("runtime.readgstatus");
void casgstatus(g* gp, std::uint32_t oldval, std::uint32_t newval) GOSYM("runtime.casgstatus");
void allgadd(g* gp) GOSYM("runtime.allgadd");
// Calls f(g) for each goroutine ever made, dead ones included.
template <class F>
void forEachG(F f);
// Starts fn(data) on a new goroutine; what `go f()` is. Called on any stack.
void newproc(funcval* fn) GOSYM("runtime.newproc");
// A go statement with an argument block of narg bytes (rounded up to 8) on the new goroutine's own stack. newproc_begin
// makes the goroutine and says where the block is; the caller builds it there (user code: may park, may throw), then
// calls newproc_commit to make it runnable or newproc_abort to give it back. fn gets the block and must destroy it.
g* newproc_begin(void (*fn)(void*), std::size_t narg, std::size_t align, uintptr callerpc, void** data)
    GOSYM("runtime.newproc.begin");
void newproc_commit(g* newg) GOSYM("runtime.newproc.commit");
void newproc_abort(g* newg) GOSYM("runtime.newproc.abort");
g* newproc1(void (*fn)(void*), std::size_t narg, std::size_t align, g* callergp, uintptr callerpc)
    GOSYM("runtime.newproc1");
g* gfget(p* pp) GOSYM("runtime.gfget");
void gfput(p* pp, g* gp) GOSYM("runtime.gfput");
void gfpurge(p* pp) GOSYM("runtime.gfpurge");
void gostartcallfn(gobuf* buf, funcval* fv) GOSYM("runtime.gostartcallfn");
void gostartcall(gobuf* buf, void (*fn)(void*), void* ctxt) GOSYM("runtime.gostartcall");
[[noreturn]] void goexit1() GOSYM("runtime.goexit1");  // end the running goroutine; on its own stack
void goexit0(g* gp) GOSYM("runtime.goexit0");          // on g0
std::int32_t gcount() GOSYM("runtime.gcount");         // user goroutines alive, as NumGoroutine counts

// ---- running: proc_run.cpp ----
// schedule and execute do not return, but are not declared so: the compiler then makes their calls jumps. A call that is
// never returned from leaves an entry in the processor's return stack, and every return after the switch mispredicts.
void schedule() GOSYM("runtime.schedule");
struct foundwork {
  g* gp;
  bool inheritTime;
  bool tryWakeP;
};
foundwork findRunnable() GOSYM("runtime.findRunnable");
void execute(g* gp, bool inheritTime) GOSYM("runtime.execute");
void wakep() GOSYM("runtime.wakep");
void resetspinning() GOSYM("runtime.resetspinning");

// ---- leaving, and making runnable: proc_park.cpp ----
// Parks the running goroutine. unlockf(gp, lock), if any, runs on g0 after the switch; false resumes gp at once. It must
// not touch gp's stack once another thread can ready gp. Do not call with a runtime lock held other than `lock`.
// It saves no register, as mcall does not: gogo comes back to gopark's caller directly. A `ret` that does not match its
// call costs a misprediction of some 5 ns, and after a switch every return on the way out is one.
void gopark_body(bool (*unlockf)(g*, void*), void* lock, waitReason reason) GOSYM("runtime.gopark");
ALWAYS_INLINE void gopark(bool (*unlockf)(g*, void*), void* lock, waitReason reason) {
  std::uint64_t why = reason;
  __asm__ volatile("call runtime.gopark"
                   : "+D"(unlockf), "+S"(lock), "+d"(why)
                   :
                   : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
                     "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                     "xmm14", "xmm15", "memory", "cc");
}
void goparkunlock(mutex* l, waitReason reason) GOSYM("runtime.goparkunlock");
// Makes a parked goroutine runnable, as the current P's runnext.
void goready(g* gp) GOSYM("runtime.goready");
void ready(g* gp, bool next) GOSYM("runtime.ready");  // on g0 or with m.locks held
void Gosched() GOSYM("runtime.Gosched");
void gosched_m(g* gp) GOSYM("runtime.gosched_m");
void gopreempt_m(g* gp) GOSYM("runtime.gopreempt_m");
void goyield() GOSYM("runtime.goyield");  // as Gosched, but to the local queue
void park_m(g* gp) GOSYM("runtime.park_m");
void dropg() GOSYM("runtime.dropg");
void injectglist(gList* list) GOSYM("runtime.injectglist");

// ---- queues: proc_runq.cpp ----
void runqput(p* pp, g* gp, bool next) GOSYM("runtime.runqput");
g* runqget(p* pp, bool* inheritTime) GOSYM("runtime.runqget");
bool runqempty(p* pp) GOSYM("runtime.runqempty");
bool runqputslow(p* pp, g* gp, std::uint32_t h, std::uint32_t t) GOSYM("runtime.runqputslow");
void runqputbatch(p* pp, gQueue* q, std::int32_t qsize) GOSYM("runtime.runqputbatch");
g* runqsteal(p* pp, p* p2, bool stealRunNextG) GOSYM("runtime.runqsteal");
void globrunqput(g* gp) GOSYM("runtime.globrunqput");  // sched.lock held, as for all of globrunq*
void globrunqputhead(g* gp) GOSYM("runtime.globrunqputhead");
void globrunqputbatch(gQueue* batch, std::int32_t n) GOSYM("runtime.globrunqputbatch");
g* globrunqget(p* pp, std::int32_t max) GOSYM("runtime.globrunqget");

// ---- threads: proc_m.cpp ----
void mcommoninit(m* mp, std::int64_t id) GOSYM("runtime.mcommoninit");
std::int64_t mReserveID() GOSYM("runtime.mReserveID");
void checkmcount() GOSYM("runtime.checkmcount");
void mpreinit(m* mp) GOSYM("runtime.mpreinit");
m* allocm(p* pp, void (*fn)(), std::int64_t id) GOSYM("runtime.allocm");
void newm(void (*fn)(), p* pp, std::int64_t id) GOSYM("runtime.newm");
void newm1(m* mp) GOSYM("runtime.newm1");
void minit() GOSYM("runtime.minit");
void unminit() GOSYM("runtime.unminit");
void mstart0() GOSYM("runtime.mstart0");
[[noreturn]] void mstart1() GOSYM("runtime.mstart1");
void mstartm0() GOSYM("runtime.mstartm0");
void mexit(bool osStack) GOSYM("runtime.mexit");
std::int32_t mcount() GOSYM("runtime.mcount");

// ---- Ms and their Ps: proc_handoff.cpp ----
void startm(p* pp, bool spinning) GOSYM("runtime.startm");
void stopm() GOSYM("runtime.stopm");
void handoffp(p* pp) GOSYM("runtime.handoffp");
void mPark() GOSYM("runtime.mPark");
void mput(m* mp) GOSYM("runtime.mput");
m* mget() GOSYM("runtime.mget");
void stoplockedm() GOSYM("runtime.stoplockedm");
void startlockedm(g* gp) GOSYM("runtime.startlockedm");
void gcstopm() GOSYM("runtime.gcstopm");
void lockOSThread() GOSYM("runtime.lockOSThread");  // the runtime's own, nests with the user's
void unlockOSThread() GOSYM("runtime.unlockOSThread");
void LockOSThread() GOSYM("runtime.LockOSThread");
void UnlockOSThread() GOSYM("runtime.UnlockOSThread");

// ---- Ps and the world: proc_world.cpp ----
p* procresize(std::int32_t nprocs) GOSYM("runtime.procresize");
void acquirep(p* pp) GOSYM("runtime.acquirep");
void wirep(p* pp) GOSYM("runtime.wirep");
p* releasep() GOSYM("runtime.releasep");
void pidleput(p* pp) GOSYM("runtime.pidleput");  // sched.lock held
p* pidleget() GOSYM("runtime.pidleget");
void wakeSysmon();  // if it is in its long sleep; sched.lock is held
void stopTheWorld(const char* reason) GOSYM("runtime.stopTheWorld");
void startTheWorld() GOSYM("runtime.startTheWorld");
void stopTheWorldWithSema() GOSYM("runtime.stopTheWorldWithSema");  // on g0, worldsema held
std::int64_t startTheWorldWithSema() GOSYM("runtime.startTheWorldWithSema");
std::int32_t GOMAXPROCS(std::int32_t n) GOSYM("runtime.GOMAXPROCS");
// Sleeping semaphores of the runtime itself (worldsema): count, with parked goroutines. See proc_world.cpp.
void semacquireWorld() GOSYM("runtime.semacquireWorld");
void semreleaseWorld() GOSYM("runtime.semreleaseWorld");

// ---- system calls: proc_syscall.cpp ----
void entersyscall() GOSYM("runtime.entersyscall");
void entersyscallblock() GOSYM("runtime.entersyscallblock");
void exitsyscall() GOSYM("runtime.exitsyscall");
void save(uintptr pc, uintptr sp, uintptr bp) GOSYM("runtime.save");
bool notetsleepg(note* n, std::int64_t ns) GOSYM("runtime.notetsleepg");  // on a goroutine; gives its P away

// ---- user code without a P: foreign_exc.cpp ----
void foreignBegin();  // between entersyscall and the call of such code
void foreignEnd();    // between it and exitsyscall
bool foreignHere();   // is this such code?
void foreignSyscall(uintptr pc, uintptr sp);
void foreignSyscallDone();
void foreignCall(void (*f)(void*), void* arg) GOSYM("runtime.foreignCall");  // calls f with a P
void foreignSignal(g* gp, uintptr sp, uintptr frame);
void stopForeign();  // world stopped, mheap.noPlock held: nobody runs such code until startForeign
void startForeign();
template <class F>
[[gnu::noinline, gnu::cold, gnu::optimize("Os")]] auto withP(F f) {
  using R = decltype(f());
  if constexpr (std::is_void_v<R>) {
    foreignCall([](void* p) { (*static_cast<F*>(p))(); }, &f);
  } else {
    R r{};
    auto call = [&] { r = f(); };
    foreignCall([](void* p) { (*static_cast<decltype(call)*>(p))(); }, &call);
    return r;
  }
}
// The first line of what needs a P and user code may call: inside boot::blocking it gets one, and does `call` anew.
#define NEEDS_P(call) \
  if (UNLIKELY(getguard() == 0) && foreignHere()) return withP([=] { return call; })

// ---- sysmon: proc_sysmon.cpp ----
void sysmon() GOSYM("runtime.sysmon");
// A goroutine's time slice, in ns. Only programs write it that show an order of goroutines, before they start any: a slice
// that ends in their midst on a slow machine, or a request that comes late and meets somebody else, would change it.
extern std::int64_t forcePreemptNS;
std::uint32_t retake(std::int64_t now) GOSYM("runtime.retake");
void checkdead() GOSYM("runtime.checkdead");                 // sched.lock held
void schedtrace(bool detailed) GOSYM("runtime.schedtrace");  // diag

// ---- preemption: preempt.cpp ----
bool preemptone(p* pp) GOSYM("runtime.preemptone");
bool preemptall() GOSYM("runtime.preemptall");
// Where user code enters the runtime often, it looks for a request to stop. Its own prologue checks may never run: a
// loop whose calls were inlined down to the runtime's functions has none, and the preempting signal mostly finds such a
// loop in runtime text, where it only writes the request down. Go's own channel functions have a prologue check, too.
void preempthere() GOSYM("runtime.preempthere");
ALWAYS_INLINE void preemptpoint() {
  if (UNLIKELY(getguard() == stackPreempt)) preempthere();
}

// ---- timers of a P: timeheap.cpp ----
struct timersResult {
  std::int64_t now, pollUntil;
  bool ran;
};
timersResult checkTimers(p* pp, std::int64_t now) GOSYM("runtime.checkTimers");
// The earliest time at which a timer of any P fires, and that P; 0 if there is none. For sysmon and checkdead.
std::int64_t timeSleepUntil() GOSYM("runtime.timeSleepUntil");
// Takes the timers of a P that is going away over to the current one.
void moveTimers(p* pp, p* from);

// ---- netpoll as far as the scheduler needs it: the sleep of the last spinning M with a deadline ----
// Sleeps until ns from now (or until netpollBreak); returns Gs made ready by descriptors. ns < 0: no limit, 0: poll.
gList netpoll(std::int64_t ns) GOSYM("runtime.netpoll");
void netpollBreak() GOSYM("runtime.netpollBreak");
bool netpollinited() GOSYM("runtime.netpollinited");

// ---- small helpers on the queue types ----
ALWAYS_INLINE void gqpush(gQueue* q, g* gp) {  // at the head
  gp->schedlink = q->head;
  q->head = gp;
  if (q->tail == nullptr) q->tail = gp;
}
ALWAYS_INLINE void gqpushBack(gQueue* q, g* gp) {
  gp->schedlink = nullptr;
  if (q->tail != nullptr)
    q->tail->schedlink = gp;
  else
    q->head = gp;
  q->tail = gp;
}
ALWAYS_INLINE g* gqpop(gQueue* q) {
  g* gp = q->head;
  if (gp != nullptr) {
    q->head = gp->schedlink;
    if (q->head == nullptr) q->tail = nullptr;
  }
  return gp;
}
ALWAYS_INLINE void glpush(gList* l, g* gp) {
  gp->schedlink = l->head;
  l->head = gp;
}
ALWAYS_INLINE g* glpop(gList* l) {
  g* gp = l->head;
  if (gp != nullptr) l->head = gp->schedlink;
  return gp;
}

template <class F>
void forEachG(F f) {
  lock(&allglock);
  for (std::int64_t i = 0; i < allgs.len; i++) f(allgs.array[i]);
  unlock(&allglock);
}

}  // namespace runtime

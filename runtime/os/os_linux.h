// Linux under the runtime: system calls, clocks, threads, futex locks and notes, the auxiliary vector.
//
// Owns: every name by which the layers above reach the kernel. System calls return the kernel's value: -errno on
// failure, as Go's raw ones do. Nothing here schedules; a call that may block for long is wrapped by entersyscall
// above (sched/proc_syscall.cpp).
#pragma once

#include "runtime/base/atoi.h"
#include "runtime/base/atomic.h"
#include "runtime/base/stubs.h"
#include "runtime/base/lockrank.h"
#include "runtime/base/syscall.h"

struct stat;

namespace runtime {

// ---- functions under Go's names (sys_linux_amd64.s, os_linux.go, mem_linux.go) ----
// ---- the end ----
//
// Every way out comes by exit, but for a signal's own kill (dieFromSignal), and before it:
//   main_main returns, os::Exit, C's exit        exitProgram: the trace, atexit's functions and static destructors, stdio
//   quick_exit                                   the trace, at_quick_exit's functions
//   _exit, _Exit                                 the trace
//   throw, fatal, a panic, std::terminate        the report, the trace; a core if GOTRACEBACK=crash
//   abort, a signal that ends loudly (SIGQUIT)   the same
//   a signal that kills                          the trace
// Goexit of main is no end: the last goroutine's is, by fatal. pure mode's stdio keeps nothing; hosted mode's is libc's.
[[noreturn]] void exit(std::int32_t code) GOSYM("runtime.exit");  // exit_group
[[noreturn]] void exitProgram(std::int32_t code) GOSYM("runtime.exitProgram");
// The status of a program whose trace could not be written: 0 would say that all is well.
constexpr std::int32_t exitstatus(std::int32_t code) { return code == 0 ? 1 : code; }

long read(std::int32_t fd, void* p, std::size_t n) GOSYM("runtime.read");
long write1(uintptr fd, const void* p, std::size_t n) GOSYM("runtime.write1");
long open(const char* name, std::int32_t mode, std::int32_t perm) GOSYM("runtime.open");
long closefd(std::int32_t fd) GOSYM("runtime.closefd");
extern int mmapErrno;  // atomic enough for a text: why mmap has refused last
void* mmap(void* addr, std::size_t n, int prot, int flags, int fd, long off, int* err) GOSYM("runtime.mmap");
bool munmap(void* addr, std::size_t n) GOSYM("runtime.munmap");  // false: refused, the addresses stay in use
long madvise(void* addr, std::size_t n, int flags) GOSYM("runtime.madvise");
long futex(std::uint32_t* addr, int op, std::uint32_t val, const void* ts) GOSYM("runtime.futex");
void usleep(std::uint32_t usec) GOSYM("runtime.usleep");
void osyield() GOSYM("runtime.osyield");
std::uint32_t gettid() GOSYM("runtime.gettid");
std::uint32_t getpid();
// Sends sig to a thread of this process.
long tgkill(std::uint32_t tgid, std::uint32_t tid, int sig) GOSYM("runtime.tgkill");
void raise(std::uint32_t sig) GOSYM("runtime.raise");                           // to this thread
void raiseproc(std::uint32_t sig) GOSYM("runtime.raiseproc");                   // to the process
[[noreturn]] void exitThread(std::uint32_t* wait) GOSYM("runtime.exitThread");  // stores 0 to *wait, wakes, exits
void settls(void* tls1) GOSYM("runtime.settls");
// The thread starts at mstart on mp->g0's stack with FS = mp->tlsbase and g = mp->g0. Returns the tid or -errno.
std::int32_t clone(std::int32_t flags, void* stk, m* mp, g* gp, void (*fn)()) GOSYM("runtime.clone");
// Starts the thread of mp; throws Go's text when the kernel refuses.
void newosproc(m* mp) GOSYM("runtime.newosproc");

// ---- clocks: from the vDSO where there is one (vdso_linux.cpp) ----
std::int64_t nanotime() GOSYM("runtime.nanotime");  // monotonic, ns
// Processor time used so far, ns; -1 unknown.
std::int64_t threadCPUtime(std::uint64_t tid) GOSYM("runtime.threadCPUtime");  // by a thread of this process
std::int64_t processCPUtime() GOSYM("runtime.processCPUtime");                 // by all of them
std::int64_t nanotime1() GOSYM("runtime.nanotime1");
struct walltime_t {
  std::int64_t sec;
  std::int32_t nsec;
};
walltime_t walltime() GOSYM("runtime.walltime");
extern bool vdsoClock;  // false: clock_gettime goes to the kernel

// ---- start (called in this order by rt0_go through args and osinit) ----
void sysargs(std::int32_t argc, char** argv) GOSYM("runtime.sysargs");
std::int32_t sysauxv(std::uint64_t* auxv) GOSYM("runtime.sysauxv");
void vdsoauxv(std::uint64_t tag, std::uint64_t val) GOSYM("runtime.vdsoauxv");
void osinit() GOSYM("runtime.osinit");
std::int32_t getproccount() GOSYM("runtime.getproccount");  // affinity and the cgroup's CPU limit
uintptr getHugePageSize() GOSYM("runtime.getHugePageSize");
extern slice<std::uint8_t> startupRandomData GOSYM("runtime.startupRandomData");  // AT_RANDOM's 16 bytes
extern std::uint64_t auxvHwcap2;                                                  // AT_HWCAP2
extern uintptr auxvPhdr, auxvPhnum, auxvEntry, auxvMinSigStk, auxvSysinfoEhdr;
extern const char* auxvExecfn;  // AT_EXECFN, null if absent
// Opens /dev/null on 0, 1, 2 where they are closed, so that no later file gets such a number.
void checkfds() GOSYM("runtime.checkfds");

// ---- memory from the kernel (mem_linux.go); n and addresses in whole pages ----
// Zeroed, ready; null on failure. Unless quiet the program ends with Go's text where more than memory is refused.
void* sysAllocOS(uintptr n, bool quiet) GOSYM("runtime.sysAllocOS");
void* sysReserveOS(void* v, uintptr n) GOSYM("runtime.sysReserveOS");  // address space only; null on failure
// Reserved → usable. Throws when the kernel refuses; quiet: returns false, and the addresses may be anybody's already.
bool sysMapOS(void* v, uintptr n, bool quiet) GOSYM("runtime.sysMapOS");
// Gives contents back. Refused: nothing has changed. Lazily: they are gone some time later, or when written to.
enum unusedPages : std::uint8_t { unusedRefused, unusedLazily, unusedZero };
unusedPages sysUnusedOS(void* v, uintptr n) GOSYM("runtime.sysUnusedOS");
void sysUsedOS(void* v, uintptr n) GOSYM("runtime.sysUsedOS");
void sysHugePageOS(void* v, uintptr n);
void sysFreeOS(void* v, uintptr n) GOSYM("runtime.sysFreeOS");
void sysFaultOS(void* v, uintptr n) GOSYM("runtime.sysFaultOS");

// ---- locks and notes (lock_futex.go) ----
void lock2(mutex* l) GOSYM("runtime.lock2");
void unlock2(mutex* l) GOSYM("runtime.unlock2");
void lock(mutex* l) GOSYM("runtime.lock");  // m.locks++ until unlock: no preemption while held
void unlock(mutex* l) GOSYM("runtime.unlock");
// For locks that only goroutines take and hold for a moment: nobody sleeps on them, a store of 0 gives them back. onep.h
// has the uncontended case and the unlock.
void lockuser(mutex* l) GOSYM("runtime.lockuser");
void noteclear(note* n) GOSYM("runtime.noteclear");
void notewakeup(note* n) GOSYM("runtime.notewakeup");
void notesleep(note* n) GOSYM("runtime.notesleep");  // on g0 only
bool notetsleep(note* n, std::int64_t ns)
    GOSYM("runtime.notetsleep");  // on g0 only; false: timed out; ns < 0 = no limit
void futexsleep(std::uint32_t* addr, std::uint32_t val, std::int64_t ns) GOSYM("runtime.futexsleep");
void futexwakeup(std::uint32_t* addr, std::uint32_t cnt) GOSYM("runtime.futexwakeup");

// ---- signals, the kernel's side ----
struct ksigaction {
  void* handler;
  std::uint64_t flags;
  void (*restorer)();
  std::uint64_t mask;
};
struct stackt {
  void* ss_sp;
  std::int32_t ss_flags, pad;
  uintptr ss_size;
};
void sigaction(std::uint32_t sig, const ksigaction* nw, ksigaction* old) GOSYM("runtime.sigaction");
void rtsigprocmask(int how, const std::uint64_t* nw, std::uint64_t* old) GOSYM("runtime.rtsigprocmask");
void sigaltstack(const stackt* nw, stackt* old) GOSYM("runtime.sigaltstack");
extern "C++" void sigreturn__sigaction() GOSYM("runtime.sigreturn__sigaction");  // SA_RESTORER, asm

// ---- environment (env_posix.go, runtime1.go) ----
extern std::int32_t argc GOSYM("runtime.argc");
extern char** argv GOSYM("runtime.argv");
extern char** envp;                                      // argv + argc + 1
extern slice<char*> argslice GOSYM("runtime.argslice");  // init (goargs)
extern slice<char*> envs GOSYM("runtime.envs");          // init (goenvs)
void args(std::int32_t c, char** v) GOSYM("runtime.args");
void goargs() GOSYM("runtime.goargs");
void goenvs() GOSYM("runtime.goenvs");
void goenvs_unix() GOSYM("runtime.goenvs_unix");
// What the environment tells the runtime itself: null if not set, and always under secureMode.
const char* gogetenv(const char* key) GOSYM("runtime.gogetenv");
// What it tells the program: C's getenv.
const char* environValue(const char* key);

// debug variables of GODEBUG that the runtime reads (runtime1.go); init, after parsedebugvars
struct debugvars {
  std::int32_t schedtrace, scheddetail, gctrace, asyncpreemptoff, inittrace, boottrace, tracebackancestors;
  std::int32_t gccheckmark, clobberfree, madvdontneed, scavtrace, gcstoptheworld, deadlockgraph, invalidptr;
  std::int32_t dontfreezetheworld, gcconcurrent, schedlog;
  const char* exectrace;  // file name, null if not asked for
};
extern debugvars debug GOSYM("runtime.debug");
void parsedebugvars() GOSYM("runtime.parsedebugvars");
// The value of key in GODEBUG as text (pointer into the environment, length), null if absent; the last one counts.
const char* godebugValue(const char* key, std::size_t* n);

}  // namespace runtime

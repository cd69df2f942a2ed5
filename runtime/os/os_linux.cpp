// Linux: the plain system calls, and what the start asks of the kernel.
//
// Owns: the wrappers under Go's names, the auxiliary vector, ncpu and page sizes, the descriptors 0 to 2, and the
// making of threads.
//
// Invariant: what the auxiliary vector tells is not asked again. Each system call before main_main has a reason here.
#include "runtime/os/os_linux.h"

#include "runtime/base/bootstep.h"
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/os/cgroup_linux.h"

namespace runtime {

constinit slice<std::uint8_t> startupRandomData{};
constinit std::uint64_t auxvHwcap2 = 0;
constinit uintptr auxvPhdr = 0, auxvPhnum = 0, auxvEntry = 0, auxvMinSigStk = 0, auxvSysinfoEhdr = 0;
constinit const char* auxvExecfn = nullptr;

namespace {

enum : std::uint64_t {
  kAtNull = 0,
  kAtPhdr = 3,
  kAtPhnum = 5,
  kAtPagesz = 6,
  kAtEntry = 9,
  kAtSecure = 23,
  kAtRandom = 25,
  kAtHwcap2 = 26,
  kAtExecfn = 31,
  kAtSysinfoEhdr = 33,
  kAtMinsigstksz = 51,
};
enum : int { kProtRW = 3, kPrivateAnon = 0x22, kRdonly = 0, kRdwr = 2 };
enum : int { kGetfd = 1, kPollnval = 0x20 };
enum : long { kEAGAIN = 11, kEBADF = 9 };
enum : int { kSigSetmask = 2 };

// What a Go thread shares with its process: everything but its stack and registers. CLONE_SYSVSEM so that semaphore
// undo values belong to the process; CLONE_THREAD so that signals and wait() see one process.
enum : std::int32_t {
  kCloneVM = 0x100,
  kCloneFS = 0x200,
  kCloneFiles = 0x400,
  kCloneSighand = 0x800,
  kCloneThread = 0x10000,
  kCloneSysvsem = 0x40000,
};
constexpr std::int32_t cloneFlags = kCloneVM | kCloneFS | kCloneFiles | kCloneSighand | kCloneSysvsem | kCloneThread;

long arg(const void* p) { return reinterpret_cast<long>(p); }

}  // namespace

// ---- the plain ones ----

LANDMARK void exit(std::int32_t code) {
  if (hooks.traceCrash != nullptr && !hooks.traceCrash()) code = exitstatus(code);
  exitGroup(code);
}
LANDMARK void exitProgram(std::int32_t code) {
  exitcode = code;
  if (hooks.traceStop != nullptr && !hooks.traceStop()) exitcode = exitstatus(code);
  if (hooks.atexit != nullptr) hooks.atexit();
  exit(exitcode);
}
long read(std::int32_t fd, void* p, std::size_t n) { return syscall6(SYS_read, fd, arg(p), static_cast<long>(n)); }
long write1(uintptr fd, const void* p, std::size_t n) {
  return syscall6(SYS_write, static_cast<long>(fd), arg(p), static_cast<long>(n));
}
long open(const char* name, std::int32_t mode, std::int32_t perm) {
  constexpr long kAtFdcwd = -100;
  return syscall6(SYS_openat, kAtFdcwd, arg(name), mode, perm);
}
long closefd(std::int32_t fd) { return syscall6(SYS_close, fd); }

int mmapErrno;

void* mmap(void* addr, std::size_t n, int prot, int flags, int fd, long off, int* err) {
  long r = syscall6(SYS_mmap, arg(addr), static_cast<long>(n), prot, flags, fd, off);
  if (r < 0 && r > -4096) {
    *err = mmapErrno = static_cast<int>(-r);
    return nullptr;
  }
  *err = 0;
  return reinterpret_cast<void*>(r);
}
bool munmap(void* addr, std::size_t n) {
  long r = syscall6(SYS_munmap, arg(addr), static_cast<long>(n));
  if (r == 0) return true;
  if (r == -22) {  // the caller owned that range: our books are wrong
    printf("runtime: munmap({:#x}, {})\n", arg(addr), n);
    throw_("runtime: munmap failed");
  }
  // A hole in the midst of a mapping makes two of it, which the kernel refuses above vm.max_map_count; or a sandbox does.
  // The addresses stay in use, then, but not the memory.
  constexpr int kDontneed = 4;
  madvise(addr, n, kDontneed);
  return false;
}
long madvise(void* addr, std::size_t n, int flags) {
  return syscall6(SYS_madvise, arg(addr), static_cast<long>(n), flags);
}
void usleep(std::uint32_t usec) {
  struct {
    std::int64_t sec, nsec;
  } ts{usec / 1000000, (usec % 1000000) * 1000};
  syscall6(SYS_nanosleep, arg(&ts), 0);
}
void osyield() { syscall6(SYS_sched_yield); }
std::uint32_t gettid() { return static_cast<std::uint32_t>(syscall6(SYS_gettid)); }
std::uint32_t getpid() { return static_cast<std::uint32_t>(syscall6(SYS_getpid)); }
long tgkill(std::uint32_t tgid, std::uint32_t tid, int sig) { return syscall6(SYS_tgkill, tgid, tid, sig); }
void raise(std::uint32_t sig) { syscall6(SYS_tgkill, getpid(), gettid(), sig); }
void raiseproc(std::uint32_t sig) { syscall6(SYS_kill, getpid(), sig); }

long futex(std::uint32_t* addr, int op, std::uint32_t val, const void* ts) {
  return syscall6(SYS_futex, arg(addr), op, val, arg(ts));
}

// ---- signals: the kernel's side ----

void sigaction(std::uint32_t sig, const ksigaction* nw, ksigaction* old) {
  constexpr long kMaskBytes = 8;
  long r = syscall6(SYS_rt_sigaction, sig, arg(nw), arg(old), kMaskBytes);
  if (LIKELY(r >= 0)) return;
  // Those that emulate a kernel keep these for themselves: qemu the first two real-time ones, it and valgrind the last.
  if (sig == 32 || sig == 33 || sig == 64) return;
  printf("runtime: rt_sigaction({}) failed, errno={}\n", sig, -r);
  throw_("sigaction failed");
}
void rtsigprocmask(int how, const std::uint64_t* nw, std::uint64_t* old) {
  long r = syscall6(SYS_rt_sigprocmask, how, arg(nw), arg(old), sizeof *nw);
  if (UNLIKELY(r < 0)) syscallFailed("rt_sigprocmask", r);
}
void sigaltstack(const stackt* nw, stackt* old) {
  long r = syscall6(SYS_sigaltstack, arg(nw), arg(old));
  if (UNLIKELY(r < 0)) syscallFailed("sigaltstack", r);
}

// What assembly has no words for (asm/sys_linux_amd64.S).
extern "C++" {
[[noreturn]] void settlsFailed(long r) GOSYM("runtime.settlsFailed");
[[noreturn]] void sigreturnFailed(long r) GOSYM("runtime.sigreturnFailed");
}

// There is no thread pointer, so no g, so nothing of what prints: the bare call.
void settlsFailed(long r) {
  char text[] = "runtime: arch_prctl(ARCH_SET_FS) failed, errno=    \n";
  char* end = text + sizeof text - 2;
  for (long e = -r; e > 0; e /= 10) *--end = static_cast<char>('0' + e % 10);
  char* digits = text + sizeof text - 6;  // to the left: the blanks come last
  while (*end >= '0' && *end <= '9') *digits++ = *end, *end++ = ' ';
  syscall6(SYS_write, 2, arg(text), sizeof text - 1);
  for (;;) syscall6(SYS_exit_group, 2);
}

// On the signal's stack, as the goroutine that was interrupted.
void sigreturnFailed(long r) { syscallFailed("rt_sigreturn", r); }

// ---- the auxiliary vector ----

// Tries addresses inside a mapping: mincore refuses those that are not at a page's start.
static void probePageSize() {
  constexpr std::size_t kMax = 256 << 10;
  int err;
  void* p = mmap(nullptr, kMax, kProtRW, kPrivateAnon, -1, 0, &err);
  if (err != 0) return;
  std::uint8_t vec;
  uintptr n = 4 << 10;
  while (n < kMax && syscall6(SYS_mincore, arg(p) + static_cast<long>(n), 1, arg(&vec)) != 0) n <<= 1;
  physPageSize = n;
  munmap(p, kMax);
}

// A loader that leaves no vector on the stack: the kernel keeps a copy.
static void readProcAuxv() {
  std::int32_t fd = static_cast<std::int32_t>(open("/proc/self/auxv", kRdonly, 0));
  if (fd < 0) return;
  constexpr std::size_t kWords = 128;
  std::uint64_t buf[kWords] = {};
  long got = read(fd, buf, sizeof buf - 2 * sizeof buf[0]);  // the last pair stays AT_NULL
  closefd(fd);
  if (got > 0) sysauxv(buf);
}

BOOTMARK void sysargs(std::int32_t c, char** v) {
  std::int64_t n = std::int64_t{c} + 1;
  while (v[n] != nullptr) n++;  // envp
  auto auxv = reinterpret_cast<std::uint64_t*>(v + n + 1);
  std::int32_t pairs = sysauxv(auxv);
  BOOTSTEP("runtime.sysargs", "#auxv,entries,pagesize", auxv, pairs, physPageSize);
  if (pairs == 0) readProcAuxv();
  if (physPageSize == 0) probePageSize();
}

BOOTMARK std::int32_t sysauxv(std::uint64_t* auxv) {
  std::int32_t i = 0;
  for (; auxv[i] != kAtNull; i += 2) {
    std::uint64_t tag = auxv[i], val = auxv[i + 1];
    switch (tag) {
      case kAtRandom:
        if (val != 0) startupRandomData = {reinterpret_cast<std::uint8_t*>(val), 16, 16};
        break;
      case kAtPagesz:
        physPageSize = val;
        break;
      case kAtHwcap2:
        auxvHwcap2 = val;
        break;
      case kAtPhdr:
        auxvPhdr = val;
        break;
      case kAtPhnum:
        auxvPhnum = val;
        break;
      case kAtSecure:
        secureMode = val != 0;
        break;
      case kAtEntry:
        auxvEntry = val;
        break;
      case kAtMinsigstksz:
        auxvMinSigStk = val;
        break;
      case kAtSysinfoEhdr:
        auxvSysinfoEhdr = val;
        break;
      case kAtExecfn:
        auxvExecfn = reinterpret_cast<const char*>(val);
        break;
    }
    vdsoauxv(tag, val);
  }
  return i / 2;
}

// ---- osinit ----

// Reads a small file into buf, ends it with a zero; the length, or -errno.
static long readFile(const char* path, char* buf, std::size_t n) {
  long fd = open(path, kRdonly, 0);
  if (fd < 0) return fd;
  long r = read(static_cast<std::int32_t>(fd), buf, n - 1);
  closefd(static_cast<std::int32_t>(fd));
  buf[r > 0 ? r : 0] = '\0';
  return r;
}

BOOTMARK void osinit() {
  ncpu = getproccount();
  physHugePageSize = getHugePageSize();
  BOOTSTEP("runtime.osinit", "ncpu,#hugepage", ncpu, physHugePageSize);
}

// The CPUs in this thread's affinity mask, cut to the time that the control group grants. A program that is given two
// CPUs' worth of time and starts 64 Ps would use up its share early in each period and then stand still (C28).
BOOTMARK std::int32_t getproccount() {
  // Large enough for any kernel's mask, and there is room: this is the OS stack. The kernel says how much it filled.
  constexpr std::size_t kMaxCPUs = 64 * 1024;
  std::uint64_t mask[kMaxCPUs / 64];
  long r = syscall6(SYS_sched_getaffinity, 0, sizeof mask, arg(mask));
  std::int32_t n = 0;
  for (long i = 0; i < r / 8; i++) n += __builtin_popcountll(mask[i]);
  if (n == 0) n = 1;
  std::int32_t affine = n;
  std::int32_t limit = 0;
  if (n > 1) limit = cgroupCPULimit(readFile);
  if (limit > 0 && limit < n) n = limit;
  BOOTSTEP("runtime.getproccount", "affinity,cgroup,ncpu", affine, limit, n);
  return n;
}

// The page table's format fixes the size: an entry of the second level maps 2 MB. Whether the kernel makes such pages is
// told by the mere existence of a file, so it need not be opened, read and closed.
BOOTMARK uintptr getHugePageSize() {
  constexpr uintptr kPmdSize = 2 << 20;
  constexpr long kReadable = 4;
  long r = syscall6(SYS_access, arg("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), kReadable);
  uintptr size = r == 0 ? kPmdSize : 0;
  BOOTSTEP("runtime.getHugePageSize", "#bytes", size);
  return size;
}

// The number is taken so that no later file gets it, but it stays useless: a write to a closed standard output fails with
// EBADF, as if the descriptor were still closed.
static void openStdFd(std::int32_t fd) {
  constexpr int kReadOnly = 0, kWriteOnly = 1;
  long r = open("/dev/null", fd == 0 ? kWriteOnly : kReadOnly, 0);
  if (r < 0) {
    printf("runtime: standard file descriptor {} closed, unable to open /dev/null, errno={}\n", fd, -r);
    throw_("cannot open standard fds");
  }
  if (r != fd) {
    printf("runtime: opened unexpected file descriptor {} when attempting to open {}\n", r, fd);
    throw_("cannot open standard fds");
  }
}

// poll tells about all three at once: a closed descriptor is POLLNVAL. Under a limit of fewer than three descriptors it
// refuses, and each is asked by itself.
BOOTMARK void checkfds() {
  struct pollfd {
    std::int32_t fd;
    std::int16_t events, revents;
  } p[3] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  long r = syscall6(SYS_poll, arg(p), 3, 0);
  std::uint32_t closed = 0;
  for (std::int32_t fd = 0; fd < 3; fd++) {
    if (r >= 0) {
      if ((p[fd].revents & kPollnval) == 0) continue;
    } else {
      long e = syscall6(SYS_fcntl, fd, kGetfd, 0);
      if (e >= 0) continue;
      if (e != -kEBADF) {
        printf("runtime: unexpected error while checking standard file descriptor {}, errno={}\n", fd, -e);
        throw_("cannot open standard fds");
      }
    }
    openStdFd(fd);
    closed |= 1u << fd;
  }
  BOOTSTEP("runtime.checkfds", "#were_closed", closed);
}

// ---- threads ----

LANDMARK void newosproc(m* mp) {
  BOOTSTEP("runtime.newosproc", "id,#stack,#fs", mp->id, mp->g0->stack.hi, mp->tlsbase);
  if (hooks.thread_start != nullptr) {
    hooks.thread_start(mp);
    return;
  }
  if (mp->tlsbase == 0) mp->tlsbase = reinterpret_cast<uintptr>(&mp->tls[1]);
  auto* words = reinterpret_cast<uintptr*>(mp->tlsbase);
  words[0] = mp->tlsbase;  // the ABI's self pointer

  // No signal needs to be blocked meanwhile, as Go must: the thread has g, m and guard before its first instruction,
  // which is where the kernel likes to deliver what is pending. A handler that comes before minit has set the alternate
  // stack finds itself on g0's.
  mp->g0->m = mp;
  words[-1] = reinterpret_cast<uintptr>(mp->g0);
  words[0x70 / 8] = mp->g0->stackguard0;
  std::int32_t r = clone(cloneFlags, reinterpret_cast<void*>(mp->g0->stack.hi), mp, mp->g0, mstart);
  if (r >= 0) return;

  // A goroutine's go statement may have come here; it is the scheduler that has failed, though, not the goroutine.
  systemstack([r] {
    printf("runtime: failed to create new OS thread (have {} already; errno={})\n", sched.mnext - sched.nmfreed, -r);
    if (r == -kEAGAIN) printf("runtime: may need to increase max user processes (ulimit -u)\n");
    throw_("newosproc");
  });
}

// ---- futex: sleep and wake (lock_futex.cpp) ----

// May return early; the caller looks at *addr again.
LANDMARK void futexsleep(std::uint32_t* addr, std::uint32_t val, std::int64_t ns) {
  constexpr int kWaitPrivate = 128;
  if (ns < 0) {
    futex(addr, kWaitPrivate, val, nullptr);
    return;
  }
  struct {
    std::int64_t sec, nsec;
  } ts{ns / 1000000000, ns % 1000000000};
  futex(addr, kWaitPrivate, val, &ts);
}

LANDMARK void futexwakeup(std::uint32_t* addr, std::uint32_t cnt) {
  constexpr int kWakePrivate = 129;
  long r = futex(addr, kWakePrivate, cnt, nullptr);
  if (r >= 0) return;
  printf("futexwakeup addr={:#x} returned {}\n", reinterpret_cast<uintptr>(addr), r);
  syscallFailed("futex", r);  // a lost wake-up would hang: stop here
}

}  // namespace runtime

// Clocks and sleeping: std::chrono's clocks, std::this_thread, and the futex system call of std::atomic::wait.
//
// Owns: clock_gettime and its relatives, nanosleep, sched_yield, syscall, what sysconf tells, random numbers from the
// kernel. A sleep parks the goroutine on a word of its own that nobody wakes.
#include <cstdarg>
#include <cstddef>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cxx/cxx.h"
#include "runtime/diag/output.h"
#include "runtime/os/os_linux.h"
#include "runtime/sched/proc.h"
#include "runtime/sync/onep.h"

namespace runtime {
namespace cxx {

std::int64_t deadlineIn(std::int64_t ns) {
  std::int64_t t;
  if (ns < 0) ns = 0;
  return __builtin_add_overflow(nanotime(), ns, &t) ? kForever : t;
}

static bool valid(const timespec* ts) { return ts->tv_nsec >= 0 && ts->tv_nsec < 1'000'000'000; }

// What does not fit is the longest or the shortest there is: here, and in each conversion below.
static std::int64_t nanoseconds(const timespec* ts) {
  std::int64_t ns;
  if (__builtin_mul_overflow(ts->tv_sec, std::int64_t{1'000'000'000}, &ns) ||
      __builtin_add_overflow(ns, ts->tv_nsec, &ns))
    return ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
  return ns;
}

// What libstdc++ makes of a time before the epoch with a fraction: seconds cut towards zero, and negative nanoseconds.
static bool beforeEpoch(const timespec* ts) {
  return ts->tv_sec <= 0 && ts->tv_nsec < 0 && ts->tv_nsec > -1'000'000'000;
}

bool deadlineOf(int clock, const timespec* abs, std::int64_t* deadline) {
  if ((!valid(abs) && !beforeEpoch(abs)) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)) return false;
  std::int64_t ns = nanoseconds(abs);
  if (ns == INT64_MAX) {
    *deadline = kForever;
  } else if (clock == CLOCK_MONOTONIC) {
    *deadline = ns > 0 ? ns : 1;
  } else {
    // The heap of timers knows the monotonic clock only; a step of the wall clock during the wait goes unseen, as in Go.
    walltime_t w = walltime();
    *deadline = __builtin_sub_overflow(ns, w.sec * 1'000'000'000 + w.nsec, &ns) ? 1 : deadlineIn(ns);
  }
  return true;
}

}  // namespace cxx

namespace {

// A result of the kernel's as C wants it: -1 and errno.
long checked(long r) {
  if (r >= 0 || r < -4095) return r;
  errno = static_cast<int>(-r);
  return -1;
}

// A system call that may take long: the P goes to other goroutines meanwhile.
long blocking(long nr, long a, long b, long c, long d, long e, long f) {
  if (!cxx::canPark()) return syscall6(nr, a, b, c, d, e, f);
  entersyscall();
  long r = syscall6(nr, a, b, c, d, e, f);
  exitsyscall();
  return r;
}

constexpr int kFutexWait = 0, kFutexWake = 1, kFutexWaitBitset = 9, kFutexWakeBitset = 10;
constexpr int kFutexPrivate = 128, kFutexClockRealtime = 256;

// The futex operations that libstdc++ uses, on goroutines. Others, and a futex shared with another process, go to the
// kernel.
bool gofutex(std::uint32_t* addr, int op, std::uint32_t val, const timespec* ts, long* result) {
  std::int64_t deadline = cxx::kForever;
  bool bad = false;
  switch (op & ~(kFutexPrivate | kFutexClockRealtime)) {
    case kFutexWait:
      bad = ts != nullptr && (!cxx::valid(ts) || ts->tv_sec < 0);
      if (ts != nullptr && !bad) deadline = cxx::deadlineIn(cxx::nanoseconds(ts));
      break;
    case kFutexWaitBitset:
      bad = ts != nullptr &&
            (ts->tv_sec < 0 ||
             !cxx::deadlineOf(op & kFutexClockRealtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, ts, &deadline));
      break;
    case kFutexWake:
    case kFutexWakeBitset:
      *result = cxx::wakeOn(addr, val);
      return true;
    default:
      return false;
  }
  if (bad) {
    *result = -EINVAL;
    return true;
  }
  switch (cxx::parkOn(addr, val, deadline, waitReasonSemacquire)) {
    case cxx::parkResult::changed:
      *result = -EAGAIN;
      break;
    case cxx::parkResult::timeout:
      *result = -ETIMEDOUT;
      break;
    default:
      *result = 0;
  }
  return true;
}

int sleepUntil(std::int64_t deadline) {
  if (!cxx::canPark()) {
    for (std::int64_t left; (left = deadline - nanotime()) > 0;) {
      runtime::usleep(static_cast<std::uint32_t>(left / 1000 < 1000 ? left / 1000 + 1 : 1000));
    }
    return 0;
  }
  const std::uint32_t never = 0;
  while (nanotime() < deadline) cxx::parkOn(&never, 0, deadline, waitReasonSleep);
  return 0;
}

}  // namespace
}  // namespace runtime

using namespace runtime;

extern "C" {

long syscall(long nr, ...) noexcept {
  va_list ap;
  va_start(ap, nr);
  long a[6];
  for (long& x : a) x = va_arg(ap, long);
  va_end(ap);
  long r;
  if (nr == SYS_futex && gofutex(reinterpret_cast<std::uint32_t*>(a[0]), static_cast<int>(a[1]),
                                 static_cast<std::uint32_t>(a[2]), reinterpret_cast<const timespec*>(a[3]), &r))
    return checked(r);
  if (nr == SYS_write)
    return checked(
        writeSome(static_cast<int>(a[0]), reinterpret_cast<const void*>(a[1]), static_cast<std::size_t>(a[2])));
  return checked(blocking(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

int clock_gettime(clockid_t clock, timespec* ts) noexcept {
  preemptpoint();  // a loop that waits for a time does little else, and no signal stops it in here
  if (clock == CLOCK_MONOTONIC) {
    std::int64_t t = nanotime();
    *ts = {t / 1'000'000'000, t % 1'000'000'000};
    return 0;
  }
  if (clock == CLOCK_REALTIME) {
    walltime_t w = walltime();
    *ts = {w.sec, w.nsec};
    return 0;
  }
  return static_cast<int>(checked(syscall6(SYS_clock_gettime, clock, reinterpret_cast<long>(ts))));
}

int clock_getres(clockid_t, timespec* ts) noexcept {
  if (ts != nullptr) *ts = {0, 1};
  return 0;
}

int gettimeofday(timeval* tv, void*) noexcept {
  walltime_t w = walltime();
  *tv = {w.sec, w.nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  time_t t = walltime().sec;
  if (out != nullptr) *out = t;
  return t;
}

clock_t clock() noexcept {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return ts.tv_sec * CLOCKS_PER_SEC + ts.tv_nsec / (1'000'000'000 / CLOCKS_PER_SEC);
}

int nanosleep(const timespec* ts, timespec* left) {
  if (!cxx::valid(ts) || ts->tv_sec < 0) {
    errno = EINVAL;
    return -1;
  }
  std::int64_t deadline = cxx::deadlineIn(cxx::nanoseconds(ts));
  if (left != nullptr) *left = {};  // may be ts itself
  return sleepUntil(deadline);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* ts, timespec* left) {
  if (!cxx::valid(ts) || ts->tv_sec < 0) return EINVAL;
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)  // not the heap's: a thread sleeps
    return static_cast<int>(
        -blocking(SYS_clock_nanosleep, clock, flags, reinterpret_cast<long>(ts), reinterpret_cast<long>(left), 0, 0));
  if ((flags & TIMER_ABSTIME) == 0) return nanosleep(ts, left);
  std::int64_t deadline;
  cxx::deadlineOf(clock, ts, &deadline);
  return sleepUntil(deadline);
}

int usleep(useconds_t us) { return sleepUntil(cxx::deadlineIn(std::int64_t{us} * 1000)); }

unsigned sleep(unsigned s) {
  sleepUntil(cxx::deadlineIn(std::int64_t{s} * 1'000'000'000));
  return 0;
}

int sched_yield() noexcept {
  if (cxx::canPark())
    Gosched();
  else
    osyield();
  return 0;
}

int get_nprocs() noexcept { return ncpu; }
int get_nprocs_conf() noexcept { return ncpu; }
int getpagesize() noexcept { return static_cast<int>(physPageSize); }
pid_t getpid() noexcept { return static_cast<pid_t>(runtime::getpid()); }

long sysconf(int name) noexcept {
  switch (name) {
    case _SC_NPROCESSORS_ONLN:
    case _SC_NPROCESSORS_CONF:
      return ncpu;
    case _SC_PAGESIZE:
      return static_cast<long>(physPageSize);
    case _SC_CLK_TCK:
      return 100;
    default:
      errno = EINVAL;
      return -1;
  }
}

// std::random_device takes what it finds: these, or rdrand itself.
ssize_t getrandom(void* p, std::size_t n, unsigned flags) {
  return checked(syscall6(SYS_getrandom, reinterpret_cast<long>(p), static_cast<long>(n), flags));
}
int getentropy(void* p, std::size_t n) { return getrandom(p, n, 0) == static_cast<ssize_t>(n) ? 0 : -1; }
unsigned arc4random() noexcept {
  unsigned v;
  while (getrandom(&v, sizeof v, 0) != sizeof v) {}
  return v;
}

// The few calls on descriptors that the library makes itself; a program uses boot::os.
ssize_t read(int fd, void* p, std::size_t n) {
  return checked(blocking(SYS_read, fd, reinterpret_cast<long>(p), static_cast<long>(n), 0, 0, 0));
}
ssize_t write(int fd, const void* p, std::size_t n) { return checked(writeSome(fd, p, n)); }
int open(const char* name, int flags, ...) {
  va_list ap;
  va_start(ap, flags);
  long mode = va_arg(ap, int);
  va_end(ap);
  return static_cast<int>(
      checked(blocking(SYS_openat, -100 /* AT_FDCWD */, reinterpret_cast<long>(name), flags, mode, 0, 0)));
}
int close(int fd) { return static_cast<int>(checked(syscall6(SYS_close, fd))); }
int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list ap;
  va_start(ap, request);
  long arg = va_arg(ap, long);
  va_end(ap);
  return static_cast<int>(checked(syscall6(SYS_ioctl, fd, static_cast<long>(request), arg)));
}
int isatty(int fd) noexcept {
  char termios[64];
  return ioctl(fd, 0x5401 /* TCGETS */, termios) == 0;
}

}  // extern "C"

// Output of programs; see output.h.
#include "runtime/diag/output.h"

#include "runtime/base/syscall.h"
#include "runtime/diag/signal_unix.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

constexpr long kEINTR = 4, kEIO = 5, kEAGAIN = 11, kEPIPE = 32;

// Kept out of line: between entersyscall and exitsyscall nothing runs but the system call. On a stack that is no
// goroutine's, or under a lock, there is no P to give away.
[[gnu::noinline]] long blocking(long nr, long a, long b, long c) {
  const g* gp = getg();
  if (gp == nullptr || gp != gp->m->curg || gp->m->p == nullptr || gp->m->locks != 0) return syscall6(nr, a, b, c);
  entersyscall();
  long r = syscall6(nr, a, b, c);
  exitsyscall();
  return r;
}

}  // namespace

std::ptrdiff_t writeSome(int fd, const void* p, std::size_t n) {
  long r = blocking(SYS_write, fd, reinterpret_cast<long>(p), static_cast<long>(n));
  if (r == -kEPIPE && (fd == 1 || fd == 2)) sigpipe();
  return r;
}

std::ptrdiff_t writeFull(int fd, const void* p, std::size_t n) {
  std::size_t done = 0;
  do {
    long r = writeSome(fd, static_cast<const char*>(p) + done, n - done);
    if (r == 0 && n != 0) r = -kEIO;  // a device that takes nothing would be asked for ever
    if (r >= 0) {
      done += static_cast<std::size_t>(r);
    } else if (r == -kEAGAIN) {
      struct {
        std::int32_t fd;
        std::int16_t events, revents;
      } pfd{fd, 4 /* POLLOUT */, 0};
      blocking(SYS_poll, reinterpret_cast<long>(&pfd), 1, -1);
    } else if (r != -kEINTR) {
      return done > 0 ? static_cast<std::ptrdiff_t>(done) : r;
    }
  } while (done < n);
  return static_cast<std::ptrdiff_t>(done);
}

// Where the kernel came back with EPIPE when the signal was delivered.
bool brokenOutput(std::uint32_t sig, const ucontext* ctx) {
  constexpr std::uint64_t kEPIPE = 32;
  const sigcontext& c = ctx->mc;
  if (sig != SIGPIPE_ || !iscgo || c.rax != -kEPIPE || (c.rdi != 1 && c.rdi != 2)) return false;
  if (isRuntimeText(c.rip) || isUserText(c.rip)) return false;
  if (c.rip % physPageSize < 2) return false;
  auto* p = reinterpret_cast<const std::uint8_t*>(c.rip);
  return p[-2] == 0x0f && p[-1] == 0x05;  // syscall
}

}  // namespace runtime

// System calls for programs: each that may block stands between entersyscall and exitsyscall.
//
// Invariant: between the two calls nothing runs but the system call itself. The P may be gone meanwhile, and the stack
// must not grow.
#include "boot/os.h"

#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "runtime/diag/output.h"
#include "runtime/sched/proc.h"

namespace boot::os {

namespace {

// One blocking system call. Kept out of line and in the runtime's text, where no preemption signal can come between
// entersyscall and exitsyscall.
[[gnu::noinline]] long blocking(long nr, long a, long b, long c, long d = 0) {
  runtime::entersyscall();
  long r = runtime::syscall6(nr, a, b, c, d);
  runtime::exitsyscall();
  return r;
}

// Waits until a descriptor that somebody set to non-blocking has something.
void awaitInput(int fd) {
  pollfd p{fd, POLLIN, 0};
  blocking(__NR_poll, reinterpret_cast<long>(&p), 1, -1);
}

// A path with a zero byte at its end, on the stack if it is of ordinary length.
struct cpath {
  explicit cpath(std::string_view s) {
    bad = s.find('\0') != s.npos;
    if (s.size() < sizeof(buf)) {
      s.copy(buf, s.size());
      buf[s.size()] = '\0';
      p = buf;
    } else {
      big = s;
      p = big.c_str();
    }
  }
  bool bad;
  const char* p;
  char buf[256];
  std::string big;
};

}  // namespace

std::span<const char* const> Args() {
  return {runtime::argv, static_cast<std::size_t>(runtime::argc < 0 ? 0 : runtime::argc)};
}

std::optional<std::string_view> LookupEnv(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (char** e = runtime::envp; *e != nullptr; e++) {
    std::string_view v = *e;
    if (v.size() > name.size() && v.starts_with(name) && v[name.size()] == '=') return v.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::string_view Getenv(std::string_view name) { return LookupEnv(name).value_or(std::string_view{}); }

void Exit(int code) { runtime::exitProgram(code); }

int Open(std::string_view path, int flags, unsigned mode) {
  cpath c(path);
  if (c.bad) return -EINVAL;
  long r;
  do r = blocking(__NR_openat, AT_FDCWD, reinterpret_cast<long>(c.p), flags | O_CLOEXEC, mode);
  while (r == -EINTR);
  return static_cast<int>(r);
}

std::ptrdiff_t Read(int fd, void* p, std::size_t n) {
  for (;;) {
    long r = blocking(__NR_read, fd, reinterpret_cast<long>(p), static_cast<long>(n));
    if (r == -EAGAIN)
      awaitInput(fd);
    else if (r != -EINTR)
      return r;
  }
}

std::ptrdiff_t Pread(int fd, void* p, std::size_t n, std::int64_t off) {
  for (;;) {
    long r = blocking(__NR_pread64, fd, reinterpret_cast<long>(p), static_cast<long>(n), off);
    if (r != -EINTR) return r;
  }
}

std::ptrdiff_t Write(int fd, const void* p, std::size_t n) { return runtime::writeFull(fd, p, n); }

// Not repeated when interrupted: Linux has closed the descriptor by then, and another thread may own the number.
int Close(int fd) { return static_cast<int>(blocking(__NR_close, fd, 0, 0)); }

namespace {

int statResult(long r, const struct stat& st, FileInfo& info) {
  if (r == 0) info = {st.st_mode, static_cast<std::int64_t>(st.st_size)};
  return static_cast<int>(r);
}

}  // namespace

int Stat(std::string_view path, FileInfo& info) {
  cpath c(path);
  if (c.bad) return -EINVAL;
  struct stat st;
  return statResult(blocking(__NR_stat, reinterpret_cast<long>(c.p), reinterpret_cast<long>(&st), 0), st, info);
}

int Fstat(int fd, FileInfo& info) {
  struct stat st;
  return statResult(blocking(__NR_fstat, fd, reinterpret_cast<long>(&st), 0), st, info);
}

PipeEnds Pipe() {
  int fd[2];
  long r = runtime::syscall6(__NR_pipe2, reinterpret_cast<long>(fd), O_CLOEXEC);
  if (r < 0) throw SyscallError("pipe2", static_cast<int>(-r));
  return {fd[0], fd[1]};
}

bool IsTerminal(int fd) {
  unsigned char termios[64];
  return runtime::syscall6(__NR_ioctl, fd, TCGETS, reinterpret_cast<long>(termios)) == 0;
}

std::string ReadFile(std::string_view path) {
  int fd = Open(path);
  if (fd < 0) throw PathError("open", path, -fd);
  struct closer {
    int fd;
    ~closer() { Close(fd); }
  } guard{fd};
  // The size is only a hint: files under /proc say 0, and others grow. One byte more finds the end in the same read.
  long end = runtime::syscall6(__NR_lseek, fd, 0, 2);
  if (end > 0) runtime::syscall6(__NR_lseek, fd, 0, 0);
  std::string s;
  std::size_t len = 0;
  std::size_t room = end > 0 && end < (1L << 40) ? static_cast<std::size_t>(end) + 1 : 512;
  for (;;) {
    if (s.size() - len < room) s.resize(len + room);
    std::ptrdiff_t n = Read(fd, s.data() + len, s.size() - len);
    if (n < 0) throw PathError("read", path, static_cast<int>(-n));
    if (n == 0) break;
    len += static_cast<std::size_t>(n);
    room = s.size() > len ? s.size() - len : s.size();
  }
  s.resize(len);
  return s;
}

}  // namespace boot::os

// libc's calls that may sleep in the kernel, as goroutines make them: the P goes on without the thread.
//
// Each is libc's own between entersyscall and exitsyscall, which is what package syscall does in Go: nobody takes the P
// when the call is short. Whoever calls (the program, a library) goes through here, but not libc itself: what stdio or
// the resolver sleep in holds its P, unless the whole call is named below. tests/check_libc_calls.py knows libc's list.
//
// <sys/...> would give some names twice on systems where off_t has two sizes; here there is one, and the 64-bit names are
// the same functions.
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/cgo/cgo.h"
#include "runtime/cgo/next.h"
#include "runtime/diag/output.h"

using namespace runtime;

const char cgo::kernelCalls = 0;

namespace {

// System calls that may sleep, when they are made by syscall().
bool sleeps(long nr, long b) {
  constexpr long kFutexOp = 127, kWait = 0, kLockPI = 6, kWaitBitset = 9, kWaitRequeue = 11, kLockPI2 = 13;
  switch (nr) {
    case SYS_futex:
      b &= kFutexOp;
      return b == kWait || b == kWaitBitset || b == kLockPI || b == kLockPI2 || b == kWaitRequeue;
    case 0:    // read
    case 2:    // open
    case 7:    // poll
    case 17:   // pread64
    case 18:   // pwrite64
    case 19:   // readv
    case 20:   // writev
    case 23:   // select
    case 26:   // msync
    case 34:   // pause
    case 35:   // nanosleep
    case 40:   // sendfile
    case 42:   // connect
    case 43:   // accept
    case 44:   // sendto
    case 45:   // recvfrom
    case 46:   // sendmsg
    case 47:   // recvmsg
    case 61:   // wait4
    case 65:   // semop
    case 69:   // msgsnd
    case 70:   // msgrcv
    case 72:   // fcntl
    case 73:   // flock
    case 74:   // fsync
    case 75:   // fdatasync
    case 128:  // rt_sigtimedwait
    case 130:  // rt_sigsuspend
    case 162:  // sync
    case 208:  // io_getevents
    case 220:  // semtimedop
    case 230:  // clock_nanosleep
    case 232:  // epoll_wait
    case 242:  // mq_timedsend
    case 243:  // mq_timedreceive
    case 247:  // waitid
    case 257:  // openat
    case 270:  // pselect6
    case 271:  // ppoll
    case 275:  // splice
    case 276:  // tee
    case 277:  // sync_file_range
    case 278:  // vmsplice
    case 281:  // epoll_pwait
    case 285:  // fallocate
    case 288:  // accept4
    case 295:  // preadv
    case 296:  // pwritev
    case 299:  // recvmmsg
    case 306:  // syncfs
    case 307:  // sendmmsg
    case 318:  // getrandom
    case 326:  // copy_file_range
    case 327:  // preadv2
    case 328:  // pwritev2
    case 333:  // io_pgetevents
    case 426:  // io_uring_enter
    case 437:  // openat2
    case 441:  // epoll_pwait2
    case 449:  // futex_waitv
      return true;
    default:
      return false;
  }
}

}  // namespace

// name(params) is libc's name(args), which may sleep.
#define SLEEPS(type, name, params, args)                  \
  type name params {                                      \
    return cgo::outside([=] { return NEXT(name) args; }); \
  }
#define SLEEPS_NOEXCEPT(type, name, params, args)         \
  type name params noexcept {                             \
    return cgo::outside([=] { return NEXT(name) args; }); \
  }

extern "C" {

// ---- files ----
SLEEPS(ssize_t, read, (int fd, void* p, size_t n), (fd, p, n))
SLEEPS(ssize_t, write, (int fd, const void* p, size_t n), (fd, p, n))
SLEEPS(ssize_t, pread, (int fd, void* p, size_t n, off_t at), (fd, p, n, at))
SLEEPS(ssize_t, pwrite, (int fd, const void* p, size_t n, off_t at), (fd, p, n, at))
SLEEPS(ssize_t, pread64, (int fd, void* p, size_t n, off64_t at), (fd, p, n, at))
SLEEPS(ssize_t, pwrite64, (int fd, const void* p, size_t n, off64_t at), (fd, p, n, at))
SLEEPS(ssize_t, readv, (int fd, const iovec* v, int n), (fd, v, n))
SLEEPS(ssize_t, writev, (int fd, const iovec* v, int n), (fd, v, n))
SLEEPS(ssize_t, preadv, (int fd, const iovec* v, int n, off_t at), (fd, v, n, at))
SLEEPS(ssize_t, pwritev, (int fd, const iovec* v, int n, off_t at), (fd, v, n, at))
SLEEPS(ssize_t, preadv64, (int fd, const iovec* v, int n, off64_t at), (fd, v, n, at))
SLEEPS(ssize_t, pwritev64, (int fd, const iovec* v, int n, off64_t at), (fd, v, n, at))
SLEEPS(ssize_t, preadv2, (int fd, const iovec* v, int n, off_t at, int flags), (fd, v, n, at, flags))
SLEEPS(ssize_t, pwritev2, (int fd, const iovec* v, int n, off_t at, int flags), (fd, v, n, at, flags))
SLEEPS(ssize_t, preadv64v2, (int fd, const iovec* v, int n, off64_t at, int flags), (fd, v, n, at, flags))
SLEEPS(ssize_t, pwritev64v2, (int fd, const iovec* v, int n, off64_t at, int flags), (fd, v, n, at, flags))
SLEEPS(int, close, (int fd), (fd))
SLEEPS(int, creat, (const char* name, mode_t mode), (name, mode))
SLEEPS(int, creat64, (const char* name, mode_t mode), (name, mode))
SLEEPS_NOEXCEPT(int, flock, (int fd, int op), (fd, op))
SLEEPS(int, lockf, (int fd, int cmd, off_t n), (fd, cmd, n))
SLEEPS(int, lockf64, (int fd, int cmd, off64_t n), (fd, cmd, n))
SLEEPS(int, fsync, (int fd), (fd))
SLEEPS(int, fdatasync, (int fd), (fd))
SLEEPS_NOEXCEPT(int, syncfs, (int fd), (fd))
void sync() noexcept {
  cgo::outside([] {
    NEXT(sync)();
    return 0;
  });
}
SLEEPS(int, msync, (void* at, size_t n, int flags), (at, n, flags))
SLEEPS(int, sync_file_range, (int fd, off64_t at, off64_t n, unsigned flags), (fd, at, n, flags))
SLEEPS(int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
SLEEPS(int, fallocate64, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n))
SLEEPS(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n))
SLEEPS(int, posix_fallocate64, (int fd, off64_t at, off64_t n), (fd, at, n))
SLEEPS(ssize_t, splice, (int in, off64_t* inAt, int out, off64_t* outAt, size_t n, unsigned flags),
       (in, inAt, out, outAt, n, flags))
SLEEPS(ssize_t, tee, (int in, int out, size_t n, unsigned flags), (in, out, n, flags))
SLEEPS(ssize_t, vmsplice, (int fd, const iovec* v, size_t n, unsigned flags), (fd, v, n, flags))
SLEEPS_NOEXCEPT(ssize_t, sendfile, (int out, int in, off_t* at, size_t n), (out, in, at, n))
SLEEPS_NOEXCEPT(ssize_t, sendfile64, (int out, int in, off64_t* at, size_t n), (out, in, at, n))
SLEEPS(ssize_t, copy_file_range, (int in, off64_t* inAt, int out, off64_t* outAt, size_t n, unsigned flags),
       (in, inAt, out, outAt, n, flags))
SLEEPS(int, tcdrain, (int fd), (fd))
SLEEPS(ssize_t, getrandom, (void* p, size_t n, unsigned flags), (p, n, flags))
SLEEPS(int, open_by_handle_at, (int fd, file_handle* h, int flags), (fd, h, flags))

// What a variable list passes is what a fixed one passes, as long as it is no floating-point number; where the caller gave
// less, the rest is whatever the register held, for libc as for the kernel.
int open(const char* name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return cgo::outside([=] { return NEXT(open)(name, flags, mode); });
}
int open64(const char* name, int flags, ...) __attribute__((alias("open")));
int openat(int dir, const char* name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return cgo::outside([=] { return NEXT(openat)(dir, name, flags, mode); });
}
int openat64(int dir, const char* name, int flags, ...) __attribute__((alias("openat")));
int fcntl(int fd, int cmd, ...) {
  va_list list;
  va_start(list, cmd);
  void* arg = va_arg(list, void*);
  va_end(list);
  if (cmd != F_SETLKW && cmd != F_OFD_SETLKW) return NEXT(fcntl64)(fd, cmd, arg);
  return cgo::outside([=] { return NEXT(fcntl64)(fd, cmd, arg); });
}
int fcntl64(int fd, int cmd, ...) __attribute__((alias("fcntl")));

// ---- what _FORTIFY_SOURCE makes of them, in libraries ----
ssize_t __read_chk(int fd, void* p, size_t n, size_t room);
ssize_t __pread_chk(int fd, void* p, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void* p, size_t n, off64_t at, size_t room);
ssize_t __recv_chk(int fd, void* p, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void* p, size_t n, size_t room, int flags, sockaddr* from, socklen_t* len);
int __poll_chk(pollfd* fds, nfds_t n, int ms, size_t room);
int __ppoll_chk(pollfd* fds, nfds_t n, const timespec* t, const sigset_t* mask, size_t room);
int __open_2(const char* name, int flags);
int __open64_2(const char* name, int flags);
int __openat_2(int dir, const char* name, int flags);
int __openat64_2(int dir, const char* name, int flags);
SLEEPS(ssize_t, __read_chk, (int fd, void* p, size_t n, size_t room), (fd, p, n, room))
SLEEPS(ssize_t, __pread_chk, (int fd, void* p, size_t n, off_t at, size_t room), (fd, p, n, at, room))
SLEEPS(ssize_t, __pread64_chk, (int fd, void* p, size_t n, off64_t at, size_t room), (fd, p, n, at, room))
SLEEPS(ssize_t, __recv_chk, (int fd, void* p, size_t n, size_t room, int flags), (fd, p, n, room, flags))
SLEEPS(ssize_t, __recvfrom_chk, (int fd, void* p, size_t n, size_t room, int flags, sockaddr* from, socklen_t* len),
       (fd, p, n, room, flags, from, len))
SLEEPS(int, __poll_chk, (pollfd * fds, nfds_t n, int ms, size_t room), (fds, n, ms, room))
SLEEPS(int, __ppoll_chk, (pollfd * fds, nfds_t n, const timespec* t, const sigset_t* mask, size_t room),
       (fds, n, t, mask, room))
SLEEPS(int, __open_2, (const char* name, int flags), (name, flags))
SLEEPS(int, __open64_2, (const char* name, int flags), (name, flags))
SLEEPS(int, __openat_2, (int dir, const char* name, int flags), (dir, name, flags))
SLEEPS(int, __openat64_2, (int dir, const char* name, int flags), (dir, name, flags))

// ---- sockets ----
SLEEPS(int, accept, (int fd, sockaddr* a, socklen_t* n), (fd, a, n))
SLEEPS(int, accept4, (int fd, sockaddr* a, socklen_t* n, int flags), (fd, a, n, flags))
SLEEPS(int, connect, (int fd, const sockaddr* a, socklen_t n), (fd, a, n))
SLEEPS(ssize_t, recv, (int fd, void* p, size_t n, int flags), (fd, p, n, flags))
SLEEPS(ssize_t, recvfrom, (int fd, void* p, size_t n, int flags, sockaddr* a, socklen_t* len),
       (fd, p, n, flags, a, len))
SLEEPS(ssize_t, recvmsg, (int fd, msghdr* m, int flags), (fd, m, flags))
SLEEPS(int, recvmmsg, (int fd, mmsghdr* m, unsigned n, int flags, timespec* t), (fd, m, n, flags, t))
SLEEPS(ssize_t, send, (int fd, const void* p, size_t n, int flags), (fd, p, n, flags))
SLEEPS(ssize_t, sendto, (int fd, const void* p, size_t n, int flags, const sockaddr* a, socklen_t len),
       (fd, p, n, flags, a, len))
SLEEPS(ssize_t, sendmsg, (int fd, const msghdr* m, int flags), (fd, m, flags))
SLEEPS(int, sendmmsg, (int fd, mmsghdr* m, unsigned n, int flags), (fd, m, n, flags))

// ---- waiting for several ----
SLEEPS(int, poll, (pollfd * fds, nfds_t n, int ms), (fds, n, ms))
SLEEPS(int, ppoll, (pollfd * fds, nfds_t n, const timespec* t, const sigset_t* mask), (fds, n, t, mask))
SLEEPS(int, select, (int n, fd_set* r, fd_set* w, fd_set* x, timeval* t), (n, r, w, x, t))
SLEEPS(int, pselect, (int n, fd_set* r, fd_set* w, fd_set* x, const timespec* t, const sigset_t* mask),
       (n, r, w, x, t, mask))
SLEEPS(int, epoll_wait, (int fd, epoll_event* e, int n, int ms), (fd, e, n, ms))
SLEEPS(int, epoll_pwait, (int fd, epoll_event* e, int n, int ms, const sigset_t* mask), (fd, e, n, ms, mask))
#if __GLIBC_PREREQ(2, 35)
SLEEPS(int, epoll_pwait2, (int fd, epoll_event* e, int n, const timespec* t, const sigset_t* mask), (fd, e, n, t, mask))
#endif

// ---- processes and signals ----
SLEEPS(pid_t, wait, (int* status), (status))
SLEEPS(pid_t, waitpid, (pid_t pid, int* status, int options), (pid, status, options))
SLEEPS_NOEXCEPT(pid_t, wait3, (int* status, int options, rusage* u), (status, options, u))
SLEEPS_NOEXCEPT(pid_t, wait4, (pid_t pid, int* status, int options, rusage* u), (pid, status, options, u))
SLEEPS(int, waitid, (idtype_t type, id_t id, siginfo_t* info, int options), (type, id, info, options))
SLEEPS(int, system, (const char* command), (command))
SLEEPS(int, pclose, (FILE * f), (f))
SLEEPS(int, pause, (), ())
SLEEPS(int, sigsuspend, (const sigset_t* mask), (mask))
SLEEPS(int, sigwait, (const sigset_t* set, int* sig), (set, sig))
SLEEPS(int, sigwaitinfo, (const sigset_t* set, siginfo_t* info), (set, info))
SLEEPS(int, sigtimedwait, (const sigset_t* set, siginfo_t* info, const timespec* t), (set, info, t))

// ---- System V's and POSIX's queues and semaphores ----
SLEEPS(ssize_t, msgrcv, (int id, void* p, size_t n, long type, int flags), (id, p, n, type, flags))
SLEEPS(int, msgsnd, (int id, const void* p, size_t n, int flags), (id, p, n, flags))
SLEEPS_NOEXCEPT(int, semop, (int id, sembuf* ops, size_t n), (id, ops, n))
SLEEPS_NOEXCEPT(int, semtimedop, (int id, sembuf* ops, size_t n, const timespec* t), (id, ops, n, t))
SLEEPS(ssize_t, mq_receive, (mqd_t q, char* p, size_t n, unsigned* prio), (q, p, n, prio))
SLEEPS(ssize_t, mq_timedreceive, (mqd_t q, char* p, size_t n, unsigned* prio, const timespec* t), (q, p, n, prio, t))
SLEEPS(int, mq_send, (mqd_t q, const char* p, size_t n, unsigned prio), (q, p, n, prio))
SLEEPS(int, mq_timedsend, (mqd_t q, const char* p, size_t n, unsigned prio, const timespec* t), (q, p, n, prio, t))
SLEEPS(int, aio_suspend, (const aiocb* const list[], int n, const timespec* t), (list, n, t))
SLEEPS(int, aio_suspend64, (const aiocb64* const list[], int n, const timespec* t), (list, n, t))

// ---- names ----
SLEEPS(int, getaddrinfo, (const char* host, const char* service, const addrinfo* hints, addrinfo** out),
       (host, service, hints, out))
SLEEPS(int, getnameinfo,
       (const sockaddr* a, socklen_t n, char* host, socklen_t hostRoom, char* service, socklen_t serviceRoom,
        int flags),
       (a, n, host, hostRoom, service, serviceRoom, flags))
SLEEPS(hostent*, gethostbyname, (const char* name), (name))
SLEEPS(hostent*, gethostbyname2, (const char* name, int family), (name, family))
SLEEPS(hostent*, gethostbyaddr, (const void* a, socklen_t n, int family), (a, n, family))
SLEEPS(int, gethostbyname_r, (const char* name, hostent* h, char* p, size_t n, hostent** out, int* err),
       (name, h, p, n, out, err))
SLEEPS(int, gethostbyname2_r, (const char* name, int family, hostent* h, char* p, size_t n, hostent** out, int* err),
       (name, family, h, p, n, out, err))
SLEEPS(int, gethostbyaddr_r,
       (const void* a, socklen_t len, int family, hostent* h, char* p, size_t n, hostent** out, int* err),
       (a, len, family, h, p, n, out, err))

// ---- by number ----
// std::atomic::wait, latches and futures sleep by the system call itself. unistd.h declares it with a variable list; its
// arguments are all integers.
long syscallFixed(long nr, long a, long b, long c, long d, long e, long f) noexcept __asm__("syscall");
long syscallFixed(long nr, long a, long b, long c, long d, long e, long f) noexcept {
  long r;
  if (nr == SYS_write)
    r = writeSome(static_cast<int>(a), reinterpret_cast<const void*>(b), static_cast<std::size_t>(c));
  else if (sleeps(nr, b))
    r = cgo::outside([=] { return syscall6(nr, a, b, c, d, e, f); });
  else
    r = syscall6(nr, a, b, c, d, e, f);
  if (r >= 0 || r < -4095) return r;
  errno = static_cast<int>(-r);
  return -1;
}

}  // extern "C"

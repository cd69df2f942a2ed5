// The system call instruction.
//
// Owns: syscall6. It is in the lowest layer because printing and dying need the kernel before, and when, nothing else
// works. Everything else reaches the kernel through runtime/os.
//
// Returns what the kernel returns: -errno on failure. Inline, so that a debugger stops in the caller.
#pragma once

namespace runtime {

[[gnu::always_inline]] inline long syscall6(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                                            long f = 0) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long ret;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
}

// amd64's numbers of the calls that the runtime makes. The C++ library may bring libc's macros of these names along, with
// the same values (bits/atomic_wait.h includes <syscall.h>).
#undef SYS_read
#undef SYS_write
#undef SYS_open
#undef SYS_close
#undef SYS_poll
#undef SYS_mmap
#undef SYS_mprotect
#undef SYS_munmap
#undef SYS_rt_sigaction
#undef SYS_rt_sigprocmask
#undef SYS_sched_yield
#undef SYS_mincore
#undef SYS_access
#undef SYS_madvise
#undef SYS_nanosleep
#undef SYS_getpid
#undef SYS_kill
#undef SYS_fcntl
#undef SYS_sigaltstack
#undef SYS_gettid
#undef SYS_clock_nanosleep
#undef SYS_futex
#undef SYS_sched_getaffinity
#undef SYS_clock_gettime
#undef SYS_exit_group
#undef SYS_tgkill
#undef SYS_openat
#undef SYS_ioctl
#undef SYS_getrandom
enum : long {
  SYS_read = 0,
  SYS_write = 1,
  SYS_open = 2,
  SYS_close = 3,
  SYS_poll = 7,
  SYS_mmap = 9,
  SYS_mprotect = 10,
  SYS_munmap = 11,
  SYS_rt_sigaction = 13,
  SYS_rt_sigprocmask = 14,
  SYS_sched_yield = 24,
  SYS_mincore = 27,
  SYS_access = 21,
  SYS_madvise = 28,
  SYS_nanosleep = 35,
  SYS_getpid = 39,
  SYS_kill = 62,
  SYS_fcntl = 72,
  SYS_sigaltstack = 131,
  SYS_gettid = 186,
  SYS_futex = 202,
  SYS_clock_nanosleep = 230,
  SYS_sched_getaffinity = 204,
  SYS_clock_gettime = 228,
  SYS_exit_group = 231,
  SYS_tgkill = 234,
  SYS_openat = 257,
  SYS_ioctl = 16,
  SYS_getrandom = 318,
};

}  // namespace runtime

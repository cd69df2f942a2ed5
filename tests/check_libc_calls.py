#!/usr/bin/env python3
"""Each call of libc's that may sleep is one of ours (runtime/cgo), or stands here as one that holds its P, with the reason.

What may sleep is taken from libc itself: functions that enter the kernel by a call that may sleep (their instructions are
searched), and all names of the families that are made to wait (pthread_*, sem_*, ...). A libc with a new one fails here.
"""
import fnmatch
import os
import re
import struct
import sys

import arguments

# System calls that may sleep, by their numbers; runtime/cgo/blocking.cpp has the same ones for syscall().
SLEEPING = {0, 1, 2, 7, 17, 18, 19, 20, 23, 26, 34, 35, 40, 42, 43, 44, 45, 46, 47, 61, 65, 69, 70, 72, 73, 74, 75, 128,
            130, 162, 208, 220, 230, 232, 242, 243, 247, 257, 270, 271, 275, 276, 277, 278, 281, 285, 288, 295, 296, 299,
            306, 307, 318, 326, 327, 328, 333, 426, 437, 441, 449}

# Made to wait, and not named by a system call in their own instructions: all of a family must be known.
FAMILIES = ("pthread_*", "sem_*", "mtx_*", "cnd_*", "thrd_*", "mq_*", "aio_*", "lio_*", "gai_*", "sig*wait*", "*sleep",
            "call_once", "wait*", "*lockf*", "getaddrinfo*", "gethostby*", "getnameinfo", "res_*", "pause", "*poll*",
            "epoll_*", "*select", "recv*", "send*", "accept*", "connect", "system", "popen", "pclose")

# These never wait, or for no goroutine.
NEVER = """
pthread_attr_* pthread_*attr_* pthread_getattr_default_np pthread_setattr_default_np pthread_getattr_np
pthread_barrier_init pthread_barrier_destroy pthread_cond_init pthread_cond_destroy pthread_cond_signal
pthread_cond_broadcast pthread_mutex_init pthread_mutex_destroy pthread_mutex_*prioceiling pthread_mutex_consistent*
pthread_rwlock_init pthread_rwlock_destroy pthread_rwlock_tryrdlock pthread_spin_init pthread_spin_destroy
pthread_spin_trylock pthread_spin_unlock pthread_key_* pthread_getspecific pthread_setspecific pthread_self pthread_equal
pthread_detach pthread_kill pthread_sigmask pthread_sigqueue pthread_cancel pthread_testcancel pthread_setcancel*
pthread_tryjoin_np pthread_getname_np pthread_setname_np pthread_get*sched* pthread_set*sched* pthread_*affinity_np
pthread_getcpuclockid pthread_getconcurrency pthread_setconcurrency pthread_yield pthread_atfork pthread_kill_other_threads_np
pthread_cleanup_* pthread_exit pthread_gettid_np
sem_init sem_destroy sem_open sem_close sem_unlink sem_post sem_trywait sem_getvalue
mtx_init mtx_destroy cnd_init cnd_destroy cnd_signal cnd_broadcast thrd_current thrd_detach thrd_equal thrd_exit
mq_open mq_close mq_unlink mq_getattr mq_setattr mq_notify
aio_read* aio_write* aio_fsync* aio_error* aio_return* aio_init gai_error gai_strerror
epoll_create* epoll_ctl res_init res_ninit res_nclose res_mk* res_nmk* res_dn* res_hnok res_mailok res_ownok res_gethostby*
""".split()

# These hold their P while they sleep, and are known to do so.
HOLDS = """
__*nocancel __read __write __open __open64 __close __connect __fcntl __poll __pread64 __pwrite64 __recv __select __send
__sendmmsg __nanosleep __clock_nanosleep __sigsuspend __sigtimedwait __wait __waitpid __libc_* __pthread_* __sigpause
__res_* __mq_* __shm_* __internal_* _IO_* __sched_*
""".split()  # libc's own names for itself, which no header gives
HOLDS += """
res_query res_nquery res_search res_nsearch res_querydomain res_nquerydomain res_send res_nsend res_isourserver
getaddrinfo_a lio_listio* gai_cancel gai_suspend aio_cancel*
""".split()  # below getaddrinfo, which is ours; and lists of requests, which wait by locks of libc's own
HOLDS += """
flockfile ftrylockfile funlockfile popen herror
""".split()  # stdio: its locks belong to threads. Who waits for a stream does so in boot::blocking
HOLDS += """
sigpause __xpg_sigpause __rpc_thread_svc_* svc_getreq_poll
""".split()  # old


def dynamic_symbols(path):
    """(name, its instructions) of each function that a library or program defines for others."""
    data = open(path, "rb").read()
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    sections = []
    for i in range(count):
        _, kind, _, addr, offset, length, link = struct.unpack_from("<IIQQQQI", data, shoff + i * size)
        sections.append((kind, addr, offset, length, link))
    functions = []
    for kind, _, offset, length, link in sections:
        if kind != 11:  # SHT_DYNSYM
            continue
        strings = sections[link][2]
        for at in range(offset, offset + length, 24):
            name, info, _, section, value, n = struct.unpack_from("<IBBHQQ", data, at)
            if section == 0 or info & 15 not in (2, 10):
                continue
            end = data.index(b"\0", strings + name)
            text = data[strings + name:end].decode()
            _, addr, start, _, _ = sections[section]
            code = data[start + value - addr:start + value - addr + n] if section < count else b""
            functions.append((text, code))
    return functions


def system_calls(code):
    """The numbers of the system calls in a function: what EAX was given last before each `syscall`."""
    found = set()
    for m in re.finditer(rb"\x0f\x05", code):
        before = code[max(0, m.start() - 64):m.start()]
        numbers = [(x.start(), struct.unpack("<I", x.group(1))[0]) for x in re.finditer(rb"\xb8(..\x00\x00)", before, re.S)]
        numbers += [(x.start(), 0) for x in re.finditer(rb"\x31\xc0", before)]
        if numbers:
            found.add(max(numbers)[1])
    return found


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


def main():
    args = arguments.read()
    libc = next(path for path in ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6")
                if os.path.exists(path))
    ours = {name for name, _ in dynamic_symbols(os.path.join(args.bin, "progs/hosted/hosted_blocking"))}
    bad = 0
    sleeping = set()
    names = set()
    for name, code in dynamic_symbols(libc):
        names.add(name)
        if system_calls(code) & SLEEPING:
            sleeping.add(name)
    # Where the search finds nothing (libc makes its calls another way) the names stand for themselves.
    for name in ("read", "poll", "recvmsg", "accept", "waitpid", "msgrcv", "fsync", "epoll_wait", "connect"):
        if name not in names:
            print(f"{libc} has no {name}: this test reads it wrongly")
            bad += 1
    print(f"{len(sleeping)} functions of libc enter the kernel where it may sleep, {len(ours)} are ours")
    for name in sorted(names):
        if name in ours or matches(name, NEVER):
            continue
        if (name in sleeping or matches(name, FAMILIES)) and not matches(name, HOLDS):
            print(f"{name} may sleep: it is neither one of ours (runtime/cgo) nor listed as holding its P")
            bad += 1
    sys.exit(1 if bad else 0)


main()

"""Each system call that a program makes is refused, one at a time, with EPERM and with ENOSYS, as a sandbox does.

The program works, or ends with a text that names the call and the error: never by a bare signal, never in silence, and it
does not hang. BOOT_STRESS tries all numbers; the short form those that the programs were seen to make.
"""
import ctypes
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import arguments

NAMES = {0: "read", 1: "write", 3: "close", 5: "fstat", 7: "poll", 8: "lseek", 9: "mmap", 10: "mprotect", 11: "munmap",
         13: "rt_sigaction", 14: "rt_sigprocmask", 15: "rt_sigreturn", 16: "ioctl", 21: "access", 24: "sched_yield",
         27: "mincore", 28: "madvise", 35: "nanosleep", 39: "getpid", 56: "clone", 60: "exit", 62: "kill", 72: "fcntl", 97: "getrlimit",
         131: "sigaltstack", 157: "prctl", 158: "arch_prctl", 186: "gettid", 202: "futex", 204: "sched_getaffinity",
         228: "clock_gettime", 231: "exit_group", 232: "epoll_wait", 233: "epoll_ctl", 234: "tgkill", 257: "openat",
         281: "epoll_pwait", 290: "eventfd2", 291: "epoll_create1", 293: "pipe2", 318: "getrandom", 323: "userfaultfd",
         435: "clone3", 440: "process_madvise", 441: "epoll_pwait2"}
EXECVE = 59
# The number, and how texts say it.
ERRNOS = {"EPERM": (1, r"errno=1\b|operation not permitted"), "ENOSYS": (38, r"errno=38\b|function not implemented")}
MUTE = {"write"}  # no text can be written
TEXTS = {"clone": "failed to create new OS thread"}  # Go's

libc = ctypes.CDLL(None, use_errno=True)


class filt(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class prog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(filt))]


def filter_for(nr, errno):
    """load the number; is it nr? then errno; else allow."""
    code = (filt * 4)(filt(0x20, 0, 0, 0), filt(0x15, 0, 1, nr), filt(0x06, 0, 0, 0x00050000 | errno),
                      filt(0x06, 0, 0, 0x7fff0000))
    return prog(4, code)


def refuse(p):
    PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(p)):
        os._exit(77)


def run(case):
    command, want, procs, nr, errname = case
    p = filter_for(nr, ERRNOS[errname][0])
    name = NAMES.get(nr, str(nr))
    what = f"{os.path.basename(command[0])} {' '.join(command[1:])} without {name} ({errname}), GOMAXPROCS={procs}"
    try:
        # A shell in between would make the call itself; so may the interpreter on its way to execve, which goes on.
        r = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, preexec_fn=lambda: refuse(p),
                           env={"GOMAXPROCS": str(procs)}, start_new_session=True)
    except subprocess.TimeoutExpired as e:
        return f"{what}: hangs: {(e.stderr or b'')[-300:]}"
    except subprocess.SubprocessError as e:
        return f"{what}: not started: {e}"
    if r.returncode == 77:
        return "skip"
    if r.returncode == 0 and (r.stdout == want or name in MUTE):
        return None
    said = TEXTS.get(name, name) in r.stderr and re.search(ERRNOS[errname][1], r.stderr)
    if name in MUTE or (said and r.returncode != 0):
        return None
    return f"{what}: exit status {r.returncode}, {r.stdout!r}, {r.stderr[:400]!r}"


def main():
    global LIMIT
    args = arguments.read()
    stress = os.environ.get("BOOT_STRESS") is not None
    LIMIT = 60 if stress else 10
    hello, refused = os.path.join(args.bin, "hello"), os.path.join(args.bin, "progs", "refused")
    programs = [([hello], "hello, world\n"), ([refused, "collect"], "ok\n"), ([refused, "mixed"], "ok\n")]
    numbers = [n for n in (range(0, 470) if stress else NAMES) if n != EXECVE]
    cases = [(command, want, procs, nr, e) for command, want in programs for nr in numbers for e in ERRNOS
             for procs in ((1, 2, 8) if stress else (2,)) if stress or e == "EPERM" or command[-1] != "collect"]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, cases))
    if "skip" in results:
        print("seccomp is not to be had here")
        sys.exit(77)
    failed = [r for r in results if r]
    for r in failed:
        print("FAILED ", r)
    print(f"{len(cases)} runs, {len(failed)} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Surroundings that a program can't choose: no arguments, small and unlimited stacks, too little memory, too few threads.
The program works, or ends with Go's text and status 2; it never hangs and never dies without a word.

CLAIMS: [C05] [C17]
"""
import ctypes
import os
import re
import resource
import signal
import subprocess
import sys

import reach

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "claims"))
from claims import Checks, need  # noqa: E402

check = Checks()
need("readelf")
hello, boot, sieve = (check.prog(p) for p in ("hello", "boot", "sieve"))
libc = ctypes.CDLL(None, use_errno=True)
MB = 1 << 20


def run(program, *args, argc0=False, limits=(), uid=None, env=None):
    """Status, standard output and error of a program in a child of its own."""
    out, err = (os.pipe() for _ in range(2))
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(out[1], 1)
            os.dup2(err[1], 2)
            os.closerange(3, 64)
            if uid is not None:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            for what, value in limits:
                hard = resource.getrlimit(what)[1]
                soft = hard if value == resource.RLIM_INFINITY else value
                resource.setrlimit(what, (soft, hard))
            words = [] if argc0 else [program, *args]
            argv = (ctypes.c_char_p * (len(words) + 1))(*[w.encode() for w in words], None)
            pairs = [f"{k}={v}".encode() for k, v in (env or {"GOMAXPROCS": "2"}).items()]
            envp = (ctypes.c_char_p * (len(pairs) + 1))(*pairs, None)
            libc.execve(program.encode(), argv, envp)
        finally:
            os._exit(99)
    os.close(out[1])
    os.close(err[1])
    # The texts are short, so one pipe can be read after the other.
    with os.fdopen(out[0], "rb") as a, os.fdopen(err[0], "rb") as b:
        text = a.read().decode(errors="replace"), b.read().decode(errors="replace")
    return (os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), *text)


signal.alarm(900)  # a program that hangs fails the test
GOOD = (0, "hello, world\n", "")

# A newer kernel gives a program that is started without arguments one empty argument; an older one none.
check.equal("argc 0", "hello", run(hello, argc0=True), GOOD)
status, out, err = run(boot, argc0=True)
check("argc 0", "boot tells its start", status == 0 and "main_main got" in out, err or out[-300:])
status, out, err = run(sieve, argc0=True)
check("argc 0", "sieve asks for its number", status == 2 and err.startswith("usage: sieve N"), (status, err))

status, out, err = run("/bin/true", *["x"] * 10)
check.equal("arguments", "(the helper itself works)", status, 0)
check.equal("arguments", "100,000 of them", run(hello, *[str(i) for i in range(100_000)]), GOOD)
check.equal("environment", "empty", run(hello, env={}), GOOD)

for text, size in (("12 KB", 12 << 10), ("16 KB", 16 << 10), ("20 KB", 20 << 10), ("64 KB", 64 << 10),
                   ("200 KB", 200 << 10), ("unlimited", resource.RLIM_INFINITY)):
    check.equal("stack", f"ulimit -s {text}", run(hello, limits=[(resource.RLIMIT_STACK, size)]), GOOD)
    check.equal("C05", f"goroutines under ulimit -s {text}", run(sieve, "200", limits=[(resource.RLIMIT_STACK, size)])[0], 0)


def told(result, *texts):
    """Whether the program worked, or said one of the texts and ended with 2."""
    status, _, err = result
    return result == GOOD or (status == 2 and any(re.search(t, err) for t in texts))


# The image itself has to fit, or the kernel ends the program within exec.
headers = subprocess.run(["readelf", "-lW", hello], capture_output=True, text=True, check=True).stdout
image = sum(int(size, 16) for size in re.findall(r"^\s+LOAD\s+\S+\s+\S+\s+\S+\s+\S+\s+(0x[0-9a-f]+)", headers, re.M))
first = image // MB + 2
seen = set()
for size in sorted({first, first + 2, first + 6, 48, 60, 64, 66, 68, 72, 80, 96, 100, 104, 128, 192, 256, 1024}):
    if size < first:
        continue
    result = run(hello, limits=[(resource.RLIMIT_AS, size * MB)])
    seen.add(result[0])
    check("memory", f"prlimit --as={size} MB: {'works' if result == GOOD else 'told'}",
          told(result, r"fatal error: .*(out of memory|cannot|reserve)", r"failed to create new OS thread"), result)
check.equal("memory", "the limits reach from too small to enough", seen, {0, 2})

nobody = 65534
copies = reach.Copies()
theirs = copies.of(hello) if os.getuid() == 0 else None
if theirs is not None:
    others = int(subprocess.run("ps -L -u 65534 --no-headers 2>/dev/null | wc -l", shell=True, capture_output=True,
                                text=True, check=True).stdout)
    for extra in (1, 2, 3, 4, 8):
        result = run(theirs, limits=[(resource.RLIMIT_NPROC, others + extra)], uid=nobody)
        check("threads", f"prlimit --nproc for {extra} threads: {'works' if result == GOOD else 'told'}",
              told(result, r"runtime: failed to create new OS thread \(have \d+ already; errno=11\)\n"
                           r"runtime: may need to increase max user processes \(ulimit -u\)\nfatal error: newosproc"), result)
else:
    print("(the limit of threads is not tried: that takes root, whom it does not bind, and a directory that every user can run a program from)")

for text in ("0", "-1", "", "x", "2x", "0x2", " 2", "2 ", "99999999999999999999", "2147483648", "1e3", "-0", "٣"):
    check.equal("C17", f"GOMAXPROCS={text!r} is passed over", run(hello, env={"GOMAXPROCS": text}), GOOD)
for text in ("1", "+2", "007", "64", "1000", "100000"):
    check.equal("C17", f"GOMAXPROCS={text!r}", run(hello, env={"GOMAXPROCS": text}), GOOD)
with open("/proc/sys/vm/overcommit_memory", encoding="ascii") as f:
    always = f.read().strip() == "1"
if not always:  # Ps for 5 TB; a kernel told to promise everything would promise that too
    check("C17", "GOMAXPROCS=2147483647: told at once", told(run(hello, env={"GOMAXPROCS": "2147483647"}),
          r"runtime: out of memory: cannot allocate \d{11,}-byte block .*\nfatal error: out of memory"
          r"[\s\S]*\nruntime\.schedinit\(\.\.\.\)\n.*\nruntime\.rt0_go\(\.\.\.\)\n\t.*asm/asm_amd64\.S:\d+ "))
check.end()

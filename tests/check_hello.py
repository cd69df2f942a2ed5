#!/usr/bin/env python3
"""hello: what is in the file, what it asks of the kernel, and that it never fails.

SERIAL: counts system calls of sysmon, which depend on time
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "claims"))
from claims import Checks, need  # noqa: E402

# How large the stripped file may be, by the compiler's major version: somewhat above what each made of it. With gcc 12
# it had 399,368 bytes once, and 420,528 with what soundness took: readers that stay in their tables, AT_SECURE, refusals
# that have a text. A page more or less is 4,096 bytes.
BOUNDS = {12: 430_000, 13: 440_000, 14: 445_000}
NEWER = 460_000

check = Checks()
need("readelf", "nm", "strip", "strace")
hello = check.prog("hello")


def out(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=True, **more).stdout


segments = out("readelf", "-lW", hello)
check("file", "no program interpreter", "INTERP" not in segments, segments)
check("file", "no dynamic section", "DYNAMIC" not in segments, segments)
loads = re.findall(r"^\s+(LOAD|GNU_STACK)\s.*\s([RWE ]{3}) 0x[0-9a-f]+$", segments, re.M)
check("file", f"no segment is writable and executable ({len(loads)} looked at)",
      len(loads) >= 3 and not any("W" in f and "E" in f for _, f in loads), segments)
symbols = out("nm", hello)
check("file", "nothing undefined, strongly", not re.search(r"^\s+U ", symbols, re.M), symbols[:500])
libc = re.findall(r"\b(__libc_start_main\w*|_IO_\w+|__libc_csu_\w+|_dl_relocate\w*|__libc_setup_tls|printf|puts|ptmalloc\w*)$",
                  symbols, re.M)
check("file", "no symbol of libc", not libc, libc)
with tempfile.TemporaryDirectory() as tmp:
    stripped = os.path.join(tmp, "hello")
    out("strip", "-o", stripped, hello)
    size = os.path.getsize(stripped)
    # The sections .comment of all objects, the library's too, are in the file: the newest is the program's own.
    makers = re.findall(r"GCC: \(.*\) (\d+)\.", out("readelf", "-p", ".comment", hello))
    version = max(map(int, makers), default=0)
    bound = BOUNDS.get(version, NEWER if version > max(BOUNDS) else 0)
    check("size", f"{size} bytes stripped, at most {bound:,} with gcc {version}", size <= bound)
    check.equal("size", "it runs stripped", out(stripped), "hello, world\n")

    def calls():
        log = os.path.join(tmp, "log")
        out("strace", "-f", "-c", "-o", log, hello, env={"GOMAXPROCS": "2"})
        with open(log, encoding="ascii") as f:
            text = f.read()
        return int(re.search(r"^100\.00\s+\S+\s+\S*\s+(\d+)(?:\s+\d+)?\s+total$", text, re.M).group(1)), text

    best, text = min(calls() for _ in range(5))
    check("calls", f"{best} system calls with 2 Ps, at most 90", best <= 90, text)

for procs in ("1", "2", "64"):
    wrong = []
    for _ in range(500):
        done = subprocess.run([hello], capture_output=True, env={"GOMAXPROCS": procs}, check=False, timeout=60)
        if (done.returncode, done.stdout, done.stderr) != (0, b"hello, world\n", b""):
            wrong.append((done.returncode, done.stdout, done.stderr[:500]))
    check.equal("runs", f"500 runs with GOMAXPROCS={procs}, wrong ones", wrong, [])
check.end()

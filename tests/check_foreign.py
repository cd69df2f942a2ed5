#!/usr/bin/env python3
"""What needs a goroutine says so on a thread that has none: which call, and which thread; see tests/progs/hosted_foreign.cpp.

And ends in unusual places: abort on such a thread, pthread_exit of a goroutine, what a forked child can do.
"""
import os
import re
import subprocess
import sys

import arguments


def told(call):
    return 2, "", (rf"\Aruntime: called at \S+:\d+\nfatal error: {call} on thread \d+, "
                   rf"which is not the runtime's\n\Z")


CANT = r"\Afatal error: a forked child has one thread and can't wait for goroutines\n\Z"
SCENES = {
    "println": (0, "1\n", r"\A\Z"),
    "New": told(r"boot::New"),
    "send": told(r"boot::chan::send"),
    "recv": told(r"boot::chan::recv"),
    "panic": told(r"boot::panic"),
    "go": told(r"(boot::go|runtime\.newproc\S*)"),
    "Gosched": told(r"runtime\.Gosched"),
    "Sleep": told(r"boot::time::Sleep"),
    "abort": (2, "", r"\ASIGABRT: abort\nPC=0x\w+ m=-1 sigcode=-6\n\nfatal: signal on thread \d+, which is not the runtime's"),
    "nil": (2, "", r"\ASIGSEGV: segmentation violation\nPC=0x\w+ m=-1 sigcode=1\n\nfatal: signal on thread \d+, which"),
    "pthread_exit": (0, "ended\n", r"\A\Z"),
    "fork": (0, "works\nchild: 0\n", r"\A\Z"),
    "fork and exec": (0, "exec\nchild: 0\n", r"\A\Z"),
    "fork and go": (0, "child: 2\n", CANT),
    "popen": (0, "popen\n", r"\A\Z"),
}


def main():
    args = arguments.read()
    program = os.path.join(args.bin, "progs/hosted/hosted_foreign")
    bad = 0
    for scene, (status, out, err) in SCENES.items():
        for procs in ("1", "2", "8"):
            env = {"PATH": os.environ.get("PATH", ""), "GOMAXPROCS": procs}
            try:
                p = subprocess.run([program, scene], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                                   timeout=20)
            except subprocess.TimeoutExpired:
                print(f"{scene}, GOMAXPROCS={procs}: it hangs")
                bad += 1
                continue
            if p.returncode != status or p.stdout != out or not re.search(err, p.stderr):
                print(f"{scene}, GOMAXPROCS={procs}: status {p.returncode}\n{p.stdout}{p.stderr[:1500]}")
                bad += 1
    sys.exit(1 if bad else 0)


main()

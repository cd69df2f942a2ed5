#!/usr/bin/env python3
"""Allocators that are libraries of their own, before a hosted program: they allocate and lock while names are looked up.

Their own start is before the runtime's, and what they call is the program's (runtime/cgo): a look-up of libc's function
that allocates would never end. See tests/progs/hosted_malloc.cpp.
"""
import ctypes.util
import os
import subprocess
import sys

import arguments

SKIP = 77
TEXT = "40 goroutines and 4 threads: nothing was lost\n"


def main():
    args = arguments.read()
    program = os.path.join(args.bin, "progs/hosted/hosted_malloc")
    libraries = [ctypes.util.find_library(name) for name in ("jemalloc", "tcmalloc_minimal", "mimalloc")]
    libraries.append("/usr/lib/heaptrack/libheaptrack_preload.so")
    libraries = [name for name in libraries if name and (not name.startswith("/") or os.path.exists(name))]
    if not libraries:
        print("none of the allocators is installed")
        sys.exit(SKIP)
    bad = 0
    for library in libraries:

        for procs in ("1", "2", "8"):
            env = {"PATH": os.environ.get("PATH", ""), "GOMAXPROCS": procs, "LD_PRELOAD": library,
                   "DUMP_HEAPTRACK_OUTPUT": "/dev/null"}
            try:
                p = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                                   timeout=60)
                status, out, err = p.returncode, p.stdout, p.stderr
            except subprocess.TimeoutExpired:
                status, out, err = "none: it hangs", "", ""
            if status != 0 or out != TEXT or "ld.so" in err:
                print(f"{library}, GOMAXPROCS={procs}: status {status}\n{out}{err[:2000]}")
                bad += 1
    sys.exit(1 if bad else 0)


main()

#!/usr/bin/env python3
"""The JSON libraries give the same results on goroutines without libc as the same source gives under libc, on 50 MB."""
# TIMEOUT: 300
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import arguments

MEGABYTES = "50"


def run(command, **env):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False,
                          env={**os.environ, **env})
    if done.returncode != 0:
        sys.exit(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    args = arguments.read()
    with tempfile.TemporaryDirectory() as tmp:
        twin = Path(tmp) / "twin"
        run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", "-DPLAIN", "-DFMT_HEADER_ONLY",
             str(args.root / "tests/progs/cxx_json.cpp"), "-o", str(twin)])
        wanted = run([str(twin), MEGABYTES])
        for procs in ("1", "2"):
            got = run([str(args.bin / "progs/cxx_json"), MEGABYTES], GOMAXPROCS=procs)
            if got != wanted:
                sys.exit(f"GOMAXPROCS={procs}: results differ\nlibc:\n{wanted}goroutines:\n{got}")
    print(wanted, end="")


main()

#!/usr/bin/env python3
"""ThreadSanitizer finds a race between two goroutines and names both; see tests/progs/hosted_tsan.cpp. Preset hosted-tsan."""
import os
import re
import subprocess
import sys

import arguments


def main():
    args = arguments.read()
    for procs in ("2", "4"):
        env = {"PATH": os.environ.get("PATH", ""), "GOMAXPROCS": procs}
        p = subprocess.run([os.path.join(args.bin, "progs/hosted/hosted_tsan"), "race"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, env=env, timeout=120)
        if p.returncode != 66 or not re.search(r"WARNING: ThreadSanitizer: data race.*(Read|Write) of size 4.*increment.*"
                                               r"Previous \w+ of size 4.*increment.*'raced'", p.stderr, re.S):
            print(f"GOMAXPROCS={procs}: status {p.returncode}\n{p.stdout}{p.stderr[:4000]}")
            sys.exit(1)


main()

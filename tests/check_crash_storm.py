#!/usr/bin/env python3
"""Signals at random moments to a program under full load, and ends of its own there: always the right end, and soon.

A few runs; 200 with each end under --stress.

SERIAL: measures time
"""
import argparse
import os
import random
import re
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

# The end: how it exits, and what it says.
SIGNALS = {s: (2, rf"^{s.name}: ") for s in (signal.SIGSEGV, signal.SIGQUIT, signal.SIGABRT, signal.SIGFPE)}
SIGNALS |= {s: (-s, "") for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
OWN = {"panic": (2, "^panic: end$"), "nil": (2, "^panic: runtime error: invalid memory address"),
       "wild": (2, "^unexpected fault address 0x1dead0000000$"), "fatal": (2, "^fatal error: sync: unlock of unlocked mutex$"),
       "overflow": (2, "^fatal error: stack overflow$"), "exit": (7, "")}
OWN |= {f"main {how}": end for how, end in OWN.items()}
OWN["return"] = (0, "")
# A stack of a gigabyte takes more than the seconds that an end may take: not timed, and in every tenth run only.
SLOW = {"overflow", "main overflow"}


def lines(pipe, n, seconds):
    """The first n, with nothing of what follows: communicate would not see that. Fewer when the time is over."""
    got, until = b"", time.monotonic() + seconds
    while got.count(b"\n") < n and select.select([pipe], [], [], max(0, until - time.monotonic()))[0]:
        if not (c := os.read(pipe.fileno(), 1)):
            break
        got += c
    return got


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--root", "--build", "--bin"):
        ap.add_argument(name)
    ap.add_argument("--runs", type=int, default=200 if "BOOT_STRESS" in os.environ else 2, help="with each end")
    ap.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    a = ap.parse_args()
    rng = random.Random(a.seed)
    prog = str(Path(a.bin) / "progs" / "fatal_prog")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    bad, slowest = 0, 0.0
    ends = {**SIGNALS, **OWN}
    for i in range(a.runs):
        for end, (want, says) in ends.items():
            if end in SLOW and i % 10 != 0:
                continue
            procs, own = rng.choice(["1", "2", "8", "64"]), isinstance(end, str)
            name, delay = end if own else end.name, rng.random() * 0.03
            env = {"PATH": os.environ["PATH"], "GOMAXPROCS": procs}
            if own:
                env |= {"END": end, "DELAY": str(int(delay * 1e6))}
            p = subprocess.Popen([prog, "load"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            early = lines(p.stderr, 2 if own else 1, 10)
            if not own:
                time.sleep(delay)
            t = time.monotonic()
            if not own:
                p.send_signal(end)
            try:
                _, err = p.communicate(timeout=60 if end in SLOW else 10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.communicate()
                err = b"(hung)"
            took = time.monotonic() - t
            if end not in SLOW:
                slowest = max(slowest, took)
            text = (early + err).decode(errors="replace")
            if p.returncode != want or took > 2 and end not in SLOW or not re.search(says, text, re.M) or (
                    early != (b"ready\nending\n" if own else b"ready\n")):
                bad += 1
                print(f"FAILED run {i} of seed {a.seed}: {name} GOMAXPROCS={procs}: exit {p.returncode}, "
                      f"{took:.2f} s\n{text[:3000]}\n")
    print(f"{a.runs} runs with each of {len(ends)} ends, {bad} bad, slowest {slowest:.2f} s")
    sys.exit(1 if bad else 0)


main()

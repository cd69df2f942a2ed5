#!/usr/bin/env python3
"""The ends of programs under valgrind's memcheck: the same end, and no error of memory on the way, handlers included."""
import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Scenario, exit status, and a line that must be in its output.
CASES = [
    ("hello", 0, "hello, world"),
    ("panic_string", 2, "panic: x"),
    ("panic_in_defer", 2, "\tpanic: second"),
    ("div_zero", 2, "panic: runtime error: integer divide by zero"),
    ("deadlock_two_g", 2, "fatal error: all goroutines are asleep - deadlock!"),
    ("mutex_unlock", 2, "fatal error: sync: unlock of unlocked mutex"),
    ("two_goroutines_panic", 2, "panic: x"),
    ("goexit_deferred", 0, "main continues"),
    ("signal_ignore", 0, "survived"),
    ("more_notify_quit", 0, "quit"),
    ("more_tkill_abrt", 2, "SIGABRT: abort"),
    ("more_panic_in_goexit", 2, "panic: x"),
    ("more_error_then_panic", 2, "\tpanic: second"),
]


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--root", "--build", "--bin"):
        ap.add_argument(name)
    a = ap.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return 0
    bad = 0
    for scenario, want, line in CASES:
        prog = Path(a.bin) / "progs" / ("fatal_more" if scenario.startswith("more_") else "fatal_prog")
        # asyncpreemptoff: an asynchronous preemption is an injected call, as in memcheck.supp, at any place whatever.
        # Stack slots lie closer together than valgrind expects of stacks: a pointer that moves by more than this has
        # changed to another stack. register-updates: a division that faults shall leave the true stack pointer, and not
        # the one of its block's last access to memory.
        p = subprocess.run(["valgrind", "--max-stackframe=30000", "--error-exitcode=77",
                            "--vex-iropt-register-updates=allregs-at-each-insn",
                            f"--suppressions={HERE}/memcheck.supp", prog, scenario],
                           env={"PATH": os.environ["PATH"], "GOTRACEBACK": "all", "GODEBUG": "asyncpreemptoff=1"},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                           text=True)
        errors = re.search(r"ERROR SUMMARY: (\d+) errors", p.stdout)
        if p.returncode != want or line not in p.stdout.split("\n") or errors is None or errors[1] != "0":
            bad += 1
            print(f"FAILED {scenario}: exit {p.returncode}, want {want}\n{p.stdout[:6000]}")
    print(f"{len(CASES)} programs, {bad} bad")
    return 1 if bad else 0


sys.exit(main())

#!/usr/bin/env python3
"""A program that is loaded anywhere: at another address each time, and otherwise the same as one at a fixed address.

Its tracebacks, compared with those of the same source at a fixed address, show that the table of functions, unwinding and
faults work there; pie.gc_roots that the collector finds globals, pie.cxx_exceptions exceptions, pie.cxx_math the functions
that are chosen when the program starts. gdb's extension must find everything, too.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "gdb"))
import gdbtest  # noqa: E402

args = gdbtest.arguments()
FIXED, PIE = args.bin / "progs" / "traceback", args.bin / "progs" / "pie" / "traceback"
errors = []


def run(program, scenario, procs):
    env = {"GOMAXPROCS": str(procs), "GOTRACEBACK": "system", "PATH": os.environ.get("PATH", "")}
    p = subprocess.run([program, scenario], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, timeout=60)
    return p.returncode, p.stderr


def blur(text):
    """The goroutine that panicked, without addresses and distances, which the compiler chooses."""
    return re.sub(r"0x[0-9a-f]+", "0x", "\n\n".join(text.split("\n\n")[:2]))


def main():
    header = subprocess.run(["readelf", "-hW", PIE], stdout=subprocess.PIPE, text=True, check=True).stdout
    if "DYN (" not in header:
        errors.append(f"not position independent:\n{header}")
    places = set()
    for i in range(20):
        scenario = ("borders", "callback", "deferred", "virtual_call")[i % 4]
        procs = 1 + i // 4 % 2
        status, text = run(PIE, scenario, procs)
        expected_status, expected = run(FIXED, scenario, procs)
        if status != expected_status or blur(text) != blur(expected):
            errors.append(f"{scenario}, GOMAXPROCS={procs}: status {status}, at a fixed address {expected_status}\n{text}\n"
                          f"--- at a fixed address\n{expected}")
            break
        at = re.search(r"runtime\.goexit\(.*\n.* pc=(0x[0-9a-f]+)", text)
        if at is None:
            errors.append(f"{scenario}: no pc of goexit\n{text}")
            break
        places.add(at.group(1)[:-3])
    if not errors and len(places) < 15:
        errors.append(f"20 runs at {len(places)} addresses only: {sorted(places)}")

    commands = ["boot steps", "starti", "boot next", "break main.main", "continue", "info goroutines", "info ps", "bt",
                "p $getg()->goid", "boot steps"]
    got = gdbtest.Session(args, PIE, "--args", PIE, "borders").run(commands)
    for i, wanted in {0: r"runtime\.rt0_go", 2: r"runtime\.rt0_go", 5: r"\*\s+1\s+running .*main\.main at traceback\.cpp",
                      6: r"running", 7: r"#0 +main\.main.*\n#1 .*runtime\.main", 8: r"= 1\b",
                      9: r"runtime\.procresize"}.items():
        if not re.search(wanted, got[i]):
            errors.append(f"gdb: {commands[i]} says\n{got[i]}")
    print("\n".join(errors) or f"{len(places)} places in 20 runs; tracebacks and gdb as at a fixed address")
    return 1 if errors else 0


sys.exit(main())

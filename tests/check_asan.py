#!/usr/bin/env python3
"""AddressSanitizer finds what user code does wrong on a goroutine, and says where; see tests/progs/hosted_asan.cpp.

That it says nothing about what is right is hosted.hosted_asan's part. Here each scene must end with a report of the right
kind that names the function, on one P and on several. The stack's own scenes name the variable, which takes the right
bounds of the goroutine's stack or segment.
"""
import os
import re
import subprocess
import sys

import arguments

SKIP = 77
SUMMARY = "SUMMARY: AddressSanitizer: "
# scene: (options, what must be in the report, in this order)
SCENES = {
    "heap": ("", [r"heap-use-after-free on address", r"in \(anonymous namespace\)::heap|in heap", r"freed by thread"]),
    "stack": ("", [r"stack-buffer-overflow on address", r"in overflow|::overflow",
                   r"is located in stack of thread", r"'small' .*overflows this variable"]),
    "segment": ("", [r"stack-buffer-overflow on address", r"is located in stack of thread",
                     r"'small' .*overflows this variable"]),
    "return": ("detect_stack_use_after_return=1", [r"stack-use-after-return on address", r"'local' "]),
    "leak": ("detect_leaks=1", [r"LeakSanitizer: detected memory leaks", r"Direct leak of \d+ byte\(s\) in (9|10) object",
                                r"Indirect leak of \d+ byte\(s\) in (9|10) object"]),
}


def main():
    args = arguments.read()
    program = os.path.join(args.bin, "progs/hosted/hosted_asan")
    if not os.path.exists(program):
        print("this compiler has no AddressSanitizer")
        sys.exit(SKIP)
    bad = 0
    for scene, (options, wanted) in SCENES.items():
        for procs in ("1", "4"):
            for also in ("detect_stack_use_after_return=0", "detect_stack_use_after_return=1"):
                env = {"PATH": os.environ.get("PATH", ""), "GOMAXPROCS": procs, "ASAN_OPTIONS": f"{also}:{options}"}
                p = subprocess.run([program, scene], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                                   errors="replace", timeout=120)
                at, missing = 0, None
                for pattern in wanted:
                    found = re.compile(pattern).search(p.stderr, at)
                    if found is None:
                        missing = pattern
                        break
                    at = found.end()
                if missing or p.returncode != 1 or p.stderr.count(SUMMARY) != 1:
                    print(f"{scene}, GOMAXPROCS={procs}, {also}: status {p.returncode}, not found: {missing}")
                    print(p.stdout + p.stderr[:4000])
                    bad += 1
    sys.exit(1 if bad else 0)


main()

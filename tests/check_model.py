#!/usr/bin/env python3
"""The models of the scheduler's sleep/wake protocol (tests/model/*.pml), proved by spin; each mutant is refuted.

Skipped (exit status 77) where spin is missing.
"""
# CLAIMS: [C39]
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
ASSERTED, STUCK = "assertion violated", "invalid end state"
# Model, definitions, what pan must report (None: that there is nothing), and options of pan's that find it soon.
RUNS = [
    ("wakeup", ["NWORK=3"], None, []),
    ("wakeup", ["NWORK=2", "REACHED"], ASSERTED, []),
    ("wakeup", ["NWORK=2", "NOSECONDLOOK"], STUCK, []),
    ("wakeup", ["NWORK=2", "SPINNERSONLY"], STUCK, []),
    ("wakeup", ["NWORK=3", "LOOKFIRST"], STUCK, []),
    ("wakeup", ["NP=3", "NWORK=2", "NORESET"], STUCK, ["-DREVERSE"]),
    ("timers", [], None, []),
    ("timers", ["REACHED"], ASSERTED, []),
    ("timers", ["SPINNERSONLY"], ASSERTED, []),
]


def call(*args, **kwargs):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kwargs)


def verify(model, defines, options, compiler):
    """Pan's report of a search through all states, or the reason why there is none."""
    with tempfile.TemporaryDirectory() as tmp:
        made = call("spin", "-a", *("-D" + d for d in defines), model, cwd=tmp)
        if made.returncode != 0 or not os.path.exists(os.path.join(tmp, "pan.c")):
            return f"spin: {made.stdout}"
        made = call(compiler, "-w", "-O2", "-DSAFETY", "-DCOLLAPSE", *options, "-o", "pan", "pan.c", cwd=tmp)
        if made.returncode != 0:
            return f"{compiler}: {made.stdout}"
        try:
            return call("./pan", "-m100000", "-w22", cwd=tmp, timeout=300).stdout
        except subprocess.TimeoutExpired:
            return "no answer within 300 s"


def judge(report, want):
    if "errors: " not in report or "max search depth too small" in report:
        return report
    if want is None:
        if "errors: 0" not in report or "Search not completed" in report:
            return report
    elif want not in report:
        return report
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    args, _ = parser.parse_known_args()
    compiler = os.environ.get("CC") or next((c for c in ("gcc", "cc", "g++") if shutil.which(c)), None)
    if shutil.which("spin") is None or compiler is None:
        print("skipped: the model checker spin or a C compiler is not installed (scripts/setup installs them)")
        return SKIP
    failed = 0
    for model, defines, want, options in RUNS:
        path = os.path.abspath(os.path.join(args.root, "tests", "model", model + ".pml"))
        wrong = judge(verify(path, defines, options, compiler), want)
        print(f"{' '.join([model, *defines])}: {'FAILED' if wrong else want or 'proved'}", flush=True)
        if wrong:
            print(f"expected {want or 'no error'}, got:\n{wrong}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

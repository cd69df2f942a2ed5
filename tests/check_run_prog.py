#!/usr/bin/env python3
"""The test driver itself: what it must accept, and that it finds each kind of wrong outcome."""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

# (directives, extra file NAME.txt or None, must pass, what the report must say)
CASES = [
    ("RUN: echo a; echo b\nSTDOUT: a\nSTDOUT: b", None, True, ""),
    ("RUN: echo a", None, False, "stdout differs"),
    ("RUN: echo a", "a\n", True, ""),
    ("RUN: echo a", "b\n", False, "stdout differs"),
    ("RUN: echo a >&2", None, False, "stderr differs"),
    ("RUN: echo xay >&2\nSTDERR-MATCH: a\nSTDERR-MATCH: y", None, True, ""),
    ("RUN: echo xay >&2\nSTDERR-MATCH: y\nSTDERR-MATCH: a", None, False, "no (further) match"),
    ("RUN: echo xay >&2\nSTDERR-MATCH: a\nSTDERR-NOT: y", None, False, "must not match"),
    ("RUN: exit 2\nEXIT: 2", None, True, ""),
    ("RUN: exit 1\nEXIT: 2", None, False, "exit status 1, expected 2"),
    ("RUN: kill -SEGV $$\nEXIT: SIGSEGV", None, True, ""),
    ("RUN: kill -SEGV $$\nEXIT: 0", None, False, "exit status SIGSEGV, expected 0"),
    ("RUN: sleep 20\nTIMEOUT: 0.3", None, False, "still running after 0.3 s"),
    ("RUN: cat; echo $GOMAXPROCS$X\nSTDIN: in\nENV: X=y\nPROCS: 3\nSTDOUT: in\nSTDOUT: 3y", None, True, ""),
    ("RUN: echo $GOMAXPROCS\nPROCS: 1 2\nSTDOUT: 1", None, False, "GOMAXPROCS=2"),
    ("RUN: echo x >> %root/count; test $(wc -l < %root/count) -lt 3\nREPEAT: 3", None, False, "run 3 of 3"),
    ("RUN: %prog/echo hi\nSTDOUT: hi", None, True, ""),
    ("RUNS: true", None, False, "unknown directive RUNS"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--build")
    parser.add_argument("--bin")
    args = parser.parse_args()
    errors = []
    for i, (directives, text, passes, report) in enumerate(CASES):
        with tempfile.TemporaryDirectory(prefix="a b ") as tmp:
            Path(tmp, "x.cpp").write_text("".join(f"// {line}\n" for line in directives.split("\n")))
            if text is not None:
                Path(tmp, "x.txt").write_text(text)
            done = subprocess.run([sys.executable, str(args.root / "tests" / "run_prog.py"), "--spec", f"{tmp}/x.cpp",
                                   "--prog", "/bin", "--bin", "/bin", "--root", tmp], capture_output=True, text=True,
                                  check=False)
        if (done.returncode == 0) != passes or report not in done.stdout + done.stderr:
            errors.append(f"case {i} ({directives!r}): status {done.returncode}\n{done.stdout}{done.stderr}")
    print("\n".join(errors) or f"{len(CASES)} cases")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

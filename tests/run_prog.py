#!/usr/bin/env python3
"""Runs a test program as its directives say (see spec.py) and compares what comes out.

usage: run_prog.py --spec FILE [--prog PROGRAM] --bin DIR --root DIR

BOOT_STRESS=1 in the environment (scripts/test --stress) takes the larger number of repeats.
"""
import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import spec as specs


def stacks(pid):
    """Where a program that hangs is; empty if nobody can look."""
    if not shutil.which("gdb"):
        return ""
    try:
        done = subprocess.run(["gdb", "-p", str(pid), "-batch", "-nx", "-ex", "thread apply all bt 16"],
                              capture_output=True, text=True, errors="replace", timeout=60, check=False)
        return "\n".join(done.stdout.splitlines()[-120:])
    except subprocess.SubprocessError as e:
        return str(e)


def run_once(command, env, stdin, cwd, timeout):
    """Returns (status, stdout, stderr, where it hung or None)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # A group of its own: a program that hangs is ended with all its children.
        child = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=out, stderr=err, env=env,
                                 cwd=cwd, start_new_session=True)
        hang = None
        try:
            child.communicate(stdin.encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            hang = stacks(child.pid)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read().decode(errors="replace"))
        return child.returncode, texts[0], texts[1], hang


def status_text(status):
    if status < 0:
        return signal.Signals(-status).name
    if status > 128 and status - 128 in [s.value for s in signal.Signals]:
        return f"{status} ({signal.Signals(status - 128).name})"
    return str(status)


def status_ok(status, wanted):
    if wanted.startswith("SIG"):
        number = getattr(signal, wanted).value
        return status in (-number, 128 + number)
    return status == int(wanted)


def check_stream(name, got, exact, matches, nots):
    """Complaints about one output stream."""
    complaints = []
    if exact is not None and got != exact:
        complaints.append(f"{name} differs\n--- expected\n{exact}--- got\n{got}")
    at = 0
    for pattern in matches:
        found = re.compile(pattern, re.M).search(got, at)
        if not found:
            complaints.append(f"{name} has no (further) match of: {pattern}")
            break
        at = found.end()
    for pattern in nots:
        if re.search(pattern, got, re.M):
            complaints.append(f"{name} must not match: {pattern}")
    return complaints


def expected(spec, stream, text_file):
    """The exact text wanted of a stream, or None if only patterns are."""
    lines = spec[stream]
    if lines:
        return "".join(line + "\n" for line in lines)
    if text_file is not None and text_file.exists():
        return text_file.read_text()
    return None if spec[stream + "-MATCH"] else ""


def check(spec, status, out, err, text_file):
    complaints = []
    wanted = spec.get("EXIT", "0")
    if not status_ok(status, wanted):
        complaints.append(f"exit status {status_text(status)}, expected {wanted}")
    complaints += check_stream("stdout", out, expected(spec, "STDOUT", text_file), spec["STDOUT-MATCH"],
                               spec["STDOUT-NOT"])
    complaints += check_stream("stderr", err, expected(spec, "STDERR", None), spec["STDERR-MATCH"], spec["STDERR-NOT"])
    return complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=Path, required=True)
    parser.add_argument("--prog", default="")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--root", required=True)
    args = parser.parse_args()

    spec = specs.parse(args.spec)
    repeat = int(spec.get("REPEAT", "1"))
    if os.environ.get("BOOT_STRESS") and "REPEAT-STRESS" in spec:
        repeat = int(spec["REPEAT-STRESS"])
    timeout = float(spec.get("TIMEOUT", "20"))
    stdin = "".join(line + "\n" for line in spec["STDIN"])
    text_file = args.spec.with_suffix(".txt")

    for procs in spec.get("PROCS", "").split() or [None]:
        for turn in range(repeat):
            with tempfile.TemporaryDirectory() as tmp:
                env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C", "HOME": tmp}
                if procs:
                    env["GOMAXPROCS"] = procs
                for options in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
                    if options in os.environ:
                        env[options] = os.environ[options]
                for assignment in spec["ENV"]:
                    name, _, value = assignment.partition("=")
                    env[name] = value
                command = spec.get("RUN", "%prog")
                if re.fullmatch(r"(env |taskset |%prog|%bin)[^;&|()]*", command):
                    command = "exec " + command  # the program itself, not a shell around it, gets the signals
                for key, value in (("%prog", args.prog), ("%bin", args.bin), ("%root", args.root), ("%tmp", tmp)):
                    # A path with spaces stays one word, also in front of more of the path (%bin/hello).
                    command = command.replace(key, shlex.quote(value))
                status, out, err, hang = run_once(command, env, stdin, tmp, timeout)
            complaints = [f"still running after {timeout:g} s\n{hang}"] if hang is not None else []
            complaints += check(spec, status, out, err, text_file)
            if complaints:
                print(f"run {turn + 1} of {repeat}" + (f", GOMAXPROCS={procs}" if procs else "") + f": {command}")
                print("\n".join(complaints))
                print(f"--- stdout\n{out[-8000:]}\n--- stderr\n{err[-8000:]}")
                return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except specs.SpecError as e:
        sys.exit(str(e))

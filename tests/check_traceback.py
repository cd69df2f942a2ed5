#!/usr/bin/env python3
"""What a traceback shows, frame by frame: functions, files and lines of progs/traceback.cpp, and of a stripped copy.

CLAIMS: [C49]
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "progs" / "traceback.cpp"
MARK = {m.group(1): i for i, l in enumerate(SOURCE.read_text().split("\n"), 1) if (m := re.search(r"// @(.+)$", l))}
MAIN = ["runScenario", "main.main"]

# Scenario: the frames of the goroutine that panics; those with a mark must show its line.
FRAMES = {
    "elided": ["down"] * 100 + ["..."],
    "just_fits": ["down"] * 97 + ["just_fits", *MAIN],
    "borders": ["load", *["widen"] * 61, "borders", *MAIN],
    "inlined": ["innermost", "middle", "inlined", *MAIN],
    "callback": ["load", "callback.func1", "std::", "callback", *MAIN],
    "deferred": ["load", "deferred.func1", "deferred", *MAIN],
    "virtual_call": ["derived::method", "virtual_call", *MAIN],
    "bound": ["bound.func1", "bound", *MAIN],
    "by_value": ["by_value", *MAIN],
    "running_elsewhere": ["running_elsewhere", *MAIN],
    "quit": ["spin", "quit", *MAIN, "runtime.main", "runtime.goexit"],
}
INLINED = {"innermost", "middle", "callback.func1", "derived::method", "bound.func1", "deferred.func1"}

failures = []


def expect(what, ok, detail=""):
    if not ok:
        failures.append(f"{what}: {detail}")


def run(prog, scenario, **env):
    p = subprocess.run([prog], env={"PATH": os.environ["PATH"], "SCENARIO": scenario, **env}, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


class Goroutine:
    def __init__(self, block):
        lines = block.rstrip("\n").split("\n")
        m = re.fullmatch(r"goroutine (\d+) \[(.*)\]:", lines[0])
        self.id, self.state, self.frames, self.by, self.note = int(m.group(1)), m.group(2), [], None, ""
        i = 1
        while i < len(lines):
            line = lines[i]
            if line == "...additional frames elided...":
                self.frames.append(("...", "", 0, ""))
                i += 1
            elif line.startswith("\tgoroutine running on other thread"):
                self.note = line.strip()
                i += 1
            elif line.startswith("rax "):
                break
            else:
                at = re.fullmatch(r"\t(.+):(\d+)((?: \+0x[0-9a-f]+)?(?: fp=0x\w+ sp=0x\w+ pc=0x\w+)?)", lines[i + 1])
                name = re.fullmatch(r"(created by )?(.+?)(\(\.\.\.\))?", line)
                expect("a frame", at, f"{line!r} {lines[i + 1]!r}")
                frame = (name.group(2), at.group(1), int(at.group(2)), at.group(3))
                if name.group(1):
                    self.by = frame
                else:
                    self.frames.append(frame)
                i += 2


def parse(err):
    return [Goroutine(b) for b in re.split(r"\n\n", err) if b.startswith("goroutine ")]


def line_is(what, frame, mark):
    expect(what, frame[1].endswith("tests/progs/traceback.cpp") and frame[2] == MARK[mark],
           f"{frame}, want line {MARK[mark]}")


def frames(prog):
    for scenario, want in FRAMES.items():
        code, _, err = run(prog, scenario, GOMAXPROCS="4")
        gs = parse(err)
        expect(scenario, code == 2 and gs, f"exit {code}\n{err}")
        if not gs:
            continue
        g = gs[0]
        # How the library's own functions call each other is its affair.
        g.frames = [("std::", "", 0, "+0x") if f[0].startswith("std::") else f for f in g.frames]
        g.frames = [f for i, f in enumerate(g.frames) if i == 0 or f[0] != "std::" or g.frames[i - 1][0] != "std::"]
        if scenario == "quit" and g.frames[0][0] == "opaque<...>":
            del g.frames[0]  # what spin is made of: the signal came there
        got = [f[0] for f in g.frames]
        expect(scenario, got == want, f"{got}\n  want {want}\n{err[:3000]}")
        if got != want:
            continue
        for i, f in enumerate(g.frames):
            last = f"{f[0]}, the last"
            if f[0] in MARK:
                line_is(scenario, f, last if last in MARK and f[0] not in got[:i] else f[0])
            expect(scenario, f[0] == "..." or ("+0x" in f[3]) == (f[0] not in INLINED), f"offset of {f}")
        expect(scenario, (g.by is not None) == (scenario == "elided"), f"created by {g.by}")
        if scenario == "elided":
            expect(scenario, g.by[0] == "elided", g.by)
            line_is(scenario, g.by, "elided")
    code, _, err = run(prog, "running_elsewhere", GOMAXPROCS="2", GOTRACEBACK="all")
    other = [g for g in parse(err) if g.id != 1]
    expect("running_elsewhere", len(other) == 1 and (other[0].note or other[0].frames) and other[0].by, err)
    if other and other[0].by:
        line_is("running_elsewhere", other[0].by, "running_elsewhere.func1")


def states(prog):
    code, out, err = run(prog, "states")
    gs = parse(out)
    want = ["running", "chan receive", "chan send", "select", "select (no cases)", "sleep", "sync.Cond.Wait", "syscall",
            "chan receive, locked to thread", "semacquire"]
    got = [g.state for g in gs]
    expect("states", code == 0 and got == want, f"exit {code}, {got}\n{err}")
    for g in gs:
        mine = [f for f in g.frames if f[1].endswith("traceback.cpp")]
        expect(f"states, {g.state}", mine, f"no frame of the program: {g.frames}")
        if mine:
            line_is(f"states, {g.state}", mine[0], g.state)
        expect(f"states, {g.state}", g.id == 1 or g.by and g.by[0] == "states", f"created by {g.by}")


def runtime_stack(prog):
    """Of what dies on a scheduling stack that stack is shown first, down to where the thread came to it."""
    code, _, err = run(prog, "overflow")
    m = re.search(r"\n\nruntime stack:\n((?:.+\n)+)\ngoroutine ", err)
    expect("overflow", code == 2 and m, f"exit {code}\n{err[:3000]}")
    if m:
        got = [f[0] for f in Goroutine("goroutine 0 [idle]:\n" + m.group(1)).frames]
        expect("overflow", got[0] == "runtime.throw" and got[-2:] == ["runtime.newstack", "runtime.morestack"], got)
    g = next((g for g in parse(err) if g.id == 1), None)
    expect("overflow", g and [f[0] for f in g.frames] == ["down"] * 100 + ["..."], err[:3000])


def levels(prog):
    """At level system the runtime's frames, registers and goroutines are there too."""
    _, _, err = run(prog, "callback", GOTRACEBACK="system")
    gs = parse(err)
    expect("system", len(gs) > 1 and any(not f[1].endswith(".cpp") or "runtime" in f[0] or "std::" in f[0]
                                         for f in gs[0].frames), err[:3000])
    _, _, err = run(prog, "borders", GOTRACEBACK="none")
    expect("none", "goroutine" not in err and err.startswith("panic: "), err)


def caller(prog):
    code, out, err = run(prog, "caller")
    want = (f"0 true tellCaller {MARK['tellCaller']}\n1 true callers {MARK['callers']}\n"
            f"2 true caller {MARK['caller']}\n50 false  0\n")
    expect("caller", (code, out) == (0, want), f"{code} {out!r} {err!r}, want {want!r}")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--root", "--build", "--bin"):
        ap.add_argument(name)
    a = ap.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    prog = str(Path(a.bin) / "progs" / "traceback")
    frames(prog)
    states(prog)
    runtime_stack(prog)
    levels(prog)
    caller(prog)
    if shutil.which("strip") is not None:
        with tempfile.TemporaryDirectory() as tmp:
            stripped = f"{tmp}/traceback"
            subprocess.run(["strip", "-o", stripped, prog], check=True)
            frames(stripped)
            caller(stripped)
    for f in failures:
        print(f"FAILED {f}")
    sys.exit(1 if failures else 0)


main()

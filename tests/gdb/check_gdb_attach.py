#!/usr/bin/env python3
"""gdb comes at any moment: attached to a busy program again and again, at 1, 2 and 8 Ps, each goroutine's frames are its own,
or the command says why not. The same in the cores of a goroutine that has died in a signal's handler. And ten thousand goroutines: attached, in gcore's core, in the
kernel's.

BOOT_STRESS=1 in the environment attaches more often.
"""
import os
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

import gdbtest

# Inside gdb. Where the goroutines of the program's arrays must be: a frame of this function, with this argument.
LOOK = r'''
import gdb, re, time
from gdbext import state, switch, layout
KINDS = {"parked": (20, "parked", True), "spins": (4, "spin", True), "hands": (2, "hand", True), "sleeps": (1, "sleeps", False),
         "reads": (1, "reads", False)}
OTHERS = {kind[1] for kind in KINDS.values()}
def goids(kind, n):
    at = layout.table().symbol("attach_" + kind)
    return [layout.u64(at + 8 * i) for i in range(n)]
def frames(text):
    return [(int(m.group(1)), m.group(2)) for m in re.finditer(r"^#(\d+) +(?:0x[0-9a-f]+ in )?(\S.*)$", text, re.M)]
def look(kinds, seen, some=slice(None)):
    """What is wrong; seen counts what was found, and the refusals."""
    gdb.execute("set width 0")
    wrong = []
    for kind in kinds:
        n, function, numbered = KINDS[kind]
        for i, goid in list(enumerate(goids(kind, n)))[some]:
            command = "goroutine %d bt" % goid
            try:
                text = gdb.execute(command, to_string=True)
            except gdb.error as e:
                seen["refused"] = seen.get("refused", 0) + 1
                if kind == "parked" or not re.search("goroutine %d .*(between|left its stack|handles)" % goid, str(e)):
                    wrong.append("%s: %s: %s" % (kind, command, e))
                continue
            found = frames(text)
            here = [f for _, f in found if re.search(r"\b%s \(" % function, f)]
            others = [f for _, f in found if re.search(r"\b(%s) \(" % "|".join(OTHERS - {function}), f)]
            good = (len(here) == 1 and not others and "goexit" in found[-1][1] and [k for k, _ in found] == list(range(len(found))))
            if good and numbered and i % 4 == 0:
                text += gdb.execute("goroutine %d frame apply all -s -q p me" % goid, to_string=True)
                good = re.search(r" = %d$" % i, text, re.M) or kind != "parked" and " = <optimized out>" in text
            seen[kind] = seen.get(kind, 0) + bool(good)
            if not good:
                wrong.append("%s %d: %s\n%s" % (kind, i, command, text))
    return wrong
def registers():
    text = gdb.execute("info registers rip rsp rbp", to_string=True)
    return re.findall("^r.*", text, re.M)  # without what gdb says about languages once
def attach(pid, times):
    wrong, seen, inlined = [], {}, 0
    for turn in range(times):
        gdb.execute("attach %d" % pid, to_string=True)
        threads = gdb.selected_inferior().threads()
        for thread in sorted(threads, key=lambda t: t.num):
            thread.switch()
            before = registers()
            if gdb.newest_frame().type() == gdb.INLINE_FRAME:
                inlined += 1
            wrong += look(["parked"], seen, slice(turn % 20, turn % 20 + 2))
            after = registers()
            if after != before:
                wrong.append("registers were %s and are %s" % (before, after))
        wrong += look(list(KINDS)[1:], seen)
        text = gdb.execute("goroutine %d frame function parked" % goids("parked", 20)[7], to_string=True)
        if not re.match(r"#\d+ .*parked ", text): wrong.append(text)
        number = re.match(r"#(\d+)", text)
        again = gdb.execute("goroutine %d frame %s" % (goids("parked", 20)[7], number and number.group(1)), to_string=True)
        if again != text: wrong.append("frame function: %sframe %s: %s" % (text, number, again))
        gdb.execute("detach", to_string=True)
        time.sleep(0.01 * (turn % 5))
    return "%s\n%s\ninlined %d" % ("\n".join(wrong[:6]) or "all right", seen, inlined)
'''


def cores(tmp):
    return [p for p in tmp.iterdir() if p.name.startswith("core")]


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    tmp = Path(tempfile.mkdtemp(prefix="boot gdb "))
    script = tmp / "look.py"
    script.write_text(LOOK, encoding="utf-8")
    times = 100 if os.environ.get("BOOT_STRESS") else 6

    for mode in ("", "hosted"):
        program = args.bin / "progs" / mode / "gdb_attach"
        for procs in (1, 2, 8) if not mode else (2,):
            child = subprocess.Popen([program, "stay"], env={"GOMAXPROCS": str(procs)}, stdout=subprocess.PIPE)
            try:
                child.stdout.readline()
                out = gdbtest.Session(args, program).run([f"source {script}", f"python print(attach({child.pid}, {times}))"],
                                                         timeout=60 + 10 * times)
            finally:
                child.kill()
                child.wait()
            check.no_error([script, "attach"], out)
            check.match(f"{mode} {procs} Ps: every goroutine's frames", r"^all right$", out[1])
            inlined = re.search(r"^inlined (\d+)", out[1] or "", re.M)
            if procs > 1:
                check.that("some threads stood in inlined functions", inlined and int(inlined.group(1)) > 0, out[1])

    # Goroutine 4242's stack at its death: in the core of the kernel where there is one, and under gdb where the handler
    # raises the signal for the last time.
    dumps = not Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").startswith(("|", "/"))
    look = ["python goid = goids('victim', 1)[0]; print('victim', goid)", "python gdb.execute('goroutine %d bt' % goid)",
            "python gdb.execute('goroutine %d frame function victim' % goid)",
            "python print('\\n'.join(look(['parked'], {})) or 'all right')", "info goroutines", "info stack-map"]
    for mode in ("", "hosted"):
        program = args.bin / "progs" / mode / "gdb_attach"
        for how in ("abort", "wild", "throw", "quit"):
            sessions = []
            if dumps:
                subprocess.run([program, how], cwd=tmp, env={"GOTRACEBACK": "crash"}, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, check=False, timeout=60, preexec_fn=lambda: resource.setrlimit(
                                   resource.RLIMIT_CORE, [resource.getrlimit(resource.RLIMIT_CORE)[1]] * 2))
                left = cores(tmp)
                check.that(f"{how}: the kernel left a core", len(left) == 1, list(tmp.iterdir()))
                if left:
                    sessions.append(gdbtest.Session(args, program, left[0]).run([f"source {script}"] + look))
                    left[0].unlink()
            for out in sessions:
                what = f"{mode} {how}"
                check.no_error(look, out[1:])
                check.match(f"{what}: the victim's frames", r"\bvictim \(.*\bgoexit", out[2])
                check.that(f"{what}: no frame of another time", "Read" not in out[2] and "Sleep" not in out[2], out[2])
                check.match(f"{what}: its argument", r"#\d+ .*victim \(.*n=4242", out[3])
                check.match(f"{what}: the others", r"^all right$", out[4])
                goid = re.search(r"victim (\d+)", out[1] or "victim 0").group(1)
                check.match(f"{what}: where it is", rf"^[* ] +{goid} .*\b(victim|mix|mixmany) at gdb_attach\.cpp:\d+", out[5])
    # Ten thousand, each with its stack, by all three ways.
    program = args.bin / "progs" / "gdb_attach"
    def all_there(what, out):
        check.match(f"{what}: ten thousand at their place", r"^10000 +chan receive +\S.* oneofmany at gdb_attach\.cpp:\d+ ", out[0])
        check.match(f"{what}: frames of one of them", r"chanrecv.*oneofmany \(.*goexit", out[1])
        check.match(f"{what}: of those with a number", "^all right$", out[2])
    look = ["info goroutines -g", "python gdb.execute('goroutine %d bt' % [v.i('goid') for v in state.goroutines()][-1000])",
            "python print('\\n'.join(look(['parked'], {})) or 'all right')"]
    child = subprocess.Popen([program, "stay", "many"], env={"GOMAXPROCS": "2"}, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        core = tmp / "the core"
        commands = [f"attach {child.pid}"] + look + ["gcore a b c", f"gcore '{core}'", "detach"]
        out = gdbtest.Session(args, program).run([f"source {script}"] + commands, timeout=300)[1:]
        all_there("attached", out[1:])
        check.match("gcore's usage", r"^ERROR: usage: gcore", out[4])
        check.match("gcore says what it did", r"is whole; [1-9]\d* bytes|is whole; 0 bytes", out[5])
    finally:
        child.kill()
        child.wait()
    out = gdbtest.Session(args, program, core).run([f"source {script}"] + look + ["gcore x"], timeout=300)[1:]
    all_there("gcore", out)
    check.match("no core of a core", "^ERROR: This is a core file already", out[3])
    core.unlink()
    if dumps:
        subprocess.run([program, "abort", "many"], cwd=tmp, env={"GOTRACEBACK": "crash"}, stderr=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=False, timeout=120, preexec_fn=lambda: resource.setrlimit(
                           resource.RLIMIT_CORE, [resource.getrlimit(resource.RLIMIT_CORE)[1]] * 2))
        all_there("the kernel's core", gdbtest.Session(args, program, *cores(tmp)).run([f"source {script}"] + look,
                                                                                       timeout=300)[1:])
    shutil.rmtree(tmp)
    check.done()


if __name__ == "__main__":
    main()

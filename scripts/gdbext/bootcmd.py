"""boot steps|next|draw|prev-state|why: walking through the start.

A step is a record that the running program makes of itself (runtime/base/bootstep.h); no list of them is kept here.
`boot next` lets the program run until it has made the next record: in assembly the program says where that is, in C++
every record is made by runtime.bootrecord, from which it is a return to the step's function.
"""
import json
import os
import subprocess
import sys
import tempfile
import unicodedata

import gdb

from gdbext import draw, layout, state, steps, symbols
from gdbext.layout import table, u64

HERE = os.path.dirname(os.path.realpath(__file__))


LISTS = "`boot steps` lists them."


class Walk:
    """Where the walk through the start is."""

    def __init__(self):
        self.forget()

    def forget(self):
        self.step = None      # the record we stand at
        self.snaps = []       # [(record or None, snapshot)]


walk = Walk()


def _exited(_event):
    walk.forget()


def _new_objfile(_event):
    walk.forget()


for _event in ("_boot_exited",):
    old = getattr(gdb, _event, None)
    if old is not None:
        gdb.events.exited.disconnect(old)
gdb._boot_exited = _exited
gdb.events.exited.connect(_exited)


def ensure_started():
    layout.table()
    if not state.have_process():
        gdb.execute("starti", to_string=True)


def asm_steps():
    """{address: description} of the records made in assembly; the address is behind the record."""
    t = table()
    at, end = t.find("__start_boot_asmsteps"), t.find("__stop_boot_asmsteps")
    found = {}
    while at and at < end:
        # At the first instruction of a program that can be loaded anywhere, they are not relocated yet.
        where, what = (v + t.bias if v < t.bias else v for v in (u64(at), u64(at + 8)))
        found[where] = what
        at += 16
    return found


class Stop(gdb.Breakpoint):
    def __init__(self, addr, temporary=False):
        super().__init__("*0x%x" % addr, gdb.BP_BREAKPOINT, internal=True, temporary=temporary)
        self.silent = True


def pc():
    return int(gdb.newest_frame().pc())


def _continue():
    try:
        gdb.execute("continue", to_string=True)
    except gdb.error as e:
        if state.have_process():
            raise
        raise gdb.GdbError("The program has ended: %s" % e)


def recording():
    return layout.var("runtime.bootrecording", 4) != 0


class StartIsOver(gdb.GdbError):
    pass


def to_next():
    """Lets the program run until it has made the next record; returns that record."""
    t = table()
    if not recording():
        raise StartIsOver("The start is over: the program's own main runs. `run` or `starti` begins anew.")
    asm = asm_steps()
    record_at, main_at = t.addr("runtime.bootrecord"), t.find("main.main")
    stops = [Stop(a) for a in list(asm) + [record_at] + ([main_at] if main_at else [])]
    try:
        _continue()
        if not state.have_process():
            raise gdb.GdbError("The program has ended.")
        here = pc()
        if here in asm:
            walk.step = next(r for r in reversed(draw.records()) if r["desc"] == asm[here])
        elif here == record_at:
            desc = draw.reg("rdi")
            back = u64(draw.reg("rsp"))
            # Only this thread, or another one's record comes between.
            for s in stops:
                s.enabled = False
            was = gdb.parameter("scheduler-locking")
            gdb.execute("set scheduler-locking on", to_string=True)
            try:
                tmp = Stop(back, True)
                tmp.thread = gdb.selected_thread().num
                _continue()
            finally:
                gdb.execute("set scheduler-locking %s" % was, to_string=True)
            walk.step = next(r for r in reversed(draw.records()) if r["desc"] == desc)
        elif here == main_at:
            walk.step = None
            raise StartIsOver("main.main: the start is over, what follows is the program's own.")
        else:
            walk.step = None
            raise gdb.GdbError("Stopped before the next step, at %s." % symbols.place(here, False))
    finally:
        for s in stops:
            if s.is_valid():
                s.delete()
    walk.snaps.append((walk.step, draw.snapshot()))
    return walk.step


def who_made(r):
    """"m0 p0 g1" of a record; who is not there yet is left out."""
    if r["m"] < 0:
        return "thread"
    return "m%d%s g%d" % (r["m"], " p%d" % r["p"] if r["p"] >= 0 else "", max(r["g"], 0))


def headline(r):
    who = "thread %d" % r["tid"]
    if r["m"] >= 0:
        who = "m%d" % r["m"]
        who += " p%d" % r["p"] if r["p"] >= 0 else ", no P"
        who += " g%d" % r["g"] if r["g"] > 0 else " on g0"
    values = "  ".join("%s=%s" % kv for kv in r["values"])
    return "Step %d: %s   [%s]   %s:%d\n        %s" % (r["n"], r["symbol"], who, r["file"], r["line"], values)


def wrap(text, indent, width=100):
    words, lines, cur = text.split(), [], ""
    for w in words:
        if len(cur) + len(w) + 1 > width - indent:
            lines.append(cur)
            cur = w
        else:
            cur = (cur + " " + w).strip()
    lines.append(cur)
    return ("\n" + " " * indent).join(lines)


def columns(text):
    """How wide it is on a terminal: Chinese characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def why(r, language):
    texts = steps.explain(r["symbol"], language)
    if texts is None:
        return "%s: nobody has written down yet what this step is for." % r["symbol"]
    label = steps.LABELS[language]
    lines = ["%s, %s:%d" % (r["symbol"], r["file"], r["line"])]
    room = max(columns(text) for text in label.values())
    for key in ("why", "needs", "gives", "breaks", "go"):
        body = wrap(texts[key], room + 3) if language == "en" else texts[key]
        lines.append("  %s%s %s" % (label[key], " " * (room - columns(label[key])), body))
    return "\n".join(lines)


def full_list():
    """All steps of this program's start in the order they happen, from a run of its own that is not this one."""
    filename = table().filename
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
        env = dict(os.environ, BOOT_DUMP=out.name)
        subprocess.run(
            ["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load no", "-iex", "set debuginfod enabled off",
             "-x", os.path.join(HERE, "load.py"), "-ex", "boot dump-steps", filename], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60, check=False)
        text = out.read()
    return json.loads(text) if text else []


def dump_steps():
    """In the child of full_list: run to main.main and write the records."""
    ensure_started()
    Stop(table().addr("main.main"), True)
    _continue()
    with open(os.environ["BOOT_DUMP"], "w", encoding="utf-8") as f:
        json.dump(draw.records(), f)


class Boot(layout.Command):
    """Walk through the start of the program: boot steps, next, draw, prev-state, why, break-it.
Usage:
  boot steps            all steps, with who makes them; what has not happened yet comes from a run aside
  boot next [N|STEP]    run to the next step (N steps on, or to a step of that name) and draw what is there then
  boot draw             draw what is there now; works from the first instruction on
  boot prev-state       draw what was there one step ago
  boot why [STEP] [zh]  why this step comes here, what it needs and provides, what would break without it
  boot break-it [STEP]  run the program with a step skipped or spoiled, and show the failure that follows
  boot core FILE        write a core file that has all goroutines' stacks
The program is started if it does not run (starti)."""

    def __init__(self):
        super().__init__("boot", gdb.COMMAND_RUNNING, gdb.COMPLETE_NONE, True)

    def invoke(self, _arg, _from_tty):
        gdb.execute("help boot")


class BootSteps(layout.Command):
    """List the steps of the start in their order; with who made them and what they set, if they have happened."""
    alone = "boot steps"

    def __init__(self):
        super().__init__("boot steps", gdb.COMMAND_RUNNING)

    def invoke(self, _arg, _from_tty):
        table()
        done = draw.records() if state.have_process() else []
        over = bool(done) and not recording()
        rest = []
        if not over:
            every = full_list()
            # Threads make steps side by side: what is to come is what the other run has more of, by name.
            counts = {}
            for r in done:
                counts[r["symbol"]] = counts.get(r["symbol"], 0) + 1
            for r in every:
                if counts.get(r["symbol"], 0):
                    counts[r["symbol"]] -= 1
                else:
                    rest.append(r)
        for r in done:
            mark = "*" if walk.step is not None and r["n"] == walk.step["n"] else " "
            print("%s%3d  %-8s  %-26s %-32s %s" % (
                mark, r["n"], who_made(r), r["symbol"], "%s:%d" % (r["file"], r["line"]),
                "  ".join("%s=%s" % kv for kv in r["values"])))
        if rest:
            print("--- still to come ---" if done else "--- the program is not running; these will come ---")
            for i, r in enumerate(rest):
                print(" %3d  %-26s %s:%d" % (len(done) + i + 1, r["symbol"], r["file"], r["line"]))


class BootNext(layout.Command):
    """Run to the next step of the start and draw what is there then.
Usage: boot next [N|STEP]      N steps on, or on to the step of that name"""

    def __init__(self):
        super().__init__("boot next", gdb.COMMAND_RUNNING)

    def complete(self, text, word):
        return layout.completions(steps.STEPS, text, word)

    def invoke(self, arg, _from_tty):
        usage = "usage: boot next [N|STEP]; N is 1 or more"
        words = layout.words(arg, usage)
        if len(words) > 1:
            raise gdb.GdbError(usage)
        arg = words[0] if words else ""
        if arg.lstrip("-").isdigit():
            if int(arg) < 1:
                raise gdb.GdbError(usage)
        elif arg:
            arg = layout.choose(arg, [r["symbol"] for r in full_list()], "step", LISTS)
        ensure_started()
        before = walk.snaps[-1][1] if walk.snaps else draw.snapshot()
        if not walk.snaps:
            walk.snaps.append((None, before))
        if arg and not arg.isdigit():
            while True:
                r = to_next()
                if r["symbol"] == arg:
                    break
        else:
            for _ in range(int(arg or 1)):
                r = to_next()
        print(headline(r))
        texts = steps.explain(r["symbol"])
        if texts:
            print("        " + wrap(texts["why"], 8))
        print(draw.draw(walk.snaps[-1][1], walk.snaps[-2][1]))


class BootDraw(layout.Command):
    """Draw what is there now: the process's stack, g0, thread-local storage, the links, Ms, Ps, Gs, queues.
What has changed since the last step is marked with a triangle."""
    alone = "boot draw"

    def __init__(self):
        super().__init__("boot draw", gdb.COMMAND_RUNNING)

    def invoke(self, _arg, _from_tty):
        ensure_started()
        now = draw.snapshot()
        old = None
        if walk.snaps:
            same = draw.flat(walk.snaps[-1][1]) == draw.flat(now)
            old = walk.snaps[-2][1] if same and len(walk.snaps) > 1 else walk.snaps[-1][1]
        print(draw.draw(now, old))


class BootPrev(layout.Command):
    """Draw what was there one step before this one. The process itself does not go back."""
    alone = "boot prev-state"

    def __init__(self):
        super().__init__("boot prev-state", gdb.COMMAND_RUNNING)

    def invoke(self, _arg, _from_tty):
        if len(walk.snaps) < 2:
            raise gdb.GdbError("There is no step before this one: `boot next` goes on from here.")
        r, snap = walk.snaps[-2]
        older = walk.snaps[-3][1] if len(walk.snaps) > 2 else None
        print("Before: " + (headline(r) if r else "the first instruction"))
        print(draw.draw(snap, older))


class BootWhy(layout.Command):
    """Say why a step comes where it does, what it needs and provides, and what would break without it.
Usage: boot why [STEP] [zh]      the step of the last `boot next` if none is named; zh: in Chinese"""

    def __init__(self):
        super().__init__("boot why", gdb.COMMAND_RUNNING)

    def complete(self, text, word):
        return layout.completions(list(steps.STEPS) + ["zh"], text, word)

    def invoke(self, arg, _from_tty):
        table()
        usage = "usage: boot why [STEP] [zh]"
        words = layout.words(arg, usage)
        language = "zh" if "zh" in words else "en"
        words = [w for w in words if w != "zh"]
        if len(words) > 1:
            raise gdb.GdbError(usage)
        if words:
            done = draw.records() if state.have_process() else []
            r = next((r for r in done if r["symbol"] == words[0]), None)
            if r is None:
                # What has not happened yet, and what is no step of this program but of another kind of program.
                every = done + full_list()
                name = layout.choose(words[0], [r["symbol"] for r in every] + list(steps.STEPS), "step", LISTS)
                r = next((r for r in every if r["symbol"] == name),
                         {"symbol": name, "file": "not a step of this program", "line": 0})
        else:
            r = walk.step
            if r is None and state.have_process():
                done = draw.records()
                r = done[-1] if done else None
            if r is None and state.have_process() and gdb.solib_name(pc()):
                print("The dynamic linker: this program uses shared libraries, so the kernel has mapped it too and enters it "
                      "first. It loads the libraries and jumps to the program's entry point, _rt0_amd64_linux. `boot next`.")
                return
            if r is None:
                print("_rt0_amd64_linux, the entry point: the kernel has mapped the program and put argc, argv, envp and "
                      "the auxiliary vector on a stack. There is no caller, no thread-local storage, no g. `boot next`.")
                return
        print(why(r, language))


class BootDump(layout.Command):
    """For `boot steps`: write the records of a run as JSON to the file $BOOT_DUMP."""

    def __init__(self):
        super().__init__("boot dump-steps", gdb.COMMAND_OBSCURE)

    def invoke(self, _arg, _from_tty):
        dump_steps()


Boot()
BootSteps()
BootNext()
BootDraw()
BootPrev()
BootWhy()
BootDump()

#!/usr/bin/env python3
"""What the extension's commands say when they can't do what is asked: without a program, with a program of another kind,
with arguments that mean nothing. One line each, never a traceback of Python. And each command has a help text."""
import subprocess

import gdbtest

COMMANDS = ["info goroutines", "info ms", "info ps", "info timers", "info sched", "info chan 1", "info chan", "info stack-map",
            "info stack-map nonsense", "goroutine 1 bt", "goroutine", "goroutine x", "goroutine all", "boot next", "boot steps",
            "boot draw", "boot why", "boot why nonsense", "boot prev-state", "boot break-it", "boot break-it nonsense",
            "boot core", "gocall", "gocall f(", "gocall -g", "gocall -g 1 x", "wait-graph", "p $getg()", "p $getm()",
            "p $getp()"]
# With a process at main, one part of what must be said each.
LIVE = {
    "info chan": "usage: info chan EXPR",
    "info chan nonsense": 'No symbol "nonsense"',
    "info chan 1": "0x1 is no channel",
    "info chan $getg()": "that is no channel but a runtime::g",
    "info chan $sp": "is no channel",
    "info stack-map nonsense": 'No symbol "nonsense"',
    "goroutine": "usage: goroutine N|all COMMAND",
    "goroutine x": "N is an id from `info goroutines`",
    "goroutine 99999 bt": "There is no goroutine 99999",
    "goroutine 1 nonsense": "Undefined command",
    "boot next 0": "N is 1 or more",
    "boot next -3": "N is 1 or more",
    "boot next nonsense": "There is no step nonsense",
    "boot next": "The start is over",
    "boot why nonsense": "There is no step nonsense",
    "boot prev-state": "There is no step before this one",
    "boot break-it nonsense": "There is no lesson for nonsense",
    "boot core": "usage: boot core FILE",
    "gocall": "usage: gocall",
    "gocall nonsense()": "There is no function nonsense",
    "gocall gdb_add(1": "the parenthesis is not closed",
    "gocall -g": "usage: gocall",
    "gocall -g 1": "usage: gocall",
    "gocall -g x y": 'No symbol "x"',
    "gocall gdb_add(1, 2, 3, 4, 5, 6, 7, nonsense)": 'No symbol "nonsense"',
    "p $getg(1)": "it takes no argument",
    "info ms all": "usage: info ms; it takes no argument",
    "info ps 1": "usage: info ps; it takes no argument",
    "info timers x y": "usage: info timers; it takes no argument",
    "info sched 0": "usage: info sched; it takes no argument",
    "wait-graph 5": "usage: wait-graph; it takes no argument",
    "boot steps 3": "usage: boot steps; it takes no argument",
    "boot draw now": "usage: boot draw; it takes no argument",
    "boot prev-state 2": "usage: boot prev-state; it takes no argument",
    "info goroutines -x": "usage: info goroutines [-a] [-g] [WORD...]",
    "goroutine 1.5 bt": "N is an id from `info goroutines`",
    "goroutine 99999999999999999999 bt": "N is an id from `info goroutines`",
    "goroutine 20 continue": "`continue` is for threads",
    "goroutine 20 s": "`s` is for threads",
    "goroutine 20 frame 99": "No frame at level 99",
    "goroutine 20 frame function nonsense": 'No frame for function "nonsense"',
    "goroutine 20 down": "you can't go down",
    "boot next 1 2": "usage: boot next [N|STEP]",
    "boot why runtime.args runtime.check": "usage: boot why [STEP] [zh]",
    "boot why setls": "There is no step setls; is it runtime.settls?",
    "boot break-it settls newproc": "usage: boot break-it [STEP|all]",
    "boot break-it newprok": "There is no lesson for newprok; is it runtime.newproc or",
    "boot core a b": "usage: boot core FILE",
}
# What TAB offers, by gdb's own command for that: whole command lines.
TAB = {
    "boot why runtime.settl": ["boot why runtime.settls"],
    "boot why settl": ["boot why settls"],
    "boot why runtime.(*p).in": ["boot why runtime.(*p).init"],
    "boot why runtime.settls z": ["boot why runtime.settls zh"],
    "boot next runtime.schedi": ["boot next runtime.schedinit"],
    "boot break-it runtime.newp": ["boot break-it runtime.newproc", "boot break-it runtime.newproc1"],
    "boot break-it al": ["boot break-it all"],
    "boot why nonsense.": [],
    "boot wh": ["boot why"],
    "goroutine 5 inf": None,
}
# A step by its short name, in quotes, in Chinese.
WHY = {"boot why settls": "^runtime.settls, asm/sys_linux_amd64.S|^runtime.settls, asm/asm_amd64.S",
       "boot why 'runtime.(*p).init'": r"^runtime.\(\*p\).init, ", "boot why settls zh": "为什么"}


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    for what, program, say in (("no program", "-nx", "No program."),
                               ("another program", "/bin/true", "does not start by this runtime")):
        for command, out in zip(COMMANDS, gdbtest.Session(args, program).run(COMMANDS)):
            ok = out.startswith("ERROR: ") and out.count("\n") == 0
            check.that(f"{what}: `{command}` says so in a line", ok and (say in out or "no step before" in out), out)

    program = args.bin / "progs" / "gdb_waits"
    commands = ["set args say", "break gdb_here", "run"] + list(LIVE) + list(WHY) + [
        "complete " + line for line in TAB] + [
        "info goroutines -g", "info goroutines nonsense", "info timers", "goroutine 20 bt", "delete", "continue"]
    out = gdbtest.Session(args, program).run(commands)
    got = dict(zip(commands, out))
    for command, say in LIVE.items():
        text = got[command]
        check.that(f"`{command}` says why not", text.startswith("ERROR: ") and say in text and "Python" not in text and
                   text.count("\n") == 0, text)
    for command, pattern in WHY.items():
        check.match(command, pattern, got[command])
    for line, wanted in TAB.items():
        offered = got["complete " + line].splitlines()
        check.that(f"TAB after `{line}` offers {wanted}", wanted is None or offered == wanted, offered)
    check.match("goroutines by groups", r"^100 +chan send +6 16 26 .*100 in all +main\.main\.func2 at ", got["info goroutines -g"])
    check.that("a line a group", 10 < got["info goroutines -g"].count("\n") < 25, got["info goroutines -g"])
    check.match("no goroutine of that kind", r"^No goroutine of \d+ matches", got["info goroutines nonsense"])
    timers = got["info timers"].splitlines()
    check.that("fifty sleep for an hour", sum("in 35" in t and "goroutineReady" in t for t in timers) == 50, timers[:5])
    check.match("whom a timer wakes", r"^p\d +in 3\d+s +once +g14 ", got["info timers"])
    columns = {line.index(" in " if " in " in line else "  ") for line in got["goroutine 20 bt"].splitlines()
               if line.startswith("#") and line.split()[1].startswith("0x")}
    check.that("frames are in columns", len(columns) == 1, got["goroutine 20 bt"])
    check.match("unharmed", "^unharmed$", got["continue"])

    out = gdbtest.Session(args, program).run(["python from gdbext import layout",
                                              "python layout.choose('init', ['a.init', 'b.(*p).init'], 'step', '')"])
    check.match("two steps of one short name", r"init may be a\.init, b\.\(\*p\)\.init", out[1])

    # scripts/gdb: the arguments of the program are there before the options' commands, whatever is in them.
    told = subprocess.run([args.root / "scripts" / "gdb", args.bin / "progs" / "gdb_waits", "say", "it's", "", "two words", "--",
                           "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "show args", "-ex", "run"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    check.match("scripts/gdb gives the program its arguments", r"say' 'it.*s' '' 'two words'", told.stdout)
    check.match("before it is run", r"^unharmed$.*exited normally", told.stdout)

    # A program that runs while gdb listens: gdb's own word for it, no more.
    out = gdbtest.Session(args, program).run(["set args say", "set non-stop on", "break gdb_here", "run", "continue&",
                                              "goroutine 5 bt", "info ms", "wait-graph"], abandon=True)
    for text in out[5:]:
        check.that("while it runs", "Python" not in text and "Traceback" not in text, text)

    out = gdbtest.Session(args, program).run([
        "python from gdbext import layout",
        "python print(*['%s=%s' % (c.__name__, (c.__doc__ or '').splitlines()[:1]) for c in layout.Command.__subclasses__()],"
        " sep='\\n')"])
    texts = out[1].splitlines()
    check.that("there are commands", len(texts) >= 18, out[1])
    for text in texts:
        check.that("it has a help text", len(text.split("=", 1)[1]) > 24, text)
    check.done()


if __name__ == "__main__":
    main()

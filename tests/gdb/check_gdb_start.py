#!/usr/bin/env python3
"""The extension before there is anything: at the first instruction, in rt0_go, in schedinit, and walking through all
steps. What is drawn is compared with what gdb reads by itself."""
import re

import gdbtest

EVERY = ["info goroutines", "info ms", "info ps", "info sched", "p $getg()", "p $getm()", "p $getp()", "info stack-map",
         "info stack-map $sp", "boot draw", "boot why", "wait-graph"]


def field(drawing, label):
    m = re.search(rf"[│▶ ] *(?<![\w.&(]){re.escape(label)} +(\S+)", drawing, re.M)
    return m.group(1) if m else None


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    hello = args.bin / "hello"

    # Nothing runs: no command may fail with a traceback of Python.
    out = gdbtest.Session(args, hello).run(["info goroutines", "boot steps", "boot why runtime.osinit"])
    check.match("info goroutines without a process", r"ERROR: The program is not running", out[0])
    names = re.findall(r"^ +\d+ +(\S+) +(\S+):(\d+)", out[1], re.M)
    check.that("boot steps lists the start before it has run", len(names) > 40, out[1])
    order = [n for n, _, _ in names]
    for a, b in (("runtime.rt0_go", "g0.stack"), ("runtime.settls", "runtime.check"), ("runtime.args", "runtime.osinit"),
                 ("runtime.schedinit", "runtime.procresize"), ("runtime.procresize", "runtime.newproc"),
                 ("runtime.mstart1", "runtime.main")):
        check.that(f"{a} comes before {b}", a in order and b in order and order.index(a) < order.index(b), order)
    for name, file, line in names:
        lines = (args.root / file).read_text(encoding="utf-8").splitlines()
        check.that(f"{file}:{line} is where {name} is recorded",
                   "BOOTSTEP" in lines[int(line) - 1] and name in lines[int(line) - 1], lines[int(line) - 1])
    check.match("boot why STEP", r"Why here.*Needs.*Provides.*Without it.*In Go", out[2])

    # The first instruction.
    commands = ["starti"] + EVERY + ["p/x $rsp", "p *(long*)$rsp", "p/x $fs_base", "bt"]
    out = gdbtest.Session(args, hello).run(commands)
    check.no_error(commands, out)
    got = dict(zip(commands, out))
    drawing = got["boot draw"]
    check.match("the stack is drawn from argc on", rf"argc +{gdbtest.number(got['p/x $rsp']):#x} +┃ 1", drawing)
    check.that("FS is 0", field(drawing, "FS") == "0x0" and gdbtest.number(got["p/x $fs_base"]) == 0, drawing)
    check.that("g0 has no stack yet", field(drawing, "stack.hi") == "0x0", drawing)
    check.match("argv[0] is drawn", r"argv   .*hello", drawing)
    check.match("no goroutines", "No goroutines yet", got["info goroutines"])
    check.match("no Ps", "No Ps yet", got["info ps"])
    check.that("the backtrace ends at the entry", len(re.findall(r"^#", got["bt"], re.M)) == 1, got["bt"])

    # In rt0_go, after the links; and in schedinit.
    commands = ["boot next m0-g0"] + EVERY + ["p/x &'runtime.m0'.tls", "p/x $fs_base", "p/x 'runtime.g0'.stack.hi",
                "p/x 'runtime.g0'.stack.lo", "p 'runtime.m0'.g0 == &'runtime.g0'", "break runtime.schedinit", "continue"
                ] + EVERY + ["boot next runtime.procresize", "p 'runtime.gomaxprocs'", "p 'runtime.allp'.len",
                             "p 'runtime.sched'.npidle", "boot prev-state", "boot why zh"]
    out = gdbtest.Session(args, hello, env={"GOMAXPROCS": "3"}).run(commands)
    check.no_error(commands, out)
    drawing = out[0]
    at = len(EVERY) + 1
    tls, fs, hi, lo = (gdbtest.number(o) for o in out[at:at + 4])
    check.that("FS as gdb has it", int(field(drawing, "FS"), 16) == fs == tls + 8, (drawing, tls, fs))
    check.that("stack.hi as gdb has it", int(field(drawing, "stack.hi"), 16) == hi, (drawing, hi))
    check.that("stack.lo as gdb has it", int(field(drawing, "stack.lo"), 16) == lo == hi - 65432, (drawing, lo))
    lines = [line for line in drawing.splitlines() if line[:1] in "┌│├└"]
    check.that("it fits a terminal", len(lines) <= 36 and {len(line) for line in lines} == {100}, drawing)
    check.match("SP lies in g0's stack", rf"stack\.hi +{hi:#x} .*\n│ .sp +0x[0-9a-f]+ +┃◀.*\n│ .stackguard0 .*\n│ .stack\.lo +{lo:#x} ", drawing)
    check.match("g is g0", r"▶g +&g0", drawing)
    last = out[-6:]
    check.that("three Ps are drawn", field(last[0], "gomaxprocs") == "3" and gdbtest.number(last[1]) == 3 ==
               gdbtest.number(last[2]), last[0])
    check.that("npidle as gdb has it", int(field(last[0], "npidle")) == gdbtest.number(last[3]) == 2, last[0])
    check.match("the state before has no idle P", r"npidle +0", last[4])
    check.match("Chinese", "为什么在这里.*需要.*提供", last[5])

    # All steps to main, one by one; the last says that the start is over, and the program ends well.
    commands = ["boot next"] * 40 + ["boot next runtime.main", "boot next 1000", "delete", "continue"]
    out = gdbtest.Session(args, hello, env={"GOMAXPROCS": "1"}).run(commands)
    walked = [re.search(r"^Step (\d+): (\S+)", o, re.M) for o in out[:40]]
    check.that("forty steps, numbered", [int(m.group(1)) if m else 0 for m in walked] == list(range(1, 41)), out[39])
    check.match("runtime.main", r"^Step \d+: runtime\.main", out[40])
    check.match("the end of the start", r"ERROR: main\.main: the start is over", out[41])
    check.match("the program goes on unharmed", r"^hello, world$", out[43])

    # Go's names of variables in a gdb without the extension, by the types that they have.
    names = {"sched": "runtime::schedt", "g0": "runtime::g", "m0": "runtime::m", "allm": r"runtime::m \*", "mheap_": "runtime::mheap",
             "allgs": r"runtime::slice<runtime::g ?\*>", "allp": r"runtime::slice<runtime::p ?\*>", "gomaxprocs": "int|std::int32_t|int32_t",
             "iscgo": "bool", "isIntel": ".*char|.*uint8_t", "physPageSize": ".*long|.*uint64_t|.*uintptr", "bootrecs": r"runtime::bootrec.*\]"}
    out = gdbtest.subprocess.run(
        ["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load no", "-iex", "set debuginfod enabled off", "-ex", "set language c++",
         "-ex", "break runtime.schedinit", "-ex", "run", "-ex", "p 'runtime.sched'.maxmcount", "-ex", "p 'runtime.g0'.m == &'runtime.m0'",
         "-ex", "p 'runtime.ncpu'", "-ex", "p 'runtime.bootrecs'[0].desc != 0"]
        + [w for n in names for w in ("-ex", f"whatis 'runtime.{n}'")] + [str(hello.resolve())],
        stdout=gdbtest.subprocess.PIPE, stderr=gdbtest.subprocess.STDOUT, stdin=gdbtest.subprocess.DEVNULL, text=True, check=False)
    check.match("values by Go's names", r"^\$1 = -?\d+\n\$2 = true\n\$3 = [1-9]\d*\n\$4 = true$", out.stdout)
    types = re.findall(r"^type = (.*)$", out.stdout, re.M)
    check.that("every name has a type", len(types) == len(names), out.stdout)
    for (name, wanted), type_ in zip(names.items(), types):
        check.match(f"the type of runtime.{name}", rf"^({wanted})$", type_)

    # The three ways to load the extension: scripts/gdb, source (above), and the program itself.
    out = gdbtest.subprocess.run(
        ["gdb", "-nx", "-q", "-batch", "-iex", f"set auto-load safe-path {args.bin.resolve()}",
         "-ex", "python print('boot next' in gdb.execute('help boot', to_string=True))", str(hello.resolve())],
        stdout=gdbtest.subprocess.PIPE, stderr=gdbtest.subprocess.STDOUT, text=True, check=False)
    inside = args.root.resolve() in hello.resolve().parents
    check.that("the program loads the extension by itself", ("True" in out.stdout) == inside, out.stdout)
    check.done()


if __name__ == "__main__":
    main()

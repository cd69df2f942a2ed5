#!/usr/bin/env python3
"""Every command in hosted mode: in the dynamic linker, in rt0_go, in schedinit, at main.main with a thousand goroutines
in ten kinds of wait, in a core file, and the lessons."""
import re
import shutil
import tempfile
from pathlib import Path

import gdbtest
from check_gdb_start import EVERY
from check_gdb_waits import LOOK, check_goroutines


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    program = args.bin / "progs" / "hosted" / "gdb_waits"
    tmp = Path(tempfile.mkdtemp(prefix="boot gdb "))
    core = tmp / "core"

    commands = (["starti"] + EVERY + ["p $rsp"] + ["boot next m0-g0"] + EVERY + ["p/x $fs_base", "p/x 'runtime.g0'.stack.lo",
                "p/x 'runtime.g0'.stack.hi", "break runtime.schedinit", "continue"] + EVERY +
                ["boot next runtime.procresize", "p 'runtime.allp'.len", "boot prev-state", "boot why zh", "delete"])
    out = gdbtest.Session(args, program, env={"GOMAXPROCS": "3"}).run(commands)
    check.no_error(commands, out)
    first = dict(zip(commands[:len(EVERY) + 1], out))
    check.match("the dynamic linker comes first", r"^The dynamic linker: ", first["boot why"])
    check.match("the kernel's stack is drawn already", r"argv .*gdb_waits.*\n.*argc +0x[0-9a-f]+ +┃ 1 .*\n.*◀━━ SP", first["boot draw"])
    at = len(EVERY) + 2
    drawing = out[at]
    fs, lo, hi = (gdbtest.number(out[i]) for i in range(at + len(EVERY) + 1, at + len(EVERY) + 4))
    check.match("FS is libc's", rf"FS +{fs:#x} ", drawing)
    check.match("-8(FS) is g", r"▶-8\(FS\) g +&g0 ", drawing)
    check.match("g0 has the thread's whole stack", rf"stack\.hi +{hi:#x} .*stack\.lo +{lo:#x} ", drawing)
    check.that("which is more than 64 KB", hi - lo > 256 * 1024, drawing)
    check.that("three Ps", gdbtest.number(out[commands.index("p 'runtime.allp'.len")]) == 3, out[-5])

    calls = {"gocall gdb_add(1,2,3,4,5,6,7,8)": r"= 87654321$", "gocall gdb_throws()": r"^panic: thrown for the debugger$",
             "gocall gdb_blocks()": r"= 7$", "gocall gdb_deep(2000)": r"= 2000$",
             # 1003, the call's own, and of the four calls before those that have not come to their end.
             "gocall runtime.NumGoroutine": r"= 100[4-8]$"}
    commands = (["set args say", "break gdb_here", "run"] + LOOK + ["info timers", "goroutine 5 bt", "goroutine all bt 1",
                "info chan unbuffered", "info chan full", "p full", "p *$getg()", "p *$getm()", "p *$getp()", "boot draw",
                "boot steps", f"boot core '{core}'"] + list(calls) + ["boot break-it all", "delete", "continue"])
    out = gdbtest.Session(args, program).run(commands, timeout=300)
    got = dict(zip(commands, out))
    check.no_error(commands, out)
    check_goroutines(check, got["info goroutines"])
    check.match("main runs here", r"^\* +1 +running .*gdb_here at gdb_waits\.cpp", got["info goroutines"])
    check.match("ms", r"^\* +m\d+ +\d+ +g1 +p\d+ ", got["info ms"])
    check.match("whose stack", r"is on the stack of g1 \(slot", got["info stack-map $sp"])
    check.match("a parked goroutine's frames", r"#0 .*chanrecv.*main_main.*runtime\.goexit", got["goroutine 5 bt"])
    check.match("a channel with receivers", r"0 of 0 in the buffer.*waiting to receive: g\d+.* 250 in all",
                got["info chan unbuffered"])
    check.match("a full channel", r"first: 41, 42\n", got["info chan full"])
    check.match("printers", r"chan 0x[0-9a-f]+ 2/2, 100 senders", got["p full"])
    check.match("of g", r"g1 \[running\] stack", got["p *$getg()"])
    check.match("nil channels are stuck", r"\[chan send \(nil chan\)\] in .*STUCK\n", got["wait-graph"])
    check.that("goroutine all", len(re.findall(r"^goroutine \d+ \[", got["goroutine all bt 1"], re.M)) >= 1003)
    for command, pattern in calls.items():
        check.match(command, pattern, got[command])
    lessons = got["boot break-it all"]
    check.that("the lessons but that of settls", lessons.count("\n  Seen.") >= 15 and "Another failure" not in lessons, lessons)
    check.match("which says why", r"^runtime\.settls: .*\n +Not in this program: libc", lessons)
    check.match("and the process goes on unharmed", r"^unharmed$.*exited normally", got["continue"])

    commands = LOOK + ["goroutine 5 bt", "p $getg()", "boot draw"]
    out = gdbtest.Session(args, program, core).run(commands)
    got = dict(zip(commands, out))
    check.no_error(commands, out)
    check_goroutines(check, got["info goroutines"])
    check.match("in the core", r"#0 .*chanrecv.*main_main.*runtime\.goexit", got["goroutine 5 bt"])

    # A crash, and the core of it.
    crash = tmp / "crash"
    out = gdbtest.Session(args, program).run(["set args crash", "run", "info goroutines", f"boot core '{crash}'", "kill"])
    check.match("the fault's place", r"SIGSEGV.*gdb_waits\.cpp:\d+", out[1])
    check_goroutines(check, out[2])
    commands = ["info goroutines", "goroutine 1 bt", "info ms"]
    out = gdbtest.Session(args, program, crash).run(commands)
    check.no_error(commands, out)
    check_goroutines(check, out[0])
    check.match("main's frames in the crash's core", r"main.*runtime\.goexit", out[1])
    shutil.rmtree(tmp)
    check.done()


if __name__ == "__main__":
    main()

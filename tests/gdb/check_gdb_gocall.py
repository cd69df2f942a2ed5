#!/usr/bin/env python3
# CLAIMS: [C13]
"""runtime.debugCallV2 is in the binary, nothing calls it, and a debugger can: results, exceptions, blocking, growth, the
four refusals, and the process goes on unharmed."""
import re
import subprocess
from pathlib import Path

import gdbtest


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    program = args.bin / "progs" / "gdb_waits"

    # In every program, hello too; and nothing calls or jumps to it.
    hello = str(args.bin / "hello")
    names = subprocess.run(["nm", hello], stdout=subprocess.PIPE, text=True, check=True).stdout
    check.match("hello has runtime.debugCallV2", r" T runtime\.debugCallV2$", names)
    code = subprocess.run(["objdump", "-d", hello], stdout=subprocess.PIPE, text=True, check=True).stdout
    check.that("nothing calls it", not re.search(r"\b(call|jmp)\w* .*<runtime\.debugCallV2>", code))

    calls = {
        "gocall gdb_add(1, 2, 3, 4, 5, 6, 7, 8)": r"= 87654321$",
        "gocall gdb_scale(2.5, 4)": r"= 10$",
        'gocall gdb_length("hello, gdb")': r"= 10$",
        "gocall gdb_throws()": r"^panic: thrown for the debugger$",
        "gocall gdb_blocks()": r"= 7$",
        "gocall gdb_exits()": r"^panic: runtime\.Goexit$",
        "gocall gdb_deep(20000)": r"= 20000$",
        "gocall runtime.NumGoroutine": r"= \d+$",
        "gocall gdb_blocks(1)": r"ERROR: gdb_blocks takes 0 arguments, not 1",
        "gocall no_such_function()": r"ERROR: There is no function",
        "gocall -g 17 gdb_blocks()": r"ERROR: goroutine 17 is waiting",
    }
    for procs in ("1", "2"):
        before = ["set args say", "break gdb_here", "run", "info all-registers"]
        after = ["info all-registers", "p counter", "bt 1", "delete", "continue"]
        commands = before + list(calls) + after
        out = gdbtest.Session(args, program, env={"GOMAXPROCS": procs}).run(commands)
        got = dict(zip(commands, out))
        for command, pattern in calls.items():
            check.match(f"{command} with {procs} Ps", pattern, got[command])

        # FS is the thread's: a call that blocks may bring the goroutine back on another one. The same for what gdb makes
        # of the stop itself.
        def registers(text):
            return {line.split()[0]: line for line in text.splitlines()
                    if line and not line.startswith(("fs_base", "gs_base", "orig_rax", "fiseg", "fioff", "foseg", "fooff",
                                                     "fop"))}
        old, new = (registers(o) for c, o in zip(commands, out) if c == "info all-registers")
        for name in old:
            check.that(f"register {name} is as it was ({procs} Ps)", old[name] == new.get(name), (old[name], new.get(name)))
        check.match("the calls did run", r"= [1-9]", got["p counter"])
        check.match("back where it was", r"#0 .*gdb_here", got["bt 1"])
        check.match("the process goes on unharmed", "^unharmed$", got["continue"])

    # The vector state is saved by one way and restored by the same, although nobody has been preempted yet.
    if " xsave " in Path("/proc/cpuinfo").read_text(encoding="ascii"):
        out = gdbtest.Session(args, program, env={"GODEBUG": "asyncpreemptoff=1"}).run(
            ["break gdb_here", "run", "gocall gdb_add(1, 2, 3, 4, 5, 6, 7, 8)", "p *(char*)&'runtime.preemptSave'"])
        check.match("all of the vector state is kept", r"= [12] ", out[-1])

    # The refusals, with Go's texts. On a goroutine, but in the runtime's text; on g0; before there is a g; at an address
    # that is no function; and in the user's code while the runtime holds a lock.
    commands = ["starti", "gocall gdb_blocks()", "break runtime.schedinit", "continue", "gocall gdb_blocks()",
                "delete", "break gdb_here", "continue", "break runtime.nanotime", "continue", "gocall gdb_blocks()"]
    out = gdbtest.Session(args, program).run(commands)
    check.match("before TLS", "ERROR: executing on Go runtime stack", out[1])
    check.match("on g0", "ERROR: executing on Go runtime stack", out[4])
    commands = ["set args say", "break gdb_here", "run", "p $getm()->locks = 1", "gocall gdb_blocks()", "p $getm()->locks = 0",
                "gocall gdb_blocks()", "set $back = $rip", "set $rip = runtime.mcall", "gocall gdb_blocks()",
                "set $rip = $back", "set $rip = (long)&counter", "gocall gdb_blocks()", "set $rip = $back", "gocall gdb_blocks()",
                "delete", "continue"]
    commands = [c.replace("$rip = runtime.mcall", "$rip = (long)&'runtime.Gosched'") for c in commands]
    out = gdbtest.Session(args, program).run(commands)
    check.match("a lock is held", "ERROR: call not at safe point", out[4])
    check.match("no lock is held", "= 7", out[6])
    check.match("in the runtime's text", "ERROR: call from within the Go runtime", out[9])
    check.match("nowhere", "ERROR: call from unknown function", out[12])
    check.match("after all refusals", "= 7", out[14])
    check.match("unharmed by the refusals", "^unharmed$", out[16])
    check.done()


if __name__ == "__main__":
    main()

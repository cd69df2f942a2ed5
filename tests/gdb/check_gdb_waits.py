#!/usr/bin/env python3
"""A thousand goroutines in ten kinds of wait: live, in a core file, with all symbols stripped, and after a crash."""
import re
import resource
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import gdbtest

KINDS = {"chan receive": 150, "chan send": 100, "select": 100, "select (no cases)": 100, "chan receive (nil chan)": 100,
         "chan send (nil chan)": 100, "semacquire": 200, "sync.Cond.Wait": 100, "sleep": 50, "syscall": 2}
LOOK = ["info goroutines", "info ms", "info ps", "info sched", "info stack-map", "info stack-map $sp", "wait-graph"]


def kinds(text):
    return Counter(m.group(1) for m in re.finditer(r"^[* ] +\d+ +(\S.*?)  +\S", text, re.M))


def check_goroutines(check, text, symbols=True):
    seen = kinds(text)
    for reason, n in KINDS.items():
        check.that(f"{n} goroutines in {reason}", seen[reason] == n, seen)
    if symbols:
        check.match("a system call has an M", r"syscall +- +m\d+ +main\.main\.func\d+ at gdb_waits\.cpp:\d+", text)
        check.match("where", r"chan receive +- +- +main\.main\.func1 at gdb_waits\.cpp:\d+", text)
        check.match("who made it", r"chan send +.* main\.main at gdb_waits\.cpp:\d+$", text)


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    program = args.bin / "progs" / "gdb_waits"
    tmp = Path(tempfile.mkdtemp(prefix="boot gdb "))
    core = tmp / "by-gdb"

    find = ("python\nfrom gdbext import state\n"
            "for name, test in (('deep', lambda v: v['segs']), ('recv', lambda v: not v['segs'] and "
            "state.wait_reason(v['waitreason']) == 'chan receive')):\n"
            "    gdb.set_convenience_variable(name, [v.i('goid') for v in state.goroutines() if test(v)][0])\nend")
    find = find.replace("python\n", "python exec('''", 1).replace("\nend", "''')").replace("\n", "\\n")
    walk = ["goroutine $recv bt", "goroutine $deep bt", "goroutine $deep bt -4", "goroutine $deep frame 20",
            "goroutine $recv frame 5", "goroutine 1 bt 2"]
    commands = ["set args say", "break gdb_here", "run"] + LOOK + [find, "info registers"] + walk + ["info registers", "bt 2",
                "info chan unbuffered", "info chan full", "info chan 0", "p full", "p *$getg()", "p *$getm()",
                "p *$getp()", "p $getg() == $getm()->curg", "goroutine all bt 2", f"boot core '{core}'", "delete",
                "continue"]
    out = gdbtest.Session(args, program).run(commands)
    got = dict(zip(commands, out))
    check.no_error(commands, out)
    check_goroutines(check, got["info goroutines"])
    check.match("main runs here", r"^\* +1 +running .*gdb_here at gdb_waits\.cpp", got["info goroutines"])
    check.match("ms", r"^\* +m\d+ +\d+ +g1 +p\d+ ", got["info ms"])
    check.match("sysmon has no P", r"m1 +\d+ +g0 of m1 +- ", got["info ms"])
    check.match("ps", r"^\* +p\d+ +running +m\d+ ", got["info ps"])
    check.match("stack map", r"g\d+ +slot.*g\d+ +segment", got["info stack-map"])
    check.match("whose stack", r"is on the stack of g1 \(slot", got["info stack-map $sp"])
    bt = got["goroutine $recv bt"]
    check.match("a parked goroutine's frames", r"#0 .*(mcall|gosavegogo|gopark).*chanrecv.*main_main.*runtime\.goexit", bt)
    frames = re.findall(r"^#(\d+) ", bt, re.M)
    check.that("frames count from 0, without the thread's own", [int(f) for f in frames] == list(range(len(frames))), bt)
    check.match("arguments of a parked goroutine's frames", r"chanrecv \(c=.*block=\S*true\)", bt)
    check.that("all 301 frames of the recursion, through segments",
               len(re.findall(r"^#\d+ .*\bdeep\b", got["goroutine $deep bt"], re.M)) == 301, got["goroutine $deep bt"][-600:])
    check.match("down to goexit", r"runtime\.goexit", got["goroutine $deep bt -4"])
    registers = [o for c, o in zip(commands, out) if c == "info registers"]
    check.that("the registers are left alone", registers[0] == registers[1] and "rip" in registers[0], registers)
    check.match("and the selected frame", r"#0 .*gdb_here", got["bt 2"])
    chan = got["info chan unbuffered"]
    check.match("a channel with receivers", r"0 of 0 in the buffer.*waiting to receive: g\d+.* 250 in all.*send: nobody", chan)
    check.match("select is told", r"g\d+ \(in select\)", chan)
    check.match("a full channel", r"2 of 2.*first: 41, 42\n.*receive: nobody.*send: g\d+.* 100 in all", got["info chan full"])
    check.match("the nil channel", "nil channel", got["info chan 0"])
    check.match("printer of chan", r"chan 0x[0-9a-f]+ 2/2, 100 senders", got["p full"])
    check.match("printer of g", r"g1 \[running\] stack", got["p *$getg()"])
    check.match("printer of m", r"m\d+ thread \d+, runs g1", got["p *$getm()"])
    check.match("printer of p", r"p\d+ running, m m\d+", got["p *$getp()"])
    check.match("$getg", "true", got["p $getg() == $getm()->curg"])
    headers = re.findall(r"^goroutine \d+ \[", got["goroutine all bt 2"], re.M)
    check.that("goroutine all", len(headers) >= 1003, len(headers))
    graph = got["wait-graph"]
    check.match("nil channels are stuck", r"\[chan send \(nil chan\)\] in .*STUCK\n +waits for nothing", graph)
    check.match("senders are not", r"\[chan send\] in main\.main\.func2 at gdb_waits\.cpp:\d+\n", graph)
    check.match("a mutex in a global", r"acquire semaphore 0x[0-9a-f]+ in .*mu, known to everybody", graph)
    check.match("the process goes on unharmed", "^unharmed$", got["continue"])

    # The same on the core file, and with a program that has no symbols at all.
    stripped = tmp / "gdb_waits"
    shutil.copy(program, stripped)
    subprocess.run(["strip", "-s", str(stripped)], check=True)
    for what, exe in (("core", program), ("core of the stripped program", stripped)):
        commands = LOOK + [find, "goroutine $recv bt", "goroutine $deep bt", "p $getg()", "boot draw",
                           "goroutine all bt 1", "boot steps"]
        out = gdbtest.Session(args, exe, core).run(commands)
        got = dict(zip(commands, out))
        check.no_error(commands, out)
        check_goroutines(check, got["info goroutines"])
        check.match(f"{what}: main", r"^\* +1 +running", got["info goroutines"])
        frames = len(re.findall(r"^#", got["goroutine $deep bt"], re.M))
        check.that(f"{what}: the deep goroutine's frames", frames >= 300, frames)
        check.that(f"{what}: the same graph", got["wait-graph"].splitlines()[-1] == graph.splitlines()[-1], got["wait-graph"])
        check.match(f"{what}: drawn", r"│ +g1 +running, stack", got["boot draw"])
    check.match("names in the core", r"#\d+ .*chanrecv", gdbtest.Session(args, program, core).run([find, "goroutine $recv bt"])[1])

    # Live without debug information, and without any symbol: the program's own tables have to do.
    for flag in ("-g", "-s"):
        bare = tmp / f"bare{flag}"
        subprocess.run(["strip", flag, "-o", str(bare), str(program)], check=True)
        commands = ["set args say", "boot next runtime.procresize", "python from gdbext.layout import table",
                    "python gdb.Breakpoint('*0x%x' % table().addr('gdb_here'))", "continue", "info goroutines", "bt",
                    "goroutine 5 bt", "info stack-map $sp", "info timers", "wait-graph", "gocall gdb_add(1,2,3,4,5,6,7,8)",
                    "gocall runtime.NumGoroutine", "boot break-it runtime.newproc", "delete", "continue"]
        out = gdbtest.Session(args, bare).run(commands)
        got = dict(zip(commands, out))
        check.no_error(commands, out)
        check_goroutines(check, got["info goroutines"])
        check.match(f"strip {flag}: names in a backtrace", r"#1 .* in main\.main \(.*gdb_waits\.cpp:\d+", got["bt"])
        check.match(f"strip {flag}: a parked goroutine's", r"chanrecv.*runtime\.goexit", got["goroutine 5 bt"])
        check.match(f"strip {flag}: a call", "= 87654321", got["gocall gdb_add(1,2,3,4,5,6,7,8)"])
        check.match(f"strip {flag}: a lesson", r"\n  Seen\.", got["boot break-it runtime.newproc"])
        check.match(f"strip {flag}: unharmed", "^unharmed$", out[-1])

    # A crash: stopped by the signal, and as the core that the kernel leaves (gdb writes it where the system gives cores
    # to a program of its own).
    crash = tmp / "crash"
    commands = ["set args crash", "run", "info goroutines", "goroutine 1 bt", f"boot core '{crash}'", "kill"]
    out = gdbtest.Session(args, program).run(commands)
    check.match("the fault's place", r"SIGSEGV.*gdb_waits\.cpp:\d+", out[1])
    check_goroutines(check, out[2])
    dumps = not Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").startswith(("|", "/"))
    if dumps:
        crash.unlink()
        subprocess.run([program, "crash"], cwd=tmp, env={"GOTRACEBACK": "crash"}, stderr=subprocess.DEVNULL, check=False,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, [resource.getrlimit(
                           resource.RLIMIT_CORE)[1]] * 2))
        left = [p for p in tmp.iterdir() if p.name.startswith("core") and p != core]
        check.that("the kernel left a core", len(left) == 1, list(tmp.iterdir()))
        left[0].rename(crash)
    commands = ["info goroutines", "goroutine 1 bt", "info ms", "bt 1"]
    out = gdbtest.Session(args, program, crash).run(commands)
    check.no_error(commands, out)
    check_goroutines(check, out[0])
    check.match("the crash's core: main's frames, which a panic has unwound before it reports", r"runtime\.goexit" if dumps else r"main.*runtime\.goexit", out[1])
    shutil.rmtree(tmp)
    check.done()


if __name__ == "__main__":
    main()

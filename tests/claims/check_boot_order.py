#!/usr/bin/env python3
"""The required functions are first entered on the first thread, in the required order (required_boot_order.txt).

CLAIMS: [C11] [C16]
"""
import os
import subprocess

from claims import Checks, gdbrun, need

check = Checks()
need("gdb")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "required_boot_order.txt"), encoding="ascii") as f:
    required = [line.strip() for line in f if line.strip() and not line.startswith("#")]

# sysmon is held at its entry, by a jump to itself: what it does depends on the clock. With one P nothing else does.
BODY = r'''
names = NAMES
R["absent"] = [n for n in names if n not in SYMS]
brk(*[n for n in names if n not in R["absent"]])
brk("runtime.sysmon")
R["entries"] = [["_rt0_amd64_linux", 1]] if reg("pc") == addr("_rt0_amd64_linux") else []
points = {b.location: b for b in gdb.breakpoints()}
points["*%d" % reg("pc")].delete()
while True:
    n = cont()
    if n == "exit": break
    pc = reg("pc")
    points["*%d" % pc].delete()
    if n == "runtime.sysmon":
        gdb.selected_inferior().write_memory(pc, b"\xeb\xfe")
        continue
    R["entries"].append([n, gdb.selected_thread().num])
'''
for program, want in (("hello", "hello, world\n"), ("asmadd", "add(2, 3) = 5\n")):
    r = gdbrun(check.prog(program), f"NAMES = {required!r}\n" + BODY, env={"GOMAXPROCS": "1"})
    check.equal("C11", f"{program}: every one of the {len(required)} names is a symbol; absent", r["absent"], [])
    first = [n for n, thread in r["entries"] if thread == 1]
    differs = next((i for i, (a, b) in enumerate(zip(first + [None], required)) if a != b), None)
    check("C16", f"{program}: first entries on the first thread in the required order", first == required,
          differs is not None and f"number {differs + 1} is {(first + [None])[differs]}, not {required[differs]}")
    done = subprocess.run([check.prog(program)], capture_output=True, text=True, check=False)
    check.equal("C11", f"{program}: and it ends well", (done.returncode, done.stdout), (0, want))
check.equal("C16", "the list has its 74 names", len(required), 74)
check.end()

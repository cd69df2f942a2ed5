#!/usr/bin/env python3
"""starti, then nothing but s (or si where s would leave the way) reaches main.main, and bt is clean at every step.

CLAIMS: [C51]
"""
from claims import Checks, gdbrun, need

check = Checks()
need("gdb")

STEP = r'''
import re
# A frame that gdb guessed shows in one of these ways.
BAD = re.compile(r"\?\?|Backtrace stopped|previous frame|Cannot access memory")
ROOTS = {"_rt0_amd64_linux", "_rt0_amd64", "runtime.rt0_go", "runtime.mstart", "runtime.goexit", "runtime.mcall",
         "runtime.systemstack", "runtime.gogo", "runtime.gosavegogo", "runtime.morestack", "runtime.clone",
         "main.main"}  # gdb takes main.main for the main function of a Go program, and by default shows nothing past it
R["steps"], R["bad"], R["roots"], R["functions"] = 0, [], {}, []
def name(f): return (f.name() or "?").split("(")[0] if f.function() is None or not f.function().linkage_name \
    else f.function().linkage_name
def look():
    f = gdb.selected_frame()
    n = name(f)
    if not R["functions"] or R["functions"][-1] != n: R["functions"].append(n)
    depth = 0
    bt = X("bt 60")
    if BAD.search(bt): R["bad"].append([R["steps"], bt[-400:]])
    while True:
        older = f.older()
        if older is None or depth > 60: break
        f = older; depth += 1
    root = name(f); R["roots"][root] = R["roots"].get(root, 0) + 1
    if root not in ROOTS and len(R["bad"]) < 5: R["bad"].append([R["steps"], "root " + root + "\n" + bt[-400:]])
    return n
def walk(command, limit, goal=()):
    t = gdb.selected_thread()
    for i in range(limit):
        n = look()
        if n in goal or len(R["bad"]) >= 5: return
        X(command); R["steps"] += 1
        if EXITED: return
        if gdb.selected_thread().num != t.num: t.switch()
'''
END = '''
R["last"] = R["functions"][-6:]; del R["functions"]
'''

r = gdbrun(check.prog("hello"), STEP + """
walk("s", 30000, ("main.main", "main_main"))
""" + END, env={"GOMAXPROCS": "1"}, timeout=900)
check("C51", f"s alone reaches main.main, in {r['steps']} steps", r["last"][-1] in ("main.main", "main_main"), r["last"])
check("C51", f"bt is clean at each of them, and ends at {', '.join(sorted(r['roots']))}", not r["bad"],
      "\n".join(str(b) for b in r["bad"]))

# Instruction by instruction where s steps over what matters: the entry, and each switch of stacks, as often as one is
# met on the way.
r = gdbrun(check.prog("hello"), STEP + """
walk("si", 1200)
for switch in ("gogo", "mcall", "systemstack", "mstart", "goexit1"):
    clear(); brk("runtime." + switch)
    for turn in range(3):
        if cont() == "exit": break
        walk("si", 60)
    if EXITED: break
""" + END, env={"GOMAXPROCS": "1"}, timeout=900)
check("C51", f"si, {r['steps']} instructions of the entry and of the switches: bt is clean at each", not r["bad"] and r["steps"] > 1500,
      "\n".join(str(b) for b in r["bad"]))
check.end()

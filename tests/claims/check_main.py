#!/usr/bin/env python3
"""runtime.main: sysmon's thread, the lock on m0, gcenable, main.main.

CLAIMS: [C43] [C44] [C45] [C46] [C47] [C50]
"""
import re
import subprocess
import tempfile

from claims import Checks, gdbrun, need, symbols

check = Checks()
need("gdb", "strace", "objdump")
hello = check.prog("hello")
syms = symbols(hello)

r = gdbrun(hello, r'''
def caller(): return X("info symbol %d" % rd8(reg("rsp"))).split()[0]
until("runtime.newm")
R["newm"] = [reg("rdi"), reg("rsi"), reg("rdx")]
def nthreads(): return len(gdb.selected_inferior().threads())
R["path"] = []
clear(); brk(*["runtime." + n for n in "allocm mcommoninit malg newm1 newosproc clone".split()])
while True:
    n = cont(); R["path"].append([n, nthreads()])
    if n == "runtime.mcommoninit": mp = reg("rdi")
    if n == "runtime.malg": R["malg"] = reg("rdi") & 0xffffffff
    if n == "runtime.clone": break
M = "(('runtime::m'*)%d)" % mp
R["g0_stack"] = int(V(M + "->g0->stack.hi")) - int(V(M + "->g0->stack.lo"))
R["mstartfn"] = int(V(M + "->mstartfn")); R["id"] = int(V(M + "->id"))
clear(); X("finish"); R["threads_after"] = nthreads()
# ---- the rest of main, on thread 1 ----
brk(*["runtime." + n for n in "lockOSThread doInit gcenable makechan chanrecv unlockOSThread".split()]); brk("main.main")
R["main"] = []
while True:
    n = cont()
    if gdb.selected_thread().num != 1: continue
    R["main"].append([n, caller()])
    if n == "runtime.makechan": R["cap"] = reg("rsi")
    if n == "runtime.doInit":
        R["m"] = int(m().address); R["m0"] = N("(unsigned long)&'runtime.m0'"); R["locked"] = [int(m()["lockedInt"]), int(m()["lockedg"]) == int(g().address)]
    if n == "main.main": break
gs = [V("'runtime.allgs'.array[%d]" % i).dereference() for i in range(N("'runtime.allgs'.len"))]
R["gs"] = [[int(x["goid"]), X("info symbol %d" % int(x["startpc"])).split()[0], int(x["atomicstatus"]), bool(x["isSystem"])] for x in gs]
R["ngsys"] = N("'runtime.sched'.ngsys"); R["lockedInt_main"] = int(m()["lockedInt"])
# ---- sysmon's thread ----
for t in gdb.selected_inferior().threads():
    t.switch(); mm = m()
    if mm is not None and int(mm["mstartfn"]) == addr("runtime.sysmon"):
        R["sysmon"] = values(mm, "p curg nextp"); R["sysmon_g0"] = int(g().address) == int(mm["g0"])
''', env={"GOMAXPROCS": "1"})
check.equal("C44", "newm(sysmon, nil, -1)", r["newm"], [syms["runtime.sysmon"], 0, 2**64 - 1])
names = [n for n, _ in r["path"]]
check.equal("C45", "newm: allocm, mcommoninit and malg; then newm1, newosproc, clone",
            [names[0], sorted(names[1:-3]) == ["runtime.malg", "runtime.malg", "runtime.mcommoninit"] or names[1:-3], names[-3:]],
            ["runtime.allocm", True, ["runtime.newm1", "runtime.newosproc", "runtime.clone"]])
check.equal("C45", "until clone there is no thread", [n for _, n in r["path"]], [1] * len(r["path"]))
check.equal("C45", "clone makes it", r["threads_after"], 2)
check("C45", f"its g0 is malg's: {r['g0_stack']} bytes", r["g0_stack"] >= 8192 and r["g0_stack"] & (r["g0_stack"] - 1) == 0)
check.equal("C45", "the new M has id 1 and its mstartfn", (r["id"], r["mstartfn"]), (1, syms["runtime.sysmon"]))
main = [n for n, c in r["main"]]
check.equal("C44", "then lockOSThread, doInit, gcenable, doInit for the user's part, unlockOSThread, main.main",
            [n for n, c in r["main"] if c == "runtime.main"],
            ["runtime.lockOSThread", "runtime.doInit", "runtime.gcenable", "runtime.doInit", "runtime.unlockOSThread",
             "main.main"])
check.equal("C44", "main runs on m0", r["m"], r["m0"])
check.equal("C44", "and is locked to it during the static constructors", r["locked"], [1, True])
check.equal("C44", "and not afterwards", r["lockedInt_main"], 0)
in_gcenable = [n for n, c in r["main"] if c == "runtime.gcenable"]
check.equal("C50", "gcenable makes a channel and receives twice", in_gcenable,
            ["runtime.makechan", "runtime.chanrecv", "runtime.chanrecv"])
check.equal("C50", "of capacity 2", r["cap"], 2)
system = {name: (status, sysg) for _, name, status, sysg in r["gs"]}
for name in ("runtime.bgsweep", "runtime.bgscavenge"):
    check("C50", f"{name} is a goroutine that waits, a system one", system.get(name) == (4, True), r["gs"])
check("C50", f"so hello has {len(r['gs'])} goroutines", len(r["gs"]) >= 3)
check("C46", "sysmon's M has no P, no goroutine, and runs on its g0",
      r["sysmon"] == {"p": 0, "curg": 0, "nextp": 0} and r["sysmon_g0"], r.get("sysmon"))

r = gdbrun(hello, r'''
until("runtime.lockOSThread"); X("finish")
other = N("(unsigned long)'runtime.allm'")
assert other != N("(unsigned long)&'runtime.m0'")
X("set var ((runtime::g*)%d)->m = (runtime::m*)%d" % (int(g().address), other))
R["end"] = cont()
''', env={"GOMAXPROCS": "1"})
check("C44", "runtime.main on another M is a throw", "fatal error: runtime.main not on m0" in r["gdb_log"], r["gdb_log"][-800:])
code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", hello], capture_output=True, text=True, check=True).stdout
main = re.search(r"<runtime\.main>:\n((?:.+\n)+)", code).group(1)
check("C44", "runtime.main calls the user's function by the name main.main", re.search(rf"call\s+{syms['main.main']:x} ", main) is not None, main)

with tempfile.TemporaryDirectory() as tmp:
    def strace(what, program, *args, procs="1"):
        subprocess.run(["strace", "-f", "-e", f"trace={what}", "-o", tmp + "/log", program, *args], check=False,
                       stdout=subprocess.DEVNULL, env={"GOMAXPROCS": procs})
        with open(tmp + "/log", encoding="utf-8", errors="replace") as f:
            return f.read()

    flags = re.findall(r"clone\(.*?flags=([A-Z_|]+)", strace("clone", hello))
    want = {"CLONE_VM", "CLONE_FS", "CLONE_FILES", "CLONE_SIGHAND", "CLONE_SYSVSEM", "CLONE_THREAD"}
    check("C45", "clone shares memory, files and signal handlers, as a thread", flags and all(want <= set(f.split("|")) for f in flags),
          flags)

    # ---- C47: sysmon's delays, in a program that is busy for a while, so that nothing makes them short again ----
    log = strace("nanosleep", check.prog("progs/claims_busy"))
    sleeps = {}
    for tid, sec, ns in re.findall(r"^(\d+) +nanosleep\(\{tv_sec=(\d+), tv_nsec=(\d+)\}", log, re.M):
        sleeps.setdefault(tid, []).append(int(sec) * 10**9 + int(ns))
    delays = max(sleeps.values(), key=len, default=[])
    check("C47", "sysmon begins with delays of 20 µs", delays[:5] == [20_000] * 5, delays[:60])
    # While a preemption it has asked for is not answered sysmon asks again after 100 µs, in place of the next delay.
    steps = [d for i, d in enumerate(delays) if d != 100_000 and (i == 0 or d != delays[i - 1])]
    up = steps[:steps.index(max(steps)) + 1] if steps else []
    series = [min(20_000 << k, 10_000_000) for k in range(10)]
    check("C47", f"doubles them when there is nothing to do: {[d // 1000 for d in up]} µs",
          len(up) >= 6 and set(up) <= set(series) and up == sorted(up), up)
    check.equal("C47", "up to 10 ms", max(delays, default=0), 10_000_000)

r = gdbrun(check.prog("progs/claims_busy"), r'''
until("runtime.sysmon"); t = gdb.selected_thread().num
brk("runtime.checkdead", "runtime.usleep", "runtime.retake")
R["first"] = []
while len(R["first"]) < 3:
    n = cont()
    if n == "exit": break
    if gdb.selected_thread().num == t: R["first"].append(n)
''', env={"GOMAXPROCS": "1"})
check.equal("C47", "sysmon: checkdead once, then it sleeps and retakes", r["first"],
            ["runtime.checkdead", "runtime.usleep", "runtime.retake"])
r = gdbrun(check.prog("progs/claims_busy"), r'''
brk("runtime.netpoll")
R["args"], R["nop"] = [], []
for i in range(6):
    if cont() == "exit": break
    if int(m()["mstartfn"]) != addr("runtime.sysmon"): continue
    R["args"].append(reg("rdi")); R["nop"].append(int(m()["p"]))
''', env={"GOMAXPROCS": "1"})
check("C47", f"sysmon polls the network without blocking, {len(r['args'])} times seen",
      len(r["args"]) >= 2 and set(r["args"]) == {0} and set(r["nop"]) == {0}, r)
check.end()

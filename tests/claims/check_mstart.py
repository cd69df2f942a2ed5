#!/usr/bin/env python3
"""From newproc(&mainPC) to the first instruction of runtime.main: newproc, mstart, schedule, execute, gogo; and how a
goroutine comes back to g0.

CLAIMS: [C30] [C31] [C34] [C36] [C37] [C38] [C39] [C40] [C41] [C42] [C43] [C53]
"""
import re
import subprocess

from claims import Checks, gdbrun, need, symbols

check = Checks()
need("gdb", "objdump")
hello = check.prog("hello")
syms = symbols(hello)

r = gdbrun(hello, r'''
def here():
    gp = g(); sp = reg("rsp")
    return {"g": int(gp.address), "g0": int(m()["g0"]), "on": bool(int(gp["stack"]["lo"]) <= sp <= int(gp["stack"]["hi"]))}
def caller(): return X("info symbol %d" % rd8(reg("rsp"))).split()[0]
# ---- newproc1 and what it calls ----
until("runtime.newproc1"); R["newproc1"] = here()
names = ["runtime." + n for n in "gfget malg stackalloc casgstatus allgadd gostartcallfn gostartcall runqput mstart".split()]
clear(); brk(*names)
R["order"] = []
while True:
    n = cont()
    R["order"].append(n)
    if n == "runtime.malg": R["malg_arg"] = reg("rdi") & 0xffffffff
    if n == "runtime.stackalloc": R["stackalloc"] = here(); R["stackalloc_arg"] = reg("rdi") & 0xffffffff
    if n == "runtime.casgstatus": R.setdefault("cas", []).append([reg("rsi") & 0xffffffff, reg("rdx") & 0xffffffff])
    if n == "runtime.gostartcall":
        buf = V("*(('runtime::gobuf'*)%d)" % reg("rdi"))
        R["gobuf"] = values(buf, "sp pc g ctxt ret lr bp")
        R["gostartcall_fn"] = reg("rsi")
    if n == "runtime.runqput":
        R["next"] = reg("rdx") & 0xff; newg = reg("rsi"); pp = reg("rdi")
        R["newg_status"] = int(V("(('runtime::g'*)%d)->atomicstatus" % newg))
    if n == "runtime.mstart": break
P = "(('runtime::p'*)%d)" % pp; G = "(('runtime::g'*)%d)" % newg
R["runnext_is_new"] = int(V(P + "->runnext")) == newg
R["newg"] = newg; R["goid"] = int(V(G + "->goid"))
# ---- mstart ----
clear(); until("runtime.mstart1")
g0 = V("'runtime.g0'")
R["lo"], R["guard0"], R["guard1"] = int(g0["stack"]["lo"]), int(g0["stackguard0"]), int(g0["stackguard1"])
parts = ["runtime." + n for n in "asminit minit mstartm0 schedule findRunnable runqget execute gogo".split()]
brk(*parts); R["mstart1"] = []
while True:
    n = cont()
    R["mstart1"].append(n)
    if n == "runtime.asminit":
        s = V("'runtime.g0'")["sched"]; R["saved"] = values(s, "sp pc g")
        R["mstart_exit"] = addr("runtime.mstart.exit")
    if n == "runtime.execute": R["tick"] = int(V(P + "->schedtick")); R["execute_g"] = reg("rdi"); R["inherit"] = reg("rsi") & 0xff
    if n == "runtime.gogo": break
gp = V(G).dereference()
R["at_gogo"] = values(gp, "atomicstatus waitsince preempt stackguard0 m"); R["at_gogo"]["lo"] = int(gp["stack"]["lo"])
R["curg"] = N("(unsigned long)'runtime.m0'.curg"); R["m0"] = N("(unsigned long)&'runtime.m0'")
R["tick2"] = int(V(P + "->schedtick"))
buf = gp["sched"]; R["gogo_buf"] = values(buf, "sp pc bp")
clear(); until("runtime.main")
R["first"] = {"sp": reg("rsp"), "pc": reg("pc"), "bp": reg("rbp"), "fs_g": int(g().address), "ret": rd8(reg("rsp"))}
R["after_buf"] = values(V(G)["sched"], "sp ctxt ret bp")
R["bt"] = X("bt")
R["guard_word"] = rd8(reg("fs_base") + 0x70); R["guard_g"] = int(V(G)["stackguard0"])
R["stack"] = [int(V(G)["stack"]["lo"]), int(V(G)["stack"]["hi"])]
pid = gdb.selected_inferior().pid
for l in open("/proc/%d/maps" % pid):
    a, b = (int(x, 16) for x in l.split()[0].split("-"))
    if l.strip().endswith("[stack]"): R["os_stack"] = [a, b]
''', env={"GOMAXPROCS": "1"})

check("C30", "newproc1 runs on g0, by systemstack", r["newproc1"]["on"] and r["newproc1"]["g"] == r["newproc1"]["g0"], r["newproc1"])
check.equal("C31", "gfget first, then malg with stackalloc, _Gidle to _Gdead, allgadd, gostartcallfn, runqput",
            [n for i, n in enumerate(r["order"]) if n != "runtime.casgstatus" or "runtime.casgstatus" not in r["order"][:i]],
            ["runtime." + n for n in ("gfget", "malg", "stackalloc", "casgstatus", "allgadd", "gostartcallfn", "gostartcall",
                                      "runqput", "mstart")])
check.equal("C31", "malg gets StackMin", r["malg_arg"], 2048)
check("C33", "stackalloc runs on the system stack", r["stackalloc"]["on"] and r["stackalloc"]["g"] == r["stackalloc"]["g0"])
check.equal("C33", "and gets a power of two", r["stackalloc_arg"] & (r["stackalloc_arg"] - 1), 0)
check.equal("C31", "_Gidle to _Gdead", r["cas"][0], [0, 6])
check.equal("C34", "gostartcall finds pc = goexit + PCQuantum, g, and the rest cleared",
            (r["gobuf"]["pc"], r["gobuf"]["g"], [r["gobuf"][k] for k in ("ctxt", "ret", "lr", "bp")]),
            (syms["runtime.goexit"] + 1, r["newg"], [0, 0, 0, 0]))
check.equal("C34", "and the function", r["gostartcall_fn"], syms["runtime.main"])
check.equal("C36", "runqput with next = true puts the new G into runnext", (r["next"], r["runnext_is_new"]), (1, True))
check.equal("C35", "by then it is _Grunnable", r["newg_status"], 1)
check.equal("C35", "the first goroutine has goid 1", r["goid"], 1)
check.equal("C37", "mstart sets g0's guards to stack.lo + StackGuard", (r["guard0"], r["guard1"]), (r["lo"] + 928, r["lo"] + 928))
check.equal("C37", "save puts pc and g into g0.sched: what ends the thread", (r["saved"]["pc"], r["saved"]["g"]),
            (r["mstart_exit"], syms["runtime.g0"]))
check("C37", "and an SP on g0's stack", r["lo"] < r["saved"]["sp"] <= r["lo"] + 65432)
check.equal("C38", "mstart1: asminit, minit, mstartm0, schedule, findRunnable, runqget, execute, gogo", r["mstart1"],
            ["runtime." + n for n in "asminit minit mstartm0 schedule findRunnable runqget execute gogo".split()])
a = r["at_gogo"]
check.equal("C40", "execute: _Grunning", a["atomicstatus"], 2)
check.equal("C40", "waitsince 0, preempt false", (a["waitsince"], a["preempt"]), (0, 0))
check.equal("C40", "stackguard0 = stack.lo + StackGuard", a["stackguard0"], a["lo"] + 928)
check.equal("C40", "m.curg and g.m", (r["curg"], a["m"]), (r["newg"], r["m0"]))
check.equal("C40", "schedtick counts unless the time slice is inherited", r["tick2"] - r["tick"], 0 if r["inherit"] else 1)
check.equal("C41", "gogo loads SP, PC and g", (r["first"]["sp"], r["first"]["pc"], r["first"]["fs_g"]),
            (r["gogo_buf"]["sp"], r["gogo_buf"]["pc"], r["newg"]))
check.equal("C41", "a first-run G starts with rbp = 0", r["first"]["bp"], 0)
check.equal("C41", "the gobuf is cleared", list(r["after_buf"].values()), [0, 0, 0, 0])
check.equal("C34", "runtime.main will return into goexit + PCQuantum", r["first"]["ret"], syms["runtime.goexit"] + 1)
check("C41", "a backtrace there ends at goexit", re.search(r"#1 .*runtime\.goexit[^#]*$", r["bt"]) is not None, r["bt"])
check.equal("C42", "fs:0x70 is the running g's stackguard0", r["guard_word"], r["guard_g"])
check("C43", "the first G's stack is not the OS stack", not r["os_stack"][0] <= r["stack"][0] < r["os_stack"][1], r["stack"])
check("C26", "nor as large: 2 KB", r["stack"][1] - r["stack"][0] == 2048, r["stack"])

# ---- C42: a prologue of user code ----
code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", check.prog("sieve")], capture_output=True, text=True,
                      check=True).stdout
main = re.search(r"<main\.main>:\n((?:.+\n)+)", code).group(1)
check("C42", "main.main compares SP with fs:0x70 and calls __morestack below it",
      re.search(r"cmp\s+%fs:0x70,%r(sp|11)", main.split("call")[0]) is not None and "<__morestack>" in main, main[:400])
r = gdbrun(check.prog("progs/growth"), r'''
until("main.main"); clear()
until("__morestack"); t = gdb.selected_thread().num; R["below"] = reg("rsp") < rd8(reg("fs_base") + 0x70) + 4096
until("runtime.morestack", thread=t); until("runtime.newstack", thread=t)
gp = g(); R["g0"] = int(gp.address) == int(m()["g0"])
''', env={"GOMAXPROCS": "1"})
check("C42", "__morestack leads to runtime.morestack, and that to newstack on g0", r["g0"] and r["below"])

# ---- C37, C39: the throws ----
r = gdbrun(hello, r'''
until("runtime.mstart1")
gs = N("(unsigned long)'runtime.m0'.gsignal")
gdb.selected_inferior().write_memory(reg("fs_base") - 8, int(gs).to_bytes(8, "little"))
R["end"] = cont(); R["status"] = EXITED[0] if EXITED else None
''')
check("C37", "mstart1 on another g than g0 is a throw", "fatal error: bad runtime·mstart" in r["gdb_log"], r["gdb_log"][-800:])
r = gdbrun(hello, r'''
until("runtime.schedule")
X("set var 'runtime.m0'.spinning = true"); X("set var 'runtime.sched'.nmspinning = 1")
R["end"] = cont(); R["status"] = EXITED[0] if EXITED else None
''')
check("C39", "a spinning M with local work is a throw", "fatal error: schedule: spinning with local work" in r["gdb_log"],
      r["gdb_log"][-800:])

# ---- C38: another M ----
r = gdbrun(check.prog("sieve"), r'''
brk(*["runtime." + n for n in "mstart1 minit mstartm0 sysmon acquirep schedule".split()])
R["by_thread"] = {}
for i in range(60):
    n = cont()
    if n == "exit": break
    t = gdb.selected_thread().num
    R["by_thread"].setdefault(str(t), []).append(n)
    if n == "runtime.acquirep" and t != 1 and "nextp" not in R:
        R["nextp"] = [reg("rdi"), int(m()["nextp"])]
    if n == "runtime.schedule" and t > 2: break
''', env={"GOMAXPROCS": "2"}, args=["4000"])  # long enough for the third thread to come to schedule
threads = {t: [n.removeprefix("runtime.") for n in names] for t, names in r["by_thread"].items()}
sysmon = next(names for names in threads.values() if "sysmon" in names)
check.equal("C38", "an M with an mstartfn runs it: sysmon's", sysmon[:3], ["mstart1", "minit", "sysmon"])
worker = [names for t, names in threads.items() if t != "1" and "sysmon" not in names and "schedule" in names]
check("C38", "any other M: minit, acquirep(nextp), schedule, and no mstartm0",
      worker and worker[0][:4] == ["mstart1", "minit", "acquirep", "schedule"], threads)
check("C38", "acquirep gets m.nextp", "nextp" in r and r["nextp"][0] == r["nextp"][1] != 0, r.get("nextp"))

# ---- C53: back to g0 ----
r = gdbrun(check.prog("progs/go"), r'''
until("main.main"); clear()
brk("runtime.goexit1")
R["path"] = [cont()]
R["caller"] = X("info symbol %d" % rd8(reg("rsp"))).split()[0]
gp = g(); me = int(gp.address); R["own"] = bool(int(gp["stack"]["lo"]) <= reg("rsp") <= int(gp["stack"]["hi"]))
th = gdb.selected_thread().num
clear(); until("runtime.mcall", thread=th); R["path"].append("runtime.mcall"); R["mcall_arg"] = reg("rdi")
until("runtime.goexit0", thread=th); R["path"].append("runtime.goexit0")
R["arg"] = reg("rdi") == me; gp = g(); R["g0"] = int(gp.address) == int(m()["g0"])
until("runtime.schedule", thread=th); R["status"] = int(V("(('runtime::g'*)%d)->atomicstatus" % me))
''', env={"GOMAXPROCS": "1"})
check.equal("C53", "a finished goroutine: goexit calls goexit1 on its own stack", (r["caller"], r["own"]), ("runtime.goexit", True))
check("C53", "goexit1 calls mcall(goexit0)", r["mcall_arg"] == symbols(check.prog("progs/go"))["runtime.goexit0"])
check.equal("C53", "goexit0 runs on g0 with the goroutine as argument", (r["g0"], r["arg"]), (True, True))
check.equal("C53", "then schedule; the goroutine is _Gdead", r["status"], 6)
check.end()

#!/usr/bin/env python3
"""schedinit: its limits, m0, the Ps.

CLAIMS: [C12] [C14] [C15] [C16] [C17] [C18] [C19] [C20] [C21] [C22] [C23] [C28]
"""
import json
import os
import subprocess

from claims import Checks, gdbrun, need

check = Checks()
need("gdb")
hello, boot = check.prog("hello"), check.prog("boot")
ncpu = len(os.sched_getaffinity(0))

r = gdbrun(hello, r'''
parts = ["tracebackinit", "mallocinit", "mcommoninit", "itabsinit", "gcinit", "procresize"]
brk(*["runtime." + p for p in parts])
R["calls"] = []
for p in parts:
    n = cont(); R["calls"].append([n, X("info symbol %d" % rd8(reg("rsp"))).split()[0]])
    if n == "runtime.mcommoninit": R["mcommoninit_arg"] = reg("rdi"); R["id_arg"] = reg("rsi")
    if n == "runtime.procresize": R["procs"] = reg("rdi")
R["m0"] = N("(unsigned long)&'runtime.m0'")
m0 = V("'runtime.m0'")
R["m0_id"] = int(m0["id"]); R["mnext"] = N("'runtime.sched'.mnext"); R["maxmcount"] = N("'runtime.sched'.maxmcount")
gs = m0["gsignal"].dereference()
R["gsignal"] = [int(gs["stack"]["lo"]), int(gs["stack"]["hi"])]
R["gsignal_m"] = int(gs["m"])
R["allm"] = N("(unsigned long)'runtime.allm'"); R["alllink"] = int(m0["alllink"])
clear()
# each new P leaves its init in _Pgcstop
R["inits"] = []
brk("runtime.(*p).init")
procresize_ret = rd8(reg("rsp"))
while len(R["inits"]) < 4:
    cont(); pp = reg("rdi"); X("finish")
    R["inits"].append(int(V("(('runtime::p'*)%d)->status" % pp)))
clear()
b = gdb.Breakpoint("*%d" % procresize_ret, temporary=True); X("continue")
R["ret"] = reg("rax")
ps = [V("'runtime.allp'.array[%d]" % i).dereference() for i in range(4)]
R["allp_len"] = N("'runtime.allp'.len"); R["ids"] = [int(p["id"]) for p in ps]
R["status"] = [int(p["status"]) for p in ps]
R["p0_m"] = int(ps[0]["m"]); R["m0_p"] = N("(unsigned long)'runtime.m0'.p"); R["p0"] = int(ps[0].address)
R["others_m"] = [int(p["m"]) for p in ps[1:]]
idle = []; p = N("(unsigned long)'runtime.sched'.pidle")
while p: idle.append(p); p = int(V("(('runtime::p'*)%d)->link" % p))
R["idle"] = sorted(idle); R["want_idle"] = sorted(int(p.address) for p in ps[1:])
R["npidle"] = N("'runtime.sched'.npidle")
''', env={"GOMAXPROCS": "4"})
check.equal("C16", "schedinit calls, in this order", r["calls"],
            [["runtime." + p, "runtime.schedinit"] for p in
             ("tracebackinit", "mallocinit", "mcommoninit", "itabsinit", "gcinit", "procresize")])
check.equal("C16", "mcommoninit gets m0", r["mcommoninit_arg"], r["m0"])
check.equal("C15", "sched.maxmcount", r["maxmcount"], 10000)
check.equal("C17", "procresize gets GOMAXPROCS", r["procs"], 4)
check.equal("C19", "m0's id is 0 and sched.mnext counts it", (r["m0_id"], r["mnext"]), (0, 1))
check("C20", "m0 has a gsignal with a stack of 32 KB", r["gsignal"][1] - r["gsignal"][0] == 32768 and r["gsignal_m"] == r["m0"],
      r["gsignal"])
check.equal("C21", "allm begins with m0, the last of the list", (r["allm"], r["alllink"]), (r["m0"], 0))
check.equal("C22", "allp has 4 Ps with ids in order", (r["allp_len"], r["ids"]), (4, [0, 1, 2, 3]))
check.equal("C22", "each leaves its init in _Pgcstop", r["inits"], [3, 3, 3, 3])
check.equal("C22", "procresize hands nothing back", r["ret"], 0)
check.equal("C23", "m0.p = p0 and p0.m = m0", (r["m0_p"], r["p0_m"]), (r["p0"], r["m0"]))
check.equal("C23", "p0 is _Prunning, the others _Pidle", r["status"], [1, 0, 0, 0])
check.equal("C23", "the others have no M and are on sched.pidle", (r["others_m"], r["idle"]), ([0, 0, 0], r["want_idle"]))
check.equal("C23", "npidle counts them", r["npidle"], 3)


def after_procresize(change):
    """Runs hello with a change made where procresize returns to schedinit; how it ends."""
    return gdbrun(hello, r'''
until("runtime.procresize")
ret = rd8(reg("rsp"))
b = gdb.Breakpoint("*%d" % ret, temporary=True); X("continue")
''' + change + r'''
R["end"] = cont(); R["status"] = EXITED[0] if EXITED else None
''')


r = after_procresize('X("set $rax = %d" % N("(unsigned long)&\'runtime.g0\'"))')
check("C18", "work from procresize during the start is a throw, exit 2",
      r["end"] == "exit" and r["status"] == 2 and "fatal error: unknown runnable goroutine during bootstrap" in r["gdb_log"],
      r["gdb_log"][-600:])
r = after_procresize('X("set var \'runtime.sched\'.mnext = 0x7fffffffffffffff")')
check("C19", "an id that overflows is a throw", r["status"] == 2 and "fatal error: runtime: thread ID overflow" in r["gdb_log"],
      r["gdb_log"][-600:])
r = after_procresize('X("set var \'runtime.sched\'.maxmcount = 1")')
check("C19", "more Ms than maxmcount end the program", r["status"] == 2 and
      "runtime: program exceeds 1-thread limit\nfatal error: thread exhaustion" in r["gdb_log"], r["gdb_log"][-600:])


def started(env=None, cpus=None):
    """What boot says of its CPUs and Ps."""
    full = {k: v for k, v in os.environ.items() if k != "GOMAXPROCS"} | (env or {})
    done = subprocess.run([boot, "--json"], capture_output=True, env=full, check=True,
                          preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
    data = json.loads(done.stdout)
    return data["cpus"], data["gomaxprocs"]


one = {min(os.sched_getaffinity(0))}
cpus, procs = started()
check("C14", f"ncpu is the number of usable CPUs: {cpus}", 1 <= cpus <= ncpu)
check.equal("C14", "ncpu under an affinity of one CPU", started(cpus=one)[0], 1)
check.equal("C28", "the default number of Ps follows the affinity", started(cpus=one)[1], 1)
check.equal("C17", "by default there are as many Ps as CPUs", procs, cpus)
for text, want in [("1", 1), ("3", 3), ("64", 64), ("0", cpus), ("-1", cpus), ("", cpus), ("x", cpus), ("2x", cpus),
                   (" 2", cpus), ("+2", 2), ("99999999999999999999", cpus), ("2147483648", cpus)]:
    check.equal("C17", f"GOMAXPROCS={text!r}", started({"GOMAXPROCS": text})[1], want)

# ---- several Ms: every thread finds its own g through FS, and none is lost ----
r = gdbrun(boot, r'''
clear()
until("main.main")
R["threads"] = []
for t in gdb.selected_inferior().threads():
    t.switch()
    mm = m()
    if mm is None: continue
    R["threads"].append([t.ptid[1], int(mm["procid"]), int(mm.address), reg("fs_base"), int(g().address)])
ms = []; p = N("(unsigned long)'runtime.allm'")
while p: ms.append(p); p = int(V("(('runtime::m'*)%d)->alllink" % p))
R["allm"] = ms; R["mnext"] = N("'runtime.sched'.mnext"); R["freed"] = N("'runtime.sched'.nmfreed")
R["ids"] = [int(V("(('runtime::m'*)%d)->id" % p)) for p in ms]
''', env={"GOMAXPROCS": "4"})
threads = r["threads"]
check("C12", f"{len(threads)} threads, each with its own FS base and g",
      len(threads) >= 2 and len({t[3] for t in threads}) == len({t[4] for t in threads}) == len(threads), threads)
check("C12", "the M found through FS is that thread's: m.procid is its thread id", all(t[0] == t[1] for t in threads), threads)
check("C21", "every thread's M is on allm", {t[2] for t in threads} <= set(r["allm"]), r)
check.equal("C21", "allm holds as many Ms as ids were given out", len(r["allm"]), r["mnext"] - r["freed"])
check.equal("C19", "their ids count up, the newest first", r["ids"], list(range(len(r["ids"]) - 1, -1, -1)))
check.end()

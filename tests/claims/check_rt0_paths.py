#!/usr/bin/env python3
"""The paths of rt0_go that this machine does not take by itself, and the system calls of the start.

CLAIMS: [C06] [C08] [C09] [C11]
"""
import re
import subprocess

from claims import Checks, gdbrun, need

check = Checks()
need("gdb", "strace")
hello = check.prog("hello")

# Stops after the first cpuid of rt0_go and gives it another answer.
FAKE_CPUID = r'''
start = addr("runtime.rt0_go")
where = None
for line in X("x/200i %d" % start).splitlines():
    if line.split()[-1] == "cpuid":
        where = int(line.replace("=>", "").split()[0], 16); break
b = gdb.Breakpoint("*%d" % where, temporary=True)
X("continue")
R["leaf"] = reg("rax") & 0xffffffff
X("si")
for r, v in FAKE.items(): X("set $%s = %d" % (r, v))
clear()
# count the cpuid instructions that are still executed before settls
count = 0
for i in range(400):
    if reg("pc") == addr("runtime.settls"): break
    if X("x/i $pc").split()[-1] == "cpuid": count += 1
    X("si")
R["more"] = count
R["isIntel"] = N("'runtime.isIntel'"); R["lfence"] = N("'runtime.lfenceBeforeRdtsc'")
R["version"] = N("'runtime.processorVersionInfo'")
X("delete"); R["end"] = cont(); R["status"] = EXITED[0] if EXITED else None
'''


def regs(text):
    """The registers in which CPUID returns a vendor's twelve letters."""
    b, d, c = (int.from_bytes(text[i:i + 4], "little") for i in (0, 4, 8))
    return {"rax": 13, "rbx": b, "rcx": c, "rdx": d}


r = gdbrun(hello, f"FAKE = {regs(b'GenuineIntel')}\n" + FAKE_CPUID)
check.equal("C06", "leaf 0 is asked first", r["leaf"], 0)
check.equal("C06", "an answer of GenuineIntel sets isIntel and lfenceBeforeRdtsc", (r["isIntel"], r["lfence"]), (1, 1))
check("C06", "then a further leaf is asked and kept in processorVersionInfo", r["more"] >= 1 and r["version"] != 0, r)
r = gdbrun(hello, f"FAKE = {regs(b'GenuineXntel')}\n" + FAKE_CPUID)
check.equal("C06", "one other letter does not", (r["isIntel"], r["lfence"]), (0, 0))
r = gdbrun(hello, "FAKE = {'rax': 0, 'rbx': 0, 'rcx': 0, 'rdx': 0}\n" + FAKE_CPUID)
check.equal("C06", "without further leaves all of it is skipped", (r["more"], r["isIntel"], r["version"]), (0, 0, 0))
check.equal("C06", "and the program runs all the same", (r["end"], r["status"]), ("exit", 0))

# TLS that does not work: what was stored through FS is not in m0.tls[0].
r = gdbrun(hello, r'''
until("runtime.settls")
X("finish")
tls = N("(unsigned long)&'runtime.m0'.tls[0]")
for i in range(100):
    if rd8(tls) == 0x123: break
    X("si")
gdb.selected_inferior().write_memory(tls, b"\x24\x01\0\0\0\0\0\0")
got = None
for i in range(40):
    X("si")
    if reg("pc") == addr("runtime.abort"): got = "runtime.abort"; break
    if reg("pc") == addr("runtime.check"): got = "runtime.check"; break
R["got"] = got
''')
check.equal("C09", "a TLS that gives back another value ends in abort", r["got"], "runtime.abort")
r = gdbrun(hello, r'''
X("handle SIGTRAP SIGSEGV SIGILL stop print nopass")
X("set $pc = %d" % addr("runtime.abort"))
cont()
R["where"] = X("info symbol $pc").split()[0]
''')
check("C11", "abort does not return: it traps", "received signal SIGTRAP" in r["gdb_log"] and r["where"] == "runtime.abort", r)

trace = subprocess.run(["strace", "-f", "-e", "trace=arch_prctl,clone", hello], capture_output=True, text=True, check=False,
                       env={"GOMAXPROCS": "1"}).stderr
check.equal("C08", "one arch_prctl(ARCH_SET_FS)", len(re.findall(r"arch_prctl\(ARCH_SET_FS", trace)), 1)
check("C08", "other threads get their FS by clone's CLONE_SETTLS or their own call, before they use it",
      re.search(r"clone\(", trace) is not None, trace)
check.end()

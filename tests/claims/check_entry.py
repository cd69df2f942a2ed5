#!/usr/bin/env python3
"""From the first instruction to runtime.check: the entry, g0, CPUID, TLS.

CLAIMS: [C01] [C02] [C03] [C04] [C05] [C06] [C08] [C09] [C10] [C11] [C27] [C29] [C57]
"""
import re
import struct
import subprocess

from claims import Checks, gdbrun, need, symbols

check = Checks()
need("gdb", "readelf")
hello = check.prog("hello")
syms = symbols(hello)

# ---- C01: the file's entry ----
header = subprocess.run(["readelf", "-hW", hello], capture_output=True, text=True, check=True).stdout
entry = int(re.search(r"Entry point address:\s+(0x[0-9a-f]+)", header).group(1), 16)
check.equal("C01", "readelf's entry point is _rt0_amd64_linux", entry, syms["_rt0_amd64_linux"])

# ---- the first instructions, one by one ----
r = gdbrun(hello, r'''
sp = reg("rsp")
R["pc"] = reg("pc")
R["argc"] = rd8(sp)
argv = [rd8(sp + 8 * (i + 1)) for i in range(R["argc"])]
R["args"] = [V("(char*)%d" % p).string() for p in argv]
R["argv_end"] = rd8(sp + 8 * (R["argc"] + 1))
p = sp + 8 * (R["argc"] + 2)
env = []
while rd8(p):
    env.append(V("(char*)%d" % rd8(p)).string()); p += 8
R["env"] = env
p += 8
auxv = {}
while rd8(p):
    auxv[rd8(p)] = rd8(p + 8); p += 16
R["auxv"] = auxv
R["entry_code"] = X("x/i $pc")
X("si")
R["jumped_to"] = X("info symbol $pc").split()[0]
path = []
while X("info symbol $pc").split()[0].startswith("_rt0_amd64"):
    X("si"); path.append(X("x/i $pc").strip())
R["path_len"] = len(path)
R["rt0_go"] = reg("pc")
R["di"], R["si"], R["sp0"] = reg("rdi"), reg("rsi"), sp
R["bp_at_entry"] = reg("rbp")
until("runtime.settls")
g0 = V("'runtime.g0'")
R["g0"] = int(g0.address); R["m0"] = int(V("&'runtime.m0'"))
R["lo"], R["hi"] = int(g0["stack"]["lo"]), int(g0["stack"]["hi"])
R["guard0"], R["guard1"] = int(g0["stackguard0"]), int(g0["stackguard1"])
R["sp_settls"] = reg("rsp") + 8
R["settls_arg"] = reg("rdi")
R["fs_before"] = reg("fs_base")
R["tls"] = int(V("&'runtime.m0'.tls[0]"))
R["kept_argc"], R["kept_argv"] = None, None
for off in range(0, 64, 8):
    a = rd8(R["sp_settls"] + off)
    if a == R["si"]: R["kept_argv"] = off
    if a & 0xffffffff == R["argc"] and R["kept_argc"] is None and off != R["kept_argv"]: R["kept_argc"] = off
R["isIntel"] = N("'runtime.isIntel'"); R["lfence"] = N("'runtime.lfenceBeforeRdtsc'")
R["version"] = N("'runtime.processorVersionInfo'")
X("finish")
R["fs_after"] = reg("fs_base")
# the probe: single-step until m0.tls[0] has been 0x123, then until it is g0
seen = []
for i in range(200):
    v = rd8(R["tls"])
    if not seen or seen[-1] != v: seen.append(v)
    if v == R["g0"]: break
    X("si")
R["tls0_values"] = seen
# order of the calls in rt0_go and the direction flag at each
calls = ["runtime.check", "runtime.args", "runtime.osinit", "runtime.schedinit", "runtime.newproc", "runtime.mstart"]
R["order"] = []
brk(*calls)
for c in calls:
    n = cont()
    R["order"].append([n, X("info symbol %d" % rd8(reg("rsp"))).split()[0], bool(reg("eflags") & 0x400), reg("rsp") % 16])
    if n == "runtime.check":
        R["g_at_check"] = int(g().address); R["m0_g0"] = N("'runtime.m0'.g0"); R["g0_m"] = N("'runtime.g0'.m")
    if n == "runtime.newproc":
        R["mainPC"] = rd8(N("(unsigned long)&'runtime.mainPC'")); R["newproc_arg"] = reg("rdi")
R["after_mstart"] = X("x/2i %d" % rd8(reg("rsp")))
clear()
until("runtime.schedule")
R["schedule_sp"] = reg("rsp"); R["g_at_schedule"] = int(g().address)
until("runtime.gogo", thread=1); R["gogo_sp"] = reg("rsp"); R["gogo_gobuf_sp"] = int(V("(('runtime::gobuf'*)$rdi)->sp"))
until("runtime.main")
R["main_sp"] = reg("rsp"); gg = g(); R["main_g"] = int(gg.address)
R["main_lo"], R["main_hi"] = int(gg["stack"]["lo"]), int(gg["stack"]["hi"])
until("runtime.park_m", thread=1)
R["park_sp"] = reg("rsp"); gg = g(); R["park_g"] = int(gg.address); R["park_g0"] = int(m()["g0"])
R["park_lo"], R["park_hi"] = int(gg["stack"]["lo"]), int(gg["stack"]["hi"])
''', env={"CLAIM": "C02", "GOMAXPROCS": "1"}, args=["one", "two"])

check.equal("C01", "starti stops at the entry point", r["pc"], entry)
check("C01", "_rt0_amd64_linux is one jump to _rt0_amd64", "jmp" in r["entry_code"] and r["jumped_to"] == "_rt0_amd64",
      f"{r['entry_code']} -> {r['jumped_to']}")
check.equal("C02", "argc at 0(SP)", r["argc"], 3)
check.equal("C02", "argv from 8(SP)", r["args"], [hello, "one", "two"])
check.equal("C02", "a null after argv", r["argv_end"], 0)
check("C02", "then the environment", "CLAIM=C02" in r["env"], r["env"])
check("C02", "then the auxiliary vector: AT_ENTRY (9) is the entry point, AT_PAGESZ (6) 4096",
      r["auxv"].get("9") == entry and r["auxv"].get("6") == 4096, r["auxv"])
check.equal("C03", "_rt0_amd64 jumps to runtime.rt0_go", r["rt0_go"], syms["runtime.rt0_go"])
check.equal("C03", "argc in DI", r["di"], 3)
check.equal("C03", "&argv in SI", r["si"], r["sp0"] + 8)
check("C04", "SP was moved down and is aligned to 16", r["hi"] < r["sp0"] and r["hi"] % 16 == 0, r)
check("C04", "argc and argv are kept on that stack", r["kept_argc"] is not None and r["kept_argv"] is not None,
      f"offsets {r['kept_argc']} {r['kept_argv']}")
check.equal("C05", "g0.stack.hi = SP", r["hi"], r["sp_settls"])
check.equal("C05", "g0.stack.lo = SP - 64*1024 + 104", r["lo"], r["hi"] - 64 * 1024 + 104)
check.equal("C05", "stackguard0 and stackguard1 are stack.lo", (r["guard0"], r["guard1"]), (r["lo"], r["lo"]))

# ---- C06: what CPUID said, against the kernel's own reading ----
with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
    info = f.read()


def cpuinfo(key):
    return re.search(rf"^{key}\s*: (.*)$", info, re.M).group(1)


intel = cpuinfo("vendor_id") == "GenuineIntel"
family, model, stepping = int(cpuinfo("cpu family")), int(cpuinfo("model")), int(cpuinfo("stepping"))
version = r["version"]
got_family = (version >> 8) & 15
got_model = (version >> 4) & 15
if got_family in (6, 15):
    got_model |= (version >> 16 & 15) << 4
if got_family == 15:
    got_family += version >> 20 & 0xff
check.equal("C06", "isIntel", bool(r["isIntel"]), intel)
check.equal("C06", "lfenceBeforeRdtsc follows the vendor", bool(r["lfence"]), intel)
check.equal("C06", "processorVersionInfo's family, model, stepping are the kernel's",
            (got_family, got_model, version & 15), (family, model, stepping))

check.equal("C08", "settls got &m0.tls (or the address the FS base shall have)",
            r["settls_arg"] in (r["tls"], r["tls"] + 8), True)
check.equal("C08", "FS was 0 before", r["fs_before"], 0)
check.equal("C08", "FS is &m0.tls[1]: -8(FS) is m0.tls[0]", r["fs_after"] - 8, r["tls"])
check("C09", "0x123 was stored through TLS and read back from m0.tls[0]", 0x123 in r["tls0_values"],
      [hex(v) for v in r["tls0_values"]])
check.equal("C10", "TLS g = &g0 at runtime.check", r["g_at_check"], r["g0"])
check.equal("C10", "m0.g0 = &g0", r["m0_g0"], r["g0"])
check.equal("C10", "g0.m = &m0", r["g0_m"], r["m0"])
check.equal("C11", "the calls of rt0_go in order", [o[0] for o in r["order"]],
            ["runtime.check", "runtime.args", "runtime.osinit", "runtime.schedinit", "runtime.newproc", "runtime.mstart"])
check("C11", "each is called by rt0_go", all(o[1] == "runtime.rt0_go" for o in r["order"]), r["order"])
check("C11", "the direction flag is clear at each (CLD)", not any(o[2] for o in r["order"]), r["order"])
check("C04", "SP is as the ABI wants it at each call", all(o[3] == 8 for o in r["order"]), r["order"])
check("C11", "abort follows mstart", "runtime.abort" in r["after_mstart"], r["after_mstart"])
check.equal("C29", "mainPC holds the address of runtime.main", r["mainPC"], syms["runtime.main"])
check.equal("C29", "newproc got &mainPC", r["newproc_arg"], syms["runtime.mainPC"])

check.equal("C27", "getg() reads TLS: g0 while the scheduler runs", r["g_at_schedule"], r["g0"])
check("C27", "and another g on the main goroutine", r["main_g"] not in (0, r["g0"]))
check("C57", "schedule runs on g0's stack", r["lo"] <= r["schedule_sp"] <= r["hi"])
check("C57", "gogo is entered on g0's stack and loads the goroutine's SP",
      r["lo"] <= r["gogo_sp"] <= r["hi"] and r["main_lo"] <= r["gogo_gobuf_sp"] <= r["main_hi"])
check("C57", "runtime.main runs on the goroutine's stack", r["main_lo"] <= r["main_sp"] <= r["main_hi"])
check("C57", "mcall goes back to the stack of the M's g0",
      r["park_lo"] <= r["park_sp"] <= r["park_hi"] and r["park_g"] == r["park_g0"])

# ---- C29: 8 bytes, read-only ----
sections = subprocess.run(["readelf", "-SW", hello], capture_output=True, text=True, check=True).stdout
holder = None
for s in re.finditer(r"\]\s+(\S+)\s+(\S+)\s+([0-9a-f]{16})\s+\S+\s+([0-9a-f]+)\s+\S+\s+([A-Z]*)", sections):
    start, size = int(s.group(3), 16), int(s.group(4), 16)
    if start and start <= syms["runtime.mainPC"] < start + size:
        holder = (s.group(1), s.group(5))
check("C29", f"mainPC lies in a read-only section: {holder}", holder is not None and "W" not in holder[1])
size = subprocess.run(["readelf", "-sW", hello], capture_output=True, text=True, check=True).stdout
check("C29", "mainPC has 8 bytes", re.search(r"\s8 OBJECT .* \S*runtime\.mainPC", size) is not None)
assert struct.calcsize("P") == 8
check.end()

"""The state of the start as plain data (snapshot), what changed between two of them, and the drawing for the terminal.
The tour draws the same data as SVG."""
import re
import sys

import gdb

from gdbext import layout, state, symbols
from gdbext.layout import View, table, u32, u64

AUXV = {3: "AT_PHDR", 4: "AT_PHENT", 5: "AT_PHNUM", 6: "AT_PAGESZ", 7: "AT_BASE", 8: "AT_FLAGS", 9: "AT_ENTRY",
        11: "AT_UID", 12: "AT_EUID", 13: "AT_GID", 14: "AT_EGID", 15: "AT_PLATFORM", 16: "AT_HWCAP", 17: "AT_CLKTCK",
        23: "AT_SECURE", 25: "AT_RANDOM", 26: "AT_HWCAP2", 27: "AT_RSEQ_FEATURE_SIZE", 28: "AT_RSEQ_ALIGN",
        31: "AT_EXECFN", 32: "AT_SYSINFO", 33: "AT_SYSINFO_EHDR", 51: "AT_MINSIGSTKSZ"}


def hexa(v):
    return "0x%x" % v


def reg(name):
    return int(gdb.newest_frame().read_register(name)) & 0xffffffffffffffff


# ---- the records of the start ----

def records(limit=None):
    """The steps recorded so far, as dicts."""
    t = table()
    n = min(layout.var("runtime.nbootrecs", 4), t.const("kBootRecs"))
    base, size = t.addr("runtime.bootrecs"), t.size("bootrec")
    found = []
    for i in range(n if limit is None else min(n, limit)):
        r = View("bootrec", base + i * size)
        if not r["desc"]:
            continue  # being written on another thread
        d = describe(r["desc"])
        values = []
        for k, field in enumerate(f for f in d["fields"].split(",") if f):
            value = layout.u64(r.at("val") + 8 * k)
            if field.startswith("#"):
                values.append((field[1:], hexa(value)))
            else:
                values.append((field, str(value if value < 1 << 63 else value - (1 << 64))))
        found.append({"n": i + 1, "tsc": r["tsc"], "symbol": d["symbol"], "file": d["file"], "line": d["line"],
                      "m": r.i("mid"), "p": r.i("pid"), "g": r.i("goid"), "tid": r["tid"], "values": values,
                      "desc": r["desc"]})
    return found


_descs = {}


def describe(desc):
    """A step's description: static data, so it is read once."""
    key = (table().filename, desc)
    if key not in _descs:
        d = View("bootdesc", desc)
        _descs[key] = {"symbol": layout.cstring(d["symbol"]), "file": layout.cstring(d["file"]), "line": d["line"],
                       "fields": layout.cstring(d["fields"])}
    return _descs[key]


# ---- the snapshot ----

def loader_entry():
    """Where the kernel entered the dynamic linker: its ELF header lies where AT_BASE says. 0: there is none."""
    base = re.search(r"AT_BASE .*?(0x[0-9a-f]+)$", gdb.execute("info auxv", to_string=True), re.M)
    return int(base.group(1), 16) + u64(int(base.group(1), 16) + 24) if base else 0


def initial_sp():
    """Where the kernel left SP: argc lies there. 0: not known."""
    for r in records(1):
        return int(dict(r["values"])["argv"], 16) - 8
    pc = gdb.newest_frame().pc()
    name = symbols.name(pc)
    # Its first instruction, or with shared libraries that of the dynamic linker.
    if name.startswith("_rt0_amd64") or gdb.solib_name(pc) and pc == loader_entry():
        return reg("rsp")
    if name == "runtime.rt0_go":
        return reg("rsi") - 8
    return 0


def process_stack():
    sp0 = initial_sp()
    if not sp0:
        return {}
    try:
        argc = u64(sp0)
        if argc > 100_000:
            return {}
        argv = [layout.cstring(u64(sp0 + 8 + 8 * i)) for i in range(min(argc, 4))]
        at = sp0 + 8 + 8 * (argc + 1)
        envp, env = at, []
        while True:
            p = u64(at)
            at += 8
            if not p:
                break
            env.append(p)
        auxv, auxp = [], at
        while True:
            key, value = u64(at), u64(at + 8)
            if not key:
                break
            auxv.append((AUXV.get(key, "AT_%d" % key), value))
            at += 16
    except gdb.MemoryError:
        return {}
    return {"argc at": hexa(sp0), "argc": str(argc), "argv at": hexa(sp0 + 8), "argv": argv, "envp at": hexa(envp),
            "envp": "%d variables" % len(env), "env0": layout.cstring(env[0], 60) if env else "",
            "auxv at": hexa(auxp), "auxv": [(k, hexa(v)) for k, v in auxv]}


def name_of(addr):
    """A short name for a pointer: &g0, m0, p1, g7."""
    t = table()
    if addr == 0:
        return "nil"
    if addr == t.addr("runtime.g0"):
        return "&g0"
    if addr == t.addr("runtime.m0"):
        return "&m0"
    for mp in state.allms():
        m = View("m", mp)
        if addr == mp:
            return "m%d" % m.i("id")
        if addr == m["g0"]:
            return "g0 of m%d" % m.i("id")
        if addr == m["gsignal"]:
            return "gsignal of m%d" % m.i("id")
    for pp in state.allps():
        if addr == pp:
            return "p%d" % View("p", pp).i("id")
    if addr in state.allgs():
        return "g%d" % View("g", addr).i("goid")
    if addr == u64(t.addr("runtime.m0") + t.field("m.gsignal")[0]):
        return "gsignal of m0"
    return hexa(addr)


def pointer(addr):
    """"&g0 (0x46c040)"."""
    name = name_of(addr)
    return name if name.startswith("0x") or name == "nil" else "%s (%s)" % (name, hexa(addr))


def snapshot():
    """{section: {name: text}}: what there is now, from the first instruction on."""
    t = table()
    g0, m0 = View("g", t.addr("runtime.g0")), View("m", t.addr("runtime.m0"))
    s = View("schedt", t.addr("runtime.sched"))
    frame = gdb.newest_frame()
    fs, sp = state.fs_base(), reg("rsp")
    snap = {"cpu": {
        "pc": "%s (%s)" % (symbols.place(frame.pc(), False), hexa(frame.pc())), "sp": hexa(sp), "bp": hexa(reg("rbp")),
        "fs": hexa(fs), "thread": str(gdb.selected_thread().ptid[1])}}

    snap["process stack"] = process_stack()
    lo, hi = g0["stack.lo"], g0["stack.hi"]
    snap["g0"] = {"&g0": hexa(g0.addr), "stack.hi": hexa(hi), "stack.lo": hexa(lo), "stackguard0": hexa(g0["stackguard0"]),
                  "stackguard1": hexa(g0["stackguard1"]), "size": str(hi - lo),
                  "sp": "%s, %d bytes in use" % (hexa(sp), hi - sp) if lo <= sp <= hi else "elsewhere",
                  "sched.sp": hexa(g0["sched.sp"]), "sched.pc": hexa(g0["sched.pc"])}
    tls = m0.at("tls")
    snap["tls"] = {"&m0.tls": hexa(tls), "fs": hexa(fs)}
    if fs:
        at = "= &m0.tls[1]" if fs == tls + 8 else "of another thread or libc"
        snap["tls"]["fs"] = "%s %s" % (hexa(fs), at)
        for name, off in (("-8(FS) g", -8), ("0(FS) self", 0), ("0x70(FS) guard", 0x70)):
            try:
                value = u64(fs + off)
                snap["tls"][name] = pointer(value) if off == -8 else hexa(value)
            except gdb.MemoryError:
                snap["tls"][name] = "unreadable"
    gp = state.getg()
    snap["links"] = {"g": pointer(gp), "m0.g0": pointer(m0["g0"]), "g0.m": pointer(g0["m"]),
                     "m0.curg": pointer(m0["curg"]), "m0.p": pointer(m0["p"]), "m0.gsignal": pointer(m0["gsignal"]),
                     "m0.id": str(m0.i("id"))}
    ps = state.allps()
    if ps:
        snap["links"]["p0.m"] = pointer(View("p", ps[0])["m"])
    snap["os"] = {"ncpu": str(layout.var("runtime.ncpu", 4)), "pagesize": str(layout.var("runtime.physPageSize")),
                  "gomaxprocs": str(layout.var("runtime.gomaxprocs", 4)), "iscgo": str(layout.var("runtime.iscgo", 1))}
    snap["sched"] = {"maxmcount": str(s.i("maxmcount")), "mnext": str(s.i("mnext")), "goidgen": str(s["goidgen"]),
                     "pidle": state.ids(["p%d" % i for i in state.plist(s["pidle"])]), "npidle": str(s["npidle"]),
                     "midle": state.ids(["m%d" % i for i in state.mlist(s["midle"])]), "nmidle": str(s.i("nmidle")),
                     "runq": state.ids(["g%d" % i for i in state.glist(s["runq"])]), "runqsize": str(s.i("runqsize")),
                     "nmspinning": str(s["nmspinning"])}
    snap["allm"] = {}
    for mp in sorted(state.allms(), key=lambda a: View("m", a).i("id")):
        m = View("m", mp)
        snap["allm"]["m%d" % m.i("id")] = "thread %s, g0 %s, curg %s, p %s" % (
            m["procid"] or "-", hexa(m["g0"]), name_of(m["curg"]), name_of(m["p"]))
    snap["allp"] = {}
    for pp in ps:
        p = View("p", pp)
        nxt, ring = state.runq(p)
        snap["allp"]["p%d" % p.i("id")] = "%s, m %s, runnext %s, runq %s, mcache %s" % (
            state.pstatus(p["status"]), name_of(p["m"]), "-" if nxt is None else "g%d" % nxt,
            state.ids(["g%d" % i for i in ring]), hexa(p["mcache"]))
    snap["allgs"] = {}
    for gp in state.allgs():
        g = View("g", gp)
        status = state.gstatus(g["atomicstatus"])
        if status.startswith("waiting"):
            status += ": " + state.wait_reason(g["waitreason"])
        snap["allgs"]["g%d" % g.i("goid")] = "%s, stack %s..%s, start %s" % (
            status, hexa(g["stack.lo"]), hexa(g["stack.hi"]), symbols.name(g["startpc"]) if g["startpc"] else "-")
    return snap


def flat(snap):
    """{("g0", "stack.hi"): text}, lists as their text."""
    return {(sec, k): v if isinstance(v, str) else repr(v) for sec, d in snap.items() for k, v in d.items()}


def changes(old, new):
    """{(section, name): old text or None} of what is new or different."""
    if old is None:
        return {}
    a, b = flat(old), flat(new)
    return {k: a.get(k) for k, v in b.items() if a.get(k) != v}


# ---- the terminal ----

def _colour():
    return sys.stdout.isatty() and gdb.parameter("style enabled")


WIDTH = 100


class Canvas:
    def __init__(self, changed):
        self.lines, self.changed, self.colour = [], changed, _colour()

    def title(self, text):
        """Begins a part; the parts share one frame, since a drawing that is taller than the terminal is no use."""
        ends = "├┤" if self.lines else "┌┐"
        self.lines.append(ends[0] + "─ " + text + " " + "─" * max(0, WIDTH - 5 - len(text)) + ends[1])

    def close(self):
        self.lines.append("└" + "─" * (WIDTH - 2) + "┘")

    def box(self, title, rows, note=""):
        """rows: (section, name, label, text) or a plain string."""
        self.title(title + (" · " + note if note else ""))
        for row in rows:
            if isinstance(row, str):
                self.put(row, False)
                continue
            sec, name, label, text = row
            mark = (sec, name) in self.changed
            was = self.changed.get((sec, name))
            if mark and was is not None and "," not in was and len(was) < 40 and was not in ("nil", "0x0", "0", "-", "elsewhere"):
                text += "   (was %s)" % was
            self.put("%-16s %s" % (label, text), mark)

    def grid(self, title, rows, across, above=()):
        """Several short values in a line."""
        self.title(title)
        for text in above:
            self.put(text, False)
        room = (WIDTH - 4) // across
        label = max(len(row[2]) for row in rows) + 1
        for i in range(0, len(rows), across):
            line, plain = "", 0
            for sec, name, text, value in rows[i:i + across]:
                mark = (sec, name) in self.changed
                cell = ("▶" if mark else " ") + text.ljust(label) + value
                cell = cell[:room - 2] + "… " if len(cell) > room - 1 else cell.ljust(room)
                plain += len(cell)
                line += "\033[1;33m%s\033[0m" % cell if mark and self.colour else cell
            self.lines.append("│ " + line + " " * (WIDTH - 3 - plain) + "│")

    def put(self, text, mark):
        room = WIDTH - 5
        first = True
        while text or first:
            part, text = text[:room], ("    " + text[room:] if len(text) > room else "")
            body = "│ %s%s │" % ("▶" if mark and first else " ", part.ljust(room))
            if mark and self.colour:
                body = "\033[1;33m" + body + "\033[0m"
            self.lines.append(body)
            first = False


def memory_column(snap):
    """The first thread's stack as a column, high addresses first: [(section, name, text)]."""
    g0, ps, sp = snap["g0"], snap["process stack"], int(snap["cpu"]["sp"], 16)
    rows = []  # (address, order among equals, section, name, label, bar and note)
    if ps:
        aux = ["%s=%s" % (k[3:], v) for k, v in ps["auxv"] if k in ("AT_PHDR", "AT_PAGESZ", "AT_ENTRY")]
        for i, (name, note) in enumerate((("auxv", "┃ %d pairs: %s …" % (len(ps["auxv"]), " ".join(aux))),
                                          ("envp", "┃ %s, then 0" % ps["envp"]),
                                          ("argv", "┃ %s, then 0" % " ".join(ps["argv"])), ("argc", "┃ " + ps["argc"]))):
            rows.append((int(ps[name + " at"], 16), i, "process stack", name + " at", name, note))
    hi, lo, guard = (int(g0[k], 16) for k in ("stack.hi", "stack.lo", "stackguard0"))
    inside = lo <= sp <= hi and hi != 0
    if hi:
        rows.append((hi, 4, "g0", "stack.hi", "stack.hi", "┣━━━ here g0's stack begins"))
        rows.append((guard, 6, "g0", "stackguard0", "stackguard0", "┣╌╌╌ SP below this is an overflow"))
        rows.append((lo, 7, "g0", "stack.lo", "stack.lo", "┗━━━ %s bytes" % g0["size"]))
    if inside or (ps and 0 <= int(ps["argc at"], 16) - sp < 4096) or not hi and ps:
        note = "┃◀━━ SP" + (", %d bytes in use" % (hi - sp) if inside else "")
        rows.append((sp, 5, "g0" if hi else "cpu", "sp", "sp", note))
    rows.sort(key=lambda r: (-r[0], r[1]))
    return [(sec, name, label, "%-16s %s" % (hexa(addr), note)) for addr, _, sec, name, label, note in rows]


def draw(snap, old=None):
    """The drawing as text. What is new or has changed since `old` is marked with ▶."""
    c = Canvas(changes(old, snap))
    cpu, g0, tls, links = snap["cpu"], snap["g0"], snap["tls"], snap["links"]
    column = memory_column(snap)
    c.box("thread %s stands at %s" % (cpu["thread"], cpu["pc"]),
          [] if any(r[1] == "sp" for r in column) else ["sp %s: on a stack that is not drawn here" % cpu["sp"]])
    c.box("the process's stack; g0's, where the scheduler runs, is a part of it",
          column + ([] if g0["stack.hi"] != "0x0" else [
              ("g0", "stack.hi", "stack.hi", "0x0                g0 has no stack yet")]) + [
              ("g0", "sched.sp", "g0.sched", "sp %s pc %s: where a switch to g0 starts" % (g0["sched.sp"], g0["sched.pc"]))],
          "high addresses first")
    c.box("thread-local storage: m0.tls at %s" % tls["&m0.tls"],
          [("tls", k, "FS" if k == "fs" else k, v) for k, v in tls.items() if k != "&m0.tls"])
    bound = links["m0.g0"].startswith("&g0") and links["g0.m"].startswith("&m0")
    arrow = "thread " + ("──" if links["g"] != "nil" else "  ") + " g " + \
        ("──" if links["g"] != "nil" else "  ") + " g0 " + ("⇄" if bound else " ") + " m0 " + \
        ("⇄" if links["m0.p"] != "nil" else " ") + " " + (links["m0.p"].split(" ")[0] if links["m0.p"] != "nil" else "(no P)")
    c.grid("who finds whom", [("links", k, k, v) for k, v in links.items()], 2, [arrow])
    c.grid("the machine, and sched", [("os", k, k, v) for k, v in snap["os"].items()] +
           [("sched", k, k, v) for k, v in snap["sched"].items()], 4)
    missing = []
    for name, what in (("allm", "M"), ("allp", "P"), ("allgs", "goroutine")):
        if snap[name]:
            c.box("%s: %ss" % (name, what), [(name, k, k, v) for k, v in snap[name].items()])
        else:
            missing.append(what)
    if missing:
        c.title("no %s yet" % " and no ".join(missing))
    c.close()
    return "\n".join(c.lines)

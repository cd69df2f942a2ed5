"""What the runtime is at this moment: the running g, all goroutines, Ms, Ps, sched; as plain data, for every command."""
import time

import gdb

from gdbext import layout
from gdbext.layout import View, table, u64, var

G_STATUS = ("_Gidle", "_Grunnable", "_Grunning", "_Gsyscall", "_Gwaiting", "_Gdead", "_Gpreempted")
P_STATUS = ("_Pidle", "_Prunning", "_Psyscall", "_Pgcstop", "_Pdead")


def have_process():
    thread = gdb.selected_thread()
    return thread is not None and thread.is_valid()


def need_process():
    layout.table()
    if not have_process():
        raise gdb.GdbError("The program is not running. `starti` starts it and stops at its first instruction.")


def gstatus(value):
    scan = value & table().const("_Gscan")
    for n in G_STATUS:
        if table().const(n) == value & ~table().const("_Gscan"):
            return n[2:] + (" (scan)" if scan else "")
    return "status %d" % value


def pstatus(value):
    for n in P_STATUS:
        if table().const(n) == value:
            return n[2:]
    return "status %d" % value


def wait_reason(value):
    """Go's text for it, from the program's own array."""
    if value == 0 or value >= table().const("waitReasonCount"):
        return ""
    strings = table().find("runtime.waitReasonStrings")
    if strings is None:
        return "reason %d" % value
    return layout.cstring(u64(strings + 8 * value))


def fs_base():
    try:
        return int(gdb.parse_and_eval("$fs_base")) & 0xffffffffffffffff
    except gdb.error:
        return 0


def getg():
    """The running g of the selected thread; 0 before TLS is set up."""
    fs = fs_base()
    if fs == 0:
        return 0
    try:
        gp = u64(fs - 8)
    except gdb.MemoryError:
        return 0
    return gp if gp and looks_like_g(gp) else 0


def looks_like_g(gp):
    """Another C library's thread has something else below its thread pointer: a g's M points back at it."""
    try:
        mp = u64(gp + table().field("g.m")[0])
        if mp == 0:
            # Between settls and the links there is the g0 alone, or nothing yet.
            return gp == table().find("runtime.g0")
        v = View("m", mp)
        return gp in (v["g0"], v["curg"], v["gsignal"])
    except gdb.MemoryError:
        return False


def getm():
    gp = getg()
    return u64(gp + table().field("g.m")[0]) if gp else 0


def getp():
    mp = getm()
    return u64(mp + table().field("m.p")[0]) if mp else 0


def slice_of(symbol):
    """(array, len) of a variable of Go's slice type."""
    at = table().addr(symbol)
    return u64(at), u64(at + 8)


def list_of(symbol):
    array, n = slice_of(symbol)
    if array == 0 or n == 0 or n > 10_000_000:
        return []
    data = layout.memory(array, 8 * n)
    return [int.from_bytes(data[8 * i:8 * i + 8], "little") for i in range(n)]


def allgs():
    """All goroutines ever made, the dead too, by address."""
    return list_of("runtime.allgs")


def allms():
    ms, mp = [], var("runtime.allm")
    while mp and len(ms) < 100_000:
        ms.append(mp)
        mp = u64(mp + table().field("m.alllink")[0])
    return ms


def allps():
    return list_of("runtime.allp")


def goroutines(dead=False):
    """Views of the goroutines that are alive, by id."""
    no = (table().const("_Gidle"), table().const("_Gdead"))
    views = [View("g", a) for a in allgs()]
    if not dead:
        views = [v for v in views if v["atomicstatus"] not in no]
    return sorted(views, key=lambda v: (v.i("goid"), v.addr))


def find_goroutine(goid):
    for v in goroutines():
        if v.i("goid") == goid:
            return v
    raise gdb.GdbError("There is no goroutine %d. `info goroutines` lists them." % goid)


def glist(head, limit=10_000):
    """goids along schedlink."""
    ids = []
    while head and len(ids) < limit:
        v = View("g", head)
        ids.append(v.i("goid"))
        head = v["schedlink"]
    return ids


def plist(head):
    ids = []
    while head and len(ids) < 10_000:
        v = View("p", head)
        ids.append(v.i("id"))
        head = v["link"]
    return ids


def mlist(head):
    ids = []
    while head and len(ids) < 100_000:
        v = View("m", head)
        ids.append(v.i("id"))
        head = v["schedlink"]
    return ids


def runq(pv):
    """(runnext's goid or None, goids in the ring) of a P's view."""
    n = table().const("kRunqLen")
    head, tail = pv["runqhead"], pv["runqtail"]
    ring = pv.at("runq") - pv.addr
    ids = []
    for i in range((tail - head) & 0xffffffff):
        if i >= n:
            break
        off = ring + 8 * ((head + i) % n)
        gp = int.from_bytes(pv.data[off:off + 8], "little")
        ids.append(View("g", gp).i("goid") if gp else 0)
    nxt = pv["runnext"]
    return (View("g", nxt).i("goid") if nxt else None), ids


def thread_of(procid):
    """gdb's thread with that kernel thread id."""
    for t in gdb.selected_inferior().threads():
        if t.ptid[1] == procid or (t.ptid[1] == 0 and t.ptid[0] == procid):
            return t
    return None


class on_thread:
    """`with on_thread(t):` t is the selected thread meanwhile; thread and frame are put back."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        self.back, self.level = gdb.selected_thread(), gdb.selected_frame().level()
        self.thread.switch()

    def __exit__(self, *_):
        if not self.back.is_valid():
            return
        self.back.switch()
        frame = gdb.newest_frame()
        while frame.level() < self.level and frame.older() is not None:
            frame = frame.older()
        frame.select()


def now():
    """The time that lengths of waits are counted to: the clock of this machine if the process is on it; else, in a core,
    when the runtime looked at its clock last. 0: unknown."""
    try:
        if getattr(gdb.selected_inferior().connection, "type", "") == "native":
            return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    except (AttributeError, OSError):
        pass
    try:
        at = table().addr("runtime.sched")
        return max(u64(at + table().field("schedt.lastpoll")[0]),
                   u64(at + table().field("schedt.procresizetime")[0]))
    except (layout.NoRuntime, gdb.MemoryError):
        return 0


def ids(numbers, limit=20):
    text = " ".join(str(n) for n in numbers[:limit])
    if len(numbers) > limit:
        text += " … %d in all" % len(numbers)
    return text or "-"

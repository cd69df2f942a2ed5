"""info ms, info ps, info sched: threads, processors, and the scheduler's own books."""
import gdb

from gdbext import goroutines, layout, state, symbols
from gdbext.layout import View, table, u32, u64, var


def m_name(mp):
    return "m%d" % View("m", mp).i("id") if mp else "-"


def p_name(pp):
    return "p%d" % View("p", pp).i("id") if pp else "-"


def g_name(gp):
    """"g0 of m2", "g17": what a pointer to a g means."""
    if not gp:
        return "-"
    v = View("g", gp)
    if v["m"]:
        m = View("m", v["m"])
        if m["g0"] == gp:
            return "g0 of m%d" % m.i("id")
        if m["gsignal"] == gp:
            return "gsignal of m%d" % m.i("id")
    return "g%d" % v.i("goid")


def m_flags(v):
    flags = []
    if v["curg"] and state.gstatus(View("g", v["curg"])["atomicstatus"]).startswith("syscall"):
        flags.append("in a system call")
    if v["spinning"]:
        flags.append("spinning")
    if v["blocked"]:
        flags.append("parked")
    if v["lockedg"]:
        flags.append("locked to g%d" % View("g", v["lockedg"]).i("goid"))
    if v["locks"]:
        flags.append("locks=%d" % v.i("locks"))
    if v["mallocing"]:
        flags.append("mallocing")
    if v["dying"]:
        flags.append("dying")
    if v["nextp"]:
        flags.append("next p%d" % View("p", v["nextp"]).i("id"))
    return ", ".join(flags) or "-"


class InfoMs(layout.Command):
    """List the Ms (threads): id, kernel thread, what runs on it, its P, and what it is at.
A P in parentheses is one that the M had when it went into a system call; somebody else may have it by now."""
    alone = "info ms"

    def __init__(self):
        super().__init__("info ms", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, _arg, _from_tty):
        state.need_process()
        ms = state.allms()
        if not ms:
            print("No M is on allm yet: mcommoninit puts m0 there. The thread you see will be m0.")
            return
        me = state.getm()
        lines = []
        for mp in sorted(ms, key=lambda a: View("m", a).i("id")):
            v = View("m", mp)
            thread = state.thread_of(v["procid"])
            runs, at = g_name(v["curg"]), "?"
            if thread is not None:
                with state.on_thread(thread):
                    gp = state.getg()
                    runs = g_name(gp) if gp else runs
                    at = symbols.place(gdb.newest_frame().pc(), False)
                    if v["curg"] and gp != v["curg"]:
                        runs += " for " + g_name(v["curg"])
            p = p_name(v["p"])
            if not v["p"] and v["oldp"]:
                p = "(p%d)" % View("p", v["oldp"]).i("id")
            lines.append(("*" if mp == me else " ", "m%d" % v.i("id"), str(v["procid"] or "-"), runs, p, m_flags(v), at))
        goroutines.print_table(("", "M", "THREAD", "RUNS", "P", "STATE", "AT"), lines)


class InfoPs(layout.Command):
    """List the Ps: status, M, run queue with runnext, ticks, timers, free goroutines, mcache.
The queue is shown as runnext | ring from head to tail."""
    alone = "info ps"

    def __init__(self):
        super().__init__("info ps", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, _arg, _from_tty):
        state.need_process()
        ps = state.allps()
        if not ps:
            print("No Ps yet: procresize makes them.")
            return
        me = state.getp()
        lines = []
        for pp in ps:
            v = View("p", pp)
            nxt, ring = state.runq(v)
            queue = "%s | %s" % (nxt if nxt is not None else "-", state.ids(ring))
            timers = str(v["numTimers"])
            lines.append(("*" if pp == me else " ", "p%d" % v.i("id"), state.pstatus(v["status"]), m_name(v["m"]), queue,
                          str(v["schedtick"]), str(v["syscalltick"]), timers, str(v.i("gFreeN")), "0x%x" % v["mcache"]))
        goroutines.print_table(("", "P", "STATUS", "M", "RUNNEXT | RUNQ", "SCHEDTICK", "SYSCALLTICK", "TIMERS", "GFREE",
                                "MCACHE"), lines)


def timer_users():
    """{timer address: goroutine id} of those that sleep or wait by a timer of their own."""
    return {v["timer"]: v.i("goid") for v in state.goroutines() if v["timer"]}


class InfoTimers(layout.Command):
    """List the timers, by P and by when they are due: in how long, how often, what they call, and whom they wake.
In a core the time is counted from when the runtime looked at its clock last."""
    alone = "info timers"

    def __init__(self):
        super().__init__("info timers", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, _arg, _from_tty):
        state.need_process()
        lines, now, users = [], state.now(), timer_users()
        for pp in state.allps():
            v = View("p", pp)
            at = v.at("timers")
            array, n = u64(at), u64(at + 8)
            # A 4-ary heap of {when, timer}: in order only at its root. Bit 0 of the pointer is a flag.
            heap = [(u64(array + 16 * i), u64(array + 16 * i + 8) & ~1) for i in range(min(n, 100_000))] if array else []
            for when, tp in sorted(heap):
                t = View("timer", tp)
                due = "now" if when <= now else "never" if when == (1 << 63) - 1 else "in " + goroutines.duration(when - now)
                who = "g%d" % users[tp] if tp in users else "-"
                lines.append(("p%d" % v.i("id"), due, goroutines.duration(t["period"]) if t["period"] else "once", who,
                              "0x%x" % tp, symbols.name(t["f"])))
        if not lines:
            print("No P has a timer.")
            return
        goroutines.print_table(("P", "DUE", "EVERY", "WAKES", "TIMER", "CALLS"), lines)


def sched_facts():
    """The scheduler's books, as (name, value, meaning) rows; boot draw uses them too."""
    s = View("schedt", table().addr("runtime.sched"))
    runq = state.glist(s["runq"])  # gQueue: head is its first word
    facts = [
        ("gomaxprocs", var("runtime.gomaxprocs", 4), "Ps in use; ncpu is %d" % var("runtime.ncpu", 4)),
        ("runq", state.ids(runq), "global queue, runqsize %d" % s.i("runqsize")),
        ("idle Ps", state.ids(state.plist(s["pidle"])), "npidle %d" % s["npidle"]),
        ("idle Ms", state.ids(state.mlist(s["midle"])), "nmidle %d, of them locked %d" % (s.i("nmidle"), s.i("nmidlelocked"))),
        ("spinning Ms", s["nmspinning"], "looking for work"),
        ("Ms", s.i("mnext") - s.i("nmfreed"), "made %d, ended %d, at most %d, system %d" % (
            s.i("mnext"), s.i("nmfreed"), s.i("maxmcount"), s.i("nmsys"))),
        ("goidgen", s["goidgen"], "last goroutine id handed out to a P"),
        ("system Gs", s["ngsys"], "goroutines of the runtime"),
        ("free Gs", s.i("gFree.n"), "dead, on the global list"),
        ("gcwaiting", s["gcwaiting"], "somebody stops the world; stopwait %d" % s.i("stopwait")),
        ("sysmonwait", s["sysmonwait"], "sysmon sleeps until there is something to watch"),
        ("lock", ("free", "held", "held, others wait")[min(u32(s.at("lock")), 2)], "sched.lock"),
    ]
    if s["disable.user"]:
        facts.append(("user Gs", "disabled", "only the runtime's own goroutines are run; %d held back" % s.i("disable.n")))
    return facts


class InfoSched(layout.Command):
    """Show the scheduler: global queue, idle lists, counters."""
    alone = "info sched"

    def __init__(self):
        super().__init__("info sched", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, _arg, _from_tty):
        state.need_process()
        goroutines.print_table(("WHAT", "NOW", "MEANING"), [(a, str(b), c) for a, b, c in sched_facts()])


InfoMs()
InfoPs()
InfoTimers()
InfoSched()

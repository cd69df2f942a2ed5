"""info goroutines, goroutine N|all CMD."""
import re

import gdb

from gdbext import layout, state, switch, symbols
from gdbext.layout import View, table


def duration(ns):
    if ns < 1_000:
        return "%dns" % ns
    if ns < 1_000_000:
        return "%dus" % (ns // 1_000)
    if ns < 10_000_000_000:
        return "%dms" % (ns // 1_000_000)
    return "%ds" % (ns // 1_000_000_000)


def where(view):
    """The newest frame of the user's code; of a goroutine that has none, the function it was started with."""
    pcs = switch.pcs_of(view)
    for pc in pcs:
        found = symbols.chain(pc - 1)
        if any(map(symbols.users, found)) and not symbols.in_runtime(pc - 1) and not gdb.solib_name(pc - 1):
            return symbols.place(pc)
    # The compiler turned the user's last call into a jump, or it is a goroutine of the runtime: the oldest frame but
    # goexit, where every goroutine's stack begins.
    for pc in reversed(pcs[:-1] if len(pcs) > 1 else pcs):
        return symbols.place(pc)
    return "?"


def created_by(view):
    if view.i("goid") == 1:
        return "the start"
    return symbols.place(view["gopc"]) if view["gopc"] else "-"


def since(view, now):
    w = view.i("waitsince")
    return duration(now - w) if 0 < w < now else "-"


def status_text(view):
    status = state.gstatus(view["atomicstatus"])
    if status.startswith("waiting"):
        reason = state.wait_reason(view["waitreason"])
        return reason or status
    return status


def rows(views):
    now = state.now()
    running = state.getg()
    result = []
    for v in views:
        on_thread = v.addr == running
        mark = "*" if on_thread else " "
        m = "m%d" % View("m", v["m"]).i("id") if v["m"] else "-"
        text = status_text(v)
        if v["lockedm"]:
            text += ", locked to m%d" % View("m", v["lockedm"]).i("id")
        if v["isSystem"]:
            text += ", system"
        result.append((mark, str(v.i("goid")), text, since(v, now), m, where(v), created_by(v)))
    return result


def print_table(head, lines):
    widths = [max(len(str(r[i])) for r in [head] + lines) for i in range(len(head) - 1)]
    for r in [head] + lines:
        print("  ".join(str(c).ljust(w) for c, w in zip(r, widths)) + "  " + str(r[-1]))


class InfoGoroutines(layout.Command):
    """List the goroutines: id, state or what it waits for, since when, on which M, where, and who made it.
Usage: info goroutines [-a] [-g] [WORD...]
-a lists dead ones too. -g: one line for all that are in the same state at the same place. WORDs: only lines that contain all of them, as in `info goroutines chan receive`.
The place is the newest frame of the user's code. `*` marks the one that runs on the selected thread. "Since" is known
when the collector has seen the goroutine waiting, as in Go."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, arg, _from_tty):
        state.need_process()
        words = layout.words(arg, "usage: info goroutines [-a] [-g] [WORD...]")
        dead, grouped = "-a" in words, "-g" in words
        words = [w for w in words if w not in ("-a", "-g")]
        if any(re.match("-[a-z]", w) for w in words):
            raise gdb.GdbError("usage: info goroutines [-a] [-g] [WORD...]")
        views = state.goroutines(dead)
        lines = rows(views)
        if words:
            lines = [r for r in lines if all(w in " ".join(r) for w in words)]
        if not lines:
            if not views:
                print("No goroutines yet: newproc makes the first. What runs is g0, the scheduler's own stack: `boot draw`.")
            else:
                print("No goroutine of %d matches." % len(views))
            return
        if grouped:
            groups = {}
            for r in lines:
                groups.setdefault((r[2], r[5], r[6]), []).append(r[1])
            rows_ = sorted(((str(len(ids)), key[0], state.ids(ids, 6), key[1], key[2]) for key, ids in groups.items()),
                           key=lambda r: -int(r[0]))
            print_table(("COUNT", "STATE", "IDS", "WHERE", "CREATED BY"), rows_)
            return
        print_table(("", "ID", "STATE", "SINCE", "M", "WHERE", "CREATED BY"), lines)


def header(view):
    return "goroutine %d [%s]:" % (view.i("goid"), status_text(view))


class Goroutine(layout.Command):
    """Run a gdb command on a goroutine: its frames and variables, whether it runs or is parked, live or in a core.
Usage: goroutine N COMMAND
       goroutine all COMMAND
       goroutine N            the same as `goroutine N bt`
N is its id, or an expression for a g. Nothing in the process is changed.
Examples: goroutine 7 bt       goroutine 7 frame function worker     goroutine all bt 3"""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK, gdb.COMPLETE_COMMAND)

    def invoke(self, arg, _from_tty):
        state.need_process()
        which, _, command = arg.strip().partition(" ")
        command = command.strip() or "bt"
        if not which:
            raise gdb.GdbError("usage: goroutine N|all COMMAND")
        if which == "all":
            for v in state.goroutines():
                print(header(v))
                try:
                    print(switch.on_goroutine(v, command))
                except gdb.error as e:
                    print("%s\n" % e)
            return
        print(switch.on_goroutine(self.one(which), command), end="")

    @staticmethod
    def one(which):
        try:
            value = gdb.parse_and_eval(which)
            if value.type.strip_typedefs().code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR):
                raise gdb.error("neither an id nor a g")
            value = int(value)
        except (gdb.error, OverflowError):
            raise gdb.GdbError("usage: goroutine N|all COMMAND; N is an id from `info goroutines`")
        if value in state.allgs():
            return View("g", value)
        return state.find_goroutine(value)


InfoGoroutines()
Goroutine()

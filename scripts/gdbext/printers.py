"""Pretty-printers: a g, m, p or channel in one line, with the fields that are asked for most as children."""
import gdb
import gdb.printing

from gdbext import channels, goroutines, state, threads
from gdbext.layout import View


class _Printer:
    def __init__(self, value):
        self.value = value

    def view(self, type_):
        return View(type_, int(self.value.address))


class G(_Printer):
    def to_string(self):
        v = self.view("g")
        return "g%d [%s] stack 0x%x..0x%x" % (v.i("goid"), goroutines.status_text(v), v["stack.lo"], v["stack.hi"])

    def children(self):
        for name in ("m", "sched", "waiting", "stackguard0", "atomicstatus"):
            yield name, self.value[name]


class M(_Printer):
    def to_string(self):
        v = self.view("m")
        return "m%d thread %d, runs %s, %s" % (v.i("id"), v["procid"], threads.g_name(v["curg"]), threads.m_flags(v))

    def children(self):
        for name in ("g0", "gsignal", "curg", "p", "nextp", "alllink"):
            yield name, self.value[name]


class P(_Printer):
    def to_string(self):
        v = self.view("p")
        nxt, ring = state.runq(v)
        return "p%d %s, m %s, runnext %s, runq %s" % (
            v.i("id"), state.pstatus(v["status"]), threads.m_name(v["m"]), "-" if nxt is None else "g%d" % nxt,
            state.ids(ring))

    def children(self):
        for name in ("m", "mcache", "schedtick", "syscalltick", "runqhead", "runqtail"):
            yield name, self.value[name]


class Hchan(_Printer):
    def to_string(self):
        return channels.describe(int(self.value.address))


class Chan:
    """boot::chan<T> and its one-way views."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        addr = channels._of_value(self.value)
        if addr == 0:
            return "nil channel"
        c = View("hchan", addr)
        text = "chan 0x%x %d/%d" % (addr, c["qcount"], c["dataqsiz"])
        if c["closed"]:
            text += " closed"
        for field, what in (("recvq.first", "receivers"), ("sendq.first", "senders")):
            n = len(channels.waiters(c[field]))
            if n:
                text += ", %d %s" % (n, what)
        return text


def optimized_out(value):
    """Has the compiler dropped it, or a part of it?"""
    try:
        return value.is_optimized_out or any(optimized_out(value[f]) for f in value.type.fields() if not f.is_base_class)
    except (gdb.error, TypeError):
        return value.is_optimized_out


def _safe(printer):
    """A printer must not fail: half-made structs are shown plainly."""
    class Safe(printer):
        def to_string(self):
            try:
                return super().to_string()
            except (gdb.error, gdb.GdbError, RuntimeError):
                return "<optimized out>" if optimized_out(self.value) else "(not made yet)"
    Safe.__name__ = printer.__name__
    return Safe


def _register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("boot")
    for name, printer in (("g", G), ("m", M), ("p", P), ("hchan", Hchan)):
        printers.add_printer(name, "^runtime::%s$" % name, _safe(printer))
    printers.add_printer("chan", r"^boot::(chan|recv_chan|send_chan)<.*>$", _safe(Chan))
    gdb.printing.register_pretty_printer(None, printers, replace=True)


_register()

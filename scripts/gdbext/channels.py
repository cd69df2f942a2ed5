"""info chan EXPR: a channel's buffer and who waits on it."""
import re

import gdb

from gdbext import layout, state
from gdbext.layout import View, table


CHAN = re.compile(r"^boot::(detail::)?(chan|recv_chan|send_chan)")


def chan_address(expr):
    """The address of the hchan that an expression means: boot::chan<T>, hchan*, or a number."""
    value = gdb.parse_and_eval(expr)
    return _of_value(value), value


def _of_value(value):
    t = value.type.strip_typedefs()
    if t.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        value = value.referenced_value()
        t = value.type.strip_typedefs()
    if t.code == gdb.TYPE_CODE_STRUCT:
        if (t.name or "").endswith("hchan"):
            return int(value.address)
        if not CHAN.match(t.name or "") and not any(f.is_base_class for f in t.fields()):
            raise gdb.GdbError("that is no channel but a %s" % t.name)
        # boot::chan<T> and its views hold one pointer.
        for f in t.fields():
            ft = f.type.strip_typedefs()
            if f.is_base_class:
                return _of_value(value[f])
            if ft.code == gdb.TYPE_CODE_PTR:
                return int(value[f])
        raise gdb.GdbError("that is no channel: %s" % t.name)
    if t.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
        if t.code == gdb.TYPE_CODE_PTR:
            target = t.target().strip_typedefs()
            if target.code == gdb.TYPE_CODE_STRUCT and not (target.name or "").endswith("hchan"):
                return _of_value(value.dereference())
        return int(value) & 0xffffffffffffffff
    raise gdb.GdbError("that is no channel")


def element_type(value):
    """T of a boot::chan<T>, if the expression has that type."""
    try:
        t = value.type.strip_typedefs()
        if t.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_PTR):
            t = t.target().strip_typedefs()
        return t.template_argument(0)
    except (gdb.error, RuntimeError):
        return None


def waiters(first):
    """Views of the sudogs in a queue of a channel."""
    found = []
    while first and len(found) < 100_000:
        sg = View("sudog", first)
        found.append(sg)
        first = sg["next"]
    return found


def waiter_ids(first):
    out = []
    for sg in waiters(first):
        gp = View("g", sg["g"])
        text = "g%d" % gp.i("goid")
        if sg["isSelect"]:
            text += " (in select%s)" % (", already chosen elsewhere" if gp["selectDone"] else "")
        out.append(text)
    return out


def show_element(addr, size, type_):
    if type_ is not None and type_.sizeof == size:
        try:
            return str(gdb.Value(addr).cast(type_.pointer()).dereference())
        except gdb.error:
            pass
    data = layout.memory(addr, min(size, 64))
    if size in (1, 2, 4, 8):
        return "%d" % int.from_bytes(data, "little", signed=True)
    return data.hex() + ("…" if size > 64 else "")


def describe(addr, type_=None):
    if addr == 0:
        return "nil channel: a send or receive on it waits for ever"
    c = View("hchan", addr)
    n, cap = c["qcount"], c["dataqsiz"]
    if n > cap or c["closed"] > 1 or not c["elemtype"]:
        raise gdb.GdbError("0x%x is no channel" % addr)
    lines = ["chan 0x%x: %d of %d in the buffer, elements of %d bytes%s" % (
        addr, n, cap, c["elemsize"], ", closed" if c["closed"] else "")]
    if n:
        shown = []
        for i in range(min(n, 16)):
            slot = c["buf"] + ((c["recvx"] + i) % cap) * c["elemsize"]
            shown.append(show_element(slot, c["elemsize"], type_) if c["elemsize"] else "{}")
        lines.append("  buffer, next to be received first: %s%s" % (", ".join(shown), ", …" if n > 16 else ""))
    for field, what in (("recvq.first", "receive"), ("sendq.first", "send")):
        ids = waiter_ids(c[field])
        lines.append("  waiting to %s: %s" % (what, state.ids(ids) if ids else "nobody"))
    key = layout.u32(c.at("lock"))
    lines.append("  lock: %s (not used while GOMAXPROCS is 1)" % ("free" if key == 0 else "held"))
    return "\n".join(lines)


class InfoChan(layout.Command):
    """Show a channel: what is in its buffer and which goroutines wait on it.
Usage: info chan EXPR
EXPR is a boot::chan<T>, an hchan pointer, or an address, as those in `info goroutines` and `wait-graph`."""

    def __init__(self):
        super().__init__("info chan", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, arg, _from_tty):
        state.need_process()
        if not arg.strip():
            raise gdb.GdbError("usage: info chan EXPR")
        addr, value = chan_address(arg)
        try:
            print(describe(addr, element_type(value)))
        except gdb.MemoryError:
            raise gdb.GdbError("0x%x is no channel: nothing can be read there" % addr)


InfoChan()

"""info stack-map: all stacks there are, or whose stack an address is in."""
import gdb

from gdbext import goroutines, layout, state, switch
from gdbext.layout import View, table


class Range:
    """One piece of a stack. lo..hi is what its owner may use, base..top what is reserved for it."""

    def __init__(self, owner, kind, lo, hi, base=0, top=0, sp=0):
        self.owner, self.kind, self.lo, self.hi, self.sp = owner, kind, lo, hi, sp
        self.base, self.top = base or lo, top or hi


def sps():
    """{g address: sp} of what runs on a thread at this moment."""
    result = {}
    for thread in gdb.selected_inferior().threads():
        with state.on_thread(thread):
            gp = state.getg()
            if gp:
                result[gp] = int(gdb.newest_frame().read_register("rsp")) & 0xffffffffffffffff
    return result


def ranges():
    t = table()
    running = sps()
    found = []
    ms = state.allms() or ([t.addr("runtime.m0")] if layout.u64(t.addr("runtime.m0")) else [])
    for mp in ms:
        m = View("m", mp)
        for field, what in (("g0", "g0"), ("gsignal", "gsignal")):
            gp = m[field]
            if not gp:
                continue
            v = View("g", gp)
            os_stack = gp == t.find("runtime.g0")
            kind = "%s of m%d%s" % (what, m.i("id"), ", the process's own stack" if os_stack else "")
            found.append(Range(kind, "signal" if what == "gsignal" else "system", v["stack.lo"], v["stack.hi"],
                               v["stackbase"], v["stackslot_hi"], running.get(gp, v["sched.sp"])))
    if not ms and layout.u64(t.addr("runtime.g0") + 8):
        v = View("g", t.addr("runtime.g0"))
        found.append(Range("g0, the process's own stack", "system", v["stack.lo"], v["stack.hi"], 0, 0,
                           running.get(v.addr, 0)))
    for v in state.goroutines():
        parts = switch.pieces(v)
        for i, (lo, hi) in enumerate(parts):
            last = i == len(parts) - 1
            owner = "g%d" % v.i("goid")
            kind = "slot" if last else "segment"
            found.append(Range(owner, kind, lo, hi, v["stackbase"] if last else 0, v["stackslot_hi"] if last else 0,
                               (running.get(v.addr) or switch.sp_of(v)) if i == 0 else 0))
    return found


def owner_text(addr):
    """A sentence on whose stack an address is in; None if in nobody's."""
    for r in ranges():
        if r.lo <= addr < r.hi:
            text = "0x%x is on the stack of %s (%s 0x%x..0x%x), %d bytes below its top" % (
                addr, r.owner, r.kind, r.lo, r.hi, r.hi - addr)
            if r.sp and r.lo <= r.sp < r.hi:
                text += "; it is %s, sp is 0x%x" % ("in use" if addr >= r.sp else "below sp: free, or just left", r.sp)
            return text
        if r.base <= addr < r.top:
            guard = table().const("_StackGuard")
            what = "above its usable part, where its g lies" if addr >= r.hi else \
                "below its usable part: room to grow, slack for the runtime, or the guard (overflow is noticed %d bytes " \
                "above 0x%x)" % (guard, r.lo)
            return "0x%x is in the stack slot of %s (0x%x..0x%x), %s" % (addr, r.owner, r.base, r.top, what)
    return None


class InfoStackMap(layout.Command):
    """List all stacks, or tell whose stack an address is in.
Usage: info stack-map          every stack: g0s, signal stacks, goroutines with their segments
       info stack-map EXPR     who owns this address, e.g. $sp, a pointer, &local"""

    def __init__(self):
        super().__init__("info stack-map", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, arg, _from_tty):
        state.need_process()
        if arg.strip():
            addr = int(gdb.parse_and_eval(arg).cast(layout.word_type()))
            text = owner_text(addr)
            if text is None:
                text = "0x%x is on no stack the runtime knows" % addr
            print(text)
            return
        found = ranges()
        if not found:
            print("No stack is known yet. The kernel's stack for the first thread is in use: `boot draw`.")
            return
        lines = []
        for r in sorted(found, key=lambda r: r.lo):
            used = str(r.hi - r.sp) if r.sp and r.lo <= r.sp <= r.hi else "-"
            lines.append((r.owner, r.kind, "0x%x" % r.lo, "0x%x" % r.hi, str(r.hi - r.lo), used,
                          "0x%x" % r.sp if used != "-" else ""))
        goroutines.print_table(("OWNER", "KIND", "LO", "HI", "SIZE", "USED", "SP"), lines)


InfoStackMap()

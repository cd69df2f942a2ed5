"""gocall FN(ARGS): a function called in a stopped goroutine, through the program's own runtime.debugCallV2.

This is the debugger's side of the protocol that asm/debugcall_amd64.S describes. gdb's own `call` runs the function on
the stopped thread as it is: with the goroutine's few bytes of stack, in the middle of anything. Here the runtime says
whether the place is safe, and the call runs on a goroutine made for it, which may block, grow and throw.
"""
import struct

import gdb

from gdbext import bootcmd, draw, layout, state, symbols
from gdbext.layout import View, memory, table, u64

GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
INT_ARGS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
RED_ZONE = 128
USAGE = "usage: gocall [-g N] FN(ARG, ...)"


def _write(addr, data):
    gdb.selected_inferior().write_memory(addr, data)


def _set(reg, value):
    gdb.execute("set $%s = %d" % (reg, value), to_string=True)


class Registers:
    """The selected thread's general registers and flags, to be put back: all but rip and rsp, which the protocol restores.
    The vector registers are the program's affair: gdb 13 can't write them on processors with AMX."""

    def __init__(self):
        gdb.newest_frame().select()
        self.general = {r: draw.reg(r) for r in GENERAL}
        self.eflags = int(gdb.parse_and_eval("$eflags"))

    def restore(self):
        gdb.newest_frame().select()
        for r, v in self.general.items():
            _set(r, v)
        _set("eflags", self.eflags)


class Argument:
    """One argument, as the bytes or the register it goes into."""

    def __init__(self, text, type_):
        text = text.strip()
        self.string = None
        self.double = None
        if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
            value = gdb.parse_and_eval(text)
            lo, hi = value.type.range()
            self.string = bytes(int(value[i]) & 0xff for i in range(lo, hi + 1))
            self.word = 0
            return
        value = gdb.parse_and_eval(text)
        t = value.type.strip_typedefs()
        if t.code == gdb.TYPE_CODE_REF:
            value = value.referenced_value()
            t = value.type.strip_typedefs()
        want = type_.strip_typedefs() if type_ is not None else t
        if want.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            if value.address is None:
                raise gdb.GdbError("%s has no address to pass as a reference" % text)
            self.word = int(value.address) & 0xffffffffffffffff
            return
        if want.code == gdb.TYPE_CODE_STRUCT or want.code == gdb.TYPE_CODE_UNION:
            raise gdb.GdbError("%s: structs can't be passed by value; pass a pointer" % text)
        if t.code == gdb.TYPE_CODE_ARRAY:
            value = value[0].address
            t = value.type
        if type_ is not None:
            value = value.cast(type_)
        if want.code == gdb.TYPE_CODE_FLT:
            if want.sizeof == 4:
                self.double = struct.pack("<f", float(value)) + bytes(4)
            elif want.sizeof == 8:
                self.double = struct.pack("<d", float(value))
            else:
                raise gdb.GdbError("%s: long double can't be passed" % text)
            return
        self.word = int(value) & 0xffffffffffffffff


def split_args(text):
    """The arguments between the parentheses, at the commas outside of brackets and quotes."""
    out, depth, quote, cur = [], 0, "", ""
    for c in text:
        if quote:
            if c == quote and not cur.endswith("\\"):
                quote = ""
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(cur)
            cur = ""
            continue
        cur += c
    if cur.strip():
        out.append(cur)
    return out


def function(name):
    """(address, type or None) of a function by its C++ or linker's name."""
    for spelled in (name, "'%s'" % name):
        try:
            value = gdb.parse_and_eval(spelled)
        except gdb.error:
            continue
        t = value.type.strip_typedefs()
        if t.code == gdb.TYPE_CODE_PTR and t.target().strip_typedefs().code == gdb.TYPE_CODE_FUNC:
            return int(value), t.target()
        if t.code == gdb.TYPE_CODE_FUNC:
            try:
                typed = t.target() is not None and "no debug info" not in str(value.type)
            except RuntimeError:  # a symbol without a type
                typed = False
            return int(value.address), t if typed and _has_signature(name, value) else None
        if t.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR):
            return int(value) & 0xffffffffffffffff, None
    known = symbols.address(name)
    if known is not None:
        return known, None
    raise gdb.GdbError("There is no function %s." % name)


def _has_signature(name, value):
    return gdb.lookup_global_symbol(name) is not None or gdb.lookup_static_symbol(name) is not None or \
        "no debug info" not in str(value)


class Refused(gdb.GdbError):
    pass


_traps = {}


def traps():
    """The addresses of the protocol's INT3 instructions. A breakpoint at each makes gdb stop there without a word; else
    it would announce a SIGTRAP each time."""
    t = table()
    lo, hi = t.addr("runtime.debugCallV2"), t.addr("runtime.debugCallPanicked") + 64
    if (t.filename, lo) not in _traps:
        found, code, at = [], memory(lo, hi - lo), gdb.newest_frame().architecture()
        pc = lo
        while pc < hi:
            insn = at.disassemble(pc, pc)[0]
            if insn["asm"].strip() == "int3" and code[pc - lo] == 0xcc:
                found.append(pc)
            pc += insn["length"]
        _traps.clear()
        _traps[(t.filename, lo)] = found
    return _traps[(t.filename, lo)]


class Call:
    """One call, from the stopped goroutine's registers to the same again."""

    def __init__(self, addr, args, rettype):
        self.addr, self.args, self.rettype = addr, args, rettype
        self.result = self.panic = self.refusal = None

    def words(self):
        """The arguments in integer registers, in vector registers, on the stack."""
        ints = [a for a in self.args if a.double is None]
        doubles = [a for a in self.args if a.double is not None]
        over = [a for a in self.args if a in ints[6:] or a in doubles[8:]]
        return ints[:6], doubles[:8], over

    def frame_size(self):
        _, _, over = self.words()
        return 8 * len(over) + 64 + sum(len(a.string) + 8 for a in self.args if a.string is not None) + 16

    def run(self):
        t = table()
        saved = Registers()
        pc, sp = draw.reg("rip"), draw.reg("rsp")
        new = sp - RED_ZONE - 8
        _write(new, struct.pack("<Q", pc))
        _write(new - 16, struct.pack("<Q", self.frame_size()))
        _set("rsp", new)
        _set("rip", t.addr("runtime.debugCallV2"))
        breakpoints = [b for b in gdb.breakpoints() if b.is_valid() and b.enabled]
        for b in breakpoints:
            b.enabled = False
        stops = [bootcmd.Stop(a) for a in traps()]
        try:
            for _ in range(16):
                code = self.go_on()
                if code == 16:
                    saved.restore()
                    self.last_hop(pc)
                    break
                if code == 8:
                    self.refusal = self.text()
                elif code == 0:
                    self.enter()
                elif code == 1:
                    self.take_result()
                elif code == 2:
                    self.panic = self.text()
                else:
                    raise gdb.GdbError("debugCallV2 asks for something unknown, R12 = %d" % code)
        finally:
            for b in stops:
                if b.is_valid():
                    b.delete()
            for b in breakpoints:
                if b.is_valid():
                    b.enabled = True
        if draw.reg("rip") != pc or draw.reg("rsp") != sp:
            raise gdb.GdbError("the goroutine did not come back to where it was")
        if self.refusal is not None:
            raise Refused(self.refusal)

    @staticmethod
    def go_on():
        """To the runtime's next trap; returns what it asks for."""
        try:
            out = gdb.execute("continue", to_string=True)
        except gdb.error as e:
            out = str(e)
        if not state.have_process():
            raise gdb.GdbError("The program ended during the call: %s" % out.strip())
        pc = draw.reg("rip")
        if pc not in traps():
            raise gdb.GdbError("Stopped during the call, in %s. The call is not over: `continue` lets it go on." %
                               symbols.place(pc, False))
        gdb.newest_frame().select()
        _set("rip", pc + 1)  # as if the trap had been taken
        return draw.reg("r12")

    @staticmethod
    def text():
        sp = draw.reg("rsp")
        return memory(u64(sp), min(u64(sp + 8), 4096)).decode("utf-8", "replace") if u64(sp + 8) else ""

    def enter(self):
        sp, pc = draw.reg("rsp"), draw.reg("rip")
        ints, doubles, over = self.words()
        floats = sp + 8 * len(over)
        at = floats + 64
        for a in self.args:
            if a.string is not None:
                _write(at, a.string + b"\0")
                a.word = at
                at += (len(a.string) + 8) & ~7
        for i, a in enumerate(over):
            _write(sp + 8 * i, a.double if a.double is not None else struct.pack("<Q", a.word))
        gdb.newest_frame().select()
        for reg, a in zip(INT_ARGS, ints):
            _set(reg, a.word)
        _set("rax", len(doubles))
        _write(sp - 8, struct.pack("<Q", pc))
        _set("rsp", sp - 8)
        if doubles:
            _write(floats, b"".join(a.double for a in doubles))
            _set("r10", floats)
            _set("r11", self.addr)
            _set("rip", table().addr("runtime.debugCallFloats"))
        else:
            _set("rip", self.addr)

    def take_result(self):
        t = self.rettype.strip_typedefs() if self.rettype is not None else None
        if t is None:
            self.result = gdb.Value(draw.reg("rax"))
        elif t.code == gdb.TYPE_CODE_VOID:
            self.result = None
        elif t.code == gdb.TYPE_CODE_FLT:
            self.result = gdb.parse_and_eval("$xmm0.v2_double[0]" if t.sizeof == 8 else "$xmm0.v4_float[0]")
        else:
            if t.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
                t = t.target().pointer()
                self.result = gdb.Value(draw.reg("rax")).cast(t).dereference()
                return
            word = draw.reg("rax") & ((1 << 8 * t.sizeof) - 1)
            self.result = gdb.Value(word).cast(t) if t.code != gdb.TYPE_CODE_PTR else gdb.Value(word).cast(t)

    @staticmethod
    def last_hop(pc):
        """Out of debugCallV2 to the goroutine's instruction; this thread alone."""
        was = gdb.parameter("scheduler-locking")
        gdb.execute("set scheduler-locking on", to_string=True)
        try:
            stop = bootcmd.Stop(pc, True)
            stop.thread = gdb.selected_thread().num
            gdb.execute("continue", to_string=True)
        finally:
            gdb.execute("set scheduler-locking %s" % was, to_string=True)


def check(goid):
    """What can be seen before the runtime is asked: the goroutine must run."""
    if goid is not None:
        v = state.find_goroutine(goid)
        t = table()
        if v["atomicstatus"] != t.const("_Grunning") or not v["m"]:
            raise gdb.GdbError("goroutine %d is %s: a call needs a goroutine that runs. Stop it somewhere in its own code." %
                               (goid, state.gstatus(v["atomicstatus"])))
        thread = state.thread_of(View("m", v["m"])["procid"])
        if thread is None:
            raise gdb.GdbError("goroutine %d runs on a thread that gdb does not see" % goid)
        thread.switch()
    if state.getg() == 0:
        # Before TLS there is no g to ask; debugCallV2 itself would fault.
        raise Refused("executing on Go runtime stack")


class GoCall(layout.Command):
    """Call a function in a stopped goroutine by the runtime's own protocol (runtime.debugCallV2).
Usage: gocall FN(ARG, ...)
       gocall -g N FN(ARG, ...)       in goroutine N, which must be running on some thread
ARGs are numbers, pointers, references and "strings" (which live as long as the call). The function runs on a goroutine
of its own: it may block, grow its stack, throw. Where a call is not safe the runtime says why: "call not at safe point",
"call from within the Go runtime", "call from unknown function", "executing on Go runtime stack".
Breakpoints do not stop the call. The result is kept in $gocall."""

    def __init__(self):
        super().__init__("gocall", gdb.COMMAND_RUNNING, gdb.COMPLETE_SYMBOL)

    def invoke(self, arg, _from_tty):
        state.need_process()
        arg, goid = arg.strip(), None
        if arg.startswith("-"):
            parts = arg.split(None, 2)
            if len(parts) < 3 or parts[0] != "-g":
                raise gdb.GdbError(USAGE)
            goid, arg = int(gdb.parse_and_eval(parts[1])), parts[2]
        if "(" in arg and not arg.endswith(")"):
            raise gdb.GdbError("%s: the parenthesis is not closed. %s" % (arg, USAGE))
        if "(" in arg and arg.endswith(")"):
            name, rest = arg[:arg.index("(")].strip(), arg[arg.index("(") + 1:-1]
            texts = split_args(rest)
        else:
            words = arg.split()
            if not words:
                raise gdb.GdbError(USAGE)
            name, texts = words[0], words[1:]
        addr, type_ = function(name)
        params = [f.type for f in type_.fields()] if type_ is not None else []
        if type_ is not None and len(params) != len(texts):
            raise gdb.GdbError("%s takes %d arguments, not %d" % (name, len(params), len(texts)))
        args = [Argument(text, params[i] if i < len(params) else None) for i, text in enumerate(texts)]
        ret = type_.target() if type_ is not None else None
        if ret is not None and ret.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            raise gdb.GdbError("%s returns a struct; only numbers and pointers can be taken back" % name)
        back = gdb.selected_thread()
        check(goid)
        call = Call(addr, args, ret)
        try:
            call.run()
        finally:
            if goid is not None and back.is_valid():
                back.switch()
        if call.panic is not None:
            print("panic: %s" % call.panic)
        elif call.result is not None:
            gdb.set_convenience_variable("gocall", call.result)
            print("$gocall = %s" % call.result.format_string())
        else:
            print("%s has returned" % name)


GoCall()

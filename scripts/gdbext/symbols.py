"""Names for addresses. First from the table of functions and lines that the program carries for its own tracebacks
(runtime/diag/symtab.h: it knows inlined calls too, and survives strip), then from gdb's symbols and lines."""
import bisect
import os
import re
import struct

import gdb

from gdbext import layout

PCLN_MAGIC, PCLN_VERSION = 0x6E6C6350, 3
HIDDEN, PLAIN = 0x80000000, 0x40000000

_cache = {}
_pcln = None


def _forget(_event=None):
    global _pcln
    _pcln = None
    _cache.clear()


gdb.events.new_objfile.connect(_forget)


class Pcln:
    """The program's table, read once."""
    HEAD = struct.Struct("<IIq11I")

    def __init__(self, data, addr):
        (magic, version, self.text, nfunc, funcs, nname, names, nfile, files, self.locs, self.rows, self.strings, _,
         _) = self.HEAD.unpack_from(data, 0)
        if magic != PCLN_MAGIC or version != PCLN_VERSION:
            raise ValueError
        self.text += addr  # it counts from the table
        self.data = data
        self.funcs = list(struct.iter_unpack("<III", data[funcs:funcs + 12 * nfunc]))
        self.starts = [f[0] for f in self.funcs]
        self.names = struct.unpack_from("<%dI" % nname, data, names)
        self.files = struct.unpack_from("<%dI" % nfile, data, files)

    def string(self, off):
        at = self.strings + off
        return self.data[at:self.data.index(b"\0", at)].decode("utf-8", "replace")

    def leb(self, at):
        value = shift = 0
        while True:
            b = self.data[at]
            at += 1
            value |= (b & 0x7f) << shift
            shift += 7
            if b < 0x80:
                return value, at

    def lookup(self, pc):
        """[(function, file, line, hidden)], the innermost inlined call first; the last is the function itself."""
        off = pc - self.text
        i = bisect.bisect_right(self.starts, off) - 1
        if i < 0 or not self.funcs[i][1]:
            return []
        here, fname, rows = self.funcs[i]
        found = loc = 0
        if rows & ~(HIDDEN | PLAIN):
            n, at = self.leb(self.rows + (rows & ~(HIDDEN | PLAIN)))
            if rows & PLAIN:
                file, at = self.leb(at)
            for _ in range(n):
                step, at = self.leb(at)
                fold, at = self.leb(at)
                here += step
                loc += (fold >> 1) ^ -(fold & 1)
                if here > off:
                    break
                found = loc
        chain = []
        if rows & PLAIN and found:
            chain.append(("", self.string(self.files[file]), found, False))
            found = 0
        while found and len(chain) < 64:
            name, at = self.leb(self.locs + found)
            file, at = self.leb(at)
            line, at = self.leb(at)
            up, at = self.leb(at)
            chain.append((self.string(self.names[name >> 1]), self.string(self.files[file]), line, bool(name & 1)))
            found = found - up if up else 0
        last = (self.string(fname), chain[-1][1] if chain else "", chain[-1][2] if chain else 0, bool(rows & HIDDEN))
        return chain[:-1] + [last]


def _table():
    global _pcln
    if _pcln is None:
        _pcln = False
        try:
            addr = layout.table().find("runtime.pclntab")
            if addr:
                size = Pcln.HEAD.unpack_from(layout.memory(addr, Pcln.HEAD.size), 0)[12]
                _pcln = Pcln(layout.memory(addr, size), addr)
        except (gdb.error, ValueError, struct.error):
            _pcln = False
    return _pcln


def address(function):
    """The address of a function by the program's own table; None if it has none of that name."""
    pcln = _table()
    # What the compiler holds for unlikely bears the function's name, too, and is laid in front.
    starts = [start for start, fname, _ in pcln.funcs if pcln.string(fname) == function] if pcln else []
    return pcln.text + starts[-1] if starts else None


def _gdb_name(pc):
    """The linker's name, which for the runtime is Go's; C++ names demangled."""
    was = gdb.parameter("print demangle")
    try:
        gdb.execute("set print demangle off", to_string=True)
        text = gdb.execute("info symbol 0x%x" % pc, to_string=True)
        m = re.match(r"(\S+?)(?: \+ (\d+))?(?: in section |$)", text)
        if m and m.group(1).startswith("_Z"):
            gdb.execute("set print demangle on", to_string=True)
            text = gdb.execute("info symbol 0x%x" % pc, to_string=True)
            m = re.match(r"(.*?)(?: \+ (\d+))? in section ", text)
    except gdb.error:
        m = None
    finally:
        gdb.execute("set print demangle %s" % ("on" if was else "off"), to_string=True)
    return m.group(1) if m and not text.startswith("No symbol") else "?"


def chain(pc):
    """What stands at the instruction at pc: [(function, file, line, hidden)], innermost first."""
    known = _cache.get(pc)
    if known is not None:
        return known
    found = []
    pcln = _table()
    if pcln:
        found = pcln.lookup(pc)
    if not found:
        name = _gdb_name(pc)
        file, line = "", 0
        try:
            sal = gdb.find_pc_line(pc)
            if sal.symtab is not None:
                file, line = sal.symtab.filename, sal.line
        except gdb.error:
            pass
        found = [(name, file, line, False)] if name != "?" or line else []
    _cache[pc] = found
    return found


def name(pc):
    found = chain(pc)
    return found[-1][0] if found else "?"


def describe(entry):
    func, file, line, _ = entry
    return "%s at %s:%d" % (func, os.path.basename(file), line) if line else func


def place(pc, is_return=True):
    """"main.main at hello.cpp:4" for the code before a return address (or at pc): the innermost that is not glue."""
    found = chain(pc - 1 if is_return else pc)
    if not found:
        return "?"
    for entry in found:
        if users(entry):
            return describe(entry)
    return describe(next((e for e in found if not e[3]), found[-1]))


def users(entry):
    """Is it the user's own code, and not glue or a function of the headers that was inlined into it?"""
    return not entry[3] and not entry[0].startswith(("boot::", "runtime.", "runtime::"))


def line(pc):
    """("chan.cpp", 12) of the code at pc, or ("", 0)."""
    found = chain(pc)
    return (found[0][1], found[0][2]) if found else ("", 0)


def in_runtime(pc):
    """Is the code at pc the runtime's (or the C++ library's) and not the user's?"""
    t = layout.table()
    lo, hi = t.find("runtime.text"), t.find("runtime.etext")
    if lo is None or hi is None:
        found = chain(pc)
        return bool(found) and found[-1][0].startswith(("runtime.", "sync."))
    return lo <= pc < hi

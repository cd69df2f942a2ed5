"""Where the fields are: the table 'runtime.gdb_offsets' in the program, and addresses of the runtime's variables.

The program carries the table in its read-only data (runtime/diag/gdb_table.h): "g.goid" at 152, 8 bytes long. It is
found by its magic in the program's file, so that neither symbols nor debug information are needed.
"""
import difflib
import os
import re
import struct

import gdb

VERSION = 1
HEADER = struct.Struct("<8sIIII")
MAGIC = b"BOOTOFF\0"


class NoRuntime(gdb.GdbError):
    pass


class Command(gdb.Command):
    """A command whose failures are one line: gdb shows the Python around an error of its own otherwise."""
    alone = None  # the name of a command that takes no argument

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inner = cls.invoke

        def invoke(self, arg, from_tty):
            if cls.alone and arg.strip():
                raise gdb.GdbError("usage: %s; it takes no argument, not `%s`" % (cls.alone, arg.strip()))
            try:
                inner(self, arg, from_tty)
            except gdb.error as e:  # gdb.MemoryError, too
                raise gdb.GdbError(str(e))
        cls.invoke = invoke


def words(arg, usage):
    """A command's arguments, quotes taken off."""
    try:
        return gdb.string_to_argv(arg)
    except gdb.error as e:
        raise gdb.GdbError("%s (%s)" % (usage, e))


def is_core():
    """Is what is looked at a core file? It has no connection to a process that could be asked for more."""
    return getattr(gdb.selected_inferior().connection, "type", "") == "core"


def last_of(name):
    """settls of runtime.settls, init of runtime.(*p).init."""
    return name.rpartition(".")[2]


def choose(word, names, what, where):
    """The name that a word means: all of it, or the part behind its last dot if no other has the same."""
    names = list(dict.fromkeys(names))
    if word in names:
        return word
    found = [n for n in names if last_of(n) == word]
    if len(found) == 1:
        return found[0]
    if found:
        raise gdb.GdbError("%s may be %s. %s" % (word, ", ".join(found), where))
    near = difflib.get_close_matches(last_of(word), [last_of(n) for n in names], 3, 0.7)
    near = [n for n in names if last_of(n) in near][:3]
    raise gdb.GdbError("There is no %s %s%s %s" % (what, word, "; is it " + " or ".join(near) + "?" if near else ".", where))


def completions(names, text, word):
    """What TAB offers. `word` is what gdb takes for the last word of `text`; to it a dot ends one, so what is before the dot
    must not be said again."""
    if word is None:  # gdb only asks where words end; its own answer is right
        return []
    typed = "" if text.endswith((" ", "\t")) else (text.split() or [""])[-1].lstrip("'\"")
    found = [n for n in dict.fromkeys(names) if n.startswith(typed)]
    if not found:
        found = [last_of(n) for n in dict.fromkeys(names) if last_of(n).startswith(typed)]
    return [n[len(typed) - len(word):] for n in found]


def memory(addr, size):
    """Bytes of the process, or of the core, or of the file before there is a process."""
    return bytes(gdb.selected_inferior().read_memory(addr, size))


def _segments(f):
    """ELF type, entry point, and (vaddr, offset, filesz) of each PT_LOAD, of an open file."""
    f.seek(0)
    ehdr = f.read(64)
    if ehdr[:4] != b"\x7fELF":
        return 0, 0, []
    etype, = struct.unpack_from("<H", ehdr, 16)
    entry, = struct.unpack_from("<Q", ehdr, 24)
    phoff, = struct.unpack_from("<Q", ehdr, 32)
    phentsize, phnum = struct.unpack_from("<HH", ehdr, 54)
    result = []
    for i in range(phnum):
        f.seek(phoff + i * phentsize)
        ptype, _, offset, vaddr, _, filesz, _, _ = struct.unpack("<IIQQQQQQ", f.read(56))
        if ptype == 1:
            result.append((vaddr, offset, filesz))
    return etype, entry, result


def _symbols(f):
    """{linker's name: address} of what an open ELF file defines; empty when it is stripped."""
    f.seek(0)
    ehdr = f.read(64)
    shoff, = struct.unpack_from("<Q", ehdr, 40)
    shentsize, shnum = struct.unpack_from("<HH", ehdr, 58)
    f.seek(shoff)
    headers = f.read(shentsize * shnum)
    sections = [struct.unpack_from("<IIQQQQIIQQ", headers, i * shentsize) for i in range(shnum)]
    found = {}
    for _, kind, _, _, offset, size, link, *_ in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        f.seek(offset)
        table = f.read(size)
        f.seek(sections[link][4])
        names = f.read(sections[link][5])
        for name, _, _, where, value, _ in struct.iter_unpack("<IBBHQQ", table):
            if name != 0 and where not in (0, 0xfff1):  # undefined, absolute
                found[names[name:names.index(b"\0", name)].decode(errors="replace")] = value
    return found


class Table:
    """The offsets of one program."""

    def __init__(self, filename):
        self.filename = filename
        self.values = {}
        self.bias = 0
        with open(filename, "rb") as f:
            etype, entry, segments = _segments(f)
            addr = None
            for vaddr, offset, filesz in segments:
                f.seek(offset)
                data = f.read(filesz)
                at = data.find(MAGIC)
                if at < 0:
                    continue
                _, version, count, entsize, _ = HEADER.unpack_from(data, at)
                if version == 0 or count > 100000 or entsize < 56:
                    continue  # the word alone, in somebody's strings
                addr = vaddr + at
                break
        if addr is None:
            raise NoRuntime("%s does not start by this runtime: it carries no table of offsets." %
                            os.path.basename(filename))
        if version != VERSION:
            raise NoRuntime("%s has a table of offsets of version %d, this extension knows %d." %
                            (os.path.basename(filename), version, VERSION))
        if etype == 3:
            # Position independent: what the file says is moved. In memory the addresses are right only once the program
            # has relocated itself; the file has them as they would be at 0.
            self.bias = _load_bias(entry)
        row = struct.Struct("<40sqQ")
        for i in range(count):
            name, value, size = row.unpack_from(data, at + HEADER.size + i * entsize)
            name = name.split(b"\0", 1)[0].decode()
            if name.startswith("addr.") and value != 0:
                value += self.bias
            self.values[name] = (value, size)
        self.addresses = {}
        self.symbols = None
        self.go_names = None

    def symbol(self, name):
        """An address by the file's own symbols; None if there is none of just this name. gdb takes runtime.schedinit.cold
        for runtime.schedinit when it happens to meet it first."""
        if self.symbols is None:
            with open(self.filename, "rb") as f:
                self.symbols = _symbols(f)
        value = self.symbols.get(name)
        return None if value is None else value + self.bias

    def go_name(self, addr):
        """The name of a function at an address if it is one of Go's kind, runtime.schedinit or main.main; else None."""
        if self.go_names is None:
            self.symbol("")
            self.go_names = {}
            for name, value in self.symbols.items():
                # What the compiler makes of a function of C++ has dots, too.
                if "." in re.sub(r"\.(isra|constprop|part|cold|lto_priv)(\.\d+)?", "", name.lstrip(".")) and name[:2] != "_Z":
                    self.go_names.setdefault(value + self.bias, name.strip('"'))
        return self.go_names.get(addr)

    def field(self, name):
        try:
            return self.values[name]
        except KeyError:
            raise NoRuntime("the program's table of offsets has no %s: extension and program differ in age." % name)

    def has(self, name):
        return name in self.values

    def size(self, type_):
        return self.field(type_ + "._size")[0]

    def const(self, name):
        return self.field("const." + name)[0]

    def addr(self, symbol):
        """The address of a variable or function of the runtime."""
        known = self.addresses.get(symbol)
        if known is None:
            if self.has("addr." + symbol):
                known = self.field("addr." + symbol)[0]
            else:
                known = self.symbol(symbol)
                if known is None:
                    known = _symbol(symbol)
                if known is None:
                    # A stripped program still has the table of functions for its own tracebacks.
                    from gdbext import symbols
                    known = symbols.address(symbol) if not symbol.startswith("runtime.pcln") else None
                if known is None:
                    raise NoRuntime("the program has no symbol %s." % symbol)
            self.addresses[symbol] = known
        return known

    def find(self, symbol):
        try:
            return self.addr(symbol)
        except NoRuntime:
            return None


def _symbol(name):
    try:
        return int(gdb.parse_and_eval("(unsigned long)&'%s'" % name))
    except gdb.error:
        return None


def _load_bias(entry):
    """How far the program has been moved: gdb tells the entry point's address as it is now, the file as it was."""
    for line in gdb.execute("info files", to_string=True).splitlines():
        if "Entry point:" in line:
            return int(line.split()[-1], 16) - entry
    return 0


def hosted():
    """Is the program linked with libc? Then its program headers name a dynamic linker (PT_INTERP)."""
    with open(table().filename, "rb") as f:
        head = f.read(64)
        phoff, (phentsize, phnum) = struct.unpack_from("<Q", head, 32)[0], struct.unpack_from("<HH", head, 54)
        f.seek(phoff)
        headers = f.read(phentsize * phnum)
    return any(struct.unpack_from("<I", headers, i * phentsize)[0] == 3 for i in range(phnum))


_tables = {}


def table():
    """The table of the program that is being debugged."""
    filename = gdb.current_progspace().filename
    if not filename:
        raise NoRuntime("No program. Say `file PROGRAM`, or start with scripts/gdb PROGRAM.")
    try:
        st = os.stat(filename)
    except OSError as e:
        raise NoRuntime(str(e))
    # A program that starts, or starts again, may lie elsewhere.
    key = (filename, st.st_mtime_ns, st.st_size, gdb.selected_inferior().pid)
    if key not in _tables:
        _tables.clear()
        _tables[key] = Table(filename)
    return _tables[key]


def go_name(addr):
    try:
        return table().go_name(addr)
    except (NoRuntime, gdb.GdbError):
        return None


class View:
    """One struct of the runtime, read at once. v["sched.sp"] is unsigned, v.i("goid") signed."""
    __slots__ = ("type", "addr", "data")

    def __init__(self, type_, addr):
        self.type = type_
        self.addr = addr
        self.data = memory(addr, table().size(type_))

    def __getitem__(self, field):
        off, size = table().field(self.type + "." + field)
        return int.from_bytes(self.data[off:off + min(size, 8)], "little")

    def i(self, field):
        off, size = table().field(self.type + "." + field)
        return int.from_bytes(self.data[off:off + min(size, 8)], "little", signed=True)

    def at(self, field):
        return self.addr + table().field(self.type + "." + field)[0]


def u64(addr):
    return int.from_bytes(memory(addr, 8), "little")


def u32(addr):
    return int.from_bytes(memory(addr, 4), "little")


def i32(addr):
    return int.from_bytes(memory(addr, 4), "little", signed=True)


def word_type():
    """unsigned long, or what the language at hand has for it: without debug information that may be any."""
    try:
        return gdb.lookup_type("unsigned long")
    except gdb.error:
        return gdb.selected_inferior().architecture().integer_type(64, False)


def cstring(addr, limit=4096):
    """A zero-terminated text."""
    if addr == 0:
        return ""
    out = b""
    while len(out) < limit:
        step = 64 - (addr + len(out)) % 64  # no read crosses into a page that may not be there
        part = memory(addr + len(out), step)
        end = part.find(b"\0")
        if end >= 0:
            out += part[:end]
            break
        out += part
    return out.decode("utf-8", "replace")


def var(symbol, size=8, signed=False):
    """The value of a plain variable of the runtime."""
    return int.from_bytes(memory(table().addr(symbol), size), "little", signed=signed)

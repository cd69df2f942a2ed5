"""gcore FILE and boot core FILE: a core file of the stopped process, whole.

gdb's own generate-core-file (up to gdb 16) gives up the rest of a mapping at the first page that it can't read, and the guard
pages between goroutine stacks can't be read: all goroutines would be missing. (The kernel's own core dumps are whole.) So
its file is gone over once more, and what it left out is read in smaller pieces and filled in. `gcore` is gdb's short name for
that command, and ours here; the long name stays gdb's, since a command that is replaced can't be called any more."""
import os
import struct

import gdb

from gdbext import layout, state

CHUNK, PAGE = 1 << 16, 4096


def _load_segments(f):
    ehdr = f.read(64)
    phoff, = struct.unpack_from("<Q", ehdr, 32)
    phentsize, phnum = struct.unpack_from("<HH", ehdr, 54)
    for i in range(phnum):
        f.seek(phoff + i * phentsize)
        ptype, flags, offset, vaddr, _, filesz, _, _ = struct.unpack("<IIQQQQQQ", f.read(56))
        if ptype == 1 and flags & 2 and filesz:
            yield offset, vaddr, filesz


def _read(addr, size):
    try:
        return bytes(gdb.selected_inferior().read_memory(addr, size))
    except gdb.MemoryError:
        return None


def fill(path):
    """How many bytes have been added."""
    added = 0
    with open(path, "r+b") as f:
        for offset, vaddr, filesz in list(_load_segments(f)):
            if _read(vaddr, min(filesz, 1 << 20)) is not None and filesz <= 1 << 20:
                continue  # gdb had no trouble with it either
            for at in range(0, filesz, CHUNK):
                size = min(CHUNK, filesz - at)
                data = _read(vaddr + at, size)
                pieces = [(at, data)] if data is not None else [
                    (p, _read(vaddr + p, min(PAGE, filesz - p))) for p in range(at, at + size, PAGE)]
                for p, piece in pieces:
                    if piece is None or not piece.strip(b"\0"):
                        continue
                    f.seek(offset + p)
                    if f.read(len(piece)) != piece:
                        f.seek(offset + p)
                        f.write(piece)
                        added += len(piece)
    return added


def write(arg, usage):
    state.need_process()
    if layout.is_core():
        raise gdb.GdbError("This is a core file already.")
    words = layout.words(arg, usage)
    if len(words) > 1:
        raise gdb.GdbError(usage)
    path = os.path.expanduser(words[0]) if words else "core.%d" % gdb.selected_inferior().pid
    said = gdb.execute("generate-core-file %s" % path, to_string=True)
    # What it could not read is no loss yet.
    print("".join(line + "\n" for line in said.splitlines() if not line.startswith("warning: Memory read failed")), end="")
    added = fill(path)
    print("%s is whole; %d bytes that generate-core-file had left out" % (path, added))


class BootCore(layout.Command):
    """Write a core file of the stopped process that has all goroutines' stacks.
Usage: boot core FILE
generate-core-file leaves them out, because it stops at the first guard page between them."""

    def __init__(self):
        super().__init__("boot core", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, arg, _from_tty):
        usage = "usage: boot core FILE"
        state.need_process()
        if not arg.strip():
            raise gdb.GdbError(usage)
        write(arg, usage)


class GCore(layout.Command):
    """Write a core file of the stopped process that has all goroutines' stacks.
Usage: gcore [FILE]       FILE is core.PID if none is named
This is `boot core`. gdb's own, generate-core-file, leaves the stacks out. In a program of another kind it is gdb's own."""

    def __init__(self):
        super().__init__("gcore", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, arg, _from_tty):
        try:
            layout.table()
        except layout.NoRuntime:
            print(gdb.execute("generate-core-file " + arg, to_string=True), end="")
            return
        write(arg, "usage: gcore [FILE]")


BootCore()
GCore()

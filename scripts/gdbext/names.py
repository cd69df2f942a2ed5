"""Names in backtraces. A function of the runtime is called as the linker calls it, which is Go's name: gdb 16 says
runtime::gopark of what gdb 13 and the program's own tracebacks call runtime.gopark. A function of C++ goes without its
arguments' types, which follow with their values. In a program without debug information, or without any symbols, names
and lines are those of the table that the program carries for its own tracebacks."""
import re

import gdb
from gdb.FrameDecorator import FrameDecorator

from gdbext import layout, symbols


def plain(name):
    """A C++ name without the types of its arguments: a::b<int>(char) const -> a::b<int>."""
    text = re.sub(r"( const| volatile| noexcept| &&?)+$", "", name)
    depth = 0
    for i in range(len(text) - 1, -1, -1):
        depth += (text[i] == ")") - (text[i] == "(")
        if depth == 0:
            # An operator() without arguments written out is its own name.
            return text[:i] if text[i] == "(" and i and not re.search(r"\boperator$", text[:i]) else name
    return name


class Named(FrameDecorator):
    def __init__(self, base):
        super().__init__(base)
        frame = self.inferior_frame()
        self.entry, self.name = None, None
        function = frame.function()
        if frame.type() == gdb.SIGTRAMP_FRAME:
            pass  # gdb's own words
        elif frame.type() == gdb.INLINE_FRAME:
            self.name = function and plain(function.print_name)
        elif function is not None:
            self.name = layout.go_name(int(function.value().address)) or plain(function.print_name)
        else:
            # But for the newest one a frame's pc is where it goes on: the call is before that.
            try:
                found = symbols.chain(frame.pc() - (0 if frame.level() == 0 else 1))
            except gdb.error:
                found = []
            self.entry = found[-1] if found else None

    def function(self):
        return self.entry[0] if self.entry else self.name or super().function()

    def filename(self):
        return self.entry[1] if self.entry and self.entry[2] else super().filename()

    def line(self):
        return self.entry[2] if self.entry and self.entry[2] else super().line()


class Filter:
    def __init__(self):
        self.name, self.priority, self.enabled = "boot names", 50, True

    def filter(self, frames):
        return map(Named, frames)


_filter = Filter()
gdb.frame_filters[_filter.name] = _filter

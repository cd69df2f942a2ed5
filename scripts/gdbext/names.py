"""Backtraces of a program without debug information, or without any symbols: names and lines from the table that the
program carries for its own tracebacks. Where gdb knows a function itself nothing is changed."""
import gdb
from gdb.FrameDecorator import FrameDecorator

from gdbext import symbols


class Named(FrameDecorator):
    def __init__(self, base):
        super().__init__(base)
        frame = self.inferior_frame()
        self.entry = None
        if frame.function() is None and frame.type() != gdb.INLINE_FRAME:
            # But for the newest one a frame's pc is where it goes on: the call is before that.
            try:
                found = symbols.chain(frame.pc() - (0 if frame.level() == 0 else 1))
            except gdb.error:
                found = []
            self.entry = found[-1] if found else None

    def function(self):
        return self.entry[0] if self.entry else super().function()

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

"""Looking at a goroutine that does not run as if it did: its frames, its variables, with gdb's own commands.

No register is written, so it works on a core file and a live process does not notice. An unwinder answers for the
newest frame of the selected thread that its caller is the goroutine's saved state; a frame filter hides that newest
frame. What a switch saves is sp, pc and bp (mcall declares all other registers clobbered, so the compiler has saved
what was alive, and says where).
"""
import re

import gdb
import gdb.unwinder
from gdb.FrameDecorator import FrameDecorator  # noqa: F401  (loads the machinery filters need)

from gdbext import layout, state, symbols


class _FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Parked(gdb.unwinder.Unwinder):
    """Hangs a goroutine's saved frames under the newest frame."""

    def __init__(self):
        super().__init__("goroutine")
        self.regs = None

    def __call__(self, pending):
        if self.regs is None or pending.level() != 0:
            return None
        pc, sp, bp = self.regs
        # Below the goroutine's own stack pointer, or the next frame would seem to lie inside this one.
        info = pending.create_unwind_info(_FrameId(gdb.Value(sp - 128), gdb.Value(pc)))
        long_ = layout.word_type()
        for name, value in (("rip", pc), ("rsp", sp), ("rbp", bp)):
            info.add_saved_register(name, gdb.Value(value).cast(long_))
        return info


class HideNewest:
    """Takes the thread's own frame out of backtraces while a goroutine is looked at."""

    def __init__(self):
        self.name, self.priority, self.enabled = "goroutine", 1000, True

    def filter(self, frames):
        if _unwinder.regs is None:
            return frames
        return (f for f in frames if f.inferior_frame().level() != 0)


_unwinder = None
_filter = None


def _install():
    global _unwinder, _filter
    _unwinder = Parked()
    gdb.unwinder.register_unwinder(None, _unwinder, replace=True)
    _filter = HideNewest()
    gdb.frame_filters[_filter.name] = _filter


def saved(view):
    """(pc, sp, bp) of a goroutine that does not run."""
    pc, sp, bp = view["sched.pc"], view["sched.sp"], view["sched.bp"]
    if pc == view["startpc"]:
        # It has not run yet: pc is its first instruction. Frames but the newest are looked up one byte before their
        # pc, where a call would be; here that would be another function.
        pc += 1
    return pc, sp, bp


class Looking:
    """`with Looking(regs):` the selected thread's stack seems to be the goroutine's."""

    def __init__(self, regs):
        self.regs = regs

    def __enter__(self):
        self.thread = gdb.selected_thread()
        self.level = gdb.selected_frame().level()
        _unwinder.regs = self.regs
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame().older()
        if frame is None:
            self.__exit__()
            raise gdb.GdbError("gdb can't walk this goroutine's stack")
        frame.select()

    def __exit__(self, *_):
        _unwinder.regs = None
        gdb.invalidate_cached_frames()
        if self.thread is not None and self.thread.is_valid():
            self.thread.switch()
        frame = gdb.newest_frame()
        for _i in range(self.level):
            frame = frame.older() or frame
        frame.select()


def run(command, renumber):
    """A command's output; renumber: frames count from 0 though the goroutine's first is gdb's number 1."""
    text = gdb.execute(command, to_string=True)
    # A register that the switch did not keep: gdb's words for it differ with its version.
    text = text.replace("<error reading variable: value has been optimized out>", "<optimized out>")
    if renumber:
        text = re.sub(r"^#(\d+)( *)", lambda m: ("#%d" % (int(m.group(1)) - 1)).ljust(len(m.group(0))), text, flags=re.M)
    return text


def on_goroutine(view, command):
    """Runs a gdb command on a goroutine and returns what it printed."""
    t = layout.table()
    status = view["atomicstatus"] & ~t.const("_Gscan")
    if status in (t.const("_Gidle"), t.const("_Gdead")):
        raise gdb.GdbError("goroutine %d is dead" % view.i("goid"))
    mp = view["m"]
    if status in (t.const("_Grunning"), t.const("_Gsyscall")) and mp:
        mv = layout.View("m", mp)
        thread = state.thread_of(mv["procid"])
        if thread is None and mp == t.find("runtime.m0"):
            thread = state.thread_of(gdb.selected_inferior().pid)
        if thread is None:
            raise gdb.GdbError("goroutine %d runs on a thread that gdb does not see" % view.i("goid"))
        back, level = gdb.selected_thread(), gdb.selected_frame().level()
        try:
            thread.switch()
            running = state.getg()
            if running == view.addr:
                gdb.newest_frame().select()
                return run(command, False)
            # Its M is on g0 or in a handler on its behalf: where it left its own stack is in sched.
            if view["sched.sp"]:
                with Looking(saved(view)):
                    return run(command, True)
            return run(command, False)
        finally:
            back.switch()
            frame = gdb.newest_frame()
            for _ in range(level):
                frame = frame.older() or frame
            frame.select()
    if not view["sched.sp"]:
        raise gdb.GdbError("goroutine %d is between two places; let it run a little" % view.i("goid"))
    with Looking(saved(view)):
        text = run(command, True)
    if command.strip() == "bt":
        text += beyond_border(view, text)
    return text


def beyond_border(view, text):
    """gdb lets the stack pointer jump only at a function that is called __morestack, and a stripped program has no names.
    What lies beyond the border of a stack segment is then found by frame pointers."""
    gdbs = len(re.findall(r"^#\d+ ", text, re.M))
    rest = frames_fast(view, 100_000)[gdbs:]
    lines = ["#%-3d 0x%016x in %s" % (gdbs + i, pc, symbols.name(pc - 1)) for i, pc in enumerate(rest)]
    return "(beyond the border of a stack segment, by frame pointers:)\n" + "\n".join(lines) + "\n" if lines else ""


def frames_fast(view, limit=200):
    """Return addresses of a goroutine that does not run, by its chain of frame pointers: a look, not an unwinding. All
    code here keeps frame pointers but libstdc++'s and libgcc's, whose frames are skipped over."""
    pc, sp, bp = saved(view)
    pcs = [pc]
    lo, hi = view["stackbase"], view["stackslot_hi"]
    while len(pcs) < limit and bp and bp % 8 == 0:
        try:
            pair = layout.memory(bp, 16)
        except gdb.MemoryError:
            break
        nbp, ret = int.from_bytes(pair[:8], "little"), int.from_bytes(pair[8:], "little")
        if ret == 0:
            break
        pcs.append(ret)
        if nbp <= bp and not (lo <= nbp < hi and not lo <= bp < hi):
            break  # upwards only, but for the hop from a segment back into the slot
        bp = nbp
    return pcs


_install()

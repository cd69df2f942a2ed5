"""Looking at a goroutine as if it were the selected thread: its frames, its variables, with gdb's own commands.

A goroutine is in one of three places (find says in which):
  - on a thread, which runs it: its frames are the thread's;
  - on a thread that a signal's handler has taken over: its frames are the thread's, from behind the signal's frame on;
  - in its g, which holds what a switch has saved (sp, pc and bp: mcall declares all other registers clobbered, so the
    compiler has saved what was alive, and says where). No register is written to show that, so it works on a core file
    and a live process does not notice: an unwinder answers for the selected thread's newest frame that its caller is the
    goroutine's saved state.
In the last two, newer frames of the thread's own come first. They are hidden, and numbers of frames count from the
goroutine's. How many they are differs: where the thread stands in an inlined function, gdb shows one frame for each.
"""
import re

import gdb
import gdb.unwinder
from gdb.FrameDecorator import FrameDecorator  # noqa: F401  (loads the machinery filters need)

from gdbext import layout, state, symbols
from gdbext.layout import View

U64 = 0xffffffffffffffff
# What lets the process run would do so with frames that are not the thread's own.
RUNNING = ("continue", "fg", "step", "next", "stepi", "nexti", "until", "advance", "jump", "finish", "return", "call", "run",
           "start", "starti", "kill", "detach", "signal", "queue-signal", "reverse-continue", "reverse-step", "reverse-next",
           "reverse-stepi", "reverse-nexti", "reverse-finish", "attach", "thread", "inferior", "compile")
SHORT = {"c": "continue", "s": "step", "n": "next", "si": "stepi", "ni": "nexti", "u": "until", "j": "jump", "fin": "finish",
         "r": "run", "k": "kill", "rc": "reverse-continue", "rs": "reverse-step", "rn": "reverse-next", "t": "thread"}


class _FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def register(frame, name):
    return int(frame.read_register(name)) & U64


class Parked(gdb.unwinder.Unwinder):
    """Hangs a goroutine's saved frames under the newest frame of a thread."""

    def __init__(self):
        super().__init__("goroutine")
        self.regs = None    # the goroutine's (pc, sp, bp)
        self.newest = None  # (pc, sp) of the thread

    def __call__(self, pending):
        # Inlined calls are frames of their own, which come before the one that is asked about here: only by its registers
        # is it known for the thread's newest.
        if self.regs is None or (register(pending, "rip"), register(pending, "rsp")) != self.newest:
            return None
        pc, sp, bp = self.regs
        # Below the goroutine's own stack pointer, or the next frame would seem to lie inside this one.
        info = pending.create_unwind_info(_FrameId(gdb.Value(sp - 128), gdb.Value(pc)))
        long_ = layout.word_type()
        for name, value in (("rip", pc), ("rsp", sp), ("rbp", bp)):
            info.add_saved_register(name, gdb.Value(value).cast(long_))
        return info


class HideNewest:
    """Takes the thread's own frames out of backtraces while a goroutine is looked at."""

    def __init__(self):
        self.name, self.priority, self.enabled = "goroutine", 1000, True
        self.hidden = 0

    def filter(self, frames):
        if self.hidden == 0:
            return frames
        return (f for f in frames if f.inferior_frame().level() >= self.hidden)


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


class Spot:
    """Where a goroutine's frames are: those of a thread from a level on; or, with regs, to be hung under the thread's."""

    def __init__(self, thread, level=0, regs=None):
        self.thread, self.level, self.regs = thread, level, regs


def pieces(view):
    """A goroutine's stack, from where it runs now outwards: its slot, or segments down to the slot."""
    parts = [(view["stack.lo"], view["stack.hi"])]
    seg = view["segs"]
    while seg and len(parts) < 64:
        s = View("stackseg", seg)
        parts.append((s["outerstack.lo"], s["outerstack.hi"]))
        seg = s["outer"]
    return parts


def owns(view, sp):
    """Is an address on the goroutine's stack? The runtime and libraries go on below the part that it may use itself."""
    slack = 16 << 10
    return view["stackbase"] <= sp < view["stackslot_hi"] or any(lo - slack <= sp < hi for lo, hi in pieces(view))


def level_of(view):
    """The level of the goroutine's newest frame on the selected thread, which its M is: 0, or behind a signal's frame.
    None if it left its stack by itself."""
    frame = gdb.newest_frame()
    if owns(view, register(frame, "rsp")):
        return 0
    signal = False
    while frame is not None and frame.level() < 200:
        if signal and owns(view, register(frame, "rsp")):
            return frame.level()
        signal = frame.type() == gdb.SIGTRAMP_FRAME
        frame = frame.older()
    return None


def find(view):
    """The Spot of a goroutine."""
    t = layout.table()
    goid, status = view.i("goid"), view["atomicstatus"] & ~t.const("_Gscan")
    if status in (t.const("_Gidle"), t.const("_Gdead")):
        raise gdb.GdbError("goroutine %d is dead" % goid)
    mp = view["m"]
    if status not in (t.const("_Grunning"), t.const("_Gsyscall")) or not mp:
        if not view["sched.sp"]:
            raise gdb.GdbError("goroutine %d is between two places; let it run a little" % goid)
        return Spot(gdb.selected_thread(), 0, saved(view))
    m = View("m", mp)
    thread = state.thread_of(m["procid"])
    if thread is None and mp == t.find("runtime.m0"):
        thread = state.thread_of(gdb.selected_inferior().pid)
    if thread is None:
        raise gdb.GdbError("goroutine %d runs on a thread that gdb does not see" % goid)
    with state.on_thread(thread):
        running = state.getg()
        level = level_of(view)
        if level == 0 and running == view.addr:
            regs = halfway(view)
            if regs is not None:
                return Spot(thread, 0, regs)
        if level is not None:
            return Spot(thread, level)
        # On g0 for the goroutine's sake: where it left its own stack is in sched. A handler on top of that changes nothing
        # if one sees what it has interrupted; else sched may be of another time.
        if running == m["gsignal"] and not through_signal():
            raise gdb.GdbError("goroutine %d: its thread handles a signal, and gdb can't see what that has interrupted" % goid)
        if view["sched.sp"]:
            return Spot(thread, 0, saved(view))
        if running == view.addr:
            return Spot(thread, 0)
    raise gdb.GdbError("goroutine %d has left its stack, and where is not known; let it run a little" % goid)


# Where a goroutine comes and goes: in some of their instructions the stack pointer is its own and the frames are not.
SWITCHES = ("runtime.gogo", "runtime.gosavegogo", "runtime.gogoexit", "runtime.mcall", "runtime.systemstack")


def halfway(view):
    """The registers of a goroutine whose thread is in the middle of a switch from it or to it; None if it is in none."""
    frame = gdb.newest_frame()
    if frame.older() is not None or symbols.name(frame.pc()) not in SWITCHES or not view["sched.pc"]:
        return None
    if view["sched.sp"]:
        return saved(view)
    # gogo has taken all from there, and has cleared it but for the pc; gosavegogo returns to that by way of the stack.
    sp = register(frame, "rsp")
    if layout.u64(sp) == view["sched.pc"]:
        sp += 8
    return saved(view)[0], sp, register(frame, "rbp")


def through_signal():
    """Does gdb see what lies behind the signal's frame of the selected thread?"""
    frame = gdb.newest_frame()
    while frame is not None and frame.level() < 200:
        if frame.type() == gdb.SIGTRAMP_FRAME:
            return frame.older() is not None
        frame = frame.older()
    return False


class Looking:
    """`with Looking(spot):` the goroutine's newest frame is selected, and newer ones are hidden from backtraces. It gives
    how many these are."""

    def __init__(self, spot):
        self.spot = spot
        self.there = state.on_thread(spot.thread)

    def __enter__(self):
        self.there.__enter__()
        try:
            return self.enter()
        except BaseException:
            self.__exit__()
            raise

    def enter(self):
        frame, level = gdb.newest_frame(), self.spot.level
        if self.spot.regs is not None:
            _unwinder.newest = register(frame, "rip"), register(frame, "rsp")
            _unwinder.regs = self.spot.regs
            gdb.invalidate_cached_frames()
            frame = gdb.newest_frame()
            while frame is not None and frame.type() == gdb.INLINE_FRAME:
                frame = frame.older()
            level = frame.level() + 1 if frame is not None else 1
        while frame is not None and frame.level() < level:
            frame = frame.older()
        if frame is None or (self.spot.regs is not None and
                             (frame.pc(), register(frame, "rsp")) != tuple(self.spot.regs[:2])):
            raise gdb.GdbError("gdb can't walk this goroutine's stack from the frames of thread %d" % self.spot.thread.num)
        frame.select()
        _filter.hidden = level
        return level

    def __exit__(self, *_):
        _filter.hidden = 0
        if self.spot.regs is not None:
            _unwinder.regs = None
            gdb.invalidate_cached_frames()
        self.there.__exit__()


def own_frames(hidden):
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.level() >= hidden:
            yield frame
        frame = frame.older()


def names(frame):
    """What a frame's function may be called: as the linker does, as C++ does, and without its scope and arguments."""
    function = frame.function()
    full = {frame.name()} | ({function.linkage_name, function.name} if function is not None else set())
    plain = {re.sub(r"\(.*", "", n.replace("(anonymous namespace)::", "")) for n in full if n}
    return full | plain | {n.rpartition("::")[2] for n in plain}


FRAME = r"(?:f|fr|fra|fram|frame)"


def frame_at(hidden, level):
    for frame in own_frames(hidden):
        if frame.level() == level + hidden:
            return frame
    raise gdb.GdbError("No frame at level %d." % level)


def chosen(command, hidden):
    """The frame that a command would select; None if it is of another kind. gdb's own would count from the thread's
    frames and look through them, too; and what it says of a new frame it does not say to who has asked for the text."""
    m = re.match(FRAME + r"(?:\s+level)?\s+(\d+)$", command) or re.match(r"select-frame(?:\s+level)?\s+(\d+)$", command)
    if m:
        return frame_at(hidden, int(m.group(1)))
    m = re.match(FRAME + r"\s+function\s+(\S.*)$", command) or re.match(r"select-frame\s+function\s+(\S.*)$", command)
    if m:
        for frame in own_frames(hidden):
            if m.group(1) in names(frame):
                return frame
        raise gdb.GdbError("No frame for function \"%s\"." % m.group(1))
    m = re.match(r"up(?:\s+(\d+))?$", command)
    if m:
        *_, last = own_frames(hidden)
        return frame_at(hidden, min(int(m.group(1) or 1), last.level() - hidden))
    if re.match(r"(down|dow)\b", command):
        raise gdb.GdbError("Bottom (innermost) frame selected; you can't go down.")
    return None


def translate(command, hidden):
    """The command as it must be said when the goroutine's frame 0 is number `hidden` to gdb."""
    word, _, rest = command.partition(" ")
    word, rest = word.partition("/")[0], rest.strip()
    if SHORT.get(word, word) in RUNNING or any(len(word) > 3 and w.startswith(word) for w in RUNNING):
        raise gdb.GdbError("`%s` is for threads, not for a goroutine that is only looked at" % word)
    m = re.match(r"((?:info|inf|i)\s+" + FRAME + r")(?:\s+level)?\s+(\d+)$", command)
    if m:
        return "%s level %d" % (m.group(1), int(m.group(2)) + hidden)
    m = re.match(FRAME + r"\s+apply\s+(all|level|\d+)\s+(.*)$", command)
    if m:
        if m.group(1) == "all":
            # gdb counts from its newest frame or from the oldest.
            return "frame apply -%d %s" % (sum(1 for _ in own_frames(hidden)), m.group(2))
        if m.group(1) == "level":
            levels = re.match(r"[\d\s-]*", m.group(2)).group(0)
            return "frame apply level %s%s" % (re.sub(r"\d+", lambda n: str(int(n.group(0)) + hidden), levels),
                                              m.group(2)[len(levels):])
        return "frame apply level %d-%d %s" % (hidden, hidden + int(m.group(1)) - 1, m.group(2))
    if word == "faas":
        return "frame apply -%d -s %s" % (sum(1 for _ in own_frames(hidden)), rest)
    return command


def run(command, hidden):
    """A command's output, in which frames count from the goroutine's newest, whose number to gdb is `hidden`."""
    command = command.strip()
    frame = chosen(command, hidden)
    if frame is not None:
        frame.select()
        text = "" if command.startswith("select-frame") else gdb.execute("frame", to_string=True)
    else:
        text = gdb.execute(translate(command, hidden), to_string=True)
    # A register that the switch did not keep: gdb's words for it differ with its version.
    text = text.replace("<error reading variable: value has been optimized out>", "<optimized out>")
    if hidden == 0:
        return text
    # Where frame filters are switched off (bt -no-filters), what they hide is still there.
    first = re.search(r"^#(\d+) ", text, re.M)
    if first and int(first.group(1)) < hidden:
        own = re.search(r"^#%d " % hidden, text, re.M)
        text = text[:first.start()] + (text[own.start():] if own else "")
    text = re.sub(r"^#(\d+)( *)", lambda m: ("#%d" % (int(m.group(1)) - hidden)).ljust(len(m.group(0))), text, flags=re.M)
    return re.sub(r"^(Stack level |(?:caller of|called by) .*level )(\d+)",
                  lambda m: m.group(1) + str(int(m.group(2)) - hidden), text, flags=re.M)


def on_goroutine(view, command):
    """Runs a gdb command on a goroutine and returns what it printed."""
    spot = find(view)
    with Looking(spot) as hidden:
        text = run(command, hidden)
    if command.strip() == "bt" and spot.regs is not None:
        text += beyond_border(view, text)
    return text


def sp_of(view):
    """The stack pointer of a goroutine, wherever it is; 0 if that is not known."""
    try:
        spot = find(view)
    except gdb.GdbError:
        return 0
    if spot.regs is not None:
        return spot.regs[1]
    with state.on_thread(spot.thread):
        return register(next(own_frames(spot.level)), "rsp")


def pcs_of(view, limit=64):
    """Return addresses of a goroutine's frames, newest first: of its newest frame the byte behind its pc."""
    try:
        spot = find(view)
    except gdb.GdbError:
        return []
    if spot.regs is not None:
        return frames_fast(view)
    pcs, exact = [], True
    with state.on_thread(spot.thread):
        for frame in own_frames(spot.level):
            if len(pcs) == limit:
                break
            if frame.type() != gdb.INLINE_FRAME:
                # Where a signal came the pc is where the goroutine is, too, and not where it goes on after a call.
                pcs.append(frame.pc() + (1 if exact else 0))
                exact = frame.type() == gdb.SIGTRAMP_FRAME
    return pcs


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
            words = layout.memory(bp, 24)
        except gdb.MemoryError:
            break
        nbp, ret, more = (int.from_bytes(words[i:i + 8], "little") for i in (0, 8, 16))
        if symbols.name(pcs[-1] - 1) == "runtime.asyncPreempt":
            ret = more + 1  # the flags come first, and it goes on at that very instruction
        if ret == 0:
            break
        pcs.append(ret)
        if nbp <= bp and not (lo <= nbp < hi and not lo <= bp < hi):
            break  # upwards only, but for the hop from a segment back into the slot
        bp = nbp
    return pcs


_install()

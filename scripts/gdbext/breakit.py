"""boot break-it STEP: the program with one step of its start skipped or spoiled, and the failure that follows.

A lesson runs in a gdb of its own, so the process that is being looked at stays as it is. What must come out is part of
the lesson (`expect`), and the tests run them all.
"""
import os
import re
import subprocess

import gdb

from gdbext import bootcmd, draw, layout, state, symbols
from gdbext.layout import View, table, u64


# ---- what a lesson can do to the program ----

def go_to(symbol):
    """Run to a function's first instruction."""
    bootcmd.Stop(table().addr(symbol), True)
    bootcmd._continue()


def go_to_step(symbol):
    """Run until a step has been recorded."""
    while bootcmd.to_next()["symbol"] != symbol:
        pass


def set_reg(name, value):
    gdb.parse_and_eval("$%s = %d" % (name, value))


def poke(addr, value, size=8):
    gdb.selected_inferior().write_memory(addr, value.to_bytes(size, "little"))


def poke_field(type_, addr, field, value):
    off, size = table().field(type_ + "." + field)
    poke(addr + off, value, size)


def skip():
    """At a function's first instruction: return at once, with 0."""
    gdb.newest_frame().select()
    sp = draw.reg("rsp")
    set_reg("rip", u64(sp))
    set_reg("rsp", sp + 8)
    set_reg("rax", 0)


def skip_call(symbol):
    go_to(symbol)
    skip()


def m0():
    return table().addr("runtime.m0")


def g0():
    return table().addr("runtime.g0")


# ---- the lessons ----

class Lesson:
    def __init__(self, step, what, spoil, expect, moral):
        self.step, self.what, self.spoil, self.expect, self.moral = step, what, spoil, expect, moral


def _fs():
    go_to_step("runtime.settls")
    set_reg("fs_base", state.fs_base() - 16)


def _g_nil():
    go_to_step("m0-g0")
    poke(state.fs_base() - 8, 0)


def _misaligned():
    go_to("runtime.rt0_go")
    set_reg("rsp", draw.reg("rsp") - 8)
    # past the instruction that aligns: sub, and
    argc, argv = draw.reg("rdi"), draw.reg("rsi")
    go_to_step("runtime.rt0_go")
    sp = draw.reg("rsp") - 8
    poke(sp + 24, argc)
    poke(sp + 32, argv)
    set_reg("rsp", sp)


def _schedule_locked():
    go_to_step("runtime.mstart1")
    poke_field("m", m0(), "locks", 1)


def _no_saved_sp():
    go_to_step("runtime.mstart1")
    poke_field("g", g0(), "sched.sp", 0)


def _one_thread():
    go_to_step("runtime.procresize")
    off, size = table().field("schedt.maxmcount")
    poke(table().addr("runtime.sched") + off, 1, size)


def _work_at_boot():
    go_to("runtime.procresize")
    back = u64(draw.reg("rsp"))
    bootcmd.Stop(back, True)
    bootcmd._continue()
    set_reg("rax", 1)


def _not_dead():
    go_to_step("runtime.allgadd")
    poke_field("g", state.allgs()[0], "atomicstatus", table().const("_Gwaiting"))


def _wrong_stack():
    go_to_step("runtime.gogo")
    gp = state.allgs()[0]
    v = View("g", gp)
    for field in ("stack.lo", "stack.hi", "stackguard0", "stackbase"):
        poke_field("g", gp, field, v[field] + (16 << 20))


def _p_taken():
    go_to("runtime.wirep")
    pp = draw.reg("rdi")
    poke_field("p", pp, "status", table().const("_Prunning"))


def _no_pagesize():
    go_to("runtime.mallocinit")
    poke(table().addr("runtime.physPageSize"), 0)


LESSONS = [
    Lesson("runtime.rt0_go", "SP is left misaligned by 8 bytes", _misaligned, r"received signal SIGSEGV",
           "An aligned store of an SSE register to the stack faults; nobody is there yet to say why."),
    Lesson("runtime.settls", "the FS base is 16 bytes too low", _fs, r"runtime\.abort",
           "0x123 went through FS somewhere else than into m0.tls[0]: the probe in rt0_go sees it and aborts."),
    Lesson("m0-g0", "g is not stored in thread-local storage", _g_nil, r"fatal error: assembly checks failed",
           "check, the next call, sees that getg() is not &g0."),
    Lesson("runtime.args", "args is not called", lambda: skip_call("runtime.args"),
           r"fatal error: data and bss lie outside the writable segment",
           "The auxiliary vector was not read, so nobody knows where the program's headers are; moduledataverify says so."),
    Lesson("runtime.sysargs", "the page size in the auxiliary vector is 0", _no_pagesize,
           r"fatal error: failed to get system page size",
           "mallocinit checks what the kernel says before it builds a heap on it."),
    Lesson("runtime.osinit", "osinit is not called", lambda: skip_call("runtime.osinit"),
           r"fatal error: procresize: invalid arg", "ncpu is 0, and there can't be 0 Ps."),
    Lesson("runtime.schedinit", "schedinit is not called", lambda: skip_call("runtime.schedinit"),
           r"SIGSEGV(?:.*\n){1,4}.*gfget", "newproc has no P to take a goroutine's id from."),
    Lesson("runtime.mcommoninit", "mcommoninit is not called", lambda: skip_call("runtime.mcommoninit"),
           r"SIGSEGV(?:.*\n){1,4}.*minit", "m0 has no signal stack and is on no list."),
    Lesson("runtime.wirep", "p0 is already somebody's when m0 takes it", _p_taken,
           r"fatal error: wirep: invalid p state", "A P belongs to one M at a time; wirep insists."),
    Lesson("runtime.procresize", "procresize says that goroutines can run already", _work_at_boot,
           r"fatal error: unknown runnable goroutine during bootstrap",
           "Before the first newproc there can be no goroutine: something is wrong with the queues."),
    Lesson("runtime.newproc", "the first newproc is skipped", lambda: skip_call("runtime.newproc"),
           r"fatal error: no goroutines \(main called runtime\.Goexit\) - deadlock!",
           "The scheduler runs, finds nothing, and checkdead sees that nothing can ever come."),
    Lesson("runtime.newproc1", "the new goroutine is said to be waiting already", _not_dead,
           r"fatal error: newproc1: new g is not Gdead", "Each change of state is checked against what it was."),
    Lesson("runtime.mstart1", "g0.sched.sp is not saved", _no_saved_sp, r"SIGSEGV(?:.*\n){1,4}.*(systemstack|mcall)",
           "The first switch to g0 loads a stack pointer of 0."),
    Lesson("runtime.schedule", "m0 holds a lock when it enters the scheduler", _schedule_locked,
           r"fatal error: schedule: holding locks", "A goroutine that is switched to would run with the lock held."),
    Lesson("runtime.gogo", "the goroutine's stack bounds are 16 MB off", _wrong_stack,
           r"fatal error: runtime: split stack overflow", "The first prologue finds SP outside of the stack."),
    Lesson("runtime.sysmon", "no more than one thread is allowed", _one_thread,
           r"fatal error: thread exhaustion", "sysmon needs a thread of its own: the second."),
]


def find(step):
    names = [x.step for x in LESSONS]
    step = layout.choose(step, names, "lesson for", "Lessons: " + " ".join(names))
    return next(x for x in LESSONS if x.step == step)


def child(step):
    """In a gdb of its own: spoil, go on, tell what came of it."""
    lesson = find(step)
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    bootcmd.ensure_started()
    lesson.spoil()
    print("spoiled at %s" % symbols.place(bootcmd.pc(), False))
    gdb.flush()  # before what the program writes itself
    # A crash that is reported by the program's own handlers ends by itself; one before there are handlers stops here.
    stops = [bootcmd.Stop(a) for a in [table().find("runtime.abort")] if a]
    ends = []
    gdb.events.exited.connect(lambda event: ends.append(getattr(event, "exit_code", None)))
    # Where it asks the kernel to end it, all threads are still there; gdb 13 may trip over threads that die.
    gdb.execute("tcatch syscall exit_group", to_string=True)
    end = next(b for b in gdb.breakpoints() if b.number == int(gdb.parse_and_eval("$bpnum")))
    end.silent = True
    out = ""
    for _ in range(4):
        try:
            out = gdb.execute("continue", to_string=True)
        except gdb.error as e:
            out = str(e)
            break
        if not state.have_process():
            break
        if int(gdb.parse_and_eval("$orig_rax")) == 231:
            ends.append(draw.reg("rdi") & 0xff)
            gdb.execute("kill", to_string=True)
            break
        if bootcmd.pc() == table().find("runtime.abort"):
            break
        if not re.search(r"SIGTRAP", out):
            # Let the program's handler have the signal, if it has one already.
            if _handled():
                continue
            break
    if state.have_process():
        m = re.search(r"received signal (\w+), (.*)\.", out)
        what = "%s (%s)" % (m.group(1), m.group(2)) if m else "stopped"
        print("ended: %s in %s" % (what, symbols.place(bootcmd.pc(), False)))
        for line in gdb.execute("bt 4", to_string=True).splitlines():
            print("  " + line)
    else:
        code = ends[0] if ends else None
        print("ended: " + ("killed by a signal" if code is None else "exit status %d" % code))
    for s in stops + [end]:
        if s.is_valid():
            s.delete()


def _handled():
    """Does the process handle SIGSEGV by now?"""
    try:
        with open("/proc/%d/status" % gdb.selected_inferior().pid, encoding="utf-8") as f:
            for line in f:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> 10 & 1)
    except OSError:
        pass
    return False


def run_lesson(lesson, timeout=30):
    """(what the child printed, has the expected failure come)."""
    env = dict(os.environ, GODEBUG="", GOTRACEBACK="")
    done = subprocess.run(
        ["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load no", "-iex", "set debuginfod enabled off",
         "-x", os.path.join(bootcmd.HERE, "load.py"), "-ex", "boot break-it --child " + lesson.step, table().filename],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=timeout, check=False)
    text = done.stdout.decode("utf-8", "replace")
    shown = []
    for line in text.splitlines():
        if re.match(r"(\[New LWP|\[LWP|\[Inferior|\[Switching|Program stopped|warning: Error disabling|$)", line):
            continue
        if line.startswith("spoiled at "):
            shown.clear()  # where the program was started is not the point
        shown.append(line)
    # What the program said last is what matters; a traceback may be long.
    if len(shown) > 24:
        shown = shown[:18] + ["…"] + shown[-5:]
    return "\n".join(shown), re.search(lesson.expect, text) is not None


class BootBreakIt(layout.Command):
    """Run the program with one step of the start skipped or spoiled, and show the failure that follows.
Usage: boot break-it            the lessons there are
       boot break-it STEP       one of them
       boot break-it all        all
It runs aside, in a gdb of its own: the process you look at is not touched."""

    def __init__(self):
        super().__init__("boot break-it", gdb.COMMAND_RUNNING)

    def complete(self, text, word):
        return layout.completions([x.step for x in LESSONS] + ["all"], text, word)

    def invoke(self, arg, _from_tty):
        words = layout.words(arg, "usage: boot break-it [STEP|all]")
        if words[:1] == ["--child"]:
            child(words[1])
            return
        table()
        if not words:
            for lesson in LESSONS:
                print("%-22s %s" % (lesson.step, lesson.what))
            return
        if len(words) > 1:
            raise gdb.GdbError("usage: boot break-it [STEP|all]")
        for lesson in LESSONS if words[0] == "all" else [find(words[0])]:
            print("%s: %s" % (lesson.step, lesson.what))
            if lesson.step == "runtime.settls" and layout.hosted():
                print("  Not in this program: libc has set the FS base for the thread before the runtime begins.\n")
                continue
            text, ok = run_lesson(lesson)
            print("  | " + text.replace("\n", "\n  | "))
            print("  %s %s\n" % ("Seen." if ok else "Another failure than expected.", lesson.moral))


BootBreakIt()

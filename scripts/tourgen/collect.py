"""Run inside gdb by scripts/tour: walks through the start of a program and writes what was there at each step, as JSON,
to the file $TOUR_OUT. Nothing is typed by hand: steps, symbols and lines come from the program's own record."""
import json
import os

import gdb

from gdbext import bootcmd, breakit, draw, layout, state, steps, symbols

REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
             "rip", "eflags")


def registers():
    frame = gdb.newest_frame()
    return {r: "0x%x" % (int(frame.read_register(r)) & 0xffffffffffffffff) for r in REGISTERS}


def instructions():
    """A few instructions around the pc."""
    frame = gdb.newest_frame()
    out = []
    for insn in frame.architecture().disassemble(frame.pc(), count=8):
        out.append("%s 0x%x  %s" % ("=>" if insn["addr"] == frame.pc() else "  ", insn["addr"], insn["asm"]))
    return out


def source(root, file, line, around=9):
    path = os.path.join(root, file)
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except OSError:
        return []
    lo, hi = max(0, line - 1 - around), min(len(lines), line + around)
    return [[n + 1, lines[n].replace("\t", "        ")] for n in range(lo, hi)]


def backtrace():
    out, frame = [], gdb.newest_frame()
    while frame is not None and len(out) < 12:
        out.append(symbols.place(frame.pc() + (0 if not out else 0), bool(out)))
        frame = frame.older()
    return out


def step(root, record, snap, old):
    changed = [[sec, name, was] for (sec, name), was in draw.changes(old, snap).items()]
    texts = {}
    if record is None:
        symbol, file, line = "_rt0_amd64_linux", *entry_line(root)
        values, tsc, who = [], None, {"m": -1, "p": -1, "g": 0}
        texts = {"en": dict(zip(steps.FIELDS, ENTRY_EN)), "zh": dict(zip(steps.FIELDS, ENTRY_ZH))}
        go = "runtime/rt0_linux_amd64.s, _rt0_amd64_linux"
    else:
        symbol, file, line = record["symbol"], record["file"], record["line"]
        values, tsc = record["values"], record["tsc"]
        who = {k: record[k] for k in "mpg"}
        for language in ("en", "zh"):
            texts[language] = steps.explain(symbol, language) or dict.fromkeys(steps.FIELDS + ("go",), "")
        go = texts["en"].pop("go")
        texts["zh"].pop("go")
    return {"symbol": symbol, "file": file, "line": line, "values": values, "tsc": tsc, "who": who, "go": go,
            "texts": texts, "source": source(root, file, line), "registers": registers(), "code": instructions(),
            "bt": backtrace(), "state": snap, "changed": changed}


ENTRY_EN = (
    "The kernel has mapped the program, put argc, argv, the environment and the auxiliary vector on a stack, and set the "
    "instruction pointer to the ELF header's entry point. There is no caller, no thread-local storage, no g: two jumps lead "
    "to rt0_go.",
    "the kernel, nothing else",
    "argc in DI, the address of argv in SI",
    "There is no step before this one: a wrong entry point is a program that does not start.")
ENTRY_ZH = (
    "内核映射了程序，把 argc、argv、环境变量和辅助向量放到栈上，并把指令指针设为 ELF 头里的入口点。没有调用者，没有线程局部存储，也没有 g："
    "经过两次跳转到达 rt0_go。",
    "只要内核",
    "DI 中的 argc，SI 中 argv 的地址",
    "它之前没有别的步骤：入口点错了，程序就无法启动。")


def entry_line(root):
    file = "asm/rt0_linux_amd64.S"
    with open(os.path.join(root, file), encoding="utf-8") as f:
        for n, text in enumerate(f, 1):
            if text.startswith("_rt0_amd64_linux:"):
                return file, n
    return file, 1


def broken(root):
    """{step: what comes of spoiling it}, each from a run of its own."""
    found = {}
    for lesson in breakit.LESSONS:
        text, seen = breakit.run_lesson(lesson)
        if seen:
            found[lesson.step] = {"what": lesson.what, "moral": lesson.moral, "out": text.replace(root + "/", "")}
    return found


def main():
    root = os.environ["TOUR_ROOT"]
    lessons = broken(root)
    bootcmd.ensure_started()
    old = draw.snapshot()
    found = [step(root, None, old, None)]
    while True:
        try:
            record = bootcmd.to_next()
        except bootcmd.StartIsOver:
            break
        snap = bootcmd.walk.snaps[-1][1]
        found.append(step(root, record, snap, old))
        old = snap
    with open(os.environ["TOUR_OUT"], "w", encoding="utf-8") as f:
        json.dump({"program": os.path.basename(layout.table().filename), "steps": found, "lessons": lessons, "labels": steps.LABELS}, f,
                  ensure_ascii=False)


main()

#!/usr/bin/env python3
"""boot: its table, its JSON, its colours, its options.

CLAIMS: [C14] [C17]
"""
import json
import os
import pty
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "claims"))
from claims import Checks  # noqa: E402

check = Checks()
boot = check.prog("boot")
ENV = {"GOMAXPROCS": "2", "TERM": "xterm"}


def run(*args, env=ENV):
    done = subprocess.run([boot, *args], capture_output=True, env=env, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


status, out, err = run("--json", "plain", "quote\"back\\slash", "new\nline", b"not utf-8 \xff\xc3(", "hé漢😀", "")
data = json.loads(out)  # valid UTF-8, valid JSON
check.equal("json", "status and standard error", (status, err), (0, b""))
check.equal("json", "arguments come through; bytes that are no text become U+FFFD", data["args"][1:],
            ["--json", "plain", "quote\"back\\slash", "new\nline", "not utf-8 \ufffd\ufffd(", "hé漢😀", ""])
check.equal("C17", "gomaxprocs", data["gomaxprocs"], 2)
check.equal("C14", "cpus", data["cpus"], len(os.sched_getaffinity(0)))
check.equal("json", "goroutines of the program", data["goroutines"], 1)
steps = data["steps"]
check.equal("json", "nothing was dropped", data["dropped"], 0)
check.equal("json", "numbered from 1", [s["n"] for s in steps], list(range(1, len(steps) + 1)))
check.equal("json", "every step has every field", {tuple(s) for s in steps},
            {("n", "ns", "thread", "m", "p", "g", "symbol", "file", "line", "values")})
names = [s["symbol"] for s in steps]
on_first = [s["symbol"] for s in steps if s["thread"] == 1]
order = ["runtime.rt0_go", "runtime.settls", "runtime.check", "runtime.args", "runtime.osinit", "runtime.schedinit",
         "runtime.mallocinit", "runtime.mcommoninit", "runtime.itabsinit", "runtime.procresize", "runtime.newproc",
         "runtime.mstart0", "runtime.mstart1", "runtime.schedule", "runtime.execute", "runtime.main", "runtime.gcenable"]
seen = [n for i, n in enumerate(on_first) if n in order and n not in on_first[:i]]
check("json", f"{len(steps)} steps, among them the landmarks", set(order) <= set(names), sorted(set(order) - set(names)))
# A step is noted when its values are known, which for some is at its end: the order is that of the notes.
check.equal("json", "the first thread's begin and end as they must", (seen[:3], seen[-2:]),
            (["runtime.rt0_go", "runtime.settls", "runtime.check"], ["runtime.main", "runtime.gcenable"]))
times = [s["ns"] for s in steps if s["thread"] == 1]
check("json", "the first thread's clock does not run backwards", times[0] == 0 and times == sorted(times), times)
check("json", "the start took less than a second", times[-1] < 10**9, times[-1])
by_name = {}
for s in steps:
    by_name.setdefault(s["symbol"], s)
check.equal("json", "before TLS there is no g", by_name["runtime.rt0_go"]["g"], None)
check.equal("json", "schedinit runs on m0 and g0, without a P",
            [by_name["runtime.schedinit"][k] for k in ("m", "p", "g")], [0, None, 0])
check.equal("json", "runtime.main runs on m0, p0 and goroutine 1", [by_name["runtime.main"][k] for k in ("m", "p", "g")], [0, 0, 1])
check.equal("json", "values: argc", by_name["runtime.rt0_go"]["values"]["argc"], 8)
check("json", "addresses are strings in hexadecimal", by_name["runtime.rt0_go"]["values"]["sp"].startswith("0x7f"))
root = check.args.root
wrong = []
for s in steps:
    path = os.path.join(root, s["file"])
    lines = open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []
    if not (0 < s["line"] <= len(lines) and "BOOTSTEP" in lines[s["line"] - 1]):
        wrong.append((s["symbol"], s["file"], s["line"]))
check.equal("json", "every step's source line is a BOOTSTEP", wrong, [])

# ---- the table ----
status, out, err = run("one", "two")
text = out.decode()
rows = [r for r in text.splitlines() if re.match(r"\s+\d+ ", r)]
head = text.splitlines()[0]
check.equal("table", "status and standard error", (status, err), (0, b""))
# How many steps the other threads note is chance: an M may come or not. The first thread's are always the same.
def up_to_main(pairs):
    first = [symbol for thread, symbol in pairs if thread == 1]
    return first[:first.index("runtime.main") + 1]


check.equal("table", "the first thread's rows are the JSON's steps, in order",
            up_to_main((int(r.split()[2]), r.split()[6]) for r in rows), up_to_main((s["thread"], s["symbol"]) for s in steps))
column = head.index("step"), head.index("source"), head.index("values")
check("table", "aligned: each column begins below its head",
      all(r[column[0] - 1] == " " != r[column[0]] and r[column[1] - 1] == " " != r[column[1]] and
          (len(r) <= column[2] or r[column[2] - 1] == " " != r[column[2]]) for r in rows), head)
check("table", "no trailing blanks", not re.search(r" $", text, re.M) or "argument" in re.search(r"^.* $", text, re.M).group(0))
check("table", "then what main_main got", re.search(
    r"\nmain_main got\n  argument 0   \S.*\n  argument 1   one\n  argument 2   two\n  CPUs +\d+\n  Ps +2\n"
    r"  goroutines   1 of the program, \d+ of the runtime\n$", text) is not None, text[-300:])
check("table", "no colours in a pipe", "\x1b" not in text)


def on_terminal(env):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(boot, [boot], env)
    got = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        got += piece
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), got.decode().replace("\r\n", "\n")


def have_terminals():
    try:
        for fd in pty.openpty():
            os.close(fd)
        return True
    except OSError as e:  # a container without /dev/pts
        print(f"no terminal to be had here ({e}): colours are not looked at")
        return False


def colours():
    status, coloured = on_terminal(ENV)
    check("colour", "on a terminal", status == 0 and "\x1b[1;36mruntime.schedinit" in coloured, coloured[:300])
    check("colour", "every line that begins a colour ends it", all(
        not line.count("\x1b[") or line.rstrip().endswith("\x1b[0m") or line.rfind("\x1b[0m") > line.rfind("\x1b[3")
        for line in coloured.splitlines()))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    check("colour", "without them it is the same table", re.match(re.escape(head.split("ns")[0]), plain) is not None and
          "\nmain_main got\n" in plain)
    check("colour", "NO_COLOR is honoured", "\x1b" not in on_terminal(ENV | {"NO_COLOR": "1"})[1])
    check("colour", "an empty NO_COLOR does not count", "\x1b" in on_terminal(ENV | {"NO_COLOR": ""})[1])
    check("colour", "a dumb terminal gets none", "\x1b" not in on_terminal({"GOMAXPROCS": "2", "TERM": "dumb"})[1])


if have_terminals():
    colours()

# ---- options ----
status, out, err = run("--help")
check("options", "--help", status == 0 and out.startswith(b"usage: boot ") and not err)
for bad in ("--jsn", "-x", "--json=1"):
    status, out, err = run(bad)
    check("options", f"{bad}: a message, status 2, nothing on standard output",
          status == 2 and not out and err.startswith(f"boot: unknown option {bad}\nusage: boot ".encode()), (status, out, err))
check.equal("options", "what follows -- is not looked at", run("--", "--nonsense")[0], 0)
trace = run("--json", env=ENV | {"GODEBUG": "boottrace=1"})[2].decode()
check("options", "GODEBUG=boottrace=1 tells the same steps on standard error",
      all(re.search(rf" {re.escape(n)}\b", trace) for n in order if n in names), trace[:500])
check.end()

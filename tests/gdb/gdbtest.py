"""Runs gdb in batch mode, each command between markers, and gives back what each printed."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--build")
    parser.add_argument("--bin", type=Path, required=True)
    args = parser.parse_args()
    args.load = args.root / "scripts" / "gdbext" / "load.py"
    return args


# A `continue` that comes last lets the process end: stopped when it asks the kernel for that, with all threads still
# there. gdb 13 sometimes loses the race with threads that die ("Couldn't get registers: No such process").
TO_THE_END = """
def to_the_end():
    gdb.execute('tcatch syscall exit_group', to_string=True)
    gdb.execute('continue')
    if gdb.selected_inferior().pid != 0 and int(gdb.parse_and_eval('$orig_rax')) == 231:
        code = int(gdb.parse_and_eval('$rdi'))
        gdb.execute('kill')
        print('[exited %s]' % ('with code %d' % code if code else 'normally'))
"""


class Session:
    """session.run([...]) -> {index: output}; a command that fails prints ERROR: and its message."""

    def __init__(self, args, program, *gdbargs, env=None):
        self.args, self.program, self.gdbargs = args, str(program), [str(a) for a in gdbargs]
        self.env = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
        self.env.pop("GODEBUG", None) if not env or "GODEBUG" not in env else None

    def run(self, commands, timeout=120, abandon=False):
        """abandon: gdb ends at once, and the program with it. gdb 16 sometimes waits for ever for threads that run when it
        ends in non-stop mode."""
        with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as f:
            f.write("import gdb\ngdb.execute('set pagination off')\ngdb.execute('set width 0')\n"
                    "gdb.execute('set confirm off')\ngdb.execute('set debuginfod enabled off', to_string=True)\n"
                    f"gdb.execute('source {self.args.load}')\n"
                    f"{TO_THE_END}"
                    "def marked(i, command):\n"
                    "    print('\\nBEGIN %d' % i, flush=True)\n"
                    "    try:\n"
                    "        gdb.execute(command)\n"
                    "    except gdb.error as e:\n"
                    "        print('ERROR: %s' % e)\n"
                    "    print('\\nEND %d' % i, flush=True)\n")
            for i, command in enumerate(commands):
                last = command == "continue" and i == len(commands) - 1
                f.write(f"marked({i}, {'python to_the_end()' if last else command!r})\n")
            if abandon:
                f.write("import os, signal\nos.kill(gdb.selected_inferior().pid, signal.SIGKILL)\nos._exit(0)\n")
            f.flush()
            done = subprocess.run(
                ["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load no", "-x", f.name, self.program, *self.gdbargs],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.env, timeout=timeout,
                check=False)
        text = done.stdout.decode("utf-8", "replace")
        found = {}
        for i in range(len(commands)):
            m = re.search(rf"^BEGIN {i}\n(.*?)^END {i}$", text, re.S | re.M)
            found[i] = m.group(1).strip("\n") if m else None
        if found[len(commands) - 1] is None:
            sys.exit(f"gdb did not come to its end:\n{text[-4000:]}")
        return [found[i] for i in range(len(commands))]


class Check:
    """Collects what is wrong; check.done() ends the test."""

    def __init__(self):
        self.errors, self.count = [], 0

    def that(self, what, ok, detail=""):
        self.count += 1
        if not ok:
            self.errors.append(f"{what}\n    {str(detail)[:1500]}")

    def match(self, what, pattern, text):
        m = re.search(pattern, text or "", re.M | re.S)
        self.that(f"{what}: no {pattern!r}", m is not None, text)
        return m

    def no_error(self, commands, outputs):
        for c, o in zip(commands, outputs):
            self.that(f"`{c}` fails", o is not None and "ERROR:" not in o and "Traceback" not in o and
                      "Python Exception" not in o, o)

    def done(self):
        print("\n".join(self.errors) or f"{self.count} things are as they should be")
        sys.exit(1 if self.errors else 0)


def number(text):
    """The value of a `p/x` or `p` answer."""
    m = re.search(r"= (0x[0-9a-f]+|-?\d+)", text or "")
    return int(m.group(1), 0) if m else None

"""What the tests of the claims share: running a program under gdb, and reporting checks with their claim's number.

A test hands gdbrun() the source of a Python function body that runs inside gdb; what it puts into R comes back as a
dictionary. Programs are started by starti, so a script stands at the first instruction when it begins. Inside gdb:

  R                     the result
  X(command)            runs a gdb command, returns its output
  V(expr), N(expr)      an expression's value, as gdb value or as number (runtime variables: N("'runtime.ncpu'"))
  addr(symbol)          an ELF function's address, of its first instruction
  brk(symbol, ...)      breakpoints on first instructions
  cont()                goes on; the name of the function stopped at, or "exit"
  clear()               deletes all breakpoints
  until(symbol, thread) goes on to a function's first instruction, on that thread or on any
  g(), m()              the running g and m as gdb values, read through FS; None before TLS is set
  reg(name)             a register
  rd8(address)          eight bytes of memory
  values(g, fields)     {field: number} of a struct
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

PRELUDE = r'''
import gdb, json, os, struct, traceback
R = {}
def X(c): return gdb.execute(c, to_string=True)
def V(e): return gdb.parse_and_eval(e)
def N(e): return int(V(e))
def reg(r):
    if r == "eflags": return int(X("p/x $eflags").split("=")[1], 16)
    return int(V("(unsigned long)$" + r))
def rd8(a): return struct.unpack("<Q", bytes(gdb.selected_inferior().read_memory(a, 8)))[0]
SYMS = {}
def addr(s):
    if s not in SYMS: raise KeyError("no function " + s)
    return SYMS[s]
BREAKS = {}
def brk(*names):
    for n in names:
        b = gdb.Breakpoint("*%d" % addr(n)); b.silent = True
        BREAKS[addr(n)] = n
EXITED = []
gdb.events.exited.connect(lambda e: EXITED.append(getattr(e, "exit_code", None)))
def cont():
    # The end is caught at exit_group and the process killed there: behind it gdb 13 loses a race with dying threads,
    # by an error ("No such process") or by an internal one that takes gdb along.
    end = int(X("catch syscall exit_group").split()[1])  # "Catchpoint N (syscall ..."
    try: X("continue")
    finally: X("delete %d" % end)
    if not EXITED and reg("orig_rax") == 231:
        code = reg("rdi") & 0xff
        X("kill")
        EXITED[:] = [code]
    return "exit" if EXITED else BREAKS.get(reg("pc"), hex(reg("pc")))
def clear(): X("delete"); BREAKS.clear()
def until(name, thread=None):
    where = "*%d" % addr(name) + (" thread %d" % thread if thread else "")
    b = gdb.Breakpoint(where, temporary=True); b.silent = True
    BREAKS[addr(name)] = name
    got = cont()
    if got != name: raise RuntimeError("wanted %s, stopped at %s" % (name, got))
def _g():
    fs = int(V("(unsigned long)$fs_base"))
    return rd8(fs - 8) if fs else 0
def g():
    p = _g()
    return V("(('runtime::g'*)%d)" % p).dereference() if p else None
def m():
    gp = g()
    return gp["m"].dereference() if gp is not None and int(gp["m"]) else None
def values(s, fields): return {f: int(s[f]) for f in fields.split()}
CFG = json.loads(os.environ["CLAIMS_CFG"])
SYMS.update(CFG["syms"])
try:
    for c in ["set pagination off", "set confirm off", "set startup-with-shell off", "set print thread-events off",
              "set debuginfod enabled off", "set auto-load python-scripts off", "set print inferior-events off",
              "set language c++", "set print demangle off", "set breakpoint always-inserted on"]:
        try: X(c)
        except gdb.error: pass
    X('file "%s"' % CFG["binary"])
    for c in ("LINES", "COLUMNS", "CLAIMS_CFG"): X("unset environment " + c)
    for k, v in CFG["env"].items(): X("set environment %s=%s" % (k, v))
    for k in CFG["unset"]: X("unset environment " + k)
    if CFG["args"]: X("set args " + " ".join(CFG["args"]))
    X("starti")
    X("handle all nostop noprint pass"); X("handle SIGTRAP stop print nopass"); X("handle SIGINT stop print nopass")
    exec(compile(CFG["body"], "body", "exec"))
except BaseException:
    R["gdb_error"] = traceback.format_exc()
    try: R["gdb_bt"] = X("bt 12")
    except gdb.error: pass
json.dump(R, open(CFG["out"], "w"))
try: X("kill")
except gdb.error: pass
'''


def symbols(binary):
    """{name: address} of the functions and data in an ELF file's symbol table."""
    out = subprocess.run(["nm", "--defined-only", binary], capture_output=True, text=True, check=True).stdout
    table = {}
    for line in out.splitlines():
        address, _, name = line.split(maxsplit=2)
        table.setdefault(name.strip('"'), int(address, 16))
    return table


def gdbrun(binary, body, env=None, args=(), unset=(), timeout=120, allow_error=False):
    """Runs body inside gdb; see the head of this file."""
    with tempfile.TemporaryDirectory() as tmp:
        script, out = os.path.join(tmp, "script.py"), os.path.join(tmp, "out.json")
        with open(script, "w", encoding="utf-8") as f:
            f.write(PRELUDE)
        config = {"binary": os.path.abspath(binary), "body": body, "env": env or {}, "args": list(args),
                  "unset": list(unset), "out": out, "syms": symbols(binary)}
        gdb_env = dict(os.environ, CLAIMS_CFG=json.dumps(config))
        for name in ("GOMAXPROCS", "GODEBUG", "GOGC", "GOTRACEBACK"):
            gdb_env.pop(name, None)
        done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", script], env=gdb_env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=timeout, check=False)
        if not os.path.exists(out):
            sys.exit(f"gdb gave no result:\n{done.stdout}")
        with open(out, encoding="utf-8") as f:
            result = json.load(f)
    if "gdb_error" in result and not allow_error:
        sys.exit(f"inside gdb: {result['gdb_error']}\n{result.get('gdb_bt', '')}\n{done.stdout[-2000:]}")
    result["gdb_log"] = done.stdout
    return result


class Checks:
    """Collects the outcome of the checks of one test file."""

    def __init__(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("--root", default=".")
        parser.add_argument("--build", default="build")
        parser.add_argument("--bin", default="build/bin")
        self.args = parser.parse_args()
        self.failed = 0
        self.count = 0
        self.tmp = tempfile.TemporaryDirectory()

    def prog(self, name):
        return os.path.abspath(os.path.join(self.args.bin, name))

    def __call__(self, claim, text, ok, detail=""):
        self.count += 1
        print(f"{'ok     ' if ok else 'FAILED '} [{claim}] {text}" + (f"\n        {detail}" if not ok else ""))
        self.failed += not ok

    def equal(self, claim, text, got, wanted):
        self(claim, f"{text}: {got!r}" if got == wanted else text, got == wanted, f"got {got!r}, wanted {wanted!r}")

    def end(self):
        print(f"{self.count} checks, {self.failed} failed")
        sys.exit(1 if self.failed or not self.count else 0)


def need(*tools):
    """Ends the test where a tool that scripts/setup installs is not there."""
    for tool in tools:
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: scripts/setup test installs it")

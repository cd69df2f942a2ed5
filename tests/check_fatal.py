#!/usr/bin/env python3
"""Go's fatal programs, in C++: same exit, same stdout, same stderr up to the first goroutine's header.

Each case of fatal_oracle.json and fatal_more.json (what Go 1.19 did) is run with its scenario of progs/fatal_*. The
frames after the header name our functions and files, so only this is asked of them: the first frame shown is the
program's, with its file and a line in it. Of programs that end with all goroutines shown, the headers of all are
compared too. With --table the outcome of each case is printed as a table; --case NAME runs one and shows it.
--ask-go makes fatal_more.json anew with the go command that is installed.

CLAIMS: [C49]
SERIAL: runs at limits of the whole machine
"""
import argparse
import ctypes
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import fatal_table  # noqa: E402
import reach  # noqa: E402

HERE = Path(__file__).resolve().parent
libc = ctypes.CDLL(None, use_errno=True)

SCHED = re.compile(
    r"SCHED \d+ms: gomaxprocs=\d+ idleprocs=\d+ threads=\d+ spinningthreads=\d+ idlethreads=\d+ runqueue=\d+"
    r"( \[\d+( \d+)*\]| gcwaiting=\d+ nmidlelocked=-?\d+ stopwait=\d+ sysmonwait=\d+)"
    r"|  P\d+: status=\d+ schedtick=\d+ syscalltick=\d+ m=-?\d+ runqsize=\d+ gfreecnt=\d+ timerslen=\d+"
    r"|  M\d+: p=-?\d+ curg=-?\d+ mallocing=\d+ throwing=\d+ preemptoff=.* locks=-?\d+ dying=\d+"
    r" spinning=(true|false) blocked=(true|false) lockedg=-?\d+"
    r"|  G-?\d+: status=\d+\(.*\) m=-?\d+ lockedm=-?\d+")


def normal(text):
    """Addresses and what differs from run to run."""
    text = re.sub(r"0x[0-9a-f]+\b", "0xADDR", text)
    text = re.sub(r"^(instruction bytes:)( 0xADDR)+$", r"\1 0xADDR", text, flags=re.M)
    text = re.sub(r"^SCHED \d+ms: .*$", "SCHED", text, flags=re.M)
    text = re.sub(r"\((\d+) in use\)", "(N in use)", text)
    text = re.sub(r"\(have \d+ already", "(have N already", text)
    text = re.sub(r"^PC=0xADDR m=\d+", "PC=0xADDR m=N", text, flags=re.M)
    text = re.sub(r"^goroutine (?!0\b|1\b)\d+ ", "goroutine N ", text, flags=re.M)
    return text


def head(text):
    """Up to the first goroutine's header, frames of a runtime stack left out."""
    out, skip = [], False
    for line in text.split("\n"):
        if skip and line != "":
            continue
        skip = False
        out.append(line)
        if re.match(r"goroutine \S+ \[", line):
            break
        if line == "runtime stack:":
            skip = True
    return out


def headers(text):
    """Which goroutines wait, for what. The runtime's own are not asked for."""
    return sorted(re.sub(r"\d+", "N", l) for l in text.split("\n")
                  if re.match(r"goroutine [1-9]\d* \[(?!GC |force gc|finalizer|running|runnable|syscall).*\]:$", l))


def exit_name(code):
    if code >= 0:
        return f"exit {code}"
    n = -code
    return "killed by SIGRTMIN" if n == 34 else f"killed by {signal.Signals(n).name}" if n < 32 else f"killed by {n}"


def exec_raw(path, argv, env):
    """execve with lists that Python's own refuses: empty ones, null ones. Only in a child."""
    def array(strings):
        return (ctypes.c_char_p * (len(strings) + 1))(*[s.encode() for s in strings], None)
    libc.execve(path.encode(), array(argv) if argv is not None else None, array(env) if env is not None else None)
    os._exit(127)


def surround(name):
    """What a program of fatal_more.json is started with: run in the child, for Go's program and for ours."""
    if name.startswith("sig_nohup"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if name.startswith("sig_blocked"):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGSEGV])


COPIES = reach.Copies()


class Case:
    def __init__(self, entry, progs):
        self.entry, self.name = entry, entry["name"]
        self.source = fatal_table.source(self.name)
        self.prog = str(progs / self.source)
        self.scenario = fatal_table.scenario(self.name)
        if os.geteuid() == 0 and entry["run_as"].startswith("setpriv"):
            self.prog = COPIES.of(self.prog)

    def start(self, extra):
        """Popen, and the signal to send when it says "ready"."""
        e, how = self.entry, self.entry["run_as"]
        env = {"PATH": os.environ["PATH"], "SCENARIO": self.scenario, **e["env"], **extra}
        argv, path, shell, close, pre = [self.prog], self.prog, False, True, None
        sig = fatal_table.SIGNALS.get(self.name)
        m = re.match(r"sleeping_SIG([A-Z0-9]+?)(_.*)?$", self.name)
        if m:
            sig = int(m.group(1)) if m.group(1).isdigit() else getattr(signal, "SIG" + m.group(1), 16)

        def two_cpus():
            cpus = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, cpus[:2])
        if self.name.startswith("GOMAXPROCS") and not how:
            pre = two_cpus
        elif how == "bin/launcher blockterm":
            def pre():
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        elif how == "bin/launcher ignhup":
            def pre():
                for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                    signal.signal(s, signal.SIG_IGN)
        elif how.startswith("bin/launcher"):
            what, given = how.split()[1], [f"{k}={v}" for k, v in env.items()]
            args = {"argc0": ([], given), "null": (None, given), "envnull": (["0123456789"], None),
                    "big": (["0123", *["x" * 104857] * 9, "y" * 104863], given)}[what]

            def pre():
                exec_raw(self.prog, *args)
        elif "BIN" in how:
            path, argv = "/bin/bash", ["bash", "-c", how.replace("BIN", f"'{self.prog}'")]
        elif how:
            argv = how.split() + [self.prog]
            path = argv[0]
        elif self.source != "fatal_prog":
            def pre():
                surround(self.name)
        p = subprocess.Popen(argv, executable=None if path == argv[0] else path, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=pre, close_fds=close)
        return p, sig

    def run(self, extra=None):
        p, sig = self.start(extra or {})
        early = b""
        if sig is not None:
            while not early.endswith(b"ready\n"):
                c = os.read(p.stderr.fileno(), 1)
                if not c:
                    break
                early += c
            time.sleep(0.05)
            p.send_signal(sig)
        try:
            out, err = p.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            err += b"\n(timed out)"
        return out.decode(errors="replace"), (early + err).decode(errors="replace"), exit_name(p.returncode)

    def expected(self):
        e = {**self.entry, **fatal_table.DIFFERENT.get(self.name, ({}, ""))[0]}
        return e["stdout"], e["stderr"], e["exit"]

    def check(self, extra=None):
        """(what differs or "", stdout, stderr, exit)"""
        out, err, code = self.run(extra)
        bad = self.differs(out, err, code, *self.expected())
        if bad and self.name in fatal_table.EITHER:
            e = fatal_table.EITHER[self.name][0]
            if not self.differs(out, err, code, e["stdout"], e["stderr"], e["exit"]):
                bad = ""
        return bad, out, err, code

    def differs(self, out, err, code, want_out, want_err, want_code):
        bad = []
        if code != want_code:
            bad.append(f"{code}, want {want_code}")
        if normal(out) != normal(want_out):
            bad.append(f"stdout {out[:200]!r}, want {want_out[:200]!r}")
        got, want = head(normal(err)), head(normal(want_err))
        # The oracle keeps the first lines only: behind a long runtime stack there is no goroutine's header in it.
        if "runtime stack:" in want and not any(l.startswith("goroutine ") for l in want) and "runtime stack:" in got:
            got, want = got[:got.index("runtime stack:") + 1], want[:want.index("runtime stack:") + 1]
        # Which thread a signal finds is up to the kernel: one that runs a goroutine, or one that looks for work.
        if not self.entry["stderr_stable"] and "SIGQUIT" in self.name or self.name == "more_quit_syscall" or (
                self.source == "fatal_signals" or "_sig_" in self.name or "quit_all" in self.name):
            anyone = re.compile(r"goroutine (0 .idle|1 .running|1 .syscall|N .running).:")
            got, want = (["goroutine" if anyone.match(l) else l for l in x] for x in (got, want))
        if self.name == "inittrace":  # Go's lines have the memory allocated behind this
            line = re.compile(r"init \S.* @[0-9.]+ ms, [0-9.]+ ms clock")
            bad += [f"line {l!r}" for l in got if l and not line.fullmatch(l)]
            bad += [f"no line of {x}" for x in ("init runtime", "fatal_prog.cpp") if x not in err]
        if self.name.startswith("schedtrace"):
            lines = [l for l in err.split("\n") if re.match(r"SCHED|  [PMG]\d", l)]
            bad += [f"line {l!r}" for l in lines if not SCHED.fullmatch(l)]
        if self.name.startswith(("schedtrace", "inittrace")):
            got, want = (sorted({l for l in x if l and not re.match(r"  [PMG]\d+: |init ", l)}) for x in (got, want))
        if got != want:
            bad.append("stderr\n    " + "\n    ".join(got) + "\n  want\n    " + "\n    ".join(want))
        elif any(l.startswith("goroutine 1 [") for l in want) and "panic: " in want_err and not self.frames(err):
            bad.append("no frame of the program:\n" + err)
        all_want = self.entry.get("goroutines")
        if all_want is not None and headers(err) != all_want:
            bad.append("goroutines\n    " + "\n    ".join(headers(err)) + "\n  want\n    " + "\n    ".join(all_want))
        return "; ".join(bad)

    def frames(self, err):
        lines = err.split("\n")
        at = next(i for i, l in enumerate(lines) if l.startswith("goroutine 1 ["))
        source = HERE / "progs" / f"{self.source}.cpp"
        total = len(source.read_text().split("\n"))
        for i in range(at + 1, len(lines) - 1):
            m = re.match(rf"\t(.*{self.source}\.cpp):(\d+)(?: \+0x[0-9a-f]+)?", lines[i + 1])
            if m and re.match(r"\S.*\(\.\.\.\)$", lines[i]) and 0 < int(m.group(2)) <= total:
                return True
        return False


def possible(case):
    how = case.entry["run_as"]
    if how.startswith(("setpriv", "prlimit", "taskset")):
        if subprocess.run(["which", how.split()[0]], stdout=subprocess.DEVNULL).returncode != 0:
            return f"{how.split()[0]} is not installed"
        if how.startswith("setpriv") and os.geteuid() != 0:
            return "needs root"
        if case.prog is None:
            return "needs a directory that every user can run a program from"
    return ""


def ask_go(only):
    """fatal_more.json: what the installed Go does, up to the first goroutine's header."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    entries, old = [], json.loads((HERE / "fatal_more.json").read_text())
    with tempfile.TemporaryDirectory() as tmp:
        prog = f"{tmp}/fatal_more"
        (Path(tmp) / "go.mod").write_text("module main\n")
        for f in (HERE / "fatal_go").iterdir():
            shutil.copy(f, tmp)
        subprocess.run(["go", "build", "-o", prog, "."], cwd=tmp, check=True)
        names = subprocess.run([prog], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        names += [f"{n}@{v}" for n, values in fatal_table.VARIANTS.items() for v in values]
        for name in sorted(names):
            if only and not re.search(only, name):
                entries += [e for e in old if e["name"] == name]
                continue
            env = dict([v.split("=", 1) for v in name.split("@")[1:]])
            p = subprocess.run([prog], env={"PATH": os.environ["PATH"], "SCENARIO": name.split("@")[0], **env},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                               preexec_fn=lambda: surround(name))
            out, err = p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")
            e = {"name": name, "env": env, "run_as": "", "stdout": out, "exit": exit_name(p.returncode),
                 "stderr_stable": True, "stderr": "\n".join(head(normal(err)))}
            if "settraceback" in name or "GOTRACEBACK" not in env and ("all goroutines are asleep" in err or "quit_all" in name):
                e["goroutines"] = headers(err)
            entries.append(e)
    (HERE / "fatal_more.json").write_text(json.dumps(entries, indent=1) + "\n")
    print(f"{len(entries)} programs")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--root", "--build", "--bin"):
        ap.add_argument(name)
    ap.add_argument("--case", help="run this case only and show what it prints")
    ap.add_argument("--repeat", type=int,
                    help="how often, with each GOMAXPROCS of 1, 2 and 64; default: once; under scripts/test --stress 100"
                    " times where it is racy")
    ap.add_argument("--racy", action="store_true", help="only those that are racy")
    ap.add_argument("--table", action="store_true")
    ap.add_argument("--ask-go", metavar="REGEX", nargs="?", const="", help="of those that match; default: all")
    ap.add_argument("--hosted", action="store_true", help="the programs linked with libc")
    a = ap.parse_args()
    if a.ask_go is not None:
        return ask_go(a.ask_go)
    progs = Path(a.bin) / "progs" / ("hosted" if a.hosted else "")
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    cases = json.loads((HERE / "fatal_oracle.json").read_text()) + json.loads((HERE / "fatal_more.json").read_text())
    cases += [{"name": n, "env": {}, "run_as": "", "stdout": "", "stderr": e, "exit": x, "stderr_stable": True}
              for n, (e, x) in fatal_table.EXTRA.items()]
    cases = [Case(e, progs) for e in cases]
    cases = [c for c in cases if not (a.case and a.case != c.name or a.racy and c.name not in fatal_table.RACY)]
    if a.hosted and "BOOT_STRESS" not in os.environ and not a.case:
        cases = [c for c in cases if c.source == "fatal_prog"]
    # Those that meet a limit which all processes share (the number of processes) run alone. Most of the others' time is
    # that of some who sleep for seconds: all of these at once, beside the rest.
    def asleep(case):
        return re.match("sleeping_|sleepers|schedtrace_sleepers|sig_nohup", case.name) is not None
    alone = [c for c in cases if c.entry["run_as"]]
    others = [(c, a) for c in cases if not c.entry["run_as"]]
    with multiprocessing.Pool(16) as sleepers, multiprocessing.Pool(4) as pool:
        slept = sleepers.starmap_async(outcome, [o for o in others if asleep(o[0])], chunksize=1)
        results = pool.starmap(outcome, [o for o in others if not asleep(o[0])], chunksize=1) + slept.get()
    results += [outcome(c, a) for c in alone]
    for _, text in results:
        if text:
            print(text)
    failed = sum(bad for bad, _ in results)
    print(f"{failed} failed")
    sys.exit(1 if failed else 0)


def outcome(case, a):
    """(does it fail, what is said about it)"""
    why = fatal_table.IMPOSSIBLE.get(case.name)
    if a.hosted and why is None:
        why = fatal_table.NOT_HOSTED.get(case.name)
    if why is not None:
        return False, f"{'not in C++':12} {case.name}: {why}"
    why = possible(case)
    if why:
        return False, f"{'skipped':12} {case.name}: {why}"
    settings = [{}]
    repeat = a.repeat or (100 if "BOOT_STRESS" in os.environ and case.name in fatal_table.RACY else 1)
    if repeat > 1 and "GOMAXPROCS" not in case.entry["env"] and "GOMAXPROCS" not in case.name:
        settings = [{"GOMAXPROCS": p} for p in ("1", "2", "64")] * repeat
    bad, out, err, code, text = "", "", "", "", ""
    for extra in settings:
        bad, out, err, code = case.check(extra)
        if bad:
            bad = f"{extra or ''} {bad}"
            break
    if a.case:
        text = f"--- stdout\n{out[:5000]}\n--- stderr\n{err[:20000]}\n--- {code}\n"
    different = fatal_table.DIFFERENT.get(case.name)
    state = "FAILED" if bad else "as said" if different else "as Go"
    if bad or a.table or a.case or different:
        text += f"{state:12} {case.name}" + (f": {bad}" if bad else f": {different[1]}" if different else "")
    return bool(bad), text


if __name__ == "__main__":
    main()

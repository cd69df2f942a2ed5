#!/usr/bin/env python3
"""How programs end, and what is written then.

  ways      each way out (progs/ends.cpp), in pure and in hosted mode, with an execution trace and without: the status, what
            atexit, at_quick_exit, destructors and stdio wrote, and the trace is whole
  full      a trace that does not fit on its disk says so, is JSON still, and status 0 is not given
  links     the trace's file is opened without following a link
  writers   each writer into a pipe that nobody reads, a full device and a closed descriptor: it ends, by Go's rule
  reports   what the last words say: finalizers, the signal of a panic on its way, who started whom, objects that are nil
  cores     a core of a panic that nobody caught has the frames and locals of who panicked
  secure    a setuid copy, run by another user, obeys nothing that the environment names (asks for root)
"""
import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

BAD = []


def fail(text):
    BAD.append(text)
    print("FAIL", text)


def run(argv, env=None, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.PIPE)
    p = subprocess.Popen([str(a) for a in argv], env={"PATH": os.environ["PATH"], **(env or {})},
                         stdin=subprocess.DEVNULL, **kw)
    try:
        out, err = p.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        return "hang", (out or b"").decode(), (err or b"").decode()
    return p.returncode, (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace")


def events(file):
    """The trace's events, or why there are none."""
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError) as e:
        return f"{e}"


EXIT = ["atexit", "destructor"]
# Status, what the end writes. None as a status: any but 0.
WAYS = {
    "return": (0, EXIT), "os_exit": (3, EXIT), "os_exit0": (0, EXIT), "exit": (4, EXIT), "exit0": (0, EXIT),
    "exit_goroutine": (0, EXIT), "exit_many": (4, None), "_exit": (5, []), "_Exit": (6, []),
    "quick_exit": (7, ["at_quick_exit"]), "abort": (2, []), "terminate": (2, []), "noexcept": (2, []), "panic": (2, []),
    "panic_goroutine": (2, []), "exception": (2, []), "nil": (2, []), "fatal": (2, []), "deadlock": (2, []),
    "goexit": (2, []), "sigterm": (-15, []), "sigquit": (2, []), "thread_exit": (8, EXIT), "fork": (0, EXIT),
}


def check_ways(mode, prog, tmp):
    status, out, _ = run([prog, "list"])
    names = out.split()
    if not set(names) <= set(WAYS) or len(names) < 20:
        fail(f"{mode}: ways {names}")
    for name in names:
        want, wrote = WAYS[name]
        for traced in (False, True):
            for procs in ("1", "4"):
                trace = tmp / "trace.json"
                trace.unlink(missing_ok=True)
                env = {"GOMAXPROCS": procs, **({"GODEBUG": f"exectrace={trace}"} if traced else {})}
                status, out, err = run([prog, name], env)
                case = f"{mode} {name}{' traced' if traced else ''} P={procs}"
                if status != want:
                    fail(f"{case}: status {status}, want {want}: {err[-300:]}")
                lines = out.split()
                # pure mode's stdio keeps nothing. libc's is written by exit, and is lost otherwise, as in C.
                kept = mode == "pure" or wrote is None or "destructor" in wrote
                if wrote is not None and (sorted(x for x in lines if x != "buffered") != sorted(wrote) or
                                          ("buffered" in lines) != kept):
                    fail(f"{case}: wrote {lines}")
                if not traced:
                    continue
                got = events(trace)
                if isinstance(got, str) or sum(e["ph"] == "X" for e in got) < 2:
                    fail(f"{case}: trace: {got if isinstance(got, str) else len(got)} {err[-300:]}")
                if "exectrace" in err:
                    fail(f"{case}: {err}")
            if name in ("sigterm", "fork"):  # once is enough
                break


def check_full(mode, prog, tmp):
    said = re.compile(r"^runtime: GODEBUG=exectrace: cannot write \S+: error 28$", re.M)
    for name, want in (("return", 1), ("exit0", 1), ("os_exit", 3), ("_exit", 5), ("quick_exit", 7), ("panic", 2)):
        status, _, err = run([prog, name], {"GODEBUG": "exectrace=/dev/full"})
        if status != want or len(said.findall(err)) != 1:
            fail(f"{mode} {name} into /dev/full: status {status}, want {want}: {err}")
    # A file system with room for some of the text, and with room for not even the records.
    if os.geteuid() != 0:
        print("no file system that is full: not root")
        return
    for size, count, records in (("512k", 2000, False), ("16k", 40000, True)):
        script = (f"mount -t tmpfs -o size={size} none {tmp}/small && cd {tmp}/small && "
                  f"GODEBUG=exectrace=t.json timeout 50 {prog} return {count} >/dev/null; echo status $?; "
                  f"cp t.json {tmp}/part.json")
        (tmp / "small").mkdir(exist_ok=True)
        (tmp / "part.json").unlink(missing_ok=True)
        status, out, err = run(["unshare", "-m", "sh", "-c", script])
        if "mount" in err or "unshare" in err:  # in a chroot, say, whose root is no mount
            print("no file system that is full:", err.strip())
            return
        got = events(tmp / "part.json")
        text = "no room to record: error 28, [1-9][0-9]* events are missing" if records else "cannot write t.json: error 28"
        if "status 1\n" not in out or not re.search(text, err):
            fail(f"{mode}: full file system {size}: {out} {err}")
        if isinstance(got, str) or (not records and len(got) < 1000):
            fail(f"{mode}: full file system {size}: {got if isinstance(got, str) else len(got)}")


def check_links(mode, prog, tmp):
    mine, trace = tmp / "mine", tmp / "linked.json"
    for make in (os.symlink, os.link):
        mine.write_text("keep me\n")
        trace.unlink(missing_ok=True)
        make(mine, trace)
        status, _, err = run([prog, "return"], {"GODEBUG": f"exectrace={trace}"})
        if mine.read_text() != "keep me\n" or "is a link, which is not followed" not in err or status != 0:
            fail(f"{mode}: {make.__name__} was followed: status {status} {err}")
    # Its records lie in a file beside it, whose name others can guess: a link there is not followed either.
    mine.write_text("keep me\n")
    trace.unlink()
    script = f"for i in $(seq 0 3000); do ln -s {mine} {trace}.$(($$ + i)); done; exec {prog} return"
    status, _, err = run(["sh", "-c", script], {"GODEBUG": f"exectrace={trace}"})
    if mine.read_text() != "keep me\n" or isinstance(events(trace), str) or status != 0:
        fail(f"{mode}: a link beside the trace was followed: status {status} {err}")
    for link in tmp.glob("linked.json*"):
        link.unlink()
    # An older trace is written over; a pipe, a device and a descriptor of ours are written to.
    trace.write_text("x" * 10000000)
    status, _, err = run([prog, "return"], {"GODEBUG": f"exectrace={trace}"})
    if isinstance(events(trace), str) or status != 0:
        fail(f"{mode}: an older trace: {events(trace)} {err}")
    for name in ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"):
        status, _, err = run([prog, "return"], {"GODEBUG": f"exectrace={name}"})
        if status != 0 or not err.startswith("[\n{") or not err.endswith("]\n"):
            fail(f"{mode}: trace to {name}: status {status} {err[:200]}")
    os.mkfifo(tmp / "fifo")
    status, out, err = run(["sh", "-c", f"{prog} return >/dev/null & cat {tmp}/fifo; wait $!"],
                           {"GODEBUG": f"exectrace={tmp}/fifo"})
    if status != 0 or not out.startswith("[\n{") or not out.endswith("]\n"):
        fail(f"{mode}: trace to a pipe: status {status} {err[:200]}")
    (tmp / "fifo").unlink()


def writers_of(prog):
    return run([prog, "writers"])[1].split()


def broken_pipe(fd):
    """For Popen: fd is a pipe that nobody reads."""
    r, w = os.pipe()
    os.close(r)

    def pre():
        os.dup2(w, fd)
        for s in (signal.SIGPIPE,):  # Python ignores it
            signal.signal(s, signal.SIG_DFL)
    return pre, w


def check_writers(mode, prog, tmp):
    names = writers_of(prog)
    if len(names) < 12:
        fail(f"{mode}: writers {names}")
    for name in names:
        for fd in (1, 2):
            pre, w = broken_pipe(fd)
            status, _, err = run([prog, "out", name, fd], preexec_fn=pre, pass_fds=[w])
            os.close(w)
            if status != -signal.SIGPIPE:
                fail(f"{mode}: {name} to {fd}, which nobody reads: status {status} {err[-200:]}")
        for what, error in (("/dev/full", 28), (None, 9)):
            def pre(what=what):
                if what:
                    os.dup2(os.open(what, os.O_WRONLY), 1)
                else:
                    os.close(1)
            status, _, err = run([prog, "out", name, 1], preexec_fn=pre)
            if status != 20 + error or f"{name}: error {error}\n" not in err:
                fail(f"{mode}: {name} to {what or 'a closed descriptor'}: status {status} {err[-200:]}")
            stdio = name in ("printf", "printf_long", "puts", "putchar", "fputs", "fwrite")
            if ("ferror" in err) != (stdio or name == "cout"):
                fail(f"{mode}: {name} to {what}: ferror {err}")
    # Another descriptor: an error as others, and no signal.
    for name in ("os_write", "write", "syscall"):
        pre, w = broken_pipe(7)
        status, _, err = run([prog, "out", name, 7], preexec_fn=pre, pass_fds=[7, w])
        os.close(w)
        if status != 20 + 32 or "error 32" not in err:
            fail(f"{mode}: {name} to a pipe nobody reads: status {status} {err}")
    # The usual case, and what the runtime itself says, which ends nobody.
    for name in ("printf", "println"):
        status, out, err = run(["bash", "-c", f'{prog} out {name} | head -1; echo "${{PIPESTATUS[0]}}"'],
                               restore_signals=True)
        if out.split()[-1] != "141":
            fail(f"{mode}: {name} | head -1: {out} {err}")
    for env in ("boottrace=1", "schedtrace=1", "inittrace=1"):
        pre, w = broken_pipe(2)
        status, out, _ = run([prog, "return", 20000], {"GODEBUG": env}, preexec_fn=pre, pass_fds=[w])
        os.close(w)
        if status != 0:
            fail(f"{mode}: {env} into a pipe nobody reads: status {status} {out}")
    for name in ("panic", "fatal", "sigquit", "nil"):
        pre, w = broken_pipe(2)
        status, out, _ = run([prog, name], preexec_fn=pre, pass_fds=[w])
        os.close(w)
        if status != 2:
            fail(f"{mode}: report of {name} into a pipe nobody reads: status {status} {out}")


ON_NIL = "runtime error: invalid memory address or nil pointer dereference"


def check_reports(mode, prog, tmp):
    status, out, err = run([prog, "finalizer"], {"GOTRACEBACK": "all"})
    shown = re.compile(r"^goroutine \d+ \[select \(no cases\)\]:\n(?:.*\n){0,4}.*waitsForEver", re.M)
    # Hosted mode collects nothing.
    if mode == "pure" and not (status == 2 and shown.search(out) and shown.search(err) and "goroutines 1\n" in out):
        fail(f"{mode}: a finalizer that waits: status {status} {out} {err}")
    line = re.compile(r"^fatal error: sync: unlock of unlocked mutex\n\[signal SIGSEGV: segmentation violation "
                      r"code=0x1 addr=0x0 pc=0x[0-9a-f]+\]\n\ngoroutine 1 \[running\]:\n")
    for name, signal_ in (("signal_deferred", True), ("signal_caught", True), ("signal_other", True),
                          ("signal_over", False), ("signal_kept", False)):
        status, out, err = run([prog, name])
        if status != 2 or bool(line.match(err)) != signal_ or "unlock of unlocked mutex" not in err:
            fail(f"{mode}: {name}: status {status} {err[:300]}")
    status, out, err = run([prog, "nil_objects"])
    lines = [l for l in out.splitlines() if not l.startswith(("Pool", "not caught"))]
    if status != 0 or "not caught 0" not in out or not all(l.endswith(": " + ON_NIL) for l in lines) or \
            len(lines) < 24 or out.count(": nil Pool\n") != 3:
        fail(f"{mode}: objects that are nil: status {status} {out} {err[:300]}")
    status, out, err = run([prog, "ancestors"], {"GODEBUG": "tracebackancestors=5"})
    text = re.sub(r"goroutine (?!1\b)\d+", "goroutine N", err)
    creators = re.findall(r"^\[originating from goroutine .*\n(?:(?!\[).*\n)*", text, re.M)
    more = re.search(r"more (-?\d+)", out)
    if status != 2 or len(creators) != 2 or more is None or int(more.group(1)) > 256:
        return fail(f"{mode}: ancestors: status {status} {out} {err}")
    first, second = (c.splitlines() for c in creators)
    if "goroutine N]" not in first[0] or "leaf" not in first[1] or not re.search(r"/ends.cpp:\d+$", first[2]) or \
            not any(l.startswith("created by ") and "leaf" in l for l in first):
        fail(f"{mode}: the first ancestor: {creators[0]}")
    frames = [l for l in second if l.endswith("(...)")]
    if "goroutine 1]" not in second[0] or sum("leaf" in l for l in frames) != 4 or \
            frames[-1] != "main.main(...)" or "created by" in creators[1]:
        fail(f"{mode}: the second ancestor: {creators[1]}")


def check_cores(mode, prog, tmp):
    gdb = shutil.which("gdb")
    if gdb is None:
        return print("cores: no gdb")
    numbers = [f"local {1000 + n}\n" for n in range(5)]
    env = {"PATH": os.environ["PATH"], "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}

    def debug(*commands):
        done = subprocess.run([gdb, "-nx", "-q", "-batch", "-iex", "set auto-load no", "-ex", "set debuginfod enabled off", *map(str, commands)],
                              env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
        return done.stdout + done.stderr
    look = ["-ex", "bt 40"]
    for n in range(5):
        look += ["-ex", f'printf "local %ld\\n", **(long**)((char*)&ends_locals + {8 * n})']
    for name, user, want in (("kept", ["inner", "keptOuter", "main"], numbers), ("kept_deep", ["inner", "deep"], numbers),
                             ("kept_exception", ["raise", "keptException", "main"], [])):
        # As it is when the process is about to end, and as the kernel keeps it.
        texts = [("live", debug("-ex", "break 'runtime.exit'", "-ex", f"run {name} >/dev/null 2>&1", *look, prog))]
        if Path("/proc/sys/kernel/core_pattern").read_text().strip() in ("core", "core.%p"):
            for old in tmp.glob("core*"):
                old.unlink()
            status, _, err = run([prog, name], {"GOTRACEBACK": "crash"}, cwd=tmp, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
            cores = list(tmp.glob("core*"))
            if status != -signal.SIGABRT or not cores:
                fail(f"{mode}: {name}: no core: status {status} {err[-300:]}")
            else:
                texts.append(("core", debug(*look, prog, cores[0])))
        for where, text in texts:
            names = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+)", text, re.M)
            missing = [u for u in user if not any(u in n for n in names)] + [w for w in want if w not in text]
            if missing:
                fail(f"{mode} {where} {name}: not there: {missing} in\n{text[-3000:]}")
    status, out, err = run([prog, "kept_goexit"])
    if status != 0 or out != "on\n" or err:
        fail(f"{mode}: kept_goexit: status {status} {out} {err}")


NOBODY = 65534


def check_secure(mode, prog, tmp):
    if os.geteuid() != 0:
        return print("secure: not root")
    if os.statvfs(tmp).f_flag & os.ST_NOSUID:
        return print("secure: setuid bits have no effect in", tmp)
    os.chmod(tmp, 0o755)
    theirs = tmp / "theirs"
    theirs.mkdir(exist_ok=True)
    os.chown(theirs, NOBODY, NOBODY)
    copy, precious = tmp / "setuid", tmp / "precious"
    shutil.copy(prog, copy)
    os.chmod(copy, 0o4755)
    precious.write_text("keep me\n")
    os.chmod(precious, 0o600)

    def other():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    names = {"GODEBUG": f"exectrace={precious},boottrace=1,schedtrace=1,inittrace=1,gctrace=1,deadlockgraph=1",
             "GOTRACEBACK": "crash", "GOMAXPROCS": "7", "GOGC": "33", "GOMEMLIMIT": "100MiB"}

    def go(*args, env=names, **kw):
        return run([copy, "secure", *args], env, preexec_fn=other, cwd=theirs, **kw)
    status, out, err = go()
    if "euid 0" not in out:
        return print("secure: no more rights than before:", out, err)
    ncpu = min(len(os.sched_getaffinity(0)), 64)
    want = (f"uid {NOBODY} euid 0\nsecure_getenv null getenv {{}} Getenv set\nprocs {{}} gc 100 limit none\ndestructor\n")
    # libc takes the names out that are dangerous to its own; GODEBUG is none of them.
    if not re.fullmatch(re.escape(want).replace(r"\{\}", r"(set|\d+)"), out) or "procs 7" in out or status != 0 or err:
        fail(f"{mode}: secure: status {status} {out} {err}")
    if ncpu < 7 and f"procs {ncpu}" not in out and "procs 1" not in out:
        fail(f"{mode}: secure: {out}")
    if precious.read_text() != "keep me\n" or list(theirs.iterdir()):
        fail(f"{mode}: secure: files: {precious.read_text()[:20]!r} {list(theirs.iterdir())}")
    # Nothing of the stacks is told to whoever has started it. The value that somebody panics with is.
    for name, text in (("panic", "panic: away\n"), ("fatal", "fatal error: sync: unlock of unlocked mutex\n"),
                       ("deadlock", "fatal error: all goroutines are asleep - deadlock!\n"),
                       ("sigquit", "SIGQUIT: quit\n"), ("abort", "SIGABRT: abort\n")):
        status, out, err = go(name)
        if status != 2 or err != text:
            fail(f"{mode}: secure {name}: status {status} {err}")
    status, out, err = go("nil")
    if status != 2 or not re.fullmatch(r"panic: runtime error: invalid memory address or nil pointer dereference\n"
                                       r"\[signal SIGSEGV: segmentation violation .*\]\n", err):
        fail(f"{mode}: secure nil: status {status} {err}")
    # The same copy in its owner's hands does what it is told.
    trace = tmp / "trace.json"
    status, out, err = run([copy, "secure"], {**names, "GODEBUG": f"exectrace={trace}"}, cwd=theirs)
    if isinstance(events(trace), str) or "procs 7 gc 33 limit set" not in out or "secure_getenv exectrace" not in out:
        fail(f"{mode}: the owner's run: status {status} {out} {err}")
    # What has been left closed is opened before anything else gets its number.
    for fds in ((0,), (1,), (2,), (0, 1, 2)):
        def closed(fds=fds):
            other()
            for fd in fds:
                os.close(fd)
        status, out, err = run([copy, "secure"], names, preexec_fn=closed, cwd=theirs)
        if status != 0 or precious.read_text() != "keep me\n":
            fail(f"{mode}: secure with {fds} closed: {status} {out} {err}")


def main():
    p = argparse.ArgumentParser()
    for name in ("root", "build", "bin"):
        p.add_argument("--" + name, default="")
    p.add_argument("--only", default="")
    args = p.parse_args()
    progs = Path(args.bin).resolve() / "progs"
    with tempfile.TemporaryDirectory(prefix="ends") as d:
        tmp = Path(d)
        for mode, prog in (("pure", progs / "ends"), ("hosted", progs / "hosted" / "ends")):
            if not prog.exists():
                fail(f"no {prog}")
                continue
            for check in (check_ways, check_full, check_links, check_writers, check_reports, check_cores, check_secure):
                if args.only in check.__name__:
                    check(mode, prog, tmp)
    print(f"{len(BAD)} failures")
    return 1 if BAD else 0


sys.exit(main())

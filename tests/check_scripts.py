#!/usr/bin/env python3
"""The commands as a user meets them: help, wrong use, any directory, exit statuses, and one clear line where nothing
can be installed."""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = ["setup", "build", "run", "test", "bench", "fuzz"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--build")
    parser.add_argument("--bin")
    args = parser.parse_args()
    scripts = args.root.resolve() / "scripts"
    errors = []

    def run(command, env=None, cwd="/"):
        return subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env, cwd=cwd, check=False)

    def expect(what, condition, done):
        if not condition:
            errors.append(f"{what}: status {done.returncode}\nstdout: {done.stdout}\nstderr: {done.stderr}")

    for name in COMMANDS:
        done = run([scripts / name, "--help"])
        expect(f"{name} --help", done.returncode == 0 and done.stdout.startswith(f"usage: scripts/{name}"), done)
    for name in ("setup", "build", "run"):
        done = run([scripts / name, "--nonsense"])
        expect(f"{name} --nonsense", done.returncode == 2 and "usage:" in done.stderr, done)
    done = run([scripts / "run", "no-such-program"])
    expect("run no-such-program", done.returncode == 2 and "there are: " in done.stderr and "hello" in done.stderr, done)

    with tempfile.TemporaryDirectory(prefix="with space ") as tmp:
        # A machine without apt and without the tools: only what the scripts themselves need is on PATH.
        tools = Path(tmp, "bin")
        tools.mkdir()
        for tool in ("sh", "uname", "id", "dirname", "readlink", "cat", "mktemp", "rm", "env"):
            found = next(p for d in os.get_exec_path() if (p := Path(d, tool)).exists())
            (tools / tool).symlink_to(found)
        bare = {"PATH": str(tools)}
        for name, *rest in (("setup",), ("build",), ("run", "hello"), ("test",)):
            done = run([scripts / name, *rest], env=bare, cwd=tmp)
            lines = done.stderr.splitlines()
            expect(f"{name} without apt", done.returncode not in (0, 127) and "no apt-get" in done.stderr
                   and "cmake" in done.stderr and len(lines) == 1, done)

        # apt that fails: its words are shown, ours come last.
        (tools / "apt-get").write_text("#!/bin/sh\necho 'E: no network'\nexit 100\n")
        (tools / "apt-get").chmod(0o755)
        (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (tools / "sudo").chmod(0o755)
        done = run([scripts / "setup"], env=bare, cwd=tmp)
        lines = done.stderr.splitlines()
        expect("setup with a failing apt", done.returncode == 1 and "E: no network" in lines
               and lines[-1].startswith("scripts/setup: apt-get update failed"), done)

        # Without root and without sudo it says what to do. (As root this cannot be seen: id is made to say so.)
        (tools / "sudo").unlink()
        (tools / "id").unlink()
        (tools / "id").write_text("#!/bin/sh\necho 1000\n")
        (tools / "id").chmod(0o755)
        done = run([scripts / "setup"], env=bare, cwd=tmp)
        expect("setup without sudo", done.returncode == 1 and "sudo" in done.stderr
               and len(done.stderr.splitlines()) == 1, done)

        # Called through a link from another directory.
        Path(tmp, "link").symlink_to(scripts / "run")
        done = run([Path(tmp, "link"), "--help"], cwd=tmp)
        expect("run through a link", done.returncode == 0, done)

    print("\n".join(errors) or "all as documented")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

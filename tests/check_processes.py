#!/usr/bin/env python3
"""A thousand processes start and end while all CPUs are busy with more of them: each prints its line and exits well.

CLAIMS: [C53]
SERIAL: fills the machine
"""
import concurrent.futures
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "claims"))
from claims import Checks  # noqa: E402

check = Checks()
KINDS = [(["hello"], b"hello, world\n"), (["asmadd"], b"add(2, 3) = 5\n"), (["sieve", "30"], b"113\n"),
         (["boot", "--json"], b"}\n")]


def one(i):
    words, end = KINDS[i % len(KINDS)]
    env = {"GOMAXPROCS": str([1, 2, 3, 64][i // len(KINDS) % 4])}
    try:
        done = subprocess.run([check.prog(words[0]), *words[1:]], capture_output=True, env=env, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return words, env, "hangs"
    return None if done.returncode == 0 and done.stdout.endswith(end) and not done.stderr else \
        (words, env, done.returncode, done.stdout[-200:], done.stderr[-2000:])


load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
try:
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:
        wrong = [r for r in pool.map(one, range(1000)) if r is not None]
finally:
    for p in load:
        p.kill()
        p.wait()
check.equal("processes", "1,000 started, 16 at a time, wrong ones", wrong, [])
check.end()

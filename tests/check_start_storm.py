#!/usr/bin/env python3
"""Processes that start and end while the machine is busy: each says hello and ends in time. 1000 of them under --stress.

Half of them run with several Ps and end while other threads are still being made.
"""
# CLAIMS: [C43]
# SERIAL: it fills the machine
import argparse
import concurrent.futures
import os
import subprocess
import sys

LIMIT = 30  # seconds for one process


def hello(bin_dir, i):
    env = {"GOMAXPROCS": str((1, 2, 3, 8, 64)[i % 5])}
    try:
        run = subprocess.run([os.path.join(bin_dir, "hello")], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"run {i} ({env}): no end within {LIMIT} s"
    if (run.returncode, run.stdout.strip(), run.stderr) != (0, b"hello, world", b""):
        return f"run {i} ({env}): exit {run.returncode}, {run.stdout!r}, {run.stderr[:2000]!r}"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    args, _ = parser.parse_known_args()
    count = 1000 if os.environ.get("BOOT_STRESS") else 100
    # The load: goroutines on many threads, as much work for the processor as for the kernel's scheduler.
    load = [os.path.join(args.bin, "progs", "stress_skynet")]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1) + 2) as pool:
        done = [pool.submit(hello, args.bin, i) for i in range(count)]
        while not all(f.done() for f in done):
            run = subprocess.run(load, env={"GOMAXPROCS": "16"}, capture_output=True, timeout=300, check=False)
            if run.returncode != 0:
                failed.append(f"the load: exit {run.returncode}, {run.stderr[:2000]!r}")
                break
        failed += [f.result() for f in done if f.result()]
    for line in failed[:10]:
        print(line)
    print(f"{count} processes, {len(failed)} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

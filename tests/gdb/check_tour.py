#!/usr/bin/env python3
"""scripts/tour makes a page, and the page works in headless Chromium: every step by keyboard, no errors, no network, the
numbers drawn are gdb's, in two languages, on a phone. Skipped where Chromium or playwright-core can't be had."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gdbtest

SKIP = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), check=False)
    return shutil.which("chromium") or skip("there is no Chromium, and it could not be installed by apt")


def playwright(where):
    """A directory with playwright-core in it."""
    if not shutil.which("node") or not shutil.which("npm"):
        skip("there is no node or npm")
    where.mkdir(parents=True, exist_ok=True)
    if not (where / "node_modules" / "playwright-core").exists():
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(where), "playwright-core@1"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            skip("npm could not install playwright-core:\n" + done.stdout[-600:])
    return where / "node_modules"


def main():
    args = gdbtest.arguments()
    build = Path(args.build or args.bin.parent)
    tour = build / "tour"
    page = tour / "index.html"
    done = subprocess.run([args.root / "scripts" / "tour", "--bin", args.bin, "--out", page], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0 or not page.exists():
        sys.exit(f"scripts/tour failed:\n{done.stdout}")
    browser, modules = chromium(), playwright(tour / "npm")
    done = subprocess.run(["node", str(Path(__file__).with_name("tour_test.js")), str(page), str(tour), browser],
                          env=dict(os.environ, NODE_PATH=str(modules)), timeout=600, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()

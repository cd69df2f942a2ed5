#!/usr/bin/env python3
"""Installs the build, moves the prefix, and builds the project tests/pkg against it, all in directories with spaces.
Nothing that the project compiles or links may come from the source tree."""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import reach

PURE = {"ten": "got 42\n", "mixed": "3\n6\nnegative: -3\n"}
HOSTED = {"ten_hosted": "got 42\n", "streams": "thrown, 10000 deep\n"}


def sh(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **kwargs)
    if done.returncode != 0:
        sys.exit(f"{command} failed with {done.returncode}:\n{done.stdout[-6000:]}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--bin")
    args = parser.parse_args()
    errors = []
    compiler = next(line.partition("=")[2] for line in (args.build / "CMakeCache.txt").read_text().splitlines()
                    if line.startswith("CMAKE_CXX_COMPILER:"))
    with tempfile.TemporaryDirectory(prefix="boot package ", dir=reach.elsewhere()) as tmp:
        first, prefix = Path(tmp, "first prefix"), Path(tmp, "the prefix")
        sh("cmake", "--install", args.build, "--prefix", first)
        first.rename(prefix)
        source, build = Path(tmp, "my project"), Path(tmp, "my build")
        shutil.copytree(args.root / "tests" / "pkg", source)
        sh("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
           f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        sh("cmake", "--build", build)
        more = {"ten_pie": "got 42\n"} if (args.build / "libboot_pie.a").exists() else {}
        for name, expected in {**PURE, **more, **HOSTED}.items():
            out = sh(build / name)
            if out != expected:
                errors.append(f"{name} says {out!r}, expected {expected!r}")
        # Hosted programs may be compiled by clang.
        if clang := next(filter(None, map(shutil.which, ("clang++", "clang++-14"))), None):
            other = Path(tmp, "clang's build")
            sh("cmake", "-S", source, "-B", other, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
               f"-DCMAKE_CXX_COMPILER={clang}", "-DCMAKE_BUILD_TYPE=Release")
            sh("cmake", "--build", other)
            for name, expected in HOSTED.items():
                if (out := sh(other / name)) != expected:
                    errors.append(f"{name} by clang says {out!r}, expected {expected!r}")
        # Headers and the library of the prefix, not of the tree it came from.
        used = [c["command"] for c in json.loads((build / "compile_commands.json").read_text())]
        used.append((build / "build.ninja").read_text())
        for text in used:
            for place in (args.root, args.build):
                if f"{place}/" in text or f"{first}/" in text:
                    errors.append(f"the project's build uses {place} or the prefix's old place")

        # A project that forgot the language is told so.
        bad = Path(tmp, "bad")
        bad.mkdir()
        (bad / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.20)\nproject(bad LANGUAGES NONE)\nfind_package(boot CONFIG REQUIRED)\n")
        done = subprocess.run(["cmake", "-S", bad, "-B", bad / "b", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode == 0 or "boot needs the language CXX" not in done.stdout:
            errors.append(f"a project without CXX: {done.stdout}")
    print("\n".join(errors) or "installed, moved, built against, run")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

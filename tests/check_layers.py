#!/usr/bin/env python3
"""Checks that no file includes a higher layer, and that no object calls up except through the hooks.

usage: check_layers.py --root DIR [--build DIR]     --build: look at the library's object files too
       check_layers.py --self-test

Layers, bottom up: base os mem sched sync gc diag cxx cgo rt0.cpp boot. A file may include its own layer and lower
ones, always by the full path from the project's root (a bare "x.h" would hide where it comes from).
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LAYERS = ["base", "os", "mem", "sched", "sync", "gc", "diag", "cxx", "cgo", "rt0.cpp", "boot"]
RANK = {name: i for i, name in enumerate(LAYERS)}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)
SUFFIXES = {".h", ".cpp", ".c", ".S", ".inc"}


def layer_of(path):
    """The layer of a path relative to the project's root; None if it has none."""
    parts = Path(path).parts
    if parts[0] == "boot":
        return "boot"
    if parts[0] == "runtime" and len(parts) > 1 and parts[1] in RANK and parts[1] != "boot":
        return parts[1]
    return None


def check_includes(root):
    errors = []
    seen = 0
    files = sorted(f for top in ("runtime", "boot") for f in (root / top).rglob("*") if f.suffix in SUFFIXES)
    for file in files:
        rel = file.relative_to(root)
        layer = layer_of(rel)
        if layer is None:
            errors.append(f"{rel}: is in no layer")
            continue
        for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
            if name.startswith("boot/cmd/"):
                errors.append(f"{rel}: includes a program's file, {name}")
                continue
            target = layer_of(name)
            if target is None:
                # Programs under boot/cmd keep headers of their own beside them.
                local = (file.parent / name).exists() and not name.startswith("asm/")
                if local and rel.parts[:2] != ("boot", "cmd"):
                    errors.append(f"{rel}: includes {name} without its full path")
                continue
            seen += 1
            if RANK[target] > RANK[layer]:
                errors.append(f"{rel}: layer {layer} includes {name} of the higher layer {target}")
    return seen, errors


def symbols(obj):
    defined, undefined = set(), set()
    text = subprocess.run(["nm", "--no-demangle", str(obj)], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        kind, name = line[17:18], line[19:]
        if kind == "U":
            undefined.add(name)
        elif kind.isupper() and kind not in "VW" or kind == "u":
            defined.add(name)
    return defined, undefined


def check_objects(objects):
    """Calls that no #include shows: a function declared by hand. What cxx defines is what the compiler itself calls,
    so that layer may be called from everywhere."""
    table, errors = {}, []
    wanted = []
    for obj in sorted(Path(objects).rglob("*.o")):
        parts = obj.relative_to(objects).parts
        name = parts[0].removesuffix(".o") if parts[0].startswith("rt0") else parts[0]
        if name not in RANK:
            continue
        defined, undefined = symbols(obj)
        for symbol in defined:
            table[symbol] = (name, obj.name)
        wanted.append((name, obj, undefined))
    for layer, obj, undefined in wanted:
        for symbol in sorted(undefined):
            target, where = table.get(symbol, (None, None))
            if target not in (None, "cxx") and RANK[target] > RANK[layer]:
                errors.append(f"{layer}/{obj.name}: uses {symbol} of {target}/{where}, a higher layer")
    return len(wanted), errors


def self_test():
    """A made-up tree with one fault of each kind, and one without any."""
    good = {
        "runtime/base/a.h": "#pragma once\n",
        "runtime/os/b.h": '#include "runtime/base/a.h"\n#include <vector>\n',
        "runtime/rt0.cpp": '#include "runtime/os/b.h"\n',
        "boot/boot.h": '#include "runtime/os/b.h"\n',
        "boot/cmd/x/x.cpp": '#include <boot/boot.h>\n#include "y.h"\n',
        "boot/cmd/x/y.h": "",
    }
    bad = {
        "runtime/base/up.h": ('#include "runtime/os/b.h"\n', "runtime/base/up.h: layer base includes"),
        "runtime/os/sp.cpp": ('  #  include <runtime/sched/c.h>\n', "runtime/os/sp.cpp: layer os includes"),
        "runtime/diag/boot.cpp": ('#include "boot/boot.h"\n', "runtime/diag/boot.cpp: layer diag includes"),
        "runtime/os/bare.cpp": ('#include "b.h"\n', "runtime/os/bare.cpp: includes b.h without"),
        "runtime/other/d.cpp": ("\n", "runtime/other/d.cpp: is in no layer"),
        "runtime/loose.cpp": ("\n", "runtime/loose.cpp: is in no layer"),
    }

    def errors_with(extra):
        with tempfile.TemporaryDirectory() as tmp:
            for name, text in {**good, **extra}.items():
                path = Path(tmp, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_includes(Path(tmp))[1]

    def object_errors(caller, callee):
        with tempfile.TemporaryDirectory() as tmp:
            for layer, code in ((caller, "call f"), (callee, ".globl f\nf: ret")):
                Path(tmp, layer).mkdir()
                subprocess.run(["as", "-o", f"{tmp}/{layer}/x.o"], input=code + "\n", text=True, check=True)
            return check_objects(tmp)[1]

    failed = []
    if not object_errors("os", "sched"):
        failed.append("a hidden call from os to sched was not found")
    if object_errors("sched", "os") or object_errors("os", "cxx"):
        failed.append("complains about a call downwards")
    if errors_with({}):
        failed.append(f"complains about a good tree: {errors_with({})}")
    for name, (text, start) in bad.items():
        errors = errors_with({name: text})
        if len(errors) != 1 or not errors[0].startswith(start):
            failed.append(f"{name}: expected one error \"{start}...\", got {errors}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path)
    parser.add_argument("--build", type=Path)
    parser.add_argument("--bin")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        failed = self_test()
        print("\n".join(failed) or "each made-up violation was found")
        return 1 if failed else 0
    if args.root is None:
        parser.error("--root is missing")
    seen, errors = check_includes(args.root)
    if seen < 20:
        errors.append(f"only {seen} includes seen: this is not the project's root")
    if args.build:
        objects = args.build / "CMakeFiles" / "bootrt.dir" / "runtime"
        count, more = check_objects(objects)
        errors += more
        if count < 5:
            errors.append(f"only {count} object files below {objects}")
    print("\n".join(errors) or f"{seen} includes, none goes up")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Moves fields in a scratch copy of the tree and sees go_asm.h, the assembled code and the exported table follow.

The scratch build starts from a configured tree in which go_asm.h is already made, so a missing dependency on the
headers shows too. Its path has a space in it.

In the same copy it makes the three changes that runtime/README.md describes for newcomers, and sees them work: so what is
written there is all that there is to do.

The copy is built as the preset debug is, in which each lock checks its rank; so some programs that use many locks are run
from it too.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import arguments
import offsets_table

# A header, a new member, before which line it goes, and which fields it must move by how much.
MOVES = [
    ("runtime2.h", "uintptr scratch_g;", "  ::runtime::m* lockedm;",
     {"g.lockedm": 8, "g.startpc": 8, "g.goid": 0, "g._size": 8}),
    # 64 bytes, for the thread control block must stay aligned.
    ("runtime2.h", "uintptr scratch_m[8];", "  alignas(64) std::uint8_t tlsspace",
     {"m.tls": 64, "m.tlsspace": 64, "m.curg": 0, "m._size": 64}),
    ("runtime2.h", "std::uint64_t scratch_p;", "  std::uint32_t schedtick;           //",
     {"p.schedtick": 8, "p.id": 0, "p.status": 0}),
    ("bootstep.h", "std::uint64_t scratch_r;", "  const g* gp;",
     {"bootrec.desc": 0, "bootrec.gp": 8, "bootrec.val": 8, "bootrec._size": 8}),
]


# What takes channels', semaphores', timers', the allocator's and the collector's locks.
LOCKS = ("stress_select", "cxx_locks", "gc_roots", "sem_timers", "claims_procresize")


def newcomer(tree):
    """Makes the changes that the document's ```diff blocks show: under each file and each @@, lines of context, of which
    one must begin a line of the file, and the lines that go behind it."""
    text = (tree / "runtime" / "README.md").read_text(encoding="utf-8")
    files = []
    for block in re.findall(r"^```diff\n(.*?)^```", text, re.S | re.M):
        for name, hunk in re.findall(r"^\+\+\+ b/(\S+)\n@@\n((?:[ +].*\n)+)", block, re.M):
            context = [line[1:] for line in hunk.splitlines() if line[0] == " "]
            added = [line[1:] for line in hunk.splitlines() if line[0] == "+"]
            path = tree / name
            lines = path.read_text(encoding="utf-8").splitlines()
            places = [i for i, line in enumerate(lines) if line.startswith(context[-1])]
            if len(places) != 1:
                sys.exit(f"runtime/README.md: {name} has {len(places)} lines that begin with: {context[-1]}")
            lines[places[0] + 1:places[0] + 1] = added
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            files.append(name)
    if len(files) != 5:
        sys.exit(f"runtime/README.md: five files are touched by its three changes, found {files}")


def go_asm(path):
    return {name: int(value) for name, value in re.findall(r"^#define (\w+) (-?\d+)$", path.read_text(), re.M)}


def compare(header, table):
    """Every entry of the table is in the header under its name with underscores, with the same value. Addresses are in the
    table alone: assembly has symbols for them."""
    wrong = [name for name, (value, _) in table.items()
             if not name.startswith("addr.") and header.get(name.replace(".", "_")) != value]
    return [f"go_asm.h and the table differ in {name}" for name in wrong]


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command} failed:\n{done.stdout[-6000:]}")
    return done.stdout


def record_sizes(obj):
    """The sizes of a boot record that the code in an object multiplies by to find one (BOOTSTEP in assembly)."""
    text = sh("objdump", "-d", "--no-show-raw-insn", str(obj))
    return {int(size, 16) for size in re.findall(r"\bimul +\$(0x[0-9a-f]+),%rax,%rax", text)}


def main():
    args = arguments.read()

    before_header = go_asm(args.build / "asm" / "go_asm.h")
    before_table = offsets_table.read(args.bin / "hello")
    errors = compare(before_header, before_table)

    with tempfile.TemporaryDirectory(prefix="boot scratch ") as tmp:
        tree = Path(tmp, "tree")
        tree.mkdir()
        shutil.copy(args.root / "CMakeLists.txt", tree)
        for name in ("asm", "runtime", "boot", "scripts"):
            shutil.copytree(args.root / name, tree / name)
        (tree / "tests" / "progs").mkdir(parents=True)
        (tree / "tests" / "CMakeLists.txt").write_text("# the programs alone\n")
        for source in (*(args.root / "tests" / "progs").glob("*.h"),
                       *(args.root / "tests" / "progs" / f"{name}.cpp" for name in LOCKS)):
            shutil.copy(source, tree / "tests" / "progs")
        cache = (args.build / "CMakeCache.txt").read_text()
        compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M).group(1)
        build = tree / "b"
        sh("cmake", "-S", str(tree), "-B", str(build), "-G", "Ninja", "-DBUILD_TESTING=ON",
           f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Debug",
           "-DCMAKE_CXX_FLAGS_DEBUG=-Og")
        sh("cmake", "--build", str(build), "--target", "go_asm")
        if go_asm(build / "asm" / "go_asm.h") != before_header:
            errors.append("the scratch build of the unchanged tree makes another go_asm.h")

        for header, member, place, _ in MOVES:
            path = tree / "runtime" / "base" / header
            text = path.read_text()
            if text.count("\n" + place) != 1:
                sys.exit(f"{header} has no single line that begins with: {place}")
            path.write_text(text.replace("\n" + place, f"\n  {member}\n{place}"))
        newcomer(tree)
        sh("cmake", "--build", str(build), "--target", "hello", *(f"prog_{name}" for name in LOCKS))

        header = go_asm(build / "asm" / "go_asm.h")
        table = offsets_table.read(build / "bin" / "hello")
        errors += compare(header, table)
        for *_, moves in MOVES:
            for name, by in moves.items():
                old, new = before_table[name][0], table[name][0]
                if new - old != by:
                    errors.append(f"{name} went from {old} to {new}, expected to move by {by}")
        # The program below runs only if all of the assembly agrees; this names the place if it does not.
        sizes = record_sizes(build / "CMakeFiles/bootrt.dir/asm/asm_amd64.S.o")
        if sizes != {header["bootrec__size"]}:
            errors.append(f"the assembly takes a boot record for {sizes} bytes, not {header['bootrec__size']}")
        out = sh(str(build / "bin" / "hello"))
        if out != "hello, world\n":
            errors.append(f"hello of the changed tree says {out!r}")
        trace = sh("env", "GODEBUG=boottrace=1,hello=42", str(build / "bin" / "hello"))
        if not re.search(r"runtime\.hello +hello=42$", trace, re.M):
            errors.append(f"the newcomer's step is not in the trace, or lacks its variable:\n{trace}")
        if b"waiting for hello\0" not in (build / "bin" / "hello").read_bytes():
            errors.append("the newcomer's reason to wait is not in the program")
        for name in LOCKS:
            done = subprocess.run([sys.executable, args.root / "tests" / "run_prog.py", "--spec",
                                   args.root / "tests" / "progs" / f"{name}.cpp", "--prog", build / "bin" / "progs" / name,
                                   "--bin", build / "bin", "--root", args.root],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0:
                errors.append(f"{name} with checked locks:\n{done.stdout[-4000:]}")

    print("\n".join(errors) or f"{len(before_table)} entries; header, assembly and table follow the fields")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

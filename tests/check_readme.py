#!/usr/bin/env python3
"""The documents say what is so: commands print what is shown, programs build, links and named tests are there.

usage: check_readme.py --root DIR --build DIR --bin DIR
       check_readme.py --root DIR --write-claims        the table's second column anew, from the tests' tags

A ```console block: lines that begin with "$ " are run by sh in the project's root, with HOME in a scratch directory and
the test's build directory for build/; scripts/run and scripts/gdb take the built program, since a test does not build.
The lines below are the output, in which "..." stands for any lines; addresses, times, line numbers and what depends on the
machine are not compared. ```cpp and ```cmake blocks whose first line names a file under ~ are written there. A block
under <!-- not run: WHY --> is not run, and the test says so; it must be one of NOT_RUN.

runtime/README.md: a function named in its tables must be a symbol of bin/boot, or stand in the file named beside it.
tests/README.md has the table of claims.
"""
import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = ("README.md", "boot/README.md", "scripts/README.md", "scripts/lesson.md", "runtime/README.md", "tests/README.md")
CLAIMS = "tests/README.md"
README_LINES = 160  # what a newcomer reads first stays short
NOT_RUN = {"scripts/test"}
# Commands that a test can't run again, since its build is done; said, not hidden.
DONE = {"scripts/build --quiet"}
SKIP = 77

# What is not compared, by what it becomes. In this order.
BLUR = [
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b0x[0-9a-f]+\b"), "0x"),
    (re.compile(r"(\.(?:cpp|h|S|py)):\d+"), r"\1:N"),
    (re.compile(r" at [\w./]+:N"), " at FILE:N"),  # which file an inlined line is in is the compiler's choice
    (re.compile(r"\b\d+(?:\.\d+)?(?:ns|us|µs|ms|s)\b"), "T"),
    (re.compile(r"\b(LWP|process|pid|thread|tid=) ?\d+"), r"\1 N"),
    # Counts of this machine and this build: CPUs, environment, sizes.
    (re.compile(r"\b(affinity|cgroup|ncpu|envs|entries|tls_bytes|sizeof_\w|from_auxv|tid|isIntel|erms|avx2|avx512f|"
                r"fsgsbase|vdso_clock|slot|idleprocs|threads|spinningthreads|idlethreads|runqueue)=\d+"), r"\1=N"),
    (re.compile(r"^( *\d+) +\d+( +\d+ +(?:-|\d+) +(?:-|\d+) +)"), r"\1 T\2"),  # the table's column of ns
    (re.compile(r"(runqueue=N) \[[\d ]*\]"), r"\1 [N]"),
    (re.compile(r"\s+"), " "),
]


def blur(line, root):
    line = line.replace(f"{root}/", "")
    for pattern, by in BLUR:
        line = pattern.sub(by, line)
    return line.strip()


def matches(wanted, got):
    """Whether the lines got are those wanted, "..." being any number of lines; else what is missing."""
    if not wanted:
        return None if not got else f"no output was expected: {got[0]!r}"
    pieces, piece = [], []
    for line in wanted:
        if line == "...":
            pieces.append(piece)
            piece = []
        else:
            piece.append(line)
    pieces.append(piece)
    at = 0
    for i, piece in enumerate(pieces):
        places = [0] if i == 0 else range(at, len(got) - len(piece) + 1)
        if i == len(pieces) - 1 and i > 0:
            places = [len(got) - len(piece)]
        for place in places:
            if place >= at and got[place:place + len(piece)] == piece:
                at = place + len(piece)
                break
        else:
            best = max(places, key=lambda p: sum(a == b for a, b in zip(piece, got[p:])), default=0)
            for offset, line in enumerate(piece):
                here = got[best + offset] if 0 <= best + offset < len(got) else "(the end)"
                if here != line:
                    return f"wanted {line!r}\n   got {here!r}"
            return f"wanted {piece!r}"
    return None if at == len(got) else f"more than expected: {got[at]!r}"


def blocks(text):
    """(language, lines, why not run or None, line number) of each fenced block."""
    found = []
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        fence = re.match(r"```(\w*)$", lines[i])
        if fence:
            end = lines.index("```", i + 1)
            skip = re.match(r"<!-- not run: (.+) -->$", lines[i - 1])
            found.append((fence.group(1), lines[i + 1:end], skip and skip.group(1), i + 1))
            i = end
        i += 1
    return found


def translate(command, args):
    """The command as the test runs it."""
    bin_ = shlex.quote(str(args.bin.resolve()))
    build = shlex.quote(str(args.build.resolve()))
    command = re.sub(r"scripts/run\b *([\w/]*)", lambda m: f"{bin_}/{m.group(1) or 'boot'}", command)
    command = re.sub(r"scripts/gdb +(\w[\w/]*)", lambda m: f"scripts/gdb {bin_}/{m.group(1)}", command)
    return re.sub(r"(?<![\w/.~-])build(?=[/\s])", lambda m: build, command)


def check_console(doc, args, say):
    text = (args.root / doc).read_text(encoding="utf-8")
    root = args.root.resolve()
    ran = 0
    with tempfile.TemporaryDirectory(prefix="readme ") as home:
        work = Path(home, "work")  # the project's root, but for what commands leave behind
        work.mkdir()
        for entry in root.iterdir():
            if entry.name not in (".git", "build"):
                (work / entry.name).symlink_to(entry)
        env = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        for name in ("CXX", "CMAKE_CXX_COMPILER_LAUNCHER", "CCACHE_DIR"):
            if name in os.environ:
                env[name] = os.environ[name]
        for language, lines, skip, number in blocks(text):
            if language in ("cpp", "cmake"):
                named = re.match(r"(?://|#) ~/(\S+)$", lines[0])
                if named:
                    path = Path(home, named.group(1))
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
                continue
            if language != "console":
                continue
            if not lines or not lines[0].startswith("$ "):
                say(f"{doc}:{number}: a console block begins with a command")
                continue
            runs = []
            for line in lines:
                if line.startswith("$ "):
                    runs.append((line[2:], []))
                else:
                    runs[-1][1].append(line)
            for command, wanted in runs:
                if skip:
                    print(f"not run: {command} ({skip})")
                    if command not in NOT_RUN:
                        say(f"{doc}:{number}: {command} must be run")
                    continue
                if command in DONE:
                    print(f"done:    {command} (the test runs on what is built)")
                    continue
                ran += 1
                try:
                    done = subprocess.run(["sh", "-c", translate(command, args)], cwd=work, env=env, timeout=300,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          check=False)
                except subprocess.TimeoutExpired:
                    say(f"{doc}:{number}: {command}\n   does not end")
                    continue
                got = done.stdout.decode("utf-8", "replace").splitlines()
                trim = [blur(line, root) for line in got]
                want = [blur(line, root) for line in wanted]
                while trim and not trim[-1]:
                    trim.pop()
                while want and not want[-1]:
                    want.pop()
                error = matches(want, trim)
                print(f"{'FAILED ' if error else 'ok     '} {command}")
                if error:
                    say(f"{doc}:{number}: {command}\n{error}\nits output:\n" + "\n".join(got[:60]))
    return ran


def tagged(root):
    """{claim: [tests]} from the CLAIMS directives and Catch2's tags, the tests named as ctest names them."""
    found = {}
    tests = root / "tests"
    places = (("progs/*.cpp", "prog."), ("progs/*.run", "run."), ("check_*.py", ""), ("claims/check_*.py", ""),
              ("gdb/check_*.py", ""), ("unit/*_test.cpp", "unit."))
    for glob, prefix in places:
        for file in sorted(tests.glob(glob)):
            text = file.read_text(encoding="utf-8")
            claims = set()
            for line in re.findall(r"^\s*(?://|#)? ?CLAIMS: (.*)$", text, re.M):
                claims |= set(re.findall(r"C\d\d", line))
            if prefix == "unit.":
                claims |= set(re.findall(r"\[(C\d\d)\]", text))
            for claim in claims:
                found.setdefault(claim, []).append(prefix + file.stem)
    return found


ROW = re.compile(r"^\| (C\d\d) \| (.*?) \| (.*?) \| ?(.*?) ?\|$")
NONE = "no test yet"


MANY = 4


def cell(tests):
    """The tests that show a claim; where they are many, one and how many more: ctest -L lists them."""
    if len(tests) > MANY:
        first = next((t for t in tests if t.startswith("check_")), tests[0])
        return f"`{first}` and {len(tests) - 1} more"
    return ", ".join(f"`{t}`" for t in tests) or NONE


def check_claims(text, root, say):
    tests = tagged(root)
    seen = []
    for number, line in enumerate(text.splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        claim, _, shown, _ = row.groups()
        seen.append(claim)
        if shown != cell(tests.get(claim, [])):
            say(f"{CLAIMS}:{number}: {claim} is shown by {cell(tests.get(claim, []))}; the table says {shown}; "
                "tests/check_readme.py --write-claims writes it anew")
    wanted = [f"C{n:02}" for n in range(1, 58)]
    if seen != wanted:
        say(f"{CLAIMS}: the table's claims are not C01 to C57: {sorted(set(wanted) ^ set(seen))}")


TEST = re.compile(r"`((?:prog|hosted|pie|run|unit|unit_hosted)\.\w+|check_\w+)`")


def check_names(doc, text, root, say):
    """Every test that a document names is there; one is named by how it is run, so its file must say so."""
    names = {name for name in TEST.findall(text) if "NAME" not in name}
    for name in sorted(names):
        kind, _, stem = name.rpartition(".")
        if kind in ("unit", "unit_hosted"):
            there = (root / "tests/unit" / f"{stem}.cpp").exists()
        elif kind == "run":
            there = (root / "tests/progs" / f"{stem}.run").exists()
        elif kind:
            file = root / "tests/progs" / f"{stem}.cpp"
            said = file.read_text(encoding="utf-8") if file.exists() else ""
            wanted = {"prog": r"(?!.*^// HOSTED: only$)", "hosted": r".*^// HOSTED: (also|only)$", "pie": r".*^// PIE: also$"}[kind]
            there = bool(said) and re.match(wanted, said, re.S | re.M) is not None
        else:
            there = any((root / "tests").glob(f"**/{name}.py"))
        if not there:
            say(f"{doc}: there is no test {name}")
    return len(names)


def anchor(heading):
    """The name by which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_links(doc, text, root, say):
    """Links between the documents lead to files and headings that are there."""
    count = 0
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
        if re.match(r"\w+:", target):
            continue
        count += 1
        name, _, place = target.partition("#")
        file = (root / doc).parent / name if name else root / doc
        if not file.exists():
            say(f"{doc}: the link {target} leads nowhere")
        elif place and place not in [anchor(h) for h in re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)]:
            say(f"{doc}: {target}: there is no such heading")
    return count


def write_claims(root):
    tests = tagged(root)
    readme = root / CLAIMS
    lines = readme.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        row = ROW.match(line)
        if row:
            lines[i] = f"| {row.group(1)} | {row.group(2)} | {cell(tests.get(row.group(1), []))} | {row.group(4)} |".replace("|  |", "| |")
    readme.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_map(args, say):
    """runtime/README.md: rows of three cells, Go's file: functions -> our file."""
    file = args.root / "runtime" / "README.md"
    done = subprocess.run(["nm", str(args.bin / "boot")], capture_output=True, text=True, check=True)
    symbols = {line.split(maxsplit=2)[2] for line in done.stdout.splitlines() if len(line.split(maxsplit=2)) == 3}
    count = 0
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 3 or not re.match(r"`\S+\.(go|s)`", cells[0]):
            continue
        ours = re.findall(r"`([^`]+)`", cells[2])
        texts = ""
        for name in ours:
            path = args.root / name
            if path.is_file():
                texts += path.read_text(encoding="utf-8")
            else:
                say(f"runtime/README.md:{number}: there is no file {name}")
        if not ours:
            say(f"runtime/README.md:{number}: no file of ours")
        for function in re.findall(r"`([^`]+)`", cells[1]):
            count += 1
            bare = function.removeprefix("runtime.")
            if function not in symbols and f"runtime.{bare}" not in symbols \
                    and not re.search(rf"(?<![\w.]){re.escape(bare)}\b", texts):
                say(f"runtime/README.md:{number}: {function} is no symbol of bin/boot and not in {', '.join(ours)}")
    if count < 50:
        say(f"runtime/README.md: only {count} functions named")
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, default=Path("."))
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--bin", type=Path, default=Path("build/bin"))
    parser.add_argument("--write-claims", action="store_true")
    args = parser.parse_args()
    if args.write_claims:
        write_claims(args.root)
        return 0
    if not shutil.which("gdb"):
        print("gdb is not installed")
        return SKIP
    errors = []
    functions = check_map(args, errors.append)
    names = ran = links = 0
    for doc in DOCS:
        text = (args.root / doc).read_text(encoding="utf-8")
        if doc == CLAIMS:
            check_claims(text, args.root, errors.append)
        if doc == "README.md" and len(text.splitlines()) > README_LINES:
            errors.append(f"README.md has {len(text.splitlines())} lines, more than {README_LINES}")
        names += check_names(doc, text, args.root, errors.append)
        links += check_links(doc, text, args.root, errors.append)
        ran += check_console(doc, args, errors.append)
    if ran < 12:
        errors.append(f"only {ran} commands in the documents")
    print("\n".join(errors) or f"{ran} commands, {functions} functions, 57 claims, {names} tests, {links} links")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

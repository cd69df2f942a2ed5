#!/usr/bin/env python3
"""Finds members of the shared structs, hooks and lock ranks that nothing uses: a member must be written and read somewhere.

What counts is the runtime, boot/ and the assembly, and the debugger's extension as a reader. A test or the table of
offsets alone does not keep a member alive. Members called pad... only keep the places of others.

A member is known by its name behind "." or "->", so two structs that have a member of the same name cover for each
other: the check may miss a dead one, and never accuses one that is used.
"""
import re
import sys

import arguments

STRUCTS = ("g", "m", "p", "schedt", "sudog", "gobuf", "sysmontick", "gsignalStack", "gDeadBatch", "ancestorInfo")

# Read or written where no name of ours stands: by the processor, the kernel, or code that gcc makes.
ELSEWHERE = {
    "m.tls": "the ABI's thread control block; gcc's prologues read it through FS",
    "m.tlsspace": "the program's thread_locals",
    "gobuf.lr": "SAVEFP keeps floating-point control there (asm/asm_amd64.S)",
    "schedt.user": "Go's schedEnableUser sets it while it collects with the world stopped; a test does here (C39)",
}


def members(source, struct):
    """The names of a struct's members, in nested anonymous structs too."""
    body = re.search(r"^struct (?:alignas\(\d+\) )?%s \{(.*?)^\};" % struct, source, re.S | re.M)
    if body is None:
        raise SystemExit(f"no struct {struct} in runtime2.h")
    text = re.sub(r"//[^\n]*", "", body.group(1))
    names = []
    for declaration in re.split(r"[;{}]", text):
        declaration = declaration.strip()
        if not declaration or declaration in ("struct", "static"):
            continue
        pointer = re.search(r"\(\*(\w+)\)", declaration)
        if pointer:
            names.append(pointer.group(1))
            continue
        names += re.findall(r"(\w+)\s*(?:\[[^\]]*\])?\s*(?:,|$)", declaration)
    return names


def strip(text):
    """The text without comments and strings."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', " ", text, flags=re.S)


class Uses:
    def __init__(self, code, asm, scripts):
        self.code, self.asm, self.scripts = code, asm, scripts

    def of(self, struct, name):
        """(written, read): whether the member is, anywhere."""
        written = read = False
        for text in self.code:
            for match in re.finditer(r"(?:\.|->)%s\b" % re.escape(name), text):
                before = text[max(0, match.start() - 80):match.start()]
                after = text[match.end():match.end() + 40]
                before = re.sub(r"[\w\]\[\)\(.>-]*$", "", before)  # the object that the member is of
                index = r"(?:\[[^\]]*\]|\.\w+)*\s*"
                if re.match(index + r"(?:=[^=])", after):
                    written = True
                    # a = b.name = c: the value goes on
                    if before.rstrip().endswith("=") and not before.rstrip().endswith("=="):
                        read = True
                elif re.match(index + r"(?:\+\+|--|[-+|&^]=)", after) or before.rstrip().endswith(("++", "--")):
                    written = True
                elif before.rstrip().endswith("&"):
                    written = read = True  # its address goes somewhere: an atomic operation, a lock
                else:
                    read = True
                    if re.match(index + r"\.", after):
                        written = True
        for text in self.asm:
            if re.search(r"\b%s_%s\b" % (struct, name), text):
                written = read = True
        if any(re.search(r"offsetof\(%s, %s\b" % (struct, name), text) for text in self.code):
            written = read = True  # assembly between the lines of C++
        for text in self.scripts:
            if re.search(r"""['".]%s\b""" % re.escape(name), text):
                read = True
        return written, read




def main():
    args = arguments.read()
    source = (args.root / "runtime/base/runtime2.h").read_text()

    def texts(*patterns):
        found = []
        for pattern in patterns:
            for path in sorted(args.root.glob(pattern)):
                if path.name not in ("offsets.h",):
                    found.append(strip(path.read_text()) if path.suffix in (".cpp", ".h") else path.read_text())
        return found

    code = texts("runtime/**/*.cpp", "runtime/**/*.h", "boot/**/*.cpp", "boot/**/*.h")
    uses = Uses(code, texts("asm/*.S", "asm/*.inc", "asm/*.h"), texts("scripts/gdbext/*.py"))
    errors = []
    count = 0
    for struct in STRUCTS:
        for name in members(source, struct):
            if name.startswith("pad") or f"{struct}.{name}" in ELSEWHERE:
                continue
            count += 1
            written, read = uses.of(struct, name)
            if not (written and read):
                state = "is never read" if written else "is never written" if read else "is used nowhere"
                errors.append(f"{struct}.{name} {state}")

    hooks = (args.root / "runtime/base/hooks.h").read_text()
    names = re.findall(r"^  [^(\n]*\(\*(\w+)\)", strip(hooks), re.M)  # not those of a hook's own arguments
    for name in names:
        count += 1
        all_code = "\n".join(code)
        if not re.search(r"hooks\.%s\s*=[^=]" % name, all_code):
            errors.append(f"hooks.{name} is never set")
        if not re.search(r"hooks\.%s\s*\(" % name, all_code) and not any(re.search(r"hooks.*%s" % name, t) for t in uses.asm):
            errors.append(f"hooks.{name} is never called")
    ranks = re.search(r"enum lockRank[^{]*\{(.*?)\}", strip((args.root / "runtime/base/lockrank.h").read_text()), re.S).group(1)
    given = "\n".join(re.findall(r"(?:lockInit|lockRankSet)\([^;]*;|mutex \w+\{[^}]*\}", "\n".join(code)))
    for rank in re.findall(r"lockRank\w+", ranks):
        count += 1
        if rank not in ("lockRankUnknown", "lockRankCount") and not re.search(r"\b%s\b" % rank, given):
            errors.append(f"{rank} is given to no lock")

    print("\n".join(errors) or f"{count} members, hooks and ranks, each used")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

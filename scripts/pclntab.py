#!/usr/bin/env python3
"""Puts a table of functions and lines into a program, for tracebacks without libc and without debug information.

  pclntab.py --link LINK-COMMAND...   runs the command, makes the table from what it linked, and links again with it
  pclntab.py --table OUT PROGRAM      only writes the table of a linked program
  pclntab.py --dump PROGRAM           prints the table inside a program: address, function, file, line

The table lands behind the program's text, so the second link moves no code; that is checked. The reader and the
description of the format are in runtime/diag/symtab.h.
"""
import collections
import functools
import os
import re
import struct
import subprocess
import sys
import tempfile

MAGIC, VERSION = 0x6E6C6350, 3  # as in symtab.h
HIDDEN, PLAIN = 0x80000000, 0x40000000
ENV = dict(os.environ, LC_ALL="C")


def run(cmd, text=None):
    p = subprocess.run(cmd, input=text, stdout=subprocess.PIPE, env=ENV, text=True, errors="replace")
    if p.returncode != 0:
        sys.exit(f"pclntab.py: {cmd[0]} failed with {p.returncode}")
    return p.stdout


def exec_sections(elf):
    """[(address, size)] of the sections that hold code."""
    out = []
    for line in run(["readelf", "-SW", elf]).splitlines():
        m = re.match(r"\s*\[\s*\d+\]\s+\S+\s+PROGBITS\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+\s+(\w*)", line)
        if m and "X" in m.group(3):
            out.append((int(m.group(1), 16), int(m.group(2), 16)))
    return out


def symbols(elf, sections):
    """Sorted [(address, size, name)] of functions, one name for each address, and the bounds of the runtime's text."""
    funcs, bounds = {}, {}
    for line in run(["readelf", "-sW", elf]).splitlines():
        f = line.split(None, 7)
        if len(f) < 8 or not f[0].rstrip(":").isdigit():
            continue
        addr, size, kind, bind, name = int(f[1], 16), int(f[2], 0), f[3], f[4], f[7]
        if name in ("runtime.text", "runtime.etext"):
            bounds[name] = addr
        if kind not in ("FUNC", "IFUNC") or size == 0 or not any(a <= addr < a + n for a, n in sections):
            continue
        name = name.split("@")[0]
        old = funcs.get(addr)
        # Of several names the one that others can see, then the longer function, then the first in the alphabet.
        rank = (bind != "LOCAL", size, [-ord(c) for c in name])
        if old is None or rank > old[0]:
            funcs[addr] = (rank, size, name)
    flat = sorted((a, s, n) for a, (_, s, n) in funcs.items())
    out = []
    for i, (a, s, n) in enumerate(flat):  # a function ends where the next begins
        if i + 1 < len(flat):
            s = min(s, flat[i + 1][0] - a)
        out.append((a, s, n))
    return out, (bounds.get("runtime.text", 0), bounds.get("runtime.etext", 0))


def line_addresses(elf, sections):
    """{address at which the line may change: names of the files there, without their folders}, and all files with them."""
    text = run(["objdump", "--dwarf=decodedline", "-WL", elf])
    rows = collections.defaultdict(set)
    for file, addr in re.findall(r"^(.*?)\s+(?:\d+|-)\s+0x([0-9a-f]+)(?:\s|$)", text, re.M):
        rows[int(addr, 16)].add(file)
    paths = {os.path.normpath(p) for p in re.findall(r"^(/.*?):(?:\[\+\+\])?$", text, re.M)}
    return {a: rows[a] for a in sorted(rows) if any(s <= a < s + n for s, n in sections)}, paths


def true_files(where, rows, paths):
    """addr2line 2.40 names the unit's main file for what lies in the first file of the unit's table: the innermost place
    gets the file that objdump names."""
    paths = paths | {file for chain in where.values() for _, file, _ in chain}
    at = collections.defaultdict(set)
    for p in paths:
        at[os.path.basename(p)].add(p)
    for addr, chain in where.items():
        if not chain or os.path.basename(chain[0][1]) in rows[addr]:
            continue
        found = {p for base in rows[addr] for p in at[base]}
        if len(found) == 1:
            where[addr] = ((chain[0][0], found.pop(), chain[0][2]),) + chain[1:]
    return where


def places(elf, addrs):
    """{address: ((function, file, line), ...)}: inlined functions first."""
    if not addrs:
        return {}
    with tempfile.TemporaryDirectory() as tmp:
        # Without symbols: addr2line prefers the symbol there to the name of an inlined function that has no linker's
        # name, such as a closure's.
        bare = f"{tmp}/bare"
        run(["objcopy", "--strip-all", "--keep-section=.debug_*", elf, bare])
        text = run(["addr2line", "-a", "-i", "-f", "-e", bare], "".join(f"{a:#x}\n" for a in addrs))
    out, chain, lines = {}, None, iter(text.splitlines())
    addr, path = None, functools.cache(os.path.normpath)
    for line in lines:
        if len(line) == 18 and line.startswith("0x"):
            if addr is not None:
                out[addr] = tuple(chain)
            addr, chain = int(line, 16), []
            continue
        file, _, num = next(lines, "??:0").partition(" (discriminator ")[0].rpartition(":")
        if file not in ("", "??") and num.isdigit() and num != "0":
            chain.append((line, path(file), int(num)))
    if addr is not None:
        out[addr] = tuple(chain)
    return out


def demangle(names):
    """{linker's name: name for people}, Go's way of naming closures included."""
    names = sorted(names)
    plain = [re.sub(r"(\.(cold|isra|constprop|part|lto_priv|llvm)(\.\d+)*)+$", "", n) for n in names]
    out = {}
    for raw, name in zip(names, run(["c++filt", "-p"], "".join(n + "\n" for n in plain)).splitlines()):
        name = re.sub(r" \[clone [^]]*\]", "", name)
        name = re.sub(r" const$", "", name).replace("(anonymous namespace)::", "")
        # f()::{lambda(int)#2}::operator() is Go's f.func2
        while True:
            new = re.sub(r"::\{lambda\((?:[^(){}]|\([^()]*\))*\)#(\d+)\}(::operator\(\))?", r".func\1", name)
            if new == name:
                break
            name = new
        # Parameter lists of what encloses a closure: f<...>(int).func1
        while True:
            new = re.sub(r"(?<!operator)(?<!^)\((?!anonymous)(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(?: const)?(?=\.func|::)", "", name)
            if new == name:
                break
            name = new
        # Arguments of templates are left out, as Go leaves out those of generic functions.
        while "operator<" not in name and "operator>" not in name:
            new = re.sub(r"<(?!\.\.\.>)[^<>]*(<\.\.\.>[^<>]*)*>", "<...>", name)
            if new == name:
                break
            name = new
        name = re.sub(r"(^|<)main_main(?=[.:>]|$)", r"\1main.main", name)
        out[raw] = name
    return out


SHOWN = re.compile(r"runtime\.[A-Z]|runtime\.func|boot::(sync|time|os|signal)::")
# Glue that the runtime's headers and the C++ library put between a goroutine's start and the user's function.
GLUE = re.compile(r"(void |auto )?(runtime[.:]|boot::|std::__invoke|std::invoke|std::apply|std::__apply|"
                  r"std::_Function_handler|std::_M_invoke|std::function<|__morestack|_rt0_|_Unwind_|__cxa_|__gxx_)")


def ours(file, known={}):
    """Is it one of the runtime's own files? The debugger names some inlined functions without their namespace."""
    d = os.path.dirname(file)
    if d not in known:
        base = d + "/"
        known[d] = os.path.exists(os.path.join(d, "boot.h")) and os.path.basename(d) == "boot" or any(
            top in base and os.path.exists(base[:base.rindex(top)] + "/boot/boot.h") for top in ("/runtime/", "/asm/"))
    return known[d]


def hidden(name, in_runtime, file=""):
    if SHOWN.match(name):
        return False
    return in_runtime or GLUE.match(name) is not None or ours(file)


def uleb(v):
    out = bytearray()
    while True:
        b, v = v & 0x7F, v >> 7
        out.append(b | (0x80 if v else 0))
        if not v:
            return bytes(out)


def sleb(v):
    return uleb(v << 1 if v >= 0 else (-v << 1) - 1)  # zigzag: 0 -1 1 -2 …


NAMED = re.compile(r"/runtime/(diag|cxx)/")
HEAD = struct.Struct("<IIqIIIIIIIIIII")  # struct pclntab in symtab.h


def closures_in(full):
    """The program's own closures that a full name has as arguments of templates or encloses, as Go would name them."""
    full = re.sub(r"::\{lambda\((?:[^(){}]|\([^()]*\))*\)#(\d+)\}", r".func\1", full).replace("(anonymous namespace)::", "")
    full = re.sub(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(?: const)?(?=\.func|::)", "", full).replace("main_main", "main.main")
    return {n for n in re.findall(r"(?<![\w:~>.])[A-Za-z_][\w:]*(?:\.main)?(?:\.func\d+)+", full) if not GLUE.match(n)}


def closures_of(names):
    """{function: the closure that a goroutine starts with}, from the names of their first functions, gorun<closure>."""
    inner = {n: m.group(1) for n in names if (m := re.match(r"_ZN4boot6detail5gorunI(ZN?.*E)EvPv$", n))}
    full = run(["c++filt", "-p"], "".join(f"_Z1fI{i}Evv\n" for i in inner.values())).splitlines() if inner else ()
    return {n: max(closures_in(f), key=len, default=None) for n, f in zip(inner, full)}


def table(elf):
    """The table's bytes, and what its field `text` is to be: the distance of the code's start from "runtime.text"."""
    sections = exec_sections(elf)
    if not sections:
        sys.exit(f"pclntab.py: {elf} has no code")
    text = min(a for a, _ in sections)
    funcs, (rlo, rhi) = symbols(elf, sections)
    lines, paths = line_addresses(elf, sections)
    where = true_files(places(elf, lines), lines, paths)
    pretty = demangle({n for _, _, n in funcs} | {n for c in where.values() for n, _, _ in c})
    full = dict(zip((n for _, _, n in funcs), run(["c++filt"], "".join(n + "\n" for _, _, n in funcs)).splitlines()))
    starts = closures_of(full)
    closures = {n: closures_in(f) for n, f in full.items() if "{lambda" in f}
    known, last = set().union(*closures.values()), {}
    for n in full:
        last.setdefault(pretty[n].rpartition("::")[2], set()).add(pretty[n])

    def named(name, file, outer, closure):
        """An inlined function's name. Those without a linker's name come without what they are members of."""
        shown = pretty[name]
        if name.startswith("_Z") or name in full:
            return shown
        if "/include/c++/" in file:
            return "std::" + shown.removeprefix("std::")
        if name != "operator()":
            return min(last[shown]) if len(last.get(shown, ())) == 1 else shown
        mine = {n for n in known if n.rpartition(".func")[0] == outer}
        return closure or (min(mine) if len(mine) == 1 else outer + ".func")

    strings, at = bytearray(b"\0"), {"": 0}

    def string(s):
        if s not in at:
            at[s] = len(strings)
            strings.extend(s.encode() + b"\0")
        return at[s]

    names, name_at, files, file_at, locs, loc_at = [0], {}, [], {}, bytearray(b"\0"), {}

    def index(what, key, table_):
        if key not in table_:
            table_[key] = len(what)
            what.append(string(key))
        return table_[key]

    def loc(chain, in_runtime, function, closure):
        """Where in locs the innermost place of the chain is; an inlined place points back at its caller's."""
        parent, outer = 0, function
        for depth, (name, file, line) in enumerate(reversed(chain)):
            shown = named(name, file, outer, closure)
            if not hidden(shown, in_runtime, file) and not shown.startswith("std::"):
                outer = shown
            # The outermost is the function itself; its name and kind stand in the table of functions.
            n = 0 if depth == 0 else index(names, shown, name_at) << 1 | int(hidden(shown, in_runtime, file))
            key = (n, index(files, file, file_at), line, parent)
            if key not in loc_at:
                here = len(locs)
                loc_at[key] = here
                n, f, l, up = key
                locs.extend(uleb(n) + uleb(f) + uleb(l) + uleb(here - up if up else 0))
            parent = loc_at[key]
        return parent

    fns, rows, addrs = [], bytearray(b"\0"), sorted(where)
    k, end = 0, text
    for a, size, name in funcs:
        # A function ends where the next begins. Where more than alignment lies between, an entry without a name does.
        if a - end >= 16:
            fns.append(struct.pack("<III", end - text, 0, 0))
        end = a + size
        while k < len(addrs) and addrs[k] < a:
            k += 1
        its = closures.get(name, ())
        chains = []
        closure = starts.get(name) or (min(its) if len(its) == 1 else None)
        while k < len(addrs) and addrs[k] < a + size:
            chain = where[addrs[k]]
            # Inlined places of the runtime's own text are not shown in any traceback: its functions' lines are enough,
            # and half of the table. What it has from the C++ library and fmt is named only, and so is the code that
            # prints tracebacks and what stands in for libc: they are not where a program goes wrong.
            if rlo <= a < rhi:
                chain = chain[-1:] if chain and ours(chain[-1][1]) and not NAMED.search(chain[-1][1]) else ()
            if chain:
                chains.append((addrs[k], chain))
            k += 1
        shown = pretty[name]
        # Without inlined calls, and all in one file, the rows hold the lines themselves.
        plain = len({(len(chain), chain[0][1]) for _, chain in chains}) == 1 and len(chains[0][1]) == 1
        mine, prev_pc, prev = [], a, 0
        for pc, chain in chains:
            here = chain[0][2] if plain else loc(chain, rlo <= a < rhi, shown, closure)
            if here != prev:
                mine.append(uleb(pc - prev_pc) + sleb(here - prev))
                prev_pc, prev = pc, here
        row_at = 0
        if mine:
            row_at = len(rows) | (PLAIN if plain else 0)
            rows += uleb(len(mine)) + (uleb(index(files, chains[0][1][0][1], file_at)) if plain else b"") + b"".join(mine)
        fns.append(struct.pack("<III", a - text, string(shown),
                               row_at | (HIDDEN if hidden(shown, rlo <= a < rhi) else 0)))
    fns.append(struct.pack("<III", end - text, 0, 0))

    parts, offsets, off = [b"".join(fns), struct.pack(f"<{len(names)}I", *names),
                           struct.pack(f"<{len(files)}I", *files), bytes(locs), bytes(rows), bytes(strings)], [], 64
    for part in parts:
        offsets.append(off)
        off += len(part) + -len(part) % 4
    h = HEAD.pack(MAGIC, VERSION, 0, len(fns), offsets[0], len(names), offsets[1], len(files), offsets[2],
                  offsets[3], offsets[4], offsets[5], off, 0)
    out = h + b"\0" * (64 - len(h))
    for part in parts:
        out += part + b"\0" * (-len(part) % 4)
    return out, text - rlo


def link(cmd):
    if "-o" not in cmd:
        sys.exit("pclntab.py: the link command has no -o")
    out = cmd[cmd.index("-o") + 1]
    if subprocess.run(cmd).returncode != 0:
        sys.exit(1)
    base = f"{out}.pcln"
    data, distance = table(out)
    for _ in range(3):
        with open(base + ".bin", "wb") as f:
            f.write(data)
        with open(base + ".S", "w") as f:
            f.write(f'''.section .gopclntab, "aR", @progbits
.globl "runtime.pclntab"
.type "runtime.pclntab", @object
.balign 8
"runtime.pclntab":
.incbin "{os.path.abspath(base)}.bin", 0, 8
.quad "runtime.text" + {distance} - "runtime.pclntab"
.incbin "{os.path.abspath(base)}.bin", 16
.size "runtime.pclntab", . - "runtime.pclntab"
.globl "runtime.epclntab"
"runtime.epclntab":
.section .note.GNU-stack, "", @progbits
''')
        before = exec_sections(out)
        compiler = next(w for w in cmd if not re.search(r"(^|/)(ccache|distcc|sccache)$", w))
        steps = [[compiler, "-c", "-o", base + ".o", base + ".S"], cmd + [base + ".o"]]
        if any(subprocess.run(s).returncode != 0 for s in steps):
            sys.exit(1)
        if exec_sections(out) == before:
            break
        data, distance = table(out)  # the table's own size moved the text: once more, now that it has that size
    else:
        sys.exit(f"pclntab.py: the text of {out} does not stay where it is")
    for ext in (".bin", ".S", ".o"):
        os.unlink(base + ext)


def dump(elf):
    with open(elf, "rb") as f:
        blob = f.read()
    m = re.search(r"\.gopclntab\s+PROGBITS\s+([0-9a-f]+)\s+([0-9a-f]+)", run(["readelf", "-SW", elf]))
    if m is None:
        sys.exit(f"pclntab.py: no table in {elf}")
    d = blob[int(m.group(2), 16):]
    _, _, text, nf, funcs, _, names, _, files, locs, rows, strs, _, _ = HEAD.unpack_from(d)
    text += int(m.group(1), 16)

    def word(o):
        return struct.unpack_from("<I", d, o)[0]

    def text_at(o):
        return d[strs + o:d.index(b"\0", strs + o)].decode()

    def take(o):
        v = shift = 0
        while True:
            b = d[o]
            o, v, shift = o + 1, v | (b & 0x7F) << shift, shift + 7
            if b < 0x80:
                return v, o
    for k in range(nf - 1):
        pc, name, at = struct.unpack_from("<III", d, funcs + 12 * k)
        if name:
            size = word(funcs + 12 * k + 12) - pc
            print(f"{text + pc:#x} {size:6} {text_at(name)}{' (hidden)' if at >> 31 else ''}")
        plain, at = at & PLAIN, at & ~(HIDDEN | PLAIN)
        if not at:
            continue
        n, o = take(rows + at)
        loc = file = 0
        if plain:
            file, o = take(o)
        for _ in range(n):
            step, o = take(o)
            z, o = take(o)
            pc, loc = pc + step, loc + (z >> 1 if not z & 1 else -(z + 1 >> 1))
            chain, l = [], loc
            if plain:
                print(f"  {text + pc:#x} {text_at(word(files + 4 * file))}:{loc}")
                continue
            while True:
                nm, q = take(locs + l)
                f, q = take(q)
                line, q = take(q)
                up, q = take(q)
                chain.append((text_at(word(names + 4 * (nm >> 1))) + " " if nm else "") +
                             f"{text_at(word(files + 4 * f))}:{line}")
                if not up:
                    break
                l -= up
            print(f"  {text + pc:#x} " + " < ".join(chain))


def main():
    a = sys.argv[1:]
    if len(a) >= 2 and a[0] == "--link":
        link(a[1:])
    elif len(a) == 3 and a[0] == "--table":
        with open(a[1], "wb") as f:
            f.write(table(a[2])[0])
    elif len(a) == 2 and a[0] == "--dump":
        dump(a[1])
    else:
        print(__doc__.strip())
        sys.exit(0 if a in (["--help"], ["-h"]) else 2)


main()

#!/usr/bin/env python3
"""The table of lines says of any pc what addr2line and objdump say from DWARF.

pclookup asks the runtime's own reader about some thousand pcs of programs, chosen at random; files and lines must agree,
those of inlined functions, too; the innermost file is objdump's, for addr2line 2.40 errs there. In the runtime's text the table keeps the outermost place only, and of other people's
code in it none (scripts/pclntab.py says why).
"""
import bisect
import os
import random
import re
import subprocess
import sys
import tempfile

import arguments

PROGRAMS = ("boot", "hello")
PCS = 40000 if os.environ.get("BOOT_STRESS") else 4000


def run(cmd, text=None):
    return subprocess.run(cmd, input=text, capture_output=True, text=True, check=True, errors="replace",
                          env=dict(os.environ, LC_ALL="C")).stdout


def functions(program):
    """[(address, size)], and the bounds of the runtime's text."""
    out, bounds = [], {}
    for line in run(["nm", "-S", program]).splitlines():
        f = line.split()
        if f[-1] in ("runtime.text", "runtime.etext"):
            bounds[f[-1]] = int(f[0], 16)
        if len(f) == 4 and f[2] in "tTwW":
            out.append((int(f[0], 16), int(f[1], 16)))
    return sorted(set(out)), (bounds["runtime.text"], bounds["runtime.etext"])


def dwarf(program, pcs):
    """{pc: ["FILE:LINE", ...]}, innermost first, by addr2line."""
    out, here = {}, None
    with tempfile.TemporaryDirectory() as tmp:
        # Without symbols, as in scripts/pclntab.py.
        bare = f"{tmp}/bare"
        run(["objcopy", "--strip-all", "--keep-section=.debug_*", program, bare])
        lines = iter(run(["addr2line", "-a", "-i", "-f", "-e", bare], "".join(f"{pc:#x}\n" for pc in pcs)).splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            here = out.setdefault(int(line, 16), [])
            continue
        file, _, number = next(lines).partition(" (discriminator ")[0].rpartition(":")
        if file not in ("", "??") and number.isdigit() and number != "0":
            here.append(f"{os.path.normpath(file)}:{number}")
    return out


def rows(program):
    """Sorted [(address, name of the file)] of the line table's rows; None where a sequence ends."""
    out = {}
    for file, line, addr in re.findall(r"^(.*?)\s+(\d+|-)\s+0x([0-9a-f]+)(?:\s|$)",
                                       run(["objdump", "--dwarf=decodedline", "-WL", program]), re.M):
        if line != "-" or int(addr, 16) not in out:
            out[int(addr, 16)] = file if line != "-" else None
    return sorted(out.items())


def same(got, want, base):
    """got: the table's places; want: addr2line's; base: the file at this pc, without its folder, by objdump."""
    if len(got) != len(want):
        return False
    if not got:
        return True
    file, _, number = got[0].rpartition(":")
    return (number == want[0].rpartition(":")[2] and (got[0] == want[0] or os.path.basename(file) == base) and
            got[1:] == want[1:])


def main():
    args = arguments.read()
    bad = []
    for name in PROGRAMS:
        late = []
        program = os.path.join(args.bin, name)
        funcs, (lo, hi) = functions(program)
        rnd = random.Random(3)
        pcs = sorted({a + rnd.randrange(n) for a, n in rnd.choices(funcs, [n for _, n in funcs], k=PCS) if n} |
                     {a for a, n in rnd.sample(funcs, min(len(funcs), 300))})
        want, known, inlined = dwarf(program, pcs), 0, 0
        table = rows(program)
        starts = [a for a, _ in table]
        for line in run([os.path.join(args.bin, "pclookup"), program], "".join(f"{pc:x}\n" for pc in pcs)).splitlines():
            pc, func, *got = line.split("\t")
            pc = int(pc, 16)
            known += func != ""
            inlined += len(got) > 1
            expected = want.get(pc, [])
            at = bisect.bisect_right(starts, pc)
            base = table[at - 1][1] if at else None
            if lo <= pc < hi:
                if not got:
                    continue
                base = base if len(expected) == 1 else None
                expected = expected[-1:]
            if not same(got, expected, base):
                late.append(f"{name}: {pc:#x} {func}: {got}, not {expected} ({base})")
        print(f"{name}: {len(pcs)} pcs, {known} in functions, {inlined} in inlined ones, {len(late)} wrong")
        # The table is made from what addr2line says at the rows of the line table. An inlined piece that begins or ends
        # between two rows, one pc in some thousands, is seen late.
        if len(late) > len(pcs) // 1000:
            bad += late
        if known < 0.98 * len(pcs):
            bad.append(f"{name}: only {known} of {len(pcs)} pcs are in functions of the table")
        if name == "boot" and not inlined:
            bad.append("no pc in an inlined function was seen")
    print("\n".join(bad[:20]))
    sys.exit(bool(bad))


main()

#!/usr/bin/env python3
"""The auxiliary vector as other kernels and loaders leave it: no vDSO, no page size, no random bytes, no vector at all.
gdb rewrites it before the program's first instruction; the program must do its work all the same."""
import gdbtest

PAGESZ, RANDOM, SYSINFO_EHDR, IGNORE, EVERYTHING = 6, 25, 33, 1, 0

# Run by gdb: takes entries out of the stopped process's vector, by the tags in `gone`.
REWRITE = """
def rewrite(gone):
    inferior = gdb.selected_inferior()
    word = lambda a: int.from_bytes(bytes(inferior.read_memory(a, 8)), 'little')
    sp = int(gdb.parse_and_eval('(unsigned long)$sp'))
    a = sp + 8 * (word(sp) + 2)
    while word(a):
        a += 8
    a += 8
    if 0 in gone:
        inferior.write_memory(a, bytes(8))
    while word(a):
        if word(a) in gone:
            inferior.write_memory(a, (1).to_bytes(8, 'little'))
        a += 16
"""


def run(args, gone):
    commands = ["starti", "python exec(%r)" % REWRITE, f"python rewrite({gone!r})", "tbreak main.main", "continue",
                "p (bool)'runtime::vdsoClock'", "p (unsigned long)'runtime.physPageSize'",
                "p *(long*)((char*)&'runtime.startupRandomData' + 8)", "continue"]
    return gdbtest.Session(args, args.bin / "hello").run(commands)


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    cases = {
        "the vector as it is": ([IGNORE], "true", 16),
        "no vDSO": ([SYSINFO_EHDR], "false", 16),
        "no vDSO, page size or random bytes": ([SYSINFO_EHDR, PAGESZ, RANDOM], "false", 0),
        "no vector: the kernel's copy is read": ([EVERYTHING], "true", 16),
    }
    for name, (gone, clock, random) in cases.items():
        out = run(args, gone)
        check.match(f"{name}: clock from the vDSO", rf"= {clock}$", out[5])
        check.that(f"{name}: page size", gdbtest.number(out[6]) == 4096, out[6])
        check.that(f"{name}: random bytes", gdbtest.number(out[7]) == random, out[7])
        check.match(f"{name}: the program works", r"^hello, world$", out[8])
    check.done()


if __name__ == "__main__":
    main()

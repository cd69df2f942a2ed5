#!/usr/bin/env python3
"""Hosted mode's start, watched by gdb: the entry is ours, libc calls back, _cgo_init gets g0 and the setter of g and gives
g0 its real bounds, and settls is never reached. Threads for goroutines come from pthread_create.

CLAIMS: [C07]
"""
import re

import gdbtest


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    G0 = "*(unsigned long*)((char*)&'runtime.g0' + %d)"
    commands = [
        "break runtime.settls",                                      # 0
        "tbreak _rt0_amd64_linux", "run",                            # 1, 2
        "info symbol $pc",                                           # 3
        "tbreak runtime.rt0_go", "continue", "bt",                   # 4..6
        "p 'runtime.iscgo'",                                         # 7
        "tbreak *(*(unsigned long*)&_cgo_init)", "continue",         # 8, 9
        "p $rdi == (unsigned long)&'runtime.g0'",                    # 10
        "info symbol $rsi",                                          # 11
        f"p {G0 % 0}",                                               # 12: stack.lo, 64 KB below hi
        "tbreak runtime.check", "continue",                          # 13, 14
        "p 'runtime.iscgo'",                                         # 15
        f"p/d {G0 % 8} - {G0 % 0}",                                  # 16: what g0 has now
        f"p {G0 % 16} == {G0 % 0} + 928",                            # 17: stackguard0
        "p *(unsigned long*)($fs_base - 8) == (unsigned long)&'runtime.g0'",  # 18
        "info proc mappings",                                        # 19
        f"p/x {G0 % 0}",                                             # 20
        "tbreak pthread_create", "continue", "bt",                   # 21..23
        "info breakpoints",                                          # 24
        "delete", "continue",                                        # 25, 26
    ]
    program = args.bin / "progs" / "hosted" / "hosted_libc"
    out = gdbtest.Session(args, program, env={"GOMAXPROCS": "2"}).run(commands)
    check.match("the entry is ours", r"^_rt0_amd64_linux in section", out[3])
    check.match("libc has called rt0_go", r"#0 .*runtime\.rt0_go", out[6])
    check.match("iscgo is set by _cgo_init, not before", r"= false", out[7])
    check.match("_cgo_init gets &g0", r"= (1|true)$", out[10])
    check.match("and the setter of g", r"^runtime\.setg_gcc", out[11])
    check.match("iscgo afterwards", r"= true", out[15])
    size = re.search(r"= (\d+)", out[16] or "")
    check.match("g0 has more than the 64 KB that rt0_go gives it", r"^yes$",
                "yes" if size and int(size.group(1)) > 256 * 1024 else f"no: {out[16]}")
    check.match("its guard follows", r"= (1|true)$", out[17])
    check.match("g is at FS-8", r"= (1|true)$", out[18])
    check.match("a goroutine's thread is made by libc", r"thread_start.*runtime\.newm ", out[23])
    check.that("settls was not reached", "settls" in out[24] and "already hit" not in out[24], out[24])
    check.match("and the program ends well", r"exited normally", out[26])
    return check.done()


if __name__ == "__main__":
    main()

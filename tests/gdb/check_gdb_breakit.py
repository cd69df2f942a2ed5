#!/usr/bin/env python3
"""Every lesson of `boot break-it`: the failure that it promises must come, by its name, in a stripped program too; and the
process that is looked at meanwhile is not touched."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import gdbtest


def main():
    args = gdbtest.arguments()
    check = gdbtest.Check()
    commands = ["boot next 3", "boot break-it", "boot break-it all", "boot break-it no.such.step", "boot next",
                "delete", "continue"]
    out = gdbtest.Session(args, args.bin / "hello").run(commands, timeout=300)
    lessons = re.findall(r"^(\S+) {2,}\S", out[1], re.M)
    check.that("at least ten lessons", len(lessons) >= 10, out[1])
    for lesson in lessons:
        m = check.match(f"lesson {lesson}", rf"^{re.escape(lesson)}: .*?\n  (Seen\.|Another failure)", out[2])
        if m:
            check.that(f"{lesson} fails as promised", m.group(1) == "Seen.", m.group(0))
    check.match("a step without a lesson", "ERROR: There is no lesson for no.such.step", out[3])
    check.match("the process stands where it stood", r"^Step 4: ", out[4])
    check.match("and ends well", r"^hello, world$", out[6])
    with tempfile.TemporaryDirectory() as tmp:  # by the program's own tables alone
        stripped = Path(tmp, "hello")
        shutil.copy(args.bin / "hello", stripped)
        subprocess.run(["strip", "-s", str(stripped)], check=True)
        out = gdbtest.Session(args, stripped).run(["boot break-it all"], timeout=300)[0]
        check.that("all of them without symbols", out.count("\n  Seen.") == len(lessons), out[-4000:])
    check.done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Each text of throw and fatal stands in one place: whoever reads it in a report finds that place.

SAME lists the texts that are Go's in several places; there the line printed before it tells them apart. Files of one
name in cgo and cxx replace each other: no program has both.
"""
import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

SAME = {"out of memory", "stack overflow", "cannot open standard fds", "newosproc"}
CALL = re.compile(r"\b(?:throw_|fatal|throwFromSignal)\(([^;{]*?)\);", re.S)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def calls(root):
    """{text: [places]}, and the places of calls without a literal."""
    found, bare = defaultdict(list), []
    for top in ("runtime", "boot"):
        for f in sorted((root / top).rglob("*")):
            if f.suffix not in (".h", ".cpp"):
                continue
            source = re.sub(r"//[^\n]*", lambda m: " " * len(m.group()), f.read_text())
            for m in CALL.finditer(source):
                if re.match(r"\s*const char\* ", m.group(1)):
                    continue  # a declaration
                place = f"{f.relative_to(root)}:{source.count(chr(10), 0, m.start()) + 1}"
                parts = LITERAL.findall(m.group(1))
                if not parts:
                    bare.append(place)
                for text in parts if "?" in m.group(1) else ["".join(parts)]:
                    found[text].append(place)
    return found, bare


def replaced(places):
    files = [p.partition(":")[0] for p in places]
    return sorted(files) == sorted({"runtime/cgo/" + f.rpartition("/")[2] for f in files} |
                                   {"runtime/cxx/" + f.rpartition("/")[2] for f in files})


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--root", "--build", "--bin"):
        ap.add_argument(name)
    a = ap.parse_args()
    found, bare = calls(Path(a.root))
    bad = [f"{', '.join(places)}: the same text, {text!r}" for text, places in found.items()
           if len(places) > 1 and text not in SAME and text and not replaced(places)]
    bad += [f"{place}: the text is not a literal" for place in bare]
    bad += [f"SAME: {text!r} stands in {len(found[text])} places" for text in SAME if len(found[text]) < 2]
    if len(found) < 150:
        bad.append(f"only {len(found)} texts found: the pattern misses the others")
    print(f"{len(found)} texts")
    for line in bad:
        print(f"FAILED {line}")
    sys.exit(1 if bad else 0)


main()

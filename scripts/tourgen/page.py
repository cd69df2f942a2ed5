#!/usr/bin/env python3
"""Puts the data of a run into the page: steps from gdb, times from a run without it, the schedule from a trace."""
import argparse
import json
import re
from pathlib import Path


def role(place, source):
    """"main.main x.cpp:48" says where the go statement is; a reader wants what it starts: the name in that line."""
    m = re.search(r" (\S+):(\d+)$", place)
    if not m or m.group(1) != source.name:
        return place
    line = source.read_text(encoding="utf-8").splitlines()[int(m.group(2)) - 1]
    fn = re.search(r"boot::go\((\w+)", line)
    return f"{fn.group(1)} {m.group(1)}:{m.group(2)}" if fn else place


def schedule(path, source, limit=600):
    """The first events of a trace, small: slices of goroutines on Ps, who made and who woke whom."""
    slices, marks = [], []
    names = {}
    for e in json.loads(path.read_text(encoding="utf-8")):
        if e["ph"] == "X" and e["pid"] == 1:
            g = e["args"]["g"]
            names.setdefault(g, role(e["name"].split(" ", 1)[-1], source))
            slices.append([e["tid"], g, e["ts"], e["dur"], e["args"]["end"]])
        elif e["ph"] == "i" and e["pid"] == 1:
            kind = "go" if e["name"].startswith("go g") else e["name"]
            if kind in ("go", "unblock", "steal"):
                a = e["args"]
                marks.append([e["tid"], kind, a["g"], e["ts"], a.get("by", a.get("from", 0))])
    slices.sort(key=lambda s: s[2])
    # Where several goroutines take part: from the first one that is made on.
    begin = next((m[3] for m in sorted(marks, key=lambda m: m[3]) if m[1] == "go"), 0)
    slices = [s for s in slices if s[2] + s[3] >= begin][:limit]
    end = max((s[2] + s[3] for s in slices), default=0)
    marks = sorted((m for m in marks if begin <= m[3] <= end), key=lambda m: m[3])
    used = {s[1] for s in slices}
    return {"slices": slices, "marks": marks, "names": {str(g): n for g, n in names.items() if g in used},
            "ps": 1 + max((s[0] for s in slices), default=0)}


def times(path):
    """[(symbol, ns since the first record)] of a run without a debugger."""
    out = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        m = re.match(r"boot +\d+ +(\d+)ns \S+ +\S+ +\S+ +(\S+)", line)
        if m:
            out.append((m.group(2), int(m.group(1))))
    return out


def library(where):
    """highlight.js with its grammar of C++, from an npm package's ES modules: as variables of a plain script."""
    if where is None:
        return ""
    core = (where / "es" / "core.min.js").read_text(encoding="utf-8")
    cpp = (where / "es" / "languages" / "cpp.min.js").read_text(encoding="utf-8")
    core, n = re.subn(r"export\{(\w+) as default\};?\s*$", r"return \1;", core)
    cpp, m = re.subn(r"export default hljsGrammar;?\s*$", "return hljsGrammar;", cpp)
    assert n == m == 1, "highlight.js looks different from what it did in version 11"
    text = f"const hljs = (() => {{{core}}})();\nconst hljsCpp = (() => {{{cpp}}})();"
    return text.replace("</script", "<\\/script")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("steps", "trace", "program", "times", "template", "out"):
        parser.add_argument("--" + name, type=Path, required=True)
    parser.add_argument("--library", type=Path, help="the npm package @highlightjs/cdn-assets")
    args = parser.parse_args()
    data = json.loads(args.steps.read_text(encoding="utf-8"))
    clock = times(args.times)
    for step in data["steps"]:
        # The same step, in the order of its kind: threads may have made others in between.
        for i, (symbol, ns) in enumerate(clock):
            if symbol == step["symbol"]:
                step["ns"] = ns
                before = [t for _, t in clock if t < ns]
                step["took"] = ns - max(before) if before else 0
                clock[i] = (None, ns)
                break
    data["schedule"] = schedule(args.trace, args.program)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    page = args.template.read_text(encoding="utf-8")
    read = lambda name: args.template.with_name(name).read_text(encoding="utf-8")  # noqa: E731
    script = "\n".join(read(name) for name in ("tour.js", "picture.js", "schedule.js"))
    # What begins the page is in tour.js, and needs the other two.
    script += "\nbegin();\n"
    for mark, what in (("/*STYLE*/", read("style.css")), ("/*LIBRARY*/", library(args.library)), ("/*SCRIPT*/", script),
                       ("/*DATA*/null", text)):
        assert page.count(mark) == 1, mark
        page = page.replace(mark, what)
    args.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

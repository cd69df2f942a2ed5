#!/usr/bin/env python3
"""Reads an execution trace and says what is wrong with it: read_trace.py FILE [--crash|--gc]. --crash: the program died, so
only what must hold of any trace is asked for. --gc: its collections are looked at too."""
import json
import sys
from collections import Counter, defaultdict


def collections(events):
    """What is wrong with the collector's tracks."""
    def slices(tid):
        return sorted((e["ts"], e["ts"] + e["dur"], e["name"]) for e in events
                      if e["ph"] == "X" and e["pid"] == 3 and e["tid"] == tid)
    errors = []
    cycles = [s for s in slices(0) if s[2].startswith("GC ")]
    stops = [s for s in slices(1) if s[2] == "world stopped: gcing"]
    if len(cycles) < 3 or len(stops) < 3:
        errors.append(f"{len(cycles)} collections, {len(stops)} stops of the world for them")
    for begin, end, name in cycles:
        phases = [n for b, e, n in slices(0) if n != name and begin <= b and e <= end + 0.002]
        if phases[:3] != ["sweep termination", "mark", "mark termination"]:
            errors.append(f"{name} consists of {phases}")
        if not any(begin <= b <= e <= end + 0.002 for b, e, _ in stops):
            errors.append(f"the world is not stopped within {name}")
    if sum(e["ph"] == "C" and e["name"] == "heap" for e in events) < 6:
        errors.append("the heap's size is not told before and after each collection")
    return errors


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        events = json.load(f)
    errors = []
    slices = defaultdict(list)
    ends = Counter()
    created, ran, unblocked, arrows, named = set(), set(), Counter(), Counter(), set()
    for e in events:
        if e["ph"] == "M":
            if e["name"] == "thread_name":
                named.add((e["pid"], e["tid"]))
            continue
        if e["ts"] < 0:
            errors.append(f"before the beginning: {e}")
        if e["ph"] == "X":
            if e["dur"] < 0:
                errors.append(f"ends before it begins: {e}")
            slices[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"], e["name"]))
            if e["pid"] == 1:
                ran.add(e["args"]["g"])
                ends[e["args"]["end"]] += 1
        elif e["ph"] in "sf":
            arrows[e["ph"]] += 1
        elif e["ph"] == "C":
            if any(v < 0 for v in e["args"].values()):
                errors.append(f"less than nobody: {e}")
        elif e["name"].startswith("go g"):
            created.add(e["args"]["g"])
        elif e["name"] == "unblock" and e["ph"] == "i":
            unblocked[e["args"]["g"]] += 1
    for (pid, tid), track in slices.items():
        if (pid, tid) not in named:
            errors.append(f"the track {tid} of process {pid} has no name")
        if pid == 3:
            continue  # phases lie inside collections
        if pid == 2:
            # Inside the time of a P there are system calls of that M.
            track = [s for s in track if s[2].startswith("P")]
        track.sort()
        for (_, end, a), (start, _, b) in zip(track, track[1:]):
            # Times are printed to a nanosecond.
            if start < end - 0.002:
                errors.append(f"{'PM'[pid - 1]}{tid} has {b} at {start} before {a} has stopped at {end}")
                break
    if ends["?"]:
        errors.append(f"{ends['?']} slices ended without an event that says so")
    if arrows["f"] > arrows["s"]:
        errors.append(f"more arrows end than begin: {arrows}")
    if "--gc" in sys.argv:
        errors += collections(events)
    elif "--crash" not in sys.argv:
        if not created <= ran:
            errors.append(f"made, but never seen running: {created - ran}")
        for reason in ("chan receive", "chan send", "end", "sleep"):
            if not ends[reason]:
                errors.append(f"no goroutine stopped for the reason {reason}")
        if not unblocked[1]:
            errors.append("nobody is said to have woken main")
        if not any("traceStart" in name for track in slices.values() for _, _, name in track):
            errors.append("the trace reader did not run")
    print("\n".join(errors) or "the trace is sound")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the benchmark programs of this runtime, of Go and of Boost.Fiber in turn and prints what they say as a table.

All three take -bench NAME -n N -p P -warm N and print one line of JSON. scripts/bench builds them and calls this.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

# Name, operations, operations of the warm-up, what the figure is.
BENCHMARKS = [
    ("yield", 5_000_000, 500_000, "ns a switch"),
    ("spawn", 1_000_000, 200_000, "ns a goroutine"),
    ("chan_pingpong", 2_000_000, 200_000, "ns a message"),
    ("chan_buffered", 5_000_000, 500_000, "ns a message"),
    ("chan_mpmc", 2_000_000, 200_000, "ns a message"),
    ("select", 1_000_000, 100_000, "ns a select"),
    ("mutex", 10_000_000, 1_000_000, "ns a pair"),
    ("skynet", 1_000_000, 10_000, "ms"),
    ("fib_spawn", 25, 15, "ms"),
    ("sieve", 2000, 200, "ms"),
    ("parked", 1_000_000, 0, "ns a goroutine"),
    ("sleepers", 100_000, 0, "ms too late"),
    ("trees", 16, 10, "ns a node"),
    ("alloc16", 10_000_000, 1_000_000, "ns an object"),
    ("alloc64", 10_000_000, 1_000_000, "ns an object"),
    ("alloc256", 5_000_000, 500_000, "ns an object"),
    ("allocptr64", 5_000_000, 500_000, "ns an object"),
]
QUICK = {"fib_spawn": 20, "sieve": 500, "trees": 13}
HELLO = "hello"
NAMES = [b[0] for b in BENCHMARKS] + [HELLO]
PEERS = ("boot", "Go", "Boost")


def figure(name, line):
    """The one number of a result that the table shows."""
    extra = line["extra"]
    if name in ("skynet", "fib_spawn", "sieve"):
        return extra["ms"]
    if name == "sleepers":
        return extra["overrun_ms"]
    return line["ns_per_op"]


def run(program, name, n, procs, warm):
    """One line of JSON, None where a program does not know the benchmark; what went wrong, else."""
    command = [program, "-bench", name, "-n", str(n), "-p", str(procs), "-warm", str(warm)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return "no end within 300 s"
    if done.returncode == 2 and "no benchmark" in done.stderr:
        return None
    if done.returncode != 0 or not done.stdout.startswith("{"):
        return f"exit {done.returncode}: {(done.stderr or done.stdout).strip().splitlines()[:1]}"
    return json.loads(done.stdout.splitlines()[-1])


def launches(launch, runs, programs):
    done = subprocess.run([launch, str(runs), *programs.values()], capture_output=True, text=True, check=True)
    return dict(zip(programs, (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))))


def number(x):
    return f"{x:.0f}" if abs(x) >= 1000 else f"{x:.4g}"


def cell(values):
    if not values:
        return "-"
    middle = statistics.median(values)
    # Half the distance between the quartiles, as a share of the median: one disturbed run does not widen it.
    if len(values) < 4:
        spread = (max(values) - min(values)) / 2
    else:
        quartiles = statistics.quantiles(values, n=4)
        spread = (quartiles[2] - quartiles[0]) / 2
    return f"{number(middle)} ±{100 * spread / abs(middle) if middle else 0:.0f}%"


def ratio(ours, theirs):
    """The median of the rounds' ratios: both sides of each were measured next to each other."""
    pairs = [a / b for a, b in zip(ours, theirs) if b > 0]
    return f"{statistics.median(pairs):.2f}" if pairs else "-"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--procs", default="1,2" if (os.cpu_count() or 1) > 1 else "1")
    parser.add_argument("--json")
    parser.add_argument("names", nargs="*", metavar="BENCHMARK")
    args = parser.parse_args()
    unknown = [n for n in args.names if n not in NAMES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are: {' '.join(NAMES)}")
    rounds = args.rounds or (3 if args.quick else 5)
    programs = {"boot": os.path.join(args.bin, "bench"), "Go": os.path.join(args.peers, "go_bench"),
                "Boost": os.path.join(args.peers, "boost_bench")}
    log = open(args.json, "w", encoding="utf-8") if args.json else None
    failed = 0

    print(f"{'benchmark':14} {'Ps':>2} {'':15} {'boot':>14} {'Go':>14} {'Boost':>14}  {'boot/Go':>7} {'boot/Boost':>10}")
    for name, n, warm, unit in BENCHMARKS:
        if args.names and name not in args.names:
            continue
        if args.quick:
            n, warm = QUICK.get(name, max(n // 10, 1000)), min(warm, n // 100)
        for procs in (int(p) for p in args.procs.split(",")):
            values = {peer: [] for peer in PEERS}
            unable = set()
            for turn in range(rounds):
                # Each begins a round in turn: who runs after whom makes a difference on a warm machine.
                for peer in PEERS[turn % len(PEERS):] + PEERS[:turn % len(PEERS)]:
                    if peer in unable:
                        continue
                    line = run(programs[peer], name, n, procs, warm)
                    if isinstance(line, dict):
                        values[peer].append(figure(name, line))
                        if log:
                            log.write(json.dumps({"peer": peer, **line}) + "\n")
                        continue
                    unable.add(peer)
                    values[peer] = []
                    if line is not None:
                        print(f"{name} with {procs} Ps, {peer}: {line}", file=sys.stderr)
                        failed += peer == "boot"
            print(f"{name:14} {procs:2} {unit:15} {cell(values['boot']):>14} {cell(values['Go']):>14} "
                  f"{cell(values['Boost']):>14}  {ratio(values['boot'], values['Go']):>7} "
                  f"{ratio(values['boot'], values['Boost']):>10}", flush=True)

    if not args.names or HELLO in args.names:
        hellos = {"boot": os.path.join(args.bin, "hello"), "Go": os.path.join(args.peers, "go_hello"),
                  "static libc": os.path.join(args.peers, "libc_hello")}
        got = launches(os.path.join(args.peers, "launch"), 200 if args.quick else 1000, hellos)
        us = {peer: line["ns_per_op"] / 1e3 for peer, line in got.items()}
        if log:
            for peer, line in got.items():
                log.write(json.dumps({"peer": peer, **line}) + "\n")
        print(f"{HELLO:14} {'':2} {'us, exec to exit':15} {us['boot']:>13.0f} {us['Go']:>14.0f} {'':>14}  "
              f"{us['boot'] / us['Go']:>7.2f}   (static libc: {us['static libc']:.0f})")
    if log:
        log.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

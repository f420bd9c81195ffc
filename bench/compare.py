#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""adit beside its peers, in one run on one machine: `make bench`.

All systems are started together; each round gives every system one slice of
each case, in an order that rotates; ratios are to HAProxy's slice of the same
round and case, and what is printed are medians over the rounds. The second
HAProxy row is the same thing once more: its distance from 1.00 is the noise of
the machine.

  --rounds N    how many (default 7)
  --seconds S   of one slice, whole (default 2)
  --workers N   threads of each relay (default 1)
  --only WORDS  systems whose names contain one of the words
  --load WORDS  cases whose names contain one of the words
  --quick       few cases, few rounds, short slices
  --idle N      clients that are logged in and do nothing (default 1000)
  --out DIR     where the numbers and the report go (default build/bench)
"""
import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time

import chains
import idle
import report
from harness import ROOT, Failed, Skip

LOAD = os.path.join(ROOT, "build", "adit-load")
KIB, MIB = 1 << 10, 1 << 20


class Case:
    """One way to ask: `rate` is a part of HAProxy's peak (`PEAK`), None a
    closed loop; `idle` further connections do nothing."""

    def __init__(self, name, size, connections, close=False, rate=None,
                 idle=0, quick=False):
        self.name, self.size, self.connections = name, size, connections
        self.close, self.rate, self.idle = close, rate, idle
        self.quick = quick


PEAK = "32 B, 512 connections"
CASES = [
    Case("32 B, 32 connections", 32, 32),
    Case(PEAK, 32, 512, quick=True),
    Case("connection: close, 32 connections", 32, 32, close=True, quick=True),
    Case("64 KiB, 16 connections", 64 * KIB, 16, quick=True),
    Case("1 MiB, 8 connections", MIB, 8, quick=True),
    Case("100 MiB, 2 connections", 100 * MIB, 2),
    Case("open loop at 50 % of HAProxy's peak", 32, 128, rate=0.5, quick=True),
    Case("open loop at 80 % of HAProxy's peak", 32, 128, rate=0.8),
    Case("1,000 idle connections", 32, 1, idle=1000),
]

FRP = "frp (default: TLS, mux)"
NOISE = "rathole (noise)"

# What adit must reach: case, metric, against whom, relation, factor. Those to
# relays that encrypt are of adit with TLS; `cpu_outer`, of the server's side
# alone, is of frpc with its defaults at aditd.
TARGETS = [
    (PEAK, "cpu", "HAProxy", "<=", 0.75),
    (PEAK, "cpu", "frp", "<=", 0.45),
    (PEAK, "cpu", "rathole", "<=", 0.85),
    ("64 KiB, 16 connections", "cpu", "HAProxy", "<=", 0.55),
    ("64 KiB, 16 connections", "rate", "HAProxy", ">=", 1.70),
    ("1 MiB, 8 connections", "cpu", "HAProxy", "<=", 0.50),
    ("1 MiB, 8 connections", "rate", "HAProxy", ">=", 1.50),
    ("100 MiB, 2 connections", "cpu", "HAProxy", "<=", 0.50),
    ("100 MiB, 2 connections", "rate", "HAProxy", ">=", 1.30),
    ("connection: close, 32 connections", "rate", "HAProxy", ">=", 1.10),
    ("connection: close, 32 connections", "cpu", "HAProxy", "<=", 0.75),
    ("connection: close, 32 connections", "rate", "frp", ">=", 3.00),
    ("open loop at 50 % of HAProxy's peak", "p99", "HAProxy", "<=", 1.00),
    # Those to an http chain are of adit's http proxy.
    ("32 B, 32 connections", "rate", "HAProxy http", ">=", 1.20),
    ("32 B, 32 connections", "rate", "nginx http", ">=", 1.20),
    (PEAK, "rate", "HAProxy http", ">=", 1.20),
    (PEAK, "rate", "nginx http", ">=", 1.20),
    ("connection: close, 32 connections", "rate", "HAProxy http", ">=", 1.20),
    ("connection: close, 32 connections", "rate", "nginx http", ">=", 1.20),
    ("32 B, 32 connections", "rate", "frp http", ">=", 6.00),
    (PEAK, "rate", "frp http", ">=", 6.00),
    ("64 KiB, 16 connections", "cpu", "HAProxy http", "<=", 0.70),
    ("100 MiB, 2 connections", "rate", "HAProxy http", ">=", 1.30),
    ("100 MiB, 2 connections", "cpu", "HAProxy http", "<=", 0.50),
    ("open loop at 50 % of HAProxy's peak", "p99", "HAProxy http", "<=",
     1.00),
    ("100 MiB, 2 connections", "rate", FRP, ">=", 1.80),
    ("100 MiB, 2 connections", "rate", NOISE, ">=", 1.80),
    ("100 MiB, 2 connections", "cpu", FRP, "<=", 0.50),
    ("100 MiB, 2 connections", "cpu", NOISE, "<=", 0.50),
    (PEAK, "cpu", FRP, "<=", 0.60),
    ("connection: close, 32 connections", "rate", FRP, ">=", 2.00),
    (PEAK, "cpu_outer", FRP, "<=", 0.50),
    ("connection: close, 32 connections", "cpu_outer", FRP, "<=", 0.50),
    ("64 KiB, 16 connections", "cpu_outer", FRP, "<=", 0.50),
    ("100 MiB, 2 connections", "cpu_outer", FRP, "<=", 0.50),
]

# And on epoll, to HAProxy, which is on it as well.
ON_EPOLL = [(c.name, "cpu", "HAProxy", "<=", 1.00) for c in CASES] + [
    ("open loop at 50 % of HAProxy's peak", "p99", "HAProxy", "<=", 1.00)]


def whose(key, whom):
    """Which of our chains a target is of."""
    if key == "cpu_outer":
        return "frpc at aditd"
    if whom in (FRP, NOISE):
        return "adit TLS"
    return "adit http" if whom.endswith(" http") else "adit"


def targets():
    """All of them: our chain, what to call the other one, the target."""
    for target in TARGETS:
        yield whose(*target[1:3]), target[2], target
    for target in ON_EPOLL:
        yield "adit on epoll", f"{target[2]}, on epoll", target


# Visitors come from so many addresses: who may reuse a connection for visitors
# of one address only, or spreads by address, is not flattered.
SOURCES = 8

# A machine on which even the direct way takes so long is too busy.
VOID_P99_US = 5000


def slice_of(chain, case, seconds, rate):
    """Requests/s and bytes/s, latencies, CPU per request, memory."""
    argv = [LOAD, "-q", "--json", "-", "-c", str(case.connections), "-d",
            str(seconds), "--sources", str(SOURCES)]
    argv += ["--close"] if case.close else []
    argv += ["--rate", str(max(1, int(rate)))] if rate else []
    argv += ["--idle", str(case.idle)] if case.idle else []
    before = chain.cpu()
    load = subprocess.Popen(
        argv + [f"http://127.0.0.1:{chain.port}/{case.size}"],
        stdout=subprocess.PIPE, text=True)
    time.sleep(seconds * 0.8)
    memory = chain.memory()
    out, _ = load.communicate()
    sides = [b - a for a, b in zip(before, chain.cpu())]
    cpu = sum(sides)
    if not out:
        raise Failed(f"{chain.name}: no result in {case.name}")
    r = json.loads(out)
    errors = sum(r["errors"].values())
    if errors > r["exchanges"] / 100:
        raise Failed(f"{chain.name}: {r['errors']} of {r['exchanges']} "
                     f"exchanges failed in {case.name}")
    # A large body's slice ends in the middle of one: bytes are what counts.
    requests = max(r["bytes_in"] / case.size if case.size >= MIB
                   else r["exchanges"], 1e-9)
    latency = {k: v / 1000 for k, v in r["latency"].items()}
    return {"rate": requests / r["seconds"],
            "bytes": r["bytes_in"] / r["seconds"],
            "cpu": cpu / 1000 / requests, "memory": memory,
            "cpu_outer": sides[0] / 1000 / requests,
            "cpu_gb": cpu / 1e9 / max(r["bytes_in"] / 1e9, 1e-9),
            "errors": errors, **latency}


def measure(systems, cases, rounds, seconds, warm):
    """samples[case][system]: one dictionary a round."""
    samples, peak, everyone = {}, None, systems
    for case in cases:
        systems = [c for c in everyone if case.size >= c.least]
        rows = samples[case.name] = {c.name: [] for c in systems}
        if case.rate and not peak:
            # The peak was not asked for: a look at it.
            base = next((c for c in systems if c.name == "HAProxy"), systems[0])
            at = next(c for c in CASES if c.name == PEAK)
            peak = slice_of(base, at, seconds, None)["rate"]
        rate = case.rate and case.rate * peak
        # The first round warms up and is not counted.
        for number in range(-1 if warm else 0, rounds):
            turn = number % len(systems)
            for chain in systems[turn:] + systems[:turn]:
                s = slice_of(chain, case, seconds if number >= 0 else 1, rate)
                if number >= 0:
                    rows[chain.name].append(s)
            if sys.stderr.isatty():
                print(f"\r\033[K{case.name}: round {number + 1} of {rounds}",
                      end="", file=sys.stderr, flush=True)
        if case.name == PEAK and "HAProxy" in rows:
            peak = statistics.median(r["rate"] for r in rows["HAProxy"])
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return samples


def ratio(rounds, base, key):
    """The median over the rounds of a value to the base's of that round."""
    pairs = [(a[key], b[key]) for a, b in zip(rounds, base) if b[key]]
    return statistics.median(a / b for a, b in pairs) if pairs else None


def spread(values):
    """How far the middle half of the rounds lies apart, in percent."""
    if len(values) < 3:
        return 0.0
    q = statistics.quantiles(values, n=4)
    middle = statistics.median(values)
    return 100 * (q[2] - q[0]) / middle if middle else 0.0


def summary(samples):
    out = {}
    for case, systems in samples.items():
        base = systems.get("HAProxy", [])
        out[case] = {}
        for name, rounds in systems.items():
            row = {k: statistics.median(r[k] for r in rounds)
                   for k in rounds[0]}
            row["errors"] = sum(r["errors"] for r in rounds)
            row["memory"] = max(r["memory"] for r in rounds)
            row["spread"] = spread([r["rate"] for r in rounds])
            for key in ("rate", "cpu", "p50", "p99"):
                row[f"{key} ratio"] = ratio(rounds, base, key)
            out[case][name] = row
    return out


def times(value):
    return "-" if value is None else f"{value:.2f}"


def show(result):
    for case, systems in result.items():
        print(f"\n{case}")
        print(f"  {'':22}{'req/s':>9}{'+-%':>5}{'MiB/s':>7}{'p50 us':>9}"
              f"{'p99 us':>9}{'CPU us/req':>12}{' = outer + inner':>16}"
              f"{'CPU s/GB':>10}{'mem MiB':>9}"
              f"   to HAProxy: rate   CPU   p99")
        for name, r in systems.items():
            print(f"  {name:22}{r['rate']:9.1f}{r['spread']:5.0f}"
                  f"{r['bytes'] / MIB:7.0f}{r['p50']:9.0f}{r['p99']:9.0f}"
                  f"{r['cpu']:12.1f}{r['cpu_outer']:9.1f} +"
                  f"{r['cpu'] - r['cpu_outer']:5.1f}{r['cpu_gb']:10.3f}"
                  f"{r['memory'] / MIB:9.1f}{'':11}"
                  f"{times(r['rate ratio']):>8}{times(r['cpu ratio']):>6}"
                  f"{times(r['p99 ratio']):>6}"
                  + (f"   {r['errors']} errors" if r["errors"] else ""))


def judge(samples, result, rows):
    """More rows of targets for the report, and whether this run counts."""
    for name, label, (case, key, whom, relation, factor) in targets():
        ours = samples.get(case, {}).get(name, [])
        theirs = samples.get(case, {}).get(whom, [])
        value = ratio(ours, theirs, key) if ours and theirs else None
        if value is None:
            verdict = "not measured"
        elif value <= factor if relation == "<=" else value >= factor:
            verdict = "pass"
        else:
            verdict = "short"
        rows.append((case, key, label, relation, factor, value, verdict))
    print("\nadit against its targets")
    for case, key, whom, relation, factor, value, verdict in rows:
        print(f"  {case:38}{key:9} to {whom:24}{times(value):>6}  {relation} "
              f"{factor:.2f}  {verdict}")
    busy = result.get("64 KiB, 16 connections", {}).get("direct", {})
    void = busy.get("p99", 0) > VOID_P99_US
    if void:
        print(f"VOID: direct p99 at 64 KiB is {busy['p99']:.0f} us (above "
              f"{VOID_P99_US}): the machine is too busy for this run")
    return rows, void


def start(origin, workers, words, quick):
    systems = []
    for make in chains.QUICK if quick else chains.ALL:
        name = make.__name__
        if words and not any(w in name for w in words):
            continue
        try:
            systems.append(make(origin, workers))
        except Skip as e:
            print(f"skipped: {name}: {e}")
    return systems


def micro():
    """What single parts cost: name and nanoseconds."""
    program = os.path.join(ROOT, "build", "adit-micro")
    if not os.path.exists(program):
        return []
    r = subprocess.run([program], capture_output=True, text=True)
    return [(line[:42].strip(), float(line[42:].split()[0]))
            for line in r.stdout.splitlines()]


def versions():
    """What was measured, by its own words."""
    out = {}
    for name, argv in (("adit", [f"{ROOT}/build/aditd", "--version"]),
                       ("HAProxy", ["haproxy", "-v"]),
                       ("nginx", ["nginx", "-v"]), ("frp", ["frps", "-v"]),
                       ("rathole", ["rathole", "--version"]),
                       ("bore", ["bore", "--version"])):
        try:
            argv[0] = chains.binary(argv[0])
            r = subprocess.run(argv, capture_output=True, text=True)
            lines = (r.stdout or r.stderr).splitlines()
            out[name] = next(x for x in lines
                             if re.search(r"\d+\.\d+\.\d+", x)).strip()
        except (Skip, OSError, StopIteration):
            continue
    return out


def main():
    parse = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("--rounds", type=int)
    parse.add_argument("--seconds", type=int)
    parse.add_argument("--workers", type=int, default=1)
    parse.add_argument("--only", nargs="*", default=[])
    parse.add_argument("--load", nargs="*", default=[])
    parse.add_argument("--quick", action="store_true")
    parse.add_argument("--idle", type=int, default=1000)
    parse.add_argument("--out", default="build/bench")
    o = parse.parse_args()
    rounds = o.rounds or (3 if o.quick else 7)
    seconds = o.seconds or (1 if o.quick else 2)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cases = [c for c in CASES if not o.quick or c.quick or o.load]
    cases = [c for c in cases
             if not o.load or any(w in c.name for w in o.load)]
    head = {"date": time.strftime("%Y-%m-%d"), "kernel": platform.release(),
            "cpus": os.cpu_count(), "rounds": rounds, "seconds": seconds,
            "workers": o.workers, "versions": versions()}
    print(f"{head['date']}, Linux {head['kernel']}, {head['cpus']} CPUs, "
          f"{rounds} rounds of {seconds} s, {o.workers} worker(s) each")
    for name, text in head["versions"].items():
        print(f"  {name}: {text}")
    origin = chains.Origin(sorted({c.size for c in cases}))
    systems = []
    try:
        systems = start(origin.port, o.workers, o.only, o.quick)
        rest = {c.name: c.memory() for c in systems if c.programs}
        print("\nidle, MiB of both relays: " + ", ".join(
            f"{name} {size / MIB:.1f}" for name, size in rest.items()))
        samples = measure(systems, cases, rounds, seconds, not o.quick)
        for chain in systems:
            chain.stop()
        servers = idle.QUICK if o.quick else idle.ALL
        resting = (idle.table(servers, o.workers, o.idle, 5 * seconds)
                   if o.idle else {})
    finally:
        for chain in systems:
            chain.stop()
        origin.stop()
    result = summary(samples)
    show(result)
    for name, (memory, cpu) in resting.items():
        print(f"\n{name}, {o.idle:,} clients logged in over TLS: "
              f"{memory / KIB:.1f} KiB each, {100 * cpu:.2f} % of a CPU")
    rows, void = judge(samples, result, idle.judge(resting, o.idle))
    os.makedirs(o.out, exist_ok=True)
    with open(f"{o.out}/numbers.json", "w") as f:
        json.dump({"head": head, "idle": rest, "clients": resting,
                   "summary": result, "rounds": samples}, f, indent=1)
    parts = micro()
    print("\nsingle parts, ns:")
    for name, ns in parts:
        print(f"  {name:42}{ns:10.1f}")
    report.write(f"{o.out}/report.html", head, rest, result, rows, void, parts)
    print(f"\nall numbers: {o.out}/numbers.json; with plots: "
          f"{o.out}/report.html")


if __name__ == "__main__":
    try:
        main()
    except (Failed, Skip) as e:
        sys.exit(f"bench: {e}")

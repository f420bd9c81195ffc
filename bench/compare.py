#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""adit beside its peers, in one run on one machine: `make bench`.

All systems are started together; each round gives every system one slice of
each workload, in an order that rotates; ratios are to HAProxy's slice of the
same round and workload, and what is printed are medians over the rounds. The
second HAProxy row is the same thing once more: its distance from 1.00 is the
noise of the machine.

  --rounds N    how many (default 7)
  --seconds S   of one slice, whole (default 2)
  --workers N   threads of each relay (default 1)
  --only WORDS  systems whose names contain one of the words
  --load WORDS  workloads whose names contain one of the words
  --json FILE   where the numbers go (default build/bench.json)
"""
import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

import chains
from harness import Failed, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
KIB, MIB = 1 << 10, 1 << 20


class Load:
    def __init__(self, name, size, connections):
        self.name, self.size, self.connections = name, size, connections


LOADS = [
    Load("32 B, 32 connections", 32, 32),
    Load("32 B, 512 connections", 32, 512),
    Load("64 KiB, 16 connections", 64 * KIB, 16),
    Load("100 MiB, 2 connections", 100 * MIB, 2),
]

# What adit must reach against HAProxy: workload, metric, factor. `now` is
# what this version must reach; the others are where it is going.
TARGETS = [
    ("32 B, 512 connections", "cpu", "<=", 1.00, True),
    ("32 B, 512 connections", "cpu", "<=", 0.85, False),
    ("64 KiB, 16 connections", "cpu", "<=", 0.55, False),
    ("64 KiB, 16 connections", "rate", ">=", 1.70, False),
    ("100 MiB, 2 connections", "cpu", "<=", 0.50, False),
    ("100 MiB, 2 connections", "rate", ">=", 1.30, False),
]

# A machine on which even the direct way takes so long is too busy.
VOID_P99_US = 5000


def wrk(port, load, seconds):
    """One slice; what wrk measured."""
    r = subprocess.run(
        ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s",
         "--timeout", "30s", "-s", os.path.join(HERE, "wrk.lua"),
         f"http://127.0.0.1:{port}/{load.size}"],
        capture_output=True, text=True)
    for line in r.stdout.splitlines():
        if line.startswith("JSON "):
            return json.loads(line[5:])
    raise Failed(f"wrk: {r.stdout}{r.stderr}")


def slice_of(chain, load, seconds):
    """Requests/s and bytes/s, latencies, CPU per request and per MiB."""
    before = chain.cpu()
    result = wrk(chain.port, load, seconds)
    cpu = chain.cpu() - before
    if result["errors"] > result["requests"] / 100:
        raise Failed(f"{chain.name}: {result['errors']} of "
                     f"{result['requests']} requests failed")
    duration = result["duration"] / 1e6
    # A large body's slice ends in the middle of one: bytes are what counts.
    requests = max(result["bytes"] / load.size if load.size >= MIB
                   else result["requests"], 1e-9)
    return {"rate": requests / duration,
            "bytes": result["bytes"] / duration,
            "p50": result["p50"], "p99": result["p99"],
            "cpu": cpu / 1000 / requests,
            "memory": chain.memory(), "errors": result["errors"]}


def measure(systems, loads, rounds, seconds):
    """samples[load][system]: one dictionary a round."""
    samples = {load.name: {c.name: [] for c in systems} for load in loads}
    for load in loads:
        for number in range(-1, rounds):
            turn = number % len(systems)
            for chain in systems[turn:] + systems[:turn]:
                # The first round warms up and is not counted.
                s = slice_of(chain, load, seconds if number >= 0 else 1)
                if number >= 0:
                    samples[load.name][chain.name].append(s)
            if sys.stderr.isatty():
                print(f"\r{load.name}: round {number + 1} of {rounds} ",
                      end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    return samples


def ratio(rounds, base, key):
    """The median over the rounds of a value to HAProxy's of that round."""
    pairs = [(a[key], b[key]) for a, b in zip(rounds, base) if b[key]]
    return statistics.median(a / b for a, b in pairs) if pairs else None


def summary(samples):
    out = {}
    for load, systems in samples.items():
        base = systems.get("HAProxy", [])
        out[load] = {}
        for name, rounds in systems.items():
            row = {k: statistics.median(r[k] for r in rounds)
                   for k in rounds[0]}
            row["errors"] = sum(r["errors"] for r in rounds)
            row["memory"] = max(r["memory"] for r in rounds)
            for key in ("rate", "cpu", "p50", "p99"):
                row[f"{key} ratio"] = ratio(rounds, base, key)
            out[load][name] = row
    return out


def times(value):
    return "     -" if value is None else f"{value:6.2f}"


def show(result):
    for load, systems in result.items():
        print(f"\n{load}")
        print(f"  {'':24}{'req/s':>10}{'MiB/s':>9}{'p50 us':>9}{'p99 us':>9}"
              f"{'CPU us/req':>12}{'mem MiB':>9}   to HAProxy:"
              f"{'rate':>7}{'CPU':>7}{'p99':>7}")
        for name, r in systems.items():
            print(f"  {name:24}{r['rate']:10.1f}{r['bytes'] / MIB:9.0f}"
                  f"{r['p50']:9.0f}{r['p99']:9.0f}{r['cpu']:12.1f}"
                  f"{r['memory'] / MIB:9.1f}{'':14}"
                  f"{times(r['rate ratio']):>7}{times(r['cpu ratio']):>7}"
                  f"{times(r['p99 ratio']):>7}"
                  + (f"   {r['errors']} errors" if r["errors"] else ""))


def judge(result):
    """The targets, and whether this run counts at all."""
    print("\nadit against its targets (ratios to HAProxy)")
    for load, key, relation, factor, now in TARGETS:
        value = result.get(load, {}).get("adit", {}).get(f"{key} ratio")
        if value is None:
            verdict = "not measured"
        elif value <= factor if relation == "<=" else value >= factor:
            verdict = "met"
        else:
            verdict = "MISSED" if now else "not yet"
        print(f"  {load:26}{key:5}{times(value)}  {relation} {factor:.2f}  "
              f"{'' if now else '(to come) '}{verdict}")
    busy = result.get(LOADS[2].name, {}).get("direct", {}).get("p99", 0)
    if busy > VOID_P99_US:
        print(f"VOID: direct p99 at 64 KiB is {busy:.0f} us (above "
              f"{VOID_P99_US}): the machine is too busy for this run")


def start(origin, workers, words):
    systems = []
    for make in chains.ALL:
        name = make.__name__
        if words and not any(w in name for w in words):
            continue
        try:
            systems.append(make(origin, workers))
        except Skip as e:
            print(f"skipped: {name}: {e}")
    return systems


def idle(systems):
    print("\nidle, MiB of both relays: " + ", ".join(
        f"{c.name} {c.memory() / MIB:.1f}" for c in systems if c.programs))


def main():
    parse = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("--rounds", type=int, default=7)
    parse.add_argument("--seconds", type=int, default=2)
    parse.add_argument("--workers", type=int, default=1)
    parse.add_argument("--only", nargs="*", default=[])
    parse.add_argument("--load", nargs="*", default=[])
    parse.add_argument("--json", default="build/bench.json")
    o = parse.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loads = [load for load in LOADS
             if not o.load or any(w in load.name for w in o.load)]
    chains.binary("wrk")
    print(f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, "
          f"{os.cpu_count()} CPUs, {o.rounds} rounds of {o.seconds} s, "
          f"{o.workers} worker(s) each")
    origin = chains.Origin(sorted({load.size for load in loads}))
    systems = []
    try:
        systems = start(origin.port, o.workers, o.only)
        idle(systems)
        samples = measure(systems, loads, o.rounds, o.seconds)
    finally:
        for chain in systems:
            chain.stop()
        origin.stop()
    result = summary(samples)
    show(result)
    judge(result)
    os.makedirs(os.path.dirname(o.json) or ".", exist_ok=True)
    with open(o.json, "w") as f:
        json.dump({"summary": result, "rounds": samples}, f, indent=1)
    print(f"all numbers: {o.json}")


if __name__ == "__main__":
    try:
        main()
    except (Failed, Skip) as e:
        sys.exit(f"bench: {e}")

"""The benchmark itself still runs: one short round, nothing is judged."""
import json
import os
import subprocess
import sys

from harness import ROOT, TEMP, Skip, case, check, equal, main


@case("bench: one round of every system that is installed, no errors",
      timeout=300)
def one_round():
    numbers = os.path.join(TEMP, "numbers.json")
    r = subprocess.run(
        [sys.executable, f"{ROOT}/bench/compare.py", "--rounds", "1",
         "--seconds", "1", "--idle", "50", "--load", "64 KiB", "--out", TEMP],
        capture_output=True, text=True)
    if "is not on PATH" in r.stderr:
        raise Skip(r.stderr.strip())
    equal(r.returncode, 0, r.stdout + r.stderr)
    check("adit against its targets" in r.stdout, r.stdout)
    with open(numbers) as f:
        found = json.load(f)
    summary = found["summary"]
    # None: the Python package `cryptography` is missing.
    idle = found["clients"].get("aditd")
    check(not idle or idle[0] > 0, "clients that do nothing")
    with open(os.path.join(TEMP, "report.html")) as f:
        page = f.read()
    check("<svg" in page and "http://" not in page, "the report")
    equal(len(summary), 1, "workloads")
    for load, systems in summary.items():
        for name in ("direct", "HAProxy", "nginx stream", "adit"):
            check(systems[name]["rate"] > 0, f"{load}: {name} served nothing")
            equal(systems[name]["errors"], 0, f"{load}: {name}'s errors")


main()

"""Slow attacks: thousands of visitors that drip their heads, their bodies, or
read a drop at a time, beside ordinary ones; and the limits that end them."""
import contextlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time

from harness import (ADIT, ROOT, SANITIZED, Client, Failed, Nginx, Server,
                     able, case, check, curl, equal, levels, main, memory,
                     one_of, settle, until)

LOAD = os.path.join(os.path.dirname(ADIT), "adit-load")
QUIET = {"log": {"level": "info"}}
PATHS = {"heads": "/page", "bodies": "/post", "readers": "/large"}
# More than the sockets of one reader hold (100 KB, on a busy machine more than
# 200), though not, for all of them, all of the kernel's memory for TCP
# (tcp_mem), which is everybody's.
LARGE = 400000
# With fewer than eight only the rate that is due is judged: what is the most
# that they can do says little beside other tests.
ROUNDS = int(os.environ.get("SLOW_ROUNDS", "2"))

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
# Of one kind; all three need nine descriptors each, in aditd's limit.
COUNT = min(2000, hard // 10)


class Attack:
    """COUNT slow visitors of a kind; `seconds` from one drop to the next."""

    def __init__(self, server, kind, seconds):
        self.process = subprocess.Popen(
            [sys.executable, f"{ROOT}/tests/peer/slow.py", str(server.http),
             "t.test", kind, str(COUNT), str(seconds), PATHS[kind]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, word):
        """What the attacker answers."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ended(self):
        return self.say("ended")["ended"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@contextlib.contextmanager
def tunnel(conf=None):
    files = {"page": b"x" * 1000, "large": b"y" * LARGE}
    # A body is read to its end before anybody else hears of it.
    with Nginx(files, "keepalive_requests 1000000; location /post {"
                      "proxy_pass http://127.0.0.1:1; }",
               connections=3 * COUNT + 2000) as o, \
            Server({**QUIET, **(conf or {})}) as s, Client(s, [
                {"name": "w", "type": "http", "localPort": o.port,
                 "customDomains": ["t.test"]}], QUIET) as c:
        yield s, c


class Ordinary:
    """Requests of 16 visitors for a second."""

    def __init__(self, s, c, *more):
        self.programs, self.before = (s, c), s.cpu() + c.cpu()
        self.process = subprocess.Popen(
            [LOAD, "-q", "--json", "-", "-c", "16", "-d", "1", "--host",
             "t.test", *more, f"http://127.0.0.1:{s.http}/page"],
            stdout=subprocess.PIPE, text=True)

    def result(self):
        """Their rate, and what one costs in processor time."""
        out, _ = self.process.communicate(timeout=60)
        cpu = sum(p.cpu() for p in self.programs) - self.before
        equal(self.process.returncode, 0, "adit-load's exit code")
        r = json.loads(out)
        equal(sum(r["errors"].values()), 0, f"errors: {r['errors']}")
        return r["rate"], cpu / r["exchanges"]


def visitors(s):
    counters = s.counters()
    return counters["pool_visitors"] + counters.get("pool_parked", 0)


def rest(s, c):
    """Wait until both have done what they were asked to."""
    def busy():
        before = s.cpu() + c.cpu()
        time.sleep(0.3)
        return s.cpu() + c.cpu() - before
    until(lambda: busy() < 0.1, "both are at rest", 20)


def attacked(kind, attack, s, c):
    """COUNT come, and are served as far as they can be."""
    relays = c.counters()["relays"]
    attack.say("open")
    until(lambda: visitors(s) == COUNT, "all are visitors", 20)
    if kind == "bodies":
        until(lambda: c.counters()["relays"] >= relays + COUNT,
              "all have a service", 20)
    rest(s, c)


def at_most(rates):
    """Their mean, and twice as much more as it may be wrong by."""
    logs = [math.log(r) for r in rates]
    return math.exp(statistics.mean(logs) + 2 * statistics.stdev(logs)
                    / math.sqrt(len(logs)))


def keeps_rate(it, other):
    """So many are due: they come, attack or not, if the machine has the time for
    them. One second is not all: a bad one is looked at twice more."""
    def look():
        rate, due = (o.result()[0] for o in [
            Ordinary(*p, "--rate", "500") for p in (it, other)])
        check(SANITIZED or rate >= 0.95 * 500 or due < 0.99 * 500,
              f"{rate:.0f} of 500 a second, {due:.0f} without")
    one_of(look)


def beside(kind):
    """Two tunnels with the same load at the same time, and one of them is
    attacked, in turn: whatever else the machine does, it does to both. Rounds go
    on until the rate is kept, or it is sure that it is not."""
    with tunnel() as one, tunnel() as two, Attack(one[0], kind, 5) as on_one, \
            Attack(two[0], kind, 5) as on_two:
        pair = [(one, on_one), (two, on_two)]
        base = [(p, levels(p)) for p in (*one, *two)]
        rates, costs = [], []
        for turn in range(ROUNDS):
            (it, attack), (other, _) = pair
            attacked(kind, attack, *it)
            if turn < 2:
                keeps_rate(it, other)
            now, calm = (o.result() for o in [Ordinary(*it),
                                              Ordinary(*other)])
            equal(attack.say("close")["ended"], {}, "ended by us")
            until(lambda: visitors(it[0]) == 0, "they have gone", 20)
            rates.append(now[0] / calm[0])
            costs.append(now[1] / calm[1])
            rate, cost = map(statistics.geometric_mean, (rates, costs))
            pair.reverse()
            if turn % 2 and turn >= 3 and rate >= 0.95:
                break
        print(f"# {COUNT} slow {kind}: rate {rate:.3f}, cost {cost:.3f} of "
              f"what they are without, {turn + 1} rounds")
        check(ROUNDS < 8 or at_most(rates) >= 0.95, f"rates: {rates}")
        for program, level in base:
            settle(program, level, 20)


@case(f"{COUNT} slow heads, and ordinary requests keep their rate", 240)
def slow_heads():
    beside("heads")


@case(f"{COUNT} slow bodies, and ordinary requests keep their rate", 240)
def slow_bodies():
    beside("bodies")


@case(f"{COUNT} slow readers, and ordinary requests keep their rate", 240)
def slow_readers():
    beside("readers")


@case(f"{3 * COUNT} at once: each kind meets its limit, in bounded memory")
def limits():
    # All are to be there before the first is ended.
    seconds = 30 if SANITIZED or not able("splicing") else 15
    with tunnel({"http": {"headTimeout": seconds, "bodyTimeout": seconds,
                          "stallTimeout": seconds}}) as (s, c), contextlib.ExitStack() as stack:
        Ordinary(s, c).result()
        base, mine = levels(s), levels(c)
        before = memory(s), memory(c)
        # Drops do not save a head; bodies and readers say nothing more.
        attacks = {kind: stack.enter_context(Attack(s, kind, drop))
                   for kind, drop in (("bodies", 0), ("readers", 0),
                                      ("heads", 1))}
        for attack in attacks.values():
            attack.say("open")
        until(lambda: visitors(s) == 3 * COUNT, "all are visitors", seconds)
        held = memory(s) - before[0], memory(c) - before[1]
        ended = {}

        def all_ended():
            for kind, attack in attacks.items():
                ended[kind] = attack.ended()
            return all(sum(e.values()) == COUNT for e in ended.values())
        try:
            until(all_ended, "all are ended", 60, 0.2)
        except Failed as e:
            raise Failed(f"{e}: {ended}; {s.counters()}") from None
        equal(ended, {"heads": {"408": COUNT}, "bodies": {"408": COUNT},
                      "readers": {"cut": COUNT}})
        counters = s.counters()
        equal(counters["http_408"], 2 * COUNT, "http_408")
        print(f"# {held[0] >> 10} and {held[1] >> 10} KiB more for "
              f"{3 * COUNT}")
        # One buffer for each that is stuck, twice limits.buffers, and what is
        # kept of each visitor and each head.
        most = COUNT * 16384 + counters["workers"] * 512 * 16384 + \
            3 * COUNT * 6144
        if not able("splicing"):
            most += 2 * COUNT * 16384  # TLS of their work connections
        for n in held:
            check(SANITIZED or n < most, f"{n} bytes more, not {most}")
        settle(s, base, 30)
        settle(c, mine, 30)
        equal(curl(f"http://127.0.0.1:{s.http}/page", "-H", "Host: t.test")[0],
              200, "afterwards")


main()

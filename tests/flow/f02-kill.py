"""kill -9 of a random process in the middle of traffic, again and again: what
is cut looks cut, and a moment later a transfer arrives whole.

KILL_ROUNDS (default 100) says how often, SEED repeats a run.
"""
import os
import random
import re
import threading
import time

from harness import (Client, Failed, Nginx, Server, answers, case, check, dial,
                     free_port, levels, main, read_all, settle, until)

MIB = 1 << 20
ROUNDS = int(os.environ.get("KILL_ROUNDS", "100"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
PAGE = random.Random(2).randbytes(2 * MIB)
REQUEST = b"GET /page HTTP/1.0\r\nHost: kill.test\r\n\r\n"


def fetch(port):
    """"whole", or how it was cut: "reset", "refused", or, as if it were all,
    "short" or "empty". Other bytes than the page's are an error."""
    try:
        with dial(port, timeout=20) as conn:
            conn.sendall(REQUEST)
            answer = read_all(conn)
    except ConnectionRefusedError:
        return "refused"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.") and b" 200 " in head[:16]:
        check(PAGE.startswith(body), "bytes that are not the page's")
        return "whole" if len(body) == len(PAGE) else "short"
    if head.startswith(b"HTTP/1.") and re.match(rb"\S+ [45]", head):
        return "refused"  # told so, in HTTP: 404 until adit is back
    check(not answer, f"neither page nor error: {answer[:60]!r}")
    return "empty"


class Load:
    """Visitors that fetch all the time; their outcomes of this round."""

    def __init__(self, ports):
        self.outcomes, self.errors = [], []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.loop, args=(p,),
                                         daemon=True) for p in ports]
        for t in self.threads:
            t.start()

    def loop(self, port):
        while not self.stop.is_set():
            try:
                outcome = fetch(port)
            except (OSError, Failed) as e:
                self.errors.append(repr(e))
                return
            self.outcomes.append(outcome)
            if outcome != "whole":
                time.sleep(0.02)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def strike(victim, rng):
    """Kill it after a moment and start it again; the end in between."""
    time.sleep(rng.uniform(0.05, 0.25))
    victim.kill()
    time.sleep(rng.uniform(0, 0.05))
    if isinstance(victim, Nginx):
        victim.launch()
        until(lambda: answers(victim.port), "the site is back")
    else:
        victim.start()


@case(f"{ROUNDS} kills in the middle of traffic", timeout=120 + 8 * ROUNDS)
def kills():
    rng = random.Random(SEED)
    tcp = free_port()
    seen = {}
    with Nginx({"page": PAGE}) as site, Server() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": site.port,
             "remotePort": tcp},
            {"name": "h", "type": "http", "localPort": site.port,
             "customDomains": ["kill.test"]}], {"loginFailExit": False}) as c:
        base = [levels(s), levels(c)]
        for i in range(ROUNDS):
            what = f"SEED={SEED}, round {i}"
            load = Load([tcp, tcp, s.http, s.http])
            victim = rng.choice([s, c, site])
            strike(victim, rng)
            for port in (tcp, s.http):
                until(lambda p=port: fetch(p) == "whole",
                      f"{what}: whole again after {victim.name}", 20, 0.05)
            load.end()
            check(not load.errors, f"{what}, {victim.name} killed: "
                  f"{load.errors[:2]}")
            # A service that is killed ends its answers early without a cut;
            # what adit carries is cut, never short.
            check(victim is site or not {"short", "empty"} & {*load.outcomes},
                  f"{what}: {victim.name} killed, and a cut looks clean: "
                  f"{load.outcomes}")
            for outcome in load.outcomes:
                key = f"{victim.name} {outcome}"
                seen[key] = seen.get(key, 0) + 1
        print(f"# SEED={SEED}: {seen}", flush=True)
        settle(s, base[0], 20)
        settle(c, base[1], 20)


main()

"""adit reads its configuration again, at SIGHUP: proxies come, go and change;
and nothing that is under way notices, whichever of the two reads.
"""
import contextlib
import hashlib
import json
import os
import random
import re
import select
import signal
import threading
import time

import frpkit
from harness import (ADIT, TOKEN, Client, Origin, Server, answers, case,
                     check, dial, echo, equal, exactly, free_port, levels,
                     main, merge, reset, settle, until)
from httpkit import Reader, Site, get, http
from managerkit import Manager
from reloadkit import BARE, RELAYS, hang_up, reload


def upload(port, seed, started, enough):
    """A seeded stream through an echo, until it is enough; by hash."""
    rng, sent, got = random.Random(seed), hashlib.sha256(), hashlib.sha256()
    size, left = [0], True
    with dial(port, timeout=60) as conn:
        def send():
            while size[0] < 4 << 20 or not enough.is_set():
                data = rng.randbytes(1 << 19)
                conn.sendall(data)
                sent.update(data)
                size[0] += len(data)
                started.release()
                time.sleep(0.05)
        t = threading.Thread(target=send)
        t.start()
        count, last = 0, time.monotonic()
        while left:
            # Asked before what it has sent is.
            sending = t.is_alive()
            left = sending or count < size[0]
            if left and not select.select([conn], [], [], 0.5)[0]:
                check(time.monotonic() - last < 60, "nothing comes any more")
            elif left:
                piece = conn.recv(1 << 18)
                check(piece, f"ended after {count} bytes")
                got.update(piece)
                count, last = count + len(piece), time.monotonic()
        t.join()
        reset(conn)
    equal((count, got.hexdigest()), (size[0], sent.hexdigest()), "what came")


def traffic(port, web, run, rounds, count=4):
    """Transfers and keep-alive connections, and run() as often beside them."""
    errors, started = [], threading.Semaphore(0)
    enough = threading.Event()

    def guard(f, *args):
        try:
            f(*args)
        except Exception as e:
            errors.append(e)
            started.release()

    def keep_alive():
        n = 0
        with dial(web, timeout=60) as conn:
            reader = Reader(conn)
            while n < 10 or not enough.is_set():
                conn.sendall(get(b"/%d" % n))
                equal(reader.message()[2], b"a/%d" % n)
                n += 1
                if n == 1:
                    started.release()
                time.sleep(0.001)
    threads = [threading.Thread(target=guard, args=(
        upload, port, i, started, enough)) for i in range(count)]
    threads += [threading.Thread(target=guard, args=(keep_alive,))
                for _ in range(count)]
    for t in threads:
        t.start()
    for _ in range(2 * count):
        started.acquire(timeout=30)
    try:
        for _ in range(rounds):
            if not errors:
                run()
    finally:
        enough.set()
        for t in threads:
            t.join()
    if errors:
        raise errors[0]


def under_traffic(relay):
    port = free_port()
    with Site() as web, Origin(echo) as o, \
            Server({"workers": 2, "sandbox": False,
                    "transport": {"relay": relay}}) as s, \
            Client(s, [http("w", web.port, "a.test"),
                       {"name": "t", "type": "tcp", "localPort": o.port,
                        "remotePort": port}],
                   {"transport": {"relay": relay}}) as c:
        page = os.path.join(s.dir, "page")
        with open(page, "w") as f:
            f.write("<p>page")
        n = [0]

        def run():
            n[0] += 1
            change = {
                "userConnTimeout": 10 + n[0] % 7,
                "http": {"idleTimeout": 60 + n[0]},
                "custom404Page": page if n[0] % 2 else "",
                "accessLog": {"to": os.path.join(s.dir, "acc")
                              if n[0] % 3 else ""},
                "allowPorts": [{"start": 1024, "end": 65000 - n[0]}],
                "trustedProxies": [f"10.0.0.{n[0] % 250}/32"],
                "transport": {"relay": RELAYS[n[0] % 3]}}
            if n[0] % 2:
                code, lines = reload(s, change)
                equal(code, 0, lines)
            else:
                hang_up(s, change)
            if n[0] % 5 == 0:
                good = s.conf
                s.write("{")
                check("is not used" in hang_up(s), "a bad file")
                s.write(good)
        traffic(port, s.http, run, 12)
        equal(s.log().count("client exit success"), 0)
        equal(len(re.findall("login to server success", c.log())), 1)


for mode in RELAYS:
    case(f"under traffic, transport.relay {mode}")(
        lambda mode=mode: under_traffic(mode))


# --- adit ---

def tcp(name, origin, port, **more):
    return {"name": name, "type": "tcp", "localPort": origin.port,
            "remotePort": port, **more}


def closed(port):
    """Nobody listens there any more."""
    def refused():
        try:
            dial(port).close()
        except ConnectionRefusedError:
            return True
        return False
    until(refused, f"port {port} closes")


def says(word):
    """A service that says this, and echoes then."""
    def serve(conn):
        conn.sendall(word)
        echo(conn)
    return Origin(serve)


def hear(port, word):
    with dial(port) as conn:
        equal(exactly(conn, len(word)), word)
        reset(conn)


def proxies_change(relay):
    """Added, removed, changed, while another one carries a transfer."""
    ports = [free_port() for _ in range(4)]
    with Origin(echo) as o, says(b"one") as one, says(b"two") as two, \
            Site() as web, \
            Server({"workers": 2, "transport": {"relay": relay}}) as s, \
            Client(s, [tcp("stays", o, ports[0]), tcp("goes", one, ports[1]),
                       tcp("turns", one, ports[2]),
                       http("web", web.port, "a.test")],
                   {"workers": 2, "transport": {"relay": relay}}) as c:
        def run():
            mark = c.mark()
            text = hang_up(c, {"proxies": [
                tcp("stays", o, ports[0]), tcp("turns", two, ports[2]),
                http("web", web.port, "a.test"), tcp("comes", two, ports[3])]})
            check("changed: proxies" in text, text)
            check("proxy removed: [goes turns]" in text, text)
            check("proxy added: [turns comes]" in text, text)
            for name in ("turns", "comes"):
                c.wait_log(rf"\[{name}\] start proxy success", since=mark)
            check("[stays] start" not in c.log()[mark:], "the one that stays")
            closed(ports[1])
            hear(ports[2], b"two")
            hear(ports[3], b"two")
            mark = c.mark()
            text = hang_up(c, {"proxies": [
                tcp("goes", one, ports[1]), http("web", web.port, "a.test"),
                tcp("turns", one, ports[2]), tcp("stays", o, ports[0])]})
            for name in ("turns", "goes"):
                c.wait_log(rf"\[{name}\] start proxy success", since=mark)
            hear(ports[1], b"one")
            hear(ports[2], b"one")
            closed(ports[3])
        traffic(ports[0], s.http, run, 3)
        equal(len(re.findall("login to server success", c.log())), 1)


for mode in RELAYS:
    case(f"adit: proxies added, removed, changed beside a transfer, {mode}")(
        lambda mode=mode: proxies_change(mode))


@case("adit: a visitor goes on when its proxy is taken back or changed")
def _():
    port = free_port()
    with Origin(echo) as o, says(b"two") as two, Server() as s, \
            Client(s, [tcp("t", o, port)]) as c, dial(port) as conn:
        conn.sendall(b"a")
        equal(exactly(conn, 1), b"a")
        mark = c.mark()
        hang_up(c, {"proxies": [tcp("t", two, port)]})
        c.wait_log("start proxy success", since=mark)
        hear(port, b"two")
        conn.sendall(b"b")
        equal(exactly(conn, 1), b"b")
        hang_up(c, {"proxies": []})
        closed(port)
        conn.sendall(b"c")
        equal(exactly(conn, 1), b"c")
        # Parked, and awake again.
        time.sleep(1.5)
        conn.sendall(b"d")
        equal(exactly(conn, 1), b"d")
        c.proxies = []


@case("adit: all proxies of a server at its limit change, and none is refused")
def _():
    ports = [free_port() for _ in range(8)]
    with Origin(echo) as o, says(b"two") as two, \
            Server({"workers": 1, "limits": {"proxies": 8}}) as s, \
            Client(s, [tcp(f"t{p}", o, p) for p in ports]) as c:
        mark = c.mark()
        hang_up(c, {"proxies": [tcp(f"t{p}", two, p) for p in ports]})
        for p in ports:
            c.wait_log(rf"\[t{p}\] start proxy success", since=mark)
            hear(p, b"two")
        check("start error" not in c.log()[mark:], c.log()[mark:])


@case("adit: a bad file keeps the old one; keys that need a restart are named")
def _():
    port = free_port()
    with Origin(echo) as o, Server() as s, \
            Client(s, [tcp("t", o, port)]) as c:
        good = c.conf
        for bad, key in (({"proxies": [tcp("t", o, port),
                                       {"name": "x", "type": "tcp"}]},
                          "proxies[1].localPort"),
                         ({"nonsense": 1}, "nonsense")):
            c.write(merge(good, bad))
            text = hang_up(c)
            check("is not used" in text and "stays as it was" in text, text)
            check(re.search(rf"conf.yaml:1:\d+: {re.escape(key)}: ", text),
                  text)
        c.write(good)
        text = hang_up(c, {"serverPort": 1, "user": "someone",
                           "log": {"level": "info"}})
        check("needs a restart: serverPort, user" in text, text)
        check("changed: log.level" in text, text)
        with dial(port) as conn:
            conn.sendall(b"a")
            equal(exactly(conn, 1), b"a")
        # A session that is made anew is of the old ones, too.
        mark = c.mark()
        s.restart()
        c.wait_log(r"\[t\] start proxy success", since=mark, timeout=20)


@case("adit: proxies of included files, `start`, and disabled ones")
def _():
    ports = [free_port() for _ in range(3)]
    with Origin(echo) as o, Server() as s, Client(s, [], start=False) as c:
        def include(*proxies):
            with open(os.path.join(c.dir, "more.yaml"), "w") as f:
                json.dump({"proxies": list(proxies)}, f)
        a, b = tcp("a", o, ports[0]), tcp("b", o, ports[1])
        include(a)
        c.write(merge(c.conf, {"includes": ["./more.yaml"]}))
        c.start()
        c.wait_log(r"\[a\] start proxy success")
        include(a, b)
        text = hang_up(c)
        check("proxy added: [b]" in text and "removed" not in text, text)
        c.wait_log(r"\[b\] start proxy success")
        text = hang_up(c, {"start": ["b"]})
        check("proxy removed: [a]" in text and "added" not in text, text)
        closed(ports[0])
        include(a, {**b, "enabled": False})
        hang_up(c, {"start": None})
        closed(ports[1])
        until(lambda: answers(ports[0]), "a is there again")


@case("adit: while it is not logged in, and many times in a row")
def _():
    ports = [free_port() for _ in range(2)]
    with Origin(echo) as o, Server() as s, \
            Client(s, [tcp("t", o, ports[0])], {"workers": 3}) as c:
        base = levels(c)
        s.kill()
        c.wait_log("connection to server lost")
        hang_up(c, {"proxies": [tcp("t", o, ports[1])]})
        mark = c.mark()
        s.start()
        c.wait_log(r"\[t\] start proxy success", since=mark, timeout=20)
        with dial(ports[1]) as conn:
            conn.sendall(b"a")
            equal(exactly(conn, 1), b"a")
        closed(ports[0])
        # Faster than the server answers; the last one counts.
        for i in range(40):
            c.write(merge(c.conf, {"proxies": [tcp("t", o, ports[i % 2])]}))
            c.process.send_signal(signal.SIGHUP)
            time.sleep(0.01 * (i % 3))

        def reached(port):
            with contextlib.suppress(OSError), dial(port) as conn:
                conn.sendall(b"a")
                return exactly(conn, 1) == b"a"
        until(lambda: reached(ports[1]), "the last configuration")
        closed(ports[0])
        settle(c, base)


@case("adit: heartbeats begin and end")
def _():
    with Server({"transport": {"heartbeatTimeout": 3}}) as s, \
            Client(s, [], {"transport": {"heartbeatInterval": 1,
                                         **BARE}}) as c:
        c.wait_log("login to server success")
        hang_up(c, {"transport": {"heartbeatInterval": -1}})
        s.wait_log("heartbeat timeout", timeout=15)
        hang_up(c, {"transport": {"heartbeatInterval": 1}})
        mark = s.mark()
        time.sleep(4.5)
        check("heartbeat timeout" not in s.log()[mark:], "a beat was missed")


@case("adit: RELOADING=1 and READY=1; without a file SIGHUP ends it")
def _():
    manager = Manager()
    with Server() as s:
        with Client(s, [], env=manager.env) as c:
            manager.wait("READY=1")
            hang_up(c, {"drainTimeout": 3})
            until(lambda: manager.count("READY=1") == 2, "READY=1 again")
            equal(manager.order(), ["READY=1", "RELOADING=1", "READY=1"])
        with Client(s, [], start=False) as c:
            c.argv = [ADIT, "tcp", "22", "--token", TOKEN, "--server",
                      f"127.0.0.1:{s.port}"]
            c.launch()
            c.wait_log("login to server success")
            c.process.send_signal(signal.SIGHUP)
            equal(c.process.wait(10), 0, "its exit code")


@case("adit with frps: proxies change there, too")
def _():
    ports = [free_port() for _ in range(2)]
    with Origin(echo) as o, frpkit.Frps() as frps, \
            Client(frps.port, [tcp("a", o, ports[0])]) as c:
        for n in range(4):
            mark = c.mark()
            hang_up(c, {"proxies": [tcp("a", o, ports[1 - n % 2]),
                                    *([tcp("b", o, ports[n % 2])]
                                      if n == 3 else [])]})
            c.wait_log(r"\[a\] start proxy success", since=mark, timeout=40)
            until(lambda: talk_once(ports[1 - n % 2]), "the new port")
        c.wait_log(r"\[b\] start proxy success", timeout=40)


def talk_once(port):
    with contextlib.suppress(OSError), dial(port) as conn:
        conn.sendall(b"a")
        got = exactly(conn, 1)
        reset(conn)
        return got == b"a"


if __name__ == "__main__":
    main()

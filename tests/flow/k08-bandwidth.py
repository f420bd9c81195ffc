"""Limits of bandwidth: of a user, over all of his proxies, and of a proxy, kept
to by aditd or by adit; how much passes, that all of it arrives, and what ends
it. METER_SECONDS (2) is how long each rate is measured."""
import contextlib
import hashlib
import json
import os
import random
import socket
import subprocess
import threading
import time

from frpkit import frpc
from harness import (ADIT, ADITD, TOKEN, Client, Origin, Server, case, check,
                     dial, equal, exactly, free_port, levels, main, one_of,
                     read_all, reset, settle, until)
from frp import FrpClient
from httpkit import Reader, http
from tlskit import TlsOrigin, TlsServer, context
from userskit import read_again, with_file

KB, MB = 1 << 10, 1 << 20
SECONDS = float(os.environ.get("METER_SECONDS", "2"))
BLOCK = bytes(random.Random(8).randbytes(MB))
ALICE = {"name": "alice", "frpToken": "alice-secret"}


def limited(bandwidth, **more):
    return {**ALICE, "limits": {"bandwidth": bandwidth}, **more}


def tcp(name, origin, port, **transport):
    return {"name": name, "type": "tcp", "localPort": origin.port,
            "remotePort": port, "transport": transport}


def alice(s, proxies, **conf):
    return Client(s, proxies, {"user": "alice",
                               "auth": {"token": "alice-secret"}, **conf})


class Meter:
    """Bytes that came, and how long nothing did."""

    def __init__(self):
        self.bytes, self.last, self.gap, self.over = 0, None, 0.0, False

    def read(self, conn):
        with contextlib.suppress(OSError):
            while not self.over:
                try:
                    data = conn.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    break
                now = time.monotonic()
                self.gap = max(self.gap, now - (self.last or now))
                self.last = now
                self.bytes += len(data)


class Flood(Origin):
    """Sends without end to who says d, and meters who says u."""

    def __init__(self):
        self.meters = []
        super().__init__(self.flood)

    def flood(self, conn):
        if conn.recv(1) == b"d":
            with contextlib.suppress(OSError):
                while True:
                    conn.sendall(BLOCK)
            return
        meter = Meter()
        self.meters.append(meter)
        meter.read(conn)


class Visitors:
    """So many on a port, all one way; `make` makes a connection."""

    def __init__(self, flood, make, n, down):
        self.conns, self.threads, self.over = [], [], False
        self.meters = flood.meters = []
        for _ in range(n):
            conn = make()
            conn.sendall(b"d" if down else b"u")
            # So that no thread is in a call when it is closed.
            conn.settimeout(0.1)
            if down:
                self.meters.append(Meter())
            self.conns.append(conn)
            self.threads.append(threading.Thread(
                target=self.meters[-1].read if down else self.send,
                args=(conn,), daemon=True))
            self.threads[-1].start()

    def send(self, conn):
        with contextlib.suppress(OSError):
            while not self.over:
                with contextlib.suppress(TimeoutError):
                    conn.send(BLOCK)

    def close(self):
        self.over = True
        for meter in self.meters:
            meter.over = True
        for thread in self.threads:
            thread.join()
        for conn in self.conns:
            reset(conn)

    def __enter__(self):
        until(lambda: len(self.meters) == len(self.conns), "their streams")
        return self

    def __exit__(self, *_):
        self.close()


def rate(*groups, seconds=SECONDS):
    """Bytes a second that these visitors have together, once they go and what
    may come at once has come; of each the least."""
    meters = [m for g in groups for m in g.meters]
    until(lambda: sum(m.bytes for m in meters), "their first bytes")
    time.sleep(0.5)
    before, since = [m.bytes for m in meters], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - since
    each = [(m.bytes - b) / took for m, b in zip(meters, before)]
    return sum(each), min(each)


def about(measure, want, what, least=0.9, most=1.1):
    def look():
        have = measure()
        check(least * want <= have <= most * want,
              f"{what}: {have / KB:.0f} KB/s, not {want / KB:.0f}")
    one_of(look)


def near(measure, want, what):
    """Where other things pass as well."""
    about(measure, want, what, 0.75, 1.15)


def shared(what, *groups):
    """1 MB, by twenty, and fairly."""
    each = []

    def measure():
        have, least = rate(*groups)
        each.append(least)
        return have
    about(measure, MB, what)
    check(max(each) > MB / 20 / 2, f"{max(each) / KB:.0f} KB/s of one")


@case("a user's: twenty visitors of two proxies share it, each way by itself")
def of_a_user():
    p, q = free_port(), free_port()
    with Flood() as f, Flood() as g, Server({
            "workers": 2, "users": [limited("1MB")]}) as s, \
            alice(s, [tcp("f", f, p), tcp("g", g, q)]):
        base = levels(s)
        with Visitors(f, lambda: dial(p), 10, True) as x, \
                Visitors(g, lambda: dial(q), 10, True) as y:
            shared("to them", x, y)
            check(max(m.gap for m in x.meters + y.meters) < 2, "one starved")
        with Visitors(f, lambda: dial(p), 10, False) as x, \
                Visitors(g, lambda: dial(q), 10, False) as y:
            shared("from them", x, y)
        with Visitors(f, lambda: dial(p), 1, False) as x, \
                Visitors(g, lambda: dial(q), 1, True) as y:
            def both(seconds=SECONDS):
                """Of each, at once."""
                have = x.meters[0].bytes, y.meters[0].bytes
                since = time.monotonic()
                time.sleep(seconds)
                took = time.monotonic() - since
                return ((x.meters[0].bytes - have[0]) / took,
                        (y.meters[0].bytes - have[1]) / took)

            check(rate(x, seconds=0.1)[0] > 0, "begun")
            about(lambda: min(both()), MB, "there and back at once")
            about(lambda: max(both()), MB, "there and back at once")
        settle(s, base)


@case("one visitor for five seconds; others have no limit")
def alone():
    p, q = free_port(), free_port()
    with Flood() as f, Flood() as g, Server({
            "users": [limited("1MB"), {"name": "bob", "frpToken": "b"}]}) as s, \
            alice(s, [tcp("f", f, p)]), \
            Client(s, [tcp("g", g, q)], {"user": "bob",
                                         "auth": {"token": "b"}}):
        for down in (True, False):
            with Visitors(f, lambda: dial(p), 1, down) as x, \
                    Visitors(g, lambda: dial(q), 1, down) as y:
                about(lambda: rate(x, seconds=5)[0], MB, f"alice's, {down}")
                check(rate(y, seconds=0.5)[0] > 3 * MB, "bob's")


@case("waiting costs nothing: no turns without end")
def cheap():
    p = free_port()
    with Flood() as f, Server({"users": [limited("200KB")]}) as s, \
            alice(s, [tcp("f", f, p)]):
        with Visitors(f, lambda: dial(p), 20, True) as x:
            rate(x, seconds=1)
            cpu, since = s.cpu(), time.monotonic()
            time.sleep(SECONDS)
            used = (s.cpu() - cpu) / (time.monotonic() - since)
            check(used < 0.1, f"{used:.2f} of a CPU")


@case("a user's limit changes while they run, both up and away")
def changed():
    p = free_port()
    with Flood() as f, with_file(limited("300KB"), workers=2) as s, \
            alice(s, [tcp("f", f, p)]):
        for down in (True, False):
            with Visitors(f, lambda: dial(p), 4, down) as x:
                near(lambda: rate(x, seconds=2)[0], 300 * KB, "at first")
                read_again(s, limited("2MB"))
                near(lambda: rate(x, seconds=2)[0], 2 * MB, "more")
                read_again(s, limited("500KB"))
                time.sleep(0.5)
                near(lambda: rate(x, seconds=2)[0], 500 * KB, "less")
                read_again(s, ALICE)
                check(rate(x, seconds=1)[0] > 5 * MB, "no limit")
                read_again(s, limited("300KB"))
                time.sleep(1)
                near(lambda: rate(x, seconds=2)[0], 300 * KB, "one again")


@case("a slow one is heard within a second when it may be fast")
def from_a_crawl():
    p = free_port()
    with Flood() as f, with_file(limited("1KB")) as s, \
            alice(s, [tcp("f", f, p)]), \
            Visitors(f, lambda: dial(p), 20, True) as x:
        time.sleep(2)
        check(sum(m.bytes for m in x.meters) < 60 * KB, "a crawl")
        read_again(s, ALICE)
        # At 1 KB a second one of twenty has its turn each 16 s.
        until(lambda: min(m.bytes for m in x.meters) > MB, "all of them", 8)


@case("after a silence: a parked connection has its limit still")
def parked():
    p, q = free_port(), free_port()
    with Flood() as f, Server({"users": [limited("1MB")]}) as s, \
            alice(s, [tcp("f", f, p), tcp("c", f, q, bandwidthLimit="500KB")]):
        for port, want in ((p, MB), (q, 500 * KB)):
            conn = dial(port)
            until(lambda: s.counters()["visitors"] > 0, "it has come")
            time.sleep(2.5)
            with Visitors(f, lambda: conn, 1, True) as x:
                about(lambda: rate(x)[0], want, "after it")


def exact(port, sizes):
    """Streams of these sizes, at once, there and back again."""
    failures = []

    def visit(size):
        data = (BLOCK * (size // MB + 1))[:size]
        try:
            with dial(port, timeout=100) as conn:
                threading.Thread(target=send, args=(conn, data),
                                 daemon=True).start()
                got = read_all(conn)
            if hashlib.sha256(got).digest() != hashlib.sha256(data).digest():
                failures.append(f"{len(got)} of {size} bytes came back")
        except OSError as e:
            failures.append(f"{size}: {e!r}")

    def send(conn, data):
        with contextlib.suppress(OSError):
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)

    threads = [threading.Thread(target=visit, args=(n,)) for n in sizes]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(not failures, failures[:3])


def give_back(conn):
    """All that came, after its end, and the end."""
    conn.sendall(read_all(conn))
    conn.shutdown(socket.SHUT_WR)


@case("every byte arrives, and the end behind the last: by whoever it is slow")
def all_of_it():
    ports = {name: free_port() for name in ("user", "client", "server", "all")}
    rng = random.Random(88)
    sizes = [1, 1024, 16384, 16385] + [rng.randrange(300 * KB)
                                       for _ in range(16)]
    with Origin(give_back) as o, \
            Server({"users": [limited("2MB")], "workers": 2}) as s, \
            alice(s, [
                tcp("user", o, ports["user"]),
                tcp("client", o, ports["client"], bandwidthLimit="3MB"),
                tcp("server", o, ports["server"], bandwidthLimit="3MB",
                    bandwidthLimitMode="server"),
                tcp("all", o, ports["all"], bandwidthLimit="2.5MB",
                    bandwidthLimitMode="server", useCompression=True)]):
        base = levels(s)
        for name, port in ports.items():
            exact(port, sizes)
        settle(s, base)


def body(path):
    return BLOCK[:int(path.strip("/")) * KB]


def web(conn):
    """GET /N: N KiB, chunked for an odd N; anything else: what was sent."""
    r = Reader(conn)
    while head := r.head():
        first, fields = head
        method, path, _ = first.decode().split()
        fields = dict(fields)
        if method == "GET":
            data = body(path)
        elif fields.get(b"transfer-encoding"):
            data = r.chunks()
        else:
            data = r.take(int(fields[b"content-length"]))
        if len(data) // KB % 2 == 0:
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(data), data))
            continue
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(data), 5000):
            piece = data[i:i + 5000]
            conn.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        conn.sendall(b"0\r\n\r\n")


def response(r):
    first, fields = r.head()
    check(first.startswith(b"HTTP/1.1 200"), first)
    fields = dict(fields)
    if fields.get(b"transfer-encoding"):
        return r.chunks()
    return r.take(int(fields[b"content-length"]))


@case("http: bodies of both framings, many requests a connection, both ways")
def of_http():
    with Origin(web) as o, Server({"users": [limited("1MB")]}) as s, \
            alice(s, [http("w", o.port, "w.test")]), dial(s.http) as conn:
        r, since = Reader(conn), time.monotonic()
        for n in (1, 2, 40, 41, 300, 301, 512, 513):
            conn.sendall(b"GET /%d HTTP/1.1\r\nHost: w.test\r\n\r\n" % n)
            equal(response(r), BLOCK[:n * KB], f"{n} KiB")
        took = time.monotonic() - since
        check(1.3 < took < 4.2, f"{took:.1f} s for 1.67 MiB")
        for n in (40, 41):
            conn.sendall(b"GET /%d HTTP/1.1\r\nHost: w.test\r\n\r\n" % n)
        for n in (40, 41):
            equal(response(r), BLOCK[:n * KB], "pipelined")
        time.sleep(1)
        since = time.monotonic()
        for n in (700, 701):
            data = BLOCK[:n * KB]
            if n % 2:
                conn.sendall(b"POST / HTTP/1.1\r\nHost: w.test\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n")
                for i in range(0, len(data), 9000):
                    piece = data[i:i + 9000]
                    conn.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                conn.sendall(b"0\r\n\r\n")
            else:
                conn.sendall(b"POST / HTTP/1.1\r\nHost: w.test\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(data) + data)
            equal(response(r), data, "echoed")
        took = time.monotonic() - since
        check(1.6 < took < 4.7, f"{took:.1f} s for 1.37 MiB there and back")


@case("http: small answers count with their heads, and a tunnel as well")
def of_small_ones():
    def serve(conn):
        r = Reader(conn)
        while head := r.head():
            if b"upgrade" in dict(head[1]):
                conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                             b"Connection: upgrade\r\nUpgrade: x\r\n\r\n")
                with contextlib.suppress(OSError):
                    while True:
                        conn.sendall(BLOCK)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"
                         + BLOCK[:3000])

    with Origin(serve) as o, Server({"users": [limited("300KB")]}) as s, \
            alice(s, [http("w", o.port, "w.test")]), dial(s.http) as conn:
        r = Reader(conn)

        def small(seconds=SECONDS):
            got, since = 0, time.monotonic()
            while time.monotonic() < since + seconds:
                conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
                got += len(response(r))
            return got / (time.monotonic() - since)
        # What may come at once is not measured.
        small(0.5)
        near(small, 300 * KB, "small ones")
        conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n"
                     b"Connection: upgrade\r\nUpgrade: x\r\n\r\n")
        check(b" 101 " in r.head()[0], "a tunnel")
        meter = Meter()
        threading.Thread(target=meter.read, args=(conn,), daemon=True).start()

        def tunnel():
            time.sleep(1)
            have, since = meter.bytes, time.monotonic()
            time.sleep(SECONDS)
            return (meter.bytes - have) / (time.monotonic() - since)
        about(tunnel, 300 * KB, "the tunnel")


@case("http: a connection's second request is its own user's")
def of_whom():
    bob = {"name": "bob", "frpToken": "b"}
    with Origin(web) as o, Server({"users": [limited("500KB"), bob]}) as s, \
            alice(s, [http("w", o.port, "w.test")]), \
            Client(s, [http("v", o.port, "v.test")],
                   {"user": "bob", "auth": {"token": "b"}}), \
            dial(s.http) as conn:
        r = Reader(conn)

        def took(host):
            since = time.monotonic()
            conn.sendall(b"GET /1000 HTTP/1.1\r\nHost: %s.test\r\n\r\n" % host)
            equal(response(r), BLOCK[:1000 * KB], host)
            return time.monotonic() - since

        took(b"v")
        check(took(b"v") < 1.5, "bob's")
        check(1.5 < took(b"w") < 4.6, "alice's")
        check(took(b"v") < 1.5, "bob's again")


@case("https: a limit of the user, and one of the proxy by aditd")
def of_https():
    f = Flood()
    with TlsOrigin(f.flood) as o, TlsServer({"users": [limited("2MB")]}) as s, \
            alice(s, [{"name": "w", "type": "https", "localPort": o.port,
                       "customDomains": ["a.test"], "transport": {
                           "bandwidthLimit": "700KB",
                           "bandwidthLimitMode": "server"}},
                      {"name": "v", "type": "https", "localPort": o.port,
                       "customDomains": ["b.test"]}]):
        for name, want in (("a.test", 700 * KB), ("b.test", 2 * MB)):
            def make():
                return context().wrap_socket(dial(s.https),
                                             server_hostname=name)

            with Visitors(f, make, 3, True) as x:
                about(lambda: rate(x)[0], want, name)


@case("a proxy's: by adit and by aditd, both ways together, as frp does")
def of_a_proxy():
    ports = free_port(), free_port()
    with Flood() as f, Server({"workers": 2}) as s, Client(s, [
            tcp("c", f, ports[0], bandwidthLimit="1MB"),
            tcp("s", f, ports[1], bandwidthLimit="1MB",
                bandwidthLimitMode="server")], {"workers": 2}):
        for port in ports:
            for down in (True, False):
                with Visitors(f, lambda: dial(port), 8, down) as x:
                    about(lambda: rate(x)[0], MB, f"{ports.index(port)} {down}")
            with Visitors(f, lambda: dial(port), 4, True) as x:
                meters = x.meters
                with Visitors(f, lambda: dial(port), 4, False) as y:
                    y.meters += meters
                    about(lambda: rate(y)[0], MB, "together")


@case("a proxy of http by adit, beside the user's limit")
def of_both():
    with Origin(web) as o, Server({"users": [limited("1MB")]}) as s, \
            alice(s, [http("w", o.port, "w.test", transport={
                "bandwidthLimit": "400KB"})]), dial(s.http) as conn:
        since = time.monotonic()
        conn.sendall(b"GET /1000 HTTP/1.1\r\nHost: w.test\r\n\r\n")
        equal(response(Reader(conn)), BLOCK[:1000 * KB], "the body")
        took = time.monotonic() - since
        check(2 < took < 5, f"{took:.1f} s")


@case("whoever cuts, the other side hears it while bytes wait for their turn")
def cut():
    p = free_port()
    heard = []

    def serve(conn):
        kind = conn.recv(1)
        try:
            if kind == b"r":
                conn.sendall(BLOCK[:100 * KB])
                time.sleep(0.3)
                reset(conn)
            elif kind == b"d":
                while True:
                    conn.sendall(BLOCK)
            else:
                while conn.recv(65536):
                    pass
                heard.append((kind, "end"))
        except OSError as e:
            heard.append((kind, type(e).__name__))

    with Origin(serve) as o, with_file(limited("20KB")) as s, \
            alice(s, [tcp("t", o, p)]):
        base = levels(s)
        for kind in (b"d", b"u"):
            with dial(p) as conn:
                conn.sendall(kind)
                if kind == b"u":
                    conn.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            conn.send(BLOCK)
                time.sleep(1)
                mark = len(heard)
                reset(conn)
                until(lambda: len(heard) > mark, "the service hears it")
                check(heard[-1][1] != "end", heard)
        with dial(p) as conn:
            conn.sendall(b"r")
            try:
                read_all(conn)
                check(False, "a cut stream looks whole")
            except ConnectionResetError:
                pass
        settle(s, base)
        # And when its user may no more.
        with dial(p) as conn:
            conn.sendall(b"d")
            exactly(conn, 1000)
            read_again(s, limited("20KB", disabled=True))
            since = time.monotonic()
            try:
                read_all(conn)
                check(False, "a revoked stream looks whole")
            except ConnectionResetError:
                check(time.monotonic() - since < 5, "at once")


@case("what is left of a file is delivered after its service has gone")
def graceful():
    p = free_port()

    def serve(conn):
        conn.sendall(BLOCK[:600 * KB])
        conn.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            read_all(conn)

    with Origin(serve) as o, Server({"users": [limited("300KB")]}) as s, \
            alice(s, [tcp("t", o, p)]), dial(p) as conn:
        since = time.monotonic()
        equal(read_all(conn), BLOCK[:600 * KB], "all of it")
        took = time.monotonic() - since
        check(1.5 < took < 4.7, f"{took:.1f} s")


@case("what is no bandwidth is refused, with its name")
def nonsense():
    with Server() as s, FrpClient(s.port, TOKEN) as c:
        c.login()
        for limit, mode, text in (
                ("1GB", "server", "bandwidth_limit [1GB]: a number with KB"),
                ("fast", "", "bandwidth_limit [fast]: a number with KB"),
                ("0MB", "", "bandwidth_limit [0MB]: a number with KB"),
                ("-1MB", "server", "bandwidth_limit [-1MB]: a number"),
                ("1MB", "both", "bandwidth_limit_mode [both]: client or")):
            answer = c.new_proxy("t", remote_port=free_port(),
                                 bandwidth_limit=limit,
                                 bandwidth_limit_mode=mode)
            check(text in answer["error"], answer)
        for mode in ("", "client", "server"):
            answer = c.new_proxy(f"t{mode}", remote_port=free_port(),
                                 bandwidth_limit="1MB",
                                 bandwidth_limit_mode=mode)
            check("error" not in answer, answer)

    def verify(program, conf):
        path = os.path.join(s.dir, "conf.json")
        with open(path, "w") as f:
            json.dump(conf, f)
        return subprocess.run([program, "verify", "-c", path], text=True,
                              capture_output=True).stderr

    check('limits.bandwidth: "1Mb"; a number with KB or MB' in verify(
        ADITD, {"users": [limited("1Mb")]}), "aditd")
    proxy = {"name": "t", "type": "tcp", "localPort": 1}
    check('transport.bandwidthLimit: "1"; a number with KB or MB' in verify(
        ADIT, {"serverAddr": "x", "proxies": [
            {**proxy, "transport": {"bandwidthLimit": "1"}}]}), "adit")
    check("client, server" in verify(
        ADIT, {"serverAddr": "x", "proxies": [
            {**proxy, "transport": {"bandwidthLimit": "1MB",
                                    "bandwidthLimitMode": "x"}}]}), "mode")


@case("frpc: a proxy's limit that aditd keeps to; its user's")
def with_frpc():
    ports = free_port(), free_port(), free_port()
    with Flood() as f, Origin(web) as o, Server({
            "users": [{**limited("1500KB"), "frpToken": TOKEN}]}) as s, frpc(
                s, [tcp("s", f, ports[0], bandwidthLimit="500KB",
                        bandwidthLimitMode="server"),
                    tcp("c", f, ports[1], bandwidthLimit="700KB"),
                    tcp("u", f, ports[2]),
                    http("w", o.port, "w.test", transport={
                        "bandwidthLimit": "500KB",
                        "bandwidthLimitMode": "server"})],
                user="alice"):
        for port, want in zip(ports, (500 * KB, 700 * KB, 1500 * KB)):
            for down in (True, False):
                with Visitors(f, lambda: dial(port), 4, down) as x:
                    # frp's own bucket is a second's worth.
                    near(lambda: rate(x)[0], want, f"{want} {down}")
                if port == ports[1]:
                    break
        with dial(s.http) as conn:
            since = time.monotonic()
            conn.sendall(b"GET /1000 HTTP/1.1\r\nHost: w.test\r\n\r\n")
            equal(response(Reader(conn)), BLOCK[:1000 * KB], "http")
            took = time.monotonic() - since
            check(1.5 < took < 4.6, f"{took:.1f} s")


main()

"""Work connections without TLS between aditd and adit
(transport.dataEncryption): which are, what can be seen on the way, and what is
tried there. The numbers are those of the table in README.md."""
import contextlib
import hmac
import os
import random
import socket
import threading
import time

import forgekit
from forgekit import (Forge, b64, open_start, pin_of, seal_start, unb64)
from harness import (ADITD, MODE, AditProgram, Client, Origin, Server, case,
                     check, dial, echo, equal, exactly, free_port, levels, main,
                     merge, read_all, reset, settle, sha, through, until)
from httpkit import Site, http
from tlskit import CERT, KEY, TlsServer, hello

from frp import Channel, frame

ALICE = "adit_alice-has-this-token"
TLS_FIRST = 0x16


class Way:
    """Between adit and aditd: keeps what passes on the connections without
    TLS, and `spoil` may change the server's first bytes there."""

    def __init__(self, port, spoil=None, shut=False):
        self.spoil, self.secure, self.plain = spoil, 0, []
        self.shut, self.turned_away = shut, 0  # to what is not TLS
        self.to = port
        self.origin = Origin(self.pass_on)
        self.port = self.origin.port

    def pass_on(self, conn):
        first = conn.recv(65536)
        if not first:
            return
        if first[0] == TLS_FIRST:
            self.secure += 1
            said = None
        elif self.shut:
            self.turned_away += 1
            return
        else:
            said = [bytearray(first), bytearray()]
            self.plain.append(said)
        with dial(self.to) as server:
            server.settimeout(None)
            conn.settimeout(None)
            server.sendall(first)
            back = threading.Thread(target=self.pump, args=(
                server, conn, said and said[1], self.spoil), daemon=True)
            back.start()
            self.pump(conn, server, said and said[0], None)
            back.join()

    @staticmethod
    def pump(source, to, said, spoil):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if said is not None:
                    if spoil and not said:
                        data = spoil(data)
                    if len(said) < 65536:
                        said += data
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
            return
        for s in (source, to):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def visited(self):
        """Those that have had a visitor."""
        return [said for said in self.plain if said[1]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.origin.close()


def server(forge, how, **conf):
    return TlsServer(merge({
        "users": [{"name": "alice", "keys": [forge.public(ALICE)]}],
        "transport": {"dataEncryption": how} if how else {}}, conf))


def adit(s, port, proxies, how=None, **conf):
    pin = s.wait_log(r"identity \[([\w-]{43})\]")[1]
    return Client(port, proxies, merge({
        "user": "alice", "auth": {"token": ALICE}, "transport": {
            "tls": {"enable": True, "pins": [pin]}, "tcpMux": True,
            **({"dataEncryption": how} if how else {})}}, conf))


def ready(s):
    """A work connection without TLS has come: the next visitors get such."""
    until(lambda: s.counters()["work_conns_plain"] > 0, "one without TLS")


def tcp(o, port, **more):
    return {"name": "t", "type": "tcp", "localPort": o.port,
            "remotePort": port, **more}


def https(o, name="h", host="a.test", **more):
    return {"name": name, "type": "https", "localPort": o.port,
            "customDomains": [host], **more}


# --- which are ---

@case("auto: of https proxies only, whose names and addresses are sealed")
def by_default():
    port = free_port()
    with Forge() as f, server(f, None) as s, Origin(echo) as o, \
            Way(s.port) as way, adit(s, way.port, [
                tcp(o, port), https(o, host="hidden.test")]):
        ready(s)
        data = hello("hidden.test") + os.urandom(3 << 20)
        equal(through(port, b"in the open?"), b"in the open?")
        for _ in range(5):
            equal(sha(through(s.https, data)), sha(data))
        equal(len(way.visited()), 5)
        for said, heard in way.plain:
            check(b"in the open?" not in said and b"src_addr" not in heard,
                  "what is to be hidden")
            check(heard[:1] in (b"s", b""), "a start")
            check(b"alice.h" not in heard and b"127.0.0.1" not in heard[:4096],
                  "whose visitor it is, and from where")
        check(way.secure >= 2, "the rest is in TLS")
        if MODE.get("transport", {}).get("relay") != "copy":
            check(s.counters()["bytes_spliced"] > 10 << 20, "by both")
        equal(s.counters()["work_conns_refused"], 0)


@case("the stricter end rules; a proxy's own word is its client's")
def stricter():
    rows = [  # aditd, adit, the https proxy, the tcp one; plain: https, tcp
        ("auto", "auto", None, None, 1, 0),
        ("never", "never", None, None, 1, 1),
        ("never", "auto", None, None, 1, 0),
        ("auto", "never", None, None, 1, 0),
        ("always", "never", None, None, 0, 0),
        ("never", "always", None, None, 0, 0),
        ("never", "always", "never", None, 1, 0),
        ("never", "never", "always", "auto", 0, 0),
        ("never", "auto", "always", "never", 0, 1),
    ]
    for ours, theirs, for_https, for_tcp, h, t in rows:
        def own(how):
            return {"transport": {"dataEncryption": how}} if how else {}
        port = free_port()
        with Forge() as f, server(f, ours) as s, Origin(echo) as o, \
                Way(s.port) as way, adit(s, way.port, [
                    tcp(o, port, **own(for_tcp)),
                    https(o, **own(for_https))], theirs):
            if h or t:
                ready(s)
            data = hello("a.test")
            equal(through(s.https, data), data)
            equal(len(way.visited()), h, f"{ours}, {theirs}: https")
            equal(through(port, b"here"), b"here")
            equal(len(way.visited()), h + t, f"{ours}, {theirs}: tcp")
            if not h and not t:
                equal(way.plain, [], "none is made for nobody")


@case("not with useEncryption, WebSocket, frp's login, or TLS that is forced")
def not_plain():
    port = free_port()
    for ours, theirs in (
            ({}, {"proxies": {"useEncryption": True}}),
            ({}, {"transport": {"protocol": "websocket"}}),
            ({"transport": {"tls": {"force": True}, "dataEncryption": None}},
             {})):
        with Forge() as f, server(f, "never", **ours) as s, Origin(echo) as o, \
                Way(s.port) as way, adit(s, way.port, [
                    tcp(o, port, transport=theirs.get("proxies", {}))],
                    "never", transport=theirs.get("transport", {})):
            equal(through(port, b"here"), b"here")
            if "protocol" not in theirs.get("transport", {}):
                equal(way.plain, [], f"{ours} {theirs}")
            else:
                check(all(said.startswith(b"GET /~!frp")
                          for said, _ in way.plain), "WebSocket")
    # Without a proof there are no tickets, and nothing to seal with.
    with Server({"transport": {"dataEncryption": "never"}}) as s, \
            Origin(echo) as o, Way(s.port) as way, Client(
                way.port, [tcp(o, port)], {"transport": {
                    "dataEncryption": "never", "tls": {"enable": True}}}):
        equal(through(port, b"here"), b"here")
        equal(way.plain, [])


@case("never beside transport.tls.force is a fault of the configuration")
def contradiction():
    for more in ({"force": True}, {"trustedCaFile": CERT}):
        with AditProgram(ADITD, merge({
                "auth": {"token": "x"}, "bindAddr": "127.0.0.1",
                "transport": {"dataEncryption": "never", "tls": more}},
                MODE)) as p:
            p.expect_exit = 2
            p.launch()
            until(lambda: not p.alive(), "it ends")
            p.wait_log("transport.dataEncryption: .never. beside")


# --- bytes ---

@case("http, tcp and https without TLS: byte by byte, half-closes and cuts")
def exact():
    port = free_port()
    with Forge() as f, server(f, "never") as s, Origin(echo) as o, \
            Site(b"one") as site, adit(s, s.port, [
                tcp(o, port), https(o), http("w", site.port, "w.test")],
                "never") as c:
        ready(s)
        base, mine = levels(s), levels(c)
        data = os.urandom(48 << 20)
        equal(sha(through(port, data)), sha(data))
        data = hello("a.test") + data
        equal(sha(through(s.https, data)), sha(data))
        for _ in range(20):
            with dial(s.http) as conn:
                for _ in range(5):
                    conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
                    check(conn.recv(65536).startswith(b"HTTP/1.1 200"), "200")
        done = []

        def visitor(i):
            size = random.Random(i).randrange(1, 200000)
            data = random.Random(i).randbytes(size)
            done.append(through(port, data) == data)
        threads = [threading.Thread(target=visitor, args=(i,))
                   for i in range(200)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(done, [True] * 200)
        # A visitor that is cut is cut for the service, and the other way.
        conn = dial(port)
        conn.sendall(b"x")
        equal(conn.recv(1), b"x")
        reset(conn)
        settle(s, base)
        settle(c, mine)
        equal(c.counters()["starts_refused"], 0)

    def cut(conn):
        exactly(conn, 1)
        conn.sendall(b"part")
        time.sleep(0.2)
        reset(conn)
    with Forge() as f, server(f, "never") as s, Origin(cut) as o, \
            adit(s, s.port, [tcp(o, port)], "never"):
        ready(s)
        with dial(port) as conn:
            conn.sendall(b"x")
            try:
                check(read_all(conn) is None, "an end, where it was cut")
            except ConnectionResetError:
                pass


@case("idle ones, parked and not: what stirs goes on")
def idle():
    port = free_port()
    with Forge() as f, server(f, "never") as s, Origin(echo) as o, \
            adit(s, s.port, [tcp(o, port)], "never") as c:
        ready(s)
        conns = [dial(port) for _ in range(20)]
        for round_ in range(2):
            for i, conn in enumerate(conns):
                text = f"{round_} {i}".encode()
                conn.sendall(text)
                equal(conn.recv(100), text)
            until(lambda: s.counters()["pool_parked"] == 20 and
                  c.counters()["pool_parked"] == 20, "all are parked")
        for conn in conns:
            conn.close()
        until(lambda: s.counters()["pool_parked"] == 0, "all have gone")


@case("four workers; a server that comes back; the pool goes with its proxies")
def pools():
    port = free_port()
    with Forge() as f, server(f, "never", workers=4) as s, \
            Origin(echo) as o, Way(s.port) as way, adit(s, way.port, [
                tcp(o, port), https(o)], "never", workers=2) as c:
        ready(s)
        for _ in range(30):
            equal(through(port, b"here"), b"here")
        check(s.counters()["visitors_moved"] +
              s.counters()["work_conns_moved"] > 0, "they have moved")
        mark = c.mark()
        s.restart()
        c.wait_log(r"\[t\] start proxy success", since=mark)
        ready(s)
        before = len(way.visited())
        until(lambda: through(port, b"here") == b"here", "again")
        equal(len(way.visited()), before + 1)
    with Forge() as f, server(f, "never") as s, Holder(s) as h:
        work = h.publish().work()
        h.control.send(frame("c", {"proxy_name": f"alice.{h.port}"}))
        check(work.ended(5), "it is let go")


@case("a way that lets pass TLS only: visitors are served all the same")
def only_tls():
    with Forge() as f, server(f, None) as s, Origin(echo) as o, \
            Way(s.port, shut=True) as way, adit(s, way.port, [https(o)]):
        data = hello("a.test") + os.urandom(1 << 20)
        for _ in range(3):
            equal(sha(through(s.https, data)), sha(data))
        check(way.turned_away > 0, "it was tried")
        # It is tried again when the answer is late; then what comes is used.
        way.shut = False
        until(lambda: through(s.https, data) == data and
              s.counters()["work_conns_plain"] > 0, "again", 20, 0.5)
        s.wait_log("without TLS do not come")
        until(lambda: through(s.https, data) == data and way.visited(),
              "a visitor without TLS")


# --- what is tried ---

class Holder(forgekit.Holder):
    """Alice's, for work connections without TLS."""

    def __init__(self, s):
        super().__init__(s, ALICE, "alice")

    def redemption(self, ticket):
        proof = hmac.digest(self.key, b"adit work v1\0" + unb64(ticket) +
                            bytes(32), "sha256")
        return {"run_id": self.run_id, "adit": {"t": ticket, "m": b64(proof)}}

    def work(self, ticket=None):
        work = Channel(dial(self.s.port))
        work.ticket = ticket or self.take("p")
        work.send("w", self.redemption(work.ticket))
        return work

    def publish(self):
        """Of which the work connections are plain."""
        super().publish(adit={"enc": "plain"})
        equal(self.published["adit"], {"enc": "plain"})
        return self


@case("18, 20, 22 a plain ticket: once, of its control, on a bare connection")
def tickets():
    with Forge() as f, server(f, "never") as s, \
            Holder(s).publish() as h, Holder(s) as other:
        work = h.work()
        ready(s)
        with dial(h.port) as visitor:
            kind, start = work.recv()
            equal(kind, "s")
            check(list(start) == ["adit"], start)
            start = open_start(h.session, work.ticket, start)
            equal((start["proxy_name"], start["src_addr"]),
                  (f"alice.{h.port}", "127.0.0.1"))
            work.sock.sendall(b"hello")
            equal(visitor.recv(5), b"hello")
        refused = s.counters()["work_conns_refused"]

        def turned_away(work):
            nonlocal refused
            refused += 1
            with contextlib.suppress(OSError, EOFError):
                kind, body = work.recv()
                check(body.get("error"), f"{kind} {body}")
            until(lambda: s.counters()["work_conns_refused"] == refused,
                  "counted")
        turned_away(h.work(work.ticket))
        # One for TLS without it, and one of another control.
        turned_away(h.work(h.take("")))
        turned_away(h.work(other.take("")))
        # One for a bare connection inside TLS.
        with Forge() as inside:
            inside.open(s.port)
            inside.send(frame("w", h.redemption(h.take("p"))))
            with contextlib.suppress(Exception):
                check(inside.recv()[1].get("error"), "refused")
        equal(s.counters()["tickets_refused"], 4)


def no_visitor(spoil):
    """Somebody on the way changes the start: adit dials nobody."""
    port = free_port()
    with Forge() as f, server(f, "never") as s, Origin(echo) as o, \
            Way(s.port, spoil) as way, adit(s, way.port, [
                tcp(o, port)], "never") as c:
        ready(s)
        with dial(port, timeout=3) as conn:
            conn.settimeout(3)
            conn.sendall(b"is anybody there?")
            with contextlib.suppress(OSError):
                check(not conn.recv(10), "an answer")
        until(lambda: c.counters()["starts_refused"] +
              c.counters()["bad_messages"] + c.counters()["bad_frames"] > 0,
              "counted")
        equal(o.connections, 0, "nobody is dialled")
        check(way.visited(), "it was tried")


@case("25 a start with a bit flipped, in a box of another's, or in no box")
def spoiled():
    def flip(data):
        data = bytearray(data)
        at = data.index(b'"b":"') + 20
        data[at] = ord("A") if data[at] != ord("A") else ord("B")
        return bytes(data)
    for spoil in (flip,
                  lambda _: frame("s", {"proxy_name": "alice.t",
                                        "src_addr": "1.2.3.4"}),
                  lambda _: frame("s", seal_start(
                      bytes(32), b64(bytes(16)), {"proxy_name": "alice.t"})),
                  lambda _: frame("s", {"adit": {"b": "AAAA"}}),
                  lambda _: frame("s", {"adit": {"b": ""}}),
                  lambda _: frame("s", {"adit": {"b": "A" * 10000}}),
                  lambda _: frame("s", {"error": "go away"})):
        no_visitor(spoil)


class Impostor:
    """An aditd that asks for plain work connections, and starts on them what
    it likes: its identity is real."""

    def __init__(self, start):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start, self.ended = start, []
        self.error = None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            self.serve()
        except OSError:
            pass
        except Exception as e:  # the case reads it
            self.error = e

    def serve(self):
        conn, _ = self.listener.accept()
        fd = conn.fileno()
        with Forge("--cert", CERT, "--key", KEY, inherits=(fd,)) as f:
            f.ask("accept", str(fd))
            equal(f.recv()[0], "o")
            run_id = "0123456789abcdef"
            f.send(frame("1", {"version": "0.1.0", "run_id": run_id, "adit": {
                "v": 1, "caps": ["tickets"], "pins": [pin_of(CERT)]}}))
            session = f.session_key(run_id)
            kind, proxy = f.recv()
            while kind == "p":
                f.send(frame("2", {"proxy_name": proxy["proxy_name"],
                                   "remote_addr": ":1", **(
                    {"adit": proxy["adit"]} if "adit" in proxy else {})}))
                if proxy["proxy_name"].endswith(".h"):
                    break
                kind, proxy = f.recv()
            ticket = b64(b"p" + bytes(15))
            f.send(frame("r", {"adit": {"t": [ticket], "k": "p"}}))
            work, _ = self.listener.accept()
            with work:
                work.settimeout(10)
                channel = Channel(work)
                equal(channel.recv()[0], "w")
                channel.send("s", seal_start(session, ticket, self.start))
                self.ended.append(channel.ended(5))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


@case("26 a sealed start of a proxy that is not plain at its own end: no dial")
def not_its_own():
    for name, dialled in (("alice.t", 0), ("alice.nobody", 0), ("alice.h", 1)):
        with Origin(echo) as o, Impostor({"proxy_name": name}) as i, \
                Client(i.port, [tcp(o, 0), https(o)], {
                    "user": "alice", "auth": {"token": ALICE}, "transport": {
                        "tls": {"enable": True, "pins": [pin_of(CERT)]}}}) as c:
            until(lambda: i.ended or i.error or o.connections, "its end")
            equal(i.error, None)
            if not dialled:
                equal(i.ended, [True], name)
            equal(o.connections, dialled, name)
            equal(c.counters()["starts_refused"], 1 - dialled, name)


main()

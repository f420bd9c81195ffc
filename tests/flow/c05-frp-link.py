"""frp's own programs as they are by default, over TLS and yamux, and in every
other way that they can be set to."""
import contextlib
import os
import socket
import threading
import time

from frpkit import Frps, frpc
from harness import (Client, Origin, Server, case, check, dial, echo, equal,
                     free_port, levels, main, read_all, reset, settle, sha,
                     until)
from linkkit import visit, visit_at_once
from tlskit import Page, TlsServer, certificate
from tlskit import visit as visit_tls


def tcp(name, o, port):
    return {"name": name, "type": "tcp", "localIP": "127.0.0.1",
            "localPort": o.port, "remotePort": port}


def web(kind, name, o, domain):
    return {"name": name, "type": kind, "localIP": "127.0.0.1",
            "localPort": o.port, "customDomains": [domain]}


def page(conn):
    while b"\r\n\r\n" not in conn.recv(65536):
        pass
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                 b"Connection: close\r\n\r\nhi")


@contextlib.contextmanager
def services():
    """An echo, a page and a page behind TLS, and their proxies."""
    port = free_port()
    with Origin(echo) as t, Origin(page) as w, Page(b"page") as s:
        yield port, [tcp("t", t, port), web("http", "w", w, "w.test"),
                     web("https", "s", s, "a.test")]


def all_work(server, port, size=1 << 20):
    """Server: aditd or frps."""
    for n in (1, 1000, size):
        visit(port, n)
    for _ in range(5):
        with dial(server.http) as conn:
            conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n"
                         b"Connection: close\r\n\r\n")
            check(read_all(conn).endswith(b"\r\n\r\nhi"), "http")
        t = visit_tls(server.https, "a.test")
        equal(t.ask(), b"page", "https")
        reset(t.sock)


def adit(server, proxies, tls=None, conf=None, **transport):
    """With its defaults, but for these."""
    return Client(server, proxies, {**(conf or {}), "transport": {
        "tls": {"enable": True, **(tls or {})}, "tcpMux": True, **transport}})


# --- what both pairs do ---


class FrpcPair:
    """aditd and frpc."""

    def __init__(self, workers=1):
        self.workers = workers

    def server(self):
        return TlsServer({"workers": self.workers})

    def client(self, s, proxies):
        return frpc(s, proxies, transport={})

    def ours(self, s, _c):
        return s


class FrpsPair:
    """frps and adit."""

    def server(self):
        return Frps({})

    def client(self, s, proxies):
        return adit(s, proxies)

    def ours(self, _s, c):
        return c


def pair_cases(name, pair):
    @contextlib.contextmanager
    def both():
        with services() as (port, proxies), pair.server() as s, \
                pair.client(s, proxies) as c:
            visit(port)
            pair.ours(s, c).link = "tls-mux"
            base = levels(pair.ours(s, c))
            yield port, s, c
            settle(pair.ours(s, c), base, 40)

    @case(f"{name}: tcp, http, https; 50 MiB both ways")
    def defaults():
        with both() as (port, s, _):
            all_work(s, port, 50 << 20)

    @case(f"{name}: 200 streams at once in one session")
    def streams():
        with both() as (port, _, _):
            for _ in range(2):
                visit_at_once(port, 200, 100000)

    @case(f"{name}: a visitor that does not read stalls no other")
    def slow():
        with both() as (port, _, _):
            # The echo's answers come back to nobody, until both ways are full.
            conn, sent = dial(port, timeout=60), 0
            conn.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    sent += conn.send(os.urandom(65536))
            for _ in range(20):
                start = time.monotonic()
                visit(port, 100000)
                took = time.monotonic() - start
                check(took < 5, f"an echo took {took:.1f} s")
            conn.settimeout(60)
            while sent:
                sent -= len(conn.recv(262144))
            reset(conn)

    @case(f"{name}: the client comes back after the server was killed")
    def again():
        with services() as (port, proxies), pair.server() as s, \
                pair.client(s, proxies) as c:
            for _ in range(2):
                mark = c.mark()
                s.kill()
                s.start()
                for p in proxies:
                    c.wait_log(rf"\[{p['name']}\] start proxy success", 30,
                               since=mark)
                all_work(s, port)


pair_cases("frpc by default", FrpcPair())
pair_cases("frpc by default, 2 workers", FrpcPair(2))
pair_cases("frpc by default, 4 workers", FrpcPair(4))
pair_cases("frps by default", FrpsPair())


@case("frpc: a download that its visitor reads slowly is exact")
def slow_download():
    big, port, other = os.urandom(24 << 20), free_port(), free_port()

    def pour(conn):
        conn.sendall(big)
        conn.shutdown(socket.SHUT_WR)
    with Origin(pour) as o, Origin(echo) as e, Server() as s, frpc(s, [
            tcp("big", o, port), tcp("e", e, other)], transport={}):
        with dial(port, timeout=60) as conn:
            first = conn.recv(1)
            for _ in range(10):
                visit(other, 100000)
            equal(sha(first + read_all(conn)), sha(big), "hash")
        equal(s.counters()["mux_overflows"], 0, "mux_overflows")


@case("several frpc and adit at one aditd")
def several():
    with Origin(echo) as o, Server({"workers": 2}) as s, \
            contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(6)]
        for i, port in enumerate(ports):
            way = [{}, {"tcpMux": False}, {"tls": {"enable": False}}][i % 3]
            stack.enter_context(frpc(s, [tcp(f"t{i}", o, port)],
                                     transport=way))
        ports.append(free_port())
        stack.enter_context(adit(s, [tcp("mine", o, ports[-1])]))
        threads = [threading.Thread(target=visit, args=(
            ports[i % len(ports)], 50000)) for i in range(70)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for port in ports:
            visit(port)
        until(lambda: s.counters()["pool_visitors"] == 0, "all have gone")


# --- how frpc and adit can be set ---

OWN = certificate("client.test")
OTHER = certificate("client.test")
GIVEN = certificate("tunnel.test")


def pair_of(cert):
    return {"certFile": cert[0], "keyFile": cert[1]}


def trusting(name="tunnel.test"):
    return {"trustedCaFile": GIVEN[0], "serverName": name}


# Name: what the client's transport is, and the server's. `kept`: aditd's own
# certificate is what the client trusts.
WAYS = {
    "frp's own first byte": (
        {"tls": {"disableCustomTLSFirstByte": False}}, {}),
    "plain TLS": ({"tls": {"disableCustomTLSFirstByte": True}}, {}),
    "TLS without tcpMux": ({"tcpMux": False}, {"tcpMux": False}),
    "TLS without tcpMux, with frp's own first byte": (
        {"tcpMux": False, "tls": {"disableCustomTLSFirstByte": False}},
        {"tcpMux": False}),
    "tcpMux without TLS": ({"tls": {"enable": False}}, {}),
    "neither": ({"tls": {"enable": False}, "tcpMux": False},
                {"tcpMux": False}),
    "tls.force": ({}, {"tls": {"force": True}}),
    "a given certificate": ({}, {"tls": pair_of(GIVEN)}),
    "trustedCaFile and serverName": (
        {"tls": trusting()}, {"tls": pair_of(GIVEN)}),
    "a client's certificate": (
        {"tls": pair_of(OWN)}, {"tls": {"trustedCaFile": OWN[0]}}),
    "certificates of both": (
        {"tls": {**pair_of(OWN), **trusting()}},
        {"tls": {**pair_of(GIVEN), "trustedCaFile": OWN[0]}}),
    "certificates of both, without tcpMux": (
        {"tcpMux": False, "tls": {**pair_of(OWN), **trusting()}},
        {"tcpMux": False,
         "tls": {**pair_of(GIVEN), "trustedCaFile": OWN[0]}}),
    "poolCount 0": ({"poolCount": 0}, {}),
    "poolCount 5": ({"poolCount": 5}, {}),
    "poolCount 5 without tcpMux": (
        {"poolCount": 5, "tcpMux": False}, {"tcpMux": False}),
}

REFUSED = {
    "bare where tls.force is set": (
        {"tls": {"enable": False}}, {"tls": {"force": True}}),
    "bare and without tcpMux where tls.force is set": (
        {"tls": {"enable": False}, "tcpMux": False},
        {"tls": {"force": True}, "tcpMux": False}),
    "no certificate where one is needed": (
        {}, {"tls": {"trustedCaFile": OWN[0]}}),
    "another certificate": (
        {"tls": pair_of(OTHER)}, {"tls": {"trustedCaFile": OWN[0]}}),
    "a server that is not trusted": (
        {"tls": {"trustedCaFile": OTHER[0], "serverName": "tunnel.test"}},
        {"tls": pair_of(GIVEN)}),
    "a server of another name": (
        {"tls": trusting("other.test")}, {"tls": pair_of(GIVEN)}),
}


def both_ways(client, server):
    """What harness.Client needs to hear of frp's defaults."""
    return ({"tls": {"enable": True, **client.get("tls", {})},
             **{"tcpMux": True, **{k: v for k, v in client.items()
                                   if k != "tls"}}}, server)


def way_cases(name, client, server):
    @case(f"frpc: {name}")
    def at_aditd():
        with services() as (port, proxies), TlsServer(
                {"transport": server}) as s, frpc(
                    s, proxies, transport=client):
            all_work(s, port)

    @case(f"frps: {name}")
    def at_frps():
        ours, theirs = both_ways(client, server)
        with services() as (port, proxies), Frps(theirs) as s, \
                Client(s, proxies, {"transport": ours}):
            all_work(s, port)


def refused_cases(name, client, server):
    @case(f"frpc is refused: {name}")
    def at_aditd():
        with Server({"transport": server}) as s, frpc(
                s, [], False, transport=client) as f:
            f.wait_log(r"(?i)connect to server error|login to the server fai")
            until(lambda: s.counters()["bare_refused"] +
                  s.counters()["tls_failed"] > 0, "it is counted")
            equal(s.counters()["logins"], 0, "logins")

    @case(f"adit is refused: {name}")
    def at_frps():
        ours, theirs = both_ways(client, server)
        with Frps(theirs) as s, Client(
                s, [{"name": "t", "type": "tcp", "localPort": 1}],
                {"transport": ours}, wait=False) as c:
            c.expect_exit = 1
            c.wait_log(r"login to the server failed: ", 20)
            c.process.wait(10)
            check("transport.tls" in c.log() or "certificate" in c.log(),
                  c.log())


for _name, (_client, _server) in WAYS.items():
    way_cases(_name, _client, _server)
for _name, (_client, _server) in REFUSED.items():
    refused_cases(_name, _client, _server)


@case("frpc: aditd's kept certificate, by serverName")
def kept():
    with services() as (port, proxies), TlsServer() as s:
        path = os.path.join(s.dir, "aditd", "frp.crt")
        for name in ("localhost", "127.0.0.1", socket.gethostname()):
            with frpc(s, proxies, transport={"tls": {
                    "trustedCaFile": path, "serverName": name}}):
                all_work(s, port)
            until(lambda: s.counters()["pool_proxies"] == 0, "gone")
        with frpc(s, [], False, transport={"tls": {
                "trustedCaFile": path, "serverName": "other.test"}}) as f:
            before = s.counters()["logins"]
            f.wait_log("connect to server error")
            equal(s.counters()["logins"], before, "logins")


@case("frpc: vhostHTTPSPort is bindPort; frp's own first byte")
def one_port():
    port = free_port()
    with services() as (tcp_port, proxies), Server(
            {"bindPort": port, "vhostHTTPSPort": port}) as s:
        s.port = s.https = port
        with frpc(s, proxies, transport={"tls": {
                "disableCustomTLSFirstByte": False}}):
            all_work(s, tcp_port)


@case("frps: vhostHTTPSPort is bindPort; frp's own first byte")
def one_port_frps():
    with services() as (port, proxies), Frps({}, one_port=True) as s, \
            adit(s, proxies, {"disableCustomTLSFirstByte": False}):
        all_work(s, port)


main()

"""Unmodified frpc with aditd, and adit with unmodified frps, where they are
on PATH: bare wire v1, that is without TLS and without tcpMux."""
import os
import socket
from threading import Thread

from frpkit import Frps, frpc
from harness import (Client, Origin, Server, case, check, curl, dial, echo,
                     equal, free_port, from_two_addresses, levels, main,
                     read_all, settle, sha, until)


def carry(port, size):
    """frp closes both ways on the first end: read all before ending."""
    data, back = os.urandom(size), []
    with dial(port, timeout=60) as conn:
        t = Thread(target=conn.sendall, args=(data,))
        t.start()
        left = size
        while left:
            piece = conn.recv(262144)
            check(piece, f"ended {left} bytes early")
            back.append(piece)
            left -= len(piece)
        t.join()
    equal(sha(b"".join(back)), sha(data), "hash")


def page(conn):
    """A service of one page."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += conn.recv(65536)
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
                 b"Connection: close\r\n\r\nhello\n")


def tcp(name, o, port):
    return {"name": name, "type": "tcp", "localIP": "127.0.0.1",
            "localPort": o.port, "remotePort": port}


def http(name, o, *domains):
    return {"name": name, "type": "http", "localIP": "127.0.0.1",
            "localPort": o.port, "customDomains": list(domains)}


@case("frpc: 100 MiB both ways")
def frpc_tcp():
    port = free_port()
    with Origin(echo) as o, Server() as s, frpc(s, [tcp("t", o, port)]):
        base = levels(s)
        carry(port, 100 << 20)
        carry(port, 1)
        # A visitor's end is held for 30 s, as frpc would cut the answer.
        settle(s, base, 40)


@case("frpc: http by Host, 404 for others")
def frpc_http():
    with Origin(page) as o, Server() as s, frpc(s, [http("w", o, "t.test")]):
        url = f"http://127.0.0.1:{s.http}/"
        for _ in range(20):
            status, _, body = curl(url, "-H", "Host: t.test")
            equal((status, body), (200, b"hello\n"))
        equal(curl(url, "-H", "Host: other.test")[0], 404)


def who(conn):
    """A service that reads a PROXY header, of either version, and answers each
    request of the connection with the address."""
    data = b""
    while len(data) < 28:
        data += conn.recv(65536)
    if data.startswith(b"\r\n\r\n\0\r\nQUIT\n"):
        address = socket.inet_ntoa(data[16:20]).encode()
        data = data[16 + int.from_bytes(data[14:16], "big"):]
    else:
        line, _, data = data.partition(b"\r\n")
        address = line.split()[2]
        check(line.startswith(b"PROXY TCP4 "), line)
    while True:
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more:
                return
            data += more
        _, _, data = data.partition(b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(address), address))


@case("frpc: the address that a PROXY header says is the visitor's")
def frpc_proxy_protocol():
    for version in ("v1", "v2"):
        port = free_port()
        more = {"transport": {"proxyProtocolVersion": version}}
        with Origin(who) as o, Server() as s, frpc(s, [
                {**http("w", o, "t.test"), **more},
                {**tcp("t", o, port), **more}]):
            base = levels(s)
            for public in (s.http, port):
                from_two_addresses(public, "t.test")
            equal(o.error, None, "the service")
            # Those of one visitor served it again.
            check(s.counters()["http_reused"] > 30, "http_reused")
            settle(s, base)


@case("frpc: comes back after aditd was killed")
def frpc_reconnects():
    port = free_port()
    with Origin(echo) as o, Server() as s, frpc(s, [tcp("t", o, port)]) as f:
        mark = f.mark()
        s.restart()
        f.wait_log("start proxy success", 20, since=mark)
        carry(port, 1000)


@case("frpc: refusals in frp's words")
def frpc_refusals():
    port = free_port()
    with Origin(echo) as o, Server() as s, \
            frpc(s, [tcp("t", o, port), http("w", o, "t.test")]):
        with frpc(s, [tcp("t", o, 0)], False) as f:
            f.wait_log(r"proxy \[t\] already exists")
        with frpc(s, [tcp("u", o, port)], False) as f:
            f.wait_log("port already used")
        with frpc(s, [http("v", o, "T.TEST.")], False) as f:
            f.wait_log("router config conflict")
        with frpc(s, [], False, auth={"token": "wrong"}) as f:
            f.wait_log("token in login doesn't match token from")


@case("frpc: a control that dies takes its port along")
def frpc_killed():
    port = free_port()
    with Origin(echo) as o, Server() as s:
        base = levels(s)
        with frpc(s, [tcp("t", o, port)]) as f:
            f.kill()
        settle(s, base)
        with frpc(s, [tcp("t", o, port)]):
            carry(port, 10)


@case("frps: 100 MiB both ways")
def frps_tcp():
    port = free_port()
    with Origin(echo) as o, Frps() as s, Client(s, [tcp("t", o, port)]) as c:
        carry(port, 1)
        base = levels(c)
        carry(port, 100 << 20)
        settle(c, base)


@case("frps: http by Host")
def frps_http():
    with Origin(page) as o, Frps() as s, \
            Client(s, [http("w", o, "t.test")]):
        url = f"http://127.0.0.1:{s.http}/"
        for _ in range(20):
            status, _, body = curl(url, "-H", "Host: t.test")
            equal((status, body), (200, b"hello\n"))


@case("frps: adit comes back, with the port it was given")
def frps_reconnect():
    with Origin(echo) as o, Frps() as s, Client(s, [tcp("t", o, 0)]) as c:
        given = c.wait_log(r"remote_addr=:(\d+)").group(1)
        mark = c.mark()
        s.kill()
        s.start()
        c.wait_log(rf"remote_addr=:{given}\b", 20, since=mark)
        carry(int(given), 1000)


@case("frps: a visitor's end closes both ways, nothing is lost before")
def frps_end():
    got = []

    def serve(conn):
        got.append(read_all(conn))
    port = free_port()
    with Origin(serve) as o, Frps() as s, Client(s, [tcp("t", o, port)]):
        data = os.urandom(3 << 20)
        with dial(port) as conn:
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)
            equal(read_all(conn), b"")
        until(lambda: got, "service done")
        equal(sha(got[0]), sha(data), "hash")


main()

"""http proxies with a real nginx and curl: routing, heads, bodies, errors."""
import os
import socket
import time

from harness import (Client, Nginx, Origin, Server, case, check, curl, dial,
                     equal, free_port, levels, main, read_all, read_until,
                     request, settle, sha, until)


def http(name, port, *domains, **more):
    return {"name": name, "type": "http", "localPort": port,
            "customDomains": list(domains), **more}


class Recorder(Origin):
    """A service that keeps each connection's bytes and answers one page."""

    def __init__(self):
        self.seen = []
        super().__init__(self.answer)

    def answer(self, conn):
        data = read_until(conn, b"\r\n\r\n")
        head, _, body = data.partition(b"\r\n\r\n")
        want = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                want = int(line.split(b":")[1])
        while len(body) < want:
            body += conn.recv(65536)
        # Anything behind the request would come now.
        conn.settimeout(0.3)
        try:
            while more := conn.recv(65536):
                body += more
        except TimeoutError:
            pass
        self.seen.append((head, body))
        conn.settimeout(20)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                     b"Connection: close\r\n\r\nyes")


@case("nginx's bytes by Host, 404 for an unknown Host")
def by_host():
    small, big = b"hello\n", os.urandom(64 << 20)
    with Nginx({"index.html": small, "big": big}) as n, Server() as s, \
            Client(s, [http("web", n.port, "t.test")]):
        base = levels(s)
        url = f"http://127.0.0.1:{s.http}"
        status, head, body = curl(url + "/", "-H", "Host: t.test")
        equal((status, body), (200, small))
        check("Server: nginx" in head, head)
        for _ in range(3):
            status, _, body = curl(url + "/big", "-H", "Host: t.test")
            equal((status, sha(body)), (200, sha(big)))
        status, _, body = curl(url + "/big", "-H", "Host: t.test",
                               "-r", "1000-1999")
        equal((status, body), (206, big[1000:2000]))
        equal(curl(url + "/none", "-H", "Host: t.test")[0], 404)
        status, head, body = curl(url + "/", "-H", "Host: other.test")
        equal(status, 404)
        check("nginx" not in head.lower(), "our own 404")
        status, _, body = curl(url + "/", "-H", "Host: t.test", "-I")
        equal((status, len(body) > 0), (200, True))
        settle(s, base)


@case("host forms, wildcards and subdomains")
def routes():
    with Recorder() as a, Recorder() as b, Recorder() as c, Server() as s, \
            Client(s, [http("exact", a.port, "A.example.test"),
                       http("wild", b.port, "*.example.test"),
                       {"name": "sub", "type": "http", "localPort": c.port,
                        "subdomain": "mine"}]):
        for host, origin in [
                ("a.example.test", a), ("A.EXAMPLE.test", a),
                ("a.example.test.", a), ("a.example.test:8080", a),
                ("a.example.test.:80", a), ("b.example.test", b),
                ("x.y.example.test", b), ("mine.tunnel.test", c)]:
            before = len(origin.seen)
            status, _, body = curl(f"http://127.0.0.1:{s.http}/", "-H",
                                   f"Host: {host}")
            equal((status, body), (200, b"yes"), host)
            equal(len(origin.seen), before + 1, host)
        for host in ("example.test", "other.tunnel.test", "[::1]:80"):
            equal(curl(f"http://127.0.0.1:{s.http}/", "-H",
                       f"Host: {host}")[0], 404, host)


@case("what the service sees")
def forwarded():
    with Recorder() as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]):
        got = request(s.http, (
            b"GET http://T.test:99/a?b HTTP/1.1\r\nHost: other.test\r\n"
            b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil\r\n"
            b"X-Forwarded-Proto: https\r\nX_Forwarded_For: 8.8.8.8\r\n"
            b"X-Real-IP: 7.7.7.7\r\nForwarded: for=6.6.6.6\r\n"
            b"Connection: keep-alive, X-Mine, Cookie\r\nX-Mine: 1\r\n"
            b"Cookie: a=b\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
            b"x-Odd:  spaced \r\n\r\n"))
        check(got.startswith(b"HTTP/1.1 200 "), got)
        equal(o.seen[0][0].split(b"\r\n"), [
            b"GET /a?b HTTP/1.1", b"Host: T.test:99", b"Cookie: a=b",
            b"x-Odd: spaced", b"X-Forwarded-For: 9.9.9.9, 127.0.0.1",
            b"X-Forwarded-Host: T.test:99", b"X-Forwarded-Proto: http",
            b"Connection: close"])
        request(s.http, b"GET / HTTP/1.0\r\nHost: t.test\r\n\r\n")
        check(o.seen[1][0].startswith(b"GET / HTTP/1.1\r\n"), o.seen[1])
        equal(request(s.http, b"GET / HTTP/1.0\r\n\r\n")[:12],
              b"HTTP/1.1 404", "HTTP/1.0 without Host")


@case("bodies by length; what comes later goes nowhere")
def bodies():
    data = os.urandom(1 << 20)
    with Recorder() as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]):
        base = levels(s)
        path = os.path.join(s.dir, "body")
        with open(path, "wb") as f:
            f.write(data)
        url = f"http://127.0.0.1:{s.http}/"
        for expect in ("Expect: 100-continue", "Expect:"):
            status, _, body = curl(url, "-H", "Host: t.test", "-H", expect,
                                   "--data-binary", "@" + path,
                                   "--expect100-timeout", "0.5")
            equal((status, body), (200, b"yes"))
            equal(sha(o.seen[-1][1]), sha(data), "body")
        second = b"GET /second HTTP/1.1\r\nHost: t.test\r\n\r\n"
        for first in (b"POST / HTTP/1.1\r\nHost: t.test\r\n"
                      b"Content-Length: 5\r\n\r\n12345",
                      b"POST / HTTP/1.1\r\nHost: t.test\r\n"
                      b"Content-Length: 0\r\n\r\n",
                      b"GET / HTTP/1.1\r\nHost: t.test\r\n\r\n"):
            count = len(o.seen)
            got = request(s.http, first + second)
            equal(got.count(b"HTTP/1.1 200"), 1, "answers")
            equal(len(o.seen), count + 1, "requests")
            check(b"second" not in o.seen[-1][1] + o.seen[-1][0], o.seen[-1])
        # Later bytes in a segment of their own.
        with dial(s.http) as conn:
            conn.sendall(b"POST / HTTP/1.1\r\nHost: t.test\r\n"
                         b"Content-Length: 2\r\n\r\n1")
            time.sleep(0.1)
            conn.sendall(b"2" + second)
            equal(read_all(conn).count(b"HTTP/1.1 200"), 1)
        equal(o.seen[-1][1], b"12", "body")
        status, _, _ = curl(url, "-H", "Host: t.test", "-H",
                            "Transfer-Encoding: chunked", "-d", "x")
        equal(status, 411, "chunked")
        settle(s, base)


@case("a head that comes byte by byte")
def bytewise():
    with Recorder() as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]):
        with dial(s.http) as conn:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"POST / HTTP/1.1\r\nHost: t.test\r\n" \
                    b"Content-Length: 3\r\n\r\nabc":
                conn.sendall(bytes([byte]))
                time.sleep(0.002)
            check(read_all(conn).startswith(b"HTTP/1.1 200 "), "200")
        equal(o.seen[0][1], b"abc")


@case("custom404Page")
def page():
    path = os.path.join("/tmp", f"adit-404-{os.getpid()}.html")
    with open(path, "w") as f:
        f.write("<h1>nobody here</h1>")
    try:
        with Server({"custom404Page": path}) as s:
            status, head, body = curl(f"http://127.0.0.1:{s.http}/")
            equal((status, body), (404, b"<h1>nobody here</h1>"))
            check("text/html" in head, head)
            _, head, body = curl(f"http://127.0.0.1:{s.http}/", "-I")
            check("Content-Length: 20" in head, head)
    finally:
        os.unlink(path)


@case("503 when the service is down or says nothing")
def unavailable():
    def close(conn):
        conn.recv(1)
    with Origin(close) as o, Server({"userConnTimeout": 2}) as s, Client(s, [
            http("down", free_port(), "down.test"),
            http("mute", o.port, "mute.test")]) as c:
        base = levels(s)
        url = f"http://127.0.0.1:{s.http}/"
        equal(curl(url, "-H", "Host: down.test")[0], 503, "down")
        equal(curl(url, "-H", "Host: mute.test")[0], 503, "mute")
        settle(s, base)
        equal(s.counters()["http_503"], 2, "http_503")
        c.kill()
        until(lambda: curl(url, "-H", "Host: down.test")[0] == 404, "404")


@case("no client: 404; a proxy that leaves takes its domain along")
def comes_and_goes():
    with Recorder() as o, Server() as s:
        url = f"http://127.0.0.1:{s.http}/"
        for _ in range(3):
            equal(curl(url, "-H", "Host: t.test")[0], 404)
            with Client(s, [http("web", o.port, "t.test")]):
                equal(curl(url, "-H", "Host: t.test")[0], 200)


main()

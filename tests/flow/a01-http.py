"""http proxies with a real nginx and curl: routing, heads, bodies, errors."""
import http.server as http_server
import os
import socket
import tempfile
import threading
import time

from harness import (TEMP, Client, Nginx, Origin, Server, Skip, case, check,
                     curl, dial, equal, free_port, levels, main, read_all,
                     read_until, request, reset, settle, sha, until)
from httpkit import http


class PythonSite:
    """What stands in for nginx: files by http.server."""

    def __init__(self, files):
        folder = tempfile.mkdtemp(dir=TEMP)
        for name, data in files.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)

        class Handler(http_server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=folder)

            def log_message(self, *_):
                pass
        self.server = http_server.ThreadingHTTPServer(
            ("127.0.0.1", free_port()), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def site(files):
    """nginx where it is installed."""
    try:
        return Nginx(files)
    except Skip:
        return PythonSite(files)


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
        if b"chunked" in head.lower() and not body.endswith(b"0\r\n\r\n"):
            body += read_until(conn, b"0\r\n\r\n")
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
    with site({"index.html": small, "big": big}) as n, Server() as s, \
            Client(s, [http("web", n.port, "t.test")]):
        base = levels(s)
        url = f"http://127.0.0.1:{s.http}"
        status, head, body = curl(url + "/", "-H", "Host: t.test")
        equal((status, body), (200, small))
        real = isinstance(n, Nginx)
        check("Server: " + ("nginx" if real else "SimpleHTTP") in head, head)
        for _ in range(3):
            status, _, body = curl(url + "/big", "-H", "Host: t.test")
            equal((status, sha(body)), (200, sha(big)))
        if real:
            status, _, body = curl(url + "/big", "-H", "Host: t.test",
                                   "-r", "1000-1999")
            equal((status, body), (206, big[1000:2000]))
        equal(curl(url + "/none", "-H", "Host: t.test")[0], 404)
        status, head, body = curl(url + "/", "-H", "Host: other.test")
        equal(status, 404)
        check("nginx" not in head.lower(), "our own 404")
        # With -I curl prints the head; nothing may follow it.
        status, head, body = curl(url + "/", "-H", "Host: t.test", "-I")
        equal((status, body.partition(b"\r\n\r\n")[2]), (200, b""), "HEAD")
        check("Content-Length: 6" in head, head)
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
    with Recorder() as o, Server({"trustedProxies": []}) as s, \
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
            b"TE: trailers", b"Connection: TE"])
        request(s.http, b"GET / HTTP/1.0\r\nHost: t.test\r\n\r\n")
        check(o.seen[1][0].startswith(b"GET / HTTP/1.1\r\n"), o.seen[1])
        equal(request(s.http, b"GET / HTTP/1.0\r\n\r\n")[:12],
              b"HTTP/1.1 404", "HTTP/1.0 without Host")


@case("bodies by length; what comes later is the next request")
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
            equal(got.count(b"HTTP/1.1 200"), 2, "answers")
            equal(len(o.seen), count + 2, "requests")
            check(b"second" not in b"".join(o.seen[-2]), o.seen[-2])
            check(b"second" in o.seen[-1][0], o.seen[-1])
        # Later bytes in a segment of their own.
        with dial(s.http) as conn:
            conn.sendall(b"POST / HTTP/1.1\r\nHost: t.test\r\n"
                         b"Content-Length: 2\r\n\r\n1")
            time.sleep(0.1)
            conn.sendall(b"2" + second)
            conn.shutdown(socket.SHUT_WR)
            equal(read_all(conn).count(b"HTTP/1.1 200"), 2)
        equal(o.seen[-2][1], b"12", "body")
        status, _, _ = curl(url, "-H", "Host: t.test", "-H",
                            "Transfer-Encoding: chunked", "-d", "x")
        equal((status, o.seen[-1][1]), (200, b"1\r\nx\r\n0\r\n\r\n"))
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
            conn.shutdown(socket.SHUT_WR)
            check(read_all(conn).startswith(b"HTTP/1.1 200 "), "200")
        equal(o.seen[0][1], b"abc")


@case("a head's limits from both sides: 100 fields, 32 KiB")
def head_limits():
    start = b"GET / HTTP/1.1\r\nHost: t.test\r\n"

    def sized(size):
        fill = size - len(start) - len(b"A: \r\n\r\n")
        return start + b"A: " + b"x" * fill + b"\r\n\r\n"
    with Recorder() as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]):
        rows = [(start + b"A: b\r\n" * 99 + b"\r\n", 200, "100 fields"),
                (start + b"A: b\r\n" * 100 + b"\r\n", 431, "101 fields"),
                (sized(32768), 200, "32 KiB"), (sized(32769), 431, "more")]
        for data, status, what in rows:
            count = len(o.seen)
            got = request(s.http, data)
            check(got.startswith(b"HTTP/1.1 %d " % status),
                  f"{what}: {got[:80]!r} instead of {status}")
            equal(len(o.seen) - count, int(status == 200), what)
        equal(s.counters()["http_431"], 2, "http_431")


@case("malformed requests get 400 and reach no service")
def malformed():
    line, host = b"GET / HTTP/1.1\r\n", b"Host: t.test\r\n"
    rows = [b"nonsense\r\n\r\n", b"GET /\r\n\r\n",
            b"GET  / HTTP/1.1\r\n" + host, b"G@T / HTTP/1.1\r\n" + host,
            b"GET /a b HTTP/1.1\r\n" + host, line, line + host + host,
            line + b"Host: a b\r\n", line + host + b"A : b\r\n",
            line + host + b"A: b\r\n c\r\n", line + host + b"A: \0\r\n",
            line + host + b"A: b\n", line + host + b": b\r\n",
            line + host + b"Content-Length: -1\r\n",
            line + host + b"Content-Length: 1\r\nContent-Length: 2\r\n",
            line + host + b"Content-Length: 99999999999999999999\r\n"]
    with Recorder() as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]):
        base = levels(s)
        for data in rows:
            got = request(s.http, data + b"\r\n")
            check(got.startswith(b"HTTP/1.1 400 "),
                  f"{got[:80]!r} instead of 400 for {data!r}")
        equal(o.connections, 0, "connections to the service")
        equal(s.counters()["http_400"], len(rows), "http_400")
        settle(s, base)


@case("a response passes as it comes, and ends with its visitor")
def as_it_comes():
    gone = threading.Event()

    def serve(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        try:
            while True:
                conn.sendall(b"." * 1000)
                time.sleep(0.01)
        except OSError:
            gone.set()
    with Origin(serve) as o, Server() as s, \
            Client(s, [http("web", o.port, "t.test")]) as c:
        base, mine = levels(s), levels(c)
        conn = dial(s.http, timeout=5)
        conn.sendall(b"GET / HTTP/1.1\r\nHost: t.test\r\n\r\n")
        check(read_until(conn, b"first"), "the first bytes")
        reset(conn)
        check(gone.wait(5), "the service learns that its visitor left")
        settle(s, base)
        settle(c, mine)


@case("custom404Page")
def page():
    path = os.path.join(TEMP, "404.html")
    with open(path, "w") as f:
        f.write("<h1>nobody here</h1>")
    with Server({"custom404Page": path}) as s:
        status, head, body = curl(f"http://127.0.0.1:{s.http}/")
        equal((status, body), (404, b"<h1>nobody here</h1>"))
        check("text/html" in head, head)
        _, head, body = curl(f"http://127.0.0.1:{s.http}/", "-I")
        check("Content-Length: 20" in head, head)


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


@case("vhostHTTPTimeout: a service that does not answer in time is a 504")
def answer_timeout():
    def silent(conn):
        read_until(conn, b"\r\n\r\n")
        time.sleep(20)

    def late(conn):
        # Its head in time, when the body comes is nobody's business.
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        time.sleep(3)
        conn.sendall(b"ok")

    def upload(conn):
        # The time begins when the request is there as a whole.
        data = read_until(conn, b"end!")
        check(data.endswith(b"end!"), "the body")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with Origin(silent) as a, Origin(late) as b, Origin(upload) as u, \
            Server({"vhostHTTPTimeout": 2}) as s, Client(s, [
                http("a", a.port, "a.test"), http("b", b.port, "b.test"),
                http("u", u.port, "u.test")]):
        base = levels(s)
        for method in ("GET", "HEAD"):
            start = time.monotonic()
            answer = request(s.http, f"{method} / HTTP/1.1\r\nHost: a.test"
                             "\r\nConnection: close\r\n\r\n".encode())
            took = time.monotonic() - start
            check(answer.startswith(b"HTTP/1.1 504 "), answer[:60])
            check(1.9 < took < 10, f"after {took:.1f} s")
        answer = request(s.http, b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n")
        check(answer.endswith(b"ok"), answer[:80])
        with dial(s.http) as conn:
            conn.sendall(b"POST / HTTP/1.1\r\nHost: u.test\r\n"
                         b"Content-Length: 8\r\n\r\n")
            for part in (b"abc", b"d", b"end!"):
                time.sleep(1)
                conn.sendall(part)
            check(b" 200 " in read_until(conn, b"ok"), "the answer")
        check(s.counters()["ended_answer_timeout"] == 2, "the counter")
        settle(s, base)


main()

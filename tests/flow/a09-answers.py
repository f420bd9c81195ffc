"""aditd's own answers: pages and lines, request ids, what follows them on the
same connection; and the access log, line by line."""
import contextlib
import os
import re
import signal
import time

from harness import (TEMP, Client, Origin, Server, case, check, curl, dial, equal,
                     free_port, levels, main, read_all, settle,
                     until)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ID = re.compile(rb"[Rr]equest id:? (?:<code>)?([0-9a-f]{16})")


class Reader:
    """Responses from a connection, one after the other."""

    def __init__(self, conn):
        self.conn, self.data = conn, b""

    def until(self, what):
        while what not in self.data:
            more = self.conn.recv(65536)
            if not more:
                raise EOFError(self.data)
            self.data += more
        part, _, self.data = self.data.partition(what)
        return part

    def message(self, bodiless=False):
        """Status, fields, body."""
        first, *lines = self.until(b"\r\n\r\n").split(b"\r\n")
        fields = {k.lower(): v.strip() for k, _, v in
                  (line.partition(b":") for line in lines)}
        n = 0 if bodiless else int(fields.get(b"content-length", 0))
        while len(self.data) < n:
            self.data += self.conn.recv(65536)
        body, self.data = self.data[:n], self.data[n:]
        return int(first.split()[1]), fields, body

    def ended(self):
        return not self.data and self.conn.recv(1) == b""


def get(path="/", host="a.test", more="", method="GET", version="1.1"):
    return (f"{method} {path} HTTP/{version}\r\nHost: {host}\r\n{more}\r\n"
            .encode())


def serve(conn):
    """Any request: its path."""
    reader = Reader(conn)
    while True:
        try:
            first = reader.until(b"\r\n\r\n").split(b"\r\n")[0]
        except EOFError:
            return
        path = first.split()[1]
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(path), path))


def web(port, name="web", host="a.test", **more):
    return {"name": name, "type": "http", "localPort": port,
            "customDomains": [host], **more}


@contextlib.contextmanager
def site(conf=None, *proxies, serve=serve):
    with Origin(serve) as o, Server(conf) as s, \
            Client(s, [web(o.port), *proxies]) as c:
        yield s, c


@case("a page for browsers, a line for others, both with the request's id")
def pages():
    ids = set()
    with Server() as s:
        url = f"http://127.0.0.1:{s.http}/"
        status, head, body = curl(url, "-H", f"Accept: {BROWSER}")
        equal(status, 404)
        check("text/html" in head and "no-store" in head, head)
        check(body.startswith(b"<!DOCTYPE html>"), body[:40])
        check(b"prefers-color-scheme: dark" in body, "colors")
        check(b"aditd" not in body and b"127.0.0.1" not in body, "internals")
        ids.add(ID.search(body).group(1))
        for accept in ("*/*", "application/json", "text/html;q=0"):
            status, head, body = curl(url, "-H", f"Accept: {accept}")
            equal(status, 404)
            check("text/plain" in head and "no-store" in head, head)
            check(b"<" not in body and len(body) < 100, body)
            ids.add(ID.search(body).group(1))
        equal(len(ids), 4, "ids")
        with dial(s.http) as conn:
            r = Reader(conn)
            conn.sendall(get(method="HEAD", more=f"Accept: {BROWSER}\r\n"))
            status, fields, _ = r.message(bodiless=True)
            equal(status, 404)
            check(int(fields[b"content-length"]) > 500, fields)
            conn.sendall(b"GET / HTTP/1.1\r\nBad\r\n\r\n")
            status, fields, body = r.message()
            equal((status, fields[b"connection"]), (400, b"close"))
            check(ID.search(body), body)
            check(r.ended(), "the end")


@case("a login is asked for in frp's words")
def login():
    with site(None, web(free_port(), "shut", "shut.test", httpUser="u",
                        httpPassword="p")) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        conn.sendall(get(host="shut.test", more=f"Accept: {BROWSER}\r\n"))
        status, fields, body = r.message()
        equal((status, body), (401, b"Unauthorized\n"))
        equal(fields[b"www-authenticate"], b'Basic realm="Restricted"')
        equal(fields[b"x-content-type-options"], b"nosniff")
        equal(fields[b"content-type"], b"text/plain; charset=utf-8")
        conn.sendall(get("/after"))
        equal(r.message()[2], b"/after", "the next one")


@case("after an answer of ours the connection goes on")
def goes_on():
    with site(None, web(free_port(), "down", "down.test")) as (s, c):
        base = levels(s)
        with dial(s.http) as conn:
            r = Reader(conn)
            for host, want in (("nobody.test", 404), ("a.test", 200),
                               ("down.test", 503), ("a.test", 200)):
                conn.sendall(get("/" + host, host))
                status, fields, body = r.message()
                equal(status, want, host)
                check(b"connection" not in fields, fields)
            # All at once: answered one after the other, in order.
            conn.sendall(get("/1", "nobody.test") + get("/2") +
                         get("/3", "down.test") + get("/4", "no.test") +
                         get("/5") + get("/6", "no.test", method="HEAD"))
            have = [r.message() for _ in range(5)] + [r.message(True)]
            equal([m[0] for m in have], [404, 200, 503, 404, 200, 404])
            equal([have[1][2], have[4][2]], [b"/2", b"/5"])
            conn.sendall(get("/last", "no.test", "Connection: close\r\n"))
            status, fields, _ = r.message()
            equal((status, fields[b"connection"]), (404, b"close"))
            check(r.ended(), "the end")
        settle(s, base)


@case("it ends where nobody knows what follows, or the visitor wants it")
def ends():
    body = "Content-Length: 5\r\n"
    rows = [
        (get("/", "no.test", body) + b"12345", 404),
        (get("/", "no.test", "Transfer-Encoding: chunked\r\n", "POST") +
         b"0\r\n\r\n", 404),
        (get("/", "no.test", version="1.0"), 404),
        (get("/", "no.test", "Content-Length: 1\r\nContent-Length: 2\r\n"),
         400),
        (get("/", "no.test", "Connection: close\r\n"), 404),
        (b"BAD\r\n\r\n", 400),
        (get("/" + "x" * 33000, "no.test"), 414),
        (get("/", "no.test", "X: " + "y" * 33000 + "\r\n"), 431),
    ]
    with Server() as s:
        for request, want in rows:
            with dial(s.http) as conn:
                # What is behind it is not to be understood as a request.
                conn.sendall(request + get("/", "no.test"))
                data = read_all(conn)
                equal(data.count(b"HTTP/1.1 "), 1, str(request[:60]))
                check(data.startswith(b"HTTP/1.1 %d " % want), data[:60])
                check(b"Connection: close\r\n" in data, data)
        with dial(s.http) as conn:
            r = Reader(conn)
            for _ in range(2):
                conn.sendall(get("/", "no.test", "Connection: Keep-Alive\r\n",
                                 version="1.0"))
                equal(r.message()[1][b"connection"], b"keep-alive")


@case("vhostHTTPErrorStatus: 404 for whatever fails, as frp has it")
def error_status():
    def mute(conn):
        read_all(conn)
    with Origin(mute) as o, Server({"vhostHTTPErrorStatus": 404,
                                    "vhostHTTPTimeout": 1}) as s, \
            Client(s, [web(free_port(), "down"),
                       web(o.port, "mute", "mute.test")]), \
            dial(s.http) as conn:
        r = Reader(conn)
        for host, want in (("a.test", 404), ("no.test", 404),
                           ("mute.test", 504)):
            conn.sendall(get("/", host))
            status, _, body = r.message()
            equal(status, want, host)
            equal(body == b"", want == 504, "empty")
        equal([s.counters()[k] for k in ("http_404", "http_503")], [1, 1])


@case("custom404Page: for what fails, too, and read again when it changes")
def page():
    path = os.path.join(TEMP, "page.html")

    def write(text, to=path):
        with open(to, "w") as f:
            f.write(text)
    write("first")
    with Server({"custom404Page": path}) as s, \
            Client(s, [web(free_port(), "down")]):
        url = f"http://127.0.0.1:{s.http}/"
        down = ("-H", "Host: a.test")
        equal(curl(url)[::2], (404, b"first"))
        equal(curl(url, *down)[::2], (503, b"first"))
        # In its place, by another file, and a longer one.
        write("other")
        until(lambda: curl(url)[2] == b"other", "the change", 5)
        write("renamed", path + ".new")
        os.rename(path + ".new", path)
        until(lambda: curl(url)[2] == b"renamed", "the new file", 5)
        equal(curl(url, *down)[::2], (503, b"renamed"))
        # What cannot be read changes nothing, and is told once.
        for spoil in (lambda: None, lambda: os.mkfifo(path),
                      lambda: write("x" * 1048577)):
            since = s.mark()
            os.remove(path)
            spoil()
            s.wait_log("page stays as it was", since=since)
            time.sleep(1.2)  # until it is looked at again
            equal(s.log()[since:].count("stays as it was"), 1, "warnings")
            equal(curl(url)[::2], (404, b"renamed"))
            with contextlib.suppress(OSError):
                os.remove(path)
            write("back")
            until(lambda: curl(url)[2] == b"back", "it is back", 5)
            write("renamed")
            until(lambda: curl(url)[2] == b"renamed", "and another", 5)


@case("SIGUSR2: the log's file is opened again")
def reopen():
    with Server({"log": {"to": "d.log"}}, start=False) as s:
        s.launch()
        log = os.path.join(s.dir, "d.log")

        def holds(name, what):
            path = os.path.join(s.dir, name)
            with contextlib.suppress(OSError), open(path) as f:
                return what in f.read()
        until(lambda: holds("d.log", "started successfully"), "its start")
        os.rename(log, log + ".1")
        s.process.send_signal(signal.SIGUSR2)
        until(lambda: os.path.exists(log), "a new file")
        s.process.send_signal(signal.SIGUSR1)
        until(lambda: holds("d.log", "counters"), "what comes then")
        check(not holds("d.log.1", "counters"), "the old one is left")


main()

"""aditd's own answers: pages and lines, request ids, what follows them on the
same connection; and the access log, line by line."""
import contextlib
import datetime
import json
import os
import random
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (TEMP, Client, Origin, Server, case, check, curl, dial,
                     echo, equal, free_port, levels, main, needs, read_all,
                     read_until, request, reset, settle, until)

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

LEAVERS = int(os.environ.get("LEAVERS", "400"))
WAYS = {"done", "service_reset", "visitor_reset", "peer_closed"}


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


@case("after an answer of ours to a body that went out, too; not before")
def bodies():
    def mute(conn):
        """Hears all of a small body, the beginning of a long one."""
        read_until(conn, b"\r\n\r\nabc")
    with site(None, serve=mute) as (s, _):
        for body, more, on in ((b"abc", "Content-Length: 3\r\n", True),
                               (b"abc", "Content-Length: 9\r\n", False)):
            with dial(s.http) as conn:
                r = Reader(conn)
                conn.sendall(get(more=more, method="POST") + body)
                status, fields, _ = r.message()
                equal(status, 503)
                equal(b"connection" not in fields, on, "it goes on")
                if on:
                    conn.sendall(get("/", "no.test"))
                    equal(r.message()[0], 404, "the next one")
                else:
                    check(r.ended(), "the end")


@case("a proxy that goes while its visitors wait: they are told, and go on")
def proxy_goes():
    with logged("json") as (s, _, path):
        with Client(s, [web(free_port(), "b", "b.test")]) as c, contextlib.ExitStack() as e:
            # More visitors than idle connections, of an adit that sleeps.
            c.process.send_signal(signal.SIGSTOP)
            misses = s.counters()["pool_misses"]
            conns = [e.enter_context(dial(s.http)) for _ in range(8)]
            for conn in conns:
                conn.sendall(get("/first", "b.test"))
            until(lambda: s.counters()["pool_misses"] >= misses + 4, "waits")
            c.kill()
            for conn in conns:
                r = Reader(conn)
                status, fields, _ = r.message()
                equal((status, b"connection" in fields), (503, False))
                conn.sendall(get("/second"))
                equal(r.message()[0], 200, "the next one")
        until(lambda: len(lines(path)) == 16, "the lines")
        equal(sorted((o["target"], o["status"]) for o in objects(path)),
              [("/first", 503)] * 8 + [("/second", 200)] * 8)


@case("a drain: nobody is kept waiting for a next request")
def draining():
    first, go = threading.Event(), threading.Event()

    def slow(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        first.set()
        go.wait(20)
        conn.sendall(b"cd")
        read_all(conn)
    with site({"drainTimeout": 60}, web(free_port(), "down", "down.test"),
              serve=slow) as (s, _), dial(s.http) as conn, \
            dial(s.http) as late:
        late.sendall(b"GET / HTTP/1.1\r\nHo")
        conn.sendall(get())
        check(first.wait(10), "the response's beginning")
        # Its head has come already.
        until(lambda: s.counters()["pool_visitors"] == 2, "both")
        s.process.send_signal(signal.SIGTERM)
        s.wait_log("draining")
        late.sendall(b"st: no.test\r\n\r\n")
        status, fields, _ = Reader(late).message()
        equal((status, fields[b"connection"]), (404, b"close"))
        go.set()
        r = Reader(conn)
        equal(r.message()[2], b"abcd", "the body")
        check(r.ended(), "the end")
        late.close()
        equal(s.process.wait(10), 0, "exit code")


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
                                    "vhostHTTPTimeout": 3}) as s, \
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
        for spoil in (None, os.mkfifo, lambda new: write("x" * 1048577, new)):
            since = s.mark()
            if spoil:
                spoil(path + ".new")
                os.rename(path + ".new", path)
            else:
                os.remove(path)
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


COMBINED = re.compile(
    r'(?P<visitor>\S+) - - \[(?P<time>[^]]+)\] "(?P<line>[^"]*)" '
    r'(?P<status>\d{3}|-) (?P<bytes>\d+) "(?P<referer>[^"]*)" '
    r'"(?P<agent>[^"]*)" host="(?P<host>[^"]*)" proxy="(?P<proxy>[^"]*)" '
    r'in=(?P<in>\d+) first=(?P<first>-|\d+\.\d{6}) '
    r'total=(?P<total>\d+\.\d{6}) id=(?P<id>[0-9a-f]{16}) '
    r'reason=(?P<reason>\w+)')
KEYS = ["time", "visitor", "port", "host", "proxy", "method", "target",
        "referer", "userAgent", "protocol", "status", "in", "bytes", "first",
        "total", "id", "reason"]


def lines(path):
    """The whole lines of a file, one after the other."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
        return f.read().split(b"\n")[:-1]
    return []


def objects(path):
    found = [json.loads(line) for line in lines(path)]
    for o in found:
        equal(list(o), KEYS, "keys")
    return found


@contextlib.contextmanager
def logged(form="json", conf=None, *proxies, serve=serve):
    """Server, client, and the path of the access log."""
    with site({"accessLog": {"to": "access.log", "format": form},
               **(conf or {})}, *proxies, serve=serve) as (s, c):
        yield s, c, os.path.join(s.dir, "access.log")


waiting = threading.Event()


def play(s, path):
    """One request after the other, of every kind; how each is logged: status,
    request line, host, proxy, bytes in and out, reason."""
    needs("half-close")
    want = []
    waiting.clear()

    def told(status, line, host, proxy, n_in, n_out, reason):
        want.append((status, line, host, proxy, n_in, n_out, reason))
        until(lambda: len(lines(path)) >= len(want), line)

    def known(conn, path, host, **more):
        conn.sendall(get(path, host, **more))
    with dial(s.http) as conn:
        r = Reader(conn)
        known(conn, "/one?q", "a.test")
        r.message()
        told(200, "GET /one?q HTTP/1.1", "a.test", "web", 0, 6, "done")
        known(conn, "/no", "No.Test:80", more="X: y\r\n")
        n = len(r.message()[2])
        told(404, "GET /no HTTP/1.1", "No.Test:80", "-", 0, n, "answered")
        known(conn, "/head", "no.test", method="HEAD")
        r.message(True)
        told(404, "HEAD /head HTTP/1.1", "no.test", "-", 0, 0, "answered")
        known(conn, "/down", "down.test")
        n = len(r.message()[2])
        told(503, "GET /down HTTP/1.1", "down.test", "down", 0, n,
             "service_reset")
        known(conn, "/shut", "shut.test")
        r.message()
        told(401, "GET /shut HTTP/1.1", "shut.test", "shut", 0, 13,
             "answered")
        conn.sendall(get("/post", more="Content-Length: 3\r\n",
                         method="POST") + b"abc")
        r.message()
        told(200, "POST /post HTTP/1.1", "a.test", "web", 3, 5, "done")
        known(conn, "/cut", "a.test")
        with contextlib.suppress(OSError):
            read_all(conn)
        told(200, "GET /cut HTTP/1.1", "a.test", "web", 0, 2,
             "service_reset")
    with dial(s.http) as conn:
        known(conn, "/wait", "a.test")
        check(waiting.wait(10), "the service has it")
        reset(conn)
        told(None, "GET /wait HTTP/1.1", "a.test", "web", 0, 0,
             "visitor_reset")
    for sent, status in ((b"BAD\r\n\r\n", 400),
                         (get("/" + "x" * 33000), 414)):
        n = len(request(s.http, sent).partition(b"\r\n\r\n")[2])
        told(status, "-", "-", "-", 0, n, "answered")
    request(s.http, b"GET / HT")
    told(None, "-", "-", "-", 0, 0, "peer_closed")
    with dial(s.http) as conn:
        known(conn, "/up", "a.test", more="Connection: Upgrade\r\n"
              "Upgrade: websocket\r\n")
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"12345")
        equal(conn.recv(5), b"12345", "echo")
        conn.shutdown(socket.SHUT_WR)
        equal(read_all(conn), b"", "the end")
    told(101, "GET /up HTTP/1.1", "a.test", "web", 5, 5, "done")
    return want


def actor(conn):
    """Serves; and cuts, waits, and upgrades."""
    reader = Reader(conn)
    with contextlib.suppress(EOFError):
        while True:
            head = reader.until(b"\r\n\r\n")
            path = head.split()[1]
            if path == b"/post":
                reader.until(b"abc")
            if path == b"/cut":
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
                             b"ab")
                return
            if path == b"/wait":
                waiting.set()
                read_all(conn)
                return
            if path == b"/up":
                conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                             b"Connection: Upgrade\r\n"
                             b"Upgrade: websocket\r\n\r\n")
                echo(conn)
                return
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(path), path))


PLAYED = (web(free_port(), "down", "down.test"),
          web(free_port(), "shut", "shut.test", httpUser="u",
              httpPassword="p"))


@case("access log, json: one line a request, whatever becomes of it")
def access_json():
    with logged("json", None, *PLAYED, serve=actor) as (s, _, path):
        want = play(s, path)
        have = [(o["status"], " ".join((o["method"], o["target"],
                                        o["protocol"]))
                 if o["method"] else "-", o["host"] or "-",
                 o["proxy"] or "-", o["in"], o["bytes"], o["reason"])
                for o in objects(path)]
        for h, w in zip(have, want):
            equal(h, w, w[1])
        equal(len(have), len(want), "lines")
        for o in objects(path):
            equal(o["visitor"], "127.0.0.1")
            check(abs(datetime.datetime.fromisoformat(
                o["time"].replace("Z", "+00:00")).timestamp()
                - time.time()) < 60, o["time"])
            check(o["first"] is None or 0 <= o["first"] <= o["total"] < 20,
                  o)
        equal(len({o["id"] for o in objects(path)}), len(want), "ids")
        equal(s.counters()["access_dropped"], 0, "dropped")


@case("access log, combined: the same for programs that read Apache's")
def access_combined():
    with logged("combined", None, *PLAYED, serve=actor) as (s, _, path):
        want = play(s, path)
        have = []
        for line in lines(path):
            m = COMBINED.fullmatch(line.decode("ascii"))
            check(m, line)
            have.append((int(m["status"]) if m["status"] != "-" else None,
                         m["line"], m["host"], m["proxy"], int(m["in"]),
                         int(m["bytes"]), m["reason"]))
        for h, w in zip(have, want):
            equal(h, w, w[1])
        equal(len(have), len(want), "lines")


@case("access log: the id on the page; what a visitor sends stays in its field")
def access_escapes():
    agent = b'a"b\\c\t\xc3\xa9\xff} reason=done'
    raw = (b'GET /"\\{x}\xff HTTP/1.1\r\nHost: no.test\r\nReferer: "\r\n'
           b"User-Agent: " + agent + b"\r\nConnection: close\r\n\r\n")
    with logged("json") as (s, _, path):
        page = request(s.http, raw)
        until(lambda: lines(path), "a line")
        o, = objects(path)
        equal(o["id"], ID.search(page).group(1).decode(), "id")
        equal(o["userAgent"], 'a"b\\c\t\u00e9\u00ff} reason=done')
        equal([o["target"], o["referer"]], ['/"\\{x}\u00ff', '"'])
        # Cut where it is long, not dropped.
        request(s.http, get("/" + "y" * 5000, "no.test",
                            "Connection: close\r\n"))
        until(lambda: len(lines(path)) == 2, "the second")
        equal(objects(path)[1]["target"], "/" + "y" * 2047, "target")
    with logged("combined") as (s, _, path):
        request(s.http, raw)
        until(lambda: lines(path), "a line")
        m = COMBINED.fullmatch(lines(path)[0].decode("ascii"))
        equal(m["agent"], 'a\\x22b\\x5Cc\\x09\\xC3\\xA9\\xFF} reason=done')
        equal(m["line"], 'GET /\\x22\\x5C{x}\\xFF HTTP/1.1')


@case("access log: a request that is sent twice has one line")
def access_retry():
    """The service's connection dies while it is idle."""
    def once(conn):
        reader = Reader(conn)
        for n in range(2):
            reader.until(b"\r\n\r\n")
            if n == 1:
                return
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    # A connection waits for the next request on its worker.
    with logged("json", {"workers": 1}, serve=once) as (s, _, path):
        for n in range(3):
            equal(curl(f"http://127.0.0.1:{s.http}/{n}", "-H",
                       "Host: a.test")[0], 200)
        check(s.counters()["http_retries"] > 0, "none was sent twice")
        until(lambda: len(lines(path)) >= 3, "the lines")
        equal([(o["target"], o["status"]) for o in objects(path)],
              [(f"/{n}", 200) for n in range(3)])


def crowd(s, name, connections, each):
    """So many connections at once, each with so many requests."""
    def one(n):
        with dial(s.http) as conn:
            r = Reader(conn)
            for i in range(each):
                host = "a.test" if i % 4 else "no.test"
                conn.sendall(get(f"/{name}/{n}/{i}", host))
                equal(r.message()[0], 200 if i % 4 else 404)
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(one, range(connections)))
    return {f"/{name}/{n}/{i}" for n in range(connections)
            for i in range(each)}


@case("access log: one line a request with 2 and 4 workers, and at the end")
def access_workers():
    for workers in (2, 4):
        with logged("json", {"workers": workers}) as (s, c, path):
            want = crowd(s, "w", 16, 40)
            # Nothing is waited for: what is not written yet is at the end.
            equal(s.stop(), 0, "exit code")
            have = [o["target"] for o in objects(path)]
            equal(len(have), len(want), "lines")
            equal(set(have), want, "targets")


@case("access log: visitors that leave at any moment; no line twice, none less")
def access_leave():
    def serve_slowly(conn):
        chance = random.Random(conn.fileno())
        reader = Reader(conn)
        with contextlib.suppress(EOFError):
            while True:
                reader.until(b"\r\n\r\n")
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n"
                             b"\r\n" + b"x" * 30000)
                time.sleep(chance.random() / 50)
                if chance.random() < 0.1:
                    return
                conn.sendall(b"x" * 30000)

    def visit(s, n, heard):
        chance = random.Random(n)
        with contextlib.suppress(OSError, EOFError), dial(s.http) as conn:
            r = Reader(conn)
            for i in range(chance.randrange(1, 4)):
                path = f"/{n}/{i}"
                sent = get(path)
                conn.sendall(sent[:chance.choice([len(sent)] * 3 + [20])])
                time.sleep(chance.choice([0, 0.003, 0.02]))
                how = chance.randrange(6)
                if how == 0:
                    reset(conn)
                elif how == 1:
                    return
                elif how == 2:
                    conn.shutdown(socket.SHUT_WR)
                if r.message()[0] == 200:
                    heard.add(path)
    heard = set()
    with logged("json", {"workers": 4}, serve=serve_slowly) as (s, c, path):
        base = levels(s)
        with ThreadPoolExecutor(16) as pool:
            # How they leave is by chance, so not all ways may be among them.
            for n in range(0, 10 * LEAVERS, LEAVERS):
                list(pool.map(lambda n: visit(s, n, heard),
                              range(n, n + LEAVERS)))
                if {o["reason"] for o in objects(path)} >= WAYS:
                    break
        settle(s, base)
        counters = s.counters()
        routed = counters["http_requests"]

        def served():
            return [o for o in objects(path) if o["proxy"]]
        until(lambda: len(served()) >= routed, "the lines")
        equal(len(served()), routed, "lines")
        check(counters["visitors_moved"] > 0, "none has moved")
        targets = [o["target"] for o in served()]
        equal(len(set(targets)), len(targets), "targets")
        done = {o["target"] for o in served() if o["reason"] == "done" and
                o["bytes"] == 60000}
        check(heard <= done, heard - done)
        check(len(heard) > LEAVERS // 8, len(heard))
        reasons = {o["reason"] for o in objects(path)}
        check(reasons >= WAYS, f"none left by {WAYS - reasons}")
        equal(counters["access_dropped"], 0, "dropped")


@case("access log: SIGUSR2 after the file was renamed; no line is lost")
def access_rotate():
    with logged("json") as (s, _, path):
        want = crowd(s, "a", 4, 20)
        os.rename(path, path + ".1")
        want |= crowd(s, "b", 4, 20)
        s.process.send_signal(signal.SIGUSR2)
        until(lambda: os.path.exists(path), "a new file")
        want |= crowd(s, "c", 4, 20)

        def targets(*paths):
            return [o["target"] for p in paths for o in objects(p)]
        until(lambda: len(targets(path + ".1", path)) >= len(want), "lines")
        equal(sorted(targets(path + ".1", path)), sorted(want), "lines")
        # What was still to be written at the signal is in the new one.
        check(not any(t.startswith("/a/") for t in targets(path)), "the new one")
        # A name that cannot be opened: it goes on in the old one.
        os.rename(path, path + ".2")
        os.mkdir(path)
        s.process.send_signal(signal.SIGUSR2)
        s.wait_log("cannot be opened again")
        crowd(s, "d", 1, 1)
        until(lambda: "/d/0/0" in targets(path + ".2"), "the old one")


@case("access log: to stdout, beside the log")
def access_console():
    with site({"accessLog": {"to": "console", "format": "json"}}) as (s, _):
        want = crowd(s, "x", 4, 25)
        until(lambda: s.log().count('{"time":') >= len(want), "the lines")
        equal({json.loads(line)["target"] for line in s.log().split("\n")
               if line.startswith("{")}, want, "targets")


@case("access log: a FIFO that nobody reads; drops are counted")
def access_stuck():
    fifo = os.path.join(TEMP, "fifo")
    os.mkfifo(fifo)
    with site({"accessLog": {"to": fifo, "format": "json"},
               "workers": 1}) as (s, _):
        agent = "User-Agent: " + "u" * 500 + "\r\n"
        sent = 0
        with dial(s.http) as conn:
            r = Reader(conn)
            while not s.counters()["access_dropped"]:
                check(sent < 20000, "none was dropped")
                conn.sendall(get("/%06d" % sent + "x" * 2000, "no.test",
                                 agent) * 20)
                for _ in range(20):
                    equal(r.message()[0], 404)
                sent += 20
        dropped = s.counters()["access_dropped"]
        cpu = s.cpu()
        time.sleep(1)
        check(s.cpu() - cpu < 0.3, "it waits without turning")
        # Somebody reads at last: what was kept comes, whole.
        out, data = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), b""

        def come():
            nonlocal data
            with contextlib.suppress(BlockingIOError):
                while more := os.read(out, 65536):
                    data += more
            return data.count(b"\n") >= sent - dropped
        until(come, "what was kept", 20)
        for line in data.split(b"\n")[:-1]:
            equal(list(json.loads(line)), KEYS, "keys")
        equal(data.count(b"\n"), sent - dropped, "lines")
        request(s.http, get("/after", "no.test", "Connection: close\r\n"))
        until(lambda: come() and b"/after" in data, "it goes on")
        os.close(out)


@case("access log: a full disk is told once, and service goes on")
def access_full():
    with site({"accessLog": {"to": "/dev/full"}}) as (s, _):
        crowd(s, "x", 4, 25)
        s.wait_log("lines are dropped")
        crowd(s, "y", 4, 25)
        until(lambda: s.counters()["access_dropped"] == 200, "counted")
        equal(s.log().count("lines are dropped"), 1, "told")
    with Server({"accessLog": {"to": "/dev/null/log"}}, start=False) as s:
        s.expect_exit = 1
        s.launch()
        s.process.wait(10)
        check("accessLog.to /dev/null/log: Not a directory" in s.log(), s.log())


main()

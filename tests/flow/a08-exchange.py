"""HTTP exchanges: many requests a connection, each by its own Host; bodies of
every framing; what a service answers wrong; who may serve whom afterwards."""
import contextlib
import os
import random
import socket
import threading
import time

from harness import (Client, Origin, Server, case, check, dial, equal, levels,
                     main, read_until, reset, settle, sha, until)
from httpkit import Reader, Site, ended, get, http, tunnel


@case("requests of one connection, each by its own Host")
def keep_alive():
    a, b = Site(b"a"), Site(b"b")
    with tunnel(a, b) as (s, c):
        base, mine = levels(s), levels(c)
        with dial(s.http) as conn:
            r = Reader(conn)
            for i in range(20):
                host = (b"a.test", b"b.test")[i % 2]
                conn.sendall(get(b"/%d" % i, host))
                line, fields, body = r.message()
                equal((line, body), (b"HTTP/1.1 200 OK", b"%s/%d" %
                                     (host[:1], i)))
                check((b"connection", b"close") not in fields, fields)
                check(any(k == b"date" for k, _ in fields), "Date")
        equal((a.connections, b.connections), (1, 1), "service connections")
        check(s.counters()["http_reused"] >= 18, "http_reused")
        # Idle ones end after 4 s.
        settle(s, base, 8)
        settle(c, mine)


@case("pipelined requests are answered in order")
def pipelined():
    a, b = Site(b"a"), Site(b"b")
    with tunnel(a, b) as (s, _), dial(s.http) as conn:
        order = [(random.choice([b"a.test", b"b.test"]), b"/%d" % i)
                 for i in range(200)]
        data = b"".join(get(path, host) for host, path in order)
        sender = threading.Thread(target=conn.sendall, args=(data,))
        sender.start()
        r = Reader(conn)
        for host, path in order:
            equal(r.message()[2], host[:1] + path)
        sender.join()
        # One that closes: what follows is nobody's.
        conn.sendall(get(b"/last", more=b"Connection: close\r\n")
                     + get(b"/never"))
        line, fields, body = r.message()
        equal(body, b"a/last")
        check((b"connection", b"close") in fields, fields)
        equal(ended(conn), b"")
        check(all(x[1].split()[1] != b"/never" for x in a.seen), "discarded")


@case("after a malformed request one answer, then the end")
def malformed_second():
    a = Site()
    with tunnel(a) as (s, _), dial(s.http) as conn:
        conn.sendall(get(b"/1") + b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"
                     + get(b"/2"))
        r = Reader(conn)
        equal(r.message()[2], b"a/1")
        check(r.message()[0].startswith(b"HTTP/1.1 400 "), "400")
        equal(r.message(), None)
        equal(len(a.seen), 1)


@case("chunked requests are passed on chunk by chunk, and checked")
def chunked_requests():
    a = Site()
    data = os.urandom(300000)
    with tunnel(a) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        post = get(b"/up", method=b"POST",
                   more=b"Transfer-Encoding: chunked\r\n")
        conn.sendall(post + b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n"
                     + get(b"/next"))
        equal(r.message()[2], b"a/up")
        equal(r.message()[2], b"a/next")
        equal(a.seen[0][3], b"hello")
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (
            data[i:i + n] for i, n in ((0, 1), (1, 99999), (100000, 200000)))
            if p) + b"0\r\n\r\n"
        sender = threading.Thread(target=conn.sendall, args=(post + body,))
        sender.start()
        equal(r.message()[2], b"a/up")
        sender.join()
        equal(sha(a.seen[-1][3]), sha(data), "body")
        # Byte by byte.
        for byte in post + b"003\r\nabc\r\n0\r\n\r\n":
            conn.sendall(bytes([byte]))
        equal(r.message()[2], b"a/up")
        equal(a.seen[-1][3], b"abc")
        count = len(a.seen)
        conn.sendall(post + b"0x5\r\nhello\r\n0\r\n\r\n")
        check(r.message()[0].startswith(b"HTTP/1.1 400 "), "400")
        equal(len(a.seen), count, "a malformed body is no request")


RESPONSES = [  # what the service says, the status, the body, goes on
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"2;e\r\nab\r\n1\r\nc\r\n0\r\nT: x\r\n\r\n", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
     200, b"abc", True),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", 204, b"", True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", 304, b"",
     True),
    (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\nabc", 200,
     b"abc", True),
    (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
     200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 3"
     b"\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
     b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
     502, None, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", 502, None, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 502,
     None, False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 502,
     None, False),
    (b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", 502, None, False),
    (b"ICY 200 OK\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 099 Low\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 1000 High\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
     b"Connection: Upgrade\r\n\r\n", 502, None, False),
    (b"HTTP/1.1 103 Hints\r\n\r\n" * 17, 502, None, False),
    (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 66000 + b"\r\n\r\n", 502, None,
     False),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 201 + b"\r\n", 502, None, False),
]


@case("what services answer: passed, mended, or 502")
def responses():
    a = Site()
    with tunnel(a) as (s, _):
        base = levels(s)
        for i, (raw, status, body, on) in enumerate(RESPONSES):
            for pieces in (False, True):
                def say(conn, _, raw=raw, pieces=pieces):
                    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for at in range(0, len(raw), 7 if pieces else len(raw)):
                        conn.sendall(raw[at:at + (7 if pieces else len(raw))])
                    # Those of HTTP/1.0 and with faults are not used again.
                    return b"HTTP/1.0" not in raw
                if pieces and len(raw) > 2000:
                    continue
                a.answers[b"/x"] = say
                with dial(s.http) as conn:
                    conn.sendall(get(b"/x"))
                    r = Reader(conn)
                    while (m := r.message())[0].startswith(b"HTTP/1.1 10"):
                        pass
                    equal(int(m[0].split()[1]), status, f"row {i}: {raw!r}")
                    if body is not None:
                        equal(m[2], body, f"row {i}: {raw!r}")
                    if on or status == 502:
                        conn.sendall(get(b"/after"))
                        equal(r.message()[2], b"a/after", f"row {i}: {raw!r}")
                    else:
                        equal(ended(conn), b"", f"row {i}: {raw!r}")
        settle(s, base, 8)
        check(s.counters()["http_502"] >= 20, "http_502")


@case("a body whose end is the connection's, and one that is cut")
def ends():
    a = Site()
    a.answers[b"/close"] = lambda conn, _: (conn.sendall(
        b"HTTP/1.1 200 OK\r\n\r\nall of it"), False)[1]

    def cut(conn, _, head=b"Content-Length: 100\r\n\r\npart", cutting=False):
        conn.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        time.sleep(0.2)
        if cutting:
            reset(conn)
        return False
    a.answers[b"/short"] = cut
    a.answers[b"/reset"] = lambda conn, r: cut(conn, r, cutting=True)
    a.answers[b"/chunks"] = lambda conn, r: cut(
        conn, r, b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
    a.answers[b"/bad"] = lambda conn, r: cut(
        conn, r, b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\nxx\r\n")
    a.answers[b"/until"] = lambda conn, r: cut(conn, r, b"\r\npart",
                                               cutting=True)
    with tunnel(a) as (s, _):
        with dial(s.http) as conn:
            conn.sendall(get(b"/close"))
            line, fields, body = Reader(conn).message()
            equal(body, b"all of it")
            check((b"connection", b"close") in fields, fields)
        for path in (b"/short", b"/reset", b"/chunks", b"/bad", b"/until"):
            with dial(s.http) as conn:
                conn.sendall(get(path))
                got = b""
                try:
                    while data := conn.recv(1000):
                        got += data
                    check(False, f"{path}: a clean end after {got!r}")
                except ConnectionResetError:
                    check(b"part" in got or path == b"/bad",
                          f"{path}: {got!r}")


@case("HTTP/1.0 visitors")
def old_visitors():
    a = Site()
    a.answers[b"/chunks"] = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                             b"\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    a.answers[b"/hints"] = (b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n"
                            b"Content-Length: 0\r\n\r\n")
    with tunnel(a) as (s, _):
        with dial(s.http) as conn:
            conn.sendall(get(b"/1", version=b"1.0"))
            line, fields, body = Reader(conn).message()
            equal(body, b"a/1")
            check((b"connection", b"close") in fields, fields)
            equal(ended(conn), b"")
        with dial(s.http) as conn:
            r = Reader(conn)
            alive = b"Connection: keep-alive\r\n"
            for path in (b"/1", b"/2"):
                conn.sendall(get(path, version=b"1.0", more=alive))
                line, fields, body = r.message()
                equal(body, b"a" + path)
                check((b"connection", b"keep-alive") in fields, fields)
            conn.sendall(get(b"/hints", version=b"1.0", more=alive))
            check(r.message()[0].startswith(b"HTTP/1.1 200"), "no 1xx")
            conn.sendall(get(b"/chunks", version=b"1.0", more=alive))
            line, fields, body = r.message()
            equal((body, dict(fields).get(b"transfer-encoding")),
                  (b"abcde", None))


@case("an answer before the request's end: passed on, then the end")
def early():
    a = Site()

    def serve(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n"
                     b"Connection: close\r\n\r\nbig")
        conn.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while conn.recv(65536):
                pass
    with Origin(serve) as o, Server() as s, Client(s, [
            http("web", o.port, "a.test")]):
        base = levels(s)
        for more in (b"Content-Length: 100000000\r\n",
                     b"Transfer-Encoding: chunked\r\n"):
            with dial(s.http) as conn:
                conn.sendall(get(b"/", method=b"POST", more=more))
                chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
                with contextlib.suppress(OSError):
                    for _ in range(20):
                        conn.sendall(chunk)
                line, fields, body = Reader(conn).message()
                equal((line, body), (b"HTTP/1.1 413 Too Large", b"big"))
                check((b"connection", b"close") in fields, fields)
        settle(s, base, 10)


@case("Expect: 100-continue is the service's to answer")
def expect():
    a = Site()

    def serve(conn):
        r = Reader(conn)
        while head := r.head():
            fields = dict(head[1])
            if fields.get(b"expect") == b"100-continue":
                conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = r.take(int(fields.get(b"content-length", 0)))
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
    with Origin(serve) as o, Server() as s, Client(s, [
            http("web", o.port, "a.test")]), dial(s.http) as conn:
        r = Reader(conn)
        for _ in range(3):
            conn.sendall(get(b"/", method=b"POST", more=b"Content-Length: 4"
                             b"\r\nExpect: 100-continue\r\n"))
            equal(r.head()[0], b"HTTP/1.1 100 Continue")
            conn.sendall(b"body")
            equal(r.message()[2], b"body")
        # Without a body it means nothing.
        conn.sendall(get(b"/", more=b"Expect: 100-continue\r\n"))
        equal(r.message()[2], b"")


@case("HEAD, and bodies with methods that have none")
def no_bodies():
    a = Site()
    a.answers[b"/h"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with tunnel(a) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        for _ in range(3):
            conn.sendall(get(b"/h", method=b"HEAD"))
            line, fields, _ = r.message(bodiless=True)
            equal(dict(fields)[b"content-length"], b"1000")
        conn.sendall(get(b"/x", more=b"Content-Length: 3\r\n") + b"abc"
                     + get(b"/y"))
        equal((r.message()[2], r.message()[2]), (b"a/x", b"a/y"))
        equal(a.seen[-2][3], b"abc")


@case("a dead idle connection: sent again, once, if it may be")
def retry():
    a = Site()
    with tunnel(a) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        for i in range(5):
            a.answers[b"/end"] = lambda c, _: (c.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), False)[1]
            conn.sendall(get(b"/end"))
            equal(r.message()[2], b"")
            # It has ended by now, or ends while the next one is sent.
            conn.sendall(get(b"/%d" % i))
            equal(r.message()[2], b"a/%d" % i)
        # It dies with the request in its hands, again and again.
        a.answers[b"/die"] = lambda c, _: False
        conn.sendall(get(b"/die"))
        check(r.message()[0].startswith(b"HTTP/1.1 503 "), "503")
        equal(sum(x[1].split()[1] == b"/die" for x in a.seen), 2)


@case("first requests that meet dead idle connections, on four workers")
def first_retry():
    a = Site()
    a.answers[b"/end"] = lambda c, _: (c.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), False)[1]
    with tunnel(a, conf={"workers": 4}) as (s, c):
        base, mine = levels(s), levels(c)

        def visit():
            for _ in range(50):
                with dial(s.http) as conn:
                    conn.sendall(get(b"/end"))
                    equal(Reader(conn).message()[0], b"HTTP/1.1 200 OK")
        threads = [threading.Thread(target=visit) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(sum(x[1].split()[1] == b"/end" for x in a.seen) >= 400, True)
        settle(s, base, 10)
        settle(c, mine, 10)


@case("a POST is not sent twice, nor on a connection of others")
def not_twice():
    a = Site()
    a.answers[b"/die"] = lambda c, _: False
    with tunnel(a) as (s, _):
        with dial(s.http) as conn:
            conn.sendall(get(b"/1"))
            Reader(conn).message()
        with dial(s.http) as conn:
            conn.sendall(get(b"/die", method=b"POST",
                             more=b"Content-Length: 1\r\n") + b"x")
            equal(Reader(conn).message()[0][:12], b"HTTP/1.1 503")
        equal(sum(x[1].split()[1] == b"/die" for x in a.seen), 1)
        equal(a.seen[-1][0], 2, "a connection of its own")


@case("bytes that nobody asked for are nobody's answer")
def strike():
    a = Site()
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def say(conn, _):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + evil)

    def later(conn, _):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        time.sleep(0.1)
        conn.sendall(evil)
    for answer in (say, later):
        a = Site()
        a.answers[b"/x"] = answer
        with tunnel(a) as (s, _):
            for _ in range(5):
                with dial(s.http) as conn:
                    conn.sendall(get(b"/x"))
                    equal(Reader(conn).message()[2], b"ok")
                if answer is later:
                    until(lambda: s.counters()["http_strikes"] > 0, "strikes")
                with dial(s.http) as conn:
                    conn.sendall(get(b"/probe"))
                    equal(Reader(conn).message()[2], b"a/probe")
            check(s.counters()["http_strikes"] > 0, "http_strikes")
    # From then on none are kept.
    a = Site()
    a.answers[b"/x"] = say
    with tunnel(a) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        conn.sendall(get(b"/x"))
        equal(r.message()[2], b"ok")
        for i in range(2, 5):
            conn.sendall(get(b"/probe"))
            equal((r.message()[2], a.connections), (b"a/probe", i))


@case("an interim response that was mended ends its connection, too")
def mended_interim():
    a = Site()
    a.answers[b"/x"] = (b"HTTP/1.1 103 Hints\n\nHTTP/1.1 200 OK\r\n"
                        b"Content-Length: 2\r\n\r\nok")
    with tunnel(a) as (s, _), dial(s.http) as conn:
        r = Reader(conn)
        conn.sendall(get(b"/x"))
        equal((r.head()[0], r.message()[2]), (b"HTTP/1.1 103 Hints", b"ok"))
        conn.sendall(get(b"/probe"))
        equal((r.message()[2], a.connections), (b"a/probe", 2))


@case("a login, a Host of its own, and fields that are set")
def terms():
    a = Site()
    a.answers[b"/own"] = (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                          b"X-Frame: theirs\r\nServer: x\r\n\r\n")
    import base64
    good = base64.b64encode(b"user:pass:word")
    with a, Server() as s, Client(s, [http(
            "web", a.port, "a.test", httpUser="user",
            httpPassword="pass:word", hostHeaderRewrite="inner.test:81",
            requestHeaders={"set": {"X-From": "tunnel", "Host": "no",
                                    "X-Forwarded-Proto": "https"}},
            responseHeaders={"set": {"X-Frame": "ours"}})]):
        for login in (b"", b"Authorization: Basic dXNlcjpwYXNz\r\n",
                      b"Authorization: Bearer " + good + b"\r\n",
                      b"Authorization: Basic " + good[:-1] + b"\r\n"):
            with dial(s.http) as conn:
                conn.sendall(get(b"/", more=login))
                line, fields, body = Reader(conn).message()
                equal(line, b"HTTP/1.1 401 Unauthorized", login)
                equal(dict(fields)[b"www-authenticate"],
                      b'Basic realm="Restricted"')
        with dial(s.http) as conn:
            conn.sendall(get(b"/", more=b"Authorization: Basic x\r\n" * 2))
            check(Reader(conn).message()[0].startswith(b"HTTP/1.1 400"),
                  "two logins")
        with dial(s.http) as conn:
            conn.sendall(get(b"http://a.test/", more=b"Authorization: Basic "
                             + good + b"\r\n"))
            check(Reader(conn).message()[0].startswith(b"HTTP/1.1 407"),
                  "asked as a proxy")
        equal(a.seen, [], "requests at the service")
        with dial(s.http) as conn:
            r = Reader(conn)
            conn.sendall(get(b"/own", more=b"authorization: bAsIc   " + good
                             + b"\r\nX-From: me\r\n"))
            line, fields, body = r.message()
            equal([v for k, v in fields if k == b"x-frame"], [b"ours"])
            equal(dict(fields)[b"server"], b"x")
        fields = a.seen[0][2]
        equal([v for k, v in fields if k == b"host"], [b"inner.test:81"])
        equal([v for k, v in fields if k == b"x-from"], [b"tunnel"])
        equal([v for k, v in fields if k == b"x-forwarded-proto"],
              [b"https"])
        equal(dict(fields)[b"x-forwarded-host"], b"a.test")
        check(b"authorization" in dict(fields), "it is passed on")


@case("no visitor of a domain reaches who had it before")
def owner_change():
    old, new = Site(b"old"), Site(b"new")
    with old, new, Server() as s:
        for site in (old, new) * 5:
            with Client(s, [http("web", site.port, "a.test")]):
                with dial(s.http) as conn:
                    r = Reader(conn)
                    for _ in range(3):
                        conn.sendall(get(b"/"))
                        equal(r.message()[2], site.name + b"/")


@case("visitors that go in the middle leave nothing behind")
def visitors_go():
    a = Site()
    a.answers[b"/slow"] = lambda conn, r: (time.sleep(0.3), conn.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))[1]
    a.answers[b"/big"] = (b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n"
                          b"\r\n" + b"x" * 8000000)
    with tunnel(a) as (s, c):
        base, mine = levels(s), levels(c)
        for way in (reset, lambda v: v.close()):
            for data in (get(b"/slow"), get(b"/big"), get(b"/1")[:-5],
                         get(b"/up", method=b"POST",
                             more=b"Content-Length: 100\r\n") + b"part"):
                v = dial(s.http)
                v.sendall(data)
                time.sleep(0.05)
                way(v)
        settle(s, base, 10)
        settle(c, mine, 10)
        with dial(s.http) as conn:
            conn.sendall(get(b"/1"))
            equal(Reader(conn).message()[2], b"a/1")


@case("a FIN after a request is no abort")
def half_close():
    a = Site()
    a.answers[b"/slow"] = lambda conn, r: (time.sleep(0.5), conn.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow"))[1]
    with tunnel(a) as (s, _), dial(s.http) as conn:
        conn.sendall(get(b"/1") + get(b"/slow"))
        conn.shutdown(socket.SHUT_WR)
        r = Reader(conn)
        equal((r.message()[2], r.message()[2], r.message()),
              (b"a/1", b"slow", None))


@case("visitors that are silent: between requests, in a body, reading nothing")
def silence():
    a = Site()
    a.answers[b"/big"] = (b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n"
                          b"\r\n" + b"x" * 40000000)
    a.answers[b"/slow"] = lambda conn, r: (time.sleep(3), conn.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow"))[1]
    short = {"http": {"idleTimeout": 1, "bodyTimeout": 1, "stallTimeout": 1}}
    with tunnel(a, conf=short) as (s, c):
        base, mine = levels(s), levels(c)
        with dial(s.http) as conn:
            start = time.monotonic()
            conn.sendall(get(b"/1"))
            r = Reader(conn)
            equal(r.message()[2], b"a/1")
            equal(ended(conn), b"")
            check(0.9 < time.monotonic() - start < 10, "idleTimeout")
        for data in (b"Content-Length: 10\r\n", b"Transfer-Encoding: "
                     b"chunked\r\n"):
            with dial(s.http) as conn:
                conn.sendall(get(b"/up", method=b"POST", more=data) + b"5\r\n")
                equal(Reader(conn).message()[0][:12], b"HTTP/1.1 408")
        # One that goes on, slowly, is not silent; nor is a slow service.
        with dial(s.http) as conn:
            conn.sendall(get(b"/slow", method=b"POST",
                             more=b"Content-Length: 20\r\n"))
            for _ in range(20):
                time.sleep(0.15)
                conn.sendall(b"x")
            equal(Reader(conn).message()[2], b"slow")
        with dial(s.http) as conn:
            conn.sendall(get(b"/big"))
            time.sleep(4)
            try:
                while conn.recv(1 << 20):
                    pass
                check(False, "a visitor that took nothing: a clean end")
            except ConnectionResetError:
                pass
        settle(s, base, 10)
        settle(c, mine, 10)


@case("a visitor that ended its side and hears nothing for 30 s is gone")
def abandoned():
    a, gone = Site(), []

    def never(conn, _):
        conn.settimeout(60)
        try:
            gone.append(conn.recv(1))
        except OSError as e:
            gone.append(e)
        return False
    a.answers[b"/never"] = never
    with tunnel(a) as (s, _), dial(s.http) as conn:
        base = levels(s)
        start = time.monotonic()
        conn.sendall(get(b"/never"))
        conn.shutdown(socket.SHUT_WR)
        until(lambda: gone, "the service hears of it", 45)
        check(29 < time.monotonic() - start < 40,
              f"after {time.monotonic() - start:.0f} s")
        settle(s, base)


@case("a drain: idle visitors end, running exchanges finish")
def drain():
    a = Site()
    go = threading.Event()
    a.answers[b"/slow"] = lambda conn, r: (go.wait(20), conn.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow"))[1]
    with tunnel(a) as (s, _):
        idle, busy = dial(s.http), dial(s.http)
        idle.sendall(get(b"/1"))
        equal(Reader(idle).message()[2], b"a/1")
        busy.sendall(get(b"/slow"))
        until(lambda: len(a.seen) == 2, "the request is there")
        s.process.terminate()
        equal(ended(idle), b"")
        go.set()
        line, fields, body = Reader(busy).message()
        equal(body, b"slow")
        check((b"connection", b"close") in fields, fields)
        equal(s.process.wait(10), 0, "exit code")


@case("a drain: what a slow visitor was sent arrives, though aditd has ended")
def drain_slow():
    a, big = Site(), b"0123456789abcdef" * 32768
    a.answers[b"/big"] = lambda conn, r: conn.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(big) + big)
    with tunnel(a) as (s, _), socket.socket() as slow:
        # It takes little; the rest is the kernel's.
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(20)
        slow.connect(("127.0.0.1", s.http))
        slow.sendall(get(b"/big", more=b"Connection: close\r\n"))
        until(lambda: s.counters()["pool_visitors"] == 0, "all is sent")
        s.process.terminate()
        equal(s.process.wait(10), 0, "exit code")
        check(Reader(slow).message()[2] == big, "the body")


@case("500 visitors at once, each gets its own answers")
def crowd():
    a, b = Site(b"a"), Site(b"b")
    a.listener.listen(2000)
    b.listener.listen(2000)
    failures = []

    def visit(i):
        try:
            with dial(s.http) as conn:
                r = Reader(conn)
                for k in range(6):
                    host = (b"a.test", b"b.test")[(i + k) % 2]
                    path = b"/%d-%d" % (i, k)
                    conn.sendall(get(path, host))
                    equal(r.message()[2], host[:1] + path)
        except Exception as e:
            failures.append(e)
    with tunnel(a, b) as (s, c):
        base, mine = levels(s), levels(c)
        threads = [threading.Thread(target=visit, args=(i,))
                   for i in range(500)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(failures, [])
        print(f"# {a.connections + b.connections} service connections for "
              "3000 requests")
        settle(s, base, 15)
        settle(c, mine, 15)


main()

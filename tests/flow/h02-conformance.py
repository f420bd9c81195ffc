"""The rules that aditd keeps between visitors and services: one row each."""
import base64
import contextlib
import functools
import socket
import threading
import time

from conformance import (House, Room, ask, closing, early, main, ok, passed,
                         refused, room, row, said, status, the_world, visitor)
from frp import FrpClient
from harness import (TOKEN, Client, Server, check, dial, equal, one_of, reset,
                     until)
from httpkit import Reader, Site, ended, get, http

CH = b"Transfer-Encoding: chunked\r\n"
WS = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + WS + b"\r\n"


def strikes():
    return the_world().server.counters()["http_strikes"]


def serves(r, *requests, same):
    """Two visitors, one after the other: whether one connection serves both."""
    for data in requests:
        with visitor() as (conn, reader):
            conn.sendall(data)
            reader.message(bodiless=data.startswith(b"HEAD"))
        came = time.monotonic()
        with visitor() as (conn, reader):
            conn.sendall(ask(r, b"/next"))
            reader.message()
        have = r.connections[-1] == r.connections[-2]
        # Idle ones end after 4 s; a machine may be that busy.
        if have or time.monotonic() - came < 3:
            equal(have, same, f"one connection after {data[:100]!r}")


gone_after = []  # what rule 20 has to wait for begins with the first row


def begin_silence():
    """A visitor that ends its side and hears nothing; when its service does."""
    r, begin = room(own=True), time.monotonic()
    conn = dial(the_world().server.http, timeout=60)

    def never(service, *_):
        service.settimeout(60)
        with contextlib.suppress(OSError):
            service.recv(1)
        gone_after.append(time.monotonic() - begin)
        conn.close()
        return False
    r.answer = never
    conn.sendall(ask(r))
    conn.shutdown(socket.SHUT_WR)
    return True


silence_begun = functools.cache(begin_silence)


# --- 1: the reuse gate ---

@row("rule 1", "a whole exchange leaves its connection to another visitor")
def gate_open():
    silence_begun()
    r = room(own=True)
    for answer in (ok(), b"HTTP/1.1 204 No\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n1\r\nx\r\n0\r\n\r\n"):
        r.answer = answer
        serves(r, ask(r), ask(r, method=b"POST", body=b"hi",
                              more=b"Content-Length: 2\r\n"), same=True)
    r.answer = ok(b"")
    serves(r, ask(r, method=b"HEAD"), same=True)


@row("rule 1", "a service that closes, by its word or its version, does not")
def gate_close():
    r = room(own=True)
    for answer in (ok(more=b"Connection: close\r\n"),
                   ok().replace(b"1.1", b"1.0"),
                   b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"):
        r.answer = answer
        serves(r, ask(r), same=False)


@row("rule 1", "a request that was not written to its end does not")
def gate_unwritten():
    r = room(own=True)
    r.answer = early(lambda conn, reader, m: conn.sendall(ok(status=b"413 x")))
    with visitor() as (conn, reader):
        conn.sendall(ask(r, method=b"POST", more=b"Content-Length: 9\r\n"))
        equal(reader.message()[0], b"HTTP/1.1 413 x")
    until(lambda: r.ended, "the service's connection ends", 3)


@row("rule 1", "an offered upgrade does not")
def gate_upgrade():
    r = room(own=True)
    r.answer = ok()
    serves(r, ask(r, more=WS), same=False)


@row("rule 1", "after a body of GET, HEAD, OPTIONS or DELETE it is this "
     "visitor's only")
def gate_body():
    r = room(own=True)
    r.answer = ok(b"")
    for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE"):
        data = ask(r, method=method, more=b"Content-Length: 2\r\n",
                   body=b"hi")
        serves(r, data, same=False)
        with visitor() as (conn, reader), visitor() as (other, second):
            conn.sendall(data)
            reader.message(bodiless=method == b"HEAD")
            mine = r.connections[-1]
            other.sendall(ask(r))
            second.message()
            check(r.connections[-1] != mine, "another visitor has it")
            conn.sendall(ask(r))
            reader.message()
            equal(r.connections[-1], mine, "its own connection")


# --- 2: bytes that nobody asked for ---

@row("rule 2", "bytes on an idle connection end it, count, and nothing is "
     "kept from then on")
def strike_idle():
    for late in (ok(b"evil"), b"x", b"HTTP/1.1 408 Request Timeout\r\n"
                 b"Connection: close\r\nContent-Length: 0\r\n\r\n"):
        strike_by(late)


def strike_by(late):
    r = room(own=True)
    before = strikes()

    def evil(conn, *_):
        conn.sendall(ok())
        time.sleep(0.1)
        conn.sendall(late)
    r.answer = evil
    with visitor() as (conn, reader):
        conn.sendall(ask(r))
        equal(reader.message()[2], b"ok")
        until(lambda: r.ended, "the service's connection ends", 3)
        equal(strikes(), before + 1, "http_strikes")
        r.answer = ok(b"good")
        for n in range(2):
            conn.sendall(ask(r))
            equal(reader.message()[2], b"good")
    equal(len(set(r.connections)), 3, "connections")


@row("rule 2", "bytes behind a response are a strike, and nobody's")
def strike_surplus():
    r = room(own=True)
    before = strikes()
    r.answer = ok() + ok(b"evil")
    with visitor() as (conn, reader):
        conn.sendall(ask(r))
        equal(reader.message()[2], b"ok")
        r.answer = ok(b"good")
        for n in range(2):
            conn.sendall(ask(r))
            equal(reader.message()[2], b"good")
    equal(strikes(), before + 1, "http_strikes")
    equal(len(set(r.connections)), 3, "connections")


@row("rule 2", "a strike is known to all workers")
def strike_everywhere():
    with House() as o, Server({"workers": 4}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")

        def shared():
            """Whether one of many visitors meets a connection twice."""
            count = len(r.seen)
            for _ in range(12):
                with visitor(s) as (conn, reader):
                    for _ in range(2):
                        conn.sendall(get(b"/"))
                        reader.message()
            return len(set(r.connections[count:])) < 24
        check(shared(), "before")
        r.answer = ok() + ok(b"evil")
        said(get(b"/"), s)
        r.answer = None
        until(lambda: not shared(), "nothing is shared")


@row("rule 2", "the end of an idle connection is its end, and no strike")
def idle_eof():
    r = room(own=True)
    before = strikes()
    r.answer = closing(ok())
    said(ask(r))
    until(lambda: r.ended, "the service's connection ends", 3)
    r.answer = None
    equal(passed(r, ask(r))[0] != r.connections[0], True, "a new one")
    equal(strikes(), before, "http_strikes")


# --- 3: whose an idle connection is ---

@row("rule 3", "who registers a domain anew is never reached by an idle "
     "connection of the owner before")
def owner():
    old, new = Site(b"old"), Site(b"new")
    with old, new, Server() as s:
        for site in (old, new, old, new):
            with Client(s, [http("web", site.port, "a.test")]), \
                    dial(s.http) as conn:
                r = Reader(conn)
                for _ in range(2):
                    conn.sendall(get(b"/"))
                    equal(r.message()[2], site.name + b"/")


@row("rule 3", "CloseProxy ends the idle ones; an exchange that runs goes on")
def close_proxy():
    there, go, gone = (threading.Event() for _ in range(3))

    def serve(sock, start, data):
        head = data or b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(65536)
        if b"/slow" in head:
            there.set()
            go.wait(20)
        sock.sendall(ok())
        if sock.recv(1) == b"" and b"/idle" in head:
            gone.set()
    with Server() as s, FrpClient(s.port, TOKEN, serve=serve) as c:
        c.login(pool_count=2)
        equal(c.new_proxy("web", "http", custom_domains=["a.test"])
              .get("error", ""), "")
        with dial(s.http) as slow, dial(s.http) as idle:
            slow.sendall(get(b"/slow"))
            check(there.wait(10), "it is there")
            idle.sendall(get(b"/idle"))
            equal(Reader(idle).message()[2], b"ok")
            c.close_proxy("web")
            check(gone.wait(3), "the idle one ends")
            go.set()
            equal(Reader(slow).message()[2], b"ok")


# --- 4: addresses ---

def shared_between(s, *sources):
    """Whether one connection serves visitors of these addresses."""
    numbers = []
    for source in sources:
        with visitor(s, source) as (conn, reader):
            conn.sendall(get(b"/"))
            numbers.append(reader.message()[2])
    return len(set(numbers)) == 1


def numbering(house):
    room = Room("a.test")
    house.rooms[b"a"] = room
    room.answer = lambda conn, _, m: conn.sendall(ok(b"%d" % m[0]))
    return room


@row("rule 4", "adit writes no addresses: visitors of all share")
def share_all():
    with House() as o, Server({"workers": 1}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        numbering(o)
        check(shared_between(s, "127.0.0.1", "127.0.0.2"), "shared")


@row("rule 4", "frpc may write them: visitors of one address share")
def share_address():
    count = iter(range(1, 100))

    def serve(sock, start, data):
        number, reader = b"%d" % next(count), Reader(sock)
        reader.data = data
        while reader.message():
            sock.sendall(ok(number))
    with Server({"workers": 1}) as s, FrpClient(s.port, TOKEN,
                                                serve=serve) as c:
        c.login(pool_count=1)
        c.new_proxy("web", "http", custom_domains=["a.test"])
        check(shared_between(s, "127.0.0.1", "127.0.0.1"), "one address")
        check(not shared_between(s, "127.0.0.1", "127.0.0.2"), "two")


# --- 5: connections that are logged in ---

def pinned(r, asked, answer):
    r.answer = answer
    with visitor() as (conn, reader), visitor() as (other, second):
        conn.sendall(ask(r, more=asked))
        reader.message()
        r.answer = ok()
        other.sendall(ask(r))
        second.message()
        check(r.connections[-1] != r.connections[-2], "another visitor")
        conn.sendall(ask(r))
        reader.message()
        equal(r.connections[-1], r.connections[-3], "the same visitor")


@row("rule 5", "NTLM and Negotiate of a request pin its connection")
def pinned_request():
    for scheme in (b"NTLM", b"Negotiate", b"negotiate"):
        pinned(room(own=True), b"Authorization: %s abc=\r\n" % scheme, ok())


@row("rule 5", "NTLM and Negotiate of a response pin its connection")
def pinned_response():
    for name in (b"WWW-Authenticate", b"Proxy-Authenticate"):
        for scheme in (b"NTLM", b"Negotiate abc="):
            pinned(room(own=True), b"", ok(
                status=b"401 No", more=b"%s: %s\r\n" % (name, scheme)))


# --- 6 to 8: idle connections that die ---

@row("rule 6", "an idle connection ends after 4 s")
def idle_limit():
    r = room(own=True)
    start = time.monotonic()
    said(ask(r))
    until(lambda: r.ended, "it ends", 8)
    check(3 < time.monotonic() - start, "not before 4 s")


@row("rule 6", "what is unsafe or has a body goes out on a fresh one")
def fresh():
    r = room(own=True)
    for data in (ask(r, method=b"POST"), ask(r, method=b"PUT"),
                 ask(r, method=b"DELETE"),
                 ask(r, more=b"Content-Length: 1\r\n", body=b"x")):
        said(ask(r))
        said(data)
        check(r.connections[-1] != r.connections[-2], f"fresh for {data!r}")


def dies(r, path, kill):
    """Answers once, and dies at that path from then on."""
    def answer(conn, _, m):
        if m[1].split(b" ")[1] != path:
            conn.sendall(ok())
            return True
        kill(conn)
        return False
    r.answer = answer


@row("rule 6", "Keep-Alive: timeout=N ends it a second earlier")
def keep_alive_limit():
    r = room(own=True)
    r.answer = ok(more=b"Keep-Alive: timeout=1\r\n")
    serves(r, ask(r), same=False)
    r.answer = ok(more=b"Keep-Alive: timeout=3, max=9\r\n")
    took = []

    def look():
        start = time.monotonic()
        said(ask(r))
        mine = r.connections[-1]
        until(lambda: mine in r.ended, "it ends")
        took.append(time.monotonic() - start)
        # Four are what any other has.
        check(took[-1] < 3.9, f"after {took} s")
    one_of(look)
    check(min(took) > 1.9, f"after {took} s")


@row("rule 6", "or on the visitor's own while that is fresh")
def own_fresh():
    r = room(own=True)
    with visitor() as (conn, reader):
        begun = time.monotonic()
        conn.sendall(ask(r))
        reader.message()
        conn.sendall(ask(r, method=b"POST", more=b"Content-Length: 1\r\n",
                         body=b"x"))
        reader.message()
        if time.monotonic() - begun < 0.8:
            equal(r.connections[0], r.connections[1], "at once")
        time.sleep(1.2)
        conn.sendall(ask(r, method=b"POST", more=b"Content-Length: 1\r\n",
                         body=b"x"))
        reader.message()
        check(r.connections[2] != r.connections[1], "later")


@row("rule 7", "408 and close on a connection that was idle: it had died")
def idle_408():
    late = (b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n")
    r = room(own=True)
    dies(r, b"/die", lambda conn: conn.sendall(late))
    said(ask(r))
    got = status(said(ask(r, b"/die")))
    # Sent again, on a fresh one, where a 408 is one.
    equal((got, r.paths.count(b"/die")), (408, 2))


@row("rule 8", "GET, HEAD and OPTIONS are sent again, once")
def retry():
    for method in (b"GET", b"HEAD", b"OPTIONS"):
        for kill in (lambda conn: None, reset):
            r = room(own=True)
            dies(r, b"/die", kill)
            said(ask(r))
            got = status(said(ask(r, b"/die", method=method)))
            check(got in (502, 503), got)
            equal(r.paths.count(b"/die"), 2, method)


@row("rule 8", "not on a connection of their own, not POST, not with a body")
def no_retry():
    r = room(own=True)
    dies(r, b"/die", lambda conn: None)
    said(ask(r, b"/die"))
    equal(r.paths.count(b"/die"), 1, "a fresh connection")
    for more in ({"method": b"POST"}, {"method": b"PUT"},
                 {"more": b"Content-Length: 1\r\n", "body": b"x"}):
        r = room(own=True)
        dies(r, b"/die", lambda conn: None)
        said(ask(r))
        said(ask(r, b"/die", **more))
        equal(r.paths.count(b"/die"), 1, more)


@row("rule 8", "not after a byte of a response")
def no_retry_after_byte():
    r = room(own=True)
    dies(r, b"/die", lambda conn: conn.sendall(b"H"))
    said(ask(r))
    equal(status(said(ask(r, b"/die"))), 502)
    equal(r.paths.count(b"/die"), 1)


@row("rule 8", "not after a timeout")
def no_retry_after_timeout():
    with House() as o, Server({"workers": 1, "vhostHTTPTimeout": 3}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")
        dies(r, b"/die", lambda conn: conn.recv(1))
        equal(status(said(get(b"/"), s)), 200)
        equal(status(said(get(b"/die"), s)), 504)
        equal(r.paths.count(b"/die"), 1)


# --- 9 to 11: answers before their time ---

def uploads(r, how, want):
    """What is answered in the middle of an upload arrives."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with visitor() as (conn, reader):
        conn.sendall(how)
        with contextlib.suppress(OSError):
            for _ in range(64):
                conn.sendall(chunk)
        line, fields, body = reader.message()
        equal(int(line.split()[1]), want)
        check((b"connection", b"close") in fields, fields)
        equal(ended(conn), b"", "a clean end")


@row("rule 9", "an early final response passes, says close, and both "
     "connections end")
def early_final():
    r = room()

    def no(conn, *_):
        conn.sendall(ok(b"no", status=b"401 No"))
        with contextlib.suppress(OSError):
            while conn.recv(65536):
                pass
        return False
    r.answer = early(no)
    length = b"Content-Length: 100000000\r\n"
    for more in (CH, length, length + b"Expect: 100-continue\r\n"):
        uploads(r, ask(r, method=b"POST", more=more), 401)
    until(lambda: len(r.ended) == 3, "the service's connections end", 5)
    equal(len(r.seen), 3)


@row("rule 9", "our own errors during an upload arrive as well")
def early_error():
    r = room()
    uploads(r, ask(r, method=b"POST", more=CH) + b"x\r\n", 400)
    uploads(r, b"POST / HTTP/1.1\r\nHost: nobody.test\r\n" + CH + b"\r\n", 404)


@row("rule 10", "one 100-continue is forwarded, the 100 is the service's")
def expect():
    r = room()

    def answer(conn, reader, _):
        conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        conn.sendall(ok(reader.take(2)))
    r.answer = early(answer)
    with visitor() as (conn, reader):
        conn.sendall(ask(r, method=b"POST", more=b"Content-Length: 2\r\n"
                         b"Expect: 100-continue\r\n"))
        equal(reader.head()[0], b"HTTP/1.1 100 Continue")
        conn.sendall(b"hi")
        equal(reader.message()[2], b"hi")
    equal(r.fields(b"expect"), [b"100-continue"])


@row("rule 10", "the body is not held back for a 100")
def expect_not_awaited():
    r = room()
    m = passed(r, ask(r, method=b"POST", more=b"Content-Length: 2\r\n"
                      b"Expect: 100-continue\r\n", body=b"hi"))
    equal(m[3], b"hi")


@row("rule 10", "anything else is a 417")
def expect_else():
    r = room()
    two = b"Expect: 100-continue\r\n" * 2
    refused(r, *(ask(r, method=b"POST", more=b"Content-Length: 2\r\n" + e,
                     body=b"hi") for e in (
        b"Expect: x\r\n", b"Expect: 100-continue, x\r\n", two,
        b"Expect:\r\n")), want=417)


@row("rule 10", "it is dropped without a body and from HTTP/1.0")
def expect_dropped():
    r = room()
    for data in (ask(r, more=b"Expect: 100-continue\r\n"),
                 ask(r, method=b"POST", version=b"1.0", body=b"hi",
                     more=b"Content-Length: 2\r\nExpect: 100-continue\r\n")):
        passed(r, data)
        equal(r.fields(b"expect"), [])


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"


@row("rule 11", "interim responses pass to HTTP/1.1, sixteen at most")
def interims():
    r = room()
    r.answer = INTERIM * 16 + ok()
    equal(said(ask(r)).count(INTERIM), 16)
    r.answer = INTERIM * 17 + ok()
    got = said(ask(r))
    equal((got.count(INTERIM), got.count(b"HTTP/1.1 502 ")), (16, 1))


@row("rule 11", "they are dropped for HTTP/1.0")
def interims_old():
    r = room()
    r.answer = INTERIM * 3 + ok()
    equal(status(said(ask(r, version=b"1.0"))), 200)


@row("rule 11", "a 101 that was not asked for is a 502")
def unasked_101():
    r = room()
    r.answer = SWITCH
    equal(status(said(ask(r))), 502)


# --- 12: one after the other ---

@row("rule 12", "the next request is forwarded when the response has passed")
def serial():
    r, now = room(), threading.Event()

    def slow(conn, _, m):
        if m[1].startswith(b"GET /1"):
            now.wait(10)
        conn.sendall(ok(m[1].split(b" ")[1]))
    r.answer = slow
    with visitor() as (conn, reader):
        conn.sendall(ask(r, b"/1") + ask(r, b"/2"))
        until(lambda: r.paths == [b"/1"], "the first is there")
        time.sleep(0.2)
        equal(r.paths, [b"/1"], "not before the answer")
        now.set()
        equal((reader.message()[2], reader.message()[2]), (b"/1", b"/2"))


@row("rule 12", "a visitor that goes is noticed while it waits")
def hang_up():
    r = room()
    for more in (b"", ask(r, b"/2"), b"GET /", b"x" * 10000):
        goes(more)


def goes(more):
    r, gone = room(), threading.Event()

    def wait(conn, *_):
        with contextlib.suppress(OSError):
            conn.recv(1)
        gone.set()
        return False
    r.answer = wait
    with visitor() as (conn, _):
        conn.sendall(ask(r, b"/1") + more)
        until(lambda: r.seen, "it is there")
        reset(conn)
        check(gone.wait(5), f"the service learns of it behind {more!r}")
    equal(r.paths, [b"/1"])


@row("rule 12", "after an error the rest is thrown away")
def error_ends():
    r = room()
    got = said(ask(r, b"/1") + b"GET /2 HTTP/1.1\r\nHost : x\r\n\r\n"
               + ask(r, b"/3"))
    equal((got.count(b" 200 "), got.count(b" 400 ")), (1, 1))
    equal(r.paths, [b"/1"])


# --- 13: upgrades ---

@row("rule 13", "it goes out on a fresh connection or the visitor's own")
def upgrade_fresh():
    r = room(own=True)
    said(ask(r))
    r.answer = closing(SWITCH)
    said(ask(r, more=WS))
    check(r.connections[0] != r.connections[1], "fresh")


@row("rule 13", "with a body, from HTTP/1.0 or without Connection it is "
     "dropped, and so is h2c")
def upgrade_dropped():
    r = room()
    h2c = WS.replace(b"websocket", b"h2c")
    for data in (ask(r, method=b"POST", body=b"hi",
                     more=WS + b"Content-Length: 2\r\n"),
                 ask(r, more=WS, version=b"1.0"),
                 ask(r, more=b"Upgrade: websocket\r\n"), ask(r, more=h2c),
                 ask(r, more=h2c + b"HTTP2-Settings: AAAA\r\n")):
        passed(r, data)
        for name in (b"upgrade", b"connection", b"http2-settings"):
            equal(r.fields(name), [], f"{name} of {data!r}")


@row("rule 13", "a tunnel only on 101 and one of the offered tokens")
def upgrade_token():
    r = room()
    for answer in (SWITCH.replace(b"websocket", b"h2c"),
                   SWITCH.replace(b"Upgrade: websocket\r\n", b"")):
        r.answer = answer
        equal(status(said(ask(r, more=WS))), 502)
    r.answer = (b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n"
                b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    got = said(ask(r, b"/1", more=WS) + ask(r, b"/2"))
    equal((got.count(b" 426 "), r.paths[-2:]), (2, [b"/1", b"/2"]))


@row("rule 13", "the visitor's bytes wait for the 101")
def upgrade_holds():
    r, early_bytes = room(), []

    def switch(conn, reader, _):
        conn.settimeout(0.3)
        try:
            early_bytes.append(reader.data + conn.recv(100))
        except TimeoutError:
            pass
        conn.settimeout(20)
        conn.sendall(SWITCH)
        conn.sendall(b"got " + conn.recv(100))
        return False
    r.answer = switch
    with visitor() as (conn, reader):
        conn.sendall(ask(r, more=WS) + b"early")
        equal(reader.head()[0], b"HTTP/1.1 101 Switching Protocols")
        equal(reader.take(9), b"got early")
    equal(early_bytes, [], "before the 101")


# --- 14, 15: where a response ends ---

@row("rule 14", "HEAD, 204 and 304 have no body whatever the fields say")
def bodiless():
    r = room()
    for answer, method in (
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"HEAD"),
            (b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n", b"HEAD"),
            (b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", b"GET"),
            (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", b"GET"),
            (b"HTTP/1.1 304 No\r\n" + CH + b"\r\n", b"GET")):
        r.answer = lambda conn, _, m: conn.sendall(
            answer if m[1].split(b" ")[1] == b"/1" else ok(b"next"))
        with visitor() as (conn, reader):
            conn.sendall(ask(r, b"/1", method=method))
            reader.message(bodiless=True)
            conn.sendall(ask(r, b"/2"))
            equal(reader.message()[2], b"next", f"after {answer!r}")


@row("rule 14", "204 carries no Content-Length and no coding")
def no_content():
    r = room()
    for more in (b"Content-Length: 9\r\n", b"Content-Length: 0\r\n", CH):
        r.answer = b"HTTP/1.1 204 No\r\n" + more + b"\r\n"
        got = said(ask(r)).lower()
        check(b"content-length" not in got and b"transfer-" not in got, got)


@row("rule 14", "304 and HEAD keep it")
def kept_length():
    r = room()
    r.answer = b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n"
    check(b"\r\nContent-Length: 9\r\n" in said(ask(r)), "304")
    r.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    check(b"\r\nContent-Length: 9\r\n" in said(ask(r, method=b"HEAD")), "HEAD")


@row("rule 14", "body bytes after them are a strike")
def bodiless_strike():
    for answer, method in (
            (ok(), b"HEAD"), (b"HTTP/1.1 204 No\r\n\r\nbody", b"GET"),
            (b"HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nbody", b"GET")):
        r, before = room(own=True), strikes()
        r.answer = answer
        got = said(ask(r, method=method))
        check(got.endswith(b"\r\n\r\n"), got)
        until(lambda: strikes() == before + 1, "http_strikes")


@row("rule 15", "what its end ends passes with Connection: close")
def until_close():
    r = room()
    r.answer = closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    with visitor() as (conn, reader):
        conn.sendall(ask(r))
        line, fields, body = reader.message()
        equal(body, b"all of it")
        check((b"connection", b"close") in fields, fields)


@row("rule 15", "a reset in is a reset out")
def until_reset():
    r = room()
    r.answer = closing(b"HTTP/1.1 200 OK\r\n\r\npart", cut=True)
    check(said(ask(r)).endswith(b"part<reset>"), "reset")


# --- 16: HTTP/1.0 ---

@row("rule 16", "the service is spoken to in HTTP/1.1")
def old_forwarded():
    r = room()
    equal(passed(r, ask(r, version=b"1.0"))[1], b"GET / HTTP/1.1")


@row("rule 16", "chunks become bytes and an end")
def old_dechunked():
    r = room()
    r.answer = b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n2\r\nok\r\n0\r\n\r\n"
    got = said(ask(r, version=b"1.0", more=b"Connection: keep-alive\r\n"))
    check(got.endswith(b"Connection: close\r\n\r\nok"), got)
    check(b"ransfer-" not in got, got)


@row("rule 16", "kept only if asked for, and where the length is known")
def old_kept():
    r = room()
    keep = b"Connection: keep-alive\r\n"
    for more, answers in ((b"", 1), (keep, 2), (b"Connection: x\r\n", 1)):
        got = said(ask(r, version=b"1.0", more=more)
                   + ask(r, version=b"1.0"))
        equal(got.count(b" 200 "), answers, more)


@row("rule 16", "no Host goes to the `*` site, or is a 404")
def old_no_host():
    equal(status(said(b"GET / HTTP/1.0\r\n\r\n")), 404)
    with Site(b"star") as o, Server() as s, \
            Client(s, [http("web", o.port, "*")]):
        got = said(b"GET /x HTTP/1.0\r\n\r\n", s)
        check(got.endswith(b"star/x"), got)


@row("rule 16", "a coding in it is a 400")
def old_coding():
    r = room()
    refused(r, ask(r, method=b"POST", version=b"1.0", more=CH,
                   body=b"0\r\n\r\n"))


@row("rule 16", "a service of HTTP/1.0 is used again only if it says so")
def old_service():
    r = room(own=True)
    old = ok().replace(b"HTTP/1.1", b"HTTP/1.0")
    r.answer = old
    serves(r, ask(r), same=False)
    r.answer = old.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    serves(r, ask(r), same=True)


# --- 17, 18: chunks ---

@row("rule 17", "trailers are validated")
def trailers_checked():
    r = room()
    for line in (b"no colon\r\n", b"A : b\r\n", b"A: b\n", b"A: \0\r\n",
                 b"A: b\r\n c\r\n", b": b\r\n"):
        got = said(ask(r, method=b"POST", more=CH)
                   + b"0\r\n" + line + b"\r\n")
        equal(status(got), 400, line)


@row("rule 17", "trailers of requests are dropped")
def trailers_dropped():
    r, seen = room(), []
    r.answer = lambda conn, reader, m: (
        seen.append((m[3], reader.trailers)), conn.sendall(ok()))
    passed(r, ask(r, method=b"POST", more=CH + b"Trailer: A\r\n",
                  body=b"2\r\nhi\r\n0\r\nA: b\r\nHost: x\r\n\r\n"))
    equal(seen, [(b"hi", [])])
    equal(r.fields(b"trailer"), [])


@row("rule 17", "trailers of responses are dropped where nobody asked")
def trailers_unasked():
    r = room()
    r.answer = (b"HTTP/1.1 200 OK\r\n" + CH + b"Trailer: A\r\n\r\n"
                b"2\r\nok\r\n0\r\nA: b\r\n\r\n")
    got = said(ask(r))
    check(got.endswith(b"2\r\nok\r\n0\r\n\r\n"), got)


@row("rule 17", "they pass to who says TE: trailers, but for those of heads")
def trailers_asked():
    r = room()
    r.answer = (b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n2\r\nok\r\n0\r\nA: b\r\n"
                b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n"
                b"Host: x\r\nAuthorization: x\r\nSet-Cookie: x\r\n\r\n")
    got = said(ask(r, more=b"TE: trailers\r\n"))
    check(got.endswith(b"2\r\nok\r\n0\r\nA: b\r\n\r\n"), got)
    equal((r.fields(b"te"), r.fields(b"connection")), ([b"trailers"], [b"TE"]))


@row("rule 18", "size lines are written anew")
def canonical():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(ask(r, method=b"POST", more=CH)
                     + b"000A\r\n0123456789\r\n00\r\n\r\n")
        reader.message()
    equal(r.seen[-1][3], b"0123456789")
    r.answer = (b"HTTP/1.1 200 OK\r\n" + CH +
                b"\r\n000A\r\n0123456789\r\n00\r\n\r\n")
    got = said(ask(r))
    check(got.endswith(b"\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"), got)


@row("rule 18", "valid extensions are dropped")
def extensions():
    r = room()
    r.answer = (b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n2;a=b;c=\"d;e\"\r\nok\r\n"
                b"0;x\r\n\r\n")
    check(said(ask(r)).endswith(b"\r\n\r\n2\r\nok\r\n0\r\n\r\n"), "dropped")


@row("rule 18", "bare CR and LF, spaces, signs, prefixes and more than 16 "
     "digits are a 400")
def bad_sizes():
    r = room()
    for size in (b"0x2\r\n", b"+2\r\n", b"-2\r\n", b" 2\r\n", b"2 \r\n",
                 b"2\n", b"2\r", b"2_\r\n", b"0" * 16 + b"2\r\n", b"\r\n",
                 b"2;\r\n", b"2;a\nb\r\n", b"2;%s\r\n" % (b"a" * 257)):
        equal(status(said(ask(r, method=b"POST", more=CH) + size
                          + b"hi\r\n0\r\n\r\n")), 400, size)
    check(all(m[3] == b"" for m in r.seen), "a body at the service")


# --- 19: bytes beyond a limit ---

@row("rule 19", "what a visitor sends behind a body is the next request")
def behind_body():
    r = room()
    body = b"x" * 1000000
    with visitor() as (conn, reader):
        data = ask(r, b"/1", method=b"POST", body=body,
                   more=b"Content-Length: 1000000\r\n") + ask(r, b"/2")
        sender = threading.Thread(target=conn.sendall, args=(data * 3,))
        sender.start()
        for _ in range(3):
            equal((reader.message()[2], reader.message()[2]), (b"/1", b"/2"))
        sender.join()
    check(all(m[3] == body for m in r.seen[::2]), "bodies")


@row("rule 19", "what a service sends behind a body is a strike")
def behind_response():
    r, before = room(own=True), strikes()
    r.answer = ok(b"y" * 1000000) + b"evil"
    equal(said(ask(r)).count(b"y"), 1000000)
    until(lambda: strikes() == before + 1, "http_strikes")


# --- 20: half-close ---

@row("rule 20", "a FIN behind a request is no abort")
def fin():
    r = room()
    r.answer = lambda conn, *_: (time.sleep(0.3), conn.sendall(ok()))
    equal(status(said(ask(r))), 200)


@row("rule 20", "a reset is one")
def rst():
    goes(b"")


@row("rule 20", "silence of 30 s behind a FIN is one")
def silence():
    silence_begun()
    until(lambda: gone_after, "the service learns of it", 45)
    check(29 < gone_after[0] < 40, f"after {gone_after[0]:.0f} s")


@row("rule 20", "frpc's work connection sees no end before its response")
def no_fin_to_frpc():
    seen = []

    def serve(sock, start, data):
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        sock.settimeout(0.5)
        try:
            seen.append(sock.recv(1))
        except TimeoutError:
            seen.append("open")
        sock.sendall(ok())
    with Server() as s, FrpClient(s.port, TOKEN, serve=serve) as c:
        c.login(pool_count=1)
        c.new_proxy("web", "http", custom_domains=["a.test"])
        equal(status(said(get(b"/"), s)), 200)
        equal(seen, ["open"])


# --- 21: time ---

@contextlib.contextmanager
def hasty(**conf):
    """A server whose time is short."""
    with House() as o, Server({"http": conf} if "vhost" not in conf else
                              {"vhostHTTPTimeout": conf["vhost"]}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")
        yield s, r


def answers_after(conn, seconds, words):
    start = time.monotonic()
    conn.sendall(words)
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while more := conn.recv(65536):
            got += more
    check(seconds * 0.8 < time.monotonic() - start < seconds + 8, "in time")
    return got


@row("rule 21", "a head has its time from its first byte: 408")
def head_time():
    with hasty(headTimeout=1) as (s, _), visitor(s) as (conn, _):
        equal(status(answers_after(conn, 1, b"GET / HT")), 408)


@row("rule 21", "silence between requests ends without a word")
def idle_time():
    with hasty(idleTimeout=1) as (s, r), visitor(s) as (conn, reader):
        equal(status(answers_after(conn, 1, get(b"/"))), 200)


@row("rule 21", "vhostHTTPTimeout begins when the body has been sent: 504")
def answer_time():
    with hasty(vhost=1) as (s, r), visitor(s) as (conn, reader):
        r.answer = lambda conn, *_: conn.recv(1) != b""
        conn.sendall(get(b"/", method=b"POST", more=b"Content-Length: 3\r\n"))
        for byte in b"abc":
            time.sleep(0.6)
            start = time.monotonic()
            conn.sendall(bytes([byte]))
        equal(reader.message()[0][:12], b"HTTP/1.1 504")
        check(time.monotonic() - start > 0.8, "1 s after its last byte")


@row("rule 21", "silence within a body: 408")
def body_time():
    with hasty(bodyTimeout=1) as (s, r), visitor(s) as (conn, _):
        equal(status(answers_after(conn, 1, get(
            b"/", method=b"POST", more=b"Content-Length: 3\r\n") + b"a")), 408)


@row("rule 21", "a visitor that reads nothing is cut")
def stall_time():
    with hasty(stallTimeout=1) as (s, r), visitor(s) as (conn, _):
        r.answer = ok(b"x" * 40000000)
        conn.sendall(get(b"/"))
        until(lambda: s.counters()["pool_visitors"] == 0, "it is gone", 15)


@row("rule 21", "a response may be silent for as long as it likes")
def silent_response():
    with hasty(headTimeout=1, idleTimeout=1, bodyTimeout=1,
               stallTimeout=1) as (s, r):
        r.answer = lambda conn, *_: (
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
            time.sleep(2.5), conn.sendall(b"k"))
        check(said(get(b"/"), s).endswith(b"ok"), "all of it")


# --- 22 to 24: names ---

@row("rule 22", "Host is compared in lower case, without port and dot, and "
     "forwarded as it came")
def host_forms():
    r = room()
    plain = r.name
    for name in (plain.upper(), plain + b".", plain + b":80", plain + b":",
                 plain.upper() + b".:8080"):
        r.name = name
        passed(r, ask(r))
        equal(r.fields(b"host"), [name])


@row("rule 22", "what is no name and no IPv6 literal is a 400")
def host_bad():
    r = room()
    data = ask(r)
    refused(r, *(data.replace(r.name, bad) for bad in (
        b"a@b", b"a/b", b"a%00", b"a\xe4", b"a b", b"a:99999", b"::1",
        b"a,b", b"", b":80", b"a..b", b"[::1", b"a:b:1")))


@row("rule 23", "the authority of an absolute form wins and replaces Host")
def absolute():
    r = room()
    got = passed(r, b"GET http://%s:81/a?b HTTP/1.1\r\nHost: other.test\r\n"
                 b"\r\n" % r.name)
    equal((got[1], r.fields(b"host")), (b"GET /a?b HTTP/1.1",
                                        [r.name + b":81"]))


@row("rule 24", "names that are ours but for an underscore are dropped, "
     "others pass")
def underscores():
    r = room()
    passed(r, ask(r, more=b"X_Forwarded_For: 1\r\nX-Real_IP: 2\r\n"
                  b"X_Forwarded_Proto: https\r\napi_key: 3\r\n"))
    names = [k for k, _ in r.seen[-1][2]]
    check(b"api_key" in names, names)
    check(not [n for n in names if b"_" in n and n != b"api_key"], names)


@row("rule 24", "content_length and transfer_encoding are a 400")
def underscore_framing():
    r = room()
    refused(r, ask(r, more=b"content_length: 0\r\n"),
            ask(r, more=b"Transfer_Encoding: chunked\r\n"))


# --- 25, 26: fields of one connection, and who the visitor is ---

@row("rule 25", "what Connection names is dropped, before ours are added")
def nominated():
    r = room()
    passed(r, ask(r, more=b"Connection: X-Mine, X-Forwarded-Proto\r\n"
                  b"X-Mine: 1\r\nX-Other: 2\r\n"))
    equal((r.fields(b"x-mine"), r.fields(b"x-other"),
           r.fields(b"x-forwarded-proto")), ([], [b"2"], [b"http"]))


@row("rule 25", "naming what routes, frames, logs in or tells the visitor "
     "does nothing")
def not_nominated():
    r = room()
    passed(r, ask(r, method=b"POST", body=b"hi", more=b"Connection: Host, "
                  b"Content-Length, Authorization, Cookie, X-Forwarded-For\r\n"
                  b"Content-Length: 2\r\nAuthorization: Basic eDp5\r\n"
                  b"Cookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\n"))
    for name in (b"host", b"content-length", b"authorization", b"cookie",
                 b"x-forwarded-for"):
        equal(len(r.fields(name)), 1, name)
    equal(r.fields(b"x-forwarded-for"), [b"1.2.3.4, 127.0.0.1"])


SPOOF = (b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil.test\r\n"
         b"X-Forwarded-Proto: https\r\nForwarded: for=1.2.3.4\r\n"
         b"X-Real-IP: 1.2.3.4\r\n")
TELLING = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto",
           b"forwarded", b"x-real-ip")


def told(trusted, source=None):
    """What the service hears of a visitor that says all of it."""
    with House() as o, Server({"trustedProxies": trusted}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")
        with visitor(s, source) as (conn, reader):
            conn.sendall(get(b"/", more=SPOOF))
            reader.message()
        return [r.fields(name) for name in TELLING]


@row("rule 26", "who is not trusted: the address is added, the rest is "
     "overwritten or dropped")
def untrusted():
    equal(told(["192.0.2.0/24"]),
          [[b"1.2.3.4, 127.0.0.1"], [b"a.test"], [b"http"], [], []])


@row("rule 26", "who is trusted: the address is added, the rest is kept")
def trusted():
    equal(told(["127.0.0.2"], "127.0.0.2"),
          [[b"1.2.3.4, 127.0.0.2"], [b"evil.test"], [b"https"],
           [b"for=1.2.3.4"], [b"1.2.3.4"]])


@row("rule 26", "loopback is trusted by default")
def trusted_default():
    r = room()
    passed(r, ask(r, more=SPOOF))
    equal(r.fields(b"forwarded"), [b"for=1.2.3.4"])


@row("rule 26", "a mapped address is written as the one that it is")
def unmapped():
    with House() as o, Server({"bindAddr": "::", "proxyBindAddr": "::"}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")
        passed(r, get(b"/"), server=s)
        equal(r.fields(b"x-forwarded-for"), [b"127.0.0.1"])


@contextlib.contextmanager
def located():
    """A site, and another one at /admin."""
    with House() as o, Server({"workers": 1}) as s, Client(s, [
            http("all", o.port, "a.test"),
            http("admin", o.port, "a.test", locations=["/admin"],
                 hostHeaderRewrite="admin.test")]):
        o.rooms[b"a"], o.rooms[b"admin"] = Room("a.test"), Room("admin.test")
        yield s, o.rooms[b"a"], o.rooms[b"admin"]


@row("rule 27", "a path that two readings bring to two sites is a 400")
def two_views():
    with located() as (s, site, admin):
        for path in (b"/x/../admin", b"/%2e%2e/admin", b"/./admin",
                     b"//admin", b"/%2fadmin", b"/x/..%2fadmin",
                     b"/;x/admin", b"/admin/../x", b"/admin%00", b"/x%zz"):
            equal(status(said(get(path), s)), 400, path)
        equal(site.paths + admin.paths, [], "requests")


@row("rule 27", "where both lead to one its bytes are forwarded as they came")
def one_view():
    with located() as (s, site, admin):
        for path, where in (
                (b"/x/../y", site), (b"//x", site), (b"/%2e%2e/x", site),
                (b"/x%2fy", site), (b"/x;y=z", site), (b"/administer", admin),
                (b"/%61dmin/x", admin), (b"/admin//x/./y?/../z", admin)):
            equal(status(said(get(path), s)), 200, path)
            equal(where.paths[-1:], [path])


@row("rule 27", "raw bytes of a target are percent-encoded")
def raw_target():
    r = room()
    passed(r, ask(r, b"/\xc3\xa4?\xff"))
    equal(r.paths, [b"/%C3%A4?%FF"])


# --- 28 to 31 ---

def new_proxy(s, **fields):
    with FrpClient(s.port, TOKEN) as c:
        c.login()
        return c.new_proxy("other", "http", custom_domains=["x.test"],
                           **fields).get("error", "")


@row("rule 28", "a field or a Host with CR, LF or NUL is an error")
def terms_checked():
    with Server() as s:
        for bad in ("a\r\nb", "a\nb", "a\rb", "a\u0001"):
            for what in ({"headers": {"X": bad}},
                         {"response_headers": {"X": bad}},
                         {"host_header_rewrite": bad}):
                check(new_proxy(s, **what), f"{what} is accepted")
        for bad in ("A B", "A:", "", "A\r\n"):
            check(new_proxy(s, headers={bad: "x"}), f"{bad!r} is accepted")
        equal(new_proxy(s, headers={"X-A": "b"}), "")


@row("rule 28", "Host, lengths, codings, Trailer and Connection are ignored")
def terms_ignored():
    names = ("Host", "Content-Length", "Transfer-Encoding", "Trailer",
             "Connection")
    with House() as o, Server() as s, Client(s, [
            http("web", o.port, "a.test", requestHeaders={"set": {
                **{n: "7" for n in names}, "X-Set": "1"}})]):
        o.rooms[b"a"] = r = Room("a.test")
        equal(status(said(get(b"/"), s)), 200)
        equal([r.fields(n.lower().encode()) for n in names],
              [[b"a.test"], [], [], [], []])
        equal(r.fields(b"x-set"), [b"1"])


@row("rule 29", "more than 20 entries of X-Forwarded-For are a 508")
def loop():
    r = room()
    passed(r, ask(r, more=b"X-Forwarded-For: %s\r\n" % b", ".join([b"a"] * 20)))
    r = room()
    refused(r, ask(r, more=b"X-Forwarded-For: %s\r\n"
                   % b", ".join([b"a"] * 21)), want=508)


@row("rule 29", "idle connections of a site are bounded")
def idle_bounded():
    most, there, go = 8, [], threading.Event()

    def wait(conn, *_):
        there.append(1)
        go.wait(30)
        conn.sendall(ok())
    conf = {"workers": 1, "http": {"idleWorkConnections": most}}
    with House() as o, Server(conf) as s, \
            Client(s, [http("web", o.port, "a.test")]), \
            contextlib.ExitStack() as stack:
        o.rooms[b"a"] = r = Room("a.test")
        r.answer = wait
        readers = []
        for _ in range(most + 20):
            conn = stack.enter_context(dial(s.http))
            conn.sendall(get(b"/"))
            readers.append(Reader(conn))
        until(lambda: len(there) == most + 20, "all are there", 30)
        go.set()
        for reader in readers:
            equal(reader.message()[2], b"ok")
        until(lambda: 0 < s.counters()["pool_services"] <= most, "those kept")


@row("rule 29", "Max-Forwards of OPTIONS counts down, and ends here at 0")
def max_forwards():
    r = room()
    passed(r, ask(r, method=b"OPTIONS", more=b"Max-Forwards: 2\r\n"))
    equal(r.fields(b"max-forwards"), [b"1"])
    got = said(ask(r, method=b"OPTIONS", more=b"Max-Forwards: 0\r\n"))
    equal((status(got), len(r.seen)), (200, 1))
    passed(r, ask(r, more=b"Max-Forwards: 0\r\n"))
    equal(r.fields(b"max-forwards"), [b"0"])


@row("rule 30", "Via both ways where it is asked for")
def via():
    with House() as o, Server({"http": {"via": True}}) as s, \
            Client(s, [http("web", o.port, "a.test")]):
        o.rooms[b"a"] = r = Room("a.test")
        got = said(get(b"/", more=b"Via: 1.1 front\r\n"), s)
        check(b"\r\nVia: 1.1 adit\r\n" in got, got)
        equal(b", ".join(r.fields(b"via")), b"1.1 front, 1.1 adit")


@row("rule 30", "no Via by default")
def no_via():
    r = room()
    passed(r, ask(r))
    equal(r.fields(b"via"), [])
    check(b"\r\nVia:" not in said(ask(r)), "in the response")


@row("rule 30", "Date is added where it is missing")
def dated():
    r = room()
    equal(said(ask(r)).count(b"\r\nDate: "), 1)
    r.answer = ok(more=b"date: x\r\n")
    equal(said(ask(r)).lower().count(b"\r\ndate: "), 1)


@row("rule 30", "two Authorization on a site with a login are a 400")
def two_logins():
    login = b"Authorization: Basic %s\r\n" % base64.b64encode(b"a:b")
    with House() as o, Server() as s, Client(s, [
            http("web", o.port, "a.test", httpUser="a", httpPassword="b")]):
        o.rooms[b"a"] = r = Room("a.test")
        equal(status(said(get(b"/", more=login * 2), s)), 400)
        equal(r.seen, [])
        equal(status(said(get(b"/", more=login), s)), 200)


MENDED = [  # a fault, what the visitor gets of it
    (b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nok", b"\r\nX: y\r\n"),
    (b"HTTP/1.1 200 OK\r\nX \t: y\r\nContent-Length: 2\r\n\r\nok",
     b"\r\nX: y\r\n"),
    (b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 2\r\n\r\nok",
     b"\r\nX: y   z\r\n"),
    (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 \r\n"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
     b"\r\nContent-Length: 2\r\n"),
]


@row("rule 31", "five faults of services are mended")
def mended():
    r = room()
    for answer, want in MENDED:
        r.answer = answer
        got = said(ask(r))
        check(want in got and got.endswith(b"ok"), f"{got!r} of {answer!r}")
        equal(got.count(b"Content-Length"), 1)


@row("rule 31", "a connection that needed it is not used again")
def mended_once():
    for answer, _ in MENDED:
        r = room(own=True)
        r.answer = answer
        serves(r, ask(r), same=False)


main("Rules", [f"rule {n}" for n in range(1, 32)])

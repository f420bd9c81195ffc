"""Services that are late: they take nothing of a request, or begin to answer
and say no more."""
import contextlib
import socket
import threading
import time

from harness import (Client, Origin, Server, case, check, dial, equal, levels,
                     main, settle)
from httpkit import Reader, Site, get, http, tunnel


def upload(conn, framing):
    """As much of a body as is taken."""
    conn.sendall(get(b"/", method=b"POST", more=framing))
    conn.settimeout(0.7)
    with contextlib.suppress(socket.timeout):
        while True:
            conn.send(b"x" * 65536)
    conn.settimeout(20)


@case("a service that takes nothing of a body: 504 after http.stallTimeout")
def takes_nothing():
    may = threading.Event()
    conf = {"vhostHTTPTimeout": 1, "http": {"bodyTimeout": 2,
                                            "stallTimeout": 3}}
    with Origin(lambda conn: may.wait(60)) as o, Server(conf) as s, Client(
            s, [http("web", o.port, "a.test")]) as c:
        base, mine = levels(s), levels(c)
        with dial(s.http) as conn:
            since = time.monotonic()
            upload(conn, b"Content-Length: 1000000000\r\n")
            line, fields, _ = Reader(conn).message()
            took = time.monotonic() - since
            check(line.startswith(b"HTTP/1.1 504 "), line)
            check((b"connection", b"close") in fields, fields)
            check(2.9 < took < 8, f"after {took:.1f} s")
        settle(s, base)
        settle(c, mine)
        may.set()


@case("one that takes it slowly has its time; a silent visitor has less")
def takes_slowly():
    conf = {"http": {"bodyTimeout": 2, "stallTimeout": 6}}
    size = 24 << 20

    def slow(conn):
        r = Reader(conn)
        r.head()
        for _ in range(4):
            r.take(size // 4)
            time.sleep(2)
        conn.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    with Origin(slow) as o, Server(conf) as s, Client(s, [
            http("web", o.port, "a.test")]):
        with dial(s.http) as conn:
            conn.settimeout(30)
            conn.sendall(get(b"/", method=b"POST",
                             more=b"Content-Length: %d\r\n" % size)
                         + b"x" * size)
            equal(Reader(conn).message()[0], b"HTTP/1.1 204 No Content")
        with dial(s.http) as conn:
            conn.sendall(get(b"/", method=b"POST",
                             more=b"Content-Length: 9\r\n") + b"x")
            check(Reader(conn).message()[0].startswith(b"HTTP/1.1 408 "),
                  "408")


BEGUN = [  # what it says before it says no more
    b"",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    b"H",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n",
]


@case("an answer that begins and goes no further: 504 after vhostHTTPTimeout")
def begins():
    a = Site()
    may = threading.Event()
    for i, words in enumerate(BEGUN):
        a.answers[b"/%d" % i] = lambda conn, _, words=words: (
            conn.sendall(words), may.wait(60), False)[2]
    a.answers[b"/body"] = lambda conn, _: (
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
        time.sleep(4), conn.sendall(b"abc"), True)[3]
    posted = b"Content-Length: 3\r\n"
    with tunnel(a, conf={"vhostHTTPTimeout": 2}) as (s, c):
        base, mine = levels(s), levels(c)
        for i in range(len(BEGUN)):
            for post in (False, True):
                with dial(s.http) as conn:
                    since = time.monotonic()
                    conn.sendall(get(b"/%d" % i, method=b"POST", more=posted)
                                 + b"abc" if post else get(b"/%d" % i))
                    r = Reader(conn)
                    while (m := r.message())[0].startswith(b"HTTP/1.1 10"):
                        pass
                    took = time.monotonic() - since
                    check(m[0].startswith(b"HTTP/1.1 504 "), (BEGUN[i], m))
                    check(1.9 < took < 10, f"{BEGUN[i]}: after {took:.1f} s")
                    # Where the request ends is known: the next one follows.
                    conn.sendall(get(b"/after"))
                    equal(r.message()[2], b"a/after")
        # A body has no such limit.
        with dial(s.http) as conn:
            conn.sendall(get(b"/body"))
            equal(Reader(conn).message()[2], b"abc")
        may.set()
        settle(s, base)
        settle(c, mine)


main()

"""Visitors that are reset while nobody reads from them: their service takes
nothing, or they have said more than is read ahead."""
import contextlib
import socket
import threading
import time

from harness import (Client, Origin, Server, case, check, dial, equal,
                     free_port, levels, main, needs, read_all, read_until, reset,
                     settle)
from httpkit import get, http

SWITCH = get(b"/", more=b"Connection: Upgrade\r\nUpgrade: x\r\n")


class Deaf(Origin):
    """Says `words` behind the first head, if there are any, and reads nothing
    more until it may."""

    def __init__(self, words=None):
        self.words, self.may = words, threading.Event()
        self.got = None
        super().__init__(self.talk)

    def talk(self, conn):
        if self.words:
            read_until(conn, b"\r\n\r\n")
            conn.sendall(self.words)
        self.may.wait(60)
        self.got = len(read_all(conn))

    def close(self):
        self.may.set()
        super().close()


def fill(conn):
    """Until nobody takes any more of it; how much that was."""
    size = 0
    conn.settimeout(1.5)
    with contextlib.suppress(socket.timeout):
        while True:
            size += conn.send(b"x" * 65536)
    return size


@contextlib.contextmanager
def deaf(words=None):
    port = free_port()
    with Deaf(words) as o, Server() as s, Client(s, [
            http("web", o.port, "a.test"),
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}]) as c:
        yield o, s, c, port


def noticed(s, c, base, mine, conn):
    reset(conn)
    # Two looks, on each of the two ways; the service has not moved.
    settle(s, base, 20)
    settle(c, mine, 20)


@case("a request's body that the service does not take")
def body():
    with deaf() as (_, s, c, _):
        base, mine = levels(s), levels(c)
        for framing in (b"Content-Length: 1000000000",
                        b"Transfer-Encoding: chunked"):
            conn = dial(s.http)
            conn.sendall(get(b"/", method=b"POST", more=framing + b"\r\n"))
            if b"chunked" in framing:
                conn.sendall(b"3fffffff\r\n")
            fill(conn)
            noticed(s, c, base, mine, conn)


@case("tcp: bytes that the service does not take")
def tcp():
    with deaf() as (_, s, c, port):
        base, mine = levels(s), levels(c)
        conn = dial(port)
        fill(conn)
        noticed(s, c, base, mine, conn)


@case("the same behind 101")
def switched():
    with deaf(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
              b"Upgrade: x\r\n\r\n") as (_, s, c, _):
        base, mine = levels(s), levels(c)
        conn = dial(s.http)
        conn.sendall(SWITCH)
        read_until(conn, b"\r\n\r\n")
        fill(conn)
        noticed(s, c, base, mine, conn)


@case("requests behind one whose answer goes on in silence")
def ahead():
    with deaf(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n3\r\n:a\n\r\n") as (
                  _, s, c, _):
        base, mine = levels(s), levels(c)
        for size in (1000, 20000, 40000, 100000, 400000):
            conn = dial(s.http)
            conn.sendall(get(b"/"))
            read_until(conn, b":a\n\r\n")
            conn.settimeout(1)
            with contextlib.suppress(socket.timeout):
                conn.sendall((get(b"/") * (size // 10))[:size])
            time.sleep(0.2)
            noticed(s, c, base, mine, conn)


@case("one that has only ended its side loses nothing")
def half_closed():
    needs("half-close")
    with deaf() as (o, s, c, port):
        base, mine = levels(s), levels(c)
        with dial(port) as conn:
            size = fill(conn)
            conn.shutdown(socket.SHUT_WR)
            time.sleep(4)
            o.may.set()
            conn.settimeout(20)
            equal(conn.recv(1), b"")
        check(o.got == size, f"{o.got} of {size} bytes")
        settle(s, base)
        settle(c, mine)


main()

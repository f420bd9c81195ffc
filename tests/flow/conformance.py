"""Rows of the conformance table: one rule, one row, one case.

All rows of a file share one aditd and one adit, with one worker each, so that
a service's connection that is idle is the next visitor's. Each row has a site,
a room of the house that answers for all of them. `@row` declares one;
CONFORMANCE.md lists them, and is written anew with UPDATE in the environment.
"""
import atexit
import contextlib
import itertools
import os
import re
import socket
import threading
import time

import harness
from harness import Client, Origin, Server, case, check, equal, reset
from httpkit import Reader, http

OWN = 70
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "CONFORMANCE.md")


class Room:
    """A site: what it answers, what it has seen."""

    def __init__(self, name):
        self.name = name.encode()
        self.answer = None  # bytes, or answer(conn, reader, message)
        self.seen = []      # (connection, line, fields, body)
        self.raw = []       # the same, byte by byte, heads only
        self.ended = set()  # connections

    @property
    def paths(self):
        return [m[1].split(b" ")[1] for m in self.seen]

    @property
    def connections(self):
        return [m[0] for m in self.seen]

    def fields(self, name, which=-1):
        return [v for k, v in self.seen[which][2] if k == name]


class Recording(Reader):
    """A reader that also keeps the lines of a head."""

    def head(self):
        self.lines = []
        return super().head()

    def line(self):
        line = super().line()
        self.lines.append(line)
        return line


class House(Origin):
    """The service behind all rooms: the first label of Host tells which."""

    def __init__(self):
        self.rooms, self.lock, self.number = {}, threading.Lock(), 0
        super().__init__(self.talk)

    def talk(self, conn):
        with self.lock:
            self.number += 1
            number = self.number
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, used = Recording(conn), set()
        try:
            while (head := reader.head()) is not None:
                host = dict(head[1]).get(b"host", b"")
                room = self.rooms[host.split(b".")[0].lower()]
                used.add(room)
                if not self.one(room, conn, reader, number, head):
                    return
        finally:
            for room in used:
                room.ended.add(number)

    def one(self, room, conn, reader, number, head):
        lines = list(reader.lines)
        early = getattr(room.answer, "early", False)
        body = b"" if early else reader.body(head)
        room.raw.append(lines)
        room.seen.append((number, *head, body))
        if callable(room.answer):
            return room.answer(conn, reader, room.seen[-1]) is not False
        path = head[0].split(b" ")[1]
        conn.sendall(room.answer or ok(path))
        return True


def early(answer):
    """An answer that is asked for before the request's body is read."""
    answer.early = True
    return answer


def ok(body=b"ok", more=b"", status=b"200 OK"):
    return (b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, more, len(body), body))


def closing(data, cut=False):
    """An answer, and the end of the service's side."""
    def answer(conn, *_):
        conn.sendall(data)
        if cut:
            # What was said is to arrive before.
            time.sleep(0.1)
            reset(conn)
        return False
    return answer


class World:
    def __init__(self):
        self.stack = contextlib.ExitStack()
        enter = self.stack.enter_context
        self.house = enter(House())
        self.server = enter(Server({"workers": 1}))
        # Those that strike, or look at who is served next, have one of
        # their own; the others share one.
        self.own = iter(range(OWN))
        self.client = enter(Client(self.server, [
            http("web", self.house.port, "*.web.test"),
            *(http(f"own{n}", self.house.port, f"*.own{n}.test")
              for n in range(OWN))], {"workers": 1}))
        self.labels = itertools.count(1)
        atexit.register(self.stack.close)


world = None


def the_world():
    global world
    world = world or World()
    return world


def room(own=False):
    w = the_world()
    label = f"r{next(w.labels)}"
    r = Room(f"{label}.own{next(w.own)}.test" if own else f"{label}.web.test")
    w.house.rooms[label.encode()] = r
    return r


def ask(r, path=b"/", more=b"", body=b"", method=b"GET", version=b"1.1"):
    """A request to the room."""
    return (b"%s %s HTTP/%s\r\nHost: %s\r\n%s\r\n%s"
            % (method, path, version, r.name, more, body))


@contextlib.contextmanager
def visitor(server=None, source=None):
    """A connection and its reader."""
    port = (server or the_world().server).http
    conn = socket.create_connection(("127.0.0.1", port), 20,
                                    source and (source, 0))
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with conn:
        yield conn, Reader(conn)


def said(data, server=None):
    """All bytes that come back when these are all that is said."""
    got = b""
    with visitor(server) as (conn, _):
        with contextlib.suppress(OSError):
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)
        try:
            while more := conn.recv(65536):
                got += more
        except ConnectionResetError:
            return got + b"<reset>"
    return got


def status(data):
    m = re.match(rb"HTTP/1\.1 (\d{3}) ", data)
    return int(m[1]) if m else data[:80]


def refused(r, *requests, want=400):
    """Each gets that status and the end, and reaches no service."""
    for data in requests:
        got = said(data)
        equal(status(got), want, f"for {data[:200]!r}")
        equal(got.count(b"HTTP/1.1 "), 1, "answers")
    equal(r.seen, [], "requests at the service")


def passed(r, data, want=200, server=None):
    """It gets that status; what the service saw of it."""
    count = len(r.seen)
    equal(status(said(data, server)), want, f"for {data[:200]!r}")
    equal(len(r.seen), count + 1, "requests at the service")
    return r.seen[-1]


_rows = []


def row(rule, claim):
    """A case called `RULE: CLAIM`."""
    def register(function):
        _rows.append((rule, claim))
        case(f"{rule}: {claim}")(function)
        return function
    return register


def section(title, lines):
    return f"## {title}\n\n| rule | row |\n|---|---|\n" + "\n".join(lines) + "\n"


def main(title, rules):
    """Run the rows; one more case compares them with the table, and with the
    rules of which each must have one."""
    @case(f"{title}: the table has every row, every rule has one")
    def table():
        want = section(title, [f"| {rule} | {claim} |"
                               for rule, claim in _rows])
        missing = set(rules) - {rule for rule, _ in _rows}
        equal(sorted(missing), [], "rules without a row")
        with open(TABLE, encoding="utf-8") as f:
            text = f.read()
        have = re.search(rf"(?ms)^## {title}\n.*?(?=^## |\Z)", text)
        if os.environ.get("UPDATE"):
            start = have.start() if have else len(text)
            end = have.end() if have else len(text)
            with open(TABLE, "w", encoding="utf-8") as f:
                f.write(text[:start] + want + "\n" * bool(text[end:])
                        + text[end:])
            return
        check(have and have[0].rstrip() == want.rstrip(),
              "CONFORMANCE.md is stale: run this with UPDATE=1")

    @case(f"{title}: both programs end clean")
    def clean():
        if world:
            world.stack.close()
    harness.main()

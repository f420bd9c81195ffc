"""Idle connections: what they cost, and that they go on, however they stir."""
import os
import resource
import socket
import subprocess
import threading
import time

from harness import (ADIT, SANITIZED, Client, Failed, Origin, Server, Skip,
                     case, check, dial, equal, free_port, levels, main, memory,
                     needs, read_all, reset, settle, sha, until)

LOAD = os.path.join(os.path.dirname(ADIT), "adit-load")
QUIET = {"log": {"level": "info"}}

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def parked(program, n, timeout=10):
    until(lambda: program.counters()["pool_parked"] >= n,
          f"{n} are parked at {program.name}", timeout, 0.1)


class Held(Origin):
    """A service that the case speaks for: its connections, by greeting."""

    def __init__(self):
        self.held = {}
        super().__init__(self.hold)

    def hold(self, conn):
        name = conn.recv(1)
        self.held[name] = conn
        while True:
            time.sleep(100)

    def visitor(self, port, name):
        v = dial(port)
        v.sendall(name)
        until(lambda: name in self.held, "the service is reached")
        for end in (v, self.held[name]):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return v, self.held[name]


def pair(origin, port, conf=None):
    s = Server()
    return s, Client(s, [{"name": "t", "type": "tcp",
                          "localPort": origin.port, "remotePort": port}],
                     conf)


def at_rest(*programs):
    """Their memory once it falls no more: what a burst took is given back
    after a second, on a busy machine later."""
    lowest, calm = [memory(p) for p in programs], 0
    while calm < 4:
        time.sleep(0.5)
        now = [memory(p) for p in programs]
        calm = 0 if any(n < l for n, l in zip(now, lowest)) else calm + 1
        lowest = [min(pair) for pair in zip(now, lowest)]
    return lowest


@case("an idle relay costs at most 256 bytes")
def cost():
    needs("parking")
    if SANITIZED:
        raise Skip("memory is bounded in the plain build only")
    few, many = 1000, min(5000, hard // 6)
    each = weigh(few, many)
    # Between two sums 16 pages may be malloc's: of few relays that is much.
    most = 256 + (16 << 12) // (many - few)
    if max(each) > most:
        # What else was kept at the time may weigh: the middle of three.
        each = [sorted(three)[1] for three in zip(
            each, weigh(few, many), weigh(few, many))]
    check(max(each) <= most, f"{each} bytes")


def weigh(few, many):
    """Bytes of an idle relay in aditd and in adit, by two numbers of them."""
    port = free_port()
    # What is kept warm for visitors to come is not theirs.
    one = {**QUIET, "workers": 1}
    calm = {**one, "transport": {"workPool": {"max": 4}}}
    origin = socket.create_server(("127.0.0.1", 0), backlog=4096)
    used, accepted = [], []

    def accept():
        while True:
            try:
                accepted.append(origin.accept())
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    with origin, Server(calm) as s, Client(
            s, [{"name": "t", "type": "tcp", "remotePort": port,
                 "localPort": origin.getsockname()[1]}], one) as c:
        for n in (few, many):
            idle = subprocess.Popen(
                [LOAD, "-q", "-c", "1", "-d", "60", "--rate", "1", "--idle",
                 str(n), f"tcp://127.0.0.1:{port}"],
                stdout=subprocess.DEVNULL)
            for program in (s, c):
                parked(program, n, 20)
            used.append(at_rest(s, c))
            idle.kill()
            idle.wait()
    each = [(b - a) / (many - few) for a, b in zip(*used)]
    print(f"# KiB with {few} and {many} idle ones: "
          f"{[[b >> 10 for b in u] for u in used]}; {each[0]:.0f} and "
          f"{each[1]:.0f} bytes each")
    return each


# What stirs: who does what, and what the other end must see.
def talk(a, b):
    a.sendall(b"late")
    equal(b.recv(100), b"late", "bytes")


def half_close(a, b):
    a.shutdown(socket.SHUT_WR)
    equal(b.recv(100), b"", "the end")
    b.sendall(b"after it")
    b.shutdown(socket.SHUT_WR)
    equal(read_all(a), b"after it", "the other direction")


def cut(a, b):
    reset(a)
    try:
        equal(b.recv(100), "a reset", "result")
    except ConnectionResetError:
        pass


def last_words(a, b):
    a.sendall(b"last words")
    a.shutdown(socket.SHUT_WR)
    equal(read_all(b), b"last words", "bytes before the end")


def bulk(a, b):
    data = os.urandom(5_000_000)
    sender = threading.Thread(target=a.sendall, args=(data,))
    sender.start()
    got = b""
    while len(got) < len(data):
        got += b.recv(1 << 20)
    sender.join()
    equal(sha(got), sha(data), "bulk")


def both(a, b):
    a.sendall(b"one")
    b.sendall(b"two")
    equal((b.recv(100), a.recv(100)), (b"one", b"two"), "bytes")


def stir(conf=None):
    port = free_port()
    with Held() as o:
        s, c = pair(o, port, conf)
        with s, c:
            base, mine = levels(s), levels(c)
            ways = [w for w in (talk, half_close, cut, last_words, bulk, both)
                    for _ in range(2)]
            ends = [o.visitor(port, b"%c" % (65 + i))
                    for i in range(len(ways))]
            for program in (s, c):
                parked(program, len(ways))
            for i, (way, (v, held)) in enumerate(zip(ways, ends)):
                try:
                    way(*((v, held) if i % 2 else (held, v)))
                except Exception as e:
                    raise Failed(f"{way.__name__} {i % 2}: {e!r}") from e
            for v, held in ends:
                v.close()
                held.close()
            settle(s, base)
            settle(c, mine)


@case("parked relays go on, whoever stirs and how")
def stirs():
    needs("parking")
    stir()


@case("parked relays of one connection each go on, too")
def stirs_without_reuse():
    needs("parking")
    stir({"transport": {"reuse": False}})


@case("parked again and again, byte by byte")
def again():
    needs("parking")
    port = free_port()
    with Held() as o:
        s, c = pair(o, port)
        with s, c:
            v, held = o.visitor(port, b"a")
            for i in range(3):
                for program in (s, c):
                    parked(program, 1)
                talk(*((v, held) if i % 2 else (held, v)))
            # It comes from both ends at once, many times.
            others = [o.visitor(port, b"%c" % (66 + i)) for i in range(20)]
            parked(s, 21)
            for _ in range(50):
                for a, b in others:
                    both(a, b)
            for a, b in [(v, held), *others]:
                a.close()
                b.close()


@case("a drain waits for parked ones, and a second signal cuts them")
def drain():
    needs("parking")
    port = free_port()
    with Held() as o:
        s, c = pair(o, port)
        with s, c:
            kept, held = o.visitor(port, b"a")
            for program in (s, c):
                parked(program, 1)
            mark = s.mark()
            s.process.terminate()
            s.wait_log("draining: 1 visitors are being served", since=mark)
            talk(kept, held)
            talk(held, kept)
            parked(s, 1)
            s.process.terminate()
            equal(s.process.wait(10), 0, "exit code")
            for end in (kept, held):
                try:
                    equal(end.recv(1), "a reset", "result")
                except ConnectionResetError:
                    pass


main()

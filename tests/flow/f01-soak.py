"""Mixed traffic for a while: afterwards descriptors, pools and memory are
where they were when the programs had warmed up, in the first half.

SOAK_SECONDS (default 60) is the length, SOAK_BODY (default 256 MiB) the size
of the largest bodies, in bytes; `make soak` runs 30 minutes with 10 GiB.
"""
import contextlib
import http.client
import os
import random
import socket
import struct
import threading
import time

from harness import (SANITIZED, Client, Failed, Nginx, Origin, Server, case,
                     check, dial, equal, free_port, levels, main, memory,
                     reset, settle, until)

KIB, MIB = 1 << 10, 1 << 20
SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
BODY = int(os.environ.get("SOAK_BODY", str(256 * MIB)))
IDLE = 50
HEADER = struct.Struct(">QQ?")  # bytes there, bytes back, will be aborted
# A short run is still warming up, a sanitizer keeps freed memory on purpose.
GROWTH_COUNTS = SECONDS >= 60 and not SANITIZED

# Byte i of every stream is PATTERN[i % MIB]; the tail makes slices easy.
_block = random.Random(1).randbytes(MIB)
PATTERN = memoryview(_block + _block[:256 * KIB])


def send_pattern(conn, size):
    """Who receives sees whether it arrived."""
    at = 0
    with contextlib.suppress(OSError):
        while at < size:
            n = min(256 * KIB, size - at)
            conn.sendall(PATTERN[at % MIB:at % MIB + n])
            at += n


@contextlib.contextmanager
def sending(conn, size):
    """Send in the background meanwhile."""
    sender = threading.Thread(target=send_pattern, args=(conn, size))
    sender.start()
    try:
        yield
    except BaseException:
        conn.shutdown(socket.SHUT_RDWR)
        raise
    finally:
        sender.join()


def receive_pattern(conn, size):
    buffer = bytearray(256 * KIB)
    view, at = memoryview(buffer), 0
    while at < size:
        n = conn.recv_into(view[:min(len(buffer), size - at)])
        check(n, f"ended after {at} of {size} bytes")
        check(view[:n] == PATTERN[at % MIB:at % MIB + n],
              f"another byte near {at} of {size}")
        at += n


def serve(conn):
    """The service behind the tcp proxies."""
    header = b""
    while len(header) < HEADER.size:
        more = conn.recv(HEADER.size - len(header))
        if not more:
            return
        header += more
    there, back, aborted = HEADER.unpack(header)
    try:
        with sending(conn, back):
            receive_pattern(conn, there)
    except Failed:
        if not aborted:
            raise


def exchange(port, there, back):
    with dial(port, timeout=60) as conn:
        conn.sendall(HEADER.pack(there, back, False))
        with sending(conn, there):
            receive_pattern(conn, back)
        equal(conn.recv(1), b"", "the end")


class Traffic:
    """Threads that each do one kind of thing until told to stop."""

    def __init__(self, server, port, site):
        self.server, self.port, self.site = server, port, site
        self.done, self.errors, self.ports = {}, [], {}

    def run(self, seconds, crowd=1):
        self.stop = threading.Event()
        kinds = ([self.small] * 3 + [self.bulk, self.pages, self.aborts,
                                     self.idle, self.comings]) * crowd
        threads = [threading.Thread(target=self.loop, args=(k, i))
                   for i, k in enumerate(kinds)]
        for t in threads:
            t.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.errors:
            time.sleep(0.1)
        self.stop.set()
        for t in threads:
            t.join()
        check(not self.errors, f"{len(self.errors)}: {self.errors[:3]}")

    def loop(self, kind, seed):
        rng = random.Random(seed)
        try:
            while not self.stop.is_set():
                kind(rng)
                name = kind.__name__
                self.done[name] = self.done.get(name, 0) + 1
        except Exception as e:
            self.errors.append(f"{kind.__name__}: {e!r}")

    def small(self, rng):
        exchange(self.port, int(2 ** rng.uniform(0, 18)),
                 int(2 ** rng.uniform(0, 18)))

    def bulk(self, rng):
        """One body of the largest size each way."""
        exchange(self.port, 1, BODY)
        exchange(self.port, BODY, 1)

    def pages(self, rng):
        name, size = rng.choice([("small", 100), ("large", 3 * MIB)])
        c = http.client.HTTPConnection("127.0.0.1", self.server.http,
                                       timeout=60)
        c.request("GET", "/" + name, headers={"Host": "soak.test"})
        r = c.getresponse()
        equal((r.status, len(r.read())), (200, size), name)
        c.close()

    def aborts(self, rng):
        conn = dial(self.port)
        conn.sendall(HEADER.pack(10 * MIB, 10 * MIB, True))
        conn.recv(rng.randrange(1, 100000))
        reset(conn)
        time.sleep(0.01)

    def idle(self, rng):
        """Connections that say nothing, for half a second each."""
        conns = [dial(self.port) for _ in range(IDLE)]
        time.sleep(0.5)
        for conn in conns:
            conn.close()

    def comings(self, rng):
        """Clients that come, serve once, and go."""
        mine = threading.get_ident()
        if mine not in self.ports:
            self.ports[mine] = free_port()
        port = self.ports[mine]
        with Client(self.server, [{"name": f"guest{port}", "type": "tcp",
                                   "localPort": self.origin.port,
                                   "remotePort": port}]):
            exchange(port, 1000, 100000)
        time.sleep(0.2)


@case("soak: all is back at its base", timeout=SECONDS * 2 + 240)
def soak():
    port = free_port()
    files = {"small": b"x" * 100, "large": b"y" * (3 * MIB)}
    with Origin(serve) as origin, Nginx(files) as site, Server() as s, \
            Client(s, [{"name": "soak", "type": "tcp", "remotePort": port,
                        "localPort": origin.port},
                       {"name": "site", "type": "http",
                        "localPort": site.port,
                        "customDomains": ["soak.test"]}]) as c:
        traffic = Traffic(s, port, site)
        traffic.origin = origin
        programs = (s, c)
        # Idle work connections of a burst are trimmed after 10 s.
        cold = [levels(p) for p in programs]
        # Pools have grown to more than the second half needs.
        traffic.run(SECONDS / 2, crowd=2)
        for p, base in zip(programs, cold):
            settle(p, base, 30)
        # Memory of a burst has gone back two seconds later.
        time.sleep(2.5)
        warm = [(levels(p), memory(p)) for p in programs]
        traffic.run(SECONDS / 2)
        for p, (base, _) in zip(programs, warm):
            settle(p, base, 30)
        time.sleep(2.5)
        check(origin.error is None, f"the service: {origin.error!r}")
        print(f"# {traffic.done}, {s.counters()['bytes_in'] / MIB:.0f} MiB in, "
              f"{s.counters()['bytes_out'] / MIB:.0f} MiB out", flush=True)
        for p, (_, before) in zip(programs, warm):
            # Some pages come and go: one percent of a small process is less.
            most = before + max(before // 100, 256 * KIB)
            with contextlib.suppress(Failed):
                until(lambda: memory(p) <= most, "what it was", 15)
            after = memory(p)
            print(f"# {p.name}: {before / KIB:.0f} KiB -> {after / KIB:.0f} "
                  "KiB", flush=True)
            check(not GROWTH_COUNTS or after <= most,
                  f"{p.name} grew from {before} to {after} bytes")
        for p in programs:
            now = p.counters()
            for name in ("cq_overflows", "log_lines_lost"):
                equal(now.get(name, 0), 0, f"{p.name}'s {name}")


main()

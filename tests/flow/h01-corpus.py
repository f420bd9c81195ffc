"""The corpus (tests/corpus) through both programs. Requests go to a recording
service, which must see exactly the golden bytes, to nginx and to Node, which
must count as many; responses come from a scripted service, and the visitor must
see the golden bytes. After each a second visitor of the same site gets its own
answer. All cases share two programs, so that what one leaves behind would be
another's."""
import atexit
import contextlib
import itertools
import os
import queue
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import corpus
from harness import (Client, Failed, Server, Skip, case, check, dial, equal,
                     levels, main, settle, until)
from httpkit import Reader, http
from origins import NginxOrigin, NodeOrigin, Recorder, Script

# Cases at once; CORPUS_STEP=n takes every n-th case, for slow builds.
JOBS = 8
STEP = int(os.environ.get("CORPUS_STEP", "1"))
PAUSE = 0.003

nonces = itertools.count(1)


def pieces(data):
    """Cut at three places: in the first line, in the middle, before the last
    byte."""
    n = len(data)
    cuts = sorted({0, min(7, n // 2), n // 2, max(n - 1, 0), n})
    return [data[a:b] for a, b in zip(cuts, cuts[1:])]


def send(conn, data, whole):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if whole:
        conn.sendall(data)
        return
    for piece in pieces(data):
        conn.sendall(piece)
        time.sleep(PAUSE)


def exchange(port, data, whole, end=True):
    """All that a visitor gets, and how it ended."""
    got = b""
    with dial(port) as conn:
        # It may be answered, and the rest thrown away, before it is said.
        with contextlib.suppress(OSError):
            send(conn, data, whole)
            if end:
                conn.shutdown(socket.SHUT_WR)
        try:
            while more := conn.recv(65536):
                got += more
        except ConnectionResetError:
            return got, "reset"
    return got, "end"


def statuses(data):
    """The statuses of final responses. A length without bytes is HEAD's."""
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        m = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not m or not end:
            return found + [data[:60]]
        length = re.search(rb"(?im)^content-length: *(\d+)\r?$", head)
        n = int(length[1]) if length else 0
        if rest.startswith(b"HTTP/1.") or not rest:
            n = 0
        data = rest[n:]
        if m[1][0:1] != b"1":
            found.append(m[1].decode())
    return found


class World:
    """Both programs and all services, for all cases of this file."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        enter = self.stack.enter_context
        self.recorder = enter(Recorder())
        self.counting = {}
        self.missing = []
        for name, kind in (("nginx", NginxOrigin), ("node", NodeOrigin)):
            try:
                self.counting[name] = enter(kind())
            except Skip as e:
                self.missing.append(str(e))
        sites = {"rec": self.recorder, "oth": self.recorder, **self.counting}
        proxies = [http(name, o.port, f"*.{name}.test")
                   for name, o in sites.items()]
        # A site for one case at a time: its connections are the case's.
        self.script = enter(Script())
        self.slots = queue.Queue()
        for n in range(JOBS):
            self.slots.put(f"s{n}.test")
            proxies.append(http(f"s{n}", self.script.port, f"*.s{n}.test"))
        # After a strike nothing is shared: each has a site of its own.
        proxies += [http(f"strike{number}{way}", self.script.port,
                         f"c{number}{way}.test")
                    for number, c in enumerate(corpus.read("responses"))
                    for way in "wp" if c.verdict == ["strike"]]
        # Nobody is believed, as from outside.
        self.server = enter(Server({"trustedProxies": []}))
        self.client = enter(Client(self.server, proxies))
        short = {"http": {"headTimeout": 3, "bodyTimeout": 3},
                 "trustedProxies": []}
        self.slow = enter(Server(short))
        self.slow_client = enter(Client(self.slow, proxies))
        self.base = levels(self.server), levels(self.client)
        self.jobs = enter(ThreadPoolExecutor(JOBS))
        # What each label of a service must have sent, at the end, too.
        self.wanted = {}
        atexit.register(self.stack.close)


world = None


def the_world():
    global world
    world = world or World()
    return world


def probe(port, host):
    """A second visitor of the same site gets its own answer."""
    path = b"/nonce-%d" % next(nonces)
    for _ in range(2):
        with dial(port) as conn:
            conn.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
                         % (path, host))
            line, _, body = Reader(conn).message()
        equal((line[:12], body), (b"HTTP/1.1 200", path), "the probe")


def compare_record(c, label, host, other):
    """What the recorder has of it against the golden bytes."""
    want = [corpus.fill(p, host, other) for p in c.passed]
    have = world.recorder.seen.of(label)
    cut = "cut" in c.options
    whole = [raw for raw, ended in have if ended]
    part = b"".join(raw for raw, ended in have if not ended)
    equal(whole, want[:-1] if cut else want, "the service's bytes")
    if cut:
        check(want[-1].startswith(part), f"the service has {part!r} of a "
              f"refused {want[-1]!r}")
    else:
        equal(part, b"", "a part")


def count_of(c, name):
    """How many requests a service has to count; the other site is not its."""
    whole = c.passed[:-1] if "cut" in c.options else c.passed
    usual = sum(b"$other" not in p for p in whole)
    return int(c.options.get(name, str(usual)).split()[0])


def compare_count(c, name, label):
    origin = world.counting[name]
    want = count_of(c, name)

    def have():
        if name == "nginx":
            origin.logged()
        return len(origin.seen.of(label))
    with contextlib.suppress(Failed):
        until(lambda: have() >= want, "counted", 5, 0.005)
    equal(have(), want, f"requests that {name} counts")


def run_request(c, number, name, whole):
    label = f"c{number}{'w' if whole else 'p'}{name}"
    host, other = f"{label}.{name}.test".encode(), f"{label}.oth.test".encode()
    data = corpus.fill(c.sent, host, other)
    slow = "slow" in c.options
    port = world.slow.http if slow else world.server.http
    got, how = exchange(port, data, whole, end=not slow)
    if name == "rec" or not c.passed:
        want = [] if c.verdict == ["-"] else c.verdict
        equal(statuses(got), want, f"answers {got[:200]!r}")
        if want:
            equal(how, "end", "the visitor's connection")
    probe(port, host)
    compare = ((lambda: compare_record(c, label, host, other))
               if name == "rec" else lambda: compare_count(c, name, label))
    world.wanted[label, name] = compare
    compare()


def tell(c, name, whole, e):
    return (f"{c} [{name}, {'whole' if whole else 'in pieces'}]: "
            f"{e or type(e).__name__}")


def run_all(jobs):
    """Run functions at once; raises what failed, by name."""
    futures = [(about, world.jobs.submit(f, *args))
               for about, f, *args in jobs]
    failed = []
    for about, future in futures:
        try:
            future.result()
        except Exception as e:
            failed.append(tell(*about, e))
    if failed:
        raise Failed(f"{len(failed)} failed\n  " + "\n  ".join(failed))


def request_class(cases):
    the_world()
    jobs = []
    for number, c in cases:
        ways = [("rec", True), ("rec", False),
                *((name, True) for name in world.counting)]
        jobs += [((c, name, whole), run_request, c, number, name, whole)
                 for name, whole in ways]
    run_all(jobs)


def register(kind, run):
    """One row a class."""
    all_cases = [x for x in enumerate(corpus.read(kind)) if not x[0] % STEP]
    for cls, cases in itertools.groupby(all_cases, lambda x: x[1].cls):
        cases = list(cases)
        case(f"corpus {kind}: {len(cases)} cases ({cls})")(
            lambda cases=cases: run(cases))


register("requests", request_class)


# --- responses ---

DATED = re.compile(rb"(?m)^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r$")


def undated(data):
    """The dates that are of now become the golden one."""
    now = time.strftime(" %b %Y ", time.gmtime()).encode()
    return DATED.sub(lambda m: b"Date: " + corpus.DATE + b"\r"
                     if now in m[0] else m[0], data)


def read_exactly(conn, n):
    """So many bytes; less: it has ended, and how."""
    got = b""
    try:
        while len(got) < n and (more := conn.recv(n - len(got))):
            got += more
    except ConnectionResetError:
        return got, "reset"
    return got, "open" if len(got) >= n else "end"


def asked_connection(conn, host):
    """The number of the service's connection that answers a probe."""
    path = b"/nonce-%d" % next(nonces)
    conn.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path, host))
    line, _, body = Reader(conn).message()
    number, _, path_again = body.partition(b" ")
    equal((line[:12], path_again), (b"HTTP/1.1 200", path), "the probe")
    return int(number)


def passes(c, conn, want, host, number):
    """All of it comes, and then nothing; who serves next."""
    got, how = read_exactly(conn, len(want))
    came = time.monotonic()
    equal(undated(got), want, "the visitor's bytes")
    equal(how, "open", "the visitor's connection")
    stays = c.verdict == ["passed"]
    if c.verdict == ["strike"]:
        # Whoever asks before it is noticed may be the one who gets it.
        until(lambda: number() in world.script.ended, "its end", 5, 0.005)
        # Other workers hear of it by a letter: this one knows.
        check(asked_connection(conn, host) != asked_connection(conn, host),
              "nothing is kept after a strike")
    if b"\r\nConnection: close\r\n" in want:
        equal(read_exactly(conn, 1), (b"", "end"), "behind the response")
    else:
        again = asked_connection(conn, host) == number()
        # Idle ones end after 4 s; a machine may be that busy.
        if again or time.monotonic() - came < 3:
            equal(again, stays, "the service's connection serves again")


def is_cut(c, conn, want):
    """A part comes, and no clean end."""
    got, how = read_exactly(conn, 1 << 30)
    got = undated(got)
    check(want.startswith(got), f"the visitor has {got!r} of {want!r}")
    clean = (b"Transfer-Encoding: chunked" in got and b"\r\n0\r\n\r\n" in got
             or b"Content-Length" not in got and b"chunked" not in got)
    check(how == "reset" or (how == "end" and not clean),
          f"{how} after {got!r}")


def is_refused(c, conn, want):
    got, _ = read_exactly(conn, len(want))
    equal(undated(got), want, "interim responses")
    line = Reader(conn).head()[0]
    check(line.split(b" ")[1].decode() in c.verdict, f"the status: {line}")


def run_response(c, number, whole):
    label = f"c{number}{'w' if whole else 'p'}"
    strike = c.verdict == ["strike"]
    slot = f"{label}.test" if strike else world.slots.get()
    host = (slot if strike else f"{label}.{slot}").encode()
    data = corpus.fill(c.sent, host, b"")
    way = next((w for w in ("close", "reset") if w in c.options), "stay")
    world.script.cases[label] = ([data] if whole else pieces(data), way)
    want = corpus.fill(b"".join(c.passed), host, b"")
    ask = corpus.fill(c.asked or b"$GET\r\n", host, b"") + b"\r\n"

    def said():
        return world.script.said[label]
    try:
        with dial(world.server.http) as conn:
            conn.sendall(ask)
            if c.verdict == ["cut"]:
                is_cut(c, conn, want)
            elif c.verdict[0].isdigit():
                is_refused(c, conn, want)
            else:
                passes(c, conn, want, host, said)
        if c.verdict != ["passed"]:
            # Long before an idle one would end.
            until(lambda: said() in world.script.ended, "the end of the "
                  "service's connection", 3, 0.005)
        for _ in range(2):
            with dial(world.server.http) as second:
                asked_connection(second, host)
    finally:
        if not strike:
            world.slots.put(slot)


def response_class(cases):
    the_world()
    run_all([((c, "script", whole), run_response, c, number, whole)
             for number, c in cases for whole in (True, False)])


register("responses", response_class)


@case("corpus: nginx and Node have counted")
def counted():
    the_world()
    if world.missing:
        raise Skip(", ".join(world.missing))


@case("corpus: nothing has come later, nothing is left")
def rest():
    the_world()
    for (label, name), compare in world.wanted.items():
        try:
            compare()
        except Failed as e:
            raise Failed(f"{label} at {name}: {e}") from None
    known = {label for label, _ in world.wanted}
    for origin in (world.recorder, *world.counting.values()):
        equal(origin.seen.labels() - known, set(), "unknown requests")
    settle(world.server, world.base[0], 15)
    settle(world.client, world.base[1], 15)
    world.stack.close()


main()

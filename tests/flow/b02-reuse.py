"""Work connections that carry visitors one after another: 10,000 visitors over
a few of them, each byte-exact or cut, whatever became of the one before; and
the framing against a peer that breaks it. REUSE_VISITORS says how many."""
import asyncio
import hashlib
import json
import os
import random
import struct

from harness import (TOKEN, Client, Origin, Failed, Server, Skip, able, case, check,
                     dial, echo, equal, exactly, free_port, levels, main, settle,
                     until)

try:
    from frp import FrpClient, FrpServer
    from frp import frame as frp_frame
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None

VISITORS = int(os.environ.get("REUSE_VISITORS", "10000"))
AT_ONCE = 18
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 30)))
START, DATA, END, ABORT = 1, 2, 3, 4
LINGER_CUT = struct.pack("ii", 1, 0)


def body(seed, n):
    return (hashlib.sha256(b"%d" % seed).digest() * (n // 32 + 1))[:n]


def cut(writer):
    writer.get_extra_info("socket").setsockopt(1, 13, LINGER_CUT)
    writer.transport.abort()


class Service:
    """The visitor's first 12 bytes say its seed, how many bytes it sends, how
    many it wants, and when we cut (0: never)."""

    def __init__(self):
        self.wrong = []

    async def serve(self, reader, writer):
        try:
            head = await reader.readexactly(16)
            seed, n, want, cut_at = struct.unpack("!IIII", head)
            back = body(seed + 1, want)
            if cut_at:
                writer.write(back[:cut_at % (want + 1)])
                cut(writer)
                return
            writer.write(back)
            got = await reader.read(-1)
            if got != body(seed, n)[:len(got)]:
                self.wrong.append(f"the service got other bytes: {seed}")
            await writer.drain()
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


async def visit(port, seed, tally):
    dice = random.Random(seed)
    n = dice.choice([0, 1, 100, 3000, 70000])
    want = dice.choice([0, 1, 100, 3000, 70000, 200000])
    how = dice.choice(["whole", "whole", "whole", "visitor", "service"])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    service_cut = dice.randrange(1, 1 << 30) if how == "service" else 0
    expect = body(seed + 1, want)
    try:
        writer.write(struct.pack("!IIII", seed, n, want, service_cut))
        sent = body(seed, n)
        if how == "visitor":
            writer.write(sent[:dice.randrange(n + 1)])
            got = await reader.read(dice.randrange(want + 1))
            check(expect.startswith(got), f"{seed}: other bytes before a cut")
            cut(writer)
            tally["cut"] += 1
            return
        writer.write(sent)
        writer.write_eof()
        got = await reader.read(-1)
        check(how == "whole", f"{seed}: a cut stream looks complete")
        check(got == expect, f"{seed}: got {len(got)} bytes of {want}")
        tally["whole"] += 1
        writer.close()
    except ConnectionError:
        check(how == "service", f"{seed}: {how} was cut")
        tally["reset"] += 1
        writer.close()


async def crowd(port, tally):
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", tally["port"])
    seeds = iter(range(SEED, SEED + VISITORS))

    async def one():
        for seed in seeds:
            if service.wrong:
                return
            try:
                await asyncio.wait_for(visit(port, seed, tally), 30)
            except (Failed, TimeoutError) as e:
                service.wrong.append(str(e) or f"{seed}: took too long")

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    server.close()
    check(not service.wrong, str(service.wrong[:3]))


@case("10,000 visitors over 20 work connections, cut at random", timeout=300)
def many():
    print(f"# SEED={SEED}: {VISITORS} visitors")
    local, port = free_port(), free_port()
    tally = {"whole": 0, "cut": 0, "reset": 0, "port": local}
    with Server({"transport": {"workPool": {"max": 20}}}) as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": local,
             "remotePort": port}]) as c:
        base, mine = levels(s), levels(c)
        asyncio.run(crowd(port, tally))
        equal(tally["whole"] + tally["cut"] + tally["reset"], VISITORS,
              "visitors")
        settle(s, base)
        settle(c, mine)
        made, reused = (c.counters()["work_conns"],
                        c.counters()["work_conns_reused"])
        print(f"# {tally}, {made} work connections, {reused} times reused")
        if not able("reuse"):
            return
        # A cut in the middle of a frame costs the connection; so do those that
        # come back to 20 idle ones, the more the longer one takes to make.
        check(made < 40 + VISITORS / 5, f"{made} work connections")
        check(reused > VISITORS * 0.95, f"{reused} reuses")


def frame(kind, payload=b""):
    return struct.pack("!I", kind << 24 | len(payload)) + payload


def frames(conn):
    """The next frame."""
    head = exactly(conn, 4)
    word, = struct.unpack("!I", head)
    return word >> 24, exactly(conn, word & 0xffffff)


def start_of(conn):
    kind, payload = frames(conn)
    equal(kind, START, "kind")
    return json.loads(payload[9:])


@case("aditd: START, DATA, END and ABORT; a frame that breaks the rules")
def framing():
    if frp_missing:
        raise Skip(frp_missing)
    port = free_port()
    with Server({"transport": {"workPool": {"min": 1, "max": 1}}}) as s, \
            FrpClient(s.port, TOKEN) as c:
        c.auto = False
        c.login(adit={"v": 1, "caps": ["half-close", "reuse"]})
        c.new_proxy("t", "tcp", remote_port=port)
        channel = c.open_work()
        work = channel.sock
        for _ in range(2):
            with dial(port) as v:
                v.sendall(b"hello")
                equal(start_of(work)["proxy_name"], "t", "name")
                equal(frames(work), (DATA, b"hello"), "data")
                work.sendall(frame(DATA, b"wor") + frame(DATA, b"ld")
                             + frame(END))
                equal(exactly(v, 5), b"world", "answer")
                equal(v.recv(1), b"", "the end")
            equal(frames(work), (END, b""), "end")
        # A cut, and what was still coming.
        v = dial(port)
        start_of(work)
        v.setsockopt(1, 13, LINGER_CUT)
        v.close()
        equal(frames(work), (ABORT, b""), "abort")
        work.sendall(frame(DATA, b"late") + frame(ABORT))
        # The service's cut is the visitor's.
        with dial(port) as v:
            start_of(work)
            work.sendall(frame(DATA, b"ha") + frame(ABORT))
            try:
                while v.recv(10):
                    pass
                raise AssertionError("a cut looks like an end")
            except ConnectionResetError:
                pass
        equal(frames(work), (ABORT, b""), "abort")
        # Broken: the visitor is cut, the connection gone.
        with dial(port) as v:
            start_of(work)
            work.sendall(frame(DATA, b"x") + b"\7\0\0\0")
            try:
                while v.recv(10):
                    pass
                raise AssertionError("a cut looks like an end")
            except ConnectionResetError:
                pass
        check(channel.ended(), "a connection that broke the rules lives")


def start(name):
    return frame(START, frp_frame("s", {"proxy_name": name}))


@case("adit: what the server that is replaced sends to a carrier is served")
def moved():
    """Its next visitor may be on its way when adit hears of the move."""
    if frp_missing:
        raise Skip(frp_missing)
    with Origin(echo) as o, FrpServer(TOKEN, free_port()) as f:
        f.answer["adit"] = {"v": 1, "caps": ["half-close", "reuse", "move"]}
        with Client(f, [{"name": "t", "type": "tcp", "localPort": o.port,
                         "remotePort": 6000}], wait=False) as c:
            control, _ = f.control()
            f.accept_proxies(control, 1)
            control.send("r", {})
            work = f.works.get(timeout=20)[0].sock
            work.sendall(start("t") + frame(DATA, b"one"))
            equal(frames(work), (DATA, b"one"), "the first visitor's")
            control.send("M", {})
            again, _ = f.control()
            f.accept_proxies(again, 1)
            for word in (b"two", b"three"):
                work.sendall(frame(END))
                equal(frames(work), (END, b""), "the end")
                work.sendall(start("t") + frame(DATA, word))
                equal(frames(work), (DATA, word), "the next visitor's")
            work.close()
            # One that is cut ends them all.
            again.send("r", {})
            work = f.works.get(timeout=20)[0].sock
            again.close()
            equal(work.recv(1), b"", "the end of it")
            f.control()[0].close()


@case("adit without transport.reuse: one visitor for each connection")
def without():
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}], {"transport": {"reuse": False}}) as c:
        for _ in range(10):
            with dial(port) as v:
                v.sendall(b"one")
                equal(exactly(v, 3), b"one", "echo")
        until(lambda: c.counters()["ended_done"] == 10, "all ended")
        equal(c.counters()["work_conns_reused"], 0, "reused")
        check(c.counters()["work_conns"] >= 10, "work connections")


main()

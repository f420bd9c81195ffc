"""Byte-exactness: seeded streams of 1 B to 64 MiB through a tcp proxy, both
ways at once, 200 at a time, in random pieces, some read slowly, ended first
by either side; every stream is checked by length and hash.

EXACT_MIB is the total of both directions (default 1024); SEED repeats a run.
"""
import asyncio
import hashlib
import math
import os
import random
import struct
import time

from harness import (Client, Server, case, check, equal, free_port, levels,
                     main, settle)

MIB = 1 << 20
TOTAL = int(os.environ.get("EXACT_MIB", "1024")) * MIB
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
AT_ONCE = 200
SLOW_MAX = 256 * 1024
HEADER = struct.Struct(">QQQ?")  # seed, bytes there, bytes back, echo late


def sizes(rng):
    """Log-uniform from 1 B to 64 MiB until the total is reached."""
    left = TOTAL
    while left > 0:
        size = min(left, int(2 ** rng.uniform(0, math.log2(64 * MIB))))
        left -= size
        yield size


def piece(rng, block):
    """A slice of random bytes; cheap, and different at every offset."""
    n = int(2 ** rng.uniform(0, 17))
    start = rng.randrange(len(block) - n)
    return block[start:start + n]


async def send(writer, seed, size, block, slow):
    rng, digest = random.Random(seed), hashlib.sha256()
    while size:
        data = piece(rng, block)[:size]
        digest.update(data)
        writer.write(data)
        await writer.drain()
        size -= len(data)
        if slow and rng.random() < 0.1:
            await asyncio.sleep(0.001)
    writer.write_eof()
    return digest.hexdigest()


async def receive(reader, slow):
    digest, size = hashlib.sha256(), 0
    while data := await reader.read(4096 if slow else 262144):
        digest.update(data)
        size += len(data)
        if slow:
            await asyncio.sleep(0.0005)
    return size, digest.hexdigest()


class Exchange:
    def __init__(self, block):
        self.block = block
        self.results = {}
        self.failures = []

    async def serve(self, reader, writer):
        """The service: told by the header what to send back, and when."""
        try:
            seed, there, back, late = HEADER.unpack(
                await reader.readexactly(HEADER.size))
            sending = send(writer, seed + 1, back, self.block, False)
            if late:
                got = await receive(reader, False)
                sent = await sending
            else:
                sent, got = await asyncio.gather(
                    sending, receive(reader, False))
            self.results[seed] = (there, got, sent)
        except (OSError, asyncio.IncompleteReadError) as e:
            self.failures.append(f"service: {e!r}")
        finally:
            writer.close()

    async def visit(self, port, seed, there, back):
        rng = random.Random(seed)
        late = rng.random() < 0.3
        slow = back < SLOW_MAX and rng.random() < 0.2
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEADER.pack(seed, there, back, late))
        try:
            sent, got = await asyncio.gather(
                send(writer, seed, there, self.block, slow),
                receive(reader, slow))
            equal(got[0], back, f"seed {seed}: bytes back")
            self.results[seed, "visitor"] = (sent, got)
        except Exception as e:
            self.failures.append(f"seed {seed} ({there} there, {back} back, "
                                 f"late {late}): {e!r}")
        finally:
            writer.close()

    def verify(self, seed):
        check(seed in self.results, f"seed {seed}: the service saw no end")
        there, got, sent = self.results[seed]
        v_sent, v_got = self.results[seed, "visitor"]
        equal(got, (there, v_sent), f"seed {seed}: at the service")
        equal(v_got[1], sent, f"seed {seed}: at the visitor")


async def run(block, local, port):
    x = Exchange(block)
    rng = random.Random(SEED)
    server = await asyncio.start_server(x.serve, "127.0.0.1", local,
                                        backlog=1000)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(seed, there, back):
        async with gate:
            await x.visit(port, seed, there, back)
    todo = list(sizes(rng))
    rng.shuffle(todo)
    pairs = list(zip(todo[::2], todo[1::2] + [1]))
    # Enough small ones that 200 really are there at once.
    pairs += [(rng.randrange(1, 5000), rng.randrange(1, 5000))
              for _ in range(max(0, 3 * AT_ONCE - len(pairs)))]
    seeds = [2 * i for i in range(1, len(pairs) + 1)]
    await asyncio.gather(*(one(s, *p) for s, p in zip(seeds, pairs)))
    # A service may still be reading when its visitor is done.
    for _ in range(200):
        if all(s in x.results for s in seeds):
            break
        await asyncio.sleep(0.05)
    check(not x.failures, f"SEED={SEED}: {x.failures[:3]}")
    for seed in seeds:
        x.verify(seed)
    server.close()
    return len(pairs), sum(map(sum, pairs))


@case("seeded streams both ways, 200 at a time", timeout=600)
def exact():
    local, port = free_port(), free_port()
    block = random.Random(SEED).randbytes(MIB)
    with Server() as s, Client(s, [
            {"name": "x", "type": "tcp", "localPort": local,
             "remotePort": port}]) as c:
        base, mine = levels(s), levels(c)
        start = time.monotonic()
        streams, total = asyncio.run(run(block, local, port))
        took = time.monotonic() - start
        print(f"# SEED={SEED}: {streams} connections, {total / MIB:.0f} MiB, "
              f"{took:.1f} s", flush=True)
        settle(s, base, 30)
        settle(c, mine, 30)
        counters = s.counters()
        check(counters["bytes_in"] + counters["bytes_out"] >= total,
              "all bytes counted")



main()

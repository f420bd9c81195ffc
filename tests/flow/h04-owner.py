"""A domain changes hands, again and again, while its visitors go on asking: who
asks after the new owner was told so reaches the old one never."""
import http.client
import mmap
import multiprocessing
import os
import struct
import time

from harness import (TOKEN, Server, Skip, case, check, equal, levels, main,
                     settle)

try:
    from frp import FrpClient
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None

ROUNDS = int(os.environ.get("OWNER_ROUNDS", "10000"))
VISITORS = 4
PAUSES = (0, 0.003, 0, 0, 0.001, 0, 0.0003)
WORD = struct.Struct("q")


class Shared:
    """Numbers that all processes see: the owner that was told so last, whether
    to stop, and each visitor's answers, errors, and answers of former ones."""

    def __init__(self):
        self.memory = mmap.mmap(-1, WORD.size * (2 + 3 * VISITORS))

    def __getitem__(self, i):
        return WORD.unpack_from(self.memory, i * WORD.size)[0]

    def __setitem__(self, i, value):
        WORD.pack_into(self.memory, i * WORD.size, value)


OWNER, STOP, COUNTS = 0, 1, 2


def serve(sock, start, data):
    """Say which proxy it was: each owner has a number, and names it so."""
    name = start["proxy_name"].encode()
    while True:
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        if head.startswith(b"POST"):
            while len(data) < 4:
                data += sock.recv(65536)
            data = data[4:]
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(name), name))


def visit(port, shared, number):
    """One visitor: some requests on a connection, then on the next one."""
    answers = errors = former = turn = 0
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not shared[OWNER]:
        time.sleep(0.01)
    while not shared[STOP]:
        turn += 1
        owner = shared[OWNER]
        try:
            # What has a body never goes on a connection of others.
            body = b"body" if turn % 5 == 0 else None
            conn.request("POST" if body else "GET", "/", body,
                         {"Host": "t.test"})
            r = conn.getresponse()
            said = r.read()
        except (OSError, http.client.HTTPException):
            errors += 1
            conn.close()
            continue
        if r.status == 200:
            answers += 1
            former += int(said) < owner
        else:
            # Nobody's at this moment, or its owner's work was cut.
            errors += r.status not in (404, 502, 503)
        if turn % (50 * (number + 1)) == 0:
            conn.close()
        for i, n in enumerate((answers, errors, former)):
            shared[COUNTS + 3 * number + i] = n
    os._exit(0)


def change_hands(workers, rounds):
    if frp_missing:
        raise Skip(frp_missing)
    shared = Shared()
    with Server({"log": {"level": "info"}, "workers": workers}) as s, \
            FrpClient(s.port, TOKEN, serve=serve) as a, \
            FrpClient(s.port, TOKEN, serve=serve) as b:
        # Processes, before there are threads.
        visitors = [multiprocessing.get_context("fork").Process(
            target=visit, args=(s.http, shared, i), daemon=True)
            for i in range(VISITORS)]
        for v in visitors:
            v.start()
        a.login(pool_count=5)
        b.login(pool_count=5)
        base = levels(s)
        start, again = time.monotonic(), 0
        for owner in range(1, rounds + 1):
            new, old = (a, b) if owner % 2 else (b, a)
            if owner > 1:
                old.close_proxy(str(owner - 1))
            while "error" in (answer := new.new_proxy(
                    str(owner), "http", custom_domains=["t.test"])):
                # It is the old one's until that was heard.
                check("conflict" in answer["error"], answer)
                again += 1
            shared[OWNER] = owner
            # Some are visited for a while, others are hardly known.
            time.sleep(PAUSES[owner % len(PAUSES)])
        took = time.monotonic() - start
        shared[STOP] = 1
        for v in visitors:
            v.join(30)
            equal(v.exitcode, 0, "a visitor's exit code")
        counts = [[shared[COUNTS + 3 * v + i] for v in range(VISITORS)]
                  for i in range(3)]
        reused = s.counters()["http_reused"]
        print(f"# {rounds} owners in {took:.0f} s, {sum(counts[0])} answers, "
              f"{reused} on used connections, asked again {again} times")
        equal(sum(counts[2]), 0, "answers of former owners")
        equal(sum(counts[1]), 0, "errors")
        check(sum(counts[0]) > rounds and reused > rounds / 4,
              f"{counts[0]} answers, {reused} on used connections")
        new.close_proxy(str(rounds))
        settle(s, base, 20)


@case("owners of a domain change, one worker")
def one_worker():
    change_hands(1, ROUNDS // 5)


@case(f"{ROUNDS} owners of a domain, two workers")
def two_workers():
    change_hands(2, ROUNDS)


@case(f"{ROUNDS} owners of a domain, four workers")
def four_workers():
    change_hands(4, ROUNDS)


main()

"""Several workers: a control, its work connections and its visitors on every
combination of them, the lock of the state directory, and the balance."""
import itertools
import os
import signal
import socket
import threading

from harness import (ADITD, HOLD, TOKEN, AditProgram, Client, Failed, Origin,
                     Server, Skip, answers, case, check, dial, echo, equal,
                     exactly, free_port, levels, main, needs, settle, until)

try:
    from frp import Channel, FrpClient, login_key
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None

WORKERS = 2


def accepts(s):
    c = s.counters()
    return [c[f"worker_{i}_accepts"] for i in range(c["workers"])]


def connect_on(s, port, worker):
    """A connection to the port that this worker has accepted."""
    for _ in range(200):
        before = accepts(s)
        conn = socket.create_connection(("127.0.0.1", port), timeout=10)
        after = until(lambda: [a for a in [accepts(s)] if a != before],
                      "the connection is accepted")[0]
        if after[worker] > before[worker]:
            return conn
        conn.close()
    raise AssertionError("the kernel never chose this worker")


class PlacedClient(FrpClient if not frp_missing else object):
    """A client whose control and work connections are on given workers."""

    def __init__(self, server, control_on, work_on, **options):
        self.server, self.work_on = server, work_on
        self.control_on, self.placing_control = control_on, True
        super().__init__(server.port, TOKEN, **options)

    def connect(self):
        on = self.control_on if self.placing_control else self.work_on
        self.placing_control = False
        try:
            return Channel(connect_on(self.server, self.server.port, on))
        except Failed as e:
            raise OSError("the server has ended") from e


def ask(conn, body):
    """One request with a body on the connection; the answer's body."""
    conn.sendall(b"POST / HTTP/1.1\r\nHost: w.test\r\nContent-Length: "
                 + str(len(body)).encode() + b"\r\n\r\n" + body)
    got = b""
    while True:
        more = conn.recv(65536)
        if not more:
            break
        got += more
    return got.partition(b"\r\n\r\n")[2]


def serve(sock, _start, early):
    """Answer with the body that came."""
    data = early
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split()[0])
    while len(body) < size:
        body += sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
    sock.close()


@case("every combination of control, work connection and visitor")
def combinations():
    if frp_missing:
        raise Skip(frp_missing)
    conf = {"workers": WORKERS, "transport": {"maxPoolCount": 5}}
    for c_on, w_on, v_on in itertools.product(range(WORKERS), repeat=3):
        for pool in (1, 0):
            what = f"control {c_on}, work {w_on}, visitor {v_on}, pool {pool}"
            with Server(conf) as s, \
                    PlacedClient(s, c_on, w_on, serve=serve) as c:
                c.login(pool_count=pool)
                c.new_proxy("w", "http", custom_domains=["w.test"])
                until(lambda: s.counters()["pool_offers"] == pool,
                      f"{what}: idle work connections")
                body = os.urandom(300000)
                with connect_on(s, s.http, v_on) as conn:
                    equal(ask(conn, body), body, what)
                k = s.counters()
                equal((k["pool_hits"], k["pool_misses"]),
                      (pool, 1 - pool), f"{what}: hits and misses")
                moved = int(w_on != v_on)
                equal(k["visitors_moved"], moved * pool, f"{what}: visitors")
                equal(k["work_conns_moved"] > 0, bool(moved and not pool),
                      f"{what}: work connections")


@case("a login replaces a control of another worker")
def replacement():
    if frp_missing:
        raise Skip(frp_missing)
    port = free_port()
    with Server({"workers": WORKERS}) as s:
        for turn in range(6):
            c = PlacedClient(s, turn % 2, 0)
            answer = c.login(run_id="the-same", pool_count=0)
            equal(answer["run_id"], "the-same")
            # The port and the name are free at once.
            equal(c.new_proxy("t", remote_port=port)["remote_addr"],
                  f":{port}")
        k = s.counters()
        equal(k["controls_replaced"], 5, "replaced")
        equal(k["pool_controls"], 1, "controls")
        equal(k["pool_proxies"], 1, "proxies")
        c.close()


@case("400 visitors at once, four workers, every byte")
def crowd():
    with Origin(echo) as origin, Server({"workers": 4}) as s:
        port = free_port()
        with Client(s, [{"name": "t", "type": "tcp", "remotePort": port,
                         "localPort": origin.port}]):
            base = s.counters()["pool_visitors"]
            wrong = []

            def visit():
                data = os.urandom(20000)
                try:
                    with dial(port, timeout=30) as conn:
                        conn.sendall(data)
                        got = b""
                        while len(got) < len(data):
                            more = conn.recv(65536)
                            if not more:
                                break
                            got += more
                    if got != data:
                        wrong.append(len(got))
                except OSError as e:
                    wrong.append(e)
            threads = [threading.Thread(target=visit) for _ in range(400)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            check(not wrong, f"wrong: {wrong[:5]}")
            until(lambda: s.counters()["pool_visitors"] == base,
                  "all visitors gone", 10 + HOLD)
            k = s.counters()
            equal(k["workers"], 4, "workers")
            shares = [k[f"worker_{i}_accepts"] for i in range(4)]
            check(min(shares) > 0, f"balance: {shares}")
            equal(sum(shares), k["accepts"], "accepts of all workers")


@case("names claimed at once by many have one owner")
def race():
    if frp_missing:
        raise Skip(frp_missing)
    with Server({"workers": 4}) as s:
        clients = [FrpClient(s.port, TOKEN) for _ in range(8)]
        for c in clients:
            c.login(pool_count=0)
        answers = []

        def claim(c):
            for i in range(20):
                answers.append(c.new_proxy(
                    f"p{i}", "http", custom_domains=[f"{i}.test"]))
        threads = [threading.Thread(target=claim, args=(c,))
                   for c in clients]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        won = [a["proxy_name"] for a in answers if not a.get("error")]
        equal(sorted(won), sorted(f"p{i}" for i in range(20)), "winners")
        equal(len(answers), 160, "answers")
        for c in clients:
            c.close()
        until(lambda: s.counters()["pool_proxies"] == 0, "all names free")


@case("workers: auto follows the affinity")
def auto():
    with Server({"workers": "auto"}) as s:
        equal(s.counters()["workers"], len(os.sched_getaffinity(0)))
    one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    s = Server({"workers": "auto"}, start=False)
    s.argv = one + s.argv
    with s.start():
        equal(s.counters()["workers"], 1)


@case("adit: several workers make the work connections in turn, and drain")
def client_workers():
    needs("work connections apart")
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}],
            {"workers": 3, "transport": {"poolCount": 3}}) as c:
        mine = levels(c)
        conns = [dial(port) for _ in range(30)]
        for conn in conns:
            conn.sendall(b"x" * 100000)
        for conn in conns:
            equal(len(exactly(conn, 100000)), 100000, "echo")
        equal(c.counters()["workers"], 3, "workers")

        def least():
            now = c.counters()
            return min(now[f"worker_{k}_relays"] for k in range(3))
        # Which of the idle ones a visitor gets is not in turns.
        while least() < 3:
            check(len(conns) < 200, f"of one worker: {c.counters()}")
            conns.append(dial(port))
            conns[-1].sendall(b"more")
            equal(exactly(conns[-1], 4), b"more", "echo")
        # The server dies: all are cut, all come back.
        s.restart()
        for conn in conns:
            try:
                equal(conn.recv(1), None, "a cut")
            except ConnectionResetError:
                conn.close()
        until(lambda: answers(port), "back")
        for _ in range(6):
            with dial(port) as conn:
                conn.sendall(b"again")
                equal(exactly(conn, 5), b"again", "echo")
        settle(c, mine)
        # Drain: whoever is here may finish, on whatever worker.
        conns = [dial(port) for _ in range(6)]
        for conn in conns:
            conn.sendall(b"a")
            equal(exactly(conn, 1), b"a", "echo")
        for program in (s, c):
            program.process.send_signal(signal.SIGTERM)
            program.wait_log("draining: 6 visitors")
        equal(s.log().count("draining: "), 1, "lines of all workers")
        for conn in conns:
            conn.sendall(b"b")
            equal(exactly(conn, 1), b"b", "echo while draining")
            conn.close()
        equal(c.process.wait(20), 0, "exit code")


@case("a state directory belongs to one aditd")
def lock():
    with Server() as s:
        shared = os.path.join(s.dir, "deep", "state")
        s.stop()
        s.write({**s.conf, "stateDir": shared})
        s.start()
        equal(os.stat(shared).st_mode & 0o777, 0o700, "mode")
        conf = {**s.conf, "bindPort": free_port(), "vhostHTTPPort": 0}
        with AditProgram(ADITD, conf) as second:
            second.expect_exit = 1
            second.launch()
            second.process.wait(10)
            check(f"{shared} is locked by another aditd (pid {s.pid})"
                  in second.log(), second.log())
        # A killed one leaves no lock.
        s.restart()


main()

"""aditd is replaced while it is used: the new one has its sockets and its lock,
visitors between two requests go to it, clients come back to it, and the old one
finishes what it has begun. Under load no request fails.

UPGRADE_ROUNDS (default 5) says how often; `make upgrades` does it 60 times.
"""
import collections
import contextlib
import ctypes
import http.client
import os
import random
import signal
import socket
import subprocess
import threading
import time

import frpkit
from harness import (Client, Failed, Nginx, Origin, Server, Skip, case, check,
                     dial, echo, equal, exactly, free_port, main, read_all,
                     read_until, until)
from managerkit import Manager

ROUNDS = int(os.environ.get("UPGRADE_ROUNDS", "5"))
PAGE = random.Random(5).randbytes(3000)
# Whoever is left by its parent is ours, so that its end can be awaited.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


class Left:
    """A process that another one of ours has started, as Popen has its own."""

    def __init__(self, pid):
        self.pid, self.code = pid, None

    def poll(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self, timeout=None):
        end = timeout and time.monotonic() + timeout
        while self.poll() is None:
            if end and time.monotonic() > end:
                raise subprocess.TimeoutExpired("aditd", timeout)
            time.sleep(0.01)
        return self.code

    def send_signal(self, sig):
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self):
        self.send_signal(signal.SIGKILL)


class Upgraded(Server):
    """An aditd, and those that came before it."""

    def __init__(self, *args, **options):
        self.old = []
        super().__init__(*args, **options)

    def locker(self):
        with open(f"{self.dir}/aditd/lock") as f:
            return int(f.read())

    def run_upgrade(self, binary=None, env=None):
        """aditd upgrade; its exit code."""
        with open(self.log_path, "ab") as log:
            return subprocess.run(
                [binary or self.argv[0], "upgrade", "-c", self.conf_path],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**self.env, **(env or {})}, cwd=self.dir,
                timeout=60).returncode

    def upgrade(self):
        before = self.process
        equal(self.run_upgrade(), 0, "aditd upgrade")
        self.process = Left(self.locker())
        check(self.process.pid != before.pid, "another process has the lock")
        self.old.append(before)

    def wait_old(self, timeout=40):
        """All that came before have ended, with 0."""
        for process in self.old:
            equal(process.wait(timeout), 0, "the old one's exit code")
        self.old = []

    def __exit__(self, *args):
        super().__exit__(*args)
        if args[0] is None:
            self.wait_old()
        for process in self.old:
            process.kill()
            process.wait()


def proxies(site, tcp):
    return [{"name": "t", "type": "tcp", "localPort": site.port,
             "remotePort": tcp},
            {"name": "h", "type": "http", "localPort": site.port,
             "customDomains": ["up.test"]}]


class Load:
    """Visitors that stay, and new ones; what has failed, and how long the
    longest took."""

    def __init__(self, port, tcp, stay=200, new=50):
        self.port, self.tcp, self.new = port, tcp, new
        self.failed, self.done, self.slowest = [], 0, 0.0
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.stay, daemon=True)
                        for _ in range(stay)]
        self.threads.append(threading.Thread(target=self.come, daemon=True))
        for t in self.threads:
            t.start()

    def ask(self, conn, what):
        began = time.monotonic()
        try:
            conn.request("GET", "/page", headers={"Host": "up.test"})
            answer = conn.getresponse()
            body = answer.read()
            if answer.status != 200 or body != PAGE:
                raise Failed(f"{answer.status}, {len(body)} bytes")
        except (OSError, http.client.HTTPException, Failed) as e:
            with self.lock:
                self.failed.append(f"{what}: {e!r}")
            conn.close()
            return False
        with self.lock:
            self.done += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        return not answer.will_close

    def connection(self, port):
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def stay(self):
        conn = None
        while not self.stop.is_set():
            conn = conn or self.connection(self.port)
            if not self.ask(conn, "one that stays"):
                conn = None
            self.stop.wait(random.uniform(0.05, 0.35))

    def once(self, port):
        conn = self.connection(port)
        self.ask(conn, f"a new one at {port}")
        conn.close()

    def come(self):
        visits = []
        while not self.stop.wait(1 / self.new):
            t = threading.Thread(target=self.once, daemon=True, args=(
                random.choice((self.port, self.tcp)),))
            t.start()
            visits.append(t)
        for t in visits:
            t.join()

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def upgrades(server, rounds):
    for _ in range(rounds):
        server.upgrade()
        time.sleep(random.uniform(0.2, 0.8))


@case(f"{ROUNDS} upgrades in a row: no request fails", timeout=120 + 10 * ROUNDS)
def in_a_row():
    tcp = free_port()
    with Nginx({"page": PAGE}, "keepalive_requests 100000;") as site, \
            Upgraded() as s, Client(s, proxies(site, tcp)):
        load = Load(s.http, tcp)
        time.sleep(1)
        upgrades(s, ROUNDS)
        time.sleep(1)
        load.end()
        print(f"# {ROUNDS} upgrades, {load.done} requests, "
              f"{len(load.failed)} failed, the slowest took "
              f"{load.slowest:.2f} s", flush=True)
        for kind, n in collections.Counter(load.failed).most_common(8):
            print(f"# {n} times: {kind}")
        check(not load.failed, f"{len(load.failed)} of {load.done} have "
              f"failed: {load.failed[:3]}")


@contextlib.contextmanager
def under_load(server, tcp, **kind):
    """Visitors meanwhile, of which none fails."""
    load = Load(server.http, tcp, **{"stay": 20, "new": 20, **kind})
    time.sleep(0.3)
    yield load
    time.sleep(0.5)
    load.end()
    check(not load.failed, f"{len(load.failed)} of {load.done} have failed: "
          f"{load.failed[:3]}")
    check(load.done > 20, f"only {load.done} requests were made")


@case("the number of workers changes: no request fails")
def workers():
    tcp = free_port()
    with Nginx({"page": PAGE}) as site, Upgraded({"workers": 1}) as s, \
            Client(s, proxies(site, tcp)), under_load(s, tcp):
        for n in (4, 2, 1, 3, 3, 1):
            s.write({**s.conf, "workers": n})
            since = s.mark()
            s.upgrade()
            s.wait_log(rf"{n} workers", since=since)
            time.sleep(0.3)


@case("a new one that cannot start: the old one goes on")
def fails():
    tcp, taken = free_port(), free_port()
    with Nginx({"page": PAGE}) as site, Upgraded() as s, \
            Client(s, proxies(site, tcp)) as c, under_load(s, tcp), \
            socket.create_server(("127.0.0.1", taken)):
        good = s.conf
        for change, code in (({"bindPort": "x"}, 2),
                             ({"vhostHTTPSPort": taken}, 1),
                             ({"stateDir": "/dev/null/at"}, 1)):
            s.write({**good, **change})
            since = s.mark()
            equal(s.run_upgrade(), code, f"with {change}")
            if "vhostHTTPSPort" in change:
                s.wait_log("has not taken over: it has ended", since=since)
        s.write(good)
        check(s.alive() and s.locker() == s.pid, "the old one is the server")
        equal(len(c.log().split("login to server success")), 2, "logins")
        # And nothing of that is in the way.
        s.upgrade()


HEAD = 8  # type and number of a message


def say(peer, kind, number=0, data=b""):
    peer.sendall(kind.to_bytes(4, "little") + number.to_bytes(4, "little")
                 + data)


def hear(peer):
    """A message's type, bytes and descriptors."""
    data, fds, _, _ = socket.recv_fds(peer, 65536, 64)
    return int.from_bytes(data[:4], "little"), data[HEAD:], fds


@contextlib.contextmanager
def other(server):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(20)
        peer.connect(f"{server.dir}/aditd/upgrade.sock")
        yield peer


HELLO, WELCOME, REFUSED, PREPARED, LOCK, LISTENERS, COMPLETE = range(1, 8)


@case("one that goes away halfway, or speaks nonsense: the old one goes on")
def halfway():
    tcp = free_port()
    with Nginx({"page": PAGE}) as site, Upgraded() as s, \
            Client(s, proxies(site, tcp)) as c, under_load(s, tcp):
        equal(os.stat(f"{s.dir}/aditd/upgrade.sock").st_mode & 0o777, 0o600,
              "its mode")
        with other(s) as peer:
            say(peer, HELLO, 99)
            equal(hear(peer)[0], REFUSED, "another version")
        for nonsense in (b"", b"\xff" * 9, bytes(20000)):
            with other(s) as peer:
                peer.sendall(nonsense or b"\0")
                with contextlib.suppress(OSError):
                    kind, text, _ = hear(peer)
                    check(kind in (0, REFUSED), f"{kind}, {text}")
        with other(s) as peer, other(s) as second:
            say(peer, HELLO, 1, b"a test")
            equal(hear(peer)[0], WELCOME, "the first")
            equal(hear(second)[0], REFUSED, "a second one")
        for wait in (0, 0.3):
            with other(s) as peer:
                say(peer, HELLO, 1, b"a test")
                equal(hear(peer)[0], WELCOME, "the answer")
                say(peer, PREPARED)
                kinds, fds = [], []
                while COMPLETE not in kinds:
                    kind, _, more = hear(peer)
                    kinds.append(kind)
                    fds += more
                equal((kinds[0], set(kinds[1:-1])), (LOCK, {LISTENERS}),
                      "what comes")
                names = {socket.socket(fileno=os.dup(fd)).getsockname()[1]
                         for fd in fds[1:]}
                equal(names, {s.port, s.http, tcp}, "the sockets")
                for fd in fds:
                    os.close(fd)
                # Whoever comes now waits.
                time.sleep(wait)
        equal(len(c.log().split("login to server success")), 2, "logins")
        s.upgrade()


@case("what is under way goes on: downloads, a half-closed one, a WebSocket's")
def under_way():
    """On http and on tcp; each through three upgrades."""
    tcp = free_port()
    go = threading.Event()

    def slow(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
        for i in range(4):
            conn.sendall(bytes([i]) * 100000)
            if i == 1:
                go.wait(30)
        conn.shutdown(socket.SHUT_WR)
        read_all(conn)

    def talk(conn):
        head = read_until(conn, b"\r\n\r\n")
        check(b"Upgrade: talk" in head, head)
        conn.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n"
                     b"Upgrade: talk\r\n\r\n")
        echo(conn)

    with Origin(slow) as o, Origin(talk) as t, Upgraded() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": tcp},
            {"name": "h", "type": "http", "localPort": o.port,
             "customDomains": ["up.test"]},
            {"name": "w", "type": "http", "localPort": t.port,
             "customDomains": ["talk.test"]}]):
        conns = [dial(p) for p in (tcp, s.http)]
        for conn in conns:
            conn.sendall(b"GET / HTTP/1.1\r\nHost: up.test\r\n\r\n")
            exactly(conn, 1)
        talker = dial(s.http)
        talker.sendall(b"GET / HTTP/1.1\r\nHost: talk.test\r\nConnection: "
                       b"upgrade\r\nUpgrade: talk\r\n\r\n")
        read_until(talker, b"\r\n\r\n")
        for i in range(3):
            s.upgrade()
            talker.sendall(b"%d" % i)
            equal(exactly(talker, 1), b"%d" % i, "the talk goes on")
        equal([p.poll() for p in s.old], [None] * 3, "the old ones' ends")
        go.set()
        for conn in conns:
            body = read_until(conn, bytes([3]) * 100000).split(b"\r\n\r\n")[1]
            check(body == b"".join(bytes([i]) * 100000 for i in range(4)),
                  f"{len(body)} bytes of the body")
            conn.close()
        talker.close()
        s.wait_old()


@case("a visitor's next request is there while it is passed on, also two")
def pipelined():
    tcp = free_port()
    request = b"GET /page HTTP/1.1\r\nHost: up.test\r\n\r\n"
    with Nginx({"page": PAGE}) as site, Upgraded() as s, \
            Client(s, proxies(site, tcp)):
        conns = [dial(s.http) for _ in range(20)]

        def answers(conn, n):
            for _ in range(n):
                head = read_until(conn, b"\r\n\r\n")
                check(head.startswith(b"HTTP/1.1 200 "), head[:50])
                body = head.partition(b"\r\n\r\n")[2]
                left[conn] = body[len(PAGE):] if len(body) > len(PAGE) else b""
                if len(body) < len(PAGE):
                    exactly(conn, len(PAGE) - len(body))

        left = {}
        for conn in conns:
            conn.sendall(request)
            answers(conn, 1)
        with other(s) as peer:
            say(peer, HELLO, 1, b"a test")
            hear(peer)
            say(peer, PREPARED)
            while hear(peer)[0] != COMPLETE:
                pass
            # Nobody begins these.
            for conn in conns:
                conn.sendall(request)
            time.sleep(0.1)
        for conn in conns:
            answers(conn, 1)
        upgrade = threading.Thread(target=s.upgrade)
        upgrade.start()
        for i in range(20):
            for conn in conns:
                conn.sendall(request)
                answers(conn, 1)
        upgrade.join()
        equal(s.counters()["visitors_adopted"], 20, "visitors passed on")


@case("a service manager is told of the new process, not of the old one's end")
def told():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = f"/tmp/adit-notify-{os.getpid()}"
        manager.bind(path)
        manager.settimeout(10)
        try:
            with Upgraded(env={"NOTIFY_SOCKET": path}) as s:
                check(manager.recv(1000).startswith(b"READY=1"), "READY")
                s.upgrade()
                equal(manager.recv(1000), b"MAINPID=%d" % s.pid, "told")
                check(manager.recv(1000).startswith(b"READY=1"), "READY")
                s.wait_old()
                manager.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    raise Failed(f"told: {manager.recv(1000)}")
                manager.settimeout(10)
            check(manager.recv(1000).startswith(b"STOPPING=1"), "STOPPING")
        finally:
            os.unlink(path)


@case("the watchdog goes on, though a new process is not told of it")
def watched():
    manager = Manager(watchdog=0.4)
    with Upgraded(env=manager.env) as s:
        manager.wait("WATCHDOG=1")
        # systemd tells only the process that it starts itself.
        del s.env["WATCHDOG_USEC"]
        for _ in range(2):
            s.upgrade()
            s.wait_old()
            had = manager.count("WATCHDOG=1")
            until(lambda: manager.count("WATCHDOG=1") > had + 2,
                  "signs of life")


def figures(server, tcp, client, rounds=5):
    """What fails of an frpc's visitors; a figure, which is to be small."""
    load = Load(server.http, tcp)
    time.sleep(1)
    for _ in range(rounds):
        since = client.mark()
        server.upgrade()
        client.wait_log("start proxy success", since=since, timeout=20)
        time.sleep(0.5)
    time.sleep(1)
    load.end()
    return load


@case("frpc: it connects again; what fails is told", timeout=200)
def frp():
    for name, transport in (("tcpMux", {"tls": {"enable": True}}),
                            ("a connection each", {
                                "tls": {"enable": False}, "tcpMux": False})):
        tcp = free_port()
        with Nginx({"page": PAGE}) as site, Upgraded() as s, frpkit.frpc(
                s, [{**p, "localIP": "127.0.0.1"} for p in proxies(site, tcp)],
                transport=transport) as c:
            load = figures(s, tcp, c)
            print(f"# frpc with {name}: {len(load.failed)} of {load.done} "
                  f"requests failed in 5 upgrades, the slowest took "
                  f"{load.slowest:.2f} s: "
                  f"{collections.Counter(load.failed).most_common(3)}",
                  flush=True)
            check(len(load.failed) < load.done / 20,
                  f"{len(load.failed)} of {load.done} have failed")
            # It does not wait for a half-closed end, as adit does.
            c.kill()


@contextlib.contextmanager
def given(*ports):
    """Listening sockets, numbered from 3 in a process that is started as the
    function says, which is given an argv."""
    sockets = [socket.create_server(("127.0.0.1", p), backlog=128)
               for p in ports]
    moves = " ".join(f"{3 + i}<&{100 + i} {100 + i}<&-"
                     for i in range(len(ports)))

    def start(argv):
        return ["bash", "-c", f"exec {moves}; export LISTEN_PID=$$; "
                'exec "$@"', "-", *argv]

    for i, s in enumerate(sockets):
        os.dup2(s.fileno(), 100 + i)
    try:
        yield start, sockets
    finally:
        for i, s in enumerate(sockets):
            os.close(100 + i)
            s.close()


class Given(Upgraded):
    """With the descriptors 100 and up, as many as `count`."""

    count = 0

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=self.env, cwd=self.dir,
                pass_fds=range(100, 100 + self.count))


@case("sockets of a service manager: taken, passed on, and alive after the end")
def activation():
    tcp = free_port()
    with Nginx({"page": PAGE}) as site:
        s = Given(start=False, env={"LISTEN_FDS": "3"})
        s.count = 3
        plain = s.argv
        with given(s.port, s.http, tcp) as (start, sockets):
            # Who comes before there is an aditd waits.
            early = http.client.HTTPConnection("127.0.0.1", s.http, timeout=20)
            early.connect()
            for again in range(2):
                s.argv = start(plain)
                s.start()
                s.argv = plain
                s.wait_log("3 sockets are the service manager's")
                with s, Client(s, proxies(site, tcp)), under_load(s, tcp):
                    if again == 0:
                        early.request("GET", "/page", headers={
                            "Host": "up.test"})
                        equal(early.getresponse().read(), PAGE, "the page")
                        early.close()
                    s.upgrade()
                    s.upgrade()
                    time.sleep(0.3)
                # They listen, though nobody accepts.
                for port in (s.port, s.http, tcp):
                    dial(port).close()
        # Another kind of socket is an error.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_kind:
            with given() as (start, _):
                os.dup2(other_kind.fileno(), 100)
                done = subprocess.run(
                    ["bash", "-c", "exec 3<&100; export LISTEN_PID=$$; "
                     'exec "$@"', "-", *plain], env={**s.env,
                                                     "LISTEN_FDS": "1"},
                    capture_output=True, cwd=s.dir, pass_fds=[100],
                    timeout=20)
                os.close(100)
                equal(done.returncode, 1, "exit code")
                check(b"no listening TCP socket" in done.stdout, done.stdout)


@case("without an aditd that runs, or for the first process of a container")
def refused():
    with Upgraded(start=False) as s:
        equal(s.run_upgrade(), 1, "nobody to take over from")
        s.process = None
    if os.geteuid() != 0:
        raise Skip("only root makes a namespace of processes")
    with Upgraded(start=False) as s:
        s.argv = ["unshare", "--pid", "--fork", "--kill-child", *s.argv]
        s.start()
        s.argv = s.argv[4:]
        since = s.mark()
        equal(s.run_upgrade(), 1, "the first process")
        s.wait_log("refused: this aditd is the first process", since=since)
        s.kill()


main()

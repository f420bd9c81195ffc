"""The server's identity changes, and the clients that logged in meanwhile go
along; who did not is told so. And by what the server knows a client again that
was started anew."""
import contextlib
import os
import re
import socket
import subprocess
import tempfile
import threading

from harness import (ADIT, ADITD, TEMP, Origin, Program, Server, case, check,
                     curl, dial, equal, main, read_until, until)


def page(conn):
    read_until(conn, b"\r\n\r\n")
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                 b"Connection: close\r\n\r\nyes")


def run(program, *args, env=None, code=0):
    done = subprocess.run([program, *args], capture_output=True, text=True,
                          env={**os.environ, **(env or {})}, timeout=20,
                          check=False)
    equal(done.returncode, code, f"{args}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Adit(Program):
    """adit with the joined server, until its proxy has started."""

    def __init__(self, env, *args, ok=True):
        super().__init__([ADIT, *args], "adit", env=env)
        self.expect_exit = 0 if ok else 1
        self.launch()
        if ok:
            self.wait_log("start proxy success")


def setting():
    home = tempfile.mkdtemp(prefix="home-", dir=TEMP)
    env = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"}
    s = Server({"auth": {"token": ""}, "stateDir": f"{home}/state"},
               start=False)
    os.mkdir(f"{home}/state", 0o700)
    s.write({**s.conf, "publicAddr": f"127.0.0.1:{s.port}"})
    told = run(ADITD, "token", "new", "alice", "-c", s.conf_path)
    return s, env, re.search(r"'(adit://[^']*)'", told).group(1)


def pins(s):
    return re.findall(r"(?:now|next) +([\w-]{43})",
                      run(ADITD, "identity", "-c", s.conf_path))


def kept(env):
    with open(f"{env['XDG_CONFIG_HOME']}/adit/join") as f:
        return f.read().strip().rsplit("/", 1)[1].split(",")


def visit(s, name):
    status, _, body = curl(f"http://127.0.0.1:{s.http}/", "-H",
                           f"Host: {name}.tunnel.test")
    return status, body


@case("a new identity, and who goes along")
def rotation():
    s, env, join = setting()
    with s.start(), Origin(page) as o:
        one = pins(s)
        equal(len(one), 1)
        run(ADIT, "join", join, env=env)
        equal(kept(env), one)
        args = ("http", str(o.port), "--subdomain", "a", "--no-requests")
        with Adit(env, *args):
            equal(visit(s, "a"), (200, b"yes"))
        since = s.mark()
        run(ADITD, "identity", "next", "-c", s.conf_path)
        two = pins(s)
        equal((len(two), two[0]), (2, one[0]))
        s.wait_log("read again", since=since)
        run(ADITD, "identity", "next", "-c", s.conf_path, code=1)
        with Adit(env, *args) as c:
            until(lambda: kept(env) == two, "it has been told")
            since = s.mark()
            run(ADITD, "identity", "activate", "-c", s.conf_path)
            s.wait_log("read again", since=since)
            # Who is there stays, and comes back to the new one.
            equal(visit(s, "a"), (200, b"yes"))
            since = c.mark()
            s.restart()
            c.wait_log("start proxy success", 30, since)
            equal(visit(s, "a"), (200, b"yes"))
        equal(pins(s), two[1:])
        until(lambda: kept(env) == two[1:], "the old one is forgotten")
        run(ADITD, "identity", "activate", "-c", s.conf_path, code=1)
        # Who has not heard of it is told what he meets.
        with Adit(env, *args, "--join", join, ok=False) as late:
            late.wait_log(re.escape(two[1]))


@case("a token made meanwhile knows both")
def both():
    s, env, _ = setting()
    with s.start():
        run(ADITD, "identity", "next", "-c", s.conf_path)
        told = run(ADITD, "token", "new", "bob", "-c", s.conf_path)
        join = re.search(r"'(adit://[^']*)'", told).group(1)
        equal(join.rsplit("/", 1)[1].split(","), pins(s))
        since = s.mark()
        run(ADITD, "identity", "activate", "-c", s.conf_path)
        s.wait_log("read again", since=since)
        with Origin(page) as o, Adit(env, "http", str(o.port), "--join", join,
                                     "--subdomain", "b", "--no-requests"):
            equal(visit(s, "b"), (200, b"yes"))


@case("an aditd that loses its files stays who it is, and makes no other")
def lost():
    s, env, join = setting()
    with s.start(), Origin(page) as o:
        one = pins(s)
        since = s.mark()
        for name in ("identity.key", "users", "frp.key", "frp.crt"):
            os.rename(f"{s.conf['stateDir']}/{name}",
                      f"{env['HOME']}/{name}")
        s.wait_log("the identity cannot be read; what was read before stays "
                   "in use", since=since)
        s.wait_log("the users stay as they were", since=since)
        with Adit(env, "http", str(o.port), "--join", join, "--subdomain",
                  "d", "--no-requests"):
            equal(visit(s, "d"), (200, b"yes"))
        equal(os.path.exists(f"{s.conf['stateDir']}/identity.key"), False)
        for name in ("identity.key", "users", "frp.key", "frp.crt"):
            os.rename(f"{env['HOME']}/{name}",
                      f"{s.conf['stateDir']}/{name}")
        s.wait_log("certificates and keys were read again", since=since)
        equal(pins(s), one)


@case("no core dump is left of who holds secrets")
def dumps():
    s, env, join = setting()
    with s.start(), Origin(page) as o, Adit(
            env, "http", str(o.port), "--join", join, "--subdomain", "c",
            "--no-requests") as c:
        for program in (s, c):
            with open(f"/proc/{program.pid}/limits") as f:
                check(re.search(r"Max core file size +0 ", f.read()),
                      program.name)


class Way(Origin):
    """What is between a client and aditd. When the client goes it says nothing
    to aditd, for whom the client is there for as long as its heartbeats may
    be late."""

    def __init__(self, port, source="127.0.0.1"):
        self.to, self.source = port, source
        self.clients, self.held = [], []
        super().__init__(self.carry)

    def carry(self, conn):
        to = dial(self.to, source=self.source, timeout=None)
        self.clients.append(conn)
        self.held.append(to)
        threading.Thread(target=self.pour, args=(to, conn),
                         daemon=True).start()
        self.pour(conn, to)

    @staticmethod
    def pour(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)

    def lose(self):
        """The client's connections, for the client."""
        while self.clients:
            with contextlib.suppress(OSError):
                self.clients.pop().shutdown(socket.SHUT_RDWR)

    def join(self, s, text):
        return text.replace(f":{s.port}/", f":{self.port}/")

    def __exit__(self, *_):
        super().__exit__()
        for to in self.held:
            with to, contextlib.suppress(OSError):
                to.shutdown(socket.SHUT_RDWR)


def state_of(env):
    """Together with `env`: adits that share their state."""
    state = tempfile.mkdtemp(prefix="state-", dir=TEMP)
    return {**env, "XDG_STATE_HOME": state}, f"{state}/adit/client-id"


def id_in(path):
    with open(path) as f:
        return f.read()


@case("a client that was killed takes its names over at once, from anywhere")
def killed():
    s, env, join = setting()
    env, path = state_of(env)
    kept = set()
    with s.start(), Origin(page) as o, Way(s.port) as one, Way(
            s.port) as two, Way(s.port, "127.0.0.2") as three:
        for n, way in enumerate((one, two, three)):
            with Adit(env, "http", str(o.port), "--join", way.join(s, join),
                      "--subdomain", "k", "--no-requests") as c:
                check("already exists" not in c.log(), c.log())
                equal(s.counters()["controls_replaced"], n)
                equal(s.counters()["pool_controls"], 1)
                equal(visit(s, "k"), (200, b"yes"))
                kept.add(id_in(path))
                c.kill()
                equal(s.counters()["pool_controls"], 1, "as far as it knows")
    check(len(kept) == 1 and kept.pop().strip() not in s.log(), "one id")


@case("a client that has lost its connection comes back with another run id")
def lost():
    s, env, join = setting()
    env, _ = state_of(env)
    with s.start(), Origin(page) as o, Way(s.port) as way, Adit(
            env, "http", str(o.port), "--join", way.join(s, join),
            "--subdomain", "l", "--no-requests") as c:
        ids, since = set(), 0
        for n in range(3):
            ids.add(c.wait_log(r"get run id \[(\w+)\]", since=since)[1])
            equal(visit(s, "l"), (200, b"yes"))
            equal(s.counters()["controls_replaced"], n)
            since = c.mark()
            way.lose()
            c.wait_log("start proxy success", since=since)
            check("already exists" not in c.log(), c.log())
        equal(visit(s, "l"), (200, b"yes"))
        equal(len(ids), 3)
        equal(s.counters()["pool_controls"], 1)
        equal(s.counters()["identities_shared"], 0)


@case("two clients of one state directory: both stay")
def together():
    s, env, join = setting()
    env, path = state_of(env)
    run(ADIT, "join", join, env=env)
    with s.start(), Origin(page) as o:
        def start(name):
            return Adit(env, "http", str(o.port), "--subdomain", name,
                        "--no-requests")
        with start("a") as a, start("b"):
            equal(os.stat(path).st_mode & 0o777, 0o600)
            kept = id_in(path)
            for name in "ab":
                equal(visit(s, name), (200, b"yes"))
            # The lock goes with the process, however it ends.
            a.kill()
            until(lambda: s.counters()["pool_controls"] == 1, "gone")
            with start("a"), start("c"):
                for name in "abc":
                    equal(visit(s, name), (200, b"yes"))
                equal(s.counters()["controls_replaced"], 0)
                equal(s.counters()["pool_controls"], 3)
            equal(id_in(path), kept)


@case("a state directory that cannot be: an id for the life of the process")
def nowhere():
    s, env, join = setting()
    run(ADIT, "join", join, env=env)
    with s.start(), Origin(page) as o:
        for place in ("/proc/none", "/dev/null"):
            with Adit({**env, "XDG_STATE_HOME": place}, "http", str(o.port),
                      "--subdomain", "n", "--no-requests"):
                equal(visit(s, "n"), (200, b"yes"))
            until(lambda: s.counters()["pool_controls"] == 0, "gone")


@case("words that mean nothing, a next one that is damaged")
def wrong():
    s, _, _ = setting()
    with s.start():
        run(ADITD, "identity", "later", "-c", s.conf_path, code=2)
        since = s.mark()
        path = s.conf["stateDir"] + "/identity.next"
        with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write("-----BEGIN PRIVATE KEY-----\n")
        s.wait_log("stays in use", since=since)
        run(ADITD, "identity", "activate", "-c", s.conf_path, code=1)
        os.unlink(path)
        s.wait_log("read again", since=since)
        check(len(pins(s)) == 1, "as before")


main()

"""The server's identity changes, and the clients that logged in meanwhile go
along; who did not is told so."""
import os
import re
import subprocess
import tempfile

from harness import (ADIT, ADITD, TEMP, Origin, Program, Server, case, check,
                     curl, equal, main, read_until, until)


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


@case("no core dump is left of who holds secrets")
def dumps():
    s, env, join = setting()
    with s.start(), Origin(page) as o, Adit(
            env, "http", str(o.port), "--join", join, "--subdomain", "c",
            "--no-requests") as c:
        for program in (s, c):
            with open(f"/proc/{program.pid}/limits") as f:
                check(re.search(r"Max core file size +0 +0 ", f.read()),
                      program.name)


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

"""The first run: one command on each side, on a clean machine. All of it is in
a network namespace of its own, where the usual ports are free."""
import contextlib
import errno
import fcntl
import json
import os
import pty
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

if os.environ.get("ADIT_NAMESPACE") is None and shutil.which("unshare"):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True,
                      check=False).returncode == 0:
        os.environ["ADIT_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])

from harness import (ADIT, ADITD, TEMP, Origin, Program, Skip, case, check,
                     curl, dial, echo, equal, free_port, main, read_until,
                     until)

JOIN = re.compile(r"adit://me:(adit_[\w-]{49})@([\w.:,]+)/([\w-]{43})")


def page(conn):
    read_until(conn, b"\r\n\r\n")
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                 b"Connection: close\r\n\r\nyes")


def loopback_up():
    """ip link set lo up."""
    with socket.socket() as s:
        name = b"lo" + bytes(14)
        flags = struct.unpack("16sh14x", fcntl.ioctl(
            s, 0x8913, name + bytes(16)))[1]
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", name, flags | 1))


def machine():
    """A clean one: a home, as the environment has it."""
    if not os.environ.get("ADIT_NAMESPACE"):
        raise Skip("no network namespace (unshare -rn)")
    loopback_up()
    home = tempfile.mkdtemp(prefix="home-", dir=TEMP)
    return {"HOME": home, "XDG_STATE_HOME": f"{home}/.local/state",
            "XDG_CONFIG_HOME": f"{home}/.config"}


def state(env, name=""):
    return os.path.join(env["XDG_STATE_HOME"], "aditd", name)


def kept(env):
    return os.path.join(env["XDG_CONFIG_HOME"], "adit", "join")


def text_of(path):
    with open(path) as f:
        return f.read()


def mode(path):
    return os.lstat(path).st_mode & 0o777


@contextlib.contextmanager
def server(env, *args):
    with Program([ADITD, *args], "aditd", env=env) as s:
        s.launch()
        s.wait_log("frps started successfully")
        # What is told comes after that line.
        if not args:
            s.wait_log("publish as the user|token new NAME")
        yield s


class Adit(Program):
    """adit; what it prints on standard output apart."""

    def __init__(self, env, *args):
        super().__init__([ADIT, *map(str, args)], "adit", env=env)
        self.out = os.path.join(self.dir, "out")
        with open(self.out, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.argv, stdout=out, stderr=log, stdin=subprocess.DEVNULL,
                env=self.env, cwd=self.dir)

    def url(self):
        until(lambda: "\n" in text_of(self.out) or not self.alive(),
              "an address is printed")
        check(self.alive(), self.log())
        return text_of(self.out).split("\n")[0]


def adit(env, *args, stdin="", code=0):
    """A command that ends by itself; what it says."""
    r = subprocess.run([ADIT, *map(str, args)], env={**os.environ, **env},
                       input=stdin, capture_output=True, text=True,
                       timeout=20, check=False)
    equal(r.returncode, code, r.stdout + r.stderr)
    return r.stdout + r.stderr


class Terminal:
    """A program on a terminal of its own, 120 columns wide."""

    def __init__(self, env, argv, columns=120, controlling=False):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 60, columns, 0, 0))
        self.slave, self.data, self.open = slave, b"", True
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, **env}, start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
            if controlling else None)

    def text(self):
        while self.open and select.select([self.master], [], [], 0)[0]:
            try:
                self.data += os.read(self.master, 65536)
            except OSError as e:
                if e.errno != errno.EIO:
                    raise
                break
        return self.data.decode().replace("\r\n", "\n")

    def wait(self, pattern):
        return until(lambda: re.search(pattern, self.text(), re.S), pattern)

    def hides(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ECHO

    def end(self, by_itself=False):
        """The exit code; unless it ends by itself, it is told to."""
        if not by_itself and self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(30)
        self.text()
        self.open = False
        os.close(self.slave)
        os.close(self.master)
        return code


@case("one command on each side, and no file is written by hand")
def one_command_each():
    env = machine()
    with Origin(page) as o:
        # As a person would: read the terminal, paste the command.
        t = Terminal(env, [ADITD])
        try:
            t.wait("It is kept in")
            command = re.search(r"^ +(adit http 3000 --join '(.*?)')$",
                                t.text(), re.M)
            join = command[2]
            check(JOIN.fullmatch(join), join)
            equal(text_of(state(env, "join.txt")), join + "\n")
            client = machine()
            with Adit(client, "http", o.port, "--join", join) as c:
                url = c.url()
                check(re.fullmatch(r"http://[a-z]+-[a-z]+\.localhost", url),
                      url)
                equal(curl(url + "/")[2], b"yes")
                c.wait_log(r"round trip to the server: \d+\.\d ms")
                c.wait_log(r"serves visitors on the server's own machine only")
                c.wait_log("line 127.0.0.1 " + url[7:])
                with open(f"/proc/{c.pid}/cmdline") as f:
                    check("adit_" not in f.read(), "the command line")
                check(JOIN.match(join)[1] not in c.log(), c.log())
            equal(text_of(kept(client)), join + "\n")
            equal((mode(kept(client)), mode(os.path.dirname(kept(client)))),
                  (0o600, 0o700))
        finally:
            t.end()
    for name in os.listdir(state(env)):
        equal(mode(state(env, name)), 0o600, name)
    equal(mode(state(env)), 0o700)
    equal(sorted(os.listdir(state(env))), ["frp.crt", "frp.key",
          "identity.key", "join.txt", "lock", "users"])
    token = JOIN.match(join)[1]
    check(token not in text_of(state(env, "users")), "a public key is kept")


@case("a QR code, where there is a terminal that is wide enough")
def qr():
    env = machine()
    t = Terminal(env, [ADITD])
    t.wait("It is kept in")
    equal(t.end(), 0)
    rows = re.findall(r"^\x1b\[38;5;16;48;5;231m([ \u2580\u2584\u2588]+)"
                      r"\x1b\[0m$", t.text(), re.M)
    width = len(rows[0])
    # 4 V + 17 modules, and 4 of white at each side; two of them a line.
    check((width - 8 - 17) % 4 == 0 and len(rows) == (width + 1) // 2, width)
    check(all(len(r) == width for r in rows), "its width")
    check(all(r.startswith(" " * 4) and r.endswith(" " * 4) for r in rows),
          "white around it")
    for row in (rows[2][4:11], rows[2][-11:-4]):
        equal(row, "\u2588\u2580\u2580\u2580\u2580\u2580\u2588")
    t = Terminal(env, [ADITD], columns=40)
    t.wait("too narrow for the QR code.*It is kept in")
    check("\u2588" not in t.text(), "no code")
    equal(t.end(), 0)


@case("without a terminal no secret is told, but where it is")
def no_terminal():
    env = machine()
    with server(env) as s:
        path = state(env, "join.txt")
        s.wait_log(rf"adit http 3000 --join-file '{re.escape(path)}'")
        check("adit_" not in s.log() and "adit://" not in s.log(), s.log())
        for text in (r"clients +port 7000\n",
                     r"http +port 80 +http://NAME\.localhost\n",
                     r"https +port 443 +https://NAME\.localhost\n",
                     "serve visitors on this machine only"):
            check(re.search(text, s.log()), s.log())
        # That command, as it stands.
        with Origin(page) as o, Adit(env, "http", o.port, "--join-file",
                                     path) as c:
            equal(curl(c.url() + "/")[2], b"yes")


@case("a second start: the same identity, join string, and name")
def again():
    env = machine()
    with server(env):
        pass
    was = {n: text_of(state(env, n)) for n in
           ("identity.key", "join.txt", "users")}
    with Origin(page) as o, server(env) as s:
        check("users: 1 from" in s.log(), s.log())
        for name, text in was.items():
            equal(text_of(state(env, name)), text, name)
        with Adit(env, "http", o.port, "--join",
                  was["join.txt"].strip()) as c:
            url = c.url()
        with Adit(env, "http", o.port) as c:
            equal(c.url(), url, "later it needs no join string")
            # Somebody has that one: another one.
            with Adit(env, "http", o.port) as d:
                check(d.url() != url, url)
                d.wait_log("another name is tried")
                equal(curl(d.url() + "/")[2], b"yes")
            equal(curl(url + "/")[2], b"yes")
        with Adit(env, "http", o.port) as c:
            equal(c.url(), url)
        with Adit(env, "http", free_port()) as c:
            check(c.url() != url, "another port")
    # Another user has it.
    with Origin(page) as o, server(env) as s:
        made = subprocess.run([ADITD, "token", "new", "bob"], check=False,
                              env={**os.environ, **env}, capture_output=True,
                              text=True).stdout
        join = re.search(r"^join +'(adit://bob:adit_\S+)'$", made, re.M)[1]
        s.wait_log("read again, users: 2")
        with Adit(env, "http", o.port, "--join",
                  was["join.txt"].strip()) as c:
            url = c.url()
        with Adit(machine(), "http", o.port, "--join", join, "--subdomain",
                  re.match(r"http://([a-z-]+)\.", url)[1]) as c:
            equal(c.url(), url)
            with Adit(env, "http", o.port) as d:
                check(d.url() != url, url)
                d.wait_log("another name is tried")
    t = Terminal(env, [ADITD])
    t.wait("It is kept in")
    check(was["join.txt"].strip() in t.text(), t.text())
    t.end()


@case("tcp and https go as well, and ports that are taken")
def other_types():
    env = machine()
    taken = []
    for port in (80, 443):
        taken.append(socket.socket())
        taken[-1].bind(("127.0.0.1", port))
        taken[-1].listen()
    with Origin(echo) as o, server(env) as s:
        s.wait_log(r"http +port 8080 +http://NAME\.localhost:8080\n")
        s.wait_log(r"https +port 8443 +https://NAME\.localhost:8443\n")
        join = text_of(state(env, "join.txt")).strip()
        with Adit(env, "tcp", o.port, "--join", join) as c:
            host, port = c.url()[len("tcp://"):].split(":")
            equal(host, "127.0.0.1")
            with dial(int(port)) as conn:
                conn.sendall(b"hi")
                equal(conn.recv(2), b"hi")
        with Adit(env, "https", o.port) as c:
            check(re.fullmatch(r"https://[a-z]+-[a-z]+\.localhost:8443",
                               c.url()), c.url())
        with Adit(env, "http", o.port, "--domain", "www.a.test") as c:
            equal(c.url(), "http://www.a.test:8080")
            c.wait_log("if www.a.test does not resolve")
    for t in taken:
        t.close()


@case("what is wrong in the state directory is refused, never mended")
def state_is_guarded():
    def refused(env, what):
        with Program([ADITD], "aditd", env=env) as s:
            s.expect_exit = 1
            s.launch()
            until(lambda: not s.alive(), f"ends: {what}")
            check(what in s.log(), f"{what}: {s.log()}")

    first = machine()
    with server(first):
        pass
    was = text_of(state(first, "users"))
    rows = [
        ("chmod 700", lambda d: os.chmod(d, 0o755)),
        ("chmod 600", lambda d: os.chmod(f"{d}/join.txt", 0o644)),
        ("chmod 600", lambda d: os.chmod(f"{d}/users", 0o640)),
        ("chmod 600", lambda d: os.chmod(f"{d}/identity.key", 0o604)),
        ("symbolic link", lambda d: (
            os.rename(f"{d}/join.txt", f"{d}/other"),
            os.symlink("other", f"{d}/join.txt"))),
        ("identity.key is missing", lambda d: os.unlink(f"{d}/identity.key")),
        ("join.txt: ", lambda d: open(f"{d}/join.txt", "w").close()),
    ]
    for what, change in rows:
        env = machine()
        shutil.copytree(state(first), state(env))
        change(state(env).rstrip("/"))
        refused(env, what)
        equal(text_of(state(env, "users")), was, what)
    # A second one beside the first.
    with server(first):
        refused(first, "is locked by another aditd")


@case("a join string whose user is gone is not told any more")
def revoked():
    env = machine()
    with server(env) as s:
        join = text_of(state(env, "join.txt")).strip()
        equal(subprocess.run([ADITD, "token", "revoke", "me"], check=False,
                             env={**os.environ, **env}).returncode, 0)
        s.wait_log("read again, users: 0")
        check("token in login doesn't match" in
              adit(env, "tcp", 22, "--join", join, code=1), "is refused")
    with server(env) as s:
        check("There is no join string" in s.log(), s.log())
        check("users: 0 from" in s.log(), "nobody is made again")
        made = subprocess.run([ADITD, "token", "new", "bob"], check=False,
                              env={**os.environ, **env}, capture_output=True,
                              text=True).stdout
        join = re.search(r"^join +'(adit://bob:adit_\S+)'$", made, re.M)[1]
        s.wait_log("read again, users: 1")
        with Origin(echo) as o, Adit(env, "tcp", o.port, "--join", join) as c:
            check(c.url().startswith("tcp://"), c.url())


@case("a lost token is renewed: who has the old one is cut and kept out")
def renewed():
    env = machine()
    path = state(env, "join.txt")
    with server(env) as s, Origin(echo) as o:
        old = text_of(path).strip()
        with Adit(env, "tcp", o.port, "--join", old) as c:
            c.url()
            made = subprocess.run([ADITD, "token", "renew", "me"], check=True,
                                  env={**os.environ, **env}, text=True,
                                  capture_output=True).stdout
            join = re.search(r"^join +'(adit://me:adit_\S+)'$", made, re.M)[1]
            check(join != old, "another one")
            equal(text_of(path), join + "\n", "what is kept goes along")
            c.wait_log("token in login doesn't match")
        check("token in login doesn't match" in
              adit(env, "tcp", 22, "--join", old, code=1), "is refused")
        with Adit(env, "tcp", o.port, "--join", join) as c:
            check(c.url().startswith("tcp://"), c.url())
    with server(env) as s:
        check("There is no join string" not in s.log(), s.log())
        equal(text_of(path), join + "\n")


@case("a new identity: the join string that is kept goes along at once")
def identity():
    env = machine()
    path = state(env, "join.txt")

    def change(verb, code=0):
        r = subprocess.run([ADITD, "identity", verb], check=False,
                           env={**os.environ, **env}, capture_output=True,
                           text=True)
        equal(r.returncode, code, r.stderr)
        return r.stderr + ",".join(re.findall(r"[\w-]{43}", r.stdout))

    with server(env) as s, Origin(echo) as o:
        was = text_of(path).strip().rsplit("/", 1)
        for verb in ("next", "activate"):
            mark = s.mark()
            pins = change(verb)
            s.wait_log("read again", since=mark)
            equal(text_of(path), f"{was[0]}/{pins}\n", verb)
            equal(mode(path), 0o600)
        check(pins != was[1], "another pin")
        with Adit(env, "tcp", o.port, "--join-file", path) as c:
            c.url()
        # The identity changes all the same; what is wrong is said.
        os.chmod(path, 0o644)
        check("chmod 600" in change("next", code=1), "0644")
        os.unlink(path)
        change("activate")
        check(not os.path.exists(path), "nobody asked for one")


@case("adit join: by argument, standard input, and a terminal without an echo")
def joins():
    env = machine()
    with Origin(page) as o, server(env):
        join = text_of(state(env, "join.txt")).strip()
        token = JOIN.match(join)[1]
        for args, stdin in ((("join", join), ""), (("join", "-"), join),
                            (("join",), f"  {join}\n")):
            client = machine()
            said = adit(client, *args, stdin=stdin)
            check("joined as user me of 127.0.0.1:7000" in said, said)
            check("adit http 3000" in said and token not in said, said)
            equal(text_of(kept(client)), join + "\n")
            equal(mode(kept(client)), 0o600)
            with Adit(client, "http", o.port) as c:
                equal(curl(c.url() + "/")[2], b"yes")
        client = machine()
        t = Terminal(client, [ADIT, "join"])
        t.wait("Join string")
        until(t.hides, "no echo")
        os.write(t.master, join.encode() + b"\n")
        t.wait("joined as user me")
        check(token not in t.text() and not t.hides(), t.text())
        equal(t.end(by_itself=True), 0)
        equal(text_of(kept(client)), join + "\n")
        # By a file, and by the environment.
        path = os.path.join(client["HOME"], "mine")
        os.rename(kept(client), path)
        for extra, args in (({}, ["--join-file", path]),
                            ({"ADIT_JOIN_FILE": path}, [])):
            with Adit({**client, **extra}, "http", o.port, *args) as c:
                equal(curl(c.url() + "/")[2], b"yes")
        with Adit(client, "http", o.port, "--join-file", path) as c:
            c.url()
        # What others could read is refused.
        os.chmod(path, 0o644)
        check("chmod 600" in adit(client, "http", 80, "--join-file", path,
                                  code=2), "0644")
        os.chmod(path, 0o600)
        os.symlink(path, kept(client))
        check("symbolic link" in adit(client, "http", 80, code=2), "a link")


@case("adit join at a terminal: Ctrl-C and Ctrl-D end it, and it shows again")
def join_ends():
    env = machine()
    # A shell around it: where its leader ends, a terminal is made anew.
    script = "trap : INT; \"$0\" join; echo \"code $?\"; stty -a; read x"
    for typed, code in ((b"adit://me\x03", 130), (b"\x03", 130),
                        (b"\x04", 2), (b"adit://me\x04", 2)):
        t = Terminal(env, ["sh", "-c", script, ADIT], controlling=True)
        t.wait("Join string")
        until(t.hides, "no echo")
        os.write(t.master, typed)
        t.wait(f"code {code}\n.* echo ")
        check("adit://me" not in t.text(), t.text())
        os.write(t.master, b"\n")
        equal(t.end(by_itself=True), 0)
        check(not os.path.exists(kept(env)), "nothing is kept")


@case("without a join string, or with one that is set aside: it is said")
def not_joined():
    env = machine()
    said = adit(env, "http", 3000, code=1)
    check("no server was joined: `adit join STRING` or --server" in said and
          "127.0.0.1:7000 is tried" in said, said)
    with server(env):
        join = text_of(state(env, "join.txt")).strip()
        check("no server was joined" not in adit(env, "join", join), "join")
        for extra, args, why in (
                ({"ADIT_TOKEN": "x"}, [], "ADIT_TOKEN; without --server"),
                ({}, ["--token", "x"], "--token; without --server"),
                ({}, ["-s", "127.0.0.1:7000"], "--server\n")):
            said = adit({**env, **extra}, "tcp", 22, *args, code=1)
            check(f"{kept(env)} is not used, because of {why}" in said, said)
        said = adit(env, "http", 3000, "--dump-config")
        check("is not used" not in said and "joined" not in said, said)


@case("what is not copied exactly is found without asking the server")
def typing_errors():
    env = machine()
    with server(env) as s:
        join = text_of(state(env, "join.txt")).strip()
        token, pin = JOIN.match(join)[1], JOIN.match(join)[3]
        changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
        rows = [("", "begins with adit://|is empty"),
                (join[1:], "begins with adit://"),
                (join.replace(token, changed), "wrong checksum"),
                (join.replace(token, token[:-4]), "too short"),
                (join[:-1] + "V", "43|pin"),
                (join[:-3], "pin"),
                (join.replace(":7000", ":0"), "character"),
                (join + "%", "'%' stands in no join string"),
                (join.replace("me:", "Me:"), "character")]
        mark = s.mark()
        for text, what in rows:
            said = adit(env, "join", "-", stdin=text, code=2)
            check(re.search(what, said), f"{text}: {said}")
            check(token[8:20] not in said, said)
            if text:
                adit(env, "http", 80, "--join", text, code=2)
        check(not os.path.exists(kept(env)), "nothing is kept")
        check("login" not in s.log()[mark:], s.log()[mark:])
        # These are right in themselves.
        other = ("A" if pin[0] != "A" else "B") + pin[1:]
        said = adit(env, "tcp", 22, "--join", join.replace(pin, other), code=1)
        check(pin in said and "pin" in said, said)
        said = adit(env, "tcp", 22, "--join", join.replace("me:", "you:"),
                    code=1)
        check("token in login doesn't match" in said, said)
        check(token not in said, said)
        for args in (["--server", "a:1"], ["--token", "x"],
                     ["--join-file", "x"]):
            adit(env, "tcp", 22, "--join", join, *args, code=2)


@case("its servers are tried in turn, and its pins are renewed")
def servers_and_pins():
    env = machine()
    with Origin(page) as o, server(env) as s:
        join = text_of(state(env, "join.txt")).strip()
        other = "A" * 43
        several = join.replace("@127.0.0.1:7000/", "@127.0.0.1:1,[::1]:2,"
                               "127.0.0.1:7000/") + "," + other
        with Adit(env, "http", o.port, "--join", several) as c:
            url = c.url()
            equal(c.log().count("the next address is tried"), 2)
            equal(curl(url + "/")[2], b"yes")
            until(lambda: other not in text_of(kept(env)), "pins are kept")
            equal(text_of(kept(env)).split("/")[3].strip(),
                  JOIN.match(join)[3])
            equal(mode(kept(env)), 0o600)
            # Where it is now it is looked for again.
            mark = c.mark()
            s.kill()
            c.wait_log("connection to server lost", since=mark)
            s.launch()
            c.wait_log("login to server success", timeout=30, since=mark)
            until(lambda: curl(url + "/")[0] == 200, "the same name")
        dead = join.replace("@127.0.0.1:7000/", "@127.0.0.1:1,127.0.0.1:2/")
        begin = time.monotonic()
        check("login to the server failed" in
              adit(env, "tcp", 22, "--join", dead, code=1), "both")
        check(time.monotonic() - begin < 5, "at once")


@case("the same by keys, with several workers, which all go by what is told")
def by_keys():
    env = machine()
    with Origin(echo) as o, server(env) as s:
        token, _, pin = JOIN.match(text_of(state(env, "join.txt"))).groups()
        port = free_port()
        path = os.path.join(env["HOME"], "adit.yaml")
        with open(path, "w") as f:
            json.dump({
                "serverAddr": "127.0.0.1", "user": "me", "workers": 3,
                "auth": {"token": token},
                "transport": {"tls": {"pins": ["A" * 43, pin]}},
                "proxies": [{"name": "t", "type": "tcp", "remotePort": port,
                             "localPort": o.port}]}, f)
        with Adit(env, "-c", path) as c:
            def said():
                return text_of(c.out)
            until(lambda: "start proxy success" in said(), "it has started")
            check("pins have changed: there are 1" in said(), said())
            check(token not in said(), said())
            for _ in range(2):
                for _ in range(40):
                    with dial(port) as conn:
                        conn.sendall(b"hi")
                        equal(conn.recv(2), b"hi")
                logins = said().count("login to server success")
                s.kill()
                s.launch()
                until(lambda: said().count("login to server success") > logins
                      and said().count("start proxy success") > logins,
                      "it is back", 30)
            equal(said().count("pins have changed"), 1)
        dumped = adit(env, "--dump-config", "-c", path)
        check(token not in dumped and pin in dumped, dumped)


@case("names: a server that says no more than no, or has no names to give")
def names():
    env = machine()
    path = os.path.join(env["HOME"], "aditd.yaml")
    for conf in ({"detailedErrorsToClient": False,
                  "subDomainHost": "a.test"}, {}):
        with open(path, "w") as f:
            json.dump({"bindAddr": "127.0.0.1", "vhostHTTPPort": 8080, **conf,
                       "auth": {"token": "secret"}}, f)
        token = {**env, "ADIT_TOKEN": "secret"}
        with server(env, "-c", path), Origin(page) as o:
            if not conf:
                said = adit(token, "http", o.port, code=1)
                check("subdomain is not supported" in said and
                      "--domain NAME" in said, said)
                continue
            with Adit(token, "http", o.port) as c, \
                    Adit(token, "http", o.port) as d:
                urls = c.url(), d.url()
                check(urls[0] != urls[1], urls)
    # A proxy of that name is there: no domain helps.
    with server(env), Origin(page) as o:
        join = text_of(state(env, "join.txt")).strip()
        with Adit(env, "http", o.port, "--join", join, "--name", "web") as c:
            c.url()
            said = adit(machine(), "http", o.port, "--join", join, "--name",
                        "web", code=1)
            check("proxy [me.web] already exists" in said, said)
            check("--name NAME" in said and "--domain" not in said, said)
    # What cannot be kept is used all the same.
    with server(env), Origin(page) as o:
        join = text_of(state(env, "join.txt")).strip()
        lost = {**env, "XDG_CONFIG_HOME": "/proc/nowhere"}
        with Adit(lost, "http", o.port, "--join", join) as c:
            equal(curl(c.url() + "/")[2], b"yes")
            check("is not kept" in c.log(), c.log())
        check("cannot be kept" in adit(lost, "join", join, code=1), "join")


def address(verb, a):
    """Of this machine, from now on or no more."""
    if not shutil.which("ip"):
        raise Skip("no ip(8) to add addresses with")
    subprocess.run(["ip", "address", verb, a, "dev", "lo"], check=False)


@case("a later start names the addresses that the machine has then")
def moved():
    env = machine()
    told = []
    for add, remove in ((None, None), ("192.0.2.9/32", None),
                        ("192.0.2.10/32", "192.0.2.9/32"),
                        (None, "192.0.2.10/32")):
        if remove:
            address("del", remove)
        if add:
            address("add", add)
        t = Terminal(env, [ADITD])
        t.wait("It is kept in")
        equal(t.end(), 0)
        told.append(re.search(r"--join '(.*?)'", t.text())[1])
        equal(text_of(state(env, "join.txt")), told[-1] + "\n")
        equal(mode(state(env, "join.txt")), 0o600)
    equal([JOIN.match(j)[2] for j in told],
          ["127.0.0.1:7000", "192.0.2.9:7000", "192.0.2.10:7000",
           "127.0.0.1:7000"])
    equal({JOIN.match(j).group(1, 3) for j in told},
          {JOIN.match(told[0]).group(1, 3)}, "token and pin")


@case("who is told where the server is: interfaces, bindAddr, publicAddr")
def addresses():
    env = machine()
    for a in ("10.9.8.7/32", "169.254.1.1/32", "192.0.2.7/32",
              "2001:db8::7/128"):
        address("add", a)
    with server(env):
        join = text_of(state(env, "join.txt")).strip()
        equal(JOIN.match(join)[2], "192.0.2.7:7000,2001_db8__7:7000,"
              "10.9.8.7:7000")
        with Origin(page) as o, Adit(env, "http", o.port, "--join",
                                     join) as c:
            equal(curl(c.url() + "/")[2], b"yes")
    for i, (conf, want) in enumerate((
            ("bindAddr: 127.0.0.1", "127.0.0.1:7000"),
            ("bindPort: 7001", "192.0.2.7:7001,10.9.8.7:7001"),
            ("publicAddr: Tunnel.test:443, 192.0.2.1",
             "tunnel.test:443,192.0.2.1:7000"))):
        path = os.path.join(env["HOME"], "aditd.yaml")
        with open(path, "w") as f:
            f.write(conf + "\n")
        made = subprocess.run(
            [ADITD, "token", "new", f"u{i}", "-c", path], check=False,
            env={**os.environ, **env}, capture_output=True, text=True).stdout
        equal(re.search(r"^join +'adit://u\d:\w[\w-]+@(\S+)/[\w-]{43}'$", made,
                        re.M)[1], want, conf)


main()

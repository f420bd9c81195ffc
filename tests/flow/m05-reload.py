"""The configuration read again: `aditd reload`, SIGHUP to aditd and to adit.
What changes, what needs a restart, what a bad file does, and that nothing that
is under way notices."""
import contextlib
import hashlib
import json
import os
import pty
import random
import re
import select
import signal
import socket
import subprocess
import threading
import time

from harness import (ADIT, ADITD, LINKS, TOKEN, Client, Failed, Origin, Server, Skip,
                     case, check, dial, echo, equal, exactly, free_port, levels, main,
                     merge, reset, settle, until)
from frp import FrpClient
import frpkit
from httpkit import Reader, Site, get, http, tunnel
from managerkit import Manager, Stopped
from tlskit import certificate
from userskit import write_users

HOST = " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
RELAYS = ("copy", "splice", "auto")
# adit's, whatever the others' is.
BARE = {"tls": {**LINKS["bare"]["tls"], "pins": None}, "tcpMux": False}
NOTHING = "nothing has changed"
USERS = [{"name": "a", "frpToken": "secret-of-a"}]


def reload(s, conf=None, path=None):
    """aditd reload, after the keys of `conf` were put into the file: exit code
    and lines."""
    if conf is not None:
        s.write(merge(s.conf, conf))
    done = subprocess.run([ADITD, "reload", "-c", path or s.conf_path],
                          env=s.env, cwd=s.dir, timeout=40,
                          capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip().split("\n")


def changed(s, conf, *keys):
    """A reload that changes these keys, and needs no restart."""
    equal(reload(s, conf), (0, ["changed: " + ", ".join(keys)]))


def hang_up(program, conf=None):
    """SIGHUP, and what the log says then."""
    if conf is not None:
        program.write(merge(program.conf, conf))
    mark = program.mark()
    program.process.send_signal(signal.SIGHUP)
    program.wait_log("reload: .* (was read again|is not used)", since=mark)
    program.counters()  # The lines behind that one are there, too.
    return program.log()[mark:]


# --- what it says ---

@case("aditd reload: what has changed, and what needs a restart")
def _():
    with Server() as s:
        equal(reload(s), (0, [NOTHING]))
        changed(s, {"userConnTimeout": 7, "log": {"level": "info"}},
                "userConnTimeout", "log.level")
        other = free_port()
        equal(reload(s, {"userConnTimeout": 8, "vhostHTTPPort": other,
                         "limits": {"visitors": 77}}),
              (0, ["changed: userConnTimeout",
                   "needs a restart: vhostHTTPPort, limits.visitors"]))
        # They stay what they were, and are named as long as that is so.
        equal(reload(s), (0, ["needs a restart: vhostHTTPPort, "
                              "limits.visitors"]))
        curl_status(s.http, 404)
        with contextlib.suppress(ConnectionRefusedError):
            dial(other).close()
            raise Failed("the other port is open")
        equal(reload(s, {"vhostHTTPPort": s.http, "limits": None}),
              (0, [NOTHING]))
        s.wait_log("warn msg=\"reload: needs a restart: vhostHTTPPort, ")


def curl_status(port, status):
    with dial(port) as conn:
        conn.sendall(get(b"/", b"nobody.test"))
        equal(Reader(conn).head()[0].split(b" ")[1], b"%d" % status)


@case("SIGHUP does the same, into the log")
def _():
    with Server() as s:
        text = hang_up(s, {"userConnTimeout": 7, "workers": 7})
        check("changed: userConnTimeout" in text, text)
        check("needs a restart: workers" in text, text)
        check("nothing has changed" not in text, text)


@case("a bad file keeps the old configuration, and says why")
def _():
    with Server({"userConnTimeout": 9}) as s:
        good = s.conf
        for bad, key in (({"userConnTimeout": "soon"}, "userConnTimeout"),
                         ({"nonsense": 1}, "nonsense"),
                         ({"users": [{"name": "a b"}]}, "users[0].name"),
                         ({"custom404Page": "missing.html"}, "custom404Page"),
                         ({"usersFile": "missing.yaml"}, "usersFile"),
                         ({"accessLog": {"to": "no/where"}}, "accessLog.to"),
                         ({"transport": {"tls": {
                             "certFile": "no", "keyFile": "no"}}},
                          "transport.tls"),
                         ("{", None)):
            s.write(bad if isinstance(bad, str)
                    else merge(merge(good, {"userConnTimeout": 5}), bad))
            text = hang_up(s)
            check("is not used" in text and "stays as it was" in text, text)
            if key:
                check(re.search(rf"conf.yaml:1:\d+: {re.escape(key)}: ", text),
                      text)
            code, lines = reload(s)
            equal(code, 1, lines)
            check(key is None or any(key in line for line in lines), lines)
        s.write(good)
        equal(reload(s), (0, [NOTHING]))
        os.unlink(s.conf_path)
        check("No such file" in hang_up(s), s.log())


@case("the command may have another file; the server tells what is wrong with "
      "its own")
def _():
    with Server({"stateDir": "state"}) as s:
        other = os.path.join(s.dir, "other.yaml")
        with open(other, "w") as f:
            f.write("stateDir: state\n")
        s.write("bindPort: 7000\n" + " " * 4 + "nonsense\n: [")
        code, lines = reload(s, path=other)
        equal(code, 1)
        check(re.match(re.escape(s.conf_path) + r":\d+:\d+: ", lines[0]), lines)
        equal(lines[-1], "the configuration stays as it was")


@case("without users and token it would serve everybody: refused")
def _():
    with Server({"auth": None, "bindAddr": "0.0.0.0",
                 "users": USERS}) as s:
        code, lines = reload(s, {"users": None})
        equal(code, 1, lines)
        check("could publish services" in lines[0], lines)


@case("what does not go with keys that need a restart is refused as a whole")
def _():
    with Server({"auth": None, "bindAddr": "0.0.0.0",
                 "users": USERS}) as s:
        # A restart would do both.
        code, lines = reload(s, {"users": None, "bindAddr": "127.0.0.1",
                                 "userConnTimeout": 3})
        equal(code, 1, lines)
        check("reaches 0.0.0.0 could publish" in lines[0], lines)
        equal(reload(s, {"users": USERS, "bindAddr": "0.0.0.0"}),
              (0, ["changed: userConnTimeout"]))


@case("POST /reload is for the local socket alone")
def _():
    port = free_port()
    with Server({"webServer": {"port": port}}) as s:
        path = os.path.join(s.dir, "aditd", "admin.sock")
        for where, method, status in ((port, "POST", b"404"),
                                      (path, "GET", b"404"),
                                      (path, "POST", b"200")):
            with (dial(where) if isinstance(where, int)
                  else socket.socket(socket.AF_UNIX)) as conn:
                if not isinstance(where, int):
                    conn.connect(where)
                conn.sendall((method + " /reload" + HOST).encode())
                equal(conn.recv(4096).split(b" ")[1], status,
                      f"{method} at {where}")
        equal(s.log().count("was read again"), 1)


@case("without a running aditd, and with one that has no configuration")
def _():
    with Server(start=False) as s:
        code, lines = reload(s)
        equal(code, 1)
        check("no answer" in lines[0], lines)


@case("twenty at once, and one after the other: all are answered")
def _():
    with Server({"workers": 2}) as s:
        base = levels(s)
        answers = []

        def run():
            answers.append(reload(s))
        for _ in range(3):
            threads = [threading.Thread(target=run) for _ in range(6)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        equal([a for a in answers if a != (0, [NOTHING])], [])
        for i in range(20):
            changed(s, {"userConnTimeout": 20 + i}, "userConnTimeout")
        settle(s, base)


@case("a worker that hangs: the command says so, and it has the settings later")
def _():
    with Server({"workers": 2}) as s:
        equal(reload(s), (0, [NOTHING]))  # all workers turn
        with Stopped(s):
            equal(reload(s, {"vhostHTTPErrorStatus": 404}),
                  (1, ["it was read again, but a worker does not answer"]))
        equal(reload(s), (0, [NOTHING]))


@case("RELOADING=1 and READY=1 to a service manager")
def _():
    manager = Manager()
    with Server(env=manager.env) as s:
        manager.wait("READY=1")
        now = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
        equal(reload(s), (0, [NOTHING]))
        until(lambda: manager.count("READY=1") == 2, "READY=1 again")
        equal(manager.order(), ["READY=1", "RELOADING=1", "READY=1"])
        lines = manager.said[1]
        m = re.fullmatch(r"MONOTONIC_USEC=(\d+)", lines[1])
        check(m and now <= int(m[1]) < now + 20e6, lines)
        s.write("{")
        hang_up(s)
        until(lambda: manager.count("READY=1") == 3, "READY=1 after errors")
        equal(manager.order()[3:], ["RELOADING=1", "READY=1"])


@case("a terminal that goes ends the program; nohup's does not")
def _():
    for ignored in (False, True):
        with Server(start=False) as s:
            main_fd, terminal = pty.openpty()

            def session(fd=terminal, ignored=ignored):
                os.setsid()
                # Its controlling terminal.
                import fcntl
                import termios
                fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
                if ignored:
                    signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with open(s.log_path, "ab") as log:
                s.process = subprocess.Popen(
                    s.argv, stdin=terminal, stdout=log, stderr=log, env=s.env,
                    cwd=s.dir, preexec_fn=session)
            os.close(terminal)
            s.wait_log("frps started successfully")
            equal(reload(s), (0, [NOTHING]))
            mark = s.mark()
            os.close(main_fd)
            if ignored:
                s.wait_log("was read again", since=mark)
                equal(reload(s), (0, [NOTHING]))
            else:
                equal(s.process.wait(10), 0, "its exit code")
                check("draining" in s.log(), s.log())


# --- what changes ---

@case("the access log: on, elsewhere, in another form, off, on again")
def _():
    # Files in folders that were not named at the start.
    with Site() as o, Server({"workers": 2, "sandbox": False}) as s, \
            Client(s, [http("w", o.port, "a.test")]):
        a, b = (os.path.join(s.dir, name) for name in ("a.log", "b.log"))

        def lines(path):
            with open(path) as f:
                return f.read().splitlines()

        def visit(path):
            with dial(s.http) as conn:
                conn.sendall(get(path))
                check(Reader(conn).message()[0].endswith(b"200 OK"), path)
        visit(b"/nowhere")
        changed(s, {"accessLog": {"to": a}}, "accessLog.to")
        # A connection that was there before, too.
        with dial(s.http) as conn:
            reader = Reader(conn)
            for n in range(5):
                conn.sendall(get(b"/a%d" % n))
                reader.message()
            until(lambda: len(lines(a)) == 5, "five lines")
            changed(s, {"accessLog": {"to": b, "format": "json"}},
                    "accessLog.to", "accessLog.format")
            for n in range(5):
                conn.sendall(get(b"/b%d" % n))
                reader.message()
            until(lambda: len(lines(b)) == 5, "five lines more")
        equal([json.loads(x)["target"] for x in lines(b)],
              [f"/b{n}" for n in range(5)])
        equal(len(lines(a)), 5)
        changed(s, {"accessLog": {"to": ""}}, "accessLog.to")
        visit(b"/nowhere")
        os.rename(b, b + ".old")
        s.process.send_signal(signal.SIGUSR2)
        changed(s, {"accessLog": {"to": a, "format": "combined"}},
                "accessLog.to", "accessLog.format")
        visit(b"/a5")
        until(lambda: len(lines(a)) == 6, "a sixth line")
        check("/nowhere" not in "".join(lines(a)), lines(a))
        check(not os.path.exists(b), "what is off was opened again")


@case("custom404Page: another one, and none")
def _():
    with Server() as s:
        def page():
            with dial(s.http) as conn:
                conn.sendall(get(b"/", b"nobody.test"))
                return Reader(conn).message()[2]
        built_in = page()
        for name in ("one", "two"):
            with open(os.path.join(s.dir, name), "w") as f:
                f.write(f"<p>{name}")
        changed(s, {"custom404Page": "one"}, "custom404Page")
        equal(page(), b"<p>one")
        changed(s, {"custom404Page": "two"}, "custom404Page")
        equal(page(), b"<p>two")
        with open(os.path.join(s.dir, "two"), "w") as f:
            f.write("<p>2")
        equal(reload(s), (0, [NOTHING]))
        equal(page(), b"<p>2", "the page of a file that has changed")
        changed(s, {"custom404Page": ""}, "custom404Page")
        check(page() != b"<p>2" and len(page()) == len(built_in), page())


def alice(s, port, origin):
    return Client(s, [{"name": "t", "type": "tcp", "localPort": origin.port,
                       "remotePort": port}],
                  {"user": "alice", "auth": {"token": "alice-secret"},
                   "loginFailExit": False, "transport": BARE}, wait=False)


@case("users: one more, taken out, from rows to a file and back")
def _():
    port = free_port()
    rows = [{"name": "alice", "frpToken": "alice-secret"},
            {"name": "bob", "frpToken": "bob-secret-1"}]
    with Origin(echo) as o, Server({"users": rows[1:], "workers": 2}) as s:
        with alice(s, port, o) as c:
            c.wait_log("connect to server error")
            changed(s, {"users": rows}, "users")
            c.wait_log("start proxy success")
            with dial(port) as conn:
                conn.sendall(b"one")
                equal(exactly(conn, 3), b"one")
                # The same record in another place: nobody is disturbed.
                write_users(os.path.join(s.dir, "users.yaml"), rows[0])
                changed(s, {"users": [], "usersFile": "users.yaml"},
                        "users", "usersFile")
                conn.sendall(b"two")
                equal(exactly(conn, 3), b"two")
                # It is the file that counts, and it is looked at again.
                mark = s.mark()
                write_users(os.path.join(s.dir, "users.yaml"), rows[0], rows[1])
                s.wait_log("read again, users: 2", since=mark)
                changed(s, {"users": rows, "usersFile": ""},
                        "users", "usersFile")
                conn.sendall(b"three")
                equal(exactly(conn, 5), b"three")
                mark = c.mark()
                changed(s, {"users": rows[1:]}, "users")
                c.wait_log("connection to server lost", since=mark)
                with contextlib.suppress(OSError):
                    equal(conn.recv(1), b"", "of who may no more")
            c.expect_exit = None


@case("allowPorts, maxPortsPerClient, subDomainHost: for "
      "proxies that come")
def _():
    a, b, c = free_port(), free_port(), free_port()
    with Origin(echo) as o, Server({"allowPorts": [{"single": a}]}) as s, \
            FrpClient(s.port, TOKEN) as frpc:
        frpc.connect()
        frpc.login()

        def ask(name, **fields):
            return frpc.new_proxy(name, **fields).get("error", "")
        equal(ask("a", remote_port=a), "")
        check(ask("b", remote_port=b), "a port that is not allowed")
        changed(s, {"allowPorts": [{"single": b}, {"single": c}],
                    "maxPortsPerClient": 2, "subDomainHost": "other.test"},
                "subDomainHost", "allowPorts", "maxPortsPerClient")
        equal(ask("b", remote_port=b), "")
        check(ask("c", remote_port=c), "a third port")
        equal(ask("h", kind="http", subdomain="x"), "")
        # What is there stays.
        dial(a).close()
        changed(s, {"detailedErrorsToClient": False}, "detailedErrorsToClient")
        equal(ask("c", remote_port=c), "new proxy [c] error")
        del o


@case("trustedProxies, vhostHTTPErrorStatus, http.requestsPerConnection: for "
      "the next request of a connection that is there")
def _():
    with tunnel(Site()) as (s, _), dial(s.http) as conn:
        reader = Reader(conn)

        def ask(path=b"/", host=b"a.test"):
            conn.sendall(get(path, host, more=b"X-Forwarded-For: 9.8.7.6\r\n"))
            return reader.message()
        ask()
        changed(s, {"trustedProxies": ["10.0.0.0/8"],
                    "http": {"via": True, "requestsPerConnection": 4}},
                "trustedProxies", "http.requestsPerConnection", "http.via")
        fields = dict(ask()[1])
        check(b"via" in fields, fields)
        ask()
        equal(dict(ask()[1]).get(b"connection"), b"close")


@case("http.reuse: what rests is not used by who may not have it")
def _():
    with Site() as o, Server({"workers": 1}) as s, \
            Client(s, [http("w", o.port, "a.test")]):
        def visit():
            with dial(s.http) as conn:
                conn.sendall(get(b"/"))
                Reader(conn).message()
        visit()
        visit()
        before = s.counters()["http_reused"]
        changed(s, {"http": {"reuse": "never"}}, "http.reuse")
        visit()
        visit()
        equal(s.counters()["http_reused"], before)


@case("a file where the sandbox lets nobody look: a restart is needed")
def _():
    with Server() as s:
        s.wait_log("sandbox: ")
        if "landlock" not in s.log():
            raise Skip("no Landlock, or a build with sanitizers")
        code, lines = reload(s, {"accessLog": {
            "to": os.path.join(s.dir, "..", "out.log")}})
        equal(code, 1, lines)
        check(any("sandbox keeps it closed" in x for x in lines), lines)


@case("certificates for frpc: given, others, and those that were made again")
def _():
    import ssl
    with Server({"transport": {"tcpMux": True}, "sandbox": False}) as s:
        def shown():
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
            with dial(s.port) as raw, ctx.wrap_socket(raw) as t:
                return hashlib.sha256(t.getpeercert(True)).hexdigest()
        made = shown()
        seen = {made}
        for name in ("one.test", "two.test"):
            cert, key = certificate(name)[:2]
            changed(s, {"transport": {"tls": {"certFile": cert,
                                              "keyFile": key}}},
                    "transport.tls.certFile", "transport.tls.keyFile")
            seen.add(shown())
        equal(len(seen), 3)
        changed(s, {"transport": {"tls": None}},
                "transport.tls.certFile", "transport.tls.keyFile")
        equal(shown(), made)


@case("transport.heartbeatTimeout: longer, never, and again")
def _():
    with Server({"transport": {"heartbeatTimeout": 2}}) as s, \
            FrpClient(s.port, TOKEN) as frpc:
        frpc.connect()
        frpc.login()
        changed(s, {"transport": {"heartbeatTimeout": -1}},
                "transport.heartbeatTimeout")
        frpc.ping()
        time.sleep(2.5)
        equal(s.counters()["heartbeat_timeouts"], 0)
        changed(s, {"transport": {"heartbeatTimeout": 1}},
                "transport.heartbeatTimeout")
        frpc.ping()
        until(lambda: s.counters()["heartbeat_timeouts"] == 1, "its end")


# --- under traffic ---

def upload(port, seed, started, enough):
    """A seeded stream through an echo, until it is enough; by hash."""
    rng, sent, got = random.Random(seed), hashlib.sha256(), hashlib.sha256()
    size, left = [0], True
    with dial(port, timeout=60) as conn:
        def send():
            while size[0] < 4 << 20 or not enough.is_set():
                data = rng.randbytes(1 << 19)
                conn.sendall(data)
                sent.update(data)
                size[0] += len(data)
                started.release()
                time.sleep(0.05)
        t = threading.Thread(target=send)
        t.start()
        count, last = 0, time.monotonic()
        while left:
            # Asked before what it has sent is.
            sending = t.is_alive()
            left = sending or count < size[0]
            if left and not select.select([conn], [], [], 0.5)[0]:
                check(time.monotonic() - last < 60, "nothing comes any more")
            elif left:
                piece = conn.recv(1 << 18)
                check(piece, f"ended after {count} bytes")
                got.update(piece)
                count, last = count + len(piece), time.monotonic()
        t.join()
        reset(conn)
    equal((count, got.hexdigest()), (size[0], sent.hexdigest()), "what came")


def traffic(port, web, run, rounds, count=4):
    """Transfers and keep-alive connections, and run() as often beside them."""
    errors, started = [], threading.Semaphore(0)
    enough = threading.Event()

    def guard(f, *args):
        try:
            f(*args)
        except Exception as e:
            errors.append(e)
            started.release()

    def keep_alive():
        n = 0
        with dial(web, timeout=60) as conn:
            reader = Reader(conn)
            while n < 10 or not enough.is_set():
                conn.sendall(get(b"/%d" % n))
                equal(reader.message()[2], b"a/%d" % n)
                n += 1
                if n == 1:
                    started.release()
                time.sleep(0.001)
    threads = [threading.Thread(target=guard, args=(
        upload, port, i, started, enough)) for i in range(count)]
    threads += [threading.Thread(target=guard, args=(keep_alive,))
                for _ in range(count)]
    for t in threads:
        t.start()
    for _ in range(2 * count):
        started.acquire(timeout=30)
    try:
        for _ in range(rounds):
            if not errors:
                run()
    finally:
        enough.set()
        for t in threads:
            t.join()
    if errors:
        raise errors[0]


def under_traffic(relay):
    port = free_port()
    with Site() as web, Origin(echo) as o, \
            Server({"workers": 2, "sandbox": False,
                    "transport": {"relay": relay}}) as s, \
            Client(s, [http("w", web.port, "a.test"),
                       {"name": "t", "type": "tcp", "localPort": o.port,
                        "remotePort": port}],
                   {"transport": {"relay": relay}}) as c:
        page = os.path.join(s.dir, "page")
        with open(page, "w") as f:
            f.write("<p>page")
        n = [0]

        def run():
            n[0] += 1
            change = {
                "userConnTimeout": 10 + n[0] % 7,
                "http": {"idleTimeout": 60 + n[0]},
                "custom404Page": page if n[0] % 2 else "",
                "accessLog": {"to": os.path.join(s.dir, "acc")
                              if n[0] % 3 else ""},
                "allowPorts": [{"start": 1024, "end": 65000 - n[0]}],
                "trustedProxies": [f"10.0.0.{n[0] % 250}/32"],
                "transport": {"relay": RELAYS[n[0] % 3]}}
            if n[0] % 2:
                code, lines = reload(s, change)
                equal(code, 0, lines)
            else:
                hang_up(s, change)
            if n[0] % 5 == 0:
                good = s.conf
                s.write("{")
                check("is not used" in hang_up(s), "a bad file")
                s.write(good)
        traffic(port, s.http, run, 12)
        equal(s.log().count("client exit success"), 0)
        equal(len(re.findall("login to server success", c.log())), 1)


for mode in RELAYS:
    case(f"under traffic, transport.relay {mode}")(
        lambda mode=mode: under_traffic(mode))


# --- adit ---

def tcp(name, origin, port, **more):
    return {"name": name, "type": "tcp", "localPort": origin.port,
            "remotePort": port, **more}


def closed(port):
    """Nobody listens there any more."""
    def refused():
        try:
            dial(port).close()
        except ConnectionRefusedError:
            return True
        return False
    until(refused, f"port {port} closes")


def says(word):
    """A service that says this, and echoes then."""
    def serve(conn):
        conn.sendall(word)
        echo(conn)
    return Origin(serve)


def hear(port, word):
    with dial(port) as conn:
        equal(exactly(conn, len(word)), word)
        reset(conn)


def proxies_change(relay):
    """Added, removed, changed, while another one carries a transfer."""
    ports = [free_port() for _ in range(4)]
    with Origin(echo) as o, says(b"one") as one, says(b"two") as two, \
            Site() as web, \
            Server({"workers": 2, "transport": {"relay": relay}}) as s, \
            Client(s, [tcp("stays", o, ports[0]), tcp("goes", one, ports[1]),
                       tcp("turns", one, ports[2]),
                       http("web", web.port, "a.test")],
                   {"workers": 2, "transport": {"relay": relay}}) as c:
        def run():
            mark = c.mark()
            text = hang_up(c, {"proxies": [
                tcp("stays", o, ports[0]), tcp("turns", two, ports[2]),
                http("web", web.port, "a.test"), tcp("comes", two, ports[3])]})
            check("changed: proxies" in text, text)
            check("proxy removed: [goes turns]" in text, text)
            check("proxy added: [turns comes]" in text, text)
            for name in ("turns", "comes"):
                c.wait_log(rf"\[{name}\] start proxy success", since=mark)
            check("[stays] start" not in c.log()[mark:], "the one that stays")
            closed(ports[1])
            hear(ports[2], b"two")
            hear(ports[3], b"two")
            mark = c.mark()
            text = hang_up(c, {"proxies": [
                tcp("goes", one, ports[1]), http("web", web.port, "a.test"),
                tcp("turns", one, ports[2]), tcp("stays", o, ports[0])]})
            for name in ("turns", "goes"):
                c.wait_log(rf"\[{name}\] start proxy success", since=mark)
            hear(ports[1], b"one")
            hear(ports[2], b"one")
            closed(ports[3])
        traffic(ports[0], s.http, run, 3)
        equal(len(re.findall("login to server success", c.log())), 1)


for mode in RELAYS:
    case(f"adit: proxies added, removed, changed beside a transfer, {mode}")(
        lambda mode=mode: proxies_change(mode))


@case("adit: a visitor goes on when its proxy is taken back or changed")
def _():
    port = free_port()
    with Origin(echo) as o, says(b"two") as two, Server() as s, \
            Client(s, [tcp("t", o, port)]) as c, dial(port) as conn:
        conn.sendall(b"a")
        equal(exactly(conn, 1), b"a")
        mark = c.mark()
        hang_up(c, {"proxies": [tcp("t", two, port)]})
        c.wait_log("start proxy success", since=mark)
        hear(port, b"two")
        conn.sendall(b"b")
        equal(exactly(conn, 1), b"b")
        hang_up(c, {"proxies": []})
        closed(port)
        conn.sendall(b"c")
        equal(exactly(conn, 1), b"c")
        # Parked, and awake again.
        time.sleep(1.5)
        conn.sendall(b"d")
        equal(exactly(conn, 1), b"d")
        c.proxies = []


@case("adit: a bad file keeps the old one; keys that need a restart are named")
def _():
    port = free_port()
    with Origin(echo) as o, Server() as s, \
            Client(s, [tcp("t", o, port)]) as c:
        good = c.conf
        for bad, key in (({"proxies": [tcp("t", o, port),
                                       {"name": "x", "type": "tcp"}]},
                          "proxies[1].localPort"),
                         ({"nonsense": 1}, "nonsense")):
            c.write(merge(good, bad))
            text = hang_up(c)
            check("is not used" in text and "stays as it was" in text, text)
            check(re.search(rf"conf.yaml:1:\d+: {re.escape(key)}: ", text),
                  text)
        c.write(good)
        text = hang_up(c, {"serverPort": 1, "user": "someone",
                           "log": {"level": "info"}})
        check("needs a restart: serverPort, user" in text, text)
        check("changed: log.level" in text, text)
        with dial(port) as conn:
            conn.sendall(b"a")
            equal(exactly(conn, 1), b"a")
        # A session that is made anew is of the old ones, too.
        mark = c.mark()
        s.restart()
        c.wait_log(r"\[t\] start proxy success", since=mark, timeout=20)


@case("adit: proxies of included files, `start`, and disabled ones")
def _():
    ports = [free_port() for _ in range(3)]
    with Origin(echo) as o, Server() as s, Client(s, [], start=False) as c:
        def include(*proxies):
            with open(os.path.join(c.dir, "more.yaml"), "w") as f:
                json.dump({"proxies": list(proxies)}, f)
        a, b = tcp("a", o, ports[0]), tcp("b", o, ports[1])
        include(a)
        c.write(merge(c.conf, {"includes": ["./more.yaml"]}))
        c.start()
        c.wait_log(r"\[a\] start proxy success")
        include(a, b)
        text = hang_up(c)
        check("proxy added: [b]" in text and "removed" not in text, text)
        c.wait_log(r"\[b\] start proxy success")
        text = hang_up(c, {"start": ["b"]})
        check("proxy removed: [a]" in text and "added" not in text, text)
        closed(ports[0])
        include(a, {**b, "enabled": False})
        hang_up(c, {"start": None})
        closed(ports[1])
        until(lambda: dial(ports[0]).close() is None, "a is there again")


@case("adit: while it is not logged in, and many times in a row")
def _():
    ports = [free_port() for _ in range(2)]
    with Origin(echo) as o, Server() as s, \
            Client(s, [tcp("t", o, ports[0])], {"workers": 3}) as c:
        base = levels(c)
        s.kill()
        c.wait_log("connection to server lost")
        hang_up(c, {"proxies": [tcp("t", o, ports[1])]})
        mark = c.mark()
        s.start()
        c.wait_log(r"\[t\] start proxy success", since=mark, timeout=20)
        with dial(ports[1]) as conn:
            conn.sendall(b"a")
            equal(exactly(conn, 1), b"a")
        closed(ports[0])
        # Faster than the server answers; the last one counts.
        for i in range(40):
            c.write(merge(c.conf, {"proxies": [tcp("t", o, ports[i % 2])]}))
            c.process.send_signal(signal.SIGHUP)
            time.sleep(0.01 * (i % 3))

        def reached(port):
            with contextlib.suppress(OSError), dial(port) as conn:
                conn.sendall(b"a")
                return exactly(conn, 1) == b"a"
        until(lambda: reached(ports[1]), "the last configuration")
        closed(ports[0])
        settle(c, base)


@case("adit: heartbeats begin and end")
def _():
    with Server({"transport": {"heartbeatTimeout": 3}}) as s, \
            Client(s, [], {"transport": {"heartbeatInterval": 1,
                                         **BARE}}) as c:
        c.wait_log("login to server success")
        hang_up(c, {"transport": {"heartbeatInterval": -1}})
        s.wait_log("heartbeat timeout", timeout=15)
        hang_up(c, {"transport": {"heartbeatInterval": 1}})
        mark = s.mark()
        time.sleep(4.5)
        check("heartbeat timeout" not in s.log()[mark:], "a beat was missed")


@case("adit: RELOADING=1 and READY=1; without a file SIGHUP ends it")
def _():
    manager = Manager()
    with Server() as s:
        with Client(s, [], env=manager.env) as c:
            manager.wait("READY=1")
            hang_up(c, {"drainTimeout": 3})
            until(lambda: manager.count("READY=1") == 2, "READY=1 again")
            equal(manager.order(), ["READY=1", "RELOADING=1", "READY=1"])
        with Client(s, [], start=False) as c:
            c.argv = [ADIT, "tcp", "22", "--token", TOKEN, "--server",
                      f"127.0.0.1:{s.port}"]
            c.launch()
            c.wait_log("login to server success")
            c.process.send_signal(signal.SIGHUP)
            equal(c.process.wait(10), 0, "its exit code")


@case("adit with frps: proxies change there, too")
def _():
    ports = [free_port() for _ in range(2)]
    with Origin(echo) as o, frpkit.Frps() as frps, \
            Client(frps.port, [tcp("a", o, ports[0])]) as c:
        for n in range(4):
            mark = c.mark()
            hang_up(c, {"proxies": [tcp("a", o, ports[1 - n % 2]),
                                    *([tcp("b", o, ports[n % 2])]
                                      if n == 3 else [])]})
            c.wait_log(r"\[a\] start proxy success", since=mark, timeout=40)
            until(lambda: talk_once(ports[1 - n % 2]), "the new port")
        c.wait_log(r"\[b\] start proxy success", timeout=40)


def talk_once(port):
    with contextlib.suppress(OSError), dial(port) as conn:
        conn.sendall(b"a")
        got = exactly(conn, 1)
        reset(conn)
        return got == b"a"


if __name__ == "__main__":
    main()

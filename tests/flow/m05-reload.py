"""aditd reads its configuration again, by `aditd reload` and SIGHUP: what
changes, what needs a restart, and what a bad file does.
"""
import contextlib
import hashlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import time

from harness import (ADITD, TOKEN, Client, Failed, Origin, Server, Skip, case, check,
                     dial, echo, equal, exactly, free_port, levels, main,
                     merge, settle, until)
from frp import FrpClient
from httpkit import Reader, Site, get, http, tunnel
from managerkit import Manager, Stopped
from reloadkit import BARE, NOTHING, changed, hang_up, reload
from tlskit import certificate
from userskit import write_users

HOST = " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
USERS = [{"name": "a", "frpToken": "secret-of-a"}]


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
        check("reaches bindAddr 0.0.0.0 could publish" in lines[0], lines)
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
        equal(lines, ["aditd reload: no answer: no aditd runs with this "
                      "configuration"])


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


@case("a file of users that was not there at the start: said, read, told")
def _():
    for running in (False, True):
        with Server(start=False) as s:
            if running:
                s.start()

            def token(*words, s=s):
                done = subprocess.run(
                    [ADITD, "token", *words, "-c", s.conf_path], env=s.env,
                    cwd=s.dir, capture_output=True, text=True, timeout=20,
                    check=False)
                equal(done.returncode, 0, done.stderr)
                return done.stderr
            hint = f"aditd reload -c {s.conf_path} has it read them"
            equal(hint in token("new", "alice"), running)
            equal(token("new", "bob"), "", "the file is there")
            if not running:
                continue
            changed(s, {}, "users")
            s.wait_log("users: 2 from")
            equal(reload(s), (0, [NOTHING]))
            # From now on it looks by itself.
            mark = s.mark()
            token("revoke", "bob")
            s.wait_log("read again, users: 1", since=mark)
            equal(reload(s), (0, [NOTHING]))
            os.unlink(os.path.join(s.dir, "aditd", "users"))
            changed(s, {"userConnTimeout": 7}, "userConnTimeout", "users")


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
            # After five failures she is kept waiting for half a minute.
            c.wait_log("start proxy success", 40)
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
    with Server({"transport": {"heartbeatTimeout": 6}}) as s, \
            FrpClient(s.port, TOKEN) as frpc:
        frpc.connect()
        frpc.login()
        changed(s, {"transport": {"heartbeatTimeout": -1}},
                "transport.heartbeatTimeout")
        frpc.ping()
        time.sleep(6.5)
        equal(s.counters()["heartbeat_timeouts"], 0)
        changed(s, {"transport": {"heartbeatTimeout": 1}},
                "transport.heartbeatTimeout")
        frpc.ping()
        until(lambda: s.counters()["heartbeat_timeouts"] == 1, "its end")


# --- under traffic ---


main()

"""What changes hands when an aditd follows another one, and what does not: new
ones that fail, sockets of a service manager, visitors that nobody serves yet,
ports that nobody has asked for by number.
"""
import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import frpkit
import tlskit
from harness import (TOKEN, Client, Failed, Nginx, Origin, Skip, answers,
                     case, check, dial, equal, exactly, free_port,
                     free_ports, main, read_until, until)
from frp import Channel, FrpClient, frame, login_key
from managerkit import Manager
from upgradekit import (COMPLETE, HELLO, LISTENERS, LOCK, PAGE, PREPARED,
                        PROXIES, REFUSED, WELCOME, Left, Upgraded, hear, other,
                        proxies, say, under_load)


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
            say(peer, HELLO, 2, b"a test")
            equal(hear(peer)[0], WELCOME, "the first")
            equal(hear(second)[0], REFUSED, "a second one")
        for wait in (0, 0.3):
            with other(s) as peer:
                say(peer, HELLO, 2, b"a test")
                equal(hear(peer)[0], WELCOME, "the answer")
                say(peer, PREPARED)
                kinds, fds, more = [], [], []
                while COMPLETE not in kinds:
                    fds += more
                    kind, _, more = hear(peer)
                    kinds.append(kind)
                equal((kinds[0], set(kinds[1:-1])), (LOCK, {LISTENERS, PROXIES}),
                      "what comes")
                names = {socket.socket(fileno=os.dup(fd)).getsockname()[1]
                         for fd in fds[1:]}
                equal(names, {s.port, s.http, tcp}, "the sockets")
                equal([os.readlink(f"/proc/self/fd/{fd}") for fd in more],
                      [s.log_path] * 2, "where its log goes")
                for fd in fds + more:
                    os.close(fd)
                # Whoever comes now waits.
                time.sleep(wait)
        equal(len(c.log().split("login to server success")), 2, "logins")
        s.upgrade()


@case("aditd upgrade in a pipe: it returns, and both logs stay where they were")
def piped():
    for to in ("console", "a-file"):
        with Upgraded({"log": {"to": to}, "accessLog": {"to": "console"}},
                      start=False) as s:
            s.launch()
            until(lambda: answers(s.port), "it listens")
            for i in range(2):
                before = s.process
                done = subprocess.run(
                    [*s.argv[:1], "upgrade", *s.argv[1:]], env=s.env,
                    cwd=s.dir, capture_output=True, text=True,
                    stdin=subprocess.PIPE, timeout=20)
                equal(done.returncode, 0, "aditd upgrade")
                s.process = Left(s.locker())
                s.old.append(before)
                equal([os.readlink(f"/proc/{s.pid}/fd/{fd}")
                       for fd in range(3)],
                      ["/dev/null", s.log_path, s.log_path], "0 to 2")
                equal("taking over from" in done.stdout, to == "console",
                      "what the caller is told")
                check("started successfully" not in done.stdout, done.stdout)
                with dial(s.http) as conn:
                    conn.sendall(GET % b"nobody.test%d" % i)
                    conn.recv(100)
                s.wait_log(f"nobody.test{i}")
                if to == "console":
                    equal(s.log().count("started successfully"), 2 + i,
                          "starts in the log")


@case("aditd upgrade into a file, where the log is a pipe that nobody reads")
def into_a_file():
    with Upgraded(start=False) as s:
        end, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        s.process = subprocess.Popen(
            s.argv, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
            env=s.env, cwd=s.dir)
        os.close(theirs)
        until(lambda: answers(s.port), "it listens")
        s.upgrade()
        for _ in range(400):
            with contextlib.suppress(OSError), dial(s.port) as stranger:
                stranger.sendall(b"\x16\x03\x01\0\5hello")
                stranger.recv(100)
        s.process.send_signal(signal.SIGTERM)
        equal(s.process.wait(20), 0, "its end")
        os.close(end)


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


GET = b"GET /page HTTP/1.1\r\nHost: %s\r\n\r\n"


def answer(conn, want=PAGE):
    head, _, body = read_until(conn, b"\r\n\r\n").partition(b"\r\n\r\n")
    check(head.startswith(b"HTTP/1.1 200 "), head[:50])
    equal(body + exactly(conn, len(want) - len(body)), want, "the page")


@contextlib.contextmanager
def stopped(client):
    """It does not answer, whoever asks it."""
    client.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        client.process.send_signal(signal.SIGCONT)


def asked(server, n):
    until(lambda: server.counters()["pool_misses"] >= n, f"{n} that wait")


@case("who has no work connection yet gets one from the new aditd")
def waiting():
    """Of each kind of proxy, with a head or a ClientHello in pieces, too."""
    tcp, tls = free_port(), free_port()
    hello = tlskit.hello("a.test")
    with tlskit.TlsNginx({"page": PAGE}) as site, Upgraded(
            {"vhostHTTPSPort": tls, "workers": 2,
             "transport": {"workPool": {"min": 0}}}) as s, \
            Client(s, [*proxies(site, tcp),
                       tlskit.https("s", site.tls, "a.test")]) as c:
        with stopped(c):
            # The first two may find idle work connections.
            conns = [dial(port) for port in [s.http, tcp, tls] * 6]
            for i, conn in enumerate(conns):
                if i % 3 == 2:
                    conn.sendall(hello)
                else:
                    conn.sendall(GET % b"up.test")
            posts = [dial(s.http) for _ in range(2)]
            for conn in posts:
                conn.sendall(b"POST /page HTTP/1.1\r\nHost: up.test\r\n"
                             b"Content-Length: 10\r\n\r\nhello")
            halves = [dial(s.http), dial(tls)]
            halves[0].sendall((GET % b"up.test")[:30])
            halves[1].sendall(hello[:100])
            asked(s, 12)
            until(lambda: s.counters()["pool_visitors"] == 22, "all are here")
            # Nobody waits long for them.
            began = time.monotonic()
            s.upgrade()
            check(time.monotonic() - began < 5, "an upgrade that waits")
        halves[0].sendall((GET % b"up.test")[30:])
        halves[1].sendall(hello[100:])
        for conn in posts:
            conn.sendall(b"world")
        for i, conn in enumerate(conns):
            if i % 3 == 2:
                equal(exactly(conn, 1), b"\x16", "a ServerHello")
            else:
                answer(conn)
        answer(halves[0])
        equal(exactly(halves[1], 1), b"\x16", "a ServerHello")
        for conn in posts:
            # nginx's word for a POST to a file.
            check(read_until(conn, b"\r\n\r\n").startswith(
                b"HTTP/1.1 405 "), "the answer to a POST")
        check(s.counters()["visitors_adopted"] >= 14, "passed on")
        for conn in conns + halves + posts:
            conn.close()


@case("a client that takes long: others are served, and its visitors wait")
def late():
    tcp = free_port()
    with Nginx({"page": PAGE}) as site, Upgraded({"workers": 2}) as s, \
            Client(s, [{"name": "q", "type": "http", "localPort": site.port,
                        "customDomains": ["quick.test"]}]), \
            Client(s, proxies(site, tcp)) as c:
        with stopped(c):
            with dial(tcp) as early:
                s.upgrade()
                conns = [dial(s.http) for _ in range(8)]
                for conn in conns:
                    conn.sendall(GET % b"up.test")
                with dial(s.http) as conn:
                    conn.sendall(GET % b"quick.test")
                    answer(conn)
                s.wait_log("2 proxies have not come back yet")
                early.sendall(GET % b"up.test")
                # And the next one waits for them, too.
                s.upgrade()
                time.sleep(0.2)
                for conn in conns:
                    conn.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        raise Failed(f"an answer: {conn.recv(1000)}")
                    conn.settimeout(20)
                c.process.send_signal(signal.SIGCONT)
                for conn in [early, *conns]:
                    answer(conn)
                    conn.close()
        s.wait_log("all proxies are back")
        with dial(s.http) as conn:
            conn.sendall(GET % b"nobody.test")
            check(conn.recv(100).startswith(b"HTTP/1.1 404 "), "of nobody")


@case("an frpc that takes long: its visitors wait until it knows of its proxy")
def late_frpc():
    started = []

    def serve(sock, _, data):
        started.append(time.monotonic())
        while b"\r\n\r\n" not in data:
            data += sock.recv(1000)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
                     % (len(PAGE), PAGE))

    with Nginx({"page": PAGE}) as site, Upgraded() as s, \
            Client(s, proxies(site, free_port())) as c, \
            FrpClient(s.port, TOKEN, serve=serve) as frpc:
        def come():
            equal(frpc.login().get("error", ""), "", "its login")
            asked = time.monotonic()
            equal(frpc.new_proxy("web", "http", custom_domains=[
                "late.test"]).get("error", ""), "", "its proxy")
            return asked

        come()
        with stopped(c):
            s.upgrade()
            frpc.answer("")
            with dial(s.http) as conn:
                s.wait_log("3 proxies have not come back yet")
                conn.sendall(GET % b"late.test")
                known = come()
                answer(conn)
                check(started[0] - known > 0.04,
                      f"started {started[0] - known:.3f} s after it asked")


@case("who is about to log in does so at the old one, and is sent on")
def half_said():
    with Upgraded({"limits": {"firstMessageTimeout": 60}}) as s:
        clients = [FrpClient(s.port, TOKEN) for _ in range(8)]
        silent = dial(s.port)
        rest = []
        now = int(time.time())
        for c in clients:
            c.control = c.connect()
            text = frame("o", {
                "version": "0.60.0", "os": "linux", "arch": "amd64",
                "privilege_key": login_key(TOKEN, now), "timestamp": now,
                "client_spec": {}, "pool_count": 1})
            c.control.sock.sendall(text[:20])
            rest.append(text[20:])
        until(lambda: s.counters()["pool_greetings"] == 9, "nine have come")
        old = s.process
        s.upgrade()
        time.sleep(2)
        equal(old.poll(), None, "the old one waits")
        for c, text in zip(clients, rest):
            c.control.sock.sendall(text)
            kind, answer = c.control.recv()
            equal((kind, answer.get("error", "")), ("1", ""), "its login")
            check(c.control.ended(), "it is sent on")
            equal(c.login().get("error", ""), "", "its next login")
        # Not for who has said nothing.
        old.wait(5)
        check(Channel(silent).ended(), "the silent one")
        for c in clients:
            c.close()


class Slow(Origin):
    """A way to aditd on which everything takes 100 ms."""

    def __init__(self, port):
        self.to = port
        super().__init__(self.carry)

    def carry(self, conn):
        with dial(self.to, timeout=None) as to:
            back = threading.Thread(target=self.pour, args=(to, conn))
            back.start()
            self.pour(conn, to)
            back.join()

    @staticmethod
    def pour(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                time.sleep(0.1)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@case("an adit whose first login is under way: it does not end")
def first_login():
    with Upgraded() as s, Slow(s.port) as way, contextlib.ExitStack() as stack:
        clients = []
        # One in each step of it.
        for i in range(8):
            clients.append(stack.enter_context(Client(
                s, [{"name": f"t{i}", "type": "tcp", "localPort": 1,
                     "remotePort": free_port()}],
                {"loginFailExit": True}, port=way.port, wait=False)))
            time.sleep(0.1)
        s.upgrade()
        for i, c in enumerate(clients):
            c.wait_log(rf"\[t{i}\] start proxy success", 20)


@case("visitors at bindPort itself: they wait for the clients, too")
def shared():
    tcp, port = free_port(), free_port()
    with tlskit.TlsNginx({"page": PAGE}) as site, Upgraded(
            {"bindPort": port, "vhostHTTPPort": port, "vhostHTTPSPort": port,
             "workers": 2}) as s, Client(s, [
                 *proxies(site, tcp), tlskit.https("s", site.tls, "a.test")],
                 port=port) as c:
        s.port = s.http = port
        with under_load(s, tcp):
            for _ in range(3):
                s.upgrade()
                time.sleep(0.3)
        with stopped(c):
            s.upgrade()
            conns = [dial(port), dial(port)]
            conns[0].sendall(GET % b"up.test")
            conns[1].sendall(tlskit.hello("a.test"))
            time.sleep(0.2)
        answer(conns[0])
        equal(exactly(conns[1], 1), b"\x16", "a ServerHello")
        for conn in conns:
            conn.close()


@case("a visitor who is answered through two upgrades goes to the last aditd")
def generations():
    go = threading.Event()
    with Nginx({"page": PAGE}) as site, Upgraded() as s:
        def slow(conn):
            read_until(conn, b"\r\n\r\n")
            go.wait(30)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        with Origin(slow) as o, Client(s, [
                *proxies(site, free_port()),
                {"name": "o", "type": "http", "localPort": o.port,
                 "customDomains": ["slow.test"]}]):
            with dial(s.http) as conn:
                conn.sendall(GET % b"slow.test")
                until(lambda: o.connections, "the request")
                for _ in range(2):
                    s.upgrade()
                go.set()
                answer(conn, b"ok")
                conn.sendall(GET % b"up.test")
                answer(conn)
            s.wait_old()


@case("a request whose idle service dies after the upgrade is passed on, too")
def retried():
    asked_again, go = threading.Event(), threading.Event()

    def once(conn):
        for _ in range(2):
            read_until(conn, b"\r\n\r\n")
            if asked_again.is_set() and not go.is_set():
                go.wait(30)
                return
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            asked_again.set()

    with Origin(once) as o, Upgraded() as s, Client(s, [
            {"name": "o", "type": "http", "localPort": o.port,
             "customDomains": ["once.test"]}]):
        with dial(s.http) as conn:
            conn.sendall(GET % b"once.test")
            answer(conn, b"ok")
            conn.sendall(GET % b"once.test")
            until(lambda: s.counters()["http_reused"] == 1, "the second one")
            s.upgrade()
            go.set()
            answer(conn, b"ok")
        equal((o.connections, s.counters()["visitors_adopted"]), (2, 1),
              "connections to the service, visitors passed on")


def port_of(program, name="any"):
    return int(program.wait_log(
        rf"\[{name}\] tcp proxy listen port \[(\d+)\]")[1])


@case("a port that was given for 0: kept for its proxy, and for nobody else")
def any_port():
    first = free_ports(8)
    with Nginx({"page": PAGE}) as site, Upgraded(
            {"workers": 2, "allowPorts": [{"start": first, "end": first + 7}]}
    ) as s, Client(s, [{"name": "ours", "type": "tcp", "localPort": site.port,
                        "remotePort": 0}]), frpkit.frpc(
            s, [{"name": n, "type": "tcp", "localIP": "127.0.0.1",
                 "localPort": site.port, "remotePort": 0}
                for n in ("any", "more")]) as c:
        ports = {name: port_of(s, name) for name in ("ours", "any", "more")}
        for _ in range(3):
            since = s.mark()
            s.upgrade()
            for name, port in ports.items():
                s.wait_log(rf"\[{name}\] tcp proxy listen port \[{port}\]",
                           since=since)
                conn = http.client.HTTPConnection("127.0.0.1", port)
                conn.request("GET", "/page")
                equal(conn.getresponse().read(), PAGE, "the page")
                conn.close()
        with stopped(c):
            since = s.mark()
            s.upgrade()
            # Of the eight ports two are kept, and one has its proxy.
            with Client(s, [{"name": f"x{i}", "type": "tcp", "localPort": 1,
                             "remotePort": 0} for i in range(5)]):
                with Client(s, [{"name": "thief", "type": "tcp",
                                 "localPort": 1,
                                 "remotePort": ports["any"]}], wait=False):
                    s.wait_log(r"\[thief\] new proxy refused: port already "
                               "used", since=since)
                with Client(s, [{"name": "late", "type": "tcp",
                                 "localPort": 1, "remotePort": 0}],
                            wait=False):
                    s.wait_log(r"\[late\] new proxy refused: no available "
                               "port", since=since)
        for name in ("any", "more"):
            s.wait_log(rf"\[{name}\] tcp proxy listen port "
                       rf"\[{ports[name]}\]", since=since, timeout=30)
        c.kill()


main()

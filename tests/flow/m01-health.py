"""What a program is to whoever runs it: /healthz and /readyz of aditd on a port
and on admin.sock, `aditd health`, and what a service manager is told."""
import contextlib
import fcntl
import os
import signal
import socket
import stat
import subprocess
import time

from harness import (ADITD, Client, Origin, Server, answers, case, check, dial,
                     equal, free_port, levels, main, settle, until)
from managerkit import Manager, Stopped
from reloadkit import reload

HOST = " HTTP/1.1\r\nHost: a\r\n\r\n"


def sock(server):
    return os.path.join(server.dir, "aditd", "admin.sock")


def connect(where):
    """To a port, or to a path."""
    if isinstance(where, int):
        return dial(where)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(where)
    return s


def ask(where, request):
    """Status and body; None: no answer."""
    with connect(where) as s:
        s.sendall(request.encode())
        data = b""
        while more := s.recv(4096):
            data += more
    if not data:
        return None
    head, body = data.decode().split("\r\n\r\n", 1)
    return int(head.split()[1]), body.strip()


def ready(where):
    """It is logged as started a moment before its workers are."""
    until(lambda: ask(where, "GET /readyz" + HOST) == (200, "ready"),
          "ready")


def command(server, *args, env=None):
    done = subprocess.run([ADITD, "health", *args, "-c", server.conf_path],
                          env={**server.env, **(env or {})}, timeout=20,
                          capture_output=True, text=True, check=False)
    check(done.stdout.count("\n") + done.stderr.count("\n") == 1,
          f"not one line: {done.stdout}{done.stderr}")
    return done.returncode, (done.stdout + done.stderr).strip()


@case("health on admin.sock, which is its owner's alone")
def _():
    with Server({"workers": 2}) as s:
        equal(ask(sock(s), "GET /healthz" + HOST), (200, "ok"))
        equal(ask(sock(s), "GET /readyz" + HOST), (200, "ready"))
        equal(command(s), (0, "ok"))
        equal(command(s, "ready"), (0, "ready"))
        mode = os.stat(sock(s)).st_mode
        check(stat.S_ISSOCK(mode), "no socket")
        equal(stat.S_IMODE(mode), 0o600, "its mode")
    check(not os.path.exists(sock(s)), "admin.sock was left")
    code, line = command(s)
    equal(code, 1, line)
    check("no answer: no aditd runs with this configuration" in line, line)


@case("health on webServer.port")
def _():
    port = free_port()
    with Server({"webServer": {"port": port}}) as s:
        ready(port)
        equal(ask(sock(s), "GET /readyz" + HOST), (200, "ready"))
        equal(command(s, "ready"), (0, "ready"))
        listening = s.conf["webServer"]["port"]
        taken = Server({"webServer": {"port": listening}}, start=False)
        taken.expect_exit = 1
        with taken:
            taken.launch()
            equal(taken.process.wait(10), 1)
            check("webServer.port: " in taken.log(), taken.log())
            check(" is taken by aditd" in taken.log(), taken.log())
    # At every address, it is asked on loopback.
    with Server({"webServer": {"port": port, "addr": "0.0.0.0"}}) as s:
        equal(command(s), (0, "ok"))


@case("before it listens nobody answers; a killed one's socket is replaced")
def _():
    s = Server(start=False)
    with s:
        equal(command(s)[0], 1)
        s.start()
        equal(command(s), (0, "ok"))
        s.kill()
        check(os.path.exists(sock(s)), "no socket is left to be replaced")
        equal(command(s)[0], 1)
        s.start()
        ready(sock(s))
        equal(command(s, "ready"), (0, "ready"))


def hold(conn):
    while conn.recv(4096):
        pass


@case("draining: alive, and not ready")
def _():
    remote = free_port()
    with Server() as s, Origin(hold) as origin, Client(s, [
            {"name": "t", "type": "tcp", "localIP": "127.0.0.1",
             "localPort": origin.port, "remotePort": remote}]):
        with dial(remote) as visitor:
            visitor.sendall(b"x")
            until(lambda: origin.connections, "a visitor that is served")
            s.process.terminate()
            s.wait_log("draining: ")
            equal(command(s), (0, "ok"))
            equal(command(s, "ready"), (1, "draining"))
            equal(ask(sock(s), "GET /readyz" + HOST), (503, "draining"))


@case("hostile requests are refused, and disturb nobody")
def _():
    port = free_port()
    with Server({"webServer": {"port": port}}) as s:
        base = levels(s)
        for where in (port, sock(s)):
            for request, status in (
                    ("GET /" + HOST, 404), ("GET /healthz?x" + HOST, 404),
                    ("POST /healthz" + HOST, 405),
                    ("GET http://a/healthz" + HOST, 404),
                    ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 404),
                    ("GET /healthz HTTP/1.1\r\n\r\n", 400),
                    ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     400),
                    ("GET /healthz HTTP/1.1\nHost: a\n\n", 400),
                    ("GET  /healthz" + HOST, 400), ("\0" * 64, 400),
                    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                    (f"GET /{'a' * 3000}{HOST}", 414),
                    (f"GET / HTTP/1.1\r\nA: {'a' * 3000}\r\n\r\n", 431),
                    ("GET / HTTP/1.1\r\n" + "A: b\r\n" * 40 + "\r\n", 431)):
                have = ask(where, request)
                check(have and have[0] == status,
                      f"{request[:60]!r}: have {have}, want {status}")
            # A request behind the first is thrown away.
            equal(ask(where, ("GET /healthz" + HOST) * 3), (200, "ok"))
        # What is not read away, and what is.
        with connect(port) as flood:
            flood.sendall(("GET /healthz" + HOST).encode())
            with contextlib.suppress(OSError):
                for _ in range(64):
                    flood.sendall(b"x" * 65536)
        settle(s, base)


@case("slow ones give way: to time, and to who comes")
def _():
    with Server() as s:
        base = levels(s)
        slow = [connect(sock(s)) for _ in range(20)]
        for c in slow:
            with contextlib.suppress(OSError):
                c.sendall(b"GET /healthz")
        equal(command(s), (0, "ok"))
        since = time.monotonic()
        for c in slow:
            with contextlib.suppress(ConnectionResetError):
                equal(c.recv(1), b"", "an answer to half a request")
            c.close()
        took = time.monotonic() - since
        check(took < 8, f"the last one was let go after {took:.1f} s")
        settle(s, base)
        cpu = s.cpu()
        c = connect(sock(s))
        c.sendall(("GET /healthz" + HOST).encode())
        time.sleep(1)
        check(s.cpu() - cpu < 0.3, "who does not close keeps it busy")
        c.close()


@case("a worker that hangs: not healthy, while the others serve")
def _():
    with Server({"workers": 2}) as s:
        equal(command(s), (0, "ok"))
        with Stopped(s):
            equal(command(s), (1, "a worker does not answer"))
            equal(command(s, "ready"), (1, "a worker does not answer"))
        equal(command(s), (0, "ok"))


@case("READY=1 once it listens, STOPPING=1 at SIGTERM")
def _():
    manager = Manager()
    s = Server(start=False, env=manager.env)
    # It waits for the port of a process that may just be going.
    with socket.socket() as other:
        other.bind(("127.0.0.1", s.port))
        with s:
            s.launch()
            time.sleep(0.5)
            equal(manager.order(), [], "told before it listens")
            other.close()
            manager.wait("READY=1")
            dial(s.port).close()
            equal(command(s, "ready"), (0, "ready"))
            s.process.terminate()
            manager.wait("STOPPING=1")
    equal(manager.order(), ["READY=1", "STOPPING=1"])


@case("who cannot start is never ready")
def _():
    manager = Manager()
    with Server() as other:
        s = Server({"bindPort": other.port}, start=False, env=manager.env)
        s.expect_exit = 1
        with s:
            s.launch()
            equal(s.process.wait(10), 1)
    equal(manager.count("READY=1"), 0)


@case("WATCHDOG=1 at half of the time, and not while a worker hangs")
def _():
    manager = Manager(watchdog=0.4)
    with Server({"workers": 2}, env=manager.env) as s:
        manager.wait("READY=1")
        had, begun = manager.count("WATCHDOG=1"), time.monotonic()
        time.sleep(2)
        beats = manager.count("WATCHDOG=1") - had
        due = 5 * (time.monotonic() - begun)
        check(due / 2.5 <= beats <= due + 1.5, f"{beats} signs of life, "
              f"want {due:.1f}")
        with Stopped(s):
            time.sleep(0.3)
            had = manager.count("WATCHDOG=1")
            time.sleep(1)
            equal(manager.count("WATCHDOG=1"), had, "signs of life")
        until(lambda: manager.count("WATCHDOG=1") > had, "life again")
    # None of this is for another process.
    manager = Manager(watchdog=0.1)
    with Server(env={**manager.env, "WATCHDOG_PID": "1"}):
        manager.wait("READY=1")
        time.sleep(0.5)
        equal(manager.count("WATCHDOG=1"), 0, "another's watchdog")


@case("adit: READY=1 once it is let in, or where it need not be")
def _():
    manager = Manager(watchdog=0.4)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        with Client(port, [], start=False, env=manager.env) as c:
            c.expect_exit = None
            c.launch()
            time.sleep(0.5)
            equal(manager.order(), [], "told before it is let in")
            c.kill()
        c = Client(port, [], {"loginFailExit": False}, start=False,
                   env=manager.env)
        with c:
            c.launch()
            manager.wait("READY=1")
    manager = Manager(watchdog=0.4)
    with Server() as s, Client(s, [], env=manager.env):
        manager.wait("READY=1")
        manager.wait("WATCHDOG=1")
    equal(manager.order(), ["READY=1", "STOPPING=1"])


@contextlib.contextmanager
def unread(program):
    """It writes into a pipe of one page that nobody reads; its other end."""
    end, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    program.process = subprocess.Popen(
        program.argv, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
        env=program.env, cwd=program.dir)
    os.close(theirs)
    try:
        yield end
    finally:
        program.kill()
        os.close(end)


@case("a log that nobody reads stops nobody: users, health, the end")
def _():
    users = [{"name": n, "frpToken": n + "-s3cret-012345"} for n in ("al", "bo")]
    s = Server({"workers": 2, "users": users, "auth": {"token": None}},
               start=False)
    with unread(s) as end:
        until(lambda: answers(s.port), "aditd")
        for _ in range(400):
            with contextlib.suppress(OSError), dial(s.port) as stranger:
                stranger.sendall(b"\x16\x03\x01\0\5hello")
                stranger.recv(100)
        equal(command(s), (0, "ok"))
        equal(reload(s, {"users": users[1:]})[0], 0, "reload")
        # Of what comes late nothing is lost.
        said = b""
        os.set_blocking(end, False)

        def read():
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                while more := os.read(end, 65536):
                    said += more
            return b"was read again" in said

        until(read, "the lines")
        check(b"dropped" not in said, said[-500:])
        s.process.send_signal(signal.SIGTERM)
        equal(s.process.wait(20), 0, "aditd's end")


@case("adit: a log that nobody reads keeps it from nothing")
def _():
    with Server() as s:
        c = Client(s, [{"name": "t", "type": "tcp", "localPort": 1,
                        "remotePort": 0}], {"log": {"level": "trace"}},
                   start=False)
        with unread(c):
            s.wait_log("client login info")
            for _ in range(100):
                c.process.send_signal(signal.SIGUSR1)
                time.sleep(0.01)
            c.process.send_signal(signal.SIGTERM)
            equal(c.process.wait(20), 0, "adit's end")


main()

"""An aditd that is replaced, visitors meanwhile, and the handover by hand."""
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

from harness import Failed, Server, check, equal

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


HELLO, WELCOME, REFUSED, PREPARED, LOCK, LISTENERS, PROXIES, COMPLETE = \
    range(1, 9)

"""The parts of a flow test: aditd, adit, services, curl, and the cases.

A test file declares cases with @case and ends with main(). Every case prints
one line: `ok NAME`, `not ok NAME: why` or `skip NAME: why`. All servers live
on loopback, each in a directory of its own below one temporary directory.
"""
import atexit
import contextlib
import errno
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "peer"))
ADITD = os.path.abspath(os.environ.get("ADITD", f"{ROOT}/build/aditd"))
ADIT = os.path.abspath(os.environ.get("ADIT", f"{ROOT}/build/adit"))
TOKEN = "t0ken-for-tests"
# Such a build is slower, and the memory it takes is mostly the sanitizer's.
SANITIZED = "/address/" in ADITD or "/thread/" in ADITD
# How many times as long as on an ordinary machine things may take.
PATIENCE = float(os.environ.get("PATIENCE", "1"))
CASE_TIMEOUT = float(os.environ.get("CASE_TIMEOUT", "120"))
# How both programs run in the whole suite: ADIT_WORKERS, with how many
# workers; ADIT_RELAY, how bytes are moved; ADIT_BACKEND, on what.
MODE = {}
BACKEND = os.environ.get("ADIT_BACKEND", "auto")
if BACKEND == "epoll":
    # Also of those that are started without a configuration: io_uring is
    # refused to whatever this process starts.
    from refuse import RING, refuse
    refuse(errno.EPERM, RING)
elif BACKEND != "auto":
    MODE["backend"] = BACKEND
if os.environ.get("ADIT_WORKERS"):
    MODE["workers"] = int(os.environ["ADIT_WORKERS"])
if os.environ.get("ADIT_RELAY"):
    MODE["transport"] = {"relay": os.environ["ADIT_RELAY"]}
# The programs, too, are patient with peers in Python, aditd with its clients.
PATIENT = {}
if PATIENCE > 1:
    MODE.setdefault("transport", {})["tcpMuxKeepaliveInterval"] = \
        round(30 * PATIENCE)
    PATIENT = {"userConnTimeout": round(10 * PATIENCE),
               "transport": {"heartbeatTimeout": round(90 * PATIENCE)}}
# Who is not root cannot look into programs that leave no core dumps.
if os.geteuid() != 0:
    MODE["sandbox"] = False
# And how adit reaches aditd: ADIT_LINK.
LINKS = {
    "bare": {"tls": {"enable": False}, "tcpMux": False},
    "tls": {"tls": {"enable": True}, "tcpMux": True},  # adit's defaults
    # With the server's pin: logins are signed, work connections have tickets;
    # or these are without TLS.
    "signed": {"tls": {"enable": True}, "tcpMux": True,
               "dataEncryption": "always"},
    "plain": {"tls": {"enable": True}, "tcpMux": True},
    # As frpc, with what both of them call tcpMux, and without TLS below it.
    "tls-mux": {"tls": {"enable": True}, "tcpMux": True, "extensions": False},
    "mux": {"tls": {"enable": False}, "tcpMux": True, "extensions": False},
}
LINK = os.environ.get("ADIT_LINK", "bare")
if LINK == "plain":
    MODE.setdefault("transport", {})["dataEncryption"] = "never"
# What not all of them can do: frpc knows no half-close, and what is sealed
# cannot be spliced or parked.
ABLE = {
    "bare": ("half-close", "splicing", "parking", "work connections apart",
             "reuse"),
    "tls": ("half-close", "work connections apart", "reuse"),
    "plain": ("half-close", "splicing", "parking", "work connections apart"),
}
ABLE["signed"] = ABLE["tls"]
# How long aditd goes on with a visitor that has said its end to frpc.
HOLD = 0 if LINK in ABLE else 32
# What an idle work connection takes of each program, by the link.
IDLE_COSTS = {
    "bare": ("fds", "pool_streams", "pool_operations"),
    "tls": ("fds", "pool_streams", "pool_operations", "pool_layers"),
    "tls-mux": ("pool_mux_streams",), "mux": ("pool_mux_streams",),
}
IDLE_COSTS["signed"] = IDLE_COSTS["plain"] = IDLE_COSTS["tls"]
SANITIZER = re.compile(r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|"
                       r"runtime error:|WARNING: ThreadSanitizer|"
                       r"Assertion .* failed|LeakSanitizer has encountered")

TEMP = tempfile.mkdtemp(prefix="adit-flow-")
atexit.register(shutil.rmtree, TEMP, ignore_errors=True)
# What a program keeps is not kept among what belongs to whoever runs the tests.
os.environ.update(XDG_STATE_HOME=os.path.join(TEMP, "state"),
                  XDG_CONFIG_HOME=os.path.join(TEMP, "config"))
os.environ.pop("ADIT_JOIN_FILE", None)


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


class Failed(Exception):
    """A check did not hold."""


def check(condition, why):
    if not condition:
        raise Failed(why)


def able(ability):
    """Whether the link is."""
    return ability in ABLE.get(LINK, ())


def needs(ability):
    """Skip the case where the link is not."""
    if not able(ability):
        raise Skip(f"no {ability} over {LINK}")


def equal(have, want, what="value"):
    check(have == want, f"{what}: have {have!r}, want {want!r}")


def until(condition, what, timeout=10.0, step=0.02):
    """Wait until condition() is true; its value."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {timeout:g} s: {what}")
        time.sleep(step)


def one_of(look, times=3):
    """What `look` gives, once no check of it fails: a moment in which a busy
    machine stands still spoils one look, what is wrong fails in each."""
    for _ in range(times - 1):
        with contextlib.suppress(Failed):
            return look()
    return look()


def mostly(took, most, each, what):
    """Times in s: the median below `most`, and each below `each`."""
    check(statistics.median(took) < most and max(took) < each,
          f"{what} took {took} s")


# Ports below the ephemeral range, so that no outgoing connection takes them,
# in blocks: who has bound a block's name has its ports, used or not, to its end.
PORTS, BLOCK = range(10240, 32000), 16
_blocks = iter(random.SystemRandom().sample(PORTS[::BLOCK],
                                            len(PORTS) // BLOCK))
_names, _ports = [], []


def free_port():
    """A port that nobody listens on, nor will but who has asked for it."""
    while True:
        while not _ports:
            block = next(_blocks, None)
            if block is None:
                raise Failed("no free port")
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind(f"\0adit-flow-ports-{block}")
            except OSError:
                name.close()
                continue
            _names.append(name)
            _ports.extend(range(block, block + BLOCK))
        port = _ports.pop(0)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def free_ports(n):
    """The first of n of them, side by side; n is at most BLOCK."""
    found = [free_port()]
    while len(found) < n:
        port = free_port()
        found = [*found, port] if port == found[-1] + 1 else [port]
    return found[0]


def merge(base, over):
    """Nested dictionaries; a None removes a key."""
    out = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        elif value is None:
            out.pop(key, None)
        else:
            out[key] = value
    return out


class Program:
    """A program that logs to a file; started, watched and stopped."""

    link = LINK  # of its work connections

    def __init__(self, argv, name, env=None, nofile=None, refuse=None):
        self.dir = tempfile.mkdtemp(prefix=name + "-", dir=TEMP)
        self.name, self.argv = name, argv
        self.env = {**os.environ, "XDG_STATE_HOME": self.dir, **(env or {})}
        self.nofile = nofile
        self.refuse = refuse  # arguments of tests/peer/refuse.py
        self.expect_exit = 0
        self.process = None
        self.log_path = os.path.join(self.dir, "log")

    def launch(self):
        prefix = []
        if self.nofile:
            prefix = ["prlimit", f"--nofile={self.nofile}:{self.nofile}"]
        if self.refuse:
            prefix += [sys.executable, f"{ROOT}/tests/peer/refuse.py",
                       *self.refuse]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                prefix + self.argv, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=self.env, cwd=self.dir)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def wait_log(self, pattern, timeout=10, since=0):
        """Wait for a regular expression in the log; the match."""
        def found():
            # Whoever ends now may log before that.
            alive = self.alive()
            m = re.search(pattern, self.log()[since:])
            if not m and not alive:
                raise Failed(f"{self.name} ended before it logged "
                             f"{pattern!r}:\n{self.log()[-2000:]}")
            return m
        try:
            return until(found, f"{self.name} logs {pattern!r}", timeout)
        except Failed as e:
            if self.alive():
                raise Failed(f"{e}:\n{self.log()[-1000:]}") from None
            raise

    def mark(self):
        """A position for wait_log's `since`."""
        return len(self.log())

    def stop(self, sig=signal.SIGTERM, timeout=40):
        """End it; its exit code."""
        if self.alive():
            # A case that failed may have left it stopped. SIGCONT is not for
            # others: a leak check that has just begun would wait for ever.
            with open(f"/proc/{self.pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "T":
                    self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(sig)
        try:
            return self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not stop within {timeout} s:\n"
                         + self.log()[-1000:]) from None

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process is None:
            return
        if kind is not None and self.alive() and os.environ.get("SHOW_LOGS"):
            print(self.log(), file=sys.stderr)
        killed = self.process.poll() == -signal.SIGKILL
        punted = self.punted() if self.alive() else []
        code = self.stop()
        if kind is not None:
            return
        equal(len(punted), 0, f"{self.name}'s io-wq threads")
        found = SANITIZER.search(self.log())
        check(not found, f"{self.name}: sanitizer:\n"
              + (self.log()[found.start():][:3000] if found else ""))
        if self.expect_exit is not None and not killed:
            check(code == self.expect_exit,
                  f"{self.name}'s exit code: have {code}, want "
                  f"{self.expect_exit}:\n{self.log()[-2000:]}")

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        names = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with contextlib.suppress(OSError):
                with open(f"/proc/{self.pid}/task/{task}/comm") as f:
                    names.append(f.read().strip())
        return names

    def punted(self):
        """Names of io-wq threads: operations that the kernel punted."""
        return [n for n in self.threads() if n.startswith("iou-wrk")]

    def cpu(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def counters(self):
        """All counters and pool levels, as of now."""
        since = self.mark()
        self.process.send_signal(signal.SIGUSR1)
        m = self.wait_log(r"counters ([^\n]*)\n", since=since)
        return {k: int(v) for k, v in re.findall(r"([\w.]+)=(-?\d+)",
                                                 m.group(1))}


class AditProgram(Program):
    """aditd or adit with a configuration file."""

    def __init__(self, binary, conf, **options):
        super().__init__([binary], os.path.basename(binary), **options)
        self.conf_path = os.path.join(self.dir, "conf.yaml")
        self.write(conf)
        self.argv = [binary, "-c", self.conf_path]

    def write(self, conf):
        """JSON is YAML; a text is written as it is."""
        self.conf = conf
        with open(self.conf_path, "w") as f:
            f.write(conf if isinstance(conf, str) else json.dumps(conf))


class Server(AditProgram):
    """aditd on free ports of 127.0.0.1."""

    def __init__(self, conf=None, start=True, **options):
        self.port, self.http = free_port(), free_port()
        self.token = TOKEN
        super().__init__(ADITD, merge(merge({
            "bindAddr": "127.0.0.1", "bindPort": self.port,
            "vhostHTTPPort": self.http, "subDomainHost": "tunnel.test",
            "auth": {"token": TOKEN}, "log": {"level": "debug"},
            **PATIENT,
        }, MODE), conf or {}), **options)
        if start:
            self.start()

    def start(self):
        since = os.path.exists(self.log_path) and self.mark() or 0
        self.launch()
        self.wait_log("frps started successfully", since=since)
        return self

    def restart(self):
        self.kill()
        self.start()


def link_to(server):
    """adit's transport to it."""
    if not isinstance(server, Server):
        return LINKS["bare"]
    if LINK not in ("signed", "plain"):
        return LINKS[LINK]
    pin = server.wait_log(r"identity \[([\w-]{43})\]")[1]
    return merge(LINKS[LINK], {"tls": {"pins": [pin]}})


class Client(AditProgram):
    """adit with proxies; waits until all of them have started."""

    def __init__(self, server, proxies, conf=None, wait=True, start=True,
                 port=None, **options):
        super().__init__(ADIT, merge(merge({
            "serverAddr": "127.0.0.1",
            "serverPort": port or getattr(server, "port", server),
            "auth": {"token": TOKEN}, "log": {"level": "debug"},
            # Other servers are played by hand, or as they were set.
            "transport": link_to(server),
            "proxies": proxies,
        }, MODE), conf or {}), **options)
        self.proxies, self.wait, self.server = proxies, wait, server
        if start:
            self.start()

    def start(self):
        since = os.path.exists(self.log_path) and self.mark() or 0
        offers = self.offers()
        self.launch()
        if self.wait:
            for p in self.proxies:
                self.wait_log(rf"\[{re.escape(p['name'])}\] start proxy "
                              "success", since=since)
            # A level measured from here on has its idle work connections.
            if offers is not None:
                with contextlib.suppress(Failed):
                    until(lambda: self.offers() > offers, "a pool", 2)
        return self

    def offers(self):
        """The idle work connections of its aditd; None: another server."""
        if not isinstance(self.server, Server) or not self.server.alive():
            return None
        return self.server.counters()["pool_offers"]


class Origin:
    """A local service: one thread a connection, running serve(conn)."""

    def __init__(self, serve, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.serve = serve
        self.connections = 0
        self.error = None
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port or (free_port() if host ==
                                           "127.0.0.1" else 0)))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(1024)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(conn,),
                             daemon=True).start()

    def _run(self, conn):
        conn.settimeout(CASE_TIMEOUT * PATIENCE)
        try:
            with conn:
                self.serve(conn)
        except OSError:
            pass
        except Exception as e:  # the case reads it
            self.error = e

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def echo(conn):
    """Send back what comes, then the end."""
    while data := conn.recv(65536):
        conn.sendall(data)
    conn.shutdown(socket.SHUT_WR)


def read_all(conn):
    parts = []
    while data := conn.recv(262144):
        parts.append(data)
    return b"".join(parts)


def through(port, data, timeout=60):
    """Sent to an echoing service, and all that comes back."""
    with dial(port, timeout=timeout) as conn:
        def send():
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        back = read_all(conn)
        sender.join()
    return back


def exactly(conn, size):
    data = bytearray()
    while len(data) < size:
        more = conn.recv(min(size - len(data), 262144))
        check(more, f"ended after {len(data)} of {size}")
        data += more
    return bytes(data)


def read_until(conn, end):
    data = b""
    while end not in data:
        more = conn.recv(65536)
        if not more:
            break
        data += more
    return data


def reset(conn):
    """Close with RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    b"\x01\0\0\0\0\0\0\0")
    conn.close()


def dial(port, host="127.0.0.1", timeout=20, source=None):
    return socket.create_connection((host, port),
                                    timeout and timeout * PATIENCE,
                                    source and (source, 0))


def from_two_addresses(port, host, rounds=30):
    """Two visitors, each from an address of its own, on a connection that stays
    and on new ones, in turn: a service says whom it takes them for."""
    def ask(conn):
        conn.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
        head, _, body = read_until(conn, b"\r\n\r\n").partition(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 200 "), head)
        return (body or conn.recv(100)).decode()

    stay = [(a, dial(port, source=a)) for a in ("127.0.0.2", "127.0.0.3")]
    for i in range(rounds):
        for address, conn in random.sample(stay, 2):
            equal(ask(conn), address, f"round {i}")
        for address, _ in random.sample(stay, 2):
            conn = dial(port, source=address)
            equal(ask(conn), address, f"round {i}, a new connection")
            # A tcp visitor's end would be held for 30 s with frpc.
            reset(conn)
    for _, conn in stay:
        reset(conn)


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Nginx(Program):
    """A real nginx, serving a directory on a free port."""

    def __init__(self, files, extra="", connections=2000):
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.access(binary, os.X_OK):
            raise Skip("nginx is not installed")
        super().__init__([binary], "nginx")
        self.port = free_port()
        root = os.path.join(self.dir, "www")
        os.mkdir(root)
        for name, data in files.items():
            with open(os.path.join(root, name), "wb") as f:
                f.write(data)
        path = os.path.join(self.dir, "nginx.conf")
        temp = "".join(f"{t}_temp_path {self.dir}/{t};" for t in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(path, "w") as f:
            # Its files are for whoever runs it, with no right to give them.
            f.write(f"{'user root;' if os.getuid() == 0 else ''}"
                    f"daemon off; master_process off; pid {self.dir}/pid;"
                    f"error_log {self.dir}/error.log;"
                    f"events {{ worker_connections {connections}; }} http {{"
                    f"access_log {self.dir}/access.log; {temp}"
                    f"client_max_body_size 100m; server {{"
                    f"listen 127.0.0.1:{self.port} backlog={connections};"
                    f"root {root}; {extra} }} }}")
        self.argv = [binary, "-p", self.dir, "-c", path,
                     "-e", f"{self.dir}/error.log"]
        self.launch()
        until(lambda: answers(self.port), "nginx answers")


def answers(port):
    with contextlib.suppress(OSError):
        dial(port, timeout=1).close()
        return True
    return False


def curl(url, *args, timeout=60):
    """The status, the head as text and the body of a real curl."""
    head = os.path.join(TEMP, f"head-{threading.get_ident()}")
    r = subprocess.run(["curl", "-sS", "--noproxy", "*", "-D", head,
                        "--max-time", str(timeout * PATIENCE), url, *args],
                       capture_output=True)
    check(r.returncode == 0, f"curl {url}: {r.stderr.decode()}")
    with open(head) as f:
        text = f.read()
    last = [h for h in re.split(r"\r?\n\r?\n", text) if h.strip()][-1]
    return int(last.split()[1]), last, r.stdout


def request(port, data, timeout=20):
    """Send bytes to a port, then the end; all that comes back until its."""
    with dial(port, timeout=timeout) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


def levels_now(program):
    counters = program.counters()
    now = {"fds": program.fds(), **{
        k: v for k, v in counters.items() if k.startswith("pool_")
        and k not in ("pool_hits", "pool_misses", "pool_count_clamped")}}
    # A parked visitor is one, too.
    of = "pool_visitors" if "pool_visitors" in now else "pool_works"
    now[of] = now.get(of, 0) + now.pop("pool_parked", 0)
    # How many work connections are kept ready follows the visitors of late:
    # each is one of all these.
    idle = now.get("pool_offers", 0) + now.get("pool_idle", 0)
    for k in (*IDLE_COSTS[program.link], "pool_offers", "pool_idle", "pool_works",
              "pool_carriers"):
        if k in now:
            now[k] -= idle
    return now


def levels(program):
    """What must be the same before and after: descriptors, pool levels. They
    are taken at rest: a work connection may be on its way at first."""
    before = None
    for _ in range(40):
        now = levels_now(program)
        if now == before:
            break
        before = now
        time.sleep(0.05)
    return before


def settle(program, base, timeout=10):
    """Wait until descriptors and pools are back at `base`, or below."""
    end = time.monotonic() + timeout * PATIENCE + HOLD
    while True:
        now = levels_now(program)
        if all(now[k] <= base[k] for k in base):
            return
        if time.monotonic() > end:
            raise Failed("not back at base: " + ", ".join(
                f"{k} {base[k]} -> {now[k]}" for k in
                sorted(base) if now[k] > base[k]))
        time.sleep(0.1)


def memory(program):
    """Bytes that are its own: RssAnon and RssShmem (proc(5))."""
    with open(f"/proc/{program.pid}/status") as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith(("RssAnon", "RssShmem"))) * 1024


_cases = []


def case(name, timeout=CASE_TIMEOUT):
    def register(function):
        _cases.append((name, function, timeout))
        return function
    return register


def _alarm(*_):
    raise Failed("took too long")


def main():
    """Run the cases whose names contain an argument, or all of them."""
    words = sys.argv[1:]
    failed = ran = 0
    signal.signal(signal.SIGALRM, _alarm)
    for name, function, timeout in _cases:
        if words and not any(w in name for w in words):
            continue
        signal.setitimer(signal.ITIMER_REAL, timeout * PATIENCE)
        try:
            function()
            signal.setitimer(signal.ITIMER_REAL, 0)
            ran += 1
            print(f"ok {name}", flush=True)
        except Skip as e:
            print(f"skip {name}: {e}", flush=True)
        except Exception as e:
            failed += 1
            print(f"not ok {name}: {e or type(e).__name__}", flush=True)
            if not isinstance(e, Failed):
                traceback.print_exc(file=sys.stdout)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    sys.exit(1 if failed else 0 if ran else 77)

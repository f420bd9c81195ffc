"""One stream over ways that are long, lossy or out of order: what the tunnel
carries beside what the way itself does. The visitor and aditd are at one end of
a veth, adit and the service at the other, tc-netem(8) between them; `make
check-kernel` has a kernel with it. WAY_RATE is what the way carries in Mbit/s
(a fourth of what this machine can do, 100 at most), WAY_SECONDS the length of a
transfer, WAY_ROUNDS how many of both; LOSSY times as many where packets are
lost: what a lost one costs is a matter of luck, and three in a second say
little. The tunnel is too slow if it is so beyond the standard error."""
import contextlib
import ctypes
import functools
import math
import os
import statistics
import subprocess
import time

from harness import (LINKS, Client, Origin, Server, Skip, case, check, dial,
                     free_port, main)

SECONDS = float(os.environ.get("WAY_SECONDS", "4"))
ROUNDS = int(os.environ.get("WAY_ROUNDS", "3"))
LOSSY, ENOUGH = 8, 0.9
NEAR, FAR = "10.9.0.1", "10.9.0.2"
CLONE_NEWNET = 0x40000000
PIECE = os.urandom(65536)
libc = ctypes.CDLL(None, use_errno=True)


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"{' '.join(argv)}: {done.stderr.strip()}")


def new_namespace():
    """Enter it; a descriptor that keeps it."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise Skip("no network namespace: " + os.strerror(ctypes.get_errno()))
    # What one connection has learned is not for the next.
    with open("/proc/sys/net/ipv4/tcp_no_metrics_save", "w") as f:
        f.write("1")
    run("ip", "link", "set", "lo", "up")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter(namespace):
    check(libc.setns(namespace, CLONE_NEWNET) == 0, "setns")


class Way:
    """Two namespaces; the case begins in the near one. Sockets and programs
    that are made inside far() belong there."""

    def __init__(self, *netem):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.far_end = new_namespace()
        with subprocess.Popen(["sleep", "60"]) as inside:
            try:
                self.near_end = new_namespace()
                run("ip", "link", "add", "way", "type", "veth", "peer",
                    "name", "way", "netns", str(inside.pid))
            finally:
                inside.kill()
        self.set_up(NEAR, netem)
        with self.far():
            self.set_up(FAR, netem)

    @staticmethod
    def set_up(address, netem):
        run("ip", "address", "add", address + "/24", "dev", "way")
        run("ip", "link", "set", "way", "up")
        # Segments as they are on a wire: one that is lost is one packet.
        run("ip", "link", "set", "way", "gso_max_segs", "1")
        run("tc", "qdisc", "add", "dev", "way", "root", "netem", *netem)

    @contextlib.contextmanager
    def far(self):
        enter(self.far_end)
        try:
            yield
        finally:
            enter(self.near_end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        enter(self.home)
        for namespace in (self.home, self.near_end, self.far_end):
            os.close(namespace)


def pour(conn):
    """Until the other end has enough."""
    while True:
        conn.sendall(PIECE)


def speed(host, port):
    """Mbit/s of one download, from its first word on."""
    with dial(port, host=host, timeout=30) as conn:
        start, size = time.monotonic(), 0
        while time.monotonic() - start < SECONDS:
            size += len(conn.recv(262144))
        return size * 8 / 1e6 / (time.monotonic() - start)


def mean(speeds):
    """And its standard error, relative."""
    m = statistics.fmean(speeds)
    spread = statistics.stdev(speeds) if len(speeds) > 1 else 0
    return m, spread / m / math.sqrt(len(speeds))


def compare(netem, link, rounds):
    """Mbit/s of each transfer: of the way itself, and of the tunnel over it."""
    with contextlib.ExitStack() as stack:
        way = stack.enter_context(Way(*netem))
        server = stack.enter_context(Server({"bindAddr": NEAR}))
        port = free_port()
        with way.far():
            origin = stack.enter_context(Origin(pour, host=FAR))
            stack.enter_context(Client(server, [{
                "name": "way", "type": "tcp", "localIP": FAR,
                "localPort": origin.port, "remotePort": port}],
                {"serverAddr": NEAR, "transport": LINKS[link]}))
        bare, tunnel = [], []
        for _ in range(rounds):
            for speeds, at in ((bare, (FAR, origin.port)),
                               (tunnel, (NEAR, port))):
                speeds.append(speed(*at))
                # What is on its way is not for the next one.
                time.sleep(1)
        return bare, tunnel


@functools.cache
def rate():
    """Mbit/s that leave the machine idle: the way is to be what is slow."""
    if os.environ.get("WAY_RATE"):
        return float(os.environ["WAY_RATE"])
    bare, tunnel = compare([], "tls", 1)
    print(f"# without netem: {bare[0]:.1f} Mbit/s, the tunnel {tunnel[0]:.1f}",
          flush=True)
    return max(0.5, min(100, tunnel[0] / 4))


def judge(delay, rounds, *netem):
    """netem: what else happens to packets on the way."""
    # A queue of 100 ms at the way's entry; what is under way counts, too.
    limit = 16 + int(rate() * 1000 * (delay + 100) / 8 / 1500)
    for link in ("bare", "tls"):
        bare, tunnel = compare(
            ["limit", f"{limit}", "delay", f"{delay}ms", *netem,
             "rate", f"{rate() * 1000:.0f}kbit"], link, rounds)
        (way, doubt), (ours, our_doubt) = mean(bare), mean(tunnel)
        ratio, error = ours / way, math.hypot(doubt, our_doubt)
        print(f"# {' '.join((f'{delay} ms each way', *netem))}, "
              f"{rate():.1f} Mbit/s, {link}: the way itself {way:.2f}, "
              f"the tunnel {ours:.2f}: {ratio:.0%} +- {error * ratio:.0%} "
              f"({rounds} of both)", flush=True)
        check(ratio * (1 + error) >= ENOUGH, f"{link}: {ours:.2f} of {way:.2f}")


for ms in (1, 20, 100):
    @case(f"one stream over {ms} ms each way", timeout=600)
    def _(ms=ms):
        judge(ms, ROUNDS)


@case("one stream over 20 ms each way, of which 1 % is lost", timeout=2000)
def _():
    judge(20, LOSSY * ROUNDS, "loss", "1%")


@case("one stream over 20 ms each way, of which 1 % overtakes all the rest",
      timeout=2000)
def _():
    # What is reordered does not wait for the delay.
    judge(20, 3 * ROUNDS, "reorder", "1%")


main()

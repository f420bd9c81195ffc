"""Trouble: killed ends, services that are down, slow or resetting, too few
descriptors, floods. Afterwards everything is back at its base."""
import contextlib
import os
import queue
import select
import signal
import socket
import threading
import time

from harness import (TOKEN, Client, Origin, Server, Skip, answers, case, check,
                     dial, echo, equal, free_port, levels, main, needs,
                     read_all, reset, settle, sha, until)

try:
    from frp import Cfb, FrpServer, frame
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None


def tcp(name, origin, port):
    return {"name": name, "type": "tcp", "remotePort": port,
            "localPort": getattr(origin, "port", origin)}


def talk(conn, data=b"hello"):
    conn.sendall(data)
    got = b""
    while len(got) < len(data):
        more = conn.recv(65536)
        check(more, "ended early")
        got += more
    equal(got, data, "echo")


def cut(conn):
    """How a connection ended: "end", "reset"; what still comes is read."""
    try:
        while conn.recv(65536):
            pass
        return "end"
    except ConnectionResetError:
        return "reset"


@contextlib.contextmanager
def others(s):
    """A second client with a running tunnel that must not notice."""
    port = free_port()
    with Origin(echo) as o, Client(s, [tcp("other", o, port)]) as c:
        with dial(port) as conn:
            talk(conn)
            yield c
            talk(conn)


@case("client killed during traffic: its visitors are cut, its port is free")
def client_killed():
    port = free_port()
    stop = threading.Event()

    def pour(conn):
        while not stop.is_set():
            conn.sendall(b"x" * 65536)
    with Origin(pour) as o, Server() as s, others(s):
        base = levels(s)
        for _ in range(3):
            with Client(s, [tcp("t", o, port)]) as c:
                conns = [dial(port) for _ in range(10)]
                for conn in conns:
                    conn.recv(1000)
                c.kill()
                for conn in conns:
                    equal(cut(conn), "reset", "a cut stream looks cut")
                    conn.close()
            until(lambda: not answers(port), "the port is closed")
        stop.set()
        settle(s, base)


@case("server killed and started again: client back, same ports, in 2 s")
def server_killed():
    a, b = free_port(), free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            tcp("a", o, a), tcp("b", o, b), tcp("any", o, 0)]) as c:
        given = int(c.wait_log(r"\[any\].*remote_addr=:(\d+)").group(1))
        base = levels(c)
        times = []
        for _ in range(2):
            conn = dial(a)
            talk(conn)
            s.kill()
            equal(cut(conn), "reset", "a cut stream looks cut")
            conn.close()
            s.start()
            start = time.monotonic()
            for port in (a, b, given):
                until(lambda p=port: answers(p), f"port {port} is back", 5)
            times.append(time.monotonic() - start)
            with dial(given) as conn:
                talk(conn)
        # The longer a start takes, the longer adit waits between attempts.
        check(min(times) < 2, f"back after {times} s")
        settle(c, base)


@case("server away for a while: attempts spread out, no spin")
def server_away():
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            tcp("t", o, port)]) as c:
        mine = levels(c)
        s.kill()
        mark, cpu = c.mark(), c.cpu()
        time.sleep(6)
        tries = c.log()[mark:].count("Connection refused")
        check(2 <= tries <= 60, f"{tries} attempts in 6 s")
        check(c.cpu() - cpu < 1, "no spin")
        s.start()
        until(lambda: answers(port), "back", 20)
        settle(c, mine)


@case("thirty clients log in once each, and keep their control")
def one_login_each():
    with Origin(echo) as o, Server() as s:
        for i in range(30):
            with Client(s, [tcp(f"t{i}", o, 0)]) as c:
                lost = c.log().count("connection to server lost")
                equal(lost, 0, f"client {i}: controls lost\n{c.log()}")
        equal(s.counters()["logins"], 30, "logins")


@case("LoginResp and what follows it, cut into segments anywhere")
def login_segments():
    if frp_missing:
        raise Skip(frp_missing)
    answer = frame("1", {"version": "0.60.0", "run_id": "0123456789abcdef"})
    controls = queue.Queue()

    def greet(cut_at):
        def on_login(channel, _):
            channel.cfb = Cfb(TOKEN)
            both = answer + channel.cfb.encrypt(frame("r", {}))
            # None: all at once.
            channel.sock.sendall(both[:cut_at])
            time.sleep(0.1)
            channel.sock.sendall(both[len(both[:cut_at]):])
            controls.put(channel)
            return True
        return on_login
    n = len(answer)
    # One segment; inside the frame, behind it, inside the IV, behind it.
    for cut_at in (None, 1, 12, n, n + 1, n + 15, n + 16, n + 20):
        with FrpServer(TOKEN, on_login=greet(cut_at)) as s, Client(
                s.port, [tcp("t", 1, 6000)], wait=False) as c:
            c.wait_log("login to server success")
            control = controls.get(timeout=5)
            equal(control.recv()[0], "p", f"cut at {cut_at}")
            _, work = s.works.get(timeout=5)
            equal(work["run_id"], "0123456789abcdef", f"cut at {cut_at}")
            check("lost" not in c.log(), f"cut at {cut_at}:\n{c.log()}")
            control.close()


@case("a server that ends every control at once: attempts spread out")
def dies_after_login():
    if frp_missing:
        raise Skip(frp_missing)
    with FrpServer(TOKEN) as s, Client(s.port, [tcp("t", 1, 6000)],
                                       wait=False):
        logins, end = 0, time.monotonic() + 8
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                s.control(0.5)[0].close()
                logins += 1
        # 0.1, 0.2, 0.5 s, then 1 s and more: about ten.
        check(4 <= logins <= 15, f"{logins} logins in 8 s")


@case("local service down, then up")
def service_down():
    port, local = free_port(), free_port()
    with Server() as s, others(s), Client(s, [tcp("t", local, port)]) as c:
        base, mine = levels(s), levels(c)
        for _ in range(20):
            # The reset may come before connect(2) has returned.
            with contextlib.suppress(ConnectionResetError), \
                    dial(port) as conn:
                cut(conn)
        equal(c.counters()["dials_failed"], 20, "dials_failed")
        check("Connection refused" in c.log(), "the reason is logged")
        with Origin(echo, port=local), dial(port) as conn:
            talk(conn)
        settle(s, base)
        settle(c, mine)


@case("local service slow: bytes wait in the kernel, others do not")
def service_slow():
    port = free_port()
    data = os.urandom(8 << 20)
    got = []

    needs("half-close")

    def slow(conn):
        parts = []
        time.sleep(2)
        while more := conn.recv(65536):
            parts.append(more)
            time.sleep(0.002)
        got.append(b"".join(parts))
        conn.sendall(b"done")
    with Origin(slow) as o, Server() as s, others(s), Client(s, [
            tcp("t", o, port)]):
        base = levels(s)
        conns = [dial(port, timeout=60) for _ in range(8)]

        def send(conn):
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)
        threads = [threading.Thread(target=send, args=(c,)) for c in conns]
        for t in threads:
            t.start()
        time.sleep(1)
        check(s.counters()["pool_buffers"] <= 256, "buffers")
        for conn in conns:
            equal(read_all(conn), b"done")
            conn.close()
        equal({sha(g) for g in got}, {sha(data)}, "hashes")
        settle(s, base)


@case("visitors that send and never read: no kernel thread waits for them")
def deaf_visitors():
    """A blocked send must not be woken into io-wq by what comes in."""
    port = free_port()

    def pour(conn):
        def drop():
            with contextlib.suppress(OSError):
                read_all(conn)
        threading.Thread(target=drop, daemon=True).start()
        while True:
            conn.sendall(b"x" * 65536)
    with Origin(pour) as o, Server() as s, Client(s, [tcp("t", o, port)]) as c:
        base, mine = levels(s), levels(c)
        conns = [dial(port) for _ in range(10)]
        time.sleep(1)
        for _ in range(400):
            for conn in conns:
                conn.sendall(b"y")
            time.sleep(0.002)
        for program in (s, c):
            equal(len(program.punted()), 0, f"{program.name}'s io-wq threads")
        for conn in conns:
            reset(conn)
        settle(s, base)
        settle(c, mine)


@case("local service resetting")
def service_resetting():
    port = free_port()

    def serve(conn):
        conn.sendall(b"some")
        conn.recv(4)
        reset(conn)
    with Origin(serve) as o, Server() as s, others(s), Client(s, [
            tcp("t", o, port)]) as c:
        base, mine = levels(s), levels(c)
        for _ in range(20):
            with dial(port) as conn:
                equal(conn.recv(4), b"some")
                conn.sendall(b"more")
                equal(cut(conn), "reset")
        settle(s, base)
        settle(c, mine)


@case("descriptor limit of 64: accepting pauses and recovers, no spin")
def descriptors():
    port = free_port()
    with Origin(echo) as o, Server(nofile=64) as s, Client(s, [
            tcp("t", o, port)]):
        base = levels(s)
        conns = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                conns.append(dial(port, timeout=2))
        time.sleep(0.5)
        cpu = s.cpu()
        time.sleep(2)
        check(s.cpu() - cpu < 0.6, f"spin: {s.cpu() - cpu:.2f} s of 2")
        check(s.fds() <= 64, "descriptors")
        counters = s.counters()
        check(counters["accept_pauses"] + counters["visitors_refused"] > 0,
              f"neither paused nor refused: {counters}")
        for conn in conns:
            reset(conn)
        settle(s, base, 20)
        with dial(port) as conn:
            talk(conn)


@case("a descriptor limit that is too low for one visitor: no start")
def too_few_descriptors():
    conf = {"workers": 1}
    for limit in (16, 18, 26):
        with Server(conf, nofile=limit, start=False) as s:
            s.expect_exit = 1
            s.launch()
            equal(s.process.wait(20), 1, f"{limit} descriptors")
            check("raise ulimit -n" in s.log(), s.log())
            check("started successfully" not in s.log(), s.log())
    port = free_port()
    with Origin(echo) as o, Server({**conf, "webServer": {
            "port": free_port()}}, nofile=27) as s, Client(s, [
                tcp("t", o, port)]):
        with dial(port) as conn:
            talk(conn)


@case("descriptor limit of 64: silent connections on bindPort and http")
def descriptors_elsewhere():
    conf = {"limits": {"firstMessageTimeout": 3}, "http": {"headTimeout": 3}}
    port = free_port()
    with Origin(echo) as o, Server(conf, nofile=64) as s, Client(s, [
            tcp("t", o, port)]):
        base = levels(s)
        for target in (s.port, s.http):
            conns = []
            for _ in range(200):
                with contextlib.suppress(OSError):
                    conns.append(dial(target, timeout=2))
            time.sleep(0.5)
            cpu = s.cpu()
            time.sleep(1.5)
            check(s.cpu() - cpu < 0.5, f"spin: {s.cpu() - cpu:.2f} s of 1.5")
            check(s.fds() <= 64, "descriptors")
            for conn in conns:
                conn.close()
            settle(s, base, 30)
        with dial(port) as conn:
            talk(conn)


@case("no descriptor for who asks the main thread: it waits, no spin")
def descriptors_of_main():
    """At the health port, and at upgrade.sock; then they are heard."""
    web = free_port()
    with Server({"webServer": {"port": web}}, nofile=100) as s:
        conns = []
        for _ in range(120):
            with contextlib.suppress(OSError):
                conns.append(dial(s.port, timeout=2))
        until(lambda: s.fds() >= 100, "no descriptor is left")
        with dial(web) as guest, socket.socket(
                socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
            guest.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            peer.connect(f"{s.dir}/aditd/upgrade.sock")
            peer.sendall(b"hello")
            cpu = s.cpu()
            time.sleep(1.5)
            check(s.cpu() - cpu < 0.5, f"spin: {s.cpu() - cpu:.2f} s of 1.5")
            check(not select.select([guest, peer], [], [], 0)[0],
                  "there was a descriptor")
            for conn in conns:
                conn.close()
            guest.settimeout(5)
            check(guest.recv(100).startswith(b"HTTP/1.1 200 "), "health")
            peer.settimeout(5)
            peer.recv(100)


@case("SIGTERM in the middle of a transfer: it ends whole, then exit 0")
def drain():
    port, data = free_port(), os.urandom(32 << 20)

    def serve(conn):
        conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
        read_all(conn)
    with Origin(serve) as o, Server() as s, Client(s, [tcp("t", o, port)]):
        with dial(port) as conn:
            parts = [conn.recv(65536)]
            s.process.send_signal(signal.SIGTERM)
            s.wait_log("draining: 1 visitors")
            while part := conn.recv(65536):
                parts.append(part)
                time.sleep(0.002)
        equal(sha(b"".join(parts)), sha(data), "hash")
        equal(s.process.wait(10), 0, "exit code")


@case("1,000 connections opened and dropped, on every port")
def flood():
    port = free_port()
    with Origin(echo) as o, Server() as s, others(s), Client(s, [
            tcp("t", o, port)]) as c:
        base, mine = levels(s), levels(c)
        for target in (port, s.port, s.http):
            for i in range(1000):
                conn = dial(target)
                if i % 2:
                    reset(conn)
                else:
                    conn.close()
        # A visitor that ended politely waits for the service's end.
        settle(s, base, 60)
        settle(c, mine, 60)
        with dial(port) as conn:
            talk(conn)


@case("visitors reset in the middle of everything, 500 times")
def churn():
    port = free_port()
    with Origin(echo) as o, Server() as s, others(s), Client(s, [
            tcp("t", o, port)], {"transport": {"poolCount": 5}}) as c:
        base, mine = levels(s), levels(c)

        def visit(i):
            with contextlib.suppress(OSError):
                conn = dial(port)
                conn.sendall(b"z" * (i * 997 % 300000))
                time.sleep(i % 7 / 1000)
                reset(conn)
        for round_ in range(10):
            threads = [threading.Thread(target=visit, args=(i,))
                       for i in range(round_ * 50, round_ * 50 + 50)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        settle(s, base, 60)
        settle(c, mine, 60)


@case("client stopped (SIGSTOP): its visitors wait, then time out")
def client_stopped():
    port = free_port()
    with Origin(echo) as o, Server({"userConnTimeout": 2}) as s, others(s), \
            Client(s, [tcp("t", o, port)],
                   {"transport": {"poolCount": 1}}) as c:
        base = levels(s)
        c.process.send_signal(signal.SIGSTOP)
        # Those that find an idle work connection do not wait for one.
        idle = s.counters()["pool_offers"]
        conns = [dial(port) for _ in range(idle + 5)]
        until(lambda: s.counters()["visitors_timeout"] >= 3, "timeouts")
        c.process.send_signal(signal.SIGCONT)
        for conn in conns:
            reset(conn)
        settle(s, base, 60)
        with dial(port) as conn:
            talk(conn)


@case("a client that goes silent is let go after heartbeatTimeout")
def silent_client():
    port = free_port()
    with Origin(echo) as o, \
            Server({"transport": {"heartbeatTimeout": 6}}) as s, Client(
                s, [tcp("t", o, port)],
                {"transport": {"heartbeatInterval": 1,
                               "heartbeatTimeout": 8}}) as c:
        base = levels(s)
        time.sleep(8)
        equal(s.counters()["heartbeat_timeouts"], 0, "heartbeats came")
        c.process.send_signal(signal.SIGSTOP)
        until(lambda: not answers(port), "the port is closed", 20)
        equal(s.counters()["heartbeat_timeouts"], 1, "heartbeat_timeouts")
        c.process.send_signal(signal.SIGCONT)
        until(lambda: answers(port), "back again", 20)
        settle(s, base)


@case("no io-wq thread, whatever happened")
def threads():
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            tcp("t", o, port)]) as c:
        base, mine = levels(s), levels(c)
        conns = [dial(port) for _ in range(50)]
        for conn in conns:
            talk(conn, os.urandom(100000))
        for program in (s, c):
            equal(program.punted(), [], f"{program.name}'s io-wq threads")
        for conn in conns:
            conn.close()
        settle(s, base)
        settle(c, mine)


main()

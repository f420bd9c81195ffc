"""tcp proxies: bytes both ways, ends and cuts, ports."""
import contextlib
import os
import socket
import threading

from harness import (HOLD, Client, Origin, Server, Skip, answers, case, check,
                     dial, echo, equal, exactly, free_port, levels, main, needs,
                     read_all, reset, settle, sha, until)


def tcp(name, origin, port=0, **more):
    return {"name": name, "type": "tcp", "remotePort": port,
            "localPort": getattr(origin, "port", origin), **more}


def exchange(conn, data):
    """Send data while reading; what came back, to its end if that is after
    ours."""
    def send():
        conn.sendall(data)
        if not HOLD:
            conn.shutdown(socket.SHUT_WR)
    t = threading.Thread(target=send)
    t.start()
    back = exactly(conn, len(data)) if HOLD else read_all(conn)
    t.join()
    return back


@case("100 MiB both ways at once")
def both_ways():
    data = os.urandom(100 << 20)
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [tcp("big", o, port)]):
        base = levels(s)
        with dial(port, timeout=60) as conn:
            equal(sha(exchange(conn, data)), sha(data), "hash")
        settle(s, base)
        c = s.counters()
        check(c["bytes_in"] >= len(data) <= c["bytes_out"], "bytes counted")


@case("the visitor's end first, the answer after it")
def visitor_half_close():
    needs("half-close")

    def serve(conn):
        data = read_all(conn)
        conn.sendall(data[::-1])
        conn.shutdown(socket.SHUT_WR)
    port = free_port()
    with Origin(serve) as o, Server() as s, Client(s, [tcp("h", o, port)]):
        with dial(port) as conn:
            equal(exchange(conn, b"0123456789" * 1000),
                  b"9876543210" * 1000, "answer")


@case("the service's end first, the visitor goes on")
def service_half_close():
    needs("half-close")
    got = []

    def serve(conn):
        conn.sendall(b"banner")
        conn.shutdown(socket.SHUT_WR)
        got.append(read_all(conn))
    port = free_port()
    with Origin(serve) as o, Server() as s, Client(s, [tcp("h", o, port)]):
        with dial(port) as conn:
            equal(read_all(conn), b"banner", "banner")
            conn.sendall(b"later" * 100000)
        until(lambda: got, "the service has read to the end")
        equal(sha(got[0]), sha(b"later" * 100000), "hash")


@case("a reset of the service arrives as a reset")
def service_reset():
    def serve(conn):
        conn.recv(1)
        reset(conn)
    port = free_port()
    with Origin(serve) as o, Server() as s, Client(s, [tcp("r", o, port)]):
        with dial(port) as conn:
            conn.sendall(b"x")
            try:
                equal(conn.recv(1), None, "recv")
            except ConnectionResetError:
                pass
        until(lambda: s.counters().get("ended_service_reset"), "counted")


@case("a reset of the visitor arrives as a reset")
def visitor_reset():
    seen = []

    def serve(conn):
        try:
            while conn.recv(65536):
                pass
            seen.append("end")
        except ConnectionResetError:
            seen.append("reset")
    port = free_port()
    with Origin(serve) as o, Server() as s, Client(s, [tcp("r", o, port)]):
        conn = dial(port)
        conn.sendall(b"x" * 100)
        until(lambda: o.connections, "service connected")
        reset(conn)
        until(lambda: seen, "the service noticed")
        equal(seen, ["reset"], "how it ended")
        until(lambda: s.counters().get("ended_visitor_reset"), "counted")


@case("port 0 is random, and the same again for the same name")
def random_port():
    with Origin(echo) as o, Server() as s:
        with Client(s, [tcp("any", o)]) as c:
            first = c.wait_log(r"remote_addr=:(\d+)").group(1)
            with dial(int(first)) as conn:
                equal(exchange(conn, b"hi"), b"hi")
        until(lambda: not answers(int(first)), "port closed")
        with Client(s, [tcp("any", o)]) as c:
            equal(c.wait_log(r"remote_addr=:(\d+)").group(1), first, "port")


@case("allowPorts and maxPortsPerClient")
def port_rules():
    a, b, c = free_port(), free_port(), free_port()
    conf = {"allowPorts": [{"single": a}, {"start": b, "end": b}],
            "maxPortsPerClient": 1}
    with Origin(echo) as o, Server(conf) as s:
        with Client(s, [tcp("out", o, c)], wait=False) as client:
            client.wait_log("port not allowed")
        with Client(s, [tcp("one", o, a), tcp("two", o, b)],
                    wait=False) as client:
            client.wait_log("start proxy success")
            client.wait_log("exceed the max_ports_per_client")
        # After a second they ask again.
        check(s.counters()["proxies_refused"] >= 2, "refused")


@case("a local service by IPv6 and by name")
def local_addresses():
    try:
        six = Origin(echo, host="::1")
    except OSError:
        raise Skip("no IPv6 on loopback") from None
    a, b = free_port(), free_port()
    with six, Origin(echo) as four, Server() as s, Client(s, [
            tcp("six", six, a, localIP="::1"),
            tcp("name", four, b, localIP="localhost")]) as c:
        for port in (a, b, a, b):
            with dial(port) as conn:
                equal(exchange(conn, b"hello"), b"hello", str(port))
        equal(c.punted(), [], "io-wq threads")


@case("a service that is down closes its visitor only")
def service_down():
    down, a, b = free_port(), free_port(), free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            tcp("up", o, a), tcp("down", down, b)]) as c:
        base = levels(s)
        with dial(a) as other:
            other.sendall(b"before")
            equal(other.recv(6), b"before")
            # The reset may come before connect(2) has returned.
            with contextlib.suppress(ConnectionResetError), dial(b) as conn:
                equal(conn.recv(1), b"", "down")
            c.wait_log("refused")
            other.sendall(b"after")
            equal(other.recv(5), b"after")
        check(c.counters()["dials_failed"] >= 1, "dials_failed")
        settle(s, base)


@case("an IPv6 visitor, and an IPv6 control")
def ipv6_server():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        raise Skip("no IPv6 on loopback") from None
    port = free_port()
    with Origin(echo) as o, Server({"bindAddr": "::1"}) as s, \
            Client(s, [tcp("six", o, port)], {"serverAddr": "::1"}):
        with dial(port, "::1") as conn:
            equal(exchange(conn, b"hello"), b"hello")


main()

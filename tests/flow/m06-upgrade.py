"""aditd is replaced while it is used: the new one has its sockets and its lock,
visitors between two requests go to it, clients come back to it, and the old one
finishes what it has begun. Under load no request fails.

UPGRADE_ROUNDS (default 5) says how often; `make upgrades` does it 60 times.
"""
import collections
import os
import random
import socket
import threading
import time

import frpkit
from harness import (Client, Nginx, Origin, answers, case, check, dial, echo,
                     equal, exactly, free_port, main, read_all, read_until,
                     until)
from upgradekit import (COMPLETE, HELLO, PAGE, PREPARED, Load, Upgraded, hear,
                        other, proxies, say, under_load)

ROUNDS = int(os.environ.get("UPGRADE_ROUNDS", "5"))


def upgrades(server, rounds):
    for _ in range(rounds):
        server.upgrade()
        time.sleep(random.uniform(0.2, 0.8))


@case(f"{ROUNDS} upgrades in a row: no request fails", timeout=120 + 10 * ROUNDS)
def in_a_row():
    tcp = free_port()
    with Nginx({"page": PAGE}, "keepalive_requests 100000;") as site, \
            Upgraded() as s, Client(s, proxies(site, tcp)):
        load = Load(s.http, tcp)
        time.sleep(1)
        upgrades(s, ROUNDS)
        time.sleep(1)
        load.end()
        print(f"# {ROUNDS} upgrades, {load.done} requests, "
              f"{len(load.failed)} failed, the slowest took "
              f"{load.slowest:.2f} s", flush=True)
        for kind, n in collections.Counter(load.failed).most_common(8):
            print(f"# {n} times: {kind}")
        check(not load.failed, f"{len(load.failed)} of {load.done} have "
              f"failed: {load.failed[:3]}")


@case("the number of workers changes: no request fails")
def workers():
    tcp = free_port()
    with Nginx({"page": PAGE}) as site, Upgraded({"workers": 1}) as s, \
            Client(s, proxies(site, tcp)), under_load(s, tcp):
        for n in (4, 2, 1, 3, 3, 1):
            s.write({**s.conf, "workers": n})
            since = s.mark()
            s.upgrade()
            s.wait_log(rf"{n} workers", since=since)
            time.sleep(0.3)


@case("far fewer workers: every port is served, at the limit of proxies, too")
def far_fewer_workers():
    """The sockets of two upgrades: all of them, and more than are kept."""
    for before in (4, 24):
        ports = [free_port() for _ in range(8)]
        with Origin(echo) as o, \
                Upgraded({"workers": before,
                          "limits": {"proxies": len(ports)}}) as s, \
                Client(s, [{"name": f"t{p}", "type": "tcp", "remotePort": p,
                            "localPort": o.port} for p in ports]) as c:
            s.write({**s.conf, "workers": 1})
            mark = c.mark()
            s.upgrade()
            for p in ports:
                c.wait_log(rf"\[t{p}\] start proxy success", since=mark)
                dial(p).close()
            check("start error" not in c.log()[mark:], c.log()[mark:])
            if before == 4:
                equal(s.counters()["pool_listeners"], before * 10, "sockets")


@case("what is under way goes on: downloads, a half-closed one, a WebSocket's")
def under_way():
    """On http and on tcp; each through three upgrades."""
    tcp = free_port()
    go = threading.Event()

    def slow(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
        for i in range(4):
            conn.sendall(bytes([i]) * 100000)
            if i == 1:
                go.wait(30)
        conn.shutdown(socket.SHUT_WR)
        read_all(conn)

    def talk(conn):
        head = read_until(conn, b"\r\n\r\n")
        check(b"Upgrade: talk" in head, head)
        conn.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n"
                     b"Upgrade: talk\r\n\r\n")
        echo(conn)

    with Origin(slow) as o, Origin(talk) as t, Upgraded() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": tcp},
            {"name": "h", "type": "http", "localPort": o.port,
             "customDomains": ["up.test"]},
            {"name": "w", "type": "http", "localPort": t.port,
             "customDomains": ["talk.test"]}]):
        conns = [dial(p) for p in (tcp, s.http)]
        for conn in conns:
            conn.sendall(b"GET / HTTP/1.1\r\nHost: up.test\r\n\r\n")
            exactly(conn, 1)
        talker = dial(s.http)
        talker.sendall(b"GET / HTTP/1.1\r\nHost: talk.test\r\nConnection: "
                       b"upgrade\r\nUpgrade: talk\r\n\r\n")
        read_until(talker, b"\r\n\r\n")
        for i in range(3):
            s.upgrade()
            talker.sendall(b"%d" % i)
            equal(exactly(talker, 1), b"%d" % i, "the talk goes on")
        equal([p.poll() for p in s.old], [None] * 3, "the old ones' ends")
        go.set()
        for conn in conns:
            body = read_until(conn, bytes([3]) * 100000).split(b"\r\n\r\n")[1]
            check(body == b"".join(bytes([i]) * 100000 for i in range(4)),
                  f"{len(body)} bytes of the body")
            conn.close()
        talker.close()
        s.wait_old()


@case("a visitor's next request is there while it is passed on, also two")
def pipelined():
    tcp = free_port()
    request = b"GET /page HTTP/1.1\r\nHost: up.test\r\n\r\n"
    with Nginx({"page": PAGE}) as site, Upgraded() as s, \
            Client(s, proxies(site, tcp)):
        conns = [dial(s.http) for _ in range(20)]

        def answers(conn, n):
            for _ in range(n):
                head = read_until(conn, b"\r\n\r\n")
                check(head.startswith(b"HTTP/1.1 200 "), head[:50])
                body = head.partition(b"\r\n\r\n")[2]
                left[conn] = body[len(PAGE):] if len(body) > len(PAGE) else b""
                if len(body) < len(PAGE):
                    exactly(conn, len(PAGE) - len(body))

        left = {}
        for conn in conns:
            conn.sendall(request)
            answers(conn, 1)
        with other(s) as peer:
            say(peer, HELLO, 2, b"a test")
            hear(peer)
            say(peer, PREPARED)
            while hear(peer)[0] != COMPLETE:
                pass
            # Nobody begins these.
            for conn in conns:
                conn.sendall(request)
            time.sleep(0.1)
        for conn in conns:
            answers(conn, 1)
        upgrade = threading.Thread(target=s.upgrade)
        upgrade.start()
        rounds = 0
        while rounds < 20 or upgrade.is_alive():
            rounds += 1
            for conn in conns:
                conn.sendall(request)
                answers(conn, 1)
        upgrade.join()
        until(lambda: s.counters()["visitors_adopted"] == 20,
              "visitors passed on")


@case("the new one is killed while the old one drains: the next has the state")
def killed_soon():
    tcp = free_port()
    with Origin(echo) as o, Upgraded() as s, \
            Client(s, proxies(o, tcp)) as c, dial(tcp) as conn:
        conn.sendall(b"1")
        exactly(conn, 1)
        first = s.wait_log(r"identity \[([\w-]{43})\]")[1]
        s.upgrade()
        s.kill()
        since, mark = s.mark(), c.mark()
        s.start()
        check("is locked by another" not in s.log()[since:], "the lock")
        equal(s.locker(), s.pid, "the process that the lock names")
        equal(s.wait_log(r"identity \[([\w-]{43})\]", since=since)[1], first,
              "the identity")
        # And it can be followed.
        s.upgrade()
        c.wait_log(r"\[t\] start proxy success", since=mark)
        conn.sendall(b"2")
        equal(exactly(conn, 1), b"2", "what the first one has begun")


@case("one that fails says why, wherever the log goes")
def says_why():
    s = Upgraded(start=False)
    s.write({**s.conf, "log": {"to": s.dir + "/its-log"}})
    with s, socket.create_server(("127.0.0.1", 0)) as taken:
        s.launch()
        until(lambda: answers(s.port), "aditd")
        good = s.conf
        s.write({**good, "vhostHTTPSPort": taken.getsockname()[1]})
        equal(s.run_upgrade(), 1, "aditd upgrade")
        check("error msg=\"vhostHTTPSPort: " in s.log(), s.log())
        s.write(good)
        mark = s.mark()
        s.upgrade()
        check(" error " not in s.log()[mark:], s.log()[mark:])


def figures(server, tcp, client, rounds=5):
    """What fails of an frpc's visitors; a figure, which is to be small."""
    load = Load(server.http, tcp)
    time.sleep(1)
    for _ in range(rounds):
        since = client.mark()
        server.upgrade()
        client.wait_log("start proxy success", since=since, timeout=20)
        time.sleep(0.5)
    time.sleep(1)
    load.end()
    return load


@case("frpc: it connects again; what fails is told", timeout=200)
def frp():
    for name, transport in (("tcpMux", {"tls": {"enable": True}}),
                            ("a connection each", {
                                "tls": {"enable": False}, "tcpMux": False})):
        tcp = free_port()
        with Nginx({"page": PAGE}) as site, Upgraded() as s, frpkit.frpc(
                s, [{**p, "localIP": "127.0.0.1"} for p in proxies(site, tcp)],
                transport=transport) as c:
            load = figures(s, tcp, c)
            print(f"# frpc with {name}: {len(load.failed)} of {load.done} "
                  f"requests failed in 5 upgrades, the slowest took "
                  f"{load.slowest:.2f} s: "
                  f"{collections.Counter(load.failed).most_common(3)}",
                  flush=True)
            check(len(load.failed) <= load.done / 500,
                  f"{len(load.failed)} of {load.done} have failed")
            # It does not wait for a half-closed end, as adit does.
            c.kill()


main()

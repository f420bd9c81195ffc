"""frp's protocol played in Python: every message in its place."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import time

import linkkit
from harness import (ADIT, SANITIZED, TOKEN, Client, Origin, Server, Skip,
                     case, check, dial, echo, equal, free_port,
                     from_two_addresses, levels, main, memory, settle, until)

try:
    from frp import FrpClient, FrpServer, frame, login_key
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None


def client(s, **options):
    if frp_missing:
        raise Skip(frp_missing)
    return FrpClient(s.port, TOKEN, **options)


def server(**options):
    if frp_missing:
        raise Skip(frp_missing)
    return FrpServer(TOKEN, free_port(), **options)


def talk(conn, data=b"hello"):
    conn.sendall(data)
    got = b""
    while len(got) < len(data):
        more = conn.recv(65536)
        check(more, "ended early")
        got += more
    equal(got, data, "echo")


def quiet(control, seconds=1.5):
    """Nothing comes, not even what was put off for a second."""
    ready, _, _ = select.select([control.sock], [], [], seconds)
    check(not ready and not control.buffer, "something comes")


@case("aditd: login, pool, proxy, visitor")
def aditd_serves():
    port = free_port()
    with Server() as s, client(s) as c:
        answer = c.login(pool_count=3, hostname="h", metas={"a": "b"},
                         future={"x": [1, 2]})
        equal(sorted(answer), ["run_id", "version"], "LoginResp")
        check(len(answer["run_id"]) == 16, answer)
        until(lambda: c.requests == 3, "three ReqWorkConn")
        until(lambda: s.counters()["pool_works"] == 3, "three idle")
        equal(c.new_proxy("t", remote_port=port),
              {"proxy_name": "t", "remote_addr": f":{port}"})
        for _ in range(5):
            with dial(port) as conn:
                talk(conn, os.urandom(100000))
        equal(c.ping(), {}, "Pong")
        c.close_proxy("t")
        until(lambda: not reachable(port), "CloseProxy closes the port")
        equal(c.new_proxy("t", remote_port=port)["remote_addr"], f":{port}")


def reachable(port):
    try:
        dial(port, timeout=1).close()
        return True
    except OSError:
        return False


@case("aditd: StartWorkConn tells who visits")
def start_work():
    starts = []

    def serve(sock, start, _early):
        starts.append(start)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    port = free_port()
    with Server() as s, client(s, serve=serve) as c:
        c.login()
        c.new_proxy("t", remote_port=port)
        c.new_proxy("w", "http", custom_domains=["w.test"])
        with dial(port) as conn:
            me = conn.getsockname()
            conn.recv(1)
        equal(starts[0], {"proxy_name": "t", "src_addr": "127.0.0.1",
                          "dst_addr": "127.0.0.1", "src_port": me[1],
                          "dst_port": port})
        with dial(s.http) as conn:
            me = conn.getsockname()
            conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
            conn.recv(1)
        equal(starts[1], {"proxy_name": "w", "src_addr": "127.0.0.1",
                          "src_port": me[1]})


@case("aditd: visitors of stcp, sudp and xtcp hear that these are not supported")
def no_visitors():
    with Server() as s, FrpClient(s.port, TOKEN) as c:
        c.login()
        channel = c.connect()
        channel.send("v", {"run_id": c.run_id, "proxy_name": "secret",
                           "sign_key": "x", "timestamp": 1})
        kind, body = channel.recv()
        equal((kind, body["proxy_name"]), ("3", "secret"), "NewVisitorConnResp")
        check("not supported" in body["error"], body)
        check(channel.ended(), "it lives")
        s.wait_log("stcp and sudp are not supported")
        c.control.send("i", {"transaction_id": "7", "proxy_name": "secret"})
        body = c.answer("m")
        equal(body["transaction_id"], "7", "NatHoleResp")
        check("not supported" in body["error"], body)
        c.ping()


@case("aditd: whom it turns away before a login is in its log, once a second")
def turned_away():
    with Server({"transport": {"tls": {"force": True}}}) as s:
        begun = time.monotonic()
        for _ in range(20):
            with dial(s.port) as conn:
                conn.sendall(b"o\0\0\0\0\0\0\0\2{}")
                with contextlib.suppress(ConnectionResetError):
                    equal(conn.recv(10), b"", "refused")
        s.wait_log(r"\[127.0.0.1:\d+\] refused: it is not inside TLS")
        workers = s.counters()["workers"]
        seconds = 2 + int(time.monotonic() - begun)
        check(len(re.findall("not inside TLS", s.log())) <= seconds * workers,
              s.log())
    with Server({"transport": {"tcpMux": False}}) as s:
        with dial(s.port) as conn:
            conn.sendall(bytes(12))
            s.wait_log("refused: it speaks yamux, which is off here")


@case("aditd: an address that was written for a visitor is no other's")
def written_address():
    # What frpc may have told the service of the first one (PROXY protocol).
    def serve(sock, start, data):
        address = start["src_addr"].encode()
        while more := data or sock.recv(65536):
            data = b""
            equal(more.count(b"\r\n\r\n"), 1, "requests")
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(address), address))
    for workers in (1, 2):
        with Server({"workers": workers}) as s, client(s, serve=serve) as c:
            c.login(pool_count=3)
            c.new_proxy("w", "http", custom_domains=["t.test"])
            base = levels(s)
            from_two_addresses(s.http, "t.test", 100)
            check(s.counters()["http_reused"] > 100, "http_reused")
            settle(s, base)


@case("aditd: one work connection for each visitor, two requests a miss")
def misses():
    port = free_port()
    with Server() as s, client(s) as c:
        c.login(pool_count=0)
        c.new_proxy("t", remote_port=port)
        equal(c.requests, 0)
        with dial(port) as conn:
            talk(conn)
        counters = s.counters()
        equal(counters["pool_misses"], 1, "misses")
        check(1 <= c.requests <= 2, f"{c.requests} requests")


@case("aditd: the adit object is answered, and only when it came")
def extension():
    with Server() as s:
        with client(s) as c:
            check("adit" not in c.login(), "frp sees none")
        with client(s) as c:
            equal(c.login(adit={"v": 1, "caps": ["half-close", "other"]})
                  ["adit"], {"v": 1, "caps": ["half-close"]})
        with client(s) as c:
            equal(c.login(adit={"v": 1})["adit"], {"v": 1, "caps": []})


@case("aditd: half-close by capability")
def half_close():
    ends = []

    def serve(sock, _start, data):
        sock.settimeout(20 if want else 2)
        try:
            while more := sock.recv(65536):
                data += more
            ends.append(True)
        except TimeoutError:
            ends.append(False)
        sock.sendall(data[::-1])
    for caps, want in (([], False), (["half-close"], True)):
        port = free_port()
        with Server() as s, client(s, serve=serve) as c:
            c.login(adit={"v": 1, "caps": caps})
            c.new_proxy("t", remote_port=port)
            with dial(port) as conn:
                conn.sendall(b"abc")
                conn.shutdown(socket.SHUT_WR)
                equal(conn.recv(3), b"cba")
                equal(conn.recv(1), b"", "the end")
            equal(ends.pop(), want, f"FIN forwarded with {caps}")


@case("aditd: a run id of an earlier login is used again")
def run_id():
    with Server() as s, client(s) as first, client(s) as second:
        run_id = first.login()["run_id"]
        first.close()
        until(lambda: s.counters()["pool_controls"] == 0, "gone")
        equal(second.login(run_id=run_id)["run_id"], run_id)


@case("aditd: scopes HeartBeats and NewWorkConns")
def scopes():
    with Server({"auth": {"additionalScopes": [
            "HeartBeats", "NewWorkConns"]}}) as s, client(s) as c:
        c.auto = False
        c.login()
        check("error" in c.ping(), "Ping without a key")
        now = int(time.time())
        key = {"privilege_key": login_key(TOKEN, now), "timestamp": now}
        equal(c.ping(**key), {}, "Ping with a key")
        work = c.open_work()
        check("token in NewWorkConn" in work.recv()[1]["error"], "refused")
        work.close()
        work = c.open_work(**key)
        until(lambda: s.counters()["pool_works"] == 1, "taken")
        work.close()


@case("aditd: everything byte by byte, and everything at once")
def pieces():
    port = free_port()
    with Server() as s, client(s) as c:
        c.login()
        data = frame("p", {"proxy_name": "t", "proxy_type": "tcp",
                           "remote_port": port})
        for byte in c.control.cfb.encrypt(data):
            c.control.sock.sendall(bytes([byte]))
        equal(c.answer("2")["proxy_name"], "t")
        c.control.send_raw(frame("h", {}) * 100)
        for _ in range(100):
            c.answer("4")


@case("adit: login, proxies, visitors")
def adit_serves():
    with Origin(echo) as o, server() as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": 6000},
            {"name": "w", "type": "http", "localPort": o.port,
             "customDomains": ["w.test"], "metadatas": {"k": "v"}}],
            {"user": "me", "transport": {"poolCount": 3}}, wait=False) as a:
        control, login = f.control()
        equal(login["user"], "me")
        equal(login["pool_count"], 3)
        equal(login["client_spec"], {})
        equal(login["adit"],
              {"v": 1, "caps": ["half-close", "reuse", "tickets", "several",
                                "move"]})
        check("run_id" not in login, "no run id at first")
        check("client_id" not in login, "frps would refuse the next one")
        bodies = f.accept_proxies(control, 2)
        equal(bodies[0], {"proxy_name": "me.t", "proxy_type": "tcp",
                          "remote_port": 6000})
        equal(bodies[1], {"proxy_name": "me.w", "proxy_type": "http",
                          "metas": {"k": "v"}, "custom_domains": ["w.test"]})
        base = levels(a)
        for _ in range(5):
            sock = f.start_work(control, "me.t")
            talk(sock, os.urandom(100000))
            sock.close()
        settle(a, base, 40)
        control.close()


@case("adit: heartbeats; a server that is silent is left")
def heartbeats():
    with Origin(echo) as o, server() as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            {"transport": {"heartbeatInterval": 1, "heartbeatTimeout": 3}},
            wait=False) as a:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        for _ in range(3):
            equal(control.recv(), ("h", {}), "Ping")
            control.send("4", {})
        again, login = f.control(20)
        equal(login["run_id"], "0123456789abcdef")
        check(a.counters()["heartbeat_timeouts"] >= 1, "the counter")
        control.close()
        again.close()


@case("adit: a refused proxy leaves the others, and is tried again later")
def refused_proxy():
    with Origin(echo) as o, server() as f, Client(f, [
            {"name": "bad", "type": "tcp", "localPort": o.port},
            {"name": "good", "type": "tcp", "localPort": o.port}],
            wait=False) as a:
        control, _ = f.control()
        for _ in range(2):
            _, body = control.recv()
            name = body["proxy_name"]
            start = time.monotonic()
            control.send("2", {"proxy_name": name, **(
                {"error": "no\nway"} if name == "bad" else
                {"remote_addr": ":1"})})
        a.wait_log(r"\[good\] start proxy success")
        a.wait_log(r"\[bad\] start error: no\\nway")
        # Asked for again: after a second, then after two.
        for wait in (1, 2):
            _, body = control.recv()
            took = time.monotonic() - start
            equal(body["proxy_name"], "bad", "what is asked for again")
            check(wait - 0.1 < took < wait + 5, f"after {took:.1f} s")
            start = time.monotonic()
            control.send("2", {"proxy_name": "bad", "error": "no"})
        sock = f.start_work(control, "good")
        talk(sock)
        sock.close()
        control.close()


@case("adit: 3,000 proxies, at once and by a reload, also taken back at once")
def many_proxies():
    def proxies(n):
        return [{"name": f"a-proxy-of-some-length-{i}", "type": "http",
                 "localPort": 1, "customDomains": [
                     f"host{i}.some.longer.example.test"]} for i in range(n)]

    for reload in (False, True):
        with Server({"limits": {"proxies": 4000}}) as s, Client(
                s, proxies(1 if reload else 3000), wait=False) as c:
            c.wait_log(r"start proxy success")
            if reload:
                c.write({**c.conf, "proxies": proxies(3000)})
                c.process.send_signal(signal.SIGHUP)
            until(lambda: s.counters()["pool_proxies"] == 3000, "all", 40)
            equal(c.log().count("login to server success"), 1, "logins")
            c.write({**c.conf, "proxies": proxies(1)})
            c.process.send_signal(signal.SIGHUP)
            until(lambda: s.counters()["pool_proxies"] == 1, "one", 40)
            equal(c.log().count("login to server success"), 1, "logins")


@case("adit: a server that asks for more work connections than there may be")
def greedy_server():
    for workers in (1, 4):
        with server() as s, Client(s, [{
                "name": "x", "type": "tcp", "localPort": 1,
                "remotePort": 6000}], {
                    "loginFailExit": False, "workers": workers,
                    "limits": {"visitors": 40}}, wait=False) as c:
            control, _ = s.control()
            s.accept_proxies(control, 1)
            before = memory(c)
            control.send_raw(frame("r", {"count": 256}) * 3000)
            c.wait_log("limits.visitors is reached")
            check(c.counters()["pool_works"] <= 40 + 256, "no more of them")
            time.sleep(2)
            check(len(re.findall("limits.visitors is reached", c.log())) < 10,
                  "lines of the log")
            check(SANITIZED or memory(c) - before < 8 << 20, "memory")
            control.close()


@case("adit: what a server says is no word to the terminal")
def no_terminal():
    with linkkit.Frps() as s, subprocess.Popen(
            [ADIT, "http", "3000", "--no-requests", "--server",
             f"127.0.0.1:{s.port}", "--token", TOKEN, "--domain", "a.test"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        control, _ = s.control()
        s.accept_proxies(control, 1, remote_addr=(
            "good.test\x1b]0;owned\x07\nhttp://evil.test"))
        equal(p.stdout.readline(),
              b"http://good.test?]0;owned??http://evil.test\n", "the address")
        p.kill()


@case("adit: one that drains publishes nothing any more")
def draining_client():
    with Origin(echo) as o, server() as f, Client(f, [
            {"name": name, "type": "tcp", "localPort": o.port}
            for name in ("served", "refused", "asked")], wait=False) as a:
        control, _ = f.control()
        for _ in range(3):
            control.recv()
        control.send("2", {"proxy_name": "served", "remote_addr": ":1"})
        visitor = f.start_work(control, "served")
        talk(visitor)
        # It would be asked for again after a second.
        control.send("2", {"proxy_name": "refused", "error": "no"})
        a.wait_log(r"\[refused\] start error")
        a.process.send_signal(signal.SIGTERM)
        equal(control.recv(), ("c", {"proxy_name": "served"}))
        # The server's answer is too late.
        control.send("2", {"proxy_name": "asked", "remote_addr": ":2"})
        equal(control.recv(), ("c", {"proxy_name": "asked"}))
        quiet(control)
        control.close()
        again, _ = f.control()
        quiet(again)
        talk(visitor)
        visitor.close()
        equal(a.process.wait(10), 0, "exit code")
        again.close()


main()

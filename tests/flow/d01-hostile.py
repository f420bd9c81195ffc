"""Hostile peers: each gets its answer, a counter shows it, nothing is left
behind, and another client's tunnel does not notice."""
import contextlib
import socket
import struct
import time

from harness import (TOKEN, Client, Origin, Server, Skip, case, check,
                     dial, echo, equal, free_port, levels, main, read_all,
                     reset, settle, until)

try:
    from frp import Channel, FrpClient, FrpServer, frame
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None


@contextlib.contextmanager
def besieged(**conf):
    """A server with an honest client beside it; checks both afterwards."""
    if frp_missing:
        raise Skip(frp_missing)
    port = free_port()
    conf = {"allowPorts": [{"start": 10240, "end": 40000}], **conf}
    with Origin(echo) as o, Server(conf) as s, Client(s, [
            {"name": "honest", "type": "tcp", "localPort": o.port,
             "remotePort": port},
            {"name": "site", "type": "http", "localPort": o.port,
             "customDomains": ["honest.test"]}]):
        s.honest_port = port
        with dial(port) as conn:
            conn.sendall(b"before")
            equal(conn.recv(6), b"before")
            base = levels(s)
            yield s
            settle(s, base)
            conn.sendall(b"after")
            equal(conn.recv(5), b"after", "the honest tunnel")
        check(s.alive(), "aditd is alive")


def client(s, token=TOKEN):
    return FrpClient(s.port, token)


def counted(s, name, value=1):
    until(lambda: s.counters().get(name, 0) >= value, f"{name} >= {value}")


@case("wrong token")
def wrong_token():
    with besieged() as s, client(s, "wrong") as c:
        answer = c.login()
        equal(answer["error"], "token in login doesn't match token from "
              "configuration")
        check(c.control.ended(), "closed")
        counted(s, "logins_refused")


# First bytes that are no frame or no message, and the counter of each.
GARBAGE = {
    "unknown type": (b"Z" + bytes(8), "bad_frames"),
    "unknown type, one byte": (b"\x01", "bad_frames"),
    "a mux of an unknown version": (b"\x00\x00" + b"\x09" * 10, "mux_errors"),
    "length -1": (b"o" + struct.pack(">q", -1), "bad_frames"),
    "length 10241": (b"o" + struct.pack(">q", 10241), "bad_frames"),
    "length 2^63-1": (b"o" + struct.pack(">q", 2**63 - 1), "bad_frames"),
    "length -2^63": (b"o" + struct.pack(">q", -2**63), "bad_frames"),
    "empty body": (b"o" + bytes(8), "bad_messages"),
    "truncated JSON": (b"o" + struct.pack(">q", 10) + b'{"version"',
                       "bad_messages"),
    "not JSON": (b"o" + struct.pack(">q", 4) + b"\xff\xfe{}",
                 "bad_messages"),
    "an array": (b"o" + struct.pack(">q", 2) + b"[]", "bad_messages"),
    "bytes behind the object": (b"o" + struct.pack(">q", 4) + b"{}{}",
                                "bad_messages"),
    "text for a number": (b"o", {"timestamp": "now"}),
    "a number for text": (b"o", {"version": 7}),
    "a fraction": (b"o", {"timestamp": 1.5}),
    "an object for text": (b"o", {"user": {}}),
    "a map of numbers": (b"o", {"metas": {"a": 1}}),
    "a list for an object": (b"o", {"client_spec": []}),
    "NUL in text": (b"o", b'{"user":"a\\u0000b"}'),
    "duplicate keys": (b"o", b'{"user":"a","user":"b"}'),
    "duplicate keys by case": (b"o", b'{"user":"a","USER":"b"}'),
    "10,000 deep": (b"o", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "10,000 open": (b"o", b"[" * 10000),
    "17 deep": (b"o", b'{"a":' + b"[" * 16 + b"]" * 16 + b"}"),
    "a huge integer": (b"o", b'{"timestamp":99999999999999999999999}'),
    "not a first message": (b"h", {}, "bad_first_messages"),
    "a server's message": (b"s", {}, "bad_first_messages"),
}


def garbage_case(name, row):
    @case("first bytes: " + name)
    def run():
        with besieged() as s:
            data, counter = row[0], "bad_messages"
            if len(row) == 3:
                data, counter = frame(row[0].decode(), row[1]), row[2]
            elif row[1] in ("bad_frames", "bad_messages", "mux_errors"):
                counter = row[1]
            else:
                data = frame(row[0].decode(), row[1])
            with dial(s.port) as conn:
                conn.sendall(data)
                check(Channel(conn).ended(5), "closed")
            counted(s, counter)


for name, row in GARBAGE.items():
    garbage_case(name, row)


@case("the same garbage inside a control")
def garbage_in_control():
    with besieged() as s:
        for n, data in enumerate([
                b"Z" + bytes(8), b"p" + struct.pack(">q", 10241),
                b"p" + struct.pack(">q", -1)], 1):
            with client(s) as c:
                c.login()
                c.control.send_raw(data)
                c.answer("")
            counted(s, "bad_frames", n)
        for n, body in enumerate([
                b"{", b'{"proxy_name":7}', b"[" * 10000,
                b'{"sk":"a","sk":"b"}'], 1):
            with client(s) as c:
                c.login()
                c.control.send("p", body)
                c.answer("")
            counted(s, "bad_messages", n)


@case("negative and huge pool_count")
def pool_count():
    with besieged() as s:
        for n, count in enumerate([-99, -2**63, 2**63 - 1, 1000000], 1):
            with client(s) as c:
                c.auto = False
                check(not c.login(pool_count=count).get("error"), "logged in")
                time.sleep(0.2)
                check(c.requests <= 5, f"{c.requests} ReqWorkConn")
                c.ping()
            counted(s, "pool_count_clamped", n)


@case("one byte a second")
def slow_bytes():
    with besieged(limits={"firstMessageTimeout": 3}) as s:
        data = frame("o", {"version": "0.60.0"})
        with dial(s.port) as conn:
            start = time.monotonic()
            with contextlib.suppress(OSError):
                for byte in data:
                    conn.sendall(bytes([byte]))
                    conn.settimeout(1)
                    with contextlib.suppress(TimeoutError):
                        if not conn.recv(1):
                            break
            took = time.monotonic() - start
        check(2 < took < 12, f"closed after {took:.1f} s")
        counted(s, "first_message_timeouts")


@case("no first message for 10 s")
def silent():
    with besieged() as s, dial(s.port) as conn:
        start = time.monotonic()
        check(Channel(conn).ended(15), "closed")
        took = time.monotonic() - start
        check(9 < took < 15, f"closed after {took:.1f} s")
        counted(s, "first_message_timeouts")


@case("work connection: unknown, ended, malformed run id")
def bad_run_id():
    with besieged() as s:
        with client(s) as c:
            ended = c.login()["run_id"]
        until(lambda: s.counters()["pool_controls"] == 1, "control ended")
        for n, run_id in enumerate(["0123456789abcdef", ended, "", "\n" * 9,
                                    "x" * 5000, "../../etc"], 1):
            channel = client(s).open_work(run_id)
            kind, start = channel.recv()
            equal(kind, "s")
            check("no client control found for run id" in start["error"],
                  start)
            check(channel.ended(5), "closed")
            channel.close()
            counted(s, "work_conns_refused", n)
        channel = Channel(dial(s.port))
        channel.send("w", {"run_id": 7})
        check(channel.ended(5), "closed")
        channel.close()
        counted(s, "bad_messages")


@case("a work connection that speaks before it is asked")
def early_work():
    with besieged() as s, client(s) as c:
        c.auto = False
        c.login(pool_count=1)
        channel = c.open_work()
        time.sleep(0.1)
        channel.sock.sendall(b"hello?")
        check(channel.ended(5), "closed")
        channel.close()
        counted(s, "work_conns_lost")


@case("two controls with one run id")
def replaced():
    port = free_port()
    with besieged() as s, client(s) as first, client(s) as second:
        run_id = first.login()["run_id"]
        check(not first.new_proxy("p", remote_port=port).get("error"), "p")
        equal(second.login(run_id=run_id)["run_id"], run_id)
        answer = second.new_proxy("p", remote_port=port)
        check(not answer.get("error"), answer)
        first.answer("")
        with dial(port) as conn:
            conn.sendall(b"hi")
            equal(conn.recv(2), b"hi", "through the second")
        counted(s, "controls_replaced")
        # Who reads the log has not the run id.
        for line in ("client login info", "client exit", "new proxy",
                     "listen port", "proxy closed"):
            s.wait_log(rf"\[{run_id[:4]}\].*{line}|"
                       rf"{line}.*\[{run_id[:4]}\]")
        check(run_id not in s.log(), s.log())


@case("a run id that is replaced a hundred times")
def replaced_often():
    with besieged() as s:
        port, run_id = free_port(), ""
        clients = [client(s) for _ in range(100)]
        for c in clients:
            run_id = c.login(run_id=run_id)["run_id"]
            answer = c.new_proxy("p", remote_port=port)
            check(not answer.get("error"), answer)
        for c in clients:
            c.close()
        counted(s, "controls_replaced", 99)


def refused(s, c, want, name="new", kind="tcp", **fields):
    before = s.counters()["proxies_refused"]
    answer = c.new_proxy(name, kind, **fields)
    equal(answer.get("proxy_name", ""), name, "echo of the name")
    check(want in answer.get("error", ""), f"{answer} for {want!r}")
    counted(s, "proxies_refused", before + 1)


@case("NewProxy: taken names, ports and domains; bad names; not supported")
def new_proxy():
    with besieged() as s, client(s) as c:
        c.login()
        refused(s, c, "proxy [honest] already exists", "honest",
                remote_port=free_port())
        refused(s, c, "port already used", remote_port=s.honest_port)
        refused(s, c, "port unavailable", remote_port=s.port)
        for port in (1, 80, 50000, -1, 65536, 2**40):
            refused(s, c, "port not allowed", remote_port=port)
        for domain in ("honest.test", "HONEST.test", "honest.test.",
                       "Honest.Test."):
            refused(s, c, "router config conflict", kind="http",
                    custom_domains=[domain])
        for domain in ("a b", "a..b", "", "x" * 300, "a/b", "a\nb"):
            refused(s, c, "is not valid", kind="http",
                    custom_domains=[domain])
        refused(s, c, "should not belong to subdomain host", kind="http",
                custom_domains=["x.tunnel.test"])
        refused(s, c, "should not be both empty", kind="http")
        refused(s, c, "proxy name is empty", "")
        refused(s, c, "longer than", "n" * 9216, remote_port=0)
        lines = len(s.log().splitlines())
        for name in ("a\nb", "\x1b[31mred", "\x7f", "a\rcounters x=1"):
            refused(s, c, "control characters", name, remote_port=0)
        for line in s.log().splitlines()[lines:]:
            check(line[:2] == "20", f"a line of its own: {line!r}")
        refused(s, c, "unknown proxy type", kind="gopher")
        for kind in ("udp", "stcp", "xtcp", "sudp", "tcpmux"):
            refused(s, c, "is not supported yet", kind=kind)
        for more in ({"locations": ["/" * 1025]}, {"locations": ["/\n"]},
                     {"route_by_http_user": "u" * 256},
                     {"route_by_http_user": "a\nb"}, {"group": "g\x01"}):
            refused(s, c, "is too long or has control characters",
                    kind="http", custom_domains=["new.test"], **more)
        refused(s, c, "group params invalid", kind="http", group="g",
                custom_domains=["new.test", "newer.test"])
        refused(s, c, "group of a tcp proxy is not supported yet",
                group="g", remote_port=0)
        refused(s, c, "group of an https proxy is not supported yet",
                kind="https", group="g", custom_domains=["new.test"])
        refused(s, c, "type [https] not supported when vhost https port is "
                "not set", kind="https", custom_domains=["new.test"])
        for more in ({"headers": {"A b": "c"}},
                     {"headers": {"A": "b\r\nC: d"}},
                     {"response_headers": {"A": "b\x01"}}):
            refused(s, c, "a header has a bad", kind="http",
                    custom_domains=["new.test"], **more)
        refused(s, c, "host_header_rewrite is no host", kind="http",
                custom_domains=["new.test"], host_header_rewrite="a\nb")
        check(not c.new_proxy("fine", remote_port=0).get("error"), "fine")


@case("a control that never reads")
def deaf_control():
    with besieged() as s, client(s) as c:
        c.login()
        c.control.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = c.control.sock
        raw = c.control.cfb.encrypt(frame("h", {}) * 400000)
        sock.settimeout(20)
        with contextlib.suppress(OSError):
            sock.sendall(raw)


@case("visitor says nothing; visitor leaves before a work connection comes")
def visitors():
    port = free_port()
    with besieged(userConnTimeout=3, http={"headTimeout": 2}) as s, \
            client(s) as c:
        c.auto = False
        c.login(pool_count=0)
        check(not c.new_proxy("slow", remote_port=port).get("error"), "slow")
        with dial(port) as conn:
            check(Channel(conn).ended(15), "no work connection: closed")
        counted(s, "visitors_timeout")
        reset(dial(port))
        counted(s, "visitors_gone")
        with dial(s.http) as conn:
            check(Channel(conn).ended(15), "silent http visitor: closed")
        counted(s, "http_408")
        with dial(s.http) as conn:
            conn.sendall(b"GET / HT")
            check(read_all(conn).startswith(b"HTTP/1.1 408 "), "408")
        counted(s, "http_408", 2)


@case("http: hostile heads")
def hostile_heads():
    host = b"Host: honest.test\r\n"
    rows = [
        (b"\x16\x03\x01\x02\x00", 400, "http_400"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, "http_400"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "http_400"),
        (b"GET / HTTP/1.1\r\n" + host * 2 + b"\r\n", 400, "http_400"),
        (b"GET / HTTP/1.1\r\n" + host + b"A: b\r\n c\r\n\r\n", 400,
         "http_400"),
        (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n", 400, "http_400"),
        (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: +1\r\n\r\n", 400,
         "http_400"),
        (b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n"
         b"\r\n0x1\r\n", 400, "http_400"),
        (b"GET / HTTP/1.1\r\n" + host + b"A: b\r\n" * 100 + b"\r\n", 431,
         "http_431"),
        (b"GET / HTTP/1.1\r\n" + host + b"A: " + b"x" * 40000, 431,
         "http_431"),
        (b"GET /" + b"x" * 40000, 414, "http_431"),
        (b"GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n"
         b"\r\n", 404, "http_404"),
        (b"GET / HTTP/3.0\r\n" + host + b"\r\n", 505, "http_other"),
        (b"CONNECT a:1 HTTP/1.1\r\n" + host + b"\r\n", 405, "http_other"),
    ]
    with besieged() as s:
        for data, status, counter in rows:
            before = s.counters()[counter]
            with dial(s.http) as conn:
                conn.sendall(data)
                got = read_all(conn)
            check(got.startswith(b"HTTP/1.1 %d " % status),
                  f"{got[:60]!r} instead of {status} for {data[:60]!r}")
            counted(s, counter, before + 1)


@case("adit: a hostile server")
def hostile_server():
    if frp_missing:
        raise Skip(frp_missing)
    with Origin(echo) as o, FrpServer(TOKEN, free_port()) as f, Client(
            f, [{"name": "p", "type": "tcp", "localPort": o.port}],
            wait=False) as c:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        base = levels(c)
        rows = [(b"Z" + bytes(8), "bad_frames"),
                (b"r" + struct.pack(">q", 2**63 - 1), "bad_frames"),
                (frame("2", b"[" * 10000), "bad_messages"),
                (frame("2", b'{"error":7}'), "bad_messages")]
        for data, counter in rows:
            before = c.counters()[counter]
            control.send_raw(data)
            check(control.ended(5), "closed by adit")
            control.close()
            until(lambda: c.counters()[counter] == before + 1, counter)
            control, login = f.control(30)
            equal(login["run_id"], "0123456789abcdef", "same run id")
            f.accept_proxies(control, 1)
        settle(c, base)
        # Work connections that start nothing.
        for n, (kind, body) in enumerate([
                ("s", {"proxy_name": "unknown"}), ("s", {"error": "no"}),
                ("o", {})], 1):
            control.send("r", {})
            work, _ = f.works.get(timeout=5)
            work.send(kind, body)
            check(work.ended(5), "closed by adit")
            work.close()
        until(lambda: c.counters()["starts_refused"] == 3, "starts_refused")
        sock = f.start_work(control, "p")
        sock.sendall(b"hello")
        equal(sock.recv(5), b"hello", "still serves")
        sock.close()
        control.close()


@case("adit: login refused, or never answered")
def login_refused():
    if frp_missing:
        raise Skip(frp_missing)
    proxies = [{"name": "p", "type": "tcp", "localPort": 1}]
    with FrpServer(TOKEN, free_port()) as f:
        f.answer = {"error": "go\naway"}
        with Client(f, proxies, wait=False) as c:
            c.expect_exit = None
            equal(c.process.wait(10), 1, "exit code")
            check("go" in c.log() and "\naway" not in c.log(), c.log())


main()

"""https proxies: whose a TLS connection is by its name, and that nothing of it
is touched."""
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import (ADIT, TOKEN, Client, Origin, Program, Server, able, case,
                     check, curl, dial, echo, equal, free_port, levels, main,
                     read_all, read_until, reset, settle, sha, until)
from frp import FrpClient
from httpkit import Site, ended, http
from tlskit import (CERT, Page, Tls, TlsNginx, TlsServer, certificate,
                    context, hello, https, message, records, visit)

ALERT = b"\x15\x03\x03\x00\x02\x02"
UNRECOGNIZED, DECODE = ALERT + b"\x70", ALERT + b"\x32"


def get(server, host, path="/", *args):
    """By curl, which checks the service's certificate."""
    return curl(f"https://{host}:{server.https}{path}", "--cacert", CERT,
                "--resolve", f"{host}:{server.https}:127.0.0.1", *args)


def say(server, data, end=False):
    """What comes back, to the end, for these first words."""
    with dial(server.https) as conn:
        conn.sendall(data)
        if end:
            conn.shutdown(socket.SHUT_WR)
        return read_all(conn)


def refusal(server, name, ctx=None):
    """What the client's TLS makes of it."""
    try:
        visit(server.https, name, ctx)
    except ssl.SSLError as e:
        return e.reason
    return None


def is_unknown(server, name):
    """Whether nobody has the name; who is going cuts whoever comes."""
    try:
        return refusal(server, name) == "TLSV1_UNRECOGNIZED_NAME"
    except ConnectionError:
        return False


def named(name):
    """A hello for a name that no library would send, of the same length."""
    said = b"n" * (len(name) - 2) + b".x"
    return hello(said.decode()).replace(said, name)


# --- whose it is ---

@case("several domains, a wildcard, a subdomain: each its own service")
def domains():
    with Page(b"one") as a, Page(b"two") as b, Page(b"three") as c, \
            TlsServer() as s, Client(s, [
                https("one", a.port, "a.test", "C.test."),
                https("two", b.port, "*.w.test"),
                https("three", c.port, subdomain="sub")]) as client:
        port = s.https
        client.wait_log(rf'remote_addr="a.test:{port},c.test:{port}"')
        client.wait_log(rf"remote_addr=sub.tunnel.test:{port}")
        for host, want in (("a.test", b"one"), ("c.test", b"one"),
                           ("x.w.test", b"two"),
                           ("sub.tunnel.test", b"three")):
            status, _, body = get(s, host)
            equal((status, body), (200, want), host)
        equal(a.names, ["a.test", "c.test"])
        # In any case, which goes to the service as it was said.
        check(say(s, named(b"A.TeSt"), True), "a ServerHello")
        equal(a.names[2:], ["A.TeSt"])
        equal(s.counters()["https_routed"], 5, "routed")


@case("wildcards: the leftmost label first, then *; * has who has no name, too")
def wildcards():
    names = ("*.y.test", "*.x.y.test", "*")
    lax = context(check_hostname=False, verify_mode=ssl.CERT_NONE)
    pages = [Page(n.encode()) for n in names]
    with pages[0] as a, pages[1] as b, pages[2] as c, TlsServer() as s, \
            Client(s, [https(n, p.port, n) for n, p in zip(names, (a, b, c))]):
        for name, want in (("a.y.test", b"*.y.test"),
                           ("a.x.y.test", b"*.x.y.test"),
                           ("a.b.y.test", b"*.y.test"), ("y.test", b"*"),
                           ("else.example", b"*"), (None, b"*")):
            t = visit(s.https, name, lax)
            equal(t.ask(), want, str(name))
            t.sock.close()


@case("a name that nobody has: an alert, and a clean end")
def unknown():
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test", "*.w.test")]):
        base = levels(s)
        equal(refusal(s, "b.test"), "TLSV1_UNRECOGNIZED_NAME")
        old = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        equal(refusal(s, "w.test", old), "TLSV1_UNRECOGNIZED_NAME")
        lax = context(check_hostname=False)
        equal(refusal(s, None, lax), "TLSV1_UNRECOGNIZED_NAME")
        equal(say(s, hello("x.a.test")), UNRECOGNIZED)
        # Bytes behind it are no reason for a reset.
        equal(say(s, hello("x.a.test") + b"x" * 100000), UNRECOGNIZED)
        r = subprocess.run(["curl", "-sS", "--resolve",
                            f"b.test:{s.https}:127.0.0.1",
                            f"https://b.test:{s.https}/"],
                           capture_output=True, text=True)
        check("unrecognized name" in r.stderr, r.stderr)
        s.wait_log(r"https visitor \[127.0.0.1:\d+\]: no proxy has the name "
                   r"\[x\.a\.test\]")
        settle(s, base)
        c = s.counters()
        equal((c["https_unknown"], c["ended_unknown_name"]), (6, 6))
        equal(get(s, "a.test")[2], b"one")


@case("an address in place of a name is refused, even where * is served")
def literals():
    with Page(b"all") as a, TlsServer() as s, \
            Client(s, [https("all", a.port, "*")]):
        for name in (b"127.0.0.1", b"2001:db8::1", b"a b.test", b"*.w.test",
                     b"a\0evil.test", b"a..test"):
            equal(say(s, named(name)), UNRECOGNIZED, repr(name))
        equal(a.connections, 0, "visitors of the service")
        equal(say(s, named(b"fine.test"), True)[:1], b"\x16", "a ServerHello")


# --- how it comes ---

def by_pieces(server, data, size=1):
    """A client whose hello comes in pieces, each a segment of its own."""
    conn = dial(server.https)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(0, len(data), size):
        conn.sendall(data[i:i + size])
        time.sleep(0.0005)
    return conn


@case("a hello in pieces: byte by byte, and in records of any size")
def pieces():
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test")]):
        ctx = context(["http/1.1"])
        for size, step in ((16384, 1), (1, 10000), (1, 7), (2, 3), (50, 1),
                           (200, 100)):
            t = Tls(None, "a.test", ctx)
            # openssl takes records of one byte, but not so many in a row.
            cut = max(size, len(t.hello) // 30)
            t.sock = by_pieces(s, records(t.hello, cut), step)
            equal(t.shake().ask(), b"one", f"{size} {step}")
            t.sock.close()


@case("what the service reads is byte by byte what the visitor said")
def untouched():
    got = []

    def serve(conn):
        got.append(read_all(conn))
        conn.sendall(got[-1][::-1])
    with Origin(serve) as o, TlsServer() as s, \
            Client(s, [https("raw", o.port, "a.test")]):
        for size in (1, 3, 100, 16384):
            said = records(hello("a.test", ["h2", "adit/1"]), size)
            said += b"\x14\x03\x03\x00\x01\x01" + os.urandom(50000)
            # The visitor's end comes first, and the answer after it.
            equal(sha(say(s, said, True)), sha(said[::-1]), f"{size}")
            equal(sha(got.pop()), sha(said), f"{size}, at the service")


def padded(size):
    """A hello of so many bytes in all, as one message."""
    body = message(hello("a.test"))
    at = 4 + 34
    for width in (1, 2, 1):  # session, suites, compression
        at += width + int.from_bytes(body[at:at + width], "big")
    extensions = body[at + 2:]
    more = size - len(body) - 4
    extensions += b"\x4a\x4a" + more.to_bytes(2, "big") + b"\0" * more
    body = body[4:at] + len(extensions).to_bytes(2, "big") + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def wrap(data, size=16384):
    return b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p for p in
                    (data[i:i + size] for i in range(0, len(data), size)))


@case("a large hello passes up to 16 KiB, in up to 32 KiB of records")
def large():
    def serve(conn):
        conn.sendall(sha(read_all(conn)).encode())
    with Origin(serve) as o, TlsServer() as s, \
            Client(s, [https("raw", o.port, "a.test")]):
        for said in (wrap(padded(16384)), wrap(padded(16384), 10),
                     wrap(padded(5000), 1), wrap(padded(16000), 4000)):
            equal(say(s, said, True), sha(said).encode(), f"{len(said)}")
        for said in (wrap(padded(16385), 16000), wrap(padded(16384), 4),
                     wrap(b"\x01\xff\xff\xff", 2),
                     wrap(padded(16384), 1)):
            equal(say(s, said), DECODE, f"{len(said)}")
        equal(s.counters()["https_refused"], 4)


@case("garbage: an alert, or no word, and nothing stays behind")
def garbage():
    one = hello("a.test")
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test")]):
        base = levels(s)
        rows = [
            (b"GET / HTTP/1.1\r\n\r\n", b""),
            (b"SSH-2.0-x\r\n", b""),
            (b"\x80\x2e\x01\x03\x01", b""),
            (b"\x16\x02", b""),
            (b"\x15\x03\x03\x00\x02\x02\x00", b""),
            (b"\x16\x03\x01\x00\x00", DECODE),
            (b"\x16\x03\x01\x40\x01", DECODE),
            (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", DECODE),
            (b"\x16\x03\x03\x00\x04\x01\x00\x00\x00", DECODE),
            (one[:5] + b"\x02" + one[6:], DECODE),
            (one[:8] + b"\x01" + one[9:], DECODE),
            (one[:60] + b"\xff" * (len(one) - 60), DECODE),
            (records(one, 100)[:105] + b"\x17\x03\x03\x00\x01", DECODE),
        ]
        for said, want in rows:
            equal(say(s, said), want, repr(said[:20]))
        for n in (0, 1, 5, 100, len(one) - 1):
            equal(say(s, one[:n], True), b"", f"an end after {n} bytes")
            conn = dial(s.https)
            conn.sendall(one[:n])
            reset(conn)
        settle(s, base)
        c = s.counters()
        equal((c["https_refused"], c["ended_bad_hello"]), (len(rows),) * 2)
        equal(get(s, "a.test")[2], b"one")


@case("a hello that does not come in http.headTimeout")
def slow():
    one = hello("a.test")
    with Page(b"one") as a, TlsServer({"http": {"headTimeout": 1}}) as s, \
            Client(s, [https("one", a.port, "a.test")]):
        base = levels(s)
        # However slowly its bytes come, it is the whole that has a limit.
        conns = [dial(s.https) for _ in range(3)]
        conns[1].sendall(one[:1])
        try:
            for i in range(len(one)):
                conns[2].sendall(one[i:i + 1])
                time.sleep(0.02)
            check(False, "it was not cut")
        except OSError:
            pass
        for conn in conns:
            ended(conn)
        equal(s.counters()["https_late"], 3)
        settle(s, base)


@case("500 halves of hellos beside whole ones")
def halves():
    one = hello("a.test")
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test")]):
        get(s, "a.test")
        base = levels(s)
        conns = [dial(s.https) for _ in range(500)]
        for i, conn in enumerate(conns):
            conn.sendall(one[:1 + i % (len(one) - 1)])
        until(lambda: s.counters()["pool_visitors"] >= 500, "all are there")
        for _ in range(10):
            equal(get(s, "a.test")[2], b"one")
        for i, conn in enumerate(conns):
            if i % 2:
                reset(conn)
            else:
                conn.close()
        settle(s, base)


# --- what is carried ---

def carried(relay):
    data = os.urandom(64 << 20)
    mode = {"transport": {"relay": relay}}
    with TlsNginx({"big": data}) as o, TlsServer(mode) as s, \
            Client(s, [https("n", o.tls, "a.test")], mode) as c:
        base = levels(s)
        for version in ("--tls-max 1.2 --tlsv1.2", "--tlsv1.3"):
            _, _, body = get(s, "a.test", "/big", *version.split())
            equal(sha(body), sha(data), version)
        settle(s, base)
        for program in (s, c):
            counters = program.counters()
            moved = counters.get("bytes_spliced", 0)
            copied = counters.get("bytes_copied", 0)
            if relay == "copy" or not able("splicing"):
                equal(moved, 0, "spliced")
            else:
                check(moved > 100 << 20 and copied < 30 << 20,
                      f"{program.name}: spliced {moved}, copied {copied}")


@case("64 MiB through nginx, copied")
def copied():
    carried("copy")


@case("64 MiB through nginx, spliced")
def spliced():
    carried("splice")


@case("64 MiB both ways at once")
def both_ways():
    data = hello("a.test") + os.urandom(64 << 20)

    def send(conn):
        conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
    with Origin(echo) as o, TlsServer() as s, \
            Client(s, [https("e", o.port, "a.test")]):
        base = levels(s)
        with dial(s.https, timeout=60) as conn:
            sender = threading.Thread(target=send, args=(conn,))
            sender.start()
            equal(sha(read_all(conn)), sha(data))
            sender.join()
        settle(s, base)


def read_header(conn, version):
    """Of the PROXY protocol: from where to where, as two pairs."""
    data = b""
    if version == "v1":
        while not data.endswith(b"\r\n"):
            data += conn.recv(1)
        _, kind, src, dst, sport, dport = data.split()
        equal(kind, b"TCP4")
        return (src.decode(), int(sport)), (dst.decode(), int(dport))
    while len(data) < 28:
        data += conn.recv(28 - len(data))
    equal(data[:16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c")
    at = struct.unpack("!4s4sHH", data[16:])
    return ((socket.inet_ntoa(at[0]), at[2]), (socket.inet_ntoa(at[1]), at[3]))


class Told(Page):
    """Reads a PROXY header before the TLS."""

    def __init__(self, version):
        self.version, self.told = version, []
        super().__init__(b"one")

    def talk(self, conn):
        self.told.append(read_header(conn, self.version))
        super().talk(conn)


@case("transport.proxyProtocolVersion: a service hears of each visitor")
def proxy_protocol():
    def greet(conn):
        conn.sendall(repr(read_header(conn, version)).encode() + b"\n")
        conn.sendall(read_all(conn))
    for version in ("v1", "v2"):
        more = {"transport": {"proxyProtocolVersion": version}}
        port = free_port()
        with Told(version) as a, Origin(greet) as b, TlsServer() as s, \
                Client(s, [https("one", a.port, "a.test", **more),
                           {"name": "t", "type": "tcp", "localPort": b.port,
                            "remotePort": port, **more}]):
            base = levels(s)
            for i in range(5):
                t = visit(s.https, "a.test")
                equal(t.ask(), b"one")
                equal(a.told.pop(), (t.sock.getsockname(),
                                     ("127.0.0.1", s.https)), version)
                t.sock.close()
                # Before the visitor has said a word; and then all of it.
                said = os.urandom(1 << 20)
                with dial(port, source="127.0.0.2") as conn:
                    line = read_until(conn, b"\n")
                    equal(line.decode().strip(), repr(
                        (conn.getsockname(), ("127.0.0.1", port))))
                    conn.sendall(said)
                    conn.shutdown(socket.SHUT_WR)
                    equal(sha(read_all(conn)), sha(said))
            settle(s, base)


@case("HTTP/2, and a client's certificate: the service's own business")
def passes():
    mine = certificate("visitor.test")
    with TlsNginx({"f": b"file"}, f"ssl_client_certificate {mine[0]};"
                  "ssl_verify_client optional; location /who { return 200 "
                  "$ssl_client_s_dn; }") as o, TlsServer() as s, \
            Client(s, [https("n", o.tls, "a.test")]):
        _, head, body = get(s, "a.test", "/f", "--http2")
        check(head.startswith("HTTP/2 200"), head)
        equal(body, b"file")
        equal(get(s, "a.test", "/who", "--cert", mine[0], "--key",
                  mine[1])[2], b"CN=visitor.test")
        equal(get(s, "a.test", "/who")[2], b"")


@case("one that stirs after it was idle; and work connections serve again")
def idle():
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test")]):
        t = visit(s.https, "a.test")
        equal(t.ask(), b"one")
        if able("parking"):
            until(lambda: s.counters().get("pool_parked"), "it is parked")
        equal(t.ask(), b"one", "after a rest")
        reset(t.sock)
        for _ in range(10):
            get(s, "a.test")
        check(s.counters()["work_conns_reused"] > 0 or not able("reuse"),
              "none was reused")


@case("four workers: visitors go to their work connections, hello and all")
def workers():
    conf = {"workers": 4}
    with Page(b"one") as a, Page(b"two") as b, TlsServer(conf) as s, \
            Client(s, [https("one", a.port, "a.test"),
                       https("two", b.port, "b.test")], conf):
        base = levels(s)
        failed = []

        def ask(host, want):
            try:
                for i in range(25):
                    t = Tls(None, host)
                    t.sock = by_pieces(s, records(t.hello, 100 + i), 300)
                    equal(t.shake().ask(), want)
                    t.sock.close()
            except Exception as e:
                failed.append(e)
        threads = [threading.Thread(target=ask, args=row) for row in
                   (("a.test", b"one"), ("b.test", b"two")) * 4]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(failed, [])
        c = s.counters()
        equal(c["https_routed"], 200)
        check(c["visitors_moved"] > 0, "none has moved")
        settle(s, base)


# --- registration ---

def refused(client, text, name="x", **fields):
    error = client.new_proxy(name, "https", **fields).get("error", "")
    check(text in error, f"{fields}: {error!r} has no {text!r}")


@case("claims: frp's texts, one host of each kind, and hosts that go")
def claims():
    with TlsServer() as s, FrpClient(s.port, TOKEN) as c:
        c.login()
        answer = c.new_proxy("a", "https", custom_domains=["A.test", "b.test"],
                             subdomain="sub")
        equal(answer.get("error"), None)
        equal(answer["remote_addr"], ",".join(
            f"{h}:{s.https}" for h in ("a.test", "b.test", "sub.tunnel.test")))
        # The same host by http is another place.
        equal(c.new_proxy("h", "http", custom_domains=["a.test"])
              .get("error"), None)
        refused(c, "router config conflict", custom_domains=["b.test"])
        refused(c, "router config conflict", subdomain="sub")
        refused(c, "proxy [a] already exists", "a", custom_domains=["n.test"])
        refused(c, "custom domain [x.tunnel.test] should not belong to "
                "subdomain host [tunnel.test]",
                custom_domains=["x.tunnel.test"])
        refused(c, "'.' and '*' are not supported in subdomain",
                subdomain="a.b")
        refused(c, "custom domain and subdomain should not be both empty")
        refused(c, "group of an https proxy is not supported yet",
                custom_domains=["n.test"], group="g")
        equal(c.new_proxy("t", remote_port=s.https)["error"],
              "port unavailable", "the port is aditd's")
        equal(refusal(s, "c.test"), "TLSV1_UNRECOGNIZED_NAME")
        c.close_proxy("a")
        until(lambda: is_unknown(s, "b.test"), "it has gone")
        answer = c.new_proxy("b", "https", custom_domains=["b.test", "b.test"])
        equal(answer.get("error"), None, "the host is free")
        # Its first words come with StartWorkConn's, from where to where.
        got = []
        c.serve = lambda sock, start, data: got.append((start, sock, data))
        with dial(s.https) as conn:
            conn.sendall(hello("b.test"))
            until(lambda: got, "served")
            start, port = got[0][0], conn.getsockname()[1]
            equal((start["proxy_name"], start["src_addr"], start["src_port"],
                   start["dst_addr"], start["dst_port"]),
                  ("b", "127.0.0.1", port, "127.0.0.1", s.https))
        # A new login with the same run id takes its place.
        with FrpClient(s.port, TOKEN) as again:
            again.login(run_id=c.run_id)
            until(lambda: is_unknown(s, "b.test"), "what the old one had is gone")
            equal(again.new_proxy("b", "https", custom_domains=["b.test"])
                  .get("error"), None)
    with Server() as s, FrpClient(s.port, TOKEN) as c:
        c.login()
        refused(c, "type [https] not supported when vhost https port is not "
                "set", custom_domains=["a.test"])


@case("a proxy that goes leaves its visitors alone; one without work waits")
def leaves():
    with Page(b"one") as a, TlsServer({"userConnTimeout": 1}) as s:
        with Client(s, [https("one", a.port, "a.test")]) as c:
            t = visit(s.https, "a.test")
            equal(t.ask(), b"one")
            c.process.terminate()
            until(lambda: is_unknown(s, "a.test"), "the name is free")
            equal(t.ask(), b"one", "while it drains")
            t.sock.close()
        before = s.counters()["visitors_timeout"]
        with FrpClient(s.port, TOKEN) as c:
            c.auto = False
            c.login()
            c.new_proxy("n", "https", custom_domains=["a.test"])
            with dial(s.https) as conn:
                conn.sendall(hello("a.test"))
                equal(ended(conn), "cut", "nobody came")
        equal(s.counters()["visitors_timeout"] - before, 1)


@case("one port for clients, requests and TLS")
def one_port():
    port = free_port()
    shared = {"bindPort": port, "vhostHTTPPort": port, "vhostHTTPSPort": port}
    for conf in (shared, {**shared, "vhostHTTPPort": 0}):
        with Page(b"one") as a, Site(b"site") as web, Server(conf) as s:
            s.port = s.https = port
            s.wait_log(rf"https service multiplexed on 127.0.0.1:{port}")
            proxies = [https("one", a.port, "a.test")]
            if conf["vhostHTTPPort"]:
                proxies.append(http("web", web.port, "a.test"))
            with Client(s, proxies):
                equal(get(s, "a.test")[2], b"one")
                equal(refusal(s, "b.test"), "TLSV1_UNRECOGNIZED_NAME")
                t = Tls(None, "a.test")
                # OpenSSL 3.5's has 1.5 KiB: by bytes it would be too slow.
                t.sock = by_pieces(s, t.hello, 8)
                equal(t.shake().ask(), b"one", "in pieces")
                t.sock.close()
                if conf["vhostHTTPPort"]:
                    equal(curl(f"http://a.test:{port}/", "--resolve",
                               f"a.test:{port}:127.0.0.1")[2], b"site/")


@case("a drain: who has said nothing ends, who is served goes on")
def drain():
    with Page(b"one") as a, TlsServer() as s, \
            Client(s, [https("one", a.port, "a.test")]):
        t = visit(s.https, "a.test")
        silent, half = dial(s.https), dial(s.https)
        late = Tls(half, "a.test")
        half.sendall(late.hello[:50])
        equal(t.ask(), b"one")
        # The silent one comes a second later.
        until(lambda: s.counters()["visitors"] == 3, "all are there")
        s.process.terminate()
        equal(ended(silent), b"", "the silent one")
        equal(t.ask(), b"one")
        half.sendall(late.hello[50:])
        equal(late.shake().ask(), b"one", "one in the middle of its hello")
        t.sock.close()
        half.close()
        equal(s.process.wait(20), 0, "exit code")


@case("adit https PORT: the address, and errors")
def command():
    with Page(b"one") as a, TlsServer() as s:
        with Program([ADIT, "https", str(a.port), "--domain", "a.test",
                      "--server", f"127.0.0.1:{s.port}"], "adit",
                     env={"ADIT_TOKEN": TOKEN}) as c:
            c.launch()
            c.wait_log(rf"https://a\.test:{s.https}\b")
            equal(get(s, "a.test")[2], b"one")
    r = subprocess.run([ADIT, "https", "1", "--domain=a", "--remote-port=2"],
                       capture_output=True, text=True)
    equal(r.returncode, 2, r.stdout)
    check("--remote-port does not go with https" in r.stderr, r.stderr)


@case("vhostHTTPSPort that is taken, or vhostHTTPPort")
def taken():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        s = Server({"vhostHTTPSPort": port}, start=False)
        s.launch()
        equal(s.process.wait(20), 1)
        check(re.search(rf"vhostHTTPSPort: 127.0.0.1:{port} is taken by",
                        s.log()), s.log())
    s = Server(start=False)
    s.write({**s.conf, "vhostHTTPSPort": s.http})
    s.launch()
    equal(s.process.wait(20), 2)
    check("which is vhostHTTPPort" in s.log(), s.log())


main()

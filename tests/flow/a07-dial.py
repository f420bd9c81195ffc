"""The way from adit to the server: through an HTTP or SOCKS5 proxy, by a DNS
server of its own, from an address of its own; what fails is told."""
import base64
import contextlib
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import (ADIT, PATIENCE, TOKEN, Client, Origin, Server, case,
                     check, dial, echo, equal, free_port, levels, main,
                     read_until, settle, until)


def tcp(name, origin, port):
    return {"name": name, "type": "tcp", "remotePort": port,
            "localPort": origin.port}


def talk(port):
    with dial(port) as conn:
        conn.sendall(b"hello" * 1000)
        got = b""
        while len(got) < 5000:
            got += conn.recv(65536)
        equal(got, b"hello" * 1000, "echo")


def splice(a, b):
    """Carry bytes both ways until both ends have come."""
    def one(x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    t = threading.Thread(target=one, args=(b, a))
    t.start()
    one(a, b)
    t.join()


class HttpProxy(Origin):
    """CONNECT, with a login when one is given."""

    def __init__(self, login=None, answer=None, names=None):
        self.targets = []
        self.login, self.answer, self.names = login, answer, names or {}
        super().__init__(self.connect)

    def connect(self, conn):
        head = read_until(conn, b"\r\n\r\n").decode()
        method, target, version = head.splitlines()[0].split()
        self.targets.append(target)
        if self.answer:
            conn.sendall(self.answer)
            return
        want = self.login and "Proxy-Authorization: Basic " + base64.b64encode(
            self.login.encode()).decode()
        if want and want not in head:
            conn.sendall(b"HTTP/1.1 407 Login\r\n\r\n")
            return
        equal((method, version), ("CONNECT", "HTTP/1.1"), "request")
        host, port = target.rsplit(":", 1)
        with dial(int(port), self.names.get(host, host)) as s:
            conn.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
            splice(conn, s)


class SocksProxy(Origin):
    """SOCKS5, with a login when one is given."""

    def __init__(self, login=None, names=None):
        self.targets, self.login, self.names = [], login, names or {}
        super().__init__(self.connect)

    def exactly(self, conn, n):
        data = b""
        while len(data) < n:
            more = conn.recv(n - len(data))
            check(more, "ended early")
            data += more
        return data

    def text(self, conn):
        return self.exactly(conn, self.exactly(conn, 1)[0]).decode()

    def connect(self, conn):
        version, n = self.exactly(conn, 2)
        methods = self.exactly(conn, n)
        equal(version, 5, "version")
        if self.login:
            check(2 in methods, "a login is offered")
            conn.sendall(b"\5\2")
            self.exactly(conn, 1)
            login = f"{self.text(conn)}:{self.text(conn)}"
            conn.sendall(b"\1\0" if login == self.login else b"\1\1")
            if login != self.login:
                return
        else:
            conn.sendall(b"\5\0")
        _, command, _, kind = self.exactly(conn, 4)
        equal(command, 1, "command")
        host = (socket.inet_ntop(socket.AF_INET, self.exactly(conn, 4))
                if kind == 1 else self.text(conn))
        port, = struct.unpack(">H", self.exactly(conn, 2))
        self.targets.append(f"{host}:{port}")
        with dial(port, self.names.get(host, host)) as s:
            conn.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            splice(conn, s)


def through(proxy, url, server_addr="127.0.0.1", conf=None):
    """A tunnel whose control and work connections all go that way."""
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(
            s, [tcp("t", o, port)], {
                "serverAddr": server_addr,
                "transport": {"proxyURL": url}, **(conf or {})}) as c:
        base = levels(c)
        for _ in range(3):
            talk(port)
        target = f"{server_addr}:{s.port}"
        # The control, and work connections that are reused.
        check(len(proxy.targets) >= 2, f"{len(proxy.targets)} connections")
        equal(set(proxy.targets), {target}, "targets")
        settle(c, base)
    check(proxy.error is None, f"the proxy: {proxy.error!r}")


@case("http proxy: control and work connections by CONNECT, with a login")
def http_proxy():
    with HttpProxy(login="me:p@ss") as p:
        through(p, f"http://me:p%40ss@127.0.0.1:{p.port}")
    # The proxy resolves the name, not adit.
    with HttpProxy(names={"server.invalid": "127.0.0.1"}) as p:
        through(p, f"http://127.0.0.1:{p.port}", "server.invalid")


@case("socks5 proxy: control and work connections, with a login")
def socks_proxy():
    with SocksProxy() as p:
        through(p, f"socks5://127.0.0.1:{p.port}")
    with SocksProxy(login="me:pw", names={"server.invalid":
                                          "127.0.0.1"}) as p:
        through(p, f"socks5://me:pw@127.0.0.1:{p.port}", "server.invalid")


def fails(conf, text, **options):
    """The first login fails with this text, and the exit code is 1."""
    with Server() as s, Client(s, [], conf, start=False, **options) as c:
        c.expect_exit = 1
        c.launch()
        equal(c.process.wait(20), 1, "exit code")
        check(text in c.log(), c.log())
        check("hidden" not in c.log(), "the password is in the log")


@case("a proxy that refuses, speaks otherwise, or is not there is told")
def proxy_refuses():
    for answer, text in ((b"HTTP/1.1 403 No\r\n\r\n", "answered 403"),
                         (b"220 smtp\r\n\r\n", "does not speak HTTP"),
                         (b"", "closed the connection"),
                         (b"x" * 5000, "too long"),
                         (b"HTTP/1.1 200 OK\r\n\r\nhello", "bytes of its")):
        with HttpProxy(answer=answer or b"") as p:
            if not answer:
                p.serve = lambda conn: read_until(conn, b"\r\n\r\n")
            fails({"transport": {"proxyURL":
                                 f"http://u:hidden@127.0.0.1:{p.port}"}},
                  text)
    with HttpProxy(login="a:b") as p:
        fails({"transport": {"proxyURL":
                             f"http://u:hidden@127.0.0.1:{p.port}"}},
              "answered 407")
    with SocksProxy(login="a:b") as p:
        fails({"transport": {"proxyURL":
                             f"socks5://u:hidden@127.0.0.1:{p.port}"}},
              "refused the login")
    fails({"transport": {"proxyURL": f"http://127.0.0.1:{free_port()}"}},
          "Connection refused")
    with Origin(lambda conn: conn.recv(1000) and conn.recv(1000)) as p:
        fails({"transport": {"proxyURL": f"http://127.0.0.1:{p.port}",
                             "dialServerTimeout": 1}}, "i/o timeout")


@case("http_proxy of the environment: for others, not for this machine")
def from_environment():
    with HttpProxy(names={"server.invalid": "127.0.0.1"}) as p:
        url = f"http://127.0.0.1:{p.port}"
        port = free_port()
        with Origin(echo) as o, Server() as s:
            with Client(s, [tcp("t", o, port)],
                        {"serverAddr": "server.invalid"},
                        env={"http_proxy": url, "no_proxy": "a.test"}):
                talk(port)
            check(p.targets, "the proxy was used")
            p.targets.clear()
            with Client(s, [tcp("t", o, port)], env={"http_proxy": url}):
                talk(port)
            equal(p.targets, [], "connections to this machine")


class Dns:
    """A DNS server for A records of some names; of one with none it says
    nothing, not even that."""

    def __init__(self, names):
        self.names = {b"".join(bytes([len(x)]) + x.encode()
                               for x in name.split(".")) + b"\0": addresses
                      for name, addresses in names.items()}
        self.asked = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, peer = self.sock.recvfrom(2000)
            except OSError:
                return
            self.asked += 1
            question = data[12:data.index(b"\0", 12) + 5]
            kind, = struct.unpack(">H", question[-4:-2])
            addresses = self.names.get(question[:-4].lower())
            if addresses == []:
                continue
            code = b"\x81\x83" if addresses is None else b"\x81\x80"
            answers = [b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4"
                       + socket.inet_aton(a)
                       for a in addresses or [] if kind == 1]
            self.sock.sendto(data[:2] + code + b"\0\1"
                             + struct.pack(">H", len(answers))
                             + b"\0\0\0\0" + question + b"".join(answers),
                             peer)


@case("dnsServer: asked for the server's and the service's name")
def dns_server():
    dns = Dns({"only.here.test": ["127.0.0.1"]})
    port = free_port()
    with Origin(echo) as o, Server() as s:
        proxy = {**tcp("t", o, port), "localIP": "only.here.test"}
        with Client(s, [proxy], {"serverAddr": "only.here.test",
                                 "dnsServer": f"127.0.0.1:{dns.port}"}):
            talk(port)
            asked = dns.asked
            check(asked > 0, "it was asked")
            # Answers are kept for 30 s.
            for _ in range(5):
                talk(port)
            equal(dns.asked, asked, "questions")
    fails({"serverAddr": "nowhere.test",
           "dnsServer": f"127.0.0.1:{dns.port}"}, "not found")


def is_cut(conn):
    with conn, contextlib.suppress(ConnectionResetError):
        equal(conn.recv(1), b"", "what comes")


@case("a name that nobody answers for: others, and the end, do not wait")
def silent_name():
    dns = Dns({"good.test": ["127.0.0.1"], "bad.test": []})
    good, bad = free_port(), free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            {**tcp("good", o, good), "localIP": "good.test"},
            {**tcp("bad", o, bad), "localIP": "bad.test"}],
            {"dnsServer": f"127.0.0.1:{dns.port}"}) as c:
        lost = [dial(bad) for _ in range(3)]
        until(lambda: dns.asked > 0, "it is asked")
        asked, begun = dns.asked, time.monotonic()
        # One look-up for the three; it asks again after two seconds.
        time.sleep(0.5)
        more, took = dns.asked - asked, time.monotonic() - begun
        check(more <= 2 * (1 + took // 2), f"{dns.asked} questions")
        talk(good)
        check(not select.select(lost, [], [], 0)[0], "others have waited")
        for conn in lost:
            is_cut(conn)
        # For a moment it is known that this fails.
        asked = dns.asked
        # So soon that it may be over before it is connected.
        with contextlib.suppress(ConnectionResetError):
            is_cut(dial(bad))
        equal(dns.asked, asked, "questions")
        time.sleep(3)
        with dial(bad):
            until(lambda: dns.asked > asked, "it is asked again")
            begun = time.monotonic()
            c.process.send_signal(signal.SIGTERM)
            c.wait_log("draining")
            c.stop()
            took = time.monotonic() - begun
        # The look-up itself goes on for four.
        check(took < 3.5 * PATIENCE, f"its end took {took:.1f} s")


@contextlib.contextmanager
def silent_listener(port):
    """At that port of 127.0.0.2 nobody answers, nor is anybody refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.2", port))
        listener.listen(0)
        for _ in range(4):
            full = stack.enter_context(socket.socket())
            full.setblocking(False)
            full.connect_ex(("127.0.0.2", port))
        yield


@case("a name with several addresses: one that is silent costs a moment")
def several_addresses():
    dns = Dns({"several.test": ["127.0.0.2", "127.0.0.1"],
               "silent.test": ["127.0.0.2"],
               "refused.test": ["127.0.0.3", "127.0.0.2", "127.0.0.1"]})
    conf = {"serverAddr": "several.test",
            "dnsServer": f"127.0.0.1:{dns.port}"}
    port, other = free_port(), free_port()
    with Origin(echo) as o, Server() as s, silent_listener(s.port), \
            silent_listener(o.port):
        begun = time.monotonic()
        with Client(s, [
                {**tcp("t", o, port), "localIP": "several.test"},
                {**tcp("u", o, other), "localIP": "refused.test"}],
                conf) as c:
            base = levels(c)
            for _ in range(5):
                talk(port)
            took = time.monotonic() - begun
            check(1.5 < took < 15 * PATIENCE, f"{took:.1f} s")
            talk(other)
            settle(c, base)
        fails({**conf, "serverAddr": "silent.test", "serverPort": s.port,
               "transport": {"dialServerTimeout": 2}}, "i/o timeout")


@case("localhost: by IPv4, then IPv6, whoever is asked for names")
def localhost():
    ports = free_port(), free_port(), free_port()
    conf = {"dnsServer": f"127.0.0.1:{free_port()}"}
    with Origin(echo) as o, Origin(echo, "::1") as six, Server() as s, Client(
            s, [{**tcp(n, p, port), "localIP": "localhost"} for n, p, port in (
                ("t", o, ports[0]), ("u", six, ports[1]))], conf) as c:
        talk(ports[0])
        talk(ports[1])
        # What a bare port of a line means.
        line = subprocess.Popen(
            [ADIT, "tcp", str(six.port), "-r", str(ports[2]), "-s",
             f"127.0.0.1:{s.port}", "--token", TOKEN],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        check(line.stdout.readline().startswith("tcp://"), "no address")
        talk(ports[2])
        line.terminate()
        equal(line.wait(20), 0)
        line.stdout.close()
        six.close()
        with contextlib.suppress(ConnectionResetError), dial(
                ports[1]) as conn:
            equal(conn.recv(1), b"")
        c.wait_log(r"localhost:\d+\] error: Connection refused")


@case("connectServerLocalIP: the server sees that address")
def local_address():
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(
            s, [tcp("t", o, port)],
            {"transport": {"connectServerLocalIP": "127.0.0.77"}}):
        talk(port)
        check("ip [127.0.0.77]" in s.log(), "the address in the log")


main()

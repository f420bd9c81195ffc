"""frp's https proxies, by an unmodified frpc at aditd and an unmodified frps at
adit, where they are on PATH: the same configuration has the same effect."""
import os
import ssl

from frpkit import Frps, frpc
from harness import (Client, case, curl, dial, equal, levels, main, settle,
                     sha)
from tlskit import (CERT, Page, Tls, TlsNginx, TlsServer, https, records,
                    visit)


def proxies(a, b, c):
    return [{"localIP": "127.0.0.1", **p} for p in (
        https("one", a.port, "a.test", "c.test"),
        https("two", b.port, "*.w.test"),
        https("three", c.port, subdomain="sub"))]


def refusal(server, name):
    try:
        visit(server.https, name)
    except (ssl.SSLError, ConnectionError) as e:
        return getattr(e, "reason", "cut")
    return None


def look(s):
    """What is the same at either server."""
    for host, want in (("a.test", b"one"), ("c.test", b"one"),
                       ("x.w.test", b"two"), ("sub.tunnel.test", b"three")):
        equal(curl(f"https://{host}:{s.https}/", "--cacert", CERT, "--resolve",
                   f"{host}:{s.https}:127.0.0.1")[2], want, host)
    equal(refusal(s, "b.test"), "TLSV1_UNRECOGNIZED_NAME")
    t = Tls(dial(s.https), "a.test")
    t.sock.sendall(records(t.hello, 100))
    equal(t.shake().ask(), b"one", "in records of 100 bytes")
    t.sock.close()


@case("frpc at aditd: https by name")
def frpc_names():
    with Page(b"one") as a, Page(b"two") as b, Page(b"three") as c, \
            TlsServer() as s, frpc(s, proxies(a, b, c)):
        look(s)


@case("adit at frps: https by name")
def frps_names():
    with Page(b"one") as a, Page(b"two") as b, Page(b"three") as c, \
            Frps() as s, Client(s, proxies(a, b, c)) as client:
        client.wait_log(
            rf'remote_addr="a.test:{s.https},c.test:{s.https}"')
        look(s)


@case("frpc at aditd: 64 MiB, and what is refused")
def frpc_large():
    data = os.urandom(64 << 20)
    with TlsNginx({"big": data}) as o, TlsServer() as s, frpc(
            s, [https("n", o.tls, "a.test")]):
        base = levels(s)
        equal(sha(curl(f"https://a.test:{s.https}/big", "--cacert", CERT,
                       "--resolve", f"a.test:{s.https}:127.0.0.1")[2]),
              sha(data))
        settle(s, base, 40)
        with frpc(s, [https("m", o.tls, "a.test")], wait=False) as second:
            second.wait_log("router config conflict")


class Told(Page):
    """Reads a PROXY header before the TLS."""

    def __init__(self):
        self.seen = []
        super().__init__(b"one")

    def talk(self, conn):
        line = b""
        while not line.endswith(b"\r\n"):
            line += conn.recv(1)
        self.seen.append(line)
        super().talk(conn)


PROXY = {"localIP": "127.0.0.1",
         "transport": {"proxyProtocolVersion": "v1"}}


def hears(s, a):
    t = visit(s.https, "a.test")
    port = t.sock.getsockname()[1]
    equal(t.ask(), b"one")
    t.sock.close()
    equal(a.seen, [b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n"
                   % (port, s.https)])


@case("frpc at aditd: the service hears of the visitor by PROXY protocol")
def frpc_proxy_protocol():
    with Told() as a, TlsServer() as s, frpc(s, [
            {**https("n", a.port, "a.test"), **PROXY}]):
        hears(s, a)


@case("adit at frps: the service hears of the visitor by PROXY protocol")
def frps_proxy_protocol():
    with Told() as a, Frps() as s, Client(s, [
            {**https("n", a.port, "a.test"), **PROXY}]):
        hears(s, a)


main()

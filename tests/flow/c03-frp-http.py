"""frp's http keys, by an unmodified frpc at aditd and an unmodified frps at
adit, where they are on PATH: the same configuration has the same effect."""
import contextlib
import subprocess

from frpkit import Frps, frpc
from harness import (Client, Server, case, check, curl, dial, equal, main,
                     until)
from httpkit import Reader, Site, get, http

GROUP = {"group": "g", "groupKey": "k"}
PROXIES = [
    ("all", {}),
    ("foo", {"locations": ["/foo"]}),
    ("bob", {"routeByHTTPUser": "bob"}),
    ("in", {"customDomains": ["in.test"], "httpUser": "u",
            "httpPassword": "p", "hostHeaderRewrite": "inside.test",
            "requestHeaders": {"set": {"X-A": "1"}},
            "responseHeaders": {"set": {"X-B": "2"}}}),
    ("one", {"customDomains": ["g.test"], "loadBalancer": GROUP}),
    ("two", {"customDomains": ["g.test"], "loadBalancer": GROUP}),
]


def ask(port, path="/", host="a.test", *args):
    return curl(f"http://127.0.0.1:{port}{path}", "-H", f"Host: {host}", *args)


@contextlib.contextmanager
def sites():
    with contextlib.ExitStack() as stack:
        made = {name: stack.enter_context(Site(name.encode()))
                for name, _ in PROXIES}
        yield made, [http(name, made[name].port,
                          *more.get("customDomains", ["a.test"]),
                          **{k: v for k, v in more.items()
                             if k != "customDomains"})
                     for name, more in PROXIES]


def look(port, o):
    """What the keys say, at either server."""
    for path, login, want in (("/x", None, b"all/x"),
                              ("/foobar", None, b"foo/foobar"),
                              ("/%66oo", None, b"foo/%66oo"),
                              ("/x", "bob:pw", b"bob/x"),
                              ("/foo", "eve:pw", b"foo/foo")):
        equal(ask(port, path, "a.test", *(["-u", login] if login else []))[2],
              want, f"{path} {login}")
    status, head, _ = ask(port, "/", "in.test")
    equal(status, 401)
    check('www-authenticate: basic realm="restricted"' in head.lower(), head)
    status, head, body = ask(port, "/", "in.test", "-u", "u:p")
    equal((status, body), (200, b"in/"))
    check("X-B: 2" in head, head)
    fields = dict(o["in"].seen[-1][2])
    equal((fields[b"host"], fields[b"x-a"]), (b"inside.test", b"1"))
    equal(fields[b"x-forwarded-host"], b"in.test")
    with dial(port) as conn:
        r = Reader(conn)
        got = []
        for _ in range(8):
            conn.sendall(get(b"/", b"g.test"))
            got.append(r.message()[2])
    equal((got.count(b"one/"), got.count(b"two/")), (4, 4), f"turns: {got}")


@case("frpc at aditd: every http key")
def frpc_keys():
    # Each worker has its own turns, and the visitor may change workers.
    with sites() as (o, proxies), Server({"workers": 1}) as s, frpc(s, [
            dict(p, localIP="127.0.0.1") for p in proxies]):
        look(s.http, o)


@case("adit at frps: every http key")
def frps_keys():
    with sites() as (o, proxies), Frps() as s, Client(s, proxies):
        look(s.http, o)


@case("frpc's http_proxy plugin: curl goes through it")
def http_proxy():
    # Its own login would be asked for in vain but by CONNECT: as at frps, it is
    # aditd's, and goes no further.
    plugin = {"type": "http_proxy"}
    with Site(b"far") as far, Server() as s, frpc(s, [
            {"name": "p", "type": "http", "customDomains": ["*"],
             "routeByHTTPUser": "me", "plugin": plugin}]):
        url = f"http://127.0.0.1:{far.port}/x"
        through = ("--proxy", f"http://127.0.0.1:{s.http}",
                   "--noproxy", "", "--proxy-user", "me:pw")
        for how in ((), ("--proxytunnel",)):
            r = subprocess.run(["curl", "-sS", url, *through, *how,
                                "--max-time", "20"], capture_output=True)
            equal(r.stdout, b"far/x", f"{how}: {r.stderr}")


@case("one port for frpc and its visitors")
def one_port():
    s = Server(start=False)
    s.write({**s.conf, "vhostHTTPPort": s.port})
    with Site(b"a") as a, s.start(), frpc(s, [
            {"name": "a", "type": "http", "localIP": "127.0.0.1",
             "localPort": a.port, "customDomains": ["a.test"]}]):
        equal(ask(s.port, "/x")[2], b"a/x")


@case("frpc: idle connections serve one visitor address, then no more")
def by_address():
    with Site(b"a") as a, Server({"workers": 1}) as s, frpc(s, [
            {"name": "a", "type": "http", "localIP": "127.0.0.1",
             "localPort": a.port, "customDomains": ["a.test"]}]):
        for source, want in (("127.0.0.2", 1), ("127.0.0.2", 1),
                             ("127.0.0.3", 2)):
            ask(s.http, "/", "a.test", "--interface", source)
            equal(a.connections, want, source)
        until(lambda: s.counters()["pool_services"] == 0, "they end", 8)


main()

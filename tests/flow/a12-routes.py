"""Whose a request is: locations, users, groups; both readings of a path;
forward proxies; one port for clients and visitors; trusted proxies; whose
requests share a connection."""
import base64
import contextlib
import socket
import threading
import time

from harness import (Client, Origin, Server, case, check, dial, equal, main,
                     read_until, request, until)
from httpkit import Reader, Site, get, http


def basic(login, name="Authorization"):
    return f"{name}: Basic {base64.b64encode(login.encode()).decode()}\r\n" \
        .encode()


def ask(port, path=b"/", host=b"a.test", more=b"", method=b"GET"):
    """The status and the body of one request on a connection of its own."""
    with dial(port) as conn:
        conn.sendall(get(path, host, method=method, more=more))
        first, _, body = Reader(conn).message(method == b"HEAD")
        return int(first.split()[1]), body


@contextlib.contextmanager
def sites(*named, conf=None, clients=1):
    """A site for each proxy, which answers with its name and the path."""
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(Server(conf))
        all_of = {}
        proxies = [[] for _ in range(clients)]
        for i, (name, more) in enumerate(named):
            o = stack.enter_context(Site(name.encode()))
            domains = more.pop("customDomains", ["a.test"])
            proxies[i % clients].append(http(name, o.port, *domains, **more))
            all_of[name] = o
        found = [stack.enter_context(Client(s, p)) for p in proxies if p]
        yield s, all_of, found


@case("locations: the longest prefix, byte by byte; a miss falls through")
def locations():
    with sites(("all", {}), ("foo", {"locations": ["/foo", "/x/y"]}),
               ("deep", {"locations": ["/foo/bar"]}),
               ("wild", {"customDomains": ["*.b.test"]}),
               ("only", {"customDomains": ["c.b.test"],
                         "locations": ["/only"]})) as (s, _, _):
        for host, path, want in (
                (b"a.test", b"/", b"all"), (b"a.test", b"/foo", b"foo"),
                (b"a.test", b"/foobar", b"foo"), (b"a.test", b"/FOO", b"all"),
                (b"a.test", b"/%66oo", b"foo"), (b"a.test", b"/x/y?z", b"foo"),
                (b"a.test", b"/x?/x/y", b"all"),
                (b"a.test", b"/foo/bar/", b"deep"),
                (b"a.test", b"/fo", b"all"),
                (b"c.b.test", b"/only/x", b"only"),
                (b"c.b.test", b"/else", b"wild"),
                (b"a.test", b"http://c.b.test/only", b"only"),
                (b"a.test", b"http://a.test", b"all"),
                (b"a.test", b"http://a.test?/foo", b"all")):
            status, body = ask(s.http, path, host)
            equal((status, body[:len(want)]), (200, want), f"{host} {path}")
        equal(ask(s.http, b"/", b"b.test")[0], 404)


@case("two readings of a path that lead to two proxies")
def two_readings():
    with sites(("all", {}),
               ("admin", {"locations": ["/admin"], "httpUser": "u",
                          "httpPassword": "p"})) as (s, o, _):
        for path in (b"/x/../admin", b"//admin", b"/%2fadmin", b"/x/%2e%2e/admin",
                     b"/x/..;a/admin", b"/x\\..\\admin", b"/./admin/x",
                     b"/admin/../x", b"/;/admin", b"/%zz", b"/a%00",
                     b"/x/..%2fadmin?y"):
            equal(ask(s.http, path)[0], 400, path.decode())
        equal(ask(s.http, b"/admin")[0], 401)
        check(not o["admin"].seen and not o["all"].seen, "nothing forwarded")
        for path in (b"/a/../b", b"//b", b"/%2e%2e/b", b"/a;b/c"):
            equal(ask(s.http, path), (200, b"all" + path), path.decode())
        equal(ask(s.http, b"/admin/../admin/a", more=basic("u:p")),
              (200, b"admin/admin/../admin/a"))
    # Where no proxy has locations, a path is the service's matter.
    with sites(("all", {})) as (s, _, _):
        for path in (b"/x/../admin", b"/%zz", b"//%2f"):
            equal(ask(s.http, path), (200, b"all" + path), path.decode())


@case("routeByHTTPUser: whose login it is, then everybody's")
def by_user():
    with sites(("bob", {"routeByHTTPUser": "bob"}),
               ("bobs", {"routeByHTTPUser": "bob", "locations": ["/bob"]}),
               ("every", {"httpUser": "eve", "httpPassword": "pw"}),
               ) as (s, _, _):
        equal(ask(s.http, more=basic("bob:anything")), (200, b"bob/"))
        equal(ask(s.http, b"/bob/x", more=basic("bob:")), (200, b"bobs/bob/x"))
        equal(ask(s.http, more=basic("eve:pw")), (200, b"every/"))
        equal(ask(s.http, more=basic("eve:bad"))[0], 401)
        equal(ask(s.http)[0], 401)
        equal(ask(s.http, more=b"Authorization: Basic !!\r\n")[0], 401)
        # Two logins are none.
        equal(ask(s.http, more=basic("bob:") + basic("eve:pw"))[0], 400)


@case("a group takes turns; who has lost its client drops out at once")
def group():
    lb = {"loadBalancer": {"group": "g", "groupKey": "k"}}
    with sites(("one", dict(lb, httpUser="u", httpPassword="p")),
               ("two", dict(lb)), ("three", dict(lb)), clients=3) as (s, o, c):
        me = basic("u:p")
        # The first one's keys rule: the others have no login of their own.
        equal(ask(s.http)[0], 401)
        equal([ask(s.http, more=me)[0] for _ in range(60)], [200] * 60)
        per = [len(o[n].seen) for n in ("one", "two", "three")]
        equal(sum(per), 60)
        check(min(per) >= 12, f"turns: {per}")
        for bad, why in (({"group": "g", "groupKey": "x"}, "group auth failed"),
                         ({"group": "g", "groupKey": "k"},
                          "group params invalid")):
            with Client(s, [http("bad", 1, "z.test", loadBalancer=bad)],
                        wait=False) as b:
                b.wait_log(why)
        with Client(s, [http("bad", 1, "a.test")], wait=False) as b:
            b.wait_log("router config conflict")
        # In the middle of traffic the first member's client is killed.
        statuses, stop = [], threading.Event()

        def visit():
            while not stop.is_set():
                statuses.append(ask(s.http, more=me)[0])
        threads = [threading.Thread(target=visit) for _ in range(4)]
        for t in threads:
            t.start()
        until(lambda: len(statuses) > 50, "traffic")
        c[0].kill()
        until(lambda: "proxy closed" in s.log(), "the member has gone")
        n = len(statuses)
        until(lambda: len(statuses) > n + 100, "traffic goes on")
        stop.set()
        for t in threads:
            t.join()
        bad = [x for x in statuses if x != 200]
        # A request that was on its way to the killed client is cut or 502, of
        # each, and the next one where that worker has not heard of it yet.
        check(len(bad) <= 8, f"{len(bad)} of {len(statuses)} failed: {bad}")
        equal(ask(s.http)[0], 401, "the group's keys stay")
        c[1].stop()
        equal([ask(s.http, more=me) for _ in range(10)],
              [(200, b"three/")] * 10)


@case("NTLM in a group: the member that has the login is asked on")
def pinned_in_group():
    lb = {"loadBalancer": {"group": "g", "groupKey": "k"}}
    a, b = Site(b"A"), Site(b"B")
    for site in (a, b):
        site.answers[b"/login"] = (b"HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM"
                                   b"\r\nContent-Length: 1\r\n\r\n" + site.name)
    with a, b, Server() as s, Client(s, [
            http("a", a.port, "a.test", **lb),
            http("b", b.port, "a.test", **lb)]):
        visitors = 0
        # Each worker takes its own turns: who comes to another one may meet
        # the same member again.
        while visitors < 3 or not (a.seen and b.seen):
            check(visitors < 100, "others have their turns")
            visitors += 1
            with dial(s.http) as conn:
                r = Reader(conn)
                conn.sendall(get(b"/login"))
                first = r.message()[2]
                for i in range(6):
                    conn.sendall(get(b"/%d" % i))
                    equal(r.message()[2], first + b"/%d" % i)
                conn.sendall(get(b"/login"))
                equal(r.message()[2], first)
        equal((a.connections + b.connections), visitors,
              "service connections")


@case("a member whose service is dead is passed over")
def dead_member():
    lb = {"loadBalancer": {"group": "g"}}
    with sites(("one", dict(lb)), ("two", dict(lb)), clients=2) as (s, o, c):
        o["two"].close()
        equal([ask(s.http) for _ in range(20)], [(200, b"one/")] * 20)
        # What may not be sent twice is not: half of them meet the dead one.
        got = [ask(s.http, method=b"POST", more=b"Content-Length: 0\r\n")[0]
               for _ in range(20)]
        check(set(got) == {200, 503}, got)


@case("OPTIONS *, Max-Forwards, TRACE, HTTP/2")
def for_us():
    with sites(("a", {})) as (s, o, _):
        for host in (b"a.test", b"nobody.test"):
            status, body = ask(s.http, b"*", host, method=b"OPTIONS")
            equal((status, body), (200, b""))
        equal(ask(s.http, b"/", method=b"OPTIONS",
                  more=b"Max-Forwards: 0\r\n"), (200, b""))
        check(not o["a"].seen, "nothing forwarded")
        equal(ask(s.http, b"/", method=b"OPTIONS",
                  more=b"Max-Forwards: 3\r\n")[0], 200)
        check((b"max-forwards", b"2") in o["a"].seen[0][2], o["a"].seen)
        equal(ask(s.http, b"/", method=b"TRACE")[0], 405)
        got = request(s.http, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        equal(got[:9], bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), "SETTINGS")
        equal(got[9:13], bytes([0, 0, 8, 7]), "GOAWAY")
        equal(got[-4:], bytes([0, 0, 0, 13]), "HTTP_1_1_REQUIRED")


class ForwardProxy(Origin):
    """What frpc's http_proxy plugin is: CONNECT echoes, others say what came."""

    def __init__(self, grant=b"HTTP/1.1 200 OK\r\n\r\n"):
        self.heads, self.grant = [], grant
        super().__init__(self.talk)

    def talk(self, conn):
        head = read_until(conn, b"\r\n\r\n")
        self.heads.append(head)
        if not head.startswith(b"CONNECT"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            read_until(conn, b"never")
            return
        conn.sendall(self.grant)
        while data := conn.recv(65536):
            conn.sendall(data)


@case("behind a CONNECT that is refused nothing is a request")
def connect_refused():
    answers = {b"407": b"HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nno",
               b"200": b"HTTP/1.1 204 No Content\r\n\r\n",
               b"502": b"HTTP/1.1 nonsense\r\n\r\n", b"503": b""}
    seen = []

    def serve(conn):
        while head := read_until(conn, b"\r\n\r\n"):
            seen.append(head)
            name = head.split()[1].partition(b".")[0]
            if not answers.get(name):
                return
            conn.sendall(answers[name])
    with Origin(serve) as o, Server() as s, Client(s, [
            http("any", o.port, "*")]):
        for status in (b"407", b"502", b"503"):
            with dial(s.http) as conn:
                conn.sendall(b"CONNECT %s.test:1 HTTP/1.1\r\nHost: %s.test:1"
                             b"\r\n\r\n" % (status, status)
                             + get(b"/smuggled", b"200.test"))
                r = Reader(conn)
                line, fields, _ = r.message()
                equal(line.split()[1], status)
                check((b"connection", b"close") in fields, fields)
                equal(r.message(), None)
        check(not any(b"smuggled" in head for head in seen), seen)


@case("CONNECT and absolute-form, to who may be a proxy itself")
def forward_proxy():
    with ForwardProxy() as p, Site(b"a") as a, \
            ForwardProxy(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n") as no, \
            Server() as s, \
            Client(s, [http("any", p.port, "*", httpUser="u",
                            httpPassword="p"),
                       http("user", no.port, "a.test", routeByHTTPUser="x"),
                       http("a", a.port, "a.test")]):
        login = basic("u:p", "Proxy-Authorization")
        with dial(s.http) as conn:
            conn.sendall(b"CONNECT far.test:443 HTTP/1.1\r\n"
                         b"Host: far.test:443\r\n" + login + b"\r\nearly")
            r = Reader(conn)
            first, fields = r.head()
            equal(first, b"HTTP/1.1 200 OK")
            check(b"content-length" not in dict(fields), fields)
            equal(r.take(5), b"early")
            conn.sendall(b"x" * 100000)
            equal(r.take(100000), b"x" * 100000)
        check(p.heads[0].startswith(
            b"CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n"), p.heads)
        check(login.strip() in p.heads[0], "the login is the proxy's, too")
        check(b"X-Forwarded" not in p.heads[0], p.heads)
        equal(ask(s.http, b"far.test:443", b"far.test", method=b"CONNECT")[0],
              407)
        # Its own login is not the proxy's (CVE-2026-40910).
        equal(ask(s.http, b"far.test:443", b"far.test", method=b"CONNECT",
                  more=basic("u:p"))[0], 407)
        equal(ask(s.http, b"a.test:443", method=b"CONNECT")[0], 405)
        equal(ask(s.http, b"far.test:443", method=b"CONNECT",
                  more=login + b"Content-Length: 3\r\n")[0], 400)
        # A refusal is a response like others.
        equal(ask(s.http, b"a.test:1", method=b"CONNECT",
                  more=basic("x:", "Proxy-Authorization")), (403, b""))
        for _ in range(2):
            equal(ask(s.http, b"http://far.test:80/a?b", more=login),
                  (200, b"ok"))
            head = p.heads[-1]
            check(head.startswith(b"GET http://far.test:80/a?b HTTP/1.1\r\n"
                                  b"Host: far.test:80\r\n"), head)
            check(b"Proxy-Authorization" not in head, head)
        equal(p.connections, 3, "each on a connection of its own")
        equal(ask(s.http, b"http://a.test/x"), (200, b"a/x"))


@case("one port for clients and visitors")
def one_port():
    with Site(b"a") as a:
        s = Server(start=False)
        s.write({**s.conf, "vhostHTTPPort": s.port})
        with s.start(), Client(s, [http("a", a.port, "a.test")]):
            equal(ask(s.port, b"/x"), (200, b"a/x"))
            equal(ask(s.port, b"/x", method=b"get"), (200, b"a/x"))
            for pieces in ((b"G", b"ET / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
                           (b"\r", b"\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n"),
                           (b"o", b"ptions / HTTP/1.1\r\nHost: a.test\r\n\r\n")):
                with dial(s.port) as conn:
                    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for piece in pieces:
                        conn.sendall(piece)
                        time.sleep(0.05)
                    equal(Reader(conn).message()[0][:12], b"HTTP/1.1 200")
            with dial(s.port) as conn:
                conn.sendall(b"o")
            # Nonsense is neither.
            with dial(s.port) as conn:
                conn.sendall(b"\x01\x02\x03")
                conn.settimeout(10)
                with contextlib.suppress(ConnectionResetError):
                    equal(conn.recv(10), b"")


@case("trusted proxies keep what they say of the visitor")
def trusted():
    said = (b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"
            b"X-Forwarded-Host: public.test\r\nForwarded: for=9.9.9.9\r\n"
            b"X-Real-IP: 9.9.9.9\r\n")
    for proxies, believed in (("127.0.0.0/8", True), ("127.0.0.1", True),
                              ("10.0.0.0/8", False)):
        with sites(("a", {}), conf={"trustedProxies": [proxies]}) as (s, o, _):
            equal(ask(s.http, more=said)[0], 200)
            fields = dict(o["a"].seen[0][2])
            equal(fields[b"x-forwarded-for"], b"9.9.9.9, 127.0.0.1")
            equal(fields[b"x-forwarded-proto"], b"https" if believed else b"http")
            equal(fields[b"x-forwarded-host"],
                  b"public.test" if believed else b"a.test")
            equal(b"x-real-ip" in fields, believed)
            equal(b"forwarded" in fields, believed)


def visits(s, o, conns=2, each=3):
    """Connections that the site sees, for so many of visitors, in turn."""
    before = o.connections
    open_ones = [dial(s.http) for _ in range(conns)]
    readers = [Reader(c) for c in open_ones]
    for _ in range(each):
        for conn, r in zip(open_ones, readers):
            conn.sendall(get(b"/"))
            equal(r.message()[2], b"a/")
    for conn in open_ones:
        conn.close()
    return o.connections - before


@case("http.reuse: whose requests share a connection")
def reuse():
    for mode, want in (("shared", 1), ("address", 1), ("visitor", 2),
                       ("never", 6)):
        conf = {"http": {"reuse": mode}, "workers": 1}
        with sites(("a", {}), conf=conf) as (s, o, _):
            equal(visits(s, o["a"]), want, mode)


@case("http.via: said both ways, when it is asked for")
def via():
    with sites(("a", {}), conf={"http": {"via": True}}) as (s, o, _):
        with dial(s.http) as conn:
            conn.sendall(get(b"/", more=b"Via: 1.0 other\r\n"))
            _, fields, _ = Reader(conn).message()
        check((b"via", b"1.1 adit") in fields, fields)
        equal([v for k, v in o["a"].seen[0][2] if k == b"via"],
              [b"1.0 other", b"1.1 adit"])


@case("a POST goes on the visitor's own connection while that is fresh")
def own_connection():
    with sites(("a", {}), conf={"workers": 1}) as (s, o, _):
        a = o["a"]
        post = get(b"/", method=b"POST", more=b"Content-Length: 2\r\n") + b"hi"
        with dial(s.http) as conn, dial(s.http) as other:
            r = Reader(conn)
            begun = -1
            while time.monotonic() - begun >= 0.8:
                # What came too late to be fresh is sent again when none is.
                time.sleep(1.2 if a.connections else 0)
                begun, had = time.monotonic(), a.connections
                for _ in range(3):
                    conn.sendall(post)
                    equal(r.message()[2], b"a/")
            equal(a.connections, had + 1, "fresh")
            # Another visitor's POST has no connection of its own yet.
            had = a.connections
            other.sendall(post)
            equal(Reader(other).message()[2], b"a/")
            equal(a.connections, had + 1, "another's")
            time.sleep(1.2)
            conn.sendall(post)
            equal(r.message()[2], b"a/")
            equal(a.connections, had + 2, "a second later")


@case("408 on a connection that was idle: it had died")
def late_408():
    with sites(("a", {}), conf={"workers": 1}) as (s, o, _):
        a = o["a"]
        first = []

        def talk(conn, reader):
            """The first connection answers once, then only with 408."""
            if not first:
                first.append(conn)
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
                return True
            if conn is first[0]:
                conn.sendall(b"HTTP/1.1 408 Late\r\nConnection: close\r\n"
                             b"Content-Length: 0\r\n\r\n")
                return False
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")
            return True
        a.answers[b"/x"] = talk
        with dial(s.http) as conn:
            r = Reader(conn)
            for want in (b"1", b"2"):
                conn.sendall(get(b"/x"))
                m = r.message()
                equal((m[0][:12], m[2]), (b"HTTP/1.1 200", want))
        equal(s.counters()["http_retries"], 1)


@case("Keep-Alive: timeout=1 is too short to be kept")
def says_timeout():
    with sites(("a", {}), conf={"workers": 1}) as (s, o, _):
        for timeout, want in ((b"1", 4), (b"100", 1)):
            o["a"].answers[b"/k"] = (
                b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=" + timeout +
                b", max=9\r\nContent-Length: 2\r\n\r\na/")
            before = o["a"].connections
            with dial(s.http) as conn:
                r = Reader(conn)
                for _ in range(4):
                    conn.sendall(get(b"/k"))
                    equal(r.message()[2], b"a/")
            equal(o["a"].connections - before, want, timeout.decode())


@case("limits of heads and of requests a connection")
def limits():
    conf = {"http": {"headSize": 512, "headFields": 5, "responseHeadSize": 300,
                     "responseHeadFields": 4, "requestsPerConnection": 3}}
    with sites(("a", {}), conf=conf) as (s, o, _):
        equal(ask(s.http, more=b"A: " + b"x" * 300 + b"\r\n")[0], 200)
        equal(ask(s.http, more=b"A: " + b"x" * 600 + b"\r\n")[0], 431)
        equal(ask(s.http, b"/" + b"x" * 600)[0], 414)
        equal(ask(s.http, more=b"A: b\r\n" * 4)[0], 200)
        equal(ask(s.http, more=b"A: b\r\n" * 5)[0], 431)
        for path, more, want in ((b"/s", b"B: " + b"y" * 300 + b"\r\n", 502),
                                 (b"/f", b"B: c\r\n" * 4, 502),
                                 (b"/o", b"B: c\r\n" * 3, 200)):
            o["a"].answers[path] = (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                    + more + b"\r\n")
            equal(ask(s.http, path)[0], want)
        with dial(s.http) as conn:
            conn.sendall(get(b"/") * 5)
            r = Reader(conn)
            closes = [dict(r.message()[1]).get(b"connection") for _ in range(3)]
            equal(closes, [None, None, b"close"])
            equal(r.message(), None)


@case("Upgrade to something else than WebSocket")
def other_upgrades():
    with sites(("a", {})) as (s, o, _):
        def switch(to):
            def talk(conn, _):
                conn.sendall(b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n"
                             b"Upgrade: " + to + b"\r\n\r\n")
                while data := conn.recv(65536):
                    conn.sendall(data)
                return False
            return talk
        o["a"].answers.update({b"/tcp": switch(b"tcp"), b"/h2c": switch(b"h2c"),
                               b"/other": switch(b"websocket")})
        ask_for = (b"Connection: Upgrade\r\nUpgrade: h2c, tcp, SPDY/3.1\r\n"
                   b"Content-Length: 0\r\n")
        with dial(s.http) as conn:
            conn.sendall(get(b"/tcp", method=b"POST", more=ask_for) + b"early")
            r = Reader(conn)
            first, fields = r.head()
            equal((first[:12], dict(fields)[b"upgrade"]),
                  (b"HTTP/1.1 101", b"tcp"))
            equal(r.take(5), b"early")
        fields = dict(o["a"].seen[0][2])
        equal((fields[b"upgrade"], fields[b"connection"]),
              (b"tcp, SPDY/3.1", b"Upgrade"))
        equal(ask(s.http, b"/h2c", more=ask_for)[0], 502)
        equal(ask(s.http, b"/other", more=ask_for)[0], 502)


@case("trailers go to who takes them")
def trailers():
    body = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
            b"Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n"
            b"Set-Cookie: no\r\n\r\n")
    with sites(("a", {})) as (s, o, _):
        o["a"].answers[b"/t"] = body
        for te, want in ((b"", b"0\r\n\r\n"),
                         (b"TE: trailers\r\n", b"0\r\nX-Sum: 7\r\n\r\n")):
            with dial(s.http) as conn:
                conn.sendall(get(b"/t", more=te))
                got = read_until(conn, want)
            check(got.endswith(b"3\r\nabc\r\n" + want), got)
            equal(b"Trailer: X-Sum" in got, bool(te))


main()

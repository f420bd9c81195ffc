"""Users: who may log in, what they may publish, and when that ends."""
import configparser
import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from frpkit import frpc
from harness import (ADITD, ROOT, TOKEN, Client, Origin, Server, Skip, case,
                     check, dial, echo, equal, free_port, levels, main, merge,
                     mostly, reset, settle, until)
from tlskit import context
from userskit import read_again, with_file, write_users

try:
    from frp import FrpClient, frame, login_key
except ImportError as e:
    frp_missing = str(e)
else:
    frp_missing = None

WRONG = "token in login doesn't match token from configuration"
ALICE = {"name": "alice", "frpToken": "alice-secret"}
BOB = {"name": "bob", "frpToken": "bob-secret"}
SECRETS = {"alice": "alice-secret", "bob": "bob-secret", "": TOKEN}


def client(s, user="alice", token=None, **options):
    if frp_missing:
        raise Skip(frp_missing)
    c = FrpClient(s.port, SECRETS.get(user, "") if token is None else token,
                  **options)
    c.user = user
    return c


def tls_client(s, *alpn):
    """The same inside TLS."""
    c = client(s)
    connect = c.connect

    def wrapped():
        channel = connect()
        channel.sock = context(
            alpn, check_hostname=False, verify_mode=ssl.CERT_NONE).wrap_socket(
                channel.sock)
        return channel

    c.connect = wrapped
    return c


def login(c, **fields):
    return c.login(**({"user": c.user} if c.user else {}), **fields)


def login_later(c, **fields):
    """In another second than those before: of one second two logins are the
    same."""
    now = int(time.time())
    until(lambda: int(time.time()) > now, "another second", 3)
    return login(c, **fields)


def refused(s, user, token, **fields):
    """The text of a refused login."""
    with client(s, user, token) as c:
        answer = login(c, **fields)
        check(answer.get("error"), f"{user} was let in: {answer}")
        return answer["error"]


def users(*records, **conf):
    return Server({"users": list(records), **conf})


def web_or_echo(sock, start, data):
    """A service of two kinds, by the name of its proxy."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    while data or (data := sock.recv(65536)):
        sock.sendall(answer if start["proxy_name"] == "alice.w" else data)
        data = b""


@case("each with a secret of its own; the cipher's key comes from it")
def secrets():
    with users(ALICE, BOB) as s:
        for user in ("alice", "bob", ""):
            with client(s, user) as c:
                check("error" not in login(c), user)
                equal(c.ping(), {}, "Pong, which is encrypted")


@case("a wrong secret, an unknown user and one without: one and the same text")
def wrong():
    with users(ALICE, BOB, {"name": "carol", "keys": [
            "V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY"]},
            {**BOB, "name": "off", "disabled": True},
            {**BOB, "name": "old", "expires": "2020-01-01"}) as s:
        for user, token, cause in (
                ("alice", "bob-secret", "wrong token"),
                ("alice", TOKEN, "wrong token"),
                ("nobody", "x", "unknown user"),
                ("nobody", TOKEN, "unknown user"),
                ("carol", "", "no frpToken"),
                ("off", "bob-secret", "user is disabled"),
                ("old", "bob-secret", "user has expired"),
                ("", "wrong", "wrong token")):
            equal(refused(s, user, token), WRONG, user)
            s.wait_log(rf"refused: {WRONG} \({cause}\)"
                       + (rf", user \[{user}\]" if user else '"'))


@case("without auth.token nobody comes in without a user")
def no_token():
    with users(ALICE, auth={"token": None}) as s:
        equal(refused(s, "", ""), WRONG)
        equal(refused(s, "", "alice-secret"), WRONG)
        with client(s) as c:
            check("error" not in login(c), "alice")


@case("proxies have the user's name before theirs")
def names():
    with users(ALICE, BOB) as s:
        with client(s) as c, client(s, "") as other:
            login(c)
            login(other)
            check("does not begin with" in c.new_proxy(
                "web", remote_port=free_port())["error"], "web")
            check("does not begin with" in c.new_proxy(
                "bob.web", remote_port=free_port())["error"], "bob.web")
            check("error" not in c.new_proxy(
                "alice.web", remote_port=free_port()), "alice.web")
            # Also while he is not there, in whatever case.
            for name in ("bob.web", "Bob.web", "BOB.x"):
                check("belongs to a user" in other.new_proxy(
                    name, remote_port=free_port())["error"], name)
            check("error" not in other.new_proxy(
                "eve.web", remote_port=free_port()), "eve.web")


@case("domains: hers alone, in any spelling, also while she is away")
def domains():
    alice = {**ALICE, "domains": ["www.a.test", "*.Alice.test.", "BÜ.test"]}
    with Server({"users": [alice]}, start=False) as s:
        s.expect_exit = 2
        s.launch()
        until(lambda: not s.alive(), "ends")
        check(re.search(r"users\[0\]\.domains\[2\]: .*is allowed", s.log()),
              s.log())
    alice["domains"][2] = "xn--b-xga.test"
    with users(alice, BOB) as s, client(s, "bob") as b, client(s, "") as e:
        login(b)
        login(e)
        for host in ("www.a.test", "WWW.A.TEST", "www.a.test.",
                     "x.alice.test", "x.y.ALICE.test", "*.alice.test",
                     "xn--b-xga.test", "XN--B-XGA.test", "*.a.test", "*"):
            for c, name in ((b, "bob.w"), (e, "w")):
                answer = c.new_proxy(name, "http", custom_domains=[host])
                check("another user" in answer.get("error", ""),
                      f"{host}: {answer}")
        for host in ("bü.test", "www.a.test:80", "www.a.test..", "a test"):
            answer = b.new_proxy("bob.w", "http", custom_domains=[host])
            check("is not valid" in answer.get("error", ""),
                  f"{host}: {answer}")
        check("error" not in b.new_proxy("bob.o", "http", custom_domains=[
            "b.test"]), "b.test")
        with client(s) as a:
            login(a)
            check("not among the domains" in a.new_proxy(
                "alice.x", "http", custom_domains=["a.test"])["error"], "a")
            check("not among the domains" in a.new_proxy(
                "alice.x", "http", subdomain="mine")["error"], "subdomain")
            for i, host in enumerate(("www.a.test", "x.alice.test",
                                      "*.alice.test", "XN--B-XGA.test")):
                answer = a.new_proxy(f"alice.{i}", "http",
                                     custom_domains=[host])
                check("error" not in answer, f"{host}: {answer}")


@case("a domain that nobody lists: hers alone while she has something there")
def tenure():
    with users(ALICE, BOB, subDomainHost="t.test", vhostHTTPSPort=free_port(),
               auth={"token": TOKEN}) as s, client(s) as a, \
            client(s, "bob") as b, client(s, "") as e:
        for c in (a, b, e):
            login(c)
        check("error" not in a.new_proxy("alice.w", "http", subdomain="fox",
                                         custom_domains=["a.test"],
                                         locations=["/api"]), "alice.w")
        kinds = [("http", {}), ("http", {"locations": ["/login"]}),
                 ("http", {"locations": ["/login"], "group": "g"}),
                 ("http", {"route_by_http_user": "joe"}), ("https", {})]
        for kind, more in kinds:
            for where in ({"subdomain": "fox"}, {"custom_domains": ["A.test"]},
                          {"custom_domains": ["b.test", "a.test"]}):
                if "group" in more and len(where.get("custom_domains", "")) > 1:
                    continue  # a group has one place
                for c, name in ((b, "bob.x"), (e, "x")):
                    answer = c.new_proxy(name, kind, **more, **where)
                    check("in use by another user" in answer.get("error", ""),
                          f"{name}, {kind}, {more}, {where}: {answer}")
        # What he was refused is not hers to fail by, nor is the rest.
        check("error" not in b.new_proxy("bob.x", "http", custom_domains=[
            "b.test", "*.test"]), "bob.x")
        check("error" not in a.new_proxy("alice.s", "https", custom_domains=[
            "a.test"]), "alice.s")
        check("error" not in a.new_proxy("alice.l", "http", custom_domains=[
            "a.test"], locations=["/login"]), "alice.l")
        for name in ("alice.w", "alice.l"):
            a.close_proxy(name)
        check("in use" in b.new_proxy("bob.y", "http", custom_domains=[
            "a.test"])["error"], "she has alice.s there")
        a.close_proxy("alice.s")
        until(lambda: "error" not in b.new_proxy(
            "bob.y", "http", custom_domains=["a.test"]), "she has left")


def said_by(s, host, path="/"):
    """The user whose service answers, or the status."""
    with dial(s.http) as conn:
        conn.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
                     % (path.encode(), host.encode()))
        head = conn.recv(65536).decode()
        who = re.search(r"(?m)^X-User: (\w+)", head)
        return who[1] if who else head.split()[1]


def named(user):
    """A client whose service tells whose it is."""
    def serve(sock, _, data):
        while data or (data := sock.recv(65536)):
            sock.sendall(b"HTTP/1.1 200 OK\r\nX-User: %s\r\n"
                         b"Content-Length: 0\r\n\r\n" % user.encode())
            data = b""
    return serve


@case("a wildcard is for what no other user has, also while that one is away")
def stand_in():
    carol = {"name": "carol", "frpToken": "alice-secret",
             "domains": ["*.c.test"]}
    dave = {"name": "dave", "frpToken": "alice-secret",
            "domains": ["www.c.test", "*.d.c.test"]}
    with users(ALICE, BOB, carol, dave) as s, contextlib.ExitStack() as stack:
        c = {}
        for user in ("alice", "bob", "carol", "dave"):
            c[user] = stack.enter_context(client(
                s, user, SECRETS.get(user, "alice-secret"),
                serve=named(user)))
            login(c[user])

        def publish(user, name, *hosts, **more):
            answer = c[user].new_proxy(f"{user}.{name}", "http",
                                       custom_domains=list(hosts), **more)
            check("error" not in answer, answer)

        publish("carol", "w", "*.c.test")
        publish("alice", "w", "*.a.test")
        publish("bob", "w", "www.a.test", locations=["/api"])
        for host, path, who in (
                ("x.c.test", "/", "carol"), ("www.c.test", "/", "404"),
                ("WWW.c.test.", "/", "404"), ("d.c.test", "/", "carol"),
                ("x.d.c.test", "/", "404"), ("x.y.d.c.test", "/", "404"),
                ("x.a.test", "/", "alice"), ("www.a.test", "/api", "bob"),
                # He is there: what he does not serve is not hers.
                ("www.a.test", "/", "404")):
            equal(said_by(s, host, path), who, f"{host}{path}")
        publish("dave", "w", "www.c.test")
        equal(said_by(s, "www.c.test"), "dave", "he is back")
        c["dave"].close_proxy("dave.w")
        until(lambda: said_by(s, "www.c.test") == "404", "he has left")
        c["bob"].close_proxy("bob.w")
        until(lambda: said_by(s, "www.a.test") == "alice", "bob has left")


@case("groups are a user's own: another's of that name is another one")
def groups():
    with users(ALICE, BOB) as s, client(s, serve=named("alice")) as a, \
            client(s, "bob", serve=named("bob")) as b:
        login(a)
        login(b)
        check("error" not in a.new_proxy("alice.1", "http", custom_domains=[
            "a.test"], group="web"), "alice.1")
        check("in use by another" in b.new_proxy(
            "bob.1", "http", custom_domains=["a.test"],
            group="web").get("error", ""), "her group")
        check("error" not in b.new_proxy("bob.1", "http", custom_domains=[
            "b.test"], group="web"), "his own")
        check("error" not in a.new_proxy("alice.2", "http", custom_domains=[
            "a.test"], group="web"), "alice.2")
        equal({said_by(s, "a.test") for _ in range(6)}, {"alice"}, "a.test")
        equal(said_by(s, "b.test"), "bob", "b.test")


@case("ports: hers alone; any is one of them")
def ports():
    low, own = free_port(), free_port()
    alice = {**ALICE, "ports": [{"single": own}, {"start": low, "end": low}]}
    with users(alice, BOB, allowPorts=[{"single": own}, {"single": low},
                                       {"single": free_port()}]) as s, \
            client(s) as a, client(s, "bob") as b:
        login(a)
        login(b)
        for port in (own, low):
            check("belongs to another user" in b.new_proxy(
                "bob.t", remote_port=port)["error"], port)
        check("not among the ports" in a.new_proxy(
            "alice.t", remote_port=free_port())["error"], "another")
        got = {a.new_proxy(f"alice.{i}")["remote_addr"] for i in range(2)}
        equal(got, {f":{own}", f":{low}"}, "any")
        check("no available port" in a.new_proxy("alice.3")["error"], "full")
        # Nor does he get one of hers for any.
        check(b.new_proxy("bob.t")["remote_addr"] not in got, "bob's")


@case("types, and how many")
def types():
    with users({**ALICE, "types": ["http"]},
               {**BOB, "limits": {"proxies": 2}},
               vhostHTTPSPort=free_port()) as s, \
            client(s) as a, client(s, "bob") as b, client(s, "bob") as b2:
        login(a)
        login(b)
        login(b2)
        check("proxies of type [tcp]" in a.new_proxy(
            "alice.t", remote_port=free_port())["error"], "tcp")
        check("proxies of type [https]" in a.new_proxy(
            "alice.s", "https", custom_domains=["w.test"])["error"], "https")
        check("error" not in a.new_proxy(
            "alice.w", "http", custom_domains=["w.test"]), "http")
        # In both of his clients together.
        b.new_proxy("bob.1", remote_port=free_port())
        b2.new_proxy("bob.2", remote_port=free_port())
        for c in (b, b2):
            check("more than 2 proxies" in c.new_proxy(
                "bob.3", remote_port=free_port())["error"], "a third")
        b2.close_proxy("bob.2")
        until(lambda: "error" not in b.new_proxy(
            "bob.3", remote_port=free_port()), "one in its place")


@case("how many: what is refused meanwhile takes nobody's place")
def refused_meanwhile():
    for conf, record in (({"maxPortsPerClient": 2}, BOB), (
            {}, {**BOB, "limits": {"proxies": 2}})):
        with users(record, **conf) as s, client(s, "bob") as c:
            login(c)
            good = [free_port(), free_port(), free_port()]
            for i, port in enumerate([s.port] * 5 + good):
                c.control.send("p", {
                    "proxy_name": f"bob.{i}", "proxy_type": "tcp",
                    "remote_port": port})
            answers = [c.answer("2") for _ in range(8)]
            equal([a["proxy_name"] for a in answers if not a.get("error")],
                  ["bob.5", "bob.6"], f"{conf}: {answers}")
            check("max_ports" in answers[7]["error"]
                  or "more than 2" in answers[7]["error"], answers[7])


@case("visitors a second: those beyond are closed, or get a 503")
def rate():
    port = free_port()

    with users({**ALICE, "limits": {"connectionsPerSecond": 5}}, BOB) as s, \
            client(s, serve=web_or_echo) as a:
        def served():
            try:
                with dial(port) as conn:
                    conn.sendall(b"x")
                    return conn.recv(1) == b"x"
            except ConnectionError:
                return False

        def status():
            with dial(s.http) as conn:
                conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
                return int(conn.recv(1000).split()[1])

        login(a, pool_count=5)
        a.new_proxy("alice.t", remote_port=port)
        a.new_proxy("alice.w", "http", custom_domains=["w.test"])

        def come(ask, good):
            """Twenty; how many found no room."""
            begun = time.monotonic()
            got = [ask() for _ in range(20)]
            # Five at once, then one each 200 ms.
            most = 5 + 5 * (time.monotonic() - begun) + 1
            check(got[:5] == [good] * 5 and 5 <= got.count(good) <= most, got)
            return 20 - got.count(good)

        over = come(served, True)
        time.sleep(1.1)
        over += come(status, 200)
        equal(s.counters()["visitors_over_limit"], over, "counted")


@case("visitors at once: of both kinds together, parked ones, too")
def visitors():
    port = free_port()

    with users({**ALICE, "limits": {"visitors": 3}}) as s, \
            client(s, serve=web_or_echo) as a:
        def come():
            """A visitor who stays; None: there is no room for him."""
            try:
                conn = dial(port)
                conn.sendall(b"x")
                return conn if conn.recv(1) else None
            except ConnectionError:
                return None

        login(a, pool_count=5)
        a.new_proxy("alice.t", remote_port=port)
        a.new_proxy("alice.w", "http", custom_domains=["w.test"])
        for _ in range(3):
            web = dial(s.http)
            web.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
            check(web.recv(100).startswith(b"HTTP/1.1 200"), "http")
            stay = [come(), come()]
            check(all(stay), "three of them")
            until(lambda: s.counters()["pool_parked"] == 2, "parked", 20)
            for _ in range(5):
                check(come() is None, "a fourth")
            with dial(s.http) as conn:
                conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n\r\n")
                check(conn.recv(100).startswith(b"HTTP/1.1 503"), "http")
            # An end would be held for 30 s with frpc.
            for conn in [web, *stay]:
                reset(conn)
            until(lambda: s.counters()["pool_visitors"]
                  + s.counters()["pool_parked"] == 0, "all gone")


@case("a clock that is off: by how much, and who may")
def clock():
    with users(ALICE, {**BOB, "maxClockSkew": "any"},
               {"name": "carol", "frpToken": "c", "maxClockSkew": 60}) as s:
        def at(user, off, token=None):
            now = int(time.time()) + off
            with client(s, user, token) as c:
                return login(c, timestamp=now, privilege_key=login_key(
                    c.token, now)).get("error")

        equal(at("alice", 800), None)
        equal(at("alice", -800), None)
        check(re.match(r"the client's clock is 16 min [3-4]\d s ahead of the "
                       r"server's, 15 min 0 s at most", at("alice", 1000)),
              at("alice", 1000))
        check("1 h 0 min behind" in at("alice", -3601), at("alice", -3601))
        check("behind" in at("alice", -2**62), "long ago")
        # Only who knows the secret is told of it.
        equal(at("alice", -3601, "wrong"), WRONG)
        equal(at("bob", -10**9), None)
        check("1 min 0 s at most" in at("carol", 100, "c"), "carol")
        # As in frp, unless loginWindow is set.
        equal(at("", -10**6), None)
    with Server({"loginWindow": 60}) as s:
        check("1 min 0 s at most" in at("", -100), "loginWindow")


@case("over TLS by a day")
def clock_tls():
    with users(ALICE) as s:
        def at(off):
            now = int(time.time()) + off
            with tls_client(s) as c:
                return login(c, timestamp=now, privilege_key=login_key(
                    c.token, now)).get("error")

        equal(at(86000), None)
        equal(at(-86000), None)
        check("24 h 0 min at most" in at(-87000), at(-87000))


@case("a login that was seen before is refused after a while")
def replay():
    with users(ALICE, BOB) as s:
        now = int(time.time())
        same = {"timestamp": now, "privilege_key": login_key(
            "alice-secret", now)}
        # Honest clients of one token in one second.
        several = [client(s) for _ in range(20)]
        for c in several:
            check("error" not in login(c, **same), "the same second")
        for c in several[2:]:
            c.close()
        time.sleep(31)
        # All but the first may be replays.
        check("error" not in several[0].new_proxy("alice.0"), "the first")
        several[1].control.send("p", {"proxy_name": "alice.1",
                                      "proxy_type": "tcp"})
        several[1].answer("")
        for c in several[:2]:
            c.close()
        equal(refused(s, "alice", None, **same), "this login was used before")
        with client(s) as c:
            check("error" not in login(c), "a new one")


@case("after a restart, too; the file is for its owner only")
def restart():
    now = int(time.time())
    same = {"timestamp": now, "privilege_key": login_key("alice-secret", now)}
    with users(ALICE) as s:
        with client(s) as c:
            check("error" not in login(c, **same), "the first")
        path = os.path.join(s.dir, "aditd", "legacy-seen")
        until(lambda: os.path.exists(path), "written")
        s.restart()
        equal(refused(s, "alice", None, **same), "this login was used before")
        with open(path) as f:
            equal(len(f.readlines()), 1, "of the killed one")
        until(lambda: int(time.time()) > now, "another second", 3)
        with client(s) as c:
            check("error" not in login(c), "a new one")
        s.stop()
        with open(path) as f:
            lines = f.readlines()
        equal(len(lines), 2, "and of the other, at its end")
        check(all(re.fullmatch(r"\d{10} \d{10} alice\n", x) for x in lines),
              lines)
        # What is over is left out, and what is no line.
        with open(path, "a") as f:
            f.write("1000 999 alice\nnonsense\n2000000000 17")
        s.start()
        with open(path) as f:
            equal(f.readlines(), lines)
        s.stop()
        os.chmod(path, 0o644)
        s.expect_exit = 1
        s.launch()
        until(lambda: not s.alive(), "ends")
        check("chmod 600" in s.log(), s.log())


@case("a user of too many logins gets no more in; nobody else's are forgotten")
def too_many():
    now = int(time.time())
    most = 8704  # SEEN_MAX

    def alice(s, first, end):
        for stamp in range(first, end):
            with dial(s.port) as conn:
                conn.sendall(frame("o", {
                    "user": "alice", "timestamp": stamp,
                    "privilege_key": login_key("alice-secret", stamp)}))
                check(b"error" not in conn.recv(1000), stamp)
                reset(conn)

    same = {"timestamp": now, "privilege_key": login_key("bob-secret", now)}
    with users({**ALICE, "maxClockSkew": "any"}, BOB) as s:
        with client(s, "bob") as b:
            check("error" not in login(b, **same), "bob")
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda i: alice(s, now + i * most // 4,
                                             now + (i + 1) * most // 4),
                             range(4)))
        for _ in range(2):
            with client(s) as a:
                stamp = now + most
                equal(login(a, timestamp=stamp, privilege_key=login_key(
                    "alice-secret", stamp))["error"],
                      "too many logins as this user")
            with client(s, "bob") as b:
                check("error" not in login_later(b), "bob again")
            time.sleep(2)
            s.restart()
            equal(refused(s, "bob", None, **same), "this login was used before")


@case("another user's run id is answered with a fresh one")
def foreign():
    with users(ALICE, BOB) as s, client(s) as a, client(s) as again:
        run_id = login(a)["run_id"]
        # Nor is that told apart from one that nobody has.
        for user, asked in (("bob", run_id), ("", run_id),
                            ("bob", "0123456789abcdef"),
                            ("", "0123456789abcdef")):
            with client(s, user) as c:
                answer = login(c, run_id=asked)
                check("error" not in answer and re.fullmatch(
                    "[0-9a-f]{16}", answer["run_id"])
                      and answer["run_id"] != asked, answer)
        equal(a.ping(), {}, "she is not disturbed")
        equal(login_later(again, run_id=run_id)["run_id"], run_id, "her own")
        equal(a.ping(), {}, "not yet")
        equal(again.ping(), {}, "anybody could")
        equal(a.ping(), {}, "nor yet")
        again.new_proxy("alice.t", remote_port=free_port())
        until(lambda: s.counters()["controls_replaced"] == 1, "replaced")
        a.answer("")


@case("a login is provisional until its first message, which is no replay")
def provisional():
    port = free_port()
    now = int(time.time())
    same = {"timestamp": now, "privilege_key": login_key("alice-secret", now)}
    with users(ALICE) as s, client(s) as a, client(s) as thief, \
            client(s) as again, client(s) as other:
        sent = []
        run_id = login(a, **same, pool_count=2)["run_id"]
        seal = a.control.cfb.encrypt
        a.control.cfb.encrypt = lambda data: sent.append(seal(data)) or sent[-1]
        a.new_proxy("alice.t", remote_port=port)
        until(lambda: a.requests == 2, "the pool")
        # Somebody who has listened: with her run id, and her login.
        for c in (thief, again):
            equal(login(c, run_id=run_id, **same)["run_id"], run_id)
        equal(login(other, **same).get("error"), None)
        time.sleep(0.3)
        equal([c.requests for c in (thief, again, other)], [0, 0, 0],
              "nobody asks them for work connections")
        equal(a.ping(), {}, "she is not disturbed")
        # And with what she said then; or with noise.
        for c in (thief, other):
            c.control.sock.sendall(sent[0])
            c.answer("")
        # One block behind an IV that was none can be made of what is known:
        # the first of hers is the IV, the second and its text say the rest.
        plain = frame("p", {"proxy_name": "alice.t", "proxy_type": "tcp",
                            "remote_port": port})
        stream = bytes(x ^ y for x, y in zip(sent[0][32:48], plain[16:32]))
        with client(s) as forger:
            login(forger, run_id=run_id, **same)
            for text, kind in ((frame("h", {}), "4"), (frame("p", {}), "")):
                if kind == "":
                    forger.close()
                    forger = client(s)
                    login(forger, run_id=run_id, **same)
                forger.control.sock.sendall(sent[0][16:32] + bytes(
                    x ^ y for x, y in zip(text, stream)))
                forger.answer(kind)
            forger.close()
        again.control.sock.sendall(os.urandom(200))
        again.answer("")
        equal(a.ping(), {}, "still")
        with dial(port) as conn:
            conn.sendall(b"x")
            equal(conn.recv(1), b"x", "her visitor")
        equal(s.counters()["controls_replaced"], 0)


def record(c):
    """What goes over the client's control from now on, as somebody on the way
    sees it: two lists of pieces."""
    sent, got = [], []
    cfb = c.control.cfb
    seal, open_ = cfb.encrypt, cfb.decrypt
    cfb.encrypt = lambda data: sent.append(seal(data)) or sent[-1]
    cfb.decrypt = lambda data: got.append(data) or open_(data)
    return sent, got


@case("what was recorded of a control replaces it not, from wherever on")
def suffix():
    port = free_port()
    now = int(time.time())
    same = {"timestamp": now, "privilege_key": login_key("alice-secret", now)}

    def proxy(name):
        return frame("p", {"proxy_name": name, "proxy_type": "tcp",
                           "remote_port": port})

    # The second message begins with a block.
    name = "alice." + "x" * next(
        n for n in range(1, 17) if len(proxy("alice." + "x" * n)) % 16 == 0)
    with users(ALICE) as s, client(s) as a:
        run_id = login(a, **same, pool_count=0)["run_id"]
        sent, got = record(a)
        for proxy_name in (name, "alice.second"):
            check("error" not in a.new_proxy(
                proxy_name, remote_port=port if proxy_name == name
                else free_port()), proxy_name)
        sent, got = b"".join(sent), b"".join(got)
        # Any block is the IV of those behind it; and ours are under her key.
        tried = [sent[at:] for at in range(0, len(sent) - 48, 16)]
        tried += [got[at:] for at in range(0, len(got) - 48, 16)]
        for again in tried:
            with elsewhere(s, f"127.0.1.{1 + tried.index(again)}") as thief:
                equal(login(thief, run_id=run_id, **same)["run_id"], run_id)
                thief.control.sock.sendall(again)
                with contextlib.suppress(OSError):
                    thief.control.sock.shutdown(socket.SHUT_WR)
                thief.answer("")
                equal(thief.requests, 0, "work connections")
        # Nor is it another login inside TLS, of either kind.
        for alpn in ((), ("adit/1",)):
            with tls_client(s, *alpn) as thief:
                equal(login(thief, run_id=run_id, **same)["run_id"], run_id)
                thief.control.sock.sendall(sent)
                thief.answer("")
        equal(a.ping(), {}, "she is not disturbed")
        with dial(port) as conn:
            conn.sendall(b"x")
            equal(conn.recv(1), b"x", "her visitor")
        equal(s.counters()["controls_replaced"], 0)
        check("its login came before" in s.log(), "one was near")


@case("logins that come again and again fill no room that others need")
def crowd():
    now = int(time.time())
    same = {"timestamp": now, "privilege_key": login_key("alice-secret", now)}
    with users(ALICE, BOB, limits={"controls": 8}) as s, client(s) as a, \
            contextlib.ExitStack() as stack:
        login(a, **same)
        check("error" not in a.new_proxy("alice.t"), "alice.t")
        for i in range(30):
            thief = stack.enter_context(elsewhere(s))
            check("error" not in login(thief, **same), f"replay {i}")
        # Who has proven himself stays: of each kind.
        for user in ("bob", "", "bob", "bob", "", "bob", "bob"):
            c = stack.enter_context(client(s, user))
            check("error" not in login(c), user)
            check("error" not in c.new_proxy(
                f"{user}.{free_port()}".lstrip(".")), user)
        equal(a.ping(), {}, "she is not disturbed")
        for user in ("bob", "alice", ""):
            with client(s, user) as c:
                equal(login(c).get("error"), "too many clients", user)
        until(lambda: s.counters()["pool_controls"] == 8, "their controls")
        equal(s.counters()["controls_displaced"], 30)


@case("who begins with noise has failed to log in")
def noise():
    now = int(time.time())
    same = {"timestamp": now, "privilege_key": login_key("alice-secret", now)}
    with users(ALICE) as s, client(s) as a:
        login(a, **same)
        for _ in range(5):
            with elsewhere(s) as thief:
                check("error" not in login(thief, **same), "again")
                thief.control.sock.sendall(os.urandom(200))
                thief.answer("")
        equal(s.counters()["logins_failed"], 5)
        with elsewhere(s) as thief:
            check("as this user from this address" in login(
                thief, **same)["error"], "cut off")
        equal(a.ping(), {}, "she is not disturbed")


@case("a client that comes back takes over what it had, at once")
def take_over():
    port = free_port()
    with users(ALICE) as s, client(s) as a, client(s) as b:
        run_id = login(a)["run_id"]
        a.new_proxy("alice.t", remote_port=port)
        equal(login_later(b, run_id=run_id)["run_id"], run_id)
        # Two messages in one piece: the second waits with the first.
        b.control.send_raw(frame("h", {}) + frame("p", {
            "proxy_name": "alice.t", "proxy_type": "tcp",
            "remote_port": port}))
        equal(b.answer("4"), {}, "Pong")
        equal(b.answer("2"), {"proxy_name": "alice.t",
                              "remote_addr": f":{port}"})
        a.answer("")
        for _ in range(3):
            with dial(port) as conn:
                conn.sendall(b"x")
                equal(conn.recv(1), b"x")
        until(lambda: s.counters()["pool_controls"] == 1, "one is left")


@case("revoked during a download: it ends within a second")
def revoke():
    stop = threading.Event()

    def pour(sock, _start, _data):
        while not stop.is_set():
            sock.sendall(bytes(65536))

    def download(port, host=None):
        conn = dial(port)
        if host:
            conn.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        conn.settimeout(5)
        check(conn.recv(65536), "the download begins")
        return conn

    def serve(sock, start, data):
        if "src_addr" in start and start["proxy_name"].endswith(".w"):
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        pour(sock, start, data)

    def ends(conn):
        conn.settimeout(10)
        try:
            while conn.recv(1 << 20):
                pass
        except OSError:
            pass
        return time.monotonic()

    ports, took = [free_port(), free_port()], []
    with with_file(ALICE, BOB) as s:
        for change in ([BOB], [{**ALICE, "disabled": True}, BOB],
                       [{**ALICE, "frpToken": "another"}, BOB],
                       [{**ALICE, "ports": [{"single": 1}]}, BOB],
                       [{**ALICE, "expires": None}, BOB]):
            if change[0].get("expires", "") is None:
                change[0]["expires"] = time.strftime(
                    "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))
            with client(s, serve=serve) as a, client(
                    s, "bob", serve=serve) as b:
                base = levels(s)
                login(a, pool_count=4)
                login(b)
                a.new_proxy("alice.t", remote_port=ports[0])
                b.new_proxy("bob.t", remote_port=ports[1])
                a.new_proxy("alice.w", "http", custom_domains=["w.test"])
                conns = [download(ports[0]), download(s.http, "w.test")]
                stays = download(ports[1])
                idle = dial(ports[0])
                read_again(s, *change)
                if "expires" in change[0]:
                    s.wait_log("its user may", since=s.log().rfind("again"))
                begin = time.monotonic()
                for conn in conns + [idle]:
                    took.append(ends(conn) - begin)
                check(stays.recv(65536), "bob's goes on")
                a.answer("")
                stays.close()
                idle.close()
            stop.set()
            settle(s, base)
            stop.clear()
            if "ports" not in change[0]:
                check(refused(s, "alice", "alice-secret") == WRONG, change)
            read_again(s, ALICE, BOB)
        # Which of them the machine stands still for is not ours.
        mostly(took, 1, 10, "an end")
        equal(s.counters()["controls_revoked"], 5)


@case("revoked while a visitor is parked: it is cut")
def parked():
    port = free_port()
    with with_file(ALICE) as s, client(s) as a:
        login(a)
        a.new_proxy("alice.t", remote_port=port)
        with dial(port) as conn:
            conn.sendall(b"x")
            equal(conn.recv(1), b"x")
            until(lambda: s.counters()["parks"] > 0, "parked", 20)
            read_again(s, BOB)
            conn.settimeout(10)
            try:
                equal(conn.recv(1), b"", "cut")
            except ConnectionError:
                pass


@case("a file of users: who may read it, what is in it, and when it changes")
def file():
    for mode, spoil, error in (
            (0o644, None, "chmod 600"),
            (0o600, "users: [{name: A}]", "users[0].name"),
            (0o600, "frps: 1", "unknown key")):
        with Server({"usersFile": "users.yaml"}, start=False) as s:
            s.expect_exit = 2
            path = os.path.join(s.dir, "users.yaml")
            write_users(path, ALICE)
            if spoil:
                with open(path, "w") as f:
                    f.write(spoil)
            os.chmod(path, mode)
            s.launch()
            until(lambda: not s.alive(), "ends")
            check(error in s.log(), s.log())
    with with_file(ALICE) as s:
        equal(refused(s, "bob", "bob-secret"), WRONG)
        read_again(s, ALICE, BOB)
        with client(s, "bob") as b, client(s) as a:
            check("error" not in login(b), "bob")
            check("error" not in login(a), "alice")
            mark = s.mark()
            write_users(s.users, {"name": "alice"})
            s.wait_log("the users stay as they were", since=mark)
            equal(b.ping(), {}, "nobody was disturbed")
            os.remove(s.users)
            time.sleep(2.2)
            equal(b.ping(), {}, "nor without the file")
            read_again(s, {**ALICE, "limits": {"proxies": 1}}, BOB)
            equal(b.ping(), {}, "nor by what does not matter")
            a.new_proxy("alice.1", remote_port=free_port())
            check("more than 1" in a.new_proxy(
                "alice.2", remote_port=free_port())["error"], "the limit")


def token(s, *words, code=0):
    """What aditd says about a user of the server's state directory."""
    done = subprocess.run([ADITD, "token", *words], env=s.env, text=True,
                          capture_output=True, timeout=20, check=False)
    equal(done.returncode, code, f"{words}: {done.stderr}")
    return done.stdout + done.stderr


@case("without a token and users only this machine is served")
def open_to_all():
    with Server({"auth": {"token": None}}) as s, client(s, "", "") as c:
        check("error" not in login(c), "on loopback, as frp")
    for conf in ({"bindAddr": "0.0.0.0"}, {"bindAddr": "::"},
                 {"proxyBindAddr": "0.0.0.0"}):
        s = Server(merge({"auth": {"token": None}}, conf), start=False)
        done = subprocess.run([ADITD, "-c", s.conf_path], env=s.env, text=True,
                              capture_output=True, timeout=20, check=False)
        equal(done.returncode, 2, done.stderr)
        check(re.match(r".*auth\.token: not given, nor are users",
                       done.stderr), done.stderr)
        token(s, "new", "alice")
        with s.start():
            check("users: 1 from" in s.log(), "a user is enough")


@case("aditd token: new, list and revoke, while the server runs")
def tokens():
    with Server(start=False) as s:
        said = token(s, "new", "alice", "--frpc")
        secret = re.search(r'auth\.token = "(adit_[\w-]{49})"', said)[1]
        check(re.search(r"^token +adit_[\w-]{49}$", said, re.M), said)
        path = os.path.join(s.dir, "aditd", "users")
        equal(os.stat(path).st_mode & 0o777, 0o600)
        equal(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        with open(path) as f:
            kept = f.read()
        mine = re.search(r"^token +(\S+)", said, re.M)[1]
        check(mine not in kept and secret in kept, "what is kept")
        s.start()
        with client(s, "alice", secret) as a:
            check("error" not in login(a), "alice")
            mark = s.mark()
            said = token(s, "new", "bob", "--frpc")
            s.wait_log("read again, users: 2", since=mark)
            with client(s, "bob", re.search(r'= "(adit_\S+)"', said)[1]) as b:
                check("error" not in login(b), "bob")
            check(re.search(r"^alice .*\nbob ", token(s, "list")), "list")
            check("there is a user" in token(s, "new", "alice", code=1),
                  "twice")
            mark = s.mark()
            token(s, "revoke", "alice")
            a.answer("", 10)
        # The workers have heard of it before the log says so.
        s.wait_log("read again, users: 1", since=mark)
        with client(s, "alice", secret) as c:
            equal(login(c).get("error"), WRONG)
        token(s, "revoke", "bob")
        s.wait_log("read again, users: 0")
        token(s, "revoke", "bob", code=1)
        for words in ((), ("new",), ("new", "A"), ("list", "x"), ("other",),
                      ("revoke", "a", "--frpc"), ("new", "a", "b")):
            token(s, *words, code=2)
    for mode, what in ((0o755, "chmod 700"), (0o700, "chmod 600")):
        with Server(start=False) as s:
            token(s, "new", "alice")
            path = os.path.join(s.dir, "aditd", "users")
            os.chmod(os.path.dirname(path), mode)
            if mode == 0o700:
                os.chmod(path, 0o640)
            check(what in token(s, "list", code=1), what)
            s.expect_exit = 2
            s.launch()
            until(lambda: not s.alive(), "ends")
            check(what in s.log(), s.log())
    with Server({"users": [ALICE]}) as s:
        equal(subprocess.run([ADITD, "token", "new", "bob", "-c",
                              s.conf_path], env=s.env, check=False,
                             capture_output=True).returncode, 1)


@case("aditd token renew: other secrets, and the record stays")
def renewed():
    with Server(start=False) as s:
        path = os.path.join(s.dir, "aditd", "users")
        secret = re.search(r'auth\.token = "(\S+)"',
                           token(s, "new", "alice", "--frpc"))[1]
        token(s, "new", "bob")
        with open(path) as f:
            alice, bob = f.read().split("- name: \"bob\"")
        more = ('  domains:\n  - "a.test"\n  ports:\n  - start: 1\n'
                '    end: 9\n  limits:\n    proxies: 3\n'
                '  expires: "2099-01-01"\n')
        with open(path, "w") as f:
            f.write(alice + more + '- name: "bob"' + bob)
        s.start()

        def renew(*words):
            """What is printed, and what has changed in her record."""
            said = token(s, "renew", "alice", *words)
            check(re.search(r"^user +alice\ntoken +adit_[\w-]{49}\n"
                            r"join +'adit://alice:adit_", said, re.M), said)
            with open(path) as f:
                hers, his = f.read().split('- name: "bob"')
            equal(os.stat(path).st_mode & 0o777, 0o600)
            equal(his, bob, "bob's")
            check(hers.endswith(more), hers)
            return said, hers[:-len(more)]

        with client(s, "alice", secret) as a:
            check("error" not in login(a), "alice")
            mark = s.mark()
            said, one = renew()
            s.wait_log("read again, users: 2", since=mark)
            equal(one.count("- \""), 1, "one key")
            check(one != alice and "frpc" not in said and secret in one, one)
            equal(a.ping(), {}, "her frpc's is another secret")
            mark = s.mark()
            said, two = renew("--frpc")
            other = re.search(r'auth\.token = "(\S+)"', said)[1]
            check(two != one and secret not in two and other in two, two)
            a.answer("", 10)
        # The workers have heard of it before the log says so.
        s.wait_log("read again, users: 2", since=mark)
        with client(s, "alice", other) as a:
            check("error" not in login(a), "with the other one")
        check("no user carol" in token(s, "renew", "carol", code=1), "nobody")
        token(s, "renew", code=2)
        equal(len(re.findall(" keys 1 ", token(s, "list"))), 2)


@case("aditd token writes no file that loses something, or cannot be read again")
def handwriting():
    large = "users:\n" + "".join(
        f'- name: "u{i}"\n  frpToken: "{i:01000}"\n' for i in range(1000))
    large += '- name: "alice"\n  frpToken: "%s"\n'
    large %= "x" * (1048576 - len(large % ""))
    for text, error, verbs in (
            ("users:  # ours\n- {name: alice, frpToken: a}\n",
             r"users\.yaml:1: a comment", 3),
            ("users:\n- {name: bob, frpToken: b}\n"
             "- {name: alice, frpToken: '{{ .Envs.SECRET_OF_HERS }}'}\n",
             r"users\.yaml:3: a template", 3),
            (large, r"users\.yaml would have \d+ bytes; 1048576 are allowed",
             1)):
        with Server({"usersFile": "users.yaml"}, start=False) as s:
            s.env["SECRET_OF_HERS"] = "not-for-a-file"
            path = os.path.join(s.dir, "users.yaml")
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o600)
            for words in (("new", "carol"), ("revoke", "alice"),
                          ("renew", "alice"))[:verbs]:
                done = subprocess.run(
                    [ADITD, "token", *words, "-c", s.conf_path], env=s.env,
                    cwd=s.dir, text=True, capture_output=True, timeout=20,
                    check=False)
                equal(done.returncode, 1, done.stderr)
                check(re.search(error, done.stderr), done.stderr)
                equal(done.stdout, "", "no secret of nobody's")
                with open(path) as f:
                    equal(f.read(), text, "it is as it was")
            equal(sorted(n for n in os.listdir(s.dir) if "users" in n),
                  ["users.yaml"])
            if text == large:
                equal(subprocess.run(
                    [ADITD, "token", "revoke", "alice", "-c", s.conf_path],
                    env=s.env, cwd=s.dir, timeout=20, check=False).returncode,
                    0, "one less")


@case("an address that fails too often is cut off, for logins only")
def failures():
    port = free_port()
    with users(ALICE) as s, client(s) as a:
        login(a)
        a.new_proxy("alice.t", remote_port=port)
        begun = time.monotonic()
        texts = [refused(s, f"guess-{i}", "x") for i in range(12)]
        equal(texts[:10], [WRONG] * 10)
        check(re.match(r"too many failed logins from .* in \d+ s", texts[10]),
              texts[10])
        check("too many" in refused(s, "alice", "alice-secret"), "cut off")
        equal(s.counters()["logins_failed"], 10)
        equal(s.counters()["logins_cut_off"], 3)
        # A flood of them is no flood of the log.
        for _ in range(200):
            refused(s, "alice", "x")
        # One more try each six seconds.
        more = s.counters()["logins_failed"] - 10
        check(0 <= more <= (time.monotonic() - begun) / 6, f"{more} more")
        equal(s.counters()["logins_cut_off"], 203 - more)
        check(1 <= s.log().count("refused: too many failed") < 5, s.log())
        # Who is in stays, with new work connections.
        for _ in range(3):
            with dial(port) as conn:
                conn.sendall(b"x")
                equal(conn.recv(1), b"x")
        with elsewhere(s) as other:
            check("error" not in login(other), "from elsewhere")


@case("guesses at a user from an address: cut off as that user, there")
def guesses():
    key = "V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY"
    with users(ALICE, BOB) as s:
        # Signatures are none of these guesses, however wrong.
        for _ in range(3):
            with client(s) as c:
                equal(login(c, adit={"v": 1, "key": key,
                                     "sig": "A" * 86})["error"], WRONG)
        texts = [refused(s, "alice", f"guess {i}") for i in range(6)]
        equal(texts[:5], [WRONG] * 5)
        check(re.match("too many failed logins as this user from this address",
                       texts[5]), texts[5])
        check("as this user" in refused(s, "alice", "alice-secret"), "as she")
        equal(refused(s, "nobody", "x"), WRONG, "as others")
        for c in (client(s, "bob"), elsewhere(s)):
            with c:
                check("error" not in login(c), f"{c.user} is let in")
        equal(s.counters()["logins_failed"], 9)
        equal(s.counters()["logins_cut_off"], 2)
        s.stop()
        s.wait_log(r'msg="8 failed logins as \[alice\] in the last minute"')
        s.wait_log('msg="1 failed login as nobody known in the last minute"')


def elsewhere(s, source="127.0.0.2"):
    """Alice, from another address."""
    c = client(s)
    c.connect = lambda: _from(source, s.port)
    return c


def _from(source, port):
    from frp import Channel
    return Channel(socket.create_connection(("127.0.0.1", port), 10,
                                            (source, 0)))


# An address in fail2ban's expressions, and a date that it has cut out.
ADDR = r"(?P<address>[0-9.]+|[0-9A-Fa-f:.]+)"
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@case("fail2ban's filter finds the true address, whatever the user is called")
def fail2ban():
    ini = configparser.ConfigParser()
    ini.read(os.path.join(ROOT, "config/fail2ban/filter.d/aditd.conf"))
    found = [re.compile(x.replace("<ADDR>", ADDR)) for x in
             ini["Definition"]["failregex"].strip().splitlines()]
    equal(len(found), 2, "expressions")

    def banned(line):
        line = DATE.sub("", line, count=1)
        # What is left of the milliseconds is cut by its pattern, too.
        line = re.sub(r"^\.\d+", "", line)
        return [m["address"] for x in found if (m := x.search(line))]

    hostile = ["x\n2026-11-24 10:00:00.000 warn msg=\"login of [192.0.2.9] "
               "refused: token in login doesn't match token from "
               "configuration (wrong token)\"", "] (wrong token)", "a" * 5000,
               "%s%n%%", "\u202e\U0001f600", '"}', "\\", "alice"]
    for form in ("text", "json"):
        with users(ALICE, log={"format": form, "level": "info"}) as s:
            for user in hostile:
                equal(refused(s, user, "x"), WRONG, user)
            refused(s, "", "x")
            with client(s) as c:
                now = int(time.time()) - 10**6
                login(c, timestamp=now,
                      privilege_key=login_key("alice-secret", now))
            with client(s, "alice") as c:
                until(lambda: "error" not in login(c), "she is in", 20, 1)

            def all_banned():
                return [a for line in s.log().splitlines()
                        for a in banned(line)]

            # The log is written later than its lines come about.
            want = ["127.0.0.1"] * (len(hostile) + 1)
            until(lambda: len(all_banned()) >= len(want), "they are logged")
            equal(all_banned(), want, form)
            lines = s.log().splitlines()
            refusals = [x for x in lines if "refused" in x]
            check(all(x.isascii() and len(x) < 300 for x in refusals),
                  refusals)


@case("adit as a user: prefix, port, and back again")
def adit():
    port = free_port()
    with users(ALICE) as s, Origin(echo) as o, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}], {
                 "user": "alice", "auth": {"token": "alice-secret"}}):
        s.wait_log(r"new proxy \[alice\.t\]")
        check(reaches(port), "a visitor")
        s.restart()
        until(lambda: reaches(port), "back", 20)


def ended(conn):
    try:
        return conn.recv(1) == b""
    except ConnectionError:
        return True


def reaches(port):
    try:
        with dial(port, timeout=2) as conn:
            conn.sendall(b"x")
            return conn.recv(1) == b"x"
    except OSError:
        return False


@case("the real frpc: user, secret, prefix")
def real():
    port = free_port()
    with users(ALICE, BOB) as s, Origin(echo) as o:
        proxies = [{"name": "t", "type": "tcp", "localPort": o.port,
                    "remotePort": port}]
        alice = {"user": "alice", "auth": {"token": "alice-secret"}}
        with frpc(s, [{**proxies[0], "name": "t"}], wait=False,
                  **alice) as f:
            f.wait_log(r"\[alice\.t\] start proxy success|"
                       r"\[t\] start proxy success")
            with dial(port) as conn:
                conn.sendall(b"hello")
                equal(conn.recv(5), b"hello")
        with frpc(s, proxies, wait=False, user="bob",
                  auth={"token": "alice-secret"}) as f:
            f.wait_log(WRONG)


@case("the real frpc with its defaults, TLS and tcpMux; cut, too")
def real_tls():
    port = free_port()
    with with_file(ALICE, BOB) as s, Origin(echo) as o:
        proxies = [{"name": "t", "type": "tcp", "localPort": o.port,
                    "remotePort": port}]
        with frpc(s, proxies, wait=False, user="bob", transport={},
                  auth={"token": "alice-secret"}) as f:
            f.wait_log(WRONG)
        with frpc(s, proxies, wait=False, user="alice", transport={},
                  auth={"token": "alice-secret"}) as f:
            s.wait_log(r"new proxy \[alice\.t\]")
            check(reaches(port), "a visitor")
            check(s.counters()["tls_sessions"] >= 2, "inside TLS")
            s.restart()
            until(lambda: reaches(port), "back", 20)
            with dial(port) as conn:
                conn.sendall(b"x")
                equal(conn.recv(1), b"x")
                read_again(s, BOB)
                conn.settimeout(3)
                check(ended(conn), "cut")
            f.wait_log(WRONG)
            check(not reaches(port), "nobody is served")


@case("adit as a user with its defaults, TLS of ours, and back again")
def adit_tls():
    port = free_port()
    with users(ALICE) as s, Origin(echo) as o, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}], {
                 "user": "alice", "auth": {"token": "alice-secret"},
                 "transport": {"tls": {"enable": True}}}) as c:
        check(reaches(port), "a visitor")
        check(s.counters()["tls_sessions"] >= 1, "inside TLS")
        s.restart()
        until(lambda: reaches(port), "back", 20)
        c.kill()
        c.start()
        check(reaches(port), "a new one")


main()

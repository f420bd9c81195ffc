"""adit doctor: what it sees at each step of the way, and what it advises."""
import datetime
import hashlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from forgekit import Forge, Impostor, b64, pin_of
from frpkit import Frp, Frps
from harness import (ADIT, TEMP, TOKEN, Client, Origin, Server, case, check,
                     echo, equal, free_port, main, merge, read_until, until)
from tlskit import CERT, certificate

from frp import FrpServer

SECRET = "a-secret-that-is-not-shown"


def doctor(port=None, conf=None, env=None, words=None, host="127.0.0.1"):
    """Its exit code, and what it says."""
    conf = merge({"serverAddr": host, "serverPort": port or 1,
                  "auth": {"token": TOKEN}}, conf or {})
    with tempfile.NamedTemporaryFile("w", dir=TEMP, suffix=".yaml",
                                     delete=False) as f:
        json.dump(conf, f)
    done = subprocess.run(
        [ADIT, "doctor", *(["-c", f.name] if words is None else words)],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "http_proxy": "", **(env or {})})
    for secret in (TOKEN, SECRET):
        check(secret not in done.stdout + done.stderr, "a secret was shown")
    return done.returncode, done.stdout + done.stderr


def sees(said, verdict, what, text, advice=None):
    """One line of it, and what is below it."""
    m = re.search(rf"^{re.escape(verdict)} +{what} +(.*)\n((?: +->.*\n)?)",
                  said, re.M)
    check(m and re.search(text, m[1]), f"{what}, {text}:\n{said}")
    if advice:
        check(re.search(advice, m[2]), f"{advice}:\n{said}")


def wrong(port, what, text, advice=None, conf=None, **more):
    code, said = doctor(port, conf, **more)
    equal(code, 1, said)
    sees(said, "FAIL", what, text, advice)
    return said


def issued(*names, days=(-1, 2)):
    """Paths of an authority's certificate, and of one by it and its key."""
    made, now = [], datetime.datetime.now(datetime.timezone.utc)
    authority = ec.generate_private_key(ec.SECP256R1())
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Middlebox CA")])
    for key, who, ca in ((authority, by, True),
                         (ec.generate_private_key(ec.SECP256R1()), x509.Name([
                             x509.NameAttribute(NameOID.COMMON_NAME,
                                                names[0])]), False)):
        cert = (x509.CertificateBuilder().subject_name(who).issuer_name(by)
                .public_key(key.public_key()).serial_number(1 + len(made))
                .not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1]))
                .add_extension(x509.SubjectAlternativeName(
                    [x509.DNSName(n) for n in names]), False)
                .add_extension(x509.BasicConstraints(ca, None), True)
                .sign(authority, hashes.SHA256()))
        made.append(cert.public_bytes(serialization.Encoding.PEM))
        made.append(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
    base = tempfile.mkdtemp(prefix="issued-", dir=TEMP)
    paths = [os.path.join(base, n) for n in ("ca", "", "cert", "key")]
    for path, text in zip(paths, made):
        if path != base + "/":
            with open(path, "wb") as f:
                f.write(text)
    return paths[0], paths[2], paths[3]


def says(*texts):
    """A service that says something, whatever it is told."""
    def serve(conn):
        for text in texts:
            conn.sendall(text)
        conn.settimeout(60)
        while conn.recv(65536):
            pass
    return Origin(serve)


@case("all is well: pinned, signed, a service; nobody is disturbed")
def well():
    with Forge() as f, Server({"users": [{"name": "alice", "keys": [
            f.public(SECRET)]}]}) as s, Origin(echo) as o:
        conf = {"user": "alice", "auth": {"token": SECRET}, "clientID": "c1",
                "transport": {"extensions": True, "tls": {
                    "enable": True, "pins": [
                    s.wait_log(r"identity \[([\w-]{43})\]")[1]]}},
                "proxies": [{"name": "t", "type": "tcp",
                             "localPort": o.port}]}
        with Client(s, conf["proxies"], conf) as a:
            for _ in range(3):
                code, said = doctor(s.port, conf)
                equal(code, 0, said)
                check(said.endswith("\nnothing is wrong\n"), said)
                for what, text in (
                        ("configuration", rf"127\.0\.0\.1:{s.port}, 1 proxy"),
                        ("name", "is an address"), ("route", "ms"),
                        ("port", "aditd answers"),
                        ("tls", "TLSv1.3.*pinned key"),
                        ("mtu", r"segments of \d+ bytes"),
                        ("login", r"as \[alice\], by aditd .*, signed"),
                        ("clock", "signed"),
                        ("service", rf"\[t\] 127.0.0.1:{o.port} answers")):
                    sees(said, "ok", what, text)
            equal(a.counters()["reconnects"], 0)
            equal(s.counters()["controls_replaced"], 0)
            until(lambda: s.counters()["pool_controls"] == 1, "his have gone")


@case("the command line, as it would run; and what it does not take")
def command_line():
    with Server() as s, Origin(echo) as o:
        words = ["tcp", str(o.port), "--server", f"localhost:{s.port}"]
        code, said = doctor(words=words, env={"ADIT_TOKEN": TOKEN})
        equal(code, 0, said)
        sees(said, "ok", "name", r"localhost is .*127\.0\.0\.1")
        sees(said, "ok", "service", f"localhost:{o.port} answers")
        pin = s.wait_log(r"identity \[([\w-]{43})\]")[1]
        sees(said, "warn", "tls", f"nobody vouches.*{pin}",
             rf"transport\.tls\.pins: \[{pin}\]")
        # Where localhost is ::1 as well, nobody listens there.
        warned = 2 if "[::1]" in said else 1
        check(f"0 wrong, {warned} to be warned of" in said, said)
        wrong(None, "service", "Connection refused", "start the service",
              words=["http", str(free_port()), "-d", "a.test", *words[2:]],
              env={"ADIT_TOKEN": TOKEN})
    for words in (["x"], ["http"], ["-c", "x", "http", "1"],
                  ["http", "1", "2", "-d", "a.test"]):
        equal(doctor(words=words)[0], 2, words)


@case("a join string: each of its servers, in turn")
def joined():
    secret = bytes(range(32))
    token = "adit_" + b64(secret)
    token += b64(hashlib.sha256(token.encode()).digest()[:4])
    with Forge() as f, Server({"users": [{"name": "alice", "keys": [
            f.public(token)]}]}) as s, tempfile.TemporaryDirectory(
                dir=TEMP) as home:
        pin = s.wait_log(r"identity \[([\w-]{43})\]")[1]
        where = {"XDG_CONFIG_HOME": home}
        for ports, code in (([s.port], 0), ([free_port(), s.port], 1)):
            at = ",".join(f"127.0.0.1:{p}" for p in ports)
            got, said = doctor(words=["--join", f"adit://alice:{token}@{at}/"
                                      + pin], env=where)
            equal(got, code, said)
            check(token not in said, "a secret was shown")
            sees(said, "ok", "login", r"as \[alice\].* signed")
            equal(said.count("FAIL"), code, said)
        # It is kept for later, as by what would run.
        code, said = doctor(words=[], env=where)
        equal(code, 1)
        sees(said, "ok", "configuration", f"{home}/adit/join")
        said = doctor(words=[], env={**where, "ADIT_TOKEN": TOKEN})[1]
        sees(said, "warn", "configuration", "127.0.0.1:7000",
             f"{home}/adit/join is not used, because of ADIT_TOKEN")
        said = doctor(words=[], env={"XDG_CONFIG_HOME": "/nonexistent"})[1]
        sees(said, "warn", "configuration", "127.0.0.1:7000",
             "no server was joined: `adit join STRING` or --server")


@case("a configuration with errors: all of them")
def configuration():
    said = wrong(1, "configuration", "cannot be used", "adit verify",
                 {"serverAdr": "x", "transport": {"poolCount": "y"}})
    check("serverAdr" in said and "poolCount" in said, said)
    wrong(None, "configuration", "cannot be used", words=["-c", "/nowhere"])
    wrong(1, "configuration", "transport.tls: ", "readable", {
        "transport": {"tls": {"trustedCaFile": "/nowhere"}}})


@case("no such name; nobody there; an address that is not ours")
def way():
    wrong(1, "name", "nowhere.invalid", "getent", host="nowhere.invalid")
    wrong(free_port(), "route", "Connection refused", "bindPort")
    sees(wrong(1, "route", ".", host="::1"), "ok", "configuration",
         r"the server is \[::1\]:1, ")
    wrong(free_port(), "route", "Cannot assign", "connectServerLocalIP",
          {"transport": {"connectServerLocalIP": "192.0.2.1"}})


@case("a proxy on the way: lets through, refuses, is not there")
def gateway():
    def through(conn):
        head = read_until(conn, b"\r\n\r\n")
        to = re.match(rb"CONNECT 127\.0\.0\.1:(\d+) ", head)
        check(to, head)
        if int(to[1]) != s.port:
            conn.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", s.port)) as on:
            on.settimeout(0.05)
            conn.settimeout(0.05)
            while True:
                for a, b in ((conn, on), (on, conn)):
                    try:
                        data = a.recv(65536)
                        if not data:
                            return
                        b.sendall(data)
                    except TimeoutError:
                        pass
    with Server() as s, Origin(through) as p:
        conf = {"transport": {
            "proxyURL": f"http://me:{SECRET}@127.0.0.1:{p.port}"}}
        code, said = doctor(s.port, conf)
        equal(code, 0, said)
        sees(said, "ok", "route", "transport.proxyURL")
        sees(said, "ok", "proxy", rf"lets through to 127\.0\.0\.1:{s.port}")
        sees(said, "ok", "login", "accepted")
        wrong(1, "proxy", "403", "http_proxy", conf)
        p.close()
        wrong(s.port, "route", "refused", "does the proxy run", conf)


@case("something else on the port: a web server, a greeting, silence, an end")
def port():
    for off, verdict, text in ((0, "ok", "as that"),
                               (-3600, "warn", r"36\d\d s ahead"),
                               (7200, "warn", "s behind")):
        when = time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                             time.gmtime(time.time() + off))
        with says(b"HTTP/1.1 400 Bad\r\nServer: ng\x1b[inx\r\nDate: "
                  + when.encode() + b"\r\n\r\n") as o:
            for tls in (True, False):
                said = wrong(o.port, "port", r"web server.*\[ng\?\[inx\]",
                             "bindPort", {"transport": {"tls": {
                                 "enable": tls}, "tcpMux": tls}})
                sees(said, verdict, "clock", text)
    with says(b"SSH-2.0-OpenSSH_9\r\n") as o:
        wrong(o.port, "port", r"something else.*\[SSH-2\.0", "bindPort")
    with says() as o:
        said = wrong(o.port, "tls", "no answer in time", "a server with TLS")
        sees(said, "-", "port", "says nothing")
    with Origin(lambda conn: None) as o:
        said = wrong(o.port, "tls", "cut", "a server with TLS")
        sees(said, "-", "port", "without a word")
        sees(said, "-", "clock", "nothing tells")


@case("another aditd; a box on the way that ends TLS, with and without adit/1")
def pins():
    ca, cert, key = issued("a.test")
    pin = pin_of(CERT)
    conf = {"transport": {"tls": {"pins": [pin]}}}
    with Server() as s:
        other = s.wait_log(r"identity \[([\w-]{43})\]")[1]
        said = wrong(s.port, "tls", f"not the pinned.*{other}.*{pin}",
                     f"another aditd.*{other}", conf)
        sees(said, "ok", "port", "aditd answers")
    for alpn in ((), ("h2",), ("adit/1",)):
        with Impostor(cert, key, alpn) as i:
            wrong(i.port, "tls", pin_of(cert),
                  "a box on the way ends TLS.*Middlebox CA", conf)
            equal(i.heard, [], "nobody was told anything")


@case("trustedCaFile: good, another authority, another name, too old")
def authority():
    ca, cert, key = issued("a.test")
    conf = {"transport": {"tls": {"trustedCaFile": ca,
                                  "serverName": "a.test"}, "tcpMux": False}}

    def answer(channel, login):
        channel.send("1", {"version": "0.60.0", "run_id": "0123456789abcdef"})
        channel.ended(2)
    with Impostor(cert, key, (), answer) as i:
        code, said = doctor(i.port, conf)
        equal(code, 0, said)
        sees(said, "ok", "tls", "trustedCaFile vouches")
        sees(said, "ok", "port", "a server with TLS answers")
        sees(said, "ok", "login", "frps 0.60.0, by frp's key")
        wrong(i.port, "tls", "another name", r"\[b\.test\]", merge(conf, {
            "transport": {"tls": {"serverName": "b.test"}}}))
        wrong(i.port, "tls", "does not lead", "issued by .*Middlebox", merge(
            conf, {"transport": {"tls": {"trustedCaFile": CERT}}}))
    ca, cert, key = issued("a.test", days=(-3, -1))
    with Impostor(cert, key, ()) as i:
        wrong(i.port, "tls", "expired", "clock", merge(conf, {
            "transport": {"tls": {"trustedCaFile": ca}}}))


@case("the login: a wrong token, a clock that is off, too often, no answer")
def login():
    with Server() as s:
        said = wrong(s.port, "login", "token in login", "auth.token",
                     {"auth": {"token": SECRET}})
        sees(said, "-", "clock", "nothing tells")
        for _ in range(10):
            doctor(s.port, {"auth": {"token": SECRET}})
        wrong(s.port, "login", "too many failed", "wait")
    bare = {"transport": {"tls": {"enable": False}, "tcpMux": False}}
    for error in ("the client's clock is 2 h 0 min behind the server's",
                  "no\nsuch\x1b[1m thing"):
        with FrpServer(TOKEN, free_port()) as f:
            f.answer = {"version": "0.60.0", "error": error}
            said = wrong(f.port, "login", re.escape(re.sub(
                r"[\n\x1b]", "?", error)), conf=bare)
            if "clock" in error:
                sees(said, "FAIL", "clock", "see the login", "NTP")
    for odd in (b"4" + bytes(7) + b"\x02{}", b"1" + bytes(7) + b"\x02[]"):
        with Origin(lambda conn: (conn.recv(5000), conn.sendall(odd),
                                  conn.recv(1))) as o:
            wrong(o.port, "login", ".", conf=bare)


@case("without TLS, where the server wants it; a client certificate")
def wants():
    bare = {"transport": {"tls": {"enable": False}}}
    with Server() as s:
        for mux in (True, False):
            code, said = doctor(s.port, merge(bare, {"transport": {
                "tcpMux": mux}}))
            equal(code, 0, said)
            sees(said, "warn", "tls", "off")
            sees(said, "ok", "login", "aditd")
    with Server({"transport": {"tls": {"force": True}}}) as s:
        wrong(s.port, "login", "cut", "transport.tls.enable", bare)
    mine = certificate("client.test")
    with Server({"transport": {"tls": {"trustedCaFile": mine[0]}}}) as s:
        wrong(s.port, "login", "certificate", "client certificate")
        equal(doctor(s.port, {"transport": {"tls": {
            "certFile": mine[0], "keyFile": mine[1]}}})[0], 0)


@case("trustedCaFile without a pin: by the certificate that frpc is shown")
def authorities():
    mine = certificate("tunnel.test")
    conf = {"transport": {"extensions": True, "tls": {
        "enable": True, "trustedCaFile": mine[0],
        "serverName": "tunnel.test"}}}
    with Forge() as f, Server({"transport": {"tls": {
            "certFile": mine[0], "keyFile": mine[1]}}, "users": [
                {"name": "alice", "keys": [f.public(SECRET)]}]}) as s:
        code, said = doctor(s.port, conf)
        equal(code, 0, said)
        sees(said, "ok", "port", "aditd answers")
        sees(said, "ok", "tls", "trustedCaFile vouches")
        # What is blamed is the certificate that was shown.
        wrong(s.port, "tls", "another name", "other.test", merge(
            conf, {"transport": {"tls": {"serverName": "other.test"}}}))
        said = wrong(s.port, "tls", "does not lead", "lacks", merge(
            conf, {"transport": {"tls": {
                "trustedCaFile": certificate("a.test")[0]}}}))
        pin = s.wait_log(r"identity \[([\w-]{43})\]")[1]
        check("shown is the pin" in said and pin not in said, said)
        code, said = doctor(s.port, merge(
            conf, {"user": "alice", "auth": {"token": SECRET}}))
        equal(code, 0, said)
        sees(said, "ok", "login", r"as \[alice\].* signed")


@case("WebSocket; small packets on the way")
def ways():
    with Server() as s:
        for tls in (True, False):
            code, said = doctor(s.port, {"transport": {
                "protocol": "websocket", "tls": {"enable": tls}}})
            equal(code, 0, said)
            sees(said, "ok", "login", "accepted")
    with FrpServer(TOKEN, free_port()) as f:
        f.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 600)
        code, said = doctor(f.port, {"transport": {"tls": {"enable": False},
                                                   "tcpMux": False}})
        equal(code, 0, said)
        sees(said, "warn", "mtu", r"segments of 5\d\d bytes only", "VPN")


@case("the real frps: with its defaults, and without tcpMux")
def real():
    with Frps() as s:
        code, said = doctor(s.port, {"transport": {"tcpMux": False}})
        equal(code, 0, said)
        sees(said, "ok", "login", "frps 0")
        wrong(s.port, "login", ".", "transport.tcpMux")
    port = free_port()
    with Frp("frps", {"bindAddr": "127.0.0.1", "bindPort": port,
                      "auth": {"token": TOKEN}}, ["started successfully"]):
        for conf in ({}, {"transport": {"tls": {"enable": False}}},
                     {"transport": {"tls": {
                         "disableCustomTLSFirstByte": False}}}):
            code, said = doctor(port, conf)
            equal(code, 0, said)
            sees(said, "ok", "login", "frps 0")


main()

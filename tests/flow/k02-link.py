"""The link, its other end played in Python: TLS, yamux, both, neither."""
import os
import socket
import ssl
import threading
import time

from harness import (TEMP, Client, Origin, Server, case, check, dial, echo,
                     equal, exactly, free_port, levels, main, read_all, reset,
                     sha, settle, until)
from linkkit import Frpc, Frps, talk, tls, together, visit, visit_at_once
from tlskit import Page, TlsServer, certificate
from tlskit import visit as visit_tls

# What frpc may be set to; the first is its default.
WAYS = {
    "TLS, yamux": {},
    "TLS with frp's own first byte, yamux": {"mark": True},
    "TLS": {"mux": False},
    "TLS with frp's own first byte": {"mux": False, "mark": True},
    "TLS 1.2, yamux": {"context": tls.client_context(
        maximum_version=ssl.TLSVersion.TLSv1_2)},
    "TLS 1.2": {"mux": False, "context": tls.client_context(
        maximum_version=ssl.TLSVersion.TLSv1_2)},
    "yamux": {"secure": False},
    "bare": {"secure": False, "mux": False},
}


def page(sock, data):
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def serve_all(service):
    """By the proxy's name: an echo, a page, or TLS as the service has it."""
    def serve(sock, start, data):
        if start["proxy_name"] == "w":
            page(sock, data)
        elif start["proxy_name"] == "s":
            with dial(service.port) as conn:
                conn.sendall(data)
                threading.Thread(target=pass_on, args=(sock, conn),
                                 daemon=True).start()
                pass_on(conn, sock)
        else:
            while data or (data := sock.recv(65536)):
                sock.sendall(data)
                data = b""
            sock.shutdown(socket.SHUT_WR)
    return serve


def pass_on(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def ask(port, name):
    t = visit_tls(port, name)
    equal(t.ask(), b"page")
    reset(t.sock)


def frpc_case(name, way):
    @case(f"frpc over {name}: tcp, http, https")
    def run():
        port = free_port()
        with Page(b"page") as o, TlsServer() as s:
            base = levels(s)
            with Frpc(s, serve=serve_all(o), **way) as c:
                equal(sorted(c.login(pool_count=3)), ["run_id", "version"])
                c.new_proxy("t", remote_port=port)
                c.new_proxy("w", "http", custom_domains=["w.test"])
                c.new_proxy("s", "https", custom_domains=["a.test"])
                for size in (1, 100000, 8 << 20):
                    visit(port, size)
                for _ in range(3):
                    with dial(s.http) as conn:
                        conn.sendall(b"GET / HTTP/1.1\r\nHost: w.test\r\n"
                                     b"Connection: close\r\n\r\n")
                        check(read_all(conn).endswith(b"\r\n\r\nhi"), "page")
                    ask(s.https, "a.test")
                equal(c.ping(), {}, "Pong")
            settle(s, base, 40)


for _name, _way in WAYS.items():
    frpc_case(_name, _way)


def many(s, count, size, **way):
    port = free_port()
    with Frpc(s, **way) as c:
        c.login(pool_count=5)
        c.new_proxy("t", remote_port=port)
        visit_at_once(port, count, size)
        check(c.session.ping(), "ping")


@case("frpc: 200 streams at once in one session")
def streams():
    for secure in (True, False):
        with Server() as s:
            base = levels(s)
            many(s, 200, 100000, secure=secure)
            settle(s, base, 40)


@case("frpc: visitors of all workers come to the session's")
def workers():
    for n in (2, 4):
        with Server({"workers": n}) as s:
            base = levels(s)
            for _ in range(3):
                many(s, 40, 20000)
            check(s.counters()["visitors_moved"] > 0, "visitors_moved")
            settle(s, base, 40)


@case("frpc: clients of every kind beside each other, several workers")
def kinds():
    with Server({"workers": 2}) as s:
        base = levels(s)
        clients = [Frpc(s, **way) for way in list(WAYS.values()) * 2]
        ports = [free_port() for _ in clients]
        for c, port in zip(clients, ports):
            c.login()
            c.new_proxy(f"t{port}", remote_port=port)
        together(64, lambda i: visit(ports[i % len(ports)], 50000))
        for c in clients:
            c.close()
        settle(s, base, 40)


@case("frpc: a visitor that does not read stalls no other")
def slow_reader():
    port, big = free_port(), os.urandom(24 << 20)

    def serve(sock, start, data):
        if start["proxy_name"] == "big":
            sock.settimeout(100)
            sock.sendall(big)
            sock.shutdown(socket.SHUT_WR)
        else:
            serve_all(None)(sock, start, data)
    with Server() as s, Frpc(s, serve=serve) as c:
        c.login(pool_count=5)
        c.new_proxy("t", remote_port=port)
        slow = free_port()
        c.new_proxy("big", remote_port=slow)
        with dial(slow, timeout=60) as conn:
            first = conn.recv(1)
            for _ in range(20):
                start = time.monotonic()
                visit(port, 100000)
                took = time.monotonic() - start
                check(took < 5, f"an echo took {took:.1f} s")
            check(c.session.ping(), "ping")
            equal(sha(first + read_all(conn)), sha(big), "hash")
        equal(s.counters()["mux_overflows"], 0, "mux_overflows")


@case("frpc: a service that does not read stalls no other")
def slow_service():
    port, deaf = free_port(), free_port()
    go, got = threading.Event(), []

    def serve(sock, start, data):
        if start["proxy_name"] == "deaf":
            go.wait(60)
            got.append(data + exactly(sock, len(said) - len(data)))
        else:
            serve_all(None)(sock, start, data)
    said = os.urandom(16 << 20)
    with Server() as s, Frpc(s, serve=serve) as c:
        c.login(pool_count=5)
        c.new_proxy("t", remote_port=port)
        c.new_proxy("deaf", remote_port=deaf)
        with dial(deaf, timeout=60) as conn:
            t = threading.Thread(target=conn.sendall, args=(said,))
            t.start()
            for _ in range(20):
                visit(port, 100000)
            go.set()
            t.join()
            until(lambda: got, "all of it", 60)
        equal(sha(got[0]), sha(said), "hash")


# --- certificates ---


def refused(s, counter, **way):
    before = s.counters()[counter]
    try:
        with Frpc(s, **way) as c:
            c.login()
    except (OSError, EOFError):
        pass
    else:
        check(False, "was let in")
    until(lambda: s.counters()[counter] > before, counter)


def let_in(s, **way):
    with Frpc(s, **way) as c:
        check(c.login().get("run_id"), "no run id")


@case("aditd: its kept certificate is one to trust, the next time as well")
def kept():
    with Server() as s:
        path = os.path.join(s.dir, "aditd", "frp.crt")
        ctx = tls.client_context(path)
        for _ in range(2):
            for name in ("localhost", "127.0.0.1", socket.gethostname()):
                let_in(s, context=ctx, name=name)
            try:
                let_in(s, context=ctx, name="other.test")
                check(False, "another name")
            except ssl.SSLCertVerificationError:
                pass
            s.stop()
            s.start()


@case("aditd: a given certificate, with tls.force")
def given():
    cert, key = certificate("tunnel.test")
    with Server({"transport": {"tls": {"force": True, "certFile": cert,
                                       "keyFile": key}}}) as s:
        check(not os.path.exists(os.path.join(s.dir, "aditd", "frp.key")),
              "none is made beside a given one")
        for mux in (True, False):
            let_in(s, mux=mux, context=tls.client_context(cert),
                   name="tunnel.test")
            refused(s, "bare_refused", mux=mux, secure=False)


@case("aditd: clients need a certificate where trustedCaFile is given")
def client_certificates():
    ours, other = certificate("client.test"), certificate("client.test")
    with Server({"transport": {"tls": {"trustedCaFile": ours[0]}}}) as s:
        for mark in (True, False):
            let_in(s, context=tls.client_context(cert=ours), mark=mark)
        refused(s, "tls_failed", context=tls.client_context(cert=other))
        refused(s, "tls_failed")
        refused(s, "bare_refused", secure=False)
        refused(s, "bare_refused", secure=False, mux=False)
        with Origin(echo) as o:
            proxy = {"name": "t", "type": "tcp", "localPort": o.port}
            tls_conf = {"enable": True, "certFile": ours[0],
                        "keyFile": ours[1]}
            with Client(s, [proxy], {"transport": {"tls": tls_conf}}):
                pass
            for cert, text in ((other, "trust|accept"), (None, "certificate")):
                wrong = {"enable": True, **({"certFile": cert[0],
                                             "keyFile": cert[1]}
                                            if cert else {})}
                with Client(s, [proxy], {"transport": {"tls": wrong}},
                            wait=False) as c:
                    c.expect_exit = 1
                    c.wait_log(rf"login to the server failed: .*({text})")
                    c.process.wait(10)


@case("aditd: one port with visitors of https: frp's first byte tells clients")
def one_port():
    port = free_port()
    with Page(b"page") as o, Server({"bindPort": port,
                                     "vhostHTTPSPort": port}) as s:
        s.port = port
        with Frpc(s, mark=True, serve=serve_all(o)) as c:
            c.login()
            c.new_proxy("s", "https", custom_domains=["a.test"])
            for _ in range(3):
                equal(visit_tls(port, "a.test").ask(), b"page")
            with Client(s, [{"name": "b", "type": "https",
                             "localPort": o.port,
                             "customDomains": ["b.test"]}],
                        {"transport": {"tls": {"enable": True}}}):
                equal(visit_tls(port, "b.test").ask(), b"page")
            # Without the byte it is a visitor without a name.
            refused(s, "https_unknown")


@case("aditd: certificates are read again under load, nobody is dropped")
def reload():
    base = os.path.join(TEMP, "reload")
    os.mkdir(base)
    paths = os.path.join(base, "crt"), os.path.join(base, "key")
    port, echoed, over = free_port(), [0], threading.Event()

    def put(pair, which=(0, 1)):
        for i in which:
            with open(pair[i], "rb") as f, open(paths[i] + ".new", "wb") as t:
                t.write(f.read())
            os.rename(paths[i] + ".new", paths[i])

    def shown(s):
        with dial(s.port) as sock, tls.TlsSocket(
                sock, tls.client_context()) as t:
            return ssl.DER_cert_to_PEM_cert(t.peer()).strip()

    def load():
        with dial(port) as conn:
            while not over.is_set():
                talk(conn, 30000)
                echoed[0] += 1
                visit(port, 1000)
    pairs = [certificate(f"n{i}.test") for i in range(3)]
    texts = []
    for crt, _ in pairs:
        with open(crt) as f:
            texts.append(f.read().strip())
    put(pairs[0])
    with Server({"workers": 2, "transport": {"tls": {
            "certFile": paths[0], "keyFile": paths[1]}}}) as s, \
            Frpc(s) as c:
        c.login(pool_count=2)
        c.new_proxy("t", remote_port=port)
        worker = threading.Thread(target=together, args=(4, lambda i: load()))
        worker.start()
        try:
            equal(shown(s), texts[0])
            put(pairs[1])
            for _ in range(10):
                until(lambda: shown(s) == texts[1], "the new one is shown")
            put(pairs[2], (0,))
            s.wait_log(r"transport\.tls: .*what was read before stays in use")
            equal(shown(s), texts[1], "beside a pair that does not fit")
            put(pairs[2])
            for _ in range(10):
                until(lambda: shown(s) == texts[2], "the third is shown")
            check(c.session.ping(), "ping")
            before = echoed[0]
            until(lambda: echoed[0] > before + 4, "the load goes on")
        finally:
            over.set()
            worker.join()
        equal(len(c.sockets), 1, "connections of the client")


# --- adit ---


def adit_conf(mux=True, secure=True, **more):
    return {"transport": {"tls": {"enable": secure, **more}, "tcpMux": mux}}


def adit_serves(frps, conf):
    with Origin(echo) as o, frps as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": 6000}], conf, wait=False) as a:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        base = levels(a)
        socks = [f.start_work(control, "t") for _ in range(20)]
        together(20, lambda i: talk(socks[i], 200000 + i))
        for sock in socks:
            sock.close()
        sock = f.start_work(control, "t")
        talk(sock, 8 << 20)
        sock.close()
        settle(a, base, 40)
        if f.mux:
            equal(len(f.links), 1, "connections")
            check(f.sessions[0].ping(), "ping")
        control.close()
        return f


def adit_case(name, mux, secure, mark=False):
    @case(f"adit over {name}")
    def run():
        f = adit_serves(Frps(mux=mux, secure=secure), adit_conf(
            mux, secure, disableCustomTLSFirstByte=not mark))
        if secure:
            equal(f.links[0].marked, mark, "frp's first byte")


adit_case("TLS, yamux", True, True)
adit_case("TLS with frp's own first byte, yamux", True, True, True)
adit_case("TLS", False, True)
adit_case("TLS with frp's own first byte", False, True, True)
adit_case("yamux", True, False)
adit_case("bare", False, False)


@case("adit: 200 streams at once in one session")
def adit_streams():
    with Origin(echo) as o, Frps() as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            adit_conf(), wait=False) as a:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        base = levels(a)
        socks = [f.start_work(control, "t") for _ in range(200)]
        together(200, lambda i: talk(socks[i], 100000 + i))
        for sock in socks:
            sock.close()
        settle(a, base, 40)


@case("adit: trustedCaFile, serverName, and a certificate of its own")
def adit_verifies():
    server, own = certificate("frps.test"), certificate("client.test")
    ctx = tls.server_context(server, ca=own[0])
    adit_serves(Frps(context=ctx, cert=server), adit_conf(
        trustedCaFile=server[0], serverName="frps.test",
        certFile=own[0], keyFile=own[1]))


@case("adit: an aditd by trustedCaFile alone, given or kept")
def adit_and_authorities():
    cert = certificate("tunnel.test")
    given = {"tls": {"certFile": cert[0], "keyFile": cert[1]}}
    for transport, name in ((given, "tunnel.test"), ({}, "localhost")):
        with Server({"transport": transport}) as s, Origin(echo) as o:
            path = cert[0] if transport else os.path.join(s.dir, "aditd",
                                                          "frp.crt")
            port = free_port()
            for mux in (True, False):
                with Client(s, [{"name": "t", "type": "tcp",
                                 "localPort": o.port, "remotePort": port}],
                            {"transport": {
                                "tcpMux": mux, "extensions": True,
                                "tls": {"enable": True, "pins": None,
                                        "trustedCaFile": path,
                                        "serverName": name}}}):
                    with dial(port) as sock:
                        talk(sock, 100000)
            fails(s.port, {"transport": {"extensions": True, "tls": {
                "enable": True, "pins": None, "trustedCaFile": path,
                "serverName": "other.test"}}}, "another name")


@case("adit: comes back after its session was lost, with its run id")
def adit_comes_back():
    with Origin(echo) as o, Frps() as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            adit_conf(), wait=False) as a:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        sock = f.start_work(control, "t")
        talk(sock)
        f.sessions[0].close()
        control, login = f.control(20)
        equal(login["run_id"], "0123456789abcdef")
        f.accept_proxies(control, 1)
        with f.start_work(control, "t") as sock:
            talk(sock, 100000)
        equal(len(f.links), 2, "connections")
        check(a.alive(), "adit is alive")


@case("adit: a server that answers no ping is left")
def adit_pings():
    with Origin(echo) as o, Frps() as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            {"transport": {"tls": {"enable": True}, "tcpMux": True,
                           "tcpMuxKeepaliveInterval": 1}}, wait=False) as a:
        control, _ = f.control()
        f.accept_proxies(control, 1)
        until(lambda: f.sessions[0].pings > 2, "pings")
        f.sessions[0].answers_pings = False
        f.control(30)
        equal(a.counters()["mux_timeouts"], 1)


def fails(port, conf, *texts):
    with Client(port, [{"name": "t", "type": "tcp", "localPort": 1}], conf,
                wait=False) as c:
        c.expect_exit = 1
        m = c.wait_log(r"login to the server failed: ([^\n]*)", 20)
        for text in texts:
            check(text in m.group(1), f"{text!r} is not in {m.group(1)!r}")
        equal(c.process.wait(10), 1, "exit code")


@case("adit: what is wrong with a server is said, and what to do")
def adit_says():
    tls_on = adit_conf()
    # frps of old closes on what it does not know.
    with Frps(secure=False, mux=False) as f:
        fails(f.port, tls_on, "handshake", "transport.tls.enable: false")

    def banner(conn):
        conn.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        conn.recv(1000)
    with Origin(banner) as o:
        fails(o.port, tls_on, "not TLS", "serverPort")

    def web(conn):
        conn.recv(1000)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with Origin(web) as o:
        fails(o.port, tls_on, "not TLS", "serverPort")
    other = certificate("frps.test")
    with Frps() as f:
        fails(f.port, adit_conf(trustedCaFile=other[0],
                                serverName="frps.test"),
              "does not lead to a trusted one", "transport.tls.trustedCaFile")
        fails(f.port, adit_conf(trustedCaFile=f.cert[0],
                                serverName="other.test"),
              "for another name", "transport.tls.serverName")
    own = certificate("client.test")
    with Frps(context=tls.server_context(other, ca=own[0])) as f:
        fails(f.port, tls_on, "wants a certificate from us")


@case("adit: a server with TLS says nothing to an adit without")
def adit_bare():
    with Server({"transport": {"tls": {"force": True}}}) as s:
        fails(s.port, {}, "transport.tls.enable")


main()

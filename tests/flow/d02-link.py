"""Hostile peers of the link: TLS, yamux and what is kept for them."""
import contextlib
import os
import socket
import stat
import struct
import time

from harness import (PATIENCE, Client, Origin, Server, case, check, dial,
                     equal, exactly, free_port, levels, main, mostly, read_all,
                     settle, until)
from linkkit import Frpc, Frps, talk, tls, visit, yamux
from tlskit import hello
from yamux import ACK, CREDIT, DATA, FIN, GO_AWAY, PING, RST, SYN, WINDOW


@contextlib.contextmanager
def besieged(**limits):
    """aditd with frpc beside the attack, over TLS and yamux."""
    port = free_port()
    with Server({"limits": {"firstMessageTimeout": 3, **limits}}) as s, \
            Frpc(s) as c:
        c.login(pool_count=2)
        c.new_proxy("t", remote_port=port)
        until(lambda: s.counters()["pool_works"] >= 2, "its pool")
        with dial(port) as conn:
            talk(conn)
            base = levels(s)
            s.honest = port
            yield s
            visit(port, 100000)
            settle(s, base, 40)
            talk(conn)


def ended(conn, timeout=10):
    """What came before the end; it must come."""
    conn.settimeout(timeout * PATIENCE)
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := conn.recv(65536):
            data += more
    return data


def counted(s, name, value=1):
    until(lambda: s.counters()[name] >= value, f"{name} >= {value}")


# --- TLS ---


def old_hello():
    """That of TLS 1.1: no supported_versions, and 3.2 everywhere."""
    suites = b"\xc0\x13\xc0\x14\x00\x2f\x00\x35"
    body = (b"\x03\x02" + os.urandom(32) + b"\0"
            + struct.pack(">H", len(suites)) + suites + b"\x01\0"
            + b"\x00\x0a\x00\x0a\x00\x04\x00\x02\x00\x17"
              b"\x00\x0b\x00\x02\x01\x00"[:0])
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


HELLO = hello("localhost")
WORDS = {
    # What is sent, the alert that comes back (None: none is due).
    "TLS 1.1": (old_hello(), 70),
    "a record of SSL 2": (b"\x16\x02\x00\x00\x05hello", None),
    "garbage behind 0x16": (b"\x16" + os.urandom(1) * 2000, None),
    "an empty record": (b"\x16\x03\x01\x00\x00" * 50, None),
    "a hello of 16 MiB": (b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"
                          + bytes(16380), None),
    "another message first": (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", None),
    "0x17 and a plain frame": (b"\x17o" + struct.pack(">q", 2) + b"{}", None),
    "0x17 twice": (b"\x17\x17" + HELLO, None),
    "an HTTP request behind 0x17": (b"\x17GET / HTTP/1.1\r\n\r\n", None),
    "a hello cut in the middle": (HELLO[:100], None),
    "a hello, then garbage": (HELLO + b"\x17\x03\x03\x00\x20" + bytes(32),
                              None),
}


def words_case(name, words, alert):
    @case("first words: " + name)
    def run():
        with besieged() as s:
            before = s.counters()
            with dial(s.port) as conn:
                conn.sendall(words)
                if name.endswith("middle"):
                    conn.shutdown(socket.SHUT_WR)
                answer = ended(conn)
            if alert:
                equal(answer[5:7], bytes([2, alert]), "the alert")
            check(b"run_id" not in answer, "an answer")
            until(lambda: s.counters()["pool_greetings"] == 0, "forgotten")
            now = s.counters()
            equal(now["logins"], before["logins"], "logins")
            check(sum(now[k] - before[k] for k in (
                "tls_failed", "bad_frames", "ended_peer_closed",
                "first_message_timeouts")) > 0, "nothing was counted")


for _name, (_words, _alert) in WORDS.items():
    words_case(_name, _words, _alert)


@case("half a hello for ever, and one of a byte a second")
def slow_hello():
    with besieged() as s:
        with dial(s.port) as half, dial(s.port) as slow:
            start = time.monotonic()
            half.sendall(HELLO[:len(HELLO) // 2])
            for byte in HELLO:
                try:
                    slow.sendall(bytes([byte]))
                except ConnectionError:
                    break
                if time.monotonic() - start > 12:
                    break
                time.sleep(0.3)
            took = time.monotonic() - start
            check(2 < took < 12, f"closed after {took:.1f} s")
            ended(half)
        counted(s, "first_message_timeouts", 2)


@case("a handshake that is over, and then silence")
def silent():
    with besieged() as s:
        with dial(s.port) as sock:
            t = tls.TlsSocket(sock, tls.client_context())
            start = time.monotonic()
            ended(t)
            took = time.monotonic() - start
            check(1 < took < 12, f"closed after {took:.1f} s")
        counted(s, "first_message_timeouts")


def works_beside(s, conns):
    """Visits and logins are quick while those are open; then they end."""
    took = []
    for _ in range(10):
        start = time.monotonic()
        visit(s.honest, 50000)
        with Frpc(s) as c:
            c.login()
        took.append(time.monotonic() - start)
    # One that stands still is the machine's.
    mostly(took, 2 * PATIENCE, 10 * PATIENCE, "a visit and a login")
    for conn in conns:
        ended(conn)
        conn.close()


@case("500 half-open hellos beside a client that works")
def flood():
    with besieged(firstMessageTimeout=round(3 * PATIENCE)) as s:
        # Until they are whole they have no room, and take none.
        conns = [dial(s.port, source="127.0.0.2") for _ in range(500)]
        for i, conn in enumerate(conns):
            conn.sendall(HELLO[:1 + i % (len(HELLO) - 1)])
        until(lambda: s.counters()["pool_greetings"] +
              s.counters()["first_message_timeouts"] >= 490, "half-open")
        works_beside(s, conns)
        counted(s, "first_message_timeouts", 500)
        equal(s.counters()["greetings_queued"], 0)


@case("500 handshakes that stop halfway, of an address, beside a client that works")
def half_handshakes():
    with besieged(firstMessageTimeout=round(3 * PATIENCE)) as s:
        # It has room for 16; the others wait, or find no room to wait.
        conns = [dial(s.port, source="127.0.0.2") for _ in range(500)]
        for conn in conns:
            conn.sendall(HELLO)
        until(lambda: s.counters()["greetings_queued"]
              + s.counters()["ended_limit"] >= 484, "16 of them are in")
        works_beside(s, conns)
        until(lambda: s.counters()["first_message_timeouts"]
              + s.counters()["ended_limit"] >= 500, "all are counted")


# --- ends ---


def says(end):
    """A service of frpc's: 1000 bytes, then the end in some way."""
    def serve(sock, _start, data):
        while len(data) < 5:
            data += sock.recv(100)
        sock.sendall(b"x" * 1000)
        end(sock)
        time.sleep(1)
    return serve


def what_comes(port):
    """1000 bytes and: end, cut."""
    with dial(port) as conn:
        conn.sendall(b"hello")
        got = b""
        try:
            while more := conn.recv(65536):
                got += more
        except ConnectionResetError:
            return "cut", len(got)
        return "end", len(got)


@case("aditd: TLS without its end is a cut for the visitor, close_notify an end")
def truncation():
    for end, want in ((lambda sock: sock.cut(), "cut"),
                      (lambda sock: sock.shutdown(socket.SHUT_WR), "end")):
        port = free_port()
        with Server() as s, Frpc(s, mux=False, serve=says(end)) as c:
            c.login()
            c.new_proxy("t", remote_port=port)
            for _ in range(5):
                how, size = what_comes(port)
                equal(how, want)
                # A reset may overtake what came before it.
                check(size == 1000 or how == "cut", f"{size} bytes")


@case("aditd: a session that ends, cleanly or not, cuts its visitors")
def session_ends():
    for way in ("cut", "end"):
        port = free_port()
        with Server() as s:
            base = levels(s)
            c = Frpc(s, serve=says(lambda sock: time.sleep(0.3)))
            c.login()
            c.new_proxy("t", remote_port=port)
            with dial(port) as conn:
                conn.sendall(b"hello")
                equal(len(conn.recv(1000)) > 0, True)
                link = c.session.sock
                if way == "cut":
                    link.cut()
                else:
                    link.shutdown(socket.SHUT_WR)
                try:
                    read_all(conn)
                    check(False, f"{way}: looks like an end")
                except ConnectionResetError:
                    pass
            for sock in c.sockets:
                sock.close()
            settle(s, base, 40)


@case("adit: TLS without its end is a cut for the service, close_notify an end")
def adit_truncation():
    begun, heard = [], []

    def serve(conn):
        try:
            first = exactly(conn, 9)
            begun.append(first)
            heard.append(("end", first + read_all(conn)))
        except ConnectionResetError:
            heard.append(("cut", b""))
    with Origin(serve) as o, Frps(mux=False) as f, Client(f, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            {"transport": {"tls": {"enable": True}, "tcpMux": False}},
            wait=False):
        control, _ = f.control()
        f.accept_proxies(control, 1)
        for end, want in (("cut", "cut"), ("shutdown", "end")):
            sock = f.start_work(control, "t")
            sock.sendall(b"all of it")
            until(lambda: len(begun) > len(heard), "it is there")
            count = len(heard) + 1
            if end == "cut":
                sock.cut()
            else:
                sock.shutdown(socket.SHUT_WR)
            until(lambda n=count: len(heard) == n, "its end")
            equal(heard[-1], (want, b"all of it" if want == "end" else b""))


# --- sessions ---


@contextlib.contextmanager
def hostile(s, secure=False):
    """A session that nobody has logged in on."""
    with dial(s.port) as sock:
        if secure:
            with tls.TlsSocket(sock, tls.client_context()) as t:
                yield yamux.Session(t)
        else:
            yield yamux.Session(sock)


def frames_case(name, frames, goes_away=None):
    """They end the session; with the GoAway, where that is due."""
    @case("yamux, fatal: " + name)
    def run():
        with besieged() as s:
            before = s.counters()["mux_errors"]
            with hostile(s) as h:
                h.open()
                for frame in frames:
                    h.send_frame(*frame)
                check(h.wait_over(5), "the session lives")
                equal(h.away, goes_away, "GoAway")
            if goes_away:
                counted(s, "mux_errors", before + 1)


frames_case("a type that there is not", [(4, 0, 0, 0)])
frames_case("more data than was granted",
            [(DATA, 0, 1, WINDOW + 1)], 1)
frames_case("a SYN of an open stream", [(CREDIT, SYN, 1, 0)], 1)
frames_case("a SYN with an id of the server's", [(CREDIT, SYN, 2, 0)],
            1)
frames_case("a SYN of stream 0", [(CREDIT, SYN, 0, 0)], 1)
frames_case("GoAway for a broken rule", [(GO_AWAY, 0, 0, 1)])
frames_case("GoAway for an error of its own", [(GO_AWAY, 0, 0, 2)])
frames_case("GoAway for nothing that is known", [(GO_AWAY, 0, 0, 77)])


@case("yamux: what is not fatal")
def harmless():
    with besieged() as s:
        with hostile(s) as h:
            stream = h.open()
            for frame in ((CREDIT, 0, 99, 1000), (CREDIT, RST, 99, 0),
                          (CREDIT, FIN, 99, 0), (CREDIT, ACK, stream.id, 0),
                          (CREDIT, 0, stream.id, 0xffffffff),
                          (CREDIT, 0, stream.id, 0xffffffff),
                          (PING, ACK, 0, 12345), (GO_AWAY, 0, 0, 0)):
                h.send_frame(*frame)
            h.send_frame(DATA, 0, 97, 1000, bytes(1000))
            check(h.ping(), "ping")
            equal(h.error, None)
        equal(s.counters()["mux_errors"], 0)


@case("yamux: pings are answered, thousands of them, and not read")
def pings():
    with besieged() as s:
        with hostile(s, True) as h:
            for number in (0, 1, 0xffffffff):
                check(h.ping(number), f"ping {number}")
        with dial(s.port) as conn:
            # Answers that nobody reads cost a bounded memory.
            conn.settimeout(5)
            pings = struct.pack(">BBHII", 0, PING, SYN, 0, 7) * 5000
            with contextlib.suppress(OSError):
                for _ in range(500):
                    conn.sendall(pings)
        check(s.alive(), "aditd is alive")


@case("aditd: a session without streams, or a stream without words, ends")
def idle_session():
    with besieged() as s:
        for secure in (False, True):
            with hostile(s, secure) as h:
                start = time.monotonic()
                if secure:
                    h.open()  # its greeting ends it, and then the session
                check(h.wait_over(12), "the session lives")
                took = time.monotonic() - start
                check(1 < took < 11, f"closed after {took:.1f} s")
        counted(s, "first_message_timeouts")


@case("aditd: a client that answers no ping is left")
def unanswered():
    with Server({"transport": {"tcpMuxKeepaliveInterval": 1}}) as s:
        base = levels(s)
        with Frpc(s) as c:
            c.login()
            until(lambda: c.session.pings > 1, "pings")
            c.session.answers_pings = False
            check(c.session.wait_over(30), "the session lives")
            equal(s.counters()["mux_timeouts"], 1)
        settle(s, base)


@case("aditd: SYNs over the backlog are refused, the session goes on")
def syns():
    with besieged() as s:
        with hostile(s) as h:
            head = [struct.pack(">BBHII", 0, CREDIT, SYN, 2 * i + 1, 0)
                    for i in range(5000)]
            with h.lock:
                for i in range(5000):
                    stream = yamux.Stream(h, 2 * i + 1, True)
                    stream.finished = True  # an end of ours counts as known
                    h.streams[stream.id] = stream
                    h.known.add(stream.id)
            h.sock.sendall(b"".join(head))
            visit(s.honest)
            check(h.ping(timeout=10), "ping")
            equal(h.error, None)
            now = s.counters()
            check(now["pool_greetings"] <= 1024, "greetings")
            check(h.wait_over(20), "the session lives")


@case("aditd: what speaks adit/1 carries no session")
def no_session():
    with besieged() as s:
        context = tls.client_context()
        context.set_alpn_protocols(["adit/1"])
        with dial(s.port) as sock, tls.TlsSocket(sock, context) as t:
            h = yamux.Session(t)
            stream = h.open()
            for message in (b"{}", b'{"user": "x", "adit": {}}'):
                with contextlib.suppress(OSError, yamux.Broken):
                    stream.sendall(
                        b"o" + struct.pack(">q", len(message)) + message)
            check(h.wait_over(2), "the session lives")
        counted(s, "bad_frames")


def strangers(s, count, words):
    """Sessions of one address in which nobody has logged in, of 256 streams."""
    conns = []
    for _ in range(count):
        conn = socket.create_connection(("127.0.0.1", s.port), 10,
                                        ("127.0.0.9", 0))
        conns.append(conn)
        with contextlib.suppress(ConnectionError):
            conn.sendall(b"".join(
                struct.pack(">BBHII", 0, CREDIT, SYN, 2 * i + 1, 0)
                + struct.pack(">BBHII", 0, DATA, 0, 2 * i + 1, len(words))
                + words for i in range(256)))
    return conns


@case("aditd: sessions without a login are as half-open as all that are so")
def early_sessions():
    """A few streams each, no more than other connections of an address."""
    login = b'{"privilege_key": "x"}'
    login = b"o" + struct.pack(">q", len(login)) + login
    for words, words_of in ((b"o", "half a word"), (login, "a bad login")):
        with besieged() as s:
            before = s.counters()
            conns = strangers(s, 64, words)
            until(lambda: s.counters()["pool_sessions"]
                  - before["pool_sessions"] == 16, f"16 sessions, {words_of}")
            now = s.counters()
            check(now["pool_mux_streams"] - before["pool_mux_streams"] <= 64,
                  f"streams of {words_of}")
            check(now["pool_greetings"] <= 16 * 4 + 48, "greetings")
            with Frpc(s) as c:
                equal(c.login().get("error", ""), "", "a login beside them")
            # Each has its time, and then the next ones have theirs.
            until(lambda: s.counters()["pool_sessions"]
                  == before["pool_sessions"], f"gone, {words_of}", 20)
            for conn in conns:
                conn.close()
            check(s.counters()["logins_refused"] <= 64 * 4, "logins")


@case("aditd: a run id on another session, or on none, opens nothing")
def stolen_run_id():
    port = free_port()
    with Server({"workers": 2}) as s, Frpc(s) as c:
        c.login(pool_count=1)
        c.new_proxy("t", remote_port=port)
        for way in ({}, {"mux": False}, {"secure": False},
                    {"secure": False, "mux": False}):
            for _ in range(6):  # of either worker
                with Frpc(s, **way) as thief:
                    work = thief.open_work(c.run_id)
                    kind, body = work.recv()
                    equal(kind, "s")
                    check("session" in body["error"], body)
                    check(work.ended(), "it lives")
        counted(s, "work_conns_refused", 24)
        # The other way round: a session's, for a control without one.
        with Frpc(s, mux=False) as bare, Frpc(s) as thief:
            bare.login()
            work = thief.open_work(bare.run_id)
            check("session" in work.recv()[1]["error"], "let in")
        visit(port)


# --- what is kept ---


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


@case("the state directory: modes, and what is refused")
def kept():
    with Server() as s:
        home = os.path.join(s.dir, "aditd")
        equal(mode(home), 0o700)
        names = {n for n in os.listdir(home) if os.path.isfile(
            os.path.join(home, n))}
        check({"identity.key", "frp.key", "frp.crt"} <= names, names)
        for name in names:
            equal(mode(os.path.join(home, name)), 0o600, name)
        s.stop()

        def refused(why):
            s.launch()
            s.process.wait(10)
            check(s.process.returncode != 0, f"{why}: it runs")
            last = s.log()[since:]
            check(why in last, f"{why!r} is not in {last}")
        for name in ("identity.key", "frp.key", "frp.crt"):
            path = os.path.join(home, name)
            os.chmod(path, 0o644)
            since = s.mark()
            refused("chmod 600 is needed")
            os.chmod(path, 0o600)
            os.rename(path, path + ".x")
            os.symlink(path + ".x", path)
            since = s.mark()
            refused("symbolic link")
            os.remove(path)
            if name != "frp.key":
                since = s.mark()
                refused("missing")
            os.rename(path + ".x", path)
            with open(path, "rb") as f:
                text = f.read()
            for wrong in (b"", b"-----BEGIN", text[:len(text) // 2],
                          os.urandom(200)):
                with open(path, "wb") as f:
                    f.write(wrong)
                since = s.mark()
                refused(name)
            with open(path, "wb") as f:
                f.write(text)
        os.chmod(home, 0o755)
        since = s.mark()
        refused("chmod 700 is needed")
        os.chmod(home, 0o700)
        s.start()


main()

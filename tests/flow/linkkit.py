"""The link played in Python: frpc or frps over TLS and yamux, and what travels
through a tunnel to see whether all of it arrives."""
import contextlib
import os
import socket
import threading

from harness import (PATIENCE, TOKEN, check, dial, equal, free_port, reset,
                     sha)

from frp import FrpClient, FrpServer
from tlskit import certificate
import tls
import yamux


def no_delay(sock):
    """As Go's programs do."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Frpc(FrpClient):
    """frpc, over TLS or not, with a session of many streams or without."""

    def __init__(self, server, mux=True, secure=True, context=None, name=None,
                 mark=False, **options):
        self.context = context or tls.client_context()
        self.mux, self.secure, self.name = mux, secure, name
        self.mark = mark
        self.session = None
        self.sockets = []  # below everything else
        # What its idle work connections cost there; the first client's count.
        vars(server).setdefault("link", ("tls" if secure else "bare")
                                if not mux else "mux")
        super().__init__(server.port, TOKEN, dial=self.stream, **options)

    def link(self):
        sock = dial(self.port)
        no_delay(sock)
        self.sockets.append(sock)
        if not self.secure:
            return sock
        return tls.TlsSocket(sock, self.context, name=self.name,
                             mark=self.mark)

    def stream(self):
        if not self.mux:
            return self.link()
        if not self.session:
            self.session = yamux.Session(self.link())
        stream = self.session.open()
        stream.settimeout(60)
        return stream

    def close(self):
        super().close()
        if self.session:
            # What aditd has said up to here kept the rules.
            equal(self.session.error, None, "the session")
            self.session.close()
        for sock in self.sockets:
            sock.close()


class Frps(FrpServer):
    """frps for adit."""

    def __init__(self, mux=True, secure=True, context=None, cert=None,
                 **options):
        if secure:
            self.cert = cert or certificate("frps.test")
            context = context or tls.server_context(self.cert)
        self.mux, self.context = mux, context
        self.links, self.sessions = [], []
        super().__init__(TOKEN, free_port(), wrap=self.streams, **options)

    def streams(self, sock):
        no_delay(sock)
        if self.context:
            sock = tls.TlsSocket(sock, self.context, server=True)
        self.links.append(sock)
        if not self.mux:
            yield sock
            return
        self.sessions.append(yamux.Session(sock, client=False))
        while True:
            with contextlib.suppress(TimeoutError):
                yield self.sessions[-1].accept()

    def close(self):
        super().close()
        for session in self.sessions:
            equal(session.error, None, "the session")
            session.close()
        for link in self.links:
            link.close()


def talk(conn, size=1000):
    """Random bytes through an echo."""
    data, got = os.urandom(size), []
    sender = threading.Thread(target=conn.sendall, args=(data,))
    sender.start()
    left = size
    while left:
        piece = conn.recv(min(left, 262144))
        check(piece, f"ended {left} bytes early")
        got.append(piece)
        left -= len(piece)
    sender.join()
    equal(sha(b"".join(got)), sha(data), "hash")


def visit(port, size=1000):
    conn = dial(port, timeout=60)
    talk(conn, size)
    reset(conn)  # its end would be held for 30 s, as frpc would cut the answer


def together(count, run):
    """That many calls of run(i) at once; the first error."""
    errors = []

    def one(i):
        try:
            run(i)
        except Exception as e:
            errors.append(e)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def visit_at_once(port, count, size):
    """All are there before any of them goes on."""
    gate = threading.Barrier(count)

    def run(i):
        conn = dial(port, timeout=60)
        talk(conn, 10)
        gate.wait(60 * PATIENCE)
        talk(conn, size + i)
        reset(conn)
    together(count, run)

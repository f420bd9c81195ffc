"""TLS over a socket, either end of it, with the methods of a socket.

One thread may read while another writes, which ssl.SSLSocket does not promise;
and the end can be made without TLS's own (`cut`)."""
import contextlib
import os
import socket
import ssl
import threading

MARK = b"\x17"  # what frp may put before a ClientHello
TIMEOUT = 15 * float(os.environ.get("PATIENCE", "1"))


def client_context(ca=None, cert=None, **limits):
    """Of a client that trusts anybody, as frpc does, or a certificate."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = bool(ca)
    c.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        c.load_verify_locations(ca)
    return _context(c, cert, limits)


def server_context(cert, ca=None, **limits):
    """Of a server; clients need a certificate that leads to `ca`."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ca:
        c.load_verify_locations(ca)
        c.verify_mode = ssl.CERT_REQUIRED
    return _context(c, cert, limits)


def _context(c, cert, limits):
    if cert:
        c.load_cert_chain(*cert)
    for key, value in limits.items():
        setattr(c, key, value)
    return c


class TlsSocket:
    """The handshake is over when it is made."""

    def __init__(self, sock, context, server=False, name=None, mark=False):
        self.sock = sock
        sock.settimeout(TIMEOUT)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.lock, self.sending = threading.Lock(), threading.Lock()
        self.marked = server and sock.recv(1, socket.MSG_PEEK) == MARK
        if self.marked:
            sock.recv(1)
        if mark:
            sock.sendall(MARK)
        self.tls = context.wrap_bio(self.into, self.out, server_side=server,
                                    server_hostname=name)
        try:
            while not self._try(self.tls.do_handshake):
                self._more()
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                self._flush()  # the alert
            raise

    def _flush(self):
        with self.sending:
            if self.out.pending:
                with self.lock:
                    data = self.out.read()
                self.sock.sendall(data)

    def _more(self):
        data = self.sock.recv(262144)
        with self.lock:
            if data:
                self.into.write(data)
            else:
                self.into.write_eof()

    def _try(self, call, *args):
        """Its values; None: it wants to read first."""
        with self.lock:
            try:
                values = [call(*args)]
            except ssl.SSLWantReadError:
                values = None
        self._flush()
        return values

    def recv(self, most=65536):
        while True:
            try:
                values = self._try(self.tls.read, most)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as e:
                raise ConnectionResetError(str(e)) from e
            if values:
                return values[0]
            self._more()

    def sendall(self, data):
        view = memoryview(data)
        with self.sending:
            for i in range(0, len(view), 65536):
                with self.lock:
                    self.tls.write(view[i:i + 65536])
                    sealed = self.out.read()
                self.sock.sendall(sealed)

    def shutdown(self, how):
        """close_notify, and the end of the socket's direction."""
        if how != socket.SHUT_RD:
            with contextlib.suppress(ssl.SSLError):
                self._try(self.tls.unwrap)
            self._flush()
        # The peer may have answered, and who reads have closed it.
        with contextlib.suppress(OSError):
            self.sock.shutdown(how)

    def cut(self):
        """The end of the socket's direction alone."""
        self.sock.shutdown(socket.SHUT_WR)

    def peer(self):
        """The other end's certificate, as DER."""
        return self.tls.getpeercert(True)

    def settimeout(self, timeout):
        self.sock.settimeout(timeout)

    def setsockopt(self, *args):
        self.sock.setsockopt(*args)

    def close(self):
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_WR)
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

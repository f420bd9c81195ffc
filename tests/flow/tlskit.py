"""TLS for flow tests: certificates, services that speak it, and a client whose
first words can be sent in any pieces."""
import datetime
import os
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import TEMP, Nginx, Origin, Server, dial, free_port

NAMES = ["a.test", "b.test", "*.w.test", "*.tunnel.test", "c.test"]


def certificate(*names, key=None):
    """Paths of a certificate that signs itself, and of its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(
                [x509.DNSName(n) for n in names]), False)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256()))
    base = tempfile.mkdtemp(prefix="tls-", dir=TEMP)
    paths = os.path.join(base, "cert.pem"), os.path.join(base, "key.pem")
    with open(paths[0], "wb") as f:
        f.write(made.public_bytes(serialization.Encoding.PEM))
    with open(paths[1], "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM,
                                  serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
    return paths


CERT, KEY = certificate(*NAMES)


def context(alpn=(), **limits):
    """Of a client that trusts the services here."""
    c = ssl.create_default_context(cafile=CERT)
    if alpn:
        c.set_alpn_protocols(list(alpn))
    for key, value in limits.items():
        setattr(c, key, value)
    return c


class TlsOrigin(Origin):
    """A local service behind TLS, running serve(conn); who asks for what."""

    def __init__(self, serve, **more):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERT, KEY)
        self.context.sni_callback = self.asked
        self.inner, self.names = serve, []
        super().__init__(self.talk, **more)

    def asked(self, conn, name, context):
        self.names.append(name)

    def talk(self, conn):
        with self.context.wrap_socket(conn, server_side=True) as tls:
            self.inner(tls)


class Page(TlsOrigin):
    """Answers each request with its name."""

    def __init__(self, name):
        self.name = name
        super().__init__(self.answer)

    def answer(self, conn):
        data = b""
        while more := conn.recv(65536):
            data += more
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(self.name), self.name))


class TlsNginx(Nginx):
    """A real nginx; `tls` is its port for HTTP/1.1 and HTTP/2 over TLS."""

    def __init__(self, files, extra=""):
        self.tls = free_port()
        super().__init__(files, f"listen 127.0.0.1:{self.tls} ssl http2;"
                         f"ssl_certificate {CERT}; ssl_certificate_key {KEY};"
                         "ssl_protocols TLSv1.2 TLSv1.3;"
                         + extra)


class TlsServer(Server):
    """aditd with vhostHTTPSPort."""

    def __init__(self, conf=None, **options):
        self.https = free_port()
        super().__init__({"vhostHTTPSPort": self.https, **(conf or {})},
                         **options)


def https(name, port, *domains, **more):
    return {"name": name, "type": "https", "localPort": port,
            "customDomains": list(domains), **more}


def hello(name=None, alpn=(), **limits):
    """What a client says first."""
    return Tls(None, name, context(alpn, check_hostname=False, **limits)).hello


def message(data):
    """The message in records."""
    out = b""
    while data:
        size = int.from_bytes(data[3:5], "big")
        out, data = out + data[5:5 + size], data[5 + size:]
    return out


def records(data, size):
    """The message in records of so many bytes."""
    data = message(data)
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
                    for part in (data[i:i + size]
                                 for i in range(0, len(data), size)))


class Tls:
    """A client over a socket, which says its `hello` only when told to."""

    def __init__(self, sock, name, ctx=None):
        self.sock = sock
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (ctx or context()).wrap_bio(self.into, self.out,
                                               server_hostname=name)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.hello = self.out.read()

    def run(self, call, *args):
        while True:
            try:
                value = call(*args)
                self.sock.sendall(self.out.read())
                return value
            except ssl.SSLWantReadError:
                self.sock.sendall(self.out.read())
                data = self.sock.recv(65536)
                if not data:
                    self.into.write_eof()
                self.into.write(data)

    def shake(self):
        self.run(self.tls.do_handshake)
        return self

    def ask(self, path="/"):
        """A request; the body of its answer."""
        self.run(self.tls.write, f"GET {path} HTTP/1.1\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.run(self.tls.read, 65536)
        return data.partition(b"\r\n\r\n")[2]


def visit(port, name, ctx=None):
    """A client that has shaken hands."""
    t = Tls(dial(port), name, ctx)
    t.sock.sendall(t.hello)
    return t.shake()

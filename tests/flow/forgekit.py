"""Who is not what it should be: adit's side of TLS moved by hand
(tests/peer/forge.c), and servers that pretend to be aditd."""
import base64
import hashlib
import hmac
import json
import os
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from harness import ROOT, Origin, check, free_port

from frp import Channel, frame

FORGE = os.path.abspath(os.environ.get("FORGE", f"{ROOT}/build/adit-forge"))


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pin_of(path):
    """The pin of a certificate in a PEM file."""
    with open(path, "rb") as f:
        key = x509.load_pem_x509_certificate(f.read()).public_key()
    return b64(hashlib.sha256(key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).digest())


class Refused(Exception):
    """What the forge says has failed."""


class Forge:
    """A client of aditd's, over one connection at a time."""

    def __init__(self, *options, inherits=()):
        self.process = subprocess.Popen(
            [FORGE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, pass_fds=inherits)
        self.buffer = b""
        self.binding = self.key = self.sig = None

    def ask(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n").split("\t")
        if answer[0] == "failed":
            raise Refused(*answer[1:])
        return answer

    def open(self, port):
        """A new TLS connection; `full` or `resumed`."""
        self.buffer = b""
        self.binding, how = self.ask("open", str(port))
        return how

    def send(self, data):
        self.ask("send", data.hex())

    def recv(self):
        """The next message; ("", {}): the end."""
        while True:
            size = int.from_bytes(self.buffer[1:9], "big")
            if len(self.buffer) >= 9 and len(self.buffer) >= 9 + size:
                kind, body = self.buffer[:1], self.buffer[9:9 + size]
                self.buffer = self.buffer[9 + size:]
                return kind.decode(), json.loads(body)
            answer = self.ask("recv")
            if answer[0] == "end":
                return "", {}
            self.buffer += bytes.fromhex(answer[1])

    def public(self, token):
        return self.ask("public", token)[0]

    def sign(self, token, user="", client_id="", binding=None):
        return self.ask("sign", token, binding or self.binding, user,
                        client_id)

    def proof(self, token, user, client_id=""):
        """What adit has in its Login."""
        key, sig = self.sign(token, user, client_id)
        return {"v": 1, "caps": [], "key": key, "sig": sig}

    def say(self, kind, body):
        """A message, and its answer."""
        self.send(frame(kind, body))
        return self.recv()

    def login(self, user, adit, **fields):
        """LoginResp; what is signed of `fields` is in `adit` already."""
        kind, answer = self.say("o", {
            "version": "0.1.0", "user": user, "pool_count": 0,
            "adit": adit, **fields})
        check(kind == "1", f"{kind!r} in place of a LoginResp")
        return answer

    def session_key(self, run_id):
        """Of the control that this connection has become."""
        return bytes.fromhex(self.ask(
            "export", "EXPERIMENTAL adit session v1", run_id)[0])

    def ticket_key(self, run_id):
        """HKDF-Expand (RFC 5869) of that."""
        return hmac.digest(self.session_key(run_id), b"adit ticket v1\x01",
                           "sha256")

    def redeem(self, run_id, key, ticket, binding=None):
        """NewWorkConn with a ticket's proof, for this connection or another
        one."""
        proof = hmac.digest(key, b"adit work v1\0" + unb64(ticket) +
                            bytes.fromhex(binding or self.binding), "sha256")
        self.send(frame("w", {"run_id": run_id, "adit": {
            "t": ticket, "m": b64(proof)}}))

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def start_box(session_key, ticket, number=0):
    """What seals, and opens, a start on the connection of that ticket: its
    cipher, nonce and associated data."""
    ticket = unb64(ticket)
    key = hmac.digest(session_key, b"adit start v1\0" + ticket + b"\x01",
                      "sha256")
    return ChaCha20Poly1305(key), number.to_bytes(12, "big"), ticket


def seal_start(session_key, ticket, start):
    cipher, nonce, extra = start_box(session_key, ticket)
    return {"adit": {"b": b64(cipher.encrypt(
        nonce, json.dumps(start).encode(), extra))}}


def open_start(session_key, ticket, message):
    cipher, nonce, extra = start_box(session_key, ticket)
    return json.loads(cipher.decrypt(
        nonce, unb64(message["adit"]["b"]), extra))


class Impostor(Origin):
    """A server with TLS of its own: what it hears, and what it answers by
    answer(channel, Login)."""

    def __init__(self, cert, key, alpn=("adit/1",), answer=None, **limits):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        if alpn:
            self.context.set_alpn_protocols(list(alpn))
        for name, value in limits.items():
            setattr(self.context, name, value)
        self.answer = answer
        self.heard, self.refusals, self.resumed = [], [], 0
        super().__init__(self.greet)

    def greet(self, conn):
        try:
            tls = self.context.wrap_socket(conn, server_side=True)
            with tls:
                self.resumed += tls.session_reused
                channel = Channel(tls)
                self.heard.append(channel.recv())
                if self.answer:
                    self.answer(channel, self.heard[-1][1])
        except (ssl.SSLError, EOFError, ConnectionError) as e:
            self.refusals.append(str(e) or type(e).__name__)


class Holder:
    """A control of a signed login that is given tickets, and what it takes to
    redeem them."""

    def __init__(self, s, token, user, pool=3, client_id="", **login):
        self.s, self.control, self.port = s, Forge(), free_port()
        self.control.open(s.port)
        self.user = user
        answer = self.control.login(user, {
            **self.control.proof(token, user, client_id),
            "caps": ["tickets"]}, pool_count=pool, client_id=client_id,
            **login)
        check(answer["adit"]["caps"] == ["tickets"], answer)
        self.run_id = answer["run_id"]
        self.session = self.control.session_key(self.run_id)
        self.key = self.control.ticket_key(self.run_id)
        self.tickets = {"": [], "p": []}  # by kind; "p": without TLS

    def keep(self, body):
        self.tickets[body["adit"].get("k", "")] += body["adit"]["t"]

    def recv(self):
        """A message that asks for no work connection."""
        while True:
            kind, body = self.control.recv()
            if kind != "r":
                return kind, body
            self.keep(body)

    def take(self, kind=""):
        while not self.tickets[kind]:
            got, body = self.control.recv()
            check(got == "r", f"{got!r} {body}")
            self.keep(body)
        return self.tickets[kind].pop(0)

    def publish(self, **more):
        """A tcp proxy; what NewProxyResp said is `published`."""
        self.control.send(frame("p", {
            "proxy_name": f"{self.user}.{self.port}", "proxy_type": "tcp",
            "remote_port": self.port, **more}))
        kind, self.published = self.recv()
        check(kind == "2" and "error" not in self.published, self.published)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.control.close()

"""frp's wire v1, played in Python: a client for aditd, a server for adit.

Correct by default; every byte can be sent by hand instead. Connections are
bare, unless their owner says how else they are made (`dial`, `wrap`): by tls.py
and yamux.py. Needs the `cryptography` package.
"""
import contextlib
import hashlib
import json
import os
import queue
import socket
import struct
import threading
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TIMEOUT = 15 * float(os.environ.get("PATIENCE", "1"))


def stream_key(token):
    """The AES-128 key that frp derives from a token."""
    return hashlib.pbkdf2_hmac("sha1", token.encode(), b"frp", 64, 16)


def login_key(token, timestamp):
    return hashlib.md5(f"{token}{timestamp}".encode()).hexdigest()


def frame(kind, body):
    """One frame; a body that is not bytes is made JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body, separators=(",", ":")).encode()
    return kind.encode() + struct.pack(">q", len(body)) + body


class Cfb:
    """Both directions of a control; each IV goes first, with the data."""

    def __init__(self, token):
        self.key, self.out, self.into = stream_key(token), None, None
        self.head = b""

    def encrypt(self, data):
        iv = b""
        if self.out is None:
            iv = os.urandom(16)
            self.out = Cipher(algorithms.AES(self.key),
                              modes.CFB(iv)).encryptor()
        return iv + self.out.update(data)

    def decrypt(self, data):
        if self.into is None:
            self.head += data
            if len(self.head) < 16:
                return b""
            iv, data = self.head[:16], self.head[16:]
            self.into = Cipher(algorithms.AES(self.key),
                               modes.CFB(iv)).decryptor()
        return self.into.update(data)


class Channel:
    """Messages over one socket."""

    def __init__(self, sock):
        self.sock, self.buffer, self.cfb = sock, b"", None
        self.lock = threading.Lock()
        self.reader = None  # the thread that reads, if another one does
        sock.settimeout(TIMEOUT)
        # As Go's programs do.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def need(self, size):
        while len(self.buffer) < size:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.buffer += self.cfb.decrypt(data) if self.cfb else data

    def recv(self):
        """The next message: its type letter and its fields."""
        self.need(9)
        size = struct.unpack(">q", self.buffer[1:9])[0]
        self.need(9 + size)
        kind = chr(self.buffer[0])
        body = json.loads(self.buffer[9:9 + size])
        self.buffer = self.buffer[9 + size:]
        return kind, body

    def send_raw(self, data):
        with self.lock:
            self.sock.sendall(self.cfb.encrypt(data) if self.cfb else data)

    def send(self, kind, body):
        self.send_raw(frame(kind, body))

    def encrypt(self, token):
        """From here on, both ways."""
        rest, self.buffer, self.cfb = self.buffer, b"", Cfb(token)
        self.buffer = self.cfb.decrypt(rest) if rest else b""

    def ended(self, timeout=TIMEOUT):
        """Whether the peer ends the connection; what it says is dropped."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self):
        # A thread that reads would keep the socket open.
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        # Within TLS it may answer the end with an alert, by a descriptor that
        # must not be another connection's by then.
        if self.reader and self.reader is not threading.current_thread():
            self.reader.join(TIMEOUT)
        self.sock.close()


class FrpClient:
    """frpc. Work connections are opened when asked for, and served."""

    def __init__(self, port, token, host="127.0.0.1", serve=None, dial=None):
        self.dial = dial  # dial(): a connection; None: to the port
        self.host, self.port, self.token = host, port, token
        self.serve = serve  # serve(sock, StartWorkConn, first bytes); None: echo
        self.run_id = None
        self.answers = queue.Queue()  # all but ReqWorkConn
        self.requests = 0             # ReqWorkConn seen
        self.auto = True              # open what is asked for
        self.control = None
        self.works = []               # channels that were opened so

    def connect(self):
        return Channel(self.dial() if self.dial else socket.create_connection(
            (self.host, self.port), TIMEOUT))

    def login(self, **fields):
        """Log in; LoginResp. After an error the control is not used."""
        now = int(time.time())
        self.control = self.connect()
        self.control.send("o", {
            "version": "0.60.0", "os": "linux", "arch": "amd64",
            "privilege_key": login_key(self.token, now), "timestamp": now,
            "client_spec": {}, "pool_count": 1, **fields})
        kind, answer = self.control.recv()
        assert kind == "1", kind
        if not answer.get("error"):
            self.run_id = answer["run_id"]
            self.control.encrypt(self.token)
            self.control.reader = threading.Thread(
                target=self._read, args=(self.control,), daemon=True)
            self.control.reader.start()
        return answer

    def _read(self, control):
        try:
            control.sock.settimeout(None)
            while True:
                kind, body = control.recv()
                if kind != "r":
                    self.answers.put((kind, body))
                    continue
                self.requests += 1
                if self.auto:
                    threading.Thread(target=self.work, daemon=True).start()
        except (EOFError, OSError, ValueError):
            self.answers.put(("", {}))

    def answer(self, kind, timeout=TIMEOUT):
        """The next message, which must be of this kind; "" is the end."""
        got, body = self.answers.get(timeout=timeout)
        assert got == kind, f"{got!r} {body} instead of {kind!r}"
        return body

    def new_proxy(self, name, kind="tcp", **fields):
        self.control.send("p", {"proxy_name": name, "proxy_type": kind,
                                **fields})
        return self.answer("2")

    def close_proxy(self, name):
        self.control.send("c", {"proxy_name": name})

    def ping(self, **fields):
        self.control.send("h", fields)
        return self.answer("4")

    def open_work(self, run_id=None, **fields):
        """A work connection with NewWorkConn sent; the channel."""
        channel = self.connect()
        channel.send("w", {"run_id": self.run_id if run_id is None
                           else run_id, **fields})
        return channel

    def work(self):
        """One work connection, from its opening to its end."""
        try:
            channel = self.open_work()
        except OSError:
            return
        with channel.sock as sock:
            self.works.append(channel)
            try:
                sock.settimeout(None)
                kind, start = channel.recv()
            except (OSError, EOFError):
                return
            if kind != "s" or start.get("error"):
                return
            try:
                if self.serve:
                    self.serve(sock, start, channel.buffer)
                    return
                data = channel.buffer
                while data or (data := sock.recv(65536)):
                    sock.sendall(data)
                    data = b""
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        for channel in [self.control, *self.works]:
            if channel:
                channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FrpServer:
    """frps for one adit at a time, driven by a test."""

    def __init__(self, token, port=0, on_login=None, wrap=None):
        self.token, self.on_login = token, on_login
        # wrap(socket): what is spoken on, once or several times.
        self.wrap = wrap or (lambda sock: [sock])
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.controls = queue.Queue()  # (channel, Login) after LoginResp
        self.works = queue.Queue()     # (channel, NewWorkConn)
        self.answer = {"version": "0.60.0", "run_id": "0123456789abcdef"}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._welcome, args=(sock,),
                             daemon=True).start()

    def _welcome(self, sock):
        with contextlib.suppress(EOFError, OSError):
            for stream in self.wrap(sock):
                threading.Thread(target=self._greet, args=(Channel(stream),),
                                 daemon=True).start()

    def _greet(self, channel):
        try:
            kind, body = channel.recv()
        except (EOFError, OSError):
            channel.close()
            return
        if kind == "w":
            self.works.put((channel, body))
            return
        if self.on_login and self.on_login(channel, body):
            return
        key = login_key(self.token, body.get("timestamp", 0))
        assert body["privilege_key"] == key, "wrong login key"
        channel.send("1", self.answer)
        if self.answer.get("error"):
            channel.close()
            return
        channel.encrypt(self.token)
        self.controls.put((channel, body))

    def control(self, timeout=TIMEOUT):
        """The next control that logs in, and its Login."""
        return self.controls.get(timeout=timeout)

    def accept_proxies(self, control, count, **fields):
        """Answer that many NewProxy with success; their bodies."""
        bodies = []
        while len(bodies) < count:
            kind, body = control.recv()
            if kind == "p":
                control.send("2", {"proxy_name": body["proxy_name"],
                                   "remote_addr": ":6000", **fields})
                bodies.append(body)
        return bodies

    def start_work(self, control, name, **fields):
        """Ask for a work connection and start it; its socket."""
        control.send("r", {})
        channel, _ = self.works.get(timeout=TIMEOUT)
        channel.send("s", {"proxy_name": name, "src_addr": "127.0.0.1",
                           "src_port": 4000, **fields})
        return channel.sock

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

"""Services that tell which requests they have read, by the first label of
their Host: each case of the corpus has a label of its own."""
import collections
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from harness import (TEMP, Nginx, Origin, Skip, free_port, read_until, reset,
                     until)

LABEL = re.compile(rb"(?im)^host: *([a-z0-9]+)\.")


class Seen:
    """Label: what was read of its requests; probes are not kept."""

    def __init__(self):
        self.by_label = collections.defaultdict(list)
        self.lock = threading.Lock()

    def add(self, label, what):
        with self.lock:
            self.by_label[label].append(what)

    def of(self, label):
        with self.lock:
            return list(self.by_label.get(label, ()))

    def labels(self):
        with self.lock:
            return set(self.by_label)


class Recorder(Origin):
    """Keeps every message, byte by byte, and whether it came to its end."""

    def __init__(self):
        self.seen = Seen()
        super().__init__(self.talk)

    def talk(self, conn):
        data = b""
        while True:
            data, end = self.message(conn, data)
            if not data:
                return
            raw = data if end is None else data[:end]
            found = LABEL.search(raw)
            label = found[1].lower().decode() if found else ""
            path = (raw.split(b" ", 2) + [b"", b""])[1]
            if not path.startswith(b"/nonce"):
                self.seen.add(label, (raw, end is not None))
            if end is None:
                return
            data = data[end:]
            body = b"" if raw.startswith(b"HEAD ") else path
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(path), body))

    def message(self, conn, data):
        """All bytes so far, and where the message ends; None: it was cut."""
        def have(condition):
            nonlocal data
            while not condition():
                more = b""
                try:
                    more = conn.recv(65536)
                except OSError:
                    pass
                if not more:
                    raise EOFError
                data += more
        try:
            have(lambda: b"\r\n\r\n" in data)
            at = data.index(b"\r\n\r\n") + 4
            fields = data[:at].lower()
            length = re.search(rb"\ncontent-length: (\d+)\r", fields)
            if length:
                at += int(length[1])
            elif b"\ntransfer-encoding: chunked\r" in fields:
                size = 1
                while size:
                    have(lambda: b"\r\n" in data[at:])
                    line = data.index(b"\r\n", at)
                    size = int(data[at:line], 16)
                    at = line + 2 + size + 2
                    have(lambda: len(data) >= at)
            have(lambda: len(data) >= at)
            return data, at
        except EOFError:
            return data, None


class Script(Origin):
    """Says what the case says that the label of Host stands for; keeps which
    connection it said it on, and which connections have ended."""

    def __init__(self):
        self.cases = {}  # label: the bytes in pieces, and how it ends
        self.said = {}   # label: the connection's number
        self.ended = set()
        self.lock = threading.Lock()
        super().__init__(self.talk)

    def talk(self, conn):
        with self.lock:
            number = self.number = getattr(self, "number", 0) + 1
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while self.one(conn, number):
                pass
        finally:
            self.ended.add(number)

    def one(self, conn, number):
        head = read_until(conn, b"\r\n\r\n")
        if not head:
            return False
        path = head.split(b" ")[1]
        if path.startswith(b"/nonce"):
            body = b"%d %s" % (number, path)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
            return True
        label = LABEL.search(head)[1].decode()
        pieces, way = self.cases[label]
        self.said[label] = number
        for piece in pieces:
            conn.sendall(piece)
            time.sleep(0.003 if len(pieces) > 1 else 0)
        if way == "reset":
            # What was said before is to arrive.
            time.sleep(0.02)
            reset(conn)
        elif way == "close":
            conn.shutdown(socket.SHUT_WR)
        return way == "stay"


class NginxOrigin(Nginx):
    """nginx, and behind it the one that counts: what the first has read as a
    whole, it passes on."""

    def __init__(self):
        inner = free_port()
        super().__init__({}, f"""
            large_client_header_buffers 8 64k; merge_slashes off;
            underscores_in_headers on; keepalive_requests 100000;
            client_header_buffer_size 64k;
            location / {{
                proxy_pass http://127.0.0.1:{inner};
                proxy_set_header Host $http_host;
                proxy_buffer_size 64k; proxy_buffers 8 64k;
            }} }} log_format count "$http_host $request_uri"; server {{
            listen 127.0.0.1:{inner} backlog=1024; merge_slashes off;
            access_log count.log count; underscores_in_headers on;
            client_header_buffer_size 64k;
            large_client_header_buffers 8 64k;
            location / {{ return 200 "$request_uri"; }}""")
        self.seen = Seen()
        self.at = 0
        self.lock = threading.Lock()

    def logged(self):
        with self.lock, open(os.path.join(self.dir, "count.log"), "rb") as f:
            f.seek(self.at)
            data = f.read()
            whole = data.rfind(b"\n") + 1
            self.at += whole
            for line in data[:whole].splitlines():
                host, _, path = line.partition(b" ")
                if not path.startswith(b"/nonce"):
                    label = host.split(b".")[0].lower().decode("latin1")
                    self.seen.add(label, path)


NODE = """
const http = require('http');
const server = http.createServer({maxHeaderSize: 262144}, (q, a) => {
  q.on('data', () => {});
  q.on('error', () => {});
  q.on('end', () => {
    if (!q.url.startsWith('/nonce'))
      process.stdout.write((q.headers.host || '') + ' ' + q.url + '\\n');
    const body = q.url;
    a.writeHead(200, {'Content-Length': Buffer.byteLength(body)});
    a.end(body);
  });
});
server.on('clientError', (e, s) => {
  if (s.writable) s.end('HTTP/1.1 400 Bad Request\\r\\n' +
    'Content-Length: 0\\r\\nConnection: close\\r\\n\\r\\n');
});
server.keepAliveTimeout = 60000;
server.listen(Number(process.argv[2]), '127.0.0.1', 1024, () => console.log('ready'));
"""


class NodeOrigin:
    """Node's http: it writes a line for each request read to its end."""

    def __init__(self):
        binary = shutil.which("node") or shutil.which("nodejs")
        if not binary:
            raise Skip("node is not installed")
        self.port = free_port()
        self.seen = Seen()
        path = os.path.join(TEMP, "origin.js")
        with open(path, "w") as f:
            f.write(NODE)
        self.process = subprocess.Popen(
            [binary, path, str(self.port)], stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL)
        self.ready = False
        threading.Thread(target=self.follow, daemon=True).start()
        until(lambda: self.ready, "node listens", 20)

    def follow(self):
        for line in self.process.stdout:
            if line == b"ready\n":
                self.ready = True
                continue
            host, _, path = line.rstrip(b"\n").partition(b" ")
            label = host.split(b".")[0].lower().decode("latin1")
            self.seen.add(label, path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

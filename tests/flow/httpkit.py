"""HTTP by hand: messages read from a connection, requests written, services
that answer by path. For the tests that look at every byte."""
import contextlib

from harness import Client, Origin, Server, equal


def http(name, port, *domains, **more):
    return {"name": name, "type": "http", "localPort": port,
            "customDomains": list(domains), **more}


class Reader:
    """Messages from a connection, one after the other."""

    def __init__(self, conn):
        self.conn, self.data = conn, b""

    def more(self):
        data = self.conn.recv(65536)
        self.data += data
        return data

    def line(self):
        while b"\r\n" not in self.data:
            if not self.more():
                raise EOFError(self.data)
        line, _, self.data = self.data.partition(b"\r\n")
        return line

    def take(self, n):
        while len(self.data) < n:
            if not self.more():
                raise EOFError(f"{len(self.data)} of {n}")
        out, self.data = self.data[:n], self.data[n:]
        return out

    def head(self):
        """The first line and the fields; None at the end."""
        try:
            first = self.line()
        except EOFError as e:
            if e.args[0] == b"":
                return None
            raise
        fields = []
        while line := self.line():
            name, _, value = line.partition(b":")
            fields.append((name.lower(), value.strip()))
        return first, fields

    def chunks(self):
        body = b""
        while n := int(self.line().split(b";")[0], 16):
            body += self.take(n)
            equal(self.line(), b"", "chunk's end")
        self.trailers = []
        while line := self.line():
            self.trailers.append(line)
        return body

    def message(self, bodiless=False):
        """The first line, the fields and the body; None at the end."""
        head = self.head()
        return head and (*head, self.body(head, bodiless))

    def body(self, head, bodiless=False):
        """What follows that head."""
        fields = dict(head[1])
        if bodiless or head[0][9:12] in (b"204", b"304") or \
                head[0].startswith(b"HTTP/1.1 1"):
            body = b""
        elif b"chunked" in fields.get(b"transfer-encoding", b""):
            body = self.chunks()
        elif b"content-length" in fields:
            body = self.take(int(fields[b"content-length"]))
        elif head[0].startswith(b"HTTP/"):
            while self.more():
                pass
            body, self.data = self.data, b""
        else:
            body = b""
        return body


class Site(Origin):
    """Answers each request by what its path says; keeps what it saw."""

    def __init__(self, name=b"a"):
        self.name, self.seen, self.answers = name, [], {}
        super().__init__(self.talk)

    def talk(self, conn):
        reader = Reader(conn)
        number = self.connections
        while (m := reader.message()) is not None:
            path = m[0].split(b" ")[1]
            self.seen.append((number, *m))
            answer = self.answers.get(path)
            if callable(answer):
                if answer(conn, reader) is False:
                    return
            else:
                conn.sendall(answer or b"HTTP/1.1 200 OK\r\nContent-Length: "
                             b"%d\r\n\r\n%s%s" % (len(path) + len(self.name),
                                                  self.name, path))


def get(path, host=b"a.test", method=b"GET", version=b"1.1", more=b""):
    return (b"%s %s HTTP/%s\r\nHost: %s\r\n%s\r\n"
            % (method, path, version, host, more))


@contextlib.contextmanager
def tunnel(*sites, conf=None):
    hosts = ["a.test", "b.test"]
    with contextlib.ExitStack() as stack:
        for o in sites:
            stack.enter_context(o)
        s = stack.enter_context(Server(conf))
        c = stack.enter_context(Client(s, [
            http(h, o.port, h) for h, o in zip(hosts, sites)]))
        yield s, c


def ended(conn):
    """It has ended, cleanly or cut."""
    conn.settimeout(10)
    try:
        return b"" if conn.recv(100) == b"" else None
    except ConnectionResetError:
        return "cut"

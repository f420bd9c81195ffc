"""Many slow visitors of one kind, in a process of their own.

    slow.py PORT HOST KIND COUNT SECONDS PATH

heads: a request's head, a field every SECONDS; bodies: a POST, a byte every
SECONDS; readers: a GET, of whose answer a little is read every SECONDS. With 0
they say and read nothing more. It takes words from stdin and answers each with
a line: `open`, `ended` (how many have been ended by the server, and with which
statuses), `close`.
"""
import json
import resource
import select
import socket
import sys
import time
from collections import Counter

BATCH = 200  # connects that are on their way at once
FIRST = {
    "heads": "GET {path} HTTP/1.1\r\nHost: {host}\r\n",
    "bodies": "POST {path} HTTP/1.1\r\nHost: {host}\r\n"
              "Content-Length: 1000000\r\n\r\n",
    "readers": "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
}
MORE = {"heads": b"X-Slow: 1\r\n", "bodies": b"x"}
PIECE = 512  # of an answer


def wait(s, what):
    """Until it can be written to, or read; select(2) knows few numbers."""
    p = select.poll()
    p.register(s, what)
    p.poll(20000)


class Slow:
    def __init__(self, port, host, kind, count, seconds, path):
        self.port, self.kind, self.count = port, kind, count
        self.seconds = seconds
        self.first = FIRST[kind].format(path=path, host=host).encode()
        self.socks, self.ends, self.said = [], Counter(), {}
        self.by_fd, self.poll = {}, select.epoll()

    def connect(self):
        s = socket.socket()
        if self.kind == "readers":
            # Before connect(2): it decides the window.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", self.port))
        return s

    def open(self):
        self.socks = []
        while len(self.socks) < self.count:
            batch = [self.connect() for _ in range(
                min(BATCH, self.count - len(self.socks)))]
            for s in batch:
                wait(s, select.POLLOUT)
                s.send(self.first)
            self.socks += batch
        for s in self.socks:
            # Readers look at their answers, which have begun, when it is time.
            if self.kind == "readers":
                wait(s, select.POLLIN)
            self.poll.register(s, select.EPOLLRDHUP if self.kind == "readers"
                               else select.EPOLLIN)
        self.by_fd = {s.fileno(): s for s in self.socks}
        self.said, self.ends = {}, Counter()
        self.due, self.next = time.monotonic(), 0

    def end(self, s, how):
        self.poll.unregister(s)
        del self.by_fd[s.fileno()]
        self.ends[how] += 1

    def read(self, s):
        try:
            data = s.recv(4096 if self.kind != "readers" else PIECE)
        except ConnectionError:
            self.end(s, "cut")
            return
        if not data:
            self.end(s, self.said.get(s, "end"))
        elif self.kind != "readers":
            self.said.setdefault(s, data.split()[1].decode())

    def step(self, s):
        """It is this one's turn, as it is once in `seconds`."""
        if s.fileno() not in self.by_fd:
            return
        try:
            if self.kind == "readers":
                self.read(s)
            else:
                s.send(MORE[self.kind])
        except BlockingIOError:
            pass
        except ConnectionError:
            self.end(s, self.said.get(s, "cut"))

    def turn(self, timeout):
        """Wait for what comes; whether stdin has a word."""
        word = False
        for fd, event in self.poll.poll(timeout):
            if fd == 0:
                word = True
            elif self.kind == "readers":
                # What it has not read it will not read: a cut, or the end.
                self.end(self.by_fd[fd], "cut" if event & select.EPOLLERR
                         else "end")
            else:
                self.read(self.by_fd[fd])
        return word

    def drip(self):
        if not self.seconds or not self.socks:
            return
        now = time.monotonic()
        while self.due <= now:
            self.step(self.socks[self.next])
            self.next = (self.next + 1) % self.count
            self.due += self.seconds / self.count

    def close(self):
        for s in self.socks:
            s.close()
        self.socks, self.by_fd = [], {}

    def run(self):
        self.poll.register(0, select.EPOLLIN)
        while True:
            self.drip()
            if not self.turn(0.02):
                continue
            word = sys.stdin.readline().strip()
            if word == "open":
                self.open()
            elif word == "close":
                self.close()
            elif not word:
                return
            print(json.dumps({"held": len(self.by_fd), "ended": self.ends}),
                  flush=True)


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    port, host, kind, count, seconds, path = sys.argv[1:]
    Slow(int(port), host, kind, int(count), float(seconds), path).run()


main()

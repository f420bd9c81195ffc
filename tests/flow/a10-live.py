"""Request lines of adit: plain ones, the terminal, and that they cost nobody
a byte or a wait."""
import contextlib
import fcntl
import os
import pty
import random
import re
import signal
import struct
import subprocess
import termios
import threading
import time

from harness import (ADIT, TEMP, TOKEN, Client, Origin, Program, Server, Skip,
                     able, case, check, curl, dial, equal, main, merge,
                     read_all, read_until, reset, sha, until)

try:
    from linkkit import Frps
except ImportError as e:
    Frps, frp_missing = None, str(e)

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          b"Connection: Upgrade\r\n\r\n")
LINE = re.compile(r"(\d\d:\d\d:\d\d)  (\S+)  (\S+(?: \S+)?)  (\d{3}|---)  "
                  r"([\d.]+ m?s)  (cut|[\d.]+ \w+)")


answer = threading.Event()  # what /wait waits for


def response(status, body=b"", *fields):
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def read_body(conn, head, rest):
    """The request's body, by its length."""
    m = re.search(rb"Content-Length: (\d+)", head)
    want = int(m.group(1)) if m else 0
    body = bytearray(rest)
    while len(body) < want:
        more = conn.recv(1 << 20)
        check(more, "an early end")
        body += more
    return bytes(body)


def site(conn):
    """What it answers stands in the path."""
    while data := read_until(conn, b"\r\n\r\n"):
        head, rest = data.split(b"\r\n\r\n", 1)
        method, target = head.split(b" ")[:2]
        read_body(conn, head, rest)
        path = target.split(b"?")[0]
        if path == b"/slow":
            time.sleep(0.12)
        if path == b"/wait":
            answer.wait(20)
        if path == b"/none":
            return
        if path == b"/cut":
            conn.sendall(response(200, b"x" * 100)[:-50])
            reset(conn)
            return
        if path == b"/close":
            conn.sendall(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
            return
        if path == b"/ws":
            conn.sendall(SWITCH)
            while data := conn.recv(65536):
                conn.sendall(data)
            return
        if path == b"/chunked":
            conn.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
                         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         b"\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
            continue
        m = re.match(rb"/(\d{3})", path)
        status = int(m.group(1)) if m else 200
        body = b"" if method == b"HEAD" or status in (204, 304) else b"yes"
        if method == b"HEAD":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        elif status in (204, 304):
            conn.sendall(b"HTTP/1.1 %d X\r\n\r\n" % status)
        else:
            conn.sendall(response(status, body))


class Output:
    """A pipe or a terminal (rows, columns); read, or full until `read`."""

    def __init__(self, terminal=None, read=True):
        self.data = b""
        self.mine, self.theirs = pty.openpty() if terminal else os.pipe()
        self.reader = None
        if terminal:
            self.resize(*terminal)
        if read:
            self.read()

    def resize(self, rows, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        # EIO: a terminal whose programs have gone.
        with contextlib.suppress(OSError):
            while more := os.read(self.mine, 65536):
                self.data += more

    def text(self):
        return self.data.decode()

    def end(self):
        """All that was written; its programs have ended."""
        os.close(self.theirs)
        if not self.reader:
            self.read()
        self.reader.join(10)
        os.close(self.mine)
        return self.text()


class OneLine(Program):
    """adit http ... that prints to an Output; the log, too, if asked."""

    def __init__(self, server, output, *args, log_there=False, env=None,
                 wait=True):
        super().__init__([ADIT, "http", *map(str, args), "--domain", "a.test",
                          "-s", f"127.0.0.1:{server.port}"], "live",
                         env={"TERM": "xterm", "ADIT_TOKEN": TOKEN,
                              "NO_COLOR": "", "TZ": "UTC", **(env or {})})
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=output.theirs,
                stderr=output.theirs if log_there else log, cwd=self.dir,
                env=self.env)
        log = output.text if log_there else self.log
        if wait:
            until(lambda: "start proxy success" in log(), "the proxy is there")


class FromFile(Client):
    """adit -c FILE --requests; its log apart, or on a console."""

    def __init__(self, server, output, proxies, conf=None,
                 args=("--requests",), console=False, **options):
        self.output, self.args, self.console = output, args, console
        super().__init__(server, proxies, conf, wait=not console, **options)

    def launch(self):
        if not self.console:
            self.write(merge(self.conf, {"log": {"to": self.log_path}}))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.argv, *self.args], stdin=subprocess.DEVNULL,
                stdout=self.output.theirs, stderr=log, cwd=self.dir,
                env={**self.env, "TERM": "xterm", "TZ": "UTC",
                     "NO_COLOR": ""})


class Terminal:
    """What stands on a terminal: the few codes that adit writes."""

    CODE = re.compile(r"\x1b\[(\d*)([AJm])|([\r\n])|([ -~])|(.)", re.S)

    def __init__(self, columns):
        self.columns, self.rows, self.row, self.at = columns, [""], 0, 0

    def feed(self, text):
        for m in self.CODE.finditer(text):
            n, code, move, char, other = m.groups()
            check(other is None, f"{other!r} for a terminal")
            if code == "A":
                self.row -= int(n or 1)
                check(self.row >= 0, "above the first row")
            elif code == "J":
                self.rows[self.row] = self.rows[self.row][:self.at]
                del self.rows[self.row + 1:]
            elif move == "\r":
                self.at = 0
            elif move == "\n":
                self.down()
            elif char:
                if self.at == self.columns:
                    self.down()
                    self.at = 0
                line = self.rows[self.row].ljust(self.at)
                self.rows[self.row] = (line[:self.at] + char +
                                       line[self.at + 1:])
                self.at += 1
        return self.rows

    def down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")


def web(origin, **more):
    return [{"name": "web", "type": "http", "localPort": origin.port,
             "customDomains": ["a.test"], **more}]


def get(server, path, *args):
    return curl(f"http://127.0.0.1:{server.http}{path}", "-H", "Host: a.test",
                *args)


def requests(text):
    return [m.groups() for m in map(LINE.fullmatch, text.splitlines()) if m]


def milliseconds(text):
    n, unit = text.split()
    return float(n) * (1000 if unit == "s" else 1)


@case("plain lines in order, with method, path, status, time and size")
def plain():
    rows = [("/", (), "GET", "200", "3 B"),
            ("/slow", (), "GET", "200", "3 B"),
            ("/404?x=y", (), "GET", "404", "3 B"),
            ("/204", (), "GET", "204", "0 B"),
            ("/304", (), "GET", "304", "0 B"),
            ("/head", ("-I",), "HEAD", "200", "0 B"),
            ("/500", ("-d", "body"), "POST", "500", "3 B"),
            ("/chunked", ("-X", "PUT"), "PUT", "200", "11 B"),
            ("/close", (), "GET", "200", "13 B")]
    out = Output()
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port) as c:
            until(lambda: out.text() == f"http://a.test:{s.http}\n",
                  "the address")
            for path, args, *_ in rows:
                get(s, path, *args)
                until(lambda p=path: f"  {p}  " in out.text(), f"{path} is "
                      "printed")
            c.stop(signal.SIGINT)
        text = out.end()
    have = requests(text)
    equal([(m, p, st, size) for _, m, p, st, _, size in have],
          [(m, p, st, size) for p, _, m, st, size in rows])
    for clock, *_, took, _size in have:
        now = time.strftime("%H:%M:%S", time.gmtime())
        check(clock <= now or now < "00:10", f"{clock} at {now}")
        check(0 <= milliseconds(took) < 60000, took)
    check(120 <= milliseconds(have[1][4]) < 60000, have[1])
    lines = text.splitlines()
    equal(lines[-2], "9 requests  2xx 6  3xx 1  4xx 1  5xx 1")
    p99 = re.fullmatch(r"p50 [\d.]+ m?s  p90 [\d.]+ m?s  p99 ([\d.]+ m?s)  "
                       r"in 4 B  out 36 B", lines[-1])
    longest = max(milliseconds(took) for *_, took, _size in have)
    check(p99 and abs(milliseconds(p99[1]) - longest) <= 1 + longest / 100,
          lines[-1])
    equal(len(lines), len(rows) + 3, "lines")
    check("\x1b" not in text, "codes without a terminal")


@case("requests without a whole answer")
def unanswered():
    out = Output()
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port):
            with dial(s.http) as v:
                v.sendall(b"GET /cut HTTP/1.1\r\nHost: a.test\r\n\r\n")
                read_all_or_reset(v)
            until(lambda: " /cut  200 " in out.text(), "/cut is printed")
            with dial(s.http) as v:
                v.sendall(b"POST /none HTTP/1.1\r\nHost: a.test\r\n"
                          b"Connection: close\r\nContent-Length: 1\r\n\r\nx")
                read_all_or_reset(v)
            until(lambda: " /none  --- " in out.text(), "/none is printed")
        text = out.end()
    equal([(p, st, size) for _, _, p, st, _, size in requests(text)],
          [("/cut", "200", "cut"), ("/none", "---", "cut")])
    check("2 requests  cut 2" in text, text)


def read_all_or_reset(conn):
    with contextlib.suppress(ConnectionResetError):
        read_all(conn)


@case("--no-requests, tcp, -c without --requests: nothing is printed")
def off():
    with Origin(site) as o, Server() as s:
        out = Output()
        with OneLine(s, out, o.port, "--no-requests") as c:
            until(lambda: "\n" in out.text(), "the address")
            get(s, "/")
            equal(c.threads().count("adit"), len(c.threads()), "threads")
        equal(out.end(), f"http://a.test:{s.http}\n")
        out = Output()
        with FromFile(s, out, web(o), args=()):
            get(s, "/")
        equal(out.end(), "")


@case("a terminal: lines scroll, the block is drawn in place, the log above")
def terminal():
    out = Output(terminal=(24, 200))
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port, log_there=True) as c:
            until(lambda: "0 requests" in out.text(), "a block")
            for i in range(30):
                get(s, f"/{200 + 100 * (i % 4)}/{i}")
            until(lambda: "30 requests" in out.text(), "all in the block")
            s.kill()
            until(lambda: out.text().count("try to connect") > 1, "the log")
            c.stop(signal.SIGINT)
        text = out.end()
    rows = Terminal(200).feed(text)
    equal(rows[-1], "", "the last row")
    equal(rows[-4], f"http://a.test:{s.http}", "the address")
    equal(rows[-3], "30 requests  2xx 8  3xx 8  4xx 7  5xx 7")
    check(rows[-2].startswith("p50 "), rows[-2])
    above = rows[:-4]
    equal([r.split()[2] for r in above if re.match(r"\d\d:\d\d:\d\d ", r)],
          [f"/{200 + 100 * (i % 4)}/{i}" for i in range(30)], "paths")
    equal(above.count(f"http://a.test:{s.http}"), 1, "the address, to stay")
    for row in above:
        check(re.match(r"http://a\.test:\d+$|\d\d:\d\d:\d\d  GET +/\d+/\d+ +\d+ +[\d.]+ m?s +3 B$|"
                       r"\d{4}-\d\d-\d\d [\d:.]+ \w+ msg=\".*[\w\"]$", row),
              f"row {row!r}")
    check("\x1b[32m200\x1b[0m" in text and "\x1b[31m500\x1b[0m" in text,
          "colors")
    draws = text.count("\x1b[J")
    check(draws > 1, "it was drawn once")


@case("a terminal that also has the log of adit -c FILE")
def console():
    out = Output(terminal=(24, 200))
    with Origin(site) as o, Server() as s:
        with FromFile(s, out, web(o), {"log": {"disablePrintColor": True}},
                      console=True) as c:
            until(lambda: "start proxy success" in out.text(), "the proxy")
            for i in range(10):
                get(s, f"/{i}")
                c.process.send_signal(signal.SIGUSR1)
                until(lambda n=i: out.text().count("counters ") > n, "a line")
            until(lambda: "10 requests" in out.text(), "the block")
        text = out.end()
    check(not re.search(r"\x1b\[\d*m", text), "colors")
    rows = Terminal(200).feed(text)
    equal(rows[-3], "10 requests  2xx 10")
    equal([r.split()[2] for r in rows if re.match(r"\d\d:\d\d:\d\d ", r)],
          [f"/{i}" for i in range(10)], "paths")
    equal(sum(r.startswith("p50") for r in rows), 1, "sums that stand there")
    equal(sum("counters " in r for r in rows), 10, "lines of the log")


@case("a terminal without colors, one that is narrow, one that is dumb")
def terminals():
    with Origin(site) as o, Server() as s:
        out = Output(terminal=(24, 50))
        with OneLine(s, out, o.port, env={"NO_COLOR": "1"}) as c:
            get(s, "/" + "long/" * 40)
            until(lambda: "1 request  2xx" in out.text(), "the line")
            out.resize(24, 30)
            get(s, "/two")
            until(lambda: "2 requests  2xx" in out.text(), "the line")
            c.stop(signal.SIGINT)
        text = out.end()
        check(not re.search(r"\x1b\[\d*m", text), "colors")
        for line in re.split(r"[\r\n]+", text):
            check(len(re.sub(r"\x1b\[\d*\w", "", line)) < 50, line)
        check(re.search(r"GET +/long/[long/]*\.\.\.  200 ", text), text)
        out = Output(terminal=(24, 40))
        name = "a-name-that-is-longer-than-a-narrow-terminal.test"
        with OneLine(s, out, o.port, "--domain", name) as c:
            until(lambda: "0 requests" in out.text(), "the block")
            for line in (rf"http://{name}:{s.http}\r?\n",
                         r"http://a-name-[\w-]*\.\.\."):
                check(re.search(line, out.text()), f"{line}: {out.text()}")
            c.stop(signal.SIGINT)
        out.end()
        out = Output(terminal=(24, 80))
        with OneLine(s, out, o.port, env={"TERM": "dumb"}):
            get(s, "/one")
            until(lambda: "GET  /one  200" in out.text(), "a plain line")
        check("\x1b" not in out.end(), "codes for a dumb terminal")


@case("the block of a terminal is drawn four times a second, or not at all")
def quiet():
    out = Output(terminal=(24, 80))
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port) as c:
            get(s, "/")
            until(lambda: "1 request  2xx" in out.text(), "the line")
            # The last draw may be late.
            time.sleep(1)
            size, cpu = len(out.data), c.cpu()
            time.sleep(1.5)
            equal(len(out.data), size, "bytes written at rest")
            check(c.cpu() - cpu <= 0.05, f"{c.cpu() - cpu} s of CPU at rest")
            begin, draws = time.monotonic(), out.text().count("\x1b[J")
            drawn, took = 0, 0
            while took < 1.2 or drawn < 2 and took < 20:
                many(s, 40)
                took = time.monotonic() - begin
                drawn = out.text().count("\x1b[J") - draws
            check(2 <= drawn <= took * 4 + 2, f"{drawn} draws in {took:.1f} s")
            until(lambda: "open" not in out.text().split("\x1b[J")[-1], "rest")
            base = c.threads()
            with dial(s.http) as v:
                answer.clear()
                v.sendall(b"GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n")
                until(lambda: "  1 open" in out.text().split("\x1b[J")[-1],
                      "an open one")
                answer.set()
                read_until(v, b"yes")
            until(lambda: "open" not in out.text().split("\x1b[J")[-1],
                  "the answer")
            equal(sorted(c.threads()), sorted(base), "threads")
        out.end()


@case("what others send never reaches a terminal as it is")
def hostile():
    if not Frps:
        raise Skip(frp_missing)
    targets = [b"/" + bytes([b]) for b in range(0x80, 0x100)]
    targets += [b"/\xc2\x9b31m", b"/\xe2\x80\xae", b"/\\x1b", b"/%1b[2J"]
    out = Output(terminal=(24, 80))
    with Origin(site) as o, Frps() as f:
        with OneLine(f, out, o.port, "--name", "web", wait=False,
                     log_there=True) as c:
            control, _ = f.control()
            f.accept_proxies(control, 1, remote_addr="a\x1b[2J\u009b:1\r\n")
            with f.start_work(control, "web") as work:
                for target in targets:
                    work.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a"
                                 b"\r\n\r\n")
                    check(read_until(work, b"yes").endswith(b"yes"), target)
                until(lambda: f"{len(targets)} requests" in out.text(), "all")
                # Not a request: it passes, but nobody follows any more.
                work.sendall(b"GET /\x1b[2J HTTP/1.1\r\n\r\n")
                check(read_until(work, b"yes").endswith(b"yes"), "garbage")
            c.stop()
        out.end()
    data = re.sub(rb"\x1b\[\d*[AJm]", b"", out.data)
    bad = re.findall(rb"[^ -~\r\n]+", data)
    check(not bad, f"on the terminal: {bad[:5]}")
    for shown in (b" /\\xc2\\x9b31m ", b" /\\xff ", b" /\\\\x1b ",
                  b"http://a\\x1b[2J\\xc2\\x9b:1\\x0d\\x0a\r\n"):
        check(shown in data, f"{shown} is not shown: {data[-300:]}")
    check(b"\x1b[2J" not in out.data, "the terminal was cleared")


def seeded(seed, size):
    return random.Random(seed).randbytes(size)


def exact_site(conn):
    """Sends back the hash of a body and a body of its own, as the path says:
    by length or in chunks."""
    while data := read_until(conn, b"\r\n\r\n"):
        head, rest = data.split(b"\r\n\r\n", 1)
        body = (take_chunks(conn, rest) if b"chunked" in head.lower() else
                read_body(conn, head, rest))
        mine = seeded(7, len(body))
        mark = b"X-Hash: " + sha(body).encode() + b"\r\n"
        if b"/length" in head:
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" %
                         (len(mine), mark) + mine)
            continue
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" +
                     mark + b"\r\n")
        sizes, at = random.Random(5), 0
        while at < len(mine):
            data = mine[at:at + sizes.choice([1, 100, 5000, 70000, 1 << 20])]
            conn.sendall(b"%x\r\n" % len(data) + data + b"\r\n")
            at += len(data)
        conn.sendall(b"0\r\n\r\n")


def take_chunks(conn, data):
    parts = []
    data = bytearray(data)

    def need(end):
        while end(data) < 0:
            more = conn.recv(1 << 20)
            check(more, "an early end")
            data.extend(more)

    while True:
        need(lambda d: d.find(b"\r\n"))
        line = data.find(b"\r\n")
        n = int(data[:line], 16)
        need(lambda d, w=line + 4 + n: len(d) - w)
        parts.append(bytes(data[line + 2:line + 2 + n]))
        del data[:line + 4 + n]
        if n == 0:
            return b"".join(parts)


@case("50 MiB both ways, by length and in chunks, are exact and are shown")
def exact():
    size = 50 << 20
    out = Output()
    path = os.path.join(TEMP, "up")
    with open(path, "wb") as f:
        f.write(seeded(3, size))
    with Origin(exact_site) as o, Server() as s:
        with FromFile(s, out, web(o)) as c:
            for how, fields in (("length", ()), (
                    "chunks", ("-H", "Transfer-Encoding: chunked"))):
                status, head, body = get(
                    s, f"/{how}", "-T", path, "-H", "Expect:", *fields)
                equal(status, 200)
                equal(re.search(r"X-Hash: (\w+)", head).group(1),
                      sha(seeded(3, size)), f"{how}: upload")
                equal(sha(body), sha(seeded(7, size)), f"{how}: download")
                until(lambda h=how: f"/{h}  200" in out.text(), "the line")
            if os.environ.get("ADIT_RELAY", "auto") != "copy" and able(
                    "splicing"):
                spliced = c.counters()["bytes_spliced"]
                check(spliced > 2 * size, f"only {spliced} were spliced")
        text = out.end()
    equal([(m, p, st, b) for _, m, p, st, _, b in requests(text)],
          [("PUT", "/length", "200", "50.0 MiB"),
           ("PUT", "/chunks", "200", "50.0 MiB")])
    check(text.endswith("  in 100.0 MiB  out 100.0 MiB\n"), text)
    equal(o.error, None)


def upgraded(server):
    """A WebSocket's connection behind its 101."""
    v = dial(server.http)
    v.sendall(b"GET /ws HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n"
              b"Connection: Upgrade\r\n\r\n")
    check(read_until(v, b"\r\n\r\n").startswith(b"HTTP/1.1 101"), "101")
    return v


@case("a WebSocket is one line, then is left alone: exact, and parked")
def websocket():
    out = Output()
    with Origin(site) as o, Server() as s:
        with FromFile(s, out, web(o)) as c:
            with upgraded(s) as v:
                until(lambda: "GET  /ws  101" in out.text(), "the line")
                parks = c.counters()["parks"]
                for data in (b"one", b"GET / HTTP/1.1\r\n\r\n"):
                    v.sendall(data)
                    equal(read_until(v, data), data)
                if able("parking"):
                    until(lambda: c.counters()["parks"] > parks,
                          "it is parked")
                v.sendall(b"two")
                equal(read_until(v, b"two"), b"two")
            with upgraded(s) as v:
                data, have = seeded(9, 5 << 20), bytearray()
                threading.Thread(target=v.sendall, args=(data,)).start()
                while len(have) < len(data):
                    more = v.recv(1 << 20)
                    check(more, "an early end")
                    have += more
                equal(sha(have), sha(data))
        text = out.end()
    equal(len(requests(text)), 2, "lines")
    check("2 requests  1xx 2\n" in text, text)


def many(server, n, threads=4, path="/"):
    """So many requests, on connections that stay."""
    failed = []

    def go(count, host):
        with dial(server.http, timeout=60) as v:
            for i in range(count):
                v.sendall(f"GET {path}{i} HTTP/1.1\r\nHost: {host}\r\n\r\n"
                          .encode())
                if not read_until(v, b"yes").startswith(b"HTTP/1.1 200"):
                    failed.append(i)

    workers = [threading.Thread(target=go, args=(n // threads, "a.test"))
               for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    equal(failed, [], "requests that failed")


@case("an output that takes nothing stops no visitor, and no end")
def stuck():
    for terminal in (None, (24, 200)):
        out = Output(terminal=terminal, read=False)
        with Origin(site) as o, Server() as s:
            with OneLine(s, out, o.port) as c:
                many(s, 3000, path="/" + "x" * 200)
                begin = time.monotonic()
                c.stop()
                took = time.monotonic() - begin
                check(took < 10, f"{took:.1f} s to end")
        out.end()


@case("lines that found no room are counted")
def hidden():
    out = Output(read=False)
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port) as c:
            many(s, 2000, path="/" + "x" * 200)
            out.read()
            until(lambda: out.text().count("\n") > 100, "it is read")
            time.sleep(0.2)
            c.stop()
        text = out.end()
    shown = len(requests(text))
    # On a busy machine some found no room on their way to the screen: those
    # are not in its sums.
    m = re.search(r"\n(\d+) requests  2xx \1  not shown (\d+)\n", text)
    check(m and int(m[1]) <= 2000, text[-300:])
    equal(shown + int(m[2]), 2000, "shown and not shown")


@case("an output whose reader has gone stops nobody")
def reader_gone():
    out = Output(read=False)
    with Origin(site) as o, Server() as s:
        with OneLine(s, out, o.port) as c:
            os.close(out.mine)
            many(s, 200)
            c.stop()
    os.close(out.theirs)


@case("several workers and proxies, a file: each request is one line")
def workers():
    out = Output()
    with Origin(site) as o, Origin(site) as b, Server() as s:
        with FromFile(s, out, [
                *web(o), {"name": "other", "type": "http",
                          "localPort": b.port,
                          "customDomains": ["b.test"]}],
                {"workers": 4}) as c:
            many(s, 1200, threads=12)
            check(c.counters()["pool_lookouts"] > 0, "nobody looked")
            curl(f"http://127.0.0.1:{s.http}/b", "-H", "Host: b.test")
            until(lambda: "[other] /b" in out.text(), "the other's")
            until(lambda: len(requests(out.text())) == 1201, "all lines")
            # Idle connections to a service are kept for 4 s.
            until(lambda: c.counters()["pool_lookouts"] == 0, "rest", 15)
        text = out.end()
    paths = sorted(p for _, _, p, _, _, _ in requests(text))
    equal(paths, sorted([f"[web] /{i}" for i in range(100)] * 12 +
                        ["[other] /b"]), "paths")
    check("\n1201 requests  2xx 1201\n" in text, text[-300:])


main()

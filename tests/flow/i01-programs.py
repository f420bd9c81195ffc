"""Programs that people use, through the tunnel: curl, git, nginx, ab, an
EventSource, long polls, and services that authenticate their connections."""
import base64
import contextlib
import hashlib
import http.server
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

from harness import (TEMP, Client, Nginx, Origin, Server, Skip, case, check,
                     curl, dial, equal, levels, main, read_until, settle, sha)

UPLOAD_MIB = int(os.environ.get("UPLOAD_MIB", "1024"))
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "90"))
QUIET = {"log": {"level": "info"}}


@contextlib.contextmanager
def tunnel(port, conf=None):
    """aditd and adit, and t.test for the service on a port."""
    with Server({**QUIET, **(conf or {})}) as s, Client(s, [
            {"name": "web", "type": "http", "localPort": port,
             "customDomains": ["t.test"]}], QUIET) as c:
        yield s, c


class Web(http.server.ThreadingHTTPServer):
    """An HTTP/1.1 service; each method answers with the handler."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, **methods):
        members = {f"do_{k}": v for k, v in methods.items()}
        super().__init__(("127.0.0.1", 0), type("Handler", (Handler,), members))
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def chunked(self):
        return self.headers.get("Transfer-Encoding") == "chunked"

    def body(self):
        """The request's body, piece by piece."""
        if self.chunked():
            while n := int(self.rfile.readline().split(b";")[0], 16):
                while n:
                    piece = self.rfile.read1(min(n, 1 << 20))
                    n -= len(piece)
                    yield piece
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            piece = self.rfile.read1(min(left, 1 << 20))
            if not piece:
                raise EOFError(f"{left} bytes early")
            left -= len(piece)
            yield piece

    def begin(self, status, **fields):
        """A head whose body goes by send(); send(b"") ends it."""
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def answer(self, data, status=200, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


# --- long polls, which go on beside all other cases ---


class Polls(threading.Thread):
    """Two: nothing comes for a while, or a head and then nothing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.error, self.took = None, []

    def poll(self, s, path):
        start = time.monotonic()
        with dial(s.http, timeout=POLL_SECONDS + 20) as conn:
            conn.sendall(b"GET %s HTTP/1.1\r\nHost: t.test\r\n"
                         b"Connection: close\r\n\r\n" % path)
            data = b""
            while more := conn.recv(65536):
                data += more
        self.took.append(time.monotonic() - start)
        check(data.startswith(b"HTTP/1.1 200 ") and b"news" in data, data)

    def run(self):
        def get(handler):
            if handler.path == "/body":
                handler.begin(200, Content_Type="text/plain")
                time.sleep(POLL_SECONDS)
                handler.send(b"news")
                handler.send(b"")
            else:
                time.sleep(POLL_SECONDS)
                handler.answer(b"news")
        try:
            # A body may be silent for ever; a head for vhostHTTPTimeout.
            with Web(GET=get) as o, tunnel(o.port, {
                    "vhostHTTPTimeout": int(POLL_SECONDS) + 15}) as (s, _):
                other = threading.Thread(target=self.poll, args=(s, b"/body"))
                other.start()
                self.poll(s, b"/head")
                other.join()
        except Exception as e:  # the case tells it
            self.error = e


polls = Polls()


@case("Server-Sent Events, each when it is sent")
def events():
    seen = threading.Semaphore(0)

    def get(handler):
        length = handler.path == "/chunked"
        if length:
            handler.begin(200, Content_Type="text/event-stream")
        else:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/event-stream")
            handler.send_header("Connection", "close")
            handler.end_headers()
        for i in range(50):
            event = b"id: %d\ndata: event %d\n\n" % (i, i)
            handler.send(event) if length else handler.wfile.write(event)
            # The next one is sent when this one has been seen.
            if not seen.acquire(timeout=20):
                return
        if length:
            handler.send(b"")

    with Web(GET=get) as o, tunnel(o.port) as (s, c):
        base, mine = levels(s), levels(c)
        for path in ("/chunked", "/close"):
            p = subprocess.Popen(
                ["curl", "-sSN", "--noproxy", "*", "-H", "Host: t.test",
                 "-H", "Accept: text/event-stream", "--max-time", "30",
                 f"http://127.0.0.1:{s.http}{path}"], stdout=subprocess.PIPE)
            for i in range(50):
                equal(p.stdout.readline(), b"id: %d\n" % i, path)
                equal(p.stdout.readline(), b"data: event %d\n" % i, path)
                equal(p.stdout.readline(), b"\n", path)
                seen.release()
            equal(p.stdout.read(), b"", "what follows the last event")
            equal(p.wait(10), 0, "curl's exit code")
        settle(s, base)
        settle(c, mine)


def large_file():
    """UPLOAD_MIB that repeat nowhere, and their hash."""
    path, total = os.path.join(TEMP, "large"), hashlib.sha256()
    noise = random.Random(7).randbytes(1 << 20)
    with open(path, "wb") as f:
        for i in range(UPLOAD_MIB):
            piece = i.to_bytes(8, "big") + noise[8:]
            total.update(piece)
            f.write(piece)
    return path, total.hexdigest()


@case(f"curl -T: {UPLOAD_MIB} MiB, by length and chunked", 300)
def upload():
    how = []

    def put(handler):
        total = hashlib.sha256()
        for piece in handler.body():
            total.update(piece)
        how.append(handler.chunked())
        handler.answer(total.hexdigest().encode())

    path, want = large_file()
    try:
        with Web(PUT=put) as o, tunnel(o.port) as (s, _):
            url = f"http://127.0.0.1:{s.http}/large"
            for source in (path, "-"):
                start = time.monotonic()
                with open(path, "rb") as f:
                    r = subprocess.run(
                        ["curl", "-sS", "--noproxy", "*", "-H",
                         "Host: t.test", "-T", source, "--max-time", "140",
                         url], stdin=f, capture_output=True, text=True)
                equal(r.returncode, 0, f"curl: {r.stderr}")
                equal(r.stdout, want, "hash")
                rate = UPLOAD_MIB / (time.monotonic() - start)
                print(f"# {'chunked' if how[-1] else 'by length'}: "
                      f"{rate:.0f} MiB/s")
            equal(how, [False, True], "chunked")
    finally:
        os.unlink(path)


def git(*args, cwd):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null",
           "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
           "no_proxy": "*"}
    for who in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{who}_NAME"] = env[f"GIT_{who}_EMAIL"] = "t@t.test"
    r = subprocess.run(["git", "-c", "http.extraHeader=Host: t.test",
                        "-c", "http.postBuffer=100000", *args], cwd=cwd,
                       env=env, capture_output=True, text=True, timeout=100)
    equal(r.returncode, 0, f"git {args[0]}: {r.stderr}")
    return r.stdout.strip()


class GitWeb(Web):
    """git http-backend as a CGI program."""

    def __init__(self, root):
        self.root, self.requests = root, []
        super().__init__(GET=GitWeb.run, POST=GitWeb.run)

    def run(self):
        # self: the handler.
        path, _, query = self.path.partition("?")
        self.server.requests.append((self.command, path, self.chunked()))
        p = subprocess.Popen(
            ["git", "http-backend"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={
                **os.environ, "GIT_PROJECT_ROOT": self.server.root,
                "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                "REMOTE_USER": "t", "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING":
                    self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")})
        for piece in self.body():
            p.stdin.write(piece)
        p.stdin.close()
        fields = {}
        while line := p.stdout.readline().strip():
            name, _, value = line.decode().partition(": ")
            fields[name] = value
        self.begin(int(fields.pop("Status", "200").split()[0]), **fields)
        while piece := p.stdout.read1(65536):
            self.send(piece)
        self.send(b"")
        p.wait()


@case("git: clone and push over http, the pack in chunks")
def git_http():
    home = os.path.join(TEMP, "git")
    os.mkdir(home)
    git("init", "-q", "--bare", "there.git", cwd=home)
    with GitWeb(home) as o, tunnel(o.port) as (s, c):
        base, mine = levels(s), levels(c)
        url = f"http://127.0.0.1:{s.http}/there.git"
        git("clone", "-q", url, "one", cwd=home)
        one = os.path.join(home, "one")
        for turn in range(3):
            for i in range(20):
                with open(os.path.join(one, f"file{i}"), "wb") as f:
                    f.write(os.urandom(50000))
            git("add", "-A", cwd=one)
            git("commit", "-q", "-m", f"turn {turn}", cwd=one)
            git("push", "-q", "origin", "HEAD:main", cwd=one)
            equal(git("ls-remote", url, "main", cwd=home).split()[0],
                  git("rev-parse", "HEAD", cwd=one), "what was pushed")
        git("clone", "-q", "-b", "main", url, "two", cwd=home)
        two = os.path.join(home, "two")
        git("fsck", "--strict", cwd=two)
        equal(git("rev-parse", "HEAD^{tree}", cwd=two),
              git("rev-parse", "HEAD^{tree}", cwd=one), "the trees")
        packs = [r for r in o.requests if r[1].endswith("git-receive-pack")
                 and r[0] == "POST" and r[2]]
        equal(len(packs), 3, f"packs in chunks: {o.requests}")
        settle(s, base)
        settle(c, mine)


@case("nginx: sendfile, ranges, gzip, 304")
def nginx():
    large = random.Random(1).randbytes(32 << 20)
    text = b"".join(b"line %d of a text\n" % i for i in range(20000))
    with Nginx({"large.bin": large, "text.txt": text, "empty": b""},
               "sendfile on; tcp_nopush on; gzip on; gzip_types text/plain;"
               ) as o, tunnel(o.port) as (s, c):
        base, mine = levels(s), levels(c)
        url = f"http://127.0.0.1:{s.http}"

        def get(path, *args):
            return curl(url + path, "-H", "Host: t.test", *args)

        status, head, body = get("/large.bin")
        equal((status, sha(body)), (200, sha(large)), "by sendfile")
        for first, last in ((0, 0), (1, 70000), (len(large) - 5, "")):
            status, head, body = get("/large.bin", "-r", f"{first}-{last}")
            end = len(large) if last == "" else last + 1
            equal((status, sha(body)), (206, sha(large[first:end])), "range")
        status, head, body = get("/text.txt", "-r", "0-9,100-109")
        equal(status, 206, "two ranges")
        check("multipart/byteranges" in head and text[:10] in body
              and text[100:110] in body, "two ranges")
        equal(get("/large.bin", "-r", f"{len(large)}-")[0], 416)
        status, head, body = get("/text.txt", "--compressed")
        equal((status, body), (200, text), "gzip")
        check("Content-Encoding: gzip" in head, f"not compressed: {head}")
        status, plain, body = get("/text.txt")
        equal((status, body), (200, text), "plain")
        check("Content-Encoding" not in plain, plain)
        tag = re.search(r'ETag: (\S+)', plain).group(1)
        since = re.search(r"Last-Modified: ([^\r\n]+)", plain).group(1)
        for name, value in (("If-None-Match", tag),
                            ("If-Modified-Since", since)):
            status, head, body = get("/text.txt", "-H", f"{name}: {value}")
            equal((status, body), (304, b""), name)
        equal(get("/empty")[::2], (200, b""), "an empty file")
        status, head, _ = get("/large.bin", "-I")
        equal(status, 200, "HEAD")
        check(f"Content-Length: {len(large)}" in head, head)
        # Many of one curl, over one connection.
        r = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "-H", "Host: t.test",
             "--compressed", "-w", "%{num_connects} ", *(
                 x for _ in range(20) for x in ("-o", "/dev/null", url
                                                + "/text.txt"))],
            capture_output=True, text=True)
        equal(r.stdout.split(), ["1"] + ["0"] * 19, "connections")
        settle(s, base)
        settle(c, mine)


@case("ab: HTTP/1.0, with and without keep-alive")
def apache_bench():
    if not shutil.which("ab"):
        raise Skip("ab is not installed")
    with Nginx({"page": b"x" * 3000}) as o, tunnel(o.port) as (s, c):
        base, mine = levels(s), levels(c)
        for keep in ([], ["-k"]):
            r = subprocess.run(
                ["ab", "-q", "-n", "2000", "-c", "20", *keep, "-H",
                 "Host: t.test", f"http://127.0.0.1:{s.http}/page"],
                capture_output=True, text=True, timeout=100)
            equal(r.returncode, 0, f"ab: {r.stderr}")
            found = {k: int(v) for k, v in re.findall(
                r"^([\w -]+):\s+(\d+)(?: bytes)?$", r.stdout, re.M)}
            equal((found["Complete requests"], found["Failed requests"],
                   found["HTML transferred"]), (2000, 0, 6000000), "ab")
            check("Non-2xx responses" not in found, r.stdout)
            if keep:
                # nginx ends each of its own after 1,000; ours go on.
                equal(found["Keep-Alive requests"], 2000, "kept alive")
        settle(s, base)
        settle(c, mine)


class Ntlm(Origin):
    """Authenticates connections, as NTLM does: who has sent the third message
    on one is whoever sends anything on it. Answers say the user."""

    def __init__(self):
        self.shared = []  # users that met another's connection
        super().__init__(self.talk)

    def talk(self, conn):
        user, stage, data = b"nobody", 0, b""
        while True:
            while b"\r\n\r\n" not in data:
                more = conn.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            me = re.search(rb"X-Me: (\w+)", head).group(1)
            if user not in (b"nobody", me) or stage == 1 and me != asks:
                self.shared.append((me, user))
            said = re.search(rb"Authorization: NTLM (\S+)", head)
            message = base64.b64decode(said.group(1)) if said else b""
            if message.startswith(b"NTLMSSP\0\1"):
                stage, asks = 1, me
                self.refuse(conn, b" " + base64.b64encode(b"NTLMSSP\0\2"))
            elif message.startswith(b"NTLMSSP\0\3") and stage == 1:
                stage, user = 2, message[9:]
                self.answer(conn, user)
            elif user == b"nobody" and b" /public" not in head:
                self.refuse(conn, b"")
            else:
                self.answer(conn, user)

    def refuse(self, conn, challenge):
        conn.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
                     b"WWW-Authenticate: NTLM%s\r\n\r\n" % challenge)

    def answer(self, conn, user):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(user), user))


def ntlm_visit(s, me, wrong, turns):
    """Log in as a browser does, then ask on without a word of it."""
    def ask(path=b"/", message=None):
        login = b"Authorization: NTLM %s\r\n" % base64.b64encode(
            b"NTLMSSP\0" + message) if message else b""
        conn.sendall(b"GET %s HTTP/1.1\r\nHost: t.test\r\nX-Me: %s\r\n%s\r\n"
                     % (path, me, login))
        head, _, body = read_until(conn, b"\r\n\r\n").partition(b"\r\n\r\n")
        size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < size:
            body += conn.recv(65536)
        return int(head.split()[1]), body

    for _ in range(turns):
        with dial(s.http) as conn:
            steps = [ask(b"/public"), ask(), ask(message=b"\1"),
                     ask(message=b"\3" + me), ask(), ask(b"/public"), ask()]
            want = [(200, b"nobody"), (401, b""), (401, b"")] + [(200, me)] * 4
            if steps != want:
                wrong.append((me, steps))


@case("NTLM: a connection that was logged in serves nobody else")
def ntlm():
    wrong = []
    with Ntlm() as o, tunnel(o.port) as (s, c):
        base, mine = levels(s), levels(c)
        visitors = [threading.Thread(target=ntlm_visit, args=(
            s, b"user%d" % i, wrong, 20)) for i in range(8)]
        for t in visitors:
            t.start()
        for t in visitors:
            t.join()
        equal(o.error, None, "the service")
        equal((len(o.shared), o.shared[:1]), (0, []), "met another's")
        equal(wrong[:1], [], "answers")
        settle(s, base)
        settle(c, mine)


@case(f"long polls of {POLL_SECONDS:g} s", POLL_SECONDS + 30)
def long_polls():
    polls.join()
    if polls.error:
        raise polls.error
    equal(len(polls.took), 2, "polls")
    check(min(polls.took) >= POLL_SECONDS, f"{polls.took}")


if len(sys.argv) < 2 or any(w in "long polls" for w in sys.argv[1:]):
    polls.start()
main()

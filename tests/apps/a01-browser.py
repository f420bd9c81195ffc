"""Pages in a headless Chromium, through the tunnel: a dev server whose changes
reach the page over a WebSocket, and an EventSource."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "flow"), HERE]

from browser import Browser  # noqa: E402
from harness import (ROOT, TEMP, Client, Failed, Origin, Program,  # noqa: E402
                     Server, Skip, answers, case, check, equal, free_port,
                     levels, main, read_until, settle, until)

MODULES = os.path.join(ROOT, "build", "apps")


def web(port):
    return [{"name": "web", "type": "http", "localPort": port,
             "customDomains": ["t.test"]}]


def npm(*args):
    return subprocess.run(["npm", *args, "--fetch-retries=1",
                           "--fetch-timeout=20000"], cwd=MODULES,
                          capture_output=True, text=True, timeout=100)


def same(a, b):
    if not os.path.exists(b):
        return False
    with open(a, "rb") as f, open(b, "rb") as g:
        return f.read() == g.read()


def modules():
    """Install what package-lock.json says, once."""
    if not shutil.which("npm"):
        raise Skip("npm is not installed")
    lock = os.path.join(HERE, "package-lock.json")
    done = os.path.join(MODULES, "installed.json")
    if same(lock, done):
        return
    os.makedirs(MODULES, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), MODULES)
    r = npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if r.returncode != 0:
        view = npm("view", "webpack", "name")
        if view.returncode != 0:
            raise Skip("the npm registry cannot be reached: "
                       + " ".join(view.stderr.split())[:100])
        raise Failed(f"npm ci: {r.stderr[-1000:]}")
    shutil.copy(lock, done)


class DevServer(Program):
    """webpack-dev-server on a copy of the sources."""

    def __init__(self):
        modules()
        self.sources = tempfile.mkdtemp(prefix="webpack-", dir=TEMP)
        for name in ("webpack.config.js", "index.html", "index.js", "text.js"):
            shutil.copy(os.path.join(HERE, name), self.sources)
        os.symlink(os.path.join(MODULES, "node_modules"),
                   os.path.join(self.sources, "node_modules"))
        self.port = free_port()
        super().__init__(["node", "node_modules/webpack/bin/webpack.js",
                          "serve", "--config-node-env", "development"],
                         "webpack", env={"PORT": str(self.port)})
        self.dir = self.sources
        self.expect_exit = None
        self.launch()
        self.wait_log("compiled successfully", 60)
        until(lambda: answers(self.port), "the dev server answers")

    def change(self, text):
        """As an editor does: a new file in the old one's place."""
        path = os.path.join(self.sources, "text.js")
        with open(path + ".new", "w") as f:
            f.write(f'export const text = "{text}";\n')
        os.replace(path + ".new", path)


@case("webpack-dev-server: a change reaches the page, without a reload")
def hot_reload():
    with DevServer() as dev, Server() as s, Client(s, web(dev.port)) as c:
        base, mine = levels(s), levels(c)
        url = f"http://t.test:{s.http}/index.html"
        with Browser() as page:
            page.open(url)
            text = "document.getElementById('text')?.textContent"
            page.until(text, "before")
            page.run("window.mark = 'same page'")
            for turn in range(5):
                dev.change(f"after {turn}")
                page.until(text, f"after {turn}")
                equal(page.run("window.mark"), "same page", "no reload")
            sockets = page.happened("Network.webSocketCreated")
            equal([x["url"] for x in sockets], [f"ws://t.test:{s.http}/ws"],
                  "WebSockets")
            frames = page.happened("Network.webSocketFrameReceived")
            check(len(frames) >= 10, f"{len(frames)} frames")
        settle(s, base, 20)
        settle(c, mine, 20)


@case("EventSource: fifty events in step, and on from the last one")
def event_source():
    seen, resumed = threading.Semaphore(0), []

    def serve(conn):
        head = read_until(conn, b"\r\n\r\n")
        if not head.startswith(b"GET /events "):
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
                         b"Connection: close\r\n\r\npage")
            return
        _, _, last = head.partition(b"Last-Event-ID: ")
        first = int(last.split()[0]) + 1 if last else 0
        resumed.append(first)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Connection: close\r\n\r\nretry: 10\n\n")
        # Half of them, then the end: the page comes back for the rest.
        for i in range(first, first + 25):
            conn.sendall(b"id: %d\ndata: event %d\n\n" % (i, i))
            if not seen.acquire(timeout=20):
                return

    with Origin(serve) as o, Server() as s, Client(s, web(o.port)) as c:
        base, mine = levels(s), levels(c)
        with Browser() as page:
            page.open(f"http://t.test:{s.http}/")
            page.until("document.body?.textContent", "page")
            page.run("""
                window.got = [];
                window.source = new EventSource('/events');
                source.onmessage = e => { got.push(e.data); };
            """)
            for i in range(50):
                page.until(f"got.length === {i + 1} && got[{i}]", f"event {i}")
                if i == 49:
                    page.run("source.close()")
                seen.release()
        equal(resumed, [0, 25], "where it began")
        settle(s, base, 20)
        settle(c, mine, 20)


main()

"""WebSocket through an http proxy: a real client, and the edges by hand."""
import asyncio
import os
import threading

from harness import (Client, Origin, Server, Skip, case, check, dial, equal,
                     levels, main, read_all, read_until, settle, until)

HEAD = (b"GET /ws HTTP/1.1\r\nHost: t.test\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          b"Connection: Upgrade\r\n\r\n")


def web(origin):
    return [{"name": "ws", "type": "http", "localPort": origin.port,
             "customDomains": ["t.test"]}]


class WsOrigin:
    """The websockets package's server, echoing, in a thread."""

    def __init__(self):
        try:
            import websockets
        except ImportError as e:
            raise Skip(str(e)) from None
        self.websockets = websockets
        ready = threading.Event()

        async def handler(ws, _path=None):
            async for message in ws:
                await ws.send(message)

        async def run():
            self.loop = asyncio.get_running_loop()
            self.done = asyncio.Event()
            async with websockets.serve(handler, "127.0.0.1", 0,
                                        max_size=None) as server:
                self.port = server.sockets[0].getsockname()[1]
                ready.set()
                await self.done.wait()
        self.thread = threading.Thread(target=asyncio.run, args=(run(),))
        self.thread.start()
        ready.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join()


@case("a WebSocket client")
def real_client():
    with WsOrigin() as o, Server() as s, Client(s, web(o)):
        base = levels(s)
        sizes = [0, 1, 125, 126, 65535, 65536, 1 << 20, 5 << 20]

        async def talk():
            async with o.websockets.connect(
                    "ws://t.test/ws", host="127.0.0.1", port=s.http,
                    max_size=None, compression=None) as ws:
                for size in sizes:
                    data = os.urandom(size)
                    await ws.send(data)
                    equal(await ws.recv() == data, True, f"{size} bytes")
                await asyncio.gather(*(ws.send(str(i)) for i in range(500)))
                for i in range(500):
                    equal(await ws.recv(), str(i))
        asyncio.run(talk())
        settle(s, base)


@case("nothing of the visitor reaches the service before 101")
def held():
    seen = []

    def serve(conn):
        head = read_until(conn, b"\r\n\r\n")
        conn.settimeout(0.5)
        try:
            seen.append(conn.recv(100))
        except TimeoutError:
            seen.append(b"")
        seen.append(head)
        conn.sendall(SWITCH)
        conn.settimeout(10)
        seen.append(conn.recv(5))
        conn.sendall(b"bye")
    with Origin(serve) as o, Server() as s, Client(s, web(o)):
        with dial(s.http) as conn:
            conn.sendall(HEAD + b"early")
            equal(read_all(conn), SWITCH + b"bye")
    equal((seen[0], seen[2]), (b"", b"early"))
    check(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in seen[1],
          seen[1])


@case("an answer that is not 101: the visitor's bytes go nowhere")
def refused():
    seen = []

    def serve(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 426 Upgrade Required\r\n"
                     b"Content-Length: 0\r\n\r\n")
        conn.settimeout(1)
        try:
            seen.append(conn.recv(100))
        except TimeoutError:
            seen.append(b"")
    with Origin(serve) as o, Server() as s, Client(s, web(o)):
        with dial(s.http) as conn:
            conn.sendall(HEAD + b"GET /smuggled HTTP/1.1\r\n\r\n")
            check(read_until(conn, b"\r\n\r\n").startswith(
                b"HTTP/1.1 426 "), "426")
            until(lambda: seen, "the service has waited")
        equal(seen, [b""], "the service saw")


@case("Upgrade h2c, or with a body, is not offered to the service")
def not_offered():
    heads = []

    def serve(conn):
        head = read_until(conn, b"\r\n\r\n")
        heads.append(head)
        # A body that is left unread would make the close a reset.
        if b"Content-Length: 1" in head and head.endswith(b"\r\n"):
            conn.recv(1)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with Origin(serve) as o, Server() as s, Client(s, web(o)):
        for head in (HEAD.replace(b"websocket", b"h2c"),
                     HEAD.replace(b"\r\n\r\n",
                                  b"\r\nContent-Length: 1\r\n\r\nx"),
                     HEAD.replace(b"/1.1", b"/1.0"),
                     HEAD.replace(b"Connection: Upgrade\r\n", b"")):
            with dial(s.http) as conn:
                conn.sendall(head)
                check(read_until(conn, b"\r\n\r\n").startswith(
                    b"HTTP/1.1 200"), "200")
            check(b"Upgrade:" not in heads[-1], heads[-1])


main()

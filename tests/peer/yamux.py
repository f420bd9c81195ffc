"""yamux, played in Python: many streams over one socket, either end of it.

Written from the rules in common/wire/README.md. It is strict: what the other
end may not do is kept in `Session.error`, and ends the session. Its streams
have a socket's methods, so that frp.py's Channel takes them; every frame can
be sent by hand instead (`Session.send_frame`).
"""
import collections
import contextlib
import os
import socket
import struct
import threading

DATA, CREDIT, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
WINDOW = 256 * 1024
WINDOW_MAX = 6 * 1024 * 1024  # what frp's programs grant
TIMEOUT = 15 * float(os.environ.get("PATIENCE", "1"))


class Broken(Exception):
    """The other end broke a rule."""


class Stream:
    """One stream, with the methods of a socket."""

    def __init__(self, session, id, opened):
        self.session, self.id = session, id
        self.data = collections.deque()
        self.unread = 0             # bytes in data
        self.granted = WINDOW       # what the other end may still send
        self.credit = WINDOW        # what we may still send
        self.accepted = not opened  # the other end has said ACK, or SYN
        self.ended = self.reset = self.finished = False
        self.auto = True            # grant anew what is read
        self.timeout = TIMEOUT

    def wait(self, condition):
        """With the session's lock held."""
        if not self.session.changed.wait_for(condition, self.timeout):
            raise TimeoutError
        if self.reset or (self.session.over and not self.ended):
            raise ConnectionResetError(self.session.error or "reset")

    def sendall(self, data):
        view = memoryview(data)
        while view:
            with self.session.lock:
                self.wait(lambda: self.credit or self.reset or
                          self.session.over)
                if self.session.over:
                    raise BrokenPipeError
                n = min(len(view), self.credit, self.session.frame)
                self.credit -= n
                self.session.send_frame(DATA, 0, self.id, n, view[:n])
            view = view[n:]

    def recv(self, most=65536):
        with self.session.lock:
            if not self.data:
                self.wait(lambda: self.data or self.ended or self.reset or
                          self.session.over)
            if self.reset:
                raise ConnectionResetError
            if not self.data:
                return b""
            data = self.data.popleft()
            if len(data) > most:
                self.data.appendleft(data[most:])
                data = data[:most]
            self.unread -= len(data)
            due = self.session.window - self.unread - self.granted
            if self.auto and not self.ended and \
                    due >= self.session.window // 2:
                self.grant(due)
            return data

    def grant(self, delta):
        with self.session.lock:
            self.granted += delta
            self.session.send_frame(CREDIT, 0, self.id, delta)

    def shutdown(self, how):
        """FIN, once; the other direction cannot be shut down by itself."""
        with self.session.lock:
            if how == socket.SHUT_RD or self.finished or self.reset or \
                    self.session.over:
                return
            self.finished = True
            self.session.send_frame(CREDIT, FIN, self.id, 0)
            self.session.forget(self)

    def close(self):
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_WR)

    def cut(self):
        """RST."""
        with self.session.lock:
            self.reset = True
            self.session.streams.pop(self.id, None)
            self.session.send_frame(CREDIT, RST, self.id, 0)
            self.session.changed.notify_all()

    def settimeout(self, timeout):
        self.timeout = timeout

    def setsockopt(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    """One end: the client opens streams, the server accepts them."""

    def __init__(self, sock, client=True, window=WINDOW_MAX, frame=16384):
        self.sock, self.client = sock, client
        self.window, self.frame = window, frame
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.streams = {}
        self.new = collections.deque()  # accepted, and not taken yet
        self.next_id = 1 if client else 2
        self.known = set()              # every id there ever was
        self.pongs = set()
        self.pings = 0                  # that the other end has sent
        self.answers_pings = True
        self.away = None                # the other end's GoAway
        self.over = False
        self.error = None               # what it did wrong
        sock.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    def send_frame(self, kind, flags, id, length, payload=b""):
        with self.lock:
            self.sock.sendall(struct.pack(">BBHII", 0, kind, flags, id,
                                          length) + bytes(payload))

    def open(self):
        with self.lock:
            s = self.streams[self.next_id] = Stream(self, self.next_id, True)
            self.known.add(s.id)
            self.next_id += 2
            s.granted = self.window
            self.send_frame(CREDIT, SYN, s.id, self.window - WINDOW)
            return s

    def accept(self, timeout=TIMEOUT):
        with self.lock:
            if not self.changed.wait_for(lambda: self.new or self.over,
                                         timeout):
                raise TimeoutError
            if not self.new:
                raise EOFError(self.error)
            return self.new.popleft()

    def ping(self, number=77, timeout=TIMEOUT):
        """Whether it was answered."""
        with self.lock:
            self.pongs.discard(number)
            self.send_frame(PING, SYN, 0, number)
            return self.changed.wait_for(lambda: number in self.pongs or
                                         self.over, timeout) and not self.over

    def wait_over(self, timeout=TIMEOUT):
        """Whether the session ends."""
        with self.lock:
            return self.changed.wait_for(lambda: self.over, timeout)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def forget(self, stream):
        if stream.finished and stream.ended:
            self.streams.pop(stream.id, None)

    def _need(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _read(self):
        try:
            while True:
                head = struct.unpack(">BBHII", self._need(12))
                version, kind, flags, id, length = head
                if version != 0 or kind > GO_AWAY or flags > 15:
                    raise Broken(f"header {head}")
                payload = self._need(length) if kind == DATA else b""
                with self.lock:
                    if kind < PING:
                        self._stream_frame(kind, flags, id, length, payload)
                    else:
                        self._session_frame(kind, flags, id, length)
                    self.changed.notify_all()
        except (EOFError, OSError):
            pass
        except Broken as e:
            self.error = str(e)
        with self.lock:
            self.over = True
            self.changed.notify_all()
        self.close()

    def _session_frame(self, kind, flags, id, length):
        if id != 0:
            raise Broken("a frame of the session with a stream's id")
        if kind == GO_AWAY:
            self.away = length
        elif flags == SYN:
            self.pings += 1
            if self.answers_pings:
                self.send_frame(PING, ACK, 0, length)
        elif flags == ACK:
            self.pongs.add(length)
        else:
            raise Broken(f"a ping with flags {flags}")

    def _accept(self, id):
        if id % 2 == (1 if self.client else 0) or id in self.streams:
            raise Broken(f"SYN for stream {id}")
        s = self.streams[id] = Stream(self, id, False)
        self.known.add(id)
        s.granted = self.window
        self.send_frame(CREDIT, ACK, id, self.window - WINDOW)
        self.new.append(s)

    def _stream_frame(self, kind, flags, id, length, payload):
        if flags & SYN:
            self._accept(id)
        if id not in self.known:
            raise Broken(f"stream {id} was never opened")
        s = self.streams.get(id)
        if not s:
            return  # we have cut or forgotten it
        if flags & ACK:
            if s.accepted:
                raise Broken(f"a second ACK of stream {id}")
            s.accepted = True
        # frp's end forgets the ACK of a stream that was ended before.
        if not s.accepted and not flags & RST and not s.finished:
            raise Broken(f"stream {id} was not accepted yet")
        if s.ended and (flags & FIN or kind == DATA):
            raise Broken(f"stream {id} has ended")
        if kind == CREDIT:
            if length and flags & (FIN | RST):
                raise Broken("an end with credit")
            s.credit += length
        elif length > s.granted:
            raise Broken(f"{length} bytes where {s.granted} are granted")
        elif length:
            s.granted -= length
            s.unread += length
            s.data.append(payload)
        if flags & FIN:
            s.ended = True
            self.forget(s)
        if flags & RST:
            s.reset = True
            del self.streams[id]

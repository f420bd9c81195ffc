"""A service manager, as far as programs tell it something, and a thread that
hangs."""
import ctypes
import os
import socket
import tempfile
import threading
import time

from harness import TEMP, Skip, until


class Manager:
    """NOTIFY_SOCKET: what a service manager would read, and when."""

    def __init__(self, watchdog=None):
        self.path = os.path.join(tempfile.mkdtemp(prefix="notify-", dir=TEMP),
                                 "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.told, self.said = [], []  # first lines, and all of them
        self.env = {"NOTIFY_SOCKET": self.path}
        if watchdog:
            self.env["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            self.told.append((time.monotonic(), lines[0]))
            self.said.append(lines)

    def count(self, line):
        return sum(1 for _, have in list(self.told) if have == line)

    def wait(self, line, timeout=10):
        until(lambda: self.count(line), f"{line} is told", timeout)

    def order(self):
        return [line for _, line in self.told if line != "WATCHDOG=1"]


class Stopped:
    """One thread of a program held by ptrace(2), as if it hung."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, program):
        # The workers were started last.
        self.tid = max(int(t) for t in
                       os.listdir(f"/proc/{program.pid}/task"))
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long] * 4

    def _call(self, what):
        return self.libc.ptrace(what, self.tid, 0, 0)

    def __enter__(self):
        if self._call(self.SEIZE) < 0:
            raise Skip("no thread may be stopped here: "
                       + os.strerror(ctypes.get_errno()))
        self._call(self.INTERRUPT)
        os.waitpid(self.tid, 0x40000000)  # __WALL

    def __exit__(self, *_):
        self._call(self.DETACH)

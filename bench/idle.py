# SPDX-License-Identifier: Apache-2.0
"""What clients cost that are logged in and do nothing: each is a connection
inside TLS, with frp's wire and its heartbeat of every 30 s. The clients are
played from here, so that the server alone is measured."""
import json
import socket
import ssl
import time

import chains
from harness import Failed, Server, answers, free_port, until

try:
    from frp import Cfb, frame, login_key
except ImportError as e:  # it needs `cryptography`
    MISSING = str(e)
else:
    MISSING = None

HEARTBEAT = 30

# What a client may cost: bytes of memory; and all of them, of one CPU.
MEMORY_MAX, CPU_MAX = 16 << 10, 0.01


class Client:
    """Logged in over TLS; the control is encrypted once more, as frp's is."""

    def __init__(self, port, token, context):
        self.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), 15),
            server_hostname="localhost")
        self.cfb = Cfb(token)
        now = int(time.time())
        self.sock.sendall(frame("o", {
            "version": "0.70.1", "os": "linux", "arch": "amd64",
            "privilege_key": login_key(token, now), "timestamp": now,
            "client_spec": {}, "pool_count": 0}))
        answer = b""
        while len(answer) < 9 or len(answer) < 9 + answer[8]:
            more = self.sock.recv(65536)
            if not more:
                raise Failed("the server refuses a login")
            answer += more
        if json.loads(answer[9:9 + answer[8]]).get("error"):
            raise Failed(f"login: {answer[9:]}")

    def ping(self):
        self.sock.sendall(self.cfb.encrypt(frame("h", {})))


def measure(chain, port, token, count, seconds):
    """Bytes a client, and the share of a CPU that all of them take."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before, clients = chain.memory(), []
    try:
        for _ in range(count):
            clients.append(Client(port, token, context))
        time.sleep(3)  # what the handshakes needed goes back
        memory = chain.memory() - before
        cpu, start = sum(chain.cpu()), time.monotonic()
        rate = count / HEARTBEAT
        for i in range(int(seconds * rate)):
            time.sleep(max(0, start + i / rate - time.monotonic()))
            clients[i].ping()
        time.sleep(max(0, start + seconds - time.monotonic()))
        cpu = sum(chain.cpu()) - cpu
        took = time.monotonic() - start
    finally:
        for c in clients:
            c.sock.close()
    return memory / count, cpu / 1e9 / took


def aditd(workers, backend="auto"):
    server = Server({"log": {"level": "info"}, "backend": backend,
                     "workers": workers})
    return chains.Chain("aditd", [server], None), server.port, server.token


def aditd_on_epoll(workers):
    return aditd(workers, "epoll")


def frps(workers):
    program, port = chains.binary("frps"), free_port()
    server = chains.run([program, "-c", "@CONF@"], "frps", json.dumps({
        "bindAddr": "127.0.0.1", "bindPort": port, "auth": {"token": "bench"},
        "transport": {"tcpMux": False}}), "json")
    until(lambda: answers(port), "frps answers")
    return chains.Chain("frps", [server], None), port, "bench"


QUICK = {"aditd": aditd, "frps": frps}
ALL = {**QUICK, "aditd on epoll": aditd_on_epoll}


def table(servers, workers, count, seconds):
    """name -> (bytes a client, share of a CPU), of servers that are there."""
    out = {}
    if MISSING:
        print(f"skipped: idle clients: {MISSING}")
        return out
    for name, make in servers.items():
        try:
            chain, port, token = make(workers)
        except chains.Skip as e:
            print(f"skipped: {name}: {e}")
            continue
        try:
            out[name] = measure(chain, port, token, count, seconds)
        finally:
            chain.stop()
    return out


def judge(rows, count):
    """Targets as rows of compare.judge."""
    case = f"{count:,} clients logged in over TLS"
    out = []
    for name in ("aditd", "aditd on epoll"):
        if name not in rows:
            continue
        memory, cpu = rows[name]
        out += [(case, key, of + name.removeprefix("aditd"), "<=", limit, value,
                 "pass" if value <= limit else "short")
                for key, of, limit, value in (
                    ("KiB", "a client", MEMORY_MAX / 1024, memory / 1024),
                    ("cpu", "one CPU", CPU_MAX, cpu))]
    return out

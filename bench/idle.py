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


def aditd(workers):
    server = Server({"log": {"level": "info"}, "workers": workers})
    return chains.Chain("aditd", [server], None), server.port, server.token


def frps(workers):
    program, port = chains.binary("frps"), free_port()
    server = chains.run([program, "-c", "@CONF@"], "frps", json.dumps({
        "bindAddr": "127.0.0.1", "bindPort": port, "auth": {"token": "bench"},
        "transport": {"tcpMux": False}}), "json")
    until(lambda: answers(port), "frps answers")
    return chains.Chain("frps", [server], None), port, "bench"


def table(workers, count, seconds):
    """name -> (bytes a client, share of a CPU), of servers that are there."""
    out = {}
    if MISSING:
        print(f"skipped: idle clients: {MISSING}")
        return out
    for make in (aditd, frps):
        try:
            chain, port, token = make(workers)
        except chains.Skip as e:
            print(f"skipped: {make.__name__}: {e}")
            continue
        try:
            out[make.__name__] = measure(
                chain, port, token, count, seconds)
        finally:
            chain.stop()
    return out


def judge(rows, count):
    """Targets as rows of compare.judge."""
    if "aditd" not in rows:
        return []
    case = f"{count:,} clients logged in over TLS"
    memory, cpu = rows["aditd"]
    return [(case, key, "a client" if key == "KiB" else "one CPU", "<=",
             limit, value, "pass" if value <= limit else "short")
            for key, limit, value in (
                ("KiB", MEMORY_MAX / 1024, memory / 1024),
                ("cpu", CPU_MAX, cpu))]

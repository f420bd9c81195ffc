# SPDX-License-Identifier: Apache-2.0
"""The systems that are compared: each is a chain of two relays between a
public port and the origin, on loopback, with one thread a relay unless
`workers` says more. A system that is not installed raises Skip."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "tests", "flow"))

from harness import (Client, Failed, Program, Server, Skip, answers, free_port,  # noqa: E402
                     until)

STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def binary(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise Skip(f"{name} is not on PATH")
    return path


def output(argv):
    """What a program prints."""
    return subprocess.run(argv, capture_output=True, text=True).stdout


def serves(port):
    """Whether a page of 32 bytes comes: frp's ports are open before."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/32", timeout=5):
            return True
    except OSError:
        return False


class Chain:
    """Two relays, the visitors' side first; `port` is where they come in."""

    def __init__(self, name, programs, port):
        self.name, self.programs, self.port = name, programs, port
        self.least = 0  # bytes of a page in the cases that it takes part in
        try:
            if port:
                until(lambda: answers(port), f"{name} answers", 20)
        except Failed:
            self.stop()
            raise

    def pids(self, programs=None):
        """The relays' processes and their children."""
        found = []
        todo = [p.pid for p in programs or self.programs]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as f:
                    todo += [int(c) for c in f.read().split()]
        return found

    def cpu(self):
        """Nanoseconds of processor time of all threads, by schedstat: of the
        visitors' side and of the origin's."""
        sides = [0, 0]
        for side, program in enumerate(self.programs):
            for pid in self.pids([program]):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                        sides[side] += int(f.read().split()[0])
        return sides

    def memory(self):
        """Bytes of RssAnon and RssShmem."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as f:
                for line in f:
                    if line.startswith(("RssAnon", "RssShmem")):
                        total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        # Workers of a killed nginx would stay; one that has died has none.
        children = set()
        for p in self.programs:
            with contextlib.suppress(OSError):
                children |= set(self.pids([p])) - {p.pid}
        for p in reversed(self.programs):
            p.kill()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def run(argv, name, text=None, suffix="conf"):
    """A program started with its configuration in place of @CONF@."""
    p = Program(argv, name)
    path = os.path.join(p.dir, f"bench.{suffix}")
    if text is not None:
        with open(path, "w") as f:
            f.write(text.replace("@DIR@", p.dir))
    p.argv = [path if a == "@CONF@" else a for a in argv]
    p.launch()
    return p


def direct(origin, workers):
    """No relay at all: what the generator and the origin can do."""
    return Chain("direct", [], origin)


def link(tls):
    """The link's settings: with TLS as by default, or a bare one."""
    return {"transport": {"tls": {"enable": tls}}}


def adit(origin, workers, name="adit", tls=False, way=None, backend="auto"):
    """Without TLS on the link, as the relays that have none."""
    public = free_port()
    base = {"log": {"level": "info"}, "backend": backend}
    server = Server({**base, "workers": workers})
    way = way or {"type": "tcp", "remotePort": public}
    client = Client(server, [{"name": "bench", "localPort": origin, **way}],
                    {**base, **link(tls)})
    return Chain(name, [server, client],
                 server.http if way["type"] == "http" else public)


def adit_epoll(origin, workers):
    """Where io_uring is refused, as in most containers."""
    return adit(origin, workers, "adit on epoll", backend="epoll")


def adit_http(origin, workers):
    """As an http proxy: requests are read, routed by Host, and exchanged."""
    return adit(origin, workers, "adit http", way={
        "type": "http", "customDomains": ["127.0.0.1"]})


def adit_tls(origin, workers):
    """With the link's defaults: TLS, and direct work connections."""
    return adit(origin, workers, "adit TLS", True)


def frpc_at_aditd(origin, workers):
    """frpc with its defaults at aditd; aditd's side is compared with frps."""
    frpc = binary("frpc")
    server = Server({"log": {"level": "info"}, "workers": workers})
    port = free_port()
    client = run_frpc(frpc, server.port, server.token, True, {
        "type": "tcp", "remotePort": port}, origin)
    until(lambda: serves(port), "frpc at aditd serves", 20)
    return Chain("frpc at aditd", [server, client], port)


def two_hops(name, hop, origin):
    """A chain of hop(to), which starts a relay and returns it and its port."""
    inner, between = hop(origin)
    outer, port = hop(between)
    return Chain(name, [outer, inner], port)


def haproxy(origin, workers, name="HAProxy"):
    program = binary("haproxy")

    def hop(to):
        port = free_port()
        text = (f"global\n nbthread {workers}\n maxconn 4096\n"
                "defaults\n mode tcp\n option splice-auto\n"
                " timeout connect 5s\n timeout client 60s\n"
                " timeout server 60s\n"
                f"listen relay\n bind 127.0.0.1:{port}\n"
                f" server next 127.0.0.1:{to}\n")
        return run([program, "-db", "-q", "-f", "@CONF@"], "haproxy",
                   text), port
    return two_hops(name, hop, origin)


def haproxy_http(origin, workers):
    """As an HTTP proxy, with connections to the next hop kept."""
    program = binary("haproxy")

    def hop(to):
        port = free_port()
        text = (f"global\n nbthread {workers}\n maxconn 4096\n"
                "defaults\n mode http\n option splice-auto\n"
                " http-reuse always\n timeout connect 5s\n"
                " timeout client 60s\n timeout server 60s\n"
                f"listen relay\n bind 127.0.0.1:{port}\n"
                f" server next 127.0.0.1:{to}\n")
        return run([program, "-db", "-q", "-f", "@CONF@"], "haproxy-http",
                   text), port
    return two_hops("HAProxy http", hop, origin)


def nginx_http(origin, workers):
    """The same of nginx."""
    program = binary("nginx")

    def hop(to):
        port = free_port()
        text = (f"daemon off; pid @DIR@/pid; worker_processes {workers};"
                "error_log @DIR@/error.log; events { worker_connections 8192;"
                "} http { access_log off; proxy_temp_path @DIR@/temp;"
                "keepalive_requests 1000000000; upstream next { server "
                f"127.0.0.1:{to}; keepalive 1024; keepalive_requests "
                "1000000000; } server { listen "
                f"127.0.0.1:{port} backlog=4096; location / {{ proxy_pass "
                "http://next; proxy_http_version 1.1; proxy_set_header "
                'Connection ""; proxy_max_temp_file_size 0; } } }')
        return run([program, "-e", "/dev/null", "-c", "@CONF@"], "nginx-http",
                   text), port
    return two_hops("nginx http", hop, origin)


def bore(origin, workers):
    program = binary("bore")
    server = run([program, "server", "--min-port", "10240", "--max-port",
                  "31999"], "bore")
    until(lambda: answers(7835), "bore answers")
    port = free_port()
    client = run([program, "local", str(origin), "--to", "127.0.0.1", "--port",
                  str(port)], "bore-local")
    return Chain("bore", [server, client], port)


def haproxy_again(origin, workers):
    """The same once more: how far two equal systems are apart is noise."""
    return haproxy(origin, workers, "HAProxy (twin)")


def nginx(origin, workers):
    program = binary("nginx")
    module = (f"load_module {STREAM_MODULE};"
              if os.path.exists(STREAM_MODULE) else "")

    def hop(to):
        port = free_port()
        text = (f"{module} daemon off; pid @DIR@/pid;"
                f"worker_processes {workers}; error_log @DIR@/error.log;"
                "events { worker_connections 8192; } stream { server {"
                f"listen 127.0.0.1:{port} backlog=4096;"
                f"proxy_pass 127.0.0.1:{to}; }} }}")
        return run([program, "-e", "/dev/null", "-c", "@CONF@"], "nginx",
                   text), port
    return two_hops("nginx stream", hop, origin)


def run_frpc(program, control, token, tls, way, origin):
    """frpc with one proxy, with TLS and multiplexing or without both."""
    return run([program, "-c", "@CONF@"], "frpc", json.dumps({
        "serverAddr": "127.0.0.1", "serverPort": control,
        "auth": {"token": token},
        "transport": {"tcpMux": tls, "tls": {"enable": tls}},
        "proxies": [{"name": "bench", "localPort": origin,
                     "localIP": "127.0.0.1", **way}]}), "json")


def frp(origin, workers, name="frp", tls=False, http=False):
    """frp without its default TLS and multiplexing: the same work as ours."""
    frps, frpc = binary("frps"), binary("frpc")
    control, port = free_port(), free_port()
    server = run([frps, "-c", "@CONF@"], "frps", json.dumps({
        "bindAddr": "127.0.0.1", "bindPort": control,
        "auth": {"token": "bench"}, "transport": {"tcpMux": tls},
        **({"vhostHTTPPort": port} if http else {})}), "json")
    until(lambda: answers(control), "frps answers")
    way = ({"type": "http", "customDomains": ["127.0.0.1"]} if http else
           {"type": "tcp", "remotePort": port})
    client = run_frpc(frpc, control, "bench", tls, way, origin)
    until(lambda: serves(port), f"{name} serves", 20)
    return Chain(name, [server, client], port)


def frp_http(origin, workers):
    return frp(origin, workers, "frp http", http=True)


def frp_default(origin, workers):
    return frp(origin, workers, "frp (default: TLS, mux)", True)


def rathole(origin, workers, name="rathole", server_noise="",
            client_noise=""):
    program = binary("rathole")
    control, port = free_port(), free_port()
    server = run([program, "--server", "@CONF@"], "rathole",
                 f'[server]\nbind_addr = "127.0.0.1:{control}"\n'
                 f'default_token = "bench"\n{server_noise}'
                 "[server.services.bench]\n"
                 f'bind_addr = "127.0.0.1:{port}"\n', "toml")
    client = run([program, "--client", "@CONF@"], "rathole",
                 f'[client]\nremote_addr = "127.0.0.1:{control}"\n'
                 f'default_token = "bench"\n{client_noise}'
                 "[client.services.bench]\n"
                 f'local_addr = "127.0.0.1:{origin}"\n', "toml")
    return Chain(name, [server, client], port)


def rathole_noise(origin, workers):
    """With its encryption: Noise NK, the server's key known to the client."""
    program = binary("rathole")
    if "noise" not in output([program, "--version"]):
        raise Skip("rathole is built without its feature noise")
    keys = output([program, "--genkey"]).split()
    secret, public = keys[keys.index("Private") + 2], keys[-1]
    kind = '.transport]\ntype = "noise"\n'
    chain = rathole(
        origin, workers, "rathole (noise)",
        f'[server{kind}[server.transport.noise]\n'
        f'local_private_key = "{secret}"\n',
        f'[client{kind}[client.transport.noise]\n'
        f'remote_public_key = "{public}"\n')
    # With 512 connections, closed all at once, rathole 0.5 hangs for good and
    # takes both CPUs.
    chain.least = 1 << 20
    return chain


# In the order of the table; HAProxy is what the ratios are to.
ALL = [direct, haproxy, haproxy_again, haproxy_http, nginx, nginx_http, adit,
       adit_epoll, adit_http, adit_tls, frp, frp_http, frp_default,
       frpc_at_aditd, rathole, rathole_noise, bore]
QUICK = [direct, haproxy, haproxy_again, nginx, adit]


# Up to here a body comes from memory and leaves with its head in one write, as
# an application's answers do: the origin is to cost little beside the relays.
SMALL = 1024


class Origin:
    """nginx with bodies of the sizes that are asked for."""

    def __init__(self, sizes):
        self.port = free_port()
        program = binary("nginx")
        self.program = Program([program], "origin")
        root = os.path.join(self.program.dir, "www")
        os.mkdir(root)
        sizes = {32, *sizes}  # `serves` asks for 32
        small = {n for n in sizes if n <= SMALL}
        for size in sizes - small:
            with open(os.path.join(root, str(size)), "wb") as f:
                f.write(b"x" * size)
        path = os.path.join(self.program.dir, "origin.conf")
        with open(path, "w") as f:
            f.write(f"daemon off; master_process off; pid {self.program.dir}/pid;"
                    "error_log /dev/null;"
                    "events { worker_connections 8192; } http {"
                    "access_log off; sendfile on; tcp_nopush off;"
                    "keepalive_requests 1000000000; keepalive_timeout 600s;"
                    f"server {{ listen 127.0.0.1:{self.port} backlog=4096;"
                    f"root {root};" + "".join(
                        f"location = /{n} {{ return 200 {'x' * n}; }}"
                        for n in small) + " } }")
        self.program.argv = [program, "-e", "/dev/null", "-c", path]
        self.program.launch()
        until(lambda: answers(self.port), "the origin answers")

    def stop(self):
        self.program.kill()

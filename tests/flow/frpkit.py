"""frp's own programs, where they are on PATH; set to the bare wire, without TLS
and without tcpMux, unless `transport` says else ({}: their defaults)."""
import json
import os
import shutil

from harness import TOKEN, Program, Skip, free_port


def binary(name):
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} is not on PATH")
    return path


class Frp(Program):
    """frpc or frps with a configuration file."""

    def __init__(self, name, conf, started=None):
        path = binary(name)
        super().__init__([path], name)
        # Go's programs die of SIGTERM, or leave, as they like.
        self.expect_exit = None
        file = os.path.join(self.dir, "conf.json")
        with open(file, "w") as f:
            json.dump(conf, f)
        self.argv = [path, "-c", file]
        self.started = started
        self.start()

    def start(self):
        since = os.path.exists(self.log_path) and self.mark() or 0
        self.launch()
        for text in self.started or []:
            self.wait_log(text, since=since)


def frpc(server, proxies, wait=True, **more):
    return Frp("frpc", {
        "serverAddr": "127.0.0.1", "serverPort": server.port,
        "auth": {"token": TOKEN}, "loginFailExit": False,
        "transport": {"tls": {"enable": False}, "tcpMux": False},
        "proxies": proxies, **more,
    }, [rf"\[{p['name']}\] start proxy success" for p in proxies]
        if wait else None)


class Frps(Frp):
    def __init__(self, transport=None, one_port=False):
        self.port, self.http = free_port(), free_port()
        self.https = self.port if one_port else free_port()
        super().__init__("frps", {
            "bindAddr": "127.0.0.1", "bindPort": self.port,
            "vhostHTTPPort": self.http, "auth": {"token": TOKEN},
            "vhostHTTPSPort": self.https, "subDomainHost": "tunnel.test",
            "transport": {"tcpMux": False} if transport is None else transport,
        }, ["frps started successfully"])

"""The command lines: one-line forms, tokens, errors, exit codes, signals."""
import os
import pty
import re
import signal
import socket
import subprocess
import time

from harness import (ADIT, ADITD, TEMP, TOKEN, AditProgram, Client, Origin,
                     Program, Server, Skip, answers, case, check, curl, dial,
                     echo, equal, free_port, main, read_until, until)


def page(conn):
    read_until(conn, b"\r\n\r\n")
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                 b"Connection: close\r\n\r\nyes")


class OneLine(Program):
    """adit without a file; what it prints on standard output apart."""

    def __init__(self, *args, env=None):
        super().__init__([ADIT, *map(str, args)], "one-line", env=env)
        self.out = os.path.join(self.dir, "out")
        with open(self.out, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.argv, stdout=out, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})})

    def printed(self):
        with open(self.out) as f:
            return f.read()

    def address(self):
        text = until(lambda: "\n" in self.printed() and self.printed(),
                     "an address is printed\n" + self.log())
        equal(text.count("\n"), 1, "lines printed")
        return text.strip()


def run(*args):
    r = subprocess.run([*map(str, args)], capture_output=True, text=True,
                       timeout=20)
    return r.returncode, r.stdout, r.stderr


@case("adit http PORT --domain")
def one_line_http():
    with Origin(page) as o, Server() as s:
        server = f"127.0.0.1:{s.port}"
        with OneLine("http", o.port, "--domain", "www.example.com", "-s",
                     server, env={"ADIT_TOKEN": TOKEN}) as c:
            equal(c.address(), f"http://www.example.com:{s.http}")
            equal(curl(f"http://127.0.0.1:{s.http}/", "-H",
                       "Host: www.example.com")[2], b"yes")
        with OneLine("http", f"localhost:{o.port}", "--subdomain", "x", "-s",
                     server, env={"ADIT_TOKEN": TOKEN}) as c:
            equal(c.address(), f"http://x.tunnel.test:{s.http}")
            equal(curl(f"http://127.0.0.1:{s.http}/", "-H",
                       "Host: x.tunnel.test")[2], b"yes")


@case("adit tcp PORT --remote-port; tokens by file and by option")
def one_line_tcp():
    port = free_port()
    path = os.path.join(TEMP, "token")
    with open(path, "w") as f:
        f.write(TOKEN + "\n")
    with Origin(echo) as o, Server() as s:
        server = f"--server=127.0.0.1:{s.port}"
        with OneLine("tcp", o.port, "--remote-port", port, server,
                     "--token-file", path) as c:
            equal(c.address(), f"tcp://127.0.0.1:{port}")
            with dial(port) as conn:
                conn.sendall(b"hi")
                equal(conn.recv(2), b"hi")
        with OneLine("tcp", o.port, server, "--token", TOKEN) as c:
            check(re.fullmatch(r"tcp://127.0.0.1:\d+", c.address()),
                  c.printed())
            with open(f"/proc/{c.pid}/cmdline") as f:
                check(TOKEN not in f.read(), "token in the command line")
        with OneLine("tcp", o.port, server, f"--token={TOKEN}") as c:
            c.address()
            with open(f"/proc/{c.pid}/cmdline") as f:
                check(TOKEN not in f.read(), "token in the command line")


@case("a wrong token ends adit at once")
def wrong_token():
    with Server() as s:
        code, out, err = run(ADIT, "tcp", 22, "-s", f"127.0.0.1:{s.port}",
                             "--token", "no")
        equal((code, out), (1, ""))
        check("token in login doesn't match" in err, err)


@case("a token that is another now: adit keeps trying, and says what to do")
def token_renewed():
    port = free_port()
    proxies = [{"name": "t", "type": "tcp", "localPort": 1}]
    with Server({"bindPort": port}) as s, Client(port, proxies) as c:
        s.stop()
        with Server({"bindPort": port, "auth": {"token": "another"}}):
            c.wait_log(r"(?s)(token in login doesn't match.*){3}")
            equal(c.log().count("(aditd token renew)"), 1, "told once")
            check("in the file it is auth.token" in c.log(), c.log())
        s.start()
        c.wait_log("(?s)start proxy success.*start proxy success")
        s.stop()
        with Server({"bindPort": port, "auth": {"token": "another"}}):
            c.wait_log(r"(?s)(\(aditd token renew\).*){2}")


@case("loginFailExit false: adit keeps trying")
def keeps_trying():
    port = free_port()
    with Origin(echo) as o, Client(port, [
            {"name": "t", "type": "tcp", "localPort": o.port}],
            {"loginFailExit": False}, wait=False) as c:
        c.wait_log("Connection refused")
        with Server({"bindPort": port}):
            c.wait_log("start proxy success", 20)


def libraries(program):
    """The files of TLS libraries that a process has mapped."""
    with open(f"/proc/{program.pid}/maps") as f:
        return {line.split()[-1] for line in f
                if re.search(r"/lib(ssl|crypto)\b", line)}


# Another library by these names, as an NSS module may bring, would take the
# place of some of BoringSSL's functions.
@case("one TLS library")
def one_library():
    with Origin(page) as o, Server() as s, Client(s, [
            {"name": "t", "type": "http", "subdomain": "t",
             "localPort": o.port}]) as c:
        equal(curl(f"http://127.0.0.1:{s.http}/", "-H",
                   "Host: t.tunnel.test")[2], b"yes")
        for program, path in ((s, ADITD), (c, ADIT)):
            found = libraries(program)
            equal(sorted(os.path.basename(f).split(".")[0] for f in found),
                  ["libcrypto", "libssl"], found)
            said = run(path, "--version")[1].split(", ")[1].strip()
            check(os.path.realpath(said) in found, f"{said} {found}")


@case("started with closed descriptors 0 to 2: nothing is written elsewhere")
def closed():
    """A file that is opened in their place would get the log's lines."""
    closing = ["bash", "-c", 'exec "$@" <&- >&- 2>&-', "-"]

    def start(program):
        with open(program.log_path, "ab") as log:
            program.process = subprocess.Popen(
                closing + program.argv, stdout=log, stderr=log,
                env=program.env, cwd=program.dir)

    def null(program):
        return [os.readlink(f"/proc/{program.pid}/fd/{i}") for i in range(3)]

    with Server(start=False) as s, Origin(page) as o, Client(
            s.port, [{"name": "h", "type": "http", "localPort": o.port,
                      "customDomains": ["closed.test"]}], start=False) as c:
        start(s)
        until(lambda: answers(s.port), "it listens")
        start(c)

        def served():
            return curl(f"http://127.0.0.1:{s.http}/", "-H",
                        "Host: closed.test")[2] == b"yes"
        until(served, "it is served")
        for program in (s, c):
            equal(null(program), ["/dev/null"] * 3, program.name)
        with open(f"{s.dir}/aditd/lock") as f:
            equal(f.read().strip(), str(s.pid), "the lock's text")


@case("help, version, wrong command lines")
def command_lines():
    for program, name in ((ADIT, "adit"), (ADITD, "aditd")):
        code, out, err = run(program, "--help")
        equal((code, err), (0, ""))
        check("--config" in out, out)
        code, out, err = run(program, "--version")
        check(code == 0 and re.fullmatch(
            rf"{name} \d+\.\d+\.\d+\nBoringSSL API \d+, /\S+\n", out), out)
        for args in (["--nonsense"], ["nonsense"], ["-c"],
                     ["-c", "/nonexistent"], ["--dump-config"], ["verify"],
                     *([[]] if program is ADIT else [])):
            code, out, err = run(program, *args)
            equal((code, out), (2, ""), f"{name} {args}")
            check(err.count("\n") == 1 and len(err) > 20, err)
    for args in (["http"], ["tcp"], ["join", "x", "y"], ["tcp", "70000"], ["tcp", "0"],
                 ["http", "80", "--domain", "a", "--remote-port", "1"],
                 ["tcp", "22", "--domain", "a"], ["tcp", "22", "33"],
                 ["tcp", "22", "-s", "nowhere:x"],
                 ["tcp", "22", "--token-file", "/nonexistent"]):
        code, out, err = run(ADIT, *args)
        equal((code, out), (2, ""), f"adit {args}")


@case("what cannot be printed is an error")
def full():
    with Server() as s, Client(s, [], start=False) as c:
        for binary, program in ((ADITD, s), (ADIT, c)):
            file = ["-c", program.conf_path]
            lines = [["--help"], ["--version"], ["completion", "bash"],
                     ["--dump-config", *file], ["verify", *file]]
            if program is s:
                lines += [["health", *file], ["reload", *file],
                          ["identity", *file], ["token", "new", "x", *file],
                          ["token", "list", *file]]
            else:
                lines += [["--dump-config", "http", "1", "-s", "x"],
                          ["doctor", *file]]
            for line in lines:
                with open("/dev/full", "wb") as out:
                    r = subprocess.run([binary, *line], stdout=out, text=True,
                                       stderr=subprocess.PIPE, env=s.env,
                                       timeout=20)
                equal(r.returncode, 1, f"{program.name} {line}: {r.stderr}")
                check("standard output: " in r.stderr,
                      f"{program.name} {line}: {r.stderr}")
                if line[0] not in ("doctor", "token"):
                    r = subprocess.run([binary, *line], env=s.env, timeout=20,
                                       capture_output=True, text=True)
                    equal((r.returncode, "standard output" in r.stderr),
                          (0, False), f"{program.name} {line}")


@case("an option that does not go with the command is refused by its name")
def options_that_do_not_fit():
    config = os.path.join(TEMP, "fits.yaml")
    with open(config, "w") as f:
        f.write("{}\n")
    join = "adit://me:x@a.test"
    for program, line, option, command in (
            (ADIT, "-c FILE --server 127.0.0.1:1", "--server", "-c"),
            (ADIT, "-c FILE --token xyz", "--token", "-c"),
            (ADIT, "-c FILE --domain foo.example", "--domain", "-c"),
            (ADIT, "-c FILE --remote-port 99", "--remote-port", "-c"),
            (ADIT, "-c FILE --name zz", "--name", "-c"),
            (ADIT, f"-c FILE --join {join}", "--join", "-c"),
            (ADIT, "verify -c FILE --server x:1", "--server", "verify"),
            (ADIT, f"join --server x:1 {join}", "--server", "join"),
            (ADIT, "http 3000 --duration 4", "--duration", "http"),
            (ADIT, "http 3000 -c FILE", "--config", "http"),
            (ADIT, "tcp 3000 --no-requests", "--no-requests", "tcp"),
            (ADIT, "doctor -c FILE --name x", "--name", "doctor -c"),
            (ADITD, "verify --frpc -c FILE", "--frpc", "verify"),
            (ADITD, "--frpc", "--frpc", "aditd"),
            (ADITD, "token list --frpc", "--frpc", "token"),
            (ADITD, "reload --dump-config", "--dump-config", "reload"),
            (ADITD, "completion bash -c FILE", "--config", "completion")):
        code, out, err = run(program, *line.replace("FILE", config).split())
        equal((code, out), (2, ""), line)
        check(f"{option} does not go with {command}" in err, err)


@case("a word that is too much is named, not the command")
def too_many_words():
    for program, line, said in (
            (ADIT, "join adit://a b", "join takes one join string"),
            (ADIT, "bench 3000", 'bench takes no word: "3000"'),
            (ADIT, "verify x", 'verify takes no word: "x"'),
            (ADIT, "http 1 2", 'http takes one local port: "2"'),
            (ADITD, "upgrade foo", 'upgrade takes no word: "foo"'),
            (ADITD, "verify x", 'verify takes no word: "x"')):
        code, out, err = run(program, *line.split())
        equal((code, out), (2, ""), line)
        check(said in err and "unknown" not in err, err)
        check("adit://" not in err, err)


@case("a line with a mistake: what is wrong with it, and what to do")
def mistakes():
    def said(program, words, text):
        code, out, err = run(program, *words)
        equal((code, out), (2, ""), words)
        check(text in err and err.count("\n") == 1, f"{words}: {err}")

    config = os.path.join(TEMP, "mistakes.yaml")
    with open(config, "w") as f:
        f.write("bindPort: 1\n")
    for program in (ADIT, ADITD):
        said(program, ["help"], "--help prints")
        said(program, ["verfy"], "the nearest is verify")
        said(program, [config], "a file goes with -c")
        said(program, ["-c", config, "-c", config], "--config: given twice")
        said(program, ["-c", ""], "--config: an empty value")
    said(ADIT, ["udp", 53], '"udp": not supported yet')
    said(ADIT, [3000], "http, https or tcp goes before a port")
    said(ADIT, ["localhost:3000"], "goes before a port")
    said(ADIT, ["http"], "http needs a local port: http 3000")
    said(ADIT, ["http", "http://localhost:3000/"], "without a scheme")
    said(ADIT, ["tcp", 70000], "not a port from 1 to 65535")
    said(ADIT, ["tcp", 22, "-r", 1, "-r", 2], "--remote-port: given twice")
    said(ADIT, ["http", 1, "--token", ""], "--token: an empty value")
    for path, why in ((TEMP, "Is a directory"), ("/nowhere", "No such")):
        said(ADIT, ["http", 1, "--token-file", path],
             f"--token-file cannot be read: {path}: {why}")


@case("what the server refuses: with what to do, by option or by key, once")
def refused():
    low = free_port()
    conf = {"allowPorts": [{"single": low}], "maxPortsPerClient": 1,
            "subDomainHost": "s.test"}
    with Server(conf) as s, Client(s, [
            {"name": "a", "type": "tcp", "localPort": 1, "remotePort": low},
            {"name": "b", "type": "tcp", "localPort": 1, "remotePort": low},
            {"name": "w", "type": "http", "localPort": 1,
             "customDomains": ["w.test"]}], wait=False) as c:
        c.wait_log(r"\[a\] start proxy success")
        c.wait_log(r"\[b\] start error.*max_ports.*\n.*maxPortsPerClient")
        for words, text in (
                (["tcp", 1, "-r", low], "choose another --remote-port"),
                (["tcp", 1, "-r", s.port], "allowPorts leave it out"),
                (["http", 1, "-d", "w.test"], "--domain NAME"),
                (["http", 1, "-d", "x.s.test"], "--subdomain NAME"),
                (["https", 1, "-d", "w.test"], "vhostHTTPSPort")):
            code, _, err = run(ADIT, *words, "-s", f"127.0.0.1:{s.port}",
                               "--token", TOKEN)
            equal(code, 1, err)
            check(text in err, f"{words}: {err}")
        c.wait_log(r"(?s)(\[b\] start error.*){2}")
        equal(c.log().count("maxPortsPerClient"), 1)
    code, _, err = run(ADIT, "tcp", 1, "-s", f"127.0.0.1:{low}")
    equal(code, 1, err)
    check(f"the server is 127.0.0.1:{low}; `adit doctor` with" in err, err)


@case("--dump-config of a line: what it would run with")
def dump_of_a_line():
    code, out, err = run(ADIT, "http", 3000, "--domain", "a.test", "-s",
                         "b.test:7", "--token", TOKEN, "--dump-config")
    equal((code, err), (0, ""))
    for text in ('serverAddr: "b.test"', "serverPort: 7", "localPort: 3000",
                 "a.test"):
        check(text in out, out)
    check(TOKEN not in out, "a secret was shown")


@case("configuration errors name file, line and key")
def configuration():
    rows = [("bindAdr: x\n", r":1:.*bindAdr.*bindAddr"),
            ("bindPort: 70000\n", r":1:.*bindPort"),
            ("bindPort: [\n", r":\d+:"),
            ("auth:\n  token: 7\n  method: oidc\n", r":3:.*auth\.method"),
            ("bindPort: 1\nbindPort: 2\n", r":2:.*bindPort"),
            ("transport:\n  tls:\n    certFile: x\n", r":3:.*certFile")]
    for text, want in rows:
        path = os.path.join(TEMP, "bad.yaml")
        with open(path, "w") as f:
            f.write(text)
        for args in (["-c", path], ["verify", "-c", path]):
            code, out, err = run(ADITD, *args)
            equal((code, out), (2, ""), text)
            check(re.search(re.escape(path) + want, err), f"{text}: {err}")
    root = os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    for program, name in ((ADIT, "adit"), (ADITD, "aditd")):
        code, out, err = run(program, "verify", "-c",
                             f"{root}/config/{name}.yaml")
        equal(code, 0, err)
        check("syntax is ok" in out, out)


@case("a state directory that cannot be: which, or that HOME is not set")
def no_state():
    def said(args, **more):
        env = {k: v for k, v in os.environ.items() if k not in (
            "HOME", "XDG_STATE_HOME", "STATE_DIRECTORY")}
        r = subprocess.run([ADITD, *args], capture_output=True, text=True,
                           timeout=10, check=False, env={**env, **more},
                           **nobody)
        equal((r.returncode, r.stdout), (1, ""), args)
        return r.stderr
    # Root has /var/lib.
    nobody = {"user": 65534, "cwd": "/"} if os.geteuid() == 0 else {}
    try:
        subprocess.run([ADITD, "-v"], capture_output=True, check=False,
                       **nobody)
    except OSError as e:
        raise Skip(f"as nobody: {e}") from None
    for args in ((), ("token", "new", "a"), ("identity",)):
        text = said(args, HOME="/proc/nowhere")
        check("the state directory: /proc/nowhere/.local/state/aditd: No such "
              "file or directory" in text, text)
        text = said(args)
        check("the state directory: neither HOME nor stateDir is set" in text,
              text)


@case("a port that is taken: by whom")
def taken():
    with Server() as s:
        with AditProgram(ADITD, {**s.conf}) as second:
            second.expect_exit = None
            second.launch()
            equal(second.process.wait(10), 1, "exit code")
            check(re.search(rf"{s.port} is taken by aditd \(pid {s.pid}\)",
                            second.log()), second.log())


@case("SIGUSR1 writes the counters as one line")
def counters():
    with Origin(echo) as o, Server() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port}]) as c:
        equal(s.counters()["logins"], 1)
        until(lambda: c.counters()["pool_works"] == 1, "one is idle")
        since = s.mark()
        s.counters()
        equal(s.log()[since:].count("counters "), 1, "lines")


@case("SIGTERM drains: a transfer ends whole, new visitors are refused")
def drain():
    port = free_port()
    with Origin(echo) as o, Server() as s, Client(s, [
            {"name": "t", "type": "tcp", "localPort": o.port,
             "remotePort": port}]) as c:
        with dial(port) as conn:
            conn.sendall(b"a")
            equal(conn.recv(1), b"a")
            for program in (c, s):
                mark = program.mark()
                program.process.send_signal(signal.SIGTERM)
                program.wait_log("draining: 1 visitors", since=mark)
            until(lambda: not answers(port), "new visitors are refused")
            conn.sendall(b"b" * 100000)
            conn.shutdown(socket.SHUT_WR)
            data = b""
            while more := conn.recv(65536):
                data += more
            equal(data, b"b" * 100000)
        equal((c.process.wait(10), s.process.wait(10)), (0, 0), "exit codes")


@case("drainTimeout, and a second signal")
def drain_ends():
    port = free_port()
    with Origin(echo) as o:
        proxies = [{"name": "t", "type": "tcp", "localPort": o.port,
                    "remotePort": port}]
        with Server({"drainTimeout": 1}) as s, Client(s, proxies):
            with dial(port) as conn:
                conn.sendall(b"a")
                equal(conn.recv(1), b"a")
                start = time.monotonic()
                equal(s.stop(), 0, "exit code")
                check(0.5 < time.monotonic() - start < 15, "after 1 s")
        with Server() as s, Client(s, proxies):
            with dial(port) as conn:
                conn.sendall(b"a")
                equal(conn.recv(1), b"a")
                s.process.send_signal(signal.SIGTERM)
                s.wait_log("draining")
                start = time.monotonic()
                equal(s.stop(signal.SIGINT), 0, "exit code")
                check(time.monotonic() - start < 15, "at once")


def on_terminal(conf, env=None):
    """What aditd writes to a terminal until it has started."""
    ours, theirs = pty.openpty()
    with Server(conf, start=False, env=env) as s:
        p = subprocess.Popen(s.argv, stdout=theirs, stderr=theirs, cwd=s.dir,
                             stdin=subprocess.DEVNULL, env=s.env)
        os.close(theirs)
        text = b""
        while b"frps started" not in text:
            text += os.read(ours, 4096)
        p.terminate()
        p.wait(20)
        os.close(ours)
    return text.decode()


@case("log: colors on a terminal only, and not where they are not wanted")
def colors():
    check("\x1b[34minfo\x1b[0m msg=" in on_terminal({}, {"TERM": "xterm"}),
          "no color")
    check("\x1b" not in on_terminal({"log": {"disablePrintColor": True}}),
          "color in spite of disablePrintColor")
    check("\x1b" not in on_terminal({}, {"NO_COLOR": "1"}),
          "color in spite of NO_COLOR")
    check("\x1b" not in on_terminal({}, {"TERM": "dumb"}),
          "color on a terminal that has none")
    check("\x1b" not in on_terminal({"log": {"format": "json"}}),
          "color in JSON")
    with Server() as s:
        check("\x1b" not in s.log(), "color in a file")


@case("adit: a log that goes into a FIFO which nobody reads holds up nothing")
def fifo():
    path, port = os.path.join(TEMP, "log.fifo"), free_port()
    os.mkfifo(path)
    with Server() as s, Origin(echo) as o, Client(s, [{
            "name": "t", "type": "tcp", "localPort": o.port,
            "remotePort": port}], {"log": {"to": path, "level": "trace"}},
            wait=False) as c:
        s.wait_log("tcp proxy listen port")
        for _ in range(200):
            with dial(port) as conn:
                conn.sendall(b"hello")
                equal(conn.recv(100), b"hello")
        c.process.send_signal(signal.SIGTERM)
        equal(c.process.wait(10), 0, "its end")


main()

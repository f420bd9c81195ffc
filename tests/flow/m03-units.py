"""systemd's units: whether systemd takes them, how exposed they are, and that
their filter of system calls lets the programs do all that they do."""
import functools
import os
import re
import shutil
import subprocess
import tempfile

from harness import (ADIT, ADITD, ROOT, TEMP, Client, Origin, Server, Skip,
                     case, check, curl, dial, echo, equal, exactly, free_port,
                     main, read_until)

EXPOSURE = 2.0
UNITS = ("aditd.service", "adit@.service")
SOCKET = "aditd.socket"


@functools.cache
def installed():
    """What `make install` puts in place, with programs that are here."""
    out = tempfile.mkdtemp(prefix="install-", dir=TEMP)
    subprocess.run(["make", "-s", "-C", ROOT, "install", f"DESTDIR={out}",
                    "PREFIX=/usr", "SYSCONFDIR=/etc"], check=True,
                   stdout=subprocess.DEVNULL)
    units = os.path.join(out, "usr/lib/systemd/system")
    for name in UNITS:
        path = os.path.join(units, name)
        with open(path) as f:
            text = f.read()
        check("@BIN" not in text and "@SYS" not in text, f"{name}: a blank")
        check(os.stat(path).st_mode & 0o777 == 0o644, f"{name}: its mode")
        for program in (ADITD, ADIT):
            text = text.replace(f"/usr/bin/{os.path.basename(program)} ",
                                f"{program} ")
        check(ROOT in text, f"{name}: no program is started")
        with open(path.replace("@", "@name"), "w") as f:
            f.write(text)
    return [os.path.join(units, u.replace("@", "@name")) for u in UNITS]


def analyze(*words):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not here")
    done = subprocess.run(["systemd-analyze", "--no-pager", *words],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@case("systemd takes the units")
def _():
    units = [*installed(),
             os.path.join(os.path.dirname(installed()[0]), SOCKET)]
    code, _, said = analyze("verify", "--man=no", *units)
    equal((code, said), (0, ""), "systemd-analyze verify")


@case("how exposed they are")
def _():
    for path in installed():
        code, out, said = analyze("security", "--offline=yes", path)
        score = re.search(r"exposure level for \S+: ([\d.]+)", out)
        if not score and "offline" in said:
            raise Skip("this systemd-analyze looks at no files")
        check(score, f"{code}: {out}{said}")
        print(f"# {os.path.basename(path)}: exposure {score[1]}")
        check(float(score[1]) <= EXPOSURE, f"{path}: {score[1]}")


def filter_of(path):
    """The system calls that a unit's lines of SystemCallFilter allow."""
    sets, name = {}, None
    _, out, _ = analyze("syscall-filter")
    for line in out.split("\n"):
        line = line.split("#")[0]
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.strip() and name:
            sets[name].append(line.strip())

    def calls(word):
        if not word.startswith("@"):
            return {word}
        return set().union(*(calls(w) for w in sets[word]))

    allowed = set(calls("@default"))
    with open(path) as f:
        for line in re.findall(r"^SystemCallFilter=(.*)$", f.read(), re.M):
            words = line.lstrip("~").split()
            named = set().union(*(calls(w) for w in words))
            if line.startswith("~"):
                allowed -= named - calls("@default")
            else:
                allowed |= named
    return allowed


def traced(program):
    """Run it with strace beside it, which writes down what it calls."""
    program.calls = os.path.join(program.dir, "calls")
    program.argv = ["strace", "-D", "-f", "-qq", "-o", program.calls,
                    *program.argv]
    return program


def check_calls(program, path):
    with open(program.calls) as f:
        called = set(re.findall(r"^\d+ +(\w+)\(", f.read(), re.M))
    check("recvfrom" in called or "io_uring_enter" in called,
          f"strace has seen nothing: {called}")
    refused = called - filter_of(path)
    check(not refused, f"{os.path.basename(path)} refuses {sorted(refused)}")


def page(conn):
    while read_until(conn, b"\r\n\r\n"):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"
                     + b"x" * 300000)


@case("the filter of system calls refuses nothing that they do")
def _():
    if not shutil.which("strace"):
        raise Skip("strace is not here")
    units = installed()
    remote, web = free_port(), free_port()
    s = traced(Server({"webServer": {"port": web}, "workers": 2,
                       "accessLog": {"to": "access.log"}}, start=False))
    with s, Origin(echo) as tcp, Origin(page) as http:
        s.start()
        c = traced(Client(s, [
            {"name": "t", "type": "tcp", "localPort": tcp.port,
             "remotePort": remote},
            {"name": "h", "type": "http", "localPort": http.port,
             "subdomain": "h"}],
            {"serverAddr": "localhost"}, start=False))
        with c:
            c.start()
            with dial(remote) as visitor:
                for size in (10, 1000000):
                    visitor.sendall(b"y" * size)
                    equal(exactly(visitor, size), b"y" * size)
            curl(f"http://h.tunnel.test:{s.http}/", "--resolve",
                 f"h.tunnel.test:{s.http}:127.0.0.1")
            curl(f"http://127.0.0.1:{web}/readyz")
            s.counters()
            c.counters()
        check_calls(c, units[1])
    check_calls(s, units[0])


main()

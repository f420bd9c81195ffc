"""What the programs give up once they run: capabilities, system calls, files,
core dumps; the user that aditd becomes; and that they do all they did."""
import contextlib
import hashlib
import os
import pwd
import random
import re
import signal
import socket
import subprocess
import tempfile

from harness import (ADITD, BACKEND, Client, Origin, Server, Skip, case, check,
                     echo, equal, free_port, main, through, until)

PORTS = 1 << 10  # CAP_NET_BIND_SERVICE
ON = {"sandbox": True}
# A run on epoll has no io_uring at all.
BACKENDS = ("epoll",) if BACKEND == "epoll" else ("io_uring", "epoll")


def in_force(program):
    """The line of the log that tells it; skip in builds with sanitizers."""
    said = program.wait_log(r'sandbox: ([^"]*)')[1]
    if "sanitizers" in said:
        raise Skip(f"sandbox: {said}")
    return said


def status(pid, task):
    with open(f"/proc/{pid}/task/{task}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def tasks(program):
    """The status of each thread."""
    found = os.listdir(f"/proc/{program.pid}/task")
    return [status(program.pid, task) for task in found]


def look(program, keeps):
    """Each thread has given up what it should."""
    said = in_force(program)
    check("seccomp" in said, said)
    bounds = 0 if os.geteuid() == 0 else None
    had = int(status("self", os.getpid())["CapEff"], 16)
    want = keeps & had
    equal("net_bind_service" in said, bool(want), said)
    for t in tasks(program):
        what = f"{program.name}'s thread {t['Pid']}: "
        for name in ("CapEff", "CapPrm"):
            equal(int(t[name], 16), want, what + name)
        for name in ("CapInh", "CapAmb"):
            equal(int(t[name], 16), 0, what + name)
        if bounds is not None:
            equal(int(t["CapBnd"], 16), want, what + "CapBnd")
        equal(t["NoNewPrivs"], "1", what + "NoNewPrivs")
        equal(t["Seccomp"], "2", what + "Seccomp")


def carry(port, size=8 << 20):
    """Bytes that nobody has seen before go to the echo and come back."""
    sent = random.randbytes(size)
    equal(hashlib.sha256(through(port, sent)).digest(),
          hashlib.sha256(sent).digest(), "what came back")


def tcp(origin, port):
    return {"name": "t", "type": "tcp", "localPort": origin.port,
            "remotePort": port}


def low_port():
    """One below 1024 that is free."""
    for port in random.sample(range(600, 1023), 100):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port
    raise Skip("no port below 1024 can be had here")


@case("every thread has given up all but low ports, and carries bytes, on both "
      "backends")
def _():
    for backend in BACKENDS:
        conf = {"backend": backend, "workers": 2, **ON}
        port = free_port()
        with Origin(echo) as o, Server(conf) as s:
            # By a name, so that the resolver has something to do.
            with Client(s, [tcp(o, port)],
                        {"serverAddr": "localhost", **conf}) as c:
                carry(port)
                look(s, PORTS)
                look(c, 0)
                carry(port)
                s.counters()
                c.counters()


@case("a port below 1024 is opened for a proxy that comes later")
def _():
    if os.geteuid() != 0:
        raise Skip("only root may open one")
    port = low_port()
    with Origin(echo) as o, Server(ON) as s:
        in_force(s)
        with Client(s, [tcp(o, port)], ON):
            carry(port, 100000)


@case("no core dump, and nobody else looks into the memory")
def _():
    with Server(ON) as s:
        in_force(s)
        # Files of a process that cannot be dumped are root's.
        equal(os.stat(f"/proc/{s.pid}/maps").st_uid, 0, "whose it is")
        with open(f"/proc/{s.pid}/limits") as f:
            check(re.search(r"Max core file size +0 ", f.read()), "RLIMIT_CORE")


@case("sandbox: false gives up nothing, and says so")
def _():
    had = status("self", os.getpid())
    port = free_port()
    off = {"sandbox": False}
    with Origin(echo) as o, Server(off) as s, Client(
            s, [tcp(o, port)], off) as c:
        carry(port, 100000)
        for program in (s, c):
            equal(program.wait_log(r'sandbox: ([^"]*)')[1],
                  "off, as configured", program.name)
            for t in tasks(program):
                for name in ("CapEff", "NoNewPrivs", "Seccomp"):
                    equal(t[name], had[name], name)
            with open(f"/proc/{program.pid}/limits") as f, \
                    open("/proc/self/limits") as mine:
                equal(*(re.search("Max core file size.*", t.read())[0]
                        for t in (f, mine)), "the limit of core dumps")


@case("a kernel or an engine without seccomp and Landlock: all else holds, and "
      "one line says it")
def _():
    with Server(ON) as s:
        in_force(s)
    for error in ("EPERM", "ENOSYS"):
        refuse = {"refuse": (error, "landlock_create_ruleset,seccomp")}
        port = free_port()
        with Origin(echo) as o, Server(ON, **refuse) as s, Client(
                s, [tcp(o, port)], ON, **refuse) as c:
            carry(port, 1 << 20)
            for program in (s, c):
                said = program.wait_log(r'sandbox: (cap[^"]*)')[1]
                check(re.match(r"capabilities \w+; without seccomp, which ",
                               said), said)


def nobody():
    """aditd is started as root and becomes nobody."""
    if os.geteuid() != 0:
        raise Skip("only root may become another user")
    return pwd.getpwnam("nobody")


@contextlib.contextmanager
def open_house():
    """A directory that others may go through, as those of tests are not."""
    with tempfile.TemporaryDirectory(prefix="adit-run-as-") as top:
        os.chmod(top, 0o755)
        yield top


@case("runAs: another user for good, his state, his logs, low ports, each "
      "reopened")
def _():
    who, port = nobody(), low_port()
    with open_house() as top, Origin(echo) as o:
        logs = f"{top}/log"
        os.mkdir(logs)
        os.chown(logs, who.pw_uid, who.pw_gid)
        for backend in BACKENDS:
            s = Server({"runAs": "nobody", "stateDir": f"{top}/state",
                        "backend": backend,
                        "accessLog": {"to": f"{logs}/access.log"}},
                       start=False)
            with s.start():
                with Client(s, [tcp(o, port)]):
                    carry(port, 1 << 20)
                    for t in tasks(s):
                        equal(t["Uid"].split(), [str(who.pw_uid)] * 4, "user")
                        equal(t["Gid"].split(), [str(who.pw_gid)] * 4, "group")
                        equal(set(t["Groups"].split()),
                              {str(who.pw_gid)}, "groups")
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{logs}/access.log.1")
                os.rename(f"{logs}/access.log", f"{logs}/access.log.1")
                s.process.send_signal(signal.SIGUSR2)
                until(lambda: os.path.exists(f"{logs}/access.log"), "a log")
                equal(os.stat(f"{logs}/access.log").st_uid, who.pw_uid, "owner")
                # A socket in the state's directory is his, too.
                said = subprocess.run([ADITD, "health", "-c", s.conf_path],
                                      env=s.env, capture_output=True,
                                      text=True, check=False)
                equal(said.returncode, 0, said.stdout + said.stderr)
            st = os.stat(f"{top}/state")
            equal((st.st_uid, st.st_mode & 0o7777), (who.pw_uid, 0o700),
                  "the state")
        # What root does there is done as that user.
        made = subprocess.run([ADITD, "token", "new", "alice", "-c",
                               s.conf_path], env=s.env, capture_output=True,
                              text=True, check=False)
        equal(made.returncode, 0, made.stderr)
        equal(os.stat(f"{top}/state/users").st_uid, who.pw_uid, "users")


def refused(conf, *words):
    s = Server(conf, start=False)
    s.expect_exit = 1
    s.launch()
    equal(s.process.wait(20), 1, "exit code")
    for word in words:
        check(word in s.log(), f"{word!r} is not in {s.log()}")


@case("runAs that cannot be: nobody of that name, a state of others, a log of "
      "others, not root")
def _():
    who = nobody()
    refused({"runAs": "no-such-user"}, "runAs", "there is no user no-such-user")
    refused({"runAs": "nobody:no-such-group"}, "no group no-such-group")
    with open_house() as top:
        os.mkdir(f"{top}/state", 0o700)
        refused({"runAs": "nobody", "stateDir": f"{top}/state"},
                f"{top}/state", "it belongs to user 0",
                f"chown -R {who.pw_uid}")
        refused({"runAs": "nobody", "stateDir": f"{top}/new",
                 "log": {"to": f"{top}/aditd.log"}}, "log.to",
                "Permission denied", "runAs nobody")
        conf = f"{top}/conf.yaml"
        with open(conf, "w") as f:
            f.write("runAs: root\nbindAddr: 127.0.0.1\n")
        os.chmod(conf, 0o644)
        # The programs of a test may lie where only root goes.
        said = subprocess.run(
            ["setpriv", "--reuid", "nobody", "--clear-groups", ADITD, "-c",
             conf], capture_output=True, text=True, check=False)
        if "only root may become" not in said.stderr:
            raise Skip(f"nobody cannot start it: {said.stderr}")
        equal(said.returncode, 1, "exit code")


@case("SIGUSR2 where the log's directory is another one of its name: why not")
def _():
    with Origin(echo) as o, Server(start=False) as s, Client(
            s.port, [tcp(o, free_port())], start=False) as c:
        for program in (s, c):
            logs = f"{program.dir}/logs"
            os.mkdir(logs)
            program.write({**program.conf, **ON,
                           "log": {"to": f"{logs}/log", "level": "debug"}})
            program.log_path = f"{logs}/log"
        for program in (s, c):
            logs = f"{program.dir}/logs"
            program.start()
            said = in_force(program)
            if "landlock" not in said:
                raise Skip(f"sandbox: {said}")
            os.rename(logs, f"{logs}.old")
            os.mkdir(logs)
            program.log_path = f"{logs}.old/log"
            program.process.send_signal(signal.SIGUSR2)
            program.wait_log("cannot be opened again: Permission denied; a "
                             "directory .* the sandbox keeps it closed")


@case("a file that root could read by a capability only: a warning at the start")
def _():
    who = nobody()
    with open_house() as top:
        page = f"{top}/page.html"
        with open(page, "w") as f:
            f.write("x")
        os.chmod(page, 0o600)
        os.chown(page, who.pw_uid, who.pw_gid)
        with Server({"custom404Page": page, **ON}) as s:
            in_force(s)
            s.wait_log(f"{re.escape(page)} cannot be read again")


main()

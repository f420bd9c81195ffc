"""The guest of systemd.sh: our package's units under a systemd that is the
first process. The cases are steps on one machine, which build on each other,
from the installation to the purge."""
import contextlib
import glob
import os
import re
import signal
import time

from machine import (ETC, HOST, LIB, PAGE, Visitors, check_quiet, cursor,
                     drop_in, head_of, journal, output, pid_of, run, say, show,
                     systemctl, wait_page, write)
from harness import (Nginx, case, check, curl, dial, equal, main,
                     read_all, request, until)

UNITS = ("aditd.service", "aditd.socket", "adit@.service")
SERVER, CLIENT = "aditd.service", "adit@web.service"
CONF = "/etc/adit/aditd.yaml"
EXPOSURE = 2.0
# In s; what the unit says would make the test longer.
WATCHDOG = 10
BIG = os.urandom(1 << 20) * 32
# What is published, and what a step leaves for those that follow.
SITE = Nginx({"page": PAGE, "big": BIG}, "keepalive_requests 100000;")
KEPT = {}


def upgraded(act):
    """A reload that nobody notices; the process that follows."""
    before, restarts = pid_of(SERVER), show(SERVER, "NRestarts")
    with Visitors():
        act()
        systemctl("reload", "aditd")
        after = pid_of(SERVER)
        check(after != before, "it is the same process")
        equal(show(SERVER, "ActiveState"), "active")
    equal(show(SERVER, "NRestarts"), restarts, "restarts")
    until(lambda: not os.path.exists(f"/proc/{before}"), "the old one's end",
          40)
    equal(pid_of(SERVER), after, "main process")
    return after


@case("boot: systemd is the first process, and has no complaints")
def _():
    with open("/proc/1/comm", encoding="ascii") as f:
        equal(f.read().strip(), "systemd", "the first process")
    say(f"{' '.join(os.uname()[::2])}, "
        f"{output('systemctl', '--version').splitlines()[0]}")
    equal(output("systemctl", "--failed", "--plain", "--no-legend"), "",
          "failed units")


@case("the package starts nothing, and has put its units in place")
def _():
    for unit in UNITS:
        equal(os.stat(f"{LIB}/{unit}").st_mode & 0o777, 0o644, unit)
        equal(run("systemctl", "is-enabled", unit), (1, "disabled\n"), unit)
        name = unit.replace("@", "@web")
        equal(show(name, "LoadState"), "loaded", name)
        equal(show(name, "ActiveState"), "inactive", name)
    equal(os.stat(CONF).st_mode & 0o777, 0o640, f"mode of {CONF}")
    check(not os.path.exists("/var/lib/aditd"), "there is a state")
    equal(output("systemd-analyze", "verify", "--man=no", *(
        f"{LIB}/{u}".replace("@", "@web") for u in UNITS)), "",
        "systemd-analyze verify")


@case("how exposed they are")
def _():
    for unit in (SERVER, CLIENT):
        said = output("systemd-analyze", "--no-pager", "security", unit)
        score = re.search(r"exposure level for \S+: ([\d.]+)", said)
        check(score, said)
        say(f"{unit}: exposure {score[1]}")
        check(float(score[1]) <= EXPOSURE, said)


@case("without a user it does not start: exit code 2, and no second try")
def _():
    code, _ = run("systemctl", "start", SERVER)
    equal(code, 1, "systemctl start")
    time.sleep(3)
    equal([show(SERVER, n) for n in
           ("ActiveState", "Result", "ExecMainStatus", "NRestarts")],
          ["failed", "exit-code", "2", "0"], "state")
    systemctl("reset-failed", SERVER)
    KEPT["since"] = cursor()


def new_user(name):
    """As the unit's head says; the join string."""
    command = re.search(r"^ +(systemd-run (.*\\\n)*.*)", head_of(SERVER),
                        re.M)[1]
    said = output("sh", "-c", command.replace("NAME", name))
    return re.search(r"^join *'(.*)'$", said, re.M)[1]


def write_client(join, *hosts):
    user, token, pins = re.fullmatch(r"adit://(.*):(.*)@.*/(.*)",
                                     join).groups()
    write("/etc/adit/web.yaml", f"""
serverAddr: 127.0.0.1
user: {user}
auth: {{token: {token}}}
transport: {{tls: {{pins: [{pins}]}}}}
proxies:
""" + "".join(f"  - {{name: {h}, type: http, localPort: {SITE.port}, "
              f"customDomains: [{h}]}}\n" for h in hosts))


@case("a user is made as the unit's head says, and aditd starts")
def _():
    since = cursor()
    KEPT["join"] = new_user("alice")
    drop_in(SERVER, f"[Service]\nWatchdogSec={WATCHDOG}\n")
    systemctl("enable", "--now", SERVER)
    equal([show(SERVER, n) for n in ("ActiveState", "SubState", "StatusText")],
          ["active", "running", "ready"], "state")
    said = journal(*since, "-u", SERVER)
    for line in ("event backend: [^\"\n]*", "sandbox: [^\"\n]*"):
        found = re.search(line, said)
        check(found, f"no {line}: {said}")
        say(f"aditd: {found[0]}")
    check("event backend: io_uring" in said, "io_uring is not chosen")
    check("sandbox: seccomp, landlock" in said, "no sandbox")
    with open(f"/proc/{pid_of(SERVER)}/status", encoding="utf-8") as f:
        status = dict(re.findall(r"^(\w+):\s+(.*)$", f.read(), re.M))
    uid = int(status["Uid"].split()[0])
    check(61184 <= uid <= 65519, f"user {uid} is not a dynamic one")
    equal(int(status["CapEff"], 16), 1 << 10, "capabilities")
    equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "privileges")
    state = os.stat("/var/lib/private/aditd")
    equal((state.st_uid, state.st_mode & 0o777), (uid, 0o700), "the state")
    equal(os.readlink("/var/lib/aditd"), "private/aditd", "the state's link")
    for path in glob.glob("/var/lib/private/aditd/*"):
        equal(os.stat(path).st_mode & 0o077, 0, path)


@case("adit@NAME logs in, and a page comes through")
def _():
    since = cursor()
    write_client(KEPT["join"], HOST)
    systemctl("enable", "--now", CLIENT)
    equal(show(CLIENT, "StatusText"), "ready", "what it says")
    said = journal(*since, "-u", CLIENT)
    for line in ("event backend: [^\"\n]*", "sandbox: [^\"\n]*"):
        found = re.search(line, said)
        check(found, f"no {line}: {said}")
        say(f"adit: {found[0]}")
    wait_page()
    equal(os.stat("/var/lib/private/adit/web").st_mode & 0o777, 0o700, "state")
    with open(f"/proc/{pid_of(CLIENT)}/status", encoding="utf-8") as f:
        check(re.search(r"^CapEff:\t0+$", f.read(), re.M), "capabilities")


@case("reload of aditd with another configuration: no request fails")
def _():
    def change():
        with open(CONF, "a", encoding="utf-8") as f:
            f.write("webServer: {port: 7500}\n")

    upgraded(change)
    equal(curl("http://127.0.0.1:7500/readyz")[0], 200, "readyz")
    # The new one is watched, and gives its signs of life.
    pid = pid_of(SERVER)
    time.sleep(2.5 * WATCHDOG)
    equal((pid_of(SERVER), show(SERVER, "NRestarts")), (pid, "0"),
          "main process")
    wait_page()


@case("reload of aditd with another program: no request fails")
def _():
    def change():
        output("cp", "/usr/bin/aditd", "/usr/bin/aditd.new")
        os.rename("/usr/bin/aditd.new", "/usr/bin/aditd")

    pid = upgraded(change)
    check(os.path.samefile(f"/proc/{pid}/exe", "/usr/bin/aditd"),
          "it is the old program")


@case("reload of adit@NAME opens another proxy, and its process goes on")
def _():
    pid = pid_of(CLIENT)
    with Visitors():
        write_client(KEPT["join"], HOST, "more.localhost")
        systemctl("reload", CLIENT)
        wait_page("more.localhost")
    equal(pid_of(CLIENT), pid, "main process")


@case("so far nobody has complained")
def _():
    for unit in (SERVER, CLIENT):
        check_quiet(unit, KEPT["since"])
    # AUDIT_SECCOMP, by whoever writes it down.
    for words in (("-k", "--grep", "type=1326"),
                  ("_TRANSPORT=audit", "_AUDIT_TYPE=1326")):
        equal(journal(*words), "", "calls that have ended a process")


@contextlib.contextmanager
def as_before(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    try:
        yield
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


@case("a bad configuration at a reload: systemctl says so, the old one goes on")
def _():
    pid = pid_of(SERVER)
    since = cursor()
    with as_before(CONF), Visitors():
        with open(CONF, "a", encoding="utf-8") as f:
            f.write("nonsense: true\n")
        code, said = run("systemctl", "reload", SERVER)
        equal(code, 1, f"systemctl reload: {said}")
        equal((show(SERVER, "ActiveState"), pid_of(SERVER)), ("active", pid))
    check("nonsense" in journal(*since, "-u", SERVER), "the log says nothing")
    upgraded(lambda: None)

    pid, since = pid_of(CLIENT), cursor()
    with as_before("/etc/adit/web.yaml"), Visitors():
        with open("/etc/adit/web.yaml", "a", encoding="utf-8") as f:
            f.write("nonsense: true\n")
        code, said = run("systemctl", "reload", CLIENT)
        equal(code, 1, f"systemctl reload: {said}")
        until(lambda: "nonsense" in journal(*since, "-u", CLIENT),
              "the log of its unit", 10, 0.5)
        equal((show(CLIENT, "ActiveState"), pid_of(CLIENT)), ("active", pid))
    systemctl("reload", CLIENT)


@case("the watchdog: who hangs is started again")
def _():
    for unit in (SERVER, CLIENT):
        drop_in(unit, f"[Service]\nWatchdogSec={WATCHDOG}\n")
        systemctl("restart", unit)
        wait_page()
        pid = pid_of(unit)
        os.kill(pid, signal.SIGSTOP)
        until(lambda: pid_of(unit) not in (0, pid), f"{unit}: a new process",
              60, 0.5)
        equal(show(unit, "NRestarts"), "1", "restarts")
        check("watchdog" in journal("-u", unit, "_PID=1").lower(),
              "the journal does not say why")
        wait_page()


@case("stop: what has begun comes to its end, and the result is clean")
def _():
    limit = float(show(SERVER, "TimeoutStopUSec").rstrip("s"))
    with dial(80, timeout=60) as slow:
        slow.sendall(f"GET /big HTTP/1.1\r\nHost: {HOST}\r\n"
                     "Connection: close\r\n\r\n".encode())
        head = slow.recv(1000)
        began = time.monotonic()
        systemctl("stop", "--no-block", SERVER)
        until(lambda: show(SERVER, "StatusText") == "draining", "a drain")
        equal(show(SERVER, "ActiveState"), "deactivating", "state")
        time.sleep(2)
        body = (head + read_all(slow)).split(b"\r\n\r\n", 1)[1]
        check(body == BIG, f"{len(body)} bytes of {len(BIG)}")
    until(lambda: show(SERVER, "ActiveState") == "inactive", "its end", 45)
    took = time.monotonic() - began
    equal([show(SERVER, n) for n in ("Result", "ExecMainStatus")],
          ["success", "0"], "result")
    check(took < limit, f"it took {took:.0f} s")
    # The client waits for the server to be back.
    systemctl("start", SERVER)
    wait_page()
    equal(show(CLIENT, "ActiveState"), "active", CLIENT)


@case("aditd.socket: who comes starts it, and nobody is refused at a restart")
def _():
    systemctl("stop", CLIENT)
    systemctl("disable", "--now", SERVER)
    drop_in("aditd.socket", "[Socket]\nListenStream=80\n")
    systemctl("enable", "--now", "aditd.socket")
    equal(show(SERVER, "ActiveState"), "inactive", "before anybody comes")
    since = cursor()
    said = request(80, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close"
                   b"\r\n\r\n", timeout=30)
    equal(said[9:12], b"404", "answer to who came first")
    equal(show(SERVER, "ActiveState"), "active", "once somebody has come")
    check("2 sockets are the service manager's" in
          journal(*since, "-u", SERVER), "the sockets are not taken")
    systemctl("start", CLIENT)
    wait_page()
    # Until the client is back there is no page; but nobody is cut.
    with Visitors(stay=0, statuses=(200, 404)):
        pid = pid_of(SERVER)
        systemctl("restart", SERVER)
        check(pid_of(SERVER) != pid, "it is the same process")
        wait_page()
    upgraded(lambda: None)
    equal(show("aditd.socket", "ActiveState"), "active", "the socket")
    check_quiet(SERVER, since)


def apt(*words):
    return output("apt-get", "-q", "-y", "--no-install-recommends", *words,
                  env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


@case("the package is installed again while it runs: nobody notices")
def _():
    pids = [pid_of(u) for u in (SERVER, CLIENT)]
    with Visitors():
        apt("install", "--reinstall", "/root/adit.deb")
        equal([pid_of(u) for u in (SERVER, CLIENT)], pids, "main processes")
    equal(show(SERVER, "NeedDaemonReload"), "no")
    with open(CONF, encoding="utf-8") as f:
        check("7500" in f.read(), "the configuration is another")
    pid = upgraded(lambda: None)
    check(os.path.samefile(f"/proc/{pid}/exe", "/usr/bin/aditd"),
          "it is the old program")


@case("the package is removed, and comes back: all is as it was")
def _():
    said = apt("remove", "adit")
    for unit in (SERVER, "aditd.socket", CLIENT):
        equal(show(unit, "ActiveState"), "inactive", f"{unit}\n{said}")
        equal(show(unit, "LoadState"), "not-found", unit)
    for path in (CONF, "/var/lib/private/aditd", "/var/lib/private/adit/web"):
        check(os.path.exists(path), f"{path} is gone")
    apt("install", "/root/adit.deb")
    equal(run("systemctl", "is-enabled", "aditd.socket", CLIENT),
          (0, "enabled\nenabled\n"))
    systemctl("start", "aditd.socket", CLIENT)
    wait_page()


@case("a purge leaves nothing but what is the owner's")
def _():
    said = apt("purge", "adit")
    for unit in (SERVER, "aditd.socket", CLIENT):
        equal(show(unit, "ActiveState"), "inactive", f"{unit}\n{said}")
    left = [p for p in (
        CONF, "/usr/bin/aditd", "/var/lib/aditd", "/var/lib/adit",
        "/var/lib/private/aditd", "/var/lib/private/adit", "/var/log/aditd",
        "/var/log/private/aditd", "/run/aditd", "/run/adit/web")
            if os.path.lexists(p)]
    equal(left, [], "what is left")
    links = [p for p in glob.glob(f"{ETC}/*.wants/*adit*")
             if not p.endswith("adit-test.service")]
    equal(links, [], "links")
    check(os.path.exists("/etc/adit/web.yaml"), "the owner's file is gone")


main()

"""The image: what is in it, and containers that really run, with traffic through
both programs. It is made and kept in a storage of its own; where no engine can
run one, the cases are skipped."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from harness import (ADIT, ADITD, BACKEND, LINKS, ROOT, TEMP, TOKEN, Failed,
                     Origin, Skip, case, check, curl, dial, echo, equal, exactly,
                     free_port, main, read_until, until)

SIZE_MAX = 15 << 20
URING = {"io_uring_setup", "io_uring_enter", "io_uring_register"}
PROFILE = os.path.join(ROOT, "config/seccomp.json")
DEFAULTS = "/usr/share/containers/seccomp.json"
BUILD = os.path.dirname(ADITD)
HARDENED = ("--network", "host", "--read-only", "--cap-drop", "all",
            "--security-opt", "no-new-privileges",
            # Without the rights of whoever made this machine's cgroups.
            "--ulimit", "nofile=16384:16384", "--ulimit", "nproc=4096:4096")


def run(*words, ok=True, timeout=120, **options):
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          timeout=timeout, **options)
    if ok and done.returncode:
        raise Failed(f"{' '.join(words)[:300]}: {done.stderr[-1000:]}")
    return done


class Engine:
    """podman with a storage of its own, or a docker that answers."""

    def __init__(self):
        self.why = "no podman and no docker that answers is here"
        self.words = None
        if shutil.which("podman"):
            top = tempfile.mkdtemp(prefix="engine-", dir=TEMP)
            # Its locks are shared with every other storage otherwise.
            with open(f"{top}/containers.conf", "w") as f:
                f.write('[engine]\nlock_type = "file"\n')
            os.environ["CONTAINERS_CONF"] = f"{top}/containers.conf"
            words = ["podman", "--root", f"{top}/storage", "--runroot",
                     f"{top}/run", "--storage-driver", "vfs",
                     "--cgroup-manager", "cgroupfs"]
            if shutil.which("runc"):
                words += ["--runtime", "runc"]
            if self.answers(words):
                self.words = words
        if not self.words and shutil.which("docker") and \
                self.answers(["docker"]):
            self.words = ["docker"]
        self.image = None

    def answers(self, words):
        try:
            done = run(*words, "info", ok=False, timeout=30)
        except subprocess.TimeoutExpired:
            return False
        self.why = f"{words[0]} does not answer: {done.stderr[-200:]}"
        return done.returncode == 0

    def __call__(self, *words, **options):
        return run(*self.words, *words, **options)

    def need(self, runs=True):
        """The image, made once; Skip where there is no engine."""
        if not self.words:
            raise Skip(self.why)
        if not self.image:
            name = f"adit-test-{os.getpid()}"
            run(f"{ROOT}/config/image/build.sh", BUILD, f"{TEMP}/image", name,
                env={**os.environ, "ENGINE": " ".join(self.words)})
            self.image = name
            self.starts = self("run", "--rm", *HARDENED, name, "--version",
                               ok=False)
        if runs and self.starts.returncode:
            raise Skip("no container can be run: "
                       + self.starts.stderr.strip()[-200:])
        return self.image

    def clean(self):
        if self.image:
            self("rmi", "-f", self.image, ok=False)
            # Its storage belongs to others than who runs the tests, perhaps.
            if self.words[0] == "podman":
                self("system", "reset", "-f", ok=False)


ENGINE = Engine()


class Container:
    """Started with a configuration, and options of the engine."""

    def __init__(self, program, conf, *options, profile=PROFILE):
        self.name = f"{os.path.basename(program)}-{free_port()}"
        folder = tempfile.mkdtemp(prefix="conf-", dir=TEMP)
        os.chmod(folder, 0o755)
        with open(f"{folder}/conf.yaml", "w") as f:
            json.dump(conf, f)
        seccomp = ["--security-opt", f"seccomp={profile}"] if profile else []
        ENGINE("run", "-d", "--name", self.name, *HARDENED, *seccomp,
               *options, "-v", f"{folder}:/conf:ro", "--entrypoint",
               f"/{program}", ENGINE.need(), "-c", "/conf/conf.yaml")

    def log(self):
        done = ENGINE("logs", self.name)
        return done.stdout + done.stderr

    def running(self):
        return ENGINE("inspect", "-f", "{{.State.Running}}",
                      self.name).stdout.strip() == "true"

    def wait_log(self, pattern, times=1):
        until(lambda: len(re.findall(pattern, self.log())) >= times
              or not self.running(), f"{self.name} logs {pattern}", 20, 0.2)
        check(len(re.findall(pattern, self.log())) >= times,
              f"{self.name} does not log {pattern}: {self.log()[-1000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ENGINE("rm", "-f", "-v", self.name, ok=False)


def page(conn):
    while read_until(conn, b"\r\n\r\n"):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")


def settings(origin, http_origin):
    server = {"bindAddr": "127.0.0.1", "bindPort": free_port(),
              "vhostHTTPPort": free_port(), "subDomainHost": "tunnel.test",
              "auth": {"token": TOKEN}}
    remote = free_port()
    client = {"serverAddr": "127.0.0.1", "serverPort": server["bindPort"],
              "auth": {"token": TOKEN}, "loginFailExit": False,
              "transport": LINKS["tls"], "proxies": [
                  {"name": "t", "type": "tcp", "localIP": "127.0.0.1",
                   "localPort": origin.port, "remotePort": remote},
                  {"name": "h", "type": "http", "localIP": "127.0.0.1",
                   "localPort": http_origin.port, "subdomain": "h"}]}
    return server, client, remote


def works(server, remote):
    """Both kinds of proxies carry something."""
    try:
        with dial(remote, timeout=3) as visitor:
            visitor.sendall(b"y" * 300000)
            if exactly(visitor, 300000) != b"y" * 300000:
                return False
    except (OSError, Failed):
        return False
    return curl(f"http://127.0.0.1:{server['vhostHTTPPort']}/", "-H",
                "Host: h.tunnel.test")[2] == b"here"


def through(*options, profile=PROFILE):
    """Traffic through two containers; what aditd logged at its start."""
    ENGINE.need()
    with Origin(echo) as origin, Origin(page) as http:
        conf, client, remote = settings(origin, http)
        with Container("aditd", conf, *options, profile=profile) as s:
            until(lambda: "frps started successfully" in s.log()
                  or not s.running(), "a start", 20, 0.2)
            with Container("adit", client, *options, profile=profile) as c:
                c.wait_log("start proxy success", 2)
                check(works(conf, remote), "no traffic")
            return s.log()


@case("what is in it: 15 MiB at most, the programs, what they load, no shell")
def _():
    image = ENGINE.need(runs=False)
    size = int(ENGINE("image", "inspect", "-f", "{{.Size}}",
                      image).stdout.strip())
    print(f"# the image has {size / 1e6:.1f} MB")
    check(size < SIZE_MAX, f"{size} bytes")
    files = [os.path.join(folder, name)[len(f"{TEMP}/image/root"):]
             for folder, _, names in os.walk(f"{TEMP}/image/root")
             for name in names]
    other = [f for f in files if not re.search(
        r"^/(aditd|adit|etc/(passwd|group|nsswitch\.conf|ssl/certs/"
        r"ca-certificates\.crt))$|^/(usr/)?lib.*\.so(\.[\d.]+)?$", f)]
    equal(other, [], "further files")
    conf = json.loads(ENGINE("image", "inspect", image).stdout)[0]["Config"]
    equal(conf["User"], "65532:65532", "its user")
    equal(conf["Entrypoint"], ["/aditd"], "its entry point")
    check("/state" in conf["Volumes"], "no volume for the state")


@case("programs start; a first run; health; SIGTERM drains")
def _():
    image = ENGINE.need()
    for entry in ("/aditd", "/adit"):
        out = ENGINE("run", "--rm", *HARDENED, "--entrypoint", entry, image,
                     "--version").stdout
        check(out.startswith(entry[1:] + " "), out)
    bad = ENGINE("run", "--rm", *HARDENED, "--entrypoint", "/bin/sh", image,
                 ok=False)
    check(bad.returncode != 0, "there is a shell")
    with Origin(echo) as origin, Origin(page) as http:
        conf, _, _ = settings(origin, http)
        with Container("aditd", conf) as s:
            s.wait_log("frps started successfully")
            told = json.loads(ENGINE("inspect", s.name).stdout)[0]
            equal(told["Config"]["Healthcheck"]["Test"],
                  ["CMD", "/aditd", "health"], "HEALTHCHECK")
            equal(ENGINE("exec", s.name, "/aditd", "health").stdout, "ok\n")
            equal(ENGINE("exec", s.name, "/aditd", "health",
                         "ready").stdout, "ready\n")
            equal(ENGINE("healthcheck", "run", s.name, ok=False).returncode
                  if ENGINE.words[0] == "podman" else 0, 0, "HEALTHCHECK")
            ENGINE("stop", "-t", "20", s.name)
            equal(ENGINE("inspect", "-f", "{{.State.ExitCode}}",
                         s.name).stdout.strip(), "0", "its exit code")


@case("under the shipped profile: io_uring, and traffic through both")
def _():
    if BACKEND == "epoll":
        raise Skip("io_uring is refused to all of this run")
    log = through()
    check("io_uring cannot be set up" not in log, log[-500:])
    check(not re.search(r"backend.*epoll", log), "epoll was chosen")


@case("under the engine's default profile: epoll, and traffic through both")
def _():
    log = through(profile=None)
    if "event backend: io_uring" in log:
        raise Skip("this engine's default lets io_uring pass")
    check("event backend: epoll" in log, log[-500:])


@case("with 64 MiB of memory")
def _():
    try:
        log = through("--memory", "64m")
    except Failed as e:
        if "cgroup" in str(e):
            raise Skip(f"no limit can be set: {str(e)[-200:]}") from None
        raise
    check("limits.visitors = " in log, f"the limits are as ever: {log}")


@case("either container starts again under traffic")
def _():
    ENGINE.need()
    with Origin(echo) as origin, Origin(page) as http:
        conf, client, remote = settings(origin, http)
        with Container("aditd", conf) as s, Container("adit", client) as c:
            c.wait_log("start proxy success", 2)
            for which in (c, s):
                with dial(remote) as visitor:
                    visitor.sendall(b"x")
                    equal(exactly(visitor, 1), b"x")
                    ENGINE("restart", "-t", "0", which.name)
                    try:
                        while visitor.recv(65536):
                            pass
                        raise Failed("a visitor that was cut saw an end")
                    except ConnectionResetError:
                        pass
                until(lambda: works(conf, remote),
                      f"traffic after a restart of {which.name}", 30, 0.3)


def rules(path):
    """Each call with what is allowed of it, as a set that can be compared."""
    with open(path) as f:
        profile = json.load(f)
    found = set()
    for rule in profile["syscalls"]:
        rest = json.dumps([rule["action"], rule.get("args") or [],
                           rule.get("includes") or {},
                           rule.get("excludes") or {}], sort_keys=True)
        found |= {(name, rest) for name in rule["names"]}
    return profile["defaultAction"], found


@case("the profile is the engine's default and io_uring's three calls")
def _():
    action, ours = rules(PROFILE)
    equal(action, "SCMP_ACT_ERRNO")
    added = {rule for rule in ours if rule[0] in URING}
    equal({name for name, _ in added}, URING)
    if not os.path.exists(DEFAULTS):
        raise Skip(f"{DEFAULTS} is not here")
    _, theirs = rules(DEFAULTS)
    theirs = {rule for rule in theirs if rule[0] not in URING}
    if theirs - ours:
        raise Skip("the engine here has another version of it")
    equal(ours - theirs, added, "what the shipped one allows beyond it")


def samples(path):
    """The configurations in a YAML file, which are blocks of text."""
    with open(os.path.join(ROOT, path)) as f:
        lines = f.read().split("\n")
    name = block = None
    for line in [*lines, "end"]:
        indent = len(line) - len(line.lstrip())
        if block is not None:
            if not line.strip() or indent > depth:
                block.append(line[depth + 2:])
                continue
            yield name, "\n".join(block)
            block = None
        key = re.match(r" *(aditd?\.yaml):", line)
        if key:
            name = key[1]
        if line.endswith(": |"):
            block, depth = [], indent


@case("the configurations of compose.yaml and kubernetes/ are right")
def _():
    # As text of its own (content:) it would be copied into containers that
    # are read-only, which docker compose refuses.
    with open(os.path.join(ROOT, "config/compose.yaml")) as f:
        files = {name: os.path.join(ROOT, "config", path) for name, path in
                 re.findall(r"^  (\S+):\n    file: (\S+)$", f.read(), re.M)}
    for name, text in samples("config/kubernetes/deployment.yaml"):
        files["kubernetes"] = os.path.join(TEMP, name)
        with open(files["kubernetes"], "w") as f:
            f.write(text)
    for name, file in files.items():
        run(ADIT if name == "adit.yaml" else ADITD, "verify", "-c", file,
            env={**os.environ, "ADIT_TOKEN": "x"})
    equal(list(files), ["aditd.yaml", "adit.yaml", "kubernetes"])


try:
    main()
finally:
    ENGINE.clean()

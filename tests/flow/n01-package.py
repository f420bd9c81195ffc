"""The packages of `make tarball` and `make deb`: the same bytes from two
folders, what is in them, and both at work in bare Debians."""
import contextlib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile

from harness import (ROOT, TEMP, Failed, Origin, Program, Skip, case, check,
                     curl, equal, free_port, main, read_until)

BUILD = os.environ.get("BUILD", "build")
PAGE = os.urandom(4096).hex().encode()
# By the targets of the Makefile: the file, and what makes it.
KINDS = {"tarball": (f"{BUILD}/adit-*.tar.xz", ("xz", "dpkg-query")),
         "deb": (f"{BUILD}/adit_*.deb", ("dpkg-deb", "dpkg-shlibdeps"))}
# What a bare system has.
GLIBC = re.compile(r"linux-vdso|/ld-linux|/lib(c|m|pthread|dl|rt|resolv)\.so")
# What lintian may say: the named overrides.
OVERRIDDEN = {"custom-library-search-path", "non-standard-file-perm"}


def output(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          **options)
    check(done.returncode == 0, f"{' '.join(argv)}: {done.returncode}\n"
          f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def made(kind, root=ROOT, **options):
    """The package of a kind, made in a copy of the source."""
    pattern, tools = KINDS[kind]
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not here")
    for old in glob.glob(f"{root}/{pattern}"):
        os.unlink(old)
    output("make", "-s", "-j2", "-C", root, kind, **options)
    [path] = glob.glob(f"{root}/{pattern}")
    return path


def once(function):
    """Its first result, or its first failure, for all who ask."""
    kept = []

    def ask(*args):
        if not any(k[0] == args for k in kept):
            try:
                kept.append((args, function(*args), None))
            except (Skip, Failed) as e:
                kept.append((args, None, e))
        [(value, error)] = [k[1:] for k in kept if k[0] == args]
        if error:
            raise error
        return value
    return ask


package = once(made)


@once
def second_source():
    """The source in another folder, of another depth and without git."""
    out = os.path.join(TEMP, "some", "other", "place")
    shutil.copytree(ROOT, out, symlinks=True, ignore=shutil.ignore_patterns(
        "build", ".git", "__pycache__"))
    return out


def sum_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def time_of(path):
    """When a package says that it was made: all that is in it, at once."""
    if path.endswith(".deb"):
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True,
                              stdout=subprocess.PIPE).stdout
        path = os.path.join(TEMP, "data.tar")
        with open(path, "wb") as f:
            f.write(data)
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    [time] = {m.mtime for m in members}
    equal({(m.uid, m.gid) for m in members}, {(0, 0)}, "owners")
    check({m.mode for m in members} <= {0o755, 0o644, 0o640}, "modes")
    return time


@case("two builds in two folders give the same bytes", timeout=600)
def _():
    for kind in KINDS:
        try:
            first = package(kind)
        except Skip as e:
            print(f"skip the bytes of two builds, {kind}: {e}")
            continue
        # Nor does it matter who builds, where on earth.
        env = {**os.environ, "SOURCE_DATE_EPOCH": str(time_of(first)),
               "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"}
        second = made(kind, second_source(), env=env,
                      preexec_fn=lambda: os.umask(0o077))
        equal(sum_of(second), sum_of(first), os.path.basename(first))


@case("their time is the last commit's")
def _():
    if os.environ.get("SOURCE_DATE_EPOCH"):
        raise Skip("SOURCE_DATE_EPOCH is set")
    if not os.path.exists(f"{ROOT}/.git"):
        raise Skip("no git repository")
    time = int(output("git", "-C", ROOT, "log", "-1", "--format=%ct"))
    equal(time_of(package("tarball")), time, "the tarball's time")


def unpacked(where):
    """The tarball's folder below another one."""
    os.makedirs(where, exist_ok=True)
    with tarfile.open(package("tarball")) as tar:
        # As it is: Python 3.14 would change what it takes for unsafe.
        tar.extraction_filter = lambda member, path: member
        tar.extractall(where)
        return os.path.join(where, tar.getnames()[0])


def within(root):
    """What runs a program in a root that has /proc: $ORIGIN is from there. The
    mount ends with the program."""
    return ["unshare", "-m", "sh", "-c", 'mount --rbind /proc "$0/proc" && '
            'exec chroot "$0" "$@"', root] if root else []


def serve(aditd, adit, root=""):
    """A page through both programs, inside a root."""
    inside = within(root)
    folder = tempfile.mkdtemp(prefix="adit-", dir=f"{root}/tmp" if root
                              else TEMP)
    here = folder[len(root):]
    link, web = free_port(), free_port()

    def file(name, text):
        with open(f"{folder}/{name}", "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text)
        return f"{here}/{name}"

    conf = file("aditd.yaml", f"bindAddr: 127.0.0.1\nbindPort: {link}\n"
                f"vhostHTTPPort: {web}\nstateDir: {here}/state\n")
    said = output(*inside, aditd, "token", "new", "me", "-c", conf)
    join = file("join", re.search(r"^join *'(.*)'$", said, re.M)[1])

    def site(conn):
        read_until(conn, b"\r\n\r\n")
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE)

    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(Origin(site))
        for argv, line in (
                ([aditd, "-c", conf], "started successfully"),
                ([adit, "http", str(origin.port), "--domain", "page.localhost",
                  "--join-file", join], r"http://page\.localhost")):
            program = stack.enter_context(
                Program(inside + argv, os.path.basename(argv[0]),
                        env={"XDG_STATE_HOME": here, "HOME": here}))
            program.launch()
            program.wait_log(line, timeout=30)
        status, _, body = curl(f"http://127.0.0.1:{web}/",
                               "-H", "Host: page.localhost")
        equal((status, body == PAGE), (200, True), "the page")


@case("the tarball runs from any folder, with what is in it")
def _():
    top = unpacked(os.path.join(TEMP, "any folder"))
    for name in ("LICENSE", "README.md", "SECURITY.md",
                 "etc/adit/aditd.yaml.sample",
                 "share/man/man8/aditd.8", "licenses/SOURCES",
                 "fail2ban/filter.d/aditd.conf",
                 "share/bash-completion/completions/adit"):
        check(os.path.isfile(f"{top}/{name}"), f"no {name}")
    for program in ("aditd", "adit", "adit-load"):
        path = f"{top}/bin/{program}"
        for line in output("ldd", path).splitlines():
            check(GLIBC.search(line) or f"=> {top}/" in line, line)
        with open(path, "rb") as f:
            check(ROOT.encode() not in f.read(), f"{program}: has {ROOT}")
    said = output(f"{top}/bin/aditd", "--version")
    check(f"{top}/bin/../lib/libssl" in said, said)
    serve(f"{top}/bin/aditd", f"{top}/bin/adit")


@case("what the package is for dpkg")
def _():
    path = package("deb")
    fields = output("dpkg-deb", "-f", path)
    check(re.search(r"^Depends: .*\blibc6 ", fields, re.M), fields)
    check("boringssl" not in fields, fields)
    out = os.path.join(TEMP, "deb")
    output("dpkg-deb", "-R", path, out)
    with open(f"{out}/DEBIAN/conffiles", encoding="utf-8") as f:
        files = f.read().split()
    check("/etc/adit/aditd.yaml" in files, files)
    conf = f"{out}/etc/adit/aditd.yaml"
    equal(os.stat(conf).st_mode & 0o777, 0o640, "mode of aditd.yaml")
    output(f"{ROOT}/{BUILD}/aditd", "verify", "-c", conf)
    output("md5sum", "-c", "--quiet", "DEBIAN/md5sums", cwd=out)


@case("lintian says nothing but what is overridden by name")
def _():
    if not shutil.which("lintian"):
        raise Skip("lintian is not here")
    said = output("lintian", "--allow-root", "--show-overrides", "--fail-on",
                  "none", package("deb"))
    lines = [s for s in said.splitlines() if not s.startswith("N:")]
    equal({s.split()[2] for s in lines}, OVERRIDDEN, "tags")
    check(all(s.startswith("O:") for s in lines), said)


@once
def bare():
    """A root with what a bare Debian of this release has, and apt."""
    if not shutil.which("mmdebstrap"):
        raise Skip("mmdebstrap is not here")
    if os.getuid() != 0:
        raise Skip("only root may chroot")
    with open("/etc/os-release", encoding="utf-8") as f:
        suite = re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.M)
    if not suite:
        raise Skip("this is no Debian")
    root = os.path.join(TEMP, "bare")
    done = subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", suite[1],
                           root], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"mmdebstrap: {done.stderr.strip().splitlines()[-1:]}")
    done = subprocess.run([*within(root), "true"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"a root with /proc: {done.stderr.strip()}")
    return root


def clean():
    """A root of one's own."""
    root = tempfile.mkdtemp(prefix="root-", dir=TEMP)
    output("cp", "-a", f"{bare()}/.", root)
    return root


@case("the tarball in a bare Debian", timeout=600)
def _():
    root = clean()
    top = unpacked(f"{root}/opt")[len(root):]
    said = output(*within(root), f"{top}/bin/aditd", "--version")
    check(f"{top}/bin/../lib/libssl" in said, said)
    serve(f"{top}/bin/aditd", f"{top}/bin/adit", root)


@case("the package in a bare Debian, installed, and removed", timeout=600)
def _():
    root = clean()
    shutil.copy(package("deb"), f"{root}/tmp/adit.deb")

    def apt(*words):
        output(*within(root), "apt-get", "-qq", "-y",
               "--no-install-recommends", *words,
               env={**os.environ, "DEBIAN_FRONTEND": "noninteractive",
                    "LC_ALL": "C"})

    with contextlib.suppress(Failed):
        apt("update")
    apt("install", "/tmp/adit.deb")
    said = output(*within(root), "aditd", "--version")
    check("/usr/lib/adit/libssl" in said, said)
    serve("/usr/bin/aditd", "/usr/bin/adit", root)
    apt("purge", "adit")
    left = [p for p in ("etc/adit", "usr/lib/adit", "usr/bin/aditd",
                        "usr/share/doc/adit") if os.path.exists(f"{root}/{p}")]
    equal(left, [], "what is left")


main()

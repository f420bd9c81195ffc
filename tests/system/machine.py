"""A machine whose first process is systemd: what the cases of systemd.py do to
its units, what they ask about them, and visitors meanwhile."""
import contextlib
import http.client
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/tests/flow")
from harness import PATIENCE, Failed, check, curl, equal, until

LIB, ETC = "/lib/systemd/system", "/etc/systemd/system"
PAGE = os.urandom(2000).hex().encode()
HOST = "page.localhost"


def run(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          **options)
    return done.returncode, done.stdout + done.stderr


def output(*argv, **options):
    code, said = run(*argv, **options)
    check(code == 0, f"{' '.join(argv)}: {code}\n{said[-3000:]}")
    return said


def systemctl(*words):
    """It did what it was told to; else what there is about it is told, too."""
    code, said = run("systemctl", *words)
    check(code == 0, f"systemctl {' '.join(words)}: {code}\n{said}"
          f"{journal('-n', '40')}")
    return said


def show(unit, name):
    return output("systemctl", "show", "-P", name, unit).strip()


def pid_of(unit):
    return int(show(unit, "MainPID"))


def journal(*words):
    """Its lines, without their heads."""
    output("journalctl", "--sync")
    return run("journalctl", "-q", "-b", "-o", "cat", *words)[1]


def cursor():
    """Where the journal ends now, as words for journal()."""
    return ("--after-cursor", re.search(r"^-- cursor: (.*)", output(
        "journalctl", "-n", "0", "--show-cursor"), re.M)[1])


def say(text):
    print(f"# {text}", flush=True)


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8",
              opener=lambda p, f: os.open(p, f, mode)) as f:
        f.write(text)


def drop_in(unit, text):
    write(f"{ETC}/{unit}.d/test.conf", text, 0o644)
    systemctl("daemon-reload")


def head_of(unit):
    """The comment that it begins with, without its signs."""
    with open(f"{LIB}/{unit}", encoding="utf-8") as f:
        return re.sub(r"^# ?", "", re.match(r"(#.*\n)+", f.read())[0],
                      flags=re.M)


def page(path="page", host=HOST):
    return curl(f"http://127.0.0.1/{path}", "-H", f"Host: {host}")


def wait_page(host=HOST):
    def is_there():
        with contextlib.suppress(Failed):
            return page(host=host)[::2] == (200, PAGE)
    until(is_there, f"the page of {host}", 30, 0.2)


class Visitors:
    """Some that stay, and one after another that is new; none of whom fails."""

    def __init__(self, stay=4, statuses=(200,)):
        self.done, self.failed, self.slowest = 0, [], 0.0
        self.statuses = statuses
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.visit, args=(i < stay,),
                                         daemon=True)
                        for i in range(stay + 1)]

    def visit(self, stays):
        conn = None
        while not self.stop.wait(0.2):
            conn = conn or http.client.HTTPConnection(
                "127.0.0.1", timeout=30 * PATIENCE)
            began = time.monotonic()
            try:
                conn.request("GET", "/page", headers={"Host": HOST})
                answer = conn.getresponse()
                body = answer.read()
                good = answer.status in self.statuses and (
                    answer.status != 200 or body == PAGE)
                error = None if good else f"{answer.status}, {len(body)} bytes"
            except (OSError, http.client.HTTPException) as e:
                error = repr(e)
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - began)
                if error:
                    self.failed.append(error)
                else:
                    self.done += 1
            if error or not stays or conn.sock is None:
                conn.close()
                conn = None

    def __enter__(self):
        for t in self.threads:
            t.start()
        until(lambda: self.done + len(self.failed) > 10, "visitors", 30)
        return self

    def __exit__(self, kind, *_):
        more = self.done + 10
        if kind is None:
            until(lambda: self.done > more or self.failed, "visitors", 30)
        self.stop.set()
        for t in self.threads:
            t.join()
        say(f"{self.done} requests, {len(self.failed)} failed, the slowest "
            f"took {self.slowest:.1f} s")
        if kind is None:
            check(not self.failed, f"{len(self.failed)} requests have failed: "
                  f"{self.failed[:3]}")


def check_quiet(unit, since=()):
    """systemd has nothing to complain of, nor has the program."""
    said = journal(*since, "-p", "warning", "_PID=1", f"UNIT={unit}")
    equal(said, "", f"what systemd says of {unit}")
    lines = [s for s in journal(*since, "-u", unit).splitlines()
             if re.search(r" (warn|error) msg=", s)]
    equal(lines, [], f"what {unit} warns of")

"""A headless Chromium, driven over the DevTools protocol through its pipe."""
import json
import os
import shutil
import subprocess
import tempfile
import threading

from harness import TEMP, Failed, Skip, until

TIMEOUT = 30


def binary():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise Skip("chromium is not installed")


class Browser:
    """One page. Names below .test are this machine."""

    def __init__(self):
        self.answers, self.events = {}, []
        self.number, self.session = 0, None
        self.came = threading.Condition()
        to_us, its_out = os.pipe()
        its_in, from_us = os.pipe()
        profile = tempfile.mkdtemp(prefix="chromium-", dir=TEMP)
        self.log = os.path.join(profile, "log")
        with open(self.log, "wb") as log:
            # Its ends have the numbers 3 and 4, by contract.
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{its_in} 4>&{its_out}', "-",
                 binary(), "--headless=new", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--no-first-run",
                 "--no-proxy-server", "--disable-background-networking",
                 "--disable-component-update", "--remote-debugging-pipe",
                 "--host-resolver-rules=MAP *.test 127.0.0.1",
                 f"--user-data-dir={profile}", "about:blank"],
                pass_fds=(its_in, its_out), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        os.close(its_in)
        os.close(its_out)
        self.out = os.fdopen(from_us, "wb", buffering=0)
        self.into = os.fdopen(to_us, "rb")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        data = b""
        while more := self.into.read1(65536):
            *whole, data = (data + more).split(b"\0")
            with self.came:
                for text in whole:
                    message = json.loads(text)
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self.came.notify_all()
        with self.came:
            self.answers = None
            self.came.notify_all()

    def call(self, method, **params):
        """What the browser answers."""
        with self.came:
            self.number += 1
            number = self.number
            message = {"id": number, "method": method, "params": params}
            if self.session:
                message["sessionId"] = self.session
            self.out.write(json.dumps(message).encode() + b"\0")
            if not self.came.wait_for(lambda: self.answers is None
                                      or number in self.answers, TIMEOUT):
                raise Failed(f"chromium does not answer {method}")
            if self.answers is None:
                with open(self.log, errors="replace") as f:
                    raise Failed(f"chromium has ended: {f.read()[-1000:]}")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url):
        """Load a page; its Network events are kept."""
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        self.call("Network.enable")
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression,
                         returnByValue=True)["result"].get("value")

    def until(self, expression, want, timeout=TIMEOUT):
        """Wait for the value."""
        have = None

        def same():
            nonlocal have
            have = self.run(expression)
            return have == want
        try:
            until(same, expression, timeout)
        except Failed as e:
            raise Failed(f"{e}: have {have!r}, want {want!r}") from None

    def happened(self, method):
        """The parameters of all events of a kind."""
        with self.came:
            return [e["params"] for e in self.events if e["method"] == method]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (Failed, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
            if kind is None:
                raise
        finally:
            self.reader.join(5)
            self.out.close()

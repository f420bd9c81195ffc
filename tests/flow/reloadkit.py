"""The configuration read again, by command and by signal."""
import signal
import subprocess

from harness import ADITD, LINKS, equal, merge

# adit's, whatever the others' is.
BARE = {"tls": {**LINKS["bare"]["tls"], "pins": None}, "tcpMux": False}
NOTHING = "nothing has changed"
RELAYS = ("copy", "splice", "auto")


def reload(s, conf=None, path=None):
    """aditd reload, after the keys of `conf` were put into the file: exit code
    and lines."""
    if conf is not None:
        s.write(merge(s.conf, conf))
    done = subprocess.run([ADITD, "reload", "-c", path or s.conf_path],
                          env=s.env, cwd=s.dir, timeout=40,
                          capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip().split("\n")


def changed(s, conf, *keys):
    """A reload that changes these keys, and needs no restart."""
    equal(reload(s, conf), (0, ["changed: " + ", ".join(keys)]))


def hang_up(program, conf=None):
    """SIGHUP, and what the log says then."""
    if conf is not None:
        program.write(merge(program.conf, conf))
    mark = program.mark()
    program.process.send_signal(signal.SIGHUP)
    program.wait_log("reload: .* (was read again|is not used)", since=mark)
    program.counters()  # The lines behind that one are there, too.
    return program.log()[mark:]


# --- what it says ---

"""Reads the cases of tests/corpus, whose README has the format.

`python3 tests/flow/corpus.py KIND FOLDER` writes their messages to a folder,
one a file, as the fuzz targets read them: KIND is head, target, framing,
chunked or response.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|\{(\d+)\*([^}]*)\}|(.))")
NAMED = {"r": b"\r", "n": b"\n", "t": b"\t", "s": b" ", "\\": b"\\"}
TOLD = (b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: $host\r\n"
        b"X-Forwarded-Proto: http")
DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
MACROS = [(b"$told", TOLD), (b"$date", DATE), (b"$GET", b"GET / HTTP/1.1\r\nHost: $host"),
          (b"$POST", b"POST / HTTP/1.1\r\nHost: $host")]


def unescape(text):
    out, at = b"", 0
    for m in ESCAPE.finditer(text):
        out += text[at:m.start()].encode()
        at = m.end()
        if m[1]:
            out += bytes([int(m[1], 16)])
        elif m[2]:
            out += int(m[2]) * unescape(m[3])
        else:
            out += NAMED[m[4]]
    return out + text[at:].encode()


class Case:
    """Bytes are templates: `fill` puts names in."""

    def __init__(self, path, number, cls, name):
        self.where = f"{os.path.basename(path)}:{number}"
        self.cls, self.name = cls, name
        self.sent = b""      # what comes to aditd
        self.passed = []     # what goes out, message by message
        self.verdict = []    # words
        self.options = {}    # name: the rest of its line
        self.asked = b""     # a response's request; empty: a plain GET

    def __str__(self):
        return f"{self.cls}: {self.name} ({self.where})"


def fill(template, host, other):
    for macro, text in MACROS:
        template = template.replace(macro, text)
    return (template.replace(b"$host", host).replace(b"$other", other)
            .replace(b"$HOST", host.upper()))


def take_line(case, mark, text):
    end = b"" if mark.endswith("-") else b"\r\n"
    if mark in ("<", "<-"):
        case.sent += unescape(text) + end
    elif mark == ">>":
        case.passed.append(unescape(text) + end)
    elif mark in (">", ">-"):
        case.passed[-1] += unescape(text) + end
    elif mark == "?":
        case.asked += unescape(text) + end
    elif mark == "=":
        case.verdict = text.split()
    elif mark == "!":
        option, _, rest = text.partition(" ")
        case.options[option] = rest
    else:
        raise ValueError(f"{case.where}: {mark}")


def read(kind):
    """All cases of a kind: `requests` or `responses`."""
    cases, cls = [], None
    for path in sorted(glob.glob(f"{ROOT}/corpus/{kind}/*.case")):
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            mark, _, text = line.partition(" ")
            if mark == "class":
                cls = text
            elif mark == "case":
                cases.append(Case(path, number, cls, text))
            else:
                take_line(cases[-1], mark, text)
    return cases


def head_end(data):
    end = data.find(b"\r\n\r\n")
    return len(data) if end < 0 else end + 4


def as_head(data):
    return [data]


def as_target(data):
    """Any method, the target, LF, Host."""
    line, _, rest = data.partition(b"\r\n")
    words = line.split(b" ")
    host = re.search(rb"(?im)^host: *(.*?)\r?$", rest)
    if len(words) != 3 or not host:
        return []
    method = {b"OPTIONS": b"1", b"POST": b"2", b"TRACE": b"3",
              b"CONNECT": b"4"}
    return [method.get(words[0], b"0") + words[1] + b"\n" + host[1]]


def as_framing(data):
    """The field lines, behind each kind of first line."""
    line, _, rest = data.partition(b"\r\n")
    fields = rest[:head_end(rest) - 2]
    kinds = b"2345" if line.startswith(b"HTTP/") else b"01"
    return [bytes([k]) + fields for k in kinds]


def as_chunked(data):
    head = data[:head_end(data)]
    if b"chunked" not in head.lower():
        return []
    return [data[len(head):]]


KINDS = {"head": as_head, "target": as_target, "framing": as_framing,
         "chunked": as_chunked, "response": as_head}


def main():
    kind, folder = sys.argv[1:]
    cases = [] if kind == "response" else read("requests")
    if kind in ("response", "framing", "chunked"):
        cases += read("responses")
    os.makedirs(folder, exist_ok=True)
    inputs = {i for c in cases
              for i in KINDS[kind](fill(c.sent, b"a.test", b"b.test"))}
    for n, data in enumerate(sorted(inputs)):
        with open(f"{folder}/corpus-{n:04}", "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()

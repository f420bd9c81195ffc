"""RFC 9112: every MUST that binds an intermediary, one row each. What it
forwards is what a client sends, what it answers is what a server sends."""
import contextlib
import threading
import time

from conformance import (ask, closing, early, main, ok, passed, refused, room,
                         row, said, status, visitor)
from harness import check, equal, until
from httpkit import ended

CH = b"Transfer-Encoding: chunked\r\n"
BODY = b"2\r\nhi\r\n0\r\n\r\n"
SECTIONS = ["2.1", "2.2", "2.3", "3", "3.2", "3.2.1", "3.2.2", "3.2.4", "4",
            "5.1", "5.2", "6.1", "6.2", "6.3", "7.1", "7.1.1", "7.1.2", "7.4",
            "8", "9.2", "9.3", "9.3.1", "9.3.2", "9.6"]


def rfc(section, claim):
    return row(f"rfc9112 {section}", claim)


# --- 2: messages ---

@rfc("2.1", "a message is octets: obs-text passes as it came, both ways")
def octets():
    r = room()
    r.answer = ok(more=b"X: \x80\xc3\xa4\xff\r\n")
    got = said(ask(r, more=b"X: \xff\x80\r\n"))
    equal(r.fields(b"x"), [b"\xff\x80"])
    check(b"\r\nX: \x80\xc3\xa4\xff\r\n" in got, got)


@rfc("2.2", "a bare CR makes a message invalid, wherever it is")
def bare_cr():
    r = room()
    plain = ask(r, more=b"A: bc\r\n")
    for at in range(1, len(plain)):
        data = plain[:at] + b"\r" + plain[at:]
        # Beside a CR of its own it is the same fault.
        equal(status(said(data)), 400, f"CR at {at}")
    equal(r.seen, [])


@rfc("2.2", "white space between the first line and the fields is refused")
def space_before_fields():
    r = room()
    refused(r, b"GET / HTTP/1.1\r\n Host: " + r.name + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n\tA: b\r\nHost: " + r.name + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n \r\nHost: " + r.name + b"\r\n\r\n")
    r.answer = b"HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 0\r\n\r\n"
    equal(status(said(ask(r))), 502)


@rfc("2.2", "no CRLF is sent before or behind a request")
def no_extra_crlf():
    r, extra = room(), []

    def look(conn, reader, _):
        conn.settimeout(0.2)
        try:
            extra.append(reader.data + conn.recv(10))
        except TimeoutError:
            pass
        conn.settimeout(20)
        conn.sendall(ok())
    r.answer = look
    passed(r, b"\r\n" + ask(r, method=b"POST", body=b"hi",
                            more=b"Content-Length: 2\r\n"))
    equal((r.raw[-1][0], extra), (b"POST / HTTP/1.1", []))


@rfc("2.3", "the version that is sent is its own")
def own_version():
    r = room(own=True)
    equal(passed(r, ask(r, version=b"1.0"))[1], b"GET / HTTP/1.1")
    r.answer = ok().replace(b"HTTP/1.1", b"HTTP/1.0")
    check(said(ask(r)).startswith(b"HTTP/1.1 200 "), "to the visitor")


# --- 3, 4: first lines ---

@rfc("3", "a target that is too long is a 414")
def long_target():
    r = room()
    refused(r, ask(r, b"/" + b"x" * 40000), want=414)


@rfc("3.2", "white space in a target is refused")
def space_in_target():
    r = room()
    refused(r, ask(r, b"/a b"), ask(r, b"/a\tb"), ask(r, b" /"))


@rfc("3.2", "no Host, two, or one that is invalid is a 400")
def host():
    r = room()
    refused(r, b"GET / HTTP/1.1\r\n\r\n",
            ask(r, more=b"Host: " + r.name + b"\r\n"),
            ask(r, more=b"Host: other.test\r\n"),
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: http://a/\r\n\r\n")


@rfc("3.2", "a request is forwarded with exactly one Host, that of its target")
def one_host():
    r = room()
    passed(r, ask(r))
    equal(r.fields(b"host"), [r.name])
    passed(r, b"GET http://%s/ HTTP/1.1\r\nHost: other.test\r\n\r\n" % r.name)
    equal(r.fields(b"host"), [r.name])
    passed(r, b"GET http://%s/ HTTP/1.0\r\n\r\n" % r.name)
    equal(r.fields(b"host"), [r.name])


@rfc("3.2.1", "a service gets the path and the query, `/` for an empty path")
def origin_form():
    r = room()
    for target, want in ((b"/a?b", b"/a?b"), (b"http://%s", b"/"),
                         (b"http://%s/a?b", b"/a?b"), (b"http://%s?b", b"/?b")):
        target = target.replace(b"%s", r.name)
        passed(r, ask(r, target))
        equal(r.paths[-1], want, target)


@rfc("3.2.2", "absolute-form is accepted, and Host is replaced by its "
     "authority")
def absolute_form():
    r = room()
    passed(r, b"GET http://%s:8080/a HTTP/1.1\r\nHost: other.test\r\n\r\n"
           % r.name)
    equal((r.paths, r.fields(b"host")), ([b"/a"], [r.name + b":8080"]))


@rfc("3.2.4", "OPTIONS without path and query is forwarded as `*`")
def asterisk_form():
    r = room()
    passed(r, b"OPTIONS http://%s HTTP/1.1\r\nHost: x\r\n\r\n" % r.name)
    passed(r, b"OPTIONS http://%s/ HTTP/1.1\r\nHost: x\r\n\r\n" % r.name)
    passed(r, b"OPTIONS http://%s?a HTTP/1.1\r\nHost: x\r\n\r\n" % r.name)
    equal(r.paths, [b"*", b"/", b"/?a"])


@rfc("4", "the space behind the status is sent, also without a reason")
def status_space():
    r = room()
    for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 "):
        r.answer = line + b"\r\nContent-Length: 0\r\n\r\n"
        check(said(ask(r)).startswith(b"HTTP/1.1 200 \r\n"), line)


# --- 5: fields ---

@rfc("5.1", "white space before a colon: of a request a 400, of a response "
     "removed")
def space_before_colon():
    r = room()
    refused(r, ask(r, more=b"A : b\r\n"), ask(r, more=b"A\t: b\r\n"))
    r.answer = (b"HTTP/1.1 200 OK\r\nX : y\r\nZ\t \t: z\r\n"
                b"Content-Length : 0\r\n\r\n")
    got = said(ask(r))
    check(b"\r\nX: y\r\nZ: z\r\nContent-Length: 0\r\n" in got, got)


@rfc("5.2", "a folded line: of a request a 400, of a response spaces, and "
     "none is sent")
def folds():
    r = room()
    refused(r, ask(r, more=b"A: b\r\n c\r\n"), ask(r, more=b"A: b\r\n\tc\r\n"),
            ask(r, more=b"A:\r\n b\r\n"))
    r.answer = (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\t c\r\n"
                b"Content-Length: 0\r\n\r\n")
    line = [x for x in said(ask(r)).split(b"\r\n") if x.startswith(b"X:")]
    equal(line[0].split(), [b"X:", b"a", b"b", b"c"])


# --- 6: bodies ---

@rfc("6.1", "chunked is understood, and never sent twice")
def one_coding():
    r = room()
    equal(passed(r, ask(r, method=b"POST", more=CH, body=BODY))[3], b"hi")
    equal(r.fields(b"transfer-encoding"), [b"chunked"])
    refused(room(), ask(r, method=b"POST", body=BODY,
                        more=b"Transfer-Encoding: chunked, chunked\r\n"))
    r.answer = b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n" + BODY
    equal(said(ask(r)).lower().count(b"transfer-encoding: chunked"), 1)


@rfc("6.1", "a coding that is not understood is a 501")
def unknown_coding():
    r = room()
    refused(r, ask(r, method=b"POST", body=BODY,
                   more=b"Transfer-Encoding: gzip, chunked\r\n"), want=501)


@rfc("6.1", "no Transfer-Encoding in a response of 1xx or 204")
def no_coding():
    r = room()
    r.answer = (b"HTTP/1.1 103 Hints\r\n" + CH + b"\r\n"
                b"HTTP/1.1 204 No\r\n" + CH + b"\r\n")
    check(b"transfer-encoding" not in said(ask(r)).lower(), "none")


@rfc("6.1", "no Transfer-Encoding to HTTP/1.0")
def no_coding_for_old():
    r = room()
    r.answer = b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n" + BODY
    got = said(ask(r, version=b"1.0"))
    check(b"transfer-encoding" not in got.lower(), got)
    check(got.endswith(b"\r\n\r\nhi"), got)


@rfc("6.1", "CL and TE: the connection ends after the answer")
def both_ends():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(ask(r, method=b"POST", body=BODY,
                         more=CH + b"Content-Length: 2\r\n") + ask(r))
        equal(reader.message()[0][:12], b"HTTP/1.1 400")
        equal(ended(conn), b"")
    equal(r.seen, [])


@rfc("6.1", "Transfer-Encoding in HTTP/1.0 is faulty, and ends the connection")
def old_coding():
    r = room()
    for more in (CH, CH + b"Content-Length: 2\r\n"):
        refused(r, ask(r, method=b"POST", version=b"1.0", body=BODY,
                       more=more + b"Connection: keep-alive\r\n"))
    r.answer = b"HTTP/1.0 200 OK\r\n" + CH + b"\r\n" + BODY
    equal(status(said(ask(r))), 502)


@rfc("6.2", "no Content-Length is sent with a Transfer-Encoding")
def not_both():
    r = room()
    passed(r, ask(r, method=b"POST", more=CH, body=BODY))
    equal(r.fields(b"content-length"), [])
    r.answer = b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n" + BODY
    check(b"content-length" not in said(ask(r)).lower(), "to the visitor")


@rfc("6.3", "1: HEAD, 1xx, 204 and 304 end with their head")
def head_only():
    r = room()
    for answer, method in (
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"HEAD"),
            (b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", b"GET"),
            (b"HTTP/1.1 304 No\r\n" + CH + b"\r\n", b"GET"),
            (b"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\n"
             b"HTTP/1.1 204 No\r\n\r\n", b"GET")):
        r.answer = lambda conn, _, m: conn.sendall(
            ok(b"next") if b"/next" in m[1] else answer)
        got = said(ask(r, method=method) + ask(r, b"/next"))
        check(got.endswith(b"next"), f"{got!r} after {answer!r}")


@rfc("6.3", "3: what has both CL and TE is not forwarded")
def both():
    r = room()
    refused(r, ask(r, method=b"POST", body=BODY,
                   more=b"Content-Length: 2\r\n" + CH))
    r.answer = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + CH + b"\r\n"
                + BODY)
    equal(status(said(ask(r))), 502)


@rfc("6.3", "4: chunked that is not the last coding of a request is a 400")
def not_final():
    r = room()
    refused(r, *(ask(r, method=b"POST", body=BODY,
                     more=b"Transfer-Encoding: " + te + b"\r\n") for te in
                 (b"chunked, gzip", b"gzip", b"identity", b"xchunked")))


@rfc("6.3", "5: an invalid length of a request is a 400 and the end")
def bad_length():
    r = room()
    for value in (b"x", b"-1", b"+1", b"1,2", b"", b"9" * 30):
        with visitor() as (conn, reader):
            conn.sendall(ask(r, method=b"POST", body=b"hi", more=b"Content-"
                             b"Length: " + value + b"\r\n") + ask(r))
            equal(reader.message()[0][:12], b"HTTP/1.1 400", value)
            equal(ended(conn), b"", value)
    equal(r.seen, [])


@rfc("6.3", "5: of a response: the service's connection ends, and a 502")
def bad_response_length():
    for value in (b"x", b"-1", b"1\r\nContent-Length: 2", b"9" * 30):
        r = room(own=True)
        r.answer = (b"HTTP/1.1 200 OK\r\nContent-Length: " + value
                    + b"\r\n\r\nhi")
        equal(status(said(ask(r))), 502, value)
        until(lambda: r.ended, "the service's connection ends", 3)


@rfc("6.3", "6: a body that ends early makes the message incomplete")
def short_request():
    r = room()
    got = said(ask(r, method=b"POST", body=b"hi", more=b"Content-Length: 9\r\n"))
    check(b" 200 " not in got, got)
    equal([m for m in r.seen if len(m[3]) == 9], [], "whole requests")


@rfc("6.3", "6: of a response: the visitor sees no whole one")
def short_response():
    r = room()
    r.answer = closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")
    check(said(ask(r)).endswith(b"\r\n\r\nhi<reset>"), "cut")


@rfc("6.3", "7: a request with neither has no body")
def no_body():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(ask(r, b"/1", method=b"POST") + ask(r, b"/2"))
        equal((reader.message()[2], reader.message()[2]), (b"/1", b"/2"))


@rfc("6.3", "8: a response with neither goes to the end")
def until_end():
    r = room()
    r.answer = closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    check(said(ask(r)).endswith(b"\r\n\r\nall of it"), "all of it")


@rfc("6.3", "bytes behind the last response are no response of their own")
def extra():
    r = room(own=True)
    r.answer = ok(b"good") + ok(b"evil")
    for _ in range(3):
        got = said(ask(r) + ask(r))
        equal((got.count(b"good"), got.count(b"evil")), (2, 0))


# --- 7: codings ---

@rfc("7.1", "large and odd sizes are read without overflow")
def sizes():
    r = room()
    for size in (b"8000000000000000", b"ffffffffffffffff",
                 b"10000000000000002", b"1" + b"0" * 40):
        equal(status(said(ask(r, method=b"POST", more=CH) + size
                          + b"\r\nhi\r\n0\r\n\r\n")), 400, size)
    got = passed(r, ask(r, method=b"POST", more=CH,
                        body=b"0000000000000002\r\nhi\r\n000\r\n\r\n"))
    equal(got[3], b"hi")


@rfc("7.1.1", "extensions that are not known are ignored")
def extensions():
    r = room()
    got = passed(r, ask(r, method=b"POST", more=CH,
                        body=b"2;x=y;z=\"a;b\"\r\nhi\r\n0;q\r\n\r\n"))
    equal(got[3], b"hi")


@rfc("7.1.2", "trailers are not merged into the head")
def trailers():
    r = room()
    passed(r, ask(r, method=b"POST", more=CH,
                  body=b"2\r\nhi\r\n0\r\nX-T: 1\r\nHost: evil.test\r\n\r\n"))
    equal((r.fields(b"x-t"), r.fields(b"host")), ([], [r.name]))
    r.answer = (b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n2\r\nhi\r\n0\r\nX-T: 1"
                b"\r\n\r\n")
    for more in (b"", b"TE: trailers\r\n"):
        head = said(ask(r, more=more)).split(b"\r\n\r\n")[0]
        check(b"X-T" not in head, head)


@rfc("7.4", "TE is sent with its option of Connection, and without chunked")
def te():
    r = room()
    passed(r, ask(r, more=b"TE: trailers, chunked, gzip\r\n"))
    equal((r.fields(b"te"), r.fields(b"connection")), ([b"trailers"], [b"TE"]))
    passed(r, ask(r, more=b"TE: gzip\r\n"))
    equal((r.fields(b"te"), r.fields(b"connection")), ([], []))


# --- 8: messages that are incomplete ---

@rfc("8", "chunks without the last one are no whole message")
def no_last_chunk():
    r = room()
    got = said(ask(r, method=b"POST", more=CH) + b"2\r\nhi\r\n")
    check(b" 200 " not in got, got)
    equal(r.seen, [], "whole requests")
    r.answer = closing(b"HTTP/1.1 200 OK\r\n" + CH + b"\r\n2\r\nhi\r\n")
    check(said(ask(r)).endswith(b"2\r\nhi\r\n<reset>"), "cut")


@rfc("8", "a head that ends early is no message")
def half_head():
    r = room()
    equal(said(ask(r)[:-2]), b"")
    equal(r.seen, [])
    r.answer = closing(b"HTTP/1.1 200 OK\r\nContent-Le")
    equal(status(said(ask(r))), 502)


# --- 9: connections ---

@rfc("9.2", "a response belongs to the request before it, in order")
def association():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(b"".join(ask(r, b"/%d" % i) for i in range(20)))
        equal([reader.message()[2] for _ in range(20)],
              [b"/%d" % i for i in range(20)])


@rfc("9.3", "a body is read to its end, or the connection ends")
def read_or_end():
    r = room()
    r.answer = early(closing(ok(b"no", status=b"413 No")))
    with visitor() as (conn, reader):
        conn.sendall(ask(r, method=b"POST", more=b"Content-Length: 99\r\n"))
        line, fields, _ = reader.message()
        equal(line, b"HTTP/1.1 413 No")
        check((b"connection", b"close") in fields, fields)
        # What follows is the rest of that body, and never a request.
        with contextlib.suppress(OSError):
            conn.sendall(ask(r, b"/hidden"))
        equal(ended(conn), b"")
    check(b"/hidden" not in r.paths, r.paths)


@rfc("9.3", "HTTP/1.0 is kept only if it asks")
def old_kept():
    r = room()
    equal(said(ask(r, version=b"1.0") * 2).count(b" 200 "), 1)
    keep = ask(r, version=b"1.0", more=b"Connection: keep-alive\r\n")
    equal(said(keep * 2).count(b" 200 "), 2)


@rfc("9.3.1", "what is not idempotent is not sent again")
def no_retry():
    for method in (b"POST", b"PATCH"):
        r = room(own=True)
        said(ask(r))
        r.answer = closing(b"")
        said(ask(r, b"/die", method=method))
        equal(r.paths.count(b"/die"), 1, method)


@rfc("9.3.2", "answers of pipelined requests keep their order, also of two "
     "services")
def pipelined():
    a, b = room(), room(own=True)
    a.answer = lambda conn, _, m: (time.sleep(0.05), conn.sendall(
        ok(b"a" + m[1].split(b" ")[1])))
    b.answer = lambda conn, _, m: conn.sendall(ok(b"b" + m[1].split(b" ")[1]))
    with visitor() as (conn, reader):
        conn.sendall(b"".join(ask((a, b)[i % 2], b"/%d" % i)
                              for i in range(10)))
        equal([reader.message()[2] for _ in range(10)],
              [b"%s/%d" % ((b"a", b"b")[i % 2], i) for i in range(10)])


@rfc("9.6", "after a request with close: its answer, then the end, and no "
     "other request")
def visitor_closes():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(ask(r, b"/1", more=b"Connection: close\r\n")
                     + ask(r, b"/2"))
        line, fields, body = reader.message()
        equal(body, b"/1")
        check((b"connection", b"close") in fields, fields)
        equal(ended(conn), b"")
    equal(r.paths, [b"/1"])


@rfc("9.6", "an answer of its own that says close is the last")
def we_close():
    r = room()
    got = said(ask(r, more=b"A : b\r\n") + ask(r, b"/2"))
    equal(got.count(b"HTTP/1.1 "), 1)
    check(b"\r\nConnection: close\r\n" in got, got)
    equal(r.seen, [])


@rfc("9.6", "no request is sent behind a response with close")
def service_closes():
    r = room(own=True)
    later = []

    def last(conn, reader, _):
        conn.sendall(ok(more=b"Connection: close\r\n"))
        conn.settimeout(20)
        later.append(reader.data + conn.recv(100))
        return False
    r.answer = last
    with visitor() as (conn, reader):
        for _ in range(3):
            conn.sendall(ask(r))
            equal(reader.message()[2], b"ok")
    until(lambda: len(later) == 3, "the ends")
    equal(later, [b""] * 3)


@rfc("9.6", "the end comes in stages: what is still sent does not reset it")
def lingers():
    r = room()
    with visitor() as (conn, reader):
        conn.sendall(ask(r, more=b"A : b\r\n"))
        stop = threading.Event()

        def go_on():
            with contextlib.suppress(OSError):
                for _ in range(50):
                    conn.sendall(b"x" * 1000)
                    if stop.wait(0.002):
                        return
        sender = threading.Thread(target=go_on)
        sender.start()
        time.sleep(0.1)
        equal(reader.message()[0][:12], b"HTTP/1.1 400")
        equal(ended(conn), b"")
        stop.set()
        sender.join()


main("RFC 9112", [f"rfc9112 {s}" for s in SECTIONS])

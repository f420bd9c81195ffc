"""What the loops are built on: io_uring, or epoll where that is refused."""
import re
import threading

from harness import (Client, Origin, Server, Skip, case, check, dial, echo,
                     equal, free_port, main, read_all)
from refuse import RING as RING_CALLS  # harness knows where it is

RING = ",".join(RING_CALLS)
AUTO, ON_RING, ON_EPOLL = ({"backend": b} for b in ("auto", "io_uring",
                                                    "epoll"))


def lines(program):
    """What the log says of the backend."""
    return re.findall(r'msg="((?:event backend|\w+ cannot be set up): [^"]*)',
                      program.log())


def needs_ring():
    """Skip the case where whoever runs the tests has no io_uring."""
    with Server(AUTO) as s:
        if "epoll" in lines(s)[0]:
            raise Skip(lines(s)[0])


def needs_refusal():
    """Skip the case where an emulator answers in place of a kernel."""
    with Server(AUTO) as s:
        if "Function not implemented" in lines(s)[0]:
            raise Skip(lines(s)[0])


def carries(server_options, client_options, conf, size=4 << 20):
    """Both programs carry bytes; what they say of their backend."""
    port = free_port()
    with Origin(echo) as o, Server(conf, **server_options) as s, Client(
            s, [{"name": "t", "type": "tcp", "localPort": o.port,
                 "remotePort": port}], conf, **client_options) as c:
        with dial(port) as v:
            for i in range(20):
                v.sendall(b"%5d" % i)
                equal(v.recv(5), b"%5d" % i, "echo")
        with dial(port) as v:
            sent = b"x" * size
            t = threading.Thread(target=lambda: (v.sendall(sent),
                                                 v.shutdown(1)))
            t.start()
            equal(len(read_all(v)), size, "bytes that come back")
            t.join()
        return lines(s), lines(c)


@case("without a refusal, auto is io_uring, and one line says so")
def _():
    needs_ring()
    for said in carries({}, {}, AUTO):
        equal(len(said), 1, "lines of the backend")
        equal(said[0], "event backend: io_uring", "line")


@case("epoll where it is asked for")
def _():
    for said in carries({}, {}, ON_EPOLL):
        equal(len(said), 1, "lines of the backend")
        check(said[0].startswith("event backend: epoll, as configured"),
              said[0])


@case("io_uring refused by EPERM, ENOSYS or ENOMEM: auto is epoll, and the line "
      "tells why, and what to do")
def _():
    needs_refusal()
    for error, why in (("EPERM", "Operation not permitted; a seccomp profile"),
                       ("ENOSYS", "Function not implemented; a seccomp"),
                       ("ENOMEM", "ulimit -l"), ("EINVAL", "Linux 6.1")):
        refuse = {"refuse": (error, RING)}
        for said in carries(refuse, refuse, AUTO, 100000):
            equal(len(said), 1, "lines of the backend")
            check(said[0].startswith("event backend: epoll, as io_uring "
                                     "cannot be set up: "), said[0])
            check(why in said[0], said[0])


@case("one end on io_uring, the other one on epoll")
def _():
    needs_ring()
    refuse = {"refuse": ("EPERM", RING)}
    server, client = carries(refuse, {}, AUTO)
    check("epoll" in server[0] and "epoll" not in client[0], (server, client))
    server, client = carries({}, refuse, AUTO)
    check("epoll" not in server[0] and "epoll" in client[0], (server, client))


@case("without epoll_pwait2, as before Linux 5.11")
def _():
    refuse = {"refuse": ("ENOSYS", "epoll_pwait2," + RING)}
    server, client = carries(refuse, refuse, AUTO)
    check("epoll" in server[0] and "epoll" in client[0], (server, client))


@case("backend: io_uring, refused: both end, and say what to do")
def _():
    needs_refusal()
    options = {"refuse": ("EPERM", RING), "start": False}
    s = Server(ON_RING, **options)
    c = Client(1, [{"name": "t", "type": "tcp", "localPort": 1,
                    "remotePort": 1}], ON_RING, **options)
    for program in (s, c):
        program.expect_exit = 1
        program.launch()
        equal(program.process.wait(20), 1, f"{program.name}'s exit code")
        said = [line for line in lines(program) if "cannot be set up" in line]
        equal(len(said), 1, "lines of the refusal")
        check("io_uring cannot be set up: Operation not permitted; " in said[0]
              and said[0].endswith("or set backend: epoll"), said[0])


main()

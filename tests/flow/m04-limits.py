"""A cgroup with little memory: the limits follow it, and it is not exceeded."""
import contextlib
import os
import re

from harness import (Client, Origin, Server, Skip, case, check, dial, echo,
                     equal, exactly, free_port, main)

LIMIT = 64 << 20


@contextlib.contextmanager
def group():
    """A cgroup of LIMIT bytes, of either version; Skip where none is ours."""
    with open("/proc/self/cgroup") as f:
        lines = [line.rstrip("\n").split(":", 2) for line in f]
    own = {words[1]: words[2] for words in lines}
    if "memory" in own:
        top, name = "/sys/fs/cgroup/memory" + own["memory"], \
            "memory.limit_in_bytes"
    else:
        top, name = "/sys/fs/cgroup" + own.get("", "/none"), "memory.max"
    path = os.path.join(top, f"adit-{os.getpid()}")
    try:
        os.mkdir(path)
    except OSError as e:
        raise Skip(f"no cgroup can be made: {e}") from None
    try:
        try:
            with open(os.path.join(path, name), "w") as f:
                f.write(str(LIMIT))
        except OSError as e:
            raise Skip(f"no limit can be set: {e}") from None
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(path)


def inside(program, path):
    """Started in the group, by a shell that enters it first."""
    program.argv = ["/bin/sh", "-c", f"echo $$ > {path}/cgroup.procs && "
                    'exec "$@"', "sh", *program.argv]
    return program


def killed(path):
    for name in ("memory.oom_control", "memory.events"):
        with contextlib.suppress(OSError), open(os.path.join(path, name)) as f:
            m = re.search(r"oom_kill (\d+)", f.read())
            if m:
                return int(m[1])
    return 0


@case("in 64 MiB: limits are lowered, and 500 visitors with slow ends live")
def _():
    remote = free_port()
    with group() as path:
        # Too much beside what is given.
        s = inside(Server({"limits": {"buffers": 8000}}, start=False), path)
        with s:
            s.start()
            s.wait_log("the limits may take .* memory is limited to 64 MiB")
        s = inside(Server({"workers": 2}, start=False), path)
        with s, Origin(echo) as origin:
            s.start()
            for key in ("limits.visitors", "limits.buffers",
                        "transport.pipeCount"):
                m = s.wait_log(rf"{re.escape(key)} = (\d+) instead of (\d+)")
                check(int(m[1]) < int(m[2]), m[0])
            with Client(s, [{"name": "t", "type": "tcp", "remotePort": remote,
                             "localIP": "127.0.0.1",
                             "localPort": origin.port}]):
                some = b"x" * 200000
                visitors = [dial(remote) for _ in range(500)]
                for v in visitors:
                    v.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        v.send(some)
                for v in visitors:
                    v.close()
                with dial(remote) as v:
                    v.sendall(b"still there")
                    equal(exactly(v, 11), b"still there")
                equal(killed(path), 0, "killed for memory")


main()

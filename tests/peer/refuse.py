"""Run a program under a seccomp filter that answers system calls with an
error, as container engines do: refuse.py ERRNO CALL,CALL PROGRAM ARGUMENT..."""
import ctypes
import errno
import os
import struct
import sys

# The same on every architecture, as they are younger than the common table; but
# for the last one.
CALLS = {"io_uring_setup": 425, "io_uring_enter": 426,
         "io_uring_register": 427, "epoll_pwait2": 441,
         "landlock_create_ruleset": 444, "landlock_add_rule": 445,
         "landlock_restrict_self": 446,
         "seccomp": 317 if os.uname().machine == "x86_64" else 277}
RING = [name for name in CALLS if name.startswith("io_uring")]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
MODE_FILTER = 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: ld [k], jeq, ret
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse(error, names):
    """This process, and whatever it becomes, may not make these calls."""
    code = [(LOAD, 0, 0, 0)]  # seccomp_data.nr
    for name in names:
        code += [(EQUAL, 0, 1, CALLS[name]), (RETURN, 0, 0, ERRNO | error)]
    code += [(RETURN, 0, 0, ALLOW)]
    text = b"".join(struct.pack("=HBBI", *line) for line in code)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(code), text)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 or
            libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program)) < 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    refuse(getattr(errno, sys.argv[1]), sys.argv[2].split(","))
    os.execv(sys.argv[3], sys.argv[3:])

"""Files of users, as an operator changes them while aditd runs."""
import json
import os

from harness import Server


def write_users(path, *records):
    """In place of the other file, as a program does."""
    with open(path + ".new", "w") as f:
        json.dump({"users": list(records)}, f)
    os.chmod(path + ".new", 0o600)
    os.rename(path + ".new", path)


def with_file(*records, **conf):
    """A server whose users are in a file; the file is its `users`."""
    s = Server({"usersFile": "users.yaml", **conf}, start=False)
    s.users = os.path.join(s.dir, "users.yaml")
    write_users(s.users, *records)
    return s.start()


def read_again(s, *records):
    """Others, and aditd has read them."""
    mark = s.mark()
    write_users(s.users, *records)
    s.wait_log("read again", since=mark)

"""What this kernel's Landlock and rlimits do not stop, each shown by doing it.

For 0004, 0005 and 0006, and for "what is not enforced" in the README. Needs no nono, only Python and
a kernel with Landlock ABI 4 or later: python3 kernel_facts.py

Each line is done by a child of its own that has Landlock handle all file and TCP rights and grants
nothing but what the line says. Nothing leaves this machine.
"""

import ctypes
import os
import resource
import socket
import struct
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PR_SET_NO_NEW_PRIVS = 38
CONNECT_TCP = 2
ALL_FILE_RIGHTS = (1 << 13) - 1  # of ABI 1
IPPROTO_MPTCP, MSG_FASTOPEN = 262, 0x20000000


def call(number, *arguments):
    result = LIBC.syscall(number, *map(ctypes.c_long, arguments[:-1]), ctypes.c_long(arguments[-1]))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def confine(port=None):
    """All file and TCP rights are handled; TCP connect to `port` is granted."""
    attributes = ctypes.create_string_buffer(struct.pack("QQ", ALL_FILE_RIGHTS, 3))
    ruleset = call(CREATE_RULESET, ctypes.addressof(attributes), 16, 0)
    if port is not None:
        rule = ctypes.create_string_buffer(struct.pack("QQ", CONNECT_TCP, port))
        call(ADD_RULE, ruleset, 2, ctypes.addressof(rule), 0)
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(RESTRICT_SELF, ruleset, 0)


def show(what, action):
    """Runs `action` in a child and says whether it succeeded."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except OSError as error:
            print(f"  refused ({error.strerror}): {what}", flush=True)
        else:
            print(f"  works: {what}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)


def listener(address):
    server = socket.create_server(address)
    return server, server.getsockname()[1]


def main():
    print(f"Linux {os.uname().release}, Landlock ABI {call(CREATE_RULESET, 0, 0, 1)}, uid {os.getuid()}")
    directory = tempfile.mkdtemp()
    path = f"{directory}/service.sock"
    service = socket.socket(socket.AF_UNIX)
    service.bind(path)
    service.listen()
    plain = f"{directory}/file"
    with open(plain, "w"):
        pass
    _here, port = listener(("127.0.0.1", 0))
    _elsewhere, _ = listener(("127.0.0.2", port))  # another address, the same port number
    _other, closed = listener(("127.0.0.1", 0))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))

    def send():
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", datagrams.getsockname())

    def connect(port, address="127.0.0.1", protocol=0):
        return lambda: socket.socket(proto=protocol).connect((address, port))

    def confined(action, granted=None):
        return lambda: (confine(granted), action())

    print("nothing granted:")
    show("read a file", confined(lambda: os.close(os.open(plain, os.O_RDONLY))))
    show("TCP connect", confined(connect(closed)))
    show("connect to a Unix socket by path", confined(lambda: socket.socket(socket.AF_UNIX).connect(path)))
    show("send a UDP datagram", confined(send))
    show("TCP connect over MPTCP", confined(connect(closed, protocol=IPPROTO_MPTCP)))
    show("TCP Fast Open", confined(lambda: socket.socket().sendto(b"x", MSG_FASTOPEN, ("127.0.0.1", closed))))
    show("listen without bind, on all addresses", confined(lambda: socket.socket().listen()))
    show("stat a file", confined(lambda: os.stat(plain)))
    show("chmod a file", confined(lambda: os.chmod(plain, 0o600)))
    show("utime a file", confined(lambda: os.utime(plain, (0, 0))))
    print(f"TCP connect to port {port} granted:")
    show("that port on 127.0.0.1", confined(connect(port), port))
    show("that port on 127.0.0.2", confined(connect(port, "127.0.0.2"), port))
    print("RLIMIT_NPROC 1:")

    def fork_at_limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        if os.fork() == 0:
            os._exit(0)

    show(f"fork as uid {os.getuid()}", fork_at_limit)
    if os.getuid() == 0:
        show("fork as uid 65534", lambda: (os.setuid(65534), fork_at_limit()))
    for name in (path, plain):
        os.unlink(name)
    os.rmdir(directory)


if __name__ == "__main__":
    main()

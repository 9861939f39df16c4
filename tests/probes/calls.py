"""System calls for the attacks that make their own: numbers, and how the arguments are laid out in memory."""

from __future__ import annotations

import _socket
import ctypes
import os
import struct
import sys

# Calls that the C library has no function for, or whose function does more than the call.
X86_64 = {
    "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66,
    "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "ptrace": 101, "syslog": 103,
    "personality": 135, "modify_ldt": 154, "chroot": 161, "acct": 163, "mount": 165, "umount2": 166,
    "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172, "init_module": 175,
    "quotactl": 179, "setxattr": 188, "mq_open": 240, "mq_unlink": 241, "mq_timedsend": 242,
    "mq_timedreceive": 243, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "ioprio_set": 251, "ioprio_get": 252, "inotify_init1": 294, "inotify_add_watch": 254,
    "unshare": 272, "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "fanotify_init": 300,
    "fanotify_mark": 301, "name_to_handle_at": 303, "open_by_handle_at": 304, "sendmmsg": 307,
    "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "sched_setattr": 314, "seccomp": 317, "memfd_create": 319, "bpf": 321, "execveat": 322,
    "userfaultfd": 323, "tgkill": 234, "rt_sigqueueinfo": 129, "clone": 56, "pivot_root": 155,
}  # fmt: skip
ARM64 = {
    "ioctl": 29, "shmget": 194, "shmat": 196, "shmctl": 195, "semget": 190, "semop": 193,
    "semctl": 191, "msgget": 186, "msgsnd": 189, "msgrcv": 188, "msgctl": 187, "ptrace": 117,
    "syslog": 116, "personality": 92, "chroot": 51, "acct": 89, "mount": 40, "umount2": 39,
    "swapon": 224, "reboot": 142, "sethostname": 161, "init_module": 105, "quotactl": 60,
    "setxattr": 5, "mq_open": 180, "mq_unlink": 181, "mq_timedsend": 182, "mq_timedreceive": 183,
    "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219, "ioprio_set": 30,
    "ioprio_get": 31, "inotify_init1": 26, "inotify_add_watch": 27, "unshare": 97,
    "rt_tgsigqueueinfo": 240, "perf_event_open": 241, "fanotify_init": 262, "fanotify_mark": 263,
    "name_to_handle_at": 264, "open_by_handle_at": 265, "sendmmsg": 269, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "sched_setattr": 274,
    "seccomp": 277, "memfd_create": 279, "bpf": 280, "execveat": 281, "userfaultfd": 282,
    "tgkill": 131, "rt_sigqueueinfo": 138, "clone": 220, "pivot_root": 41,
}  # fmt: skip
EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "fchmodat2": 452,
    "setxattrat": 463, "open_tree_attr": 467, "file_setattr": 469,
}  # fmt: skip
NUMBERS = {**(X86_64 if os.uname().machine == "x86_64" else ARM64), **EVERYWHERE}

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
CLONE_NEWNS = 0x20000
CLONE_NEWUSER = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(what: str | int, *arguments: object) -> int:
    """A system call by name or number; integers go in as they are, bytes and buffers by address."""
    number = NUMBERS[what] if isinstance(what, str) else what
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def unless_refused(what: str | int, *arguments: object) -> None:
    """For calls that must do nothing even where they are allowed: their arguments make them fail, but
    only after the kernel has checked who asks."""
    try:
        call(what, *arguments)
    except OSError as error:
        if error.errno in (1, 13, 38):  # EPERM, EACCES, ENOSYS
            raise


def own_mounts() -> None:
    """Mounts of our own, so that an attack that works harms nobody. Where that is refused the attack
    goes on without."""
    try:
        call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if os.geteuid() else 0))
        call("mount", 0, b"/", 0, 0x44000, 0)  # MS_REC | MS_PRIVATE
    except OSError as error:
        print(repr(error), file=sys.stderr)


def own_mount(place: str) -> None:
    """A mount to work on. In a sandbox the place may be a mount already."""
    own_mounts()
    try:
        call("mount", b"none", place.encode(), b"tmpfs", 0, 0)
    except OSError as error:
        print(repr(error), file=sys.stderr)


def sendmmsg(fd: int, data: bytes, address: bytes, flags: int = 0) -> None:
    """One message; `address` is a sockaddr."""
    buffer, name = ctypes.create_string_buffer(data), ctypes.create_string_buffer(address)
    vector = struct.pack("=QQ", ctypes.addressof(buffer), len(data))
    vectors = ctypes.create_string_buffer(vector, len(vector))
    header = struct.pack(
        "=QIxxxxQQQQIxxxxIxxxx",
        ctypes.addressof(name), len(address), ctypes.addressof(vectors), 1, 0, 0, 0, 0,
    )  # fmt: skip
    call("sendmmsg", fd, ctypes.create_string_buffer(header, len(header)), 1, flags)


def inet(port: int, host: str = "127.0.0.1") -> bytes:
    """struct sockaddr_in"""
    return struct.pack("=H", _socket.AF_INET) + struct.pack("!H", port) + _socket.inet_aton(host) + bytes(8)


def unix(name: str) -> bytes:
    """struct sockaddr_un; a name that begins with NUL is abstract and ends where it ends."""
    AF_UNIX = 1
    end = b"" if name.startswith("\0") else b"\0"
    return struct.pack("=H", AF_UNIX) + name.encode() + end


class LowMemory:
    """x86-64: memory that 32-bit system calls can address, and a way to make them."""

    # push rbx; the four arguments to eax, ebx, ecx, edx; int 0x80; pop rbx; ret
    CODE = bytes.fromhex("53" "89f8" "89f3" "4189c8" "89d1" "4489c2" "cd80" "5b" "c3")
    MAP_32BIT = 0x40

    def __init__(self) -> None:
        import mmap

        everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | self.MAP_32BIT
        self.page = mmap.mmap(-1, 4096, flags=flags, prot=everything)
        self.page.write(self.CODE)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.page))
        self.base, self.used = base, 64
        self.function = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint] * 4)(base)

    def put(self, data: bytes) -> int:
        """The address of a copy."""
        start = self.used
        self.page[start : start + len(data)] = data
        self.used += (len(data) + 15) & ~15
        return self.base + start

    def int80(self, number: int, *arguments: int) -> int:
        first, second, third = (*arguments, 0, 0, 0)[:3]
        result: int = self.function(number, first, second, third)
        if result < 0:
            raise OSError(-result, f"int 0x80 {number}: {os.strerror(-result)}")
        return result

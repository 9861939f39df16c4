"""What nearly every program reads of the system, and nothing that tells who the user is.

Not granted on purpose: /etc as a whole (passwd-like files), /etc/ssl/private and the like, /proc,
/tmp, /dev as a whole, any home. Nor /etc/nsswitch.conf: without it glibc looks names up in files and DNS,
which is what works here, while the modules that it may name would be loaded by every bash without
SHELL in its environment, only to be refused. Entries that do not exist are for the caller to leave out.
"""

import glob

_LINUX_DIRECTORIES = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/ld.so.conf.d",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    # What Debian's interpreters are configured with lies outside /usr.
    "/etc/java-*-openjdk/security",
    "/etc/python3*",
)
_DEVICES = ("/dev/full", "/dev/random", "/dev/urandom", "/dev/zero")
_LINUX_FILES = (
    "/etc/debian_version",  # pip asks which distribution this is, and does not run without an answer
    "/etc/gitconfig",  # git does not run where it is there and cannot be read
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/localtime",
    "/etc/lsb-release",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/tls/openssl.cnf",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/java-*-openjdk/*.cfg",
    "/etc/java-*-openjdk/*.properties",
    *_DEVICES,
)
_MAC_DIRECTORIES = ("/usr", "/bin", "/sbin", "/private/var/run", "/Library/Frameworks")
_MAC_FILES = ("/private/etc/ssl/cert.pem", "/private/etc/ssl/openssl.cnf", *_DEVICES)


def directories(system: str) -> list[str]:
    """Directories for reading and executing on `system`, a `platform.system()`."""
    return _expand(_MAC_DIRECTORIES if system == "Darwin" else _LINUX_DIRECTORIES)


def files(system: str) -> list[str]:
    """Single files and devices for reading on `system`, a `platform.system()`."""
    return _expand(_MAC_FILES if system == "Darwin" else _LINUX_FILES)


def _expand(patterns: tuple[str, ...]) -> list[str]:
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]

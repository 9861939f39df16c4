# A set-user-id program that takes effect runs in secure mode, where the loader shows nothing.
import os
import subprocess

from inside import run


def attack(target):
    environment = {"LD_SHOW_AUXV": "1"}
    done = subprocess.run(
        [target.program, "--version"], env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode != 0:
        raise OSError(os.EX_NOPERM, done.stderr.decode())
    return b"AT_SECURE" not in done.stdout


run(attack)

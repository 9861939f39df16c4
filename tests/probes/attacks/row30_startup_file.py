# A shell runs what BASH_ENV names: does the caller's setting arrive?
import subprocess

from inside import run, show


def attack(target):
    done = subprocess.run(["/bin/bash", "-c", "true"], capture_output=True)
    show(done.stdout)


run(attack)

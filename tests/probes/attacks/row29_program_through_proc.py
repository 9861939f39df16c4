# A helper outside has its own program open for reading: the same file, opened through it for writing.
from inside import run


def attack(target):
    with open(f"/proc/{target.pid}/fd/{target.fd}", "wb") as file:
        file.write(b"changed")


run(attack)

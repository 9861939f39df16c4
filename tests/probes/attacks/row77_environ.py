# CAP_PERFMON opens another's environ although Landlock refuses to trace it.
from inside import run, show


def attack(target):
    with open(f"/proc/{target.pid}/environ", "rb") as file:
        show(file.read())


run(attack)

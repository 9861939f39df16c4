from inside import run, show


def attack(target):
    with open(f"/proc/{target.pid}/fd/{target.fd}", "rb") as file:
        show(file.read())


run(attack)

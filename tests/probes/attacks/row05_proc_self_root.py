from inside import run, show


def attack(target):
    with open(f"/proc/self/root{target.secret}", "rb") as file:
        show(file.read())


run(attack)

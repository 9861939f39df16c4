from inside import run, show


def attack(target):
    with open(target.file, "rb") as file:
        show(file.read())


run(attack)

from inside import run


def attack(target):
    with open(target.meeting, "wb") as file:
        file.write(b"out")


run(attack)

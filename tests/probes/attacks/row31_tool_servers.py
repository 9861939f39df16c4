from inside import run


def attack(target):
    with open(f"{target.work}/.mcp.json", "w") as file:
        file.write("{}")


run(attack)

from inside import run


def attack(target):
    with open(f"/proc/{target.pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(target.address)
        memory.write(b"changed")


run(attack)

from inside import run, show


def attack(target):
    with open(f"/proc/{target.pid}/mem", "rb", buffering=0) as memory:
        memory.seek(target.address)
        show(memory.read(64))


run(attack)

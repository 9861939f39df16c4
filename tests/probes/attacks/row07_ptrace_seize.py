from inside import call, run

SEIZE = 0x4206


def attack(target):
    call("ptrace", SEIZE, target.pid, 0, 0)  # ends with us


run(attack)

"""What it costs to make a keeper for every command instead of keeping it.

For 0002-keepers-are-kept.md. A host with no_new_privs gets a fresh keeper each time (host_identity.h),
so two hosts are compared that differ in nothing else, in turns; and with them the same command as
`subprocess.run` starts it. Each turn is a process of its own: PYTHON keepers.py [ROUNDS]
"""

import ctypes
import statistics
import subprocess
import sys
import time

COMMAND = ["/bin/true"]
PR_SET_NO_NEW_PRIVS = 38


def times(how: str) -> list[float]:
    from nono_py import AccessMode, CapabilitySet, sandboxed_exec

    caps = CapabilitySet()
    for directory in ("/usr", "/lib", "/lib64"):
        caps.allow_path(directory, AccessMode.READ)
    caps.block_network()
    if how == "fresh":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    found = []
    for _ in range(210):
        start = time.perf_counter()
        if how == "subprocess":
            subprocess.run(COMMAND, capture_output=True, check=True)
        else:
            assert sandboxed_exec(caps, COMMAND).exit_code == 0
        found.append(time.perf_counter() - start)
    return found[10:]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    hosts = ("kept", "fresh", "subprocess")
    found: dict[str, list[float]] = {how: [] for how in hosts}
    for _ in range(rounds):
        for how in hosts:
            turn = [sys.executable, __file__, "turn", how]
            output = subprocess.run(turn, capture_output=True, text=True, check=True).stdout
            found[how] += map(float, output.split())
    for how in hosts:
        print(f"{how:12} median {statistics.median(found[how]) * 1e6:5.0f} us of {len(found[how])} commands")


if __name__ == "__main__":
    if sys.argv[1:2] == ["turn"]:
        print(*times(sys.argv[2]))
    else:
        main()

"""What the attacks share. It runs in the sandbox: the standard library only, and nothing else of ours. It is
started two thousand times, so it imports as little as it can: what only some attacks need is in calls.py, and attacks
import `_socket`, which has what they need of `socket` in a tenth of the time.

An attack is one function. It gets a target, shows what it could steal with `show`, and ends the process with 0 if it
thinks that it worked, with the errno that stopped it otherwise. Whether it worked is decided outside.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # what type checkers take for true
if TYPE_CHECKING:
    from collections.abc import Callable

STARTED = b"started\n"  # precedes everything an attack shows: a sandbox that never starts stops nothing
NO_ERRNO = 255  # stopped, and no errno says by what
BROKEN = 254  # the attack itself is wrong


class Target:
    """What the outside has prepared, as attributes."""

    def __init__(self, **prepared: object) -> None:
        self.__dict__.update(prepared)


def show(stolen: bytes | str) -> None:
    os.write(1, stolen.encode() if isinstance(stolen, str) else stolen)


def run(attack: Callable[[Target], object]) -> None:
    """What every attack ends with: it does not return. An attack that returns False has failed without an errno."""
    os.write(1, STARTED)
    try:
        status = NO_ERRNO if attack(Target(**eval(sys.argv[1]))) is False else 0
    except OSError as error:
        print(repr(error), file=sys.stderr)
        status = error.errno or NO_ERRNO
    except Exception:
        import traceback

        traceback.print_exc()
        status = BROKEN
    sys.stderr.flush()
    os._exit(status)


def in_child(attack: Callable[[], object]) -> None:
    """For what would change the attacking process too much. Raises what the child raised."""
    pid = os.fork()
    if pid == 0:
        try:
            attack()
        except OSError as error:
            os._exit(error.errno or NO_ERRNO)
        os._exit(0)
    end(pid)


def end(pid: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise OSError(abs(status), "in a child process")


class Meanwhile:
    """A process that takes one step over and over, while another thing is tried: `with Meanwhile(step):`"""

    def __init__(self, step: Callable[[], object]) -> None:
        self.pid = os.fork()
        while self.pid == 0:
            step()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        os.kill(self.pid, 9)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status != -9:
            raise RuntimeError(f"the other process has ended by itself: {status}")

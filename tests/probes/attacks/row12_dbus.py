# As systemd-run --user does: the address of the session bus, and a greeting.
import _socket as socket
import os

from inside import run


def attack(target):
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", f"unix:path={target.name}")
    bus = socket.socket(socket.AF_UNIX)
    bus.connect(address.removeprefix("unix:path="))
    bus.sendall(b"\0AUTH EXTERNAL 30\r\n")


run(attack)

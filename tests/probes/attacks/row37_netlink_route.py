# The names of all network interfaces.
import _socket as socket
import struct

from inside import run, show

RTM_GETLINK, NLM_F_REQUEST_DUMP = 18, 0x301


def attack(target):
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    request = struct.pack("=IHHII", 32, RTM_GETLINK, NLM_F_REQUEST_DUMP, 1, 0) + bytes(16)
    link.send(request)
    show(link.recv(65536))


run(attack)

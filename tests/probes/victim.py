"""A process that attacks aim at. argv[1]: a file with a secret, which it also keeps in memory.

It says where the two are: an address and a descriptor. Then it answers every line it reads with the content of its
memory.
"""

import ctypes
import os
import sys

fd = os.open(sys.argv[1], os.O_RDONLY)
secret = os.read(fd, 100)
memory = ctypes.create_string_buffer(secret, 64)
PR_SET_PTRACER = 0x59616D61
ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)  # Yama, if there, shall not help
print(ctypes.addressof(memory), fd, flush=True)
for _ in sys.stdin:
    print(memory.raw.hex(), flush=True)

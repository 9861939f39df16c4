import struct

from calls import call
from inside import run

PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK = 1, 0
EXCLUDE_KERNEL_AND_HYPERVISOR = 0x60


def attack(target):
    size = 112
    attributes = struct.pack("=IIQQQQQ", PERF_TYPE_SOFTWARE, size, PERF_COUNT_SW_CPU_CLOCK, 0, 0, 0,
                             EXCLUDE_KERNEL_AND_HYPERVISOR)  # fmt: skip
    call("perf_event_open", attributes.ljust(size, b"\0"), 0, -1, -1, 0)


run(attack)

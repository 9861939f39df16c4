import fcntl
import os

from inside import run

KVM_GET_API_VERSION = 0xAE00


def attack(target):
    fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), KVM_GET_API_VERSION)


run(attack)

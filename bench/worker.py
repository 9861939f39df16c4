"""One side of a comparison: a process of known size that runs one kind of command in blocks.

    worker.py CONTENDER COMMAND [ARGUMENT...]

Reads JSON, a line each, from its input: {"fill": BYTES} makes the process that large, {"run": N}
runs the command N times. Answers with {"resident": BYTES} and with {"nanoseconds": [...]}.
Runs under whatever interpreter the contender is installed in, so nothing is imported but that.
"""

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

DIRECTORIES = ("/usr", "/bin", "/lib", "/lib64")


def in_subprocess(command):
    return lambda: subprocess.run(command, capture_output=True).returncode


def in_sandbox(command, **options):
    """Read access to the system, one directory to write to, no network."""
    from nono_py import AccessMode, CapabilitySet, sandboxed_exec

    caps = CapabilitySet()
    for path in DIRECTORIES:
        if os.path.isdir(path):
            caps.allow_path(path, AccessMode.READ)
    caps.allow_file("/etc/ld.so.cache", AccessMode.READ)
    caps.allow_path(os.getcwd(), AccessMode.READ_WRITE)
    caps.block_network()
    environment = list(os.environ.items())
    return lambda: sandboxed_exec(caps, command, env=environment, **options).exit_code


def in_langchain(command):
    from langchain_nono import NonoSandbox

    sandbox = NonoSandbox(working_dir=os.getcwd())
    [text] = command
    return lambda: sandbox.execute(text).exit_code


CONTENDERS = {
    "subprocess": in_subprocess,
    "process": lambda command: in_sandbox(command, isolation="process"),
    "namespaces": lambda command: in_sandbox(command, isolation="namespaces"),
    "strict": lambda command: in_sandbox(command, isolation="strict"),
    "peer": in_sandbox,
    "langchain": in_langchain,
}


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def measure(run, times):
    gc.collect()
    clock = time.perf_counter_ns
    taken = []
    for _ in range(times):
        start = clock()
        code = run()
        taken.append(clock() - start)
        if code != 0:
            raise SystemExit(f"exit code {code} instead of 0")
    return taken


def main():
    contender, *command = sys.argv[1:]
    memory = []
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        run = CONTENDERS[contender](command)
        for line in sys.stdin:
            request = json.loads(line)
            if "fill" in request:
                missing = request["fill"] - resident()
                if missing > 0:
                    memory.append(bytearray(missing))
                    memory[-1][::4096] = b"x" * len(range(0, missing, 4096))
                answer = {"resident": resident()}
            else:
                answer = {"nanoseconds": measure(run, request["run"])}
            print(json.dumps(answer), flush=True)
        os.chdir("/")


main()

"""How soon output comes, and memory while much is written; to be run by bench/stream. Rows: README.md."""

import argparse
import asyncio
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import nono_py
from langchain_nono import NonoSandbox

MIB = 1024 * 1024
GIB = 1024 * MIB
PYTHON = "/usr/bin/python3"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}
# Writes what time it is, again and again.
STAMPS = """
import os, time
while True:
    os.write(1, b"%d\\n" % time.monotonic_ns())
    time.sleep(0.002)
"""
CLOCK = [PYTHON, "-I", "-S", "-c", STAMPS]
GIGABYTE = f"head -c {GIB} /dev/zero"


def arguments(command):
    caps = nono_py.CapabilitySet()
    for path in ("/usr", "/bin", "/lib", "/lib64"):
        if os.path.isdir(path):
            caps.allow_path(path, nono_py.AccessMode.READ)
    for path in ("/etc/ld.so.cache", "/dev/zero"):
        caps.allow_file(path, nono_py.AccessMode.READ)
    caps.block_network()
    return {"caps": caps, "command": command, "cwd": "/", "env": list(ENVIRONMENT.items())}


# --- delays ----------------------------------------------------------------------------------------
# Each takes so many pieces of the output of one command, and says how old each was when it came (the oldest,
# of what came together).


def age(data):
    return time.monotonic_ns() - int(data.split(maxsplit=1)[0])


def by_popen(count):
    with subprocess.Popen(CLOCK, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        ages = [age(os.read(process.stdout.fileno(), 65536)) for _ in range(count)]
        process.kill()
    return ages


def by_stream(count):
    with nono_py.sandboxed_stream(**arguments(CLOCK)) as stream:
        return [age(next(stream)[1]) for _ in range(count)]


def by_async_stream(count):
    async def listen():
        options = arguments(CLOCK)
        async with nono_py.sandboxed_stream_async(**options) as stream:
            return [age((await anext(stream))[1]) for _ in range(count)]

    return asyncio.run(listen())


SANDBOX = NonoSandbox(working_dir=str(pathlib.Path(__file__).parent), inherit_toolchains=False)
CLOCK_IN_BASH = f"exec {PYTHON} -I -S -c '{STAMPS}'"


def by_sandbox(count):
    with SANDBOX.stream(CLOCK_IN_BASH) as stream:
        return [age(next(stream).text) for _ in range(count)]


def by_async_sandbox(count):
    async def listen():
        async with SANDBOX.astream(CLOCK_IN_BASH) as stream:
            return [age((await anext(stream)).text) for _ in range(count)]

    return asyncio.run(listen())


LISTENERS = {
    "subprocess.Popen": by_popen,
    "sandboxed_stream": by_stream,
    "sandboxed_stream_async": by_async_stream,
    "NonoSandbox.stream": by_sandbox,
    "NonoSandbox.astream": by_async_sandbox,
}


def delays(turns, count):
    """They take turns; milliseconds."""
    ages = {name: [] for name in LISTENERS}
    for turn in range(turns + 1):
        for name, listen in LISTENERS.items():
            taken = listen(count)
            if turn > 0:  # the first one is for warming up
                ages[name] += taken
    return {name: summary([each / 1e6 for each in taken]) for name, taken in ages.items()}


def summary(values):
    values.sort()
    return {
        "median": statistics.median(values),
        "p99": values[int(len(values) * 0.99)],
        "most": values[-1],
        "samples": len(values),
    }


# --- memory ----------------------------------------------------------------------------------------
# Each in a process of its own, which says how many bytes came and in what time.


def poll_job():
    job = nono_py.sandboxed_job(**arguments(["/bin/sh", "-c", GIGABYTE]))
    while job.running:
        job.poll()
        time.sleep(0.01)
    return job.poll().position


def leave_job():
    job = nono_py.sandboxed_job(**arguments(["/bin/sh", "-c", GIGABYTE]))
    job.wait()
    return job.poll().position


def listen_to_stream():
    return sum(len(data) for _, data in nono_py.sandboxed_stream(**arguments(["/bin/sh", "-c", GIGABYTE])))


def read_from_popen():
    with subprocess.Popen(["/bin/sh", "-c", GIGABYTE], stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        return sum(len(data) for data in iter(lambda: os.read(process.stdout.fileno(), 65536), b""))


WRITERS = {
    "subprocess.Popen, os.read": read_from_popen,
    "sandboxed_stream": listen_to_stream,
    "sandboxed_job, polled": poll_job,
    "sandboxed_job, left alone": leave_job,
}


def memory(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"stream: /proc/self/status has no {field}")


def measure_memory(name):
    nono_py.sandboxed_job(**arguments(["/bin/true"])).wait()  # what every process needs once
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    before, start = memory("VmRSS"), time.monotonic()
    size = WRITERS[name]()
    if size != GIB:
        raise SystemExit(f"stream: {name}: {size} bytes instead of {GIB}")
    print(json.dumps({"grown": memory("VmHWM") - before, "seconds": time.monotonic() - start}))


def in_new_process(name):
    words = [sys.executable, __file__, "--memory", name]
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)


# ---------------------------------------------------------------------------------------------------


def show_delays(title, results):
    print(f"\n{title:<28} {'samples':>8} {'median ms':>10} {'p99 ms':>8} {'most ms':>8}")
    for name, row in results.items():
        print(
            f"{name:<28} {row['samples']:>8} {row['median']:>10.3f} {row['p99']:>8.3f} {row['most']:>8.3f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(
        prog="bench/stream", description="How soon output comes, and what it costs."
    )
    parser.add_argument("--quick", action="store_true", help="fewer runs: a look, not a result")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--memory", choices=WRITERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return measure_memory(options.memory)

    machine = {
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "user": "root" if os.geteuid() == 0 else "ordinary user",
        "python": platform.python_version(),
        "nono": nono_py.__version__,
    }
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    first = delays(20 if options.quick else 300, 1)
    show_delays("first piece of a command", first)
    later = delays(2 if options.quick else 10, 100)
    show_delays("each of 100 pieces", later)
    print(f"\n{'1 GB':<28} {'grown MB':>8} {'seconds':>10}")
    written = {}
    for name in WRITERS:
        written[name] = row = in_new_process(name)
        print(f"{name:<28} {row['grown'] / MIB:>8.1f} {row['seconds']:>10.2f}", flush=True)
    if options.json:
        numbers = {"machine": machine, "first": first, "later": later, "gigabyte": written}
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")
    return 0


sys.exit(main())

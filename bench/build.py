"""Compares a build inside with the same build outside; to be run by bench/build. README.md."""

import argparse
import ctypes
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from nono_py import AccessMode, CapabilitySet, sandboxed_exec

MAKE = ["make", "-s", "-j2", "a"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}

def sandbox(directory):
    caps = CapabilitySet()
    for path in ("/usr", "/bin", "/lib", "/lib64", "/etc/alternatives"):
        if os.path.isdir(path):
            caps.allow_path(path, AccessMode.READ)
    caps.allow_file("/etc/ld.so.cache", AccessMode.READ)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.allow_path(directory, AccessMode.READ_WRITE)
    caps.block_network()
    return caps


def runners(directory):
    caps = sandbox(directory)
    environment = list({**ENVIRONMENT, "TMPDIR": str(directory)}.items())

    def outside(command):
        done = subprocess.run(command, cwd=directory, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    protected = sandbox(directory)
    protected.protect()
    denied = sandbox(directory)
    denied.deny_path("**/.env")

    def inside(isolation, caps=caps):
        def run(command):
            done = sandboxed_exec(caps, command, cwd=str(directory), env=environment, isolation=isolation)
            return done.exit_code, done.stdout, done.stderr

        return run

    return {
        "outside": outside,
        "process": inside("process"),
        "namespaces": inside("namespaces"),
        "process, protected": inside("process", protected),  # what changes a name is supervised
        "process, **/.env denied": inside("process", denied),  # and every open
    }


def timed(run, command):
    start = time.perf_counter()
    code, output, error = run(command)
    taken = time.perf_counter() - start
    if code != 0:
        sys.exit(f"build: {command} ended with {code}:\n{error.decode(errors='replace')}")
    return taken, output


def main():
    parser = argparse.ArgumentParser(prog="bench/build", description="What a build costs inside.")
    parser.add_argument("--pairs", type=int, default=9, help="builds of each kind, in turns (default 9)")
    parser.add_argument("--calls", action="store_true", help="single calls only")
    parser.add_argument("--sources", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    abi = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
    print(f"{os.cpu_count()} processors, Linux {platform.release()}, Landlock ABI {abi}, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary) / "lua"
        shutil.copytree(arguments.sources, directory)
        kinds = runners(directory)
        if not arguments.calls:
            compare_builds(kinds, arguments.pairs)
        compare_calls(directory, kinds)


def compare_builds(kinds, pairs):
    taken = {name: [] for name in kinds}
    for turn in range(pairs + 1):
        for name, run in kinds.items():
            timed(run, ["make", "-s", "clean"])
            seconds, _ = timed(run, MAKE)
            if turn > 0:  # the first one warms up
                taken[name].append(seconds)
    print(f"{'make -j2, Lua 5.4':<24} {'median s':>9} {'ratio':>7}   quartiles of the ratios, turn by turn")
    for name, seconds in taken.items():
        ratios = [a / b for a, b in zip(seconds, taken["outside"], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        median = statistics.median(seconds)
        ratio = median / statistics.median(taken["outside"])
        print(f"{name:<24} {median:9.3f} {ratio:7.3f}   {low:.3f} to {high:.3f}")


def compare_calls(directory, kinds):
    """Each call by itself. In turns: the machine's mood changes within seconds."""
    program = directory / "calls"
    source = pathlib.Path(__file__).with_name("calls.c")
    subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    (directory / "file").touch()
    floors, taken = [], {name: [] for name in kinds}
    for _ in range(5):
        floors.append(numbers(kinds["outside"], [program, "floor"]))
        for name, run in kinds.items():
            taken[name].append(numbers(run, [program]))
    where = "" if len(os.sched_getaffinity(0)) > 1 else ", all on one processor"
    print(f"\n{'one call, us':<24} {'chmod':>9} {'open, /..':>9} {'open':>9} {'to write':>9}   medians of {len(floors)}{where}")
    for name, rounds in taken.items():
        print(f"{name:<24} " + " ".join(f"{us:9.2f}" for us in medians(rounds)))
    number, go_on, descriptor, opened = medians(floors)
    print(f"one thread that answers at once: a number {number:.2f}, go on {go_on:.2f}, ", end="")
    print(f"a descriptor that is ready {descriptor:.2f}, one that is opened {opened:.2f}")
    for column, kind in ((1, "absolute"), (2, "relative")):
        denied = taken["process, **/.env denied"]
        to_ready, to_opened = (
            statistics.median(round_[column] / floor[which] for round_, floor in zip(denied, floors, strict=True)) for which in (2, 3)
        )
        print(f"an open for reading, {kind} path, next to the last two of these: {to_ready:.2f} and {to_opened:.2f}")


def numbers(run, command):
    _, output = timed(run, [str(word) for word in command])
    return [float(us) for us in output.split()]


def medians(rounds):
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


main()

"""Compares ways to start a command; to be run by bench/spawn. Method and rows: README.md."""

import argparse
import ctypes
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1024 * 1024
TRUE = ["/bin/true"]
BASH = ["/bin/bash", "-c", "true"]
# Of the workers, and of every command: subprocess.run hands it on, sandboxed_exec is told to.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}

# Everything read-only, one directory to write to, processes and mounts of its own. bwrap leaves the
# network alone here; with --unshare-net it would take longer.
BWRAP = ["bwrap", "--ro-bind", "/", "/", "--bind", "/tmp", "/tmp", "--dev", "/dev", "--proc", "/proc"]
BWRAP += ["--unshare-pid", "--new-session", "--die-with-parent", "--"]
NONO = [shutil.which("nono", path=str(pathlib.Path(sys.executable).parent)) or "nono", "run", "--block-net"]
NONO += ["--allow", "/tmp", "--cwd", "/tmp"]


class Side:
    """A worker process: see worker.py."""

    def __init__(self, kind):
        words = [kind.python, str(HERE / "worker.py"), kind.contender, *kind.command]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"spawn: the worker {self.process.args[2:]} has failed, see above")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Kind(NamedTuple):
    """A way to start a command, in a process of this size."""

    name: str
    python: str
    contender: str  # see worker.py
    command: list[str]
    megabytes: int = 50


class Row(NamedTuple):
    """Two kinds in alternating blocks; `runs` are the contender's and the reference's in each block."""

    title: str
    contender: Kind
    reference: Kind
    blocks: int
    runs: tuple[int, int]

    def measure(self):
        kinds = (self.contender, self.reference)
        with Side(self.contender) as contender, Side(self.reference) as reference:
            sides = (contender, reference)
            # Where the imports alone are larger than that, the other one is to be as large.
            smallest = max(side.ask(fill=0)["resident"] for side in sides)
            for side, kind, runs in zip(sides, kinds, self.runs, strict=True):
                size = side.ask(fill=max(kind.megabytes * MIB, smallest))["resident"]
                if kind is self.contender:
                    resident = size
                side.ask(run=min(10, runs))
            taken = ([], [])
            for _ in range(self.blocks):
                for side, runs, blocks in zip(sides, self.runs, taken, strict=True):
                    blocks.append(side.ask(run=runs)["nanoseconds"])
        return self.report(resident, *taken)

    def report(self, size, contender, reference):
        def milliseconds(blocks):
            each = sorted(time / 1e6 for block in blocks for time in block)
            return {
                "median": statistics.median(each),
                "p95": each[int(len(each) * 0.95)],
                "block_medians": [statistics.median(block) / 1e6 for block in blocks],
            }

        ours, theirs = milliseconds(contender), milliseconds(reference)
        pairs = zip(ours["block_medians"], theirs["block_medians"], strict=True)
        low, _, high = statistics.quantiles((a / b for a, b in pairs), n=4)
        return {
            "title": self.title,
            "resident_megabytes": size // MIB,
            "contender": {"name": self.contender.name, **ours},
            "reference": {"name": self.reference.name, **theirs},
            "ratio": ours["median"] / theirs["median"],
            "ratio_quartiles": [low, high],
            "runs": [self.blocks * runs for runs in self.runs],
        }


def rows(peer, quick):
    python = sys.executable
    # Short ones: a machine's speed changes, and both sides of a pair are to see the same.
    blocks = 8 if quick else 40
    many = 10
    few = many // 2

    for megabytes in (50, 1024) if quick else (50, 1024, 4096):
        for title, command in (("/bin/true", TRUE), ("bash -c true", BASH)):
            if quick and megabytes > 50 and command is BASH:
                continue
            reference = Kind("subprocess.run", python, "subprocess", command, megabytes)
            # It copies its page tables: 130 ms at 4 GB.
            slow = {50: many, 1024: many // 5, 4096: many // 10}[megabytes]
            contenders = [
                (Kind("nono, process", python, "process", command, megabytes), many),
                (Kind("nono, namespaces", python, "namespaces", command, megabytes), many),
                (Kind("nono, strict", python, "strict", command, megabytes), many),
                (Kind("nono-py (Rust)", peer, "peer", command, megabytes), slow),
                (Kind("bwrap", python, "subprocess", [*BWRAP, *command], megabytes), few),
            ]
            if command is BASH:
                sandbox = Kind("NonoSandbox.execute", python, "langchain", ["true"], megabytes)
                contenders.append((sandbox, many))
            for contender, runs in contenders:
                yield Row(title, contender, reference, blocks, (runs, many))

    large = 1024 if quick else 4096
    for how in ("process", "namespaces"):
        small = Kind("itself at 50 MB", python, how, TRUE)
        yield Row(
            "/bin/true", small._replace(name=f"nono, {how}", megabytes=large), small, blocks, (many, many)
        )

    bwrap = Kind("bwrap", python, "subprocess", [*BWRAP, *TRUE])
    for how in ("process", "namespaces"):
        nono = Kind(f"nono run, {how}", python, "subprocess", [*NONO, "--isolation", how, "--", *TRUE])
        yield Row("whole process", nono, bwrap, blocks, (few, few))


def available_megabytes():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def machine(peer):
    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]

    def version(python, package):
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        return first_line(python, "-c", code)

    libc = ctypes.CDLL(None, use_errno=True)
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processors": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "landlock_abi": libc.syscall(444, None, ctypes.c_size_t(0), 1),
        "memory_available_megabytes": available_megabytes(),
        "load": os.getloadavg()[0],
        "user": "root" if os.geteuid() == 0 else "ordinary user",
        "python": platform.python_version(),
        "nono": version(sys.executable, "nono-py"),
        "peer": version(peer, "nono-py"),
        "bwrap": first_line("bwrap", "--version").split()[-1],
    }


COLUMNS = "{:<14} {:>6}  {:<22} {:>8} {:>8}   {:<15} {:>8} {:>8}  {:>6}  {}"


def show(result):
    def numbers(side):
        return f"{side['median']:.2f}", f"{side['p95']:.2f}"

    contender, reference = result["contender"], result["reference"]
    low, high = result["ratio_quartiles"]
    print(
        COLUMNS.format(
            result["title"],
            result["resident_megabytes"],
            contender["name"],
            *numbers(contender),
            reference["name"],
            *numbers(reference),
            f"{result['ratio']:.2f}",
            f"{low:.2f} to {high:.2f}",
        ),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(prog="bench/spawn", description="What it costs to start a command.")
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes: a look, not a result")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all medians there")
    parser.add_argument("--peer", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    facts = machine(arguments.peer)
    print(
        "{processors} x {processor}, Linux {kernel}, Landlock ABI {landlock_abi}, load {load:.1f}\n"
        "As {user}, Python {python}, nono {nono}, nono-py (Rust) {peer}, bwrap {bwrap}\n".format(**facts)
    )
    print(
        COLUMNS.format(
            "command", "MB", "milliseconds", "median", "p95", "next to", "median", "p95", "ratio", "quartiles"
        )
    )
    results, skipped = [], []
    for row in rows(arguments.peer, arguments.quick):
        sizes = row.contender.megabytes, row.reference.megabytes
        if available_megabytes() < sum(sizes) + 1024:
            skipped.append(
                f"not enough free memory for {row.contender.name} of {row.title} at {max(sizes)} MB"
            )
            continue
        results.append(row.measure())
        show(results[-1])
    for line in skipped:
        print(line)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"machine": facts, "results": results, "skipped": skipped}, indent=1) + "\n"
        )


main()

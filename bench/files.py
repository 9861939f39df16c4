"""Compares file tools; to be run by bench/files. Method and rows: README.md."""

import argparse
import asyncio
import contextlib
import gc
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import files_made as made
from deepagents.backends.sandbox import BaseSandbox

from langchain_nono import NonoSandbox

OWN = {"execute", "aexecute", "upload_files", "download_files", "aupload_files", "adownload_files", "id"}
# The methods of BaseSandbox itself, over NonoSandbox's execute and transfers.
STOCK = {
    name: method
    for name, method in vars(BaseSandbox).items()
    if callable(method) and not name.startswith("_") and name not in OWN
}
Stock = type("Stock", (NonoSandbox,), STOCK)

# What rg leaves out by default is searched by grep; what grep leaves out is left out of rg.
RG = ["rg", "--no-config", "--no-ignore", "--hidden", "--glob", "!.git/", "--color", "never"]
RG += ["--no-heading", "--with-filename", "--line-number", "--null", "--fixed-strings"]
FD = ["fdfind", "--no-ignore", "--type", "f", "--color", "never", "--absolute-path"]


class Side:
    """One way to do something: `run` does it once and returns how many results there were.

    `prepare` gives it its arguments; the clock does not run meanwhile.
    """

    def __init__(self, name, run, prepare=tuple):
        self.name = name
        self.run = run
        self.prepare = prepare
        self.seconds = []
        self.count = None

    def once(self):
        arguments = self.prepare()
        start = time.perf_counter()
        self.count = self.run(*arguments)
        self.seconds.append(time.perf_counter() - start)


class AsyncSide(Side):
    """`run` is a coroutine function, called in a loop that has done the same before."""

    def once(self):
        asyncio.run(self.timed())

    async def timed(self):
        for _ in range(2):
            arguments = self.prepare()
            start = time.perf_counter()
            self.count = await self.run(*arguments)
            taken = time.perf_counter() - start
        self.seconds.append(taken)


def measure(title, contender, reference, rounds, of_each=1):
    """Both in turns: the contender `of_each` times, the reference once, `rounds` times after a warm-up."""
    for side in (contender, reference):
        side.once()
        side.once()
        side.seconds.clear()
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for _ in range(of_each):
            contender.once()
        reference.once()
    gc.enable()
    result = {"title": title, "counts": [contender.count, reference.count]}
    for role, side in (("contender", contender), ("reference", reference)):
        result[role] = {
            "name": side.name,
            "median": statistics.median(side.seconds),
            "min": min(side.seconds),
            "max": max(side.seconds),
            "runs": len(side.seconds),
        }
    result["ratio"] = result["contender"]["median"] / result["reference"]["median"]
    show(result)
    return result


class Small:
    """One call of each tool in a directory of 50 files; what `write` and `edit` change goes to and fro."""

    def __init__(self, sandbox, root):
        self.sandbox = sandbox
        self.root = str(root)
        self.turn = 0
        self.content = "x" * 2047 + "\n"
        (root / "edited.txt").write_text("old\n" + "line\n" * 400)
        (root / "written.txt").write_text("old")
        self.fresh = root.with_name("new")
        self.fresh.mkdir(exist_ok=True)

    def arguments(self, tool):
        self.turn += 1
        if tool == "write":
            return f"{self.fresh}/{id(self)}-{self.turn}.txt", self.content
        if tool == "write over":
            return f"{self.root}/written.txt", self.content
        if tool == "edit":
            text = (pathlib.Path(self.root) / "edited.txt").read_text()[:3]
            return f"{self.root}/edited.txt", text, {"old": "new", "new": "old"}[text]
        return {
            "ls": (self.root,),
            "read": (f"{self.root}/thousand.py", 450, 100),
            "grep": (made.RARE, self.root),
            "glob": ("*.txt", self.root),
        }[tool]

    def side(self, name, tool):
        method = getattr(self.sandbox, tool.split()[0])
        return Side(name, lambda *arguments: count(method(*arguments)), lambda: self.arguments(tool))

    def async_side(self, name, tool):
        method = getattr(self.sandbox, f"a{tool.split()[0]}")

        async def run(*arguments):
            return count(await method(*arguments))

        return AsyncSide(name, run, lambda: self.arguments(tool))


def count(result):
    """How much a result says: entries, matches, or one. What fails fast is no measurement."""
    if result.error:
        raise SystemExit(f"files: {result.error}")
    for field in ("entries", "matches"):
        if getattr(result, field, None) is not None:
            return len(getattr(result, field))
    return 1


def small(root, quick):
    fifty = root / "fifty"
    fifty.mkdir()
    made.small(fifty)
    rounds = 5 if quick else 30
    with NonoSandbox(working_dir=str(root)) as ours, Stock(working_dir=str(root)) as stock:
        titles = {
            "ls": "ls, 50 files",
            "read": "read, 100 of 1000 lines",
            "grep": "grep, 50 files",
            "glob": "glob, 50 files",
            "edit": "edit, 2 KB",
            # Before deepagents 0.7 write makes new files only.
            **({"write over": "write, 2 KB, over a file"} if hasattr(BaseSandbox, "delete") else {}),
            "write": "write, 2 KB, a new file",
        }
        mine, theirs = Small(ours, fifty), Small(stock, fifty)
        for tool, title in titles.items():
            yield measure(title, mine.side(tool, tool), theirs.side("stock", tool), rounds, of_each=20)
        for tool, title in titles.items():
            twin = mine.async_side("a" + tool, tool)
            yield measure(title, twin, theirs.async_side("stock", tool), rounds, of_each=20)


def peer(command, separator):
    """Runs a program with its output captured; how many records it wrote."""

    def run():
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.count(separator)

    return run


def against_rg(sandbox, root, rounds, searches):
    for title, pattern, glob in searches:
        command = [*RG, *(["--glob", glob] if glob else []), "--regexp", pattern, "--", str(root)]

        def run(pattern=pattern, glob=glob):
            return count(sandbox.grep(pattern, str(root), glob))

        yield measure(title, Side("grep", run), Side("rg", peer(command, b"\0")), rounds)


def against_fd(sandbox, root, rounds, names="*"):
    """`names`: that of the files without its suffix. Not more than 10,000, which is where glob ends."""
    searches = {
        # A bare pattern is one for any depth, also below hidden directories; `**` does not enter those.
        f"{names}.py": [*FD, "--hidden", "--glob", f"{names}.py", str(root)],
        f"**/{names}.c": [*FD, "--full-path", "--glob", f"{root}/**/{names}.c", str(root)],
    }
    for pattern, command in searches.items():

        def run(pattern=pattern):
            return count(sandbox.glob(pattern, str(root)))

        listed = subprocess.run(command, capture_output=True, text=True).stdout.split()
        found = [os.path.join(root, match["path"]) for match in sandbox.glob(pattern, str(root)).matches]
        result = measure(f"glob {pattern}", Side("glob", run), Side("fd", peer(command, b"\n")), rounds)
        result["same"] = sorted(found) == sorted(listed)
        yield result


def described(root, what):
    number, size = made.facts(root)
    print(f"\n{what}: {number} files, {size / 1e6:.0f} MB")


def tree(root, quick):
    made.tree(root, 2000 if quick else 10_000)
    described(root, "a tree")
    rounds = 5 if quick else 20
    with NonoSandbox(working_dir=str(root)) as sandbox:
        searches = [
            ("grep, few hits", made.RARE, None),
            ("grep, many hits", made.FREQUENT, None),
            ("grep, no hit", made.ABSENT, None),
            ("grep, few hits, *.py", made.RARE, "*.py"),
            ("grep, many hits, *.py", made.FREQUENT, "*.py"),
        ]
        yield from against_rg(sandbox, root, rounds, searches)
        yield from against_fd(sandbox, root, rounds)


def large(root, quick):
    made.large(root, (20 if quick else 200) * 1_000_000)
    described(root, "one large file")
    rounds = 3 if quick else 7
    with NonoSandbox(working_dir=str(root)) as sandbox:
        path = root / "large.txt"
        # Not the frequent word: a million matches would measure how fast Python makes dicts.
        yield from against_rg(
            sandbox,
            path,
            rounds,
            [("grep, one hit", made.RARE, None), ("grep, no hit", made.ABSENT, None)],
        )


def crowd(root, quick):
    made.crowd(root, 10_000 if quick else 100_000)
    described(root, "a tree of small files")
    rounds = 3 if quick else 7
    with NonoSandbox(working_dir=str(root)) as sandbox:
        yield from against_rg(
            sandbox,
            root,
            rounds,
            [("grep, few hits", made.RARE, None), ("grep, no hit", made.ABSENT, None)],
        )
        yield from against_fd(sandbox, root, rounds, "f1*")


PARTS = {"small": small, "tree": tree, "large": large, "crowd": crowd}
COLUMNS = "{:<24} {:<6} {:>10} {:>21}   {:<6} {:>10} {:>21}  {:>8}  {}"


def show(result):
    def numbers(side):
        median, low, high = (f"{side[key] * 1000:.3f}" for key in ("median", "min", "max"))
        return side["name"], median, f"{low} to {high}"

    ours, theirs = result["counts"]
    remark = "" if ours == theirs else f"DIFFERS: {ours} results, {theirs}"
    ratio = result["ratio"]
    shown = f"{ratio:.2f}" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"
    print(
        COLUMNS.format(
            result["title"], *numbers(result["contender"]), *numbers(result["reference"]), shown, remark
        ).rstrip(),
        flush=True,
    )


def machine():
    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]

    models = [
        line.partition(":")[2].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processors": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "user": "root" if os.geteuid() == 0 else "ordinary user",
        "python": platform.python_version(),
        "deepagents": importlib.metadata.version("deepagents"),
        "rg": first_line("rg", "--version").split()[1],
        "fd": first_line("fdfind", "--version").split()[-1],
    }


def main():
    parser = argparse.ArgumentParser(prog="bench/files", description="What the file tools take.")
    parser.add_argument(
        "--quick", action="store_true", help="smaller trees, fewer runs: a look, not a result"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part only; may be repeated")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all numbers there")
    arguments = parser.parse_args()
    for program, package in (("rg", "ripgrep"), ("fdfind", "fd-find")):
        if shutil.which(program) is None:
            raise SystemExit(f"files: {program} is missing: apt-get install {package}")

    facts = machine()
    print(
        "{processors} x {processor}, Linux {kernel}, load {load:.1f}\n"
        "As {user}, Python {python}, deepagents {deepagents}, ripgrep {rg}, fd {fd}\n".format(**facts)
    )
    print(
        COLUMNS.format(
            "milliseconds", "", "median", "min to max", "next to", "median", "min to max", "ratio", ""
        )
    )
    results = []
    for name in arguments.only or PARTS:
        with contextlib.ExitStack() as stack:
            root = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix=f"nono-files-{name}-")))
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            results += [{"part": name, **result} for result in PARTS[name](root, arguments.quick)]
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
    for result in results:
        if not result.get("same", True):
            print(f"{result['title']} of {result['part']}: not the same files")
    wrong = [each for each in results if len(set(each["counts"])) > 1 or not each.get("same", True)]
    sys.exit(1 if wrong else 0)


main()

"""Checks the shape of the source tree against tests/layers.txt.

    check_layers.py [CHECKOUT]

One line per violation and exit status 1, or a closing line with what was looked at:
  - an #include of one of our folders that the table does not allow, or that is not written from
    the root of src/ ("plan/plan.h"), or names no file;
  - a folder below src/ that the table does not know, a table with a circle in it;
  - a file of more than 500 lines that the table does not list with a reason, or lists needlessly;
  - a header that does not begin with a comment saying what it is for.
"""

import pathlib
import re
import sys

LONGEST = 500
TOPS = {"cli", "bindings"}  # programs and bindings: nothing else builds on them
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


class Table:
    """layers.txt: which folders each folder may include, and why some files are long."""

    def __init__(self, text):
        self.allowed, self.long_files = {}, {}
        for line in text.splitlines():
            line = line.partition("#")[0].strip()
            if not line:
                continue
            name, colon, rest = line.partition(":")
            rest = rest.strip()
            if not colon:
                raise SystemExit(f"tests/layers.txt: no colon in '{line}'")
            if name.startswith("long "):
                if not rest:
                    raise SystemExit(f"tests/layers.txt: {name} needs a reason")
                self.long_files[name.removeprefix("long ").strip()] = rest
            else:
                self.allowed[name] = rest.split()
        for name, folders in self.allowed.items():
            if folders == ["*"]:
                self.allowed[name] = [other for other in self.allowed if other not in TOPS]

    def problems(self):
        for name, folders in self.allowed.items():
            for folder in folders:
                if folder not in self.allowed or folder in TOPS:
                    yield f"tests/layers.txt: {name} may not be allowed to include '{folder}'"
                elif folder == name or name in self.reach(folder):
                    yield f"tests/layers.txt: {name} and {folder} include each other"

    def reach(self, folder):
        """All folders that `folder` includes, directly or through others."""
        found, waiting = set(), list(self.allowed.get(folder, ()))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.allowed.get(name, ())
        return found


def check_includes(checkout, path, layer, table):
    where = path.relative_to(checkout)
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        quote, name = match.groups()
        place = f"{where}:{text.count(chr(10), 0, match.start(2)) + 1}"
        folder, slash, _ = name.partition("/")
        if quote == "<" and folder not in table.allowed:
            continue  # the system's
        if ".." in name.split("/"):
            yield f"{place}: '{name}' climbs with ..; write it from the root of src/"
        elif not slash:
            if layer != "bindings" or not (path.parent / name).is_file():
                yield f"{place}: '{name}' without its folder; write it from the root of src/"
        elif folder == "nono" and (checkout / "include" / name).is_file():
            continue  # a public header
        elif folder not in table.allowed or not (checkout / "src" / name).is_file():
            yield f"{place}: there is no src/{name}"
        elif folder != layer and folder not in table.allowed.get(layer, ()):
            yield f"{place}: {layer} must not include {folder}"


def check_shape(checkout, path, table):
    where = str(path.relative_to(checkout))
    text = path.read_text()
    length = len(text.splitlines())
    if length > LONGEST and where not in table.long_files:
        yield f"{where}: {length} lines, at most {LONGEST} without a reason in tests/layers.txt"
    if length <= LONGEST and where in table.long_files:
        yield f"{where}: {length} lines, so tests/layers.txt need not list it any more"
    if path.suffix == ".h" and not text.lstrip().startswith(("//", "/*")):
        yield f"{where}: a header begins with a comment that says what it is for"


def check(checkout):
    """(number of files looked at, violations)."""
    table = Table((checkout / "tests" / "layers.txt").read_text())
    problems = list(table.problems())
    files = [
        path
        for top in ("src", "bindings")
        for path in sorted((checkout / top).rglob("*"))
        if path.suffix in (".h", ".cc", ".inc") and path.is_file()
    ]
    for path in files:
        parts = path.relative_to(checkout).parts
        layer = "bindings" if parts[0] == "bindings" else parts[1]
        if layer not in table.allowed:
            problems.append(f"{path.relative_to(checkout)}: tests/layers.txt has no line for '{layer}'")
        problems += check_includes(checkout, path, layer, table)
        if parts[0] == "src":
            problems += check_shape(checkout, path, table)
    for listed in table.long_files:
        if not (checkout / listed).is_file():
            problems.append(f"tests/layers.txt: {listed} does not exist")
    return len(files), problems


def main(arguments):
    checkout = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent).resolve()
    count, problems = check(checkout)
    for problem in problems:
        print(problem)
    print(f"layers: {count} files, {len(problems)} violations")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

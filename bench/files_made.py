"""The files that bench/files works on: always the same ones, made anew for each run."""

import os
import pathlib
import random

RARE = "a_needle_in_the_hay"
FREQUENT = "checksum"
ABSENT = "no_such_word_anywhere"

WORDS = """
    int return static const void struct buffer length offset import class self value index result
    error path open close read write while for if else break continue None True False the and or
    not in is of to from with as def lambda yield async await config server client request response
    header body status token parser lexer node tree list map key item count size total begin end
""".split()
SUFFIXES = [*[".py"] * 25, *[".c"] * 20, *[".h"] * 10, *[".md"] * 10, *[".json"] * 10, *[".txt"] * 10]
SUFFIXES += [*[".js"] * 8, *[".bin"] * 4, *[".png"] * 3]
BINARY = {".bin", ".png"}


def lines(chance, size):
    """About `size` bytes of text in lines of 5 to 90 characters; one in 60 has the frequent word."""
    made, length = [], 0
    while length < size:
        words = chance.choices(WORDS, k=chance.randint(1, 14))
        if chance.random() < 1 / 60:
            words.insert(0, FREQUENT)
        made.append("    " * chance.randint(0, 3) + " ".join(words))
        length += len(made[-1]) + 1
    return "\n".join(made) + "\n"


def small(root):
    """50 files of one to four KB, one of them of 1000 lines."""
    chance = random.Random(1)
    for number in range(49):
        text = lines(chance, chance.randint(1000, 4000))
        (root / f"file{number:02}.txt").write_text(text + (RARE + "\n" if number == 7 else ""))
    (root / "thousand.py").write_text("".join(f"line {number} of a thousand\n" for number in range(1000)))


def tree(root, count):
    """Files in directories in each other, sizes log-normal around 3 KB, some binary, and a `.git`."""
    chance = random.Random(2)
    pool = lines(chance, 4 << 20)
    directories = [root]
    while len(directories) < count // 14:
        parent = chance.choice(directories[-40:])
        if len(parent.relative_to(root).parts) == 9:
            parent = root
        directories.append(parent / f"{chance.choice(WORDS)}{len(directories)}")
        directories[-1].mkdir()
    rare = set(chance.sample(range(count), 5))
    for number in range(count):
        suffix = ".py" if number in rare else chance.choice(SUFFIXES)
        path = chance.choice(directories) / f"{chance.choice(WORDS)}{number}{suffix}"
        size = min(int(chance.lognormvariate(8, 1.3)), 500_000)
        start = chance.randrange(len(pool) - size)
        if suffix in BINARY:
            path.write_bytes(b"\0" + chance.randbytes(size))
        else:
            path.write_text(pool[start : start + size] + (f"\n{RARE}\n" if number in rare else "\n"))
    objects = root / ".git" / "objects"
    for number in range(count // 20):
        directory = objects / f"{number % 256:02x}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{number:038x}").write_bytes(chance.randbytes(int(chance.lognormvariate(7, 1))))
    (root / ".git" / "config").write_text(f"[core]\n# {RARE} {FREQUENT}\n")


def large(root, size):
    """One text file; the rare word stands in its last line."""
    block = lines(random.Random(3), 8 << 20)
    with (root / "large.txt").open("w") as file:
        for _ in range(-(-size // len(block))):
            file.write(block)
        file.write(f"{RARE}\n")


def crowd(root, count):
    """Files of some 200 bytes, a hundred in each directory."""
    chance = random.Random(4)
    pool = lines(chance, 1 << 20)
    for number in range(count):
        directory = root / f"{number // 10_000:02}" / f"{number // 100:04}"
        if number % 100 == 0:
            directory.mkdir(parents=True)
        start = chance.randrange(len(pool) - 1000)
        text = pool[start : start + chance.randint(50, 350)] + "\n"
        if number % 20_000 == 777:
            text += RARE + "\n"
        fd = os.open(directory / f"f{number}{SUFFIXES[number % 83]}", os.O_CREAT | os.O_WRONLY, 0o644)
        os.write(fd, text.encode())
        os.close(fd)


def facts(root):
    """How many files there are and how large they are together."""
    sizes = [path.stat().st_size for path in pathlib.Path(root).rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)

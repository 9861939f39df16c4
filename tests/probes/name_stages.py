"""Stages with names that are closed inside a grant: those that are denied, and those that somebody outside trusts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scene import CannotStage, Room, Scene
from stages import by_secret

# What git, editors, agents, shells and Python outside would read or run.
TRUSTED = (
    ".git/config", ".git/commondir", ".git/hooks/pre-commit",
    ".git/modules/m/config", ".git/modules/m/hooks/pre-commit",
    "sub/.git/config", "sub/.git/hooks/pre-commit", "new/.git/config", "new/config",
    ".envrc", ".vscode/tasks.json", ".claude/settings.json", ".CLAUDE/settings.json", ".mcp.json", ".bashrc",
    ".venv/bin/python",
)  # fmt: skip


def content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def unchanged(*paths: Path) -> Scene:
    """Whatever has been done, and to which of the directories above: by these names nothing else is found. That
    what was there is gone is no gain."""
    before = {path: (None, content(path)) for path in paths}
    return Scene(lambda run: any(content(path) not in known for path, known in before.items()))


def new_repository(directory: Path) -> None:
    for name in ("hooks", "objects", "refs"):
        (directory / name).mkdir(parents=True)
    (directory / "HEAD").write_text("ref: refs/heads/main\n")
    (directory / "config").write_text("[core]\n")


@contextmanager
def workspace(room: Room) -> Iterator[Scene]:
    """A directory without a repository, and without any of the files that would be trusted."""
    scene = unchanged(*(room.work / name for name in TRUSTED))
    scene.targets = {"work": str(room.work)}
    yield scene


@contextmanager
def repository(room: Room) -> Iterator[Scene]:
    """A repository with a submodule, another one inside, and a virtual environment."""
    for place in (".git", ".git/modules/m", "sub/.git"):
        new_repository(room.work / place)
    (room.work / ".venv" / "bin").mkdir(parents=True)
    (room.work / ".venv" / "bin" / "python").write_text("as it was")
    with workspace(room) as scene:
        yield scene


@contextmanager
def worktree(room: Room) -> Iterator[Scene]:
    """A worktree of a bare repository that lies in another directory."""
    bare = room.library / "repository"
    new_repository(bare)
    own = bare / "worktrees" / "work"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    (own / "gitdir").write_text(f"{room.work}/.git\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (room.work / ".git").write_text(f"gitdir: {own}\n")
    scene = unchanged(room.work / ".git", own / "commondir", bare / "config", bare / "hooks" / "pre-commit")
    scene.targets = {"work": str(room.work), "repository": str(bare)}
    yield scene


def closed(room: Room, file: Path) -> Scene:
    """A file whose content must stay secret, and whose name must not lead to another one."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(room.secret)

    names = unchanged(file)
    targets = {"work": str(room.work), "parent": str(file.parent), "name": file.name, "file": str(file)}
    return Scene(lambda run: by_secret(room)(run) or names.succeeded(run), targets)


@contextmanager
def denied_path(room: Room) -> Iterator[Scene]:
    yield closed(room, room.work / "private" / "secret")


@contextmanager
def denied_pattern(room: Room) -> Iterator[Scene]:
    yield closed(room, room.work / "sub" / ".env")


@contextmanager
def denied_in_capitals(room: Room) -> Iterator[Scene]:
    """What a directory that folds case would find under the denied name."""
    yield closed(room, room.work / "sub" / ".ENV")


@contextmanager
def second_link(room: Room) -> Iterator[Scene]:
    """A denied path that had another name before."""
    with denied_path(room) as scene:
        scene.targets["other"] = str(room.work / "innocent")
        os.link(scene.targets["file"], scene.targets["other"])
        yield scene


@contextmanager
def second_link_beside_pattern(room: Room) -> Iterator[Scene]:
    """A file whose name a pattern denies, and that had another name before."""
    with denied_pattern(room) as scene:
        scene.targets["other"] = str(room.work / "innocent")
        os.link(scene.targets["file"], scene.targets["other"])
        yield scene


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotStage(f"mount: {done.stderr.strip().partition(chr(10))[0]}")


def unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=True)


@contextmanager
def second_mount(room: Room) -> Iterator[Scene]:
    """A denied directory that has a second place, which is granted, too."""
    with denied_path(room) as scene:
        place = room.work / "mount"
        place.mkdir()
        mount("--bind", scene.targets["parent"], str(place))
        try:
            scene.targets["other"] = str(place / scene.targets["name"])
            yield scene
        finally:
            unmount(place)


@contextmanager
def folding(room: Room) -> Iterator[Scene]:
    """A directory in which one name has many spellings: a tmpfs with Unicode's folding (Linux 6.13)."""
    place = room.work / "mount"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "casefold", "tmpfs", str(place))
    try:
        folded = place / "folded"
        folded.mkdir()
        if subprocess.run(["chattr", "+F", str(folded)], capture_output=True, check=False).returncode != 0:
            raise CannotStage("directories that fold case")
        scene = closed(room, folded / ".env")
        (folded / "task").write_text(room.secret)
        scene.targets["folded"] = str(folded)
        yield scene
    finally:
        unmount(place)

"""glob: which files a pattern names, by the SDK's rules."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from deepagents.backends import utils
from releases import GLOB_IS_ABSOLUTE
from tools import Tools, paths

new = pytest.mark.skipif(
    not GLOB_IS_ABSOLUTE, reason="expected: before deepagents 0.7.7 glob has another contract"
)
old = pytest.mark.skipif(
    GLOB_IS_ABSOLUTE, reason="expected: glob has another contract since deepagents 0.7.7"
)

TREE = [
    "top.py",
    "a.txt",
    "b.txt",
    "A.TXT",
    "src/a.py",
    "src/deep/b.py",
    "src/deep/er/c.PY",
    "lib/a.py",
    "lib/.hidden.py",
    ".github/ci.yml",
    ".github/.secret/x.py",
    ".dot",
    "we[i]rd/{x}.txt",
    "with space/ü.txt",
]
PATTERNS = [
    *(
        "*",
        "**",
        "*.py",
        "*.PY",
        "?.txt",
        "[ab].txt",
        "[!a].txt",
        "[^a].txt",
        "[a-c].*",
        "a*",
        "top.py",
        ".*",
        "*.yml",
    ),
    *(
        "**/*",
        "**/*.py",
        "/*.py",
        "/**/*.py",
        "/top.py",
        "*/*.py",
        "*/**/*.py",
        "src/**",
        "src/**/*",
        "src/*",
        "**/a.py",
    ),
    *(
        "src/**/b.py",
        "src//a.py",
        "src/**/**/*.py",
        "**/deep/**",
        "**/.*",
        "**/.github/*",
        ".github/*",
        ".github/**",
    ),
    *(
        ".*/*",
        ".*/.*/*",
        "**/.hidden.py",
        "{a,b}.txt",
        "*.{py,txt}",
        "{src,lib}/*.py",
        "{src,lib/}a.py",
        "{src/,}*.py",
    ),
    *(
        "{src,nowhere}/{a,deep/b}.py",
        "{a}.txt",
        "src/",
        "[",
        "{",
        "{a,b",
        "we[[]i]rd/*",
        "no*where",
        "* *",
        "*ü*",
        "",
    ),
]


@pytest.fixture
def tree(workspace: Path) -> Path:
    for name in TREE:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(name)
    return workspace


@pytest.mark.skipif(
    not hasattr(utils, "compile_grep_include_glob") or not GLOB_IS_ABSOLUTE,
    reason="expected: this release has no matcher to compare with",
)
@pytest.mark.parametrize("pattern", PATTERNS)
async def test_patterns_mean_what_the_matcher_of_the_sdk_says(tools: Tools, tree: Path, pattern: str) -> None:
    """All but `PATTERNS`' last one, which means nothing, and is only not to raise."""
    matcher = utils.compile_grep_include_glob(pattern)
    result = await tools.glob(pattern, str(tree))
    if pattern:
        assert paths(result) == sorted(f"{tree}/{name}" for name in TREE if matcher(name))
    else:
        assert not result.matches


@new
async def test_matches_are_files_with_their_facts(tools: Tools, workspace: Path) -> None:
    (workspace / "d/e").mkdir(parents=True)
    (workspace / "d/f.txt").write_bytes(b"12345")
    os.utime(workspace / "d/f.txt", (1_000_000_000, 1_000_000_000))
    result = await tools.glob("**/*", str(workspace))
    assert (result.error, result.truncated) == (None, False)
    (match,) = result.matches
    moment = datetime.fromisoformat(match["modified_at"])
    assert match.get("is_dir", False) is False
    assert (match["path"], match["size"]) == (f"{workspace}/d/f.txt", 5)
    assert (moment.timestamp(), moment.utcoffset().total_seconds()) == (1_000_000_000, 0)


@new
async def test_the_order_is_that_of_the_paths_bytes(tools: Tools, workspace: Path) -> None:
    names = ["a-b", "a.txt", "a/b/c", "a/x", "a0", "Z", "ä", "b/1"]
    for name in names:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).touch()
    for pattern in ("*", "**"):
        assert paths(await tools.glob(pattern, str(workspace))) == [
            f"{workspace}/{name}" for name in sorted(names)
        ]


@new
async def test_where_it_starts(tools: Tools, tree: Path) -> None:
    expected = [f"{tree}/src/a.py", f"{tree}/src/deep/b.py"]
    for path in (f"{tree}/src", f"{tree}/src/", f"{tree}//src"):
        found = paths(await tools.glob("*.py", path))
        assert [os.path.normpath(each) for each in found] == expected
    assert paths(await tools.glob("src/*.py")) == [f"{tree}/src/a.py"]
    assert paths(await tools.glob("src/*.py", None)) == [f"{tree}/src/a.py"]
    assert paths(await tools.glob("x.py", f"{tree}/.github/.secret")) == [f"{tree}/.github/.secret/x.py"]


async def test_where_it_cannot_start(tools: Tools, tree: Path, outside: Path) -> None:
    for path, code in (
        (f"{tree}/no", "path_not_found"),
        (f"{tree}/top.py", "not_a_directory"),
        (str(outside), "permission_denied"),
        (f"{tree}/../outside", "permission_denied"),
    ):
        result = await tools.glob("*", path)
        assert (result.error, result.matches) == (f"Path '{path}': {code}", None)


@new
@pytest.mark.parametrize("pattern", ["../*", "..", "src/../*", "src/../../*", "/../*", "{a,..}/*", "*/.."])
async def test_patterns_do_not_lead_up(tools: Tools, tree: Path, pattern: str) -> None:
    result = await tools.glob(pattern, f"{tree}/src")
    if pattern == "{a,..}/*":  # no segment of the pattern as it is written
        assert not result.matches
    else:
        assert result.error and result.matches is None


@new
async def test_too_many_alternatives_are_an_error(tools: Tools, tree: Path) -> None:
    result = await tools.glob("{a,b}" * 20, str(tree))
    assert result.error and result.matches is None


@new
async def test_patterns_that_would_take_for_ever_do_not(tools: Tools, workspace: Path) -> None:
    deep = workspace.joinpath(*["a"] * 60)
    deep.mkdir(parents=True)
    (deep / "f").touch()
    (workspace / ("a" * 200)).touch()
    assert paths(await tools.glob("**/a/" * 20 + "nothing", str(workspace))) == []
    assert paths(await tools.glob("*a" * 30 + "b", str(workspace))) == []
    assert paths(await tools.glob("**/a/" * 20 + "**/f", str(workspace))) == [f"{deep}/f"]


@new
async def test_links_count_by_what_they_reach(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "real").mkdir()
    (workspace / "real/f.txt").touch()
    (outside / "far.txt").touch()
    for name, target in {
        "file.txt": "real/f.txt",
        "chain.txt": "file.txt",
        "directory.txt": "real",
        "dangling.txt": "nowhere",
        "loop.txt": "loop.txt",
        "far.txt": f"{outside}/far.txt",
        "far": str(outside),
        "up": ".",
    }.items():
        (workspace / name).symlink_to(target)
    expected = [f"{workspace}/{name}" for name in ("chain.txt", "file.txt", "real/f.txt")]
    for pattern in ("*.txt", "**/*.txt"):
        assert paths(await tools.glob(pattern, str(workspace))) == expected
    assert not (await tools.glob("*", f"{workspace}/far")).matches


@new
async def test_only_regular_files_are_found(tools: Tools, workspace: Path) -> None:
    os.mkfifo(workspace / "fifo")
    (workspace / "null").symlink_to("/dev/null")
    (workspace / "f").touch()
    assert paths(await tools.glob("*", str(workspace))) == [f"{workspace}/f"]


@old
async def test_the_old_contract(tools: Tools, tree: Path) -> None:
    """Relative paths, directories too, a bare pattern at the top only."""
    for pattern, expected in (
        ("*.py", ["top.py"]),
        ("*", ["A.TXT", "a.txt", "b.txt", "lib", "src", "top.py", "we[i]rd", "with space"]),
        ("**/*.py", ["lib/a.py", "src/a.py", "src/deep/b.py", "top.py"]),
        ("src/*", ["src/a.py", "src/deep"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        (".*", [".dot", ".github"]),
        ("nothing", []),
    ):
        result = await tools.glob(pattern, str(tree))
        assert sorted(paths(result)) == expected
        directories = {match["path"] for match in result.matches if match["is_dir"]}
        assert directories == {name for name in expected if (tree / name).is_dir()}

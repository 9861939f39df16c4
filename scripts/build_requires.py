"""Prints what pyproject.toml says is needed to build nono-py, one requirement a line."""

import pathlib
import tomllib

project = pathlib.Path(__file__).resolve().parent.parent / "pyproject.toml"
for requirement in tomllib.loads(project.read_text())["build-system"]["requires"]:
    print(requirement)

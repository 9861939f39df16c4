"""A private HOME, in which commands may set up what they like."""

import os

from langchain_nono.temporary import PrivateDirectory

# Protected names that everyday tools write in a home, by `git config --global`, `pip install --user` or
# `ssh-keygen`. Nobody outside trusts them here, but names are protected wherever they lie: these become
# links to names that are not.
_FILES = (".bashrc", ".gitconfig", ".npmrc", ".profile")
_DIRECTORIES = (".local/bin", ".ssh")
_BEHIND = ".nono"


class PrivateHome(PrivateDirectory):
    """A `PrivateDirectory` where the protected names that everyday tools write in a home can be written."""

    def __init__(self) -> None:
        """Make it, with the links and what they lead to."""
        super().__init__()
        behind = os.path.join(self.path, _BEHIND)
        os.mkdir(behind, mode=0o700)
        for name in (*_FILES, *_DIRECTORIES):
            target = os.path.join(behind, name.strip(".").replace("/", "-"))
            if name in _DIRECTORIES:
                os.mkdir(target, mode=0o700)
            os.makedirs(os.path.dirname(os.path.join(self.path, name)), mode=0o700, exist_ok=True)
            os.symlink(target, os.path.join(self.path, name))

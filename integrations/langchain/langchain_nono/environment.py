"""The environment of commands: small, and listed in the README."""

import os
import platform
from collections.abc import Callable

from nono_py import AccessMode

from langchain_nono.toolchains import Survey

INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")
"""The caller's variables that commands see, in this order."""

# What programs find below HOME unless a variable tells them another place.
_READ_THERE = {
    "PYENV_ROOT": ".pyenv",
    "RBENV_ROOT": ".rbenv",
    "NODENV_ROOT": ".nodenv",
    "GOENV_ROOT": ".goenv",
    "JENV_ROOT": ".jenv",
    "ASDF_DATA_DIR": ".asdf",
    "MISE_DATA_DIR": ".local/share/mise",
    "NVM_DIR": ".nvm",
    "FNM_DIR": ".local/share/fnm",
    "VOLTA_HOME": ".volta",
    "RUSTUP_HOME": ".rustup",
    "CARGO_HOME": ".cargo",
    "GOPATH": "go",
    "GIT_CONFIG_GLOBAL": ".gitconfig",
}
_WRITTEN_THERE = {"XDG_CACHE_HOME": ".cache", "npm_config_cache": ".npm"}

_MAC_CERTIFICATES = "/private/etc/ssl/cert.pem"


def granted_places(home: str, is_granted: Callable[[str, AccessMode], bool]) -> dict[str, str]:
    """The variables that lead programs to what is granted of the caller's, wherever HOME is inside.

    Args:
        home: The caller's HOME; empty when there is none.
        is_granted: Whether a path may be accessed so.

    Returns:
        The place that the caller's own variable names, else the usual one below `home`; only those
        that exist and are granted.
    """
    places = {}
    for names, mode in ((_READ_THERE, AccessMode.READ), (_WRITTEN_THERE, AccessMode.READ_WRITE)):
        for name, below in names.items():
            place = os.environ.get(name) or (os.path.join(home, below) if home else "")
            if os.path.isabs(place) and os.path.exists(place) and is_granted(place, mode):
                places[name] = place
    return places


class Environment:
    """The variables of one sandbox's commands; the caller's are looked up for each command."""

    def __init__(
        self, *, home: str | None, temporary: str, places: dict[str, str], survey: Survey, readable: list[str]
    ) -> None:
        """Keep what does not change.

        Args:
            home: HOME inside; None is the caller's.
            temporary: TMPDIR inside.
            places: As from `granted_places`.
            survey: Where the programs of the caller's PATH really are.
            readable: Real paths of the directories that commands may execute in.
        """
        self._own = {"TMPDIR": temporary} | ({} if home is None else {"HOME": home})
        self._places = places
        self._survey = survey
        self._readable = readable
        self._last_path = "", ""
        self.pairs()

    @property
    def is_at_hand(self) -> bool:
        """Whether `pairs` needs no look at the file system."""
        return os.environ.get("PATH", "") == self._last_path[0]

    def pairs(self) -> list[tuple[str, str]]:
        """Name and value of each variable, for a command that starts now."""
        values = {name: os.environ[name] for name in INHERITED if name in os.environ}
        # What runs. Without it bash asks who the user is, and may not know.
        values.setdefault("SHELL", "/bin/bash")
        values |= self._own
        if "PATH" in values:
            values["PATH"] = self._child_path(values["PATH"])
        pairs = [(name, values[name]) for name in INHERITED if name in values]
        pairs += self._places.items()
        on_mac = platform.system() == "Darwin"
        if on_mac and "CURL_CA_BUNDLE" not in os.environ and os.path.exists(_MAC_CERTIFICATES):
            pairs.append(("CURL_CA_BUNDLE", _MAC_CERTIFICATES))
        return pairs

    def _child_path(self, path: str) -> str:
        """PATH for the sandbox; remembered, since it rarely changes between commands."""
        known, result = self._last_path
        if path != known:
            result = self._survey.child_path(path, self._readable)
            self._last_path = path, result
        return result

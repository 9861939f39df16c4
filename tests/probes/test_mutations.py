"""A rule taken out of the plan makes the probe of its row succeed: the probes would notice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner import Grants, attack_with, run_process
from scene import Run, Scene
from table import ROWS

MUTANT = os.environ.get("NONO_MUTANT", "")

# What is removed: see mutant.cc.
MUTATIONS = {
    "row01_symlink_read": "fs:read_file",
    "row11_path_stream": "call:connect",
    "row11_path_datagram_sendto": "call:socket,sendto",
    "row19_unshare_user": "call:unshare",
    "row24_chmod": "call:chmod,fchmod,fchmodat,fchmodat2",
    "row24_setxattr": "call:setxattr",
    "row24_utimensat": "call:utimensat",
    "row25_list": "fs:read_dir",
    "row26_truncate": "fs:truncate",
    "row31_direnv": "call:openat",
    "row31_agent_settings": "call:mkdir,mkdirat,openat",
    "row31_agent_settings_symlink": "call:symlink,symlinkat",
    "row31_direnv_linked": "call:link,linkat",
    "row32_parent_replaced": "call:rename,renameat,renameat2,mkdir,mkdirat,openat",
    "row33_spellings": "call:openat",
    "row34_renamed": "call:rename,renameat,renameat2",
    "row35_udp_sendto": "sockets",
    "row37_netlink_route": "call:socket",
    "row41_listen": "sockets",
    "row60_read_key": "call:keyctl,add_key,request_key",
    "row62_no_randomization": "call:personality",
    "row63_shared_memory": "call:shmget,shmat,shmctl,shmdt",
    "row79_prlimit": "call:prlimit64",
    "row80_inotify": "call:inotify_add_watch",
}


class Mutant:
    def __init__(self, mutation: str) -> None:
        self.mutation = mutation

    def enter(self, grants: Grants, scene: Scene):  # type: ignore[no-untyped-def]
        words = [MUTANT, self.mutation, str(grants.port) if grants.network == "ports" else "blocked"]
        for kind, paths in (("r", grants.read), ("w", grants.write), ("d", grants.deny), ("s", grants.sockets)):
            for path in paths:
                words += [kind, path]
        words += ["p", "all"] * grants.protect

        def start(command: list[str]) -> Run:
            return run_process([*words, "--", *command], scene, 60)

        return start


def test_the_mutant_is_there() -> None:
    assert Path(MUTANT).is_file(), "NONO_MUTANT names the program nono_mutant of a build tree"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_removed_rule_is_noticed(name: str) -> None:
    attack = next(attack for row in ROWS for attack in row.attacks if attack.name == name)
    held = attack_with(attack, "blocked", Mutant("none"))
    if held.cannot:
        pytest.skip(f"expected: not here: {held.cannot}")
    assert held.started, held
    assert not held.succeeded, held
    outcome = attack_with(attack, "blocked", Mutant(MUTATIONS[name]))
    assert outcome.started, outcome
    assert outcome.succeeded, outcome

"""Grants of Unix sockets: what is typed, what is planned, what `nono why` says of it."""

import json
import socket

import pytest

FLAGS = [f"--allow-unix-socket{scope}{bind}" for scope in ("", "-dir", "-subtree") for bind in ("", "-bind")]


def listener(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def skip_without_supervisor(done):
    if done.returncode == 126 and b"takes a supervisor" in done.stderr:
        pytest.skip("expected: this host allows no supervisor")


def why(nono, *words):
    done = nono("why", *words, "--json")
    skip_without_supervisor(done)
    assert done.returncode in (0, 1), done.stderr
    said = json.loads(done.stdout)
    assert (said["status"] == "allowed") == (done.returncode == 0)
    return said


def test_why_not_granted(nono):
    nono.directory("run")
    place = nono.home / "run" / "s"
    listener(place)
    said = why(nono, "--allow", ".", "--unix-socket", "run/s")
    assert (said["reason"], said["subject"]) == ("unix_socket_not_granted", str(place))
    assert said["suggested_flag"] == f"--allow-unix-socket {place}"
    said = why(nono, "--unix-socket", place, "--socket-op", "bind")
    assert (said["reason"], said["suggested_flag"]) == ("unix_socket_not_granted", f"--allow-unix-socket-bind {place}")
    text = nono("why", "--allow", ".", "--unix-socket", "run/s").stdout.decode()
    assert text.startswith(f"Connecting to the Unix socket run/s (which is {place}) is denied, unless ")


def test_why_what_may_be_written_may_be_bound(nono):
    nono.directory("run")
    said = why(nono, "--allow", "run", "--unix-socket", "run/s", "--socket-op", "bind")
    assert (said["status"], said["reason"], said["granted"]) == ("allowed", "granted_path", str(nono.home / "run"))


def test_why_granted(nono):
    nono.directory("run")
    nono.directory("run/deep")
    run = nono.home / "run"
    for flags, path, operation, reason in (
        (("--allow-unix-socket", "run/s"), "run/s", "connect", "unix_socket_granted"),
        (("--allow-unix-socket", "run/s"), "run/s", "bind", "insufficient_access"),
        (("--allow-unix-socket", "run/s"), "run/t", "connect", "unix_socket_not_granted"),
        (("--allow-unix-socket-bind", "run/s"), "run/s", "bind", "unix_socket_granted"),
        (("--allow-unix-socket-dir", "run"), "run/s", "connect", "unix_socket_granted"),
        (("--allow-unix-socket-dir", "run"), "run/deep/s", "connect", "unix_socket_not_granted"),
        (("--allow-unix-socket-dir-bind", "run"), "run/s", "bind", "unix_socket_granted"),
        (("--allow-unix-socket-subtree", "run"), "run/deep/s", "connect", "unix_socket_granted"),
        (("--allow-unix-socket-subtree", "run"), "running", "connect", "unix_socket_not_granted"),
        (("--allow-unix-socket-subtree-bind", "run"), "run/deep/s", "bind", "unix_socket_granted"),
    ):
        said = why(nono, *flags, "--unix-socket", path, "--socket-op", operation)
        assert said["reason"] == reason, (flags, path, operation)
        assert said["subject"] == str(nono.home / path)
        if reason == "unix_socket_granted":
            assert f"{flags[0]} {run}" in said["details"]


def test_a_suggestion_works_when_followed(nono):
    nono.directory("with space")
    for operation in ("connect", "bind"):
        question = ("--unix-socket", "with space/s", "--socket-op", operation)
        flag, path = why(nono, *question)["suggested_flag"].split(" ", 1)
        assert why(nono, flag, path.strip("'"), *question)["status"] == "allowed"


def test_why_never_suggests_a_way_out(nono):
    place = nono.home / "docker.sock"
    said = why(nono, "--unix-socket", "docker.sock")
    assert "suggested_flag" not in said
    assert "a grant of the whole machine" in said["warning"]
    said = why(nono, "--allow-unix-socket", "docker.sock", "--unix-socket", "docker.sock")
    assert said["status"] == "allowed"
    assert said["granted"] == str(place)
    assert "a grant of the whole machine" in said["warning"]


def test_why_abstract(nono):
    said = why(nono, "--unix-socket", "@x")
    assert (said["status"], said["subject"]) == ("denied", "@x")
    assert "suggested_flag" not in said


def test_the_dry_run_lists_them(nono):
    nono.directory("run")
    flags = ("--allow-unix-socket-dir", "run", "--allow-unix-socket-bind", "docker.sock", "--dry-run")
    done = nono.run(*flags, "--", "true")
    skip_without_supervisor(done)
    text = done.stdout.decode()
    assert f"  connect+bind unix socket {nono.home}/docker.sock\n      It belongs to a container engine" in text
    assert f"  connect     unix socket {nono.home}/run/*\n" in text
    record = json.loads(nono.run(*flags, "--json", "--", "true").stdout)
    assert {"path": f"{nono.home}/run", "scope": "dir_children", "mode": "connect"} in record["unix_sockets"]


@pytest.mark.parametrize("flag", FLAGS)
def test_flags_name_themselves_in_errors(nono, flag):
    nono.file("plain")
    single = flag in FLAGS[:2]
    done = nono.run(flag, "missing/s" if single else "missing", "--", "true")
    assert done.returncode != 0
    assert done.stderr.decode().startswith(f"nono: {flag}: Path does not exist: ")
    done = nono.run(flag, "plain", "--", "true")
    assert done.returncode != 0
    assert f"{flag}: Expected a {'Unix socket' if single else 'directory'} but got a file: plain" in done.stderr.decode()
    bind = "-bind" if flag.endswith("-bind") else ""
    if single:
        done = nono.run(flag, ".", "--", "true")
        assert f"use --allow-unix-socket-dir{bind}" in done.stderr.decode()
    else:
        assert f"For one socket use --allow-unix-socket{bind}." in done.stderr.decode()
    assert b"cannot be granted" in nono.run(flag, "@x", "--", "true").stderr


def test_a_link_that_a_command_may_have_made_is_not_followed(nono):
    nono.directory("project")
    (nono.home / "project" / "s").symlink_to(nono.home / "outside")
    done = nono.run("--allow", "project", "--allow-unix-socket", "project/s", "--", "true")
    assert done.returncode != 0
    assert b"--allow-unix-socket project/s goes through the link" in done.stderr

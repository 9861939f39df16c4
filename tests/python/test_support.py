"""The package itself, is_supported, support_info, detect_abi, plan."""

from __future__ import annotations

import ast
import importlib.resources
import inspect
import subprocess
import sys

import nono_py
import pytest
from nono_py import CapabilitySet, _nono_py

from support import can_use_namespaces, needs_namespaces, system_caps

FEATURES = [
    "Basic filesystem access control",
    "File rename across directories (Refer)",
    "File truncation (Truncate)",
    "TCP network filtering",
    "Device ioctl filtering",
    "Signal and abstract UNIX socket scoping",
]


class TestPackage:
    def test_all_names_exist(self) -> None:
        assert len(set(nono_py.__all__)) == len(nono_py.__all__)
        for name in nono_py.__all__:
            assert getattr(nono_py, name) is not None
        assert set(nono_py.__all__) <= set(dir(nono_py))

    def test_version(self) -> None:
        assert nono_py.__version__ == "0.17.0"

    def test_unknown_name(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            nono_py.nothing  # noqa: B018

    def test_native_module_is_importable(self) -> None:
        assert nono_py.CapabilitySet is _nono_py.CapabilitySet

    def test_is_typed(self) -> None:
        files = importlib.resources.files("nono_py")
        assert files.joinpath("py.typed").is_file()
        assert files.joinpath("_nono_py.pyi").is_file()

    def test_stub_names_what_is_there(self) -> None:
        stub = ast.parse(importlib.resources.files("nono_py").joinpath("_nono_py.pyi").read_text())
        only_types = {
            "QueryResultAllowed", "QueryResultDenied", "ResourceUsage", "Denial", "_HasFileno", "_ExecOptions",
            "_FileEntry", "_FileMatch",
        }  # fmt: skip
        described = {
            node.name for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        } - only_types
        present = {name for name in vars(_nono_py) if not name.startswith("__")}
        assert described == present
        for node in stub.body:
            if isinstance(node, ast.ClassDef) and node.name in described:
                members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
                members = {name for name in members if not name.startswith("_")}
                there = {name for name in vars(getattr(_nono_py, node.name)) if not name.startswith("_")}
                there -= {"READ", "WRITE", "READ_WRITE"}
                assert members == there, node.name

    def test_async_twin_has_the_same_parameters(self) -> None:
        stub = ast.parse(importlib.resources.files("nono_py").joinpath("_nono_py.pyi").read_text())
        (sync,) = (n for n in stub.body if isinstance(n, ast.FunctionDef) and n.name == "sandboxed_exec")
        twin = inspect.signature(nono_py.sandboxed_exec_async).parameters
        assert [a.arg for a in sync.args.args + sync.args.kwonlyargs] == list(twin)

    def test_import_does_no_work(self) -> None:
        code = (
            "import sys, nono_py, threading\n"
            "assert threading.active_count() == 1\n"
            "assert not {'asyncio', 'subprocess', 'typing', 'json'} & set(sys.modules), sorted(sys.modules)\n"
            "assert nono_py.limited.OOM_EXIT_CODE == 137\n"
        )
        subprocess.run([sys.executable, "-I", "-c", code], check=True)


class TestSupport:
    def test_agrees(self) -> None:
        info = nono_py.support_info()
        assert info.is_supported is nono_py.is_supported()
        assert info.platform == "linux"
        flag = "true" if info.is_supported else "false"
        assert repr(info) == f"SupportInfo(supported={flag}, platform='linux')"

    def test_details(self) -> None:
        assert nono_py.is_supported(), "these tests need a kernel with Landlock"
        abi = nono_py.detect_abi()
        expected = f"Landlock available (Landlock {abi.version}, features: {', '.join(abi.feature_names)})"
        assert nono_py.support_info().details == expected

    def test_detected_abi(self) -> None:
        abi = nono_py.detect_abi()
        number = int(abi.version[1:])
        assert 1 <= number <= 6
        assert abi.feature_names == FEATURES[:number]
        flags = [abi.has_refer, abi.has_truncate, abi.has_execute]
        flags += [abi.has_network, abi.has_ioctl_dev, abi.has_scoping]
        assert flags == [number >= since for since in (2, 3, 3, 4, 5, 6)]
        assert repr(abi) == f"DetectedAbi(version='{abi.version}')"
        assert abi != nono_py.detect_abi()


class TestPlan:
    def test_names_every_boundary(self) -> None:
        caps = system_caps()
        caps.block_network()
        record = nono_py.plan(caps)
        boundaries = {entry["boundary"]: entry for entry in record["boundaries"]}
        assert boundaries["files"]["enforced_by"] == "landlock"
        assert boundaries["udp"]["enforced_by"] == "seccomp"
        assert record["network"]["sockets"] == "none"
        assert len(record["grants"]) == len(caps.fs_capabilities())

    def test_environment_by_name_only(self) -> None:
        record = nono_py.plan(CapabilitySet(), env=[("API_KEY", "secret")])
        assert record["environment"] == ["API_KEY"]
        assert "secret" not in repr(record)

    def test_limits(self) -> None:
        record = nono_py.plan(
            CapabilitySet(),
            max_cpu_seconds=5,
            max_file_size_bytes=0,
            max_open_files=64,
            max_memory_bytes=2**30,
        )
        limits = {"cpu_seconds": 5, "file_size_bytes": 0, "open_files": 64, "memory_bytes": 2**30}
        assert limits.items() <= record["limits"].items()

    def test_isolation(self) -> None:
        assert nono_py.plan(CapabilitySet(), isolation="process")["isolation"] == "process"
        needs_namespaces()
        assert nono_py.plan(CapabilitySet(), isolation="namespaces")["isolation"] == "namespaces"

    def test_impossible_namespaces_are_refused(self) -> None:
        if can_use_namespaces():
            pytest.skip("expected: this host allows namespaces")
        result = nono_py.sandboxed_exec(system_caps(), ["/bin/true"], isolation="namespaces")
        assert result.exit_code == 126
        assert b"isolation by namespaces is not possible here" in result.stderr

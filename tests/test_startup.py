"""Start-up is this tool's latency: which modules a scenario may load, not how long it takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import lab

HEAVY = (
    "typer", "click", "rich", "libvirt", "typing", "msgspec", "pydantic", "yaml", "csv", "xml",
    "tomllib", "asyncio", "logging", "dataclasses", "inspect", "importlib.metadata", "hypothesis",
    "tarfile", "datetime", "difflib", "subprocess", "ssl", "urllib.request",
    "prometheus_client", "http.server", "wsgiref",
)  # fmt: skip

REPORT = """
import atexit, os, sys
real = os._exit
def leave(code):
    sys.stderr.write("\\n" + " ".join(sys.modules))
    sys.stderr.flush()
    real(code)
os._exit = leave
from qga_cli.__main__ import main
main()
leave(0)
"""


# What Python has loaded before us, and what each of these is without: they take as long to load as
# all of qga. An answer that is not empty needs json, and json needs re.
SLOW = {
    "re", "enum", "json", "functools", "collections", "contextlib", "threading", "queue", "signal",
    "fnmatch", "importlib", "operator", "math", "shlex", "tempfile", "weakref",
}  # fmt: skip


def everything(*words: str) -> set[str]:
    """The modules a command line loads, but for those of an empty Python."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=False
    )
    modules = set(done.stderr.rsplit("\n", 1)[-1].split())
    assert "qga_cli.__main__" in modules, done.stderr
    return modules - imported_with("atexit")


def imported_with(module: str) -> set[str]:
    """The modules of a Python that has imported one."""
    program = f"import {module}, sys; print(*sys.modules)"
    argv = [sys.executable, "-c", program]
    return set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())


def loaded(*words: str) -> set[str]:
    """The heavy modules a command line loads."""
    modules = everything(*words)
    return {name for name in HEAVY if name in modules}


def test_version_loads_nothing_at_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, "--version"], capture_output=True, text=True, check=True
    )
    modules = done.stderr.rsplit("\n", 1)[-1].split()
    assert [name for name in modules if name.startswith("qga_cli")] == [
        "qga_cli",
        "qga_cli.__main__",
    ]


@pytest.mark.parametrize(
    "words", [("ping",), ("fs", "list"), ("net", "interfaces", "-o", "json"), ("metrics",)]
)
def test_raw_socket_into_a_pipe_loads_nothing_heavy(
    local_agent: str, words: tuple[str, ...]
) -> None:
    assert loaded("-c", local_agent, *words, "x") == set()


def test_libvirt_into_a_pipe_loads_its_c_module_only() -> None:
    assert loaded("-c", "test:///default", "ping", "test") == set()


def test_a_ping_loads_nothing_slow(guest: lab.Guest) -> None:
    assert everything("ping", guest.name) & SLOW == set()


def test_the_command_imports_nothing_but_ours() -> None:
    """pip's own script for an entry point has `re`."""
    text = (Path(sys.executable).parent / "qga").read_text()
    imported = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    assert imported == ["import sys", "from qga_cli.__main__ import main"]


def test_help_loads_nothing_heavy() -> None:
    assert loaded("ping", "--help") == set()
    assert loaded("exec", "-h") == set()


def test_help_among_other_words_loads_neither_rich_nor_libvirt() -> None:
    typers = imported_with("typer")  # old releases import rich where it is installed
    assert loaded("ping", "web1", "--help") & ({"rich", "libvirt", "yaml"} - typers) == set()


def test_only_the_command_asked_for_is_loaded(local_agent: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, "-c", local_agent, "fs", "status", "x"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = done.stderr.rsplit("\n", 1)[-1].split()
    commands = [name for name in modules if name.startswith("qga_cli.commands.")]
    assert commands == ["qga_cli.commands.fs", "qga_cli.commands.fs.status"]
    assert "qga_cli.policy.guard" not in modules


def test_completion_loads_nothing_heavy(local_agent: str) -> None:
    assert loaded("__complete", "guest", "", "-c", local_agent, "ping") == set()
    assert loaded("__complete", "mountpoint", "/", "-c", local_agent, "fs", "list", "x") == set()

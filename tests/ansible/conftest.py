"""Ansible's programs, in a folder of their own, and a guest that they manage."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import REPO, lab

BIN = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


class Ansible:
    """Runs ansible's programs in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ansible.cfg").write_text(
            "[defaults]\ninterpreter_python = /usr/bin/python3\n"
            "[inventory]\nenable_plugins = qga.guest.guests, ini, yaml\n"
        )
        self.env = {
            **os.environ,
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(REPO),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        }

    def argv(self, program: str, *words: str) -> list[str]:
        return [sys.executable, str(BIN / program), *words]

    def __call__(
        self, program: str, *words: str, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(program, *words), env=self.env, cwd=self.folder, text=True,
            capture_output=True, timeout=timeout,
        )  # fmt: skip

    def inventory(self, **hosts: str) -> str:
        """The path of an inventory of guests, each with what is to be said of it."""
        path = self.folder / "hosts"
        lines = [f"{name} {about}" for name, about in hosts.items()]
        path.write_text("\n".join([*lines, "[all:vars]", "ansible_connection=qga.guest.agent"]))
        return str(path)


def recap(text: str) -> dict[str, tuple[int, ...]]:
    """By host: ok, changed, unreachable, failed."""
    return {name: tuple(map(int, counts)) for name, *counts in RECAP.findall(text)}


def processes(folder: Path) -> list[bytes]:
    """The command lines that name this folder: Ansible's workers, and what keeps a guest open."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words:
            found.append(words)
    return found


@pytest.fixture
def ansible(tmp_path: Path) -> Iterator[Ansible]:
    yield Ansible(tmp_path)
    for socket in (tmp_path / "home" / "cp").glob("qga-*"):
        socket.unlink()  # whoever listens there is wanted no more


@pytest.fixture(scope="package")
def managed() -> Iterator[lab.Guest]:
    """A guest with all of Python, sudo and apt's library."""
    with lab.up(f"qga-ansible-{os.getpid()}", "bookworm-python") as running:
        yield running

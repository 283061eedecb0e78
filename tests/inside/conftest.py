"""The shells of guests: each test of a script runs under all of them."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.inside import script

# Under busybox's shell all tools are busybox's own, as on Alpine. "files" are the here-documents of
# a bash before 5.1: deleted files, no pipes.
SHELLS = {
    "dash": ["dash"],
    "bash": ["bash", "--posix"],
    "files": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
}

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def applets(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with nothing but busybox's tools."""
    folder = tmp_path_factory.mktemp("applets")
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True)
    return str(folder)


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs the script `inside/NAME.sh`, or several (A+B), with words, in the test's folder.

    `around` gets their text, to add to it.
    """
    shell = SHELLS[request.param]
    environment = {**os.environ, "LC_ALL": "C"}
    if request.param == "files":
        environment["BASH_COMPAT"] = "50"
    if request.param == "busybox":
        shell = [f"{request.getfixturevalue('applets')}/busybox", "sh"]
        environment["PATH"] = request.getfixturevalue("applets")

    def run(
        names: str, *words: str, stdin: bytes = b"", around: "Callable[[str], str]" = str
    ) -> "subprocess.CompletedProcess[bytes]":
        text = around("".join(map(script, names.split("+"))))
        return subprocess.run(
            [*shell, "-c", text, "qga", *words],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment,
            timeout=20,
        )

    return run

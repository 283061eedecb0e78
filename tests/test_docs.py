"""What the documents show is typed in: every shell and Python block, every `qga ...` in a table."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.cli import main, typer_parser
from tests import REPO, lab
from tests.cli.test_help import typed
from tests.kit.running import GUARD, readable

DOCUMENTS = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:<!-- before: (.*?) -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
GUESTS = re.compile(r"\b(web1|web2|db1|demo)\b")
ALIASES = ("df",)  # of the configuration that a document shows
NOT_HERE = ("make ", "pipx ", "pip ", "sudo apt ")  # they install, or run this very suite


ISLAND = "without-network.md"  # tests/network runs its blocks, on a guest that has none


def blocks(language: str) -> list[tuple[Path, str, str]]:
    """The blocks in one language: document, text, and what is run before it, unseen."""
    return [
        (path, text, before)
        for path in DOCUMENTS
        for before, found, text in BLOCK.findall(path.read_text())
        if found == language and path.name != ISLAND
    ]


def named(block: tuple[Path, str, str]) -> str:
    return f"{block[0].name}: {block[1].splitlines()[0][:40]}"


@pytest.fixture(scope="module")
def place(guest: lab.Guest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with `qga` and a configuration."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "bin").mkdir()
    program = folder / "bin" / "qga"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m qga_cli "$@"\n')
    program.chmod(0o755)
    for name in ("ansible-inventory", "ansible-playbook"):
        (folder / "bin" / name).symlink_to(Path(sys.executable).parent / name)
    (folder / "qga").mkdir()
    (folder / "qga" / "config.toml").write_text(f'[groups]\nweb = ["{guest.name}"]\n')
    return folder


def environment(place: Path, guest: lab.Guest) -> dict[str, str]:
    return {
        "PATH": f"{place}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(REPO),
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place),
        "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", ""),
        "LIBVIRT_DEFAULT_URI": guest.uri,
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "COLUMNS": "100",
        "MANPAGER": "cat",
    }


def script(text: str, guest: lab.Guest) -> str:
    """`text` for the guest that there is; several names of guests are all this one.

    Patterns too: other guests of this machine are none of our business.
    """
    return GUESTS.sub(guest.name, re.sub(r"'(web)?\*'", f"'{guest.name}*'", text))


@pytest.mark.parametrize("block", blocks("sh"), ids=named)
def test_shell_blocks_run(block: tuple[Path, str, str], place: Path, guest: lab.Guest) -> None:
    _, text, before = block
    lines = [line for line in text.splitlines() if not line.startswith(NOT_HERE)]
    env = environment(place, guest)
    for part in filter(None, (before, "\n".join(lines))):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script(part, guest)], cwd=place, env=env,
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


STREAMS = [block for block in blocks("python") if ".open_stream(" in block[1]]


@pytest.mark.port_written
@pytest.mark.parametrize("block", STREAMS, ids=named)
def test_python_blocks_with_streams_run(
    block: tuple[Path, str, str], place: Path, guest: lab.Guest
) -> None:
    test_python_blocks_run(block, place, guest)


@pytest.mark.parametrize(
    "block", [block for block in blocks("python") if block not in STREAMS], ids=named
)
def test_python_blocks_run(block: tuple[Path, str, str], place: Path, guest: lab.Guest) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script(block[1], guest)], env=environment(place, guest),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_modules_that_are_to_be_run_are_there() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS)
    for module in set(re.findall(r"python -m ([\w.]+)", text)):
        assert find_spec(module), module


def shown() -> Iterator[tuple[Path, str, list[str]]]:
    """Every command behind a `$ ` in a console block, and the lines that it prints there."""
    for path, text, _ in blocks("console"):
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, *output = part.splitlines()
            yield path, command, output


def on_a_terminal(line: str, env: dict[str, str], folder: Path) -> tuple[int, str]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", line], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
        env=env | {"TERM": "dumb"},  # no line that comes and goes while we wait
        cwd=folder,
    )  # fmt: skip
    os.close(slave)
    out = b""
    while readable(master, 60):
        try:
            out += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.decode()).replace("\r\n", "\n")
    return process.wait(GUARD), text


def outline(text: str) -> list[str]:
    """The words of a line that stay the same from guest to guest: no numbers, no bars."""
    return [word for word in text.split() if not re.search(r"[\d━─:]", word)]


@pytest.mark.parametrize("example", list(shown()), ids=lambda example: str(example[1])[:40])
def test_console_blocks_print_what_they_show(
    example: tuple[Path, str, list[str]], place: Path, guest: lab.Guest
) -> None:
    _, command, output = example
    code, said = on_a_terminal(script(command, guest), environment(place, guest), place)
    assert "bug in qga" not in said
    if not output:
        assert (code, said) == (0, "")
        return
    said = re.sub(r"\((bullseye|trixie)\)", "(bookworm)", said)  # whichever suite is under test
    lines = said.replace(guest.name, "demo").splitlines()
    assert lines
    assert outline(lines[0]) == outline(GUESTS.sub("demo", output[0])), said


def mentioned() -> Iterator[tuple[str, str]]:
    """Every `qga ...` between backticks."""
    for path in DOCUMENTS:
        for line in re.findall(r"`(qga [^`]+)`", path.read_text()):
            if not re.search(r"\b(VM|COMMAND|GROUP|HOST)\b|\[", line):  # a pattern
                yield path.name, line.replace("\\|", "|")


@pytest.mark.parametrize(("document", "line"), list(mentioned()))
def test_every_command_line_mentioned_can_be_typed(document: str, line: str) -> None:
    for words in typed(line):
        command, rest = main.find(words)
        assert command or catalog.is_group(words[0]) or words[0][0] in "-_" or words[0] in ALIASES
        if command and rest:  # else the command as such is meant
            typer_parser.parse(command, rest)

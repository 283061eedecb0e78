"""cp and its kin in a Windows guest. S1, S2 ... number the faults that were found there first."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.kit.command import Ran, qga
from tests.kit.fake import AgentFault, FakeAgent
from tests.kit.running import GUARD, eventually
from tests.windows.conftest import DATA, MB, Windows, good
from tests.windows.conversation import Recorder


def test_a_copy_into_a_folder(live: Windows, data: Path, here: Path) -> None:
    """S12: the folder was recognized by POSIX words."""
    (here / "a.txt").write_text("hello\n")
    assert good(live("cp", str(here / "a.txt"), DATA)) == ""
    assert good(live("cp", str(here / "a.txt"), f"{DATA}\\")) == ""
    assert good(live("cp", str(here / "a.txt"), f"{DATA}\\other.txt")) == ""
    assert sorted(path.name for path in data.iterdir()) == ["a.txt", "other.txt"]
    assert (data / "other.txt").read_text() == "hello\n"


@pytest.mark.parametrize(
    "name", ["plain", "a b", "ü日😀", "100%", "%OS%", "a&b", "(x)", "^y", "!z!"]
)
def test_names(live: Windows, data: Path, here: Path, name: str) -> None:
    content = os.urandom(3000)
    (here / name).write_bytes(content)
    good(live("cp", str(here / name), f"{DATA}\\"))
    assert (data / name).read_bytes() == content
    assert live("cat", f"{DATA}\\{name}").stdout == content
    good(live("mv", f"{DATA}\\{name}", f"{DATA}\\{name}2"))
    good(live("rm", f"{DATA}\\{name}2"))
    assert list(data.iterdir()) == []


def test_large_copies(live: Windows, data: Path, here: Path) -> None:
    content = os.urandom(20 * MB)
    (here / "x").write_bytes(content)
    good(live("cp", str(here / "x"), f"{DATA}\\x"))
    good(live("cp", f"{DATA}\\x", str(here / "y")))
    assert (here / "y").read_bytes() == content


def test_a_copy_replaces_in_one_step(live: Windows, data: Path, here: Path) -> None:
    """An interrupted one leaves what was there, and can be completed."""
    (data / "x").write_text("old")
    (here / "x").write_bytes(os.urandom(20 * MB))
    words = ["cp", str(here / "x"), f"{DATA}\\x"]
    process = live.start(*words)
    assert eventually(lambda: any(path.stat().st_size > MB for path in data.glob(".x.*")))
    process.send_signal(signal.SIGINT)
    assert process.wait(GUARD) != 0
    assert (data / "x").read_text() == "old"
    good(live("cp", "--resume", *words[1:]))
    assert (data / "x").read_bytes() == (here / "x").read_bytes()
    assert len(list(data.iterdir())) == 1


def test_what_depends_on_the_agents_folder_is_refused(win: Windows) -> None:
    """S19."""
    for path in ("\\data\\x", "C:", "C:x", "/data/x", "data\\x"):
        ran = win("cat", f"win:{path}")
        assert ran.code == 2
        assert "C:\\dir\\file" in ran.err


def test_long_and_slashed_paths(live: Windows, data: Path) -> None:
    (data / "x").write_text("x")
    for path in ("C:/data/x", "\\\\?\\C:\\data\\x", "c:\\data\\.\\x"):
        assert good(live("cat", f"win:{path}")) == "x"


def test_edit(live: Windows, data: Path) -> None:
    (data / "x.ini").write_bytes(b"a=1\r\nb=2\r\n")
    env = live.env | {"EDITOR": "sed -i s/a=1/a=3/"}
    ran = qga("-c", live.uri, "edit", f"{DATA}\\x.ini", env=env)
    assert ran.code == 0, ran.err
    assert (data / "x.ini").read_bytes() == b"a=3\r\nb=2\r\n"


def test_edit_makes_a_file(live: Windows, data: Path) -> None:
    ran = qga(
        "-c", live.uri, "edit", f"{DATA}\\new", env=live.env | {"EDITOR": "sh -c 'echo x>$0'"}
    )
    assert ran.code == 0, ran.err
    assert (data / "new").read_text() == "x\n"


def test_what_cannot_be_replaced_is_said(live: Windows, data: Path, here: Path) -> None:
    (here / "x").write_text("x")
    (data / "x").mkdir()
    ran = live("cp", str(here / "x"), DATA)
    assert ran.code == 1
    assert [path.name for path in data.iterdir()] == ["x"]
    assert live("cp", str(here / "x"), f"{DATA}\\no\\x").code == 1


def test_an_agent_that_speaks_german(live: Windows, data: Path, here: Path, tmp_path: Path) -> None:
    """S20: what the agent says is in its system's language, but for glib's words in brackets."""
    recorder = Recorder(live.agent)
    said = []

    def translated(request: dict[str, object]) -> object:
        try:
            return recorder(request)
        except AgentFault as fault:
            said.append(str(fault))
            glibs = re.search(r"\([A-Z][a-z ]+\)", str(fault))
            raise AgentFault(
                f"Fehlgeschlagen: Zugriff verweigert. {glibs[0] if glibs else ''}"
            ) from fault

    between = FakeAgent(tmp_path / "between.sock", translated)

    def german(*words: str) -> Ran:
        return qga("-c", between.uri, *words, env=live.env)

    (here / "x").write_text("x")
    good(german("cp", str(here / "x"), DATA))
    assert (data / "x").read_text() == "x"
    assert "Is a directory" in german("cat", DATA).err
    assert "No such file" in german("cat", f"{DATA}\\none").err
    assert german("wait", "win", "--for", "file:C:\\data", "--timeout", "5s").code == 0
    assert german("wait", "win", "--for", "thawed", "--timeout", "5s").code == 0
    assert german("exec", "win", "--", "nosuch").code == 127
    assert german("exec", "win", "--", "cmd", "/c", "exit 3").code == 3
    assert said
    between.close()
    recorder.close()

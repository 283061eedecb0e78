"""What a Windows guest may say in place of a number."""

from types import SimpleNamespace

import pytest

from qga_cli.agent.exit_codes import told
from qga_cli.errors import BadReply
from qga_cli.windows.files import WindowsFiles

TOO_LONG = "9" * 5000  # int() refuses that, by an error of its own


def answering(said: str) -> WindowsFiles:
    files = object.__new__(WindowsFiles)
    files.private = SimpleNamespace(run=lambda batch: (0, said))  # type: ignore[assignment]
    files.target = None
    return files


@pytest.mark.parametrize("said", [TOO_LONG, "²", "", "-1", "1\n2"])
def test_a_size_is_a_number(said: str) -> None:
    with pytest.raises(BadReply, match="bytes"):
        answering(said).size("C:\\f")


@pytest.mark.parametrize("said", [TOO_LONG, "²", ""])
def test_a_part_has_a_size(said: str) -> None:
    name = f"f.{'0' * 16}.part"
    assert answering(f"{said}/{name}\n").parts("C:\\d\\f.", ".part") == {}
    assert answering(f"7/{name}\n").parts("C:\\d\\f.", ".part") == {f"C:\\d\\{name}": 7}


def test_an_end_without_a_code_is_no_bug_of_ours() -> None:
    """It was a KeyError, which ends a fleet's other guests too."""
    with pytest.raises(BadReply, match="and not how"):
        told({"exited": True})
    assert told({"exited": True, "exitcode": -1})["exitcode"] == 2**32 - 1
    assert told({"exited": True, "exitcode": 0})["exitcode"] == 0

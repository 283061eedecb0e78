"""Scripts of the host in a Windows guest, of any length: .cmd, .bat, .ps1."""

from __future__ import annotations

from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ENDINGS = (".cmd", ".bat", ".ps1")
_POWERSHELL = ["powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"]


class Script(list[str]):
    """A command line whose program is a file of ours: `ending` tells which one runs it."""

    def __init__(self, name: str, content: bytes, words: Sequence[str]) -> None:
        super().__init__([name, *words])
        self.ending = next((one for one in ENDINGS if name.lower().endswith(one)), ".cmd")
        self.content = _powershell(name, content) if self.ending == ".ps1" else _cmd(content)

    def argv(self, path: str) -> list[str]:
        """The words that run it, once it is the file `path` in the guest."""
        start = [*_POWERSHELL, "-File"] if self.ending == ".ps1" else []
        return [*start, path, *self[1:]]


def _cmd(content: bytes) -> bytes:
    """cmd misses labels where lines end with a newline alone, and reads the console's code page."""
    content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if content.isascii():
        return content
    try:
        content.decode()
    except UnicodeDecodeError:
        return content  # in the guest's code page, hopefully
    return b"@chcp 65001 >NUL\r\n" + content


def _powershell(name: str, content: bytes) -> bytes:
    """Windows PowerShell takes a file without this mark for one in the code page."""
    try:
        return content.decode("utf-8-sig").encode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the script {name} is not UTF-8") from error

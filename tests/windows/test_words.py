"""Quoting for Windows, paths, scripts: pure text."""

import pytest

from qga_cli.agent.exit_codes import told
from qga_cli.errors import UsageError
from qga_cli.windows.code_page import Page, Readable
from qga_cli.windows.paths import full, join, parent
from qga_cli.windows.ports import is_told
from qga_cli.windows.script import Script
from qga_cli.windows.words import Batch, quote


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"), ("", '""'), ("a b", '"a b"'), ('a"b', '"a\\"b"'), ("a\\", "a\\"),
        ("a b\\", '"a b\\\\"'), ('\\"', '"\\\\\\""'), ("C:\\a\\b", "C:\\a\\b"), ("a&b", '"a&b"'),
    ],
)  # fmt: skip
def test_words_for_the_c_runtime(word: str, quoted: str) -> None:
    """By the rules of CommandLineToArgvW."""
    assert quote(word) == quoted


def test_a_batch_file_is_ascii_and_expands_nothing() -> None:
    batch = Batch()
    batch.run(["C:\\x.exe", "100%", "%OS%", "a&b", "ü%OS%"])
    text = batch.encode().decode("ascii")
    assert text.splitlines()[1] == (
        'set QGA_0=&^"C:\\x.exe^" ^"100%%^" ^"%%OS%%^" ^"a^&b^" %QGA_0%'
    )
    assert batch.variables == {"QGA_0": '^"ü%OS%^"'}


def test_a_line_for_cmd_is_left_as_it_is() -> None:
    batch = Batch()
    batch.run(["cmd", "/c", 'dir "C:\\a b" & echo %OS%'])
    assert batch.encode().decode().splitlines()[1] == (
        '^"cmd^" /s /c ^"dir ^"C:\\a b^" ^& echo %%OS%%^"'
    )


def test_a_batch_file_gets_no_quote() -> None:
    with pytest.raises(UsageError, match="batch file"):
        Batch().run(["x.cmd", 'a"b&calc'])
    with pytest.raises(UsageError, match="batch file"):
        Batch().run(["C:\\dir\\X.BAT", 'a"b'])


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("C:\\a\\b", "C:\\a\\b"), ("C:/a/b/", "C:\\a\\b"), ("C:\\", "C:\\"),
        ("\\\\srv\\share\\x", "\\\\srv\\share\\x"), ("\\\\?\\C:\\x", "C:\\x"),
        ("\\\\?\\UNC\\srv\\share\\x", "\\\\srv\\share\\x"),
    ],
)  # fmt: skip
def test_full_paths(path: str, meant: str) -> None:
    assert full(path) == meant


@pytest.mark.parametrize(
    "path",
    ["/C:x", "/C:", "/\\data", "/data", "C:\\a*", "C:\\a?b", "C:\\a:stream", 'C:\\a"b', "//x"],
)
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        full(path)


@pytest.mark.parametrize(
    "path", ["C:\\ ", "C:\\...", "C:\\data\\ ", "C:\\d.\\f", "C:\\f. .", "C:\\..\\ "]
)
def test_what_windows_leaves_off_a_name_is_not_passed_on(path: str) -> None:
    """It takes blanks and dots off a name's end: `rm -r 'win:C:\\ '` would be C:\\ itself."""
    with pytest.raises(UsageError, match="ends in a blank or a dot"):
        full(path)
    for good in ("C:\\.git\\a.b", "C:\\a\\..\\b", "C:\\.", "C:\\a b\\", "\\\\s\\share\\f"):
        assert full(good)


def test_parts_of_paths() -> None:
    assert parent("C:\\a\\b") == "C:\\a"
    assert parent("C:\\a") == "C:\\"
    assert join("C:\\", "a") == "C:\\a"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"signal": -1073741819}, 0xC0000005), ({"signal": -128}, 2**32 - 128),
        ({"exitcode": -2147483648}, 0x80000000), ({"signal": -1}, 2**32 - 1),
    ],
)  # fmt: skip
def test_codes_of_32_bits(status: dict[str, int], code: int) -> None:
    """S2."""
    assert told({"exited": True, **status}) == {"exited": True, "exitcode": code}


def test_scripts_of_cmd_have_its_line_ends() -> None:
    assert Script("x.bat", b"a\nb\r\n", ["w"]).content == b"a\r\nb\r\n"
    assert Script("x.cmd", "ü\n".encode(), []).content.startswith(b"@chcp 65001")


def test_scripts_of_powershell_say_that_they_are_utf8() -> None:
    script = Script("x.PS1", "Write-Host ü\n".encode(), ["it's me", ""])
    assert script.content == "\ufeffWrite-Host ü\n".encode()
    words = script.argv("C:\\t\\x.ps1")
    assert words[0] == "powershell.exe"
    assert words[-4:] == ["-File", "C:\\t\\x.ps1", "it's me", ""]
    with pytest.raises(UsageError):
        Script("x.ps1", b"\xff\xfe\xff", [])


@pytest.mark.parametrize(
    "state", ["LISTENING", "ABHÖREN", "ESCUCHANDO", "À L'ÉCOUTE", "リッスン", "ОЖИДАНИЕ"]
)
def test_who_listens_is_told_in_any_language(state: str) -> None:
    """S20: the word LISTEN was looked for."""
    said = (
        f"  TCP    0.0.0.0:80      0.0.0.0:0         {state}\r\n"
        "  TCP    10.0.0.1:443    10.0.0.2:51000    HERGESTELLT\r\n"
        f"  TCP    [::]:8080       [::]:0            {state}\r\n"
        "  UDP    0.0.0.0:53      *:*\r\n"
    )
    found = [port for port in (53, 80, 443, 8080, 51000) if is_told(said, port)]
    assert found == [80, 8080]


class _Page850(Page):
    def __init__(self) -> None:
        self.asked = 0

    def name(self) -> str:
        self.asked += 1
        return "cp850"


@pytest.mark.parametrize("encoding", ["utf-8", "cp850"])
@pytest.mark.parametrize("piece", [1, 3, 100])
def test_output_in_a_code_page_becomes_utf8(encoding: str, piece: int) -> None:
    written, shown, page = "ok, Größe: 3 µm\r\n".encode(encoding), bytearray(), _Page850()
    readable = Readable(shown.extend, page)
    for at in range(0, len(written), piece):
        readable.take(written[at : at + piece])
    readable.close()
    assert shown.decode() == "ok, Größe: 3 µm\r\n"
    assert page.asked == (encoding == "cp850")

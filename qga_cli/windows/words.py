"""How words reach a Windows program: quoted for its C runtime, and that for cmd.

A program gets one line of text and splits it itself; most do it as Microsoft's C runtime does. A
batch file of ours brings that line exactly, which no other way of the agent's can: glib drops empty
words (protect_argv_string in glib/gspawn-win32.c), and cmd expands %NAME% in what follows /c.

>>> quote('C:\\\\a b\\\\'), quote('say "hi"'), quote(""), quote("plain")
('"C:\\\\a b\\\\\\\\"', '"say \\\\"hi\\\\""', '""', 'plain')
>>> shielded('"a&b"')
'^"a^&b^"'
"""

from __future__ import annotations

import re

from qga_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = re.compile(r"[\w.:\\/+@,=~-]+")
_OPERATORS = re.compile(r'[()!^"<>&|]')
_LINE = 8000  # of the 8,191 characters that cmd takes in a line
_CMD = re.compile(r"(?:.*[\\/])?cmd(?:\.exe)?", re.IGNORECASE)
_SWITCH = re.compile(r"/[ckr]", re.IGNORECASE)
_BATCH = re.compile(r".*\.(?:cmd|bat)", re.IGNORECASE)  # what cmd itself runs

DONE = 77  # exit code of a batch file that has come to its end: cmd's own 0 says nothing
IS_FOLDER = '"%QGA_A:~0,1%"=="d"'  # after `look_at`


class Batch:
    """The text of a batch file, and the variables that carry what is not ASCII.

    cmd reads a batch file in the console's code page, variables are Unicode. A value that a
    variable brings is not expanded again, so only operators need their carets there.
    """

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self._lines = ["@echo off"]

    def add(self, line: str) -> None:
        """One line of constants, and of what `text` has made."""
        self._lines.append(line)

    def must(self, line: str, code: int) -> None:
        """One line whose words are wanted; where it fails, end with this exit code."""
        self.add(f"{line} 2>&1")
        self.add(f"if errorlevel 1 exit {code}")

    def text(self, line: str) -> str:
        """Any text as cmd is to see it after it has looked for operators: itself."""
        if "\n" in line or "\r" in line or "\0" in line:
            raise UsageError(
                "cmd of Windows takes no line break in a word",
                hint="write it to a file: `qga script` runs one, `qga cp` copies one",
            )
        if line.isascii():
            return shielded(line).replace("%", "%%")
        name = f"QGA_{len(self.variables)}"
        self.variables[name] = shielded(line)
        return f"%{name}%"

    def path(self, path: str) -> str:
        """A path as cmd's own commands take it: in quotes, which end no earlier than it does."""
        if any(char in path for char in '"\n\r\0'):
            raise UsageError(f"{path!r} is no path of Windows")
        if path.isascii():
            return '"' + path.replace("%", "%%") + '"'
        name = f"QGA_{len(self.variables)}"
        self.variables[name] = path
        return f'"%{name}%"'

    def look_at(self, name: str) -> None:
        """After this IS_FOLDER can be asked. `if exist NAME\\` is true of files too, under wine."""
        self.add(f"for %%I in ({name}) do set QGA_A=%%~aI")

    def unless_folder(self, name: str, code: int) -> None:
        """Go on if `name` is no folder; else end with this exit code."""
        self.look_at(name)
        self.add(f"if {IS_FOLDER} exit {code}")

    def if_folder(self, name: str, code: int) -> None:
        """Go on if `name` is a folder; else end with this exit code."""
        self.look_at(name)
        self.add(f"if not {IS_FOLDER} exit {code}")

    def run(self, argv: Sequence[str]) -> None:
        """The line that runs a program; our variables are gone when it starts."""
        have = len(self.variables)
        line = " ".join(self.text(part) for part in _parts(argv))
        ours = list(self.variables)[have:]
        whole = len(line) + sum(len(self.variables[name]) for name in ours)
        if whole > _LINE:
            raise UsageError(
                f"this command line has {whole:,} characters, cmd of Windows takes {_LINE:,}",
                hint="`qga script` runs a file of any length",
            )
        # The whole line is expanded before its first command runs.
        self.add("".join(f"set {name}=&" for name in ours) + line)

    def encode(self) -> bytes:
        """The file."""
        return ("\r\n".join(self._lines) + "\r\n").encode("ascii")


def quote(word: str) -> str:
    """A word as CommandLineToArgvW and the C runtime read it back."""
    if _PLAIN.fullmatch(word):
        return word
    # Backslashes count double before a quote, also before the closing one, and nowhere else.
    inner = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return f'"{inner}{inner[len(inner.rstrip(chr(92))) :]}"'


def shielded(text: str) -> str:
    """`text` with a caret before all that cmd would act on; its quotes then open nothing."""
    return _OPERATORS.sub(r"^\g<0>", text)


def _parts(argv: Sequence[str]) -> list[str]:
    """The words as the line has them."""
    program, *words = argv
    if not program:
        raise UsageError("a program's name cannot be empty")
    if _CMD.fullmatch(program):
        for at, word in enumerate(words):
            if _SWITCH.fullmatch(word):
                # With /s cmd takes off the outer quotes and nothing else.
                return [f'"{program}"', *words[:at], "/s", word, f'"{_typed(words[at + 1 :])}"']
    if _BATCH.fullmatch(program) and any('"' in word for word in words):
        raise UsageError(
            "a batch file cannot be given a quote in a word: cmd would read it as its own",
            hint="`qga exec VM -- cmd /c LINE` runs a line of cmd as it is",
        )
    return [f'"{program}"', *map(quote, words)]


def _typed(words: Sequence[str]) -> str:
    """The line for cmd /c: one word is a line already, several are put together as people type."""
    if len(words) == 1:
        return words[0]
    return " ".join(
        f'"{word}"' if not word or (" " in word and '"' not in word) else word for word in words
    )

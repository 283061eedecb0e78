"""Values in, text out. Decides once per run which form the answer takes."""

from __future__ import annotations

import os
import sys

from qga_cli.errors import QgaError, UsageError
from qga_cli.format import printable, shorten
from qga_cli.outlet import is_dumb
from qga_cli.render import forms, machine
from qga_cli.spec import Column, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from qga_cli.guests.fleet import Outcome
    from qga_cli.render.watch import Rates


class View:
    """How one command's answers are printed.

    `output` is what -o says, "" without; then a terminal gets tables, a pipe TSV or bare values.
    That is the form, a class in render.forms. The shape is the value's own: nothing (None, or {}
    of a command without columns), a value, an object, a list:

        form   nothing  value        object              list            many guests
        table  -        its cell     member per line     grid            grid with vm, at the end
        tsv    -        bare         name TAB value      grid            grid with vm, as they come
        csv    -        grid of one  grid of one         grid            grid with vm, as they come
        json   null     document     document            document        a line each, errors too
        jsonl  null     one line     one line            a line an item  a line each, errors too
        yaml   null     document     document            document        document by vm, at the end
        raw    the reply line to the letter, whatever it holds           a line each

    A command without columns has bare values: `value`, of many guests `vm: value`; in csv a column
    called value. Where no reply came, every form prints nothing for one guest. With --sort a grid
    of many guests comes at the end. --watch: an object is a grid too, what grows is shown per
    second; tsv and csv begin with a column `time` and have one header; a table on a terminal is
    drawn over the one before; yaml begins each document with ---; the others just go on.
    """

    def __init__(
        self,
        command: Command,
        *,
        output: str = "",
        terminal: bool = False,
        fleet: bool = False,
        columns: str = "",
        header: bool = True,
        sort: str = "",
        watch: bool = False,
        guest: str = "",
    ) -> None:
        self.command = command
        self.guest = guest
        self.terminal = terminal
        self.fleet = fleet
        self.header = header
        self.columns = _chosen(command, columns)
        self.chosen = bool(columns)
        self.sort = sort
        if sort:
            _known(command, [sort.removeprefix("-")])
        self.rates: Rates | None = None
        if watch:
            from qga_cli.render import watch as watching

            self.rates = watching.Rates(command.columns)
        self._form = forms.FORMS[output or ("table" if terminal else "tsv")](self)

    @property
    def watches(self) -> bool:
        """Whether the same is asked again and again."""
        return self.rates is not None

    @property
    def errors_are_json(self) -> bool:
        """Whether errors are printed as JSON too."""
        return isinstance(self._form, forms.Json)

    @property
    def is_raw(self) -> bool:
        """Whether bytes go through as they come."""
        return isinstance(self._form, forms.Raw)

    @property
    def gathers(self) -> bool:
        """Whether a fleet's answers are one table, printed when the last one is in."""
        at_end = self._form.when_gathered or (self._form.when_sorted and bool(self.sort))
        return self.fleet and at_end and bool(self.command.columns)

    def one(self, value: Any, text: str = "", seconds: float = 0.0) -> str:
        """The answer of one guest: the checked value, the reply line it came in, and after what
        time."""
        if words := self.words(value, seconds):
            return f"{printable(self.guest)}: {words}\n"
        if value is None and not text:
            return ""  # no reply came, which is how shutdown and suspend succeed
        return self._form.one(value, text)

    def words(self, value: Any, seconds: float) -> str:
        """The sentence that a terminal gets where a pipe gets a bare value, or nothing."""
        say = self.command.rows
        bare = self.terminal and not self.command.columns and isinstance(self._form, forms.Table)
        return say(value, seconds) if bare and callable(say) and value is not None else ""

    def many(self, outcomes: Iterable[Outcome]) -> str:
        """The answers of some guests of a fleet, errors left out unless the form is JSON."""
        return self._form.many(list(outcomes))


def error_text(
    error: QgaError, guest: str = "", *, known: str = "", as_json: bool = False, hinted: bool = True
) -> str:
    """An error as stderr shows it: one line, and, if `hinted`, one with the hint.

    It begins with `guest`, else with the guest that it is of, unless the reader has `known`.
    """
    known = known or guest
    if as_json:
        vm = {"vm": guest} if guest else {}
        return machine.json_text({**vm, "error": error.as_dict(known=known)})
    about = f"{printable(guest)}: " if guest else ""
    said = f"{about}{shorten(printable(error.said(known=known)))}"
    text = _line("qga:", said, "1;31")
    hint = error.advice if hinted else ""
    return text + (_line("hint:", shorten(printable(hint)), "1") if hint else "")


def answer(text: str) -> None:
    """Print it, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def note(text: str, *, style: str = "") -> None:
    """One line on stderr; `style` as SGR has it, for its first word on a terminal."""
    complain(_line("qga:", printable(text), style))


def complain(text: str) -> None:
    """Write it to stderr. One that is full, or that nobody reads, keeps nothing from being done:
    the exit code tells still."""
    try:
        sys.stderr.write(text)
    except OSError:
        pass


def _line(first: str, text: str, style: str) -> str:
    """A line of ours; on a terminal folded at words, its first word in the style."""
    if not sys.stderr.isatty():
        return f"{first} {text}\n"
    import textwrap

    width = max(20, error_screen().columns)
    folded = textwrap.wrap(
        f"{first} {text}", width, subsequent_indent="  ",
        break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip
    line = "\n".join(folded) + "\n"
    return f"\x1b[{style}m{first}\x1b[0m{line[len(first) :]}" if style and colours() else line


def error_screen() -> os.terminal_size:
    """How large the terminal of standard error is: standard output may go elsewhere."""
    import shutil

    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):  # it is none, or was closed
        columns = lines = 0
    return shutil.get_terminal_size((columns or 80, lines or 24))


def colours() -> bool:
    """Whether what we write to a terminal may be coloured: https://no-color.org."""
    return not (os.environ.get("NO_COLOR") or is_dumb())


def _chosen(command: Command, names: str) -> tuple[Column, ...]:
    if not names:
        return tuple(column for column in command.columns if not column.extra)
    return _known(command, names.split(","))


def _known(command: Command, names: Sequence[str]) -> tuple[Column, ...]:
    known = {column.name: column for column in command.columns}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"no column {unknown[0]!r} in `{command.name}`", hint="columns: " + ", ".join(known)
        )
    return tuple(known[name] for name in names)

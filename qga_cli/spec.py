"""The words a command is described with.

A wire command is one value of `Command`. Parser, help, man page, completion, tables, JSON, the
explanation of refusals and the tests are derived from it; nothing is said twice.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

# What an argument means. How text becomes a value is in cli/values.py, what TAB offers in
# cli/complete.py; both are keyed by these words.
TEXT = "text"
INT = "int"
POSITIVE = "positive"  # a whole number from 1 on
FLAG = "flag"
COUNT = "count"  # a flag that adds up: -vvv
CHOICE = "choice"
SIZE = "size"  # bytes: 4096, 64K, 1M
DURATION = "duration"  # seconds: 30s, 5m
TIME = "time"  # nanoseconds since 1970, an RFC 3339 time, or "now"
GUEST_PATH = "guest-path"
HOST_PATH = "host-path"
MOUNTPOINT = "mountpoint"
USER = "user"
KEY = "key"  # an OpenSSH public key, or @FILE
PID = "pid"
WHENCE = "whence"  # where guest-file-seek counts from
SECRET = "secret"  # asked for or read, never an argument
STDIN = "stdin"  # bytes of standard input
VCPUS = "vcpus"  # ID=on|off
BLOCKS = "memory-blocks"  # ID=on|off
WORDS = "words"  # a command line of its own: everything to the end
GUEST = "guest"  # one guest or several, by name, list, glob, group
PLACE = "place"  # VM:PATH, a local path, or -
LABEL = "label"  # KEY=GLOB, looked for in the guest's title and metadata
ADDRESS = "address"  # [HOST:]PORT or unix:PATH, and pairs of them: network/address.py
WIRE = "wire"  # a wire name or a JSON object

# How a column's value is shown on a terminal; pipes get it raw.
BYTES = "bytes"
NUMBER = "number"
PERCENT = "percent"  # 0 to 100
BAR = "bar"  # a share, drawn as a bar
YESNO = "yesno"
SECONDS = "seconds"
MOMENT = "moment"  # seconds since 1970
LINES = "lines"  # a list: one per line on a terminal, comma-separated in a pipe
OUTPUT = "output"  # a member that is base64 on the wire: its text, line by line
TREE = "tree"  # a name, drawn below its parent by the row's member "branch"
TERM = "term"  # a word of ours: never broken
WORD = "word"  # a state, a mode, an address: never broken, coloured if it is good or bad news
VERSION = "version"  # never broken, and sorted as one: 5.2 before 11.1
PATH = "path"  # sorted part by part: / before /data, /data/a before /data-b
# These grow for ever, and --watch shows them per second:
COUNTER = "counter"
TRAFFIC = "traffic"  # bytes
BUSY = "busy"  # milliseconds spent; --watch shows the percentage of the time


class Arg:
    """One argument of a command: of the agent's if `wire` says so, else our own.

    `choices` are all its values; `offers` are some, for TAB: a value may be another.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        help: str,
        *,
        positional: bool = False,
        required: bool | None = None,
        default: object = None,
        choices: Sequence[str] = (),
        offers: Sequence[str] = (),
        metavar: str = "",
        short: str = "",
        many: bool = False,
        wire: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.positional = positional
        self.required = positional if required is None else required
        self.default = default
        self.choices = tuple(choices)
        self.offers = tuple(offers)
        named = name.upper() if positional else kind.upper()
        self.metavar = metavar or "|".join(choices) or _METAVARS.get(kind, named)
        self.short = short
        self.many = many
        self.wire = name if wire is None else wire

    @property
    def names(self) -> list[str]:
        """As an option is typed, short and long."""
        return [self.short, f"--{self.name}"] if self.short else [f"--{self.name}"]

    @property
    def takes_value(self) -> bool:
        """Whether a word follows the option."""
        return self.kind not in (FLAG, COUNT)

    @property
    def slot(self) -> str:
        """What stands for its value, as in `SRC...`."""
        return self.metavar + ("..." if self.many and "..." not in self.metavar else "")


class Column:
    """One column of a list, or one line of an object. `get` defaults to the member of that name.

    An `extra` column is shown only when --columns names it. On a terminal too narrow for all, those
    with a number in `leaves` go, 1 first. `alone`: not in a table of several guests. `above`: said
    once above a table in which it is the same everywhere.
    """

    def __init__(
        self,
        name: str,
        get: str | Callable[[Row], object] = "",
        kind: str = TEXT,
        *,
        extra: bool = False,
        leaves: int = 0,
        alone: bool = False,
        above: bool = False,
    ) -> None:
        self.name = name
        self.get = get or name
        self.kind = kind
        self.extra = extra
        self.leaves = leaves
        self.alone = alone
        self.above = above

    def value(self, row: Row) -> object:
        """The raw value in `row`; None when the agent left it out."""
        return row.get(self.get) if isinstance(self.get, str) else self.get(row)


class Example:
    """One command line worth copying, and what it is for."""

    def __init__(self, line: str, says: str) -> None:
        self.line = line
        self.says = says


class Command:
    """A command of ours: one wire command, or a verb that composes several.

    wire      the agent's name for it; empty for a verb
    summary   one line, as in a man page's NAME
    since     QEMU release that brought it; empty where no agent is asked
    args      in the order of the wire
    result    shape of the reply's `return` (see shape.py); None when success sends no reply
    rows      what to show of the result: a member's name or a function; "" for the whole. Without
              columns, a function of the result and the seconds it took: a terminal's words
    columns   of that list, or the lines of that object
    empty     what a terminal says where there are no rows
    systems   guest systems that have it; empty for all
    changes   the guest is not the same afterwards: a lost reply is reported as outcome unknown
    patience  seconds to wait for the reply before giving up, when no --timeout is given; FOREVER
              for a verb that --timeout does not end, for it is that of each guest, or request
    lasts     for as long as somebody uses it: only a --timeout that is meant for it ends it
    notes     a paragraph for the man page and --help
    examples
    run       "module:function" of a verb, called with a Job; empty for a plain wire command
    scope     guest: once for each guest · fleet: once with all of them · none: names no guest ·
              places: once, or for each guest of a group that stands before a place's colon ·
              inside: once, or for each guest of the group that stands before every place's colon
    """

    def __init__(
        self,
        wire: str,
        summary: str,
        *,
        since: str,
        args: Sequence[Arg] = (),
        result: object = None,
        rows: str | Callable[..., Any] = "",
        columns: Sequence[Column] = (),
        empty: str = "nothing to list",
        systems: Sequence[str] = (),
        changes: bool = False,
        patience: float = 30.0,
        lasts: bool = False,
        notes: str = "",
        examples: Sequence[Example] = (),
        run: str = "",
        scope: str = "guest",
    ) -> None:
        self.wire = wire
        self.summary = summary
        self.since = since
        self.args = tuple(args)
        self.result = result
        self.rows = rows
        self.columns = tuple(columns)
        self.empty = empty
        self.systems = tuple(systems)
        self.changes = changes
        self.patience = patience
        self.lasts = lasts
        self.notes = notes
        self.examples = tuple(examples)
        self.run = run
        self.scope = scope
        self.words: tuple[str, ...] = ()  # filled by the catalog, from the file's name

    @property
    def name(self) -> str:
        """The words a user types after `qga`."""
        return " ".join(self.words)


FOREVER = float("inf")

_METAVARS = {
    GUEST_PATH: "PATH",
    HOST_PATH: "FILE",
    WORDS: "CMD",
    GUEST: "VM",
    PLACE: "[VM:]PATH",
    VCPUS: "ID=on|off",
    BLOCKS: "ID=on|off",
    COUNT: "",
    FLAG: "",
}


def release(text: str) -> tuple[int, ...]:
    """A version's numbers, for comparison with the `since` of a command."""
    import re  # rarely asked, and longer to load than all else here

    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:3])


# Of the verbs whose bytes may travel through ports of ours.
CHANNEL = Arg("channel", CHOICE, "Whether bytes travel through ports plugged into the guest",
              choices=("auto", "always", "never"), default="auto", wire="")  # fmt: skip

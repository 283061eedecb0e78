"""The door: finds the command, catches every error once, decides the exit code."""

from __future__ import annotations

import errno
import os
import sys
from io import RawIOBase, TextIOWrapper

from qga_cli import catalog
from qga_cli.cli import exit_code, quick_parser
from qga_cli.cli.options import COMMON, for_command, names_with_value
from qga_cli.errors import FileError, Interrupted, QgaError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.cli.run import Run
    from qga_cli.spec import Command


_CTRL_C = 130  # 128 + SIGINT
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)  # what a write to a file may meet


def main(words: Sequence[str] | None = None) -> None:
    """Run one command line and end the process."""
    words = list(sys.argv[1:] if words is None else words)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _dependable(number, name)
    line = CommandLine(words)
    code = line.run()
    try:
        sys.stdout.flush()
    except OSError as error:
        from qga_cli import render

        why = _unwritten(error)
        if why and not code:
            render.complain(f"qga: the output cannot be written: {why}\n")
        code = code or (141 if isinstance(error, BrokenPipeError) else 1)  # 128 + SIGPIPE
    try:
        sys.stderr.flush()
    except OSError:  # as in render.complain
        pass
    # Windows has wider exit codes, and a guest may claim any: none shall wrap around to success.
    code = code if 0 <= code <= 255 else 255
    line.close()
    if line.ended_by_ctrl_c(code):
        from qga_cli.interrupt import die_of_ctrl_c

        die_of_ctrl_c()
    # Threads stuck in the hypervisor's library must not hold us, nor must the interpreter's own
    # clean-up (3 ms): everything of ours is closed already.
    os._exit(code)


def _dependable(number: int, name: str) -> None:
    """Make a standard stream blocking, buffered and UTF-8."""
    stream = getattr(sys, name)
    if isinstance(stream, TextIOWrapper):
        # What does not block drops what there is no room for, and seems to end where nothing waits.
        os.set_blocking(number, True)
        if isinstance(stream.buffer, RawIOBase):
            # PYTHONUNBUFFERED, which drops what a full disk or a signal keeps from being written.
            stream = open(number, "w", 1, errors=stream.errors, closefd=False)
            setattr(sys, name, stream)
        if stream.encoding.lower() != "utf-8":  # whatever the locale: scripts and bars count on it
            stream.reconfigure(encoding="utf-8", errors=stream.errors)


class CommandLine:
    """One command line, and what is known of it when something goes wrong."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._command: Command | None = None
        self._guest = ""  # as it is typed
        self._as_json = _wants_json(words)
        self._opened: Run | None = None
        self._error: BaseException | None = None

    def run(self) -> int:
        """Do what it says, and return the exit code."""
        try:
            return self._run()
        except SystemExit as exit:
            return exit.code if isinstance(exit.code, int) else 1
        except KeyboardInterrupt as error:  # before our own handler stands, or at a question
            self._error = error
            return _CTRL_C
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except QgaError as error:
            # Kept to the end: its frames may hold the last reference to a guest of libvirt's, and
            # letting go of that closes the connection here, however long its host says nothing.
            self._error = error
            return self._fail(error)
        except Exception as error:
            self._error = error
            why = _unwritten(error) if isinstance(error, OSError) else None
            if why:
                return self._fail(FileError(f"the output cannot be written: {why}"))
            if any(word.startswith("-vv") for word in self._words):
                raise
            message = f"this is a bug in qga: {type(error).__name__}: {error}"
            hint = "repeat with -vv for the traceback, and please report it"
            return self._fail(QgaError(message, hint=hint))

    def _run(self) -> int:
        if self._words[:1] == ["__complete"]:
            from qga_cli.cli.complete import complete

            return complete(self._words[1:3], *find(self._words[3:]))
        command, rest = find(self._words)
        if command is None and rest and not catalog.is_group(rest[0]):
            self._words = _unalias(self._words, rest)
            self._as_json = _wants_json(self._words)
            command, rest = find(self._words)
        if command is None:
            return _help(self._words[: len(self._words) - len(rest)], rest)
        self._command = command
        if rest in (["--help"], ["-h"]):
            from qga_cli.cli.command_help import screen

            sys.stdout.write(screen(command))
            return 0
        if exit_code.passes_through(command):
            _accept_closed_stdout()
        raw = _parse(command, rest)
        output = raw.get("output") or os.environ.get("QGA_OUTPUT")
        self._as_json = output in ("json", "jsonl")
        named = raw.get("guest") or raw.get("vm") or ""
        self._guest = named if isinstance(named, str) else ",".join(named)
        from qga_cli.cli.run import Run

        self._opened = run = Run(command, raw, self._words)
        self._as_json = run.view.errors_are_json  # the configuration has a say
        return run()

    def close(self) -> None:
        """Close the connections that `run` has opened. Takes 1.5 seconds at most."""
        if self._opened:
            self._opened.close()

    def ended_by_ctrl_c(self, code: int) -> bool:
        """Whether Ctrl-C has ended it, or the program whose exit code it passes on."""
        if isinstance(self._error, KeyboardInterrupt):
            return True
        told = self._opened is not None and self._opened.interrupt.signum == _CTRL_C - 128
        return told and (code == _CTRL_C or isinstance(self._error, Interrupted))

    def _fail(self, error: QgaError) -> int:
        from qga_cli import render

        guest = self._guest
        about = "" if isinstance(error, UsageError) or error.exit_code == 123 else guest
        if guest and error.hint:
            from qga_cli.guests.targets import Target

            error.of(Target(None, guest, guest))  # the word, where it was not looked up any more
        render.complain(render.error_text(error, about, known=guest, as_json=self._as_json))
        return exit_code.of(error, self._command)


def _parse(command: Command, words: list[str]) -> dict[str, Any]:
    """What the words say, by argument; by Typer where they are spelled in an odd way."""
    raw = quick_parser.parse(for_command(command), words)
    if raw is None:
        from qga_cli.cli import typer_parser

        raw = typer_parser.parse(command, words)
    return raw


def _unwritten(error: OSError) -> str | None:
    """Why the output cannot be written, if that is what `error` is about."""
    if error.errno == errno.EBADF:
        import fcntl

        # Standard output was closed: __main__ put there what nobody can write to.
        way = fcntl.fcntl(sys.stdout.fileno(), fcntl.F_GETFL) & os.O_ACCMODE
        return "stdout is closed" if way == os.O_RDONLY else None
    return error.strerror if error.errno in _DISK else None


def _accept_closed_stdout() -> None:
    """Drop what a guest's program prints where stdout is closed, as ssh does: its code counts."""
    try:
        os.write(1, b"")  # EBADF where __main__ put what nobody can write to
    except OSError as error:
        if error.errno != errno.EBADF:
            return  # a device that is full says so for no byte at all: the first write will tell
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)


def find(words: list[str]) -> tuple[Command | None, list[str]]:
    """The command, and the words without its name. Options may stand before the name."""
    valued = names_with_value(COMMON)
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-h", "--help"):
        at += 2 if words[at] in valued else 1
    command = catalog.find(words[at:])
    if command is None:
        return None, words[at:]
    length = 1 if words[at].startswith("guest-") else len(command.words)
    return command, words[:at] + words[at + length :]


def _unalias(words: list[str], rest: list[str]) -> list[str]:
    """`words` with an alias of the configuration, which `rest` begins with, spelled out."""
    if rest[0].startswith("-"):
        return words
    from qga_cli import config

    spelled = config.load().alias(rest[0])
    return words[: len(words) - len(rest)] + spelled + rest[1:] if spelled else words


def _help(options: list[str], words: list[str]) -> int:
    """Help for the root or a group; an error for what is neither, or unknown `options` before."""
    if quick_parser.scan(COMMON, options) is None:
        named = " ".join(options)
        raise UsageError(f"no option {named!r} before a command", hint="`qga --help` lists them")
    if words and words[0] not in ("-h", "--help"):
        group = words[0] if catalog.is_group(words[0]) else ""
        asked = words[1:] if group else words
        if asked and asked[0] not in ("-h", "--help"):
            raise _unknown(group, asked[0], asked[1:])
    from qga_cli.cli import help_screens

    wanted = words and not words[0].startswith("-")
    screen = help_screens.group(words[0]) if wanted else help_screens.root()
    sys.stdout.write(screen)
    return 0


def _unknown(group: str, word: str, rest: list[str]) -> UsageError:
    import difflib

    from qga_cli.cli import synonyms

    name = f"{group} {word}".strip()
    line = synonyms.command(name, rest)
    if line:
        return UsageError(f"no command {name!r}", hint=f"did you mean `{line}`?")
    known: dict[str, list[str]] = {} if group else {name: [name] for name in catalog.groups()}
    for command in catalog.walk():  # single words come first, and keep their name to themselves
        if group in ("", command.words[0]):
            named = known.setdefault(command.words[-1], [])
            if named != [command.words[-1]]:
                named.append(command.name)
        if command.wire and word.startswith("guest-"):
            known[command.wire] = [command.wire]
    alike = 0.9 if word.startswith("guest-") else 0.7  # of the letters
    near = difflib.get_close_matches(word, known, 3, cutoff=alike)
    close = [name for one in near for name in known[one]][:3]
    hint = "did you mean " + " or ".join(f"`qga {one}`" for one in close) + "?" if close else ""
    prefix = f"qga {group} ".replace("  ", " ")
    return UsageError(f"no command {name!r}", hint=hint or f"`{prefix}--help` lists them")


def _wants_json(words: list[str]) -> bool:
    told = {*words, *("=".join(words[at : at + 2]) for at in range(len(words)))}
    names = ("-o", "-o=", "--output=", "--format=")
    return not told.isdisjoint(name + form for name in names for form in ("json", "jsonl"))

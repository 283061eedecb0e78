"""A small parser for the common shapes of a command line, because Typer takes 30 ms to import.

It understands what it is sure of and answers None for all else (--help, anything unknown,
missing or in doubt): then Typer reads the same words. A test holds the two against each other.
"""

from __future__ import annotations

from qga_cli import spec
from qga_cli.cli.options import ALSO, takes_numbers, words_after_dashes
from qga_cli.spec import Arg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def parse(args: Sequence[Arg], words: Sequence[str]) -> dict[str, Any] | None:
    """The raw text of every argument given, by name; None when in doubt."""
    found = scan(args, words)
    if found is None:
        return None
    raw, loose = found
    tail = words_after_dashes(args)
    if tail and not raw.get(tail.name) and (tail.required or tail.name in raw):
        return None
    positionals = [arg for arg in args if arg.positional and arg is not tail]
    return _positionals(positionals, loose, raw)


def scan(args: Sequence[Arg], words: Sequence[str]) -> tuple[dict[str, Any], list[str]] | None:
    """The options by name, and the words that are none; None when in doubt."""
    named = {f"--{arg.name}": arg for arg in args if not arg.positional}
    named |= {also: arg for arg in named.values() for also in ALSO.get(arg.name, ())} | named
    named |= {arg.short: arg for arg in args if arg.short}
    tail = words_after_dashes(args)
    takes_words = not tail and any(arg.kind == spec.WORDS for arg in args)
    numbers = takes_numbers(args)
    raw: dict[str, Any] = {}
    loose: list[str] = []
    rest = list(words)[::-1]
    while rest:
        word = rest.pop()
        if word == "--":
            if tail:
                raw[tail.name] = rest[::-1]
            else:
                loose += rest[::-1]
            break
        if len(word) < 2 or word[0] != "-" or (numbers and word[1:].isdecimal()):
            loose.append(word)
            if takes_words:  # the rest is a command line of its own
                loose += rest[::-1]
                break
        elif not _option(named, word, rest, raw):
            return None
    return raw, loose


def _option(named: dict[str, Arg], word: str, rest: list[str], raw: dict[str, Any]) -> bool:
    """Take one option off `rest` into `raw`. False when it is not plainly one of ours."""
    name, equals, text = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
    arg = named.get(name)
    if arg is None:
        return False
    if arg.kind == spec.COUNT:
        letters = word[1:]
        if word.startswith("--") and word == name:
            letters = arg.short[1]
        if set(letters) != {arg.short[1]}:
            return False
        raw[arg.name] = raw.get(arg.name, 0) + len(letters)
        return True
    if arg.kind == spec.FLAG:
        raw[arg.name] = True
        if text and not equals:
            rest.append("-" + text)  # flags written together: -it
        return not equals
    if not (equals or text):
        if not rest:
            return False
        text = rest.pop()
    if arg.many:
        raw.setdefault(arg.name, []).append(text)
    else:
        raw[arg.name] = text
    return True


def _positionals(
    args: Sequence[Arg], loose: list[str], raw: dict[str, Any]
) -> dict[str, Any] | None:
    for arg in args:
        if arg.kind == spec.WORDS and loose[:1] == ["--"]:
            loose = loose[1:]
        if arg.many:
            raw[arg.name], loose = loose, []
        elif loose:
            raw[arg.name] = loose.pop(0)
        if arg.required and not raw.get(arg.name):
            return None
    return None if loose else raw

"""An error and its guest: the name and the hint are put together where it is printed."""

import ast

from qga_cli.errors import NotRunning, UsageError
from qga_cli.guests.targets import Target
from qga_cli.render import error_text
from tests import REPO

WEB1 = Target("test:///x", "web1", "lab/web1")
DB1 = Target(None, "db1", "db1")


def down() -> NotRunning:
    """An error as a transport raises it, which knows no label."""
    return NotRunning("shut off", hint="`virsh start VM`, then `qga ping VM`")


def test_an_error_of_a_guest_names_it_where_it_is_printed_and_stays_as_it_is() -> None:
    error = down().of(WEB1)
    assert (error.message, error.hint) == (down().message, down().hint)
    assert error_text(error) == (
        "qga: lab/web1: shut off\nhint: `virsh -c test:///x start web1`, then `qga ping lab/web1`\n"
    )
    assert error.as_dict()["message"] == "lab/web1: shut off"
    assert error.as_dict()["hint"] == error.advice


def test_the_name_is_said_once() -> None:
    error = down().of(WEB1)
    assert error_text(error, "lab/web1").startswith("qga: lab/web1: shut off\n")
    assert error.as_dict(known="lab/web1")["message"] == "shut off"
    assert '"message":"shut off"' in error_text(error, "lab/web1", as_json=True)
    assert UsageError("lab/web1: /x: is no folder").of(WEB1).said() == "lab/web1: /x: is no folder"


def test_an_error_about_words_names_no_guest_and_its_hint_does() -> None:
    error = UsageError("no column 'x'", hint="`qga fs list VM` has more").of(DB1)
    assert (
        error_text(error, known="db1") == "qga: no column 'x'\nhint: `qga fs list db1` has more\n"
    )


def test_whoever_was_nearer_knows_the_guest() -> None:
    error = down().of(WEB1).of(DB1)
    assert error.guest is WEB1
    assert down().of(Target("test:///x", "", "a whole host")).guest is None


def test_without_a_guest_nothing_is_filled_in() -> None:
    assert error_text(down()) == "qga: shut off\nhint: `virsh start VM`, then `qga ping VM`\n"


def test_what_a_caller_knows_is_added_and_a_better_hint_takes_the_place_of_the_first() -> None:
    error = down().of(WEB1).add(before="cpu 1: ", after="; 1 of 2 were set before")
    assert error.said() == "lab/web1: cpu 1: shut off; 1 of 2 were set before"
    assert error.hint == down().hint
    assert error.add(hint="`qga list`").advice == "`qga list`"
    assert error_text(error, hinted=False) == f"qga: {error.said()}\n"


def test_nobody_else_edits_the_words_of_an_error() -> None:
    edited = [
        f"{path.relative_to(REPO)}:{node.lineno}"
        for path in sorted((REPO / "qga_cli").rglob("*.py"))
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if node.attr in ("message", "hint")
    ]
    assert edited == []

"""Each form of -o with each shape of answer: the matrix that render.View's docstring draws."""

from pathlib import Path
from typing import Any

import pytest

from qga_cli.errors import Refused
from qga_cli.guests.fleet import Outcome
from qga_cli.guests.targets import Target
from qga_cli.render import View
from qga_cli.spec import Column, Command

PLAIN = Command("", "a thing", since="0.0", result=int)
TALL = Command(
    "", "a thing", since="0.0", result={"a": int, "b": str}, columns=[Column("a"), Column("b")]
)
LONG = Command("", "a thing", since="0.0", result=[{"a": int}], columns=[Column("a")])
ONE = {
    "table": ("", "7\n", "a  1\nb  x\n", "A\n1\n2\n"),
    "tsv": ("", "7\n", "a\t1\nb\tx\n", "a\n1\n2\n"),
    "csv": ("", "value\n7\n", "a,b\n1,x\n", "a\n1\n2\n"),
    "json": ("{}\n", "7\n", '{"a":1,"b":"x"}\n', '[{"a":1},{"a":2}]\n'),
    "jsonl": ("{}\n", "7\n", '{"a":1,"b":"x"}\n', '{"a":1}\n{"a":2}\n'),
    "yaml": ("{}\n", "7\n", "a: 1\nb: x\n", "- a: 1\n- a: 2\n"),
    "raw": ("(line)\n",) * 4,
}
MANY = {
    "table": ("", "g: 7\n", "VM  A  B\ng   1  x\n", "VM  A\ng   1\ng   2\n"),
    "tsv": ("", "g: 7\n", "vm\ta\tb\ng\t1\tx\n", "vm\ta\ng\t1\ng\t2\n"),
    "csv": ("", "vm,value\ng,7\n", "vm,a,b\ng,1,x\n", "vm,a\ng,1\ng,2\n"),
    "yaml": ("g: {}\n", "g: 7\n", "g:\n  a: 1\n  b: x\n", "g:\n- a: 1\n- a: 2\n"),
    "raw": ("",) * 4,  # a verb's answer has no reply line
}
SHAPES: tuple[tuple[Command, Any], ...] = (
    (PLAIN, {}),
    (PLAIN, 7),
    (TALL, {"a": 1, "b": "x"}),
    (LONG, [{"a": 1}, {"a": 2}]),
)


@pytest.mark.parametrize("form", ONE)
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_one_guest(form: str, shape: int) -> None:
    command, value = SHAPES[shape]
    assert View(command, output=form).one(value, "(line)") == ONE[form][shape]
    assert View(command, output=form).one(None) == ""  # no reply came


@pytest.mark.parametrize("form", ONE)
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_many_guests(form: str, shape: int) -> None:
    command, value = SHAPES[shape]
    good = Outcome(Target(None, "g", "g"), value)
    bad = Outcome(Target(None, "h", "h"), error=Refused("no"))
    view = View(command, output=form, fleet=True)
    whole = form in ("table", "yaml") and command is not PLAIN
    assert view.gathers is whole
    text = view.many([good, bad])
    if form in ("json", "jsonl"):
        document = ONE["json"][shape].strip()
        first, second = text.splitlines()
        assert first == f'{{"vm":"g","return":{document}}}'
        assert second.startswith('{"vm":"h","error":{"kind":"refused"')
    else:
        assert text == MANY[form][shape]


def test_a_formula_is_what_a_guest_said_in_csv_and_that_is_known() -> None:
    """L4: a mark in front of it would be another value for every other reader."""
    named = Command("", "a thing", since="0.0", result=[{"a": str}], columns=[Column("a")])
    said = "".join(View(named, output="csv").one([{"a": f'{mark}CMD("x")'}]) for mark in "=+-@")
    assert said == "".join(f'a\n"{mark}CMD(""x"")"\n' for mark in "=+-@")
    promises = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    assert (
        "a cell that begins with `=`, `+`, `-` or `@` is a formula for a\n  spreadsheet" in promises
    )


@pytest.mark.parametrize("form", ["tsv", "csv"])
def test_a_fleet_in_several_goes_has_one_header(form: str) -> None:
    view = View(LONG, output=form, fleet=True)
    outcome = Outcome(Target(None, "g", "g"), [{"a": 1}])
    separator = "\t" if form == "tsv" else ","
    assert view.many([outcome]) == f"vm{separator}a\ng{separator}1\n"
    assert view.many([outcome]) == f"g{separator}1\n"


@pytest.mark.parametrize("form", ["table", "tsv", "csv"])
def test_an_object_that_is_watched_is_a_grid(form: str) -> None:
    titles = View(TALL, output=form, watch=True).one({"a": 1, "b": "x"}).splitlines()[0]
    assert (
        titles.split("," if form == "csv" else None)
        == {
            "table": ["A", "B"],
            "tsv": ["time", "a", "b"],
            "csv": ["time", "a", "b"],
        }[form]
    )

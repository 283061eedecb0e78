"""Single values and tables, as rendered; whole answers are in tests/cases."""

import time

import pytest

from qga_cli import format, wire
from qga_cli.agent import Reply
from qga_cli.commands.fs.status import COMMAND as FS_STATUS
from qga_cli.errors import BadReply
from qga_cli.guests.fleet import Outcome
from qga_cli.guests.targets import Target
from qga_cli.render import View, machine, table
from qga_cli.render.layout import fit
from qga_cli.spec import BAR, BYTES, LINES, MOMENT, OUTPUT, Column

COLUMNS = [
    Column("name"),
    Column("state"),
    Column("used", kind=BYTES),
    Column("used%", kind=BAR),
    Column("since", kind=MOMENT),
    Column("addresses", kind=LINES),
]
ROW = {
    "name": "web",
    "state": "blocked by policy",
    "used": 1536,
    "used%": 7,
    "since": 0,
    "addresses": ["10.0.2.15/24", "fe80::5054:ff:fe1c:be90/64"],
}


@pytest.mark.parametrize("width", [95, 86])
def test_a_narrow_screen_breaks_between_words(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = table.grid(COLUMNS, [ROW])
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    assert {"blocked", "by", "policy", "1.5K", "7%", "1970-01-01T00:00:00Z"} <= set(words)
    assert {"10.0.2.15/24", "fe80::5054:ff:fe1c:be90/64"} <= set(words)


def test_a_name_breaks_before_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    text = table.grid(COLUMNS, [ROW | {"name": "a-rather-long-one"}])
    assert {"fe80::5054:ff:fe1c:be90/64", "1970-01-01T00:00:00Z"} <= set(text.split())
    assert "a-rather-long-one" not in text


def test_a_narrower_one_breaks_names_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "82")
    text = table.grid(COLUMNS, [ROW])
    assert max(map(len, text.splitlines())) <= 82
    assert {"1.5K", "7%", "1970-01-01T00:00:00Z", "blocked", "policy"} <= set(text.split())
    assert "fe80::5054:ff:fe1c:be90/64" not in text


def test_members_keep_their_names_on_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    columns = [Column("kernel-release"), Column("kernel-version")]
    text = table.lines(columns, {"kernel-release": "6.1.0-50-cloud", "kernel-version": "#1 SMP"})
    assert "…" not in text


def test_a_line_without_end_is_no_wider_than_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    column = Column("output", kind=OUTPUT)
    texts = [[table.cell(column, {"output": "x" * 10_000_000}).plain]]
    began = time.process_time()
    assert fit([column], texts, 100, header=True, chosen=False) == {0: 100}
    assert time.process_time() - began < 3  # a column narrowed step by step takes 10


def test_the_longest_text_wraps_first() -> None:
    columns = [Column("finding"), Column("fix")]
    texts = [["a program in the guest has opened it"], [" ".join(["restart it"] * 13)]]
    widths = fit(columns, texts, 80, header=True, chosen=False)
    assert widths == {0: 36, 1: 42}


def test_a_long_name_is_no_screenful() -> None:
    shown = table.cell(Column("name"), {"name": "begin" + "x" * 5000 + "end"}).plain
    assert len(shown) < 400
    assert (shown[:6], shown[-4:]) == ("beginx", "xend")


def test_no_time_is_not_minus_no_time() -> None:
    shown = [format.duration(seconds) for seconds in (-0.04, -0.06, -90)]
    assert shown == ["0.0s", "-0.1s", "-1m 30s"]


def test_an_empty_list_is_an_empty_cell_of_csv() -> None:
    columns = [Column("a"), Column("b", kind=LINES)]
    assert machine.csv_text(columns, [{"a": None, "b": []}], header=False) == ",\n"
    assert machine.tsv_text(columns, [{"a": None, "b": []}], header=False) == "-\t-\n"


def test_a_bare_value_in_yaml_has_no_end_of_document() -> None:
    assert machine.yaml_text("thawed") == "thawed\n"
    assert machine.yaml_text({"a": "..."}) == "a: '...'\n"


def test_bare_values_in_csv_are_rows() -> None:
    assert View(FS_STATUS, output="csv").one("thawed") == "value\nthawed\n"
    outcomes = [Outcome(Target(None, name, name), Reply("", "thawed")) for name in ("a", "b,c")]
    text = View(FS_STATUS, output="csv", fleet=True).many(outcomes)
    assert text == 'vm,value\na,thawed\n"b,c",thawed\n'


def test_what_is_not_too_deep_for_the_wire_is_not_for_a_form() -> None:
    text = '{"return": ' + "[" * 99 + "]" * 99 + "}"
    assert machine.yaml_text(wire.decode(text))
    assert machine.json_text(wire.decode(text), indent=2)
    with pytest.raises(BadReply, match="nested too deeply"):
        wire.decode(text.replace("[]", "[[[]]]"))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1764519350.123456, "1764519350.123456"),
        (123456789012.0, "123456789012"),
        (-12345678901.5, "-12345678901.5"),
        (0.1 + 0.2, "0.3"),
        (0.05999755859375, "0.05999755859"),
        (99.9, "99.9"),
        (0.0, "0"),
        (12345.0, "12345"),
    ],
)
def test_a_number_for_a_program_loses_nothing_that_counts(value: float, told: str) -> None:
    """Ten digits were left of it: whole seconds of a time, and 1.23456789e+11 of bytes."""
    assert machine.scalar(value) == told

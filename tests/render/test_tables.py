"""The rule that every table keeps, on every terminal: see render/layout.py.

Never wider than the terminal; never broken inside a state, a mode, a version, a number or a title;
the least useful columns go first, and it is said which; `--columns` brings them.
"""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from qga_cli import catalog, spec
from qga_cli.agent import Reply
from qga_cli.errors import UsageError
from qga_cli.guests.fleet import Outcome
from qga_cli.guests.targets import Target
from qga_cli.render import View, layout, table
from qga_cli.spec import VERSION, WORD, Column, Command
from tests import REPO
from tests.commands.test_cases import SGR

GUESTS = ["web1", "a-guest-of-26-letters-here", "db1"]
WHOLE = {WORD, VERSION, spec.BYTES, spec.NUMBER, spec.MOMENT, spec.SECONDS, spec.BAR}
LONG = "permission denied by the policy of this host, which names /etc/qga/config.toml:12 for it"
# What verbs show, with values as long as they come.
VERBS: dict[str, Any] = {
    "list": [
        {"vm": name, "state": state, "agent": agent, "version": version, "os": system,
         "load": 0.25, "addresses": ["192.168.122.101", "fe80::5054:ff:fe24:b6fa"]}
        for name, state, agent, version, system in (
            ("web1", "running", "answering", "7.2.22", "Debian GNU/Linux 12"),
            ("a-guest-of-26-letters-here", "shut off", "not answering", "11.1.3", None),
            ("db1", "in shutdown", "not connected", None, "Microsoft Windows Server 2022"),
        )
    ],
    "ls": [
        {"mode": "drwxr-xr-x", "owner": "www-data", "group": "systemd-network", "size": 99999999,
         "modified": 1795485000, "name": "a-file-with-a-name-of-40-letters-or-so", "target": None},
        {"mode": "lrwxrwxrwx", "owner": "root", "group": "root", "size": 12,
         "modified": 1795485000, "name": "localtime", "target": "/usr/share/zoneinfo/Etc/UTC"},
    ],
    "doctor": [
        {"check": "confinement", "verdict": "ok", "finding": "no SELinux", "fix": ""},
        {"check": "policy", "verdict": "FAIL", "finding": LONG,
         "fix": "in the guest: systemctl restart qemu-guest-agent.service"},
    ],
    "wait": [
        {"vm": name, "ready": False, "seconds": 299.9, "reason": LONG} for name in GUESTS
    ],
    "top": [
        {"vm": name, "state": "running", "agent": "not answering", "frozen": False, "cpu": 12.5,
         "memory": 10**9, "load": 0.25, "full": 99.0}
        for name in GUESTS
    ],
    "config show": [
        {"setting": "defaults.fs.list.columns", "value": "mountpoint,used,total,used%",
         "origin": "/home/administrator/.config/qga/config.toml:127"},
    ],
}  # fmt: skip
CASES = sorted((REPO / "tests" / "cases").glob("*.json"))


def answers() -> list[Any]:
    """Each command with columns, and a value that it shows."""
    found = []
    for path in CASES:
        command = catalog.by_wire(path.name.split(".")[0])
        reply = json.loads(path.read_text()).get("reply") or {}
        if command and command.columns and "return" in reply:
            found.append(pytest.param(command, reply["return"], id=path.stem))
    for name, rows in VERBS.items():
        command = catalog.find(name.split())
        assert command
        found.append(pytest.param(command, rows, id=name))
    return found


def test_every_command_with_columns_is_here() -> None:
    tabled = {command.name for command in catalog.walk() if command.columns}
    assert tabled == {param.values[0].name for param in answers()}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The columns and rows of the last grid that was drawn."""
    kept: dict[str, Any] = {}
    real = layout.fit

    def fit(columns: Any, texts: Any, screen: int, **options: Any) -> Any:
        widths = real(columns, texts, screen, **options)
        kept.update(columns=columns, texts=texts, widths=widths)
        return widths

    monkeypatch.setattr(table, "fit", fit)
    return kept


@pytest.mark.parametrize("guests", [1, 3])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize(("command", "value"), answers())
def test_a_table_fits_and_breaks_no_word_that_matters(
    command: Command,
    value: Any,
    width: int,
    guests: int,
    seen: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    view = View(command, output="table", fleet=guests > 1)
    if guests == 1:
        text = view.one(value)
    else:
        text = view.many([Outcome(Target(None, n, n), Reply("", value)) for n in GUESTS])
    lines = SGR.sub("", text).splitlines()
    assert lines
    assert max(map(len, lines)) <= width, text
    if not seen:  # one object, member by member
        return
    for index, column in enumerate(seen["columns"]):
        if index not in seen["widths"]:
            continue
        assert any(column.name.upper() in line for line in lines), f"{column.name} broken:\n{text}"
        for shown in seen["texts"][index] if column.kind in WHOLE else ():
            assert any(shown in line for line in lines), f"{shown!r} broken:\n{text}"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize(("command", "value"), answers())
def test_columns_that_were_asked_for_are_all_shown(
    command: Command, value: Any, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    names = [column.name for column in command.columns]
    text = SGR.sub("", View(command, output="table", columns=",".join(names)).one(value))
    assert max(map(len, text.splitlines())) <= width, text
    if len(names) > 1:
        assert all(name in text or name.upper() in text for name in names), text


def test_what_went_is_named_and_the_least_useful_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    command = catalog.find(["ls"])
    assert command
    text = View(command, output="table").one(VERBS["ls"])
    assert "MODE" in text
    assert "GROUP" not in text
    assert re.search(r"No room here for owner, group, .*: --columns\s+shows", text), text


def test_a_fleet_shows_what_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    command = catalog.find(["os", "info"])
    assert command
    value = {column.name: f"v-{column.name}" for column in command.columns}
    outcomes = [Outcome(Target(None, name, name), Reply("", value)) for name in GUESTS]
    text = View(command, output="table", fleet=True).many(outcomes)
    assert text.splitlines()[0].split() == ["VM", "PRETTY-NAME", "KERNEL-RELEASE", "MACHINE"]
    all_of_it = View(command, output="tsv", fleet=True).many(outcomes)
    assert all_of_it.splitlines()[0].split("\t") == ["vm", *value]  # programs get all


def test_an_agents_version_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    command = catalog.find(["info"])
    assert command
    info = {"version": "7.2.22", "supported_commands": []}
    text = View(command, output="table").one(info)
    assert text.startswith("agent: 7.2.22\n")
    assert text.count("7.2.22") == 1
    others = [Outcome(Target(None, n, n), Reply("", info | {"version": n})) for n in ("5.2", "7.2")]
    assert "AGENT" in View(command, output="table", fleet=True).many(others)


def test_versions_sort_as_versions_and_mount_points_by_path() -> None:
    listed = catalog.find(["list"])
    assert listed
    rows: list[Any] = [
        {"vm": v, "version": v, "addresses": []} for v in ("11.1.3", "5.2.0", "7.2.22", "7.2.9")
    ]
    text = View(listed, output="tsv", sort="version", header=False, columns="vm").one(rows)
    assert text.split() == ["5.2.0", "7.2.9", "7.2.22", "11.1.3"]
    mounted = catalog.find(["fs", "list"])
    assert mounted
    places = ["/data-b", "/data/a", "/", "/data"]
    found = [{"name": "x", "mountpoint": place, "type": "ext4", "disk": []} for place in places]
    shown = [line.split()[0] for line in View(mounted, output="table").one(found).splitlines()]
    assert shown == ["MOUNTPOINT", "/", "/data", "/data/a", "/data-b"]
    piped = View(mounted, output="tsv", columns="mountpoint", header=False).one(found)
    assert piped.split() == places  # a pipe keeps the agent's order


def test_empty_answers_say_so_on_a_terminal_only() -> None:
    command = catalog.find(["user", "list"])
    assert command
    assert "nobody is logged in" in View(command, terminal=True).one([])
    assert View(command).one([]) == "user\tdomain\tlogin\tage\n"
    assert "nobody" not in View(command, output="table").one([])


def test_a_state_has_its_colour() -> None:
    column = Column("state", kind=WORD)
    styles = {name: str(table.cell(column, {"state": name}).style) for name in (
        "running", "answering", "ok", "frozen", "FAIL", "not answering", "warn", "shut off",
    )}  # fmt: skip
    assert styles == {
        "running": "green", "answering": "green", "ok": "green", "frozen": "red", "FAIL": "red",
        "not answering": "red", "warn": "yellow", "shut off": "dim",
    }  # fmt: skip


@pytest.mark.parametrize("sort", ["mountpoint,used", "-", "--used", "-used,total", ","])
def test_what_is_no_column_sorts_nothing_and_says_so(sort: str) -> None:
    """Rows came unsorted, and nobody said that one column is what counts."""
    with pytest.raises(UsageError, match="no column"):
        View(catalog.load(("fs", "list")), sort=sort)
    for good in ("used", "-used%", "fills"):
        View(catalog.load(("fs", "list")), sort=good)


@pytest.mark.parametrize("name", ["dumb", "", None])
def test_a_terminal_that_nobody_knows_gets_no_colour(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    """Without TERM tables were coloured, and nothing else was."""
    monkeypatch.delenv("TERM")
    if name is not None:
        monkeypatch.setenv("TERM", name)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    assert "\x1b" not in table.grid([Column("state", kind=WORD)], [{"state": "running"}])
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" in table.grid([Column("state", kind=WORD)], [{"state": "running"}])


def test_a_tree_that_is_sorted_is_none() -> None:
    """Its branches stood before rows that they do not lead to."""
    disks = [
        {"name": "/dev/vda", "partition": False},
        {"name": "/dev/vda1", "partition": True, "dependencies": ["/dev/vda"]},
        {"name": "/dev/vda2", "partition": True, "dependencies": ["/dev/vda"]},
    ]
    command = catalog.load(("disk", "list"))
    drawn = View(command, output="table", columns="disk").one(disks)
    assert drawn.splitlines()[1:] == ["/dev/vda", "├─/dev/vda1", "└─/dev/vda2"]
    drawn = View(command, output="table", columns="disk", sort="-disk").one(disks)
    assert drawn.splitlines()[1:] == ["/dev/vda2", "/dev/vda1", "/dev/vda"]

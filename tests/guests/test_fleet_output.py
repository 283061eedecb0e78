"""What many guests in one call print: in order or as they come, gathered, summed up."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from qga_cli import catalog
from qga_cli.agent import Reply
from qga_cli.cli.report import Report
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt
from qga_cli.render import View
from tests.kit.command import Ran, qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence
from tests.kit.running import GUARD
from tests.lab.local_agent import agent as local_agent

Herd = Callable[..., Callable[..., Ran]]


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[Herd]:
    """Agents by name; returns a function that runs a command line over them."""
    made: list[FakeAgent] = []

    def make(**handlers: Handler) -> Callable[..., Ran]:
        for name, handler in handlers.items():
            made.append(FakeAgent(tmp_path / f"{name}.sock", handler))
        return lambda *words, **options: qga(
            "-c", f"unix:{tmp_path}/{{vm}}.sock", *words, **options
        )

    yield make
    for agent in made:
        agent.close()


def named(name: str) -> Handler:
    return lambda request: {"host-name": name}


def silent(request: dict[str, object]) -> object:
    return Silence()


def refusing(request: dict[str, object]) -> object:
    raise AgentFault("no")


def slow(seconds: float, then: Handler) -> Handler:
    def handler(request: dict[str, object]) -> object:
        time.sleep(seconds)
        return then(request)

    return handler


def test_text_has_the_guest_in_front_and_a_summary_behind(herd: Herd) -> None:
    ask = herd(web1=lambda request: "frozen", web2=lambda request: "thawed")
    ran = ask("fs", "status", "*")
    assert (ran.out, ran.err) == ("web1: frozen\nweb2: thawed\n", "qga: 2 ok\n")
    alone = ask("fs", "status", "web2")
    assert (alone.out, alone.err) == ("thawed\n", "")


def test_a_frozen_guest_is_code_1_of_a_fleet_and_0_of_its_own(herd: Herd) -> None:
    ask = herd(web1=lambda request: "frozen", web2=lambda request: "thawed")
    assert [ask("fs", "status", fleet).code for fleet in ("*", "web1,web2", "web[1]")] == [1, 1, 1]
    assert ask("fs", "status", "web2,web2").code == 0
    alone = ask("fs", "status", "web1")
    assert (alone.code, alone.out, alone.err) == (0, "frozen\n", "")


def test_a_frozen_guest_is_not_hidden_by_one_that_fails(herd: Herd) -> None:
    ran = herd(web1=lambda request: "frozen", web2=refusing)("fs", "status", "*")
    assert (ran.code, ran.out) == (1, "web1: frozen\n")
    assert ran.err.endswith("1 ok, 1 failed (web2: refused)\n")


def test_tables_have_a_column_for_the_guest(herd: Herd) -> None:
    ask = herd(web1=named("a"), web2=named("b"), db1=named("c"))
    assert ask("os", "hostname", "web*").out == "vm\thostname\nweb1\ta\nweb2\tb\n"
    assert ask("os", "hostname", "db1,web1", "--no-header").out == "db1\tc\nweb1\ta\n"


@pytest.mark.parametrize("form", ["tsv", "csv", "table"])
def test_rows_are_sorted_across_guests(herd: Herd, form: str) -> None:
    ask = herd(a=named("1"), b=named("3"), c=named("2"))
    ran = ask("os", "hostname", "*", "--no-header", "--sort=-hostname", "-o", form)
    assert [line[0] for line in ran.out.splitlines()] == ["b", "c", "a"]


@pytest.mark.parametrize("form", ["tsv", "csv", "table"])
def test_no_guest_writes_under_the_name_of_another(herd: Herd, form: str) -> None:
    """A member `vm` of its reply stood in the column of the guests' names."""
    ask = herd(web1=named("a"), evil=lambda request: {"host-name": "x", "vm": "web1"})
    ran = ask("os", "hostname", "*", "--no-header", "-o", form)
    assert [line[:4] for line in ran.out.splitlines()] == ["evil", "web1"]


@pytest.mark.parametrize("form", ["yaml", "json", "tsv"])
def test_a_guest_whose_answer_has_no_floor_hides_no_other(herd: Herd, form: str) -> None:
    """YAML of the whole fleet failed, as a bad reply of nobody's."""
    deep: object = []
    for _ in range(800):
        deep = [deep]
    ask = herd(web1=named("box"), evil=lambda request: {"host-name": "x", "new": deep})
    ran = ask("os", "hostname", "*", "-o", form)
    assert ran.code == 123
    assert "box" in ran.out
    assert "nested too deeply" in (ran.out if form == "json" else ran.err)


@pytest.mark.parametrize(
    ("words", "answer"),
    [(("fs", "status"), "thawed"), (("os", "hostname", "--as-completed"), {"host-name": "box"})],
)
def test_a_guest_that_fails_leaves_yaml_one_document(
    herd: Herd, words: tuple[str, ...], answer: object
) -> None:
    """It stood there as `{}`, below what the others had answered: no parser took the whole."""
    ran = herd(a=lambda request: answer, b=refusing)(*words, "*", "-j", "1", "-o", "yaml")
    assert ran.code == 123
    assert yaml.safe_load(ran.out) == {"a": answer}


@pytest.mark.parametrize(
    ("form", "gather"), [("tsv", False), ("json", False), ("table", False), ("tsv", True)]
)
def test_a_bug_that_one_guest_meets_hides_no_other(
    capsys: pytest.CaptureFixture[str], form: str, gather: bool
) -> None:
    """The first one ended all, and what the others had answered was lost."""

    def work(index: int, target: Target) -> object:
        if target.name == "a":
            raise OverflowError("odd")
        return Reply("", {"host-name": "box"})

    view = View(catalog.load(("os", "hostname")), output=form, fleet=not gather)
    report = Report(view, 2, as_completed=False, gather=gather)
    targets = [Target(None, name, name) for name in "ab"]
    with pytest.raises(OverflowError):
        report.follow(Fleet(targets, work, Interrupt(), parallel=1), fail_fast=False)
    said = capsys.readouterr()
    assert "box" in said.out
    told = "this is a bug in qga: OverflowError: odd"
    assert told in (said.out if form == "json" else said.err)


def test_json_is_a_line_for_each_guest_errors_included(herd: Herd) -> None:
    ran = herd(web1=named("a"), web2=refusing)("os", "hostname", "*", "-o", "json")
    assert ran.code == 123
    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert first == {"vm": "web1", "return": {"host-name": "a"}}
    assert (second["vm"], second["error"]["code"]) == ("web2", 1)
    assert json.loads(ran.err)["error"]["message"] == "1 ok, 1 failed (web2: refused)"


def test_order_and_as_completed(herd: Herd) -> None:
    ask = herd(a=slow(0.5, named("slow")), b=named("quick"))
    words = ("os", "hostname", "a,b", "--no-header")
    assert ask(*words).out == "a\tslow\nb\tquick\n"
    assert ask(*words, "--as-completed").out == "b\tquick\na\tslow\n"


def test_equal_outputs_are_gathered(herd: Herd) -> None:
    ask = herd(**{f"web{n}": named("same") for n in (1, 2, 3)}, db1=named("other"), x=refusing)
    ran = ask("os", "hostname", "*", "--gather", "--no-header")
    rule = "-" * 15
    assert ran.out == (f"{rule}\ndb1\n{rule}\nother\n{rule}\nweb[1-3] (3)\n{rule}\nsame\n")
    assert ran.code == 123
    assert ran.err.startswith("qga: x: no\n")
    assert ran.err.endswith("qga: 4 ok, 1 failed (x: refused)\n")


def test_gather_is_for_text(herd: Herd) -> None:
    ran = herd(a=named("a"))("os", "hostname", "*", "--gather", "-o", "json")
    assert ran.code == 2


def test_gather_waits_for_all(herd: Herd) -> None:
    """What was gathered of a program's output was dropped with those that were printed at once."""
    ran = herd(a=named("a"))("os", "hostname", "*", "--gather", "--as-completed")
    assert (ran.code, ran.out) == (2, "")
    assert "--gather does not go with --as-completed" in ran.err


def test_the_summary_groups_reasons(herd: Herd) -> None:
    ask = herd(web1=refusing, web2=refusing, db1=named("a"))
    ran = ask("os", "hostname", "*")
    assert ran.err.splitlines()[-1] == "qga: 1 ok, 2 failed (web[1-2]: refused)"
    assert ran.out == "vm\thostname\ndb1\ta\n"


def test_an_unknown_name_fails_before_anything_is_sent(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "web1.sock", named("a"))
    ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "os", "hostname", "web1,web9")
    agent.close()
    assert ran.code == 4
    assert "web9" in ran.err
    assert agent.requests == []


def test_fail_fast(herd: Herd) -> None:
    ask = herd(a=refusing, b=named("b"), c=named("c"))
    ran = ask("os", "hostname", "*", "--fail-fast", "-j", "1", "--no-header")
    assert (ran.code, ran.out) == (123, "")
    assert "1 failed (a: refused), 2 not finished" in ran.err


def test_a_silent_guest_takes_its_own_timeout_only(herd: Herd) -> None:
    ask = herd(a=silent, b=named("b"), c=named("c"))
    started = time.monotonic()
    ran = ask("os", "hostname", "*", "--timeout", "1s", "-j", "1", "--no-header")
    assert 1 <= time.monotonic() - started < 4
    assert (ran.code, ran.out) == (123, "b\tb\nc\tc\n")
    assert "2 ok, 1 failed (a: timed out)" in ran.err


def test_ctrl_c_ends_them_all_and_tells_how_far_it_came(tmp_path: Path) -> None:
    agents = [FakeAgent(tmp_path / "a.sock", named("a")), FakeAgent(tmp_path / "b.sock", silent)]
    process = subprocess.Popen(
        [sys.executable, "-m", "qga_cli", "-c", f"unix:{tmp_path}/{{vm}}.sock", "os", "hostname",
         "a,b", "--as-completed"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert [process.stdout.readline(), process.stdout.readline()] == ["vm\thostname\n", "a\ta\n"]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=GUARD)
    for agent in agents:
        agent.close()
    assert process.returncode == -signal.SIGINT
    assert "1 ok, 1 not finished" in err


def test_ctrl_c_ends_the_programs_too(tmp_path: Path) -> None:
    with local_agent(tmp_path, "a"), local_agent(tmp_path, "b"):
        process = subprocess.Popen(
            [sys.executable, "-m", "qga_cli", "-c", f"unix:{tmp_path}/{{vm}}.sock", "exec", "a,b",
             "--", "sh", "-c", "echo begun; exec sleep 60"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        assert {process.stdout.readline() for _ in "ab"} == {"a: begun\n", "b: begun\n"}
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=GUARD)
    assert process.returncode == -signal.SIGINT
    assert "2 failed (a,b: exit code 130)" in err


def test_watching_many_on_a_terminal(herd: Herd, tmp_path: Path) -> None:
    herd(web1=named("a"), web2=named("b"))
    ran = qga_tty("-c", f"unix:{tmp_path}/{{vm}}.sock", "os", "hostname", "web*")
    assert [line.split() for line in ran.out.splitlines()][1:] == [["web1", "a"], ["web2", "b"]]
    assert "VM" in ran.out


@pytest.mark.slow
def test_many_real_agents_at_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for number in range(32):
            stack.enter_context(local_agent(tmp_path, f"vm{number}"))
        started = time.monotonic()
        ran = qga("-c", f"unix:{tmp_path}/{{vm}}.sock", "exec", "-j", "32", "*", "--", "sleep", "1")
        took = time.monotonic() - started
    assert (ran.code, ran.err) == (0, "qga: 32 ok\n")
    assert took < 8, "one after the other would be 32 s"


def test_what_helps_many_is_told_once(fake: Callable[[Handler], FakeAgent]) -> None:
    def refuse(request: dict[str, object]) -> object:
        raise AgentFault("requested suspend mode is not supported by the guest")

    ran = qga("-c", fake(refuse).uri, "power", "suspend-ram", "a,b,c", "-j1")
    assert [line.split(": ")[0:2] for line in ran.err.splitlines()] == [
        ["qga", "a"], ["hint", "the guest needs systemd or pm-utils for it"], ["qga", "b"],
        ["qga", "c"], ["qga", "3 failed (a,b,c"],
    ]  # fmt: skip

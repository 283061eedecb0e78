"""One body, three kinds of agent: scripted, real on a socket, real in a guest under libvirt."""

import json
from collections.abc import Callable

import pytest

from tests.kit.command import Ran, qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent

OSINFO = {"id": "debian", "pretty-name": "Debian GNU/Linux 12 (bookworm)", "machine": "x86_64"}


def scripted(request: dict[str, object]) -> object:
    """The least an agent says to pass here."""
    match request["execute"]:
        case "guest-ping":
            return {}
        case "guest-info":
            names = ("guest-ping", "guest-exec", "guest-get-osinfo")
            return {
                "version": "7.2.22",
                "supported_commands": [
                    {"name": name, "enabled": True, "success-response": True} for name in names
                ],
            }
        case "guest-get-osinfo":
            return OSINFO
        case "guest-fsfreeze-status":
            return "thawed"
        case "guest-network-get-interfaces":
            return [{"name": "lo", "hardware-address": "00:00:00:00:00:00"}]
        case name:
            raise AgentFault(f"The command {name} has not been found")


class Place:
    """Where an agent is, in words of the command line."""

    def __init__(self, connect: str | None, name: str) -> None:
        self.flags = ["-c", connect] if connect else []
        self.name = name

    def run(self, *words: str) -> Ran:
        return qga(*self.flags, *(word.replace("VM", self.name) for word in words))

    def show(self, *words: str) -> Ran:
        return qga_tty(*self.flags, *(word.replace("VM", self.name) for word in words))


@pytest.fixture(params=["fake", "local", "guest"])
def place(request: pytest.FixtureRequest, fake: Callable[..., FakeAgent]) -> Place:
    match request.param:
        case "fake":
            return Place(fake(scripted).uri, "scripted")
        case "local":
            return Place(request.getfixturevalue("local_agent"), "local")
        case _:
            return Place(None, request.getfixturevalue("guest").name)


def test_ping_says_it_by_its_exit_code(place: Place) -> None:
    ran = place.run("ping", "VM")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_single_value_is_just_the_value(place: Place) -> None:
    ran = place.run("fs", "status", "VM")
    assert (ran.code, ran.out, ran.err) == (0, "thawed\n", "")


def test_an_object_is_lines_of_names_and_values_in_a_pipe(place: Place) -> None:
    ran = place.run("os", "info", "VM")
    assert ran.code == 0
    members = dict(line.split("\t") for line in ran.out.splitlines())
    assert members["id"] == "debian"


def test_a_list_is_tsv_with_a_header_in_a_pipe(place: Place) -> None:
    ran = place.run("net", "interfaces", "VM")
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert lines[0] == ["interface", "mac", "addresses", "rx-bytes", "tx-bytes"]
    assert lines[1][:2] == ["lo", "00:00:00:00:00:00"]


def test_a_list_is_a_table_on_a_terminal(place: Place) -> None:
    ran = place.show("net", "interfaces", "VM")
    assert ran.code == 0
    assert "INTERFACE" in ran.out
    assert "\t" not in ran.out


def test_json_keeps_the_wire_keys(place: Place) -> None:
    ran = place.run("os", "info", "VM", "-o", "json")
    assert json.loads(ran.out)["pretty-name"].startswith("Debian")


def test_raw_is_the_reply_as_it_came(place: Place) -> None:
    ran = place.run("ping", "VM", "-o", "raw")
    assert json.loads(ran.out) == {"return": {}}


def test_a_fleet_says_which_guest(place: Place) -> None:
    ran = place.run("fs", "status", "VM,VM", "-o", "jsonl")
    assert json.loads(ran.out.splitlines()[0]) == {"vm": place.name, "return": "thawed"}


def test_what_the_agent_does_not_have_is_code_6(place: Place) -> None:
    ran = place.run("guest-get-devices", "VM")
    assert ran.code == 6, ran.err
    assert ran.out == ""
    assert ran.err.startswith(f"qga: {place.name}: guest-get-devices works on Windows guests only")


def test_errors_are_json_when_json_is_asked_for(place: Place) -> None:
    ran = place.run("guest-get-devices", "VM", "-o", "json")
    error = json.loads(ran.err)["error"]
    assert (error["code"], error["kind"]) == (6, "unsupported")


@pytest.mark.parametrize("connect", [None, "unix:/nonexistent/{vm}.sock"])
def test_no_such_guest(connect: str | None, guest: object) -> None:
    ran = Place(connect, "nosuch").run("ping", "VM")
    assert ran.code == 4
    assert ran.err.startswith("qga: nosuch: no ")


def test_unreachable_hosts_are_code_3() -> None:
    for uri in ("qemu+unix:///system?socket=/nonexistent", "unix:/nonexistent.sock"):
        ran = qga("-c", uri, "ping", "x")
        assert ran.code == 3, ran.err
        assert ran.err.count("\n") == 2


def test_usage_is_code_2() -> None:
    for words in (["nosuch"], ["fs", "nosuch", "x"], ["ping"], ["ping", "x", "--nosuch"]):
        ran = qga(*words)
        assert (ran.code, ran.out) == (2, ""), words
        assert ran.err.startswith("qga: ")

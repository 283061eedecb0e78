"""Every description against QEMU's schema, as extracted from four releases (tests/facts)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from qga_cli import catalog, spec
from qga_cli.spec import Arg, Command, release
from tests import REPO

FACTS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((REPO / "tests" / "facts").glob("qga-*.json"))
}
NEWEST = FACTS["qga-10.2"]
COMMANDS = {command.wire: command for command in catalog.walk() if command.wire}
SCALARS = {"str": str, "int": int, "uint64": int, "uint16": int, "bool": bool, "number": float}

# What a kind of argument may be on the wire.
KINDS = {
    spec.TEXT: ("str",), spec.INT: ("int",), spec.PID: ("int",), spec.SIZE: ("int",),
    spec.TIME: ("int",), spec.FLAG: ("bool",), spec.CHOICE: ("str",), spec.GUEST_PATH: ("str",),
    spec.MOUNTPOINT: ("str",), spec.USER: ("str",), spec.KEY: ("str",), spec.SECRET: ("str",),
    spec.STDIN: ("str",), spec.WHENCE: ("GuestFileWhence",),
    spec.VCPUS: ("GuestLogicalProcessor",), spec.BLOCKS: ("GuestMemoryBlock",),
}  # fmt: skip

# exec is a verb: it makes its arguments itself.
WITHOUT_ARGS = {"guest-exec"}
# The base64 members of replies; the schema calls them str.
BASE64 = {"buf-b64", "out-data", "err-data"}
# Windows has these too, since a release that the schema's condition does not name.
SINCE_11 = {"guest-network-get-route"}

each_release = pytest.mark.parametrize("name", FACTS)
each_command = pytest.mark.parametrize("wire", NEWEST["commands"])


def shape_of(kind: object, types: Mapping[str, Any]) -> object:
    """A type of the schema as shape.py writes it."""
    if kind is None:
        return {}
    if isinstance(kind, list):
        return [shape_of(kind[0], types)]
    assert isinstance(kind, str)
    if kind in SCALARS:
        return SCALARS[kind]
    declared = types[kind]
    if "enum" in declared:
        return tuple(declared["enum"])
    assert "struct" in declared, f"{kind} is neither a struct nor an enumeration"
    members = {}
    for member in declared["struct"]:
        name = member["name"] + ("?" if member.get("optional") else "")
        members[name] = bytes if member["name"] in BASE64 else shape_of(member["type"], types)
    branches = [branch for branch in declared.get("variants", {}).values() if branch]
    for branch in branches:  # in replies of this type only, and a newer agent may have more types
        inner = shape_of(branch, types)
        assert isinstance(inner, dict)
        members |= {f"{key.rstrip('?')}?": value for key, value in inner.items()}
    return members


def accepts(ours: object, theirs: object, where: str) -> None:
    """`ours` takes every value that an agent of the shape `theirs` may send."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), where
        names = {key.rstrip("?"): (key.endswith("?"), inner) for key, inner in ours.items()}
        for key, inner in theirs.items():
            name = key.rstrip("?")
            assert name in names, f"{where}: {name} is missing"
            optional, own = names.pop(name)
            assert optional or not key.endswith("?"), f"{where}.{name} may be missing"
            accepts(own, inner, f"{where}.{name}")
        for name, (optional, _) in names.items():
            assert optional, f"{where}.{name} is newer than this agent"
    elif isinstance(theirs, list):
        assert isinstance(ours, list), where
        accepts(ours[0], theirs[0], f"{where}[]")
    elif isinstance(theirs, tuple):
        assert ours is str or (isinstance(ours, tuple) and set(theirs) <= set(ours)), where
    else:
        assert ours is theirs, f"{where}: {ours} is not {theirs}"


def test_there_are_44() -> None:
    assert len(NEWEST["commands"]) == 44
    newer = set(COMMANDS) - set(NEWEST["commands"])
    assert len(COMMANDS) - len(newer) == 44
    newest = release(NEWEST["qemu"])[:2]
    assert all(release(COMMANDS[wire].since) > newest for wire in newer)


@each_release
def test_replies(name: str) -> None:
    facts = FACTS[name]
    for wire, fact in facts["commands"].items():
        ours = COMMANDS[wire].result
        if fact.get("success-response", True):
            accepts(ours, shape_of(fact["returns"], facts["types"]), wire)
        else:
            assert ours is None, f"{wire} sends no reply"


@each_command
def test_a_reply_has_no_members_of_our_own(wire: str) -> None:
    theirs = shape_of(NEWEST["commands"][wire]["returns"], NEWEST["types"])
    if COMMANDS[wire].result is not None:
        accepts(theirs, COMMANDS[wire].result, wire)


@each_release
def test_arguments(name: str) -> None:
    for wire, fact in FACTS[name]["commands"].items():
        if wire in WITHOUT_ARGS:
            continue
        ours = {arg.wire: arg for arg in COMMANDS[wire].args if arg.wire}
        assert list(ours) == [member["name"] for member in fact["arguments"]], wire
        for member in fact["arguments"]:
            _check_argument(wire, ours[member["name"]], member)


def _check_argument(wire: str, arg: Arg, member: Mapping[str, Any]) -> None:
    kind = member["type"]
    where = f"{wire} {arg.name}"
    assert arg.many == isinstance(kind, list), where
    assert (kind[0] if isinstance(kind, list) else kind) in KINDS[arg.kind], where
    always = arg.required or arg.default is not None or arg.kind in (spec.SECRET, spec.STDIN)
    random = arg.wire == "id"  # checks.echo makes one
    if not member.get("optional"):
        assert always or random, f"{where} must always be sent"


@each_command
def test_since(wire: str) -> None:
    assert COMMANDS[wire].since == NEWEST["commands"][wire]["since"]


@each_release
def test_commands_of_a_release_are_as_old_as_said(name: str) -> None:
    for wire in NEWEST["commands"]:
        old_enough = release(COMMANDS[wire].since)[:2] <= release(name)
        assert (wire in FACTS[name]["commands"]) == old_enough, wire


@each_command
def test_systems(wire: str) -> None:
    condition = NEWEST["commands"][wire].get("if")
    systems = set(COMMANDS[wire].systems)
    if condition is None:
        assert not systems or wire in SINCE_11
        return
    words = condition["any"] if isinstance(condition, dict) else [condition]
    windows, linux = "CONFIG_WIN32" in words, words != ["CONFIG_WIN32"]
    assert ("Windows" in systems) == (windows or wire in SINCE_11), condition
    assert ("Linux" in systems) == linux, condition


def test_choices_are_the_schemas() -> None:
    whence = next(arg for arg in COMMANDS["guest-file-seek"].args if arg.kind == spec.WHENCE)
    assert list(whence.choices) == NEWEST["types"]["QGASeek"]["enum"]


def test_a_wrong_description_is_found() -> None:
    theirs = shape_of("GuestHostName", NEWEST["types"])
    wrong: list[object] = [{}, {"host-name": int}, {"host-name": str, "newer": str}, [str], str]
    for shape in wrong:
        with pytest.raises(AssertionError):
            accepts(shape, theirs, "test")
    assert isinstance(COMMANDS["guest-get-host-name"], Command)

"""What scripts rely on: the JSON keys and the columns of every command, pinned in contract.json.

A change here is a change for every script out there. When it is meant, write the file anew with
`python -m tests.test_contract` and say so in CHANGELOG.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from qga_cli import catalog
from qga_cli.spec import Command

PINNED = Path(__file__).parent / "contract.json"
NAMES = {str: "text", int: "integer", bool: "boolean", float: "number", bytes: "text or base64"}


def members(shape: object, path: str = "") -> Iterator[str]:
    """Every key of a result with its type: `[].disk[].serial?: text`."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            yield from members(inner, f"{path}.{name}" if path else name)
    elif isinstance(shape, list):
        yield from members(shape[0], f"{path}[]")
    elif isinstance(shape, tuple):
        yield f"{path}: one of {' '.join(shape)}"
    elif isinstance(shape, type):
        yield f"{path}: {NAMES[shape]}"


def promise(command: Command) -> dict[str, list[str]]:
    return {
        "json": sorted(members(command.result)),
        "columns": [column.name for column in command.columns],
    }


def promises() -> dict[str, dict[str, list[str]]]:
    return {command.name: promise(command) for command in catalog.walk()}


def text() -> str:
    return json.dumps(promises(), indent=1, sort_keys=True) + "\n"


def test_nothing_that_scripts_rely_on_has_changed() -> None:
    assert promises() == json.loads(PINNED.read_text()), "see the top of this file"


def test_columns_can_be_named_on_a_command_line() -> None:
    for command in catalog.walk():
        for column in command.columns:
            assert not set(column.name) & set(" ,\t|'\""), f"{command.name}: {column.name}"


if __name__ == "__main__":
    PINNED.write_text(text())

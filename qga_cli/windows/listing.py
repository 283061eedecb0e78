"""What is in a folder of a Windows guest, by cmd's `for` and, for hidden files, `dir`."""

from __future__ import annotations

import re

from qga_cli.windows.words import DONE, IS_FOLDER, Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.windows.private import Private

    Rows = dict[str, dict[str, Any]]

NONE = 12  # exit code: there is neither a file nor a folder of that name
_NAMED = 100  # hidden files that one batch looks at
_ENTRY = re.compile(r"([^*]{9,12})\*(\d{0,19})\*([^*]+)")


def listed(private: Private, goal: str, *, hidden: bool) -> tuple[int, str, list[dict[str, Any]]]:
    """What is in a folder, or the file itself: exit code, what cmd said, and the rows."""
    batch = Batch()
    name = batch.path(goal)
    out = private.path("list")
    each = _each(out)
    batch.add(f"type NUL>{out}")
    batch.look_at(name)
    batch.add(f"if not {IS_FOLDER} if not exist {name} exit {NONE}")
    batch.add(f"if not {IS_FOLDER} for %%I in ({name}) do {each}")
    batch.add(f"if not {IS_FOLDER} exit {DONE}")
    batch.add(f"pushd {name}")  # which cd cannot do with \\\\server\\share
    batch.add(f"for %%I in (*) do {each}")
    batch.add(f"for /d %%I in (*) do {each}")
    if hidden:
        batch.add(f"dir /b /a:h >>{out} 2>NUL")
    batch.add("popd")
    code, said = private.run(batch)
    if code:
        return code, said, []
    rows: Rows = {}
    unknown = []
    for line in _lines(private, out):
        if found := _ENTRY.fullmatch(line):
            rows.setdefault(found[3], _row(found))
        else:
            unknown.append(line)
    unknown = [name for name in unknown if name not in rows]  # wine's `for` hides none
    for start in range(0, len(unknown), _NAMED):
        _look_at_hidden(private, goal, unknown[start : start + _NAMED], out, rows)
    return 0, said, sorted(rows.values(), key=lambda row: str(row["name"]))


def _look_at_hidden(
    private: Private, folder: str, names: Sequence[str], out: str, rows: Rows
) -> None:
    """Add hidden files to `rows`: `for` sees them only where it is given their names."""
    batch = Batch()
    batch.add(f"type NUL>{out}")
    batch.add(f"pushd {batch.path(folder)}")
    for name in names:
        batch.add(f"for %%I in ({batch.path(name)}) do {_each(out)}")
    batch.add("popd")
    private.run(batch)
    for found in map(_ENTRY.fullmatch, _lines(private, out)):
        if found:
            rows.setdefault(found[3], _row(found))


def _lines(private: Private, out: str) -> list[str]:
    return private.content(out, most=2**26).decode("utf-16-le", "surrogatepass").splitlines()


def _each(out: str) -> str:
    """What is done for each entry of a listing. What is written to stands in front: a digit before
    it would be a stream's."""
    return f">>{out} echo %%~aI*%%~zI*%%~nxI"


def _row(found: re.Match[str]) -> dict[str, Any]:
    folder = found[1].startswith("d")
    return {
        "mode": found[1],
        "owner": "-",
        "group": "-",
        "size": int(found[2]) if found[2] and not folder else 0,
        "modified": None,
        "name": found[3],
    }

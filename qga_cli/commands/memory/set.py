"""guest-set-memory-blocks."""

from collections.abc import Mapping

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example


def _reason(row: Mapping[str, int]) -> str | None:
    """The guest's errno in words: systems that have this command number them as we do."""
    import os

    code = row.get("error-code")
    if not code:
        return None
    return os.strerror(code) if 0 < code < 2**31 else f"error {code}"


COMMAND = Command(
    "guest-set-memory-blocks",
    "Switch memory blocks of the guest on and off",
    since="2.3",
    args=[
        Arg("block", spec.BLOCKS, "Id from `memory list`, and its new state", positional=True,
            many=True, wire="mem-blks"),
    ],
    result=[
        {
            "phys-index": int,
            "response": ("success", "not-found", "operation-not-supported", "operation-failed"),
            "error-code?": int,
        }
    ],
    columns=[Column("block", "phys-index"), Column("response"), Column("error", _reason)],
    systems=["Linux"],
    changes=True,
    patience=60,
    run="verbs.confirmed:blocks",
    notes="Every block is tried. The exit code is 1 if any failed.",
    examples=[Example("qga memory set web1 31=off 30=off", "before unplugging that memory")],
)  # fmt: skip

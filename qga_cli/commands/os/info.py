"""guest-get-osinfo."""

from qga_cli.spec import TEXT, VERSION, Column, Command, Example

_MEMBERS = (
    "pretty-name", "id", "name", "version", "version-id", "variant", "variant-id",
    "kernel-release", "kernel-version", "machine",
)  # fmt: skip
_VERSIONS = ("version-id", "kernel-release")
_COMPARED = ("pretty-name", "kernel-release", "machine")  # in a table of several guests
_LEAVES = {"machine": 1, "kernel-release": 2}

COMMAND = Command(
    "guest-get-osinfo",
    "Show the guest's operating system and kernel",
    since="2.10",
    result={f"{member}?": str for member in _MEMBERS},
    columns=[
        Column(
            member,
            kind=VERSION if member in _VERSIONS else TEXT,
            alone=member not in _COMPARED,
            leaves=_LEAVES.get(member, 0),
        )
        for member in _MEMBERS
    ],
    examples=[Example("qga os info web1 --columns pretty-name", "one line of it")],
)

"""guest-get-osinfo."""

from qga_cli.spec import Column, Command, Example

_MEMBERS = (
    "pretty-name", "id", "name", "version", "version-id", "variant", "variant-id",
    "kernel-release", "kernel-version", "machine",
)  # fmt: skip

COMMAND = Command(
    "guest-get-osinfo",
    "Show the guest's operating system and kernel",
    since="2.10",
    result={f"{member}?": str for member in _MEMBERS},
    columns=[Column(member) for member in _MEMBERS],
    examples=[Example("qga os info web1 --columns pretty-name", "one line of it")],
)

"""guest-get-host-name."""

from qga_cli.spec import Column, Command, Example

COMMAND = Command(
    "guest-get-host-name",
    "Print the guest's host name",
    since="2.10",
    result={"host-name": str},
    columns=[Column("hostname", "host-name")],
    patience=5,
    examples=[Example("h=$(qga os hostname web1)", "the name alone")],
)

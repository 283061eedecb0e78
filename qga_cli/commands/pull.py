"""The verb `pull`: `cp` by the name that incus and adb have for it."""

from qga_cli.commands import cp
from qga_cli.spec import Command, Example

COMMAND = Command(
    "",
    "Copy files from guests: `cp` by another name",
    since=cp.COMMAND.since,
    args=cp.COMMAND.args,
    run=cp.COMMAND.run,
    scope=cp.COMMAND.scope,
    examples=[Example("qga pull web1:/var/log/syslog .", "as with cp")],
)

"""The verb `push`: `cp` by the name that incus and adb have for it."""

from qga_cli.commands import cp
from qga_cli.spec import Command, Example

COMMAND = Command(
    "",
    "Copy files to guests: `cp` by another name",
    since=cp.COMMAND.since,
    args=cp.COMMAND.args,
    run=cp.COMMAND.run,
    scope=cp.COMMAND.scope,
    examples=[Example("qga push nginx.conf web1:/etc/nginx/", "as with cp")],
)

"""The verb `wait`."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "",
    "Wait until guests, or something in them, are ready",
    since="0.15.0",
    args=[
        Arg("vm", spec.GUEST, "Guests: names, lists, globs, @groups", positional=True,
            many=True, metavar="VM..."),
        Arg("for", spec.TEXT, "What to wait for: agent, exec, ip, file:PATH, port:N, thawed, "
            "stopped", default="agent", metavar="WHAT",
            offers=("agent", "exec", "ip", "file:", "port:", "thawed", "stopped")),
        Arg("timeout", spec.DURATION, "Give up after this time", default="5m", metavar="TIME"),
    ],
    result=[{"vm": str, "ready": bool, "seconds": float, "reason?": str}],
    columns=[
        Column("vm"),
        Column("ready", kind=spec.YESNO),
        Column("seconds", kind=spec.SECONDS, leaves=1),
        Column("reason"),
    ],
    run="health.wait:wait",
    scope="fleet",
    notes=(
        "agent: it answers. exec: and may run programs. ip: one of the domain's NICs has "
        "an address that is neither loopback nor link-local, as `net address` prints it. "
        "file:PATH: the file exists. port:N: a program in the "
        "guest listens on the TCP port. thawed: the filesystems are not frozen. stopped: the "
        "guest does not run. A guest that is shut off is waited for; an unknown name is an "
        "error at once, as is what cannot come true (no agent channel, a policy in the way). "
        "Exit code 124 when the time ran out. One guest that gets ready prints nothing."
    ),
    examples=[
        Example("virsh start web1 && qga wait web1 && qga exec web1 -- uptime", "after a start"),
        Example("qga wait 'web*' --for port:443 --timeout 2m", "a service on all of them"),
        Example("qga power shutdown web1; qga wait web1 --for stopped", "before a copy"),
    ],
)  # fmt: skip

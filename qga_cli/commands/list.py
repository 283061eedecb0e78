"""The verb `list`: every guest at a glance."""

from qga_cli import spec
from qga_cli.spec import LINES, NUMBER, VERSION, WORD, Arg, Column, Command, Example

COMMAND = Command(
    "",
    "List the guests with their agents, systems and addresses",
    since="0.15.0",
    args=[
        Arg("pattern", spec.GUEST, "Guests to list, all by default: '*/*' for those of all hosts",
            positional=True, required=False),
    ],
    result=[
        {
            "vm": str,
            "state?": str,
            "agent?": str,
            "version?": str,
            "os?": str,
            "load?": float,
            "addresses": [str],
        }
    ],
    columns=[
        Column("vm"),
        Column("state", kind=WORD),
        Column("agent", kind=WORD),
        Column("version", kind=VERSION, leaves=2),
        Column("os", leaves=3),
        Column("load", kind=NUMBER, leaves=1),
        Column("addresses", kind=LINES, leaves=4),
    ],
    empty="",  # the verb says it
    patience=2,
    run="health.inventory:list_guests",
    scope="fleet",
    notes=(
        "AGENT is answering, frozen, not answering, busy, not connected (nobody has opened the "
        "channel), no channel (the guest has none) or wedged (libvirt has given up on it: see "
        "`qga doctor`). Each guest gets 2 seconds. LOAD is that of the last minute, from "
        "qemu-ga 10.0 on. ADDRESSES of the domain's own "
        "NICs come first. Nothing is started or changed."
    ),
    examples=[
        Example("qga list", "the guests of this host, running or not"),
        Example("qga list 'web*' --state running", "some of them"),
        Example("qga list -o table | less", "columns in a pipe too, where TSV is the default"),
        Example("qga list '*/*'", "those of every host in the configuration"),
        Example("qga list --watch 2s", "over and over, until Ctrl-C"),
        Example("qga list --columns vm,addresses | column -t", "for a script"),
    ],
)  # fmt: skip

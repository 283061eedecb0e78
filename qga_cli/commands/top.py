"""The verb `top`: the fleet on a whole screen."""

from qga_cli import spec
from qga_cli.commands.metrics import PATIENCE, PATTERN
from qga_cli.spec import BAR, BYTES, NUMBER, PERCENT, WORD, YESNO, Arg, Column, Command, Example

COMMAND = Command(
    "",
    "Watch the guests: processor, memory, load, disks, network, freeze",
    since="0.15.0",
    args=[
        PATTERN,
        Arg("every", spec.DURATION, "Time from one question to the next", short="-d", default="2s",
            metavar="TIME"),
        PATIENCE,
    ],
    result=[
        {
            "vm": str,
            "state?": str,
            "agent?": str,
            "frozen?": bool,
            "cpu%?": float,
            "memory?": int,
            "memory-total?": int,
            "load?": float,
            "full%?": float,
            "mountpoint?": str,
            "received?": float,
            "sent?": float,
            "read?": float,
            "written?": float,
        }
    ],
    columns=[
        Column("vm"),
        Column("state", kind=WORD, leaves=7),
        Column("agent", kind=WORD),
        Column("frozen", kind=YESNO, leaves=8),
        Column("cpu%", kind=PERCENT),
        Column("memory", kind=BYTES),
        Column("memory-total", kind=BYTES, extra=True),
        Column("load", kind=NUMBER, leaves=6),
        Column("full%", kind=BAR),
        Column("mountpoint", leaves=5),
        Column("received", kind=BYTES, leaves=4),
        Column("sent", kind=BYTES, leaves=3),
        Column("read", kind=BYTES, leaves=2),
        Column("written", kind=BYTES, leaves=1),
    ],
    patience=spec.FOREVER,
    run="cli.top:verb",
    scope="fleet",
    notes=(
        "On a terminal it takes the whole screen: q ends it, ? tells the keys, / shows some "
        "guests, c m l f t d n a sort by processor, memory, load, fullest filesystem, network, "
        "disk, name and state. In a pipe, or with -o, it prints one answer, of two looks a second "
        "apart.\n\n"
        "CPU is the share of all processors' time, as the guest counts it, or else its "
        "hypervisor. Memory is what the guest uses, where its balloon driver reports that to "
        "libvirt (`virsh dommemstat VM --period 10 --live` has it do so), or else what it takes "
        "of the host's. What nobody tells is `-`. Guests are asked as `qga metrics` does: nothing "
        "in them is changed, and one that is silent is left alone for a while."
    ),
    examples=[
        Example("qga top", "every guest of this host"),
        Example("qga top '*/*' -d 10s", "those of all hosts, less often"),
        Example("qga top -o json | jq -r '.[] | select(.frozen) | .vm'", "for a script"),
    ],
)  # fmt: skip

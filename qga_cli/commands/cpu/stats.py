"""guest-get-cpustats."""

from qga_cli.spec import BUSY, Column, Command, Example

COMMAND = Command(
    "guest-get-cpustats",
    "Show what the guest's processors have spent their time on",
    since="7.1",
    result=[
        {
            "type": ("linux",),
            "cpu": int,
            "user": int,
            "nice": int,
            "system": int,
            "idle": int,
            **dict.fromkeys(("iowait?", "irq?", "softirq?", "steal?", "guest?", "guestnice?"), int),
        }
    ],
    rows=lambda cpus: sorted(cpus, key=lambda cpu: cpu["cpu"]),
    columns=[
        Column("cpu"),
        *(Column(name, kind=BUSY) for name in ("user", "nice", "system", "idle", "iowait")),
        *(Column(name, kind=BUSY) for name in ("irq", "softirq", "steal")),
        *(Column(name, kind=BUSY, extra=True) for name in ("guest", "guestnice")),
    ],
    systems=["Linux"],
    notes=(
        "Counted since the guest started; with --watch in percent of the time since the last look. "
        "`steal` is time in which the host ran something else. In a pipe, milliseconds."
    ),
    examples=[Example("qga cpu stats web1 --watch 2", "as top and mpstat show it")],
)

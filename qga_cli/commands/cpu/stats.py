"""guest-get-cpustats."""

from qga_cli.spec import BUSY, Column, Command, Example

_TIMES = (
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guestnice",
)  # fmt: skip
_LEAVES = {"irq": 1, "softirq": 2, "nice": 3, "steal": 4, "iowait": 5}

COMMAND = Command(
    "guest-get-cpustats",
    "Show what the guest's processors have spent their time on",
    since="7.1",
    result=[{"type": ("linux",), **{f"{member}?": int for member in ("cpu", *_TIMES)}}],
    rows=lambda cpus: sorted(cpus, key=lambda cpu: cpu.get("cpu", -1)),
    columns=[
        Column("cpu"),
        *(
            Column(name, kind=BUSY, extra=name.startswith("guest"), leaves=_LEAVES.get(name, 0))
            for name in _TIMES
        ),
    ],
    systems=["Linux"],
    notes=(
        "Counted since the guest started; with --watch in percent of the time since the last look. "
        "`steal` is time in which the host ran something else. In a pipe, milliseconds."
    ),
    examples=[Example("qga cpu stats web1 --watch 2", "as top and mpstat show it")],
)

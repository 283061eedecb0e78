"""guest-fstrim."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "guest-fstrim",
    "Give the unused blocks of filesystems back to the host",
    since="1.2",
    args=[Arg("minimum", spec.SIZE, "Pass over free ranges smaller than this")],
    result={"paths": [{"path": str, "trimmed?": int, "minimum?": int, "error?": str}]},
    rows="paths",
    empty="no filesystem that can be trimmed",
    columns=[
        Column("path", kind=spec.PATH),
        Column("trimmed", kind=spec.BYTES),
        Column("minimum", kind=spec.BYTES, extra=True),
        Column("error"),
    ],
    systems=["Linux", "Windows"],
    changes=True,
    patience=600,
    run="verbs.confirmed:trim",
    notes=(
        "The exit code is 1 when no filesystem could be trimmed; one that could not has the reason "
        "in the column `error`. The agent answers nothing else meanwhile, which can be minutes."
    ),
    examples=[
        Example("qga fs trim web1", "everything that is free"),
        Example("qga fs trim 'web*' --minimum 1M", "quicker where it is fragmented"),
    ],
)

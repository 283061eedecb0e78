"""guest-exec-status."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "guest-exec-status",
    "Show what became of a program started in the guest",
    since="2.5",
    args=[
        Arg("pid", spec.PID, "Process id that `exec --detach` printed", positional=True),
        Arg("wait", spec.FLAG, "Wait for its end; its output and exit code become those of qga",
            wire=""),
    ],
    result={
        "exited": bool,
        "exitcode?": int,
        "signal?": int,
        "out-data?": bytes,
        "err-data?": bytes,
        "out-truncated?": bool,
        "err-truncated?": bool,
    },
    columns=[
        Column("exited", kind=spec.YESNO),
        Column("exitcode", kind=spec.WORD),
        Column("signal", kind=spec.WORD),
        Column("stdout", "out-data", spec.OUTPUT),
        Column("stderr", "err-data", spec.OUTPUT),
    ],
    changes=True,
    run="exec.detached:status",
    notes=(
        "The agent hands a finished program's status and output out once, then forgets them. "
        "The exit code is the program's once it has exited, 0 while it runs."
    ),
    examples=[
        Example("qga exec-status web1 4711", "whether it runs; its output once it has ended"),
        Example("qga exec-status --wait web1 4711", "as if exec had waited"),
    ],
)  # fmt: skip

"""guest-exec, as the verb `exec`: start, wait, exit code."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-exec",
    "Run a program in the guest and pass its exit code on",
    since="2.5",
    args=[
        Arg("command", spec.WORDS, "Program and its arguments, as they are: no shell", many=True,
            positional=True, wire="path arg"),
    ],
    result={"pid": int},
    changes=True,
    run="exec:verb",
    examples=[
        Example("qga exec web1 -- ip addr list", "read its output"),
        Example("qga exec web1 -- sh -c 'df -h | tail -1'", "a shell, when one is wanted"),
    ],
)  # fmt: skip

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
        Arg("stdin", spec.FLAG, "Keep standard input open, also when it is a terminal",
            short="-i", wire=""),
        Arg("tty", spec.FLAG, "Give the program a terminal: ours, with keyboard and window size",
            short="-t", wire=""),
        Arg("escape", spec.TEXT, "With -t: first key of ~. (end) and ~? (help), or none",
            default="~", metavar="KEY", wire=""),
    ],
    result={"pid": int},
    changes=True,
    run="exec:verb",
    examples=[
        Example("qga exec web1 -- ip addr list", "read its output"),
        Example("qga exec -it web1 -- top", "on a terminal"),
        Example("qga exec web1 -- sh -c 'df -h | tail -1'", "a shell, when one is wanted"),
    ],
)  # fmt: skip

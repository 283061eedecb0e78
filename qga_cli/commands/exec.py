"""guest-exec, as the verb `exec`: start, stream, wait, exit code."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

# What a program finds around it; `script` takes the same.
AROUND = [
    Arg("env", spec.TEXT, "Set a variable; NAME alone copies it from here", short="-e",
        metavar="NAME[=VALUE]", many=True, wire=""),
    Arg("env-file", spec.HOST_PATH, "Set the variables of this file", many=True,
        wire=""),
    Arg("clean-env", spec.FLAG, "Start from PATH, HOME, LANG and TERM alone",
        wire=""),
    Arg("workdir", spec.GUEST_PATH, "Directory to run in", short="-w", metavar="DIR", wire=""),
    Arg("user", spec.USER, "User to run as, and group", short="-u", metavar="USER[:GROUP]",
        wire=""),
    Arg("no-stdin", spec.FLAG, "Do not read standard input", short="-n", wire=""),
    Arg("kill-after", spec.DURATION, "Time from SIGTERM to SIGKILL",
        default="5s", metavar="TIME", wire=""),
    spec.CHANNEL,
]  # fmt: skip

COMMAND = Command(
    "guest-exec",
    "Run a program in the guest and pass its exit code on",
    since="2.5",
    args=[
        *AROUND,
        Arg("detach", spec.FLAG, "Print the pid, leave it running",
            short="-d", wire=""),
        Arg("command", spec.WORDS, "Program and its arguments, as they are: no shell", many=True,
            positional=True, wire="path arg"),
        Arg("stdin", spec.FLAG, "Let it read what is typed here",
            short="-i", wire=""),
        Arg("tty", spec.FLAG, "Give it this terminal",
            short="-t", wire=""),
        Arg("escape", spec.TEXT, "With -t: key of ~. and ~?, or none",
            default="~", metavar="KEY", wire=""),
    ],
    result={"pid": int},
    changes=True,
    run="exec.verb:execute",
    notes=(
        "Output of any size is shown as it comes; standard input is the program's when it is a "
        "pipe or a file. --timeout ends the program with all it has started and exits 124. "
        "The first Ctrl-C goes to the program, a second one leaves it running. "
        "A child left in the background does not hold the call. "
        "Input that is large or comes by and by travels, and the output with it, through ports "
        "that libvirt plugs into the running guest (not into its definition), live and many times "
        "as fast, where the guest takes them; there a program gets SIGHUP when qga is killed. "
        "With --channel always every program's streams do, or it fails; with never none. "
        "A guest without /proc (FreeBSD) gives its output at the end only, a megabyte of each "
        "stream. "
        "A Windows guest too, of any size; there input is read to its end before the program "
        "starts, Ctrl-C and --timeout end the program with all it has started, -u is refused, "
        "and with -d output is dropped. What follows `cmd /c` is a line of cmd. "
        "An agent that is restarted meanwhile, as by an upgrade, is waited for, and the program "
        "goes on if it is still there; else its outcome is unknown (125, with 8 as the code in "
        "the message of -o json). A program whose output nobody reads any more is left alone, "
        "its next write fails, and the exit code is 141. "
        "The agent gives standard output and standard error as two streams: what came first in "
        "one of them comes first, but which of the two was first is not known. "
        "2>&1 in a shell of the guest keeps one order. "
        "With -o json, jsonl or yaml one object comes at the end: `exitcode`, `signal`, `stdout` "
        "and `stderr` (the first MiB of each; `truncated` says whether there was more), `origin` "
        "(guest), `started` and `duration` in seconds. A stream that is no text is base64, and "
        "`stdout-encoding` (or `stderr-encoding`) is base64 then. "
        "Programs that take another one for ssh take `qga exec`: rsync -a -e 'qga exec' DIR "
        "web1:/srv/. "
        "With -t the program has a terminal, see `qga help shell`; -i alone lets it read what is "
        "typed here, line by line."
    ),
    examples=[
        Example("qga exec web1 -- ip addr list", "read its output"),
        Example("qga exec -it web1 -- top", "on a terminal"),
        Example("qga exec web1 -- sh -c 'df -h | tail -1'", "a shell, when one is wanted"),
        Example("tar c . | qga exec web1 -- tar x -C /srv", "feed it"),
        Example("qga exec -u postgres -w /tmp web1 -- pg_dumpall > all.sql", "as a user"),
        Example("qga exec --timeout 5m -e DEBUG=1 web1 -- ./job", "ended with all its children"),
    ],
)  # fmt: skip

"""script: a verb of guest-exec."""

from qga_cli import spec
from qga_cli.commands.exec import AROUND
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Run a script of the host in the guest",
    since="2.5",
    args=[
        *AROUND,
        Arg("file", spec.HOST_PATH, "Script on the host; - for standard input", positional=True),
        Arg("args", spec.WORDS, "Its arguments", positional=True, required=False, many=True,
            metavar="ARGS"),
    ],
    changes=True,
    run="exec.script:run_script",
    notes=(
        "The interpreter of the #! line runs it, sh without one; a .ps1 file is given to "
        "PowerShell. In the guest it is a file without a name: its $0 is "
        "/proc/self/fd/9. Standard input, output and exit code are as with exec."
    ),
    examples=[
        Example("qga script web1 ./setup.sh --fast", "with an argument"),
        Example("qga script 'web*' ./health.py", "on every web server"),
        Example("qga script win1 update.ps1", "on Windows"),
    ],
)  # fmt: skip

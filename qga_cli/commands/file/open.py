"""guest-file-open."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "guest-file-open",
    "Open a file in the guest and print its handle",
    since="0.15.0",
    args=[
        Arg("path", spec.GUEST_PATH, "File in the guest", positional=True),
        Arg("mode", spec.CHOICE, "As in fopen(3), r by default", metavar="MODE",
            choices=("r", "w", "a", "r+", "w+", "a+", "rb", "wb", "ab", "rb+", "wb+", "ab+")),
    ],
    result=int,
    changes=True,
    notes=(
        "The handle stays open in the agent until `qga file close`, whoever opened it. A new "
        "file gets mode 0666. To copy or print whole files, use `qga cp` and `qga cat`."
    ),
    examples=[
        Example("h=$(qga file open web1 /etc/hosts)", "to read"),
        Example("h=$(qga file open web1 /tmp/note --mode w)", "to write a new file"),
    ],
)  # fmt: skip

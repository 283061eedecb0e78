"""fs with-frozen: a verb of guest-fsfreeze-freeze and guest-fsfreeze-thaw."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Run a host command while guests are frozen, and thaw them whatever happens",
    since="0.15.0",
    args=[
        Arg("mountpoint", spec.MOUNTPOINT, "Freeze this filesystem only",
            many=True, metavar="PATH"),
        Arg("max", spec.DURATION, "Longest time to stay frozen, the freezing included",
            default="30s", metavar="TIME"),
        Arg("guests", spec.GUEST, "Guests: names, lists, globs, @groups", positional=True,
            many=True, metavar="VM..."),
        Arg("command", spec.WORDS, "Program of the host and its arguments: no shell",
            positional=True, many=True, metavar="-- CMD..."),
    ],
    systems=["Linux", "Windows", "FreeBSD"],
    changes=True,
    run="freeze.verbs:run",
    scope="fleet",
    notes=(
        "CMD runs on the host with QGA_VM (the guests, comma-separated) and QGA_FROZEN (how many "
        "filesystems were frozen) in its environment, and its exit code is passed on. The guests "
        "are thawed when it ends. A process of its own for each guest, started before the freeze, "
        "thaws it when qga is killed; it writes to the system log as qga. "
        "Exit code 124: a guest was thawed before CMD ended, so what CMD made is NOT consistent. "
        "That is so when --max has passed (CMD is ended then) and when the freeze ended by itself: "
        "Windows gives up after 10 seconds. 125: qga failed and CMD did not run, or a guest could "
        "not be thawed; 126, 127: CMD cannot be executed, or is not found."
    ),
    examples=[
        Example("qga fs with-frozen web1 -- lvcreate -s -n snap -L 5G vg/web1", "an LVM snapshot"),
        Example("qga fs with-frozen --max 10s web1 db1 -- ./snapshot.sh", "two guests, one moment"),
    ],
)  # fmt: skip

"""The verb `cp`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Copy files between this host and guests",
    since="0.15.0",
    args=[
        Arg("places", spec.PLACE, "Sources, and where to: VM:PATH, a path of this host, or -",
            positional=True, many=True, metavar="SRC... DST"),
        Arg("recursive", spec.FLAG, "Accepted for scp's sake: folders are copied anyway",
            short="-r"),
        Arg("preserve", spec.FLAG, "Keep mode, owner and time of change", short="-p"),
        Arg("dereference", spec.FLAG, "Copy what symbolic links point to", short="-L"),
        Arg("quiet", spec.FLAG, "No progress bar", short="-q"),
        Arg("resume", spec.FLAG, "Go on with an interrupted copy, from what is proven equal"),
        Arg("no-verify", spec.FLAG, "Do not compare checksums at both ends"),
        Arg("special", spec.FLAG, "Let copies of a guest's files keep set-user-ID bits"),
        Arg("max-size", spec.SIZE, "Take at most so much of a guest"),
    ],
    run="files.cp:verb",
    scope="none",
    examples=[
        Example("qga cp web1:/var/log/syslog .", "from a guest"),
        Example("qga cp -p nginx.conf web1:/etc/nginx/", "to a guest, with mode and times"),
        Example("qga cp web1:/srv web2:/srv/copy", "from guest to guest"),
    ],
)  # fmt: skip

"""The verb `mv`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Rename files within a guest",
    since="2.5",
    args=[
        Arg("places", spec.PLACE, "Sources, and where to: VM:PATH", positional=True, many=True,
            metavar="SRC... DST"),
    ],
    changes=True,
    run="files.rm_mkdir_mv:mv",
    scope="inside",
    examples=[Example("qga mv web1:/etc/nginx.conf.new web1:/etc/nginx.conf", "in place of it")],
)  # fmt: skip

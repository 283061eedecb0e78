"""raw: a verb for any wire command, known to us or not."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Send any command to the agent and print its reply as it comes",
    since="0.15.0",
    args=[
        Arg("request", spec.WIRE, "Wire name, or the whole request in JSON", positional=True,
            metavar="COMMAND"),
        Arg("argument", spec.TEXT, "As key=text, or key:=JSON for numbers, lists, true and false",
            positional=True, required=False, many=True, metavar="KEY=VALUE"),
        Arg("pretty", spec.FLAG, "Indent the reply"),
        Arg("output", spec.CHOICE, "The whole reply as it comes (raw), or its `return`",
            short="-o", choices=("raw", "json", "jsonl", "yaml"), default="raw"),
    ],
    changes=True,
    run="verbs.raw:raw",
    notes=(
        "As `virsh qemu-agent-command`, with its reply to the letter: nothing is checked, and "
        "base64 stays base64. An error of the agent goes to stderr, explained."
    ),
    examples=[
        Example("qga raw web1 guest-file-open path=/etc/hosts mode=r", "text arguments"),
        Example("qga raw web1 guest-file-read handle:=1000 count:=10", "numbers"),
        Example("""qga raw web1 '{"execute":"guest-ping"}' --pretty""", "what virsh takes"),
    ],
)  # fmt: skip

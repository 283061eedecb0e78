"""The verb `rsh`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Run a line in the guest's shell as ssh does, for what calls ssh",
    since="2.5",
    args=[
        Arg("login", spec.TEXT, "User, if not given as USER@VM", short="-l", metavar="USER"),
        Arg("option", spec.TEXT, "An option of ssh's: User, SendEnv, SetEnv; others that are "
            "harmless are ignored", short="-o", many=True, metavar="NAME=VALUE"),
        Arg("subsystem", spec.FLAG, "The word is a subsystem: sftp", short="-s"),
        Arg("tty", spec.FLAG, "A terminal, if ours is one", short="-t"),
        Arg("no-stdin", spec.FLAG, "No standard input", short="-n"),
        Arg("port", spec.TEXT, "Ignored", short="-p", metavar="PORT"),
        Arg("identity", spec.TEXT, "Ignored", short="-i", metavar="FILE"),
        Arg("config", spec.TEXT, "Ignored", short="-F", metavar="FILE"),
        Arg("ipv4", spec.FLAG, "Ignored", short="-4"),
        Arg("ipv6", spec.FLAG, "Ignored", short="-6"),
        Arg("compress", spec.FLAG, "Ignored", short="-C"),
        Arg("quiet", spec.FLAG, "Ignored", short="-q"),
        Arg("no-tty", spec.FLAG, "No terminal, which is the default", short="-T"),
        Arg("no-x11", spec.FLAG, "Ignored: nothing is forwarded", short="-x"),
        Arg("no-agent", spec.FLAG, "Ignored: nothing is forwarded", short="-a"),
        Arg("line", spec.WORDS, "Guest, then a line for the user's shell there", many=True,
            positional=True, metavar="[USER@]VM [LINE...]"),
        spec.CHANNEL,
    ],
    changes=True,
    lasts=True,
    run="network.rsh:verb",
    scope="none",
    notes=(
        "What takes another program for ssh takes this one: GIT_SSH_COMMAND='qga rsh', rsync -e "
        "'qga rsh', scp -S and ansible_ssh_executable with the program qga-rsh. The words are "
        "joined by blanks and read by the user's login shell in his home, as sshd does it; "
        "without any, the shell reads standard input. No sshd, key or network is needed: the user "
        "is root unless one is named, and the right is that to use the agent. "
        "Options of ssh's that change nothing here are ignored, others (forwarding, proxies, "
        "-A, -X, -N, -f) are refused. Exit code 255, as ssh's, when qga itself fails."
    ),
    examples=[
        Example("qga rsh deploy@web1 'cd app && git log -1'", "a line, as for ssh"),
        Example("qga rsh web1 <setup.sh", "a script, by root's login shell"),
    ],
)  # fmt: skip

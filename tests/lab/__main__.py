"""Command line of the lab: `python3 -m tests.lab up demo`."""

import argparse
import signal
import sys
import time

from tests.lab import debian, guest, host, windows
from tests.lab.image import SUITES
from tests.lab.process import LabError
from tests.lab.tools import ENDING


def main() -> int:
    """Run one command."""
    options = _parser().parse_args()
    try:
        if options.command == "host":
            return debian.try_here(options.release, options.words, user=options.user)
        _run(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "setup":
            host.setup(tests=options.tests)
        case "up":
            _up(options)
        case "down":
            guest.down(options.name)
        case "list":
            for entry in guest.guests():
                print(entry.name, entry.suite, entry.state, sep="\t")
        case "console":
            print(guest.console(options.name).read_text(errors="replace"), end="")
        case "windows":
            windows.build()
            if options.run:
                with windows.running() as agent:
                    print(f"{agent.uri}, drive C is {agent.drive}; Ctrl-C ends it", flush=True)
                    signal.sigwait([signal.SIGINT, signal.SIGTERM])
        case "purge":
            guest.purge()


def _up(options: argparse.Namespace) -> None:
    begin = time.monotonic()
    booted = guest.up(
        options.name, options.suite, options.memory, options.block_rpcs, options.agent_arg
    )
    seconds = time.monotonic() - begin
    print(
        f"{booted.name} is up: {booted.suite}, agent {booted.agent_version}, "
        f"{booted.uri}, {seconds:.1f} s"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=guest.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("setup", help="install the Debian packages that the lab needs")
    install.add_argument("--tests", action="store_true", help="and those of the test suite")
    start = commands.add_parser("up", help="boot a guest; returns when its agent answers")
    start.add_argument("name")
    start.add_argument(
        "--suite", choices=[*SUITES, *(name + ENDING for name in SUITES)], default="bookworm"
    )
    start.add_argument("--memory", type=int, default=512, metavar="MiB")
    start.add_argument(
        "--block-rpcs", type=lambda text: text.split(","), default=[], metavar="NAME,NAME"
    )
    start.add_argument("--agent-arg", action="append", default=[], metavar="OPTION")
    stop = commands.add_parser("down", help="stop a guest and remove its disks")
    stop.add_argument("name")
    commands.add_parser("list", help="name, suite and state of the lab's guests")
    log = commands.add_parser("console", help="print what a guest wrote to its console")
    log.add_argument("name")
    other = commands.add_parser(
        "host", help="run a command on another Debian release, from nothing"
    )
    other.add_argument("release", choices=debian.RELEASES)
    other.add_argument("words", nargs="+", metavar="COMMAND")
    other.add_argument("--user", action="store_true", help="as a user with sudo, not as root")
    wine = commands.add_parser("windows", help="build a Windows agent, once")
    wine.add_argument("--run", action="store_true", help="and run it until Ctrl-C")
    commands.add_parser("purge", help="remove the cache and the guests that live in it")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The way in: `qga`, and `python -m qga_cli`."""

import errno
import os
import sys

from qga_cli import __version__


def main() -> None:
    """Run the command line of this process and end it."""
    _open_closed()
    if sys.argv[1:] in (["--version"], ["-V"]):  # asked by scripts: answered before any import
        try:
            os.write(1, f"qga {__version__}\n".encode())
        except BrokenPipeError:
            os._exit(141)  # as for every other command: 128 + SIGPIPE
        except OSError as error:
            why = "stdout is closed" if error.errno == errno.EBADF else error.strerror
            sys.stderr.write(f"qga: the output cannot be written: {why}\n")
            os._exit(1)
        os._exit(0)
    try:
        from qga_cli.cli.main import main as run
    except KeyboardInterrupt:  # Ctrl-C before there is anybody to catch it: most of a short run
        from qga_cli.interrupt import die_of_ctrl_c

        die_of_ctrl_c()
        os._exit(130)
    run()


def rsh() -> None:
    """`qga rsh` under a name of its own, for what takes one program in place of ssh."""
    sys.argv.insert(1, "rsh")
    main()


def _open_closed() -> None:
    """Put /dev/null where a standard stream is closed.

    A connection to an agent would get its number otherwise, and be written to as if it were it.
    stdin cannot be read then, nor stdout written, as for cat: input that is not there is no empty
    file, and an answer that is lost is no success.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            way = (os.O_WRONLY, os.O_RDONLY, os.O_RDWR)[number]  # the first two fail with EBADF
            null = os.open(os.devnull, way)  # the lowest number that is free
            os.set_inheritable(null, True)  # our children would lack it as well
            setattr(sys, name, open(null, "w" if number else "r"))


if __name__ == "__main__":
    main()

"""The way in: `qga`, and `python -m qga_cli`."""

import os
import sys

from qga_cli import __version__


def main() -> None:
    """Run the command line of this process and end it."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # asked by scripts: answered before any import
        print(f"qga {__version__}", flush=True)  # noqa: T201
        os._exit(0)
    from qga_cli.cli.main import main as run

    run()


if __name__ == "__main__":
    main()

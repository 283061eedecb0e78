"""A wall clock that one command line sees instead of the machine's, and that jumps."""

import subprocess
from pathlib import Path

# libfaketime makes time.sleep of Python 3.11 fail: it takes the moment that clock_nanosleep gets
# for one of the wall clock, of which it is ages ago. Every Python below imports this.
_SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


class Clock:
    """Kept in `folder`; right until it jumps. Programs with `environment` see it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        (folder / "sitecustomize.py").write_text(_SLEEP)
        (library,) = subprocess.run(
            "dpkg -L libfaketime | grep /libfaketime.so.1$",
            shell=True, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # looked at each time, not every ten seconds
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # its name in older releases
            "PYTHONPATH": str(folder),
        }
        self.jump(0)

    def jump(self, hours: float) -> None:
        """Be so many hours ahead of the machine's clock from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{hours * 3600:+.0f}\n")
        new.rename(self._file)

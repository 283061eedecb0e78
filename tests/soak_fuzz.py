"""The properties without I/O, for long: `python -m tests.soak_fuzz --inputs 1000000`.

Prints how many inputs each property was really tried on; ends at the first one that fails.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

from tests import test_fuzz, test_targets

_BATCH = 5000  # inputs between two looks at the clock


class Property:
    """One property, counting its inputs. `function` is what @given made."""

    def __init__(self, name: str, function: "Callable[..., Any]") -> None:
        self.name = name
        self.count = 0
        handle = function.hypothesis  # type: ignore[attr-defined]
        inner = handle.inner_test

        @functools.wraps(inner)
        def counted(*args: object, **named: object) -> object:
            self.count += 1
            return inner(*args, **named)

        handle.inner_test = counted
        # Once: a function takes settings no second time.
        self._function = settings(
            max_examples=_BATCH, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )(function)  # fmt: skip

    def run(self, number: int) -> None:
        """Try one batch of new inputs. Raises what the property raises."""
        seed(number)(self._function)()


def properties() -> list[Property]:
    """Those of both files that touch neither sockets nor files."""
    return [
        Property(name, function)
        for module in (test_fuzz, test_targets)
        for name, function in vars(module).items()
        if hasattr(function, "hypothesis") and "however_it_is_cut" not in name
    ]


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3600, help="stop then, whatever is done")
    options = parser.parse_args()
    begun, number, tried = time.monotonic(), 0, properties()
    while sum(one.count for one in tried) < options.inputs:
        if time.monotonic() - begun > options.seconds:
            break
        tried[number % len(tried)].run(number)
        number += 1
    for one in tried:
        sys.stdout.write(f"{one.count:9,} {one.name}\n")
    total, seconds = sum(one.count for one in tried), time.monotonic() - begun
    sys.stdout.write(f"{total:9,} inputs in {seconds:.0f} s, none failed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

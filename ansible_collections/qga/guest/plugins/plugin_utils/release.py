# Apache License 2.0 (see LICENSE of qga)
"""Which qga the plugins belong to: they use what is inside the package, as its release has it."""

from __future__ import annotations

import sys

RELEASE = "0.1.0"


def lack() -> str:
    """Why the plugins cannot work with this Python, and what to type; empty when they can."""
    fix = f"install qga-cli {RELEASE} into this Python ({sys.executable})"
    try:
        from qga_cli import __version__
    except ImportError as error:
        return f"this Python has no qga ({error}): {fix}"
    if __version__ != RELEASE:
        return f"this collection is of qga {RELEASE}, and this Python has {__version__}: {fix}"
    return ""

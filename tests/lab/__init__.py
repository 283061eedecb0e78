"""The test lab: real guests, built from Debian packages and booted by libvirt."""

from tests.lab.guest import Guest, down, up
from tests.lab.process import LabError

__all__ = ["Guest", "LabError", "down", "up"]

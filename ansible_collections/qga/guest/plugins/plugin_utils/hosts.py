"""Which hypervisor a word means, as `qga -c` has it: a host of the configuration, or a URI."""

from __future__ import annotations

import os

from qga_cli import config


def uri_of(word: str | None) -> str | None:
    """The URI that `word` means; without a word the configuration's, None for libvirt's choice."""
    settings = config.load()
    word = word or os.environ.get("QGA_CONNECT") or settings.get("connect")
    return settings.values("hosts").get(word, word)

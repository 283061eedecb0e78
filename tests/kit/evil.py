"""Text that a guest would like on its host's terminal, and what of it must never get there."""

import re

EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b]8;;http://x\x1b\\link\x1b]52;c;cm0=\x07\x1bP1$r\x1b\\"
    "\x9b31m[red]markup[/red]\u202egpj.exe\u200b\u2066\x00\x08\r\n\tend" + "x" * 5000
)
DANGER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")  # the only sequences that our own tables use

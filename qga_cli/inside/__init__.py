"""What runs in guests: shell scripts, one file each, and some Python, sent as text.

They run as root in the guest, under whatever `sh` is there: dash, busybox ash, bash. (Under ksh
programs run, and what holds a copy does not.) Words that the user or the guest chose reach them as
$1, $2 ... or on standard input, never as text.
"""

import os
from functools import cache


@cache
def script(name: str) -> str:
    """The text of `inside/NAME.sh` as it is sent: without the lines that are only a comment.

    No here-document of ours has a line that begins with `#`, so none of them is changed.
    """
    path = os.path.join(os.path.dirname(__file__), f"{name}.sh")
    with open(path, encoding="utf-8") as file:
        return "".join(line for line in file if not line.lstrip().startswith("#"))


def modules(room: str, *names: str) -> str:
    """Python files of `inside/ROOM` as one text, without their imports of one another."""
    import re

    text = ""
    for name in names:
        path = os.path.join(os.path.dirname(__file__), room, f"{name}.py")
        with open(path, encoding="utf-8") as file:
            text += file.read()
    return re.sub(r"^from qga_cli\S* import (?:\([^)]*\)|.*)$", "", text, flags=re.MULTILINE)


def loaded(name: str, text: str) -> tuple[list[str], bytes]:
    """The words of a shell that runs `text`, and what it reads first; then comes the input of
    `text` itself.

    `name` is all that others see of it, once more in a comment, by which it is known for ours.
    """
    source = f"{script('exec/here')}{text}#\n".encode()
    return ["sh", "-c", f"# {name}\n{script('exec/load')}", name], source


def loaded_at_once(name: str, text: str, **told: str) -> tuple[list[str], bytes]:
    """As `loaded`, for a `text` that has nothing to read after it, and where there is /proc.

    The shell reads it in blocks, and ahead: byte by byte costs a slow guest 12 ms for a thousand.
    `told` are variables for it, words quoted for a shell. It stands in braces, so that a part of
    it is a mistake in the syntax, and does not run.
    """
    begin = "[ -e /proc/self/fd/0 ] || { echo no /proc >&2; exit 97; }; . /proc/self/fd/0"
    given = "".join(f"{variable}={word}\n" for variable, word in told.items())
    whole = f"{given}{{\n{script('exec/here')}{text}}}\n"
    return ["sh", "-c", f"# {name}\n{begin}", name], whole.encode("utf-8", "surrogateescape")

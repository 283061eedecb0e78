"""Exit codes of Windows: 32 bits without a sign, where POSIX has 8.

The agent tells codes of 0xC0000000 and above, which are mostly exceptions, as a `signal`, and all
above 0x7FFFFFFF as a negative number (guest_exec_child_watch and qmp_guest_exec_status in
qga/commands.c). -1 is the commonest code of a failure there, and -128 none of success.
"""

from __future__ import annotations

from qga_cli.errors import BadReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def told(status: Mapping[str, Any]) -> dict[str, Any]:
    """The same answer with the whole code as `exitcode`, and without a signal. Raises BadReply."""
    answer = dict(status)
    number: int | None = answer.pop("signal", None) or answer.get("exitcode")
    if number is None:
        raise BadReply("the agent says that a program has ended, and not how")
    return answer | {"exitcode": number & 0xFFFFFFFF}

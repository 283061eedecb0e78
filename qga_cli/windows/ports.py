"""Who listens in a Windows guest, as netstat tells in any language."""

from __future__ import annotations

from qga_cli.exec.calls import AgentCalls
from qga_cli.interrupt import Interrupt
from qga_cli.windows.private import Private
from qga_cli.windows.words import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.agent import Agent

_MOST = 2**24  # bytes of netstat's list that are looked at


def listens(agent: Agent, port: int) -> bool:
    """Whether somebody in the guest does."""
    with Private(AgentCalls(agent, Interrupt())) as private:
        out = private.path("out")
        batch = Batch()
        batch.add(f"netstat -an >{out}")
        private.run(batch)
        said = private.content(out, most=_MOST).decode("ascii", "replace")
    return is_told(said, port)


def is_told(said: str, port: int) -> bool:
    """Whether a line such as `TCP 0.0.0.0:80 0.0.0.0:0 LISTENING` is there: the state's name is in
    the guest's language, but only who listens has port 0 at the other end."""
    rows = (line.lower().split() for line in said.splitlines())  # no pattern: see readiness.is_told
    return any(
        row[0] == "tcp" and row[1].endswith(f":{port}") and row[2].endswith(":0")
        for row in rows
        if len(row) > 2
    )

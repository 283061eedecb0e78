"""What one can wait for in a guest, and how each is found out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import closing

from qga_cli.agent import Agent
from qga_cli.agent.abilities import ask, is_windows
from qga_cli.agent.file import AgentFile, read_small
from qga_cli.agent.refusal import frozen, policy_hint
from qga_cli.errors import Denied, QgaError, Refused, Unreachable, Unsupported, UsageError
from qga_cli.transports import STOPPED

_PORT = re.compile("[0-9]{1,5}")
_LISTEN = "0A"  # TCP_LISTEN in the kernel's /proc/net/tcp

Check = Callable[[Agent, Callable[[], Collection[str]]], None]


class NotYet(QgaError):
    """The agent answers, and what is waited for has not come."""

    kind = "not-yet"


class Condition:
    """`check(agent, macs)` returns when it holds and raises for why it does not.

    `macs` asks the host for those of the guest's NICs; none on sockets.
    `without_guest`: it holds for a guest that has gone.
    """

    def __init__(self, check: Check, *, without_guest: bool = False) -> None:
        self.check = check
        self.without_guest = without_guest


def condition(text: str) -> Condition:
    """The condition a --for names. Raises UsageError."""
    kind, _, detail = text.partition(":")
    if kind in _PLAIN and not detail:
        plain = _PLAIN[kind]
        return Condition(lambda agent, _: plain(agent), without_guest=kind == "stopped")
    if kind == "ip" and not detail:
        return Condition(_has_address)
    if kind == "file" and detail:
        return Condition(lambda agent, _: _exists(agent, detail))
    if kind == "port" and _PORT.fullmatch(detail) and 0 < int(detail) < 65536:
        return Condition(lambda agent, _: _listens(agent, int(detail)))
    raise UsageError(
        f"--for: {text!r} is not something to wait for",
        hint=f"{', '.join(_PLAIN)}, ip, file:PATH or port:N",
    )


def _answers(agent: Agent) -> None:
    from qga_cli.commands.ping import COMMAND

    agent.call(COMMAND)


def _may_exec(agent: Agent) -> None:
    from qga_cli.commands.exec import COMMAND as EXEC
    from qga_cli.commands.fs.status import COMMAND as STATUS

    able = ask(agent)
    if able.may(EXEC.wire):
        return
    if able.may(STATUS.wire) and agent.call(STATUS).value == "frozen":
        raise _not_thawed()
    raise Unsupported(
        f"{EXEC.wire} is blocked by the guest's policy", hint=policy_hint(agent.ask, EXEC)
    )


def _has_address(agent: Agent, macs: Callable[[], Collection[str]]) -> None:
    from qga_cli.commands.net.interfaces import COMMAND
    from qga_cli.health.network import on_nics

    if not on_nics(agent.call(COMMAND).value, macs()):
        raise NotYet("no NIC of the guest has an address but loopback and link-local ones")


def _is_thawed(agent: Agent) -> None:
    if freeze_state(agent) == "frozen":
        raise _not_thawed()


def freeze_state(agent: Agent) -> str | Refused:
    """frozen or thawed; the refusal of a Windows agent without VSS, which can freeze nothing and
    says so in its language."""
    from qga_cli.commands.fs.status import COMMAND

    try:
        return str(agent.call(COMMAND).value)
    except Unsupported:
        raise
    except Refused as error:
        if is_windows(agent):
            return error
        raise


def _not_thawed() -> NotYet:
    freeze = frozen("")
    return NotYet(freeze.message, hint=freeze.hint)


def _is_stopped(agent: Agent) -> None:
    state = agent.transport.state()
    if state in STOPPED:
        return
    if state:
        raise NotYet(f"the guest is {state}")
    try:  # a bare socket: nobody can tell but the agent
        _answers(agent)
    except Unreachable as error:
        # Where we have no right there is one, and what was not heard in time may speak later.
        if isinstance(error, Denied) or isinstance(error.__cause__, TimeoutError):
            raise
        return
    raise NotYet("the guest's agent answers")


def _exists(agent: Agent, path: str) -> None:
    """Raise Refused, with the guest's reason, unless the file can be opened for reading, or is a
    socket, which nobody can open so."""
    try:
        AgentFile(lambda command, given: agent.call(command, given).value, path).close()
    except Refused as error:
        if error.desc.endswith(": No such device or address"):  # ENXIO of open(2)
            return
        from qga_cli.interrupt import Interrupt
        from qga_cli.windows.files import WindowsFiles
        from qga_cli.windows.paths import is_full

        # There a folder cannot be opened, nor a file that a service has open.
        if not (is_full(path) and is_windows(agent)):
            raise
        with closing(WindowsFiles(agent, Interrupt())) as files:
            if not files.exists(path):
                raise


def _listens(agent: Agent, port: int) -> None:
    """Ask the kernel on Linux, netstat elsewhere."""
    ending = f":{port:04X}"
    try:
        tables = read_small(agent, "/proc/net/tcp") + _ipv6_table(agent)
    except Unsupported:
        raise  # the guest's policy
    except Refused:
        if _netstat_tells(agent, port):
            return
        tables = b""
    for line in tables.decode("ascii", "replace").splitlines():
        cells = line.split()  # number, local address, remote address, state
        if len(cells) > 3 and cells[3] == _LISTEN and cells[1].endswith(ending):
            return
    raise NotYet(f"nobody in the guest listens on TCP port {port}")


def _ipv6_table(agent: Agent) -> bytes:
    try:
        return read_small(agent, "/proc/net/tcp6")
    except Refused:
        return b""  # a kernel without IPv6


def _netstat_tells(agent: Agent, port: int) -> bool:
    from qga_cli.agent.program import capture

    if is_windows(agent):
        from qga_cli.windows.ports import listens

        return listens(agent, port)
    # The list has no bounds, the agent's reply must have some.
    bounded = ["/bin/sh", "-c", "netstat -an | head -c 1048576"]
    return is_told(capture(agent, bounded).stdout.decode("ascii", "replace"), port)


def is_told(said: str, port: int) -> bool:
    """Whether netstat has a line such as `tcp4 0 0 *.80 *.* LISTEN`, in whatever form.

    No pattern looks for it in all that a guest has said: one that takes the square of its length
    holds Python's lock meanwhile, and so hears of no signal and no time limit.
    """
    ends = f".{port}", f":{port}"
    for line in said.splitlines():
        protocol, *cells = line.lower().split() or [""]
        if protocol.startswith("tcp") and any(
            local.endswith(ends) and state.startswith("listen")
            for local, state in zip(cells, cells[2:], strict=False)
        ):
            return True
    return False


_PLAIN: dict[str, Callable[[Agent], None]] = {
    "agent": _answers,
    "exec": _may_exec,
    "thawed": _is_thawed,
    "stopped": _is_stopped,
}

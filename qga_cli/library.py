"""The library: what `from qga_cli import connect` gives, without the command line.

    with connect("qemu:///system") as host:
        done = host.guest("web1").exec(["ip", "addr"])
        print(done.code, done.stdout.decode())

Nothing here prints or ends the process; what fails raises an error of qga_cli.errors, the same
that the command line prints. Of the configuration only [policy] and [audit] count: what this
host's administrator forbids is forbidden here too.
"""

import io
from collections.abc import Mapping, Sequence

from qga_cli import catalog, config, wire
from qga_cli.agent import Agent
from qga_cli.agent.program import Completed
from qga_cli.errors import UsageError
from qga_cli.exec.run import run
from qga_cli.guests.hosts import guarding
from qga_cli.interrupt import Interrupt
from qga_cli.transports import connect as open_host

__all__ = ["Completed", "Guest", "Host", "connect"]

# No `from __future__ import annotations` here: what inspect and help() show are types, not text.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from qga_cli.exec.stream import ProgramStream
    from qga_cli.policy.guard import Guard
    from qga_cli.transports import HostConnection as Backend
    from qga_cli.transports import Transport

_PATIENCE = 30.0  # seconds


class Guest:
    """One guest of a host. Not for two threads at once; ask the host for another one."""

    def __init__(self, name: str, agent: Agent) -> None:
        self.name = name
        self._agent = agent

    def ping(self, timeout: float | None = None) -> None:
        """Return when the agent answers. Raises NotRunning, AgentUnavailable ..."""
        self.call("guest-ping", timeout=timeout)

    def call(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        timeout: float | None = None,
    ) -> "Any":
        """Run any command of the agent by its wire name, and return its checked result.

        `timeout` in seconds; without it the command's own patience. Base64 stays base64.
        """
        known = catalog.by_wire(command)
        if known is not None:
            return self._agent.call(known, arguments, timeout).value
        text = wire.encode(command, arguments or {})
        return wire.decode(self._agent.exchange(text, timeout or _PATIENCE))

    def exec(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        workdir: str = "",
        user: str = "",
        timeout: float | None = None,
    ) -> Completed:
        """Run a program and wait for it: no shell, output of any size, all of it in memory.

        `env` is added to the guest's environment; `user` is USER[:GROUP]. Past `timeout` seconds
        the program and its children are ended and TimedOut is raised. Raises NoProgram and
        NotExecutable when it cannot be started.
        """
        if isinstance(argv, str) or not argv:
            raise UsageError("argv is a list of words, the program's name first")
        out, err = bytearray(), bytearray()
        done = run(
            self._agent, argv, stdin=io.BytesIO(stdin) if stdin else None, stdout=out.extend,
            stderr=err.extend, interrupt=Interrupt(), timeout=timeout, env=env, workdir=workdir,
            user=user,
        )  # fmt: skip
        done.stdout, done.stderr = bytes(out), bytes(err)
        return done

    def open_stream(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        workdir: str = "",
        user: str = "",
        timeout: float = 30.0,
    ) -> "ProgramStream":
        """Run a program whose standard input and output are a stream of bytes, ours to use.

        It travels through ports that are plugged into the guest for it: hundreds of megabytes a
        second, a fraction of a millisecond there and back. Raises NoChannel where that is not
        possible (a bare socket, no virtio-serial controller, an agent that is not root) or not
        within `timeout` seconds; Forbidden; NoProgram and NotExecutable.
        """
        from qga_cli.exec.context import Context
        from qga_cli.exec.stream import ProgramStream

        if isinstance(argv, str) or not argv:
            raise UsageError("argv is a list of words, the program's name first")
        context = Context(env=env, workdir=workdir, user=user)
        return ProgramStream(self._agent, argv, context, timeout)


class Host:
    """A hypervisor, or a folder of sockets, as `--connect` names it."""

    def __init__(self, backend: "Backend", guard: "Guard | None" = None) -> None:
        self._backend = backend
        self._guard = guard
        self._opened: list[Transport] = []

    @property
    def uri(self) -> str:
        """Where it is; empty for libvirt's own choice."""
        return self._backend.uri

    def guests(self) -> dict[str, str]:
        """Every guest's name and its state in virsh's words; "" when nobody can tell."""
        return {guest.name: guest.state for guest in self._backend.guests()}

    def guest(self, name: str) -> Guest:
        """A guest by name, UUID or id. Raises NoGuest."""
        transport = self._backend.open(name)
        if self._guard:
            transport = self._guard.wrap(transport, self._backend.uri, name)
        self._opened.append(transport)
        return Guest(name, Agent(transport, name))

    def close(self) -> None:
        """Close the connection, and those of its guests. FileError: the log is incomplete."""
        for transport in self._opened:
            transport.close()
        self._backend.close()
        if self._guard:
            self._guard.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self.close()


def connect(uri: str | None = None) -> Host:
    """Open a host: a libvirt URI, unix:PATH, unix:TEMPLATE{vm} or vsock:CID:PORT.

    None is libvirt's own choice. Raises Unreachable, UsageError; FileError for an audit file that
    cannot be written.
    """
    return Host(open_host(uri), guarding(config.load([config.SYSTEM])))

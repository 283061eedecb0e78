"""The library: what `from qga_cli import connect` gives, without the command line.

    with connect("qemu:///system") as host:
        done = host.guest("web1").exec(["ip", "addr"])
        print(done.code, done.stdout.decode())

Nothing here prints or ends the process; what fails raises an error of qga_cli.errors, the same
that the command line prints. Of the configuration only [policy] and [audit] count: what this
host's administrator forbids is forbidden here too.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence

from qga_cli import catalog, config, wire
from qga_cli.agent import Agent
from qga_cli.agent.program import Completed
from qga_cli.commands.ping import COMMAND as PING
from qga_cli.errors import UsageError
from qga_cli.exec.run import run
from qga_cli.guests.hosts import Hosts, guarding
from qga_cli.guests.targets import Target
from qga_cli.interrupt import Interrupt
from qga_cli.spec import CHANNEL

__all__ = ["Completed", "Guest", "Host", "connect"]

# No `from __future__ import annotations` here: what inspect and help() show are types, not text.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from qga_cli.exec.stdin import InputSource
    from qga_cli.exec.stream import ProgramStream
    from qga_cli.guests.place import Place
    from qga_cli.transports import Transport

_PATIENCE = 30.0  # seconds
_CHANNEL = str(CHANNEL.default)


class Guest:
    """One guest of a host. Not for two threads at once; ask the host for another one.

    It has a share of a connection until it, or its host, is closed: use `with`, or `close`, where a
    program asks for guests again and again.
    """

    def __init__(self, target: Target, agent: Agent, opened: "set[Transport]") -> None:
        self.name = target.name
        self._target = target
        self._agent = agent
        self._opened = opened  # its host's
        opened.add(agent.transport)

    def close(self) -> None:
        """Give its share of the connection back. Safe to repeat."""
        self._opened.discard(self._agent.transport)
        self._agent.transport.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        return wire.decode(self._agent.exchange(text, _PATIENCE if timeout is None else timeout))

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
        out, err = bytearray(), bytearray()
        done = self.run(
            argv, stdin=io.BytesIO(stdin) if stdin else None, stdout=out.extend, stderr=err.extend,
            timeout=timeout, env=env, workdir=workdir, user=user,
        )  # fmt: skip
        done.stdout, done.stderr = bytes(out), bytes(err)
        return done

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: "InputSource | None" = None,
        stdout: Callable[[bytes], object] = len,
        stderr: Callable[[bytes], object] = len,
        env: Mapping[str, str] | None = None,
        workdir: str = "",
        user: str = "",
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        channel: str = "",
    ) -> Completed:
        """As `exec`, its streams passing through as they come.

        `stdin` is anything with `read`, in a thread of its own; `stdout` and `stderr` get pieces of
        bytes, which are dropped without. A signal set in `interrupt` goes to the program and its
        children, a second one raises Interrupted. `channel` is as on the command line, "" the
        library's own choice.
        """
        if isinstance(argv, str) or not argv:
            raise UsageError("argv is a list of words, the program's name first")
        return run(
            self._agent, argv, stdin=stdin, stdout=stdout, stderr=stderr,
            interrupt=interrupt or Interrupt(), timeout=timeout, env=env, workdir=workdir,
            user=user, channel=channel or _CHANNEL,
        )  # fmt: skip

    def put(
        self,
        source: str,
        path: str,
        *,
        owner: str = "",
        channel: str = "",
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
    ) -> None:
        """Copy a file of this host into the guest, as `cp` does: compared there, then renamed.

        `owner` is USER[:GROUP] in the guest's words. Raises FileError, and what the agent raises.
        """
        from qga_cli.guests.place import Place

        places = Place("", os.path.abspath(source)), Place(self.name, path)
        self._copy(places, owner, channel, timeout, interrupt)

    def fetch(
        self,
        path: str,
        target: str,
        *,
        channel: str = "",
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
    ) -> None:
        """Copy a file of the guest to this host, as `cp` does: compared here, then renamed.

        Links are followed. Raises FileError, and what the agent raises.
        """
        from qga_cli.guests.place import Place

        places = Place(self.name, path), Place("", os.path.abspath(target))
        self._copy(places, "", channel, timeout, interrupt)

    def _copy(
        self,
        places: "tuple[Place, Place]",
        owner: str,
        channel: str,
        timeout: float | None,
        interrupt: Interrupt | None,
    ) -> None:
        from qga_cli.files.cp import copy_one
        from qga_cli.verbs.job import Job, Streams

        interrupt = interrupt or Interrupt()
        unused = Streams(io.BytesIO(), io.BytesIO(), io.BytesIO())
        job = Job(
            target=self._target, streams=unused, interrupt=interrupt,
            output="", timeout=timeout, hosts=_OneGuest(self._agent.transport),
            targets=[self._target], fleet=False,
            say=lambda level, text: None, wire=lambda: self._agent.call(PING),
        )  # fmt: skip
        copy_one(job, *places, channel or _CHANNEL, owner)

    def open_stream(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        workdir: str = "",
        user: str = "",
        timeout: float = 30.0,
        prompt: bool = False,
    ) -> "ProgramStream":
        """Run a program whose standard input and output are a stream of bytes, ours to use.

        It travels through ports that are plugged into the guest for it: tens of megabytes a second
        under emulation, about a millisecond there and back. Raises NoChannel where that is not
        possible (a bare socket, no virtio-serial controller, an agent that is not root) or not
        within `timeout` seconds; Forbidden; NoProgram and NotExecutable. With `prompt` no byte
        waits for a later one, and at the very end a few may come that are not the program's.
        """
        from qga_cli.channel.unopened import persist
        from qga_cli.exec.context import Context
        from qga_cli.exec.stream import ProgramStream

        if isinstance(argv, str) or not argv:
            raise UsageError("argv is a list of words, the program's name first")
        context = Context(env=env, workdir=workdir, user=user)
        return persist(lambda: ProgramStream(self._agent, argv, context, timeout, prompt=prompt))


class _Lent:
    """A guest's transport, for work that closes it when it is done: a socket has one client."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._transport, name)

    def close(self) -> None:
        """The guest will."""


class _OneGuest(Hosts):
    """The host of one guest that is open already."""

    def __init__(self, transport: "Transport") -> None:
        super().__init__(None)
        self._transport = transport

    def transport(self, target: Target) -> "Any":
        return _Lent(self._transport)


class Host:
    """A hypervisor, or a folder of sockets, as `--connect` names it."""

    def __init__(self, uri: str | None, hosts: Hosts) -> None:
        self._uri = uri
        self._hosts = hosts
        self._opened: set[Transport] = set()

    @property
    def uri(self) -> str:
        """Where it is; empty for libvirt's own choice."""
        return self._hosts.host(self._uri).uri

    def guests(self) -> dict[str, str]:
        """Every guest's name and its state in virsh's words; "" when nobody can tell."""
        return {guest.name: guest.state for guest in self._hosts.host(self._uri).guests()}

    def guest(self, name: str) -> Guest:
        """A guest by name, UUID or id. Raises NoGuest."""
        target = Target(self._uri, name, name)
        return Guest(target, Agent(self._hosts.transport(target), name), self._opened)

    def close(self) -> None:
        """Close the connection, and those of its guests. FileError: the log is incomplete."""
        while self._opened:
            self._opened.pop().close()
        self._hosts.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(uri: str | None = None) -> Host:
    """Open a host: a libvirt URI, unix:PATH, unix:TEMPLATE{vm} or vsock:CID:PORT.

    None is libvirt's own choice. Raises Unreachable, UsageError; FileError for an audit file that
    cannot be written.
    """
    hosts = Hosts(uri, guard=guarding(config.load([config.SYSTEM])))
    hosts.host(uri)
    return Host(uri, hosts)

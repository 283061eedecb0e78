"""Transports and ports under guard: each call is judged and logged before it goes on."""

from __future__ import annotations

import json

from qga_cli.errors import QgaError, UsageError
from qga_cli.wire import AgentError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qga_cli.policy.guard import Guard
    from qga_cli.transports import Transport
    from qga_cli.transports.ports import Plugged, Ports, PortStream

CHANNEL = "channel"  # what a policy calls the use of a port of our own


class GuardedTransport:
    """A Transport under guard. What is sent is what was judged: encoded anew from its parse."""

    def __init__(self, inner: Transport, guard: Guard, uri: str | None, name: str) -> None:
        where, guest = inner.identity()
        self._host = uri or where
        self._name = guest or name
        self._names = guard.policy.names(self._host, guest) if guard.policy else ()
        self._inner = inner
        self._guard = guard
        self.read_chunk = inner.read_chunk
        self.write_chunk = inner.write_chunk
        self.audit = guard.audit_words()
        self.program: Sequence[str] = ()  # for the audit file alone: what is sent is judged

    def call(self, text: str, timeout: float) -> str:
        """See Transport.call. Raises Forbidden and FileError too."""
        request = _parse(text)
        line = json.dumps(request, separators=(",", ":"))
        return str(
            self._judged(
                request, lambda: self._inner.call(line, timeout), _outcome, program=self.program
            )
        )

    def change(
        self,
        how: str,
        work: Callable[[], Any],
        told: Mapping[str, object] | None = None,
        *,
        free: bool = False,
    ) -> Any:
        """Change the guest beside its agent, if the policy lets `how` pass. Raises as `call`.

        `told` is for the log. With `free` no policy is asked.
        """
        request = {"execute": how, "arguments": told}
        return self._judged(request, work, lambda _: "ok", free=free)

    def ports(self) -> Ports | None:
        """See Transport; each use of a port is judged as the command `channel`, and logged."""
        ports = self._inner.ports()
        return GuardedPorts(ports, self) if ports else None

    def resync(self) -> None:
        self._inner.resync()

    def identity(self) -> tuple[str, str]:
        return self._inner.identity()

    def state(self) -> str:
        return self._inner.state()

    def close(self) -> None:
        self._inner.close()

    def _judged(
        self,
        request: dict[str, Any],
        work: Callable[[], Any],
        tell: Callable[[Any], str],
        *,
        free: bool = False,
        program: Sequence[str] = (),
    ) -> Any:
        """Do what `request` says if it may be, and log how it ended: `tell` knows."""
        audit = self._guard.audit
        call = audit.begin(self._host, self._name, request, program) if audit else 0
        outcome = "failed"
        try:
            if self._guard.policy and not free:
                self._guard.policy.check(self._names, request["execute"])
            done = work()
            outcome = tell(done) if audit else ""
            return done
        except QgaError as error:
            outcome = error.kind
            raise
        finally:
            if audit:
                audit.end(call, outcome)


class GuardedPorts:
    """Ports under guard; to look at them is everybody's right."""

    def __init__(self, inner: Ports, guarded: GuardedTransport) -> None:
        self._inner = inner
        self._guarded = guarded
        self.uri = inner.uri
        self.guest = inner.guest
        self.audit = guarded.audit

    def apart(self) -> GuardedPorts:
        return GuardedPorts(self._inner.apart(), self._guarded)

    def close(self) -> None:
        self._inner.close()

    def near(self) -> bool:
        return self._inner.near()

    def boot(self) -> str:
        return self._inner.boot()

    def may_plug(self) -> bool:
        return self._inner.may_plug()

    def check_writing(self) -> None:
        self._inner.check_writing()

    def plugged(self, prefix: str) -> Sequence[Plugged]:
        return self._inner.plugged(prefix)

    def plug(self, name: str) -> None:
        """See Ports. Raises Forbidden and FileError too."""
        self._change("plug", name, lambda: self._inner.plug(name))

    def unplug(self, name: str) -> None:
        """See Ports. No policy forbids that."""
        self._change("unplug", name, lambda: self._inner.unplug(name), free=True)

    def unplug_unused(self, name: str, *, left_open: bool = False) -> bool:
        """See Ports. No policy forbids that."""
        done: bool = self._change(
            "unplug",
            name,
            lambda: self._inner.unplug_unused(name, left_open=left_open),
            free=True,
        )
        return done

    def open(self, name: str, *, writing: bool = False) -> PortStream:
        """See Ports. Raises Forbidden and FileError too."""
        stream: PortStream = self._change(
            "open", name, lambda: self._inner.open(name, writing=writing)
        )
        return stream

    def is_used(self, name: str) -> bool:
        return self._inner.is_used(name)

    def _change(self, what: str, name: str, work: Callable[[], Any], *, free: bool = False) -> Any:
        return self._guarded.change(CHANNEL, work, {"do": what, "port": name}, free=free)


def _parse(text: str) -> dict[str, Any]:
    request: object = json.loads(text)
    if isinstance(request, dict) and isinstance(request.get("execute"), str):
        return request
    raise UsageError("the request names no command")


def _outcome(reply: str) -> str:
    if reply.startswith('{"return"'):
        return "ok"
    try:
        decode(reply)
        return "ok"
    except AgentError:
        return "refused"
    except QgaError as error:
        return error.kind

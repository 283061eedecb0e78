"""What stands between every verb and every agent, where a policy or an audit file asks for it.

    [policy."db*"]                      in /etc/qga/config.toml only, by glob of guests' names
    allow = ["guest-get-*"]             nothing else; without this line everything
    deny = ["guest-exec*"]              not even if allowed
    read-only = true                    nothing that changes the guest
    [audit]
    file = "/var/log/qga.jsonl"
    calls = false                       only a line for each command, none for the agent's calls

Every table whose glob matches must agree. What an agent answers even while frozen passes always:
a policy must not keep anyone from a thaw. A guest goes by libvirt's name for it, or by its CID.

A socket has only the name that a template makes of its path, and who runs us may bring a template
of his own. So names count that come from `connect` and [hosts] of the same file; any other socket
may be any guest's, and every table holds there.
"""

from __future__ import annotations

import json
import os
from fnmatch import fnmatchcase

from qga_cli import catalog
from qga_cli.config import SYSTEM
from qga_cli.errors import Forbidden, QgaError, UsageError
from qga_cli.policy.audit import Audit
from qga_cli.wire import WHILE_FROZEN, AgentError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from qga_cli.config import Config, Setting
    from qga_cli.transports import Transport
    from qga_cli.transports.ports import Plugged, Ports, PortStream

CHANNEL = "channel"  # what a policy calls the use of a port of our own
_NAMELESS = (
    f"nobody vouches for which guest this socket is, so all tables hold; its path, or a template, "
    f"belongs into `connect` or [hosts] of {SYSTEM}"
)


class Policy:
    """The [policy] tables."""

    def __init__(self, config: Config) -> None:
        self._rules: dict[str, dict[str, Setting]] = {}
        self._vouched: dict[str, list[str]] = {}  # URIs of the administrator's, and his names
        for path, setting in config.settings.items():
            if path[0] == "policy":
                self._rules.setdefault(path[1], {})[path[2]] = setting
            elif path[0] in ("connect", "hosts") and setting.origin.startswith(f"{SYSTEM}:"):
                self._vouched.setdefault(setting.value, []).extend(path[1:])

    def names(self, uri: str, guest: str) -> Sequence[str]:
        """What a guest goes by; nothing for one that may be any. `guest`: what its way calls it."""
        if not uri.startswith("unix:"):
            return [guest]
        if uri not in self._vouched:
            return []
        file = os.path.basename(uri)
        return [guest] if guest else [*self._vouched[uri], file, os.path.splitext(file)[0]]

    def check(self, names: Sequence[str], command: str) -> None:
        """Raise Forbidden unless every table for a guest of these names lets the command pass."""
        if command in WHILE_FROZEN:
            return
        for pattern, rule in self._rules.items():
            if not names or any(fnmatchcase(name, pattern) for name in names):
                _check(rule, command, _NAMELESS if not names and pattern != "*" else "")


class Guard:
    """One run's policy and audit; `wrap` puts them around a transport."""

    def __init__(self, policy: Policy | None, audit: Audit | None) -> None:
        self.policy = policy
        self.audit = audit

    def wrap(self, transport: Transport, uri: str | None, name: str) -> GuardedTransport:
        """`transport` of the guest addressed as `name`, with every call under guard."""
        return GuardedTransport(transport, self, uri, name)

    def audit_files(self) -> Sequence[str]:
        """For another process that calls agents on our behalf."""
        return self.audit.paths if self.audit else ()

    def close(self) -> None:
        """Log what was abandoned. Raises FileError when the log is not complete."""
        if self.audit:
            self.audit.close()


class GuardedTransport:
    """A transport under guard. What is sent is what was judged: encoded anew from its parse."""

    def __init__(self, inner: Transport, guard: Guard, uri: str | None, name: str) -> None:
        where, guest = inner.identity()
        self._host = uri or where
        self._name = guest or name
        self._names = guard.policy.names(self._host, guest) if guard.policy else ()
        self._inner = inner
        self._guard = guard
        self.read_chunk = inner.read_chunk
        self.write_chunk = inner.write_chunk
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

    def audit_files(self) -> Sequence[str]:
        """See Guard."""
        return self._guard.audit_files()

    def ports(self) -> Ports | None:
        """See Transport; each use of a port is judged as the command `channel`, and logged."""
        ports = self._inner.ports()
        return GuardedPorts(ports, self) if ports else None

    def resync(self) -> None:
        """See Transport."""
        self._inner.resync()

    def identity(self) -> tuple[str, str]:
        """See Transport."""
        return self._inner.identity()

    def state(self) -> str:
        """See Transport."""
        return self._inner.state()

    def close(self) -> None:
        """See Transport."""
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
        self.audit = guarded.audit_files()

    def apart(self) -> GuardedPorts:
        """See Ports."""
        return GuardedPorts(self._inner.apart(), self._guarded)

    def close(self) -> None:
        """See Ports."""
        self._inner.close()

    def near(self) -> bool:
        """See Ports."""
        return self._inner.near()

    def boot(self) -> str:
        """See Ports."""
        return self._inner.boot()

    def may_plug(self) -> bool:
        """See Ports."""
        return self._inner.may_plug()

    def check_writing(self) -> None:
        """See Ports."""
        self._inner.check_writing()

    def plugged(self, prefix: str) -> Sequence[Plugged]:
        """See Ports."""
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
        """See Ports."""
        return self._inner.is_used(name)

    def _change(self, what: str, name: str, work: Callable[[], Any], *, free: bool = False) -> Any:
        return self._guarded.change(CHANNEL, work, {"do": what, "port": name}, free=free)


def guard(config: Config, audit: str) -> Guard | None:
    """What the configuration and --audit ask for, None for nothing. Raises FileError."""
    settings = config.values("audit")
    files = [settings["file"]] if "file" in settings else []
    if audit and audit not in files:
        files.append(audit)
    policy = Policy(config) if config.has("policy") else None
    return Guard(policy, Audit(files, calls=settings.get("calls", True)) if files else None)


def _check(rule: dict[str, Setting], command: str, hint: str) -> None:
    allow, deny, read_only = (rule.get(name) for name in ("allow", "deny", "read-only"))
    broken = None
    if deny and _matches(command, deny.value):
        broken = deny
    elif allow and not _matches(command, allow.value):
        broken = allow
    elif read_only and read_only.value and _changes(command):
        broken = read_only
    if broken:
        raise Forbidden(f"{command} is denied by this host's policy ({broken.origin})", hint=hint)


def _matches(command: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(command, pattern) for pattern in patterns)


def _changes(command: str) -> bool:
    known = catalog.by_wire(command)
    return known is None or known.changes


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

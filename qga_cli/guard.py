"""What stands between every verb and every agent, where a policy or an audit file asks for it.

    [policy."db*"]                      in /etc/qga/config.toml only, by glob of guests' names
    allow = ["guest-get-*"]             nothing else; without this line everything
    deny = ["guest-exec*"]              not even if allowed
    read-only = true                    nothing that changes the guest
    [audit]
    file = "/var/log/qga.jsonl"

Every table whose glob matches must agree. What an agent answers even while frozen passes always:
a policy shall not keep anyone from a thaw.
"""

import json
from fnmatch import fnmatchcase

from qga_cli import catalog
from qga_cli.audit import Audit
from qga_cli.errors import Forbidden, QgaError, UsageError
from qga_cli.wire import AgentError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qga_cli.config import Config, Setting
    from qga_cli.transports import Transport

# The agent's own list of what it answers while frozen: ga_freeze_allowlist in qga/main.c.
_ALWAYS = frozenset(
    ("guest-ping", "guest-info", "guest-sync", "guest-sync-delimited",
     "guest-fsfreeze-status", "guest-fsfreeze-thaw")
)  # fmt: skip


class Policy:
    """The [policy] tables."""

    def __init__(self, config: "Config") -> None:
        self._rules: dict[str, dict[str, Setting]] = {}
        for path, setting in config.settings.items():
            if path[0] == "policy":
                self._rules.setdefault(path[1], {})[path[2]] = setting

    def check(self, guest: str, command: str) -> None:
        """Raise Forbidden unless every table for the guest lets the command pass."""
        if command in _ALWAYS:
            return
        for pattern, rule in self._rules.items():
            if fnmatchcase(guest, pattern):
                _check(rule, command)


class Guard:
    """One run's policy and audit; `wrap` puts them around a transport."""

    def __init__(self, policy: Policy | None, audit: Audit | None) -> None:
        self.policy = policy
        self.audit = audit

    def wrap(self, transport: "Transport", uri: str | None, name: str) -> "Transport":
        """`transport` of the guest addressed as `name`, with every call under guard."""
        return Guarded(transport, self, uri, name)

    def audit_files(self) -> "Sequence[str]":
        """For another process that calls agents on our behalf."""
        return self.audit.paths if self.audit else ()

    def close(self) -> None:
        """Log what was abandoned. Raises FileError when the log is not complete."""
        if self.audit:
            self.audit.close()


class Guarded:
    """A transport under guard. What is sent is what was judged: encoded anew from its parse."""

    def __init__(self, inner: "Transport", guard: Guard, uri: str | None, name: str) -> None:
        where, self._guest = inner.identity()
        self._host = uri or where
        self._name = self._guest or name
        self._inner = inner
        self._guard = guard
        self.read_chunk = inner.read_chunk
        self.write_chunk = inner.write_chunk

    def call(self, text: str, timeout: float) -> str:
        """See Transport.call. Raises Forbidden and FileError too."""
        request = _parse(text)
        audit = self._guard.audit
        if not audit:
            return self._call(request, timeout)
        call = audit.begin(self._host, self._name, request)
        outcome = "failed"
        try:
            reply = self._call(request, timeout)
            outcome = _outcome(reply)
            return reply
        except QgaError as error:
            outcome = error.kind
            raise
        finally:
            audit.end(call, outcome)

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

    def _call(self, request: "dict[str, Any]", timeout: float) -> str:
        if self._guard.policy:
            self._guard.policy.check(self._guest, request["execute"])
        return self._inner.call(json.dumps(request, separators=(",", ":")), timeout)


def guard(config: "Config", audit: str) -> Guard | None:
    """What the configuration and --audit ask for, None for nothing. Raises FileError."""
    files = [setting.value for setting in config.table("audit").values()]
    if audit and audit not in files:
        files.append(audit)
    policy = Policy(config) if config.has("policy") else None
    return Guard(policy, Audit(files) if files else None)


def _check(rule: "dict[str, Setting]", command: str) -> None:
    allow, deny, read_only = (rule.get(name) for name in ("allow", "deny", "read-only"))
    broken = None
    if deny and _matches(command, deny.value):
        broken = deny
    elif allow and not _matches(command, allow.value):
        broken = allow
    elif read_only and read_only.value and _changes(command):
        broken = read_only
    if broken:
        raise Forbidden(f"{command} is denied by this host's policy ({broken.origin})")


def _matches(command: str, patterns: "Sequence[str]") -> bool:
    return any(fnmatchcase(command, pattern) for pattern in patterns)


def _changes(command: str) -> bool:
    known = catalog.by_wire(command)
    return known is None or known.changes


def _parse(text: str) -> "dict[str, Any]":
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

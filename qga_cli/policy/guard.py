"""Checks and records every call to an agent, where a policy or an audit file is configured.

[policy."db*"]                      see policy.rules
[audit]
file = "/var/log/qga.jsonl"
calls = false                       only a line for each command, none for the agent's calls
"""

from __future__ import annotations

from qga_cli.policy.audit import Audit
from qga_cli.policy.guarded import GuardedTransport
from qga_cli.policy.rules import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.config import Config
    from qga_cli.transports import Transport


class Guard:
    """One run's policy and audit; `wrap` puts them around a transport."""

    def __init__(self, policy: Policy | None, audit: Audit | None) -> None:
        self.policy = policy
        self.audit = audit

    def wrap(self, transport: Transport, uri: str | None, name: str) -> GuardedTransport:
        """`transport` of the guest addressed as `name`, with every call under guard."""
        return GuardedTransport(transport, self, uri, name)

    def audit_words(self) -> Sequence[str]:
        """For another process that calls agents on our behalf: see Audit.joined. Empty where it
        has nothing to log."""
        return self.audit.words if self.audit else ()

    def close(self) -> None:
        """Log what was abandoned. Raises FileError when the log is not complete."""
        if self.audit:
            self.audit.close()


def guard(config: Config, audit: str) -> Guard | None:
    """What the configuration and --audit ask for, None for nothing. Raises FileError."""
    settings = config.values("audit")
    files = [settings["file"]] if "file" in settings else []
    if audit and audit not in files:
        files.append(audit)
    policy = Policy(config) if config.has("policy") else None
    return Guard(policy, Audit(files, calls=settings.get("calls", True)) if files else None)

"""libvirt's errors in our words: told apart by number and text, for libvirt 9.0 to 12.

Numbers: include/libvirt/virterror.h, written out because bindings built against older headers
lack the newer ones. Texts: src/hypervisor/qemu_agent.c, src/qemu/qemu_domain.c (older releases
keep them in src/qemu/). Prefixes of messages are translated by the daemon's locale, so the text
is matched in str2, which is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from qga_cli import errors
from qga_cli.transports.libvirt_calls import NO_DOMAIN, NO_SUPPORT
from qga_cli.wire import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.libvirt_calls import LibvirtError

INTERNAL_ERROR, OPERATION_DENIED, RPC, AUTH_FAILED, OPERATION_INVALID = 1, 29, 39, 45, 55
OPERATION_TIMEOUT, ARGUMENT_UNSUPPORTED, AGENT_UNRESPONSIVE, ACCESS_DENIED = 68, 74, 86, 88
AUTH_CANCELLED, AUTH_UNAVAILABLE, COMMAND_TIMEOUT, COMMAND_FAILED = 79, 94, 112, 113

_AGENT_SAID = re.compile(r"unable to execute QEMU agent command '[^']*': (.*)", re.DOTALL)
_DENIED = (OPERATION_DENIED, AUTH_FAILED, ACCESS_DENIED, AUTH_CANCELLED, AUTH_UNAVAILABLE)
_NO_RIGHT = ("Permission denied", "system bus")  # the bus on which libvirtd asks polkit
_LINK_BROKE = re.compile(
    r"client socket is closed|End of file|Cannot (recv|write) data|Broken pipe|"
    r"connection (was )?(closed|reset)|keepalive",
    re.IGNORECASE,
)
_LEAVING = ("gone", "migrating", "shutting down", "shut off")  # all but the first: about to be
_VANISHED = "the guest has gone while it was asked"
_GONE = "it was ended, or has migrated: then its new host knows it"
_SILENT = "it may be busy, or stopped: `qga doctor VM` tells"
_REPLUG = "`qga doctor --fix VM` replugs the channel without a reboot"
_HOST = (
    "write a URI such as qemu:///system, or the name of a host in [hosts]: see `qga config show`"
)
_RIGHTS = "join the group libvirt, or run as root"
_START = "start qemu-guest-agent in the guest; `qga doctor VM` walks the whole chain"


def connect_error(error: LibvirtError, uri: str | None) -> errors.QgaError:
    """For failures that concern the host, not one guest."""
    where = uri or "libvirt's default host"
    text, code = str(error), error.code
    if code in _DENIED or any(sign in text for sign in _NO_RIGHT):
        return errors.Denied(f"cannot use {where}: {text}", hint=_RIGHTS)
    if "No such file" in text or "Connection refused" in text:
        hint = "is libvirtd (or virtqemud) running? `--connect URI` chooses another host"
    elif "no connection driver" in text:
        return errors.Unreachable(
            f"{where!r} is neither a libvirt URI nor a host of [hosts]", hint=_HOST
        )
    else:
        hint = ""
    return errors.Unreachable(f"cannot use {where}: {text}", hint=hint)


def translate(
    error: LibvirtError | None,
    *,
    elapsed: float,
    timeout: int,
    state: Callable[[], str],
) -> errors.QgaError:
    """For failures of one agent call that lasted `elapsed` of its `timeout` seconds."""
    if error is None:
        return errors.LinkDead("the agent sent bytes that are no text", hint=_REPLUG)
    code, text = error.code, error.text
    said = _AGENT_SAID.search(text)
    if said and code in (COMMAND_FAILED, INTERNAL_ERROR):
        return AgentError(said[1])
    if code == AGENT_UNRESPONSIVE:
        return _unresponsive(text, elapsed, timeout, state)
    if code == COMMAND_TIMEOUT:
        return _no_reply(text, timeout, state)
    if code == OPERATION_INVALID:
        return not_running(state())
    if code in _DENIED:
        return errors.Denied(
            f"libvirt denies agent calls: {text}",
            hint=f"{_RIGHTS}; a read-only connection cannot do this",
        )
    return _by_code(code, text) or _broken(code, text)


def _unresponsive(
    text: str, elapsed: float, timeout: int, state: Callable[[], str]
) -> errors.QgaError:
    if "not connected" in text:
        return errors.NotConnected("guest agent is not connected", hint=_START)
    if "due to an error" in text:
        return errors.LinkDead("libvirt has given up on this guest's agent link", hint=_REPLUG)
    # "Guest agent not available for now" is libvirt < 11.2 both for a guest-sync without an
    # answer (5 s, nothing sent yet) and for a command without one (the whole timeout).
    if "disappeared" not in text and ("synchronization" in text or elapsed < timeout - 0.5):
        return errors.NotAnswering("guest agent does not answer", hint=_SILENT)
    return _no_reply(text, timeout, state)


def _no_reply(text: str, timeout: int, state: Callable[[], str]) -> errors.OutcomeUnknown:
    if "disappeared" not in text:
        return errors.OutcomeUnknown(f"the agent did not reply within {timeout} s", hint=_SILENT)
    if state() in _LEAVING:
        return errors.OutcomeUnknown("the guest has gone before its agent replied", hint=_GONE)
    return errors.OutcomeUnknown("the agent went away before it replied", hint=_SILENT)


def not_running(state: str) -> errors.NotRunning | errors.NoGuest:
    """For a guest whose CPUs do not run."""
    if state == "gone":
        return errors.NoGuest(_VANISHED, hint=_GONE)
    if state == "running":
        return errors.NotRunning("the guest was paused, and runs again", hint="repeat the command")
    hints = {
        "paused": "virsh resume VM",
        "suspended": "virsh dompmwakeup VM",
        "shutting down": "`qga wait VM --for stopped`, then `virsh start VM`",
        "migrating": "its new host knows it in a moment; if that fails, this one does",
    }
    return errors.NotRunning(
        f"guest is {state or 'not running'}", hint=hints.get(state, "virsh start VM")
    )


def _by_code(code: int, text: str) -> errors.QgaError | None:
    if code == ARGUMENT_UNSUPPORTED:
        return errors.NotConfigured(
            "guest has no agent channel", hint="`qga doctor --fix VM` adds it, or virt-xml --add"
        )
    if code == NO_DOMAIN:
        return errors.NoGuest(_VANISHED, hint=_GONE)
    if code == OPERATION_TIMEOUT:
        return errors.Busy(
            "another caller has held this guest's agent for 30 s",
            hint="a backup or a long command may be running: try again later",
        )
    if code == NO_SUPPORT:
        return errors.Unsupported("this hypervisor's libvirt driver has no guest agent calls")
    if code == RPC:
        return errors.OutcomeUnknown(
            "the reply is larger than the 4 MiB that libvirt carries, and is lost"
        )
    if "No complete agent response" in text:
        return errors.LinkDead(
            "the reply is larger than the 10 MiB that libvirt takes; its agent link is dead now",
            hint=_REPLUG,
        )
    return None


def _broken(code: int, text: str) -> errors.QgaError:
    if _LINK_BROKE.search(text):
        return errors.OutcomeUnknown(f"the connection to libvirt broke during the call: {text}")
    return errors.BadReply(f"libvirt could not use the agent's reply: {text} (code {code})")

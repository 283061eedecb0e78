"""libvirt's errors in our words, by number and text, for releases before and after 11.2."""

import pytest

from qga_cli import errors
from qga_cli.transports.libvirt_calls import LibvirtError
from qga_cli.transports.libvirt_errors import connect_error, translate
from qga_cli.wire import AgentError


def failure(code: int, text: str) -> LibvirtError:
    return LibvirtError(code, f"translated prefix: {text}", text)


SAID = "unable to execute QEMU agent command 'guest-ping': "
CASES = [
    (1, SAID + "no", AgentError, "no"),
    (113, SAID + "two\nlines", AgentError, "two\nlines"),
    (1, "Unknown JSON reply '{}'", errors.BadReply, "Unknown JSON reply"),
    (1, "client socket is closed", errors.OutcomeUnknown, "connection to libvirt broke"),
    (38, "Cannot recv data: Connection reset by peer", errors.OutcomeUnknown, "broke"),
    (38, "No complete agent response found in 10485760 bytes", errors.LinkDead, "10 MiB"),
    (39, "Unable to encode message payload", errors.OutcomeUnknown, "4 MiB"),
    (42, "no domain with matching uuid", errors.NoGuest, "has gone"),
    (55, "domain is not running", errors.NotRunning, "guest is paused"),
    (68, "cannot acquire state change lock", errors.Busy, "another caller"),
    (74, "QEMU guest agent is not configured", errors.NotConfigured, "no agent channel"),
    (86, "QEMU guest agent is not connected", errors.NotConnected, "not connected"),
    (86, "QEMU guest agent is not available due to an error", errors.LinkDead, "given up"),
    (86, "guest agent didn't respond to synchronization within '5' seconds",
     errors.NotAnswering, "does not answer"),
    (86, "Guest agent disappeared while executing command", errors.OutcomeUnknown, "went away"),
    (112, "guest agent didn't respond to command within '3' seconds",
     errors.OutcomeUnknown, "within 3 s"),
    (3, "this function is not supported by the connection driver",
     errors.Unsupported, "driver has no guest agent calls"),
    (29, "read only access prevents virDomainQemuAgentCommand", errors.Denied, "denies"),
    (88, "access denied", errors.Denied, "denies"),
    (9, "something new", errors.BadReply, "something new"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "kind", "says"), CASES)
def test_each_error(code: int, text: str, kind: type[errors.QgaError], says: str) -> None:
    error = failure(code, text)
    found = translate(error, elapsed=3.0, timeout=3, state=lambda: "paused")
    assert type(found) is kind
    assert says in found.message


@pytest.mark.parametrize(
    ("elapsed", "kind"), [(5.0, errors.NotAnswering), (30.0, errors.OutcomeUnknown)]
)
def test_old_libvirt_says_the_same_for_two_timeouts(
    elapsed: float, kind: type[errors.QgaError]
) -> None:
    error = failure(86, "Guest agent not available for now")
    found = translate(error, elapsed=elapsed, timeout=30, state=str)
    assert type(found) is kind
    assert "`qga doctor VM`" in found.hint


def test_a_guest_that_runs_again_is_not_to_be_started() -> None:
    """As when it was paused for a snapshot, while it was asked."""
    error = translate(failure(55, "domain is not running"), elapsed=0, timeout=5,
                      state=lambda: "running")  # fmt: skip
    assert type(error) is errors.NotRunning
    assert "runs again" in error.message
    assert "virsh" not in error.hint


@pytest.mark.parametrize("state", ["gone", "migrating", "shutting down", "shut off"])
def test_a_guest_that_migrated_in_mid_call_is_to_be_asked_elsewhere(state: str) -> None:
    error = failure(86, "Guest agent disappeared while executing command")
    found = translate(error, elapsed=3.0, timeout=30, state=lambda: state)
    assert (type(found), "guest has gone" in found.message) == (errors.OutcomeUnknown, True)
    assert "new host" in found.hint
    error = failure(55, "domain is not running")
    assert "new host" in translate(error, elapsed=0, timeout=5, state=lambda: "migrating").hint
    gone = translate(error, elapsed=0, timeout=5, state=lambda: "gone")
    assert (type(gone), "new host" in gone.hint) == (errors.NoGuest, True)
    assert "new host" in translate(failure(42, "x"), elapsed=0, timeout=5, state=str).hint


def test_bytes_that_are_no_text_mean_a_dead_link() -> None:
    assert type(translate(None, elapsed=0, timeout=5, state=str)) is errors.LinkDead


def test_hosts_that_cannot_be_used_name_what_to_do() -> None:
    misspelt = connect_error(failure(38, "no connection driver available for x"), "x")
    assert "qemu:///system" in misspelt.hint


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (45, "access denied by policy"),
        (79, "user cancelled authentication process"),
        (94, "no polkit agent available to authenticate action 'org.libvirt.unix.manage'"),
        (38, "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied"),
        (1, "Unable to get system bus connection: Could not connect: No such file or directory"),
    ],
)
def test_a_user_without_the_right_is_told_how_to_get_it(code: int, text: str) -> None:
    denied = connect_error(failure(code, text), "qemu:///system")
    assert type(denied) is errors.Denied
    assert denied.exit_code == 3
    assert "group libvirt" in denied.hint

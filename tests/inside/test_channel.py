"""The scripts at a guest's end of a port, where there is none."""

import pytest

from tests.inside.conftest import Run

SAID = b"org.qga-cli.port.00\nhello\norg.qga-cli.port.01\nend\n:\n"


@pytest.mark.parametrize(
    ("program", "code", "reason"),
    [
        ("true", 97, b"this guest does not show the port\n"),
        ("no-such-program", 127, b""),
        ("/etc/passwd", 126, b""),
    ],
)
def test_it_tells_why_the_program_was_not_started(
    sh: Run, program: str, code: int, reason: bytes
) -> None:
    done = sh("channel/port+channel/stream", program, stdin=SAID)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.endswith(reason)

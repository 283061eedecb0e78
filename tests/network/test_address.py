"""Addresses as `connect` and `forward` take them."""

import pytest

from qga_cli.errors import UsageError
from qga_cli.network.address import address, forward


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("80", b"tcp 80"),
        ("db:5432", b"tcp 5432 db"),
        ("[::1]:80", b"tcp 80 ::1"),
        ("b\u00fccher.example:80", "tcp 80 b\u00fccher.example".encode()),
        ("unix:/run/x y.sock", b"unix /run/x y.sock"),
        ("sshd", b"sshd 22"),
        ("sshd:22", b"sshd 22"),
        ("sshd:2222", b"tcp 2222"),
    ],
)
def test_addresses(text: str, told: bytes) -> None:
    assert address(text, sshd=True).told() == told


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("8080:80", ("127.0.0.1", 8080, "localhost:80")),
        ("0:80", ("127.0.0.1", 0, "localhost:80")),
        ("8080:db:5432", ("127.0.0.1", 8080, "db:5432")),
        ("0.0.0.0:8080:80", ("0.0.0.0", 8080, "localhost:80")),
        ("[::]:8080:[::1]:80", ("::", 8080, "[::1]:80")),
        ("localhost:8080:db:80", ("localhost", 8080, "db:80")),
        ("5432:unix:/run/pg", ("127.0.0.1", 5432, "unix:/run/pg")),
    ],
)
def test_forwards(text: str, parts: tuple[str, int, str]) -> None:
    found = forward(text)
    assert (found.bind, found.port, str(found.to)) == parts


@pytest.mark.parametrize("text", ["", "x", "80:", ":80", "8080", "8080:0", "70000:80", "1:sshd",
                                  "80:unix:run", "8080:a b:80", "1:2:3:4:5", "80:b\u00fc..de:80",
                                  "b\u00fc..de:80:80", "80:\udcff:80"])  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        forward(text)

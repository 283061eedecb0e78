"""Addresses on the command line: [HOST:]PORT, unix:PATH, sshd; and what leads to which."""

from __future__ import annotations

import re

from qga_cli.errors import UsageError

_PORT = "[0-9]{1,5}"
_HOST = r"\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^\s:\[\]/,=]+"
_TCP = re.compile(rf"(?:({_HOST})?:)?({_PORT})")
_PAIR = re.compile(rf"(?:(?P<bind>{_HOST}):)??(?P<port>{_PORT}):(?P<to>.+)")
_SSHD = re.compile(rf"sshd(?::({_PORT}))?")
_SSH = 22  # its port
_PATH = 107  # bytes of a UNIX socket's path: unix(7)


class Address:
    """`kind` is tcp, unix or sshd. `host` "" is the machine itself, by IPv4 or IPv6."""

    def __init__(self, kind: str, host: str = "", port: int = 0, path: str = "") -> None:
        self.kind = kind
        self.host = host
        self.port = port
        self.path = path

    def told(self) -> bytes:
        """The payload of OPEN for it."""
        if self.kind == "unix":
            return b"unix " + self.path.encode("utf-8", "surrogateescape")
        return f"{self.kind} {self.port} {self.host}".rstrip().encode()

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.path}"
        if self.kind == "sshd":
            return f"sshd:{self.port}"
        return written(self.host or "localhost", self.port)


class Forward:
    """Who comes to `bind`:`port` is led `to` an address on the other side. Port 0: any."""

    def __init__(self, bind: str, port: int, to: Address) -> None:
        self.bind = bind
        self.port = port
        self.to = to


def address(text: str, *, sshd: bool = False) -> Address:
    """`[HOST:]PORT` or `unix:PATH`; with `sshd` also `sshd[:PORT]`. Raises UsageError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/") or len(path.encode("utf-8", "surrogateescape")) > _PATH:
            raise UsageError(
                f"{path!r} is no path of a UNIX socket: it begins with / and has at most "
                f"{_PATH} bytes"
            )
        return Address("unix", path=path)
    login = _SSHD.fullmatch(text) if sshd else None
    if login and int(login[1] or _SSH) == _SSH:
        return Address("sshd", port=_SSH)
    if login:  # the one that listens there
        return Address("tcp", port=_number(login[1], text))
    found = _TCP.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} is no address", hint="[HOST:]PORT, for example 80 or db:5432; or unix:PATH"
        )
    return Address("tcp", _host(found[1] or "", text), _number(found[2], text))


def forward(text: str) -> Forward:
    """`[BIND:]PORT:[HOST:]PORT` or `[BIND:]PORT:unix:PATH`. Raises UsageError."""
    found = _PAIR.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} does not say what leads where",
            hint="[BIND:]PORT:[HOST:]PORT, for example 8080:80; or PORT:unix:PATH",
        )
    port = _number(found["port"], text, free=True)
    return Forward(_host(found["bind"] or "127.0.0.1", text), port, address(found["to"]))


def written(host: str, port: int) -> str:
    """HOST:PORT."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host(host: str, text: str) -> str:
    """Without brackets. Raises UsageError for letters that no host's name has."""
    if not host.isascii():
        try:
            host.encode("idna")
        except UnicodeError as error:
            raise UsageError(f"{text!r}: {host!r} is no host's name") from error
    return host[1:-1] if host.startswith("[") else host


def _number(digits: str, text: str, *, free: bool = False) -> int:
    number = int(digits)
    if not (free or number) or number > 65535:
        raise UsageError(f"{text!r}: a port is a number from {0 if free else 1} to 65535")
    return number

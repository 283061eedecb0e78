"""`qga config show`."""

from __future__ import annotations

import os

from qga_cli import catalog, config
from qga_cli.cli.options import ENVIRONMENT, EVERY, fill
from qga_cli.spec import CHANNEL, COUNT, FLAG
from qga_cli.verbs.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def show_config(job: Job) -> list[dict[str, str]]:
    """Each file that is looked at, and every setting that holds, with its origin.

    Raises UsageError for a mistake in a file.
    """
    settings = config.load()
    for command in catalog.walk():
        fill(command, {}, settings)  # says where the mistake is, if there is one
    found = {path: (setting.value, setting.origin) for path, setting in settings.settings.items()}
    for option, variable in ENVIRONMENT.items():
        if os.environ.get(variable):
            found[_path(option)] = (os.environ[variable], variable)
    default = os.environ.get("LIBVIRT_DEFAULT_URI")
    if default:
        found.setdefault(("connect",), (default, "LIBVIRT_DEFAULT_URI"))
    tops = {path[0] for path in found}
    for path, value in _defaults():
        if len(path) > 1 or path[0] not in tops:
            found.setdefault(path, (value, "default"))
    looked = [
        {
            "setting": "file",
            "value": path,
            "origin": "read" if os.path.exists(path) else "not there",
        }
        for path in config.paths()
    ]
    return looked + [
        {"setting": ".".join(path), "value": _text(value), "origin": origin}
        for path, (value, origin) in sorted(found.items())
    ]


def _defaults() -> Iterator[tuple[tuple[str, ...], object]]:
    """What holds where nobody says anything else; "-" for no value."""
    yield ("connect",), "libvirt's own choice"
    for arg in (*EVERY, CHANNEL):
        if arg.name not in ("connect", "explain", "watch", "label"):
            said = {
                "output": "table on a terminal, tsv in a pipe",
                "audit": "-",
                "state": "running",
            }
            flag = "false" if arg.kind == FLAG else "0" if arg.kind == COUNT else "-"
            yield ("defaults", arg.name), arg.default or said.get(arg.name, flag)
    for table in ("aliases", "audit", "groups", "hosts", "policy"):
        yield (table,), "-"


def _path(option: str) -> tuple[str, ...]:
    """Where a file would say it."""
    return (option,) if option == "connect" else ("defaults", option)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""`qga config show`."""

import os

from qga_cli import catalog, config
from qga_cli.cli.options import ENVIRONMENT, fill
from qga_cli.job import Job


def verb(job: Job) -> list[dict[str, str]]:
    """Every setting that holds, with its origin. Raises UsageError for a mistake in a file."""
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
    if not found:
        job.say(0, f"nothing is set; a file may be {' or '.join(config.paths())}")
    return [
        {"setting": ".".join(path), "value": _text(value), "origin": origin}
        for path, (value, origin) in sorted(found.items())
    ]


def _path(option: str) -> tuple[str, ...]:
    """Where a file would say it."""
    return (option,) if option == "connect" else ("defaults", option)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

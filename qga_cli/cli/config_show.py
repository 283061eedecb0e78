"""`qga config show`."""

import os

from qga_cli import catalog, config
from qga_cli.cli.options import ENVIRONMENT, fill
from qga_cli.errors import UsageError
from qga_cli.verbs.job import Job


def show_config(job: Job) -> list[dict[str, str]]:
    """Every setting that holds, with its origin. Raises UsageError for a mistake in a file."""
    settings = config.load()
    known = {command.words for command in catalog.walk()}
    for words in known:
        fill(catalog.load(words), {}, settings)  # says where the mistake is, if there is one
    for path, setting in settings.settings.items():
        if path[0] == "defaults" and len(path) > 2 and path[1:-1] not in known:
            raise UsageError(f"{setting.origin}: no command {' '.join(path[1:-1])!r}")
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

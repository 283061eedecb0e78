"""What a program in a Windows guest finds around it: its words, folder and variables."""

from __future__ import annotations

from qga_cli.errors import Unsupported
from qga_cli.windows.words import Batch
from qga_cli.wire import is_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qga_cli.exec.context import Context
    from qga_cli.windows.private import Private

NO_FOLDER = 9096  # the exit code of `batch` where the folder cannot be entered

# Without these most programs of Windows do not start; they are what clean_env leaves.
_KEPT = {
    "comspec", "number_of_processors", "os", "path", "pathext", "processor_architecture",
    "programdata", "programfiles", "systemdrive", "systemroot", "temp", "tmp", "windir",
}  # fmt: skip


def batch(argv: Sequence[str], context: Context) -> Batch:
    """The batch file that runs `argv`. Raises UsageError, Unsupported."""
    if context.user:
        raise Unsupported(
            "-u: a Windows agent runs all programs as its own user, mostly SYSTEM: Windows wants "
            "the password of any other",
            hint="in the guest, a scheduled task (`schtasks /create /ru USER /rp`) can do it",
        )
    words = (*argv, context.workdir, *context.env, *context.env.values())
    if not all(map(is_text, words)):
        raise Unsupported("a Windows guest takes words of Unicode, and these hold other bytes")
    made = Batch()
    if context.workdir:
        made.add(f"cd /d {made.path(context.workdir)} 2>NUL")
        made.add(f"if errorlevel 1 exit {NO_FOLDER}")
    made.run(argv)
    return made


def environment(private: Private, made: Batch, context: Context) -> list[str] | None:
    """The `env` of guest-exec, which replaces the agent's own; None leaves that as it is."""
    if not (made.variables or context.env or context.clean_env):
        return None
    given = private.environment()
    if context.clean_env:
        given = {name: value for name, value in given.items() if name.lower() in _KEPT}
    given = merged(given, context.env)
    return [f"{name}={value}" for name, value in (given | made.variables).items()]


def merged(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Both, the second one's where they differ: names have no case there."""
    replaced = {name.lower() for name in other}
    return {name: value for name, value in one.items() if name.lower() not in replaced} | {**other}

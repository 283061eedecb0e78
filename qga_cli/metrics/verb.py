"""`qga metrics`: one look at guests, in the text that Prometheus reads."""

from __future__ import annotations

import contextlib
import os
import stat

from qga_cli import hostpath
from qga_cli.errors import FileError
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.exposition import text
from qga_cli.metrics.families import families
from qga_cli.threads import held
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.metrics.collector import Look

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o644  # a textfile collector is another user, and there is no secret in it


def verb(
    job: Job,
    *,
    parallel: int,
    pattern: str = "*",
    write: str | None = None,
    all_filesystems: bool = False,
) -> Finished:
    """Print or write the metrics; exit code 3 or 123 when a host could not be asked."""
    assert job.timeout is not None
    collector = Collector(job.hosts, parallel=parallel, patience=job.timeout)
    look = collector.look(pattern, job.interrupt)
    made = families(look, everything=all_filesystems)
    if write:
        put(write, text(made))
    elif job.output == "raw":
        job.streams.stdout.write(text(made).encode())
        job.streams.stdout.flush()
    code = _code(job, look)
    if write or job.output == "raw":
        return Finished(code=code)
    rows = [
        {"name": family.name, "labels": labels, "value": value}
        for family in made
        for labels, value in family.rows()
    ]
    return Finished(rows, code)


def put(path: str, content: str) -> None:
    """Put a file in place in one step: who reads it finds the old one or all of the new one.

    It is not called *.prom before it is complete, for that is what collectors look for. Raises
    FileError.
    """
    try:
        above, name = hostpath.walk(path, follow=False)
        with held(above):
            _check(path, above, name)
            part = f".{name}.{os.urandom(8).hex()}.qga-part"
            number = os.open(part, _NEW, _MODE, dir_fd=above)
            try:
                with open(number, "w", encoding="utf-8") as file:
                    os.fchmod(number, _MODE)  # whatever the umask is
                    file.write(content)
                os.rename(part, name, src_dir_fd=above, dst_dir_fd=above)
            except BaseException:
                os.unlink(part, dir_fd=above)
                raise
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error


def _check(path: str, above: int, name: str) -> None:
    """Raise FileError for a device, a FIFO, or /dev/stdout, of which a file would take the place.
    Any other link is replaced."""
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(name, dir_fd=above).st_mode
        link = stat.S_ISLNK(mode) and hostpath.our_number(path) is None
        if not (link or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a folder is rename's to refuse
            raise FileError(
                f"{path}: a file would take its place",
                hint="without --write, standard output gets them",
            )


def _code(job: Job, look: Look) -> int:
    """The exit code, and a line for each host that could not be asked."""
    dead = {host: error for host, error in look.hosts.items() if error}
    for host, error in dead.items():
        job.say(0, f"{host}: {error}")
    if dead and len(look.hosts) == 1:
        return next(iter(dead.values())).exit_code
    return 123 if dead else 0

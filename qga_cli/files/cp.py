"""The verb `cp`."""

import os

from qga_cli.errors import FileError, UsageError
from qga_cli.files.copy import Copier
from qga_cli.files.guests import Guests
from qga_cli.files.place import parse
from qga_cli.files.transfer import Wishes
from qga_cli.job import Finished, Job


def verb(job: Job) -> Finished:
    """Copy every place but the last to the last one."""
    *sources, target = (parse(text) for text in job.arguments["places"])
    if not sources:
        raise UsageError("cp needs a source and a destination", hint="qga cp web1:/etc/hosts .")
    with job.interrupt.shield(), Guests(job) as guests:
        try:
            Copier(job, guests, _wishes(job)).copy_all(sources, target)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise FileError(f"{where}{error.strerror}") from error
    return Finished()


def _wishes(job: Job) -> Wishes:
    given = job.arguments
    umask = os.umask(0o077)
    os.umask(umask)
    return Wishes(
        follow=given.get("dereference", False),
        preserve=given.get("preserve", False),
        special=given.get("special", False),
        verify=not given.get("no-verify"),
        resume=given.get("resume", False),
        limit=given.get("max-size", 0),
        umask=umask,
    )

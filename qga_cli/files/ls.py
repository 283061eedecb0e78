"""`qga ls`: what is in a folder of a guest."""

from qga_cli.errors import BadReply, FileError
from qga_cli.files.guest.guests import Guests
from qga_cli.format import printable
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST = 2**27  # bytes


def ls(job: Job) -> Finished:
    """Print the names; with --long or -o, what is known of each."""
    hidden = "1" if job.arguments.get("all") else ""
    with job.interrupt.shield(), Guests(job) as guests:
        place = guests.place(job.arguments["place"])
        access = guests.access(place)
        if access.cmd:
            return _shown(job, access.cmd.list(place.path, hidden=bool(hidden)))
        access.needs_exec("ls")
        said = bytearray()
        done = access.stream(script("files/list"), place.path, hidden, stdout=_bounded(said))
        if done.code:
            raise access.failure(done)
    rows = [_row(record) for record in bytes(said).split(b"\0")[:-1]]
    rows.sort(key=lambda row: str(row["name"]))
    return _shown(job, rows)


def _shown(job: Job, rows: "list[dict[str, Any]]") -> Finished:
    shaped = job.output or "columns" in job.arguments or "sort" in job.arguments
    if job.arguments.get("long") or shaped:
        return Finished(rows)
    for row in rows:  # escaped as in every other list, so that a name is a line
        name = printable(row["name"].replace("\\", "\\\\"))
        job.streams.stdout.write(name.encode() + b"\n")
    return Finished()


def _bounded(said: bytearray) -> "Callable[[bytes], None]":
    """Keeps what comes in `said`, up to a million names or so."""

    def take(data: bytes) -> None:
        said.extend(data)
        if len(said) > _MOST:
            raise FileError(f"the list has more than {_MOST >> 20} MiB")

    return take


def _row(record: bytes) -> "dict[str, Any]":
    """One file. Raises BadReply for what the script does not print."""
    known, slashes, target = record.decode("utf-8", "surrogateescape").partition("//")
    try:
        mode, owner, group, size, modified, name = known.split("/")
        moment = float(modified)
        row = {
            "mode": mode,
            "owner": owner,
            "group": group,
            "size": int(size),
            "modified": moment,
            "name": name,
        }
    except ValueError:
        raise BadReply(f"the guest's list makes no sense: {record[:100]!r}") from None
    if not slashes or not abs(moment) < 2**63:  # "nan" and "inf" are floats too
        raise BadReply(f"the guest's list makes no sense: {record[:100]!r}")
    return row | ({"target": target} if target else {})

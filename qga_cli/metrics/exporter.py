"""`qga exporter`: the metrics over HTTP, for Prometheus to fetch.

The official client library writes the answer: it knows which formats a Prometheus takes, and packs.
"""

from __future__ import annotations

import re
import sys
import threading
from urllib.parse import parse_qs

from qga_cli import __version__
from qga_cli.errors import NoGuest, QgaError, UsageError
from qga_cli.metrics.bounds import Bounds
from qga_cli.metrics.collector import Collector
from qga_cli.metrics.families import families
from qga_cli.metrics.family import Family
from qga_cli.metrics.server import Server
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from prometheus_client import Metric

_AT_ONCE = 16  # scrapes; one more is told to come again
_USUAL = 10.0  # seconds that Prometheus waits if nobody says otherwise (scrape_timeout)
_MARGIN = 0.5  # seconds of them for the way
_LONGEST = 2000  # characters of a query
_TIMEOUT = "HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS"
_PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>qga exporter</title></head><body>
<h1>qga exporter</h1>
<p>qga {__version__}: what guests tell through their QEMU guest agents.</p>
<ul>
<li><a href="/metrics">/metrics</a>: all guests</li>
<li>/metrics?target=web1: one; target may be a list, a pattern or a group, and come again</li>
</ul>
</body></html>
"""


def verb(
    job: Job,
    *,
    listen: str,
    parallel: int,
    keep: float,
    pattern: str = "",
    all_filesystems: bool = False,
) -> Finished:
    """Serve until a signal comes. Raises UsageError, QgaError where it cannot listen."""
    try:
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        raise QgaError(
            "the exporter needs Prometheus' client library for Python",
            hint=f"`{sys.executable} -m pip install prometheus-client`, or Debian's "
            "python3-prometheus-client; `qga metrics` does without",
        ) from error
    assert job.timeout is not None
    address, port = listening(listen)
    collector = Collector(job.hosts, parallel=parallel, patience=job.timeout, keep=keep)
    exporter = Exporter(job, collector, pattern, everything=all_filesystems)
    try:
        server = Server(address, port, exporter)
    except OSError as error:
        raise QgaError(
            f"cannot listen on {listen}: {error.strerror or error}",
            hint="--listen ADDRESS:PORT chooses another place",
        ) from error
    with job.interrupt.shield():  # the way out that is meant: nothing to complain about
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shown = f"[{address}]" if ":" in address else address
        job.say(0, f"listening on http://{shown}:{server.server_port}/metrics")
        while not job.interrupt.sleep(3600, 0):
            pass
        server.shutdown()
        server.server_close()
    return Finished(code=128 + job.interrupt.signum)


def listening(text: str) -> tuple[str, int]:
    """Address and port of --listen: ADDRESS:PORT, [ADDRESS]:PORT, or a PORT of this host's own.

    Raises UsageError.
    """
    address, colon, port = text.rpartition(":")
    if not colon:
        address = "127.0.0.1"
    elif address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif not address or ":" in address:
        raise UsageError(
            f"--listen: {text!r} is not ADDRESS:PORT",
            hint="0.0.0.0:9942 listens on all addresses, [::]:9942 too; 127.0.0.1:9942 on none "
            "that others reach",
        )
    if not (re.fullmatch("[0-9]{1,5}", port) and int(port) < 65536):
        raise UsageError(f"--listen: {port!r} is not a port")
    return address, int(port)


class Exporter:
    """The pages, as a WSGI application."""

    def __init__(self, job: Job, collector: Collector, pattern: str, *, everything: bool) -> None:
        self._job = job
        self._collector = collector
        self._pattern = pattern
        self._everything = everything
        self._bounds = Bounds()
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") != "GET":
            return _say(start, "405 Method Not Allowed", "only GET\n")
        if path == "/":
            return _say(start, "200 OK", _PAGE, "text/html")
        if path != "/metrics":
            return _say(start, "404 Not Found", "there are / and /metrics\n")
        if not self._room.acquire(blocking=False):
            return _say(start, "503 Service Unavailable", "too many scrapes at once\n")
        try:
            made = self._collect(environ)
        except NoGuest as error:
            return _say(start, "404 Not Found", f"{error}\n")
        except UsageError as error:
            return _say(start, "400 Bad Request", f"{error}\n")
        except QgaError as error:
            self._job.say(0, str(error))
            return _say(start, "500 Internal Server Error", f"{error}\n")
        finally:
            self._room.release()
        return _exposition(made, environ, start)

    def _collect(self, environ: WSGIEnvironment) -> list[Family]:
        query = environ.get("QUERY_STRING", "")
        if len(query) > _LONGEST:
            raise UsageError(f"the query has more than {_LONGEST} characters")
        wanted = parse_qs(query).get("target")
        look = self._collector.look(
            ",".join(wanted) if wanted else self._pattern or "*",
            self._job.interrupt,
            _within(environ.get(_TIMEOUT, "")),
            among=self._pattern if wanted else None,
        )
        made = families(look, everything=self._everything)
        self._bounds.apply(made)
        return made


def _within(told: str) -> float:
    """Time limit of a scrape in seconds, from Prometheus' header X-Prometheus-Scrape-Timeout."""
    try:
        seconds = float(told)
    except ValueError:
        seconds = _USUAL
    return max(1.0, min(seconds, 600.0) - _MARGIN)


def _exposition(
    made: list[Family], environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    from prometheus_client import CollectorRegistry, make_wsgi_app

    registry = CollectorRegistry()
    registry.register(_Collected(made))
    answer: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)
    return answer(environ, start)


class _Collected:
    """What the library takes for a collector. `describe` serves its parameter name[]."""

    def __init__(self, made: list[Family]) -> None:
        self._metrics = [_metric(family) for family in made if family.samples]

    def collect(self) -> list[Metric]:
        """Every family of one look."""
        return self._metrics

    describe = collect


def _metric(family: Family) -> Metric:
    """The library's own kind of family: it wants a counter's name without its ending."""
    from prometheus_client import Metric

    metric = Metric(family.name.removesuffix("_total"), family.help, family.kind)
    for labels, value in family.rows():
        metric.add_sample(family.name, dict(labels), value)
    return metric


def _say(start: StartResponse, status: str, text: str, kind: str = "text/plain") -> Iterable[bytes]:
    data = text.encode("utf-8", "backslashreplace")
    start(
        status,
        [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(data)))],
    )
    return [data]

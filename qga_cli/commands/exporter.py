"""The verb `exporter`: figures of guests over HTTP, for Prometheus."""

from qga_cli import spec
from qga_cli.commands.metrics import EVERYTHING, PATIENCE, PATTERN
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Serve what guests tell about themselves to Prometheus, over HTTP",
    since="0.15.0",
    args=[
        PATTERN,
        Arg("listen", spec.TEXT, "Where to listen: for this host alone, unless you say otherwise",
            default="127.0.0.1:9942", metavar="[ADDRESS:]PORT"),
        Arg("keep", spec.DURATION, "Ask no guest more often than this", default="5s",
            metavar="TIME"),
        EVERYTHING,
        PATIENCE,
    ],
    patience=spec.FOREVER,
    run="metrics.exporter:verb",
    scope="fleet",
    notes=(
        "The metrics of `qga metrics`, at /metrics; /metrics?target=web1 asks some guests only: a "
        "name, a list, a pattern or a group. Guests are asked when Prometheus asks, side by side. "
        "One that does not answer costs its own --timeout, and is left alone for 5 seconds then, "
        "up to a minute when it stays silent; so is an agent that a backup of qga's needs now. "
        "Within the time that Prometheus waits, it gets what has come. Nothing in a guest is "
        "changed.\n\n"
        "It needs Prometheus' own library, prometheus-client, in the Python of qga (Debian: "
        "python3-prometheus-client). There is no TLS and no password here: for other machines, "
        "put a web server in front. docs/prometheus.md has one, a unit for systemd, rules for "
        "alerts and a dashboard."
    ),
    examples=[
        Example("qga exporter", "every guest of this host, at http://127.0.0.1:9942/metrics"),
        Example("qga exporter '*/*' --listen 0.0.0.0:9942", "those of all hosts, for others too"),
    ],
)  # fmt: skip

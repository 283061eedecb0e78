"""The verb `metrics`: figures of guests for Prometheus."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

PATTERN = Arg("pattern", spec.GUEST, "Guests, all by default: '*/*' for those of all hosts",
              positional=True, required=False)  # fmt: skip
EVERYTHING = Arg("all-filesystems", spec.FLAG,
                 "Those too that are always full, such as squashfs and iso9660")  # fmt: skip
PATIENCE = Arg("timeout", spec.DURATION, "Time limit for each guest, and for each host",
               default="3s", metavar="TIME")  # fmt: skip

COMMAND = Command(
    "",
    "Print what guests tell about themselves, as Prometheus reads it",
    since="0.15.0",
    args=[
        PATTERN,
        Arg("write", spec.HOST_PATH, "Write it to this file in one step, for node_exporter"),
        EVERYTHING,
        PATIENCE,
        Arg("output", spec.CHOICE, "The text that Prometheus reads (raw), or each sample",
            short="-o", choices=("raw", "json", "jsonl", "yaml"), default="raw"),
    ],
    result=[{"name": str, "labels": {}, "value": float}],
    patience=spec.FOREVER,
    run="metrics.verb:verb",
    scope="fleet",
    notes=(
        "Filesystems, load, processors, disks, network, clock, users, freeze and release of each "
        "guest, whether its agent answers, and why not; with libvirt its own counters of memory, "
        "processors, disks and network too. Names and units are node_exporter's with qga_ for "
        "node_. A guest that does not run is listed with qga_up 0. Nothing in a guest is changed, "
        "and one that is frozen is asked no more than whether it is.\n\n"
        "With --write, each run puts a whole file in place of the last one: node_exporter reads it "
        "from the folder of its --collector.textfile.directory, if its name ends with .prom. "
        "`qga exporter` serves the same to Prometheus itself.\n\n"
        "A host that cannot be asked is qga_host_up 0; the exit code is then 123, or the error's "
        "own where there is no other host."
    ),
    examples=[
        Example("qga metrics", "every guest of this host"),
        Example("qga metrics 'web*' | grep filesystem_avail", "some of it"),
        Example("qga metrics --write /var/lib/prometheus/node-exporter/qga.prom", "from cron"),
    ],
)  # fmt: skip

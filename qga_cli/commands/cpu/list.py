"""guest-get-vcpus."""

from qga_cli.spec import YESNO, Column, Command, Example

COMMAND = Command(
    "guest-get-vcpus",
    "List the guest's processors and which are online",
    since="1.5",
    result=[{"logical-id": int, "online": bool, "can-offline?": bool}],
    rows=lambda cpus: sorted(cpus, key=lambda cpu: cpu["logical-id"]),
    columns=[
        Column("cpu", "logical-id"),
        Column("online", kind=YESNO),
        Column("can-offline", kind=YESNO),
    ],
    systems=["Linux", "Windows"],
    examples=[Example("qga cpu list web1", "ids for `cpu set`")],
)

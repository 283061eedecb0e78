"""guest-get-memory-blocks."""

from qga_cli.spec import YESNO, Column, Command, Example

COMMAND = Command(
    "guest-get-memory-blocks",
    "List the guest's memory blocks and which are online",
    since="2.3",
    result=[{"phys-index": int, "online": bool, "can-offline?": bool}],
    rows=lambda blocks: sorted(blocks, key=lambda block: block["phys-index"]),
    empty="no memory blocks that can be switched",
    columns=[
        Column("block", "phys-index"),
        Column("online", kind=YESNO),
        Column("can-offline", kind=YESNO),
    ],
    systems=["Linux"],
    examples=[Example("qga memory list web1", "ids for `memory set`")],
)

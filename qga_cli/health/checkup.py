"""What `qga doctor` looks at, in this order: each is one function.

A check returns what it found; it raises the error that breaks the chain, hint included; it
returns a Concern when the chain holds all the same, and None when there is nothing to look at.
"""

from qga_cli.health.chain import channel, connected, guest, host, link, ping, ports, running
from qga_cli.health.condition import clock, confinement, policy, root, thawed, version

CHECKS = (
    host, guest, running, channel, ports, connected, link, ping, version, thawed, policy,
    confinement, clock, root,
)  # fmt: skip

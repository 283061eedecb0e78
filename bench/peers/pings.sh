#!/bin/sh
# Peer: guest-ping N times, a virsh process each.
i=0
while [ "$i" -lt "$2" ]; do
    virsh qemu-agent-command "$1" '{"execute":"guest-ping"}'
    i=$((i + 1))
done

#!/bin/sh
# Peer: the usual script around guest-exec: virsh, jq, base64. Arguments: VM PATH ARG...
# It polls without a pause: most people's sleeps, and is slower.
vm=$1 path=$2
shift 2
args=$(printf '%s\n' "$@" | jq -R . | jq -sc .)
start='{"execute":"guest-exec","arguments":{"path":"'$path'","arg":'$args',"capture-output":true}}'
[ $# -gt 0 ] || start='{"execute":"guest-exec","arguments":{"path":"'$path'","capture-output":true}}'
pid=$(virsh qemu-agent-command "$vm" "$start" | jq -r .return.pid)
while :; do
    status=$(virsh qemu-agent-command "$vm" \
        '{"execute":"guest-exec-status","arguments":{"pid":'"$pid"'}}')
    [ "$(echo "$status" | jq -r .return.exited)" = true ] && break
done
echo "$status" | jq -r '.return["out-data"] // empty' | base64 -d
exit "$(echo "$status" | jq -r .return.exitcode)"

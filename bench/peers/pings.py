"""Peer: guest-ping N times from a bare libvirt-python loop."""

import sys

import libvirt
import libvirt_qemu

connection = libvirt.open(None)
domain = connection.lookupByName(sys.argv[1])
for _ in range(int(sys.argv[2])):
    print(libvirt_qemu.qemuAgentCommand(domain, '{"execute":"guest-ping"}', 5, 0))
connection.close()

"""Peer: guest-ping from a bare libvirt-python script."""

import sys

import libvirt
import libvirt_qemu

connection = libvirt.open(None)
domain = connection.lookupByName(sys.argv[1])
libvirt_qemu.qemuAgentCommand(domain, '{"execute":"guest-ping"}', 5, 0)
connection.close()

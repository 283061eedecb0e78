"""Peer: the bare stream of a virtio-serial port, and SHA-512 at both ends, and nothing else.

Arguments: VM in|out GUEST-PATH LOCAL-PATH; LOCAL-PATH has the size of what is copied.
"""

import base64
import hashlib
import os
import sys
from xml.etree import ElementTree

import libvirt
from channel import over_libvirt

NAME = "org.example.bench"
PORT = f"<channel type='unix'><target type='virtio' name='{NAME}'/></channel>"
FIND = f"""for port in /sys/class/virtio-ports/*; do
  read -r name <$port/name; [ "$name" = {NAME} ] && break
done
port=/dev/${{port##*/}}
"""
OUT = 'exec 3>$port; sha512sum "$1" & cat "$1" >&3; wait'
IN = 'exec 3<>$port; echo >&3; head -c "$2" <&3 >"$1"; sha512sum "$1"'
BLOCK = 1 << 20

guest, way, path, local = sys.argv[1:]
size = os.path.getsize(local)
domain = libvirt.open(None).lookupByName(guest)
call = over_libvirt(domain)
digest = hashlib.sha512()
domain.attachDeviceFlags(PORT, libvirt.VIR_DOMAIN_AFFECT_LIVE)
try:
    stream = domain.connect().newStream(0)
    domain.openChannel(NAME, stream, 0)
    words = ["-c", FIND + (IN if way == "in" else OUT), "sh", path, str(size)]
    pid = call("guest-exec", path="sh", arg=words, **{"capture-output": True})["pid"]
    if way == "in":
        stream.recv(1)  # what is sent while nobody has the port open is dropped
        with open(local, "rb") as source:
            while piece := source.read(BLOCK):
                digest.update(piece)
                while piece:
                    piece = piece[stream.send(piece) :]
    else:
        with open(local + ".bare", "wb") as out:
            while out.tell() < size:
                piece = stream.recv(BLOCK)
                digest.update(piece)
                out.write(piece)
    while not (status := call("guest-exec-status", pid=pid))["exited"]:
        pass
    stream.abort()
finally:
    live = ElementTree.fromstring(domain.XMLDesc())
    (port,) = (
        each for each in live.iter("channel") if each.find(f"target[@name='{NAME}']") is not None
    )
    port.find("target").attrib.pop("state")  # libvirt compares it, and it changes
    domain.detachDeviceFlags(ElementTree.tostring(port).decode(), libvirt.VIR_DOMAIN_AFFECT_LIVE)
if base64.b64decode(status["out-data"]).decode().split()[0] != digest.hexdigest():
    raise SystemExit("the copies differ")

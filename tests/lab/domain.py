"""A guest in libvirt's words: its domain XML, and the mark by which the lab knows its own."""

import base64
import json
import os
import shlex
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from tests.lab.hypervisor import virsh
from tests.lab.process import LabError

NAMESPACE = "urn:qga:lab"
# MiB of translated code. With QEMU's default a reboot took up to 55 s in a guest that had worked:
# the new kernel is written over pages with translations, each to be dropped one by one.
TRANSLATED = 64
DIMM = 128  # MiB of the memory in a module: the one memory block that the kernel lets go offline

TEMPLATE = """\
<domain type='qemu'>
  <name>{name}</name>
  <metadata><lab:guest xmlns:lab='{namespace}'>{mark}</lab:guest></metadata>
  <maxMemory slots='1' unit='MiB'>{most}</maxMemory>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>2</vcpu>
  <cpu><numa><cell id='0' cpus='0-1' memory='{fixed}' unit='MiB'/></numa></cpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}/vmlinuz</kernel>
    <initrd>{kernel}/initrd</initrd>
    <cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>{translated}</tb-cache></tcg></features>
  <clock offset='utc'/>
  <pm><suspend-to-mem enabled='yes'/></pm>
  <devices>
    <controller type='usb' model='none'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe' discard='unmap'/>
      <source file={root}/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='unsafe' discard='unmap'/>
      <source file={data}/>
      <target dev='vdb' bus='virtio'/>
      <serial>labdata</serial>
    </disk>
    <interface type='user'><model type='virtio'/><rom enabled='no'/></interface>
    <serial type='pty'><log file={console} append='off'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <memory model='dimm'><target><size unit='MiB'>{dimm}</size><node>0</node></target></memory>
    <memballoon model='none'/>
  </devices>
{label}</domain>
"""


@dataclass(frozen=True)
class Wish:
    """What a guest is asked to be; two equal wishes can share a running guest."""

    suite: str
    memory: int
    block_rpcs: tuple[str, ...]
    agent_args: tuple[str, ...]


def describe(name: str, wish: Wish, folder: Path, kernel: Path, uri: str) -> str:
    """The domain XML of a guest whose disks are in `folder`."""
    mark = json.dumps({**asdict(wish), "folder": str(folder)})
    return TEMPLATE.format(
        name=escape(name),
        namespace=NAMESPACE,
        mark=escape(mark),
        memory=wish.memory,
        fixed=wish.memory - DIMM,
        dimm=DIMM,
        translated=TRANSLATED,
        most=wish.memory * 2,
        kernel=escape(str(kernel)),
        cmdline=_command_line(name, wish),
        root=quoteattr(str(folder / "root.qcow2")),
        data=quoteattr(str(folder / "data.img")),
        console=quoteattr(str(folder / "console.log")),
        label=_label() if uri == "qemu:///system" else "",
    )


def read_mark(uri: str, name: str) -> tuple[Wish, Path] | None:
    """What the lab wrote into a domain of its own: wish and folder; None for a foreign one."""
    try:
        text = virsh(uri, "metadata", name, NAMESPACE)
    except LabError as error:
        if "metadata not found" in str(error):
            return None
        raise
    mark = json.loads(ElementTree.fromstring(text).text or "")
    wish = Wish(mark["suite"], mark["memory"], tuple(mark["block_rpcs"]), tuple(mark["agent_args"]))
    return wish, Path(mark["folder"])


def _command_line(name: str, wish: Wish) -> str:
    """The kernel's command line; the agent's options travel in it, in base64 for the blanks."""
    options = list(wish.agent_args)
    if wish.block_rpcs:
        options += ["-b", ",".join(wish.block_rpcs)]  # -b: the one spelling that all versions know
    words = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", "no_timer_check"]
    # For the DIMM: it lies above 4 GiB, which would cost 64 MiB of bounce buffers.
    words += ["swiotlb=noforce", "memhp_default_state=online_movable"]
    words += [f"lab.name={name}", f"systemd.hostname={name}", "net.ifnames=0"]
    if options:
        words.append("lab.agent=" + base64.b64encode(shlex.join(options).encode()).decode())
    line = " ".join(words)
    if len(line) > 2000:  # COMMAND_LINE_SIZE of x86 is 2048
        raise LabError("the agent's options are too long for the kernel's command line")
    return line


def _label() -> str:
    """Run QEMU as the user who owns the disks; libvirt-qemu could not enter a home directory."""
    owner = f"+{os.geteuid()}:+{os.getegid()}"
    return f"  <seclabel type='static' model='dac' relabel='no'><label>{owner}</label></seclabel>\n"

"""The agent's channel, plugged in and out from the host. Nothing else of a guest is touched."""

from __future__ import annotations

import time
from xml.etree import ElementTree

from qga_cli.errors import LinkDead, NotConfigured
from qga_cli.transports.libvirt_calls import CONFIG, LIVE, LibvirtError
from qga_cli.transports.libvirt_xml import PORT, channel_element, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.libvirt_calls import Domain

NEW = f"<channel type='unix'><target type='virtio' name='{PORT}'/></channel>"
_GONE = 10.0  # seconds; QEMU unplugs a port at once, the guest is not asked
_PAUSE = 0.05
# Seconds without a port; no event tells what the guest does then. systemd stops an agent whose port
# has gone (BindsTo= in its unit), and never starts it again if the new port comes before that ends.
_REST = 1.0


def add(domain: Domain) -> None:
    """Give the guest a channel: at once if it can be plugged in, and in its definition.

    libvirt adds the virtio-serial controller that a channel needs to a definition, but plugs none
    into a running guest. Raises NotConfigured when the guest must be started anew, or at all fails.
    """
    try:
        if domain.is_persistent() and channel_element(domain, defined=True) is None:
            domain.attach(NEW, CONFIG)
        if not domain.is_active():
            return
        if parse(domain).find("./devices/controller[@type='virtio-serial']") is not None:
            domain.attach(NEW, LIVE)
            return
    except LibvirtError as error:
        raise NotConfigured(
            f"the channel cannot be added: {error}",
            hint="`virsh edit VM`, then power it off and start it again",
        ) from error
    raise NotConfigured(
        "the channel is in the guest's definition now, but cannot be plugged in while it runs: it "
        "was started without a virtio-serial controller",
        hint="`virsh shutdown VM`, then `virsh start VM`; a reboot inside is not enough",
    )


def replug(domain: Domain) -> None:
    """Unplug the channel and plug it in again, which makes libvirt open its link anew.

    Raises LinkDead when libvirt will not; NotConfigured when it stays unplugged.
    """
    element = channel_element(domain)
    if element is None:
        raise NotConfigured("the guest has no agent channel")
    target = element.find("target")
    assert target is not None  # channel_element found it by its target
    target.attrib.pop("state", None)  # libvirt tells it and does not take it
    xml = ElementTree.tostring(element, encoding="unicode")
    try:
        domain.detach(xml, LIVE)
    except LibvirtError as error:
        raise LinkDead(
            f"the channel cannot be unplugged: {error}",
            hint="restart qemu-guest-agent in the guest instead",
        ) from error
    _await_absence(domain)
    time.sleep(_REST)
    try:
        domain.attach(xml, LIVE)
    except LibvirtError as error:
        raise NotConfigured(
            f"the channel is unplugged and cannot be plugged in: {error}",
            hint="`qga doctor --fix VM` tries again; the guest's next start repairs it too",
        ) from error


def _await_absence(domain: Domain) -> None:
    deadline = time.monotonic() + _GONE
    while channel_element(domain) is not None:
        if time.monotonic() > deadline:
            raise LinkDead(
                f"the channel is still there {_GONE:g} s after it was unplugged",
                hint="restart qemu-guest-agent in the guest instead",
            )
        time.sleep(_PAUSE)

"""What a domain's XML says about a guest. The only place where XML is read."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from qga_cli.errors import BadReply
from qga_cli.transports.libvirt_calls import XML_INACTIVE, LibvirtError
from qga_cli.transports.libvirt_link import host_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.transports.libvirt_calls import Domain

PORT = "org.qemu.guest_agent.0"  # the only name libvirt knows, see qemuFindAgentConfig
_OSINFO = re.compile(r"^https?://[^/]+/([a-z-]+)/([A-Za-z0-9.-]+)$")


class GuestFacts:
    """What the host knows about a guest without asking its agent.

    channel  connected, disconnected, or missing; "" for a guest that does not run and has one
    macs     of its NICs, in lower case
    labels   the title, and the names and texts of all elements and attributes in the metadata
    system   vendor and release as libosinfo names them: ("debian", "12"); empty when unknown
    """

    __slots__ = ("channel", "labels", "macs", "system")

    def __init__(
        self,
        channel: str,
        labels: dict[str, list[str]],
        system: tuple[str, str],
        macs: frozenset[str] = frozenset(),
    ) -> None:
        self.channel = channel
        self.labels = labels
        self.system = system
        self.macs = macs


def read_facts(domain: Domain) -> GuestFacts:
    """The facts in the domain's live XML."""
    root = parse(domain)
    target = root.find(f"./devices/channel/target[@name='{PORT}']")
    channel = "missing" if target is None else target.get("state", "")
    macs = [mac.get("address", "").lower() for mac in root.iterfind("./devices/interface/mac")]
    return GuestFacts(channel, _labels(root), _system(root), frozenset(macs))


def channel_element(domain: Domain, *, defined: bool = False) -> ElementTree.Element | None:
    """The agent's channel as the live XML has it, or the definition; None when there is none."""
    for channel in parse(domain, defined=defined).iterfind("./devices/channel"):
        target = channel.find("target")
        if target is not None and target.get("name") == PORT:
            return channel
    return None


def parse(domain: Domain, *, defined: bool = False) -> ElementTree.Element:
    """The root of the live XML, or of the definition. Raises Unreachable, BadReply."""
    flags = XML_INACTIVE if defined else 0
    try:
        return ElementTree.fromstring(domain.xml(flags))
    except LibvirtError as error:
        raise host_error(error, None) from error
    except ElementTree.ParseError as error:
        raise BadReply(f"libvirt's XML of this guest cannot be read: {error}") from error


def _labels(root: ElementTree.Element) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = {"title": [root.findtext("title", "")]}
    for element in root.iterfind("./metadata//*"):
        text = (element.text or "").strip()
        pairs = [(element.tag, text), *element.attrib.items()]
        for name, value in pairs:
            labels.setdefault(_local(name), []).append(value)
    return labels


def _system(root: ElementTree.Element) -> tuple[str, str]:
    for element in root.iterfind("./metadata//*"):
        match = _OSINFO.match(element.get("id", ""))
        if _local(element.tag) == "os" and match:
            return match[1], match[2]
    return "", ""


def _local(name: str) -> str:
    """A name without its XML namespace."""
    return name.rpartition("}")[2]

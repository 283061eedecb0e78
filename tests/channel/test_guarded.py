"""Ports under a policy, and in the audit file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qga_cli.channel import PREFIX
from qga_cli.channel.ports import Channel
from qga_cli.config import Config, Setting
from qga_cli.errors import Forbidden
from qga_cli.policy.audit import Audit
from qga_cli.policy.guard import Guard
from qga_cli.policy.guarded import GuardedTransport
from qga_cli.policy.rules import Policy
from qga_cli.transports import connect as open_host
from tests import lab
from tests.kit.channels import plugged, ports

if TYPE_CHECKING:
    from qga_cli.transports import Transport

pytestmark = pytest.mark.usefixtures("tidy")


def guarded(guest: lab.Guest, policy: Policy | None, audit: Audit | None) -> GuardedTransport:
    return Guard(policy, audit).wrap(lab_transport(guest), guest.uri, guest.name)


def lab_transport(guest: lab.Guest) -> "Transport":
    return open_host(guest.uri).open(guest.name)


@pytest.mark.parametrize(
    "rule",
    [{"read-only": True}, {"allow": ["guest-*"]}, {"deny": ["channel"]}],
    ids=["read-only", "allow", "deny"],
)
def test_a_policy_forbids_ports(guest: lab.Guest, rule: dict[str, Any]) -> None:
    rules: dict[tuple[str, ...], Setting] = {
        ("policy", "*", name): Setting(value, "f:1") for name, value in rule.items()
    }
    found = guarded(guest, Policy(Config(rules)), None).ports()
    assert found
    channel = Channel(found, lambda *_: None, patience=30)
    with pytest.raises(Forbidden, match=r"channel is denied .*\(f:1\)"):
        channel.take(1)
    channel.close()
    assert plugged(guest) == []


def test_ports_are_in_the_audit_file(guest: lab.Guest, tmp_path: Path) -> None:
    audit = Audit([str(tmp_path / "log")])
    found = guarded(guest, None, audit).ports()
    assert found
    channel = Channel(found, lambda *_: None, patience=30)
    (port,), _ = channel.take(1)
    channel.close()
    audit.close()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["command"] for line in lines} == {"channel"}
    assert {line["arguments"]["port"] for line in lines} == {port.name}
    told = [(line["arguments"]["do"], line["outcome"]) for line in lines]
    assert told == [("plug", "ok"), ("open", "ok"), ("unplug", "ok")]


def test_a_reaper_writes_to_the_audit_file_too(guest: lab.Guest, tmp_path: Path) -> None:
    log = tmp_path / "log"
    name = f"{PREFIX}00000000000000ab"
    ports(guest).plug(name)
    words = ["", ports(guest).guest, "a-run", str(log), "--", f"+{name}", name]
    subprocess.run([sys.executable, "-m", "qga_cli.channel.reaper", *words], check=True)
    assert plugged(guest) == []
    line = json.loads(log.read_text())
    assert (line["run"], line["arguments"]) == ("a-run", {"do": "unplug", "port": name})

"""Guests of a Proxmox node: names from its settings, agents on QEMU's sockets."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from qga_cli.errors import NoGuest, Unreachable, UsageError
from qga_cli.transports.pve import PveHost
from tests.kit.fake import left_socket
from tests.lab.local_agent import agent

CONF = """\
#a note: name: not-this
agent: 1,fstrim_cloned_disks=1
boot: order=scsi0
name: {name}
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0

[before-upgrade]
name: an-older-name
"""
ENTRY = """
import sys
from qga_cli.transports import pve
root = sys.argv.pop(1)
pve.PveHost.__init__.__defaults__ = (root,)
from qga_cli.cli import main as door
if sys.argv[1].startswith("/"):
    from qga_cli import config
    config.SYSTEM = sys.argv.pop(1)
door.main(sys.argv[1:])
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node with the running guests 100 and 101, and 106 without an agent's channel; 102 shut off,
    103 and 104 of one name."""
    root = tmp_path / "node"
    settings, sockets = root / "etc/pve/qemu-server", root / "var/run/qemu-server"
    settings.mkdir(parents=True)
    sockets.mkdir(parents=True)
    for vmid, name in ((100, "web1"), (101, "db1"), (102, "old"), (103, "twin"), (104, "twin"),
                       (106, "bare")):  # fmt: skip
        (settings / f"{vmid}.conf").write_text(CONF.format(name=name))
    (settings / "105.conf").write_text("memory: 512\n")
    (settings / "notes.txt").write_text("name: nobody\n")
    for vmid in (100, 101, 106):
        left_socket(sockets / f"{vmid}.qmp")
    left_socket(sockets / "101.qga")
    (sockets / "102.vnc").touch()
    return root


@pytest.fixture
def running(node: Path) -> Iterator[Path]:
    """The same, where a real agent answers for guest 100."""
    (node.parent / "a").mkdir()
    with ExitStack() as stack:
        local = stack.enter_context(agent(node.parent / "a", "vm"))
        (node / "var/run/qemu-server/100.qga").symlink_to(local.socket)
        yield node


def qga(node: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-c", ENTRY, str(node), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def test_guests_have_the_names_of_their_settings(running: Path) -> None:
    found = [(guest.name, guest.id, guest.state) for guest in PveHost(str(running)).guests()]
    assert found == [
        ("103", 103, "shut off"),
        ("104", 104, "shut off"),
        ("105", 105, "shut off"),
        ("bare", 106, "running"),
        ("db1", 101, "running"),
        ("old", 102, "shut off"),
        ("web1", 100, "running"),
    ]


@pytest.mark.parametrize("name", ["web1", "100"])
def test_a_guest_answers_by_name_and_by_vmid(running: Path, name: str) -> None:
    ran = qga(running, "-c", "pve", "ping", name)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_list_shows_names(running: Path) -> None:
    ran = qga(running, "-c", "pve", "--timeout", "5s", "list", "--columns", "vm,state")
    assert "web1\trunning" in ran.stdout.splitlines()


def test_a_guest_without_an_agents_channel_runs(running: Path) -> None:
    columns = ("--columns", "vm,state,agent")
    ran = qga(running, "-c", "pve", "--timeout", "5s", "list", "bare", *columns)
    assert ran.stdout.splitlines()[1:] == ["bare\trunning\tnot connected"]
    ran = qga(running, "-c", "pve", "ping", "bare")
    assert (ran.returncode, "`qm set 106 --agent 1`" in ran.stderr) == (5, True), ran.stderr
    words = ("-c", "pve", "wait", "bare", "--for", "stopped", "--timeout")
    assert qga(running, *words, "1s").returncode == 124
    (running / "var/run/qemu-server/106.qmp").unlink()
    assert qga(running, *words, "5s").returncode == 0


def test_a_name_of_two_guests_is_asked_about(node: Path) -> None:
    with pytest.raises(UsageError) as raised:
        PveHost(str(node)).open("twin")
    assert "103, 104" in raised.value.hint


def test_what_is_not_there_is_told_by_what_to_type(node: Path) -> None:
    host = PveHost(str(node))
    with pytest.raises(NoGuest) as raised:
        host.open("old")
    assert "qm set 102 --agent 1" in raised.value.hint
    for name in ("web9", "..", "web1/../db1", "999"):
        with pytest.raises(NoGuest):
            host.open(name)
    with pytest.raises(Unreachable, match="etc/pve"):
        PveHost(str(node / "nowhere")).guests()


def test_a_policy_counts_by_the_name_however_it_is_asked(running: Path, tmp_path: Path) -> None:
    (tmp_path / "etc.toml").write_text('[policy."web*"]\ndeny = ["guest-get-osinfo"]\n')
    for name in ("web1", "100"):
        ran = qga(running, str(tmp_path / "etc.toml"), "-c", "pve", "os", "info", name)
        assert ran.returncode == 6, ran.stderr

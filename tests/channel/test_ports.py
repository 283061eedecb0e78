"""Ports of our own in real guests: plugged, found again, shared by nobody, taken away."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qga_cli.channel import PREFIX
from qga_cli.channel.plugged import abandoned
from qga_cli.channel.port import OutPort
from qga_cli.channel.ports import PATIENT, STAY, Channel
from qga_cli.errors import NoChannel, OutcomeUnknown, PortTaken
from tests import lab
from tests.kit import channels
from tests.kit.channels import meet, plugged, ports, taking
from tests.kit.running import eventually
from tests.lab.hypervisor import virsh

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.usefixtures("tidy")


def await_that(what: Callable[[], bool], seconds: float = 10) -> float:
    """Wait for it; how long that took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() < began + seconds
        time.sleep(0.02)
    return time.monotonic() - began


def definition(guest: lab.Guest) -> str:
    return virsh(guest.uri, "dumpxml", guest.name, "--inactive", "--security-info")


@pytest.mark.port_written
def test_bytes_are_exact_and_the_definition_stays_as_it_was(guest: lab.Guest) -> None:
    before = definition(guest)
    everything = bytes(range(256)) * 4096
    with taking(guest.name) as (channel, agent):
        (port,), (way,) = channel.take(1, 1)
        meet(agent, port, f"open_port {way.name} 4; echo >&3; exec cat <&4 >&3")
        assert port.read(30) == b"\n"
        writer = threading.Thread(target=way.write, args=(everything,))
        writer.start()
        back = b""
        while len(back) < len(everything):
            piece = port.read(30)
            assert piece
            back += piece
        writer.join()
        assert back == everything
        assert definition(guest) == before
    assert definition(guest) == before


def test_a_port_is_found_again_and_used_again(guest: lab.Guest) -> None:
    names = []
    for _ in range(3):
        with taking(guest.name) as (channel, agent):
            (port,), _ = channel.take(1)
            meet(agent, port, f"echo '{port.end} bye' >&3")
            assert port.read(10).endswith(b" bye\n")
            await_that(lambda: not plugged(guest)[0].is_open)
            channel.give_back(port)
        names.append(port.name)
    assert len(set(names)) == 1
    assert [one.name for one in plugged(guest)] == names[:1]


def test_what_an_earlier_user_left_in_a_port_is_dropped(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, agent):
        (port,), _ = channel.take(1)
        nonce, port.nonce = port.nonce, "0123"  # not yet: what it says is another's
        meet(agent, port, f"yes stale | head -c 300000 >&3; echo {nonce} >&3; echo fresh >&3")
        port.nonce = nonce
        port.greet(30)
        assert port.read(10) == b"fresh\n"


@pytest.mark.port_written
def test_several_at_once_never_meet_on_one_port(guest: lab.Guest) -> None:
    many, held, errors = 10, [], []
    together = threading.Barrier(many)

    def use(number: int) -> None:
        try:
            with taking(guest.name) as (channel, agent):
                together.wait(60)
                (port,), (way,) = channel.take(1, 1)
                held.extend([port.name, way.name])
                loop = f'while read -r line; do echo "$line"; done <&4 >&3; echo "{port.end} x" >&3'
                meet(agent, port, f"open_port {way.name} 4; echo >&3; {loop}")
                assert port.read(30) == b"\n"
                for turn in range(20):
                    said = f"{number}.{turn}\n".encode()
                    way.write(said)
                    assert port.read(30) == said
                channel.give_back(way)  # the guest's reader finds its end
                await_that(lambda: port.at_rest, 60)
                channel.give_back(port)
                together.wait(60)
        except BaseException as error:
            errors.append(error)
            together.abort()
            raise

    threads = [threading.Thread(target=use, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(held)) == len(held) == 2 * many
    assert len(plugged(guest)) <= STAY


def test_an_open_port_lets_no_second_one_in(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, _):
        (port,), _ = channel.take(1)
        with pytest.raises(PortTaken):
            ports(guest).open(port.name)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_the_port_of_an_owner_who_died_is_unplugged(guest: lab.Guest, signum: int) -> None:
    with channels.owner(guest) as owner:
        assert owner.stdout
        name = owner.stdout.readline().strip()
        await_that(lambda: plugged(guest)[0].is_open)
        assert [one.name for one in plugged(guest)] == [name]
        owner.send_signal(signum)
        owner.wait()
    assert await_that(lambda: not plugged(guest)) < 2


def test_what_nobody_has_unplugged_the_next_run_does(guest: lab.Guest) -> None:
    stuck = "org.qga-cli.port.0123456789abcdef"
    ports(guest).plug(stuck)
    agent_says = guest.call(
        "guest-exec", path="sh",
        arg=["-c", "for f in /sys/class/virtio-ports/*; do read -r n <$f/name; "
             f"[ $n = {stuck} ] && exec sleep 61 3<>/dev/${{f##*/}}; done"],
    )  # fmt: skip
    assert agent_says
    await_that(lambda: plugged(guest)[0].is_open)
    assert abandoned(ports(guest)) == [stuck]
    with taking(guest.name) as (channel, _):
        (port,), _ = channel.take(1)
        channel.give_back(port, clean=False)
    assert stuck not in [one.name for one in plugged(guest)]


def test_two_who_unplug_one_port_at_once_are_both_served(guest: lab.Guest) -> None:
    """And in no more time than QEMU takes: libvirt 12.8 waited 5 seconds for every third one."""
    for number in range(10):
        name = f"{PREFIX}{number:016x}"
        at_once = [ports(guest).apart() for _ in range(2)]
        at_once[0].plug(name)
        with ThreadPoolExecutor() as pool:
            began = time.monotonic()
            going = [pool.submit(one.unplug, name) for one in at_once]
            assert [one.result() for one in going] == [None, None]
            assert time.monotonic() < began + 4
        assert name not in [port.name for port in plugged(guest)]
        for one in at_once:
            one.close()


def test_a_port_that_is_unplugged_under_us_is_lost_at_once(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, agent):
        (port,), _ = channel.take(1)
        meet(agent, port, "exec sleep 61")
        ports(guest).unplug(port.name)
        with pytest.raises(OutcomeUnknown, match=r"taken away|broken"):
            port.read(10)


@pytest.mark.port_written
def test_a_guest_that_never_reads_holds_nobody(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, agent):
        (port,), (way,) = channel.take(1, 1)
        meet(agent, port, f"open_port {way.name} 4; echo >&3; exec sleep 61")
        assert port.read(30) == b"\n"
        writer, lost = writing(way, 16 * 2**20)
        writer.join(1)
        assert writer.is_alive()
        began = time.monotonic()
        channel.give_back(way)
        writer.join(10)
        assert not writer.is_alive()
        assert lost
        assert time.monotonic() < began + 5
    assert plugged(guest) == []


@pytest.mark.port_written
def test_a_guest_that_floods_the_port_it_should_read_fills_no_memory(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, agent):
        (port,), (way,) = channel.take(1, 1)
        meet(agent, port, f"open_port {way.name} 4; echo >&3; exec cat /dev/zero >&4")
        assert port.read(30) == b"\n"
        before = memory()
        writer, _ = writing(way, 16 * 2**20)
        writer.join(5)
        assert writer.is_alive()
        # What is under way comes and goes, the faster the machine the more: it must not stay.
        assert eventually(lambda: memory() - before < 64 * 2**20, 5)
        channel.give_back(way)
        writer.join(10)


def writing(way: OutPort, count: int) -> tuple[threading.Thread, list[OutcomeUnknown]]:
    """Write so many bytes in a thread; what it fails with."""
    lost: list[OutcomeUnknown] = []

    def write() -> None:
        try:
            way.write(bytes(count))
        except OutcomeUnknown as error:
            lost.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    return writer, lost


def memory() -> int:
    """Bytes of ours that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_guest_that_does_not_answer_at_the_port(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, _):
        (port,), _ = channel.take(1)
        began = time.monotonic()
        with pytest.raises(NoChannel, match="nobody in the guest"):
            port.greet(0.1)
        assert time.monotonic() < began + 1


def test_a_controller_has_only_so_many_ports(guest: lab.Guest) -> None:
    with taking(guest.name) as (channel, _), pytest.raises(NoChannel, match="can be plugged"):
        channel.take(40)
    assert 0 < len(plugged(guest)) <= STAY


def test_a_busy_host_that_plugs_late_is_waited_for_where_it_pays(
    guest: lab.Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that turned away from it after half a second took four times as long."""
    found = ports(guest)
    plug = type(found).plug

    def late(self: Any, name: str) -> None:
        time.sleep(1)
        plug(self, name)

    monkeypatch.setattr(type(found), "plug", late)
    channel = Channel(found, lambda *_: None, patience=PATIENT)
    try:
        assert channel.take(1)
    finally:
        channel.close()


def test_a_short_patience_ends_in_time_and_leaves_no_stream(guest: lab.Guest) -> None:
    channel = Channel(ports(guest), lambda *_: None, patience=0.0)
    began = time.monotonic()
    with pytest.raises(NoChannel, match="within 0 s"):
        channel.take(2)
    assert time.monotonic() < began + 0.5
    channel.close()
    await_that(lambda: len(plugged(guest)) == 2)
    await_that(lambda: not any(ports(guest).is_used(one.name) for one in plugged(guest)))

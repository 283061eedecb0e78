"""Freezes on agents that fail in ways a real one cannot be made to."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Hangup, Silence
from tests.kit.freezes import Carry, Fault, Filesystems, await_no_watchdog, refuse, start, watchdogs
from tests.kit.running import GUARD

Fake = Callable[..., FakeAgent]


def lose_the_reply(carry: Carry) -> object:
    carry()
    return Silence()


def break_the_link_after(carry: Carry) -> object:
    carry()
    return Hangup()


def break_the_link_before(carry: Carry) -> object:
    return Hangup()


def obey(carry: Carry) -> object:
    return carry()


def fail(text: str) -> Fault:
    """Carried out, and an error all the same."""

    def fault(carry: Carry) -> object:
        carry()
        raise AgentFault(text)

    return fault


def run(agent: FakeAgent, *words: str) -> list[str]:
    return ["-c", agent.uri, "fs", "with-frozen", "--max", "4s", "web1", "--", *words]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [lose_the_reply, break_the_link_after])
def test_a_lost_reply_to_the_freeze_is_asked_for(fake: Fake, fault: Fault) -> None:
    filesystems = Filesystems(freeze=[fault])
    ran = qga(*run(fake(filesystems), "sh", "-c", "echo $QGA_FROZEN"))
    assert (ran.code, ran.out, ran.err) == (0, "1\n", "")
    assert not filesystems.frozen


def test_a_freeze_that_never_arrived(fake: Fake) -> None:
    filesystems = Filesystems(freeze=[break_the_link_before])
    ran = qga(*run(fake(filesystems), "echo", "ran"))
    assert (ran.code, ran.out) == (125, "")
    assert "the reply to the freeze was lost, and nothing is frozen" in ran.err


@pytest.mark.slow
def test_a_freeze_of_which_nothing_is_known(fake: Fake) -> None:
    filesystems = Filesystems(freeze=[lose_the_reply], status=[obey] * 2)
    filesystems.faults["status"] += [break_the_link_before] * 99
    ran = qga(*run(fake(filesystems), "echo", "ran"))
    assert (ran.code, ran.out) == (125, "")
    assert "web1: whether it is frozen is not known: the agent" in ran.err
    assert "goes on trying to thaw it" in ran.err
    filesystems.faults.clear()
    filesystems.await_thawed(7)
    await_no_watchdog("web1")


@pytest.mark.parametrize("words", ["fs with-frozen web1 -- true", "fs freeze --for 5s web1"])
def test_a_guest_that_could_not_be_thawed_is_not_frozen(fake: Fake, words: str) -> None:
    blocked = {"name": "guest-fsfreeze-thaw", "enabled": False, "success-response": True}
    filesystems = Filesystems()
    filesystems.faults["guest-info"] = [
        lambda _: {"version": "5.2", "supported_commands": [blocked]}
    ]
    ran = qga("-c", fake(filesystems).uri, *words.split())
    assert ran.code == (125 if "with-frozen" in words else 6)
    assert "blocks guest-fsfreeze-thaw: a freeze could not be ended" in ran.err
    assert "freeze" not in filesystems.seen


def test_a_filesystem_that_fails_to_freeze(fake: Fake) -> None:
    filesystems = Filesystems(freeze=[refuse("failed to freeze /data: Input/output error")])
    ran = qga(*run(fake(filesystems), "echo", "ran"))
    assert (ran.code, ran.out) == (125, "")
    assert ran.err == "qga: web1: failed to freeze /data: Input/output error\n"


def test_an_agent_that_fails_and_leaves_some_frozen(fake: Fake) -> None:
    filesystems = Filesystems(freeze=[fail("failed to freeze /data: Input/output error")])
    assert qga(*run(fake(filesystems), "echo", "ran")).code == 125
    assert not filesystems.frozen


@pytest.mark.parametrize(
    "faults",
    [
        [break_the_link_before, break_the_link_before],
        [break_the_link_after],
        [refuse("an error of the moment"), break_the_link_after],
    ],
)
def test_a_thaw_that_goes_wrong_is_repeated(fake: Fake, faults: list[Fault]) -> None:
    filesystems = Filesystems(thaw=faults)
    ran = qga(*run(fake(filesystems), "true"))
    assert ran.code == 0
    assert not filesystems.frozen


def test_windows_has_ended_the_freeze(fake: Fake) -> None:
    text = "couldn't hold writes: fsfreeze is limited up to 10 seconds: (error: 80042314)"
    filesystems = Filesystems(thaw=[fail(text)])
    ran = qga(*run(fake(filesystems), "true"))
    assert ran.code == 124
    assert text in ran.err
    assert "NOT consistent" in ran.err


@pytest.mark.slow
def test_when_qga_cannot_thaw_the_watchdog_goes_on(fake: Fake) -> None:
    faults: list[Fault] = [break_the_link_before] * 1000
    filesystems = Filesystems(thaw=faults)
    ran = qga(*run(fake(filesystems), "true"))
    assert ran.code == 125
    assert "cannot be thawed" in ran.err
    (pid,) = watchdogs("web1")
    assert f"watchdog (pid {pid}) goes on trying to thaw it" in ran.err
    faults.clear()
    filesystems.await_thawed(7)
    await_no_watchdog("web1")


def test_a_freeze_that_comes_after_the_death_of_who_sent_it(fake: Fake) -> None:
    def late(carry: Carry) -> object:
        threading.Timer(1.0, carry).start()
        return Silence()

    filesystems = Filesystems(freeze=[late])
    process = start(*run(fake(filesystems), "true"))
    while "freeze" not in filesystems.seen:
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=GUARD)
    time.sleep(1.2)
    assert "thaw" in filesystems.seen
    filesystems.await_thawed(1)
    await_no_watchdog("web1")


def test_a_guest_that_is_gone_needs_no_thaw(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "gone.sock", Filesystems(thaw=[break_the_link_before] * 99))
    process = start(*run(agent, "sleep", "3"))
    while not agent.requests or agent.requests[-1]["execute"] != "guest-fsfreeze-freeze":
        time.sleep(0.01)
    agent.close()
    agent.path.unlink()
    process.kill()
    await_no_watchdog("web1")
    process.communicate(timeout=GUARD)  # the command runs on, if it has begun


def test_a_guest_that_left_while_it_was_frozen_is_to_be_thawed_elsewhere(tmp_path: Path) -> None:
    agent = FakeAgent(tmp_path / "gone.sock", Filesystems(thaw=[break_the_link_before] * 99))
    ran = qga(*run(agent, "rm", str(agent.path)))
    agent.close()
    assert ran.code == 125
    assert "does not run here any more" in ran.err
    assert "was saved or has migrated, it is frozen still: run `qga fs thaw web1`" in ran.err
    await_no_watchdog("web1")


@pytest.fixture
def pair(fake: Fake, tmp_path: Path) -> tuple[list[Filesystems], list[str]]:
    """Two guests, and the words that freeze both."""
    both = [Filesystems(), Filesystems()]
    for filesystems in both:
        fake(filesystems)
    words = ["-c", f"unix:{tmp_path}/{{vm}}.sock", "fs", "with-frozen", "agent0", "agent1", "--"]
    return both, words


def test_two_guests_at_once(pair: tuple[list[Filesystems], list[str]]) -> None:
    both, words = pair
    ran = qga(*words, "sh", "-c", "echo $QGA_VM $QGA_FROZEN")
    assert (ran.code, ran.out) == (0, "agent0,agent1 4\n")
    assert ran.err.startswith("qga: 2 guests frozen, ")
    assert ran.err.endswith(" ms between the first and the last\n")
    assert not any(filesystems.frozen for filesystems in both)


def test_one_of_two_guests_fails_to_freeze(pair: tuple[list[Filesystems], list[str]]) -> None:
    both, words = pair
    both[1].faults["freeze"] = [refuse("failed to freeze /: Input/output error")]
    ran = qga(*words, "echo", "ran")
    assert (ran.code, ran.out) == (125, "")
    assert ran.err == "qga: agent1: failed to freeze /: Input/output error\n"
    assert "thaw" in both[0].seen
    assert not any(filesystems.frozen for filesystems in both)


def test_two_guests_and_a_kill(pair: tuple[list[Filesystems], list[str]]) -> None:
    both, words = pair
    process = start(*words, "sleep", "3")
    while not all(filesystems.frozen for filesystems in both):
        time.sleep(0.01)
    process.kill()
    for index, filesystems in enumerate(both):
        filesystems.await_thawed(2)
        await_no_watchdog(f"agent{index}")
    process.communicate(timeout=GUARD)  # the command runs on, if it has begun


def test_a_host_that_cannot_be_asked_freezes_nobody(fake: Fake, tmp_path: Path) -> None:
    filesystems = Filesystems()
    hosts = f'up = "{fake(filesystems).uri}"\ndown = "qemu+unix:///system?socket=/nosuch"\n'
    (tmp_path / "qga").mkdir()
    (tmp_path / "qga" / "config.toml").write_text(f"[hosts]\n{hosts}")
    words = ("fs", "with-frozen", "up/web1", "down/web1", "--", "echo", "ran")
    ran = qga(*words, env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert (ran.code, ran.out) == (125, "")
    assert ran.err.startswith("qga: cannot use qemu+unix:///system?socket=/nosuch: ")
    assert "freeze" not in filesystems.seen

"""Refusals explained: what the agents of four releases say, and what a person reads."""

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qga_cli.agent import refusal
from qga_cli.commands.exec import COMMAND as EXEC
from qga_cli.spec import release
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler

Make = Callable[[Handler], FakeAgent]

BLOCKED = {
    "5.2.0": "The command {} has been disabled for this instance",
    "7.2.22": "Command {} has been disabled",
    "10.0.13": "Command {} has been disabled: the command is not allowed",
    "11.1.3": "Command {} has been disabled: the command is not allowed",
}
FROZEN = BLOCKED | {"7.2.22": "Command {} has been disabled: the agent is in frozen state"}


def agent(
    said: str,
    version: str = "7.2.22",
    *,
    status: object = "thawed",
    enabled: Sequence[str] = (),
    system: dict[str, str] | None = None,
) -> Handler:
    """An agent that refuses everything with `said`, but tells about itself."""
    commands = [{"name": name, "enabled": True, "success-response": True} for name in enabled]
    about: dict[object, object] = {
        "guest-fsfreeze-status": status,
        "guest-info": {"version": version, "supported_commands": commands},
        "guest-get-osinfo": {"id": "debian"} if system is None else system,
    }

    def handle(request: dict[str, object]) -> object:
        name = request["execute"]
        if name not in about:
            raise AgentFault(said.format(name))
        return about[name]

    return handle


@pytest.mark.parametrize("version", FROZEN)
def test_frozen_is_code_7(fake: Make, version: str) -> None:
    ran = qga("-c", fake(agent(FROZEN[version], version, status="frozen")).uri, "fs", "list", "x")
    assert ran.code == 7
    assert ran.err == (
        "qga: x: the guest's filesystems are frozen\n"
        "hint: if no backup holds them, `qga fs thaw x` thaws them\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("version", FROZEN)
def test_a_freeze_that_has_ended_meanwhile_is_no_policy(fake: Make, version: str) -> None:
    refused: list[object] = []
    told = agent(FROZEN[version], version, enabled=["guest-get-host-name"])

    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-get-host-name" and refused:
            return {"host-name": "web1"}
        refused.append(request)
        return told(request)

    assert qga("-c", fake(handle).uri, "os", "hostname", "x").out == "web1\n"
    ran = qga("-c", fake(told).uri, "os", "hostname", "x")
    assert ran.code == 6  # nonsense, but no reason to ask for ever


def test_a_freeze_that_ends_while_its_refusal_is_explained_is_no_policy(fake: Make) -> None:
    told = agent(FROZEN["11.1.3"], "11.1.3")
    asked: list[object] = []

    def handle(request: dict[str, object]) -> object:
        asked.append(request["execute"])
        if asked[-1] == "guest-fsfreeze-status":
            return "frozen" if len(asked) == 2 else "thawed"
        return told(request)

    ran = qga("-c", fake(handle).uri, "os", "hostname", "x")
    assert (ran.code, ran.err.splitlines()[0]) == (7, "qga: x: the guest's filesystems are frozen")


def test_what_refuses_a_thaw_is_a_policy(fake: Make) -> None:
    ran = qga("-c", fake(agent(BLOCKED["5.2.0"], "5.2.0", status="frozen")).uri, "fs", "thaw", "x")
    assert ran.code == 6
    assert "guest-fsfreeze-thaw is blocked by the guest's policy" in ran.err


@pytest.mark.parametrize("version", BLOCKED)
def test_blocked_is_code_6_and_names_the_file(fake: Make, version: str) -> None:
    ran = qga("-c", fake(agent(BLOCKED[version], version)).uri, "fs", "list", "x")
    assert ran.code == 6
    assert "guest-get-fsinfo is blocked by the guest's policy" in ran.err
    assert "/etc/qemu/qemu-ga.conf" in ran.err
    assert ("blacklist" in ran.err) == (version == "5.2.0")
    assert ("allow-rpcs" in ran.err) == (release(version) >= (8, 1))


@pytest.mark.parametrize(
    ("system", "release", "words"),
    [
        ("rhel", "8.10", "remove guest-ping from BLACKLIST_RPC in /etc/sysconfig/qemu-ga"),
        ("rocky", "9.2", "remove guest-ping from BLOCK_RPCS or FILTER_RPC_ARGS in /etc/sysconfig"),
        ("almalinux", "9.4", "add guest-ping to --allow-rpcs of FILTER_RPC_ARGS in /etc/sysconfig"),
        ("centos", "9", "add guest-ping to --allow-rpcs of FILTER_RPC_ARGS in /etc/sysconfig"),
        ("alpine", "3.22", "/etc/conf.d/qemu-guest-agent; then `rc-service qemu-guest-agent re"),
        ("freebsd", "14.3", "/usr/local/etc/qemu/qemu-ga.conf, and in qemu_guest_agent_flags of "),
        ("centos", "10", "add guest-ping to --allow-rpcs of FILTER_RPC_ARGS in /etc/sysconfig"),
        ("fedora", "42", "remove guest-ping from QEMU_GA_ARGS or BLACKLIST_RPC in /etc/sysconfig"),
        (
            "opensuse-tumbleweed",
            "20260701",
            "without guest-ping in --block-rpcs",
        ),
        ("mswindows", "2022", "sc qc QEMU-GA"),
        ("ubuntu", "24.04", "/etc/qemu/qemu-ga.conf"),
        ("", "", "/etc/qemu/qemu-ga.conf"),
    ],
)
def test_where_a_policy_is_written(fake: Make, system: str, release: str, words: str) -> None:
    about = {"id": system, "version-id": release} if system else {}
    said = agent(BLOCKED["10.0.13"], "10.0.13", system=about)
    ran = qga("-c", fake(said).uri, "ping", "x")
    assert ran.code == 6
    assert words in ran.err


@pytest.mark.parametrize(
    ("words", "version", "system", "message"),
    [
        (("cpu", "load"), "7.2.22", "debian", "needs qemu-ga 10.0, this guest runs 7.2.22"),
        (("net", "routes"), "9.0.2", "debian", "needs qemu-ga 9.1, this guest runs 9.0.2"),
        (("disk", "list"), "10.0.13", "debian", "qemu-ga 10.0.13 does not have guest-get-disks"),
        (("os", "devices"), "10.0.13", "debian", "on Windows guests only, this one runs Linux"),
        (("cpu", "stats"), "10.0.13", "mswindows", "on Linux guests only, this one runs Windows"),
        (("fs", "list"), "10.0.13", "freebsd", "Linux and Windows guests only, this one runs Fre"),
    ],
)
def test_unknown_to_the_agent(
    fake: Make, words: tuple[str, ...], version: str, system: str, message: str
) -> None:
    said = agent("The command {} has not been found", version, system={"id": system})
    ran = qga("-c", fake(said).uri, *words, "x")
    assert ran.code == 6
    assert message in ran.err


def test_switched_off_because_foreign(fake: Make) -> None:
    """Up to 9.x a Linux agent knows guest-get-devices, and has it disabled."""
    ran = qga("-c", fake(agent(BLOCKED["7.2.22"])).uri, "os", "devices", "x")
    assert ran.code == 6
    assert "on Windows guests only" in ran.err


def test_an_agent_that_explains_nothing(fake: Make) -> None:
    def handle(request: dict[str, object]) -> object:
        raise AgentFault(f"Command {request['execute']} has been disabled")

    ran = qga("-c", fake(handle).uri, "fs", "list", "x", "-v")
    assert ran.code == 6
    assert "blocked by the guest's policy" in ran.err
    assert "asked to explain the refusal, failed too" in ran.err


def test_the_good_path_asks_nothing_more(fake: Make) -> None:
    running = fake(lambda request: {})
    assert qga("-c", running.uri, "ping", "x").code == 0
    assert [request["execute"] for request in running.requests] == ["guest-ping"]


def test_a_freeze_that_is_over(fake: Make) -> None:
    """7.2 goes on naming it for what was blocked before: seen with guest-get-devices."""
    ran = qga("-c", fake(agent(FROZEN["7.2.22"], status="thawed")).uri, "os", "devices", "x")
    assert ran.code == 6
    assert "on Windows guests only" in ran.err


def test_the_class_that_libvirt_drops() -> None:
    for text in (*BLOCKED.values(), *FROZEN.values(), "The command {} has not been found"):
        assert refusal.is_unknown(text.format("guest-x"))
    assert not refusal.is_unknown("handle '9' has not been found")


WHOLE = ["guest-exec", "guest-exec-status", *(
    f"guest-file-{word}" for word in ("open", "close", "read", "write", "seek", "flush")
)]  # fmt: skip
OLD = "guest-file-open,guest-file-close,guest-file-read,guest-file-write,guest-file-seek"
OLD += ",guest-file-flush,guest-exec,guest-exec-status"


@pytest.mark.parametrize(
    ("system", "release", "before", "after"),
    [
        ("rhel", "8.10", f"# BLACKLIST_RPC={OLD}\nBLACKLIST_RPC={OLD}\n",
         f"# BLACKLIST_RPC={OLD}\nBLACKLIST_RPC=\n"),
        ("rocky", "9.2", f'FILTER_RPC_ARGS="--block-rpcs=guest-shutdown,{OLD}"\n',
         'FILTER_RPC_ARGS="--block-rpcs=guest-shutdown,"\n'),
        ("almalinux", "9.4", 'FILTER_RPC_ARGS="--allow-rpcs=guest-ping"\n',
         f'FILTER_RPC_ARGS="--allow-rpcs={",".join(WHOLE)},guest-ping"\n'),
    ],
)  # fmt: skip
def test_one_edit_unblocks_all_that_a_verb_needs(
    fake: Make, tmp_path: Path, system: str, release: str, before: str, after: str
) -> None:
    said = agent(BLOCKED["7.2.22"], system={"id": system, "version-id": release})

    def handle(request: dict[str, object]) -> object:
        if request["execute"] == "guest-info":
            off = [{"name": one, "enabled": False, "success-response": True} for one in WHOLE]
            return {"version": "7.2.22", "supported_commands": off}
        return said(request)

    file = tmp_path / "qemu-ga"
    for words in (("exec", "x", "true"), ("file", "open", "x", "/a")):
        file.write_text(before)
        ran = qga("-c", fake(handle).uri, *words)
        edit = re.search(r"`(sed .*?) /etc/sysconfig/qemu-ga`", ran.err)
        assert edit, ran.err
        subprocess.run([*shlex.split(edit[1]), str(file)], check=True)
        assert file.read_text() == after


def test_nothing_that_a_guest_has_made_up_is_in_a_line_to_be_typed() -> None:
    """`doctor` put the names of all commands that a guest says are blocked into one for sed."""
    told = {"guest-get-osinfo": {"id": "rhel", "version-id": "8"}, "guest-info": {}}
    also = ["guest-new", "x'; reboot; '", "y /etc/z", "$(id)", "a\nb", ""]
    hint = refusal.policy_hint(told.get, EXEC, also)
    assert "`sed -Ei '/^[^#]/s/\\b(guest-exec|guest-new)\\b,?//g' /etc" in hint

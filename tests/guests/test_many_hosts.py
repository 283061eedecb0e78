"""Real guests of two libvirt hosts in one call, one of them with an agent that never answers."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests import lab
from tests.kit.command import Ran, qga
from tests.kit.second_host import SecondHost

MACHINE = "71676100000000000000000000001ab0"  # the same in every guest of the lab
SILENCE = 'arg:=["-c", "sleep 0.3; kill -STOP $(pidof qemu-ga)"]'
CONFIG = """
[hosts]
near = "{near}"
far = "{far}"
[groups]
healthy = ["near/{guest}", "far/web*"]
all = ["@healthy", "far/mute"]
"""


@pytest.fixture(scope="module")
def ask(guest: lab.Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ran]]:
    """Runs a command line where two hosts are known: near with one guest, far with three."""
    folder = tmp_path_factory.mktemp("hosts")
    with SecondHost() as far:
        for name in ("web1", "web2", "mute"):
            far.boot(name)
        (folder / "qga").mkdir()
        (folder / "qga" / "config.toml").write_text(
            CONFIG.format(near=guest.uri, far=far.uri, guest=guest.name)
        )

        def run(*words: str) -> Ran:
            return qga(*words, env={"XDG_CONFIG_HOME": str(folder)})

        assert run("wait", "far/*", "--for", "exec").code == 0
        run("raw", "far/mute", "guest-exec", "path=/bin/sh", SILENCE)
        until = time.monotonic() + 60
        while run("ping", "far/mute", "--timeout", "2s").code == 0:
            assert time.monotonic() < until, "it has not fallen silent"
        yield run


def test_two_hosts_in_one_call(ask: Callable[..., Ran], guest: lab.Guest) -> None:
    ran = ask("exec", "@healthy", "--", "hostname")
    wanted = {f"near/{guest.name}: {guest.name}", "far/web1: web1", "far/web2: web2"}
    assert (ran.code, set(ran.out.splitlines())) == (0, wanted)
    gathered = ask("exec", "--gather", "@healthy", "--", "cat", "/etc/machine-id")
    rule = "-" * 15
    head = f"{rule}\nfar/web[1-2],near/{guest.name} (3)\n{rule}\n"
    assert (gathered.out, gathered.err) == (f"{head}{MACHINE}\n", "qga: 3 ok\n")


def test_three_answer_and_one_never_does(ask: Callable[..., Ran]) -> None:
    started = time.monotonic()
    ran = ask("os", "hostname", "@all", "--timeout", "3s", "-o", "jsonl")
    assert 3 <= time.monotonic() - started < 10
    assert ran.code == 123
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [sorted(row) for row in rows] == [["return", "vm"]] * 3 + [["error", "vm"]]
    assert (rows[3]["vm"], rows[3]["error"]["code"]) == ("far/mute", 124)
    text = ask("os", "hostname", "@all", "--timeout", "3s", "--no-header")
    assert len(text.out.splitlines()) == 3
    assert "qga: far/mute: no answer within 3 s" in text.err
    assert text.err.endswith("qga: 3 ok, 1 failed (far/mute: timed out)\n")


def test_list_and_doctor_see_all_of_them(ask: Callable[..., Ran], guest: lab.Guest) -> None:
    rows = json.loads(ask("list", "far/*,@healthy", "-o", "json", "--timeout", "8s").out)
    agents = {row["vm"]: row["agent"] for row in rows}
    assert agents["far/mute"] == "not answering"
    assert agents["far/web1"] == agents[f"near/{guest.name}"] == "answering"
    ran = ask("doctor", "far/*", "--columns", "check,verdict")
    assert ran.code == 123
    assert "far/mute\tping\tFAIL" in ran.out
    assert "far/web1\tclock\t" in ran.out

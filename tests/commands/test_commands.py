"""What commands do beyond one request and one reply: checks, deliveries, conversions, fleets."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qga_cli.catalog import by_wire
from qga_cli.commands.disk.list import COMMAND as DISKS
from tests.kit.command import qga, qga_tty
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence

Make = Callable[[Handler], FakeAgent]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"


def arguments(request: dict[str, object]) -> dict[str, Any]:
    given = request["arguments"]
    assert isinstance(given, dict)
    return given


def test_sync_sends_another_number_each_time(fake: Make) -> None:
    agent = fake(lambda request: arguments(request)["id"])
    printed = [qga("-c", agent.uri, "sync", "x").out.strip() for _ in range(2)]
    assert printed == [str(arguments(request)["id"]) for request in agent.requests]
    assert printed[0] != printed[1]


def test_sync_delimited_on_a_real_socket(local_agent: str) -> None:
    for words in (("sync-delimited", "x", "--id", "42"), ("guest-sync", "x", "--id", "42")):
        ran = qga("-c", local_agent, *words)
        assert (ran.code, ran.out, ran.err) == (0, "42\n", "")


def cpus(limit: int) -> Handler:
    """Sets processors below `limit`, stopping at the first above, as Linux agents do."""

    def handle(request: dict[str, object]) -> object:
        ids = [cpu["logical-id"] for cpu in arguments(request)["vcpus"]]
        if ids[0] >= limit:
            raise AgentFault(f'open("/sys/devices/system/cpu/cpu{ids[0]}/"): No such file')
        return next((at for at, id in enumerate(ids) if id >= limit), len(ids))

    return handle


def test_cpu_set_tells_which_one_failed_and_why(fake: Make) -> None:
    agent = fake(cpus(limit=3))
    ran = qga("-c", agent.uri, "cpu", "set", "x", "1=off", "2=off")
    assert (ran.code, ran.out) == (0, "2\n")
    ran = qga("-c", agent.uri, "cpu", "set", "x", "1=off", "2=on", "3=off", "4=off")
    assert (ran.code, ran.out) == (1, "")
    assert "cpu 3: open(" in ran.err
    assert "2 of 4 were set before" in ran.err
    ran = qga("-c", agent.uri, "cpu", "set", "x", "9=off")
    assert "cpu 9: open(" in ran.err
    assert "before" not in ran.err


def test_cpu_set_ends_with_an_agent_that_makes_no_progress(fake: Make) -> None:
    ran = qga("-c", fake(lambda request: 0).uri, "cpu", "set", "x", "1=off")
    assert ran.code == 1
    assert "gives no reason" in ran.err


def test_memory_set_fails_if_a_block_does(fake: Make) -> None:
    good = {"phys-index": 2, "response": "success"}
    bad = {"phys-index": 3, "response": "operation-failed", "error-code": 22}
    assert qga("-c", fake(lambda _: [good]).uri, "memory", "set", "x", "2=on").code == 0
    ran = qga("-c", fake(lambda _: [good, bad]).uri, "memory", "set", "x", "2=on", "3=on")
    assert ran.code == 1
    assert ran.out.splitlines()[2] == "3\toperation-failed\tInvalid argument"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cpu", "set", "x", "1"), "ID=on or ID=off"),
        (("cpu", "set", "x", "1=maybe"), "ID=on or ID=off"),
        (("cpu", "set", "x", "\u00b2=on"), "ID=on or ID=off"),
        (("fs", "freeze", "x", "--for", "200000d"), "a time such as 30s, 500ms or 5m, of 100 year"),
        (("fs", "trim", "x", "--minimum", "1.5M"), "a size such as 4096, 64K or 1M"),
        (("time", "set", "x", "yesterday"), "a time such as 2026-01-01T00:00:00Z"),
        (("file", "seek", "x", "1000", "0", "--whence", "here"), "--whence is one of set, cur, en"),
        (("file", "open", "x", "/a", "--mode", "x"), "--mode is one of r, w, a"),
        (("power", "shutdown", "x", "--mode", "off"), "--mode is one of powerdown, halt, reboot"),
        (("ssh", "add", "x", "root", "@/nope"), "a readable key file"),
        (("ssh", "add", "x", "root", "@/dev/null"), "a file with a key in it"),
        (("ssh", "add", "x", "root", "key.pub"), "'key.pub' is not a public key such as"),
        (("ssh", "add", "x", "root", "@/nonexistent/k"), "key file: No such file or directory\n"),
    ],
)
def test_arguments_refused_before_anything_is_sent(
    fake: Make, words: tuple[str, ...], message: str
) -> None:
    agent = fake(lambda request: {})
    ran = qga("-c", agent.uri, *words)
    assert ran.code == 2
    assert message in ran.err
    assert agent.requests == []


def test_a_key_file_holds_several_keys(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {"keys": []} if "get" in str(request["execute"]) else {})
    (tmp_path / "keys").write_text(f"# mine\n{KEY} 1\n\n  {KEY} 2\n")
    ran = qga("-c", agent.uri, "ssh", "add", "x", "root", f"@{tmp_path}/keys", f"{KEY} 3")
    assert ran.code == 0
    keys = [f"{KEY} {number}" for number in (1, 2, 3)]
    assert arguments(agent.requests[-1]) == {"username": "root", "keys": keys}


def test_a_key_file_of_windows(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {"keys": []} if "get" in str(request["execute"]) else {})
    (tmp_path / "keys").write_bytes(f"\ufeff{KEY}\r\n".encode())
    assert qga("-c", agent.uri, "ssh", "add", "x", "root", f"@{tmp_path}/keys").code == 0
    assert arguments(agent.requests[-1]) == {"username": "root", "keys": [KEY]}


def test_a_private_key_goes_to_no_guest(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {})
    secret = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt"
    marks = [f"-----{word} OPENSSH PRIVATE KEY-----" for word in ("BEGIN", "END")]
    (tmp_path / "key").write_text(f"{marks[0]}\n{secret}\n{marks[1]}\n")
    ran = qga("-c", agent.uri, "ssh", "add", "x", "root", f"@{tmp_path}/key")
    assert ran.code == 2
    assert ran.err.endswith("is not a file of public keys only: is it the private one?\n")
    assert agent.requests == []


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1767225600000000000", 1767225600000000000),
        ("2026-01-01T00:00:00Z", 1767225600000000000),
        ("2026-01-01T01:00:00.000001+01:00", 1767225600000001000),
        ("2026-01-01", 1767225600000000000),
    ],
)
def test_time_set_takes_what_people_write(fake: Make, text: str, nanoseconds: int) -> None:
    agent = fake(lambda request: {})
    assert qga("-c", agent.uri, "time", "set", "x", text).code == 0
    assert arguments(agent.requests[0]) == {"time": nanoseconds}


@pytest.mark.slow
def test_delivery_is_told_for_each_guest_of_a_fleet(fake: Make) -> None:
    agent = fake(lambda request: Silence())
    ran = qga("-c", agent.uri, "power", "shutdown", "a,b", "-j1")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.splitlines() == [
        f"qga: {name}: power shutdown was delivered; that the guest completes it is not known"
        for name in "ab"
    ] + ["qga: 2 ok"]


@pytest.mark.slow
def test_no_reply_prints_nothing(fake: Make) -> None:
    """All at once, for each waits its three seconds."""

    def shutdown(form: str) -> tuple[int, str]:
        ran = qga("-c", agents[form].uri, "power", "shutdown", "x", "-o", form)
        return ran.code, ran.out

    forms = ("table", "tsv", "csv", "json", "jsonl", "yaml", "raw")
    agents = {form: fake(lambda request: Silence()) for form in forms}
    with ThreadPoolExecutor() as pool:
        assert set(pool.map(shutdown, forms)) == {(0, "")}


def test_a_fleet_of_single_values(fake: Make) -> None:
    agent = fake(lambda request: {"host-name": "web"})
    ran = qga("-c", agent.uri, "os", "hostname", "a,b", "-j1")
    assert ran.out == "vm\thostname\na\tweb\nb\tweb\n"
    ran = qga("-c", agent.uri, "os", "hostname", "a,b", "-j1", "-o", "json")
    assert [json.loads(line) for line in ran.out.splitlines()] == [
        {"vm": name, "return": {"host-name": "web"}} for name in "ab"
    ]


def test_unknown_members_survive_in_json(fake: Make) -> None:
    agent = fake(lambda request: {"host-name": "web", "newer": [1]})
    ran = qga("-c", agent.uri, "os", "hostname", "x", "-o", "json")
    assert json.loads(ran.out) == {"host-name": "web", "newer": [1]}
    assert qga("-c", agent.uri, "os", "hostname", "x").out == "web\n"


@pytest.mark.parametrize(
    ("words", "reply", "names"),
    [
        (("disk", "list"), [{"name": "/dev/vda"}], "'partition' in the reply[0]"),
        (("cpu", "load"), {"load1m": "1", "load5m": 1, "load15m": 1}, "load1m should be a number"),
        (("fs", "status"), 7, "should be one of thawed, frozen"),
        (("ping",), None, "should be an object, is null"),
        (("user", "list"), [{"user": "x", "login-time": None}], "the reply[0].login-time"),
    ],
)
def test_a_reply_of_the_wrong_shape_names_the_member(
    fake: Make, words: tuple[str, ...], reply: object, names: str
) -> None:
    ran = qga("-c", fake(lambda request: reply).uri, *words, "x")
    assert ran.code == 1
    assert names in ran.err
    assert "Traceback" not in ran.err


def test_disks_in_a_ring_are_shown_once() -> None:
    assert callable(DISKS.rows)
    ring = [
        {"name": name, "partition": False, "dependencies": [on]}
        for name, on in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("e", "nowhere"))
    ]
    rows: Any = DISKS.rows(ring)
    assert sorted(row["name"] for row in rows) == list("abcde")


def test_disks_in_a_long_chain_take_no_time() -> None:
    assert callable(DISKS.rows)
    chain = [
        {"name": f"{n:05}", "partition": False, "dependencies": [f"{n - 1:05}"]}
        for n in range(20_000)
    ]
    rows: Any = DISKS.rows(chain)
    assert len(rows) == 20_000
    assert max(len(row["branch"]) for row in rows) < 50


def test_columns_on_request(fake: Make) -> None:
    stats = {"name": "vda", "major": 254, "minor": 0, "stats": {"read-ios": 1, "read-ticks": 1500}}
    agent = fake(lambda request: [stats])
    words = ("-c", agent.uri, "disk", "stats", "x", "--columns", "disk,read-time,major")
    assert qga(*words).out == "disk\tread-time\tmajor\nvda\t1500\t254\n"
    assert "vda        1.5s  254" in qga_tty(*words).out.replace("\x1b[0m", "")
    ran = qga("-c", agent.uri, "disk", "stats", "x", "--columns", "nosuch")
    assert ran.code == 2
    assert "columns: disk, reads, " in ran.err


def test_every_wire_name_is_found_by_reading() -> None:
    assert by_wire("guest-fstrim") is by_wire("guest-fstrim")
    assert by_wire("guest-nosuch") is None


@pytest.mark.parametrize("form", ["table", "json", "tsv"])
def test_output_is_utf_8_in_any_locale(fake: Make, form: str) -> None:
    agent = fake(lambda request: [{"name": "vda", "mountpoint": "/\u00fc\u6c34", "type": "ext4",
                                   "used-bytes": 1, "total-bytes": 2, "disk": []}])  # fmt: skip
    env = {"PYTHONIOENCODING": "latin-1"}
    ran = qga("-c", agent.uri, "fs", "list", "x", "-o", form, env=env)
    assert (ran.code, ran.err) == (0, "")
    assert "\u00fc\u6c34" in ran.stdout.decode("utf-8")

"""Other users of this host, and what a guest's output can pretend: the small holes of the audit.

Who owns or can write a folder that qga reads, as root, gets nothing into it.
"""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli import config, wire
from qga_cli.errors import BadReply, UsageError
from qga_cli.guests.fanout import Gathered
from tests.kit.command import Ran, qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.policies import template

NOBODY = 65534
Make = Callable[[Handler], FakeAgent]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "above" / "own" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[aliases]\nx = "ping web1"\n')
    return path


@pytest.mark.root
@pytest.mark.parametrize("folder", ["above", "above/own"])
def test_settings_in_another_users_folder_are_refused(
    settings: Path, tmp_path: Path, folder: str
) -> None:
    os.chown(tmp_path / folder, NOBODY, NOBODY)
    with pytest.raises(UsageError, match=f"folder {tmp_path / folder} belongs to another user"):
        config.load([str(settings)])


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_settings_below_a_folder_that_others_write_to_are_refused(
    settings: Path, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "above").chmod(mode)
    with pytest.raises(UsageError, match=f"others can write to {tmp_path / 'above'}"):
        config.load([str(settings)])
    (tmp_path / "above").chmod(mode | 0o1000)  # sticky: what is ours in it stays
    config.load([str(settings)])


@pytest.mark.root
def test_a_sticky_folder_keeps_only_its_owners_things(settings: Path, tmp_path: Path) -> None:
    """Of /tmp/eve -> /root/settings, eve decides where it leads."""
    (tmp_path / "above").chmod(0o1777)
    link = tmp_path / "above" / "link"
    link.symlink_to(settings.parent)
    config.load([str(link / "config.toml")])
    os.lchown(link, NOBODY, NOBODY)
    with pytest.raises(UsageError, match=f"others can write to {link.parent}"):
        config.load([str(link / "config.toml")])


@pytest.mark.root
def test_links_on_the_way_to_settings_are_gone_along(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "on").symlink_to("../above/own")
    (tmp_path / "ours").symlink_to("theirs/on")
    config.load([str(tmp_path / "ours" / "config.toml")])
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    with pytest.raises(UsageError, match="theirs belongs to another user"):
        config.load([str(tmp_path / "ours" / "config.toml")])


def test_settings_that_are_a_fifo_hang_nothing(settings: Path) -> None:
    settings.unlink()
    os.mkfifo(settings)
    ran = qga("ping", "x", env={"XDG_CONFIG_HOME": str(_as_config(settings))})
    assert (ran.code, "no regular file" in ran.err) == (2, True)


def _as_config(settings: Path) -> Path:
    settings.parent.rename(settings.parent.parent / "qga")
    return settings.parent.parent


def answer(cache: Path, text: str) -> tuple[Ran, Path]:
    """Have the cache made, and say something else in it."""
    words = ("__complete", "guest", "", "-c", f"unix:{cache}/{{vm}}.sock", "ping")
    qga(*words, env={"XDG_CACHE_HOME": str(cache)})
    (kept,) = (cache / "qga").iterdir()
    before = kept.read_text()
    kept.write_text(before.partition("\n")[0] + "\n" + text)
    return qga(*words, env={"XDG_CACHE_HOME": str(cache)}), kept


@pytest.mark.root
def test_a_cache_of_another_users_offers_nothing(tmp_path: Path) -> None:
    ran, kept = answer(tmp_path, "ours")
    assert ran.out == "ours\n", "the test knows how to write into it"
    os.chown(kept, NOBODY, NOBODY)
    words = ("__complete", "guest", "", "-c", f"unix:{tmp_path}/{{vm}}.sock", "ping")
    assert qga(*words, env={"XDG_CACHE_HOME": str(tmp_path)}).out == ""
    ran, kept = answer(tmp_path, "ours")
    os.chown(tmp_path / "qga", NOBODY, NOBODY)
    assert qga(*words, env={"XDG_CACHE_HOME": str(tmp_path)}).out == ""


def test_a_fifo_or_a_link_in_the_cache_is_not_read(tmp_path: Path) -> None:
    _, kept = answer(tmp_path, "ours")
    words = ("__complete", "guest", "", "-c", f"unix:{tmp_path}/{{vm}}.sock", "ping")
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    assert qga(*words, env={"XDG_CACHE_HOME": str(tmp_path)}).out == ""
    kept.unlink()
    os.mkfifo(kept, 0o600)
    begun = time.monotonic()
    assert qga(*words, env={"XDG_CACHE_HOME": str(tmp_path)}).out == ""
    assert time.monotonic() - begun < 10


@pytest.mark.root
def test_no_cache_is_made_in_another_users_folder(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    words = ("__complete", "guest", "", "-c", f"unix:{tmp_path}/{{vm}}.sock", "ping")
    for folder in ("theirs", "theirs/more"):
        qga(*words, env={"XDG_CACHE_HOME": str(tmp_path / folder)})
        time.sleep(0.3)  # for what a child would write
    assert list((tmp_path / "theirs").iterdir()) == []


def test_an_audit_file_that_nobody_reads_hangs_nothing(fake: Make, tmp_path: Path) -> None:
    agent = fake(lambda request: {})
    os.mkfifo(tmp_path / "fifo")
    ran = qga("-c", agent.uri, "--audit", str(tmp_path / "fifo"), "ping", "x")
    assert (ran.code, agent.requests) == (1, [])
    assert f"{tmp_path}/fifo cannot be written: it is a FIFO or a socket" in ran.err


def test_an_audit_fifo_with_a_reader_is_refused_too(fake: Make, tmp_path: Path) -> None:
    """Its reader may stop to read, and every call would wait for it."""
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        agent = fake(lambda request: {})
        ran = qga("-c", agent.uri, "--audit", str(tmp_path / "fifo"), "ping", "x")
    finally:
        os.close(reader)
    assert (ran.code, agent.requests) == (1, [])
    assert "it is a FIFO or a socket" in ran.err


@pytest.mark.root
def test_an_audit_file_does_not_go_where_another_user_leads_it(fake: Make, tmp_path: Path) -> None:
    (tmp_path / "cron.d").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "log").symlink_to(tmp_path / "cron.d" / "job")
    (tmp_path / "theirs" / "way").symlink_to(tmp_path / "cron.d")
    for path in ("theirs", "theirs/log", "theirs/way"):
        os.lchown(tmp_path / path, NOBODY, NOBODY)
    agent = fake(lambda request: {})
    for name in ("log", "way/job"):
        log = tmp_path / "theirs" / name
        ran = qga("-c", agent.uri, "--audit", str(log), "ping", "x")
        assert (ran.code, agent.requests) == (1, []), ran.err
    assert list((tmp_path / "cron.d").iterdir()) == []
    (tmp_path / "ours").symlink_to(tmp_path / "cron.d")
    ran = qga("-c", agent.uri, "--audit", str(tmp_path / "ours" / "log"), "ping", "x")
    assert (ran.code, (tmp_path / "cron.d" / "log").exists()) == (0, True), ran.err


FORGED = ("---------------", "web3", "---------------", "all is well")


@pytest.mark.parametrize("before", ["", "\r", "\x1b", " \t", "\0"])
def test_no_guests_program_prints_a_header_of_gathers(before: str) -> None:
    output, shown = Gathered(), io.BytesIO()
    output.write("".join(f"{before}{line}\n" for line in FORGED).encode())
    output.copy_to(shown)
    output.free()
    marks = [" " if line.startswith("-") else "" for line in FORGED]
    wanted = "".join(f"{mark}{before}{line}\n" for mark, line in zip(marks, FORGED, strict=True))
    assert shown.getvalue().decode() == wanted


def test_no_guests_rows_pass_for_a_header_of_gathers(fake: Make) -> None:
    rows = [{"name": "a", "mountpoint": line, "type": "x", "disk": []} for line in FORGED]
    words = ("fs", "list", "agent*", "--gather", "--columns", "mountpoint", "--no-header")
    ran = qga("-c", template(fake(lambda request: rows)), *words)
    rule, *rest = ran.out.splitlines()
    assert rest == ["agent0", rule, f" {rule}", "web3", f" {rule}", "all is well"], ran.err


def test_a_reply_of_many_values_is_refused_whichever_way_it_came() -> None:
    """libvirt hands on replies as text, past the sockets' own check."""
    many = '{"return":[' + "[]," * 700_000 + "[]]}"
    for text in (many, many.encode()):
        with pytest.raises(BadReply, match="no file and no output"):
            wire.parse(text)

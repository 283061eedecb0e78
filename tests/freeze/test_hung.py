"""A guest that would hang in its own freeze: told before, and told afterwards what helps."""

import time
from collections.abc import Callable

import pytest

from qga_cli.freeze import loops
from qga_cli.freeze.record import Record
from qga_cli.transports import connect
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler
from tests.kit.freezes import Filesystems

Make = Callable[[Handler], FakeAgent]

# As an agent 7.2 gave them, in its order: an image on /data, which was mounted at /mnt/b later.
ROWS = [("vdb", "/mnt/b"), ("loop0", "/mnt/l"), ("vdb", "/data"), ("vda", "/")]
FILES = {
    "/sys/block/loop0/loop/backing_file": b"/data/img\n",
    "/proc/self/mountinfo": b"""\
22 1 254:0 / / rw,noatime - ext4 /dev/vda rw
23 22 254:16 / /data rw,noatime - ext4 /dev/vdb rw
27 22 0:22 / /tmp rw,nosuid,nodev,relatime - tmpfs tmp rw
30 22 7:0 / /mnt/l rw,relatime - ext4 /dev/loop0 rw
31 22 254:16 / /mnt/b rw,noatime - ext4 /dev/vdb rw
""",
}


class Images(Filesystems):
    """A guest with an image; `files` are what can be read of it, None: a policy forbids that."""

    def __init__(
        self, rows: list[tuple[str, str]], files: dict[str, bytes] | None, kind: str = "ext4"
    ) -> None:
        super().__init__()
        self._rows = [
            {"name": name, "mountpoint": point, "type": kind, "disk": []} for name, point in rows
        ]
        self._files = files
        self._open: list[bytes] = []

    def __call__(self, request: dict[str, object]) -> object:
        name = request["execute"]
        arguments: dict[str, object] = request.get("arguments", {})  # type: ignore[assignment]
        if name == "guest-get-fsinfo":
            return self._rows
        if name == "guest-file-open":
            if self._files is None:
                raise AgentFault("the command is not allowed")
            self._open.append(self._files[str(arguments["path"])])
            return len(self._open)
        if name == "guest-file-read":
            from base64 import b64encode

            data = self._open[-1]
            return {"count": len(data), "eof": True, "buf-b64": b64encode(data).decode()}
        if name == "guest-file-close":
            return {}
        return super().__call__(request)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("freeze", "x"), ("freeze", "x", "--for", "9s"),
                                   ("with-frozen", "x", "--", "true")])  # fmt: skip
def test_a_freeze_that_hangs_is_told_of_before(fake: Make, words: tuple[str, ...]) -> None:
    uri = fake(Images(ROWS, FILES)).uri
    try:
        ran = qga("-c", uri, "fs", *words)
        assert ran.code == 0, ran.err
        assert "may hang the guest until it is reset: /mnt/l is the image /data/img on" in ran.err
        assert "of / /data\n" in ran.err
    finally:
        qga("-c", uri, "fs", "thaw", "x")


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "files", "kind"), [
    (ROWS[1:], FILES, "ext4"),  # agents since 10.0, and without the bind mount
    (ROWS, FILES, "squashfs"),
    (ROWS, {**FILES, "/sys/block/loop0/loop/backing_file": b"/tmp/img\n"}, "ext4"),
    ([one for one in ROWS if one[0] != "loop0"], None, "ext4"),
    ([ROWS[1], *ROWS[2:]], None, "ext4"),
])  # fmt: skip
def test_no_false_alarm(
    fake: Make, rows: list[tuple[str, str]], files: dict[str, bytes] | None, kind: str
) -> None:
    uri = fake(Images(rows, files, kind)).uri
    ran = qga("-c", uri, "fs", "freeze", "x")
    assert (ran.code, ran.err) == (0, "")
    assert qga("-c", uri, "fs", "thaw", "x").code == 0


def test_where_policy_hides_the_image_its_mounts_have_to_do(fake: Make) -> None:
    uri = fake(Images(ROWS, None)).uri
    ran = qga("-c", uri, "fs", "freeze", "x")
    assert "/mnt/l is an image on vdb, which is frozen before it, at /mnt/b" in ran.err
    assert qga("-c", uri, "fs", "thaw", "x").code == 0


def test_only_what_is_frozen_counts() -> None:
    rows = Images(ROWS, None)._rows
    assert loops.warning(None, rows, ["/data", "/"]) == ""  # type: ignore[arg-type]


@pytest.mark.slow
def test_only_a_reset_helps_a_guest_that_hangs(fake: Make) -> None:
    def hangs(carry: Callable[[], object]) -> object:
        time.sleep(60)
        return carry()

    agent = fake(Filesystems(freeze=[hangs]))
    ran = qga("-c", agent.uri, "fs", "freeze", "x", "--timeout", "1s")
    assert ran.code == 124
    assert "`virsh reset x` brings back" in ran.err
    for words in (("fs", "thaw", "x", "--timeout", "1s"), ("doctor", "x")):
        ran = qga("-c", agent.uri, *words)
        assert ran.code in (5, 124)
        text = " ".join((ran.out + ran.err).split())
        assert "a freeze sent at " in text, text
        assert "`virsh reset x` brings back" in text


def test_a_watched_freeze_heeds_the_timeout(fake: Make) -> None:
    def slow(carry: Callable[[], object]) -> object:
        time.sleep(4)
        return carry()

    filesystems = Filesystems(freeze=[slow])
    began = time.monotonic()
    ran = qga("-c", fake(filesystems).uri, "fs", "freeze", "x", "--for", "60s", "--timeout", "1s")
    assert ran.code == 124
    assert time.monotonic() - began < 10
    assert "no answer within 1 s; it may become frozen in a moment" in ran.err
    assert "goes on trying to thaw it" in ran.err
    filesystems.await_thawed(15)


def test_a_thaw_forgets_the_freeze(fake: Make) -> None:
    uri = fake(Filesystems()).uri
    assert qga("-c", uri, "fs", "freeze", "x").code == 0
    record = Record(connect(uri).open("x").identity())
    assert record.read()["frozen"]
    assert qga("-c", uri, "fs", "thaw", "x").code == 0
    assert record.read() == {}


def test_mount_points_are_words_of_a_shell_where_they_are_to_be_typed() -> None:
    """A guest calls its filesystems what it likes."""
    mounts = [("vda", "/$(reboot)"), ("loop0", "/a"), ("vdb", "/b c"), ("vdc", "/c")]
    rows = [{"name": name, "mountpoint": point, "type": "ext4"} for name, point in mounts]
    assert loops._others(rows) == "/c '/b c' '/$(reboot)'"

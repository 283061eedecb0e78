"""What a copy that is ended had started in the guest ends with it."""

import signal
from pathlib import Path

import pytest

from qga_cli.commands.exec_status import COMMAND as EXEC_STATUS
from qga_cli.errors import Refused
from qga_cli.exec.unsettled import is_forgotten
from qga_cli.files.guest.marked import MarkedScript
from tests.kit.command import qga
from tests.kit.running import Started, eventually
from tests.kit.slow import Slow

DIGEST = 'sha512sum <"$1"'


@pytest.mark.parametrize("words", [[], ["--resume"]])
def test_ctrl_c_of_a_pull_ends_the_digest(slow: Slow, here: Path, words: list[str]) -> None:
    part = slow.ready()
    if words:  # it is the old part that the guest is asked about
        part.rename(here / part.name)
    slow.delay(600)
    copy = Started("-c", slow.uri, "cp", *words, f"vm:{slow.source}", str(here))
    assert eventually(lambda: slow.asleep)
    copy.signal(signal.SIGINT)
    assert copy.end()[0] == -signal.SIGINT
    assert eventually(lambda: not slow.asleep)


def test_ctrl_c_of_a_push_ends_its_proof(slow: Slow) -> None:
    slow.ready().unlink()
    goal = slow.there / "data"
    goal.write_bytes(b"old")
    slow.delay(600)
    copy = Started("-c", slow.uri, "cp", str(slow.source), f"vm:{goal}")
    assert eventually(lambda: slow.asleep)
    copy.signal(signal.SIGINT)
    code, _, err = copy.end()
    assert code == -signal.SIGINT
    assert eventually(lambda: not slow.asleep)
    assert goal.read_bytes() == b"old"
    (part,) = slow.there.glob(".data.*")
    inode = part.stat().st_ino
    assert part.name in err
    assert qga("-c", slow.uri, "cp", "--resume", str(slow.source), f"vm:{goal}").code == 0
    assert goal.stat().st_ino == inode
    assert goal.read_bytes() == slow.source.read_bytes()


def test_exactly_that_script_ends_and_the_agent_forgets_it(slow: Slow) -> None:
    slow.ready()
    with slow.access() as access:
        scripts = []
        for _ in range(2):
            slow.delay(600)
            scripts.append(MarkedScript(access, DIGEST, str(slow.source)))
            assert eventually(lambda: len(slow.asleep) == len(scripts))
        first, second = scripts
        pid = first._pid
        first.end()
        assert eventually(lambda: len(slow.asleep) == 1)
        with pytest.raises(Refused) as told:
            access.agent.call(EXEC_STATUS, {"pid": pid})
        assert is_forgotten(told.value)
        first.end()
        second.end()
        assert eventually(lambda: not slow.asleep)

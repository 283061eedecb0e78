"""What moves processes out of the agent's control group, beside a systemd that is not there."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inside.conftest import Run

# Says what it is asked for; an old one knows no CollectMode.
BUSCTL = """#!/bin/sh
cd "${0%/*}/.." || exit
echo "$@" >>asked
case $* in *CollectMode*) [ -e new ] || exit 1 ;; esac
mkdir -p there/system.slice/x.scope
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child that has a session of its own."""
    with subprocess.Popen(["sh", "-c", "setsid sleep 77 & wait"]) as parent:
        yield parent
        subprocess.run(["pkill", "-P", str(parent.pid)], check=True)


def children(pid: int) -> list[str]:
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        continue
    return found


def give_scope(sh: Run, tmp_path: Path, groups: str, *pids: int) -> int:
    """Its exit code where /proc/self/cgroup says so, and the group has these processes."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    busctl = tmp_path / "bin/busctl"
    busctl.write_text(BUSCTL)
    busctl.chmod(0o755)
    (tmp_path / "groups").write_text(groups)
    group = tmp_path / "there/system.slice/agent.service"
    group.mkdir(parents=True, exist_ok=True)
    others = [*pids, os.getpid(), 1]
    (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in others))

    def elsewhere(text: str) -> str:
        text = text.replace("/run/systemd/system", str(tmp_path))
        text = text.replace("/sys/fs/cgroup/systemd", str(tmp_path / "there"))
        text = text.replace("/sys/fs/cgroup", str(tmp_path / "there"))
        text = text.replace("/proc/self/cgroup", str(tmp_path / "groups"))
        # A real one has them no more when they have been moved.
        text = text.replace('>"$there/cgroup.procs"', '>>"$there/cgroup.procs"')
        return f'{text}\nPATH={tmp_path}/bin:$PATH; give_scope "$@"\n'

    done = sh("exec/scope", "x.scope", str(pids[0]), around=elsewhere)
    assert (done.stdout, done.stderr) == (b"", b"")
    return done.returncode


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    "groups",
    ["0::/system.slice/agent.service\n",
     "3:cpu:/\n1:name=systemd:/system.slice/agent.service\n0::/elsewhere\n"],
)  # fmt: skip
def test_a_tree_is_moved(
    sh: Run, tmp_path: Path, family: "subprocess.Popen[bytes]", groups: str, new: bool
) -> None:
    if new:
        (tmp_path / "new").touch()
    (child,) = children(family.pid)
    assert give_scope(sh, tmp_path, groups, family.pid, int(child)) == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == (1 if new else 2)
    assert f"x.scope fail {3 if new else 2} PIDs au 1 " in asked[-1]
    moved = (tmp_path / "there/system.slice/x.scope/cgroup.procs").read_text().split()
    assert set(moved) == {str(family.pid), child}


def test_outside_of_a_service_nothing_is_done(
    sh: Run, tmp_path: Path, family: "subprocess.Popen[bytes]"
) -> None:
    """As where a container, or another init, has the groups."""
    assert give_scope(sh, tmp_path, "0::/\n", family.pid) == 1
    assert not (tmp_path / "asked").exists()

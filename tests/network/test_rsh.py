"""`qga rsh` reads -o as ssh does, and what it makes is there for others."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from qga_cli.errors import UsageError
from qga_cli.network.rsh import _options
from tests.kit.command import qga
from tests.kit.fake import FakeAgent, Handler
from tests.kit.policies import template
from tests.lab.local_agent import private_agent


@pytest.mark.parametrize(
    ("options", "user", "variables"),
    [
        (["SetEnv=A=1"], "", {"A": "1"}),
        (["SetEnv A=1"], "", {"A": "1"}),
        (["setenv\tA=1=2"], "", {"A": "1=2"}),
        ([" SetEnv = A=1 B=2 "], "", {"A": "1", "B": "2"}),
        (["SetEnv=A=\"x y\" 'B=z w'", "SetEnv=C="], "", {"A": "x y", "B": "z w", "C": ""}),
        (["User=bob", "User=eve"], "bob", {}),
        (["User\tbob", "port 22", "ProxyCommand none"], "bob", {}),
    ],
)
def test_options_mean_what_they_mean_to_ssh(
    options: list[str], user: str, variables: dict[str, str]
) -> None:
    assert _options(options) == (user, variables)


@pytest.mark.parametrize("option", ["SetEnv=A", "SetEnv A", "SetEnv", "SetEnv==x", "SetEnv=A='"])
def test_what_ssh_refuses_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="SetEnv takes NAME=VALUE"):
        _options([option])


@pytest.mark.parametrize("guest", ["a,b", "root@a,b", "*", "root@[ab]"])
def test_a_login_is_one_guest_s(fake: Callable[[Handler], FakeAgent], guest: str) -> None:
    """Two guests were a bug of qga's, one that a pattern found was not."""
    agent = fake(lambda request: {})
    ran = qga("-c", template(agent), "rsh", guest, "id")
    assert (ran.code, agent.requests) == (2, [])
    assert "may be several guests" in ran.err


@pytest.mark.parametrize(
    "words", [("@x",), ("-l", "eve", "@x"), ("-o", "User=", "x"), ("-o", 'User=""', "x")]
)
def test_an_empty_user_is_not_root(
    fake: Callable[[Handler], FakeAgent], words: tuple[str, ...]
) -> None:
    """`qga rsh "$user@web1"` was root where the variable was not set; ssh refuses it."""
    agent = fake(lambda request: {})
    ran = qga("-c", template(agent), "rsh", *words, "id")
    assert (ran.code, agent.requests) == (2, [])
    assert "names no user" in ran.err


def test_what_is_made_has_the_modes_that_sshd_would_give_it(tmp_path: Path) -> None:
    """The agent of RHEL and Fedora, and every one that was started with -d, has the umask 077."""
    with private_agent(tmp_path) as agent:
        ran = qga("-c", f"unix:{agent.socket}", "rsh", "x", "umask")
    assert (ran.code, int(ran.out, 8)) == (0, 0o022), ran.err


def test_root_without_a_name_is_at_home_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd gives an agent no HOME, sysvinit /: `rsh web1 'rm -rf tmp'` would remove /tmp."""
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("USER", "nobody")
    ours = pwd.getpwuid(os.geteuid())
    with private_agent(tmp_path) as agent:
        for there in ("x", f"{ours.pw_name}@x"):
            line = 'pwd -P; printf "%s\n" "$HOME" "$USER" "$LOGNAME"'
            ran = qga("-c", f"unix:{agent.socket}", "rsh", there, line)
            home = os.path.realpath(ours.pw_dir)
            wanted = [home, ours.pw_dir, ours.pw_name, ours.pw_name]
            assert (ran.code, ran.out.splitlines()) == (0, wanted), (there, ran.err)

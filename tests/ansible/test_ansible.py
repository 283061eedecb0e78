"""The collection under the real ansible-core: on a guest of its own, and on sockets."""

import json
import os
import re
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from textwrap import indent

import pytest

from tests import REPO, lab
from tests.ansible.conftest import Ansible, recap
from tests.kit.command import qga
from tests.kit.fake import AgentFault, FakeAgent, Handler, Silence, left_socket
from tests.lab.local_agent import agent as run_local_agent
from tests.lab.local_agent import private_agent
from tests.test_docs import BLOCK

pytestmark = pytest.mark.slow

PLAYS = Path(__file__).parent
SECRETS = ("s3cret-in-the-environment", "s3cret-on-stdin", "S3CRET-ON-STDIN", "s3cret-of-tester")


@pytest.mark.guest
def test_twenty_tasks_and_again(ansible: Ansible, managed: lab.Guest) -> None:
    """Guest data, secrets and two runs: the second changes nothing."""
    (ansible.folder / "blob").write_bytes(os.urandom(300_000))
    with tarfile.open(ansible.folder / "a.tar.gz", "w:gz") as archive:
        archive.add(PLAYS / "twenty.yml", "packed/twenty.yml")
    given = {"blob": f"{ansible.folder}/blob", "back": f"{ansible.folder}/back",
             "archive": f"{ansible.folder}/a.tar.gz"}  # fmt: skip
    hosts = ansible.inventory(**{managed.name: f"ansible_qga_uri={managed.uri}"})
    words = ("ansible-playbook", "-i", hosts, "-e", json.dumps(given), str(PLAYS / "twenty.yml"))
    first = ansible(*words, "-vvvv")
    assert first.returncode == 0, first.stdout[-5000:] + first.stderr
    assert recap(first.stdout)[managed.name][2:] == (0, 0)
    assert "QGA EXEC" in first.stdout
    assert not [secret for secret in SECRETS if secret in first.stdout + first.stderr]
    assert (ansible.folder / "back").read_bytes() == (ansible.folder / "blob").read_bytes()
    again = ansible(*words, "--skip-tags", "facts")
    assert again.returncode == 0, again.stdout[-3000:]
    ok, changed, unreachable, failed = recap(again.stdout)[managed.name]
    assert (changed, unreachable, failed) == (0, 0, 0), again.stdout
    assert ok >= 17  # all but the facts, and one that made its file the first time
    log = qga("exec", managed.name, "cat", "/var/log/messages").out
    assert "guest-exec called" in log  # the agent logs what it starts, and no secret of ours
    assert not [secret for secret in SECRETS if secret in log]


@pytest.mark.guest
def test_without_python(ansible: Ansible, managed: lab.Guest) -> None:
    """Python is hidden for the play, by something that cannot be executed."""
    qga("exec", managed.name, "sh", "-c", "mount --bind /dev/null $(readlink -f /usr/bin/python3)")
    try:
        hosts = ansible.inventory(**{managed.name: f"ansible_qga_uri={managed.uri}"})
        ran = ansible("ansible-playbook", "-i", hosts, str(PLAYS / "bare.yml"))
        assert ran.returncode == 0, ran.stdout
    finally:
        qga("exec", managed.name, "sh", "-c", "umount $(readlink -f /usr/bin/python3)")


@pytest.mark.guest
def test_a_password_is_given_when_it_is_asked_for(ansible: Ansible, managed: lab.Guest) -> None:
    """An ordinary user becomes root by sudo, which asks; a wrong password is said to be wrong."""
    setup = "echo tester:s3cret-of-tester | chpasswd; echo 'tester ALL=(ALL) ALL' >/etc/sudoers.d/t"
    assert qga("exec", managed.name, "sh", "-c", setup).code == 0
    for password, code in (("s3cret-of-tester", 0), ("wrong", 2)):
        about = f"ansible_qga_uri={managed.uri} ansible_user=tester ansible_become_pass={password}"
        hosts = ansible.inventory(**{managed.name: about})
        ran = ansible("ansible", "-vvvv", "-i", hosts, "all", "-b", "-m", "raw", "-a", "id -un")
        assert ran.returncode == code, ran.stdout
        assert password not in ran.stdout + ran.stderr
        assert ("Incorrect become password" if code else "\nroot\n") in ran.stdout


def test_the_documents_blocks(ansible: Ansible, guest: lab.Guest) -> None:
    """Two hypervisors, though here both are the same one; a snapshot that says what it was told."""
    found = BLOCK.findall((REPO / "docs" / "ansible.md").read_text())
    (hosts,) = [text for _, language, text in found if language == "toml"]
    inventory, block = [text for _, language, text in found if language == "yaml"]
    (ansible.folder / "qga").mkdir()
    (ansible.folder / "qga" / "config.toml").write_text(
        re.sub(r"qemu\+ssh://root@\w+/system", guest.uri, hosts)
    )
    inventory = inventory.replace("/var/tmp/qga-inventory", f"{ansible.folder}/cache")
    inventory = inventory.replace("version('7'", "version('5'")  # what our guest may have
    source = ansible.folder / "two.qga.yml"
    source.write_text(f"{inventory}guests: ['{guest.name}']\n")
    lvcreate = ansible.folder / "lvcreate"
    lvcreate.write_text('#!/bin/sh\necho "$@"\n')
    lvcreate.chmod(0o755)
    ansible.env["PATH"] = f"{ansible.folder}:{ansible.env['PATH']}"
    ansible.env["XDG_CONFIG_HOME"] = str(ansible.folder)
    play = ansible.folder / "play.yml"
    play.write_text(
        "- hosts: host_alpha\n  gather_facts: false\n  tasks:\n" + indent(block, "    ")
    )
    here = ansible.folder / "here"
    here.write_text(f"alpha ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    ran = ansible("ansible-playbook", "-v", "-i", str(source), "-i", str(here), str(play))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"-n snap -L 5G /dev/vg/{guest.name}.alpha" in ran.stdout
    assert recap(ran.stdout)[f"{guest.name}.alpha"] == (3, 3, 0, 0)
    listed = ansible("ansible-inventory", "-i", str(source), "--list")
    assert json.loads(listed.stdout)["host_beta"]["hosts"] == [f"{guest.name}.beta"]


def test_thirty_sockets_at_once_and_a_dead_guest(
    ansible: Ansible, fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    """Unreachable is who was not delivered to, and costs no more than the time limit."""
    silent = fake(lambda request: Silence())
    left_socket(tmp_path / "gone")
    with ExitStack() as stack:
        agents = [stack.enter_context(run_local_agent(tmp_path, f"g{one}")) for one in range(30)]
        hosts = {
            f"g{one}": f"ansible_qga_uri=unix:{agent.socket}" for one, agent in enumerate(agents)
        }
        hosts["silent"] = f"ansible_qga_uri={silent.uri} ansible_timeout=3"
        hosts["gone"] = f"ansible_qga_uri=unix:{tmp_path}/gone"
        began = time.monotonic()
        ran = ansible("ansible", "-f", "30", "-i", ansible.inventory(**hosts), "all", "-m", "raw",
                      "-a", "echo here")  # fmt: skip
        assert time.monotonic() - began < 60
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert ran.stdout.count("\nhere") == len(hosts) - 2, ran.stdout
    assert re.search(r"silent \| UNREACHABLE", ran.stdout)
    assert re.search(r"gone \| UNREACHABLE", ran.stdout)


def test_the_inventory_tells_what_agents_know(
    ansible: Ansible, fake: Callable[[Handler], FakeAgent], tmp_path: Path
) -> None:
    """From sockets; a guest's words are no templates, and one that is silent is listed."""
    ran_here = tmp_path / "ran"
    hostile = "{{ lookup('pipe', 'touch " + str(ran_here) + "') }}"
    commands = ("guest-info", "guest-get-osinfo", "guest-get-host-name")
    replies = {
        "guest-info": {
            "version": "8.1.0",
            "supported_commands": [
                {"name": name, "enabled": True, "success-response": True} for name in commands
            ],
        },
        "guest-get-osinfo": {"id": "debian", "version-id": "12"},
        "guest-get-host-name": {"host-name": hostile},
    }
    windows = replies | {"guest-get-osinfo": {"id": "mswindows", "version-id": "10"}}
    fake(lambda request: replies[str(request["execute"])])
    fake(lambda request: windows[str(request["execute"])])
    fake(lambda request: Silence())
    source = ansible.folder / "my.qga.yml"
    source.write_text(
        f"plugin: qga.guest.guests\nhosts: ['unix:{tmp_path}/{{vm}}.sock']\ntimeout: 2\n"
        "state: all\nkeyed_groups: [{key: qga_os.id, prefix: os}]\n"
        "compose:\n  is_new: qga_agent_version is version('8', '>=')\n"
    )
    listed = ansible("ansible-inventory", "-i", str(source), "--list")
    assert listed.returncode == 0, listed.stderr
    told = json.loads(listed.stdout)
    assert len(told["_meta"]["hostvars"]) == 3, listed.stderr
    (good,) = told["os_debian"]["hosts"]
    (other,) = told["os_mswindows"]["hosts"]
    assert "powershell" in str(told["_meta"]["hostvars"][other]["ansible_shell_type"])
    assert "ansible_shell_type" not in told["_meta"]["hostvars"][good]
    assert told["_meta"]["hostvars"][good]["is_new"] is True
    answers = {one["qga_answers"] for one in told["_meta"]["hostvars"].values()}
    assert answers == {True, False}
    shown = ansible("ansible", "-i", str(source), good, "-c", "local", "-m", "debug",
                    "-a", "var=qga_hostname")  # fmt: skip
    assert "lookup" in shown.stdout, shown.stdout
    assert not ran_here.exists()


def test_what_a_host_that_was_away_lacks_is_not_kept(ansible: Ansible, tmp_path: Path) -> None:
    """One that was away for three seconds had no guests until the cache was outdated."""
    awake = {"alpha": True, "beta": False}
    asked = list[str]()

    def agent(host: str, name: str) -> FakeAgent:
        def answer(request: dict[str, object]) -> object:
            asked.append(f"{host}/{name}")
            if name == "silent" or not awake[host]:
                return Silence()
            return {"version": "8.1.0", "supported_commands": []}

        (tmp_path / host).mkdir(exist_ok=True)
        return FakeAgent(tmp_path / host / f"{name}.sock", answer)

    source = ansible.folder / "my.qga.yml"
    source.write_text(
        f"plugin: qga.guest.guests\nhosts: ['unix:{tmp_path}/alpha/{{vm}}.sock', "
        f"'unix:{tmp_path}/beta/{{vm}}.sock']\ntimeout: 2\nstate: all\n"
        f"cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: {tmp_path}/kept\n"
    )

    def answering() -> tuple[set[str], set[str]]:
        """Who is listed, who answers."""
        ran = ansible("ansible-inventory", "-i", str(source), "--list")
        assert ran.returncode == 0, ran.stderr
        told = json.loads(ran.stdout)["_meta"]["hostvars"]
        warned.append(" ".join(ran.stderr.split()))
        return set(told), {name for name, about in told.items() if about["qga_answers"]}

    warned = list[str]()
    with ExitStack() as stack:
        for name in ("web1", "silent"):
            stack.callback(agent("alpha", name).close)
        assert answering() == ({"web1", "silent"}, {"web1"})
        stack.callback(agent("beta", "db1").close)
        assert answering() == ({"web1", "silent", "db1"}, {"web1"})
        assert "beta" in warned[-1]
        assert "not kept in the cache" in warned[-1]
        awake["beta"] = True
        assert answering() == ({"web1", "silent", "db1"}, {"web1", "db1"})  # complete, as it may be
        asked.clear()
        assert answering() == ({"web1", "silent", "db1"}, {"web1", "db1"})
        assert not asked


def test_a_policy_of_the_host_fails_the_task(ansible: Ansible, local_agent: str) -> None:
    """Refused is FAILED, not UNREACHABLE."""
    rule = ansible.folder / "etc.toml"
    rule.write_text('[policy."*"]\ndeny = ["guest-exec"]\n')
    entry = ansible.folder / "sitecustomize.py"
    entry.write_text(f"from qga_cli import config\nconfig.SYSTEM = {str(rule)!r}\n")
    ansible.env["PYTHONPATH"] = f"{ansible.folder}:{REPO}"
    hosts = ansible.inventory(g=f"ansible_qga_uri={local_agent}")
    ran = ansible("ansible", "-i", hosts, "all", "-m", "raw", "-a", "true")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "g | FAILED" in ran.stdout
    assert "denied" in ran.stdout


def test_a_hostile_guests_refusal_moves_no_terminal(
    ansible: Ansible, fake: Callable[[Handler], FakeAgent]
) -> None:
    def hostile(request: dict[str, object]) -> object:
        if request["execute"] == "guest-ping":
            return {}
        raise AgentFault("no \x1b]0;mine\x07\x1b[2J")

    hosts = ansible.inventory(g=f"ansible_qga_uri={fake(hostile).uri}")
    ran = ansible("ansible", "-vvv", "-i", hosts, "all", "-m", "raw", "-a", "true")
    assert "no \\x1b]0;mine\\x07" in ran.stdout, ran.stdout + ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr


def test_a_copy_of_two_megabytes_is_proved(ansible: Ansible, local_agent: str) -> None:
    blob = ansible.folder / "blob"
    blob.write_bytes(os.urandom(2_000_000))
    about = f"ansible_qga_uri={local_agent} ansible_python_interpreter={sys.executable}"
    hosts = ansible.inventory(g=about)
    for way, source, target in (
        ("copy", blob, "there"),
        ("fetch", ansible.folder / "there", "back"),
    ):
        ran = ansible("ansible", "-i", hosts, "all", "-m", way,
                      "-a", f"src={source} dest={ansible.folder}/{target}"
                      + " flat=true" * (way == "fetch"))  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (ansible.folder / "back").read_bytes() == blob.read_bytes()


def test_what_is_made_has_the_modes_that_ssh_would_give_it(
    ansible: Ansible, tmp_path: Path
) -> None:
    """On RHEL a template without `mode` was for root alone, and the folder of a module."""
    with private_agent(tmp_path) as agent:
        hosts = ansible.inventory(g=f"ansible_qga_uri=unix:{agent.socket}")
        ran = ansible("ansible", "-i", hosts, "all", "-m", "raw", "-a", "umask")
    assert int(ran.stdout.split()[-1], 8) == 0o022, ran.stdout + ran.stderr

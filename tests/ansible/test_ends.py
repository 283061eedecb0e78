"""How a task ends early: Ansible is killed, a timeout; and what a freeze does then."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import lab
from tests.ansible.conftest import Ansible, processes
from tests.kit.channels import may_write_ports, plugged
from tests.kit.command import qga
from tests.kit.running import GUARD, eventually

pytestmark = pytest.mark.slow
PLAYS = Path(__file__).parent


def ports(guest: lab.Guest) -> set[str]:
    return {port.name for port in plugged(guest)}


@pytest.mark.guest
@pytest.mark.parametrize(
    ("persist", "signum"),
    [(4, signal.SIGINT), (4, signal.SIGKILL), (0, signal.SIGINT)],
    ids=["kept open", "kept open, killed", "opened anew"],
)
def test_the_end_of_ansible_ends_the_program(
    ansible: Ansible, managed: lab.Guest, persist: int, signum: int
) -> None:
    """A module's program and a raw one, soon; then nothing is left here or plugged there."""
    about = f"ansible_qga_uri={managed.uri} ansible_qga_persist={persist}"
    hosts = ansible.inventory(**{managed.name: about})
    module = "ansible.builtin.command" if persist else "raw"
    words = ansible.argv("ansible", "-i", hosts, "all", "-m", module, "-a", "sleep 4242")
    look = ("exec", managed.name, "pgrep", "-fx", "sleep 4242")
    before = ports(managed)  # idle ones, of other tests
    with subprocess.Popen(words, env=ansible.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          start_new_session=True) as process:  # fmt: skip
        try:
            # A module takes two minutes to start where guests are emulated on a loaded machine.
            assert eventually(lambda: qga(*look).out, 300)
            os.killpg(process.pid, signum)  # as a terminal; workers have groups of their own
            process.communicate(timeout=GUARD)
        finally:
            if process.poll() is None:  # else this test would wait for it until its program ends
                os.killpg(process.pid, signal.SIGKILL)
    assert eventually(lambda: not qga(*look).out, 20)
    assert eventually(lambda: not processes(ansible.folder), 30)
    assert eventually(lambda: ports(managed) <= before, 10)


@pytest.mark.parametrize("signals", [["SIGINT"], ["SIGINT", "SIGTERM"]])
def test_a_signal_that_the_other_thread_takes_is_heard(signals: list[str]) -> None:
    """libvirt changes its thread's mask for each call, and the kernel gives it the signal then."""
    code = (
        "import signal, threading\n"
        "from ansible_collections.qga.guest.plugins.connection.agent import Connection\n"
        "def work(interrupt):\n"
        "    interrupt.sleep(0.3, 0)\n"  # the main thread sleeps by then
        f"    for name in {signals}:\n"
        "        signal.pthread_kill(threading.get_ident(), getattr(signal, name))\n"
        "    print('told' if interrupt.sleep(20, 0) else 'not told', flush=True)\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "Connection._do(None, work)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.returncode) == ("told\n", -signal.SIGINT), ran.stderr


def test_no_descriptor_is_closed_while_it_is_rung_at() -> None:
    code = (
        "import os, threading, time\n"
        "from ansible_collections.qga.guest.plugins.connection.agent import Connection\n"
        "write = os.write\n"
        "os.write = lambda number, data: (time.sleep(0.5), write(number, data))\n"
        "threading.excepthook = lambda told: print(told.exc_value, flush=True)\n"
        "Connection._do(None, lambda interrupt: None)\n"
        "time.sleep(1)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.returncode) == ("", 0), ran.stderr


def test_nothing_is_frozen_in_check_mode(ansible: Ansible) -> None:
    ran = ansible("ansible", "-i", ansible.inventory(nosuch=""), "all", "--check",
                  "-m", "qga.guest.freeze", "-a", "state=frozen")  # fmt: skip
    assert "| SKIPPED" in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.guest
def test_a_tasks_timeout_ends_the_program(ansible: Ansible, managed: lab.Guest) -> None:
    """FAILED, for it was delivered; and a runner that was killed is not missed."""
    hosts = ansible.inventory(**{managed.name: f"ansible_qga_uri={managed.uri}"})
    task = ("ansible", "-i", hosts, "all", "--task-timeout", "10", "-m", "ansible.builtin.command")
    ran = ansible(*task, "-a", "sleep 4343")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "| FAILED" in ran.stdout
    look = ("exec", managed.name, "pgrep", "-fx", "sleep 4343")
    assert eventually(lambda: not qga(*look).out, 20)
    there = 0 if may_write_ports() else 1  # the runner is at the other end of a port
    assert qga("exec", managed.name, "pkill", "-9", "-f", "qga_[r]unner").code == there
    after = ansible("ansible", "-i", hosts, "all", "-m", "raw", "-a", "id -un")
    assert "\nroot\n" in after.stdout, after.stdout + after.stderr


def test_a_block_on_a_frozen_guest(ansible: Ansible, guest: lab.Guest) -> None:
    hosts = ansible.inventory(**{guest.name: f"ansible_qga_uri={guest.uri}"})
    status = f"{sys.executable} -m qga_cli fs status {guest.name}"
    ran = ansible("ansible-playbook", "-i", hosts, "-e", json.dumps({"status": status}),
                  str(PLAYS / "freeze.yml"))  # fmt: skip
    assert qga("fs", "status", guest.name).out == "thawed\n"
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "on purpose" in ran.stdout, ran.stdout


def test_a_freeze_ends_with_ansible(ansible: Ansible, guest: lab.Guest) -> None:
    """Killed within the block: the guest is thawed all the same."""
    hosts = ansible.inventory(**{guest.name: f"ansible_qga_uri={guest.uri}"})
    given = json.dumps({"status": "sleep 60"})  # which Ansible's worker sleeps to its end
    words = ansible.argv("ansible-playbook", "-i", hosts, "-e", given, str(PLAYS / "freeze.yml"))
    with subprocess.Popen(words, env=ansible.env, stdout=subprocess.DEVNULL) as process:
        frozen = eventually(lambda: qga("fs", "status", guest.name).out == "frozen\n", 60)
        process.kill()
    assert frozen
    assert eventually(lambda: qga("fs", "status", guest.name).out == "thawed\n", 20)

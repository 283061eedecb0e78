# Apache License 2.0 (see LICENSE of qga)
"""Freeze a guest's filesystems around a block of tasks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

import ansible.constants as C
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.qga.guest.plugins.plugin_utils.release import lack

LACK = lack()
if not LACK:
    from ansible_collections.qga.guest.plugins.plugin_utils.hosts import uri_of

_PATIENCE = 60.0  # seconds for a thaw, beside what --max allows


class ActionModule(ActionBase):
    """Runs beside Ansible; the guest is asked through its hypervisor."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = False

    def run(self, tmp=None, task_vars=None):
        """Freeze, or thaw."""
        result = super().run(tmp, task_vars)
        if LACK:
            raise AnsibleActionFail(LACK)
        given = self.validate_argument_spec({
            "state": {"choices": ["frozen", "thawed"], "required": True},
            "max": {"type": "str", "default": "30s"},
            "mountpoints": {"type": "list", "elements": "str", "default": []},
        })[1]  # fmt: skip
        name = self._connection.get_option("remote_addr")
        uri = uri_of(self._connection.get_option("uri"))
        # One for each guest in the folder that Ansible has for this run, which nobody else enters.
        digest = hashlib.sha256(f"{uri} {name}".encode()).hexdigest()[:16]
        folder = os.path.join(C.DEFAULT_LOCAL_TMP, f"qga-freeze-{digest}")
        if given["state"] == "frozen":
            self._freeze(folder, uri, name, given)
            return result | {"changed": True}
        return result | self._thaw(folder)

    def _freeze(self, folder, uri, name, given):
        if os.path.exists(folder):
            raise AnsibleActionFail(f"{name} is frozen already, by this play")
        os.mkdir(folder, 0o700)
        os.mkfifo(os.path.join(folder, "thaw"), 0o600)
        argv = [sys.executable, "-P", "-m", "qga_cli", *(["-c", uri] if uri else [])]
        argv += ["fs", "with-frozen", "--max", given["max"]]
        for path in given["mountpoints"]:
            argv += ["--mountpoint", path]
        argv += [name, "--", "sh", "-c", "echo frozen; exec cat"]
        holder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "plugin_utils/holder.py")
        with subprocess.Popen(
            [sys.executable, holder, folder, str(os.getppid()), *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:  # fmt: skip
            line = process.stdout.readline()
            if line == b"frozen\n":
                process.returncode = 0  # it lives on: not waited for
                return
        shutil.rmtree(folder)
        said = json.loads(line)["said"] if line else "its holder died"
        raise AnsibleActionFail(f"not frozen: {said.strip()}")

    def _thaw(self, folder):
        """Have it thawed, and say whether it was frozen until now."""
        if not os.path.exists(folder):
            return {"changed": False}
        with open(os.path.join(folder, "thaw"), "r+b", buffering=0) as fifo:
            fifo.write(b"!")
            until = time.monotonic() + _PATIENCE
            while not os.path.exists(os.path.join(folder, "result")):
                if time.monotonic() > until:
                    raise AnsibleActionFail("no word of the thaw: see `qga fs status`")
                time.sleep(0.02)
        with open(os.path.join(folder, "result"), encoding="utf-8") as file:
            told = json.load(file)
        shutil.rmtree(folder)
        if told["code"]:
            raise AnsibleActionFail(
                f"NOT consistent (exit code {told['code']}): {told['said'].strip()}"
            )
        return {"changed": True}

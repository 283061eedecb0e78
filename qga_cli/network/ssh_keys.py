"""`ssh list`, `add`, `remove`: keys are the same by type and material, whatever surrounds them.

The agent compares whole lines, and says nothing of a line that is not there, so its own lines are
asked for first (QEMU, qga/commands-posix-ssh.c).
"""

from __future__ import annotations

import io
import re

from qga_cli import openssh
from qga_cli.agent import Agent, Reply, abilities
from qga_cli.commands.ssh.add import COMMAND as ADD
from qga_cli.commands.ssh.list import COMMAND as LIST
from qga_cli.commands.ssh.remove import COMMAND as REMOVE
from qga_cli.errors import Forbidden, Refused, Unsupported, UsageError
from qga_cli.exec.run import run
from qga_cli.inside import script
from qga_cli.verbs.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.spec import Command

# As GLib's g_file_get_contents has it, whatever the quotes; other agents' words are an error still.
_NO_FILE = re.compile(r"authorized_keys\W+No such file or directory$")
# The agent strips the lines that it lists, and compares them unstripped when it removes one.
_ENDS = ("", "\r", " ", "\t")


def list_keys(job: Job) -> Reply:
    """`qga ssh list`: a user without the file has no keys, which an agent takes for an error."""
    try:
        return job.wire()
    except Refused as error:
        if not _NO_FILE.search(error.desc):
            raise
        return Reply('{"return":{"keys":[]}}', {"keys": []})


def add(job: Job, *, user: str, key: list[str], reset: bool = False) -> Reply:
    """`qga ssh add`: those that are not there. Raises Refused for one with other options."""
    for line in key:
        known = openssh.parse(line)
        if not (known and known.is_whole):
            raise UsageError(
                f"{line!r} is no whole public key: nobody could log in with it",
                hint="`ssh-keygen -lf FILE` proves one",
            )
    if reset:
        return _change(job, ADD, {"username": user, "keys": key, "reset": True}, "reset")
    agent = job.agent
    try:
        there = _lines(agent, user)
    except Unsupported as error:
        agent.trace(1, f"what is there already cannot be told: {error.message}")
        return _change(job, ADD, {"username": user, "keys": key}, "add")
    except Refused:
        there = []  # no file yet; what else is wrong the next call tells
    found = {_identity(line): line for line in there[::-1]}
    for line in key:
        _refuse_other_options(line, found.get(_identity(line), line))
    missing = [line for line in key if _identity(line) not in found]
    if len(missing) < len(key):
        job.say(0, f"{agent.name}: {_count(len(key) - len(missing))} there already")
    if not missing:
        return Reply('{"return":{}}', {})
    return _change(job, ADD, {"username": user, "keys": missing}, "add")


def remove(job: Job, *, user: str, key: list[str]) -> Reply:
    """`qga ssh remove`: every line with one of the keys. Raises Refused when none has gone."""
    agent = job.agent
    wanted = {_identity(line) for line in key}
    there = _lines(agent, user)
    found = [line for line in there if _identity(line) in wanted]
    if not found:
        raise Refused(
            f"{user} has none of these keys: nothing was removed",
            hint=f"`qga ssh list VM {user}` shows them",
        )
    lines = [line + end for line in dict.fromkeys(found) for end in _ENDS]
    reply = _change(job, REMOVE, {"username": user, "keys": lines}, "remove")
    left = [line for line in _lines(agent, user) if _identity(line) in wanted]
    gone = len(found) - len(left)
    if left:
        raise Refused(
            f"{_count(len(left))} could not be removed and can still log in ({gone} removed)",
            hint=f"blanks around the line are in the way: edit ~{user}/.ssh/authorized_keys, "
            "with `qga edit`",
        )
    job.say(0, f"{agent.name}: {_count(gone)} removed")
    return reply


def _change(job: Job, command: Command, arguments: dict[str, Any], how: str) -> Reply:
    """Have a command of the agent's done, in a script that runs as the user, where that can be.

    The agent does it as root and follows links of the user's: it gave him any file of the guest's
    that his authorized_keys led to, and made him the owner of one in a folder of root's
    (write_authkeys in QEMU's qga/commands-posix-ssh.c). The command's own policy counts for both.
    """
    assert job.target is not None
    user, keys = arguments["username"], arguments["keys"]
    if _is_safe(job.agent, user):
        return job.agent.call(command, arguments)
    said = bytearray()

    def work() -> None:
        given = io.BytesIO("".join(f"{key}\n" for key in keys).encode())
        done = run(
            job.agent, ["sh", "-c", script("network/keys"), "qga-keys", how], user=user,
            stdin=given, stdout=bytes, stderr=said.extend,
            interrupt=job.interrupt, timeout=job.timeout,
        )  # fmt: skip
        if done.code:
            lines = said.decode("utf-8", "replace").splitlines()
            why = lines[-1] if lines else f"exit code {done.code}"
            raise Refused(f"the keys of {user} are as they were: {why}")

    try:
        job.hosts.change(job.target, command.wire, work, {"username": user, "keys": keys})
    except Forbidden:  # the command, which is said once more, or programs, by this host's policy
        return job.agent.call(command, arguments)
    return Reply('{"return":{}}', {})


def _is_safe(agent: Agent, user: str) -> bool:
    """Whether the agent's command is to do it: nobody else may lead root astray, or there is no
    other way."""
    if user == "root" or ":" in user:  # which no user's name has, and `run` takes for a group
        return True
    try:
        able = abilities.ask(agent)
    except Refused as error:
        agent.trace(1, f"what the agent can do cannot be told: {error.message}")
        return True
    return able.windows or not able.may(*abilities.PROGRAMS)


def _lines(agent: Agent, user: str) -> list[str]:
    try:
        lines: list[str] = agent.call(LIST, {"username": user}).value["keys"]
    except Refused as error:
        if not _NO_FILE.search(error.desc):
            raise
        return []
    return lines


def _identity(line: str) -> object:
    key = openssh.parse(line)
    return key.material if key else line.strip()


def _refuse_other_options(line: str, there: str) -> None:
    """sshd goes by the first line that fits: a second one with the same key changes nothing."""
    wanted, found = openssh.parse(line), openssh.parse(there)
    if wanted and found and wanted.options != found.options:
        raise Refused(
            f"the key {wanted.fingerprint} is there already, with "
            f"{'other' if found.options else 'no'} options: nothing was added",
            hint="`qga ssh remove` takes it away; then add it as you want it",
        )


def _count(number: int) -> str:
    return f"{number} keys" if number != 1 else "1 key"

"""What is done for a qga that has died: `URI GUEST [RUN AUDIT-FILE...] -- WORD...`.

A word is a port of it, to be unplugged: libvirt may not have noticed yet that its owner is gone.
One that was about to be plugged (`+PORT`) may come later: what a dead client has asked for goes on
in libvirt's daemon. `=MARK` is a program that had its streams on the ports, to be ended as by a
terminal that is closed; `=` says that there is none any more. `@MARK` holds a copy's files.
"""

from __future__ import annotations

import os
import sys
import syslog
import threading
import time

from qga_cli.agent import Agent
from qga_cli.agent.program import capture
from qga_cli.channel import COMING, HOLDER, PREFIX, PROGRAM
from qga_cli.errors import QgaError
from qga_cli.inside import loaded, script
from qga_cli.transports import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from qga_cli.transports import Transport
    from qga_cli.transports.ports import Ports

_SOON = 3.0  # seconds in which libvirt has noticed, unless its host has too much to do
_TAKEN = 30.0  # seconds after which a port that is in use is another one's by now
_COMING = 35.0  # seconds for a port that is not there yet: libvirt waits 30 for a guest's lock
_PAUSE = 0.05
_STILL = 1.0  # seconds after which a port that is closed in the guest has no new owner
_AGAIN = 0.5  # seconds until the guest is spoken to again
_NONE = 9  # exit code of inside/exec/orphan.sh, and inside/files/orphan.sh


def main(argv: Sequence[str]) -> None:
    """Unplug the ports, end the program, and log it."""
    at = argv.index("--")
    where, words = argv[:at], argv[at + 1 :]
    guest = where[1]
    ending = {word[0]: word[1:] for word in words if word[0] in (PROGRAM, HOLDER)}  # the last ones
    named = [word for word in words if word[0] not in ending]
    left: set[str] = set()  # ports that libvirtd may keep for us though we are dead
    over = threading.Event()
    speaking = threading.Thread(target=speak, args=(where, ending, left, over))
    syslog.openlog("qga", syslog.LOG_PID, syslog.LOG_DAEMON)
    speaking.start()
    try:
        if named:
            ports = reach(where).ports()
            assert ports is not None  # they were plugged by the same way
            reap(ports, named, guest, left)
    except QgaError as error:  # the guest has gone with its ports, or its host cannot be reached
        syslog.syslog(syslog.LOG_NOTICE, f"{guest}: ports are left alone: {error}")
    left.clear()
    over.set()
    speaking.join()


def reach(where: Sequence[str]) -> Transport:
    """The guest, with a connection of one's own: each of the two threads needs one."""
    uri, guest, *audit = where
    transport = connect(uri or None).open(guest)
    if audit:
        from qga_cli.policy.audit import Audit
        from qga_cli.policy.guard import Guard

        return Guard(None, Audit.joined(audit)).wrap(transport, uri or None, guest)
    return transport


def reap(ports: Ports, words: Sequence[str], guest: str, left: set[str]) -> None:
    """Unplug each port that nobody uses; `left` gets those that only the host uses, for long."""
    names = {word.removeprefix(COMING) for word in words}
    coming = names.difference(words)
    closed: dict[str, float] = {}  # since when the guest has it closed
    began = time.monotonic()
    while names:
        waited = time.monotonic() - began
        plugged = {port.name: port.is_open for port in ports.plugged(PREFIX)}
        there = plugged.keys() & names
        for name in there:
            if ports.unplug_unused(name):
                syslog.syslog(syslog.LOG_NOTICE, f"{guest}: {name}: its owner has died: unplugged")
                names.discard(name)
            elif waited > _TAKEN:
                names.discard(name)
        coming &= names - there
        names &= there | (coming if waited < _COMING else set())
        closed = {name: closed.get(name, waited) for name in names & there if not plugged[name]}
        left.intersection_update(closed)
        left.update(name for name, since in closed.items() if waited > since + _STILL)
        if names:
            time.sleep(_PAUSE if there and waited < _SOON else _PAUSE * 10)


def speak(
    where: Sequence[str], ending: dict[str, str], left: set[str], over: threading.Event
) -> None:
    """Over the agent: send the program a SIGHUP, end what holds files, and free ports that libvirtd
    keeps for the dead.

    The program may be about to start, which without its ports it does not.
    """
    agent: Agent | None = None
    soon, until = time.monotonic() + _SOON, time.monotonic() + _TAKEN
    mark, holder, known = ending.get(PROGRAM), ending.get(HOLDER), False
    while (mark or holder or not over.is_set()) and time.monotonic() < until:
        try:
            agent = agent or Agent(reach(where), where[1])
            last = over.is_set()
            if mark and (_end(agent, "exec/orphan", "exec/end", words=[mark, "HUP", "0"]) or last):
                mark = ""
            if holder:
                there = _end(agent, "files/orphan", words=[holder])
                if not there and (known or time.monotonic() > soon):
                    holder = ""
                known = known or there
            if names := tuple(left):
                _poke(agent, names)
        except QgaError as error:  # frozen, or its agent is away
            syslog.syslog(syslog.LOG_NOTICE, f"{where[1]}: its program is left alone: {error}")
        if agent and agent.transport.ports() is None:  # a socket has one client: others wait for it
            agent.transport.close()
            agent = None
        time.sleep(_AGAIN)


def _end(agent: Agent, *scripts: str, words: Sequence[str]) -> bool:
    """Whether there was such a program."""
    shell, text = loaded("qga-end", "".join(map(script, scripts)))
    return capture(agent, [*shell, *words], stdin=text).code != _NONE


def _poke(agent: Agent, names: Sequence[str]) -> None:
    shell, text = loaded("qga-poke", script("channel/port") + script("channel/poke"))
    capture(agent, [*shell, *names], stdin=text)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)

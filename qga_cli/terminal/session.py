"""The verbs: a program's terminal becomes ours, until it ends or we do.

    this thread                   a thread of exchange.py           guest
                                  guest-exec ─────────────────────▶ inside/terminal, or script(1):
                                                                    two terminals, and the program
    keys, a new window size ────▶ push: guest-file-write ─────────▶ to the program
                                  pull: guest-file-read ◀────────── what it writes, or nothing yet
                                  screen
    `~.`, SIGHUP ...: hang_up ──▶ HANG_UP ────────────────────────▶ the program gets SIGHUP
    readable: it is over ◀─────── EXIT and the code ◀────────────── the program has ended
                                  BYE, guest-file-close ──────────▶ the guest's end ends
                                  (nothing polled for a while) ───▶ likewise: its user has gone

This thread has the keyboard and always answers, to `~.`, to signals and to a new window size,
also while the agent does not: only the exchange waits for the agent and for the screen.

Descriptors in the guest, while the program runs (inside/terminal/relay.py; by_script.py says what
stands there without Python):

    |               | the program's      | the relay's                         | the agent's       |
    |---------------|--------------------|-------------------------------------|-------------------|
    | 0, 1, 2       | its terminal       | /dev/null                           | -                 |
    | `terminal`    | -                  | the other side of that terminal     | -                 |
    | `inlet`,      | -                  | a second terminal, raw: both are    | this one, once to |
    | `outlet`      |                    | the side that the agent has not;    | read, once to     |
    |               |                    | or two ports of ours                | write; or none    |
    | `slave`       | -                  | the agent's side of it, to see what | -                 |
    |               |                    | waits there; -1 on ports            |                   |
    | `woken`       | -                  | a pipe: a signal has come           | -                 |
"""

from __future__ import annotations

import os
import signal
from functools import partial

from qga_cli.agent.abilities import is_windows
from qga_cli.errors import Interrupted, QgaError, Unsupported, UsageError
from qga_cli.exec.context import Context
from qga_cli.inside import script
from qga_cli.terminal import by_python
from qga_cli.terminal.by_script import ScriptCarrier
from qga_cli.terminal.carrier import TerminalRequest
from qga_cli.terminal.console import Console, Escape
from qga_cli.terminal.exchange import Exchange
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from qga_cli.agent import Agent
    from qga_cli.interrupt import File
    from qga_cli.terminal.carrier import Carrier

_GLANCE = 0.2  # seconds between two looks at the window's size
_FAREWELL = 4.0  # seconds for the guest to learn that we go
_HUNG_UP = 128 + signal.SIGHUP
_HELP = b"\r\n~.  end the session\r\n~~  type a tilde\r\n~?  this help\r\n(after Enter only)\r\n"


def shell(job: Job, *, user: str, escape: str, channel: str) -> Finished:
    """`qga shell`: a login shell, by whichever program of the guest makes one."""
    words = ["sh", "-c", script("terminal/login"), "qga", user]
    return attach(job, words, {}, escape, channel, owner=user)


def attach(
    job: Job,
    command: list[str],
    around: dict[str, Any],
    escape_key: str,
    channel: str,
    *,
    owner: str = "",
) -> Finished:
    """Run `command` on a terminal that is ours; `around` are the keywords of Context."""
    if job.fleet:
        raise UsageError("a terminal belongs to one guest")
    escape = Escape(_key(escape_key))
    console = Console(job.streams.stdin)
    request = _request(command, around, owner, console)
    if is_windows(job.agent):  # asked first: what follows would be too much input for its agent
        raise Unsupported(
            "a Windows guest has no terminals that its agent could carry",
            hint="`qga exec VM -- cmd /c LINE` runs a line, `qga script VM x.cmd` or x.ps1 more",
        )
    # Not shielded: a signal ends us here, whatever the agent does, and the guest's end gives up.
    carrier = _start(job.agent, request, channel)
    with job.interrupt.shield():
        if job.interrupt.count:  # the process ends about now, and must not leave a raw terminal
            carrier.close()
            raise Interrupted(job.interrupt.signum)
        exchange = Exchange(carrier, job.streams.stdout)
        try:
            with console.raw(), job.interrupt.leaves(console.restore):
                exchange.start()
                _converse(job, console, request.size, escape, exchange)
        except (QgaError, BrokenPipeError):
            _part(exchange)
            _begin_line(console, exchange)
            raise
        if escape.end:
            _part(exchange)
            _begin_line(console, exchange)
            job.say(0, f"{job.agent.name}: session ended")
    if exchange.error and not escape.end:
        _begin_line(console, exchange)
        raise exchange.error
    return Finished(code=_HUNG_UP if carrier.code is None else carrier.code)


def _request(
    command: list[str], around: dict[str, Any], owner: str, console: Console
) -> TerminalRequest:
    """What the guest's end is to start. `owner` is whose the terminal is, "" for the user's."""
    return TerminalRequest(
        [b"/bin/sh", b"-c", (script("exec/can_run") + script("terminal/enter")).encode(), b"qga"],
        size=console.size(),
        environment={
            b"TERM": os.environb.get(b"TERM", b"dumb"),
            b"QGA_CONTEXT": Context(**around).line("", command),
        },
        clean=around.get("clean_env", False),
        owner=owner or around.get("user", "").partition(":")[0] or "root",
    )


def _start(agent: Agent, request: TerminalRequest, channel: str) -> Carrier:
    """By the best way that there is."""
    if channel == "never":
        return by_python.start(agent, request) or ScriptCarrier(agent, request)
    from qga_cli.terminal import by_port

    always = channel == "always"
    return by_port.start(agent, request, always=always) or ScriptCarrier(agent, request)


def _converse(
    job: Job, console: Console, size: tuple[int, int], escape: Escape, exchange: Exchange
) -> None:
    """Serve the keyboard until the program or the user ends it.

    Raises Interrupted, TimedOut; BrokenPipeError when the output goes to a reader that has gone.
    """
    carrier = exchange.carrier
    while not escape.end:
        if job.interrupt.count:
            raise Interrupted(job.interrupt.signum)
        job.check_time()
        job.check_reader()
        console.keep_raw()
        if console.size() != size:
            size = console.size()
            exchange.request(partial(carrier.resize, size))
        watched: list[File] = [exchange] if carrier.full() else [exchange, console]
        ready = job.interrupt.select(watched, _GLANCE, 0)
        if exchange in ready:
            return
        if console in ready:
            keys = escape.strip(console.read())
            if keys:
                exchange.request(partial(carrier.type, keys))
            if escape.help:
                escape.help = False
                console.write(_HELP)


def _part(exchange: Exchange) -> None:
    """Hang up, and give the guest time to notice."""
    exchange.mute = True
    exchange.request(exchange.carrier.hang_up)
    exchange.wait(_FAREWELL)


def _begin_line(console: Console, exchange: Exchange) -> None:
    """Start a new line for our message, if the guest's output has not ended one."""
    if console.is_that_of(exchange.screen):  # it is full, and we would wait for it anyhow
        exchange.settle()
    if not exchange.fresh:
        console.write(b"\n")


def _key(text: str) -> bytes:
    """--escape: one character, or none."""
    key = b"" if text == "none" else os.fsencode(text)
    if len(key) > 1 or not text:
        raise UsageError(f"--escape is one character or none, not {text!r}")
    return key

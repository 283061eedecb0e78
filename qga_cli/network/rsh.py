"""`qga rsh`: what takes words as ssh does, for programs that call ssh."""

from __future__ import annotations

import os
import re
import shlex
from fnmatch import fnmatchcase

from qga_cli.errors import QgaError, Unsupported, UsageError
from qga_cli.exec.run import run
from qga_cli.exec.sinks import Passthrough
from qga_cli.exec.verb import standard_input
from qga_cli.guests.targets import is_fleet
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, BinaryIO

_FAILED = 255  # ssh's own exit code
# What may be set to anything, for it says how to reach a sshd, or whom to trust there.
_HARMLESS = frozenset(
    """addkeystoagent addressfamily batchmode bindaddress bindinterface casignaturealgorithms
    certificatefile checkhostip ciphers clearallforwardings compression connectionattempts
    connecttimeout controlmaster controlpath controlpersist enableescapecommandline enablesshkeysign
    escapechar exitonforwardfailure fingerprinthash forwardx11timeout forwardx11trusted
    globalknownhostsfile gssapiauthentication gssapidelegatecredentials hashknownhosts
    hostbasedacceptedalgorithms hostbasedauthentication hostkeyalgorithms hostkeyalias hostname
    identitiesonly identityagent identityfile ignoreunknown ipqos kbdinteractiveauthentication
    kexalgorithms loglevel macs nohostauthenticationforlocalhost numberofpasswordprompts
    passwordauthentication permitlocalcommand pkcs11provider port preferredauthentications
    pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication rekeylimit requesttty
    requiredrsasize serveralivecountmax serveraliveinterval stricthostkeychecking syslogfacility
    tcpkeepalive updatehostkeys userknownhostsfile verifyhostkeydns visualhostkey
    xauthlocation""".split()
)
_OFF = ("no", "none", "false", "")


def verb(
    job: Job,
    *,
    line: list[str],
    channel: str,
    login: str = "",
    option: Sequence[str] = (),
    subsystem: bool = False,
    tty: bool = False,
    no_stdin: bool = False,
) -> Finished:
    """`qga rsh`. An error of qga's own has exit code 255, as one of ssh has."""
    try:
        configured, environment = _options(option)
        destination, *words = line
        user, guest = _destination(destination, login or configured)
        if is_fleet(guest):
            raise UsageError(f"{guest!r} may be several guests, and a login is for one")
        (job.target,) = job.hosts.resolve(guest)
        words = words[1:] if words[:1] == ["--"] else words
        terminal = job.streams.stdin.isatty()
        if terminal and not (words or no_stdin):
            from qga_cli.terminal import session

            return session.shell(job, user=user or "root", escape="~", channel=channel)
        argv = ["sh", "-c", script("network/rsh"), "qga-rsh"]
        argv += [" ".join(words)] if words else []
        argv += ["subsystem"] if subsystem else []
        around = {"user": user, "env": environment}
        if terminal and tty:
            from qga_cli.terminal import session

            return session.attach(job, argv, around, "~", channel)
        return _run(job, argv, None if no_stdin else standard_input(job), around, channel)
    except QgaError as error:
        if not isinstance(error, UsageError):
            error.exit_code = _FAILED
        raise


def _destination(text: str, user: str) -> tuple[str, str]:
    """User and guest of [USER@]VM; `user` if it names none."""
    named, at, guest = text.rpartition("@")
    if not guest or text.startswith("-"):
        raise UsageError(f"{text!r} names no guest", hint="options stand before the guest")
    if at and not named:  # a variable that is not set, most likely
        raise UsageError(f"{text!r} names no user", hint=f"without the @ it is root: {guest}")
    return named or user, guest


def _run(
    job: Job,
    argv: Sequence[str],
    source: BinaryIO | None,
    around: dict[str, Any],
    channel: str,
) -> Finished:
    """Without a terminal. No `heed`: rsync stops reading before its other half has ended."""
    try:
        done = run(
            job.agent,
            argv,
            stdin=source,
            stdout=Passthrough(job.streams.stdout).take,
            stderr=Passthrough(job.streams.stderr).take,
            interrupt=job.interrupt,
            timeout=job.timeout,
            channel=channel,
            **around,
        )
    except UsageError as error:
        if job.agent.system != "mswindows":
            raise
        # It is our script that cmd takes no word of, and nothing that a user has said.
        raise Unsupported(
            "a Windows guest has no shell for rsh", hint="`qga exec VM -- cmd /c LINE` runs a line"
        ).of(job.target) from error
    return Finished(code=done.code)


def _options(options: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The user and the variables that -o names. Raises UsageError for what cannot be had here."""
    user, environment = "", dict[str, str]()
    for option in options:
        parts = re.fullmatch(r"\s*(\w*)\s*=?\s*(.*?)\s*", option, re.DOTALL)
        name, value = parts.groups() if parts else ("", option)
        match name.lower():
            case "user":
                if not value.strip('"'):
                    raise UsageError(f"-o {option} names no user")
                user = user or value.strip('"')
            case "setenv":
                environment |= _variables(option, value)
            case "sendenv":
                patterns = value.split()
                environment |= {
                    variable: text
                    for variable, text in os.environ.items()
                    if any(fnmatchcase(variable, pattern) for pattern in patterns)
                }
            case known if known not in _HARMLESS and value.strip('"').lower() not in _OFF:
                raise UsageError(
                    f"-o {option}: not without ssh itself",
                    hint="`qga ssh config` has ssh itself reach the guest",
                )
    return user, environment


def _variables(option: str, text: str) -> dict[str, str]:
    """Those of ssh's SetEnv, A=1 B="2 3". Raises UsageError."""
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError:  # a quote without its end
        pairs = []
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        raise UsageError(f"-o {option.partition('=')[0]}: SetEnv takes NAME=VALUE")
    return {name: value for name, _, value in pairs}

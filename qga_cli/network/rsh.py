"""`qga rsh`: what takes words as ssh does, for programs that call ssh."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from qga_cli.errors import QgaError, UsageError
from qga_cli.exec.run import run
from qga_cli.exec.sinks import Passthrough
from qga_cli.exec.verb import stdin
from qga_cli.inside import script
from qga_cli.verbs.job import Finished, Job

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


def verb(job: Job) -> Finished:
    """`qga rsh`. An error of qga's own has exit code 255, as one of ssh has."""
    try:
        return _rsh(job)
    except QgaError as error:
        if not isinstance(error, UsageError):
            error.exit_code = _FAILED
        raise


def _rsh(job: Job) -> Finished:
    given = job.arguments
    user, environment = _options(given.get("option", ()))
    destination, *line = given["line"]
    named, _, guest = destination.rpartition("@")
    user = named or given.get("login", "") or user
    if not guest or destination.startswith("-"):
        raise UsageError(f"{destination!r} names no guest", hint="options stand before the guest")
    if line[:1] == ["--"]:
        del line[0]
    (job.target,) = job.hosts.resolve(guest)
    if not line and job.streams.stdin.isatty() and not given.get("no-stdin"):
        from qga_cli.terminal import session

        given["user"], given["escape"] = user or "root", "~"
        return session.shell(job)
    words = ["sh", "-c", script("network/rsh"), "qga-rsh"]
    if line:
        words.append(" ".join(line))
    if given.get("subsystem"):
        words.append("subsystem")
    if given.get("tty") and job.streams.stdin.isatty():
        from qga_cli.terminal import session

        given["command"], given["escape"] = words, "~"
        return session.run(job, {"user": user, "env": environment})
    assert job.agent is not None
    done = run(
        job.agent,
        words,
        stdin=stdin(job),
        stdout=Passthrough(job.streams.stdout).take,
        stderr=Passthrough(job.streams.stderr).take,
        interrupt=job.interrupt,
        timeout=job.timeout,
        env=environment,
        user=user,
        channel=given["channel"],  # no `heed`: rsync stops reading before its other half has ended
    )
    return Finished(code=done.code)


def _options(options: list[str]) -> tuple[str, dict[str, str]]:
    """The user and the variables that -o names. Raises UsageError for what cannot be had here."""
    user, environment = "", dict[str, str]()
    for option in options:
        name, _, value = option.strip().replace("=", " ", 1).partition(" ")
        value = value.strip().strip('"')
        match name.lower():
            case "user":
                user = value
            case "setenv":
                variable, _, text = value.partition("=")
                environment[variable] = text.strip('"')
            case "sendenv":
                patterns = value.split()
                environment |= {
                    variable: text
                    for variable, text in os.environ.items()
                    if any(fnmatchcase(variable, pattern) for pattern in patterns)
                }
            case known if known not in _HARMLESS and value.lower() not in _OFF:
                raise UsageError(
                    f"-o {option}: not without ssh itself",
                    hint="`qga ssh config` has ssh itself reach the guest",
                )
    return user, environment

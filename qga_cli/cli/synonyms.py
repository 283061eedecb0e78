"""Words and options that fingers bring along from other tools, and what to type here.

Read where something was not understood, so it costs nothing else.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

# What to type for commands of virsh, qm, govc, docker, kubectl, incus, coreutils. VM is the guest
# that was named.
_MEANT = {
    "qga power shutdown --mode reboot VM": "reboot, restart, power reboot, power reset",
    "qga power shutdown VM": "power off, power stop, shutdown, poweroff, stop",
    "qga power shutdown --mode halt VM": "halt",
    "virsh start VM && qga wait VM": "start, power on",
    "virsh reset VM": "reset",
    "qga power suspend-ram VM": "suspend",
    "qga power suspend-disk VM": "hibernate",
    "qga user set-password VM root": "passwd, password, set-user-password",
    "qga fs list VM": "df, mounts, domfsinfo",
    "qga disk list VM": "lsblk",
    "qga exec VM -- mount DEVICE FOLDER": "mount",
    "qga fs trim VM": "fstrim, domfstrim",
    "qga fs freeze VM": "domfsfreeze",
    "qga fs thaw VM": "domfsthaw",
    "qga net interfaces VM": "ip, ifconfig, domifaddr",
    "qga net routes VM": "route",
    "qga exec VM -- ps aux": "ps",
    "qga exec VM -- kill PID": "kill",
    "qga exec VM -- free -h": "free",
    "qga exec VM -- systemctl status": "systemctl",
    "qga tail -f VM:/var/log/syslog": "logs, log",
    "qga exec VM -- journalctl -n 50": "journalctl",
    "qga exec VM -- PROGRAM": "run, execute",
    "qga shell VM": "console, attach, login, enter, bash, sh, ssh",
    "qga cp FILE VM:/PATH": "upload, put, copy, scp",
    "rsync -a -e 'qga exec' FOLDER/ VM:/PATH/": "rsync",
    "qga cp VM:/PATH FILE": "download",
    "qga list": "get",
    "qga edit VM:/PATH": "vi, vim, nano",
    "qga user list VM": "who, w, users",
    "qga time get VM": "date",
    "qga exec VM -- uptime": "uptime",
    "qga os info VM": "uname, osinfo, guestinfo, inspect, describe",
    "qga os hostname VM": "hostname",
    "qga list VM": "status",
    "qga doctor VM": "health, check",
    "qga fs with-frozen VM -- SNAPSHOT-COMMAND": "snapshot",
    "qga --version": "version",
    'qga raw VM \'{"execute":"guest-info"}\'': "qemu-agent-command",
    "qga info VM": "agent",
}
_COMMANDS = {name: line for line, names in _MEANT.items() for name in names.split(", ")}

# Options, by the command ("" for all others) and what was typed.
_ALL_STATES = "all of them are listed; --state running lists fewer"
_OPTIONS = {
    ("", "--wide"): "--columns shows more, `--help` names them",
    ("", "-w"): "--watch 2s asks again and again",
    ("", "--cwd"): "--workdir DIR",
    ("", "--reboot"): "--mode reboot",
    ("", "--json"): "-o json",
    ("", "--yaml"): "-o yaml",
    ("", "--yes"): "nothing is asked here",
    ("", "-n"): "-n belongs to other commands: see `--help`",
    ("", "--namespace"): "there are none: HOST/VM is a guest of another host",
    ("", "--uri"): "-c URI",
    ("", "--filter"): "--label KEY=GLOB and --state choose guests",
    ("list", "--all"): _ALL_STATES,
    ("list", "-a"): _ALL_STATES,
    ("list", "-A"): "'*/*' are the guests of all hosts",
    ("list", "-q"): "--columns vm --no-header",
    ("list", "--quiet"): "--columns vm --no-header",
    ("list", "--name"): "--columns vm --no-header",
    ("list", "--running"): "--state running",
    ("cp", "-a"): "-rp is what `cp -a` does here",
    ("cp", "--archive"): "-rp is what `cp -a` does here",
    ("cp", "-f"): "a file that is there is replaced anyway",
    ("cp", "--force"): "a file that is there is replaced anyway",
    ("cp", "-v"): "-v stands for the steps; -q leaves the bar out",
    ("ls", "-t"): "--sort -modified",
    ("ls", "-S"): "--sort -size",
    ("ls", "-r"): "--sort COLUMN, --sort -COLUMN for descending",
    ("ls", "-1"): "one name on a line is what it prints without -l",
    ("ls", "-R"): "qga exec VM -- find FOLDER",
    ("exec", "-T"): "there is no terminal unless -t asks for one",
    ("exec", "--rm"): "nothing is left of it anyway",
    ("exec", "--interactive"): "-i",
    ("exec", "--wait"): "it waits anyway; -d does not",
    ("power shutdown", "--reboot"): "--mode reboot",
    ("power shutdown", "-r"): "--mode reboot",
    ("power shutdown", "--halt"): "--mode halt",
    ("power shutdown", "--poweroff"): "that is the default",
    ("tail", "-F"): "-f goes on after a rotation too",
    ("rm", "--recursive"): "-r",
}  # fmt: skip


def command(name: str, rest: Sequence[str]) -> str:
    """The line to type instead of `qga NAME REST`; "" where nobody knows."""
    line = _COMMANDS.get(name, "")
    if line.startswith("qga cp ") and any(":" in word for word in rest):
        return shlex.join(["qga", "cp", *rest])
    guest = next((word for word in rest if not word.startswith("-") and "/" not in word), "")
    if guest:
        line = line.replace("VM", guest.partition(":")[0])
    if line.endswith(" PROGRAM") and len(rest) > 1 and not rest[0].startswith("-"):
        program = rest[1:] if rest[1] != "--" else rest[2:]
        line = line.replace("PROGRAM", shlex.join(program) or "PROGRAM")
    return line


def option(command: str, typed: str) -> str:
    """What to use for an option that `command` has not; "" where nobody knows."""
    return _OPTIONS.get((command, typed)) or _OPTIONS.get(("", typed), "")

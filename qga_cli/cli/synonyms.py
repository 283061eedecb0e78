"""Words and options that fingers bring along from other tools, and what to type here.

Read where something was not understood, so it costs nothing else.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

# Commands of virsh, qm, govc, docker, kubectl, incus, coreutils. VM is the guest that was named.
_REBOOT = "qga power shutdown --mode reboot VM"
_OFF = "qga power shutdown VM"
_COMMANDS = {
    "reboot": _REBOOT,
    "restart": _REBOOT,
    "power reboot": _REBOOT,
    "power reset": _REBOOT,
    "power off": _OFF,
    "power stop": _OFF,
    "shutdown": _OFF,
    "poweroff": _OFF,
    "halt": "qga power shutdown --mode halt VM",
    "stop": _OFF,
    "start": "virsh start VM && qga wait VM",
    "power on": "virsh start VM && qga wait VM",
    "reset": "virsh reset VM",
    "suspend": "qga power suspend-ram VM",
    "hibernate": "qga power suspend-disk VM",
    "passwd": "qga user set-password VM root",
    "password": "qga user set-password VM root",
    "set-user-password": "qga user set-password VM root",
    "df": "qga fs list VM",
    "lsblk": "qga disk list VM",
    "mount": "qga exec VM -- mount DEVICE FOLDER",
    "mounts": "qga fs list VM",
    "fstrim": "qga fs trim VM",
    "domfsinfo": "qga fs list VM",
    "domfsfreeze": "qga fs freeze VM",
    "domfsthaw": "qga fs thaw VM",
    "domfstrim": "qga fs trim VM",
    "ip": "qga net interfaces VM",
    "ifconfig": "qga net interfaces VM",
    "domifaddr": "qga net interfaces VM",
    "route": "qga net routes VM",
    "ps": "qga exec VM -- ps aux",
    "kill": "qga exec VM -- kill PID",
    "free": "qga exec VM -- free -h",
    "systemctl": "qga exec VM -- systemctl status",
    "logs": "qga tail -f VM:/var/log/syslog",
    "log": "qga tail -f VM:/var/log/syslog",
    "journalctl": "qga exec VM -- journalctl -n 50",
    "run": "qga exec VM -- PROGRAM",
    "execute": "qga exec VM -- PROGRAM",
    "console": "qga shell VM",
    "attach": "qga shell VM",
    "login": "qga shell VM",
    "enter": "qga shell VM",
    "bash": "qga shell VM",
    "sh": "qga shell VM",
    "ssh": "qga shell VM",
    "upload": "qga cp FILE VM:/PATH",
    "put": "qga cp FILE VM:/PATH",
    "copy": "qga cp FILE VM:/PATH",
    "scp": "qga cp FILE VM:/PATH",
    "rsync": "rsync -a -e 'qga exec' FOLDER/ VM:/PATH/",
    "download": "qga cp VM:/PATH FILE",
    "get": "qga list",
    "vi": "qga edit VM:/PATH",
    "vim": "qga edit VM:/PATH",
    "nano": "qga edit VM:/PATH",
    "who": "qga user list VM",
    "w": "qga user list VM",
    "users": "qga user list VM",
    "date": "qga time get VM",
    "uptime": "qga exec VM -- uptime",
    "uname": "qga os info VM",
    "hostname": "qga os hostname VM",
    "osinfo": "qga os info VM",
    "guestinfo": "qga os info VM",
    "inspect": "qga os info VM",
    "describe": "qga os info VM",
    "status": "qga list VM",
    "health": "qga doctor VM",
    "check": "qga doctor VM",
    "snapshot": "qga fs with-frozen VM -- SNAPSHOT-COMMAND",
    "version": "qga --version",
    "qemu-agent-command": 'qga raw VM \'{"execute":"guest-info"}\'',
    "agent": "qga info VM",
}

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
    if line.endswith(" PROGRAM") and len(rest) > 1 and not rest[0].startswith("-"):
        program = rest[1:] if rest[1] != "--" else rest[2:]
        line = line.replace("PROGRAM", shlex.join(program) or "PROGRAM")
    guest = next((word for word in rest if not word.startswith("-") and "/" not in word), "")
    return line.replace("VM", guest.partition(":")[0]) if guest else line


def option(command: str, typed: str) -> str:
    """What to use for an option that `command` has not; "" where nobody knows."""
    return _OPTIONS.get((command, typed)) or _OPTIONS.get(("", typed), "")

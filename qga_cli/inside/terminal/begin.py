"""The guest's end of a terminal: two pseudo-terminals, a program on one of them.

The other is the carrier. Its master is here, the agent opens its slave, raw with VMIN = VTIME =
0. There a read that finds nothing returns no bytes, where a FIFO would fail with EAGAIN and lose
what was read before (n_tty_read, drivers/tty/n_tty.c): the agent can poll it. The kernel bounds
it to some kilobytes, so a program that floods has to wait; nothing is written to a disk; and
when this process ends, the kernel hangs up both.

Where the host has plugged ports for it, those are the carrier, and nobody polls.
"""

import fcntl
import os
import pwd
import signal
import struct
import time

from qga_cli.inside.terminal.frames import NO_PORTS, ON_PORTS
from qga_cli.inside.terminal.relay import Relay, resize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# As on x86, ARM, s390x and RISC-V. On POWER they fail, and the host takes another way.
_TCGETS, _TCSETS = 0x5401, 0x5402
_PORTS = "/sys/class/virtio-ports"
_SHOWN = 1.0  # seconds for a guest to see a port that has just been plugged
_TERMIOS = struct.Struct("4IB19s")  # input, output, control and local modes; the keys


def begin(request: "dict[str, Any]") -> None:
    """Start the program, print the carrier's name or ON_PORTS, and stay on in the background.

    `request` has the members of TerminalRequest in carrier.py, and as `mover` the words and the
    input of a shell that takes us out of the agent's control group (inside/exec/scope.sh). When the
    program cannot be started, the error's number is printed instead, or NO_PORTS: they may have
    gone with a host's qga that was killed, and nobody would poll.
    """
    ports = open_ports(request["ports"][:2])
    if request["ports"] and not ports:
        os.write(1, NO_PORTS.encode())
        return
    slave = -1
    if ports:
        outlet, inlet = ports
    else:
        inlet, slave = open_carrier()
        outlet = inlet
    if os.fork():
        os._exit(0)
    os.setsid()
    rename()
    told, tell = os.pipe()
    child, terminal = os.forkpty()
    if not child:
        become(request, tell)
    os.close(tell)
    trouble = os.read(told, 100)
    os.write(1, trouble or (ON_PORTS if ports else os.ttyname(slave)).encode())
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)  # the agent waits until nobody holds its pipes
    if not trouble:
        shell, source = request["mover"]
        move(shell, source, [os.getpid(), child])
        nonce, mark = request["ports"][2:] if ports else ("", "")
        Relay(child, terminal, (inlet, outlet), slave, nonce).run()
        if ports:
            end_of_port(outlet, mark)


def move(shell: "list[str]", text: bytes, pids: "list[int]") -> None:
    """Have a shell do that, whose words and input are given; it is no child of ours to wait for."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    try:
        if not os.fork():
            source, given = os.pipe()
            os.write(given, text)  # less than a pipe takes at once
            os.close(given)
            os.dup2(source, 0)
            os.execvp(shell[0], [*shell, *map(str, pids)])
    finally:
        os._exit(0)


def rename() -> None:
    """Have no program that ends others by name (`pkill python3`) end us with them."""
    try:
        with open("/proc/self/comm", "w") as file:
            file.write("qga")
    except OSError:  # no /proc
        return


def open_ports(names: "list[str]") -> "list[int]":
    """The ports of these names, opened; none if one of them is not there, or cannot be opened."""
    opened = []
    until = time.monotonic() + _SHOWN
    try:
        for name in names:
            entry = find_port(name, until)
            if not entry:  # where the host's qga was killed, all have gone: one wait is enough
                break
            opened.append(os.open(f"/dev/{entry}", os.O_RDWR))
    except OSError:
        opened = []
    return opened if len(opened) == len(names) else []


def find_port(name: str, until: float) -> str:
    """The device of this port, "" if there is none. As open_port in inside/channel/port.sh does, it
    waits for it, until this monotonic time, unless no port is shown at all."""
    while True:
        entries = os.listdir(_PORTS)
        for entry in entries:
            try:
                with open(f"{_PORTS}/{entry}/name") as file:
                    if file.read().strip() == name:
                        return entry
            except OSError:  # another one, which has just been unplugged
                continue
        if not entries or time.monotonic() > until:
            return ""
        time.sleep(0.1)


def end_of_port(number: int, mark: str) -> None:
    """Tell the host that nothing more comes, so that it may use the port again."""
    try:
        os.write(number, f"{mark} \n".encode())
    except OSError:  # nobody listens any more
        return


def open_carrier() -> "tuple[int, int]":
    """A pseudo-terminal that passes every byte on, and reads nothing where nothing is."""
    master, slave = os.openpty()
    modes = list(_TERMIOS.unpack(fcntl.ioctl(slave, _TCGETS, bytes(_TERMIOS.size))))
    modes[0] = modes[1] = modes[3] = 0
    modes[5] = bytes(19)  # VMIN and VTIME among them
    fcntl.ioctl(slave, _TCSETS, _TERMIOS.pack(*modes))
    os.fchmod(slave, 0o600)
    return master, slave


def become(request: "dict[str, Any]", tell: int) -> None:
    """Turn into the program; the kernel closes `tell` when that went well."""
    try:
        for signum in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)  # Python, or nohup, ignores them
        os.umask(0o022)
        resize(0, *request["size"])
        give(request["owner"])
        environment = {} if request["clean"] else dict(os.environb)
        environment.update(request["environment"])
        os.execvpe(request["program"][0], request["program"], environment)
    except OSError as error:
        os.write(tell, str(error.errno).encode())
    finally:
        os._exit(127)


def give(owner: str) -> None:
    """Make the terminal `owner`'s, as login(1) does: screen(1) opens its terminal by name."""
    try:
        number = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
        os.fchown(0, number, -1)
    except KeyError:
        return  # no user's name: the program will say so

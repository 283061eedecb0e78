# Apache License 2.0 (see LICENSE of qga)
"""Tasks in virtual machines, through the QEMU guest agent."""

from __future__ import annotations

DOCUMENTATION = """
name: agent
short_description: run tasks in virtual machines through the QEMU guest agent
description:
  - Reaches a guest from its hypervisor, without network, ssh or passwords in it.
  - Uses the library of qga, in process. What the policy of the host that runs Ansible denies is
    denied here too, and its audit file has every call.
author: the authors of qga (!UNKNOWN)
version_added: 0.1.0
requirements:
  - qga-cli
options:
  remote_addr:
    description: The guest's name, UUID or id.
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  remote_user:
    description:
      - The user in the guest. The agent is root, and becomes this user without a password.
      - Without it root.
    vars:
      - name: ansible_user
    keyword:
      - name: remote_user
  uri:
    description:
      - The hypervisor, a libvirt URI, C(unix:PATH), C(vsock:CID:PORT), or the name of a host in
        qga's configuration.
      - Without it what C(connect) of the configuration says, else libvirt's own choice.
    env:
      - name: QGA_CONNECT
    vars:
      - name: ansible_qga_uri
  qga_channel:
    description:
      - Whether output and files travel through ports that are plugged into the guest.
      - Without it C(auto), but for what is small.
    choices: [auto, never, always]
    env:
      - name: QGA_CHANNEL
    vars:
      - name: ansible_qga_channel
  timeout:
    description: Seconds that the agent may take to answer, before the guest counts as unreachable.
    type: int
    default: 10
    ini:
      - section: defaults
        key: timeout
    env:
      - name: ANSIBLE_TIMEOUT
    vars:
      - name: ansible_timeout
  command_timeout:
    description: Seconds that one command or copy may take; then it is ended. 0 is no limit.
    type: int
    default: 0
    vars:
      - name: ansible_qga_command_timeout
  persist:
    description:
      - Seconds that the guest stays open after a task, for the next one, also of another play. A
        process of this host holds it, and a Python in the guest that forks for each task.
      - 0 opens the guest for each task anew. So it is without ports, over ssh, for an ordinary
        user, and where this host has a policy or an audit file.
    type: int
    default: 60
    ini:
      - section: qga
        key: persist
    vars:
      - name: ansible_qga_persist
  pipelining:
    description: Modules travel on standard input, and leave no file in the guest.
    type: bool
    default: true
    vars:
      - name: ansible_pipelining
      - name: ansible_qga_pipelining
"""

import ctypes
import multiprocessing
import os
import queue
import select
import signal
import threading
import time

import ansible.constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

from ansible_collections.qga.guest.plugins.plugin_utils.release import lack

LACK = lack()
if not LACK:
    from ansible_collections.qga.guest.plugins.plugin_utils.hosts import uri_of
    from ansible_collections.qga.guest.plugins.plugin_utils.lasting import (
        Lasting,
        plain,
        read_small,
    )
    from qga_cli import config
    from qga_cli.errors import FileError, NotDelivered, QgaError
    from qga_cli.format import printable
    from qga_cli.interrupt import Interrupt

display = Display()

_PAYS = 2**20  # bytes from which ports are worth their opening
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 8.0  # seconds for a program to end, once the task is over


class Connection(ConnectionBase):
    """One guest."""

    transport = "qga.guest.agent"
    has_pipelining = True
    has_tty = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._host = self._guest = None
        if getattr(self._shell, "_IS_WINDOWS", False):
            self.has_native_async = True
            self.always_pipeline_modules = True
            self.module_implementation_preferences = (".ps1", ".exe", "")
            self.allow_executable = False

    def _connect(self):
        """Nothing yet: most tasks find the guest open."""
        if LACK:
            raise AnsibleError(LACK)
        _end_with_ansible()
        self._connected = True
        return self

    @property
    def _name(self):
        return self.get_option("remote_addr")

    def _open(self):
        """Open the hypervisor, and hear whether the agent answers."""
        if self._guest:
            return
        name = self._name
        display.vvv("QGA CONNECT", host=name)
        from qga_cli import connect  # here, for most tasks do without: each is a new process

        def work(_interrupt):
            self._host = connect(uri_of(self.get_option("uri")))
            self._guest = self._host.guest(name)
            self._guest.ping(self.get_option("timeout"))

        try:
            self._do(work)
        except BaseException:
            self.close()
            raise

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """Run a line of shell; its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        # Not its text: what `environment` says stands in it.
        display.vvvv(
            f"QGA EXEC {len(cmd)} characters, {len(in_data or b'')} bytes of input",
            host=self._name,
        )
        # The agent is root, which su does not ask: without a password there is nothing to wait for.
        asks = sudoable and self.become and self.become.expect_prompt() and self._password()
        given = _Input(to_bytes(in_data or b""), self.become if asks else None)
        out, err = bytearray(), bytearray()
        if not asks and (lasting := self._lasting()):
            code = self._told_of(
                lambda: lasting.run(
                    to_text(cmd, errors="surrogate_or_strict"), to_bytes(in_data or b""),
                    out.extend, err.extend, self.get_option("command_timeout") or None,
                )
            )  # fmt: skip
            if code is not None:
                return code, bytes(out), bytes(err)
            if lasting.why:
                why = printable(lasting.why)
                display.vvv(f"QGA opens it for this task alone: {why}", host=self._name)
        self._open()

        def stdout(data):
            out.extend(data)
            given.heed(out)

        def stderr(data):
            err.extend(data)
            given.heed(err)

        def work(interrupt):
            try:
                return self._guest.run(
                    self._argv(cmd),
                    stdin=given if asks or in_data else None,
                    stdout=stdout,
                    stderr=stderr,
                    user=self._user(),
                    timeout=self.get_option("command_timeout") or None,
                    interrupt=interrupt,
                    channel=self.get_option("qga_channel") or "",
                )
            finally:
                given.end()

        done = self._do(work)
        if given.refused:
            raise AnsibleError("Incorrect become password")
        if self._windows:
            err = bytearray(_plain(bytes(err)))
        return done.code, bytes(out), bytes(err)

    def put_file(self, in_path, out_path):
        """Copy a file into the guest: proved there, then renamed."""
        super().put_file(in_path, out_path)
        display.vvv(f"QGA PUT {in_path} TO {out_path}", host=self._name)
        if not os.path.exists(to_bytes(in_path)):
            raise AnsibleFileNotFound(f"no such file: {in_path}")
        if self._put_at_once(in_path, out_path):
            return
        self._open()
        self._do(
            lambda interrupt: self._guest.put(
                to_text(in_path, errors="surrogate_or_strict"), out_path, owner=self._user(),
                **self._copying(interrupt, os.path.getsize(to_bytes(in_path))),
            )
        )  # fmt: skip

    def _put_at_once(self, in_path, out_path):
        """Put a small file where the guest is open already; whether it is there."""
        lasting = self._lasting()
        found = read_small(to_bytes(in_path), _PAYS) if lasting else None
        if not found:
            return False
        path = to_text(out_path, errors="surrogate_or_strict")
        timeout = self.get_option("command_timeout") or None
        return self._told_of(lambda: lasting.put(*found, path, timeout))

    def fetch_file(self, in_path, out_path):
        """Copy a file from the guest: proved here, then renamed."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"QGA FETCH {in_path} TO {out_path}", host=self._name)
        self._open()
        self._do(
            lambda interrupt: self._guest.fetch(
                in_path, to_text(out_path, errors="surrogate_or_strict"),
                **self._copying(interrupt),
            )
        )  # fmt: skip

    def reset(self):
        """Connect anew, as after a restart of the guest."""
        self.close()
        if lasting := self._lasting():
            lasting.end()
        self._connect()
        self._open()

    def close(self):
        """Let go of the guest and of the hypervisor."""
        host, self._host, self._guest = self._host, None, None
        self._connected = False
        if host:
            host.close()

    def _lasting(self):
        """The way over a process that keeps the guest open, where that may be."""
        persist = self.get_option("persist")
        if (
            not persist
            or self._windows
            or self._user()
            or self.get_option("qga_channel") == "never"
            or config.load([config.SYSTEM]).guards
        ):
            return None
        uri = uri_of(self.get_option("uri"))
        if uri and ("ssh" in uri.partition(":")[0] or uri.startswith(("unix:", "vsock:"))):
            return None
        folder = os.path.join(os.path.expanduser(C.config.get_config_value("ANSIBLE_HOME")), "cp")
        return Lasting(folder, uri, self._name, persist, self.get_option("timeout"))

    @staticmethod
    def _told_of(work):
        try:
            return work()
        except QgaError as error:
            raise _told(error) from None

    def _copying(self, interrupt, size=_PAYS):
        return {
            "channel": self.get_option("qga_channel") or ("auto" if size >= _PAYS else ""),
            "timeout": self.get_option("command_timeout") or None,
            "interrupt": interrupt,
        }

    @property
    def _windows(self):
        return getattr(self._shell, "_IS_WINDOWS", False)

    def _password(self):
        return self.become.get_option("become_pass", playcontext=None)

    def _user(self):
        user = self.get_option("remote_user")
        return "" if user in (None, "", "root") or self._windows else user

    def _argv(self, cmd):
        """The words of the program that runs this line."""
        text = to_text(cmd, errors="surrogate_or_strict")
        if not self._windows:
            # That of a login: the agent has another one on RHEL and Fedora, or where it has -d.
            return ["/bin/sh", "-c", f"umask 022\n{plain(text)}"]
        words = text.split()
        if (
            "-EncodedCommand" in words
        ):  # PowerShell's own line already; encoded twice it is too long
            return words
        return self._shell._encode_script(text, as_list=True, strict_mode=False, preserve_rc=False)

    def _do(self, work):
        """What `work` returns, done in a thread: a call of libvirt's hears no signal.

        A task that is interrupted or out of time ends its program in the guest first.
        """
        interrupt, done, heard = Interrupt(), [], []
        rings, bell = os.pipe()
        os.set_blocking(bell, False)

        def run():
            try:
                done.append((work(interrupt), None))
            except BaseException as error:  # raised in the other thread
                done.append((None, error))
            os.write(bell, b"\0")

        def end(signum, _frame):
            heard.append(signum)

        # Ansible's own handlers end this process on the spot, and leave the program running.
        before = {signum: signal.signal(signum, end) for signum in (signal.SIGINT, signal.SIGTERM)}
        # The kernel may give a signal to the other thread, where libvirt changes its mask for each
        # call; only this wakes us then.
        wakes = signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        try:
            worker = threading.Thread(target=run, daemon=True)
            worker.start()
            _wait(rings, lambda: done or heard)
        finally:  # also when Ansible's handler of SIGALRM has raised: the task is out of time
            if not done:
                interrupt.set(signal.SIGTERM)
                _wait(rings, lambda: done, _GRACE)
            signal.set_wakeup_fd(wakes)
            for signum, handler in before.items():
                signal.signal(signum, handler)
            if done:
                worker.join()  # it may ring yet: not at what has got the number next
                os.close(rings)
                os.close(bell)
            else:  # the guest ends it by itself within a minute
                interrupt.set(signal.SIGTERM)
        if heard:
            os.kill(os.getpid(), heard[0])
            raise AnsibleError("ended by a signal")
        value, error = done[0]
        if isinstance(error, QgaError):
            raise _told(error) from None  # it says all there is to say
        if error:
            raise error
        return value


def _end_with_ansible():
    """Have the kernel end this worker when Ansible's main process is killed.

    Otherwise it goes on with its task, and may then wait for ever: it writes its result to a pipe
    that nobody but itself can read any more.
    """
    main = multiprocessing.parent_process()
    if main is None:  # this is the main process itself, as for reset_connection
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != main.pid:  # it died just before
        os.kill(os.getpid(), signal.SIGTERM)


def _wait(rings, true, seconds=None):
    """Until something is true, which is looked at whenever the pipe `rings`; or `seconds`."""
    until = None if seconds is None else time.monotonic() + seconds
    heard = select.poll()
    heard.register(rings, select.POLLIN)
    while not true():
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            return
        if heard.poll(left and left * 1000):
            os.read(rings, 4096)


class _Input:
    """Standard input: the password when `become` asks for it, the data when it has it.

    Anything with `read` may be the library's input; it is read in a thread of its own.
    """

    def __init__(self, data, become):
        self.refused = False
        self._become = become
        self._data = data
        self._asked = 0  # length of the stream with the prompt, at the prompt
        self._pieces = queue.SimpleQueue()
        if not become:
            self._give()

    def read(self, _count):
        """The next piece; empty at the end."""
        return self._pieces.get()

    def heed(self, said):
        """Look at what a stream has brought so far."""
        if not self._become:
            return
        text = bytes(said)
        if self._become.check_success(text):
            self._give()
        elif self._become.check_password_prompt(text[self._asked :]):
            if self._asked:  # not the data: it would be taken for a password
                self.refused = True
                self.end()
                return
            self._asked = len(text)
            secret = self._become.get_option("become_pass", playcontext=None) or ""
            self._pieces.put(to_bytes(secret) + b"\n")

    def end(self):
        """Nothing comes any more."""
        self._become = None
        self._pieces.put(b"")

    def _give(self):
        if self._data:
            self._pieces.put(self._data)
        self.end()


def _told(error):
    """A task that was not delivered may go elsewhere or again; what was refused has failed."""
    # Ansible prints it as it is, and a part of it may be the guest's word.
    text = printable(". ".join(filter(None, (error.said(), error.details, error.advice))))
    if isinstance(error, NotDelivered):
        return AnsibleConnectionFailure(text)
    if isinstance(error, FileError) and "No such file" in error.message:
        return AnsibleFileNotFound(text)
    return AnsibleError(text)


def _plain(errors):
    """PowerShell's errors as text: it writes XML to a stream that is no terminal."""
    from ansible.plugins.shell import powershell

    if hasattr(powershell, "_replace_stderr_clixml"):  # 2.19 and later
        return powershell._replace_stderr_clixml(errors)
    return powershell._parse_clixml(errors) if errors.startswith(b"#< CLIXML") else errors

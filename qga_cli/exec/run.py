"""Programs in the guest: start, feed, stream, end, and tell truthfully how they ended."""

from __future__ import annotations

import contextlib
import time

from qga_cli.agent import Agent
from qga_cli.agent.program import Completed
from qga_cli.errors import NoChannel, QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qga_cli.exec.stdin import InputSource
    from qga_cli.exec.supervisor import AnyProgram, Supervisor
    from qga_cli.exec.ways import Ways
    from qga_cli.interrupt import Interrupt

_HEED = 0.3  # seconds that a program may take before its reader is looked at
_PARTING = 2.0  # seconds to end for a program whose reader has gone, perhaps with all it wanted


def run(
    agent: Agent,
    argv: Sequence[str],
    *,
    stdin: InputSource | None,
    stdout: Callable[[bytes], object],
    stderr: Callable[[bytes], object],
    interrupt: Interrupt,
    timeout: float | None = None,
    kill_after: float = 5.0,
    env: Mapping[str, str] | None = None,
    clean_env: bool = False,
    workdir: str = "",
    user: str = "",
    text: bool = False,
    heed: Callable[[], object] = bool,
    channel: str = "never",
    large: bool = False,
) -> Completed:
    """Run a program in the guest, its streams of any size passing through as they come.

    `stdin` is read to its end in a thread of its own, None for no input; `stdout` and `stderr`
    get pieces of bytes as they arrive, in order within each stream, from the calling thread. An
    exception they raise (BrokenPipeError) passes on, and the program's next write fails; so does
    one of `heed`, which is called now and then, also while there is no output; its
    BrokenPipeError counts if the program goes on for two seconds. `env`
    is merged with the guest's environment, or replaces it with `clean_env`; `user` is
    USER[:GROUP]. With `text` the output of a Windows guest is turned into UTF-8.

    The first signal of `interrupt` is forwarded to the program's process tree, a second one
    raises Interrupted, telling the pid that runs on. Past `timeout` seconds the tree is ended:
    TERM, after `kill_after` seconds KILL; then TimedOut is raised. With `channel` always
    the streams travel through ports of ours, or NoChannel is raised; with auto they do where it
    is possible and pays: for input that is streamed, and what the caller knows to be `large`.
    Raises NoProgram (127), NotExecutable (126) when the program cannot be started, OutcomeUnknown
    when the agent is lost after that, and whatever Agent.call raises before.
    """
    from qga_cli.exec import wrapper
    from qga_cli.exec.calls import AgentCalls, LeftRunning
    from qga_cli.exec.context import Context
    from qga_cli.exec.exit_status import unstarted
    from qga_cli.exec.sinks import Complaint
    from qga_cli.exec.supervisor import Supervisor
    from qga_cli.exec.unsettled import unsettled
    from qga_cli.exec.ways import Ways

    context = Context(env=env, clean_env=clean_env, workdir=workdir, user=user)
    ways = Ways(AgentCalls(agent, interrupt), argv, stdin, channel, large=large, text=text)
    errors = Complaint(stderr, ways.mark)

    def begin() -> Supervisor:
        supervisor = Supervisor(ways.program, interrupt, timeout, kill_after)
        ways.program.start(context, (stdout, errors.take))
        return supervisor

    try:
        with interrupt.shield(), interrupt.leaves(ways.left):
            supervisor = _to_the_end(ways, begin, interrupt, heed)
            exitcode, signal = ways.program.result()
            if errors.said and exitcode in (wrapper.NOT_FOUND, wrapper.NOT_EXECUTABLE):
                raise unstarted(argv[0], exitcode, errors.said)
            errors.release()
            supervisor.close()
    except QgaError as error:
        pid = ways.program.pid
        if not pid:
            raise
        if isinstance(error, LeftRunning):
            raise error.add(
                after=f": still running in the guest as {pid}",
                hint=f"`qga exec-status VM {pid}` tells how it has ended",
            ) from error.__cause__
        about = f"{argv[0]} was started (pid {pid} in the guest): it may run still"
        told = unsettled(error, about)
        if told is error:  # which is not its own cause
            raise
        raise told from error
    finally:
        ways.close()
    return Completed({"exitcode": exitcode, "signal": signal})


def _to_the_end(
    ways: Ways,
    begin: Callable[[], Supervisor],
    interrupt: Interrupt,
    heed: Callable[[], object],
) -> Supervisor:
    """Run it by the first way that there is."""
    from qga_cli.exec.exit_status import NoShell

    while True:
        try:
            supervisor = begin()
            follow(ways.program, supervisor, interrupt, heed)
        except (NoChannel, NoShell) as error:
            ways.turn(error)
        else:
            return supervisor


def follow(
    program: AnyProgram,
    supervisor: Supervisor,
    interrupt: Interrupt,
    heed: Callable[[], object],
) -> None:
    """Carry a started program to its end."""
    heeded, patient = time.monotonic() + _HEED, True
    try:
        while not program.ended:
            interrupt.sleep(program.step(), supervisor.seen)
            supervisor.check()
            if time.monotonic() > heeded:
                try:
                    heed()
                except BrokenPipeError:
                    if not patient:
                        raise
                    # `tar t` goes at the archive's last byte, and the end of the guest's tar is
                    # still on its way. What writes more fails at once.
                    patient, heeded = False, time.monotonic() + _PARTING
    except BaseException:
        with contextlib.suppress(QgaError):  # the guest ends it by itself within a minute
            supervisor.leave()
        raise

"""Programs in the guest: start, feed, stream, end, and tell truthfully how they ended."""

import contextlib
import time

from qga_cli.agent import Agent
from qga_cli.agent.program import Completed
from qga_cli.errors import NoChannel, QgaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qga_cli.exec.calls import AgentCalls
    from qga_cli.exec.exit_status import NoShell
    from qga_cli.exec.on_ports import ProgramOnPorts
    from qga_cli.exec.stdin import InputFeed, InputSource
    from qga_cli.exec.supervisor import AnyProgram, Supervisor
    from qga_cli.exec.without_shell import ProgramWithoutShell
    from qga_cli.interrupt import Interrupt
    from qga_cli.windows.exec import WindowsProgram

_HEED = 0.3  # seconds that a program may take before its reader is looked at


def run(
    agent: Agent,
    argv: "Sequence[str]",
    *,
    stdin: "InputSource | None",
    stdout: "Callable[[bytes], object]",
    stderr: "Callable[[bytes], object]",
    interrupt: "Interrupt",
    timeout: float | None = None,
    kill_after: float = 5.0,
    env: "Mapping[str, str] | None" = None,
    clean_env: bool = False,
    workdir: str = "",
    user: str = "",
    text: bool = False,
    heed: "Callable[[], object]" = bool,
    channel: str = "never",
    large: bool = False,
) -> Completed:
    """Run a program in the guest, its streams of any size passing through as they come.

    `stdin` is read to its end in a thread of its own, None for no input; `stdout` and `stderr`
    get pieces of bytes as they arrive, in order within each stream, from the calling thread. An
    exception they raise (BrokenPipeError) passes on, and the program's next write fails; so does
    one of `heed`, which is called now and then, also while there is no output. `env`
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
    from qga_cli.exec.calls import AgentCalls, unsettled
    from qga_cli.exec.context import Context
    from qga_cli.exec.exit_status import NoShell, unstarted
    from qga_cli.exec.sinks import Complaint
    from qga_cli.exec.stdin import InputFeed
    from qga_cli.exec.streamed import StreamedProgram
    from qga_cli.exec.supervisor import Supervisor

    context = Context(env=env, clean_env=clean_env, workdir=workdir, user=user)
    calls = AgentCalls(agent, interrupt)
    feed = InputFeed(stdin) if stdin else None
    wrapped = StreamedProgram(calls, argv, feed)
    errors = Complaint(stderr, wrapped.mark)
    ported = None
    if channel != "never":
        ported = _ported(calls, argv, feed, wrapped.mark, channel, large=large)
    program: AnyProgram = ported or wrapped
    supervisor = Supervisor(program, interrupt, timeout, kill_after)

    def left() -> str:
        if ported:
            ported.disown()  # who wants to leave at once leaves it running
        pid = f", pid {program.pid}" if program.pid else "; its pid is not known"
        return f"{argv[0]} may still run in {agent.name}{pid}"

    try:
        with interrupt.shield(), interrupt.leaves(left):
            try:
                try:
                    program.start(context, stdout, errors.take)
                    follow(program, supervisor, interrupt, heed)
                except NoChannel as error:
                    if program is wrapped or program.pid or channel == "always":
                        raise
                    remember(agent, error)
                    program = wrapped
                    supervisor = Supervisor(program, interrupt, timeout, kill_after)
                    program.start(context, stdout, errors.take)
                    follow(program, supervisor, interrupt, heed)
            except NoShell as error:
                agent.trace(1, f"output at the end only: {error.said()}")
                program = _without_streams(calls, argv, feed, error, text=text)
                supervisor = Supervisor(program, interrupt, timeout, kill_after)
                program.start(context, stdout, stderr)
                follow(program, supervisor, interrupt, heed)
            exitcode, signal = program.result()
            if errors.said and exitcode in (wrapper.NOT_FOUND, wrapper.NOT_EXECUTABLE):
                raise unstarted(argv[0], exitcode, errors.said)
            errors.release()
            supervisor.close()
    except QgaError as error:
        if not program.pid:
            raise
        about = f"{argv[0]} was started (pid {program.pid} in the guest): it may run still"
        told = unsettled(error, about)
        if told is error:  # which is not its own cause
            raise
        raise told from error
    return Completed({"exitcode": exitcode, "signal": signal})


def _ported(
    calls: "AgentCalls",
    argv: "Sequence[str]",
    feed: "InputFeed | None",
    mark: str,
    channel: str,
    *,
    large: bool,
) -> "ProgramOnPorts | None":
    """The program with its streams on ports, if this agent's host has any.

    By auto only for what is large for certain: a short program takes as long either way, and
    longer if a port must be plugged first.
    """
    from qga_cli.channel.ports import QUICK, THOROUGH, Channel, obstacle
    from qga_cli.exec.on_ports import ProgramOnPorts

    inline = feed.small() if feed else b""
    if channel == "auto":
        if inline is not None and not large:
            return None
        if reason := obstacle(calls.agent):
            calls.agent.trace(1, reason)
            return None
    found = Channel.to(calls.agent, THOROUGH if channel == "always" else QUICK)
    return ProgramOnPorts(calls, argv, feed if inline is None else None, found, mark, inline or b"")


def remember(agent: Agent, error: NoChannel) -> None:
    """Tell why there is no channel; what the guest has against it holds until its next start."""
    from qga_cli.channel import memory
    from qga_cli.exec.on_ports import NoPorts

    agent.trace(1, f"no channel: {error.said()}")
    ports = agent.transport.ports()
    if ports and isinstance(error, NoPorts):
        memory.note(ports.boot(), error.message)


def _without_streams(
    calls: "AgentCalls",
    argv: "Sequence[str]",
    feed: "InputFeed | None",
    error: "NoShell",
    *,
    text: bool,
) -> "ProgramWithoutShell | WindowsProgram":
    """The way that is left, imported only now."""
    from qga_cli.agent.abilities import is_windows
    from qga_cli.exec.exit_status import NoProc

    if is_windows(calls.agent):
        from qga_cli.windows.exec import WindowsProgram

        return WindowsProgram(calls, argv, feed, text=text)
    if isinstance(error, NoProc):
        from qga_cli.exec.without_proc import ProgramWithoutProc

        return ProgramWithoutProc(calls, argv, feed)
    from qga_cli.exec.without_shell import ProgramWithoutShell

    return ProgramWithoutShell(calls, argv, feed)


def follow(
    program: "AnyProgram",
    supervisor: "Supervisor",
    interrupt: "Interrupt",
    heed: "Callable[[], object]",
) -> None:
    """Carry a started program to its end."""
    heeded = time.monotonic() + _HEED
    try:
        while not program.ended:
            interrupt.sleep(program.step(), supervisor.seen)
            supervisor.check()
            if time.monotonic() > heeded:
                heed()
    except BaseException:
        with contextlib.suppress(QgaError):  # the guest ends it by itself within a minute
            program.abandon(drop=True)
        raise

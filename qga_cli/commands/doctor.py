"""The verb `doctor`."""

from qga_cli import spec
from qga_cli.spec import Arg, Column, Command, Example

COMMAND = Command(
    "",
    "Find out why a guest's agent does not answer, and fix what can be fixed",
    since="0.15.0",
    args=[
        Arg("fix", spec.FLAG, "Add a missing channel, replug a wedged one or that of an agent "
            "that does not run, thaw a frozen guest, unplug ports of qga's that nobody uses"),
        Arg("yes", spec.FLAG, "With --fix, do not ask", short="-y"),
    ],
    result=[{"check": str, "verdict": ("ok", "warn", "FAIL", "fixed"), "finding": str, "fix": str}],
    columns=[
        Column("check", kind=spec.TERM),
        Column("verdict", kind=spec.WORD),
        Column("finding"),
        Column("fix"),
    ],
    run="health.doctor:doctor",
    notes=(
        "Walks from the host to the agent and stops at the first break; the exit code is that of "
        "the break, 0 when there is none. A warning is no break. --fix does only what is safe "
        "from the host, and asks before each step. Replugging takes the agent's channel away for "
        "a second; the guest goes on. systemd in it stops the agent meanwhile, with programs "
        "that it has started, and starts it again: also one that had stopped by itself. What qga "
        "runs there goes on, if it has run for a second or two."
    ),
    examples=[
        Example("qga doctor web1", "one table says where the chain is broken"),
        Example("qga doctor --fix -y web1", "fix it, in a script"),
        Example("qga doctor '*' --gather", "healthy guests together, the others apart"),
    ],
)  # fmt: skip

"""guest-get-time."""

from qga_cli.spec import MOMENT, SECONDS, Column, Command, Example


def _clock(nanoseconds: int) -> dict[str, float]:
    import time

    seconds = nanoseconds / 1e9
    return {"time": seconds, "ahead-of-host": seconds - time.time()}


COMMAND = Command(
    "guest-get-time",
    "Show the guest's clock and how far it is off the host's",
    since="1.5",
    result=int,
    rows=_clock,
    columns=[Column("time", kind=MOMENT), Column("ahead-of-host", kind=SECONDS)],
    patience=5,
    notes=(
        "The call itself takes some of the time by which the guest seems to be behind. In a pipe "
        "the agent's own number alone: nanoseconds since 1970, which `time set` takes."
    ),
    examples=[
        Example("qga time get '*' --sort -ahead-of-host", "whose clock is wrong"),
        Example("date -d @$(($(qga time get web1) / 10**9))", "in the host's words"),
    ],
)
